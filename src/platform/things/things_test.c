/* Devices as rows: whose address on a line it is.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/things/things.h"

#include "tests/lib/town.h"

#include <stdio.h>

#include <string.h>

struct site {
    struct town w;
    int64_t manager, line, other_line;
};

static int64_t make_line(struct site *s, const char *name) {
    struct line_row l = {.row.community_id = s->w.estate};
    SET(&line_rows, &l, name, str_of(name));
    SET(&line_rows, &l, kind, S("cjt188"));
    CHECK(s->w.t, !row_create(&s->w.ctx, &line_rows, &l));
    return l.row.id;
}

static void start(struct site *s, struct t *t) {
    town_open(&s->w, t);
    s->manager = town_person(&s->w, "Chen", "manager", s->w.estate);
    town_as(&s->w, 0);
    s->line = make_line(s, "east");
    s->other_line = make_line(s, "west");
    town_as(&s->w, s->manager);
}

static struct device like(struct site *s, const char *code, const char *address, int64_t line) {
    struct device d = {.row.community_id = s->w.estate};
    SET(&devices, &d, name, str_of(code));
    SET(&devices, &d, code, str_of(code));
    SET(&devices, &d, place_id, s->w.estate);
    if (address) SET(&devices, &d, address, str_of(address));
    if (line) SET(&devices, &d, line_id, line);
    return d;
}

/* Its id; 0: it was refused because of another. */
static int64_t made(struct site *s, const char *code, const char *address, int64_t line) {
    struct device d = like(s, code, address, line);
    enum err e = row_create(&s->w.ctx, &devices, &d);
    return e && town_refused(&s->w, e, "not_unique") ? 0 : d.row.id;
}

static enum err act(struct site *s, int64_t id, const char *step) {
    struct device d = like(s, "any", NULL, 0);
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    bool adopts = !strcmp(step, "adopt");
    return row_act(&s->w.ctx, &devices, id, 0, step, adopts ? &d : NULL, adopts ? adopted : 0, NULL);
}

static enum err patch(struct site *s, int64_t id, const char *address, int64_t line) {
    struct device d = like(s, "any", address, line);
    uint64_t fields = UINT64_C(1) << field_index(&devices, "address") | UINT64_C(1) << field_index(&devices, "line_id");
    return row_update(&s->w.ctx, &devices, id, 0, &d, fields, NULL);
}

static void an_address_on_a_line_is_one_devices(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t first = made(&s, "W-1", "001", s.line), second = made(&s, "W-2", "002", s.line);
    CHECK(t, first && second && !made(&s, "W-3", "001", s.line));
    struct device d = like(&s, "W-3", "001", s.line);
    CHECK(t, row_create(&s.w.ctx, &devices, &d) == ERR_CONFLICT);
    CHECK_SAY(t, strstr(s.w.ctx.fault.text, "W-1"), "%s", s.w.ctx.fault.text);
    CHECK(t, town_refused(&s.w, ERR_CONFLICT, "not_unique"));
    CHECK(t, made(&s, "W-4", "001", s.other_line) && made(&s, "W-5", "001", 0)); /* elsewhere it is another's */
    CHECK(t, !made(&s, "001", NULL, s.line)); /* who has none is called by his code */
    CHECK(t, made(&s, "003", NULL, s.line) && !made(&s, "W-6", "003", s.line));
    CHECK(t, made(&s, "002", "004", s.line)); /* who has one is not */
    CHECK(t, town_refused(&s.w, patch(&s, second, "001", s.line), "not_unique"));
    CHECK(t, !patch(&s, second, "002", s.line) && !patch(&s, second, "005", s.line));
    town_close(&s.w);
}

static void what_is_gone_holds_no_address_and_comes_back_to_none_that_is_taken(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t first = made(&s, "W-1", "001", s.line), second;
    CHECK(t, !act(&s, first, "adopt") && !act(&s, first, "retire"));
    CHECK(t,
          (second = made(&s, "W-2", "001", s.line)) && town_refused(&s.w, act(&s, first, "reinstate"), "not_unique"));
    CHECK(t, !row_archive(&s.w.ctx, &devices, second, 0) && !act(&s, first, "reinstate"));
    CHECK(t, town_refused(&s.w, row_restore(&s.w.ctx, &devices, second, 0, NULL), "not_unique"));
    town_close(&s.w);
}

/* What speaks is put aside whatever rows say; it is people who are asked to choose. */
static void who_is_put_aside_is_adopted_under_no_address_of_anothers(struct t *t) {
    struct site s;
    int64_t stranger;
    start(&s, t);
    int64_t known = made(&s, "W-1", "001", s.line);
    CHECK(t, !device_put_aside(&s.w.ctx, s.w.estate, S("001"), S("east"), NULL, &stranger));
    CHECK(t, town_refused(&s.w, act(&s, stranger, "adopt"), "not_unique"));
    CHECK(t, !row_archive(&s.w.ctx, &devices, known, 0) && !act(&s, stranger, "adopt"));
    town_close(&s.w);
}

