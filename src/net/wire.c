/* Owns sockets: accepting, reading, queued writing, closing; TLS in between where asked for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/wire.h"

#include "base/utf8.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_TRIES   101
#define LISTEN_QUEUE 1024
#define REST_MS      1 /* at least so long for WIRE_ACCEPTS of them */

struct out {
    uv_write_t req;
    struct wire *wire;
    char bytes[];
};

struct wire_listener {
    uv_tcp_t tcp;
    void (*fn)(void *owner, uv_stream_t *from);
    void *owner;
    int port;
    uv_tcp_t turned; /* a peer on his way out */
    uv_timer_t rest; /* runs since the first of `taken` */
    unsigned taken, handles;
    bool is_turning, waits, is_resting;
};

static void on_handle_gone(uv_handle_t *handle) {
    struct wire *wire = handle->data;
    if (--wire->handles) return;
    tls_destroy(wire->tls);
    wire->tls = NULL;
    wire->calls->on_gone(wire);
}

size_t wire_pending(const struct wire *wire) {
    return wire->is_closing ? 0 : uv_stream_get_write_queue_size((const uv_stream_t *)&wire->tcp);
}

static void on_written(uv_write_t *req, int status) {
    struct out *out = (struct out *)req;
    struct wire *wire = out->wire;
    free(out);
    if (wire->is_closing) return;
    if (status) {
        wire->is_broken = true;
        wire->calls->on_eof(wire, ERR_UNAVAILABLE);
    } else if (!wire_pending(wire)) {
        wire->calls->on_drain(wire);
    }
}

static bool send_raw(struct wire *wire, struct bytes bytes) {
    if (wire->is_closing || wire->is_broken || wire->on_dialled) return false;
    uv_stream_t *stream = (uv_stream_t *)&wire->tcp;
    wire->out_total += bytes.len;
    size_t done = 0;
    if (!wire_pending(wire)) {
        /* libuv's buffers are not const; it only reads them. */
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes.ptr, (unsigned)bytes.len);
        int n = uv_try_write(stream, &buf, 1);
        if (n < 0 && n != UV_EAGAIN) return !(wire->is_broken = true);
        if (n > 0) done = (size_t)n;
        if (done == bytes.len) return true;
    }
    struct out *out = malloc(sizeof(*out) + bytes.len - done);
    if (!out) return !(wire->is_broken = true);
    out->wire = wire;
    memcpy(out->bytes, bytes.ptr + done, bytes.len - done);
    uv_buf_t buf = uv_buf_init(out->bytes, (unsigned)(bytes.len - done));
    if (uv_write(&out->req, stream, &buf, 1, on_written)) {
        free(out);
        return !(wire->is_broken = true);
    }
    return true;
}

static bool flush_tls(struct wire *wire) {
    struct bytes out = tls_out(wire->tls);
    bool ok = !out.len || send_raw(wire, out);
    tls_out_done(wire->tls);
    return ok;
}

bool wire_write(struct wire *wire, struct bytes bytes) {
    if (!bytes.len) return !wire->is_broken;
    if (!wire->tls) return send_raw(wire, bytes);
    return tls_write(wire->tls, bytes) && flush_tls(wire);
}

/* The owner may close the wire from within on_bytes: look after every call. */
static void read_tls(struct wire *wire, struct bytes cipher) {
    char plain[16384];
    int n = -1;
    if (tls_feed(wire->tls, cipher))
        while ((n = tls_read(wire->tls, plain, sizeof(plain))) > 0) {
            wire->calls->on_bytes(wire, (struct bytes){(const uint8_t *)plain, (size_t)n});
            if (wire->is_closing) return;
        }
    bool is_sent = flush_tls(wire); /* handshake, alerts */
    if (n < 0 || !is_sent) wire->calls->on_eof(wire, n == -2 ? OK : ERR_UNAVAILABLE);
}

