/* Owns UDP sockets.  SPDX-License-Identifier: Apache-2.0 */
#include "net/udp.h"

#include "net/wire.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define PORT_TRIES 101

struct udp {
    uv_udp_t handle; /* first: the handle is the socket */
    struct loop *loop;
    struct udp_calls calls;
    struct sockaddr_storage bound;
    int port;
    bool is_closed;
};
static bool to_addr(const char *host, int port, struct sockaddr_storage *ret) {
    if (port < 0 || port > 65535) return false;
    return !uv_ip4_addr(host, port, (struct sockaddr_in *)ret) || !uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret);
}

static int port_of(const struct sockaddr *addr) {
    return addr->sa_family == AF_INET ? ntohs(((const struct sockaddr_in *)(const void *)addr)->sin_port)
                                      : ntohs(((const struct sockaddr_in6 *)(const void *)addr)->sin6_port);
}

/* ---- hearing ---- */

static void on_alloc(uv_handle_t *handle, size_t want, uv_buf_t *ret) {
    (void)want;
    *ret = uv_buf_init(((struct udp *)handle)->loop->read, LOOP_READ_SIZE);
}

/* Errors are of datagrams that went elsewhere: the socket goes on.  No datagram is longer than the buffer. */
static void on_received(uv_udp_t *handle, ssize_t n, const uv_buf_t *buf, const struct sockaddr *addr, unsigned flags) {
    struct udp *udp = (struct udp *)handle;
    struct udp_peer from = {.port = 0};
    bool is_loopback;
    if (n < 0 || !addr || udp->is_closed || flags & UV_UDP_PARTIAL) return;
    (void)wire_peer_name(addr, from.host, sizeof from.host, &is_loopback);
    from.port = port_of(addr);
    udp->calls.on_datagram(udp->calls.arg, &from, (struct bytes){(const uint8_t *)buf->base, (size_t)n});
}

/* ---- opening ---- */

static void on_gone(uv_handle_t *handle) {
    free(handle);
}

static int bind_to(struct udp *udp, struct loop *loop, const struct sockaddr_storage *addr, bool is_shared) {
    int e = uv_udp_init(&loop->uv, &udp->handle);
    if (e) return e;
    int len = sizeof udp->bound;
    e = uv_udp_bind(&udp->handle, (const struct sockaddr *)addr, is_shared ? UV_UDP_REUSEADDR : 0);
    if (!e) e = uv_udp_getsockname(&udp->handle, (struct sockaddr *)&udp->bound, &len);
    if (!e) udp->port = port_of((const struct sockaddr *)&udp->bound);
    if (e) uv_close((uv_handle_t *)&udp->handle, on_gone);
    return e;
}

enum err udp_open(struct loop *loop, const struct udp_options *options, const struct udp_calls *calls, struct udp **ret,
                  struct fault *fault) {
    const char *host = options->bind ? options->bind : "127.0.0.1";
    struct udp *udp = NULL;
    int e = UV_EADDRINUSE, port = options->port;
    for (int i = 0; i < (options->try_next && port ? PORT_TRIES : 1) && e == UV_EADDRINUSE; i++) {
        struct sockaddr_storage addr = {0};
        if (!to_addr(host, port + i, &addr))
            return FAIL(fault, ERR_INVALID, "address", "%s is not a numeric address with a port", host);
        udp = calloc(1, sizeof *udp); /* one that failed to bind goes its own way */
        if (!udp) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
        *udp = (struct udp){.loop = loop, .calls = *calls};
        e = bind_to(udp, loop, &addr, options->is_shared);
    }
    if (e == UV_EADDRINUSE) return FAIL(fault, ERR_BUSY, "port_held", "port %d is held by another program", port);
    if (e) return FAIL(fault, ERR_INVALID, "address", "cannot open %s port %d: %s", host, port, uv_strerror(e));
    if (options->may_broadcast) e = uv_udp_set_broadcast(&udp->handle, 1);
    if (!e) e = uv_udp_recv_start(&udp->handle, on_alloc, on_received);
    if (e) {
        udp_close(udp);
        return FAIL(fault, ERR_INTERNAL, "loop", "the loop refused the socket");
    }
    *ret = udp;
    return OK;
}

int udp_port(const struct udp *udp) {
    return udp->port;
}

void udp_close(struct udp *udp) {
    if (!udp || udp->is_closed) return;
    udp->is_closed = true;
    uv_close((uv_handle_t *)&udp->handle, on_gone);
}

/* ---- saying ---- */

enum err udp_send(struct udp *udp, const struct udp_peer *to, struct bytes bytes) {
    struct sockaddr_storage addr = {0};
    if (udp->is_closed) return ERR_UNAVAILABLE;
    if (!to->port || !to_addr(to->host, to->port, &addr) || bytes.len > UDP_DATAGRAM_MAX) return ERR_INVALID;
    /* libuv's buffers are not const; it only reads them. */
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes.ptr, (unsigned)bytes.len);
    int n = uv_udp_try_send(&udp->handle, &buf, 1, (const struct sockaddr *)&addr);
    if (n >= 0) return OK;
    return n == UV_EAGAIN ? ERR_LIMIT : ERR_UNAVAILABLE;
}

/* The address for all on the interface's network; false: the socket says nothing there. */
static bool everybody_at(const struct udp *udp, const uv_interface_address_t *at, struct udp_peer *ret) {
    const struct sockaddr_in *bound = (const struct sockaddr_in *)(const void *)&udp->bound;
    uint32_t own = at->address.address4.sin_addr.s_addr, mask = at->netmask.netmask4.sin_addr.s_addr;
    bool is_ip4 = bound->sin_family == AF_INET && at->address.address4.sin_family == AF_INET;
    bool is_its = bound->sin_addr.s_addr ? bound->sin_addr.s_addr == own : !at->is_internal;
    const struct in_addr all = {own | ~mask};
    return is_ip4 && is_its && ~mask && inet_ntop(AF_INET, &all, ret->host, sizeof ret->host);
}

enum err udp_send_all(struct udp *udp, int port, struct bytes bytes) {
    uv_interface_address_t *all;
    int n;
    enum err e = ERR_UNAVAILABLE;
    if (uv_interface_addresses(&all, &n)) return ERR_UNAVAILABLE;
    for (int i = 0; i < n; i++) {
        struct udp_peer to = {.port = port};
        if (!everybody_at(udp, &all[i], &to)) continue;
        enum err one = udp_send(udp, &to, bytes);
        if (e) e = one;
    }
    uv_free_interface_addresses(all, n);
    return e;
}

enum err udp_open_all(struct udp *own, const struct udp_calls *calls, struct udp **ret, struct fault *fault) {
    const struct sockaddr_in *bound = (const struct sockaddr_in *)(const void *)&own->bound;
    uv_interface_address_t *all;
    struct udp_peer everybody = {.port = 0};
    int n = 0;
    *ret = NULL;
    if (bound->sin_family != AF_INET || !bound->sin_addr.s_addr) return OK;
    if (uv_interface_addresses(&all, &n)) return FAIL(fault, ERR_INTERNAL, "loop", "the system names no interfaces");
    for (int i = 0; i < n && !everybody.host[0]; i++) (void)everybody_at(own, &all[i], &everybody);
    uv_free_interface_addresses(all, n);
    if (!everybody.host[0]) return OK;
    const struct udp_options o = {.bind = everybody.host, .port = own->port, .is_shared = true};
    return udp_open(own->loop, &o, calls, ret, fault);
}
