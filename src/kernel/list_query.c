/* Lists as they are asked for: filters and order from words.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "kernel/kernel_internal.h"
#include "kernel/row_json.h"

struct system_column {
    size_t index;
    const char *name;
};
static const struct system_column system_columns[] = {
    {FILTER_ID, "id"},
    {FILTER_COMMUNITY, "community_id"},
    {FILTER_CREATED, "created_ms"},
    {FILTER_UPDATED, "updated_ms"},
};

const char *list_column(const struct resource *r, size_t index) {
    for (size_t i = 0; i < COUNT(system_columns); i++)
        if (system_columns[i].index == index) return system_columns[i].name;
    return r->fields[index].name;
}

static size_t column_find(const struct resource *r, struct str name) {
    for (size_t i = 0; i < COUNT(system_columns); i++)
        if (str_is(name, system_columns[i].name)) return system_columns[i].index;
    return field_index_str(r, name);
}

/* ---- queries from words ---- */

static enum err filter_value(struct ctx *ctx, const struct resource *r, size_t column, struct str text,
                             struct db_val *ret) {
    if (column < r->fields_n) return field_read_text(ctx, &r->fields[column], r, text, ret);
    int64_t v;
    if (!str_to_i64(text, &v)) return FAIL_FIELD(&ctx->fault, list_column(r, column), "bad_type", 0);
    *ret = V_I64(v);
    return OK;
}

/* A filter's own fault stands under the filter's name, not under that of a field of the row. */
static enum err name_filter(struct ctx *ctx, const char *shown, enum err e) {
    for (size_t i = 0; i < ctx->fault.fields_n; i++)
        snprintf(ctx->fault.fields[i].field, sizeof ctx->fault.fields[i].field, "%s", shown);
    return e;
}

enum err list_filter(struct ctx *ctx, const struct resource *r, struct list_query *q, struct str name,
                     struct str value) {
    static const struct {
        const char *word;
        enum filter_op op;
    } ops[] = {{"gte", FILTER_GTE}, {"gt", FILTER_GT}, {"lte", FILTER_LTE}, {"lt", FILTER_LT}};
    struct str column_word, op_word = name;
    enum filter_op op = FILTER_IN;
    if (!str_cut(&op_word, '.', &column_word)) column_word = name;
    size_t column = column_find(r, column_word);
    char shown[48];
    struct buf b;
    buf_init(&b, shown, sizeof shown);
    buf_fmt(&b, "f." STR_FMT, STR_ARG(utf8_head(column_word, 40)));
    bool known = column != NO_FIELD && q->filters_n < COUNT(q->filters);
    if (known && column < r->fields_n)
        known = r->fields[column].class == ORDINARY && r->fields[column].kind != FIELD_LINES &&
                r->fields[column].kind != FIELD_JSON;
    if (!known) return FAIL_FIELD(&ctx->fault, shown, "not_filterable", 0);
    if (op_word.ptr) {
        size_t i = 0;
        while (i < COUNT(ops) && !str_is(op_word, ops[i].word)) i++;
        if (i == COUNT(ops)) return FAIL_FIELD(&ctx->fault, shown, "bad_choice", 0);
        op = ops[i].op;
    }
    struct filter *f = &q->filters[q->filters_n];
    *f = (struct filter){.field = column, .op = op};
    if (op == FILTER_IN && (str_is(value, "null") || str_is(value, "notnull"))) {
        f->op = str_is(value, "null") ? FILTER_NULL : FILTER_NOT_NULL;
        q->filters_n++;
        return OK;
    }
    struct db_val *vals = arena_new(ctx->arena, struct db_val, 100);
    if (!vals) return FAIL_MEMORY(ctx);
    struct str part;
    bool split = op == FILTER_IN;
    while (split ? str_cut(&value, ',', &part) : f->vals_n == 0) {
        if (!split) part = value;
        if (f->vals_n == 100) return FAIL_FIELD(&ctx->fault, shown, "too_many", 100);
        enum err e = filter_value(ctx, r, column, part, &vals[f->vals_n++]);
        if (e) return name_filter(ctx, shown, e);
    }
    f->vals = vals;
    q->filters_n++;
    return OK;
}

enum err list_sort(struct ctx *ctx, const struct resource *r, struct list_query *q, struct str sort) {
    bool descending = sort.len && sort.ptr[0] == '-';
    size_t column = column_find(r, str_from(sort, descending));
    if (column == NO_FIELD) return FAIL_FIELD(&ctx->fault, "sort", "unknown_field", 0);
    if (column < r->fields_n && !field_is_comparable(&r->fields[column]))
        return FAIL_FIELD(&ctx->fault, "sort", "not_sortable", 0);
    q->sort = column == FILTER_CREATED ? FILTER_ID : column; /* ids are made in the order of time */
    q->ascending = !descending;
    return OK;
}
