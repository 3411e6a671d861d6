/* The live tail of readings: what is told, to whom, and when it ends.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/http_test_internal.h"

struct stream {
    int fd;
    char text[65536];
};

static void stream_open(struct site *s, struct stream *st, const char *who, const char *query, const char *headers) {
    char ask[512];
    st->fd = peer_dial(s->port);
    snprintf(ask, sizeof ask, "GET /api/v1/telemetry/tail?%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n",
             query, who, headers);
    peer_send(st->fd, str_of(ask));
    (void)peer_read(st->fd, st->text, sizeof st->text, "\n:\n\n");
}

static bool stream_until(struct stream *st, const char *text) {
    (void)peer_read(st->fd, st->text, sizeof st->text, text);
    return strstr(st->text, text) != NULL;
}

/* In what has come by now, and within a moment. */
static bool stream_shows(struct stream *st, const char *text) {
    struct pollfd p = {.fd = st->fd, .events = POLLIN};
    size_t len = strlen(st->text);
    while (poll(&p, 1, 20) == 1 && len + 1 < sizeof st->text) {
        ssize_t n = recv(st->fd, st->text + len, sizeof st->text - 1 - len, 0);
        if (n <= 0) break;
        len += (size_t)n;
        st->text[len] = 0;
    }
    return strstr(st->text, text) != NULL;
}

static void put_one(struct site *s, const char *device, const char *metric, double value) {
    struct telemetry_point p = {.device = str_of(device), .metric = str_of(metric), .at_ms = s->now_ms, .value = value};
    CHECK(s->t, !telemetry_put_wait(s->store, &(struct telemetry_batch){s->estate, &p, 1}, NULL, &s->t->fault));
}

static void a_tail_tells_readings_as_they_come(struct t *t) {
    struct site s;
    struct stream one, both;
    char want[200];
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    put_one(&s, "m2", "level", 2);
    stream_open(&s, &one, s.manager, "device=m1", "");
    stream_open(&s, &both, s.dispatcher, "device=m1,m2&metric=level", "");
    CHECK_SAY(t, peer_status(one.text) == 200 && strstr(one.text, "text/event-stream"), "%s", one.text);
    CHECK(t, !strstr(one.text, "event: ")); /* it begins now */
    put_one(&s, "m2", "level", 3);
    put_one(&s, "m1", "level", 4.5);
    snprintf(want, sizeof want, "{\"device\":\"m1\",\"metric\":\"level\",\"at_ms\":%lld,\"value\":4.5,\"quality\":0}]",
             (long long)s.now_ms);
    CHECK_SAY(t, stream_until(&one, want) && strstr(one.text, "event: readings\n"), "%s", one.text);
    CHECK_SAY(t, !strstr(one.text, "\"m2\""), "%s", one.text);
    CHECK_SAY(t, stream_until(&both, "\"value\":4.5") && strstr(both.text, "\"value\":3"), "%s", both.text);
    put_one(&s, "m1", "flow", 7); /* a metric that was not there: found when it is looked at again */
    bool found = false;
    for (int i = 0; i < 400 && !found; i++) {
        put_one(&s, "m1", "flow", 8);
        found = stream_shows(&one, "\"metric\":\"flow\"");
    }
    CHECK(t, found && !strstr(both.text, "flow"));
    close(one.fd);
    close(both.fd);
    stop(&s);
}

static void who_comes_again_is_told_that_he_missed_some(struct t *t) {
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    stream_open(&s, &st, s.manager, "device=m1", "Last-Event-ID: 5\r\n");
    CHECK_SAY(t, stream_until(&st, "event: missed\n"), "%s", st.text);
    put_one(&s, "m1", "level", 2);
    CHECK_SAY(t, stream_until(&st, "\"value\":2"), "%s", st.text);
    close(st.fd);
    stop(&s);
}

static void who_may_not_read_gets_no_tail(struct t *t) {
    static const struct {
        const char *query, *code;
        int status;
    } rows[] = {{"device=m1", "not_found", 404}, {"", "required", 400}, {"device=nothing", "not_found", 404}};
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        stream_open(&s, &st, i ? s.dispatcher : s.resident, rows[i].query, "Connection: close\r\n");
        CHECK_SAY(t, peer_status(st.text) == rows[i].status && strstr(st.text, rows[i].code), "%zu: %s", i, st.text);
        close(st.fd);
    }
    stop(&s);
}

