/* Owns plain TCP listeners and connections.  SPDX-License-Identifier: Apache-2.0 */
#include "net/tcp.h"

#include "net/guests.h"

#include <stdlib.h>

#define WRITE_QUEUE   (256 * 1024)
#define LAST_WORDS_MS 5000 /* what tcp_close gives the peer to take the rest and close */

struct tcp_conn {
    struct wire wire;              /* first: the wire is the connection */
    struct tcp_listener *listener; /* NULL: we connected */
    struct tcp_calls calls;
    size_t write_queue;
    void *user;
    int64_t idle_ms;
    enum err why;
    bool is_ending;
};
struct tcp_listener {
    struct wire_listener *wire;
    struct loop *loop;
    struct tcp_options options;
    struct tcp_calls calls;
    struct guests guests;
    int port;
    bool is_closed;
};

static void listener_free(struct tcp_listener *listener) {
    if (listener->is_closed && !listener->guests.n) free(listener);
}

static void conn_close(struct tcp_conn *conn, enum err why) {
    if (conn->wire.is_closing) return;
    conn->why = why;
    wire_close(&conn->wire);
}

static void on_bytes(struct wire *wire, struct bytes bytes) {
    struct tcp_conn *conn = (struct tcp_conn *)wire;
    if (conn->is_ending) return;
    wire_timer(wire, conn->idle_ms);
    conn->calls.on_bytes(conn->calls.arg, conn, bytes);
}

static void on_eof(struct wire *wire, enum err why) {
    struct tcp_conn *conn = (struct tcp_conn *)wire;
    (void)why;
    conn_close(conn, conn->is_ending ? OK : ERR_UNAVAILABLE);
}

static void on_drain(struct wire *wire) {
    struct tcp_conn *conn = (struct tcp_conn *)wire;
    if (!conn->is_ending && conn->calls.on_drain) conn->calls.on_drain(conn->calls.arg, conn);
}

static void on_timer(struct wire *wire) {
    struct tcp_conn *conn = (struct tcp_conn *)wire;
    conn_close(conn, conn->is_ending ? OK : ERR_UNAVAILABLE);
}

static void on_gone(struct wire *wire) {
    struct tcp_conn *conn = (struct tcp_conn *)wire;
    struct tcp_listener *listener = conn->listener;
    if (listener) guests_leave(&listener->guests, wire);
    if (!wire->is_refused) conn->calls.on_close(conn->calls.arg, conn, conn->why);
    free(conn);
    if (listener) listener_free(listener);
}

static const struct wire_calls wire_calls = {on_bytes, on_eof, on_drain, on_timer, on_gone};

static void opened(struct tcp_conn *conn, int64_t idle_ms) {
    tcp_idle(conn, idle_ms);
    if (conn->calls.on_open) conn->calls.on_open(conn->calls.arg, conn);
    if (!conn->is_ending) wire_read(&conn->wire, true);
}

static void on_connection(void *owner, uv_stream_t *from) {
    struct tcp_listener *listener = owner;
    struct tcp_conn *conn = calloc(1, sizeof(*conn));
    if (!conn) {
        wire_turn_away(from);
        return;
    }
    conn->listener = listener;
    conn->calls = listener->calls;
    conn->write_queue = listener->options.write_queue;
    enum err e = wire_accept(&conn->wire, listener->loop, from, NULL, &wire_calls);
    guests_join(&listener->guests, &conn->wire);
    if (e) return;
    struct wire *leaves = guests_too_many(&listener->guests, &conn->wire);
    if (leaves == &conn->wire) {
        wire_refuse(leaves);
        return;
    }
    if (leaves) conn_close((struct tcp_conn *)leaves, ERR_LIMIT);
    opened(conn, listener->options.idle_ms);
}

enum err tcp_listen(struct loop *loop, const struct tcp_options *options, const struct tcp_calls *calls,
                    struct tcp_listener **ret, struct fault *fault) {
    struct tcp_listener *listener = calloc(1, sizeof(*listener));
    if (!listener) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    *listener = (struct tcp_listener){.loop = loop, .options = *options, .calls = *calls};
    listener->guests.max = options->connections_max ? options->connections_max : 4096;
    if (!listener->options.write_queue) listener->options.write_queue = WRITE_QUEUE;
    listener->options.bind = NULL; /* not kept */
    enum err e = wire_listen(loop, options->bind, options->port, options->try_next, on_connection, listener,
                             &listener->wire, fault);
    if (e) {
        free(listener);
        return e;
    }
    listener->port = wire_listener_port(listener->wire);
    *ret = listener;
    return OK;
}

