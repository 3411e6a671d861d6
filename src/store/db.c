/* What both stores share: counting and failing statements, transactions and their re-runs, reading columns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include "store/db_internal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RERUNS_MAX 8
#define SCRIPT_MAX (4u * 1024 * 1024)

int64_t db_mono_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void db_detail_set(struct db *db, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(db->detail, sizeof db->detail, fmt, args);
    va_end(args);
}

bool db_val_is_null(const struct db_val *v) {
    switch (v->type) {
    case DB_NULL: return true;
    case DB_I64: return false;
    case DB_F64: return isnan(v->f64);
    case DB_TEXT: return !v->text.ptr;
    case DB_BLOB: return !v->blob.ptr;
    }
    return true;
}

/* ---- connections ---- */

static const struct db_driver *driver_of(const char *url) {
    struct str s = str_of(url);
    if (str_starts(s, S("sqlite:"))) return &db_driver_sqlite;
    if (str_starts(s, S("postgres://")) || str_starts(s, S("postgresql://"))) return &db_driver_postgres;
    return NULL;
}

enum err db_open(const struct db_options *options, struct db **ret, struct fault *f) {
    const struct db_driver *driver = driver_of(options->url);
    if (!driver) return FAIL(f, ERR_INVALID, "bad_store_url", "the store's address is sqlite:PATH or postgres://…");
    struct db_options o = *options;
    if (o.busy_ms <= 0) o.busy_ms = DB_BUSY_MS_DEFAULT;
    struct db *db = NULL;
    TRY(driver->open(&o, &db, f));
    db->statements = 0;
    *ret = db;
    return OK;
}

void db_close(struct db *db) {
    if (!db) return;
    assert(!db->depth);
    db->driver->close(db);
}

enum db_kind db_kind(const struct db *db) {
    return db->driver->kind;
}

void db_fail_in(struct db *db, int64_t n) {
    db->fail_in = n;
}

int64_t db_statements(const struct db *db) {
    return db->statements;
}

const char *db_detail(const struct db *db) {
    return db->detail;
}

/* ---- statements ---- */

/* Each statement passes here first: a transaction that has failed takes no more, and tests make the n-th one fail. */
static enum err statement_begin(struct db *db, struct fault *f) {
    if (db->tx_failed) return FAIL(f, db->tx_failed, "store_failed", "the unit of work has already failed");
    db->statements++;
    if (db->fail_in > 0 && --db->fail_in == 0) {
        db_detail_set(db, "failed on request");
        return FAIL(f, ERR_UNAVAILABLE, "store_unavailable", "the store does not answer");
    }
    return OK;
}

static enum err statement_end(struct db *db, enum err e) {
    if (e && db->depth && !db->tx_failed) db->tx_failed = e;
    return e;
}

enum err db_exec(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                 int64_t *ret_changed) {
    int64_t changed = 0;
    enum err e = statement_begin(db, f);
    if (!e) e = db->driver->exec(db, f, sql, args, args_n, &changed);
    if (!e && ret_changed) *ret_changed = changed;
    return statement_end(db, e);
}

struct script {
    struct db *db;
    struct fault *f;
    struct str sql;
};

/* Types by what the store calls them. */
static void put_script(struct buf *b, enum db_kind kind, const char *sql) {
    static const struct {
        char letter;
        const char *name[2]; /* by enum db_kind */
    } types[] = {{'I', {"INTEGER", "BIGINT"}},        {'T', {"TEXT", "TEXT"}}, {'B', {"BLOB", "BYTEA"}},
                 {'R', {"REAL", "DOUBLE PRECISION"}}, {'S', {"STRICT", ""}},   {'W', {"STRICT, WITHOUT ROWID", ""}}};
    for (const char *p = sql; *p; p++) {
        if (p[0] != '{' || !p[1] || p[2] != '}') {
            buf_char(b, *p);
            continue;
        }
        for (size_t i = 0; i < COUNT(types); i++)
            if (types[i].letter == p[1]) buf_cstr(b, types[i].name[kind]);
        p += 2;
    }
}

static enum err script_run(void *arg) {
    struct script *s = arg;
    enum err e = statement_begin(s->db, s->f);
    if (!e) e = s->db->driver->script(s->db, s->f, s->sql.ptr);
    return statement_end(s->db, e);
}

enum err db_script(struct db *db, struct fault *f, const char *sql) {
    struct script s = {.db = db, .f = f};
    struct arena arena;
    struct buf b;
    arena_init(&arena, (size_t)4 * SCRIPT_MAX);
    buf_init_arena(&b, &arena, SCRIPT_MAX);
    put_script(&b, db_kind(db), sql);
    enum err e =
        buf_done(&b, &s.sql) ? OK : FAIL(f, ERR_LIMIT, "script", "a script has more than %u bytes", SCRIPT_MAX);
    if (!e) e = db->depth ? script_run(&s) : db_tx(db, f, DB_WRITE, &(struct db_unit){.fn = script_run, .arg = &s});
    arena_finish(&arena);
    return e;
}