static enum err make_up_names(struct ctx *ctx, void *arg) {
    const struct site *s = arg;
    char code[16];
    int64_t id;
    for (int i = 0; i < DEVICES_NEW_OF_LINE; i++) {
        snprintf(code, sizeof code, "N-%d", i);
        TRY(device_put_aside(ctx, s->w.estate, str_of(code), S("east"), NULL, &id));
    }
    return OK;
}

/* Whoever makes up names on a line leaves room for the devices of others. */
static void so_many_of_a_line_wait_and_no_more(struct t *t) {
    struct site s;
    int64_t id;
    start(&s, t);
    CHECK(t, !ctx_write(&s.w.ctx, make_up_names, &s));
    CHECK(t,
          town_refused(&s.w, device_put_aside(&s.w.ctx, s.w.estate, S("N"), S("east"), NULL, &id), "too_many_devices"));
    CHECK(t, !device_put_aside(&s.w.ctx, s.w.estate, S("N-7"), S("east"), NULL, &id)); /* who waits already */
    CHECK(t, !device_put_aside(&s.w.ctx, s.w.estate, S("M"), S("west"), NULL, &id));
    CHECK(t, !act(&s, id, "retire"));
    town_close(&s.w);
}

/* Two of before this rule go on as they were. */
static void a_store_of_before_keeps_what_it_has(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t first = made(&s, "W-1", "001", s.line), second = made(&s, "W-2", "002", s.line);
    CHECK(t, !act(&s, first, "adopt") && !act(&s, second, "adopt"));
    const char *const before[] = {"UPDATE devices SET address = '001'",
                                  "ALTER TABLE lines DROP COLUMN senders",
                                  "ALTER TABLE device_models_commands DROP COLUMN alone",
                                  "ALTER TABLE commands DROP COLUMN item",
                                  "ALTER TABLE commands DROP COLUMN told",
                                  "DROP INDEX devices_by_address",
                                  "DROP INDEX devices_codes",
                                  "DROP INDEX devices_of_code",
                                  "CREATE UNIQUE INDEX devices_of_code ON devices (community_id, code)",
                                  "DELETE FROM upgrades WHERE module = 'things' AND number > 0"};
    CHECK(t, made(&s, "W-9", NULL, 0) && !row_archive(&s.w.ctx, &devices, made(&s, "W-8", NULL, 0), 0));
    for (size_t i = 0; i < COUNT(before); i++) CHECK(t, !db_exec(s.w.ctx.db, &s.w.ctx.fault, before[i], NO_VALS, NULL));
    CHECK(t, !kernel_install(s.w.kernel, s.w.ctx.db, &t->world, &t->fault));
    CHECK(t, !device_step(&s.w.ctx, first, "lose") && !device_step(&s.w.ctx, first, "hear"));
    CHECK(t, !made(&s, "W-3", "001", s.line));
    CHECK(t, made(&s, "W-8", NULL, 0) && !made(&s, "W-9", NULL, 0)); /* the code of what was archived then is free */
    town_close(&s.w);
}

/* ---- whose code it is ---- */

static void an_archived_device_frees_its_code(struct t *t) {
    struct site s;
    struct device d = {0};
    int64_t stranger, same;
    start(&s, t);
    int64_t first = made(&s, "W-1", NULL, 0);
    CHECK(t, first && !made(&s, "W-1", NULL, 0) && !row_archive(&s.w.ctx, &devices, first, 0));
    int64_t second = made(&s, "W-1", NULL, 0); /* an import that was taken back, once more */
    CHECK(t, second && town_refused(&s.w, row_restore(&s.w.ctx, &devices, first, 0, NULL), "not_unique"));
    CHECK(t, !row_archive(&s.w.ctx, &devices, second, 0));
    CHECK(t, !device_put_aside(&s.w.ctx, s.w.estate, S("W-1"), S("east"), NULL, &stranger)); /* or it speaks */
    CHECK(t, stranger != first && stranger != second && !row_get(&s.w.ctx, &devices, stranger, &d));
    CHECK(t, d.state == DEVICE_NEW && !d.row.archived_ms);
    CHECK(t, !device_put_aside(&s.w.ctx, s.w.estate, S("W-1"), S("east"), NULL, &same) && same == stranger);
    CHECK(t, town_refused(&s.w, row_restore(&s.w.ctx, &devices, first, 0, NULL), "not_unique"));
    CHECK(t, !row_archive(&s.w.ctx, &devices, stranger, 0) && !row_restore(&s.w.ctx, &devices, first, 0, NULL));
    CHECK(t, town_count(&s.w, "SELECT COUNT(*) FROM devices WHERE code = 'W-1' AND archived_ms = 0") == 1);
    town_close(&s.w);
}

