/* Fuzzes what a caller may ask of readings: any query string is refused by field, or its points and windows come within
 * their bounds.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/http_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS INT64_C(1790000000000)
#define POINTS 2000

static void must(bool ok) {
    if (!ok) abort();
}

static struct telemetry *store;
static struct world_sim sim = {.seed = 1, .utc_ms = NOW_MS};
static struct world world;

/* Two series over three weeks, sealed in part, a month of them rolled up. */
static void fill(void) {
    static struct telemetry_point points[POINTS];
    static struct io io;
    struct fault f = {0};
    io = io_sim_io(io_sim_create(1));
    world = world_sim(&sim);
    const struct telemetry_options o = {.io = &io, .world = &world, .dir = "d", .threadless = true, .seal_at = 300};
    must(!telemetry_open(&o, &store, &f));
    for (size_t i = 0; i < POINTS; i++)
        points[i] = (struct telemetry_point){.device = i % 2 ? S("a") : S("b"),
                                             .metric = S("m"),
                                             .value = (double)i / 10,
                                             .at_ms = NOW_MS - (int64_t)(POINTS - i) * 900000};
    must(!telemetry_put_wait(store, &(struct telemetry_batch){1, points, POINTS}, NULL, &f));
    while (telemetry_step(store)) continue;
}

static void ask(struct arena *a, const struct http_range *r) {
    struct telemetry_points p = {0};
    struct fault f = {0};
    const uint32_t both[2] = {0, 1};
    must(r->from_ms <= r->to_ms || r->limit > 0);
    if (!r->has_every) {
        must(!telemetry_range(store, 0, r->from_ms, r->to_ms, r->limit, a, &p, &f) || f.kind == ERR_LIMIT);
        must(p.n <= POINTS && p.n <= r->limit);
        return;
    }
    struct telemetry_windows_query q = {.series = both,
                                        .n = 1 + r->limit % 2,
                                        .from_ms = r->from_ms,
                                        .to_ms = r->to_ms,
                                        .every = r->every,
                                        .aggs_n = r->aggs_n,
                                        .limit = r->limit};
    memcpy(q.aggs, r->aggs, sizeof q.aggs);
    enum err e = telemetry_windows(store, &q, a, &p, &f);
    must(!e || e == ERR_LIMIT);
    must(p.n <= r->limit);
    for (size_t i = 1; i < p.n; i++) must(p.at_ms[i] > p.at_ms[i - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct http_range r;
    if (size > 1000) return 0;
    if (!store) fill();
    arena_init(&arena, (size_t)8 << 20);
    const struct http_request req = {.query = {(const char *)data, size}};
    struct ctx ctx = {.arena = &arena, .world = &world, .now_ms = NOW_MS};
    const struct api_call call = {.req = &req};
    if (http_range_read(&ctx, &call, &r))
        must(ctx.fault.fields_n == 1);
    else
        ask(&arena, &r);
    arena_finish(&arena);
    return 0;
}
