/* What becomes of rows over time: days that may not overlap, rows kept elsewhere, archives; and stores and tables that
 * cannot be used.  Both stores.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/foreign.h"
#include "kernel/kernel_internal.h"
#include "kernel/setting.h"
#include "tests/lib/kernel_site.h"
#include "tests/lib/pg.h"

#include <string.h>

/* A price from day to day; until 0: without end. */
static enum err put_rate(struct kernel_site *s, int64_t area_id, int64_t from, int64_t until, int64_t *ret_id) {
    struct rate r = {0};
    ctx_begin(&s->ctx);
    SET(&test_rates, &r, area_id, area_id);
    SET(&test_rates, &r, price, 100);
    SET(&test_rates, &r, valid_from, from);
    if (until) SET(&test_rates, &r, valid_until, until);
    enum err e = row_create(&s->ctx, &test_rates, &r);
    if (ret_id) *ret_id = r.row.id;
    return e;
}

static void dated_rows(struct t *t, size_t store) {
    struct kernel_site s;
    int64_t first, other;
    kernel_site_open(&s, t, store);
    CHECK(t, !put_rate(&s, s.estate.house, 100, 200, &first));
    const struct {
        int64_t from, until;
        bool ok;
        const char *why;
    } rows[] = {{99, 101, false, "over its start"},   {100, 200, false, "the same days"},
                {150, 160, false, "inside"},          {199, 300, false, "its last day"},
                {50, 0, false, "without end"},        {99, 99, false, "no day at all"},
                {99, 100, true, "ends as it begins"}, {200, 300, true, "begins as it ends"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err e = put_rate(&s, s.estate.house, rows[i].from, rows[i].until, NULL);
        CHECK_SAY(t, e == (rows[i].ok ? OK : ERR_INVALID), "%s: %s", rows[i].why, err_name(e));
    }
    CHECK(t, !put_rate(&s, s.estate.other_house, 150, 160, &other)); /* another key */
    /* Nor by a change, nor by what comes back from the archive. */
    struct rate patch = {0};
    SET(&test_rates, &patch, valid_until, 201);
    ctx_begin(&s.ctx);
    CHECK(t, row_update(&s.ctx, &test_rates, first, 0, &patch, patch.row.has, NULL) == ERR_INVALID);
    ctx_begin(&s.ctx);
    CHECK(t, !row_archive(&s.ctx, &test_rates, first, 0));
    CHECK(t, !put_rate(&s, s.estate.house, 120, 130, NULL));
    ctx_begin(&s.ctx);
    CHECK(t, row_restore(&s.ctx, &test_rates, first, 0, NULL) == ERR_INVALID);
    kernel_site_close(&s);
}

static void mirrored_rows(struct t *t, size_t store) {
    struct kernel_site s;
    struct sample patch = {0};
    int64_t found_id = 0;
    bool found = false;
    kernel_site_open(&s, t, store);
    int64_t id = kernel_site_sample(&s, S("theirs"), 0), other = kernel_site_sample(&s, S("ours"), 0);
    struct foreign f = {S("12345"), S("A-1"), S("v1"), true};
    CHECK(t, !foreign_put(&s.ctx, &test_samples, id, &f));
    CHECK(t, !foreign_find(&s.ctx, &test_samples, S("12345"), S("A-1"), &found_id, &found) && found && found_id == id);
    CHECK(t, !foreign_find(&s.ctx, &test_samples, S("311"), S("A-1"), &found_id, &found) && !found);
    CHECK(t, !foreign_put(&s.ctx, &test_samples, other, &f)); /* the pair is unique: it moves, and is not doubled */
    CHECK(t, kernel_site_count(&s, "SELECT COUNT(*) FROM foreign_ids") == 1);
    CHECK(t, !foreign_put(&s.ctx, &test_samples, id, &f));
    SET(&test_samples, &patch, title, S("changed"));
    ctx_begin(&s.ctx);
    CHECK(t, !test_actor(&s.ctx, "manager", s.estate.north, 0, 0));
    CHECK(t, row_update(&s.ctx, &test_samples, id, 0, &patch, patch.row.has, NULL) == ERR_DENIED);
    CHECK(t, !strcmp(s.ctx.fault.code, "mirrored"));
    s.ctx.fault = (struct fault){0};
    CHECK(t, row_archive(&s.ctx, &test_samples, id, 0) == ERR_DENIED);
    s.ctx.fault = (struct fault){0};
    CHECK(t, row_act(&s.ctx, &test_samples, id, 0, "remark", NULL, 0, NULL) == ERR_DENIED);
    s.ctx.fault = (struct fault){0};
    CHECK(t, !row_update(&s.ctx, &test_samples, other, 0, &patch, patch.row.has, NULL));
    s.ctx.actor = actor_system(); /* the importer */
    CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &patch, patch.row.has, NULL));
    f.is_authority = false; /* known elsewhere, but ours to change */
    CHECK(t, !foreign_put(&s.ctx, &test_samples, id, &f));
    CHECK(t, !test_actor(&s.ctx, "manager", s.estate.north, 0, 0));
    SET(&test_samples, &patch, title, S("ours now"));
    CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &patch, patch.row.has, NULL));
    kernel_site_close(&s);
}

