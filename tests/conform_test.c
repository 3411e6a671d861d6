/* Conformance: the kernel's own resources exhaustively on both stores, every module on SQLite, a sample of each on
 * PostgreSQL.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/row_json.h"
#include "kernel/setting.h"
#include "main/modules.h"
#include "platform/cases/cases.h"
#include "platform/parties/parties.h"
#include "platform/passes/passes.h"
#include "platform/places/places.h"
#include "platform/rules/rules.h"
#include "platform/things/things.h"
#include "tests/lib/api_server.h"
#include "tests/lib/conform.h"
#include "tests/lib/pg.h"
#include "tests/lib/test_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err make_test_site(struct ctx *ctx, struct conform_site *ret) {
    struct test_estate e;
    TRY(test_estate_make(ctx, &e));
    *ret = (struct conform_site){e.town, e.north, e.house, e.south, e.south_house, e.anna, e.ben};
    return OK;
}

/* ---- what the base rows of modules need beyond the bounds of their fields ---- */

#define MOST INT64_C(9007199254740992) /* of a number without bounds, either way */

static int64_t *number_at(const struct resource *r, void *row, const char *field) {
    return (int64_t *)(void *)((char *)row + r->fields[field_index(r, field)].at);
}

static void put_number(const struct resource *r, void *row, const char *field, int64_t n) {
    *number_at(r, row, field) = n;
    row_set(r, row, field);
}

static void put_text(const struct resource *r, void *row, const char *field, struct str text) {
    *(struct str *)(void *)((char *)row + r->fields[field_index(r, field)].at) = text;
    row_set(r, row, field);
}

/* Words that there are to say otherwise: keys of a catalogue, each used once. */
#define WORDS_MOST 20000
#define WORD_LINE  32
static char word_mem[WORDS_MOST * WORD_LINE];
static struct str catalogue;

static struct str next_word(struct ctx *ctx) {
    static size_t n;
    char *key = arena_new(ctx->arena, char, 16);
    if (key) snprintf(key, 16, "conform.%05zu", n++ % WORDS_MOST);
    return str_of(key);
}

static const struct str *words(void) {
    char *at = word_mem;
    if (catalogue.len) return &catalogue;
    for (size_t i = 0; i < WORDS_MOST; i++) at += snprintf(at, WORD_LINE, "conform.%05zu\t字\tword\n", i);
    catalogue = (struct str){word_mem, (size_t)(at - word_mem)};
    return &catalogue;
}

/* The end follows the beginning; what is tried of them stays. */
static void span(const struct resource *r, void *row, const char *tried) {
    int64_t *from = number_at(r, row, "from_ms"), *until = number_at(r, row, "until_ms");
    if (str_is(str_of(tried), "from_ms") && *from < MOST) *until = *from + 1;
    if (str_is(str_of(tried), "until_ms") && *until > -MOST) *from = *until - 1;
}

/* A community of its own lies under no house: who is at home there would reach that community only. */
static void stand_alone(const struct resource *r, void *row, const char *flag) {
    if (*(const bool *)((const char *)row + r->fields[field_index(r, flag)].at)) row_clear(r, row, "parent_id");
}

static void complete_own(struct ctx *ctx, const struct resource *r, void *row, const char *tried) {
    struct str other = tried ? str_of(tried) : S("");
    if (!strcmp(r->name, "areas")) stand_alone(r, row, "own_records");
    if (!strcmp(r->name, "words") && !str_is(other, "key")) put_text(r, row, "key", next_word(ctx));
    if (!strcmp(r->name, "settings") && !str_is(other, "name")) /* the setting that takes every value */
        put_text(r, row, "name",
                 kernel_resource(ctx->kernel, S("samples")) ? S("samples.notice") : S("today.banner_zh"));
}

/* ---- the kernel's own ---- */

/* Over a SELECT: a sample that is open. */
static int64_t make_open_sample(struct ctx *ctx, const struct conform_site *site, const char *resource) {
    struct sample s = {0};
    if (strcmp(resource, "open_samples")) return 0;
    SET(&test_samples, &s, title, S("open"));
    SET(&test_samples, &s, area_id, site->place);
    SET(&test_samples, &s, owner_id, site->person);
    SET(&test_samples, &s, phone, S("13800001111"));
    return row_create(ctx, &test_samples, &s) ? 0 : s.row.id;
}

