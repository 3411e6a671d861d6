/* Rows and listeners: what rows say is open, what they are is in the rows.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/lines.h"

#include "kernel/outbox.h"
#include "protocol/dlt645/dlt645.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/lines_internal.h"

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

static void reopen(void *arg) {
    struct site *s = arg;
    struct lines_options o = options_of(s, 0);
    if (lines_open(&o, &s->lines, &s->e.t->fault)) estate_die("lines", &s->e.t->fault);
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

/* ---- ports ---- */

static int free_port, taken_port;

static enum err two_lines_at_one_port(struct ctx *ctx, struct estate *e) {
    TRY(line_row_put(ctx, e->id, S("one"), "gb26875", free_port));
    TRY(line_row_put(ctx, e->id, S("two"), "hj212", free_port));
    return line_row_put(ctx, e->id, S("three"), "hj212", taken_port);
}

/* Elsewhere its devices would not find it, and the row would say that all is well. */
static void a_line_whose_port_is_held_does_not_open_and_says_by_whom(struct t *t) {
    struct site s = {.n = 0};
    char query[200];
    estate_start(&s.e, t);
    int other = peer_listen(&taken_port);
    close(peer_listen(&free_port));
    estate_do(&s.e, two_lines_at_one_port);
    struct lines_options o = options_of(&s, -1);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    test_loop_start(&s.e.loop);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE name = 'one' AND state = 'open'", 1));
    snprintf(query, sizeof query,
             "SELECT COUNT(*) FROM lines WHERE state = 'failed' AND problem IN ('port %d is held by the line one', "
             "'port %d is held by another program')",
             free_port, taken_port);
    CHECK(t, estate_comes_to(&s.e, query, 2));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM lines WHERE name = 'two' AND problem LIKE '%the line one'") == 1);
    close(other); /* whoever had it is gone: it is tried again */
    snprintf(query, sizeof query, "SELECT COUNT(*) FROM lines WHERE state = 'open' AND address LIKE '%%:%d'",
             taken_port);
    for (int i = 0; i < 20; i++) world_sim_advance(&t->sim, 1000), (void)poll(NULL, 0, 20);
    CHECK(t, estate_comes_to(&s.e, query, 1));
    stop(&s);
}

static enum err one_without_a_port(struct ctx *ctx, struct estate *e) {
    return line_row_put(ctx, e->id, S("free"), "gb26875", 0);
}

static int64_t stored_port(struct site *s) {
    return estate_count(&s->e, "SELECT COALESCE(port, 0) FROM lines WHERE name = 'free'");
}

static void open_with_own_ports(void *arg) {
    struct site *s = arg;
    struct lines_options o = options_of(s, -1);
    if (lines_open(&o, &s->lines, &s->e.t->fault)) estate_die("lines", &s->e.t->fault);
    s->n = 0;
    lines_each(s->lines, note, s);
}

/* What a DTU was set to is there after the next start. */
static void a_port_that_the_system_chose_is_kept(struct t *t) {
    struct site s = {.n = 0};
    estate_start(&s.e, t);
    estate_do(&s.e, one_without_a_port);
    open_with_own_ports(&s);
    int chosen = s.ports[0];
    CHECK(t, s.n == 1 && chosen > 0);
    test_loop_start(&s.e.loop);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE name = 'free' AND state = 'open'", 1));
    CHECK(t, stored_port(&s) == chosen);
    struct line_set *before = s.lines;
    test_on_loop(s.e.loop.loop, (loop_fn *)lines_stop, before);
    test_on_loop(s.e.loop.loop, open_with_own_ports, &s);
    CHECK(t, s.n == 1 && s.ports[0] == chosen);
    stop(&s);
    lines_free(before);
}

/* Such are of one run alone. */
static void a_port_of_the_command_line_is_kept_in_no_row(struct t *t) {
    struct site s = {.n = 0};
    estate_start(&s.e, t);
    estate_do(&s.e, one_without_a_port);
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    test_loop_start(&s.e.loop);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE name = 'free' AND state = 'open'", 1));
    CHECK(t, stored_port(&s) == 0);
    stop(&s);
}