static void on_alloc(uv_handle_t *handle, size_t want, uv_buf_t *ret) {
    (void)want;
    struct wire *wire = handle->data;
    *ret = uv_buf_init(wire->loop->read, LOOP_READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct wire *wire = stream->data;
    if (wire->is_closing || n == 0) return;
    struct bytes bytes = {(const uint8_t *)buf->base, n > 0 ? (size_t)n : 0};
    if (n < 0)
        wire->calls->on_eof(wire, n == UV_EOF ? OK : ERR_UNAVAILABLE);
    else if (wire->tls)
        read_tls(wire, bytes);
    else
        wire->calls->on_bytes(wire, bytes);
}

void wire_read(struct wire *wire, bool on) {
    if (wire->is_closing || on == wire->is_reading) return;
    wire->is_reading = on;
    if (on)
        uv_read_start((uv_stream_t *)&wire->tcp, on_alloc, on_read);
    else
        uv_read_stop((uv_stream_t *)&wire->tcp);
}

static void on_timer(uv_timer_t *timer) {
    struct wire *wire = timer->data;
    if (!wire->is_closing) wire->calls->on_timer(wire);
}

void wire_timer(struct wire *wire, int64_t after_ms) {
    if (wire->is_closing) return;
    if (after_ms > 0)
        uv_timer_start(&wire->timer, on_timer, (uint64_t)after_ms, 0);
    else
        uv_timer_stop(&wire->timer);
}

static void on_shut(uv_shutdown_t *req, int status) {
    (void)req, (void)status; /* a failure shows as the end of reading, or as the owner's deadline */
}

static void say_bye(struct wire *wire) {
    if (!wire->tls || wire->is_broken || wire->is_shut) return;
    tls_bye(wire->tls);
    (void)flush_tls(wire); /* best effort: the peer may be gone */
}

void wire_shut(struct wire *wire) {
    if (wire->is_closing || wire->is_shut || wire->on_dialled) return;
    say_bye(wire);
    wire->is_shut = true;
    (void)uv_shutdown(&wire->req.shutdown, (uv_stream_t *)&wire->tcp, on_shut);
}

void wire_close(struct wire *wire) {
    if (wire->is_closing) return;
    say_bye(wire);
    wire->is_closing = true;
    uv_close((uv_handle_t *)&wire->tcp, on_handle_gone);
    uv_close((uv_handle_t *)&wire->timer, on_handle_gone);
}

void wire_refuse(struct wire *wire) {
    wire->is_refused = true;
    wire->is_broken = true;
    wire_close(wire);
}

struct str wire_peer_name(const struct sockaddr *addr, char *mem, size_t size, bool *ret_is_loopback) {
    bool is_loopback = false;
    mem[0] = 0;
    if (addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)addr;
        inet_ntop(AF_INET, &v4->sin_addr, mem, (socklen_t)size);
        is_loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    } else if (addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)addr;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        const uint8_t *tail = v6->sin6_addr.s6_addr + 12;
        inet_ntop(is_mapped ? AF_INET : AF_INET6, is_mapped ? (const void *)tail : &v6->sin6_addr, mem,
                  (socklen_t)size);
        is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || (is_mapped && tail[0] == 127);
    }
    *ret_is_loopback = is_loopback;
    return str_of(mem);
}

enum err wire_accept(struct wire *wire, struct loop *loop, uv_stream_t *from, struct tls *tls,
                     const struct wire_calls *calls) {
    *wire = (struct wire){.loop = loop, .calls = calls, .tls = tls, .handles = 2};
    uv_tcp_init(&loop->uv, &wire->tcp);
    uv_timer_init(&loop->uv, &wire->timer);
    wire->tcp.data = wire->timer.data = wire;
    struct sockaddr_storage addr;
    int len = sizeof(addr);
    if (uv_accept(from, (uv_stream_t *)&wire->tcp) || uv_tcp_getpeername(&wire->tcp, (struct sockaddr *)&addr, &len)) {
        wire->is_broken = true;
        wire_refuse(wire);
        return ERR_UNAVAILABLE;
    }
    (void)wire_peer_name((const struct sockaddr *)&addr, wire->peer, sizeof(wire->peer), &wire->is_loopback);
    uv_tcp_nodelay(&wire->tcp, 1);
    return OK;
}

static bool to_addr(const char *bind, int port, struct sockaddr_storage *ret) {
    return !uv_ip4_addr(bind, port, (struct sockaddr_in *)ret) || !uv_ip6_addr(bind, port, (struct sockaddr_in6 *)ret);
}

static void on_connected(uv_connect_t *req, int status) {
    struct wire *wire = req->handle->data;
    void (*fn)(struct wire *) = wire->on_dialled;
    if (wire->is_closing) return;
    wire->on_dialled = NULL;
    if (status) {
        wire->is_broken = true;
        wire->calls->on_eof(wire, ERR_UNAVAILABLE);
        return;
    }
    uv_tcp_nodelay(&wire->tcp, 1);
    fn(wire);
}

enum err wire_dial(struct wire *wire, struct loop *loop, const char *address, int port, void (*fn)(struct wire *wire),
                   const struct wire_calls *calls) {
    struct sockaddr_storage addr = {0};
    if (port < 1 || port > 65535 || !to_addr(address, port, &addr)) return ERR_INVALID;
    *wire = (struct wire){.loop = loop, .calls = calls, .handles = 2, .on_dialled = fn};
    uv_tcp_init(&loop->uv, &wire->tcp);
    uv_timer_init(&loop->uv, &wire->timer);
    wire->tcp.data = wire->timer.data = wire;
    (void)wire_peer_name((const struct sockaddr *)&addr, wire->peer, sizeof(wire->peer), &wire->is_loopback);
    if (!uv_tcp_connect(&wire->req.connect, &wire->tcp, (const struct sockaddr *)&addr, on_connected)) return OK;
    wire_refuse(wire);
    return ERR_UNAVAILABLE;
}

enum err wire_take(struct wire *wire, struct loop *loop, int fd, const char *name, const struct wire_calls *calls) {
    *wire = (struct wire){.loop = loop, .calls = calls, .handles = 2};
    uv_pipe_init(&loop->uv, &wire->pipe, 0);
    uv_timer_init(&loop->uv, &wire->timer);
    wire->pipe.data = wire->timer.data = wire;
    utf8_copy(wire->peer, sizeof wire->peer, str_of(name));
    if (!uv_pipe_open(&wire->pipe, fd)) return OK;
    close(fd);
    wire_refuse(wire);
    return ERR_UNAVAILABLE;
}

