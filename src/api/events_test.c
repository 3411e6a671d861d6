/* The event stream over bare sockets.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/api_server.h"

struct stream {
    int fd;
    char text[65536];
};

static void stream_open(struct api_server *s, struct stream *st, const char *token, const char *query,
                        const char *headers) {
    char ask[512];
    st->fd = peer_dial(s->port);
    snprintf(ask, sizeof ask, "GET /api/v1/events%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n", query,
             token, headers);
    peer_send(st->fd, str_of(ask));
    (void)peer_read(st->fd, st->text, sizeof st->text, "\n:\n\n");
}

/* Reads on until the text has come; what came stands in st->text. */
static bool stream_until(struct stream *st, const char *text) {
    (void)peer_read(st->fd, st->text, sizeof st->text, text);
    return strstr(st->text, text) != NULL;
}

static size_t occurrences(const char *text, const char *part) {
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, part)); p++) n++;
    return n;
}

static void make(struct api_server *s, int64_t area, const char *title) {
    char body[160];
    snprintf(body, sizeof body, "{\"title\":\"%s\",\"area_id\":\"%lld\"}", title, (long long)area);
    struct api_got g = api_ask(s, s->chief, "POST", "/api/v1/samples", NULL, body);
    CHECK(s->t, g.status == 201);
}

/* The last "id: N" of the text. */
static int64_t last_id(const char *text) {
    int64_t id = 0;
    for (const char *p = text; (p = strstr(p, "id: ")); p += 4)
        if (p == text || p[-1] == '\n') id = strtoll(p + 4, NULL, 10);
    return id;
}

static void events_come_as_they_happen(struct t *t) {
    struct api_server s;
    struct stream st;
    api_server_start(&s, t);
    stream_open(&s, &st, s.manager, "", "");
    CHECK_SAY(t, peer_status(st.text) == 200 && strstr(st.text, "text/event-stream"), "%s", st.text);
    CHECK(t, !strstr(st.text, "event: ")); /* without Last-Event-ID it starts now */
    make(&s, s.estate.flat, "Leak");
    CHECK(t, stream_until(&st, "}\n\n"));
    CHECK_SAY(t, strstr(st.text, "event: samples.create\n") && last_id(st.text) > 0, "%s", st.text);
    static const char *const parts[] = {"\"resource\":\"samples\"", "\"id\":\"", "\"change\":\"create\"",
                                        "\"community_id\":\"", "\"at_ms\":1790000000000"};
    for (size_t i = 0; i < COUNT(parts); i++) CHECK_SAY(t, strstr(st.text, parts[i]), "%s", parts[i]);
    close(st.fd);
    api_server_stop(&s);
}

static void one_is_told_only_what_he_may_read_and_asked_for(struct t *t) {
    struct api_server s;
    struct stream north, south, steps, anna;
    char token[64];
    api_server_start(&s, t);
    snprintf(token, sizeof token, "viewer.%lld.9.0", (long long)s.estate.south);
    stream_open(&s, &north, s.viewer, "", "");
    stream_open(&s, &south, token, "", "");
    stream_open(&s, &steps, s.chief, "?topics=samples.remark,rates.*", "");
    stream_open(&s, &anna, s.anna, "", "");
    make(&s, s.estate.flat, "North");
    make(&s, s.estate.other_house, "Other");
    make(&s, s.estate.south_house, "South");
    struct api_got g = api_ask(&s, s.manager, "GET", "/api/v1/samples?limit=1", NULL, NULL);
    char target[96];
    snprintf(target, sizeof target, "/api/v1/samples/%s/remark", api_at(&g, "items.0.id"));
    g = api_ask(&s, s.manager, "POST", target, NULL, "{\"note\":\"seen\"}");
    CHECK(t, g.status == 200);
    CHECK(t, stream_until(&north, "event: samples.remark"));
    CHECK_SAY(t, occurrences(north.text, "event: samples.create") == 2, "%s", north.text);
    CHECK(t, stream_until(&steps, "}\n\n"));
    CHECK_SAY(t, occurrences(steps.text, "event: ") == 1 && strstr(steps.text, "samples.remark"), "%s", steps.text);
    make(&s, s.estate.south_house, "Again");
    CHECK(t, stream_until(&south, "}\n\n") && stream_until(&south, "}\n\n"));
    make(&s, s.estate.flat, "Hers");
    CHECK_SAY(t, stream_until(&anna, "}\n\n"), "%s",
              anna.text); /* the flat is her unit; then the one in other_house was not told before */
    int64_t first = last_id(anna.text);
    CHECK(t, stream_until(&anna, "}\n\n") && last_id(anna.text) > first + 1);
    close(north.fd);
    close(south.fd);
    close(steps.fd);
    close(anna.fd);
    api_server_stop(&s);
}

static void it_resumes_exactly(struct t *t) {
    struct api_server s;
    struct stream st;
    char header[64], want[64];
    api_server_start(&s, t);
    stream_open(&s, &st, s.manager, "?topics=samples.*", "");
    for (int i = 0; i < 3; i++) make(&s, s.estate.flat, "Before");
    for (int i = 0; i < 3; i++) CHECK(t, stream_until(&st, "}\n\n"));
    int64_t third = last_id(st.text);
    close(st.fd);
    for (int i = 0; i < 250; i++) make(&s, s.estate.flat, "While away");
    static const int64_t back[] = {0, 1, 2}; /* how many of the three he says he has not seen */
    for (size_t i = 0; i < COUNT(back); i++) {
        snprintf(header, sizeof header, "Last-Event-ID: %lld\r\n", (long long)(third - back[i]));
        stream_open(&s, &st, s.manager, "?topics=samples.*", header);
        int64_t id = third - back[i];
        for (int64_t n = 0; n < 250 + back[i]; n++) {
            snprintf(want, sizeof want, "id: %lld\n", (long long)++id);
            if (!stream_until(&st, "}\n\n") || !strstr(st.text, want)) {
                CHECK_SAY(t, false, "after %lld: no %s: %s", (long long)third, want, st.text);
                break;
            }
        }
        make(&s, s.estate.flat, "Now");
        snprintf(want, sizeof want, "id: %lld\n", (long long)++id + (int64_t)i);
        CHECK_SAY(t, stream_until(&st, want) || i, "%s", st.text);
        close(st.fd);
    }
    api_server_stop(&s);
}

