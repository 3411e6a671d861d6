/* Readings erased: by those who may take the device away, with a reason, and told in the device's history.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "kernel/rows.h"
#include "platform/telemetry/http_internal.h"

#define REASON_MAX 400

struct erasing {
    struct str device, metric, reason; /* metric absent: all of them */
    int64_t community_id, from_ms, to_ms;
    struct device row;
};

static enum err read_time(struct ctx *ctx, const struct api_call *call, const char *name, int64_t *ret) {
    struct str text;
    TRY(http_need(ctx, call, name, &text));
    return http_time(ctx, call, name, 0, ret);
}

static enum err read_query(struct ctx *ctx, const struct api_call *call, struct erasing *e) {
    TRY(http_need(ctx, call, "device", &e->device));
    TRY(api_query(ctx, call, "metric", &e->metric));
    TRY(read_time(ctx, call, "from", &e->from_ms));
    TRY(read_time(ctx, call, "to", &e->to_ms));
    if (e->to_ms <= e->from_ms) return FAIL_FIELD(&ctx->fault, "to", "not_after", e->from_ms);
    TRY(http_need(ctx, call, "reason", &e->reason));
    if (utf8_count(e->reason) > REASON_MAX) return FAIL_FIELD(&ctx->fault, "reason", "too_long", REASON_MAX);
    return http_community(ctx, call, &e->community_id);
}

static enum err find_device(struct ctx *ctx, struct erasing *e) {
    bool found;
    TRY(http_may_read(ctx, e->community_id, e->device, &e->row, &found));
    if (!found) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such device");
    int64_t place_id = row_has(&devices, &e->row, "place_id") ? e->row.place_id : 0;
    if (place_allows(ctx, &devices, ARCHIVE, e->community_id, place_id)) return OK;
    return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not erase this device's readings");
}

/* Told first: what is erased without a trace would be worse than a trace of what was not. */
static enum err tell(struct ctx *ctx, const struct erasing *e) {
    struct buf b;
    buf_init_arena(&b, ctx->arena, 4 * REASON_MAX + 1024);
    buf_fmt(&b, STR_FMT, STR_ARG(e->reason));
    buf_fmt(&b, " (" STR_FMT " ", STR_ARG(e->metric.ptr ? e->metric : S("*")));
    civil_put_time(&b, NULL, e->from_ms);
    buf_cstr(&b, "/");
    civil_put_time(&b, NULL, e->to_ms);
    buf_char(&b, ')');
    if (!buf_done(&b, &ctx->reason)) return FAIL_MEMORY(ctx);
    return row_note(ctx, &devices, e->row.row.id, "erase");
}

enum err http_erase(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct telemetry_http *h = call->arg;
    struct erasing e = {0};
    struct telemetry_series *all;
    size_t n = 0;
    TRY(read_query(ctx, call, &e));
    TRY(find_device(ctx, &e));
    TRY(telemetry_latest(h->telemetry, e.community_id, &e.device, 1, e.metric, ctx->arena, &all, &n, &ctx->fault));
    if (!n) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there are no such readings");
    for (size_t i = 0; i < n; i++) TRY(http_check_class(ctx, &e.row, &all[i]));
    TRY(tell(ctx, &e));
    for (size_t i = 0; i < n; i++) TRY(telemetry_erase(h->telemetry, all[i].number, e.from_ms, e.to_ms, &ctx->fault));
    ret->status = 204;
    return OK;
}