/* A socket that failed to bind cannot be tried again, so the bare socket is bound first and handed to libuv. */
static int bind_one(const struct sockaddr *addr) {
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    socklen_t len = addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (bind(fd, addr, len) || listen(fd, LISTEN_QUEUE)) {
        int why = -errno;
        close(fd);
        return why;
    }
    return fd;
}

static int port_of(int fd) {
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    if (getsockname(fd, (struct sockaddr *)&addr, &len)) return 0;
    return addr.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&addr)->sin_port)
                                     : ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
}

static void rested(uv_timer_t *timer);

static void take_one(struct wire_listener *listener) {
    if (!listener->taken++) uv_timer_start(&listener->rest, rested, REST_MS, 0);
    listener->fn(listener->owner, (uv_stream_t *)&listener->tcp);
}

static void rested(uv_timer_t *timer) {
    struct wire_listener *listener = timer->data;
    bool next = listener->is_resting && !uv_is_closing((uv_handle_t *)&listener->tcp);
    listener->taken = 0;
    listener->is_resting = false;
    if (next) take_one(listener);
}

/* One who is not accepted yet keeps libuv from looking for the next. */
static void on_connection(uv_stream_t *stream, int status) {
    struct wire_listener *listener = stream->data;
    if (status) return;
    listener->is_resting = listener->taken == WIRE_ACCEPTS;
    if (!listener->is_resting) take_one(listener);
}

static void listener_gone(uv_handle_t *handle) {
    struct wire_listener *listener = handle->data;
    if (!--listener->handles && !listener->is_turning) free(listener); /* or the one turned away is still closing */
}

static void turned_away(uv_handle_t *handle) {
    struct wire_listener *listener = handle->data;
    bool next = listener->waits && !uv_is_closing((uv_handle_t *)&listener->tcp);
    listener->is_turning = listener->waits = false;
    if (!listener->handles)
        free(listener);
    else if (next)
        listener->fn(listener->owner, (uv_stream_t *)&listener->tcp);
}

void wire_turn_away(uv_stream_t *from) {
    struct wire_listener *listener = from->data;
    listener->waits = listener->is_turning;
    if (listener->is_turning) return;
    listener->is_turning = true;
    uv_tcp_init(from->loop, &listener->turned);
    listener->turned.data = listener;
    (void)uv_accept(from, (uv_stream_t *)&listener->turned); /* failed: libuv has closed it */
    uv_close((uv_handle_t *)&listener->turned, turned_away);
}

static enum err listen_on(struct wire_listener *listener, struct loop *loop, int fd, struct fault *fault) {
    uv_tcp_init(&loop->uv, &listener->tcp);
    uv_timer_init(&loop->uv, &listener->rest);
    listener->tcp.data = listener->rest.data = listener;
    listener->handles = 2;
    if (uv_tcp_open(&listener->tcp, fd)) {
        close(fd);
        wire_unlisten(listener);
        return FAIL(fault, ERR_INTERNAL, "listen", "the loop refused the socket");
    }
    if (uv_listen((uv_stream_t *)&listener->tcp, LISTEN_QUEUE, on_connection)) {
        wire_unlisten(listener);
        return FAIL(fault, ERR_INTERNAL, "listen", "cannot listen");
    }
    return OK;
}

enum err wire_listen(struct loop *loop, const char *bind_to, int port, bool try_next,
                     void (*fn)(void *owner, uv_stream_t *from), void *owner, struct wire_listener **ret,
                     struct fault *fault) {
    if (!bind_to) bind_to = "127.0.0.1";
    int fd = -EADDRINUSE;
    for (int i = 0; i < (try_next && port ? PORT_TRIES : 1) && fd == -EADDRINUSE; i++) {
        struct sockaddr_storage addr = {0};
        if (port < 0 || port + i > 65535 || !to_addr(bind_to, port + i, &addr))
            return FAIL(fault, ERR_INVALID, "address", "%s is not a numeric address with a port", bind_to);
        fd = bind_one((const struct sockaddr *)&addr);
    }
    if (fd == -EADDRINUSE) return FAIL(fault, ERR_BUSY, "port_held", "port %d is held by another program", port);
    if (fd < 0)
        return FAIL(fault, ERR_INVALID, "address", "cannot listen on %s port %d: %s", bind_to, port, strerror(-fd));
    struct wire_listener *listener = calloc(1, sizeof(*listener));
    if (!listener) {
        close(fd);
        return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    }
    *listener = (struct wire_listener){.fn = fn, .owner = owner, .port = port_of(fd)};
    TRY(listen_on(listener, loop, fd, fault));
    *ret = listener;
    return OK;
}

int wire_listener_port(const struct wire_listener *listener) {
    return listener->port;
}

void wire_unlisten(struct wire_listener *listener) {
    if (!listener) return;
    uv_close((uv_handle_t *)&listener->tcp, listener_gone);
    uv_close((uv_handle_t *)&listener->rest, listener_gone);
}
