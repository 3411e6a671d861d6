/* An installation on disk: made by those who may, and by nobody else.  SPDX-License-Identifier: Apache-2.0 */
#include "main/site.h"

#include "kernel/rows.h"
#include "main/modules.h"
#include "platform/things/things.h"
#include "tests/lib/pg.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err open_there(struct t *t, const struct site_options *o) {
    struct site s;
    t->fault = (struct fault){0};
    enum err e = site_open(&s, o, &t->fault);
    site_close(&s);
    return e;
}

static bool is_missing(struct t *t, const struct site_options *o) {
    return open_there(t, o) == ERR_NOT_FOUND && !strcmp(t->fault.code, "no_installation");
}

static void who_only_looks_makes_nothing(struct t *t) {
    char dir[300], inside[330];
    struct stat st;
    snprintf(dir, sizeof dir, "%s/looked-at", test_dir(t));
    snprintf(inside, sizeof inside, "%s/linli.db", dir);
    const struct site_options look = {.data = dir, .must_exist = true};
    CHECK(t, is_missing(t, &look) && access(dir, F_OK) < 0);
    CHECK(t, !mkdir(dir, 0755));
    CHECK(t, is_missing(t, &look) && access(inside, F_OK) < 0);
    CHECK(t, !stat(dir, &st) && (st.st_mode & 0777) == 0755); /* a folder of somebody else's stays as it is */
    fclose(fopen(inside, "w"));
    CHECK(t, is_missing(t, &look));
    CHECK(t, !open_there(t, &(struct site_options){.data = dir}));
    CHECK_SAY(t, !open_there(t, &look), "%s", t->fault.text);
}

static void a_database_that_holds_nothing_is_no_installation(struct t *t) {
    const char *url = test_pg_url(t);
    char dir[300];
    struct db *db = NULL;
    char columns[256];
    struct buf b;
    snprintf(dir, sizeof dir, "%s/beside", test_dir(t));
    const struct site_options look = {.data = dir, .db = url, .must_exist = true};
    CHECK(t, is_missing(t, &look) && access(dir, F_OK) < 0);
    buf_init(&b, columns, sizeof columns);
    CHECK(t, !db_open(&(struct db_options){.url = url}, &db, &t->fault) && !db_columns(db, &t->fault, "users", &b));
    CHECK(t, !b.len);
    db_close(db);
    CHECK(t, !open_there(t, &(struct site_options){.data = dir, .db = url}));
    CHECK_SAY(t, !open_there(t, &look), "%s", t->fault.text);
}

/* ---- words ---- */

#define HEADINGS_MOST 66

static struct str heading(const struct kernel *k, const char *resource, const char *field, const char *language) {
    char key[96];
    snprintf(key, sizeof key, "%s.%s", resource, field);
    return kernel_word(k, str_of(key), str_of(language));
}

static void check_headings(struct t *t, const struct kernel *k, const struct resource *r, const char *language) {
    struct str all[HEADINGS_MOST] = {heading(k, "row", "id", language), heading(k, "row", "created_ms", language)};
    size_t n = 2;
    for (size_t i = 0; i < r->fields_n && n < COUNT(all); i++)
        if (r->fields[i].class != SECRET && r->fields[i].kind != FIELD_LINES)
            all[n++] = heading(k, r->name, r->fields[i].name, language);
    for (size_t i = 0; i < n; i++)
        for (size_t other = 0; other < i; other++)
            CHECK_SAY(t, !all[i].len || !str_eq(all[i], all[other]), "%s: two columns of its CSV are " STR_FMT, r->name,
                      STR_ARG(all[i]));
}

static void no_export_has_two_equal_headings(struct t *t) {
    struct kernel *k = NULL;
    CHECK(t, !site_kernel(&k, &(struct kernel_options){0}, &t->fault));
    for (size_t m = 0; m < modules_n; m++)
        for (size_t i = 0; i < modules[m]->resources_n; i++) {
            const struct resource *r = kernel_resource(k, str_of(modules[m]->resources[i]->name));
            check_headings(t, k, r, "zh");
            check_headings(t, k, r, "en");
        }
    kernel_destroy(k);
}

/* ---- where sealed readings are ---- */

struct chunks_row {
    const char *where;
    bool fresh;
    enum err want;
    bool rows;
};

static void check_chunks(struct t *t, struct site *s, const struct chunks_row *r, const char *words) {
    struct site_chunks c;
    struct fault f = {0};
    enum err e = site_chunks_open(s, &(struct site_chunks_options){r->where, true, r->fresh}, &c, &f);
    CHECK_SAY(t, e == r->want && (c.rows != NULL) == r->rows, "%s, %s: %s", words, r->where ? r->where : "unsaid",
              f.text);
    site_chunks_close(&c);
}