/* ---- adopted by mistake ---- */

/* From wherever its life has brought it, as it was, and by whom may adopt it. */
static void who_was_adopted_waits_again(struct t *t) {
    static const char *const lives[][2] = {{NULL}, {"alarm"}, {"lose"}, {"alarm", "lose"}};
    struct site s;
    struct device d = {0};
    start(&s, t);
    int64_t guard = town_person(&s.w, "Li", "guard", s.w.estate), id = made(&s, "W-1", "001", s.line);
    CHECK(t, town_refused(&s.w, act(&s, id, "unadopt"), "wrong_state")); /* it does */
    for (size_t i = 0; i < COUNT(lives); i++) {
        CHECK(t, !act(&s, id, "adopt"));
        for (size_t k = 0; k < 2 && lives[i][k]; k++) CHECK(t, !device_step(&s.w.ctx, id, lives[i][k]));
        town_as(&s.w, guard);
        CHECK(t, town_refused(&s.w, act(&s, id, "unadopt"), "not_allowed"));
        town_as(&s.w, s.manager);
        CHECK_SAY(t, !act(&s, id, "unadopt"), "%zu: %s", i, s.w.ctx.fault.text);
        CHECK(t, !row_get(&s.w.ctx, &devices, id, &d) && d.state == DEVICE_NEW && !d.alarmed);
        CHECK(t, str_is(d.name, "any") && d.place_id == s.w.estate && d.line_id == s.line);
    }
    CHECK(t, !act(&s, id, "retire") && town_refused(&s.w, act(&s, id, "unadopt"), "wrong_state"));
    town_close(&s.w);
}

/* ---- of which model it is ---- */

static bool bad_ref(struct site *s, enum err e, const char *field) {
    const struct fault *f = &s->w.ctx.fault;
    bool is_field = e == ERR_INVALID && f->fields_n == 1 && !strcmp(f->fields[0].field, field);
    return town_refused(&s->w, e, "bad_ref") && is_field;
}

static enum err set_model(struct site *s, int64_t id, const char *model) {
    struct device d = like(s, "any", NULL, 0);
    SET(&devices, &d, model, str_of(model));
    return row_update(&s->w.ctx, &devices, id, 0, &d, UINT64_C(1) << field_index(&devices, "model"), NULL);
}

static int64_t make_model(struct site *s, const char *code) {
    struct device_model m = {0};
    SET(&device_models, &m, code, str_of(code));
    SET(&device_models, &m, name, str_of(code));
    town_as(&s->w, 0);
    CHECK(s->w.t, !row_create(&s->w.ctx, &device_models, &m));
    town_as(&s->w, s->manager);
    return m.row.id;
}

static void a_model_that_somebody_names_is_there(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t gone = make_model(&s, "gone"), meter = make_model(&s, "meter");
    struct device d = like(&s, "W-1", NULL, 0), of_before = like(&s, "W-2", NULL, 0);
    SET(&devices, &d, model, S("no_such_model"));
    CHECK(t, bad_ref(&s, row_create(&s.w.ctx, &devices, &d), "model"));
    SET(&devices, &of_before, model, S("no_such_model"));
    town_as(&s.w, 0);
    CHECK(t, !row_create(&s.w.ctx, &devices, &of_before) && !row_archive(&s.w.ctx, &device_models, gone, 0));
    town_as(&s.w, s.manager);
    int64_t id = made(&s, "W-1", NULL, 0);
    CHECK(t,
          bad_ref(&s, set_model(&s, id, "no_such_model"), "model") && bad_ref(&s, set_model(&s, id, "gone"), "model"));
    SET(&devices, &d, model, S("metre"));
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id") |
                       UINT64_C(1) << field_index(&devices, "model");
    CHECK(t, bad_ref(&s, row_act(&s.w.ctx, &devices, id, 0, "adopt", &d, adopted, NULL), "model"));
    SET(&devices, &d, model, S("meter"));
    CHECK(t, !row_act(&s.w.ctx, &devices, id, 0, "adopt", &d, adopted, NULL));
    /* What has one of before goes on, whatever else is said of it. */
    CHECK(t, !patch(&s, of_before.row.id, "007", s.line) && !set_model(&s, of_before.row.id, "no_such_model"));
    CHECK(t, !act(&s, of_before.row.id, "adopt") && !set_model(&s, of_before.row.id, "meter"));
    town_as(&s.w, 0);
    CHECK(t, !row_archive(&s.w.ctx, &device_models, meter, 0));
    town_as(&s.w, s.manager);
    CHECK(t, !patch(&s, id, "008", s.line));
    town_close(&s.w);
}

/* ---- of which community it is ---- */

