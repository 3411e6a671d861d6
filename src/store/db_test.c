/* The store's promises (db.h), each kept on SQLite and on PostgreSQL.  SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"
#include "tests/lib/pg.h"
#include "tests/lib/test.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TABLE_SQLITE                                                                              \
    "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, n INTEGER, f REAL, s TEXT, b BLOB) STRICT;" \
    "CREATE UNIQUE INDEX a_of_s ON a (s);"                                                        \
    "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, a INTEGER NOT NULL REFERENCES a (id)) STRICT;"
#define TABLE_POSTGRES                                                                                \
    "CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY, n BIGINT, f DOUBLE PRECISION, s TEXT, b BYTEA);" \
    "CREATE UNIQUE INDEX a_of_s ON a (s);"                                                            \
    "CREATE TABLE c (id BIGINT NOT NULL PRIMARY KEY, a BIGINT NOT NULL REFERENCES a (id));"
#define INSERT_A "INSERT INTO a (id, n, f, s, b) VALUES ($1, $2, $3, $4, $5)"
#define COUNT_A  "SELECT CAST(COUNT(*) AS BIGINT) FROM a"

/* ---- a store for a case ---- */

static const char *fresh_url(struct t *t, enum db_kind kind) {
    static int files;
    if (kind == DB_POSTGRES) return test_pg_url(t);
    char text[256];
    snprintf(text, sizeof text, "sqlite:%s/%d.db", test_dir(t), ++files);
    return arena_cstr(&t->arena, str_of(text));
}

static struct db *open_url(struct t *t, const char *url, int busy_ms) {
    struct db *db = NULL;
    enum err e = url ? db_open(&(struct db_options){.url = url, .busy_ms = busy_ms}, &db, &t->fault) : ERR_UNAVAILABLE;
    CHECK(t, e == OK);
    return db;
}

static bool make_tables(struct t *t, struct db *db) {
    enum err e = db_script(db, &t->fault, db_kind(db) == DB_SQLITE ? TABLE_SQLITE : TABLE_POSTGRES);
    CHECK_SAY(t, e == OK, "no tables: %s", db_detail(db));
    return !e;
}