static void rows_are_checked(struct t *t) {
    static const struct {
        const char *kind, *bind, *code; /* of the first field error; NULL: taken */
        int64_t port;
        const char *numbers;
    } rows[] = {{"bacnet", NULL, NULL, -1, "1234"},
                {"bacnet", NULL, NULL, -1, "0-4194302"},
                {"bacnet", NULL, "bad_numbers", -1, "0-4194303"},
                {"bacnet", NULL, "bad_numbers", -1, "20-10"},
                {"bacnet", NULL, "bad_numbers", -1, "20-"},
                {"bacnet", NULL, "bad_numbers", -1, "-20"},
                {"bacnet", NULL, "bad_numbers", -1, "1,2"},
                {"gb26875", NULL, NULL, -1},
                {"gb26875", "localhost", "bad_address", 1},
                {"http", NULL, NULL, -1},
                {"gb26875", "::1", NULL, 0},
                {"gb26875", "127.0.0.1", NULL, 65535},
                {"gb26875", NULL, "too_large", 65536}};
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
        if (rows[i].numbers) SET(&line_rows, &r, numbers, str_of(rows[i].numbers));
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

/* ---- commands ---- */

/* A relay on a line that dials, and what it is told. */
struct relay {
    struct estate *e;
    int64_t device, command;
    int port;
    const char *value; /* NULL: the model says it */
};
static struct relay relay;

static enum err a_line_with_a_relay(struct ctx *ctx, struct estate *e) {
    static struct model_command told[] = {
        {.has = 0x39, .command = {"trip", 4}, .item = {"1C", 2}, .value = {"trip", 4}, .dangerous = true},
        {.has = 0x09, .command = {"switch", 6}, .item = {"1C", 2}}};
    struct device_model m = {0};
    struct line_row l = {.row.community_id = e->id};
    struct device d = {.row.community_id = e->id};
    SET(&device_models, &m, code, S("relay"));
    SET(&device_models, &m, name, S("relay"));
    SET(&device_models, &m, commands, (struct lines){told, COUNT(told)});
    TRY(row_create(ctx, &device_models, &m));
    SET(&line_rows, &l, name, S("meters"));
    SET(&line_rows, &l, kind, S("dlt645"));
    SET(&line_rows, &l, reach, S("dial"));
    SET(&line_rows, &l, host, S("127.0.0.1"));
    SET(&line_rows, &l, port, relay.port);
    SET(&line_rows, &l, enabled, true);
    TRY(row_create(ctx, &line_rows, &l));
    SET(&devices, &d, name, S("relay"));
    SET(&devices, &d, code, S("R-1"));
    SET(&devices, &d, model, S("relay"));
    SET(&devices, &d, address, S("000000000161"));
    SET(&devices, &d, line_id, l.row.id);
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    relay.device = d.row.id;
    struct device secret = {0};
    SET(&devices, &secret, password, S("02123456"));
    TRY(row_act(ctx, &devices, d.row.id, 0, "set_password", &secret, secret.row.has, NULL));
    return row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

static enum err command_it(struct ctx *ctx, struct estate *e) {
    struct device_command c = {.row.community_id = e->id};
    SET(&commands, &c, device_id, relay.device);
    SET(&commands, &c, command, relay.value ? S("switch") : S("trip"));
    if (relay.value) SET(&commands, &c, value, str_of(relay.value));
    SET(&commands, &c, reason, S("arrears, by notice"));
    TRY(row_create(ctx, &commands, &c));
    relay.command = c.row.id;
    return OK;
}

static enum err confirm_it(struct ctx *ctx, struct estate *e) {
    (void)e;
    return row_act(ctx, &commands, relay.command, 0, "confirm", NULL, 0, NULL);
}

static enum err deliver(struct ctx *ctx, struct estate *e) {
    size_t done;
    (void)e;
    return events_deliver(ctx, 100, &done);
}

/* Time goes on with each: a line rests between two questions. */
static void command_and_deliver(struct site *s, const char *value) {
    relay.value = value;
    world_sim_advance(&s->e.t->sim, 1000);
    estate_do(&s->e, command_it);
    estate_do(&s->e, deliver);
}

static void command_and_confirm(struct site *s, const char *value) {
    command_and_deliver(s, value);
    estate_do(&s->e, confirm_it);
    estate_do(&s->e, deliver);
}

static bool is_command(struct site *s, const char *state) {
    char query[160];
    snprintf(query, sizeof query, "SELECT COUNT(*) FROM commands WHERE id = %lld AND state = '%s'",
             (long long)relay.command, state);
    return estate_comes_to(&s->e, query, 1);
}

static void meter_hears(int fd, struct dlt645_frame *ret) {
    uint8_t in[300];
    size_t have = 0, len = 0;
    struct wire_error e;
    for (enum frame what; !have || (what = dlt645_codec.frame((struct bytes){in, have}, &len)) != FRAME_WHOLE;) {
        if (have && what == FRAME_SKIP) {
            memmove(in, in + len, have -= len);
            continue;
        }
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n = poll(&p, 1, PEER_WAIT_MS) == 1 ? recv(fd, in + have, 1, 0) : 0;
        if (n != 1 || ++have == sizeof in) abort();
    }
    if (!dlt645_decode((struct bytes){in, have}, ret, &e)) abort();
}

static void meter_says(int fd, const struct dlt645_frame *f) {
    char out[DLT645_FRAME_MAX];
    struct buf b;
    buf_init(&b, out, sizeof out);
    if (!dlt645_encode(f, &b)) abort();
    peer_send(fd, (struct str){out, b.len});
}

/* A meter that answers one question with `control`. */
static void meter_answers(int fd, uint8_t control, uint8_t error, struct dlt645_frame *ret) {
    meter_hears(fd, ret);
    struct dlt645_frame f = *ret;
    f.control |= control;
    f.data_n = error ? 1 : 0;
    f.data[0] = error;
    meter_says(fd, &f);
}

/* It is asked where its relay stands, once its answer was heard and the line had its rest; no answer is late by then.
 */
static void meter_shows(struct site *s, int fd, bool is_open) {
    struct dlt645_frame f;
    uint32_t di = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < 60 && !poll(&p, 1, 50); i++) world_sim_advance(&s->e.t->sim, 25);
    meter_hears(fd, &f);
    CHECK(s->e.t, f.control == DLT645_READ && dlt645_item(&f, &di) && di == DLT645_STATUS_3);
    f.control |= DLT645_REPLY;
    f.data[f.data_n++] = is_open ? 0x10 : 0;
    f.data[f.data_n++] = 0;
    meter_says(fd, &f);
}

static bool is_still(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 300) == 0;
}

