/* SQL over SQLite and PostgreSQL.  One text per statement, $1..$n in both, values always bound.
 *
 * Written rules of the one SQL text: no now(), autoincrement, triggers, LIKE or SELECT *; every ORDER BY over a column
 * that may be NULL says NULLS FIRST or LAST; $n that PostgreSQL cannot infer is cast (CAST($1 AS BIGINT)); SUM and
 * COUNT are cast back to BIGINT; strpos(text, part) works on both (registered on SQLite); text is COLLATE "C" on
 * PostgreSQL (the database's default collation, checked by db_open), BINARY on SQLite. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_STORE_DB_H
#define LINLI_STORE_DB_H

#include "base/err.h"

struct db; /* one connection; one thread at a time */
enum db_kind { DB_SQLITE, DB_POSTGRES };

enum db_type { DB_NULL, DB_I64, DB_F64, DB_TEXT, DB_BLOB };
struct db_val {
    enum db_type type;
    union {
        int64_t i64;
        double f64;
        struct str text;
        struct bytes blob;
    };
};
#define V_I64(x)  ((struct db_val){.type = DB_I64, .i64 = (x)})
#define V_F64(x)  ((struct db_val){.type = DB_F64, .f64 = (x)})
#define V_TEXT(x) ((struct db_val){.type = DB_TEXT, .text = (x)})
#define V_BLOB(x) ((struct db_val){.type = DB_BLOB, .blob = (x)})
#define V_NULL    ((struct db_val){.type = DB_NULL})
#define VALS(...) \
    (const struct db_val[]){__VA_ARGS__}, sizeof((const struct db_val[]){__VA_ARGS__}) / sizeof(struct db_val)
#define NO_VALS NULL, 0

struct db_options {
    const char *url; /* sqlite:PATH | sqlite::memory: | postgres://… | postgresql://… */
    const char *vfs; /* SQLite: name of a registered VFS (store/io.h); NULL the system's */
    int busy_ms;     /* longest wait for a lock or an answer; 0 means 5,000 */
};
/* SQLite: WAL, synchronous FULL, foreign keys on, double-quoted strings off, STRICT tables expected.  PostgreSQL:
 * checks encoding and collation.  ERR_UNAVAILABLE when the store does not answer. */
NODISCARD enum err db_open(const struct db_options *options, struct db **ret, struct fault *f);
void db_close(struct db *db); /* NULL is fine */
enum db_kind db_kind(const struct db *db);

/* Runs one statement.  ret_changed may be NULL.  Unique or foreign key broken: ERR_CONFLICT (code not_unique /
 * bad_ref).  Lock: ERR_BUSY (on PostgreSQL outside a transaction a long wait is ERR_UNAVAILABLE).  Disk full,
 * connection lost, server shutting down: ERR_UNAVAILABLE (code store_unavailable; a lost PostgreSQL connection is
 * opened again at the next use outside a transaction).  Damage: ERR_CORRUPT. Anything else is ERR_INTERNAL.  A
 * statement that fails inside a transaction ends it, on both stores: what follows fails the same way and the
 * transaction rolls back.  V_TEXT and V_BLOB of an absent slice bind NULL, and so does NaN. */
NODISCARD enum err db_exec(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                           int64_t *ret_changed);
/* Several statements separated by semicolons and without arguments; for DDL.  All or nothing.  Types are written {I}
 * {T} {B} {R} (integer, text, bytes, real); {S} or {W} ends a table (strict, there also without row ids). */
NODISCARD enum err db_script(struct db *db, struct fault *f, const char *sql);

/* Rows are pulled; text and blobs stay valid until the next db_next() or db_done().  Zero value is "no query", and
 * db_done() on it is fine.  At most one row set per statement text is open at a time on a connection. */
struct db_rows {
    struct db *db;
    void *impl;
};
NODISCARD enum err db_query(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                            struct db_rows *ret);
NODISCARD enum err db_next(struct db_rows *rows, struct fault *f, bool *ret_more);
/* For loops: is there another row?  False too when *e is or becomes an error. */
bool db_more(struct db_rows *rows, struct fault *f, enum err *e);
size_t db_cols(const struct db_rows *rows);
struct db_val db_col(const struct db_rows *rows, size_t col);
int64_t db_i64(const struct db_rows *rows, size_t col);       /* NULL gives 0 */
struct str db_text(const struct db_rows *rows, size_t col);   /* NULL gives the absent slice */
struct bytes db_blob(const struct db_rows *rows, size_t col); /* NULL gives {NULL, 0} */
void db_done(struct db_rows *rows);

/* First column of the first row as an integer; *ret untouched and *ret_found false when there is no row or it is NULL.
 */
NODISCARD enum err db_one_i64(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                              int64_t *ret, bool *ret_found);

/* Transaction around fn: commit when it returns OK, else roll back.  Nested calls join the outer one, and a failure
 * inside ends the outer one too, even if its caller swallows it.  DB_WRITE takes the write lock first (SQLite: BEGIN
 * IMMEDIATE; PostgreSQL: SERIALIZABLE), and re-runs fn, at most 8 times, on a serialization failure or deadlock: fn
 * must be re-runnable (the fault is cleared before each run; `again` is called first if given).  DB_READ sees one
 * snapshot. */
enum db_mode { DB_READ, DB_WRITE };
struct db_unit {
    enum err (*fn)(void *arg);
    void (*again)(void *arg);
    void *arg;
};
NODISCARD enum err db_tx(struct db *db, struct fault *f, enum db_mode mode, const struct db_unit *unit);
bool db_in_tx(const struct db *db);

/* Columns of a table in order of name, "name type" lines; empty when it does not exist.  For upgrades and their test.
 */
NODISCARD enum err db_columns(struct db *db, struct fault *f, const char *table, struct buf *ret);

/* For tests: the n-th statement from now (1 = the next) fails with ERR_UNAVAILABLE, before it runs; 0 switches off. */
void db_fail_in(struct db *db, int64_t n);
int64_t db_statements(const struct db *db); /* how many ran since db_open; beginning and committing count too */
/* The store's own words about the last failure ("" at first).  For logs and tests only: it may quote SQL. */
const char *db_detail(const struct db *db);

/* A bounded set of connections shared by threads.  db_pool_take waits up to options.busy_ms, then ERR_BUSY.  One
 * connection is opened at once, the others when first needed.  sqlite::memory: is one connection whatever `size` says,
 * because each would be a database of its own.  The pool outlives what was taken from it. */
struct db_pool;
NODISCARD enum err db_pool_open(const struct db_options *options, size_t size, struct db_pool **ret, struct fault *f);
void db_pool_close(struct db_pool *pool);
NODISCARD enum err db_pool_take(struct db_pool *pool, struct db **ret, struct fault *f);
void db_pool_give(struct db_pool *pool, struct db *db);
/* Did the last write transaction that ended, of all its connections, fail as ERR_UNAVAILABLE (disk full, store away)?
 */
bool db_pool_writes_fail(struct db_pool *pool);

#endif