/* Runs fn on a fresh store of each kind that has the tables. */
static void on_both(struct t *t, void (*fn)(struct t *t, struct db *db, const char *url)) {
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

static enum err put(struct db *db, struct fault *f, int64_t id, const char *s) {
    return db_exec(db, f, "INSERT INTO a (id, n, s) VALUES ($1, 0, $2)", VALS(V_I64(id), V_TEXT(str_of(s))), NULL);
}

static int64_t count(struct t *t, struct db *db) {
    int64_t n = -1;
    bool found = false;
    struct fault f = {0};
    enum err e = db_one_i64(db, &f, COUNT_A, NO_VALS, &n, &found);
    CHECK_SAY(t, !e && found, "count: %s", db_detail(db));
    return n;
}

static bool is_same(struct db_val a, struct db_val b) {
    if (a.type != b.type) return false;
    switch (a.type) {
    case DB_NULL: return true;
    case DB_I64: return a.i64 == b.i64;
    case DB_F64: return a.f64 == b.f64 && signbit(a.f64) == signbit(b.f64);
    case DB_TEXT: return str_eq(a.text, b.text) && a.text.ptr;
    case DB_BLOB: return a.blob.ptr && a.blob.len == b.blob.len && !memcmp(a.blob.ptr, b.blob.ptr, a.blob.len);
    }
    return false;
}

/* ---- values ---- */

static void round_trip(struct t *t, struct db *db, const char *url) {
    (void)url;
    uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++) all[i] = (uint8_t)i;
    const struct {
        const char *column;
        struct db_val in, out;
    } rows[] = {
        {"n", V_I64(0), V_I64(0)},
        {"n", V_I64(-1), V_I64(-1)},
        {"n", V_I64(INT64_MAX), V_I64(INT64_MAX)},
        {"n", V_I64(INT64_MIN), V_I64(INT64_MIN)},
        {"n", V_NULL, V_NULL},
        {"f", V_F64(0.1), V_F64(0.1)},
        {"f", V_F64(-0.0), V_F64(db_kind(db) == DB_SQLITE ? 0.0 : -0.0)},
        {"f", V_F64(5e-324), V_F64(5e-324)},
        {"f", V_F64(1.7976931348623157e308), V_F64(1.7976931348623157e308)},
        {"f", V_F64(INFINITY), V_F64(INFINITY)},
        {"f", V_F64(-INFINITY), V_F64(-INFINITY)},
        {"f", V_F64(NAN), V_NULL},
        {"f", V_I64(7), V_F64(7)},
        {"s", V_TEXT(S("")), V_TEXT(S(""))},
        {"s", V_TEXT(S("3号楼漏水 'quoted' \"x\" \\ ; --")), V_TEXT(S("3号楼漏水 'quoted' \"x\" \\ ; --"))},
        {"s", V_TEXT((struct str){0}), V_NULL},
        {"s", V_TEXT(((struct str){"prefix of more", 6})), V_TEXT(S("prefix"))},
        {"b", V_BLOB(((struct bytes){all, sizeof all})), V_BLOB(((struct bytes){all, sizeof all}))},
        {"b", V_BLOB(((struct bytes){all, 0})), V_BLOB(((struct bytes){all, 0}))},
        {"b", V_BLOB((struct bytes){0}), V_NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char sql[128];
        int64_t changed = 0;
        snprintf(sql, sizeof sql, "INSERT INTO a (id, %s) VALUES ($1, $2)", rows[i].column);
        enum err e = db_exec(db, &t->fault, sql, VALS(V_I64((int64_t)i), rows[i].in), &changed);
        CHECK_SAY(t, e == OK && changed == 1, "row %zu goes in: %s", i, db_detail(db));
        snprintf(sql, sizeof sql, "SELECT %s, id FROM a WHERE id = $1", rows[i].column);
        struct db_rows got = {0};
        bool more = false;
        e = db_query(db, &t->fault, sql, VALS(V_I64((int64_t)i)), &got);
        if (!e) e = db_next(&got, &t->fault, &more);
        CHECK_SAY(t, !e && more && db_cols(&got) == 2, "row %zu comes back: %s", i, db_detail(db));
        if (!e && more) {
            CHECK_SAY(t, is_same(db_col(&got, 0), rows[i].out), "row %zu is the same", i);
            e = db_next(&got, &t->fault, &more);
            CHECK(t, !e && !more);
            e = db_next(&got, &t->fault, &more);
            CHECK_SAY(t, !e && !more, "asking again past the end is the end");
        }
        db_done(&got);
    }
}

static void every_value_comes_back_as_it_went_in(struct t *t) {
    on_both(t, round_trip);
}

static void typed_reads(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct db_rows rows = {0};
    bool more = false;
    CHECK(t, !db_exec(db, &t->fault, INSERT_A,
                      VALS(V_I64(1), V_NULL, V_NULL, V_TEXT(S("x")), V_BLOB(((struct bytes){(const uint8_t *)"y", 1}))),
                      NULL));
    CHECK(t, !db_query(db, &t->fault, "SELECT n, s, b, f, id FROM a ORDER BY id LIMIT 1", NO_VALS, &rows));
    CHECK(t, rows.impl && !db_next(&rows, &t->fault, &more) && more);
    if (more) {
        CHECK(t, db_i64(&rows, 0) == 0 && db_text(&rows, 0).ptr == NULL && db_blob(&rows, 0).ptr == NULL);
        CHECK(t, str_is(db_text(&rows, 1), "x") && db_blob(&rows, 2).len == 1 && db_blob(&rows, 2).ptr[0] == 'y');
        CHECK(t, db_text(&rows, 3).ptr == NULL && db_i64(&rows, 4) == 1);
    }
    db_done(&rows);
    db_done(&rows);
    CHECK(t, !rows.db && !rows.impl);
}

static void null_reads_as_nothing_and_done_twice_is_fine(struct t *t) {
    on_both(t, typed_reads);
}

static void order_of_args(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct db_rows rows = {0};
    bool more = false;
    CHECK(t, !db_query(db, &t->fault,
                       "SELECT CAST($10 AS BIGINT), CAST($1 AS BIGINT), CAST($2 AS BIGINT) + $1, $3, $4 || $5,"
                       " CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT)",
                       VALS(V_I64(1), V_I64(20), V_TEXT(S("three")), V_TEXT(S("a")), V_TEXT(S("b")), V_I64(6), V_I64(7),
                            V_I64(8), V_I64(9), V_I64(10)),
                       &rows));
    CHECK(t, rows.impl && !db_next(&rows, &t->fault, &more) && more);
    if (more) {
        CHECK(t, db_i64(&rows, 0) == 10 && db_i64(&rows, 1) == 1 && db_i64(&rows, 2) == 21);
        CHECK(t, str_is(db_text(&rows, 3), "three") && str_is(db_text(&rows, 4), "ab") && db_i64(&rows, 8) == 9);
    }
    db_done(&rows);
}

static void dollar_ten_is_the_tenth_value_wherever_it_stands(struct t *t) {
    on_both(t, order_of_args);
}

static void sums(struct t *t, struct db *db, const char *url) {
    (void)url;
    int64_t n = 7;
    bool found = true;
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT SUM(n) FROM a", NO_VALS, &n, &found) && !found && n == 7);
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT n FROM a WHERE id = 5", NO_VALS, &n, &found) && !found && n == 7);
    for (int64_t i = 1; i <= 3; i++)
        CHECK(t,
              !db_exec(db, &t->fault, "INSERT INTO a (id, n) VALUES ($1, $2)", VALS(V_I64(i), V_I64(i * 100)), NULL));
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT SUM(n) FROM a", NO_VALS, &n, &found) && found && n == 600);
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT strpos($1, $2)", VALS(V_TEXT(S("三号楼漏水")), V_TEXT(S("漏水"))), &n,
                         &found) &&
                 n == 4);
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT strpos($1, $2)", VALS(V_TEXT(S("abc")), V_TEXT(S("d"))), &n, &found) &&
                 n == 0);
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT strpos($1, $2)", VALS(V_TEXT(S("")), V_TEXT(S(""))), &n, &found) &&
                 n == 1);
}

