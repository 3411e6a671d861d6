/* Readings out: points, windows, latest values.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/http_internal.h"

#include "kernel/kernel.h"
#include "kernel/rows.h"

#include <stdio.h>
#include <string.h>

#define AROUND          4096 /* bytes of an answer beside its points */
#define RANGE_DEFAULT   INT64_C(86400000)
#define DEVICES_AT_ONCE 1000
#define PIECE_FULL      ((size_t)512 * 1024) /* of an answer that comes in pieces of 4 MiB at most */
#define PAGE_DEVICES    25                   /* of a thousand metrics each at most */
#define CURSOR_MAX      2048

/* ---- the query's words ---- */

enum err http_time(struct ctx *ctx, const struct api_call *call, const char *name, int64_t fallback, int64_t *ret) {
    struct str text;
    TRY(api_query(ctx, call, name, &text));
    *ret = fallback;
    if (text.ptr && !str_to_i64(text, ret) && !civil_read_time(text, ret))
        return FAIL_FIELD(&ctx->fault, name, "bad_type", 0);
    if (*ret < TELEMETRY_FIRST_MS) return FAIL_FIELD(&ctx->fault, name, "too_small", TELEMETRY_FIRST_MS);
    return *ret > TELEMETRY_LAST_MS ? FAIL_FIELD(&ctx->fault, name, "too_large", TELEMETRY_LAST_MS) : OK;
}

static enum err read_every(struct ctx *ctx, const struct api_call *call, struct http_range *r) {
    struct str every, agg;
    TRY(api_query(ctx, call, "every", &every));
    TRY(api_query(ctx, call, "agg", &agg));
    r->has_every = every.ptr != NULL;
    if (r->has_every && !telemetry_every_read(every, &r->every)) return FAIL_FIELD(&ctx->fault, "every", "bad_type", 0);
    for (struct str one; str_cut(&agg, ',', &one);) {
        if (r->aggs_n == TELEMETRY_AGGS_MAX) return FAIL_FIELD(&ctx->fault, "agg", "too_many", TELEMETRY_AGGS_MAX);
        if (!telemetry_agg_read(one, &r->aggs[r->aggs_n++])) return FAIL_FIELD(&ctx->fault, "agg", "bad_choice", 0);
    }
    if (!r->aggs_n) r->aggs_n = 1; /* the mean */
    return OK;
}

enum err http_range_read(struct ctx *ctx, const struct api_call *call, struct http_range *r) {
    struct str format;
    int64_t limit;
    *r = (struct http_range){0};
    TRY(http_time(ctx, call, "to", ctx->now_ms + 1, &r->to_ms)); /* with what comes in right now */
    TRY(http_time(ctx, call, "from", r->to_ms - RANGE_DEFAULT, &r->from_ms));
    if (r->from_ms > r->to_ms) return FAIL_FIELD(&ctx->fault, "to", "not_after", r->from_ms);
    TRY(http_time(ctx, call, "cursor", r->from_ms, &r->from_ms));
    TRY(read_every(ctx, call, r));
    TRY(api_query(ctx, call, "limit", &format));
    limit = TELEMETRY_POINTS_MAX;
    r->has_limit = format.ptr != NULL;
    if (r->has_limit) TRY(http_number(ctx, "limit", format, TELEMETRY_POINTS_MAX, &limit));
    r->limit = (size_t)limit;
    TRY(api_query(ctx, call, "format", &format));
    r->is_csv = str_is(format, "csv");
    if (format.ptr && !r->is_csv && !str_is(format, "json")) return FAIL_FIELD(&ctx->fault, "format", "bad_choice", 0);
    return OK;
}

enum err http_number(struct ctx *ctx, const char *name, struct str text, int64_t most, int64_t *ret) {
    if (!str_to_i64(text, ret)) return FAIL_FIELD(&ctx->fault, name, "bad_type", 0);
    if (*ret < 1) return FAIL_FIELD(&ctx->fault, name, "too_small", 1);
    return *ret > most ? FAIL_FIELD(&ctx->fault, name, "too_large", most) : OK;
}

enum err http_need(struct ctx *ctx, const struct api_call *call, const char *name, struct str *ret) {
    TRY(api_query(ctx, call, name, ret));
    return ret->len ? OK : FAIL_FIELD(&ctx->fault, name, "required", 0);
}

/* ---- answers ---- */

enum err http_open_body(struct ctx *ctx, size_t size, struct buf *ret) {
    size += AROUND;
    char *mem = arena_new(ctx->arena, char, size);
    if (!mem) return FAIL_MEMORY(ctx);
    buf_init(ret, mem, size);
    return OK;
}

