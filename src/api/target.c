/* Where a request goes: routes by hand first, then the resources' own.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include <string.h>

#define SEGMENTS_MAX 8
#define V1           "/api/v1/"

static size_t split(struct str path, struct str *ret, size_t most) {
    struct str rest = str_from(path, 1), part;
    size_t n = 0;
    while (str_cut(&rest, '/', &part)) {
        if (n == most) return most + 1;
        ret[n++] = part;
    }
    return n;
}

static bool pattern_matches(const char *pattern, const struct str *path, size_t path_n, struct str args[API_ARGS_MAX]) {
    struct str rest = str_of(pattern + 1), part;
    size_t n = 0, args_n = 0;
    while (str_cut(&rest, '/', &part)) {
        if (n == path_n) return false;
        if (part.len && part.ptr[0] == '{') {
            if (!path[n].len || args_n == API_ARGS_MAX) return false;
            args[args_n++] = path[n];
        } else if (!str_eq(part, path[n])) {
            return false;
        }
        n++;
    }
    return n == path_n;
}

/* `methods` in the words of the Allow header: "GET, POST". */
static void allow_add(struct target *t, const char *methods) {
    struct buf b;
    size_t len = strlen(t->allow);
    buf_init(&b, t->allow + len, sizeof t->allow - len);
    buf_fmt(&b, "%s%s", len ? ", " : "", methods);
}

static enum rest_kind rest_of_row(const struct http_request *req, struct str word, const struct resource *r,
                                  struct target *t) {
    bool post = req->method == METHOD_POST, get = req->method == METHOD_GET || req->method == METHOD_HEAD;
    if (str_is(word, "history")) {
        allow_add(t, "GET, HEAD");
        return get ? REST_HISTORY : REST_NONE;
    }
    bool restore = str_is(word, "restore"), reveal = str_is(word, "reveal");
    for (size_t i = 0; i < r->steps_n && !t->step; i++)
        if (str_is(word, r->steps[i].name)) t->step = r->steps[i].name;
    if (!restore && !reveal && !t->step) return REST_NONE;
    allow_add(t, "POST");
    return !post ? REST_NONE : restore ? REST_RESTORE : reveal ? REST_REVEAL : REST_STEP;
}

static enum rest_kind rest_kind_of(const struct http_request *req, const struct str *s, size_t n, struct target *t) {
    bool get = req->method == METHOD_GET || req->method == METHOD_HEAD;
    if (n == 1) {
        allow_add(t, "GET, HEAD, POST");
        return get ? REST_LIST : req->method == METHOD_POST ? REST_CREATE : REST_NONE;
    }
    if (!str_to_i64(s[1], &t->id) || t->id <= 0) return REST_NONE;
    if (n == 2) {
        allow_add(t, "GET, HEAD, PATCH, DELETE");
        return get                            ? REST_GET
               : req->method == METHOD_PATCH  ? REST_PATCH
               : req->method == METHOD_DELETE ? REST_ARCHIVE
                                              : REST_NONE;
    }
    if (n == 3) return rest_of_row(req, s[2], t->r, t);
    if (n != 4 || !str_is(s[2], "files") || !str_to_i64(s[3], &t->file_id) || t->file_id <= 0) return REST_NONE;
    allow_add(t, "GET, HEAD");
    return get ? REST_FILE : REST_NONE;
}

bool target_find(const struct api *api, const struct http_request *req, struct target *ret) {
    struct str s[SEGMENTS_MAX], args[API_ARGS_MAX] = {{0}};
    size_t n = split(req->path, s, SEGMENTS_MAX);
    enum http_method method = req->method == METHOD_HEAD ? METHOD_GET : req->method;
    *ret = (struct target){0};
    if (n > SEGMENTS_MAX) return false;
    for (size_t i = 0; i < api->routes_n; i++) {
        const struct api_route *route = api->routes[i].route;
        if (!pattern_matches(route->pattern, s, n, args)) continue;
        if (!strcmp(route->method, http_method_name(method))) {
            ret->bound = &api->routes[i];
            memcpy(ret->args, args, sizeof args);
            return true;
        }
        allow_add(ret, strcmp(route->method, "GET") ? route->method : "GET, HEAD");
    }
    if (n < 3 || !str_starts(req->path, S(V1))) return false;
    ret->r = kernel_resource(api->o.kernel, s[2]);
    if (!ret->r) return false;
    ret->rest = rest_kind_of(req, s + 2, n - 2, ret);
    return ret->rest != REST_NONE;
}

