/* The api's life.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include <sodium.h>
#include <stdlib.h>

const struct point routes = {"routes", sizeof(struct api_route)};
static const struct api_route own_routes[] = {
    {"GET", "/api/v1/describe", 0, 0, describe_handle, "What the caller may see and do"},
    {"GET", "/api/v1/events", 0, 0, hub_prepare, "Server-sent events; topics=cases.*,alarms.*"},
    {"POST", "/api/v1/files", 0, API_FILE_BYTES, files_upload, "Upload bytes; name=NAME"},
    {"GET", "/api/openapi.json", API_PUBLIC | API_NO_STORE, 0, openapi_handle, "This document"},
};
const struct api_with api_own = {ROWS(routes, own_routes)};

enum err api_create(const struct api_options *options, struct api **ret, struct fault *f) {
    struct api *api = calloc(1, sizeof *api);
    if (!api || sodium_init() < 0) {
        free(api);
        return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    }
    api->o = *options;
    arena_pool_init(&api->arenas);
    enum err e = routes_collect(api, f);
    if (!e && hub_create(api, &api->hub)) e = FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    if (e) {
        api_destroy(api);
        return e;
    }
    *ret = api;
    return OK;
}

static bool is_busy(void *arg) {
    const struct api *api = arg;
    return atomic_load(&api->counters.under_way) > 0 || hub_is_busy(api->hub) || pump_is_busy(api->pump);
}

void api_destroy(struct api *api) {
    if (!api) return;
    if (api->hub) {
        hub_close(api->hub);
        pump_close(api->pump);
        loop_turn_while(api->o.loop, is_busy, api);
    }
    pump_destroy(api->pump);
    hub_destroy(api->hub);
    arena_pool_finish(&api->arenas);
    free(api);
}