enum err http_close_body(struct ctx *ctx, struct buf *b, struct api_answer *ret) {
    struct str text;
    if (!buf_done(b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

/* As `every` says it: "5m", "1h". */
static void put_tier(struct jw *j, int32_t minutes) {
    char text[16];
    bool hours = minutes % 60 == 0;
    snprintf(text, sizeof text, "%d%c", (int)(hours ? minutes / 60 : minutes), hours ? 'h' : 'm');
    jw_kstr(j, "tier", str_of(text));
}

void http_put_points(struct jw *j, const struct telemetry_points *p) {
    jw_key(j, "points");
    jw_open(j, '[');
    for (size_t i = 0; i < p->n; i++) {
        jw_open(j, '[');
        jw_i64(j, p->at_ms[i]);
        for (size_t k = 0; k < p->width; k++) jw_f64(j, p->value[i * p->width + k]);
        jw_close(j, ']');
    }
    jw_close(j, ']');
    jw_key(j, "next");
    if (p->has_next)
        jw_id(j, p->next_ms);
    else
        jw_null(j);
    if (p->damaged) jw_ki64(j, "damaged", (int64_t)p->damaged);
    if (p->rolled_min) put_tier(j, p->rolled_min);
}

/* ---- one series ---- */

struct found { /* what a reader asked for */
    struct telemetry_series series;
    bool exists, has_row;
    struct device device;
    struct str unit;
};

enum err http_check_class(struct ctx *ctx, const struct device *d, const struct telemetry_series *s) {
    bool sees;
    TRY(http_sees(ctx, d, s, &sees));
    return sees ? OK : FAIL(&ctx->fault, ERR_DENIED, "protected", "these readings are protected");
}

static enum err find(struct ctx *ctx, struct telemetry_http *h, int64_t community_id, struct str device,
                     struct str metric, struct found *ret) {
    struct telemetry_series *all;
    size_t n = 0;
    TRY(http_may_read(ctx, community_id, device, &ret->device, &ret->has_row));
    if (!ret->has_row) ret->device.row.community_id = community_id;
    TRY(telemetry_latest(h->telemetry, community_id, &device, 1, metric, ctx->arena, &all, &n, &ctx->fault));
    if (!n && !ret->has_row) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such device");
    ret->series = n ? all[0] : (struct telemetry_series){.number = UINT32_MAX, .metric = metric};
    TRY(http_check_class(ctx, &ret->device, &ret->series));
    return http_unit(ctx, &ret->series, ret->has_row ? &ret->device : NULL, &ret->unit);
}

bool http_is_over(const void *arg) {
    const struct api_call *call = arg;
    return http_peer_left(call->req, api_running(call).options->world);
}

static enum err read_range(struct ctx *ctx, const struct api_call *call, const struct http_range *r,
                           const uint32_t *series, size_t n, int64_t community_id, struct telemetry_points *ret) {
    struct telemetry_http *h = call->arg;
    if (!r->has_every && n == 1)
        return telemetry_range(h->telemetry, series[0], r->from_ms, r->to_ms, r->limit, ctx->arena, ret, &ctx->fault);
    struct telemetry_windows_query q = {.series = series,
                                        .n = n,
                                        .from_ms = r->from_ms,
                                        .to_ms = r->to_ms,
                                        .every = r->every,
                                        .limit = r->limit,
                                        .zone = kernel_zone(ctx, community_id),
                                        .is_over = http_is_over,
                                        .arg = call};
    memcpy(q.aggs, r->aggs, sizeof q.aggs);
    q.aggs_n = r->aggs_n;
    return telemetry_windows(h->telemetry, &q, ctx->arena, ret, &ctx->fault);
}

static enum err answer_csv(struct ctx *ctx, struct telemetry_http *h, const struct http_range *r, int64_t community_id,
                           uint32_t series, struct api_answer *ret) {
    uint32_t *number = arena_new(ctx->arena, uint32_t, 1);
    struct http_table_group *group = arena_new(ctx->arena, struct http_table_group, 1);
    if (!number || !group) return FAIL_MEMORY(ctx);
    *number = series;
    *group = (struct http_table_group){.series = number, .n = 1};
    return http_csv(ctx,
                    &(struct http_table){.telemetry = h->telemetry,
                                         .zone = kernel_zone(ctx, community_id),
                                         .range = *r,
                                         .groups = group,
                                         .groups_n = 1},
                    ret);
}

enum err http_telemetry(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct telemetry_http *h = call->arg;
    struct http_range r;
    struct str device, metric;
    struct found found = {0};
    struct telemetry_points p = {0};
    struct buf b;
    struct jw j;
    int64_t community_id;
    TRY(http_need(ctx, call, "device", &device));
    TRY(http_need(ctx, call, "metric", &metric));
    TRY(http_range_read(ctx, call, &r));
    TRY(http_community(ctx, call, &community_id));
    TRY(find(ctx, h, community_id, device, metric, &found));
    if (r.is_csv) return answer_csv(ctx, h, &r, community_id, found.series.number, ret);
    TRY(read_range(ctx, call, &r, &found.series.number, 1, community_id, &p));
    TRY(http_open_body(ctx, p.n * (HTTP_JSON_POINT + p.width * HTTP_JSON_VALUE), &b));
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kstr(&j, "device", device);
    jw_kstr(&j, "metric", metric);
    jw_kstr(&j, "unit", found.unit.len ? found.unit : (struct str){NULL, 0});
    http_put_points(&j, &p);
    jw_close(&j, '}');
    return http_close_body(ctx, &b, ret);
}

/* ---- latest ---- */

static enum err put_latest(struct ctx *ctx, struct jw *j, const struct telemetry_series *s, const struct device *d) {
    struct str unit;
    TRY(http_unit(ctx, s, d, &unit));
    jw_open(j, '{');
    jw_kstr(j, "device", s->device);
    jw_kstr(j, "metric", s->metric);
    jw_kstr(j, "unit", unit.len ? unit : (struct str){NULL, 0});
    jw_ki64(j, "at_ms", s->latest.at_ms);
    jw_key(j, "value");
    jw_f64(j, s->latest.value);
    jw_ki64(j, "quality", s->latest.quality);
    jw_close(j, '}');
    return OK;
}

static enum err put_device_latest(struct ctx *ctx, struct telemetry_http *h, struct jw *j, int64_t community_id,
                                  struct str code, const struct device *d, bool has_row) {
    struct telemetry_series *all;
    size_t n = 0;
    TRY(telemetry_latest(h->telemetry, community_id, &code, 1, (struct str){NULL, 0}, ctx->arena, &all, &n,
                         &ctx->fault));
    if (!n && !has_row) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such device");
    for (size_t i = 0; i < n; i++) {
        bool sees;
        TRY(http_sees(ctx, d, &all[i], &sees));
        if (!all[i].has_latest || !sees) continue;
        TRY(put_latest(ctx, j, &all[i], has_row ? d : NULL));
    }
    return OK;
}

/* device=A,B,C: those; without: every device whose row the caller may read.  Piece by piece, so that all metrics of
 * thousands of devices are one answer. */
struct latest {
    struct telemetry_http *h;
    int64_t community_id;
    struct str names; /* those that are left; absent: all */
    char cursor[CURSOR_MAX];
    struct jw j;
    bool has_begun;
};

static enum err latest_named(struct ctx *ctx, struct latest *l, const struct buf *b, bool *ret_more) {
    struct str code;
    while (b->len < PIECE_FULL && str_cut(&l->names, ',', &code)) {
        struct device d = {0};
        bool has_row = false;
        TRY(http_may_read(ctx, l->community_id, code, &d, &has_row));
        if (!has_row) d.row.community_id = l->community_id;
        TRY(put_device_latest(ctx, l->h, &l->j, l->community_id, code, &d, has_row));
    }
    *ret_more = l->names.ptr != NULL;
    return OK;
}

static enum err latest_page(struct ctx *ctx, struct latest *l, bool *ret_more) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = PAGE_DEVICES, .filters_n = 1};
    struct db_val community = V_I64(l->community_id);
    struct list_page page;
    struct buf cursor;
    q.filters[0] = (struct filter){FILTER_COMMUNITY, FILTER_IN, &community, 1};
    if (l->cursor[0]) q.cursor = str_of(l->cursor);
    TRY(row_list(ctx, &devices, &q, &page));
    const struct device *all = page.rows;
    for (size_t i = 0; i < page.n; i++)
        TRY(put_device_latest(ctx, l->h, &l->j, l->community_id, all[i].code, &all[i], true));
    *ret_more = page.next.ptr != NULL;
    buf_init(&cursor, l->cursor, sizeof l->cursor);
    buf_str(&cursor, page.next);
    buf_char(&cursor, 0);
    return cursor.overflow ? FAIL_MEMORY(ctx) : OK;
}

static enum err next_latest(struct ctx *ctx, void *state, struct buf *b, bool *ret_more) {
    struct latest *l = state;
    bool is_named = l->names.ptr;
    if (!l->has_begun) {
        jw_init(&l->j, b);
        jw_open(&l->j, '{');
        jw_key(&l->j, "items");
        jw_open(&l->j, '[');
        l->has_begun = true;
    }
    l->j.out = b;
    *ret_more = true;
    while (*ret_more && b->len < PIECE_FULL)
        TRY(is_named ? latest_named(ctx, l, b, ret_more) : latest_page(ctx, l, ret_more));
    if (*ret_more) return OK;
    jw_close(&l->j, ']');
    jw_key(&l->j, "next"); /* there never is more: for those who learned to look */
    jw_null(&l->j);
    jw_close(&l->j, '}');
    return OK;
}

enum err http_latest(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct latest *l = arena_new(ctx->arena, struct latest, 1);
    if (!l) return FAIL_MEMORY(ctx);
    *l = (struct latest){.h = call->arg};
    TRY(api_query(ctx, call, "device", &l->names));
    size_t n = l->names.ptr ? 1 : 0;
    for (size_t i = 0; i < l->names.len; i++) n += l->names.ptr[i] == ',';
    if (n > DEVICES_AT_ONCE) return FAIL_FIELD(&ctx->fault, "device", "too_many", DEVICES_AT_ONCE);
    TRY(http_community(ctx, call, &l->community_id));
    ret->next = next_latest;
    ret->state = l;
    return OK;
}
