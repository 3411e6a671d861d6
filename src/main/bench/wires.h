/* Connections of a load: many sockets, one thread, times exact to microseconds.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_WIRES_H
#define LINLI_MAIN_BENCH_WIRES_H

#include "base/err.h"

#include <poll.h>

#define WIRES_MAX 300

struct wire {
    int fd; /* -1: gone */
    uint8_t *out;
    size_t out_n, out_cap;
    void (*on_bytes)(void *arg, struct bytes bytes); /* empty bytes: the peer closed */
    void *arg;
};
struct wires {
    struct wire list[WIRES_MAX];
    struct pollfd polls[WIRES_MAX];
    size_t n;
};
/* Connects to a port of this machine; blocks as long as that takes.  The wire stays where it is. */
NODISCARD enum err wire_open(struct wires *ws, int port, void (*on_bytes)(void *arg, struct bytes bytes), void *arg,
                             struct wire **ret, struct fault *f);
/* Sends now what the socket takes and keeps the rest; false: the peer is gone, or out of memory. */
bool wire_send(struct wire *w, struct bytes bytes);
/* Waits for bytes until then, hands on what came, returns after one round. */
void wires_wait(struct wires *ws, int64_t until_us);
void wires_close(struct wires *ws);

#endif