static void archived_rows(struct t *t, size_t store) {
    struct kernel_site s;
    struct sample row, patch = {0};
    kernel_site_open(&s, t, store);
    int64_t id = kernel_site_sample(&s, S("old"), 0);
    SET(&test_samples, &patch, title, S("changed"));
    ctx_begin(&s.ctx);
    CHECK(t, !row_archive(&s.ctx, &test_samples, id, 0));
    CHECK(t, !row_archive(&s.ctx, &test_samples, id, 0)); /* said twice, done once */
    CHECK(t, row_update(&s.ctx, &test_samples, id, 0, &patch, patch.row.has, NULL) == ERR_CONFLICT);
    s.ctx.fault = (struct fault){0};
    CHECK(t, row_act(&s.ctx, &test_samples, id, 0, "accept", NULL, 0, NULL) == ERR_CONFLICT);
    s.ctx.fault = (struct fault){0};
    CHECK(t, !row_get(&s.ctx, &test_samples, id, &row) && row.row.archived_ms && row.row.version == 2);
    CHECK(t, !row_restore(&s.ctx, &test_samples, id, 0, &row) && !row.row.archived_ms);
    CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &patch, patch.row.has, NULL));
    kernel_site_close(&s);
}

static void on_both(struct t *t, void (*run)(struct t *t, size_t store)) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) run(t, store);
}

static void dated_rows_of_one_key_never_overlap(struct t *t) {
    on_both(t, dated_rows);
}

static void a_row_kept_elsewhere_is_found_and_only_read(struct t *t) {
    on_both(t, mirrored_rows);
}

static void an_archived_row_rests_until_it_is_restored(struct t *t) {
    on_both(t, archived_rows);
}

