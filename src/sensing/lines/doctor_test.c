/* The doctor's words: a broken set-up each.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "kernel/rows.h"
#include "sensing/estate_test_internal.h"
#include "sensing/lines/lines_internal.h"
#include "sensing/lines/push.h"

#define MINUTE_MS INT64_C(60000)

struct site {
    struct estate e;
    struct line_set *lines;
    int64_t device, line;
    const char *kind, *reach, *model, *address;
    bool closed, retired, new, no_line;
};

static enum err set_up(struct ctx *ctx, struct estate *e) {
    struct site *s = (struct site *)e;
    static struct model_metric asked = {.has = 0x201, .metric = {"energy", 6}, .item = {"00010000", 8}};
    static struct model_metric point = {.has = 0x201, .metric = {"level", 5}, .item = {"ai_1", 4}};
    static struct model_metric said = {.has = 0x1, .metric = {"level", 5}};
    struct device_model m = {0};
    struct line_row l = {.row.community_id = e->id};
    struct device d = {.row.community_id = e->id};
    SET(&device_models, &m, code, S("meter"));
    SET(&device_models, &m, name, S("meter"));
    SET(&device_models, &m, protocol, S("dlt645"));
    SET(&device_models, &m, metrics, (struct lines){&asked, 1});
    TRY(row_create(ctx, &device_models, &m));
    m = (struct device_model){0};
    SET(&device_models, &m, code, S("gauge"));
    SET(&device_models, &m, name, S("gauge"));
    SET(&device_models, &m, metrics, (struct lines){&said, 1});
    TRY(row_create(ctx, &device_models, &m));
    m = (struct device_model){0};
    SET(&device_models, &m, code, S("controller"));
    SET(&device_models, &m, name, S("controller"));
    SET(&device_models, &m, metrics, (struct lines){&point, 1});
    TRY(row_create(ctx, &device_models, &m));
    SET(&line_rows, &l, name, S("line"));
    SET(&line_rows, &l, kind, str_of(s->kind));
    if (s->reach) SET(&line_rows, &l, reach, str_of(s->reach));
    SET(&line_rows, &l, host, S("127.0.0.1"));
    SET(&line_rows, &l, bind, S("127.0.0.1"));
    SET(&line_rows, &l, serial, S("/dev/no-such-port"));
    SET(&line_rows, &l, port, 1);
    SET(&line_rows, &l, enabled, !s->closed);
    TRY(row_create(ctx, &line_rows, &l));
    s->line = l.row.id;
    SET(&devices, &d, name, S("it"));
    SET(&devices, &d, code, S("000000000161"));
    SET(&devices, &d, place_id, e->id);
    if (!strcmp(s->kind, "bacnet")) SET(&devices, &d, address, S("161"));
    if (s->model) SET(&devices, &d, model, str_of(s->model));
    if (!s->no_line) SET(&devices, &d, line_id, l.row.id);
    TRY(row_create(ctx, &devices, &d));
    s->device = d.row.id;
    if (s->new) return OK;
    TRY(row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"), NULL));
    return s->retired ? row_act(ctx, &devices, d.row.id, 0, "retire", NULL, 0, NULL) : OK;
}

static enum err put_stranger(struct ctx *ctx, struct estate *e) {
    int64_t id;
    return device_put_aside(ctx, e->id, S("000000000999"), S("line"), NULL, &id);
}

/* Another device that was given the same address. */
static enum err put_twin(struct ctx *ctx, struct estate *e) {
    struct device d = {.row.community_id = e->id};
    SET(&devices, &d, name, S("twin"));
    SET(&devices, &d, code, S("twin"));
    SET(&devices, &d, place_id, e->id);
    SET(&devices, &d, line_id, ((struct site *)e)->line);
    TRY(row_create(ctx, &devices, &d));
    TRY(row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"), NULL));
    return db_exec(ctx->db, &ctx->fault, "UPDATE devices SET address = '000000000161' WHERE id = $1",
                   VALS(V_I64(d.row.id)), NULL);
}

static void start(struct site *s, struct t *t) {
    estate_start(&s->e, t);
    estate_do(&s->e, set_up);
    const struct lines_options o = {.kernel = s->e.kernel,
                                    .pool = s->e.pool,
                                    .loop = s->e.loop.loop,
                                    .world = &t->world,
                                    .log = &s->e.log,
                                    .feed = s->e.feed,
                                    .first_port = 0};
    CHECK(t, !lines_open(&o, &s->lines, &t->fault));
    test_loop_start(&s->e.loop);
}

static void stop(struct site *s) {
    estate_stop(&s->e, (loop_fn *)lines_stop, s->lines);
    lines_free(s->lines);
}

/* Codes of the findings with blanks between, behind them one argument of the first. */
static char words[300];
static json_t *answered;
static enum err ask(struct ctx *ctx, struct estate *e) {
    struct site *s = (struct site *)e;
    char id[24];
    struct api_call call = {.arg = s->lines};
    struct api_answer a = {0};
    struct buf b;
    snprintf(id, sizeof id, "%lld", (long long)s->device);
    call.args[0] = str_of(id);
    TRY(line_doctor(ctx, &call, &a));
    json_decref(answered);
    answered = NULL;
    TRY(json_read((struct str){(const char *)a.body.ptr, a.body.len}, &answered, &ctx->fault));
    const json_t *all = json_object_get(answered, "findings");
    buf_init(&b, words, sizeof words);
    for (size_t i = 0; i < json_array_size(all); i++)
        buf_fmt(&b, "%s%s", i ? " " : "", json_text(json_object_get(json_array_get(all, i), "code")).ptr);
    return OK;
}

static const char *diagnosis(struct site *s) {
    estate_do(&s->e, ask);
    return words;
}

static const json_t *first(void) {
    return json_array_get(json_object_get(answered, "findings"), 0);
}

static struct line_entry *entry(struct site *s) {
    return &s->lines->entries[0];
}

/* Bytes came, and what of them was none. */
static void bytes_came(struct site *s, int64_t bytes, int64_t frames, const char *rule) {
    struct figures *f = entry(s)->figures;
    struct sample x = {.at_ms = s->e.t->world.utc_ms(s->e.t->world.self), .offset = 7};
    snprintf(x.rule, sizeof x.rule, "%s", rule);
    snprintf(x.peer, sizeof x.peer, "10.0.0.9");
    FIGURES_ADD(f, bytes, bytes);
    FIGURES_ADD(f, frames, frames);
    FIGURES_ADD(f, connections, 1);
    FIGURES_ADD(f, connections_total, 1);
    figures_bad(f, &x, (struct bytes){(const uint8_t *)"xy", 2}, true);
}

static void note(struct site *s, enum heard_how how, const char *text, int64_t ago_ms) {
    heard_note(entry(s)->heard, S("000000000161"), how, str_of(text),
               s->e.t->world.utc_ms(s->e.t->world.self) - ago_ms);
}

static void ahead(struct site *s, int64_t ms) {
    struct telemetry_point p = {.device = S("000000000161"),
                                .metric = S("level"),
                                .value = 1,
                                .at_ms = s->e.t->world.utc_ms(s->e.t->world.self) + ms};
    struct telemetry_batch b = {.community_id = s->e.id, .points = &p, .n = 1};
    size_t bad;
    CHECK(s->e.t, !telemetry_put_wait(feed_telemetry(s->e.feed), &b, &bad, &s->e.t->fault));
}

static void clock_is(struct site *s, int64_t skew_ms) {
    heard_clock(entry(s)->heard, S("000000000161"), skew_ms, s->e.t->world.utc_ms(s->e.t->world.self));
}
static struct heard_device entry_heard(struct site *s) {
    struct heard_device d = {0};
    CHECK(s->e.t, heard_get(entry(s)->heard, S("000000000161"), &d));
    return d;
}

static void what_is_wrong_with_the_rows(struct t *t) {
    static const struct {
        struct site site;
        const char *words;
    } rows[] = {
        {{.kind = "dlt645", .model = "meter", .retired = true}, "retired"},
        {{.kind = "dlt645", .model = "meter", .closed = true}, "line_closed"},
        {{.kind = "dlt645", .model = "meter", .no_line = true}, "no_line"},
        {{.kind = "dlt645", .model = "gauge"}, "nothing_to_ask"},
        {{.kind = "dlt645"}, "nothing_to_ask"},
        {{.kind = "dlt645", .model = "meter"}, "nothing_connects"},
        {{.kind = "dlt645", .model = "meter", .reach = "serial"}, "line_failed"},
        {{.kind = "mqtt", .model = "gauge"}, "line_closed"}, /* no listener of MQTT runs */
        {{.kind = "bacnet", .model = "gauge"}, "nothing_to_ask"},
        {{.kind = "bacnet", .model = "controller"}, "nothing_arrives"}, /* nobody connects over UDP */
        {{.kind = "gb26875", .model = "gauge", .new = true}, "nothing_connects waits_for_adoption"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s = rows[i].site;
        start(&s, t);
        CHECK_SAY(t, !strcmp(diagnosis(&s), rows[i].words), "row %zu: %s", i, words);
        if (!strcmp(rows[i].words, "line_failed"))
            CHECK(t, strstr(json_text(json_object_get(first(), "problem")).ptr, "/dev/no-such-port"));
        stop(&s);
    }
}

static void what_is_wrong_with_bytes_that_come(struct t *t) {
    struct site s = {.kind = "gb26875", .model = "gauge"};
    start(&s, t);
    FIGURES_ADD(entry(&s)->figures, connections, 1);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "nothing_arrives"), "%s", words);
    FIGURES_ADD(entry(&s)->figures, connections, -1);
    bytes_came(&s, 100, 0, "GB/T 26875.3 6.6: the start is 40 40");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    CHECK(t, str_is(json_text(json_object_get(first(), "rule")), "GB/T 26875.3 6.6: the start is 40 40"));
    CHECK(t, json_integer_value(json_object_get(first(), "offset")) == 7);
    FIGURES_ADD(entry(&s)->figures, frames, 1); /* of somebody else */
    estate_do(&s.e, put_stranger);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "unknown_address"), "%s", words);
    CHECK(t, str_is(json_text(json_array_get(json_object_get(first(), "strangers"), 0)), "000000000999"));
    FIGURES_ADD(entry(&s)->figures, connections, -1); /* the stranger's; this one never had one */
    CHECK_SAY(t, !strcmp(diagnosis(&s), "unknown_address"), "%s", words);
    FIGURES_ADD(entry(&s)->figures, connections, 1);
    note(&s, HEARD_FRAME, "10.0.0.9", 20 * MINUTE_MS);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "silent_since"), "%s", words);
    note(&s, HEARD_FRAME, "10.0.0.9", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words);
    for (int i = 0; i < 3; i++) note(&s, HEARD_FRAME, i % 2 ? "10.0.0.9" : "10.0.0.10", 0);
    clock_is(&s, -3600000);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "duplicate_address clock_off"), "%s", words);
    clock_is(&s, -9000000); /* an older time, of something that was kept */
    CHECK_SAY(t, entry_heard(&s).skew_ms == -3600000, "%lld", (long long)entry_heard(&s).skew_ms);
    clock_is(&s, 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "duplicate_address"), "%s", words);
    world_sim_advance(&t->sim, HEARD_SWAPPED_MS + 1);
    note(&s, HEARD_FRAME, "10.0.0.9", 0); /* it came back to one of them, and stays there */
    note(&s, HEARD_FRAME, "10.0.0.9", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words);
    for (int i = 0; i < 3; i++) note(&s, HEARD_FRAME, i % 2 ? "10.0.0.9" : "10.0.0.10", 0);
    clock_is(&s, 3600000);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "duplicate_address clock_off"), "%s", words);
    world_sim_advance(&t->sim, HEARD_CLOCK_MS + 1);
    for (int i = 0; i < 2; i++) note(&s, HEARD_FRAME, "10.0.0.9", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words); /* it spoke since, of no time */
    FIGURES_ADD(entry(&s)->figures, unanswered, 3);
    CHECK_SAY(t, strcmp(words, "not_stored"), "%s", words); /* it is not silent for it */
    stop(&s);
}

