/* Readings over HTTP: who may, what comes back, what is refused and how.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/http_test_internal.h"

/* ---- asking ---- */

static int ask_with(struct site *s, const char *who, const char *method, const char *target, const char *type,
                    struct str body, struct http_header extra) {
    char bearer[96];
    struct http_header headers[3] = {{S("Content-Type"), str_of(type)}, {S("Authorization"), {NULL, 0}}, extra};
    snprintf(bearer, sizeof bearer, "Bearer %s", who);
    headers[1].value = str_of(bearer);
    struct client_ask ask = {method, target, headers, extra.name.ptr ? 3 : 2, {(const uint8_t *)body.ptr, body.len}};
    json_decref(s->json);
    s->json = NULL;
    if (client_call("127.0.0.1", s->port, &ask, PEER_WAIT_MS, &s->t->arena, &s->reply)) return 0;
    s->json = json_loadb((const char *)s->reply.body.ptr, s->reply.body.len, JSON_DECODE_ANY, NULL);
    return s->reply.status;
}

static int get(struct site *s, const char *who, const char *fmt, ...) PRINTF(3, 4);
static int get(struct site *s, const char *who, const char *fmt, ...) {
    char target[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(target, sizeof target, fmt, args);
    va_end(args);
    return ask_with(s, who, "GET", target, "text/plain", S(""), (struct http_header){0});
}

static int post_line(struct site *s, const char *who, const char *query, const char *text) {
    char target[256];
    snprintf(target, sizeof target, "/api/v1/ingest/line?%s", query);
    return ask_with(s, who, "POST", target, "text/plain", str_of(text), (struct http_header){0});
}

static int post_json(struct site *s, const char *who, const char *text) {
    return ask_with(s, who, "POST", "/api/v1/ingest/json?community=linli", "application/json", str_of(text),
                    (struct http_header){0});
}

static bool holds(const struct site *s, const char *text) {
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= s->reply.body.len; i++)
        if (!memcmp(s->reply.body.ptr + i, text, n)) return true;
    return false;
}

static size_t points(const struct site *s) {
    return json_array_size(json_object_get(s->json, "points"));
}