static enum err archive_m1(struct ctx *ctx, struct site *s) {
    struct device d = {0};
    bool found;
    TRY(device_by_code(ctx, s->estate, S("m1"), &d, &found));
    return row_archive(ctx, &devices, d.row.id, 0);
}

static void a_tail_ends_when_the_device_is_out_of_reach(struct t *t) {
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    stream_open(&s, &st, s.dispatcher, "device=m1", "");
    CHECK(t, peer_status(st.text) == 200);
    as_system(&s, archive_m1);
    CHECK_SAY(t, stream_until(&st, "0\r\n\r\n"), "%s", st.text); /* the end of the chunks */
    close(st.fd);
    stop(&s);
}

static void make_pulse_private(struct site *s) {
    put_one(s, "m1", "pulse", 61);
    CHECK(s->t, !telemetry_label(s->store, s->estate, S("m1"), S("pulse"), &(struct telemetry_label){.class = HEALTH},
                                 &s->t->fault));
}

static void a_tail_keeps_private_metrics_to_itself(struct t *t) {
    struct site s;
    struct stream st;
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    make_pulse_private(&s);
    stream_open(&s, &st, s.dispatcher, "device=m1", "");
    put_one(&s, "m1", "pulse", 62);
    put_one(&s, "m1", "level", 2);
    CHECK_SAY(t, stream_until(&st, "\"value\":2") && !strstr(st.text, "pulse"), "%s", st.text);
    close(st.fd);
    stop(&s);
}

static void grow(struct site *s, const char *device, size_t n) {
    struct telemetry_point *p = arena_new(&s->t->arena, struct telemetry_point, n);
    for (size_t i = 0; i < n; i++) {
        char *metric = arena_new(&s->t->arena, char, 32);
        snprintf(metric, 32, "x%zu", i);
        p[i] = (struct telemetry_point){.device = str_of(device), .metric = str_of(metric), .at_ms = s->now_ms};
    }
    CHECK(s->t, !telemetry_put_wait(s->store, &(struct telemetry_batch){s->estate, p, n}, NULL, &s->t->fault));
    for (size_t i = 0; i < n; i++) /* as the feed does: then nobody asks the rows */
        CHECK(s->t, !telemetry_label(s->store, s->estate, str_of(device), p[i].metric, &(struct telemetry_label){0},
                                     &s->t->fault));
}

/* Until a private metric is kept from it: told of `level` alone. */
static bool hides_pulse(struct site *s, struct stream *st) {
    for (int i = 0; i < 400; i++) {
        char level[40], pulse[40];
        put_one(s, "m1", "pulse", 1000 + i);
        put_one(s, "m1", "level", 5000 + i);
        snprintf(pulse, sizeof pulse, "\"value\":%d,", 1000 + i);
        snprintf(level, sizeof level, "\"value\":%d,", 5000 + i);
        st->text[0] = 0;
        if (!stream_until(st, level)) return false;
        if (!strstr(st->text, pulse)) return true;
    }
    return false;
}

/* One that follows too much ends; the rights of those before and behind it are looked at all the same. */
static void a_tail_that_grows_too_wide_ends_alone(struct t *t) {
    struct site s;
    struct stream st[3];
    start(&s, t);
    put_one(&s, "m1", "level", 1);
    put_one(&s, "m1", "pulse", 60);
    put_one(&s, "m2", "level", 1);
    for (int i = 0; i < 3; i++) stream_open(&s, &st[i], s.dispatcher, i == 1 ? "device=m1,m2" : "device=m1", "");
    grow(&s, "m2", 999);
    CHECK(t, stream_until(&st[1], "0\r\n\r\n"));
    make_pulse_private(&s);
    CHECK(t, hides_pulse(&s, &st[0]) && hides_pulse(&s, &st[2]));
    for (int i = 0; i < 3; i++) close(st[i].fd);
    stop(&s);
}

TESTS(CASE(a_tail_that_grows_too_wide_ends_alone), CASE(a_tail_tells_readings_as_they_come),
      CASE(who_comes_again_is_told_that_he_missed_some), CASE(who_may_not_read_gets_no_tail),
      CASE(a_tail_ends_when_the_device_is_out_of_reach), CASE(a_tail_keeps_private_metrics_to_itself))