static void what_is_wrong_where_devices_are_asked(struct t *t) {
    struct site s = {.kind = "dlt645", .model = "meter"};
    start(&s, t);
    bytes_came(&s, 300, 0, "these bytes are no frame");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "wrong_baud"), "%s", words);
    FIGURES_ADD(entry(&s)->figures, frames, 9);
    note(&s, HEARD_SILENT, "", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "unknown_address"), "%s", words);
    for (int i = 0; i < 3; i++) note(&s, HEARD_GARBLED, "", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "duplicate_address"), "%s", words);
    for (int i = 0; i < 9; i++) note(&s, HEARD_FRAME, "", 30 * MINUTE_MS);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "no_answer"), "%s", words);
    note(&s, HEARD_FRAME, "", 0);
    note(&s, HEARD_REFUSED, "no_data", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "refuses"), "%s", words);
    CHECK(t, str_is(json_text(json_object_get(first(), "why")), "no_data"));
    stop(&s);
}

static void what_is_wrong_where_devices_are_asked_in_datagrams(struct t *t) {
    struct site s = {.kind = "bacnet", .model = "controller"};
    start(&s, t);
    bytes_came(&s, 300, 0, "BACnet/IP J.2: the first byte is 81");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    FIGURES_ADD(entry(&s)->figures, frames, 9);
    note(&s, HEARD_SILENT, "", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "unknown_address"), "%s", words);
    note(&s, HEARD_FRAME, "10.0.0.7", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words);
    stop(&s);
}