static enum err retire_it(struct ctx *ctx, struct estate *e) {
    (void)e;
    return row_act(ctx, &devices, relay.device, 0, "retire", NULL, 0, NULL);
}

static void a_command_goes_out_once_confirmed_and_its_row_says_what_came_of_it(struct t *t) {
    struct site s = {.n = 0};
    struct dlt645_frame f;
    int listener = peer_listen(&relay.port);
    estate_start(&s.e, t);
    estate_do(&s.e, a_line_with_a_relay);
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    test_loop_start(&s.e.loop);
    int fd = accept(listener, NULL, NULL);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE name = 'meters' AND state = 'open'", 1));

    command_and_deliver(&s, NULL);
    CHECK(t, is_command(&s, "asked") && is_still(fd)); /* dangerous: nothing goes out before it is confirmed */
    estate_do(&s.e, confirm_it);
    estate_do(&s.e, deliver);
    meter_answers(fd, DLT645_REPLY, 0, &f);
    CHECK(t, f.control == DLT645_SWITCH && f.data[0] == 2 && f.data[8] == 0x1a);
    meter_shows(&s, fd, true); /* taken is not done */
    CHECK(t, is_command(&s, "done"));

    command_and_deliver(&s, "close"); /* its model does not say that it is dangerous, the protocol does */
    CHECK(t, is_command(&s, "asked"));
    estate_do(&s.e, confirm_it);
    estate_do(&s.e, deliver);
    meter_answers(fd, DLT645_REPLY | DLT645_REFUSED, 4, &f);
    CHECK(t, f.data[8] == 0x1c && is_command(&s, "failed"));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM commands WHERE answer = 'wrong_password'") == 1);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM audit WHERE resource = 'commands'") >= 6);

    command_and_deliver(&s, "explode");
    CHECK(t, is_command(&s, "failed") && is_still(fd));
    close(fd);
    close(listener);
    CHECK(t, estate_comes_to(&s.e,
                             "SELECT COUNT(*) FROM lines WHERE name = 'meters' AND state = 'failed' AND problem "
                             "LIKE '%hung up%'",
                             1));
    command_and_confirm(&s, "close");
    CHECK(t, is_command(&s, "failed"));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM commands WHERE answer LIKE '%not connected%'") == 1);
    stop(&s);
}