enum err db_query(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                  struct db_rows *ret) {
    void *impl = NULL;
    enum err e = statement_begin(db, f);
    if (!e) e = db->driver->query(db, f, sql, args, args_n, &impl);
    if (!e) *ret = (struct db_rows){db, impl};
    return statement_end(db, e);
}

enum err db_next(struct db_rows *rows, struct fault *f, bool *ret_more) {
    return statement_end(rows->db, rows->db->driver->next(rows->db, rows->impl, f, ret_more));
}

size_t db_cols(const struct db_rows *rows) {
    return rows->db->driver->cols(rows->impl);
}

struct db_val db_col(const struct db_rows *rows, size_t col) {
    assert(col < db_cols(rows));
    return rows->db->driver->col(rows->impl, col);
}

int64_t db_i64(const struct db_rows *rows, size_t col) {
    struct db_val v = db_col(rows, col);
    return v.type == DB_I64 ? v.i64 : 0;
}

struct str db_text(const struct db_rows *rows, size_t col) {
    struct db_val v = db_col(rows, col);
    return v.type == DB_TEXT ? v.text : (struct str){0};
}

struct bytes db_blob(const struct db_rows *rows, size_t col) {
    struct db_val v = db_col(rows, col);
    return v.type == DB_BLOB ? v.blob : (struct bytes){0};
}

void db_done(struct db_rows *rows) {
    if (rows->impl) rows->db->driver->done(rows->db, rows->impl);
    *rows = (struct db_rows){0};
}

bool db_more(struct db_rows *rows, struct fault *f, enum err *e) {
    bool more = false;
    if (!*e) *e = db_next(rows, f, &more);
    return !*e && more;
}

enum err db_one_i64(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                    int64_t *ret, bool *ret_found) {
    struct db_rows rows = {0};
    bool more = false;
    enum err e = db_query(db, f, sql, args, args_n, &rows);
    if (!e) e = db_next(&rows, f, &more);
    if (!e) {
        *ret_found = more && db_col(&rows, 0).type == DB_I64;
        if (*ret_found) *ret = db_i64(&rows, 0);
    }
    db_done(&rows);
    return e;
}

enum err db_columns(struct db *db, struct fault *f, const char *table, struct buf *ret) {
    struct db_rows rows = {0};
    enum err e = db_query(db, f, db->driver->columns_sql, VALS(V_TEXT(str_of(table))), &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, f, &more);
        if (e || !more) break;
        buf_str(ret, db_text(&rows, 0));
        buf_char(ret, ' ');
        buf_str(ret, db_text(&rows, 1));
        buf_char(ret, '\n');
    }
    db_done(&rows);
    return e;
}

/* ---- transactions ---- */

bool db_in_tx(const struct db *db) {
    return db->depth > 0;
}

static enum err tx_nested(struct db *db, const struct db_unit *unit) {
    db->depth++;
    enum err e = unit->fn(unit->arg);
    db->depth--;
    if (e && !db->tx_failed) db->tx_failed = e;
    return e;
}

static enum err tx_once(struct db *db, struct fault *f, enum db_mode mode, const struct db_unit *unit) {
    db->may_rerun = false;
    enum err e = statement_begin(db, f);
    if (e) return e;
    e = db->driver->begin(db, f, mode);
    if (e) {
        db->driver->rollback(db); /* what had begun of it */
        return e;
    }
    db->depth = 1;
    e = unit->fn(unit->arg);
    if (!e && db->tx_failed)
        e = FAIL(f, db->tx_failed, "store_failed", "a part of the unit of work failed, so none of it was kept");
    if (!e) e = statement_begin(db, f);
    if (!e) e = db->driver->commit(db, f);
    if (e) db->driver->rollback(db);
    db->depth = 0;
    db->tx_failed = OK;
    return e;
}

/* 1 to 2 ms at first, doubling to 64..128 ms: two writers that met once should not meet again in step. */
static void back_off(int run) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t base_us = INT64_C(1000) << (run < 6 ? run : 6);
    int64_t wait_us = base_us + (now.tv_nsec / 64) % base_us;
    nanosleep(&(struct timespec){.tv_nsec = (long)(wait_us * 1000)}, NULL);
}

static enum err tx_over(const struct db *db, enum db_mode mode, enum err e) {
    if (!db->writes_fail || mode != DB_WRITE || (e && e != ERR_UNAVAILABLE)) return e;
    if (atomic_load(db->writes_fail) != (e != OK)) atomic_store(db->writes_fail, e != OK);
    return e;
}

enum err db_tx(struct db *db, struct fault *f, enum db_mode mode, const struct db_unit *unit) {
    if (db->depth) return tx_nested(db, unit);
    for (int run = 0;; run++) {
        *f = (struct fault){0};
        enum err e = tx_once(db, f, mode, unit);
        if (!e || !db->may_rerun || run == RERUNS_MAX) return tx_over(db, mode, e);
        back_off(run);
        if (unit->again) unit->again(unit->arg);
    }
}
