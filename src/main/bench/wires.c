/* Connections of a load.  SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* ppoll: POSIX has it since 2024 */
#include "main/bench/wires.h"

#include "main/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 262144
#define WAIT_US    100000 /* at most, to see that we were stopped */

enum err wire_open(struct wires *ws, int port, void (*on_bytes)(void *arg, struct bytes bytes), void *arg,
                   struct wire **ret, struct fault *f) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (ws->n == WIRES_MAX) return FAIL(f, ERR_LIMIT, "connections", "at most %d connections", WIRES_MAX);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to)) {
        if (fd >= 0) close(fd);
        return FAIL(f, ERR_UNAVAILABLE, "server", "the server cannot be reached");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    struct wire *w = &ws->list[ws->n++];
    *w = (struct wire){.fd = fd, .on_bytes = on_bytes, .arg = arg};
    *ret = w;
    return OK;
}

static void lose(struct wire *w) {
    if (w->fd < 0) return;
    close(w->fd);
    w->fd = -1;
    w->on_bytes(w->arg, (struct bytes){NULL, 0});
}

/* Bytes that went out. */
static size_t push(struct wire *w, struct bytes bytes) {
    size_t sent = 0;
    while (w->fd >= 0 && sent < bytes.len) {
        ssize_t n = send(w->fd, bytes.ptr + sent, bytes.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) lose(w);
        if (n <= 0) break;
        sent += (size_t)n;
    }
    return sent;
}

bool wire_send(struct wire *w, struct bytes bytes) {
    size_t sent = w->out_n ? 0 : push(w, bytes), rest = bytes.len - sent;
    if (w->fd < 0) return false;
    if (!rest) return true;
    if (w->out_n + rest > w->out_cap) {
        size_t cap = (w->out_n + rest) * 2;
        uint8_t *grown = realloc(w->out, cap);
        if (!grown) return false;
        w->out = grown;
        w->out_cap = cap;
    }
    memcpy(w->out + w->out_n, bytes.ptr + sent, rest);
    w->out_n += rest;
    return true;
}

static void pull(struct wire *w) {
    static uint8_t mem[READ_BYTES];
    ssize_t n = recv(w->fd, mem, sizeof mem, 0);
    if (n > 0)
        w->on_bytes(w->arg, (struct bytes){mem, (size_t)n});
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        lose(w);
}

void wires_wait(struct wires *ws, int64_t until_us) {
    int64_t left = until_us - bench_now_us();
    left = left < 0 ? 0 : left > WAIT_US ? WAIT_US : left;
    for (size_t i = 0; i < ws->n; i++)
        ws->polls[i] = (struct pollfd){.fd = ws->list[i].fd, .events = ws->list[i].out_n ? POLLIN | POLLOUT : POLLIN};
    if (ppoll(ws->polls, ws->n, &(struct timespec){left / 1000000, left % 1000000 * 1000}, NULL) <= 0) return;
    for (size_t i = 0; i < ws->n; i++) {
        struct wire *w = &ws->list[i];
        if (ws->polls[i].revents & POLLOUT) {
            size_t sent = push(w, (struct bytes){w->out, w->out_n});
            memmove(w->out, w->out + sent, w->out_n - sent);
            w->out_n -= sent;
        }
        if (w->fd >= 0 && (ws->polls[i].revents & (POLLIN | POLLERR | POLLHUP))) pull(w);
    }
}

void wires_close(struct wires *ws) {
    for (size_t i = 0; i < ws->n; i++) {
        if (ws->list[i].fd >= 0) close(ws->list[i].fd);
        free(ws->list[i].out);
    }
    ws->n = 0;
}