static void put_chunks(struct t *t, const struct io *io, const char *dir) {
    char path[400];
    snprintf(path, sizeof path, "%s/telemetry", dir);
    CHECK(t, !io->make_dir(io->self, path));
    snprintf(path, sizeof path, "%s/telemetry/month-000683-0-0.chunks", dir);
    int64_t file = io->open(io->self, path, IO_CREATE);
    CHECK(t, file >= 0 && !io->close(io->self, file));
}

static void check_rows(struct t *t, struct site *s, const struct chunks_row *rows, size_t n, const char *words) {
    for (size_t i = 0; i < n; i++) check_chunks(t, s, &rows[i], words);
}

static void open_site(struct t *t, struct site *ret, const char *name, const char *url) {
    char dir[300];
    snprintf(dir, sizeof dir, "%s/%s", test_dir(t), name);
    enum err e = site_open(ret, &(struct site_options){.data = dir, .db = url}, &t->fault);
    CHECK_SAY(t, !e, "does not open: %s", t->fault.text);
}

static void sealed_readings_stay_where_they_are(struct t *t) {
    static const struct chunks_row none[] = {{NULL, false, OK, false},
                                             {"files", false, OK, false},
                                             {"here", false, ERR_INVALID, false},
                                             {"store", false, OK, true}};
    static const struct chunks_row rows[] = {
        {NULL, false, OK, true}, {"files", false, ERR_CONFLICT, false}, {"store", false, OK, true}};
    static const struct chunks_row others[] = {{NULL, false, OK, false}, {"store", false, ERR_CONFLICT, false}};
    static const struct chunks_row forgotten[] = {{NULL, true, OK, true}, {"files", true, OK, false}};
    static const struct chunks_row files[] = {
        {NULL, false, OK, false}, {"files", false, OK, false}, {"store", false, ERR_CONFLICT, false}};
    static const struct chunks_row sqlite[] = {{NULL, false, OK, false}, {"store", false, ERR_INVALID, false}};
    const char *url = test_pg_url(t);
    struct site s, other, here;
    struct site_chunks c;
    open_site(t, &s, "chunks", url);
    open_site(t, &other, "chunks-other", url);
    open_site(t, &here, "chunks-sqlite", NULL);
    if (t->failed) return;
    check_rows(t, &s, none, COUNT(none), "none yet");
    CHECK(t, !site_chunks_open(&s, &(struct site_chunks_options){.owner = true}, &c, &t->fault));
    put_chunks(t, &c.io, s.dir);
    site_chunks_close(&c);
    check_rows(t, &s, rows, COUNT(rows), "in the store");
    check_rows(t, &other, others, COUNT(others), "of another folder");
    check_rows(t, &s, forgotten, COUNT(forgotten), "begun anew");
    put_chunks(t, &s.io, s.dir);
    check_rows(t, &s, files, COUNT(files), "in files");
    check_rows(t, &here, sqlite, COUNT(sqlite), "SQLite");
    site_close(&s);
    site_close(&other);
    site_close(&here);
}

static enum err count_models(struct ctx *ctx, void *ret) {
    bool found;
    return db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM device_models WHERE archived_ms = 0", NULL, 0, ret,
                      &found);
}

static enum err archive_one(struct ctx *ctx, void *unused) {
    int64_t id;
    bool found;
    (void)unused;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM device_models WHERE code = 'fire_panel'", NULL, 0, &id,
                   &found));
    return row_archive(ctx, &device_models, id, 0);
}

/* Every preset is a row that the tables take, once; what was taken out stays out. */
static void the_presets_are_there_once(struct t *t) {
    struct site s;
    char dir[300];
    int64_t n = 0, again = 0;
    snprintf(dir, sizeof dir, "%s/presets", test_dir(t));
    const struct site_options o = {.data = dir, .lock = true};
    enum err e = site_open(&s, &o, &t->fault);
    CHECK_SAY(t, !e && !site_do(&s, count_models, &n, &t->fault) && n >= 4, "%s, %d models", t->fault.text, (int)n);
    CHECK(t, e || !site_do(&s, archive_one, NULL, &t->fault));
    site_close(&s);
    CHECK(t, !site_open(&s, &o, &t->fault) && !site_do(&s, count_models, &again, &t->fault) && again == n - 1);
    site_close(&s);
}

TESTS(CASE(the_presets_are_there_once), CASE(no_export_has_two_equal_headings),
      CASE(sealed_readings_stay_where_they_are), CASE(who_only_looks_makes_nothing),
      CASE(a_database_that_holds_nothing_is_no_installation))