/* Both behind one address, as behind a DTU; one that only connects anew is one. */
static void two_of_one_name_are_told_by_their_connections(struct t *t) {
    static const struct {
        uint64_t conns[8];
        const char *words;
    } rows[] = {{{1, 2, 1, 2, 1, 2}, "duplicate_address"},
                {{1, 2, 3, 4, 5, 6}, "well"},
                {{1, 1, 1, 2, 2, 2}, "well"},
                {{1, 2, 1, 1, 1, 1}, "well"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s = {.kind = "gb26875", .model = "gauge"};
        start(&s, t);
        for (size_t k = 0; rows[i].conns[k]; k++)
            heard_frame(entry(&s)->heard, S("000000000161"), S("10.0.0.9"), rows[i].conns[k],
                        t->world.utc_ms(t->world.self));
        CHECK_SAY(t, !strcmp(diagnosis(&s), rows[i].words), "row %zu: %s", i, words);
        stop(&s);
    }
}

static enum err was_heard(struct ctx *ctx, struct estate *e) {
    return db_exec(ctx->db, &ctx->fault, "UPDATE devices SET last_ms = $2 WHERE id = $1",
                   VALS(V_I64(((struct site *)e)->device), V_I64(ctx->now_ms - 20 * MINUTE_MS)), NULL);
}
static enum err is_lost(struct ctx *ctx, struct estate *e) {
    return device_step(ctx, ((struct site *)e)->device, "lose");
}

/* What its row remembers counts where the server was started anew. */
static void what_was_heard_before_a_restart_is_not_forgotten(struct t *t) {
    struct site s = {.kind = "gb26875", .model = "gauge"};
    start(&s, t);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "nothing_connects"), "%s", words);
    estate_do(&s.e, was_heard);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "connection_lost"), "%s", words);
    FIGURES_ADD(entry(&s)->figures, connections, 1);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "silent_since"), "%s", words);
    FIGURES_ADD(entry(&s)->figures, bytes, 300);
    FIGURES_ADD(entry(&s)->figures, frames, 9);
    estate_do(&s.e, put_stranger);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "silent_since"), "%s", words); /* not another address: it spoke under its own */
    note(&s, HEARD_FRAME, "10.0.0.9", MINUTE_MS);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words);
    estate_do(&s.e, is_lost); /* its line or a rule said so: it is not well */
    CHECK_SAY(t, !strcmp(diagnosis(&s), "silent_since"), "%s", words);
    stop(&s);
}

