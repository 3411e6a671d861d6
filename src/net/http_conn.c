/* Owns one HTTP connection: the order of requests on it, its deadlines, its end.  SPDX-License-Identifier: Apache-2.0
 */
#include "net/http_internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EARLY_BYTES 16384 /* kept while a request is under way; then reading rests */
#define LINGER_MS   2000  /* for the peer to read our last answer and close */

static struct http_conn *conn_of(struct wire *wire) {
    return (struct http_conn *)wire;
}

/* ---- deadlines: one timer, set to the nearer of the state's and the sender's ---- */

static void arm(struct http_conn *conn) {
    int64_t at = conn->deadline_ms;
    if (conn->stall_ms && (!at || conn->stall_ms < at)) at = conn->stall_ms;
    int64_t left = at - loop_now_ms(conn->server->loop);
    wire_timer(&conn->wire, !at ? 0 : left > 0 ? left : 1);
}

static void enter(struct http_conn *conn, enum http_conn_state state) {
    const struct http_options *o = &conn->server->options;
    const int64_t limits[] = {
        [CONN_IDLE] = o->idle_ms, [CONN_HEAD] = o->header_ms, [CONN_BODY] = o->body_window_ms,
        [CONN_WORKING] = 0,       [CONN_STREAM] = 0,          [CONN_LINGER] = LINGER_MS,
    };
    conn->state = state;
    conn->window_bytes = conn->parse.message.body_len;
    conn->deadline_ms = limits[state] ? loop_now_ms(conn->server->loop) + limits[state] : 0;
    arm(conn);
}

void http_conn_close(struct http_conn *conn) {
    wire_close(&conn->wire);
}

void http_conn_send(struct http_conn *conn, struct bytes bytes) {
    if (conn->wire.is_closing) return;
    if (!wire_write(&conn->wire, bytes)) {
        http_conn_close(conn);
        return;
    }
    size_t pending = wire_pending(&conn->wire);
    if (!pending || conn->stall_ms) return;
    conn->sent_bytes = conn->wire.out_total - pending;
    conn->stall_ms = loop_now_ms(conn->server->loop) + conn->server->options.write_ms;
    arm(conn);
}

/* Our last word is sent; what the peer still sends is read and dropped, so that no reset overtakes that word. */
static void linger(struct http_conn *conn) {
    if (conn->wire.is_closing) return;
    free(conn->early);
    conn->early = NULL;
    conn->early_len = 0;
    if (conn->at_eof && !wire_pending(&conn->wire)) {
        http_conn_close(conn);
        return;
    }
    wire_shut(&conn->wire);
    wire_read(&conn->wire, true);
    enter(conn, CONN_LINGER);
}

/* The caller's own where the head came so far, else a new one: what a person quotes must be in every error. */
static void make_trace(const struct http_conn *conn, char ret[65]) {
    const struct world *w = conn->server->options.world;
    struct str given = http_trace_get(&conn->parse.message.request);
    uint8_t random[16] = {0};
    struct buf b;
    struct str text;
    buf_init(&b, ret, 65);
    buf_str(&b, given);
    if (w) w->random(w->self, random, sizeof random);
    for (size_t i = 0; i < sizeof random && !given.len; i++) buf_fmt(&b, "%02x", random[i]);
    (void)!buf_done(&b, &text); /* 64 characters at most, both ways */
}

static void refuse(struct http_conn *conn, int status) {
    char text[768], body[384], trace[65]; /* in the form of the other errors a client meets (RFC 9457) */
    make_trace(conn, trace);
    int len =
        snprintf(body, sizeof body,
                 "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"code\":\"%s\",\"detail\":\"%s\","
                 "\"errors\":[],\"trace\":\"%s\"}",
                 http_reason(status), status, status == 413 ? "too_large" : "refused", http_reason(status), trace);
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nX-Request-Id: %s\r\n"
                     "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
                     status, http_reason(status), trace, len, body);
    http_conn_send(conn, (struct bytes){(const uint8_t *)text, (size_t)n});
    linger(conn);
}

/* ---- requests ---- */