static double value_at(const struct site *s, size_t i) {
    const json_t *v = json_array_get(json_array_get(json_object_get(s->json, "points"), i), 1);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* ---- in and out ---- */

static void a_line_that_is_answered_can_be_read(struct t *t) {
    struct site s;
    char text[256];
    start(&s, t);
    snprintf(text, sizeof text, "m1 power=21.5,on=t %lld\nenv,device=m2 power=7i %lld\n", (long long)s.now_ms - 5000,
             (long long)s.now_ms - 4000);
    CHECK_SAY(t, post_line(&s, s.ingest, "precision=ms", text) == 204, "%d", s.reply.status);
    CHECK_SAY(t, get(&s, s.dispatcher, "/api/v1/telemetry?device=m1&metric=power") == 200, "%d", s.reply.status);
    CHECK(t, points(&s) == 1 && value_at(&s, 0) == 21.5 && holds(&s, "\"unit\":\"W\"") && holds(&s, "\"next\":null"));
    CHECK(t, holds(&s, "{\"device\":\"m1\",\"metric\":\"power\","));
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry?device=m1&metric=on") == 200 && value_at(&s, 0) == 1);
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry/latest?device=m1,m2") == 200);
    CHECK(t, json_array_size(json_object_get(s.json, "items")) == 3);
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry/latest") == 200);
    CHECK(t, json_array_size(json_object_get(s.json, "items")) == 3);
    CHECK(t, get(&s, s.dispatcher, "/api/v1/telemetry?device=m1&metric=nothing") == 200 && points(&s) == 0);
    stop(&s);
}

static void json_comes_in_and_pages_and_windows_come_out(struct t *t) {
    struct site s;
    char text[512], next[32];
    start(&s, t);
    int64_t hour = s.now_ms - s.now_ms % HOUR_MS - 3 * HOUR_MS;
    snprintf(text, sizeof text,
             "[{\"device\":\"m1\",\"ts\":%lld,\"values\":{\"power\":1,\"ok\":true}},"
             "{\"device\":\"m1\",\"ts\":%lld,\"values\":{\"power\":2.25}},"
             "{\"device\":\"m1\",\"ts\":%lld,\"values\":{\"power\":6}},{\"device\":\"m1\",\"values\":{\"now\":3}}]",
             (long long)hour, (long long)hour + 1, (long long)(hour + 2 * HOUR_MS));
    CHECK_SAY(t, post_json(&s, s.admin, text) == 204, "%d", s.reply.status);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&limit=2", (long long)hour,
                 (long long)(hour + 3 * HOUR_MS)) == 200);
    CHECK(t, points(&s) == 2 && value_at(&s, 1) == 2.25);
    snprintf(next, sizeof next, "%s", json_string_value(json_object_get(s.json, "next")));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&limit=2&cursor=%s",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS), next) == 200);
    CHECK(t, points(&s) == 1 && value_at(&s, 0) == 6 && json_is_null(json_object_get(s.json, "next")));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&every=1h&agg=avg",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200);
    CHECK(t, points(&s) == 3 && value_at(&s, 0) == 1.625 && isnan(value_at(&s, 1)) && value_at(&s, 2) == 6);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&format=csv",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200);
    CHECK(t, str_starts(client_header(&s.reply, "content-type"), S("text/csv")) && holds(&s, "time,value\r\n"));
    CHECK(t, holds(&s, ",2.25\r\n"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&every=1h&agg=min,max,count",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200);
    char several[160];
    snprintf(several, sizeof several, "\"points\":[[%lld,1,2.25,2],[%lld,null,null,0],[%lld,6,6,1]]", (long long)hour,
             (long long)(hour + HOUR_MS), (long long)(hour + 2 * HOUR_MS));
    CHECK(t, holds(&s, several));
    CHECK(t, get(&s, s.manager,
                 "/api/v1/telemetry?device=m1&metric=power&from=%lld&to=%lld&every=1h&agg=min,max&format=csv",
                 (long long)hour, (long long)(hour + 3 * HOUR_MS)) == 200 &&
                 holds(&s, "time,min,max\r\n"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=temp&every=1h&agg=min,max,avg,sum,last") == 400 &&
                 holds(&s, "\"field\":\"agg\""));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=now&from=%lld&to=%lld", (long long)s.now_ms,
                 (long long)s.now_ms + 1) == 200 &&
                 value_at(&s, 0) == 3);
    stop(&s);
}

static size_t lines_of(const struct site *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->reply.body.len; i++) n += s->reply.body.ptr[i] == '\n';
    return n;
}

/* More rows than one piece of an answer has, and only as many as were asked for where somebody says how many. */
static void a_csv_is_whole(struct t *t) {
    enum { N = 20000 };
    struct site s;
    start(&s, t);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, 2 * N);
    int64_t from = s.now_ms - (int64_t)N * 1000;
    for (size_t i = 0; i < 2 * N; i++)
        p[i] = (struct telemetry_point){.device = i < N ? S("m1") : S("m2"),
                                        .metric = S("power"),
                                        .value = 1,
                                        .at_ms = from + (int64_t)(i % N) * 1000};
    CHECK(t, !telemetry_put_wait(s.store, &(struct telemetry_batch){s.estate, p, 2 * N}, NULL, &t->fault));
    const struct {
        const char *path;
        size_t rows;
    } asked[] = {
        {"?device=m1&metric=power", N},
        {"?device=m1&metric=power&limit=9000", 9000},
        {"?device=m1&metric=power&every=1s&agg=min,max", N},
        {"/aggregate?metric=power&every=1s&agg=sum", N},
        {"/aggregate?metric=power&every=1s&group=device&agg=avg", 2 * N},
        {"/aggregate?metric=power&every=1s&group=device&top=1&limit=8500", 8500},
    };
    for (size_t i = 0; i < COUNT(asked); i++) {
        CHECK(t, get(&s, s.manager, "/api/v1/telemetry%s&format=csv&from=%lld&to=%lld", asked[i].path, (long long)from,
                     (long long)from + (int64_t)N * 1000) == 200);
        CHECK_SAY(t, lines_of(&s) == 1 + asked[i].rows && !holds(&s, "#"), "%s: %zu lines", asked[i].path,
                  lines_of(&s));
    }
    stop(&s);
}

