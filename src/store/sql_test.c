/* Statements made of parts, and rows as structs; both stores.  SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

#include "store/db_test_internal.h"

#include <string.h>

struct a_row {
    int64_t id, n;
    struct str s;
};
static const struct sql_shape shape =
    SQL_SHAPE(struct a_row, SQL_MEMBER(struct a_row, id), SQL_MEMBER(struct a_row, s), SQL_MEMBER(struct a_row, n));

static void insert(struct t *t, struct db *db, int64_t id, struct db_val n, struct db_val s) {
    struct sql q = sql_new(db, &t->arena, &t->fault);
    int64_t changed = 0;
    sql_put(&q, "INSERT INTO $ (id, n, s) VALUES ($, $, $)", PARTS(Q_NAME("a"), Q_I64(id), Q_VAL(n), Q_VAL(s)));
    CHECK_SAY(t, !sql_exec(&q, &changed) && changed == 1, "%s", db_detail(db));
}

/* "cost: $7": what looks like a part in a value is none. */
static struct str text_of(struct t *t, int64_t id) {
    struct buf b;
    struct str text = {NULL, 0};
    buf_init_arena(&b, &t->arena, 64);
    buf_fmt(&b, "cost: $%lld", (long long)id);
    CHECK(t, buf_done(&b, &text));
    return text;
}

static size_t count_of(struct t *t, struct db *db, const int64_t *ids, size_t n) {
    struct sql q = sql_new(db, &t->arena, &t->fault);
    const int64_t *found;
    size_t found_n = SIZE_MAX;
    sql_put(&q, "SELECT id FROM a WHERE id IN $", PARTS(Q_IDS(ids, n)));
    CHECK_SAY(t, !sql_ids(&q, &found, &found_n), "%s", db_detail(db));
    for (size_t i = 0; i < found_n; i++) CHECK(t, ids_have(ids, n, found[i]));
    return found_n;
}

static void parts_stand_where_they_are_named(struct t *t, struct db *db, const char *url) {
    int64_t ids[100];
    (void)url;
    for (size_t i = 0; i < COUNT(ids); i++) ids[i] = (int64_t)i + 1;
    for (size_t i = 0; i < 20; i++) insert(t, db, ids[i], V_I64((int64_t)i * 10), V_TEXT(text_of(t, ids[i])));
    static const size_t sizes[] = {0, 1, 2, 3, 8, 9, 64, 65, 100};
    for (size_t i = 0; i < COUNT(sizes); i++)
        CHECK(t, count_of(t, db, ids, sizes[i]) == (sizes[i] < 20 ? sizes[i] : 20));
    struct sql q = sql_new(db, &t->arena, &t->fault);
    int64_t id = 0;
    bool found = false;
    sql_add(&q, "SELECT id FROM a WHERE ");
    sql_put(&q, "$ > $ AND s = $ ORDER BY $ $ LIMIT 1",
            PARTS(Q_NAME("n"), Q_I64(45), Q_CSTR("cost: $6"), Q_NAME("n"), Q_NAME("ASC")));
    CHECK_SAY(t, !sql_one_i64(&q, &id, &found) && found && id == 6, "%s", db_detail(db));
}

static void rows_become_structs(struct t *t, struct db *db, const char *url) {
    struct sql q = sql_new(db, &t->arena, &t->fault);
    struct sql_all all;
    (void)url;
    for (int64_t i = 1; i <= 30; i++) /* more than the first room for them */
        insert(t, db, i, i % 2 ? V_I64(-i) : V_NULL, i % 3 ? V_TEXT(text_of(t, i)) : V_NULL);
    sql_add(&q, "SELECT id, s, n FROM a ORDER BY id");
    CHECK_SAY(t, !sql_all(&q, &shape, &all) && all.n == 30, "%s", db_detail(db));
    const struct a_row *rows = all.rows;
    for (size_t i = 0; i < all.n; i++) {
        int64_t id = (int64_t)i + 1;
        CHECK(t, rows[i].id == id && rows[i].n == (id % 2 ? -id : 0));
        CHECK(t, id % 3 ? str_eq(rows[i].s, text_of(t, id)) : !rows[i].s.ptr);
    }
    q = sql_new(db, &t->arena, &t->fault);
    sql_add(&q, "SELECT id, s, n FROM a WHERE id > 1000");
    CHECK(t, !sql_all(&q, &shape, &all) && !all.n);
}

static bool one(struct t *t, struct db *db, const char *column, int64_t id, struct db_val *ret) {
    struct sql q = sql_new(db, &t->arena, &t->fault);
    bool found = false;
    sql_put(&q, "SELECT $ FROM a WHERE id = $", PARTS(Q_NAME(column), Q_I64(id)));
    CHECK_SAY(t, !sql_one(&q, ret, &found), "%s", db_detail(db));
    return found;
}

static void one_value_outlives_its_row(struct t *t, struct db *db, const char *url) {
    static const uint8_t bytes[] = {0, 255, 0, 7};
    struct db_val v;
    (void)url;
    insert(t, db, 1, V_NULL, V_TEXT(S("kept")));
    CHECK(t, !db_exec(db, &t->fault, "UPDATE a SET b = $1", VALS(V_BLOB(((struct bytes){bytes, sizeof bytes}))), NULL));
    CHECK(t, one(t, db, "s", 1, &v) && v.type == DB_TEXT && str_is(v.text, "kept"));
    CHECK(t, one(t, db, "b", 1, &v) && v.type == DB_BLOB && v.blob.len == sizeof bytes &&
                 !memcmp(v.blob.ptr, bytes, sizeof bytes));
    CHECK(t, one(t, db, "id", 1, &v) && v.type == DB_I64 && v.i64 == 1);
    CHECK(t, !one(t, db, "n", 1, &v) && !one(t, db, "s", 2, &v));
}

static void what_is_too_large_does_not_run(struct t *t, struct db *db, const char *url) {
    struct fault f = {0};
    struct arena small;
    struct sql q = sql_new(db, &t->arena, &f);
    struct sql_all all;
    (void)url;
    int64_t before = db_statements(db);
    sql_add(&q, "INSERT INTO a (id) VALUES (1");
    for (size_t i = 0; i <= SQL_VALS_MAX; i++) sql_put(&q, " + $", PARTS(Q_I64(0)));
    sql_add(&q, ")");
    CHECK(t, sql_exec(&q, NULL) == ERR_LIMIT && !strcmp(f.code, "too_much") && db_statements(db) == before);
    for (int64_t i = 1; i <= 40; i++) insert(t, db, i, V_NULL, V_TEXT(text_of(t, i)));
    f = (struct fault){0};
    arena_init(&small, 1024);
    q = sql_new(db, &small, &f);
    sql_add(&q, "SELECT id, s, n FROM a");
    CHECK(t, sql_all(&q, &shape, &all) == ERR_LIMIT && !strcmp(f.code, "too_much"));
    arena_finish(&small);
}

static void parts(struct t *t) {
    on_both(t, parts_stand_where_they_are_named);
}

static void structs(struct t *t) {
    on_both(t, rows_become_structs);
}

static void values(struct t *t) {
    on_both(t, one_value_outlives_its_row);
}

static void bounds(struct t *t) {
    on_both(t, what_is_too_large_does_not_run);
}

TESTS(CASE(parts), CASE(structs), CASE(values), CASE(bounds))
