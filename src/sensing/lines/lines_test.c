/* Rows and listeners: what rows say is open, what they are is in the rows.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/lines.h"

#include "sensing/estate_test_internal.h"
#include "sensing/lines/figures.h"

struct site {
    struct estate e;
    struct line_set *lines;
    int ports[4];
    size_t n;
};

static enum err two_lines_and_http(struct ctx *ctx, struct estate *e) {
    TRY(line_row_put(ctx, e->id, S("one"), "gb26875", 26875));
    TRY(line_row_put(ctx, e->id, S("two"), "gb26875", 26876));
    return line_row_put(ctx, e->id, S("web"), "http", 0);
}

static struct lines_options options_of(struct site *s, int first_port) {
    return (struct lines_options){.kernel = s->e.kernel,
                                  .pool = s->e.pool,
                                  .loop = s->e.loop.loop,
                                  .world = &s->e.t->world,
                                  .log = &s->e.log,
                                  .feed = s->e.feed,
                                  .first_port = first_port};
}

static void note(void *arg, const char *kind, const char *address, int port, int64_t community_id) {
    struct site *s = arg;
    CHECK(s->e.t, !strcmp(kind, "gb26875") && !strncmp(address, "127.0.0.1:", 10) && community_id == s->e.id);
    if (s->n < COUNT(s->ports)) s->ports[s->n++] = port;
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)lines_stop, s->lines);
    lines_free(s->lines);
}

static void serve_http(void *arg) {
    struct site *s = arg;
    lines_served(s->lines, &(struct lines_server){.kind = "http", .address = "127.0.0.1:8080"});
}

static void every_row_listens_and_says_where(struct t *t) {
    struct site s = {.n = 0};
    estate_start(&s.e, t);
    estate_do(&s.e, two_lines_and_http);
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    lines_each(s.lines, note, &s);
    CHECK(t, s.n == 2 && s.ports[0] != s.ports[1]);
    test_loop_start(&s.e.loop);
    for (size_t i = 0; i < s.n; i++) close(peer_dial(s.ports[i]));
    CHECK(t,
          estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE state = 'open' AND address LIKE '127.0.0.1:%'", 2));
    test_on_loop(s.e.loop.loop, serve_http, &s);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE kind = 'http' AND state = 'open'", 1));
    stop(&s);
}

static enum err one_bad_address(struct ctx *ctx, struct estate *e) {
    struct line_row r = {.row.community_id = e->id};
    SET(&line_rows, &r, name, S("bad"));
    SET(&line_rows, &r, kind, S("gb26875"));
    SET(&line_rows, &r, bind, S("192.0.2.1")); /* of no machine: RFC 5737 */
    SET(&line_rows, &r, port, 26877);
    SET(&line_rows, &r, enabled, true);
    TRY(row_create(ctx, &line_rows, &r));
    return line_row_put(ctx, e->id, S("good"), "gb26875", 26875);
}

static void a_row_that_cannot_listen_says_why_and_stops_no_other(struct t *t) {
    struct site s = {.n = 0};
    estate_start(&s.e, t);
    estate_do(&s.e, one_bad_address);
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    lines_each(s.lines, note, &s);
    CHECK(t, s.n == 1);
    test_loop_start(&s.e.loop);
    CHECK(t,
          estate_comes_to(
              &s.e, "SELECT COUNT(*) FROM lines WHERE name = 'bad' AND state = 'failed' AND problem LIKE '%192.0.2.1%'",
              1));
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE name = 'good' AND state = 'open'", 1));
    stop(&s);
}

static void a_port_asked_for_and_held_is_an_error(struct t *t) {
    struct site s = {.n = 0}, again = {.n = 0};
    estate_start(&s.e, t);
    estate_do(&s.e, two_lines_and_http);
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    lines_each(s.lines, note, &s);
    o.first_port = s.ports[0];
    CHECK(t, lines_open(&o, &again.lines, &t->fault) == ERR_BUSY && !strcmp(t->fault.code, "port_held"));
    test_loop_start(&s.e.loop);
    stop(&s);
}