static enum err reinstate_it(struct ctx *ctx, struct estate *e) {
    (void)e;
    return row_act(ctx, &devices, relay.device, 0, "reinstate", NULL, 0, NULL);
}
static enum err archive_it(struct ctx *ctx, struct estate *e) {
    (void)e;
    return row_archive(ctx, &devices, relay.device, 0);
}

/* Whatever way it would have taken: all are read from here. */
static void what_waits_for_a_device_that_is_not_in_use_any_more_fails_and_goes_nowhere(struct t *t) {
    static enum err (*const gone[])(struct ctx * ctx, struct estate * e) = {retire_it, archive_it};
    struct site s = {.n = 0};
    int listener = peer_listen(&relay.port);
    estate_start(&s.e, t);
    estate_do(&s.e, a_line_with_a_relay);
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    test_loop_start(&s.e.loop);
    int fd = accept(listener, NULL, NULL);
    relay.value = "close";
    for (size_t i = 0; i < COUNT(gone); i++) {
        if (i) estate_do(&s.e, reinstate_it);
        estate_do(&s.e, command_it);
        estate_do(&s.e, confirm_it);
        estate_do(&s.e, gone[i]);
        estate_do(&s.e, deliver);
        CHECK(t, is_command(&s, "failed") && is_still(fd));
    }
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM commands WHERE answer = 'the device is not in use any more'") ==
                 COUNT(gone));
    close(fd);
    close(listener);
    stop(&s);
}

/* What was on its way when the program ended may have been carried out: it is not said again. */
static void a_command_that_was_sent_is_not_sent_again_after_a_restart(struct t *t) {
    struct site s = {.n = 0};
    struct dlt645_frame f;
    int listener = peer_listen(&relay.port);
    estate_start(&s.e, t);
    estate_do(&s.e, a_line_with_a_relay);
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    test_loop_start(&s.e.loop);
    int fd = accept(listener, NULL, NULL);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE name = 'meters' AND state = 'open'", 1));
    command_and_confirm(&s, "close");
    CHECK(t, is_command(&s, "sent"));
    test_on_loop(s.e.loop.loop, (loop_fn *)lines_stop, s.lines);
    close(fd);
    struct line_set *before = s.lines;
    test_on_loop(s.e.loop.loop, reopen, &s);
    fd = accept(listener, NULL, NULL);
    command_and_confirm(&s, "close"); /* another one goes out, and it alone */
    meter_answers(fd, DLT645_REPLY, 0, &f);
    meter_shows(&s, fd, false);
    CHECK(t, is_command(&s, "done") && is_still(fd));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM commands WHERE state = 'sent'") == 1);
    close(fd);
    close(listener);
    stop(&s);
    lines_free(before);
}

/* What a line over HTTP shows of a request that was refused. */
static void a_refused_request_is_a_sample_with_its_line(struct t *t) {
    struct figures_book *book = line_posts_create();
    struct buf b;
    struct str text;
    struct jw j;
    json_t *v = NULL;
    const struct telemetry_post bad = {POST_REFUSED, 77, 5, S("10.0.0.9"), S("gateway"), S("a value is missing"),
                                       S("m2 x="),   2,  20};
    const struct telemetry_post good = {
        .outcome = POST_TAKEN, .at_ms = 78, .community_id = 5, .part = S("m1 x=1"), .bytes = 6};
    CHECK(t, book != NULL);
    figures_book_add(book, 5);
    struct figures *f = figures_of(book, 5);
    for (int i = 0; i < 20; i++) line_post(book, &bad);
    line_post(book, &good);
    line_post(book, &(struct telemetry_post){.outcome = POST_NOT_STORED, .community_id = 5});
    buf_init_arena(&b, &t->arena, 65536);
    jw_init(&j, &b);
    jw_open(&j, '{');
    figures_put(f, NULL, NULL, &t->arena, &j);
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
    figures_book_destroy(book);
}

