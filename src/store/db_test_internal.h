/* A fresh store of each kind with two small tables, for the tests of db.h.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_DB_TEST_INTERNAL_H
#define LINLI_STORE_DB_TEST_INTERNAL_H

#include "store/db.h"
#include "tests/lib/pg.h"
#include "tests/lib/test.h"

#include <stdio.h>

#define TABLE_SQLITE                                                                              \
    "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, n INTEGER, f REAL, s TEXT, b BLOB) STRICT;" \
    "CREATE UNIQUE INDEX a_of_s ON a (s);"                                                        \
    "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, a INTEGER NOT NULL REFERENCES a (id)) STRICT;"
#define TABLE_POSTGRES                                                                                \
    "CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY, n BIGINT, f DOUBLE PRECISION, s TEXT, b BYTEA);" \
    "CREATE UNIQUE INDEX a_of_s ON a (s);"                                                            \
    "CREATE TABLE c (id BIGINT NOT NULL PRIMARY KEY, a BIGINT NOT NULL REFERENCES a (id));"
#define COUNT_A "SELECT CAST(COUNT(*) AS BIGINT) FROM a"

static inline const char *fresh_url(struct t *t, enum db_kind kind) {
    static int files;
    if (kind == DB_POSTGRES) return test_pg_url(t);
    char text[256];
    snprintf(text, sizeof text, "sqlite:%s/%d.db", test_dir(t), ++files);
    return arena_cstr(&t->arena, str_of(text));
}

static inline struct db *open_url(struct t *t, const char *url, int busy_ms) {
    struct db *db = NULL;
    enum err e = url ? db_open(&(struct db_options){.url = url, .busy_ms = busy_ms}, &db, &t->fault) : ERR_UNAVAILABLE;
    CHECK(t, e == OK);
    return db;
}

static inline bool make_tables(struct t *t, struct db *db) {
    enum err e = db_script(db, &t->fault, db_kind(db) == DB_SQLITE ? TABLE_SQLITE : TABLE_POSTGRES);
    CHECK_SAY(t, e == OK, "no tables: %s", db_detail(db));
    return !e;
}

/* Runs fn on a fresh store of each kind that has the tables. */
static inline void on_both(struct t *t, void (*fn)(struct t *t, struct db *db, const char *url)) {
    for (int kind = DB_SQLITE; kind <= DB_POSTGRES; kind++) {
        const char *url = fresh_url(t, (enum db_kind)kind);
        struct db *db = open_url(t, url, 2000);
        int failed = t->failed;
        if (db && make_tables(t, db)) fn(t, db, url);
        CHECK_SAY(t, t->failed == failed, "the above on %s: %s", kind == DB_SQLITE ? "SQLite" : "PostgreSQL",
                  db ? db_detail(db) : "");
        db_close(db);
        t->fault = (struct fault){0};
    }
}

static inline enum err put(struct db *db, struct fault *f, int64_t id, const char *s) {
    return db_exec(db, f, "INSERT INTO a (id, n, s) VALUES ($1, 0, $2)", VALS(V_I64(id), V_TEXT(str_of(s))), NULL);
}

static inline int64_t count(struct t *t, struct db *db) {
    int64_t n = -1;
    bool found = false;
    struct fault f = {0};
    enum err e = db_one_i64(db, &f, COUNT_A, NO_VALS, &n, &found);
    CHECK_SAY(t, !e && found, "count: %s", db_detail(db));
    return n;
}

#endif