static void sums_and_strpos_are_the_same_on_both(struct t *t) {
    on_both(t, sums);
}

static void text_order(struct t *t, struct db *db, const char *url) {
    (void)url;
    static const char *const in[] = {"b", "A", "é", "a", "漏", "B"}, *const out[] = {"A", "B", "a", "b", "é", "漏"};
    for (size_t i = 0; i < COUNT(in); i++) CHECK(t, !put(db, &t->fault, (int64_t)i, in[i]));
    struct db_rows rows = {0};
    CHECK(t, !db_query(db, &t->fault, "SELECT s FROM a ORDER BY s NULLS LAST LIMIT 10", NO_VALS, &rows));
    for (size_t i = 0; rows.impl && i < COUNT(out); i++) {
        bool more = false;
        CHECK(t, !db_next(&rows, &t->fault, &more) && more && str_is(db_text(&rows, 0), out[i]));
    }
    db_done(&rows);
}

static void text_sorts_by_bytes(struct t *t) {
    on_both(t, text_order);
}

static void two_sets(struct t *t, struct db *db, const char *url) {
    (void)url;
    for (int64_t i = 0; i < 3; i++)
        CHECK(t, !db_exec(db, &t->fault, "INSERT INTO a (id) VALUES ($1)", VALS(V_I64(i)), NULL));
    struct db_rows outer = {0}, inner = {0};
    int64_t pairs = 0;
    bool more = false, inner_more = false;
    CHECK(t, !db_query(db, &t->fault, "SELECT id FROM a ORDER BY id LIMIT 9", NO_VALS, &outer));
    while (outer.impl && !db_next(&outer, &t->fault, &more) && more) {
        CHECK(t, !db_query(db, &t->fault, "SELECT id FROM a WHERE id <= $1 ORDER BY id LIMIT 9",
                           VALS(V_I64(db_i64(&outer, 0))), &inner));
        while (inner.impl && !db_next(&inner, &t->fault, &inner_more) && inner_more) pairs++;
        db_done(&inner);
    }
    db_done(&outer);
    CHECK(t, pairs == 6);
}

static void a_query_may_run_inside_the_loop_of_another(struct t *t) {
    on_both(t, two_sets);
}

/* ---- broken rules ---- */

static void constraints(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct fault f = {0};
    CHECK(t, !put(db, &t->fault, 1, "x"));
    CHECK(t, put(db, &f, 1, "y") == ERR_CONFLICT && !strcmp(f.code, "not_unique"));
    f = (struct fault){0};
    CHECK(t, put(db, &f, 2, "x") == ERR_CONFLICT && !strcmp(f.code, "not_unique"));
    f = (struct fault){0};
    CHECK(t, db_exec(db, &f, "INSERT INTO c (id, a) VALUES (1, 99)", NO_VALS, NULL) == ERR_CONFLICT);
    CHECK(t, !strcmp(f.code, "bad_ref"));
    CHECK(t, !db_exec(db, &t->fault, "INSERT INTO c (id, a) VALUES (1, 1)", NO_VALS, NULL));
    f = (struct fault){0};
    CHECK(t,
          db_exec(db, &f, "DELETE FROM a WHERE id = 1", NO_VALS, NULL) == ERR_CONFLICT && !strcmp(f.code, "bad_ref"));
    f = (struct fault){0};
    struct db_rows rows = {0};
    CHECK(t, db_query(db, &f, "INSERT INTO a (id) VALUES (1) RETURNING id", NO_VALS, &rows) == ERR_CONFLICT);
    CHECK(t, !strcmp(f.code, "not_unique") && !rows.impl);
}