bool api_owns(struct str path) {
    return str_starts(path, S("/api/")) || str_is(path, "/api") || str_is(path, "/healthz") ||
           str_is(path, "/readyz") || str_is(path, "/metrics");
}

size_t api_body_cap(void *arg, const struct http_request *req) {
    struct target t;
    if (!target_find(arg, req, &t) || !t.bound || !t.bound->route->body_max) return API_BODY_MAX;
    return t.bound->route->body_max;
}

/* ---- the table ---- */

struct collect {
    struct api *api;
    struct fault *f;
    void *arg;
};

static bool pattern_is_sound(const char *pattern) {
    size_t args = 0;
    if (!pattern || pattern[0] != '/' || strlen(pattern) > 100) return false;
    for (const char *p = pattern; *p; p++) {
        if (*p != '{') continue;
        const char *end = strchr(p, '}');
        if (p[-1] != '/' || !end || (end[1] && end[1] != '/')) return false;
        if (++args > API_ARGS_MAX) return false;
    }
    return true;
}

static enum err add_route(void *arg, const void *row) {
    struct collect *c = arg;
    struct api *api = c->api;
    const struct api_route *r = row;
    bool known = false;
    for (int m = 0; m < METHOD__COUNT; m++)
        known |= r->method && !strcmp(r->method, http_method_name((enum http_method)m));
    if (!known || !r->handle || !pattern_is_sound(r->pattern) ||
        ((r->flags & API_NO_STORE) && !(r->flags & API_PUBLIC)))
        return FAIL(c->f, ERR_INTERNAL, "routes", "a route is not well formed: %s", r->pattern ? r->pattern : "");
    for (size_t i = 0; i < api->routes_n; i++)
        if (!strcmp(api->routes[i].route->pattern, r->pattern) && !strcmp(api->routes[i].route->method, r->method))
            return FAIL(c->f, ERR_INTERNAL, "routes", "two routes for %s %s", r->method, r->pattern);
    if (api->routes_n == ROUTES_MAX) return FAIL(c->f, ERR_INTERNAL, "routes", "more than %d routes", ROUTES_MAX);
    api->routes[api->routes_n++] = (struct bound_route){r, c->arg};
    return OK;
}

static enum err add_extra(struct collect *c, struct bound_extra extra) {
    if (c->api->extras_n == EXTRAS_MAX)
        return FAIL(c->f, ERR_INTERNAL, "routes", "more than %d checks and figures", EXTRAS_MAX);
    c->api->extras[c->api->extras_n++] = extra;
    return OK;
}

static enum err add_health(void *arg, const void *row) {
    return add_extra(arg, (struct bound_extra){.health = row, .arg = ((struct collect *)arg)->arg});
}

static enum err add_metrics(void *arg, const void *row) {
    return add_extra(arg, (struct bound_extra){.metrics = row, .arg = ((struct collect *)arg)->arg});
}

enum err routes_collect(struct api *api, struct fault *f) {
    struct collect c = {api, f, NULL};
    TRY(kernel_each(api->o.kernel, &routes, add_route, &c));
    TRY(kernel_each(api->o.kernel, &health, add_health, &c));
    TRY(kernel_each(api->o.kernel, &metrics, add_metrics, &c));
    for (size_t w = 0; w < api->o.with_n; w++) {
        const struct api_with *with = &api->o.with[w];
        c.arg = with->arg;
        for (size_t i = 0; i < with->routes_n; i++) TRY(add_route(&c, &with->routes[i]));
        for (size_t i = 0; i < with->healths_n; i++) TRY(add_health(&c, &with->healths[i]));
        for (size_t i = 0; i < with->metrics_n; i++) TRY(add_metrics(&c, &with->metrics[i]));
    }
    c.arg = api;
    for (size_t i = 0; i < builtin_routes_n; i++) TRY(add_route(&c, &builtin_routes[i]));
    return OK;
}