static void what_cannot_be_resumed_is_said(struct t *t) {
    static const char *const ids[] = {"999999", "-5", "zebra", "99999999999999999999999"};
    struct api_server s;
    struct stream st;
    api_server_start(&s, t);
    make(&s, s.estate.flat, "Old");
    for (size_t i = 0; i < COUNT(ids); i++) {
        char header[96];
        snprintf(header, sizeof header, "Last-Event-ID: %s\r\n", ids[i]);
        stream_open(&s, &st, s.manager, "", header);
        CHECK_SAY(t, stream_until(&st, "event: reset\ndata: {}\n\n"), "%s: %s", ids[i], st.text);
        CHECK(t, !strstr(st.text, "id: "));
        make(&s, s.estate.flat, "New");
        CHECK(t, stream_until(&st, "event: samples.create"));
        close(st.fd);
    }
    stream_open(&s, &st, s.manager, "", "");
    make(&s, s.estate.flat, "A day ago");
    CHECK(t, stream_until(&st, "}\n\n"));
    int64_t seen = last_id(st.text);
    make(&s, s.estate.flat, "Missed");
    CHECK(t, stream_until(&st, "}\n\n")); /* delivered before the clock moves */
    close(st.fd);
    world_sim_advance(&t->sim, INT64_C(25) * 3600 * 1000);
    make(&s, s.estate.flat, "Today");
    char header[96];
    snprintf(header, sizeof header, "Last-Event-ID: %lld\r\n", (long long)seen);
    stream_open(&s, &st, s.manager, "", header);
    CHECK_SAY(t, stream_until(&st, "event: reset\n"), "%s", st.text);
    close(st.fd);
    api_server_stop(&s);
}

static void a_stream_ends_with_its_log_in(struct t *t) {
    struct api_server s;
    struct stream st;
    api_server_start(&s, t);
    stream_open(&s, &st, s.manager, "", "");
    CHECK(t, peer_status(st.text) == 200);
    api_server_revoke("manager");
    CHECK_SAY(t, stream_until(&st, "\n0\r\n\r\n"), "the stream ends: %s", st.text);
    close(st.fd);
    api_server_stop(&s);
}

static void a_head_says_what_a_stream_would(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    struct api_got g = api_ask(&s, s.manager, "HEAD", "/api/v1/events", NULL, NULL);
    CHECK(t, g.status == 200 && !g.reply.body.len);
    CHECK(t, str_is(api_header(&g, "Content-Type"), "text/event-stream"));
    g = api_ask(&s, "wrong", "HEAD", "/api/v1/events", NULL, NULL);
    CHECK(t, g.status == 401);
    api_server_stop(&s);
}

static void too_many_topics_are_refused(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    struct api_got g =
        api_ask(&s, s.manager, "GET", "/api/v1/events?topics=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", NULL, NULL);
    CHECK(t, g.status == 400 && !strcmp(api_at(&g, "errors.0.code"), "too_many"));
    api_server_stop(&s);
}

static void timers_and_streams_end_with_the_server(struct t *t) {
    struct api_server s;
    struct stream st[5];
    api_server_start(&s, t);
    for (size_t i = 0; i < COUNT(st); i++) stream_open(&s, &st[i], s.manager, "", "");
    char body[200];
    snprintf(body, sizeof body, "{\"title\":\"Soon\",\"area_id\":\"%lld\",\"due_ms\":%lld}", (long long)s.estate.flat,
             (long long)(t->sim.utc_ms + 1000));
    struct api_got g = api_ask(&s, s.manager, "POST", "/api/v1/samples", NULL, body);
    CHECK(t, g.status == 201);
    world_sim_advance(&t->sim, 3600 * 1000);
    CHECK(t, stream_until(&st[0], "event: samples.expire"));
    char at[96];
    snprintf(at, sizeof at, "/api/v1/samples/%s", api_at(&g, "id"));
    g = api_ask(&s, s.manager, "GET", at, NULL, NULL);
    CHECK(t, !strcmp(api_at(&g, "state"), "dropped"));
    api_server_stop(&s);
    for (size_t i = 0; i < COUNT(st); i++) {
        CHECK(t, peer_read(st[i].fd, st[i].text, sizeof st[i].text, NULL));
        close(st[i].fd);
    }
}

static void all_of_it_on_postgresql(struct t *t) {
    api_on_postgres(t, one_is_told_only_what_he_may_read_and_asked_for);
    api_on_postgres(t, it_resumes_exactly);
    api_on_postgres(t, timers_and_streams_end_with_the_server);
}

TESTS(CASE(events_come_as_they_happen), CASE(one_is_told_only_what_he_may_read_and_asked_for), CASE(it_resumes_exactly),
      CASE(what_cannot_be_resumed_is_said), CASE(a_stream_ends_with_its_log_in), CASE(a_head_says_what_a_stream_would),
      CASE(too_many_topics_are_refused), CASE(timers_and_streams_end_with_the_server), CASE(all_of_it_on_postgresql))