static void a_broken_unique_or_foreign_key_is_a_conflict(struct t *t) {
    on_both(t, constraints);
}

static void nonsense(struct t *t, struct db *db, const char *url) {
    (void)url;
    static const char *const texts[] = {
        "SELEC 1",
        "SELECT missing_column FROM a",
        "SELECT * FROM missing_table",
        "INSERT INTO c (id, a) VALUES (1, NULL)",
        "SELECT CAST($3 AS BIGINT)",
        "SELECT 1; SELECT 2",
        "SELECT \"not a string\"",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct fault f = {0};
        CHECK_SAY(t, db_exec(db, &f, texts[i], VALS(V_I64(1)), NULL) == ERR_INTERNAL, "%s", texts[i]);
        CHECK_SAY(t, !strstr(f.text, "missing") && !strstr(f.text, "SELEC"), "no SQL in the sentence: %s", f.text);
    }
    CHECK(t, count(t, db) == 0);
}

static void a_wrong_statement_is_our_bug_and_is_not_quoted_to_clients(struct t *t) {
    on_both(t, nonsense);
}

static void changes(struct t *t, struct db *db, const char *url) {
    (void)url;
    int64_t n = -1;
    for (int64_t i = 0; i < 3; i++)
        CHECK(t, !db_exec(db, &t->fault, "INSERT INTO a (id) VALUES ($1)", VALS(V_I64(i)), NULL));
    CHECK(t, !db_exec(db, &t->fault, "UPDATE a SET n = 1 WHERE id < 2", NO_VALS, &n) && n == 2);
    CHECK(t, !db_exec(db, &t->fault, "UPDATE a SET n = 1 WHERE id = 9", NO_VALS, &n) && n == 0);
    CHECK(t, !db_exec(db, &t->fault, "DELETE FROM a", NO_VALS, &n) && n == 3);
    CHECK(t, !db_exec(db, &t->fault, "CREATE INDEX a_by_n ON a (n)", NO_VALS, &n) && n == 0);
    CHECK(t, !db_exec(db, &t->fault, "SELECT 1", NO_VALS, &n) && n == 0);
    CHECK(t, !db_exec(db, &t->fault, "INSERT INTO a (id, n) VALUES (1, 1) ON CONFLICT (id) DO NOTHING", NO_VALS, &n) &&
                 n == 1);
    CHECK(t, !db_exec(db, &t->fault, "INSERT INTO a (id, n) VALUES (1, 1) ON CONFLICT (id) DO NOTHING", NO_VALS, &n) &&
                 n == 0);
}

static void changed_counts_rows(struct t *t) {
    on_both(t, changes);
}

static void half_script(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct fault f = {0};
    CHECK(t,
          db_script(db, &f, "INSERT INTO a (id) VALUES (1); INSERT INTO a (id) VALUES (1); SELECT 1") == ERR_CONFLICT);
    CHECK(t, count(t, db) == 0);
    CHECK(t, !db_script(db, &t->fault, "INSERT INTO a (id) VALUES (1); INSERT INTO a (id) VALUES (2);"));
    CHECK(t, count(t, db) == 2);
}

static void a_script_is_done_whole_or_not_at_all(struct t *t) {
    on_both(t, half_script);
}

static void columns(struct t *t, struct db *db, const char *url) {
    (void)url;
    char mem[512];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    CHECK(t, !db_columns(db, &t->fault, "a", &b));
    const char *want = db_kind(db) == DB_SQLITE ? "b blob\nf real\nid integer\nn integer\ns text\n"
                                                : "b bytea\nf double precision\nid bigint\nn bigint\ns text\n";
    CHECK_SAY(t, !strcmp(mem, want), "columns: %s", mem);
    buf_init(&b, mem, sizeof mem);
    CHECK(t, !db_columns(db, &t->fault, "missing", &b) && b.len == 0);
}

static void columns_are_listed_by_name(struct t *t) {
    on_both(t, columns);
}

/* ---- transactions ---- */

struct work {
    struct db *db;
    struct fault f;
    int runs, agains;
    enum err give;
    bool swallow;
};

static enum err put_and_give(void *arg) {
    struct work *w = arg;
    w->runs++;
    TRY(put(w->db, &w->f, 10 + w->runs, NULL));
    return w->give;
}