/* Its line is shared by others who are well. */
static void what_is_wrong_beside_others(struct t *t) {
    struct site s = {.kind = "gb26875", .model = "gauge"};
    struct sample x = {.offset = 7};
    start(&s, t);
    x.at_ms = t->world.utc_ms(t->world.self);
    FIGURES_ADD(entry(&s)->figures, connections, 1);
    FIGURES_ADD(entry(&s)->figures, bytes, 300);
    FIGURES_ADD(entry(&s)->figures, frames, 9);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "unknown_address"), "%s", words);
    snprintf(x.rule, sizeof x.rule, "GB/T 26875.3 6.6: the sum is wrong");
    snprintf(x.about, sizeof x.about, "000000000162");
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "unknown_address"), "%s", words); /* somebody else's */
    x.about[0] = 0;
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    snprintf(x.about, sizeof x.about, "000000000161");
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    CHECK(t, str_is(json_text(json_object_get(first(), "rule")), "GB/T 26875.3 6.6: the sum is wrong"));
    estate_do(&s.e, put_twin);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "same_address"), "%s", words);
    CHECK(t, str_is(json_text(json_object_get(first(), "device")), "twin"));
    stop(&s);
}

/* Its line listens to certain addresses alone, and what comes from another is not looked at. */
static void who_is_none_of_the_senders_is_told_so(struct t *t) {
    struct site s = {.kind = "gb26875", .model = "gauge"};
    struct sample x = {.offset = NO_OFFSET};
    start(&s, t);
    x.at_ms = t->world.utc_ms(t->world.self);
    FIGURES_ADD(entry(&s)->figures, bytes, 300); /* of others */
    FIGURES_ADD(entry(&s)->figures, frames, 9);
    estate_do(&s.e, put_stranger);
    snprintf(x.rule, sizeof x.rule, LINE_NOT_A_SENDER);
    snprintf(x.peer, sizeof x.peer, "10.0.0.9");
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_a_sender"), "%s", words);
    CHECK(t, str_is(json_text(json_object_get(first(), "peer")), "10.0.0.9"));
    note(&s, HEARD_FRAME, "10.0.0.8", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words); /* somebody else's */
    stop(&s);
}