/* ---- lines that others serve ---- */

static struct {
    struct figures_book *book;
    int64_t second, lines[3]; /* lines: two of the estate, one of the second */
} served;

static enum err two_estates_with_web_lines(struct ctx *ctx, struct estate *e) {
    struct place p = {0};
    SET(&places, &p, name, S("second"));
    SET(&places, &p, code, S("e2"));
    SET(&places, &p, kind, S("estate"));
    SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    served.second = p.row.id;
    TRY(line_row_put(ctx, e->id, S("web"), "http", 0));
    TRY(line_row_put(ctx, e->id, S("web two"), "http", 0));
    return line_row_put(ctx, served.second, S("web"), "http", 0);
}

static void serve_posts(void *arg) {
    struct site *s = arg;
    lines_served(s->lines, &(struct lines_server){.kind = "http", .address = "127.0.0.1:8080", .figures = served.book});
}

static void each_community_has_figures_of_its_own_at_a_server(struct t *t) {
    struct site s = {.n = 0};
    char mem[4096];
    struct buf b;
    estate_start(&s.e, t);
    estate_do(&s.e, two_estates_with_web_lines);
    served.book = line_posts_create();
    struct lines_options o = options_of(&s, 0);
    CHECK(t, !lines_open(&o, &s.lines, &t->fault));
    test_loop_start(&s.e.loop);
    test_on_loop(s.e.loop.loop, serve_posts, &s);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE kind = 'http' AND state = 'open'", 3));
    struct telemetry_post post = {.outcome = POST_TAKEN, .community_id = s.e.id, .part = S("m1 x=1"), .bytes = 6};
    line_post(served.book, &post);
    post.community_id = 0; /* a community that the caller may not write to */
    post.outcome = POST_REFUSED;
    line_post(served.book, &post);
    struct figures *own = figures_own(served.book, s.e.id), *second = figures_own(served.book, served.second);
    CHECK(t, own && second && own != second && own->frames == 1 && own->good_n == 1 && !own->bad);
    CHECK(t, !second->frames && !second->bytes && !second->bad);
    CHECK(t, figures_of(served.book, 0)->bad == 1 && !figures_of(served.book, 0)->bad_n);
    bool is_served;
    for (size_t i = 0; i < s.lines->entries_n; i++) { /* two lines of a community show the same */
        const struct line_entry *e = &s.lines->entries[i];
        CHECK(t, !e->figures && line_figures(s.lines, e, &is_served) == figures_own(served.book, e->spec.community_id));
        CHECK(t, is_served);
    }
    buf_init(&b, mem, sizeof mem);
    struct api_with with = lines_with(s.lines);
    with.put_figures(with.arg, &b);
    CHECK(t, strstr(mem, "linli_line_bad_total{line=\"none\",kind=\"http\"} 1\n"));
    stop(&s);
    figures_book_destroy(served.book);
}

TESTS(CASE(a_refused_request_is_a_sample_with_its_line), CASE(each_community_has_figures_of_its_own_at_a_server),
      CASE(every_row_listens_and_says_where), CASE(a_row_that_cannot_listen_says_why_and_stops_no_other),
      CASE(a_port_asked_for_and_held_is_an_error), CASE(a_line_whose_port_is_held_does_not_open_and_says_by_whom),
      CASE(a_port_that_the_system_chose_is_kept), CASE(a_port_of_the_command_line_is_kept_in_no_row),
      CASE(rows_are_checked), CASE(a_command_goes_out_once_confirmed_and_its_row_says_what_came_of_it),
      CASE(what_waits_for_a_device_that_is_not_in_use_any_more_fails_and_goes_nowhere),
      CASE(a_command_that_was_sent_is_not_sent_again_after_a_restart))