static enum err nest(void *arg) {
    struct work *w = arg;
    TRY(put(w->db, &w->f, 1, NULL));
    struct work inner = {.db = w->db, .give = w->give};
    enum err e = db_tx(w->db, &w->f, DB_WRITE, &(struct db_unit){.fn = put_and_give, .arg = &inner});
    if (!w->f.kind) w->f = inner.f;
    return w->swallow ? OK : e;
}

static enum err put_twice_and_go_on(void *arg) {
    struct work *w = arg;
    struct fault ignored = {0};
    TRY(put(w->db, &w->f, 1, NULL));
    w->give = put(w->db, &ignored, 1, NULL);
    ignored = (struct fault){0};
    enum err e = put(w->db, &ignored, 2, NULL);
    return e == ERR_CONFLICT ? OK : ERR_INTERNAL;
}

static void transactions(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct work w = {.db = db};
    CHECK(t, !db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = put_and_give, .arg = &w}));
    CHECK(t, w.runs == 1 && count(t, db) == 1 && !db_in_tx(db));
    w = (struct work){.db = db, .give = ERR_STALE, .runs = 1};
    CHECK(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = put_and_give, .arg = &w}) == ERR_STALE);
    CHECK(t, count(t, db) == 1 && !db_in_tx(db));

    CHECK(t, !db_exec(db, &t->fault, "DELETE FROM a", NO_VALS, NULL));
    w = (struct work){.db = db};
    CHECK(t, !db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}) && count(t, db) == 2);
    CHECK(t, !db_exec(db, &t->fault, "DELETE FROM a", NO_VALS, NULL));
    for (int swallow = 0; swallow < 2; swallow++) {
        w = (struct work){.db = db, .give = ERR_STALE, .swallow = swallow};
        CHECK(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}) == ERR_STALE);
        CHECK_SAY(t, count(t, db) == 0, "a failed inner one ends the outer one, swallowed %d", swallow);
    }
    w = (struct work){.db = db};
    CHECK(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = put_twice_and_go_on, .arg = &w}) == ERR_CONFLICT);
    CHECK(t, w.give == ERR_CONFLICT && w.f.kind == ERR_CONFLICT && count(t, db) == 0);
}

static void a_transaction_is_kept_whole_or_not_at_all_even_if_a_failure_is_swallowed(struct t *t) {
    on_both(t, transactions);
}

static enum err write_in_read(void *arg) {
    struct work *w = arg;
    return put(w->db, &w->f, 1, NULL);
}

static void read_only(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct work w = {.db = db};
    CHECK(t, db_tx(db, &w.f, DB_READ, &(struct db_unit){.fn = write_in_read, .arg = &w}) == ERR_INTERNAL);
    CHECK(t, count(t, db) == 0 && !put(db, &t->fault, 1, NULL));
}

static void a_read_transaction_cannot_write(struct t *t) {
    on_both(t, read_only);
}

struct snapshot {
    struct t *t;
    struct db *db, *other;
    struct fault f;
};

static enum err read_twice(void *arg) {
    struct snapshot *s = arg;
    CHECK(s->t, count(s->t, s->db) == 0);
    TRY(put(s->other, &s->f, 1, NULL));
    CHECK(s->t, count(s->t, s->db) == 0 && count(s->t, s->other) == 1);
    return OK;
}

static void one_snapshot(struct t *t, struct db *db, const char *url) {
    struct snapshot s = {.t = t, .db = db, .other = open_url(t, url, 2000)};
    if (!s.other) return;
    CHECK(t, !db_tx(db, &s.f, DB_READ, &(struct db_unit){.fn = read_twice, .arg = &s}));
    CHECK(t, count(t, db) == 1);
    db_close(s.other);
}

static void a_read_transaction_sees_one_snapshot(struct t *t) {
    on_both(t, one_snapshot);
}

struct rerun {
    struct db *db, *other;
    struct fault f;
    int runs, agains, meddle;
};

/* Another writer changes meanwhile what this one has read: PostgreSQL refuses to serialize the two. */
static enum err add_one(void *arg) {
    struct rerun *r = arg;
    int64_t n = 0;
    bool found;
    r->runs++;
    TRY(db_one_i64(r->db, &r->f, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found));
    if (r->runs <= r->meddle) TRY(db_exec(r->other, &r->f, "UPDATE a SET n = n + 10 WHERE id = 1", NO_VALS, NULL));
    return db_exec(r->db, &r->f, "UPDATE a SET n = $1 WHERE id = 1", VALS(V_I64(n + 1)), NULL);
}

static void count_again(void *arg) {
    ((struct rerun *)arg)->agains++;
}

