/* Long answers in pieces: a worker makes one, the loop sends it, and only then the next is made, so that a slow reader
 * costs neither memory nor a worker.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include <stdlib.h>

#define PIECE_MAX ((size_t)4 * 1024 * 1024)
#define SLICE_MAX ((size_t)64 * 1024) /* handed to the socket at once */

struct stream {
    struct api_unit *u;
    struct http_stream *http; /* NULL once closed */
    bool is_working, is_sending;
};

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

static void work(void *arg) {
    struct stream *s = arg;
    struct api_unit *u = s->u;
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
}

static void done(void *arg);

static void finish(struct stream *s) {
    if (s->http || s->is_working) return;
    unit_free(s->u);
    free(s);
}

static void send_on(struct stream *s) {
    struct api_unit *u = s->u;
    if (!s->http || s->is_working || s->is_sending) return;
    s->is_sending = true; /* on_drain may come from within the write */
    while (u->first.len && !http_stream_pending(s->http)) {
        size_t n = u->first.len < SLICE_MAX ? u->first.len : SLICE_MAX;
        if (http_stream_write(s->http, (struct bytes){(const uint8_t *)u->first.ptr, n})) break; /* on_close follows */
        u->first = str_from(u->first, n);
    }
    s->is_sending = false;
    if (u->first.len || http_stream_pending(s->http)) return;
    if (!u->more) {
        http_stream_end(s->http);
    } else {
        s->is_working = true;
        if (loop_work(u->api->o.loop, work, done, s)) {
            static const char cut[] = "\r\n# failed: busy\r\n";
            s->is_working = false;
            u->more = false;
            if (!http_stream_write(s->http, (struct bytes){(const uint8_t *)cut, sizeof cut - 1}))
                http_stream_end(s->http);
        }
    }
}

static void done(void *arg) {
    struct stream *s = arg;
    s->is_working = false;
    if (s->http)
        send_on(s);
    else
        finish(s);
}

static void on_drain(void *arg) {
    send_on(arg);
}

static void on_close(void *arg, enum err why) {
    struct stream *s = arg;
    (void)why;
    s->http = NULL;
    finish(s);
}

void stream_begin(void *arg) {
    struct api_unit *u = arg;
    struct stream *s = calloc(1, sizeof *s);
    if (!u->answer.status) u->answer.status = 200;
    if (!s || u->req->method == METHOD_HEAD) {
        if (!s) u->answer = (struct api_answer){.status = 503};
        free(s);
        unit_release(u);
        return;
    }
    s->u = u;
    size_t n = unit_headers(u, &u->answer);
    unit_count(u, u->answer.status);
    s->http = http_stream_begin(u->req, u->answer.status, u->headers, n,
                                &(struct http_stream_calls){.on_drain = on_drain, .on_close = on_close, .arg = s});
    send_on(s);
}
