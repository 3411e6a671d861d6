/* The routes, health and figures of readings.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_http.h"

#include "base/json.h"
#include "base/prometheus.h"
#include "kernel/rows.h"
#include "platform/telemetry/http_internal.h"

#include <stdlib.h>

/* ---- attributes ---- */

static enum err merge(struct ctx *ctx, const struct device *d, json_t *values, struct str *ret, bool *ret_changed) {
    json_t *all = NULL, *value;
    const char *key;
    *ret_changed = false;
    if (d->attributes.len && json_read(d->attributes, &all, &ctx->fault)) ctx->fault = (struct fault){0};
    if (!json_is_object(all)) {
        json_decref(all);
        all = json_object();
    }
    json_object_foreach(values, key, value) {
        if (json_equal(json_object_get(all, key), value)) continue;
        *ret_changed = true;
        json_object_set(all, key, value);
    }
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    bool ok = text && arena_str(ctx->arena, str_of(text), ret);
    free(text);
    json_decref(all);
    return ok ? OK : FAIL_MEMORY(ctx);
}

static enum err keep(struct ctx *ctx, int64_t community_id, struct str code, json_t *values) {
    struct device d = {0};
    bool found, changed;
    int64_t id;
    TRY(device_by_code(ctx, community_id, code, &d, &found));
    if (!found) {
        TRY(device_put_aside(ctx, community_id, code, S("http"), NULL, &id));
        TRY(device_by_code(ctx, community_id, code, &d, &found));
    }
    struct device patch = {0};
    TRY(merge(ctx, &d, values, &patch.attributes, &changed));
    if (!found || !changed) return OK;
    row_set(&devices, &patch, "attributes");
    return row_update(ctx, &devices, d.row.id, d.row.version, &patch,
                      UINT64_C(1) << field_index(&devices, "attributes"), NULL);
}

enum err http_keep_tags(struct ctx *ctx, struct telemetry_http *h, int64_t community_id, struct str device,
                        json_t *values, uint64_t hash) {
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = keep(ctx, community_id, device, values);
    ctx->actor = actor;
    if (!e) atomic_store(&h->seen[hash % TAGS_SEEN], hash);
    return e;
}

/* ---- health and figures ---- */

static bool is_ready(void *arg, struct buf *ret_why) {
    struct telemetry_stats s;
    telemetry_stats(((struct telemetry_http *)arg)->telemetry, &s);
    if (s.is_failing) buf_cstr(ret_why, "readings cannot be stored: the disk is full or failing");
    return !s.is_failing;
}

static void put_figures(void *arg, struct buf *ret) {
    struct telemetry_stats s;
    telemetry_stats(((struct telemetry_http *)arg)->telemetry, &s);
    const struct figure rows[] = {
        {"points_total", "counter", s.points},
        {"batches_total", "counter", s.batches},
        {"groups_total", "counter", s.groups},
        {"refused_total", "counter", s.refused},
        {"disk_errors_total", "counter", s.disk_errors},
        {"damaged_total", "counter", s.damaged},
        {"waiting_batches", "gauge", s.waiting_batches},
        {"devices", "gauge", s.devices},
        {"unknown_devices", "gauge", s.unknown_devices},
        {"series", "gauge", s.series},
        {"chunks", "gauge", s.chunks},
        {"chunk_points", "gauge", s.chunk_points},
        {"head_points", "gauge", s.head_points},
        {"chunk_bytes", "gauge", s.chunk_bytes},
        {"log_bytes", "gauge", s.log_bytes},
    };
    prometheus_figures(ret, "linli_telemetry_", rows, COUNT(rows));
}

/* ---- routes ---- */

#define INGEST_BODY_MAX ((size_t)16 << 20)

static const struct api_route route_rows[] = {
    {"POST", "/api/v1/ingest/line", API_DEFERS, INGEST_BODY_MAX, http_ingest_line,
     "Stores readings in line protocol; answered when they are durable"},
    {"POST", "/api/v1/ingest/json", API_DEFERS, 0, http_ingest_json,
     "Stores a list of readings; answered when they are durable"},
    {"GET", "/api/v1/telemetry", 0, 0, http_telemetry, "Readings of one metric of a device, raw or in windows"},
    {"DELETE", "/api/v1/telemetry", 0, 0, http_erase,
     "Erases readings of a device from a time to a time, with a reason"},
    {"GET", "/api/v1/telemetry/tail", 0, 0, http_tail, "Server-sent events: readings of devices as they come"},
    {"GET", "/api/v1/telemetry/latest", 0, 0, http_latest, "The latest reading of each metric of devices"},
    {"GET", "/api/v1/telemetry/aggregate", 0, 0, http_aggregate, "Windows over one metric of many devices"},
};

struct telemetry_http *telemetry_http_create(struct telemetry *t) {
    struct telemetry_http *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    h->telemetry = t;
    h->tail = tail_create(t);
    if (h->tail) return h;
    free(h);
    return NULL;
}

void telemetry_http_stop(struct telemetry_http *h) {
    if (h) tail_stop(h->tail);
}

void telemetry_http_tell(struct telemetry_http *h, void (*fn)(void *arg, const struct telemetry_post *post),
                         void *arg) {
    h->tell = fn;
    h->tell_arg = arg;
}

void telemetry_http_destroy(struct telemetry_http *h) {
    if (h) tail_destroy(h->tail);
    free(h);
}

struct api_with telemetry_http_with(struct telemetry_http *h) {
    return (struct api_with){.routes = route_rows,
                             .routes_n = COUNT(route_rows),
                             .name = "telemetry",
                             .is_ready = is_ready,
                             .put_figures = put_figures,
                             .arg = h};
}

const struct module telemetry_module = {.name = "telemetry", .part = "platform", .roles = "admin device ingest"};
