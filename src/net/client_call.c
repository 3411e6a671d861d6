/* Owns the blocking call of the client.  SPDX-License-Identifier: Apache-2.0 */
#include "net/client_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define BODY_MAX (64 * 1024 * 1024)

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool wait_for(int fd, short events, int64_t until_ms) {
    int64_t left = until_ms - now_ms();
    struct pollfd p = {.fd = fd, .events = events};
    return left > 0 && poll(&p, 1, (int)left) == 1;
}

static int dial(const char *host, int port, int64_t until_ms) {
    struct sockaddr_storage addr = {0};
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&addr) && uv_ip6_addr(host, port, (struct sockaddr_in6 *)&addr))
        return -1;
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    socklen_t len = addr.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int why = 0;
    socklen_t why_len = sizeof(why);
    if ((!connect(fd, (const struct sockaddr *)&addr, len) || errno == EINPROGRESS) &&
        wait_for(fd, POLLOUT, until_ms) && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &why_len) && !why)
        return fd;
    close(fd);
    return -1;
}

/* Reads while it writes: a server may answer, and stop reading, before the request is through. */
static enum client_parse_event exchange(int fd, struct bytes out, int64_t until_ms, struct client_parse *p) {
    enum client_parse_event event = CLIENT_MORE;
    char mem[16384];
    while (event == CLIENT_MORE) {
        if (!wait_for(fd, out.len ? POLLIN | POLLOUT : POLLIN, until_ms)) return CLIENT_BAD;
        ssize_t n = recv(fd, mem, sizeof(mem), 0);
        if (n > 0) event = client_parse_feed(p, (struct bytes){(const uint8_t *)mem, (size_t)n});
        if (n == 0) event = client_parse_end(p);
        if (n < 0 && errno != EAGAIN && errno != EINTR) return CLIENT_BAD;
        if (n > 0 || !out.len || event != CLIENT_MORE) continue;
        n = send(fd, out.ptr, out.len, MSG_NOSIGNAL);
        if (n > 0) out = (struct bytes){out.ptr + n, out.len - (size_t)n};
        if (n < 0 && errno != EAGAIN && errno != EINTR) out.len = 0; /* its answer may still be on the way */
    }
    return event;
}

static enum err copy_reply(const struct client_reply *from, struct arena *arena, struct client_reply *ret) {
    struct http_header *headers = arena_new(arena, struct http_header, from->headers_n + 1);
    struct str body = {(const char *)from->body.ptr, from->body.len};
    if (!headers || !arena_str(arena, body, &body)) return ERR_LIMIT;
    for (size_t i = 0; i < from->headers_n; i++)
        if (!arena_str(arena, from->headers[i].name, &headers[i].name) ||
            !arena_str(arena, from->headers[i].value, &headers[i].value))
            return ERR_LIMIT;
    *ret = (struct client_reply){from->status, headers, from->headers_n, {(const uint8_t *)body.ptr, body.len}};
    return OK;
}

enum err client_call(const char *host, int port, const struct client_ask *ask, int64_t timeout_ms, struct arena *arena,
                     struct client_reply *ret) {
    int64_t until_ms = now_ms() + timeout_ms;
    size_t len = 0;
    char *request = client_request(host, port, ask, &len);
    struct client_parse *p = client_parse_create(!strcmp(ask->method, "HEAD"), BODY_MAX);
    enum err e = request && p ? OK : ERR_INTERNAL;
    int fd = e ? -1 : dial(host, port, until_ms);
    if (!e && fd < 0) e = ERR_UNAVAILABLE;
    if (!e && exchange(fd, (struct bytes){(const uint8_t *)request, len}, until_ms, p) != CLIENT_DONE)
        e = ERR_UNAVAILABLE;
    if (!e) e = copy_reply(&p->reply, arena, ret);
    if (fd >= 0) close(fd);
    client_parse_destroy(p);
    free(request);
    return e;
}
