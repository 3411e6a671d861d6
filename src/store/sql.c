/* The kernel's statement builder.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/sql.h"

#include <string.h>

void sql_init(struct sql *q, struct arena *a) {
    *q = (struct sql){.arena = a};
    buf_init_arena(&q->text, a, SQL_TEXT_MAX);
}

void sql_add(struct sql *q, const char *text) {
    buf_cstr(&q->text, text);
}

void sql_fmt(struct sql *q, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&q->text, fmt, args);
    va_end(args);
}

/* Takes a value in and gives its number, 1-based; 0 when there is no room. */
static size_t take(struct sql *q, struct db_val v) {
    struct db_val *vals = q->n < SQL_VALS_MAX ? arena_grow(q->arena, q->vals, q->n, &q->cap, sizeof v) : NULL;
    if (!vals) {
        q->failed = true;
        return 0;
    }
    q->vals = vals;
    q->vals[q->n++] = v;
    return q->n;
}

void sql_val(struct sql *q, struct db_val v) {
    buf_char(&q->text, '$');
    buf_i64(&q->text, (int64_t)take(q, v));
}

void sql_i64(struct sql *q, int64_t v) {
    sql_add(q, "CAST(");
    sql_val(q, V_I64(v));
    sql_add(q, " AS BIGINT)");
}

void sql_with(struct sql *q, const char *text, struct db_val v) {
    sql_add(q, text);
    if (v.type == DB_I64)
        sql_i64(q, v.i64);
    else
        sql_val(q, v);
}

/* The last one is said again up to a round number: few texts, which a store then has prepared. */
static size_t padded(size_t n) {
    size_t step = n <= 2 ? 1 : n <= 64 ? 8 : 64;
    return (n + step - 1) / step * step;
}

void sql_list(struct sql *q, const int64_t *ids, size_t n) {
    size_t size = padded(n);
    sql_add(q, "(");
    for (size_t i = 0; i < size; i++) {
        if (i) sql_add(q, ", ");
        sql_i64(q, ids[i < n ? i : n - 1]);
    }
    sql_add(q, n ? ")" : "NULL)");
}

void sql_from(struct sql *q, const struct resource *r) {
    sql_fmt(q, r->select ? " FROM (%s) AS t WHERE " : " FROM %s WHERE ", r->select ? r->select : r->name);
}

static enum err ready(struct ctx *ctx, const struct sql *q) {
    if (q->failed || q->text.overflow) return FAIL_MEMORY(ctx);
    return OK;
}

enum err sql_query(struct ctx *ctx, struct sql *q, struct db_rows *ret) {
    TRY(ready(ctx, q));
    return db_query(ctx->db, &ctx->fault, q->text.ptr, q->vals, q->n, ret);
}

enum err sql_one_i64(struct ctx *ctx, struct sql *q, int64_t *ret, bool *ret_found) {
    TRY(ready(ctx, q));
    return db_one_i64(ctx->db, &ctx->fault, q->text.ptr, q->vals, q->n, ret, ret_found);
}

enum err sql_exec(struct ctx *ctx, struct sql *q, int64_t *ret_changed) {
    TRY(ready(ctx, q));
    return db_exec(ctx->db, &ctx->fault, q->text.ptr, q->vals, q->n, ret_changed);
}

enum err sql_ids(struct ctx *ctx, const char *text, const struct db_val *vals, size_t n, struct ids *ret) {
    struct db_rows rows = {0};
    int64_t *ids = NULL;
    size_t count = 0, cap = 0;
    enum err e = db_query(ctx->db, &ctx->fault, text, vals, n, &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        ids = arena_grow(ctx->arena, ids, count, &cap, sizeof *ids);
        if (ids)
            ids[count++] = db_i64(&rows, 0);
        else
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    if (!e) *ret = (struct ids){ids, count};
    return e;
}
