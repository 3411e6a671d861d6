/* One request as one unit of work: from the loop to a worker and back out.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

void unit_free(struct api_unit *u) {
    struct api *api = u->api;
    if (u->json) json_decref(u->json);
    arena_give(&api->arenas, &u->arena);
    arena_give(&api->arenas, &u->piece);
    free(u);
    atomic_fetch_sub(&api->counters.under_way, 1); /* nothing of the api after this: it may be destroyed */
}

void unit_release(struct api_unit *u) {
    if (atomic_fetch_sub(&u->holds, 1) > 1) return;
    unit_send(u);
    unit_free(u);
}

struct api_unit *api_defer(const struct api_call *call, struct api_answer *ret) {
    atomic_fetch_add(&call->unit->holds, 1);
    ret->later = true;
    return call->unit;
}

/* The worker may still be inside the handler: whoever lets go last sends. */
void api_finish(struct api_unit *unit, const struct api_answer *answer, const struct fault *fault) {
    if (fault)
        problem_fill(unit, fault);
    else
        unit->answer = *answer;
    unit_release(unit);
}

/* ---- what handlers may ask ---- */

struct api_running api_running(const struct api_call *call) {
    const struct api *api = call->unit->api;
    return (struct api_running){&api->o, &api->counters, hub_clients(api->hub)};
}

enum err api_body(struct ctx *ctx, const struct api_call *call, json_t **ret) {
    struct api_unit *u = call->unit;
    struct bytes body = call->req->body;
    if (!http_is_json(call->req))
        return FAIL(&ctx->fault, ERR_INVALID, "unsupported_type", "the body must be application/json");
    if (!u->json) TRY(json_read((struct str){(const char *)body.ptr, body.len}, &u->json, &ctx->fault));
    *ret = u->json;
    return OK;
}

enum err api_query(struct ctx *ctx, const struct api_call *call, const char *name, struct str *ret) {
    if (http_query_get(call->req->query, name, ctx->arena, ret) || !ret->ptr) return OK;
    return FAIL_FIELD(&ctx->fault, name, "bad_text", 0);
}

/* ---- the unit itself ---- */

static enum err no_target(struct api_unit *u) {
    if (u->target.allow[0])
        return FAIL(&u->ctx.fault, ERR_INVALID, "wrong_method", "this address does not know that method");
    return FAIL(&u->ctx.fault, ERR_NOT_FOUND, "not_found", "there is nothing at this address");
}

static enum err run_route(struct api_unit *u, struct api_answer *ret) {
    const struct bound_route *bound = u->target.bound;
    /* Public callers have no name to keep a key under. */
    bool keyed = http_is_write(u->req) && !(bound->route->flags & (API_DEFERS | API_PUBLIC)) &&
                 http_header_get(u->req, "idempotency-key").ptr;
    return bound->rest || keyed ? once(&u->ctx, u, ret) : bound->route->handle(&u->ctx, &u->call, ret);
}

static bool has_flag(const struct api_unit *u, uint32_t flags) {
    return u->target.bound && (u->target.bound->route->flags & flags);
}

static enum err run(struct api_unit *u, struct api_answer *ret) {
    struct ctx *ctx = &u->ctx;
    struct api_identity who = {0};
    bool is_cookie = false, is_public = has_flag(u, API_PUBLIC);
    struct str token = http_token_get(u->req, API_COOKIE, &is_cookie);
    if (ctx->db) TRY(api_identify(ctx, token, &who));
    if (!who.is_known && !is_public) return FAIL(&ctx->fault, ERR_UNAUTHENTICATED, "signed_out", "sign in first");
    if (http_is_write(u->req) && (is_public || is_cookie) && !http_is_same_origin(u->req, is_public))
        return FAIL(&ctx->fault, ERR_DENIED, "cross_site", "a write with a cookie must come from our own pages");
    u->call.user = who.user;
    u->call.token = token;
    return u->target.bound ? run_route(u, ret) : no_target(u);
}