static void many_devices_stand_side_by_side(struct t *t) {
    static const struct {
        const char *query, *want;
    } rows[] = {
        {"group=device&agg=sum", "\"groups\":[{\"key\":\"m1\",\"name\":\"m1\",\"devices\":1,\"values\":[10]},"
                                 "{\"key\":\"m2\",\"name\":\"m2\",\"devices\":1,\"values\":[70]}]"},
        {"group=model&agg=max", "\"groups\":[{\"key\":\"meter\",\"name\":\"meter\",\"devices\":2,\"values\":[40]}]"},
        {"group=device&agg=delta&top=1", "\"groups\":[{\"key\":\"m2\",\"name\":\"m2\",\"devices\":1,\"values\":[10]}]"},
        {"group=device&agg=p50", "\"values\":[10]},{\"key\":\"m2\",\"name\":\"m2\",\"devices\":1,\"values\":[30]}]"},
    };
    struct site s;
    char text[256], place[64];
    start(&s, t);
    int64_t day = s.now_ms - s.now_ms % (24 * HOUR_MS);
    snprintf(text, sizeof text, "m1 power=10 %lld\nm2 power=30 %lld\nm2 power=40 %lld\n", (long long)day + 1,
             (long long)day + 2, (long long)day + 60002);
    CHECK(t, post_line(&s, s.ingest, "precision=ms", text) == 204);
    snprintf(text, sizeof text, "from=%lld&to=%lld", (long long)day, (long long)day + 120000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&%s&%s", text, rows[i].query) ==
                     200);
        CHECK_SAY(t, holds(&s, rows[i].want), "row %zu: %.*s", i, (int)s.reply.body.len,
                  (const char *)s.reply.body.ptr);
    }
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1m&group=place&agg=last&%s", text) == 200);
    snprintf(place, sizeof place, "{\"key\":\"%lld\",\"name\":\"house\",\"devices\":1,\"values\":[10,null]}",
             (long long)s.house);
    CHECK(t, holds(&s, place) && holds(&s, "\"values\":[30,40]}"));
    snprintf(place, sizeof place, "\"at\":[%lld,%lld]", (long long)day, (long long)day + 60000);
    CHECK(t, holds(&s, place));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=device&format=csv&%s", text) ==
                 200);
    CHECK(t, holds(&s, "time,device,name,value\r\n") && holds(&s, ",m1,m1,10\r\n") && holds(&s, ",m2,m2,35\r\n"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=colour") == 400 &&
                 holds(&s, "\"field\":\"group\""));
    for (int i = 0; i < 4; i++) { /* beyond any calendar */
        const char *const times[] = {"to=-9223372036854775808", "to=9223372036854775807", "from=-9223372036854775808",
                                     "cursor=-9223372036854775808"};
        CHECK_SAY(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&%s", times[i]) == 400,
                  "%s: %d", times[i], s.reply.status);
    }
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&top=3") == 400 &&
                 holds(&s, "\"field\":\"group\""));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=device&top=0") == 400 &&
                 holds(&s, "\"field\":\"top\""));
    CHECK(t,
          get(&s, s.resident, "/api/v1/telemetry/aggregate?metric=power&every=1d&group=device&community=linli") == 403);
    stop(&s);
}