static bool keep_early(struct http_conn *conn, struct bytes bytes) {
    if (!bytes.len) return true;
    char *early = realloc(conn->early, conn->early_len + bytes.len);
    if (!early) return false;
    memcpy(early + conn->early_len, bytes.ptr, bytes.len);
    conn->early = early;
    conn->early_len += bytes.len;
    if (conn->early_len >= EARLY_BYTES) wire_read(&conn->wire, false);
    return true;
}

static void on_headers(struct http_conn *conn, struct bytes rest) {
    const struct http_options *o = &conn->server->options;
    const struct http_message *m = &conn->parse.message;
    size_t cap = o->body_cap ? o->body_cap(conn->server->arg, &m->request) : o->body_bytes;
    http_parse_body_cap(&conn->parse, cap);
    bool has_body = m->is_chunked || m->content_length > 0;
    if (m->expects_continue && has_body && !rest.len && !conn->parse.status)
        http_conn_send(conn, (struct bytes){(const uint8_t *)"HTTP/1.1 100 Continue\r\n\r\n", 25});
    enter(conn, CONN_BODY);
}

/* It may still read what is answered soon. */
static void end_side(struct http_exchange *x) {
    if (x->world) atomic_store(&x->left_us, x->world->mono_us(x->world->self));
}

static void on_request(struct http_conn *conn) {
    struct http_exchange *x = calloc(1, sizeof(*x));
    if (!x) {
        refuse(conn, 503);
        return;
    }
    http_parse_take(&conn->parse, &x->message);
    x->conn = conn;
    x->loop = conn->server->loop;
    x->world = conn->server->options.world;
    x->keep_alive = x->message.keep_alive && !conn->at_eof && !conn->server->is_closed;
    memcpy(x->peer, conn->wire.peer, sizeof(x->peer));
    x->message.request.peer = str_of(x->peer);
    x->message.request.is_loopback = conn->wire.is_loopback;
    x->message.request.is_tls = conn->wire.tls != NULL;
    x->message.request.left_us = &x->left_us;
    if (conn->at_eof) end_side(x);
    conn->exchange = x;
    enter(conn, CONN_WORKING);
    conn->server->handler(conn->server->arg, &x->message.request);
}

static bool may_feed(const struct http_conn *conn) {
    return !conn->wire.is_closing && conn->state != CONN_LINGER && !conn->exchange;
}

/* Goes through the bytes until they are used up, a request is under way, or its answer has to drain first (so that a
 * peer that pipelines but does not read cannot pile up answers). */
static struct bytes feed_some(struct http_conn *conn, struct bytes bytes) {
    while (may_feed(conn) && !(conn->state == CONN_IDLE && wire_pending(&conn->wire))) {
        if (conn->state == CONN_IDLE && bytes.len) enter(conn, CONN_HEAD);
        switch (http_parse_feed(&conn->parse, &bytes)) {
        case PARSE_MORE: return bytes;
        case PARSE_HEADERS: on_headers(conn, bytes); break;
        case PARSE_DONE: on_request(conn); break;
        case PARSE_BAD: refuse(conn, conn->parse.status); break;
        }
    }
    return bytes;
}

static void feed(struct http_conn *conn, struct bytes bytes) {
    conn->is_feeding = true;
    bytes = feed_some(conn, bytes);
    conn->is_feeding = false;
    if (conn->wire.is_closing || conn->state == CONN_LINGER) return;
    if (!keep_early(conn, bytes)) http_conn_close(conn);
}

/* Takes up what came early; with nothing left and no more to come, ends. */
static void proceed(struct http_conn *conn) {
    if (!may_feed(conn)) return;
    char *early = conn->early;
    size_t len = conn->early_len;
    conn->early = NULL;
    conn->early_len = 0;
    if (!conn->at_eof) wire_read(&conn->wire, true);
    feed(conn, (struct bytes){(const uint8_t *)early, len});
    free(early);
    if (conn->at_eof && may_feed(conn) && !conn->early_len) linger(conn);
}

void http_conn_next(struct http_conn *conn, bool keep_alive) {
    if (conn->wire.is_closing) return;
    if (!keep_alive || conn->server->is_closed) {
        linger(conn);
        return;
    }
    enter(conn, CONN_IDLE);
    if (!conn->is_feeding) proceed(conn);
}

/* ---- the wire's calls ---- */

