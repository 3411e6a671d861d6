/* Whose readings, and who may: community, rights on the device, units.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/http_internal.h"

#include "kernel/kernel.h"
#include "kernel/rows.h"

#include <string.h>

/* ---- the community ---- */

struct choice {
    int64_t only, only_with_devices;
    size_t n, with_devices_n;
};

static enum err choose(struct ctx *ctx, struct choice *c) {
    struct db_rows rows = {0};
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT c.id, (SELECT COUNT(*) FROM (SELECT 1 FROM devices d WHERE d.community_id = c.id AND "
                          "d.archived_ms = 0 ORDER BY d.id LIMIT 1) x) FROM communities c ORDER BY c.id LIMIT 10000",
                          NO_VALS, &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        int64_t id = db_i64(&rows, 0);
        if (!actor_reaches(&ctx->actor, id, ~UINT64_C(0))) continue;
        c->n++;
        c->only = id;
        if (!db_i64(&rows, 1)) continue;
        c->with_devices_n++;
        c->only_with_devices = id;
    }
    db_done(&rows);
    return e;
}

enum err http_community(struct ctx *ctx, const struct api_call *call, int64_t *ret) {
    struct str code;
    struct choice c = {0};
    bool found = false;
    TRY(api_query(ctx, call, "community", &code));
    if (code.ptr) {
        TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM communities WHERE code = $1 ORDER BY id LIMIT 1",
                       VALS(V_TEXT(code)), ret, &found));
        if (found && actor_reaches(&ctx->actor, *ret, ~UINT64_C(0))) return OK;
        *ret = 0; /* nobody is told whose it would be */
        return FAIL_FIELD(&ctx->fault, "community", "unknown", 0);
    }
    TRY(choose(ctx, &c));
    if (c.n != 1 && c.with_devices_n != 1) return FAIL_FIELD(&ctx->fault, "community", "required", 0);
    *ret = c.n == 1 ? c.only : c.only_with_devices;
    return OK;
}

/* ---- rights ---- */

bool http_may_write(struct ctx *ctx, int64_t community_id, bool *ret_own_only) {
    *ret_own_only = false;
    if (actor_reaches(&ctx->actor, community_id, kernel_roles(ctx->kernel, "admin ingest"))) return true;
    *ret_own_only = actor_reaches(&ctx->actor, community_id, kernel_roles(ctx->kernel, "device"));
    return *ret_own_only;
}

enum err http_may_read(struct ctx *ctx, int64_t community_id, struct str code, struct device *ret, bool *ret_found) {
    TRY(device_by_code(ctx, community_id, code, ret, ret_found));
    int64_t place_id = *ret_found && row_has(&devices, ret, "place_id") ? ret->place_id : 0;
    enum verb verb = *ret_found && ret->state != DEVICE_NEW ? READ : CREATE;
    if (place_allows(ctx, &devices, verb, community_id, place_id)) return OK;
    return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such device");
}

/* ---- what a series is: as it was labelled, and as the rows say until then ---- */

enum err http_unit(struct ctx *ctx, const struct telemetry_series *s, const struct device *d, struct str *ret) {
    struct model_metric m = {0};
    bool found;
    *ret = s->unit;
    if (s->unit.len || !d) return OK;
    TRY(device_metric(ctx, d, s->metric, &m, &found));
    if (found) *ret = m.unit;
    return OK;
}

enum err http_sees(struct ctx *ctx, const struct device *d, const struct telemetry_series *s, bool *ret) {
    uint8_t class;
    TRY(http_class(ctx, s, &class));
    *ret = device_is_clear(ctx, d, class);
    return OK;
}

enum err http_class(struct ctx *ctx, const struct telemetry_series *s, uint8_t *ret) {
    struct device d = {0};
    struct model_metric m = {0};
    bool found;
    *ret = s->class;
    if (s->is_labelled || !s->device.len) return OK;
    TRY(device_by_code(ctx, s->community_id, s->device, &d, &found));
    if (!found) return OK;
    TRY(device_metric(ctx, &d, s->metric, &m, &found));
    if (found) *ret |= (uint8_t)metric_privacy(&m);
    return OK;
}