/* Its readings, alarms and commands are kept under its community: it would leave them there. */
static void a_device_stays_in_its_community(struct t *t) {
    struct site s;
    struct device d;
    start(&s, t);
    town_as(&s.w, town_person(&s.w, "Wang", "manager", s.w.street)); /* of both estates */
    int64_t id = made(&s, "W-1", NULL, s.line), stranger = made(&s, "W-2", NULL, 0);
    d = like(&s, "W-1", NULL, 0);
    SET(&devices, &d, place_id, s.w.other_building);
    uint64_t place = UINT64_C(1) << field_index(&devices, "place_id");
    uint64_t adopted = UINT64_C(1) << field_index(&devices, "name") | place;
    CHECK(t, bad_ref(&s, row_act(&s.w.ctx, &devices, stranger, 0, "adopt", &d, adopted, NULL), "place_id"));
    CHECK(t, !act(&s, id, "adopt"));
    CHECK(t, bad_ref(&s, row_update(&s.w.ctx, &devices, id, 0, &d, place, NULL), "place_id"));
    SET(&devices, &d, place_id, s.w.building);
    CHECK(t, !row_update(&s.w.ctx, &devices, id, 0, &d, place, NULL));
    d = like(&s, "W-3", NULL, s.line);
    SET(&devices, &d, place_id, s.w.other_building);
    CHECK(t, bad_ref(&s, row_create(&s.w.ctx, &devices, &d), "line_id")); /* a line of another estate */
    CHECK(t, town_count(&s.w, "SELECT COUNT(DISTINCT community_id) FROM devices") == 1);
    town_close(&s.w);
}

static void the_same_on_postgres(struct t *t) {
    town_on_postgres(t, an_address_on_a_line_is_one_devices);
    town_on_postgres(t, an_archived_device_frees_its_code);
    town_on_postgres(t, a_store_of_before_keeps_what_it_has);
}

static enum err step(struct site *s, int64_t line, const char *name) {
    struct line_row l = {0};
    bool is_secret = !strcmp(name, "set_secret");
    if (is_secret) SET(&line_rows, &l, secret, S("sesame"));
    s->w.ctx.fault = (struct fault){0};
    return row_act(&s->w.ctx, &line_rows, line, 0, name, is_secret ? &l : NULL, l.row.has, NULL);
}

static void what_a_line_cannot_do_is_refused(struct t *t) {
    static const struct {
        const char *kind, *find, *secret; /* why not, once it is open; NULL: it can */
    } rows[] = {{"cjt188", NULL, "takes_no_secret"},
                {"bacnet", NULL, "takes_no_secret"},
                {"watch", "not_searchable", "takes_no_secret"},
                {"mqtt", "not_searchable", "takes_no_secret"},
                {"http", "not_searchable", "takes_no_secret"},
                {"chirpstack", "not_searchable", "takes_no_secret"},
                {"onenet", "not_searchable", NULL},
                {"mqtt-client", "not_searchable", NULL}};
    struct site s;
    start(&s, t);
    town_as(&s.w, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct line_row l = {.row.community_id = s.w.estate};
        SET(&line_rows, &l, name, str_of(rows[i].kind));
        SET(&line_rows, &l, kind, str_of(rows[i].kind));
        SET(&line_rows, &l, host, S("127.0.0.1"));
        SET(&line_rows, &l, topics, S("zigbee2mqtt"));
        CHECK_SAY(t, !row_create(&s.w.ctx, &line_rows, &l), "%s", rows[i].kind);
        const char *closed = rows[i].find ? rows[i].find : "line_not_open";
        CHECK_SAY(t, town_refused(&s.w, step(&s, l.row.id, "find"), closed), "%s", rows[i].kind);
        CHECK(t, !step(&s, l.row.id, "open"));
        enum err e = step(&s, l.row.id, "find");
        CHECK_SAY(t, rows[i].find ? town_refused(&s.w, e, rows[i].find) : !e, "%s", rows[i].kind);
        e = step(&s, l.row.id, "set_secret");
        CHECK_SAY(t, rows[i].secret ? town_refused(&s.w, e, rows[i].secret) : !e, "%s", rows[i].kind);
    }
    town_close(&s.w);
}

TESTS(CASE(what_a_line_cannot_do_is_refused), CASE(so_many_of_a_line_wait_and_no_more), CASE(the_same_on_postgres),
      CASE(a_device_stays_in_its_community), CASE(a_model_that_somebody_names_is_there),
      CASE(who_was_adopted_waits_again), CASE(an_archived_device_frees_its_code),
      CASE(an_address_on_a_line_is_one_devices),
      CASE(what_is_gone_holds_no_address_and_comes_back_to_none_that_is_taken),
      CASE(who_is_put_aside_is_adopted_under_no_address_of_anothers), CASE(a_store_of_before_keeps_what_it_has))