static void serve_http(void *arg) {
    lines_served(((struct site *)arg)->lines, &(struct lines_server){.kind = "http", .address = "127.0.0.1:8080"});
}

static void what_is_wrong_with_pushes(struct t *t) {
    struct site s = {.kind = "onenet", .model = "gauge"};
    struct sample x = {.offset = NO_OFFSET};
    start(&s, t);
    test_on_loop(s.e.loop.loop, serve_http, &s);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE state = 'open'", 1));
    x.at_ms = t->world.utc_ms(t->world.self);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "nothing_pushed"), "%s", words);
    FIGURES_ADD(entry(&s)->figures, bytes, 300);
    snprintf(x.rule, sizeof x.rule, PUSH_NO_SECRET);
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "no_secret"), "%s", words);
    snprintf(x.rule, sizeof x.rule, PUSH_BAD_SIGNATURE);
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    FIGURES_ADD(entry(&s)->figures, frames, 3); /* of others */
    CHECK_SAY(t, !strcmp(diagnosis(&s), "bad_signature"), "%s", words);
    snprintf(x.rule, sizeof x.rule, LINE_NOT_A_SENDER);
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_a_sender"), "%s", words);
    snprintf(x.rule, sizeof x.rule, "OneNET: at is missing");
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    note(&s, HEARD_FRAME, "10.0.0.9", 20 * MINUTE_MS);
    FIGURES_ADD(entry(&s)->figures, limited, 5);
    FIGURES_ADD(entry(&s)->figures, limited_ms, x.at_ms);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "over_limit"), "%s", words);
    note(&s, HEARD_FRAME, "10.0.0.9", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words);
    stop(&s);
}

