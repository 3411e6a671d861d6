/* Readings as CSV, piece by piece: a year of single ones is as whole as a day of windows.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/civil.h"
#include "kernel/kernel.h"
#include "platform/telemetry/http_internal.h"

#include <math.h>
#include <string.h>

#define PAGE_ROWS 8000 /* of a piece, which has 4 MiB: a row of a group has its names */

struct csv {
    struct http_table table;
    size_t group, rows; /* of that group, so far */
    int64_t at_ms;      /* where it goes on */
    size_t budget, damaged;
    bool has_head;
};

/* Nothing where there is no value. */
static void put_value(struct buf *b, double v) {
    char text[40];
    struct buf cell;
    struct jw j;
    struct str s = S("");
    buf_init(&cell, text, sizeof text);
    jw_init(&j, &cell);
    if (isfinite(v)) jw_f64(&j, v);
    (void)!buf_done(&cell, &s);
    buf_str(b, s);
}

static void put_head(const struct http_table *t, struct buf *b) {
    buf_cstr(b, "time");
    if (t->by) buf_fmt(b, ",%s,name", t->by);
    for (size_t k = 0; k < t->range.aggs_n; k++)
        buf_fmt(b, ",%s", t->range.aggs_n > 1 ? telemetry_agg_word(t->range.aggs[k]) : "value");
    buf_cstr(b, "\r\n");
}

static enum err read_page(struct ctx *ctx, struct csv *c, size_t most, struct telemetry_points *ret) {
    const struct http_table *t = &c->table;
    const struct http_table_group *g = &t->groups[c->group];
    size_t left = t->range.limit - c->rows, limit = left < most ? left : most;
    if (!t->range.has_every)
        return telemetry_range(t->telemetry, g->series[0], c->at_ms, t->range.to_ms, limit, ctx->arena, ret,
                               &ctx->fault);
    struct telemetry_windows_query q = {.series = g->series,
                                        .n = g->n,
                                        .from_ms = c->at_ms,
                                        .to_ms = t->range.to_ms,
                                        .every = t->range.every,
                                        .aggs_n = t->range.aggs_n,
                                        .zone = t->zone,
                                        .limit = limit,
                                        .budget = &c->budget};
    memcpy(q.aggs, t->range.aggs, sizeof q.aggs);
    return telemetry_windows(t->telemetry, &q, ctx->arena, ret, &ctx->fault);
}

static void put_rows(const struct csv *c, const struct telemetry_points *p, struct buf *b) {
    const struct http_table *t = &c->table;
    for (size_t i = 0; i < p->n; i++) {
        civil_put_time(b, t->zone, p->at_ms[i]);
        if (t->by) {
            buf_char(b, ',');
            buf_csv(b, t->groups[c->group].key, true);
            buf_char(b, ',');
            buf_csv(b, t->groups[c->group].name, true);
        }
        for (size_t k = 0; k < p->width; k++) {
            buf_char(b, ',');
            put_value(b, p->value[i * p->width + k]);
        }
        buf_cstr(b, "\r\n");
    }
}

static enum err next(struct ctx *ctx, void *state, struct buf *b, bool *ret_more) {
    struct csv *c = state;
    const struct http_table *t = &c->table;
    size_t rows = 0;
    if (!c->has_head) put_head(t, b);
    c->has_head = true;
    while (c->group < t->groups_n && rows < PAGE_ROWS) {
        struct telemetry_points p = {0};
        TRY(read_page(ctx, c, PAGE_ROWS - rows, &p));
        put_rows(c, &p, b);
        rows += p.n;
        c->rows += p.n;
        c->at_ms = p.next_ms;
        c->damaged += p.damaged;
        if (p.has_next && c->rows < t->range.limit) continue;
        c->group++;
        c->rows = 0;
        c->at_ms = t->range.from_ms;
    }
    *ret_more = c->group < t->groups_n;
    if (!*ret_more && c->damaged) buf_fmt(b, "# damaged, not here: %zu\r\n", c->damaged);
    return OK;
}

enum err http_csv(struct ctx *ctx, const struct http_table *table, struct api_answer *ret) {
    struct csv *c = arena_new(ctx->arena, struct csv, 1);
    if (!c) return FAIL_MEMORY(ctx);
    *c = (struct csv){.table = *table, .at_ms = table->range.from_ms, .budget = TELEMETRY_READ_MAX};
    if (!c->table.range.has_limit) c->table.range.limit = SIZE_MAX;
    ret->type = "text/csv; charset=utf-8";
    ret->next = next;
    ret->state = c;
    return OK;
}