static void many_devices_sum_up_by_place(struct t *t) {
    struct site s;
    char text[256];
    start(&s, t);
    snprintf(text, sizeof text, "m1 power=10 %lld\nm2 power=30 %lld\nnobody power=1000 %lld\n",
             (long long)s.now_ms - 10, (long long)s.now_ms - 9, (long long)s.now_ms - 8);
    CHECK(t, post_line(&s, s.ingest, "precision=ms", text) == 204);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&agg=sum") == 200);
    CHECK(t, value_at(&s, points(&s) - 1) == 40 && holds(&s, "\"devices\":2"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power&every=1d&agg=sum&place=%lld",
                 (long long)s.house) == 200);
    CHECK(t, value_at(&s, points(&s) - 1) == 10 && holds(&s, "\"devices\":1"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=power") == 400 && holds(&s, "\"field\":\"every\""));
    CHECK(t, get(&s, s.resident, "/api/v1/telemetry/aggregate?metric=power&every=1d&community=linli") == 403);
    stop(&s);
}

/* ---- who is told ---- */

struct told {
    enum telemetry_post_outcome outcome;
    size_t number, bytes;
    int64_t community_id;
    char rule[160], part[80], peer[48], user[64];
};
static struct told told[8];
static size_t told_n;

static void note_post(void *arg, const struct telemetry_post *p) { /* a worker, before the answer */
    (void)arg;
    struct told *x = &told[told_n++ % COUNT(told)];
    *x = (struct told){.outcome = p->outcome, .number = p->number, .bytes = p->bytes, .community_id = p->community_id};
    snprintf(x->rule, sizeof x->rule, STR_FMT, STR_ARG(p->rule));
    snprintf(x->part, sizeof x->part, STR_FMT, STR_ARG(p->part));
    snprintf(x->peer, sizeof x->peer, STR_FMT, STR_ARG(p->peer));
    snprintf(x->user, sizeof x->user, STR_FMT, STR_ARG(p->user));
}

static void every_post_is_told_and_what_was_refused_with_its_line(struct t *t) {
    static const struct {
        const char *body;
        bool is_json;
        int status;
        const char *rule, *part; /* rule: how it begins */
        size_t number;
    } rows[] = {
        {"m1 power=1\nm2 power=2", false, 204, "", "m1 power=1\nm2 power=2", 0},
        {"m1 power=1\nm2 power=", false, 400, "a ", "m2 power=", 2},
        {"[{\"device\":\"m1\",\"values\":{\"power\":1}}]", true, 204, "",
         "[{\"device\":\"m1\",\"values\":{\"power\":1}}]", 0},
        {"[{\"device\":\"m1\",\"values\":{}},{\"device\":\"m1\",\"values\":{\"power\":\"x\"}}]", true, 400,
         "[1].power: not_a_number", "{\"device\":\"m1\",\"values\":{\"power\":\"x\"}}", 2},
        {"{\"device\":\"m1\"}", true, 400, "the body must be a list", "{\"device\":\"m1\"}", 0},
        {"[", true, 400, "", "[", 0},
    };
    struct site s;
    start(&s, t);
    telemetry_http_tell(s.readings, note_post, NULL);
    told_n = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status =
            rows[i].is_json ? post_json(&s, s.ingest, rows[i].body) : post_line(&s, s.ingest, "", rows[i].body);
        const struct told *x = &told[i];
        CHECK_SAY(t, status == rows[i].status && told_n == i + 1, "%s: %d, told %zu", rows[i].body, status, told_n);
        CHECK_SAY(t, !strncmp(x->rule, rows[i].rule, strlen(rows[i].rule)) && !strcmp(x->part, rows[i].part),
                  "%s: %s: %s", rows[i].body, x->rule, x->part);
        CHECK(t, x->outcome == (status == 204 ? POST_TAKEN : POST_REFUSED) && x->number == rows[i].number);
        CHECK(t, x->bytes == strlen(rows[i].body) && !strcmp(x->peer, "127.0.0.1") && x->user[0]);
        CHECK(t, (status == 204) == !x->rule[0] && x->community_id == s.estate);
    }
    CHECK(t, post_line(&s, s.dispatcher, "", "m1 power=1") == 403 && told_n == COUNT(rows)); /* none of this line */
    CHECK(t, post_line(&s, s.device, "", "m2 power=1") == 403 && told_n == COUNT(rows) + 1 &&
                 told[COUNT(rows)].outcome == POST_REFUSED && told[COUNT(rows)].community_id == s.estate);
    /* Who does not reach a community cannot put samples before it. */
    CHECK(t, post_line(&s, s.stranger, "community=linli", "m1 power=1") == 400 && told_n == COUNT(rows) + 2 &&
                 !told[(COUNT(rows) + 1) % COUNT(told)].community_id);
    stop(&s);
}