static void what_is_wrong_with_a_station_s_password(struct t *t) {
    struct site s = {.kind = "hj212", .model = "gauge"};
    start(&s, t);
    FIGURES_ADD(entry(&s)->figures, frames, 1);
    note(&s, HEARD_FRAME, "10.0.0.9", MINUTE_MS);
    bytes_came(&s, 100, 0, "HJ 212 PW: it is not the password of its station"); /* of another one */
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words);
    struct sample x = {.at_ms = s.e.t->world.utc_ms(s.e.t->world.self), .offset = 17};
    snprintf(x.rule, sizeof x.rule, "HJ 212 PW: it is not the password of its station");
    snprintf(x.about, sizeof x.about, "000000000161");
    figures_bad(entry(&s)->figures, &x, (struct bytes){NULL, 0}, false);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "wrong_password"), "%s", words);
    CHECK(t, str_starts(json_text(json_object_get(first(), "rule")), S("HJ 212 PW: ")));
    CHECK(t, str_is(json_text(json_object_get(first(), "tone")), "warn")); /* it is heard: somebody else tries */
    world_sim_advance(&t->sim, 20 * MINUTE_MS);
    CHECK(t, !strcmp(diagnosis(&s), "wrong_password") && str_is(json_text(json_object_get(first(), "tone")), "bad"));
    ahead(&s, 50 * MINUTE_MS); /* what its clock says is not when it spoke */
    CHECK_SAY(t, !strcmp(diagnosis(&s), "wrong_password"), "%s", words);
    world_sim_advance(&t->sim, 1);
    note(&s, HEARD_FRAME, "10.0.0.9", 0);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "well"), "%s", words);
    stop(&s);
}

/* ---- log-ins ---- */

static void serve_mqtt(void *arg) {
    struct site *s = arg;
    static struct figures_book *figures;
    figures = figures_book_create(0);
    lines_served(s->lines, &(struct lines_server){.kind = "mqtt", .address = "127.0.0.1:1883", .figures = figures});
}

static enum err give_key(struct ctx *ctx, struct estate *e) {
    struct str user, password;
    return device_key_make(ctx, ((struct site *)e)->device, &user, &password);
}

static void bad_publish(struct site *s, const char *about, const char *rule) {
    struct sample x = {.at_ms = s->e.t->world.utc_ms(s->e.t->world.self), .offset = NO_OFFSET};
    snprintf(x.about, sizeof x.about, "%s", about);
    snprintf(x.rule, sizeof x.rule, "%s", rule);
    figures_bad(figures_of(s->lines->servers[0].figures, s->e.id), &x, (struct bytes){NULL, 0}, false);
}

/* Whether its row names the line or not. */
static void check_log_in(struct t *t, bool no_line) {
    struct site s = {.kind = "mqtt", .model = "gauge", .no_line = no_line};
    char user[32];
    start(&s, t);
    test_on_loop(s.e.loop.loop, serve_mqtt, &s);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE state = 'open'", 1));
    CHECK_SAY(t, !strcmp(diagnosis(&s), no_line ? "no_line" : "no_credentials"), "%s", words);
    estate_do(&s.e, give_key);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "never_heard"), "%s", words);
    bad_publish(&s, "linli/e/000000000161/telemetry", "not JSON");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    bad_publish(&s, "linli/e/000000000161/telemetry", "MQTT5 1.5.5: a number has more than four bytes");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    bad_publish(&s, "linli/e/000000000161/telemetry", WIRE_LIMIT "too many values");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "over_limit"), "%s", words);
    snprintf(user, sizeof user, "d%lld", (long long)s.device);
    bad_publish(&s, user, "wrong user or password");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "wrong_password"), "%s", words);
    bad_publish(&s, "linli/e/000000000161/telemetry", "not JSON");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words); /* it got in */
    struct figures_book *book = s.lines->servers[0].figures;
    figures_clock(figures_of(book, s.e.id), S("000000000161"), -3600000, t->world.utc_ms(t->world.self));
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable clock_off"), "%s", words);
    stop(&s);
    figures_book_destroy(book);
}

static void what_is_wrong_with_a_log_in_and_its_topics(struct t *t) {
    check_log_in(t, false);
    check_log_in(t, true);
}

