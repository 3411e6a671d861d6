/* Lists as they are asked for: filters and order from words.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "kernel/kernel_internal.h"
#include "kernel/row_json.h"

const struct field *list_field(const struct resource *r, size_t index) {
    return index < r->fields_n ? &r->fields[index] : &system_fields[FILTER_ID - index];
}

static size_t column_find(const struct resource *r, struct str name) {
    for (size_t i = 0; i < SYSTEM_FIELDS; i++)
        if ((system_fields[i].flags & COLUMN) && str_is(name, system_fields[i].name)) return FILTER_SYSTEM(i);
    return field_index_str(r, name);
}

/* ---- queries from words ---- */

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
    const struct field *field = column != NO_FIELD ? list_field(r, column) : NULL;
    if (!field || q->filters_n == COUNT(q->filters) || field->class != ORDINARY || field->kind == FIELD_LINES ||
        field->kind == FIELD_JSON)
        return FAIL_FIELD(&ctx->fault, shown, "not_filterable", 0);
    if (op_word.ptr) {
        size_t i = 0;
        while (i < COUNT(ops) && !str_is(op_word, ops[i].word)) i++;
        if (i == COUNT(ops)) return FAIL_FIELD(&ctx->fault, shown, "bad_choice", 0);
        op = ops[i].op;
    }
    struct filter *f = &q->filters[q->filters_n++];
    *f = (struct filter){.field = column, .op = op};
    if (op == FILTER_IN && (str_is(value, "null") || str_is(value, "notnull"))) {
        f->op = str_is(value, "null") ? FILTER_NULL : FILTER_NOT_NULL;
        return OK;
    }
    struct db_val *vals = arena_new(ctx->arena, struct db_val, 100);
    if (!vals) return FAIL_MEMORY(ctx);
    f->vals = vals;
    struct str part;
    bool split = op == FILTER_IN;
    while (split ? str_cut(&value, ',', &part) : f->vals_n == 0) {
        if (!split) part = value;
        if (f->vals_n == 100) return FAIL_FIELD(&ctx->fault, shown, "too_many", 100);
        const char *code = field_read_text(field, r, part, &vals[f->vals_n++]);
        if (code) return FAIL_FIELD(&ctx->fault, shown, code, 0);
    }
    return OK;
}

enum err list_sort(struct ctx *ctx, const struct resource *r, struct list_query *q, struct str sort) {
    bool descending = sort.len && sort.ptr[0] == '-';
    size_t column = column_find(r, str_from(sort, descending));
    if (column == NO_FIELD) return FAIL_FIELD(&ctx->fault, "sort", "unknown_field", 0);
    if (!field_is_comparable(list_field(r, column))) return FAIL_FIELD(&ctx->fault, "sort", "not_sortable", 0);
    q->sort = column == FILTER_CREATED ? FILTER_ID : column; /* ids are made in the order of time */
    q->ascending = !descending;
    return OK;
}