/* ---- rights ---- */

static void rights_on_devices_are_rights_on_their_readings(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, post_line(&s, s.ingest, "", "m1 power=1\nunknown power=2") == 204);
    static const char known[] = "/api/v1/telemetry?device=m1&metric=power&community=linli";
    static const char unknown[] = "/api/v1/telemetry?device=unknown&metric=power&community=linli";
    CHECK(t, get(&s, s.admin, known) == 200 && get(&s, s.manager, known) == 200 && get(&s, s.dispatcher, known) == 200);
    CHECK(t, get(&s, s.resident, known) == 404 && get(&s, s.stranger, known) == 400); /* no such community to him */
    CHECK(t, get(&s, s.admin, unknown) == 200 && get(&s, s.manager, unknown) == 200);
    CHECK(t, get(&s, s.dispatcher, unknown) == 404);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=never&metric=power") == 404);
    static const char never[] = "/api/v1/telemetry/latest?device=never&community=linli"; /* nobody is told otherwise */
    CHECK(t, get(&s, s.admin, never) == 404 && get(&s, s.manager, never) == 404 && get(&s, s.dispatcher, never) == 404);
    CHECK(t, get(&s, s.resident, never) == 404 && get(&s, s.manager, "/api/v1/telemetry/latest?device=m2") == 200);
    CHECK(t, post_line(&s, s.manager, "", "m1 power=1") == 403 && post_line(&s, s.dispatcher, "", "m1 power=1") == 403);
    CHECK(t, post_line(&s, s.device, "community=linli", "m1 power=1") == 204);
    CHECK(t, post_line(&s, s.device, "community=linli", "m1 power=1\nm2 power=1") == 403);
    CHECK(t, post_line(&s, "nobody", "", "m1 power=1") == 401);
    stop(&s);
}

static enum err protect(struct ctx *ctx, struct site *s) {
    return telemetry_label(s->store, s->estate, S("m1"), S("pulse"),
                           &(struct telemetry_label){.unit = S("/min"), .class = HEALTH}, &ctx->fault);
}

static void protected_readings_are_not_shown_to_who_may_see_the_device(struct t *t) {
    struct site s;
    start(&s, t);
    as_system(&s, protect);
    CHECK(t, post_line(&s, s.ingest, "", "m1 pulse=61,power=5") == 204);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=pulse") == 403 && holds(&s, "protected"));
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry/latest?device=m1") == 200 && !holds(&s, "pulse") && holds(&s, "power"));
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry/aggregate?metric=pulse&every=1d") == 200 && holds(&s, "\"devices\":0"));
    char carer[64];
    snprintf(carer, sizeof carer, "carer.%lld.carer", (long long)s.estate);
    CHECK(t, get(&s, carer, "/api/v1/telemetry?device=m1&metric=pulse") == 200 && holds(&s, "61"));
    CHECK(t, get(&s, carer, "/api/v1/telemetry/latest?device=m1") == 200 && holds(&s, "pulse"));
    stop(&s);
}

/* ---- refusals ---- */