static int64_t gateway;
/* The fire panel of the estate, "889", as a gateway. */
static enum err behind_a_gateway(struct ctx *ctx, struct estate *e) {
    struct str user, password;
    bool found;
    TRY(db_exec(ctx->db, &ctx->fault, "UPDATE devices SET code = '889:a:b' WHERE id = $1",
                VALS(V_I64(((struct site *)e)->device)), NULL));
    TRY(db_exec(ctx->db, &ctx->fault, "UPDATE devices SET code = '889:a' WHERE code = '889'", NO_VALS, NULL));
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM devices WHERE code = '889:a'", NO_VALS, &gateway, &found));
    return device_key_make(ctx, gateway, &user, &password);
}
static enum err that_speaks(struct ctx *ctx, struct estate *e) {
    (void)e;
    return db_exec(ctx->db, &ctx->fault, "UPDATE devices SET speaks = 'tasmota' WHERE code = '889:a'", NO_VALS, NULL);
}

static void a_device_behind_a_gateway_needs_no_log_in(struct t *t) {
    struct site s = {.kind = "mqtt", .model = "gauge"};
    start(&s, t);
    test_on_loop(s.e.loop.loop, serve_mqtt, &s);
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM lines WHERE state = 'open'", 1));
    estate_do(&s.e, behind_a_gateway);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "no_credentials"), "%s", words); /* that is none yet */
    estate_do(&s.e, that_speaks);
    CHECK_SAY(t, !strcmp(diagnosis(&s), "never_heard"), "%s", words);
    bad_publish(&s, "889:a tele/bath/SENSOR", "payload: it is no JSON");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "never_heard"), "%s", words); /* another one's */
    bad_publish(&s, "889 tele/b/SENSOR", "payload: it is no JSON");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "never_heard"), "%s", words); /* of another gateway */
    bad_publish(&s, "889:a tele/b/SENSOR", "payload: it is no JSON");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "not_decodable"), "%s", words);
    char user[32];
    snprintf(user, sizeof user, "d%lld", (long long)gateway);
    bad_publish(&s, user, "wrong user or password");
    CHECK_SAY(t, !strcmp(diagnosis(&s), "wrong_password"), "%s", words); /* its gateway's */
    struct figures_book *book = s.lines->servers[0].figures;
    stop(&s);
    figures_book_destroy(book);
}

/* ---- who waits for adoption ---- */

static void a_new_device_is_guessed_by_its_line_and_metrics(struct t *t) {
    struct site s = {.kind = "dlt645", .new = true};
    start(&s, t);
    (void)diagnosis(&s);
    const json_t *models = json_object_get(answered, "models");
    CHECK(t, json_array_size(models) == 1 &&
                 str_is(json_text(json_object_get(json_array_get(models, 0), "code")), "meter"));
    ahead(&s, 0);
    (void)diagnosis(&s);
    models = json_object_get(answered, "models");
    CHECK(t, json_array_size(models) == 2 && /* the meter has nothing of it */
                 str_is(json_text(json_object_get(json_array_get(models, 0), "code")), "gauge"));
    CHECK(t, json_integer_value(json_object_get(json_array_get(models, 0), "metrics")) == 1);
    json_decref(answered);
    answered = NULL;
    stop(&s);
}

TESTS(CASE(what_is_wrong_with_a_station_s_password), CASE(what_is_wrong_with_the_rows),
      CASE(what_is_wrong_with_bytes_that_come), CASE(what_is_wrong_where_devices_are_asked),
      CASE(what_is_wrong_beside_others), CASE(who_is_none_of_the_senders_is_told_so),
      CASE(two_of_one_name_are_told_by_their_connections), CASE(what_was_heard_before_a_restart_is_not_forgotten),
      CASE(what_is_wrong_with_pushes), CASE(what_is_wrong_where_devices_are_asked_in_datagrams),
      CASE(what_is_wrong_with_a_log_in_and_its_topics), CASE(a_device_behind_a_gateway_needs_no_log_in),
      CASE(a_new_device_is_guessed_by_its_line_and_metrics))