static void rows_are_checked(struct t *t) {
    static const struct {
        const char *kind, *bind, *code; /* of the first field error; NULL: taken */
        int64_t port;
    } rows[] = {
        {"gb26875", NULL, NULL, -1}, {"gb26875", "localhost", "bad_address", 1}, {"http", NULL, NULL, -1},
        {"gb26875", "::1", NULL, 0}, {"gb26875", "127.0.0.1", NULL, 65535},      {"gb26875", NULL, "too_large", 65536}};
    struct estate e;
    estate_start(&e, t);
    struct db *db;
    CHECK(t, !db_pool_take(e.pool, &db, &t->fault));
    struct ctx ctx = {.kernel = e.kernel, .db = db, .arena = &t->arena, .world = &t->world, .actor = actor_system()};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct line_row r = {.row.community_id = e.id};
        char name[] = {'a', (char)('a' + i), 0};
        ctx_begin(&ctx);
        SET(&line_rows, &r, name, str_of(name));
        SET(&line_rows, &r, kind, str_of(rows[i].kind));
        if (rows[i].bind) SET(&line_rows, &r, bind, str_of(rows[i].bind));
        if (rows[i].port >= 0) SET(&line_rows, &r, port, rows[i].port);
        enum err err = row_create(&ctx, &line_rows, &r);
        const char *code = err && ctx.fault.fields_n ? ctx.fault.fields[0].code : NULL;
        CHECK_SAY(t, rows[i].code ? code && !strcmp(code, rows[i].code) : !err, "row %zu: %s", i,
                  code ? code : "taken");
    }
    db_pool_give(e.pool, db);
    test_loop_start(&e.loop);
    estate_stop(&e, NULL, NULL);
}

/* What a line over HTTP shows of a request that was refused. */
static void a_refused_request_is_a_sample_with_its_line(struct t *t) {
    struct figures *f = line_posts_create();
    struct buf b;
    struct str text;
    struct jw j;
    json_t *v = NULL;
    const struct telemetry_post bad = {
        POST_REFUSED, 77, S("10.0.0.9"), S("gateway"), S("a value is missing"), S("m2 x="), 2, 20};
    const struct telemetry_post good = {.outcome = POST_TAKEN, .at_ms = 78, .part = S("m1 x=1"), .bytes = 6};
    CHECK(t, f != NULL);
    for (int i = 0; i < 20; i++) line_post(f, &bad);
    line_post(f, &good);
    line_post(f, &(struct telemetry_post){.outcome = POST_NOT_STORED});
    buf_init_arena(&b, &t->arena, 65536);
    jw_init(&j, &b);
    jw_open(&j, '{');
    figures_put(f, NULL, &t->arena, &j);
    jw_close(&j, '}');
    CHECK(t, buf_done(&b, &text) && !json_read(text, &v, &t->fault));
    CHECK(t,
          json_integer_value(json_object_get(v, "bad")) == 20 && json_integer_value(json_object_get(v, "frames")) == 1);
    CHECK(t, json_integer_value(json_object_get(v, "bytes")) == 406 && !json_object_get(v, "connections"));
    CHECK(t, json_integer_value(json_object_get(v, "unanswered")) == 1);
    const json_t *all = json_object_get(v, "bad_samples"), *one = json_array_get(all, 0);
    CHECK(t, json_array_size(all) == 16 && str_is(json_text(json_object_get(one, "text")), "m2 x="));
    CHECK(t, str_is(json_text(json_object_get(one, "rule")), "a value is missing"));
    CHECK(t, str_is(json_text(json_object_get(one, "peer")), "10.0.0.9"));
    CHECK(t, str_is(json_text(json_object_get(one, "about")), "gateway"));
    CHECK(t, json_integer_value(json_object_get(one, "number")) == 2 &&
                 json_integer_value(json_object_get(one, "at_ms")) == 77);
    CHECK(t, str_is(json_text(json_object_get(one, "hex")), "6D3220783D") && !json_object_get(one, "offset"));
    json_decref(v);
    figures_destroy(f);
}

TESTS(CASE(a_refused_request_is_a_sample_with_its_line), CASE(every_row_listens_and_says_where),
      CASE(a_row_that_cannot_listen_says_why_and_stops_no_other), CASE(a_port_asked_for_and_held_is_an_error),
      CASE(rows_are_checked))
