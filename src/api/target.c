/* Where a request goes: routes by hand first, then the resources' own.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include <stdio.h>
#include <string.h>

const char *step_named(const struct resource *r, struct str name) {
    for (size_t i = 0; i < r->steps_n; i++)
        if (str_is(name, r->steps[i].name)) return r->steps[i].name;
    return NULL;
}

/* Do the parts of the address name something? */
static bool args_are_sound(const struct api *api, enum rest_names names, struct target *t) {
    const struct str *args = t->args;
    t->r = kernel_resource(api->o.kernel, args[0]);
    if (!t->r || names == REST_ROWS) return t->r;
    if (!str_to_i64(args[1], &t->id) || t->id <= 0) return false;
    if (names == REST_FILE) return str_to_i64(args[2], &t->file_id) && t->file_id > 0;
    if (names == REST_STEP) t->step = step_named(t->r, args[2]);
    return names != REST_STEP || t->step;
}

/* Is it the method?  Else it is one that the address allows, for the Allow header: "GET, HEAD, POST". */
static bool is_method(const struct http_request *req, const char *method, struct target *t) {
    enum http_method m = req->method == METHOD_HEAD ? METHOD_GET : req->method;
    if (!strcmp(method, http_method_name(m))) return true;
    size_t len = strlen(t->allow);
    snprintf(t->allow + len, sizeof t->allow - len, "%s%s%s", len ? ", " : "", method,
             strcmp(method, "GET") ? "" : ", HEAD");
    return false;
}

bool target_find(const struct api *api, const struct http_request *req, struct target *ret) {
    *ret = (struct target){0};
    for (size_t i = 0; i < api->routes_n; i++) {
        const struct bound_route *b = &api->routes[i];
        if (!http_pattern_matches(b->route->pattern, req->path, ret->args, API_ARGS_MAX) ||
            (b->rest && !args_are_sound(api, b->rest->names, ret)) || !is_method(req, b->route->method, ret))
            continue;
        ret->bound = b;
        return true;
    }
    return false;
}

enum err target_row(struct ctx *ctx, const struct target *t, void **ret) {
    *ret = row_new(ctx, t->r);
    return *ret ? row_get(ctx, t->r, t->id, *ret) : FAIL_MEMORY(ctx);
}

bool api_owns(const struct api *api, struct str path) {
    bool is_route = false;
    for (size_t i = 0; i < api->routes_n; i++) is_route |= str_is(path, api->routes[i].route->pattern);
    return is_route || str_starts(path, S("/api/")) || str_is(path, "/api");
}

size_t api_body_cap(void *arg, const struct http_request *req) {
    struct target t;
    return target_find(arg, req, &t) && t.bound->route->body_max ? t.bound->route->body_max : API_BODY_MAX;
}

/* ---- the table ---- */

struct collect {
    struct api *api;
    struct fault *f;
    void *arg;
    const struct rest_route *rest;
};

static enum err add_route(void *arg, const void *row) {
    struct collect *c = arg;
    struct api *api = c->api;
    const struct api_route *r = row;
    bool known = false;
    for (int m = 0; m < METHOD__COUNT; m++)
        known |= r->method && !strcmp(r->method, http_method_name((enum http_method)m));
    if (!known || !r->handle || !http_pattern_is_sound(r->pattern, API_ARGS_MAX) ||
        ((r->flags & API_NO_STORE) && !(r->flags & API_PUBLIC)))
        return FAIL(c->f, ERR_INTERNAL, "routes", "a route is not well formed: %s", r->pattern ? r->pattern : "");
    for (size_t i = 0; i < api->routes_n; i++)
        if (!strcmp(api->routes[i].route->pattern, r->pattern) && !strcmp(api->routes[i].route->method, r->method))
            return FAIL(c->f, ERR_INTERNAL, "routes", "two routes for %s %s", r->method, r->pattern);
    if (api->routes_n == ROUTES_MAX) return FAIL(c->f, ERR_INTERNAL, "routes", "more than %d routes", ROUTES_MAX);
    api->routes[api->routes_n++] = (struct bound_route){r, c->rest, c->arg};
    return OK;
}

enum err routes_collect(struct api *api, struct fault *f) {
    struct collect c = {.api = api, .f = f};
    TRY(kernel_each(api->o.kernel, &routes, add_route, &c));
    for (size_t w = 0; w < api->o.with_n; w++) {
        const struct api_with *with = &api->o.with[w];
        c.arg = with->arg;
        for (size_t i = 0; i < with->routes_n; i++) TRY(add_route(&c, &with->routes[i]));
    }
    for (size_t i = 0; i < rest_routes_n; i++) {
        c.rest = &rest_routes[i];
        TRY(add_route(&c, &rest_routes[i].route));
    }
    return OK;
}