/* A table with one fault each; the fault says where. */
static void a_fault_of_the_tables_is_found_at_the_start(struct t *t) {
    struct thing {
        struct row row;
        struct str name;
        int64_t other_id, amount;
    };
    static const struct field good[] = {{TEXT(struct thing, name), .max = 10, .flags = REQUIRED}};
    static const struct field unbounded[] = {{TEXT(struct thing, name)}};
    static const struct field nowhere[] = {{REF(struct thing, other_id, "nothings")}};
    static const struct field settable[] = {{TEXT(struct thing, name), .max = 10, .class = SECRET}};
    static const struct field bounds[] = {{INT(struct thing, amount), .min = 5, .max = 1}};
    static const struct field twice[] = {{INT(struct thing, amount)}, {INT(struct thing, amount)}};
    static const struct grant readers[] = {{"manager", READ | UPDATE, COMMUNITY}};
    static const struct grant strangers[] = {{"nobody", READ, COMMUNITY}};
    static const struct step blind[] = {{ANY_STATE, "move", ANY_STATE, "viewer"}};
    const struct {
        struct resource r;
        const char *want;
    } rows[] = {
        {{.name = "things", .size = sizeof(struct thing), ROWS(fields, good), ROWS(grants, readers)}, NULL},
        {{.name = "things", .size = sizeof(struct thing), ROWS(fields, unbounded), ROWS(grants, readers)},
         "things.name"},
        {{.name = "things", .size = sizeof(struct thing), ROWS(fields, nowhere), ROWS(grants, readers)},
         "things.other_id"},
        {{.name = "things", .size = sizeof(struct thing), ROWS(fields, settable), ROWS(grants, readers)},
         "things.name"},
        {{.name = "things", .size = sizeof(struct thing), ROWS(fields, bounds), ROWS(grants, readers)},
         "things.amount"},
        {{.name = "things", .size = sizeof(struct thing), ROWS(fields, twice), ROWS(grants, readers)}, "things.amount"},
        {{.name = "things", .size = sizeof(struct thing), ROWS(fields, good), ROWS(grants, strangers)}, "nobody"},
        {{.name = "things",
          .size = sizeof(struct thing),
          ROWS(fields, good),
          ROWS(grants, readers),
          ROWS(steps, blind)},
         "things.move"},
        {{.name = "Things", .size = sizeof(struct thing), ROWS(fields, good), ROWS(grants, readers)}, "Things"},
        {{.name = "samples", .size = sizeof(struct thing), ROWS(fields, good), ROWS(grants, readers)}, "samples"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct resource *resources[] = {&rows[i].r};
        const struct module module = {.name = "things", ROWS(resources, resources)};
        const struct module *modules[] = {&test_module, &module};
        struct kernel *k = NULL;
        struct fault f = {0};
        enum err e = kernel_create(&(struct kernel_options){.modules = modules, .modules_n = 2}, &k, &f);
        CHECK_SAY(t, rows[i].want ? e == ERR_INTERNAL && strstr(f.text, rows[i].want) : !e, "row %zu: %s", i, f.text);
        kernel_destroy(k);
    }
}

/* Fresh, again, without a column, and newer than the program. */
static void try_stores(struct t *t, const char *url) {
    const struct module *modules[] = {&test_module, &kernel_module};
    struct kernel *k = NULL;
    struct db *db = NULL;
    struct fault f = {0};
    CHECK(t, !kernel_create(&(struct kernel_options){.modules = modules, .modules_n = 2}, &k, &f));
    CHECK(t, !db_open(&(struct db_options){.url = url}, &db, &f));
    CHECK(t, !kernel_install(k, db, &t->world, &f) && !kernel_install(k, db, &t->world, &f));
    CHECK(t, !db_script(db, &f,
                        "ALTER TABLE audit DROP COLUMN roles; DELETE FROM upgrades WHERE module = 'kernel'; "
                        "INSERT INTO upgrades (module, number, at_ms) VALUES ('kernel', 0, 1)"));
    CHECK(t, !kernel_install(k, db, &t->world, &f) && !db_script(db, &f, "SELECT roles FROM audit"));
    CHECK(t, !db_script(db, &f, "ALTER TABLE samples DROP COLUMN note"));
    CHECK(t, kernel_install(k, db, &t->world, &f) == ERR_CONFLICT && !strcmp(f.code, "store_differs"));
    CHECK(t, strstr(f.text, "samples.note") != NULL);
    f = (struct fault){0};
    CHECK(t, !db_script(db, &f, "UPDATE upgrades SET number = 7 WHERE module <> 'kernel'"));
    CHECK(t, kernel_install(k, db, &t->world, &f) == ERR_CONFLICT && !strcmp(f.code, "store_newer"));
    db_close(db);
    kernel_destroy(k);
}

static void a_store_that_does_not_fit_is_refused(struct t *t) {
    try_stores(t, "sqlite::memory:");
    try_stores(t, test_pg_url(t));
}

static void a_guard_is_asked_before_a_step_and_leaves_nothing(struct t *t) {
    struct kernel_site s;
    struct sample given = {0}, heavy = {0}, row = {0};
    kernel_site_open(&s, t, 0);
    int64_t id = kernel_site_sample(&s, S("too heavy"), 0);
    SET(&test_samples, &heavy, weight, 60000);
    SET(&test_samples, &given, worker_id, s.estate.ben);
    CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &heavy, heavy.row.has, NULL));
    CHECK(t, !row_act(&s.ctx, &test_samples, id, 0, "accept", &given, given.row.has, NULL));
    int64_t audited = kernel_site_count(&s, "SELECT COUNT(*) FROM audit"),
            told = kernel_site_count(&s, "SELECT COUNT(*) FROM events");
    CHECK(t, row_act(&s.ctx, &test_samples, id, 0, "start", NULL, 0, NULL) == ERR_CONFLICT);
    CHECK_SAY(t, !strcmp(s.ctx.fault.code, "too_heavy"), "%s", s.ctx.fault.code);
    s.ctx.fault = (struct fault){0};
    CHECK(t, !row_get(&s.ctx, &test_samples, id, &row) && row.state == SAMPLE_ACCEPTED && row.row.version == 3);
    CHECK(t, kernel_site_count(&s, "SELECT COUNT(*) FROM audit") == audited &&
                 kernel_site_count(&s, "SELECT COUNT(*) FROM events") == told);
    heavy.weight = 50000;
    CHECK(t, !row_update(&s.ctx, &test_samples, id, 0, &heavy, heavy.row.has, NULL));
    CHECK(t, !row_act(&s.ctx, &test_samples, id, 0, "start", NULL, 0, NULL));
    kernel_site_close(&s);
}

TESTS(CASE(a_guard_is_asked_before_a_step_and_leaves_nothing), CASE(dated_rows_of_one_key_never_overlap),
      CASE(a_row_kept_elsewhere_is_found_and_only_read), CASE(an_archived_row_rests_until_it_is_restored),
      CASE(a_fault_of_the_tables_is_found_at_the_start), CASE(a_store_that_does_not_fit_is_refused))
