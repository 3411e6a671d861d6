/* Owns answers of unknown length: events and exports, with a bounded queue.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_OVERHEAD 24 /* hexadecimal length, line ends, NUL */

/* The public name of an exchange that streams. */
static struct http_exchange *exchange_of(const struct http_stream *stream) {
    return (struct http_exchange *)(uintptr_t)stream;
}

static void close_now(void *arg) {
    struct http_exchange *x = arg;
    struct http_conn *conn = x->conn;
    bool keep_alive = x->keep_alive;
    x->calls.on_close(x->calls.arg, x->why);
    if (conn) conn->exchange = NULL;
    http_exchange_free(x);
    if (conn) http_conn_next(conn, keep_alive);
}

static void close_soon(struct http_exchange *x, enum err why) {
    if (x->is_gone) return;
    x->is_gone = true;
    x->why = why;
    x->task = (struct loop_task){.fn = close_now, .arg = x};
    loop_post_task(x->loop, &x->task);
}

void http_stream_lost(struct http_exchange *x) {
    x->conn = NULL;
    close_soon(x, x->why ? x->why : ERR_UNAVAILABLE);
}

void http_stream_drained(struct http_exchange *x) {
    if (x->is_ended)
        close_soon(x, OK);
    else if (x->calls.on_drain)
        x->calls.on_drain(x->calls.arg);
}

static bool is_chunked(const struct http_exchange *x) {
    return !x->message.is_v10 && x->message.request.method != METHOD_HEAD;
}

static bool send_head(struct http_exchange *x, int status, const struct http_header *headers, size_t headers_n) {
    size_t size = http_head_size(headers, headers_n);
    char *mem = malloc(size);
    if (!mem || !http_headers_fit(headers, headers_n)) {
        free(mem);
        return false;
    }
    struct buf b;
    buf_init(&b, mem, size);
    http_put_head(&b, x, status, headers, headers_n);
    if (!x->message.is_v10) buf_cstr(&b, "Transfer-Encoding: chunked\r\n");
    buf_cstr(&b, "\r\n");
    assert(!b.overflow);
    http_conn_send(x->conn, (struct bytes){(const uint8_t *)mem, b.len});
    free(mem);
    return true;
}

struct http_stream *http_stream_begin(const struct http_request *req, int status, const struct http_header *headers,
                                      size_t headers_n, const struct http_stream_calls *calls) {
    struct http_exchange *x = (struct http_exchange *)(uintptr_t)req; /* ours: the handler only borrowed it */
    assert(!x->is_answered && !x->is_stream && loop_is_here(x->loop));
    x->is_stream = true;
    x->calls = *calls;
    if (x->message.is_v10) x->keep_alive = false;
    if (!x->conn) {
        close_soon(x, ERR_UNAVAILABLE);
    } else {
        x->conn->state = CONN_STREAM;
        if (!send_head(x, status, headers, headers_n) || x->conn->at_eof) http_conn_close(x->conn);
    }
    return (struct http_stream *)x;
}

enum err http_stream_write(struct http_stream *stream, struct bytes bytes) {
    struct http_exchange *x = exchange_of(stream);
    if (!x->conn || x->is_ended || x->is_gone || x->conn->wire.is_closing) return ERR_UNAVAILABLE;
    if (!bytes.len || x->message.request.method == METHOD_HEAD) return OK;
    size_t cap = x->conn->server->options.stream_queue, pending = wire_pending(&x->conn->wire);
    if (bytes.len > cap || pending > cap - bytes.len) {
        x->why = ERR_LIMIT;
        http_conn_close(x->conn);
        return ERR_LIMIT;
    }
    if (!is_chunked(x)) {
        http_conn_send(x->conn, bytes);
    } else {
        char *mem = malloc(bytes.len + CHUNK_OVERHEAD);
        if (!mem) return ERR_INTERNAL;
        size_t head = (size_t)snprintf(mem, CHUNK_OVERHEAD, "%zx\r\n", bytes.len);
        memcpy(mem + head, bytes.ptr, bytes.len);
        memcpy(mem + head + bytes.len, "\r\n", 2);
        http_conn_send(x->conn, (struct bytes){(const uint8_t *)mem, head + bytes.len + 2});
        free(mem);
    }
    return x->conn->wire.is_closing ? ERR_UNAVAILABLE : OK;
}

size_t http_stream_pending(const struct http_stream *stream) {
    const struct http_exchange *x = exchange_of(stream);
    return x->conn ? wire_pending(&x->conn->wire) : 0;
}

void http_stream_end(struct http_stream *stream) {
    struct http_exchange *x = exchange_of(stream);
    if (x->is_ended || x->is_gone || !x->conn) return;
    x->is_ended = true;
    if (is_chunked(x)) http_conn_send(x->conn, (struct bytes){(const uint8_t *)"0\r\n\r\n", 5});
    if (!x->conn->wire.is_closing && !wire_pending(&x->conn->wire)) close_soon(x, OK);
}
