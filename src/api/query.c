/* The query part of a list's address.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "base/civil.h"

#include <stdio.h>

#define LIMIT_DEFAULT  50
#define PARAMETERS_MAX 64
#define VALUE_MAX      4095

static enum err flag(struct ctx *ctx, const char *name, struct str value, bool *ret) {
    *ret = str_is(value, "true");
    return *ret || str_is(value, "false") ? OK : FAIL_FIELD(&ctx->fault, name, "bad_type", 0);
}

enum err limit_parse(struct ctx *ctx, struct str value, int64_t max, size_t *ret) {
    int64_t n;
    if (!str_to_i64(value, &n)) return FAIL_FIELD(&ctx->fault, "limit", "bad_type", 0);
    if (n < 1) return FAIL_FIELD(&ctx->fault, "limit", "too_small", 1);
    if (n > max) return FAIL_FIELD(&ctx->fault, "limit", "too_large", max);
    *ret = (size_t)n;
    return OK;
}

static enum err parameter(struct ctx *ctx, const struct resource *r, struct list_query *q, struct str name,
                          struct str value, bool *ret_csv) {
    if (str_starts(name, S("f."))) return list_filter(ctx, r, q, str_from(name, 2), value);
    if (str_is(name, "limit")) return limit_parse(ctx, value, LIST_LIMIT_MAX, &q->limit);
    if (str_is(name, "sort")) return list_sort(ctx, r, q, value);
    if (str_is(name, "archived")) return flag(ctx, "archived", value, &q->archived);
    if (str_is(name, "total")) return flag(ctx, "total", value, &q->want_total);
    struct str *text = str_is(name, "cursor") ? &q->cursor : str_is(name, "q") ? &q->search : NULL;
    if (text) {
        *text = str_trim(value);
        return OK;
    }
    if (str_is(name, "as_of")) {
        q->has_as_of = civil_read_date(value, &q->as_of);
        return q->has_as_of ? OK : FAIL_FIELD(&ctx->fault, "as_of", "bad_type", 0);
    }
    if (str_is(name, "format")) {
        *ret_csv = str_is(value, "csv");
        return *ret_csv || str_is(value, "json") ? OK : FAIL_FIELD(&ctx->fault, "format", "bad_choice", 0);
    }
    char shown[48];
    snprintf(shown, sizeof shown, STR_FMT, STR_ARG(name));
    return FAIL_FIELD(&ctx->fault, shown, "unknown_field", 0);
}

enum err list_parse(struct ctx *ctx, const struct resource *r, struct str query, struct list_query *ret,
                    bool *ret_csv) {
    struct str name, value;
    *ret = (struct list_query){.sort = FILTER_ID, .limit = LIMIT_DEFAULT, .want_total = true};
    *ret_csv = false;
    for (size_t n = 0; http_query_next(&query, ctx->arena, &name, &value); n++) {
        if (!name.ptr || value.len > VALUE_MAX) return FAIL_FIELD(&ctx->fault, "query", "bad_text", 0);
        if (n == PARAMETERS_MAX)
            return FAIL(&ctx->fault, ERR_INVALID, "too_many", "an address may have %d parameters", PARAMETERS_MAX);
        TRY(parameter(ctx, r, ret, name, value, ret_csv));
    }
    /* Counting is for the first page; later ones would count the same again. */
    if (ret->cursor.len) ret->want_total = false;
    return OK;
}