static const struct module *const test_modules[] = {&test_module, &kernel_module};
static const struct conform_rule own_rules[] = {
    {"samples.due_ms.smallest", "due_ms.not_after"}, /* than its making */
};

static struct conform own(void) {
    return (struct conform){.modules = test_modules,
                            .modules_n = COUNT(test_modules),
                            .words = words(),
                            .words_n = 1,
                            .places = "areas",
                            .people = "folk",
                            .make = make_test_site,
                            .complete = complete_own,
                            .make_ref = make_open_sample,
                            ROWS(rules, own_rules),
                            .roles = "chief manager worker resident viewer admin"};
}

/* ---- the program's modules ---- */

static enum err make_place(struct ctx *ctx, struct str name, struct str kind, int64_t parent_id, bool keeps,
                           int64_t *ret) {
    struct place p = {0};
    SET(&places, &p, name, name);
    SET(&places, &p, kind, kind);
    if (parent_id) SET(&places, &p, parent_id, parent_id);
    if (keeps) SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    *ret = p.row.id;
    return OK;
}

static enum err make_member(struct ctx *ctx, int64_t person_id, struct str role, int64_t place_id) {
    struct membership_row m = {0};
    SET(&memberships, &m, person_id, person_id);
    SET(&memberships, &m, role, role);
    SET(&memberships, &m, place_id, place_id);
    SET(&memberships, &m, valid_from, 19000);
    return row_create(ctx, &memberships, &m);
}

static enum err make_person(struct ctx *ctx, struct str name, int64_t place_id, int64_t *ret) {
    struct person p = {0};
    SET(&people, &p, name, name);
    TRY(row_create(ctx, &people, &p));
    *ret = p.row.id;
    return make_member(ctx, p.row.id, S("resident"), place_id);
}

static enum err make_site(struct ctx *ctx, struct conform_site *s) {
    TRY(make_place(ctx, S("street"), S("street"), 0, true, &s->above));
    TRY(make_place(ctx, S("north"), S("estate"), s->above, true, &s->community));
    TRY(make_place(ctx, S("house"), S("building"), s->community, false, &s->place));
    TRY(make_place(ctx, S("south"), S("estate"), s->above, true, &s->other_community));
    TRY(make_place(ctx, S("south house"), S("building"), s->other_community, false, &s->other_place));
    TRY(make_person(ctx, S("Anna"), s->place, &s->person));
    TRY(make_member(ctx, s->person, S("repairer"), s->place)); /* whom a case can be given to */
    return make_person(ctx, S("Ben"), s->place, &s->other_person);
}

/* A case's type is a row's code. */
static void have_case_type(struct ctx *ctx, struct str code) {
    struct case_type t = {0};
    int64_t id;
    bool found = true;
    enum err e =
        db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM case_types WHERE code = $1", VALS(V_TEXT(code)), &id, &found);
    if (e || found) return;
    SET(&case_types, &t, code, code);
    SET(&case_types, &t, name, S("any"));
    SET(&case_types, &t, priority, S("normal"));
    SET(&case_types, &t, accept_s, 1800);
    SET(&case_types, &t, onsite_s, 7200);
    SET(&case_types, &t, close_s, 86400);
    if (row_create(ctx, &case_types, &t)) abort();
}

static void complete_rule(struct rule *rule, struct str tried) {
    if (!str_is(tried, "metric")) SET(&rules, rule, metric, S("level"));
    if (!str_is(tried, "limit_value")) SET(&rules, rule, limit_value, str_is(tried, "clear_value") ? MOST : 1000);
    if (!str_is(tried, "for_s")) SET(&rules, rule, for_s, 60);
    if (!str_is(tried, "event_code")) SET(&rules, rule, event_code, S("fire"));
}

/* What is tried of its value is what a device calls a face; a plate is one of GA 36. */
static void complete_pass(struct pass *p, struct str tried) {
    if (!str_is(tried, "kind")) SET(&passes, p, kind, S("face"));
    if (str_is(p->kind, "plate") && !str_is(tried, "value")) SET(&passes, p, value, S("粤B12345"));
}

static void complete_line(struct line_row *l, struct str tried) {
    if (!str_is(tried, "host")) SET(&line_rows, l, host, S("127.0.0.1"));
    if (!str_is(tried, "topics")) SET(&line_rows, l, topics, S("a/#"));
    if (!str_is(tried, "port")) SET(&line_rows, l, port, 4001);
    if (!str_is(tried, "serial")) SET(&line_rows, l, serial, S("/dev/ttyUSB0"));
}

