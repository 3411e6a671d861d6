/* How the server's files see a connection and a request under way.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_HTTP_INTERNAL_H
#define LINLI_NET_HTTP_INTERNAL_H

#include "net/guests.h"
#include "net/http_parse.h"

struct http_conn;

struct http_server {
    struct loop *loop;
    struct wire_listener *listener;
    struct tls_server *tls;
    struct http_options options; /* defaults filled in */
    struct http_parse_limits limits;
    http_handler *handler;
    void *arg;
    struct guests guests;
    int port;
    bool is_closed;
};

/* A request from its completion until answered.  Only the loop thread looks at conn and changes it; another thread that
 * answers touches `out_*` and hands the exchange over through the task. */
struct http_exchange {
    struct http_message message; /* first: the handler's request points here */
    struct http_conn *conn;      /* NULL: the peer has left */
    struct loop *loop;
    const struct world *world;
    char peer[46];
    bool is_answered;        /* one answer only */
    _Atomic int64_t left_us; /* when its side ended, on the monotonic clock; 0: not yet, -1: the connection is gone */
    bool keep_alive;
    struct loop_task task;
    char *out; /* head and copied body */
    size_t out_len;
    struct bytes out_static;
    /* streams */
    struct http_stream_calls calls;
    bool is_stream, is_ended, is_gone; /* gone: on_close is on its way */
    enum err why;
};

enum http_conn_state { CONN_IDLE, CONN_HEAD, CONN_BODY, CONN_WORKING, CONN_STREAM, CONN_LINGER };

struct http_conn {
    struct wire wire; /* first: the wire is the connection */
    struct http_server *server;
    struct http_parse parse;
    enum http_conn_state state;
    struct http_exchange *exchange;
    char *early; /* bytes that came while a request was under way */
    size_t early_len;
    bool is_feeding, at_eof;
    int64_t deadline_ms, stall_ms; /* on the loop's clock; 0: none */
    uint64_t sent_bytes;           /* at the last look for progress */
    size_t window_bytes;           /* of the body at the window's start */
};

/* http_conn.c */
void http_conn_accept(struct http_server *server, uv_stream_t *from);
void http_conn_send(struct http_conn *conn, struct bytes bytes); /* on failure the connection closes */
void http_conn_close(struct http_conn *conn);
/* The exchange is over: goes on with the next request, or says goodbye. */
void http_conn_next(struct http_conn *conn, bool keep_alive);
void http_server_drop(struct http_server *server, struct http_conn *conn); /* unlinks; the last one frees the server */

/* http_answer.c */
void http_put_head(struct buf *b, const struct http_exchange *x, int status, const struct http_header *headers,
                   size_t headers_n);
size_t http_head_size(const struct http_header *headers, size_t headers_n); /* enough for http_put_head */
bool http_headers_fit(const struct http_header *headers, size_t headers_n);
const char *http_reason(int status);
void http_exchange_free(struct http_exchange *x);

/* http_stream.c */
void http_stream_drained(struct http_exchange *x);
void http_stream_lost(struct http_exchange *x); /* the connection is gone */

#endif
