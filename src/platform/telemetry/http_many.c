/* Readings of many devices: one figure for all, or one for each device, model or place.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "platform/telemetry/http_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX    ((size_t)1000000) /* of one answer: groups times windows */
#define BODY_MAX      ((size_t)10 << 20)
#define VALUE_BYTES   26
#define GROUP_BYTES   512
#define SCRATCH_BYTES ((size_t)8 << 20) /* one group's windows */
#define TOP_MAX       1000

enum group_by { BY_NOTHING, BY_DEVICE, BY_MODEL, BY_PLACE };
static const char *const group_words[] = {"", "device", "model", "place"};

/* The query, and whom it found. */
struct many {
    struct ctx *ctx;
    const struct api_call *call;
    struct telemetry *telemetry;
    struct http_range range;
    struct str metric;
    int64_t community_id, place_id, top; /* top 0: all */
    enum group_by by;
    struct member { /* a device, in order of its group */
        struct str code, key, name;
    } * members;
    uint32_t *series; /* of the members that have any, in their order */
    struct group {    /* series side by side */
        struct str key, name;
        size_t first, n;
        double rank;
    } * groups;
    size_t members_n, series_n, groups_n;
    size_t budget; /* one for all groups */
};

/* ---- what is asked ---- */

static enum err read_group(struct ctx *ctx, const struct api_call *call, struct many *m) {
    struct str by, top;
    TRY(api_query(ctx, call, "group", &by));
    TRY(api_query(ctx, call, "top", &top));
    while (by.ptr && !str_is(by, group_words[m->by]))
        if (++m->by == COUNT(group_words)) return FAIL_FIELD(&ctx->fault, "group", "bad_choice", 0);
    if (!top.ptr) return OK;
    if (!m->by) return FAIL_FIELD(&ctx->fault, "group", "required", 0);
    return http_number(ctx, "top", top, TOP_MAX, &m->top);
}

static enum err read_place(struct ctx *ctx, const struct api_call *call, int64_t *ret) {
    struct str place;
    TRY(api_query(ctx, call, "place", &place));
    *ret = 0;
    return place.ptr && (!str_to_i64(place, ret) || *ret <= 0) ? FAIL_FIELD(&ctx->fault, "place", "bad_ref", 0) : OK;
}

static enum err read_query(struct many *m, const struct api_call *call) {
    TRY(http_need(m->ctx, call, "metric", &m->metric));
    TRY(http_range_read(m->ctx, call, &m->range));
    if (!m->range.has_every) return FAIL_FIELD(&m->ctx->fault, "every", "required", 0);
    TRY(read_group(m->ctx, call, m));
    if (m->by && m->range.aggs_n > 1) return FAIL_FIELD(&m->ctx->fault, "agg", "too_many", 1);
    TRY(read_place(m->ctx, call, &m->place_id));
    return http_community(m->ctx, call, &m->community_id);
}

/* ---- whom it is about ---- */

#define FROM_DEVICES                                                                                               \
    " FROM devices d LEFT JOIN places p ON p.id = d.place_id WHERE d.community_id = $1 AND d.archived_ms = 0 AND " \
    "d.state <> 'new' AND (CAST($2 AS BIGINT) = 0 OR d.place_id IN (SELECT descendant FROM place_closure WHERE "   \
    "ancestor = CAST($2 AS BIGINT))) ORDER BY 2, d.id LIMIT 20001"

static const char *const member_sql[] = {
    [BY_NOTHING] = "SELECT d.code, '' AS k, ''" FROM_DEVICES,
    [BY_DEVICE] = "SELECT d.code, d.code AS k, d.name" FROM_DEVICES,
    [BY_MODEL] = "SELECT d.code, d.model AS k, d.model" FROM_DEVICES,
    [BY_PLACE] = "SELECT d.code, COALESCE(CAST(d.place_id AS TEXT), '') AS k, COALESCE(p.name, '')" FROM_DEVICES,
};

