/* Conformance: the kernel's own resources exhaustively on both stores, every module on SQLite, a sample of each on
 * PostgreSQL.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/row_json.h"
#include "kernel/setting.h"
#include "main/modules.h"
#include "platform/cases/cases.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "platform/rules/rules.h"
#include "tests/lib/api_server.h"
#include "tests/lib/conform.h"
#include "tests/lib/pg.h"
#include "tests/lib/test_module.h"

#include <string.h>

static enum err make_test_site(struct ctx *ctx, struct conform_site *ret) {
    struct test_estate e;
    TRY(test_estate_make(ctx, &e));
    *ret = (struct conform_site){e.town, e.north, e.house, e.south, e.south_house, e.anna, e.ben};
    return OK;
}

static const struct module *const test_modules[] = {&test_module, &kernel_module};
static const struct conform own = {
    test_modules,   COUNT(test_modules),
    "areas",        "folk",
    make_test_site, NULL,
    NULL,           "chief manager worker resident viewer admin",
    false,
};

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

static enum err make_person(struct ctx *ctx, struct str name, int64_t place_id, int64_t *ret) {
    struct person p = {0};
    struct membership_row m = {0};
    SET(&people, &p, name, name);
    TRY(row_create(ctx, &people, &p));
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, S("resident"));
    SET(&memberships, &m, place_id, place_id);
    SET(&memberships, &m, valid_from, 19000);
    TRY(row_create(ctx, &memberships, &m));
    *ret = p.row.id;
    return OK;
}

/* The type that generated rows name. */
static enum err make_case_type(struct ctx *ctx) {
    struct case_type t = {0};
    SET(&case_types, &t, code, S("AAAAAAAAAAAA"));
    SET(&case_types, &t, name, S("any"));
    SET(&case_types, &t, priority, S("normal"));
    SET(&case_types, &t, accept_s, 1800);
    SET(&case_types, &t, onsite_s, 7200);
    SET(&case_types, &t, close_s, 86400);
    return row_create(ctx, &case_types, &t);
}

static enum err make_site(struct ctx *ctx, struct conform_site *s) {
    TRY(make_place(ctx, S("street"), S("street"), 0, true, &s->above));
    TRY(make_place(ctx, S("north"), S("estate"), s->above, true, &s->community));
    TRY(make_place(ctx, S("house"), S("building"), s->community, false, &s->place));
    TRY(make_place(ctx, S("south"), S("estate"), s->above, true, &s->other_community));
    TRY(make_place(ctx, S("south house"), S("building"), s->other_community, false, &s->other_place));
    TRY(make_person(ctx, S("Anna"), s->place, &s->person));
    TRY(make_case_type(ctx));
    return make_person(ctx, S("Ben"), s->place, &s->other_person);
}

/* Base rows that need more than their required fields. */
static void complete(const struct resource *r, void *row) {
    if (strcmp(r->name, "rules")) return;
    struct rule *rule = row;
    SET(&rules, rule, metric, S("level"));
    SET(&rules, rule, limit_value, 1000);
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

static struct conform all(bool sampled) {
    return (struct conform){modules,  modules_n, "places",    "people", make_site,
                            complete, make_ref,  PARTY_ROLES, sampled};
}

static void own_resources_conform_on_sqlite(struct t *t) {
    CHECK(t, conform_module(t, &own, &test_module, "sqlite::memory:") > 500);
    CHECK(t, conform_module(t, &own, &kernel_module, "sqlite::memory:") > 100);
}

static void own_resources_conform_on_postgres(struct t *t) {
    CHECK(t, conform_module(t, &own, &test_module, test_pg_url(t)) > 500);
    CHECK(t, conform_module(t, &own, &kernel_module, test_pg_url(t)) > 100);
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
    CHECK(t, conform_keys(t, &own) > 10);
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