static void on_bytes(struct wire *wire, struct bytes bytes) {
    struct http_conn *conn = conn_of(wire);
    if (conn->state == CONN_LINGER) return;
    if (may_feed(conn) && !conn->early_len)
        feed(conn, bytes);
    else if (!keep_early(conn, bytes))
        http_conn_close(conn);
}

static void on_eof(struct wire *wire, enum err why) {
    struct http_conn *conn = conn_of(wire);
    conn->at_eof = true;
    if (conn->exchange) end_side(conn->exchange);
    /* A peer that only closed its half still gets the answer; a stream's reader that says anything has left. */
    bool waits = !why && (conn->state == CONN_WORKING || conn->early_len || wire_pending(wire));
    if (!waits || conn->state == CONN_STREAM) http_conn_close(conn);
}

static void on_drain(struct wire *wire) {
    struct http_conn *conn = conn_of(wire);
    conn->stall_ms = 0;
    arm(conn);
    if (conn->exchange && conn->exchange->is_stream)
        http_stream_drained(conn->exchange);
    else if (conn->state == CONN_LINGER && conn->at_eof)
        http_conn_close(conn);
    else
        proceed(conn);
}

static bool is_stalled(struct http_conn *conn, int64_t now) {
    if (!conn->stall_ms || now < conn->stall_ms) return false;
    uint64_t sent = conn->wire.out_total - wire_pending(&conn->wire);
    if (sent == conn->sent_bytes) return true;
    conn->sent_bytes = sent;
    conn->stall_ms = now + conn->server->options.write_ms;
    return false;
}

static void on_deadline(struct http_conn *conn) {
    size_t got = conn->parse.message.body_len - conn->window_bytes;
    switch (conn->state) {
    case CONN_HEAD: refuse(conn, 408); break;
    case CONN_BODY:
        if (got >= conn->server->options.body_window_bytes)
            enter(conn, CONN_BODY);
        else
            refuse(conn, 408);
        break;
    case CONN_LINGER:
        /* While the rest still moves, is_stalled watches over it. */
        if (conn->stall_ms) {
            enter(conn, CONN_LINGER);
            break;
        }
        http_conn_close(conn);
        break;
    case CONN_IDLE:
    case CONN_WORKING:
    case CONN_STREAM: http_conn_close(conn); break;
    }
}

static void on_timer(struct wire *wire) {
    struct http_conn *conn = conn_of(wire);
    int64_t now = loop_now_ms(conn->server->loop);
    if (is_stalled(conn, now))
        http_conn_close(conn);
    else if (conn->deadline_ms && now >= conn->deadline_ms)
        on_deadline(conn);
    else
        arm(conn);
}

static void on_gone(struct wire *wire) {
    struct http_conn *conn = conn_of(wire);
    struct http_exchange *x = conn->exchange;
    if (x && x->is_stream)
        http_stream_lost(x);
    else if (x)
        x->conn = NULL;
    if (x) atomic_store(&x->left_us, -1);
    http_parse_finish(&conn->parse);
    free(conn->early);
    http_server_drop(conn->server, conn);
    free(conn);
}

static const struct wire_calls wire_calls = {on_bytes, on_eof, on_drain, on_timer, on_gone};

void http_conn_accept(struct http_server *server, uv_stream_t *from) {
    struct http_conn *conn = calloc(1, sizeof(*conn));
    struct tls *tls = server->tls ? tls_create(server->tls) : NULL;
    if (!conn || (server->tls && !tls)) {
        free(conn);
        tls_destroy(tls);
        wire_turn_away(from);
        return;
    }
    conn->server = server;
    http_parse_init(&conn->parse, &server->limits);
    enum err e = wire_accept(&conn->wire, server->loop, from, tls, &wire_calls);
    guests_join(&server->guests, &conn->wire);
    if (e) return;
    struct wire *leaves = guests_too_many(&server->guests, &conn->wire);
    if (leaves == &conn->wire) {
        wire_refuse(leaves);
        return;
    }
    if (leaves) http_conn_close((struct http_conn *)leaves);
    /* The first head has its deadline from the start: a silent peer costs no more than a slow one. */
    enter(conn, CONN_IDLE);
    if (server->options.header_ms < server->options.idle_ms) {
        conn->deadline_ms = loop_now_ms(server->loop) + server->options.header_ms;
        arm(conn);
    }
    wire_read(&conn->wire, true);
}