static void a_refusal_says_where_and_stores_nothing(struct t *t) {
    struct site s;
    start(&s, t);
    static const struct {
        const char *query, *text;
        int status;
        const char *holds, *also;
    } rows[] = {
        {"", "m1 a=1\nm1 a=x", 400, "\"field\":\"line\"", "\"limit\":2"},
        {"", "m1 a=1\nm1 a=1 5", 400, "too_old", "\"limit\":2"},
        {"", "m1 a=1\n\n\nm1 a=1 9000000000000000000", 400, "in_future", "\"limit\":4"},
        {"precision=h", "m1 a=1", 400, "\"field\":\"precision\"", ""},
        {"community=nowhere", "m1 a=1", 400, "\"field\":\"community\"", "unknown"},
        {"", "m1 a=\"text\"", 400, "bad_line", "line 1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = post_line(&s, s.ingest, rows[i].query, rows[i].text);
        CHECK_SAY(t, status == rows[i].status && holds(&s, rows[i].holds) && holds(&s, rows[i].also),
                  "row %zu: %d %.*s", i, status, (int)s.reply.body.len, (const char *)s.reply.body.ptr);
    }
    static const struct {
        const char *text, *field, *code;
    } bodies[] = {
        {"{}", "", "not_a_list"},
        {"[1]", "[0].device", "required"},
        {"[{\"device\":\"m1\",\"values\":{\"a\":1}},{\"device\":\"m1\",\"values\":{\"a\":\"1\"}}]", "[1].a",
         "not_a_number"},
        {"[{\"device\":\"m1\",\"value\":{\"a\":1}}]", "[0].value", "unknown_field"},
        {"[{\"device\":\"m1\",\"ts\":\"noon\",\"values\":{\"a\":1}}]", "[0].ts", "bad_type"},
        {"[{\"values\":{\"a\":1}}]", "[0].device", "required"},
        {"[{\"device\":\"m1\"}]", "[0].values", "required"},
        {"[{\"device\":\"m1\",\"ts\":1,\"values\":{\"a\":1}}]", "ts", "too_old"},
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        int status = post_json(&s, s.admin, bodies[i].text);
        CHECK_SAY(t, status == 400 && holds(&s, bodies[i].field) && holds(&s, bodies[i].code), "body %zu: %d %.*s", i,
                  status, (int)s.reply.body.len, (const char *)s.reply.body.ptr);
    }
    struct telemetry_stats stats;
    telemetry_stats(s.store, &stats);
    CHECK(t, stats.points == 0);
    CHECK(t, ask_with(&s, s.admin, "POST", "/api/v1/ingest/line", "text/plain", S("m1 a=1"),
                      (struct http_header){S("Content-Encoding"), S("gzip")}) == 415);
    stop(&s);
}

static void a_bad_question_names_its_field(struct t *t) {
    static const struct {
        const char *query, *field;
    } rows[] = {
        {"metric=a", "device"},
        {"device=m1", "metric"},
        {"device=m1&metric=a&from=yesterday", "from"},
        {"device=m1&metric=a&from=2&to=1", "to"},
        {"device=m1&metric=a&every=1w", "every"},
        {"device=m1&metric=a&every=1h&agg=median", "agg"},
        {"device=m1&metric=a&limit=0", "limit"},
        {"device=m1&metric=a&limit=100001", "limit"},
        {"device=m1&metric=a&format=xls", "format"},
        {"device=m1&metric=a&cursor=x", "cursor"},
    };
    struct site s;
    char field[64];
    start(&s, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = get(&s, s.manager, "/api/v1/telemetry?%s", rows[i].query);
        snprintf(field, sizeof field, "\"field\":\"%s\"", rows[i].field);
        CHECK_SAY(t, status == 400 && holds(&s, field), "row %zu: %d %.*s", i, status, (int)s.reply.body.len,
                  (const char *)s.reply.body.ptr);
    }
    stop(&s);
}

static enum err check_trail(struct ctx *ctx, struct site *s) {
    int64_t n = 0;
    bool found;
    TRY(db_one_i64(
        ctx->db, &ctx->fault,
        "SELECT COUNT(*) FROM audit WHERE resource = 'devices' AND verb = 'erase' AND substr(reason, 1, 16) = "
        "'wrong sensor (a '",
        NO_VALS, &n, &found));
    CHECK_SAY(s->t, n == 1, "%d rows tell of it", (int)n);
    return OK;
}

static int erase(struct site *s, const char *token, const char *query) {
    char target[4096];
    snprintf(target, sizeof target, "/api/v1/telemetry?%s", query);
    return ask_with(s, token, "DELETE", target, "text/plain", S(""), (struct http_header){0});
}

static void readings_are_erased_with_a_reason_and_told(struct t *t) {
    struct site s;
    char text[200], query[200];
    start(&s, t);
    int64_t at = s.now_ms - 60000;
    snprintf(text, sizeof text, "m1 a=1,b=1 %lld\nm1 a=2,b=2 %lld\n", (long long)at, (long long)at + 1000);
    CHECK(t, post_line(&s, s.ingest, "precision=ms", text) == 204);
    snprintf(query, sizeof query, "device=m1&metric=a&from=%lld&to=%lld&reason=wrong+sensor", (long long)at,
             (long long)at + 1000);
    CHECK(t, erase(&s, s.dispatcher, query) == 403 && erase(&s, s.resident, query) != 204);
    CHECK(t, erase(&s, s.manager, "device=m1&metric=a&from=1&to=2") == 400 && holds(&s, "\"field\":\"reason\""));
    CHECK(t, erase(&s, s.manager, "device=m1&metric=a&from=2&to=2&reason=xx") == 400 && holds(&s, "\"field\":\"to\""));
    CHECK(t, erase(&s, s.manager, "device=m1&metric=zz&from=1&to=2&reason=xx") == 404);
    CHECK_SAY(t, erase(&s, s.manager, query) == 204, "%d %.*s", s.reply.status, (int)s.reply.body.len,
              (const char *)s.reply.body.ptr);
    CHECK(t,
          get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a") == 200 && points(&s) == 1 && value_at(&s, 0) == 2);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=b") == 200 && points(&s) == 2);
    as_system(&s, check_trail);
    stop(&s);
}

