/* Long answers: a worker makes each piece in a fresh arena.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "net/pieces.h"

#define PIECE_MAX ((size_t)4 * 1024 * 1024)

enum err stream_next(struct api_unit *u, struct ctx *ctx) {
    struct arena *kept = ctx->arena;
    struct buf b;
    struct str piece;
    if (!u->piece.cap) arena_take(&u->api->arenas, &u->piece, API_UNIT_BYTES + PIECE_MAX);
    arena_reset(&u->piece);
    ctx->arena = &u->piece;
    ctx->rights_cache = NULL;
    buf_init_arena(&b, &u->piece, PIECE_MAX);
    u->more = false;
    enum err e = u->answer.next(ctx, u->answer.state, &b, &u->more);
    if (!e && !buf_done(&b, &piece)) e = FAIL_MEMORY(ctx);
    if (!e) u->first = piece;
    ctx->arena = kept;
    ctx->rights_cache = NULL;
    return e;
}

static bool next(void *arg, struct str *ret) {
    struct api_unit *u = arg;
    const struct api *api = u->api;
    ctx_begin(&u->ctx);
    enum err e = db_pool_take(api->o.pool, &u->ctx.db, &u->ctx.fault);
    if (!e) e = stream_next(u, &u->ctx);
    if (e) {
        /* The status went out long ago: say in the text itself that it is not whole. */
        log_failure(api, str_of(u->trace), "stream_failed", &u->ctx.fault, u->ctx.db ? db_detail(u->ctx.db) : "");
        struct buf b;
        buf_init(&b, u->problem, sizeof u->problem);
        buf_fmt(&b, "\r\n# failed: %s %s\r\n", err_name(e), u->trace);
        u->first = (struct str){u->problem, b.len};
        u->more = false;
    }
    if (u->ctx.db) db_pool_give(api->o.pool, u->ctx.db);
    u->ctx.db = NULL;
    *ret = u->first;
    return u->more;
}

static void done(void *arg) {
    unit_free(arg);
}

void stream_begin(void *arg) {
    struct api_unit *u = arg;
    const struct http_pieces pieces = {
        .first = u->first, .more = u->more, .next = next, .done = done, .arg = u, .cut = S("\r\n# failed: busy\r\n")};
    if (!u->answer.status) u->answer.status = 200;
    size_t n = unit_headers(u, &u->answer);
    const struct http_answer head = {.status = u->answer.status, .headers = u->headers, .headers_n = n};
    if (u->req->method != METHOD_HEAD && !http_pieces_begin(u->api->o.loop, u->req, &head, &pieces)) {
        unit_count(u, head.status);
        return;
    }
    if (u->req->method != METHOD_HEAD) u->answer = (struct api_answer){.status = 503};
    unit_release(u);
}

void stream_join(void *arg) {
    static const struct fault busy = {.kind = ERR_BUSY, .code = "busy", .text = "too many event streams are open"};
    struct api_unit *u = arg;
    u->answer.status = 200;
    size_t n = unit_headers(u, &u->answer);
    if (u->answer.join(u->answer.state, u->req, u->headers, n, &u->arena)) {
        unit_count(u, 200);
        unit_free(u);
        return;
    }
    problem_fill(u, &busy);
    unit_release(u);
}