static enum err find_members(struct many *m) {
    struct ctx *ctx = m->ctx;
    struct db_rows rows = {0};
    size_t cap = 0;
    enum err e =
        db_query(ctx->db, &ctx->fault, member_sql[m->by], VALS(V_I64(m->community_id), V_I64(m->place_id)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        if (m->members_n == cap) {
            struct member *grown = arena_new(ctx->arena, struct member, cap = cap ? cap * 2 : 256);
            if (grown && m->members_n) memcpy(grown, m->members, m->members_n * sizeof *grown);
            m->members = grown;
        }
        struct member *one = m->members ? &m->members[m->members_n++] : NULL;
        if (!one || !arena_str(ctx->arena, db_text(&rows, 0), &one->code) ||
            !arena_str(ctx->arena, db_text(&rows, 1), &one->key) ||
            !arena_str(ctx->arena, db_text(&rows, 2), &one->name))
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    if (!e && m->members_n > TELEMETRY_SERIES_MAX)
        return FAIL(&ctx->fault, ERR_LIMIT, "too_wide", "too many devices at once; name a place");
    return e;
}

static void add_series(struct many *m, const struct member *one, uint32_t series) {
    if (!m->groups_n || !str_eq(m->groups[m->groups_n - 1].key, one->key))
        m->groups[m->groups_n++] = (struct group){.key = one->key, .name = one->name, .first = m->series_n};
    m->groups[m->groups_n - 1].n++;
    m->series[m->series_n++] = series;
}

/* The series of the metric that the caller may see, among the devices found. */
static enum err find_series(struct many *m, uint32_t clear) {
    struct ctx *ctx = m->ctx;
    struct str *codes = arena_new(ctx->arena, struct str, m->members_n + 1);
    m->series = arena_new(ctx->arena, uint32_t, m->members_n + 1);
    m->groups = arena_new(ctx->arena, struct group, m->members_n + 1);
    if (!codes || !m->series || !m->groups) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < m->members_n; i++) codes[i] = m->members[i].code;
    for (size_t at = 0; at < m->members_n; at += TELEMETRY_LATEST_MAX) {
        struct telemetry_series *all;
        size_t n = m->members_n - at < TELEMETRY_LATEST_MAX ? m->members_n - at : TELEMETRY_LATEST_MAX, k = at;
        TRY(telemetry_latest(m->telemetry, m->community_id, codes + at, n, m->metric, ctx->arena, &all, &n,
                             &ctx->fault));
        for (size_t i = 0; i < n; i++) {
            while (!str_eq(codes[k], all[i].device)) k++; /* they come in the order given */
            uint8_t class;
            TRY(http_class(ctx, &all[i], &class));
            if (!(class & ~clear)) add_series(m, &m->members[k], all[i].number);
        }
    }
    return OK;
}

static enum err find(struct many *m) {
    struct ctx *ctx = m->ctx;
    struct device there = {.row.community_id = m->community_id};
    if (!place_allows(ctx, &devices, READ, m->community_id, m->place_id))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not read the devices there");
    if (m->place_id) SET(&devices, &there, place_id, m->place_id);
    TRY(find_members(m));
    return find_series(m, row_clear_classes(ctx, &devices, &there));
}

/* ---- figures ---- */

static struct telemetry_windows_query query_of(struct many *m, size_t first, size_t n) {
    struct telemetry_windows_query q = {.series = m->series + first,
                                        .n = n,
                                        .from_ms = m->range.from_ms,
                                        .to_ms = m->range.to_ms,
                                        .every = m->range.every,
                                        .aggs_n = m->range.aggs_n,
                                        .limit = m->range.limit,
                                        .zone = kernel_zone(m->ctx, m->community_id),
                                        .budget = &m->budget,
                                        .is_over = http_is_over,
                                        .arg = m->call};
    memcpy(q.aggs, m->range.aggs, sizeof q.aggs);
    return q;
}

static int compare_groups(const void *a, const void *b) { /* greatest first, nothing last */
    const struct group *x = a, *y = b;
    if (isnan(x->rank) || isnan(y->rank)) return isnan(x->rank) - isnan(y->rank);
    if (x->rank != y->rank) return x->rank > y->rank ? -1 : 1;
    return str_cmp(x->key, y->key);
}

/* The groups whose figure over the whole range is the greatest. */
static enum err keep_top(struct many *m, struct arena *scratch) {
    if (!m->top) return OK;
    for (size_t i = 0; i < m->groups_n; i++) {
        struct telemetry_points p = {0};
        struct telemetry_windows_query q = query_of(m, m->groups[i].first, m->groups[i].n);
        q.every = (struct telemetry_every){1000000, 'h'}; /* longer than the range: one window */
        arena_reset(scratch);
        TRY(telemetry_windows(m->telemetry, &q, scratch, &p, &m->ctx->fault));
        m->groups[i].rank = p.n ? p.value[0] : NAN;
    }
    qsort(m->groups, m->groups_n, sizeof *m->groups, compare_groups);
    if (m->groups_n > (size_t)m->top) m->groups_n = (size_t)m->top;
    return OK;
}

/* One group's windows, until the next call. */
static enum err read_group_windows(struct many *m, const struct group *g, struct arena *scratch,
                                   struct telemetry_points *ret) {
    struct telemetry_windows_query q = query_of(m, g->first, g->n);
    arena_reset(scratch);
    TRY(telemetry_windows(m->telemetry, &q, scratch, ret, &m->ctx->fault));
    if (ret->n * m->groups_n <= VALUES_MAX) return OK;
    return FAIL(&m->ctx->fault, ERR_LIMIT, "too_wide", "too many windows for so many groups; ask for a shorter time");
}

static void put_group(struct jw *j, const struct group *g, const struct telemetry_points *p) {
    jw_open(j, '{');
    jw_kstr(j, "key", g->key);
    jw_kstr(j, "name", g->name);
    jw_ki64(j, "devices", (int64_t)g->n);
    jw_key(j, "values");
    jw_open(j, '[');
    for (size_t i = 0; i < p->n; i++) jw_f64(j, p->value[i]);
    jw_close(j, ']');
    if (p->damaged) jw_ki64(j, "damaged", (int64_t)p->damaged);
    jw_close(j, '}');
}

/* The windows are the same for all: their starts are said once. */
static enum err put_json(struct many *m, struct buf *b, struct arena *scratch) {
    struct telemetry_points p = {0};
    struct jw j;
    jw_init(&j, b);
    jw_open(&j, '{');
    jw_kstr(&j, "metric", m->metric);
    jw_kcstr(&j, "group", group_words[m->by]);
    jw_key(&j, "groups");
    jw_open(&j, '[');
    for (size_t i = 0; i < m->groups_n; i++) {
        TRY(read_group_windows(m, &m->groups[i], scratch, &p));
        put_group(&j, &m->groups[i], &p);
    }
    jw_close(&j, ']');
    jw_key(&j, "at");
    jw_open(&j, '[');
    for (size_t i = 0; i < p.n; i++) jw_i64(&j, p.at_ms[i]);
    jw_close(&j, ']');
    jw_key(&j, "next");
    if (p.has_next)
        jw_id(&j, p.next_ms);
    else
        jw_null(&j);
    jw_close(&j, '}');
    return OK;
}

static enum err answer_csv(struct many *m, struct api_answer *ret) {
    struct http_table_group *groups = arena_new(m->ctx->arena, struct http_table_group, m->groups_n + 1);
    struct http_table table = {.telemetry = m->telemetry,
                               .zone = kernel_zone(m->ctx, m->community_id),
                               .range = m->range,
                               .by = m->by ? group_words[m->by] : NULL,
                               .groups = groups,
                               .groups_n = m->by ? m->groups_n : 1};
    if (!groups) return FAIL_MEMORY(m->ctx);
    for (size_t i = 0; m->by && i < m->groups_n; i++) {
        const struct group *g = &m->groups[i];
        groups[i] = (struct http_table_group){g->key, g->name, m->series + g->first, g->n};
    }
    if (!m->by) groups[0] = (struct http_table_group){.series = m->series, .n = m->series_n};
    return http_csv(m->ctx, &table, ret);
}

static enum err answer_groups(struct many *m, struct api_answer *ret) {
    struct arena scratch;
    struct buf b;
    int64_t windows = (m->range.to_ms - m->range.from_ms) / telemetry_every_ms(m->range.every) + 2;
    size_t values = (windows < (int64_t)m->range.limit ? (size_t)windows : m->range.limit) * (m->groups_n + 1);
    size_t bytes = values < BODY_MAX / VALUE_BYTES ? values * VALUE_BYTES + m->groups_n * GROUP_BYTES : BODY_MAX;
    arena_init(&scratch, SCRATCH_BYTES);
    enum err e = keep_top(m, &scratch);
    if (!e && m->range.is_csv)
        e = answer_csv(m, ret);
    else if (!e && !(e = http_open_body(m->ctx, bytes, &b)) && !(e = put_json(m, &b, &scratch)))
        e = http_close_body(m->ctx, &b, ret);
    arena_finish(&scratch);
    return e;
}

static enum err answer_one(struct many *m, struct api_answer *ret) {
    struct ctx *ctx = m->ctx;
    struct telemetry_points p = {0};
    struct telemetry_windows_query q = query_of(m, 0, m->series_n);
    struct buf b;
    struct jw j;
    if (m->range.is_csv) return answer_csv(m, ret);
    TRY(telemetry_windows(m->telemetry, &q, ctx->arena, &p, &ctx->fault));
    TRY(http_open_body(ctx, p.n * (HTTP_JSON_POINT + p.width * HTTP_JSON_VALUE), &b));
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kstr(&j, "metric", m->metric);
    jw_ki64(&j, "devices", (int64_t)m->series_n);
    http_put_points(&j, &p);
    jw_close(&j, '}');
    return http_close_body(ctx, &b, ret);
}

enum err http_aggregate(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct telemetry_http *h = call->arg;
    struct many m = {.ctx = ctx, .call = call, .telemetry = h->telemetry, .budget = TELEMETRY_READ_MAX};
    TRY(read_query(&m, call));
    TRY(find(&m));
    return m.by ? answer_groups(&m, ret) : answer_one(&m, ret);
}