static void a_serialization_failure_runs_the_work_again_at_most_eight_times(struct t *t) {
    const char *url = test_pg_url(t);
    struct rerun r = {.db = open_url(t, url, 2000), .other = open_url(t, url, 2000), .meddle = 3};
    if (!r.db || !r.other || !make_tables(t, r.db)) return;
    int64_t n = 0;
    bool found;
    CHECK(t, !put(r.db, &t->fault, 1, NULL));
    CHECK(t, !db_tx(r.db, &r.f, DB_WRITE, &(struct db_unit){add_one, count_again, &r}));
    CHECK(t, r.runs == 4 && r.agains == 3 && r.f.kind == OK);
    CHECK(t, !db_one_i64(r.db, &t->fault, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found) && n == 31);
    r.runs = r.agains = 0;
    r.meddle = 1000;
    CHECK(t, db_tx(r.db, &r.f, DB_WRITE, &(struct db_unit){add_one, count_again, &r}) == ERR_BUSY);
    CHECK(t, r.runs == 9 && r.agains == 8 && !strcmp(r.f.code, "store_busy"));
    db_close(r.db);
    db_close(r.other);
}

static enum err hold_and_let_other_write(void *arg) {
    struct rerun *r = arg;
    TRY(put(r->db, &r->f, 5, NULL));
    struct fault f = {0};
    r->runs = (int)put(r->other, &f, 5, NULL);
    return OK;
}

static void waits_for_lock(struct t *t, struct db *db, const char *url) {
    struct rerun r = {.db = db, .other = open_url(t, url, 100)};
    if (!r.other) return;
    CHECK(t, !db_tx(db, &r.f, DB_WRITE, &(struct db_unit){.fn = hold_and_let_other_write, .arg = &r}));
    CHECK_SAY(t, r.runs == (db_kind(db) == DB_SQLITE ? ERR_BUSY : ERR_UNAVAILABLE), "gave up: %s",
              err_name((enum err)r.runs));
    CHECK(t, count(t, db) == 1);
    db_close(r.other);
}

static void a_writer_that_waits_too_long_gives_up(struct t *t) {
    on_both(t, waits_for_lock);
}

/* ---- statements that fail on request ---- */

static void fail_each(struct t *t, struct db *db, const char *url) {
    (void)url;
    for (int64_t n = 1; n <= 4; n++) { /* begin, first row, second row, commit */
        struct work w = {.db = db};
        db_fail_in(db, n);
        CHECK_SAY(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}) == ERR_UNAVAILABLE,
                  "statement %d", (int)n);
        CHECK(t, !strcmp(w.f.code, "store_unavailable") && !db_in_tx(db) && count(t, db) == 0);
    }
    int64_t before = db_statements(db);
    struct work w = {.db = db};
    CHECK(t, !db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}));
    CHECK(t, db_statements(db) == before + 4);
    db_fail_in(db, 1);
    db_fail_in(db, 0);
    CHECK(t, count(t, db) == 2);
}

static void each_statement_can_be_made_to_fail_and_nothing_is_kept(struct t *t) {
    on_both(t, fail_each);
}

static void many_texts(struct t *t, struct db *db, const char *url) {
    (void)url;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 300; i++) {
            char sql[64];
            int64_t n = -1;
            bool found;
            snprintf(sql, sizeof sql, "SELECT CAST($1 AS BIGINT) + %d", i);
            CHECK(t, !db_one_i64(db, &t->fault, sql, VALS(V_I64(1000)), &n, &found) && n == 1000 + i);
        }
}

static void more_texts_than_the_cache_holds_still_work(struct t *t) {
    on_both(t, many_texts);
}

/* ---- threads ---- */

#define THREADS   4
#define ADDS_EACH 25

struct adder {
    struct db_pool *pool;
    struct fault f;
    enum err e;
    struct db *db;
};

static enum err add_in_tx(void *arg) {
    struct adder *a = arg;
    int64_t n = 0;
    bool found;
    TRY(db_one_i64(a->db, &a->f, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found));
    return db_exec(a->db, &a->f, "UPDATE a SET n = $1 WHERE id = 1", VALS(V_I64(n + 1)), NULL);
}

static void *add_thread(void *arg) {
    struct adder *a = arg;
    for (int done = 0; done < ADDS_EACH;) {
        a->e = db_pool_take(a->pool, &a->db, &a->f);
        if (a->e) break;
        a->e = db_tx(a->db, &a->f, DB_WRITE, &(struct db_unit){.fn = add_in_tx, .arg = a});
        db_pool_give(a->pool, a->db);
        if (!a->e)
            done++;
        else if (a->e != ERR_BUSY) /* eight lost races in a row are possible; the caller tries again */
            break;
    }
    return NULL;
}