/* Its device is in use, and of a model that can be told so. */
static void complete_command(struct ctx *ctx, struct device_command *c, struct str tried) {
    static struct model_command told = {.has = 0x29, .item = {"1C", 2}, .dangerous = true};
    struct device_model m = {0};
    int64_t id;
    bool found;
    enum err e = db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM device_models WHERE code = $1",
                            VALS(V_TEXT(c->command)), &id, &found);
    told.command = c->command;
    SET(&device_models, &m, code, c->command);
    SET(&device_models, &m, name, S("any"));
    SET(&device_models, &m, commands, (struct lines){&told, 1});
    if (!e && !found) e = row_create(ctx, &device_models, &m);
    if (!e)
        e = db_exec(ctx->db, &ctx->fault, "UPDATE devices SET state = 'normal', model = $2 WHERE id = $1",
                    VALS(V_I64(c->device_id), V_TEXT(c->command)), NULL);
    if (e) abort();
    if (!str_is(tried, "value")) SET(&commands, c, value, S("on"));
    if (!str_is(tried, "until_ms")) SET(&commands, c, until_ms, ctx->now_ms + COMMAND_UNTIL_MAX_MS);
}

/* Lines have names of their own, rules something that they are about, upkeep its interval. */
static void complete_model(struct device_model *m, struct str tried) {
    static char names[64][4];
    struct model_metric *metrics = m->metrics.rows;
    struct model_event *events = m->events.rows;
    struct model_command *told = m->commands.rows;
    struct model_rule *all = m->rules.rows;
    for (size_t i = 0; i < COUNT(names); i++) snprintf(names[i], sizeof names[i], "n%zu", i);
    for (size_t i = 0; i < m->metrics.n; i++) metrics[i].metric = str_of(names[i % COUNT(names)]);
    for (size_t i = 0; i < m->events.n; i++) events[i].event = str_of(names[i % COUNT(names)]);
    for (size_t i = 0; i < m->commands.n; i++) told[i].command = str_of(names[i % COUNT(names)]);
    for (size_t i = 0; i < m->rules.n; i++) {
        all[i].has |= MODEL_RULE_FOR;
        all[i].kind = S("silence");
        all[i].metric = all[i].event_code = S("");
        all[i].for_s = 60;
    }
    if (!str_is(tried, "upkeep")) SET(&device_models, m, upkeep, S("look at it"));
    if (!str_is(tried, "upkeep_days")) SET(&device_models, m, upkeep_days, 30);
}

static void complete(struct ctx *ctx, const struct resource *r, void *row, const char *tried) {
    struct str other = tried ? str_of(tried) : S("");
    complete_own(ctx, r, row, tried);
    if (!strcmp(r->name, "places")) stand_alone(r, row, "keeps_records");
    if (!strcmp(r->name, "rules")) complete_rule(row, other);
    if (!strcmp(r->name, "cases") && row_has(r, row, "type")) have_case_type(ctx, ((struct case_row *)row)->type);
    if (!strcmp(r->name, "lines")) complete_line(row, other);
    if (!strcmp(r->name, "passes")) complete_pass(row, other);
    if (!strcmp(r->name, "device_models")) complete_model(row, other);
    if (!strcmp(r->name, "commands") && row_has(r, row, "command") && row_has(r, row, "device_id"))
        complete_command(ctx, row, other);
    if (!strcmp(r->name, "activities")) span(r, row, tried);
    if (!strcmp(r->name, "visits")) span(r, row, tried);
    if (!strcmp(r->name, "visits") && !tried) put_number(r, row, "from_ms", ctx->now_ms); /* the gate is open */
    if (!strcmp(r->name, "memberships")) {
        struct membership_row *m = row;
        if (!str_is(other, "role")) SET(&memberships, m, role, S("resident"));
        if (str_is(other, "valid_until") && m->valid_until > -MOST)
            SET(&memberships, m, valid_from, m->valid_until - 1);
    }
}