/* Whoever may not see a metric may not take it away unseen; a reason has 400 characters, not bytes. */
static void what_is_erased_is_what_may_be_seen(struct t *t) {
    struct site s;
    char query[4000];
    start(&s, t);
    as_system(&s, protect);
    CHECK(t, post_line(&s, s.ingest, "", "m1 pulse=61,power=5") == 204);
    CHECK(t, erase(&s, s.manager, "device=m1&from=0&to=99999999999999&reason=all+of+it") == 403);
    CHECK(t, holds(&s, "protected"));
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power") == 200 && points(&s) == 1);
    for (int more = 1; more >= 0; more--) {
        size_t n = (size_t)snprintf(query, sizeof query, "device=m1&metric=power&from=0&to=99999999999999&reason=");
        for (int i = 0; i < 400 + more; i++) n += (size_t)snprintf(query + n, sizeof query - n, "%%E5%%A4%%AA");
        CHECK(t, erase(&s, s.manager, query) == (more ? 400 : 204));
    }
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=power") == 200 && !points(&s));
    stop(&s);
}

static void a_full_disk_is_503_and_not_ready(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, post_line(&s, s.ingest, "", "m1 a=1") == 204);
    io_sim_full_after(s.sim, 0);
    int taken = 0, status = 204; /* the log has a little room beforehand */
    while (taken < 2000 && (status = post_line(&s, s.ingest, "", "m1 b=2")) == 204) taken++;
    CHECK(t, status == 503 && client_header(&s.reply, "retry-after").len);
    CHECK(t, get(&s, s.manager, "/readyz") == 503);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a") == 200 && points(&s) == 1);
    io_sim_full_after(s.sim, -1);
    char want[64];
    snprintf(want, sizeof want, "linli_telemetry_points_total %d\n", taken + 2);
    CHECK(t, post_line(&s, s.ingest, "", "m1 a=3") == 204 && get(&s, s.manager, "/readyz") == 200);
    CHECK(t, get(&s, s.manager, "/metrics") == 200 && holds(&s, want));
    stop(&s);
}