static void writers(struct t *t, struct db *db, const char *url) {
    struct db_pool *pool = NULL;
    CHECK(t, !db_pool_open(&(struct db_options){.url = url, .busy_ms = 20000}, THREADS - 1, &pool, &t->fault));
    if (!pool) return;
    CHECK(t, !put(db, &t->fault, 1, NULL));
    struct adder adders[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){.pool = pool};
        CHECK(t, !pthread_create(&threads[i], NULL, add_thread, &adders[i]));
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_SAY(t, !adders[i].e, "thread %zu: %s", i, adders[i].f.text);
    }
    int64_t n = 0;
    bool found;
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found));
    CHECK_SAY(t, n == (int64_t)THREADS * ADDS_EACH, "%d of them kept", (int)n);
    db_pool_close(pool);
}

static void writers_in_several_threads_lose_nothing(struct t *t) {
    on_both(t, writers);
}

static void pool_bound(struct t *t, struct db *db, const char *url) {
    (void)db;
    struct db_pool *pool = NULL;
    struct db *taken[3] = {0};
    struct fault f = {0};
    CHECK(t, !db_pool_open(&(struct db_options){.url = url, .busy_ms = 50}, 2, &pool, &t->fault));
    if (!pool) return;
    CHECK(t, !db_pool_take(pool, &taken[0], &t->fault) && !db_pool_take(pool, &taken[1], &t->fault));
    CHECK(t, taken[0] != taken[1]);
    CHECK(t, db_pool_take(pool, &taken[2], &f) == ERR_BUSY && !strcmp(f.code, "store_busy") && !taken[2]);
    db_pool_give(pool, taken[1]);
    CHECK(t, !db_pool_take(pool, &taken[2], &t->fault) && taken[2] == taken[1]);
    db_pool_give(pool, taken[0]);
    db_pool_give(pool, taken[2]);
    db_pool_close(pool);
}

static void a_pool_gives_no_more_than_its_size(struct t *t) {
    on_both(t, pool_bound);
}

static void a_pool_in_memory_is_one_database(struct t *t) {
    struct db_pool *pool = NULL;
    struct db *db = NULL, *none = NULL;
    struct fault f = {0};
    CHECK(t, !db_pool_open(&(struct db_options){.url = "sqlite::memory:", .busy_ms = 10}, 5, &pool, &t->fault));
    CHECK(t, pool && !db_pool_take(pool, &db, &t->fault) && make_tables(t, db) && !put(db, &t->fault, 1, NULL));
    CHECK(t, db_pool_take(pool, &none, &f) == ERR_BUSY);
    db_pool_give(pool, db);
    CHECK(t, !db_pool_take(pool, &db, &t->fault) && count(t, db) == 1);
    db_pool_give(pool, db);
    db_pool_close(pool);
}

/* ---- a store that is not there ---- */

