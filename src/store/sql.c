/* Statements made of parts, and rows as structs.  SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

#include <assert.h>
#include <string.h>

struct sql sql_new(struct db *db, struct arena *a, struct fault *f) {
    struct sql q = {.db = db, .arena = a, .fault = f};
    buf_init_arena(&q.text, a, SQL_TEXT_MAX);
    return q;
}

void sql_add(struct sql *q, const char *text) {
    buf_cstr(&q->text, text);
}

/* Integers are cast: PostgreSQL does not infer the type of every $n. */
static void put_val(struct sql *q, struct db_val v) {
    struct db_val *vals = q->n < SQL_VALS_MAX ? arena_grow(q->arena, q->vals, q->n, &q->cap, sizeof v) : NULL;
    if (!vals) {
        q->failed = true;
        return;
    }
    q->vals = vals;
    q->vals[q->n++] = v;
    sql_add(q, v.type == DB_I64 ? "CAST($" : "$");
    buf_i64(&q->text, (int64_t)q->n);
    if (v.type == DB_I64) sql_add(q, " AS BIGINT)");
}

/* The last one is said again up to a round number: few texts, which a store then has prepared. */
static size_t padded(size_t n) {
    size_t step = n <= 2 ? 1 : n <= 64 ? 8 : 64;
    return (n + step - 1) / step * step;
}

static void put_ids(struct sql *q, const int64_t *ids, size_t n) {
    size_t size = padded(n);
    for (size_t i = 0; i < size; i++) {
        sql_add(q, i ? ", " : "(");
        put_val(q, V_I64(ids[i < n ? i : n - 1]));
    }
    sql_add(q, n ? ")" : "(NULL)");
}

static void put_part(struct sql *q, const struct sql_part *p) {
    switch (p->kind) {
    case SQL_NAME: sql_add(q, p->name); return;
    case SQL_VAL: put_val(q, p->val); return;
    case SQL_IDS: put_ids(q, p->ids, p->n); return;
    }
}

void sql_put(struct sql *q, const char *text, const struct sql_part *parts, size_t n) {
    size_t used = 0;
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "$");
        buf_add(&q->text, at, plain);
        at += plain;
        if (!*at) break;
        assert(used < n);
        put_part(q, &parts[used++]);
        at++;
    }
    assert(used == n);
}

/* ---- running ---- */

static enum err no_memory(struct sql *q) {
    return FAIL(q->fault, ERR_LIMIT, "too_much", "this needs more memory than one request may use");
}

static enum err ready(struct sql *q) {
    return q->failed || q->text.overflow ? no_memory(q) : OK;
}

enum err sql_query(struct sql *q, struct db_rows *ret) {
    TRY(ready(q));
    return db_query(q->db, q->fault, q->text.ptr, q->vals, q->n, ret);
}

enum err sql_exec(struct sql *q, int64_t *ret_changed) {
    TRY(ready(q));
    return db_exec(q->db, q->fault, q->text.ptr, q->vals, q->n, ret_changed);
}

enum err sql_one_i64(struct sql *q, int64_t *ret, bool *ret_found) {
    TRY(ready(q));
    return db_one_i64(q->db, q->fault, q->text.ptr, q->vals, q->n, ret, ret_found);
}

enum err sql_one(struct sql *q, struct db_val *ret, bool *ret_found) {
    struct db_rows rows = {0};
    enum err e = sql_query(q, &rows);
    struct db_val v = db_more(&rows, q->fault, &e) ? db_col(&rows, 0) : V_NULL;
    bool fits = true;
    if (v.type == DB_TEXT) fits = arena_str(q->arena, v.text, &v.text);
    if (v.type == DB_BLOB) {
        struct str copy = {(const char *)v.blob.ptr, v.blob.len};
        fits = arena_str(q->arena, copy, &copy);
        v.blob.ptr = (const uint8_t *)copy.ptr;
    }
    db_done(&rows);
    *ret = v;
    *ret_found = v.type != DB_NULL;
    return e || fits ? e : no_memory(q);
}

/* ---- rows as structs ---- */

static bool read_row(struct sql *q, const struct sql_shape *shape, const struct db_rows *rows, char *into) {
    for (size_t i = 0; i < shape->n; i++) {
        void *at = into + shape->members[i].at;
        if (shape->members[i].type == DB_I64)
            *(int64_t *)at = db_i64(rows, i);
        else if (!arena_str(q->arena, db_text(rows, i), at))
            return false;
    }
    return true;
}

enum err sql_all(struct sql *q, const struct sql_shape *shape, struct sql_all *ret) {
    struct db_rows rows = {0};
    size_t cap = 0;
    *ret = (struct sql_all){0};
    enum err e = sql_query(q, &rows);
    while (db_more(&rows, q->fault, &e)) {
        char *all = arena_grow(q->arena, ret->rows, ret->n, &cap, shape->size);
        if (!all || !read_row(q, shape, &rows, all + ret->n * shape->size)) {
            e = no_memory(q);
            break;
        }
        ret->rows = all;
        ret->n++;
    }
    db_done(&rows);
    return e;
}

enum err sql_ids(struct sql *q, const int64_t **ret, size_t *ret_n) {
    static const struct sql_member id = {0, DB_I64};
    struct sql_all all;
    TRY(sql_all(q, &(struct sql_shape){sizeof(int64_t), &id, 1}, &all));
    *ret = all.rows;
    *ret_n = all.n;
    return OK;
}