/* ---- tags, and answers as large as they may be ---- */

static enum err check_tags(struct ctx *ctx, struct site *s) {
    struct device d = {0};
    bool found = false;
    TRY(device_by_code(ctx, s->estate, S("m1"), &d, &found));
    CHECK(s->t, found && str_is(d.attributes, "{\"floor\":\"3\",\"room\":\"8F 02\"}"));
    TRY(device_by_code(ctx, s->estate, S("fresh"), &d, &found));
    CHECK(s->t, found && d.state == DEVICE_NEW && str_is(d.attributes, "{\"floor\":\"1\"}"));
    return OK;
}

static void other_tags_stay_with_the_device(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, post_line(&s, s.ingest, "", "env,device=m1,floor=2 a=1\nenv,device=m1,room=8F\\ 02 a=1") == 204);
    CHECK(t, post_line(&s, s.ingest, "", "env,device=m1,floor=3 a=1\nfresh,floor=1 a=1") == 204);
    CHECK(t, post_line(&s, s.ingest, "", "env,device=m1,floor=3 a=1") == 204);
    as_system(&s, check_tags);
    stop(&s);
}

static void the_largest_answer_fits(struct t *t) {
    enum { EACH = 20000, N = 100000 };
    struct site s;
    start(&s, t);
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, EACH);
    for (int at = 0; at < N; at += EACH) {
        for (int i = 0; i < EACH; i++)
            p[i] = (struct telemetry_point){.device = S("m1"),
                                            .metric = S("a"),
                                            .at_ms = s.now_ms - N + at + i,
                                            .value = -1.0 / (at + i + 3) * 1e-200};
        struct telemetry_batch b = {s.estate, p, EACH};
        CHECK(t, !telemetry_put_wait(s.store, &b, NULL, &t->fault));
    }
    CHECK_SAY(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a") == 200 && points(&s) == N, "%d",
              s.reply.status);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a&format=csv") == 200);
    CHECK(t, get(&s, s.manager, "/api/v1/telemetry?device=m1&metric=a&every=1s&agg=p95") == 200 && points(&s) > 99);
    stop(&s);
}

/* The same on PostgreSQL, where SQL is read by another. */
static void rights_and_places_hold_on_postgresql(struct t *t) {
    store_url = test_pg_url(t);
    if (store_url) rights_on_devices_are_rights_on_their_readings(t);
    store_url = test_pg_url(t);
    if (store_url) many_devices_sum_up_by_place(t);
    store_url = test_pg_url(t);
    if (store_url) other_tags_stay_with_the_device(t);
    store_url = NULL;
}

TESTS(CASE(what_is_erased_is_what_may_be_seen), CASE(every_post_is_told_and_what_was_refused_with_its_line),
      CASE(a_line_that_is_answered_can_be_read), CASE(json_comes_in_and_pages_and_windows_come_out),
      CASE(many_devices_sum_up_by_place), CASE(a_csv_is_whole), CASE(many_devices_stand_side_by_side),
      CASE(rights_on_devices_are_rights_on_their_readings),
      CASE(protected_readings_are_not_shown_to_who_may_see_the_device), CASE(a_refusal_says_where_and_stores_nothing),
      CASE(a_bad_question_names_its_field), CASE(readings_are_erased_with_a_reason_and_told),
      CASE(a_full_disk_is_503_and_not_ready), CASE(other_tags_stay_with_the_device), CASE(the_largest_answer_fits),
      CASE(rights_and_places_hold_on_postgresql))