static void dialled(struct wire *wire) {
    struct tcp_conn *conn = (struct tcp_conn *)wire;
    opened(conn, conn->idle_ms);
}

enum err tcp_connect(struct loop *loop, const struct tcp_options *options, const struct tcp_calls *calls,
                     struct tcp_conn **ret, struct fault *fault) {
    const char *to = options->bind ? options->bind : "127.0.0.1";
    struct tcp_conn *conn = calloc(1, sizeof(*conn));
    if (!conn) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    conn->calls = *calls;
    conn->write_queue = options->write_queue ? options->write_queue : WRITE_QUEUE;
    conn->idle_ms = options->idle_ms;
    enum err e = wire_dial(&conn->wire, loop, to, options->port, dialled, &wire_calls);
    if (e == ERR_INVALID) free(conn); /* otherwise it goes by on_gone */
    if (e == ERR_INVALID) return FAIL(fault, e, "address", "%s is not a numeric address with a port", to);
    if (e) return FAIL(fault, e, "connect", "the system does not connect to %s port %d", to, options->port);
    wire_timer(&conn->wire, TCP_CONNECT_MS);
    *ret = conn;
    return OK;
}

enum err tcp_open(struct loop *loop, int fd, const char *name, const struct tcp_calls *calls, struct tcp_conn **ret,
                  struct fault *fault) {
    struct tcp_conn *conn = calloc(1, sizeof(*conn));
    if (!conn) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    conn->calls = *calls;
    conn->write_queue = WRITE_QUEUE;
    if (wire_take(&conn->wire, loop, fd, name, &wire_calls)) /* it goes by on_gone */
        return FAIL(fault, ERR_UNAVAILABLE, "open", "the system does not read %s", name);
    *ret = conn;
    opened(conn, 0);
    return OK;
}

int tcp_port(const struct tcp_listener *listener) {
    return listener->port;
}

void tcp_unlisten(struct tcp_listener *listener) {
    if (!listener || listener->is_closed) return;
    listener->is_closed = true;
    wire_unlisten(listener->wire);
    for (struct wire *w = listener->guests.newest; w; w = w->next) conn_close((struct tcp_conn *)w, OK);
    listener_free(listener);
}

enum err tcp_write(struct tcp_conn *conn, struct bytes bytes) {
    if (conn->wire.is_closing || conn->is_ending || conn->wire.on_dialled) return ERR_UNAVAILABLE;
    size_t pending = wire_pending(&conn->wire), cap = conn->write_queue;
    if (bytes.len > cap || pending > cap - bytes.len) {
        conn_close(conn, ERR_LIMIT);
        return ERR_LIMIT;
    }
    if (wire_write(&conn->wire, bytes)) return OK;
    conn_close(conn, ERR_UNAVAILABLE);
    return ERR_UNAVAILABLE;
}

void tcp_pause(struct tcp_conn *conn) {
    wire_read(&conn->wire, false);
    if (!conn->is_ending) wire_timer(&conn->wire, 0);
}

void tcp_resume(struct tcp_conn *conn) {
    if (conn->is_ending) return;
    wire_read(&conn->wire, true);
    wire_timer(&conn->wire, conn->idle_ms);
}

void tcp_idle(struct tcp_conn *conn, int64_t idle_ms) {
    conn->idle_ms = idle_ms;
    if (!conn->is_ending) wire_timer(&conn->wire, idle_ms);
}

void tcp_close(struct tcp_conn *conn) {
    if (conn->wire.is_closing || conn->is_ending) return;
    if (conn->wire.on_dialled) { /* nobody is there yet to say goodbye to */
        conn_close(conn, OK);
        return;
    }
    conn->is_ending = true;
    /* Closing with unread bytes in the kernel would reset the connection and lose our last words: say goodbye and
     * read on until the peer does too. */
    wire_shut(&conn->wire);
    wire_read(&conn->wire, true);
    wire_timer(&conn->wire, LAST_WORDS_MS);
}

void tcp_drop(struct tcp_conn *conn) {
    conn_close(conn, OK);
}

void tcp_set_user(struct tcp_conn *conn, void *user) {
    conn->user = user;
}

void *tcp_user(const struct tcp_conn *conn) {
    return conn->user;
}

struct str tcp_peer(const struct tcp_conn *conn) {
    return str_of(conn->wire.peer);
}
