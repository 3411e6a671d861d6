/* The SQLite driver.  SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_internal.h"

#include "store/checkpoint_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAL_KEPT_BYTES (64 << 20) /* the log is cut back to this when a checkpoint empties it */

static struct lite *lite_of(struct db *db) {
    return (struct lite *)db; /* db is its first member */
}

/* ---- opening ---- */

static void lite_close(struct db *db) {
    struct lite *lite = lite_of(db);
    lite_forget(lite);
    sqlite3_close(lite->handle);
    writer_close(lite->writer);
    free(lite);
}

/* Another process may be opening the same file, and SQLite does not wait for the change to WAL. */
static int set_wal(struct lite *lite) {
    int64_t end_ms = db_mono_ms() + lite->db.busy_ms;
    for (;;) {
        int rc = sqlite3_exec(lite->handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if ((rc & 0xff) != SQLITE_BUSY || db_mono_ms() >= end_ms) return rc;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* In the place of SQLite's own checkpoint after a commit. */
static int committed(void *arg, sqlite3 *handle, const char *name, int frames) {
    if (!checkpointer_tell(arg, frames))
        (void)sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

static int configure(struct lite *lite) {
    static const char *const pragmas[] = {"PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
                                          "PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-8192",
                                          "PRAGMA trusted_schema=OFF"};
    sqlite3 *h = lite->handle;
    int rc = sqlite3_busy_timeout(h, lite->db.busy_ms);
    if (!rc) rc = sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (!rc) rc = sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (!rc) rc = lite_add_functions(h);
    if (!rc && lite->writer) rc = set_wal(lite);
    struct checkpointer *checkpointer = lite->writer ? writer_checkpointer(lite->writer) : NULL;
    if (!rc && checkpointer) sqlite3_wal_hook(h, committed, checkpointer);
    for (size_t i = 0; i < COUNT(pragmas) && !rc; i++) rc = sqlite3_exec(h, pragmas[i], NULL, NULL, NULL);
    char limit[64];
    sqlite3_snprintf(sizeof limit, limit, "PRAGMA journal_size_limit=%d", WAL_KEPT_BYTES);
    return rc ? rc : sqlite3_exec(h, limit, NULL, NULL, NULL);
}

static enum err lite_connect(struct lite *lite, const struct db_options *options, struct fault *f) {
    const char *path = options->url + strlen("sqlite:");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &lite->handle, flags, options->vfs);
    if (rc) return lite_fail(lite, f, rc);
    const char *file = sqlite3_db_filename(lite->handle, "main");
    if (!file || !*file) {
        rc = configure(lite);
        return rc ? lite_fail(lite, f, rc) : OK;
    }
    lite->writer = writer_open(options->vfs, file);
    if (!lite->writer) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    if (!writer_take(lite->writer, lite->db.busy_ms)) return lite_fail(lite, f, SQLITE_BUSY);
    rc = configure(lite);
    enum err e = rc ? lite_fail(lite, f, rc) : OK;
    writer_give(lite->writer);
    return e;
}

static enum err lite_open(const struct db_options *options, struct db **ret, struct fault *f) {
    if (!options->url[strlen("sqlite:")])
        return FAIL(f, ERR_INVALID, "bad_store_url", "the store's address is sqlite:PATH or postgres://…");
    struct lite *lite = calloc(1, sizeof *lite);
    if (!lite) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    lite->db.driver = &db_driver_sqlite;
    lite->db.busy_ms = options->busy_ms;
    enum err e = lite_connect(lite, options, f);
    if (e) {
        lite_close(&lite->db);
        return e;
    }
    *ret = &lite->db;
    return OK;
}

/* ---- statements ---- */

static int bind_one(sqlite3_stmt *p, int at, const struct db_val *v, sqlite3_destructor_type keep) {
    if (db_val_is_null(v)) return sqlite3_bind_null(p, at);
    switch (v->type) {
    case DB_NULL: break;
    case DB_I64: return sqlite3_bind_int64(p, at, v->i64);
    case DB_F64: return sqlite3_bind_double(p, at, v->f64);
    case DB_TEXT: return sqlite3_bind_text64(p, at, v->text.ptr, v->text.len, keep, SQLITE_UTF8);
    case DB_BLOB:
        if (!v->blob.len) return sqlite3_bind_zeroblob(p, at, 0);
        return sqlite3_bind_blob64(p, at, v->blob.ptr, v->blob.len, keep);
    }
    return SQLITE_MISUSE;
}

static enum err bind(struct lite *lite, struct fault *f, struct stmt *s, const struct db_val *args, size_t args_n,
                     sqlite3_destructor_type keep) {
    for (int i = 1; i <= s->args_n; i++) {
        size_t arg = s->arg_of[i - 1];
        if (arg > args_n) return FAIL(f, ERR_INTERNAL, "bad_parameter", "a statement's parameter has no value");
        int rc = bind_one(s->prepared, i, &args[arg - 1], keep);
        if (rc) return lite_fail(lite, f, rc);
    }
    return OK;
}

static void finish(struct lite *lite, struct stmt *s) {
    bool held = s->holds_writer;
    s->holds_writer = false;
    lite_put(s);
    if (held) writer_give(lite->writer);
}

/* Takes a statement, binds it, and queues for the file when it writes on its own. */
static enum err start(struct lite *lite, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                      sqlite3_destructor_type keep, struct stmt **ret) {
    struct stmt *s;
    TRY(lite_take(lite, f, sql, &s));
    enum err e = bind(lite, f, s, args, args_n, keep);
    if (!e && lite->read_only && !sqlite3_stmt_readonly(s->prepared))
        e = FAIL(f, ERR_INTERNAL, "store_refused", "a unit of work that only reads tried to write");
    if (!e && lite->writer && !lite->holds_writer && sqlite3_get_autocommit(lite->handle) &&
        !sqlite3_stmt_readonly(s->prepared)) {
        s->holds_writer = writer_take(lite->writer, lite->db.busy_ms);
        if (!s->holds_writer) e = lite_fail(lite, f, SQLITE_BUSY);
    }
    if (e) {
        finish(lite, s);
        return e;
    }
    *ret = s;
    return OK;
}

static enum err lite_exec(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                          int64_t *ret_changed) {
    struct lite *lite = lite_of(db);
    struct stmt *s;
    TRY(start(lite, f, sql, args, args_n, SQLITE_STATIC, &s));
    sqlite3_int64 before = sqlite3_total_changes64(lite->handle);
    int rc;
    do rc = sqlite3_step(s->prepared);
    while (rc == SQLITE_ROW);
    enum err e = rc == SQLITE_DONE ? OK : lite_fail(lite, f, rc);
    /* changes() keeps the last row count over statements that change no rows at all, such as DDL. */
    if (!e && sqlite3_total_changes64(lite->handle) != before) *ret_changed = sqlite3_changes64(lite->handle);
    finish(lite, s);
    return e;
}

static enum err lite_script(struct db *db, struct fault *f, const char *sql) {
    struct lite *lite = lite_of(db);
    int rc = sqlite3_exec(lite->handle, sql, NULL, NULL, NULL);
    return rc ? lite_fail(lite, f, rc) : OK;
}

static enum err step(struct lite *lite, struct fault *f, struct stmt *s) {
    int rc = sqlite3_step(s->prepared);
    s->more = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? OK : lite_fail(lite, f, rc);
}

/* The first row is fetched at once, so that a broken rule shows in the same call as on PostgreSQL. */
static enum err lite_query(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                           void **ret_impl) {
    struct lite *lite = lite_of(db);
    struct stmt *s;
    TRY(start(lite, f, sql, args, args_n, SQLITE_TRANSIENT, &s));
    enum err e = step(lite, f, s);
    if (e) {
        finish(lite, s);
        return e;
    }
    s->first_row = true;
    *ret_impl = s;
    return OK;
}

static enum err lite_next(struct db *db, void *impl, struct fault *f, bool *ret_more) {
    struct stmt *s = impl;
    if (!s->first_row && s->more) TRY(step(lite_of(db), f, s));
    s->first_row = false;
    *ret_more = s->more;
    return OK;
}

static size_t lite_cols(const void *impl) {
    return (size_t)sqlite3_column_count(((const struct stmt *)impl)->prepared);
}

static struct db_val lite_col(const void *impl, size_t col) {
    sqlite3_stmt *p = ((const struct stmt *)impl)->prepared;
    int at = (int)col;
    switch (sqlite3_column_type(p, at)) {
    case SQLITE_INTEGER: return V_I64(sqlite3_column_int64(p, at));
    case SQLITE_FLOAT: return V_F64(sqlite3_column_double(p, at));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(p, at);
        return V_TEXT(((struct str){text ? text : "", text ? (size_t)sqlite3_column_bytes(p, at) : 0}));
    }
    case SQLITE_BLOB: {
        const uint8_t *blob = sqlite3_column_blob(p, at);
        if (!blob) return V_BLOB(((struct bytes){(const uint8_t *)"", 0}));
        return V_BLOB(((struct bytes){blob, (size_t)sqlite3_column_bytes(p, at)}));
    }
    default: return V_NULL;
    }
}

static void lite_done(struct db *db, void *impl) {
    finish(lite_of(db), impl);
}

/* ---- transactions ---- */

static void release(struct lite *lite) {
    if (lite->holds_writer) writer_give(lite->writer);
    lite->holds_writer = lite->read_only = false;
}

static enum err lite_begin(struct db *db, struct fault *f, enum db_mode mode) {
    struct lite *lite = lite_of(db);
    if (mode == DB_WRITE && lite->writer) {
        lite->holds_writer = writer_take(lite->writer, db->busy_ms);
        if (!lite->holds_writer) return lite_fail(lite, f, SQLITE_BUSY);
    }
    int64_t changed;
    enum err e = lite_exec(db, f, mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", NO_VALS, &changed);
    if (e) release(lite);
    lite->read_only = !e && mode == DB_READ;
    return e;
}

static enum err lite_commit(struct db *db, struct fault *f) {
    int64_t changed;
    TRY(lite_exec(db, f, "COMMIT", NO_VALS, &changed));
    release(lite_of(db));
    return OK;
}

static void lite_rollback(struct db *db) {
    struct lite *lite = lite_of(db);
    /* Some failures (disk full, I/O) have rolled back by themselves. */
    if (!sqlite3_get_autocommit(lite->handle)) (void)sqlite3_exec(lite->handle, "ROLLBACK", NULL, NULL, NULL);
    release(lite);
}

const struct db_driver db_driver_sqlite = {
    .kind = DB_SQLITE,
    .open = lite_open,
    .close = lite_close,
    .exec = lite_exec,
    .script = lite_script,
    .query = lite_query,
    .next = lite_next,
    .cols = lite_cols,
    .col = lite_col,
    .done = lite_done,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .columns_sql = "SELECT name, lower(type) FROM pragma_table_info($1) ORDER BY name",
};
