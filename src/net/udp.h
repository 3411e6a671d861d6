/* UDP for device lines: datagrams in and out, none kept.  Loop thread only.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_UDP_H
#define LINLI_NET_UDP_H

#include "net/loop.h"

struct udp;
struct udp_peer {
    char host[46]; /* numeric */
    int port;
};
struct udp_calls {
    void (*on_datagram)(void *arg, const struct udp_peer *from, struct bytes bytes); /* may close; maybe empty */
    void *arg;
};
struct udp_options {    /* zero = the default in brackets */
    const char *bind;   /* numeric address ["127.0.0.1"] */
    int port;           /* 0: a free one */
    bool try_next;      /* port held: try the next, up to 100 further */
    bool may_broadcast; /* else the system refuses to send to all */
    bool is_shared;     /* other programs that say so may hear the same port, of what is said to everybody each all */
};
/* ERR_BUSY: port held; ERR_INVALID: address. */
NODISCARD enum err udp_open(struct loop *loop, const struct udp_options *options, const struct udp_calls *calls,
                            struct udp **ret, struct fault *fault);
int udp_port(const struct udp *udp);
void udp_close(struct udp *udp); /* no call follows; frees itself later; NULL is fine */

/* OK: the kernel took it; whether it arrives, nobody says.  ERR_INVALID: no numeric address with a port, or longer than
 * UDP has it; ERR_LIMIT: the kernel has no room, it is lost; ERR_UNAVAILABLE: the system does not send there, or the
 * socket is closed. */
#define UDP_DATAGRAM_MAX 65507
NODISCARD enum err udp_send(struct udp *udp, const struct udp_peer *to, struct bytes bytes);
/* To everybody on the networks of the address that it is bound to, 0.0.0.0: on those of all interfaces but loopback.
 * Needs may_broadcast.  OK: the kernel took one at least. */
NODISCARD enum err udp_send_all(struct udp *udp, int port, struct bytes bytes);
/* A socket bound to an address of its own does not hear what is said to everybody on that address's network: this is
 * another that does, on the same port.  *ret NULL: the first hears it already, or there is nobody. */
NODISCARD enum err udp_open_all(struct udp *own, const struct udp_calls *calls, struct udp **ret, struct fault *fault);

#endif