static void fail(struct api_unit *u) {
    if (problem_status(&u->ctx.fault) >= 500)
        log_failure(u->api, str_of(u->trace), "request_failed", &u->ctx.fault, u->ctx.db ? db_detail(u->ctx.db) : "");
    problem_fill(u, &u->ctx.fault);
}

/* True: the answer is decided (u->answer); false: it comes later, and u->answer belongs to whoever gives it. */
static bool decide(struct api_unit *u) {
    struct api *api = u->api;
    struct api_answer answer = {0};
    enum err e = OK;
    ctx_begin(&u->ctx);
    if (!has_flag(u, API_NO_STORE)) e = db_pool_take(api->o.pool, &u->ctx.db, &u->ctx.fault);
    if (!e) e = run(u, &answer);
    if (!answer.later) {
        u->answer = answer;
        if (!e && answer.next) e = stream_next(u, &u->ctx);
        if (e) fail(u);
    }
    if (u->ctx.db) db_pool_give(api->o.pool, u->ctx.db);
    u->ctx.db = NULL;
    return !answer.later;
}

static void work(void *arg) {
    struct api_unit *u = arg;
    if (decide(u) && (u->answer.next || u->answer.join)) {
        u->task = (struct loop_task){.fn = u->answer.join ? stream_join : stream_begin, .arg = u};
        loop_post_task(u->api->o.loop, &u->task);
        return;
    }
    unit_release(u);
}

/* Without memory or a worker. */
static void refuse(struct api *api, const struct http_request *req) {
    struct api_unit u = {.api = api, .req = req, .started_us = api->o.world->mono_us(api->o.world->self)};
    problem_trace(req, api->o.world, u.trace);
    problem_fill(&u, &(struct fault){.kind = ERR_BUSY, .code = "busy", .text = "too many requests are under way"});
    unit_send(&u);
}

static struct api_unit *unit_new(struct api *api, const struct http_request *req) {
    struct api_unit *u = atomic_load(&api->counters.under_way) < API_UNITS_MAX ? calloc(1, sizeof *u) : NULL;
    if (!u) return NULL;
    u->api = api;
    u->req = req;
    u->started_us = api->o.world->mono_us(api->o.world->self);
    atomic_store(&u->holds, 1);
    arena_take(&api->arenas, &u->arena, API_UNIT_BYTES);
    problem_trace(req, api->o.world, u->trace);
    u->ctx =
        (struct ctx){.kernel = api->o.kernel, .arena = &u->arena, .world = api->o.world, .trace = str_of(u->trace)};
    u->call = (struct api_call){.req = req, .unit = u};
    if (target_find(api, req, &u->target)) u->call.arg = u->target.bound->arg;
    memcpy(u->call.args, u->target.args, sizeof u->call.args);
    if (u->target.file_id) u->arena.cap = API_FILE_BYTES + API_UNIT_BYTES;
    atomic_fetch_add(&api->counters.under_way, 1);
    return u;
}

void api_handle(void *arg, const struct http_request *req) {
    struct api *api = arg;
    struct api_unit *u = unit_new(api, req);
    if (u && !loop_work(api->o.loop, work, NULL, u)) return;
    if (u) unit_free(u);
    refuse(api, req);
}

void api_handle_now(struct api *api, const struct http_request *req,
                    void (*told)(void *arg, const struct api_answer *answer), void *arg) {
    static const struct fault not_now = {.kind = ERR_INVALID, .code = "not_at_once"};
    struct api_unit *u = unit_new(api, req);
    if (!u) {
        told(arg, &(struct api_answer){.status = err_http(ERR_BUSY)});
        return;
    }
    bool at_once = !has_flag(u, API_DEFERS) && decide(u) && !u->answer.next && !u->answer.join;
    if (!at_once) problem_fill(u, &not_now);
    if (!u->answer.status) u->answer.status = u->answer.body.len ? 200 : 204;
    unit_count(u, u->answer.status);
    told(arg, &u->answer);
    unit_free(u);
}