/* An activity that is published, for those who enrol. */
static int64_t make_ref(struct ctx *ctx, const struct conform_site *site, const char *resource) {
    const struct resource *r = kernel_resource(ctx->kernel, S("activities"));
    json_t *object = json_pack("{s:s,s:s,s:I,s:I,s:I,s:i,s:I}", "title", "class", "kind", "class", "place_id",
                               (json_int_t)site->place, "from_ms", (json_int_t)1000, "until_ms", (json_int_t)2000,
                               "seats", 50, "partner_id", (json_int_t)site->person);
    char *row = arena_alloc(ctx->arena, 1, r->size, _Alignof(max_align_t));
    uint64_t fields;
    if (strcmp(resource, "open_activities") || !object || !row) return 0;
    enum err e = row_read_json(ctx, r, object, ~UINT64_C(0), row, &fields);
    if (!e) e = row_create(ctx, r, row);
    json_decref(object);
    if (!e)
        e = db_exec(ctx->db, &ctx->fault, "UPDATE activities SET state = 'published' WHERE id = $1",
                    VALS(V_I64(((struct row *)(void *)row)->id)), NULL);
    return e ? 0 : ((struct row *)(void *)row)->id;
}

static const struct conform_rule all_rules[] = {
    {"visits.from_ms.largest", "until_ms.not_after"},
    {"visits.until_ms.smallest", "until_ms.not_after"},
    {"visits.create", "place_id.bad_ref"}, /* whoever is no staff there invites to his own unit */
    {"visits.create_own", "place_id.bad_ref"},
    {"activities.from_ms.largest", "until_ms.not_after"},
    {"activities.until_ms.smallest", "until_ms.not_after"},
    {"memberships.valid_until.smallest", "valid_until.not_after"},
    {"memberships.create_own", "not_allowed"}, /* nobody gives himself a role */
    {"memberships.restore_own", "not_allowed"},
    {"cases.arrive", "not_assigned"}, /* only the desk acts on what nobody has */
    {"cases.finish", "not_assigned"},
    {"cases.note", "not_assigned"},
    {"commands.until_ms.smallest", "until_ms.in_the_past"},
    {"commands.until_ms.largest", "until_ms.too_far"},
    {"rules.metric.smallest", "metric.required"}, /* an empty one is none */
    {"device_models.upkeep.smallest", "upkeep.required"},
    {"lines.new_push_key", "not_pushed"}, /* one of gb26875, as they are made here, has none */
    {"lines.find", "not_searchable"},     /* nor can it search, nor does anything sign there */
    {"lines.set_secret", "takes_no_secret"},
};

static struct conform all(bool sampled) {
    return (struct conform){.modules = modules,
                            .modules_n = modules_n,
                            .words = words(),
                            .words_n = 1,
                            .places = "places",
                            .people = "people",
                            .make = make_site,
                            .complete = complete,
                            .make_ref = make_ref,
                            ROWS(rules, all_rules),
                            .roles = PARTY_ROLES,
                            .sampled = sampled};
}

static void own_resources_conform_on_sqlite(struct t *t) {
    struct conform c = own();
    CHECK(t, conform_module(t, &c, &test_module, "sqlite::memory:") > 500);
    CHECK(t, conform_module(t, &c, &kernel_module, "sqlite::memory:") > 100);
}

static void own_resources_conform_on_postgres(struct t *t) {
    struct conform c = own();
    CHECK(t, conform_module(t, &c, &test_module, test_pg_url(t)) > 500);
    CHECK(t, conform_module(t, &c, &kernel_module, test_pg_url(t)) > 100);
}

static void every_module_conforms_on_sqlite(struct t *t) {
    struct conform c = all(false);
    for (size_t i = 0; i < modules_n; i++)
        if (modules[i]->resources_n) conform_module(t, &c, modules[i], "sqlite::memory:");
}

static void a_sample_of_every_module_conforms_on_postgres(struct t *t) {
    struct conform c = all(true);
    for (size_t i = 0; i < modules_n; i++)
        if (modules[i]->resources_n) conform_module(t, &c, modules[i], test_pg_url(t));
}

static void own_keys(struct t *t) {
    struct conform c = own();
    CHECK(t, conform_keys(t, &c) > 10);
}

static void a_repeated_key_makes_one_row_of_every_resource(struct t *t) {
    struct conform c = all(false);
    own_keys(t);
    api_on_postgres(t, own_keys);
    CHECK(t, conform_keys(t, &c) > 40);
}

TESTS(CASE(own_resources_conform_on_sqlite), CASE(own_resources_conform_on_postgres),
      CASE(every_module_conforms_on_sqlite), CASE(a_sample_of_every_module_conforms_on_postgres),
      CASE(a_repeated_key_makes_one_row_of_every_resource))
