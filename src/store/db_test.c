/* Values, rows and broken rules, on SQLite and on PostgreSQL.  SPDX-License-Identifier: Apache-2.0 */
#include "store/db_test_internal.h"

#include <math.h>
#include <string.h>

#define INSERT_A "INSERT INTO a (id, n, f, s, b) VALUES ($1, $2, $3, $4, $5)"

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

TESTS(CASE(every_value_comes_back_as_it_went_in), CASE(null_reads_as_nothing_and_done_twice_is_fine),
      CASE(dollar_ten_is_the_tenth_value_wherever_it_stands), CASE(sums_and_strpos_are_the_same_on_both),
      CASE(text_sorts_by_bytes), CASE(a_query_may_run_inside_the_loop_of_another),
      CASE(a_broken_unique_or_foreign_key_is_a_conflict),
      CASE(a_wrong_statement_is_our_bug_and_is_not_quoted_to_clients), CASE(changed_counts_rows),
      CASE(a_script_is_done_whole_or_not_at_all), CASE(columns_are_listed_by_name),
      CASE(more_texts_than_the_cache_holds_still_work))