static void an_address_that_leads_nowhere_is_an_error(struct t *t) {
    static const struct {
        const char *url;
        enum err want;
    } rows[] = {
        {"", ERR_INVALID},
        {"mysql://x", ERR_INVALID},
        {"sqlite:", ERR_INVALID},
        {"sqlite:/nonexistent/folder/x.db", ERR_UNAVAILABLE},
        {"postgres://nobody@/x?host=/nonexistent", ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = {0};
        struct db *db = NULL;
        CHECK_SAY(t, db_open(&(struct db_options){.url = rows[i].url, .busy_ms = 300}, &db, &f) == rows[i].want && !db,
                  "%s", rows[i].url);
        CHECK(t, !strstr(f.text, "nonexistent"));
    }
    db_close(NULL);
}

static void a_file_that_is_no_database_is_damage(struct t *t) {
    char path[256], url[300];
    snprintf(path, sizeof path, "%s/noise.db", test_dir(t));
    snprintf(url, sizeof url, "sqlite:%s", path);
    FILE *file = fopen(path, "w");
    for (int i = 0; file && i < 4096; i++) fputc('x', file);
    if (file) fclose(file);
    struct db *db = NULL;
    struct fault f = {0};
    CHECK(t, db_open(&(struct db_options){.url = url}, &db, &f) == ERR_CORRUPT && !strcmp(f.code, "store_corrupt"));
}

static void a_database_that_does_not_sort_by_bytes_is_refused(struct t *t) {
    const char *url = test_pg_url(t);
    struct db *db = open_url(t, url, 5000), *wrong = NULL;
    if (!db) return;
    CHECK(t, !db_exec(db, &t->fault, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'", NO_VALS, NULL));
    db_close(db);
    char other[256];
    const char *query = strchr(url, '?');
    snprintf(other, sizeof other, "postgres://linli@/latin%s", query ? query : "");
    struct fault f = {0};
    CHECK(t, db_open(&(struct db_options){.url = other}, &wrong, &f) == ERR_INVALID);
    CHECK(t, !strcmp(f.code, "bad_store_encoding"));
}

struct losing {
    struct t *t;
    struct db *db;
    struct fault f;
    bool kill;
};

static enum err lose_inside(void *arg) {
    struct losing *l = arg;
    TRY(put(l->db, &l->f, 2, NULL));
    if (!(l->kill ? test_pg_kill9(l->t) : test_pg_stop(l->t)) || !test_pg_start(l->t)) return ERR_INTERNAL;
    struct fault f = {0};
    CHECK(l->t, put(l->db, &f, 3, NULL) == ERR_UNAVAILABLE);
    f = (struct fault){0};
    CHECK_SAY(l->t, put(l->db, &f, 4, NULL) == ERR_UNAVAILABLE, "a transaction does not go on with another connection");
    return OK;
}

static void a_lost_server_is_unavailable_and_is_found_again_when_it_is_back(struct t *t) {
    const char *url = test_pg_url(t);
    struct db *db = open_url(t, url, 2000);
    if (!db || !make_tables(t, db)) return;
    struct fault f = {0};
    CHECK(t, !put(db, &t->fault, 1, NULL) && test_pg_stop(t));
    for (int i = 0; i < 2; i++) {
        f = (struct fault){0};
        CHECK(t, put(db, &f, 2, NULL) == ERR_UNAVAILABLE && !strcmp(f.code, "store_unavailable"));
    }
    struct db *none = NULL;
    f = (struct fault){0};
    CHECK(t, db_open(&(struct db_options){.url = url}, &none, &f) == ERR_UNAVAILABLE);
    CHECK(t, test_pg_start(t) && count(t, db) == 1);
    for (int kill = 0; kill < 2; kill++) {
        struct losing l = {.t = t, .db = db, .kill = kill};
        CHECK(t, db_tx(db, &l.f, DB_WRITE, &(struct db_unit){.fn = lose_inside, .arg = &l}) == ERR_UNAVAILABLE);
        CHECK_SAY(t, count(t, db) == 1, "nothing of the lost transaction is there");
    }
    CHECK(t, !put(db, &t->fault, 2, NULL) && count(t, db) == 2);
    db_close(db);
}

static void a_server_that_does_not_answer_is_given_up(struct t *t) {
    struct db *db = open_url(t, test_pg_url(t), 200);
    if (!db) return;
    struct fault f = {0};
    CHECK(t, db_exec(db, &f, "SELECT pg_sleep(30)", NO_VALS, NULL) == ERR_UNAVAILABLE);
    CHECK_SAY(t, !db_exec(db, &t->fault, "SELECT 1", NO_VALS, NULL), "and the next use has a new connection");
    db_close(db);
}

TESTS(CASE(every_value_comes_back_as_it_went_in), CASE(null_reads_as_nothing_and_done_twice_is_fine),
      CASE(dollar_ten_is_the_tenth_value_wherever_it_stands), CASE(sums_and_strpos_are_the_same_on_both),
      CASE(text_sorts_by_bytes), CASE(a_query_may_run_inside_the_loop_of_another),
      CASE(a_broken_unique_or_foreign_key_is_a_conflict),
      CASE(a_wrong_statement_is_our_bug_and_is_not_quoted_to_clients), CASE(changed_counts_rows),
      CASE(a_script_is_done_whole_or_not_at_all), CASE(columns_are_listed_by_name),
      CASE(a_transaction_is_kept_whole_or_not_at_all_even_if_a_failure_is_swallowed),
      CASE(a_read_transaction_cannot_write), CASE(a_read_transaction_sees_one_snapshot),
      CASE(a_serialization_failure_runs_the_work_again_at_most_eight_times),
      CASE(a_writer_that_waits_too_long_gives_up), CASE(each_statement_can_be_made_to_fail_and_nothing_is_kept),
      CASE(more_texts_than_the_cache_holds_still_work), CASE(writers_in_several_threads_lose_nothing),
      CASE(a_pool_gives_no_more_than_its_size), CASE(a_pool_in_memory_is_one_database),
      CASE(an_address_that_leads_nowhere_is_an_error), CASE(a_file_that_is_no_database_is_damage),
      CASE(a_database_that_does_not_sort_by_bytes_is_refused),
      CASE(a_lost_server_is_unavailable_and_is_found_again_when_it_is_back),
      CASE(a_server_that_does_not_answer_is_given_up))
