/* One TCP connection with optional TLS and a bounded write queue, and the socket that accepts them: what http and tcp
 * stand on.  A serial port is a connection, too.  Loop thread only. SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_WIRE_H
#define LINLI_NET_WIRE_H

#include "net/loop_internal.h"
#include "net/tls.h"

struct wire;
struct wire_calls {
    void (*on_bytes)(struct wire *wire, struct bytes bytes);
    /* OK: the peer will send no more; ERR_UNAVAILABLE: reset, or broken TLS.  Maybe more than once: call wire_close. */
    void (*on_eof)(struct wire *wire, enum err why);
    void (*on_drain)(struct wire *wire); /* the queue went empty */
    void (*on_timer)(struct wire *wire);
    void (*on_gone)(struct wire *wire); /* after wire_close: the memory is the owner's again */
};
/* Lives inside its owner. */
struct wire {
    union {
        uv_tcp_t tcp;
        uv_pipe_t pipe; /* any other stream of bytes */
    };
    uv_timer_t timer;
    union {
        uv_connect_t connect; /* over before a shutdown can begin */
        uv_shutdown_t shutdown;
    } req;
    struct loop *loop;
    const struct wire_calls *calls;
    void (*on_dialled)(struct wire *wire); /* set while the connection is being made */
    struct tls *tls;                       /* NULL: plain */
    uint8_t handles;                       /* uv handles not yet closed */
    bool is_reading, is_closing, is_broken, is_shut, is_refused;
    uint64_t out_total; /* bytes ever given to the socket: minus wire_pending, those that went */
    char peer[46];
    bool is_loopback;
    struct wire *next, *prev; /* of those whom a listener let in: see net/guests.h */
};

/* Accepts from the listening socket.  Takes tls (may be NULL).  On failure the wire closes itself: on_gone follows. */
NODISCARD enum err wire_accept(struct wire *wire, struct loop *loop, uv_stream_t *from, struct tls *tls,
                               const struct wire_calls *calls);
/* Connects to a numeric address; fn once it stands, on_eof when it cannot be.  ERR_INVALID: address, nothing was begun;
 * otherwise as above. */
NODISCARD enum err wire_dial(struct wire *wire, struct loop *loop, const char *address, int port,
                             void (*fn)(struct wire *wire), const struct wire_calls *calls);
/* Takes an open stream that is no socket; `name` stands for its peer.  On failure the wire closes itself. */
NODISCARD enum err wire_take(struct wire *wire, struct loop *loop, int fd, const char *name,
                             const struct wire_calls *calls);
void wire_read(struct wire *wire, bool on);
/* Copies what the kernel does not take at once.  False: broken or out of memory; close the wire. */
NODISCARD bool wire_write(struct wire *wire, struct bytes bytes);
size_t wire_pending(const struct wire *wire);         /* bytes not yet taken by the kernel */
void wire_timer(struct wire *wire, int64_t after_ms); /* 0: off */
void wire_shut(struct wire *wire);                    /* after what waits, tells the peer that no more comes */
void wire_close(struct wire *wire);                   /* again and again is fine */

void wire_refuse(struct wire *wire); /* over a limit: closes, marked is_refused like a failed accept */

/* A listening socket.  fn must wire_accept or wire_turn_away each time it is called: until then nobody else is taken.
 * After WIRE_ACCEPTS of them the loop's other work has its turn. */
#define WIRE_ACCEPTS 64
struct wire_listener;
NODISCARD enum err wire_listen(struct loop *loop, const char *bind, int port, bool try_next,
                               void (*fn)(void *owner, uv_stream_t *from), void *owner, struct wire_listener **ret,
                               struct fault *fault);
void wire_turn_away(uv_stream_t *from); /* takes and closes, without memory */
int wire_listener_port(const struct wire_listener *listener);
void wire_unlisten(struct wire_listener *listener); /* fn is not called any more; frees itself later; NULL is fine */
struct str wire_peer_name(const struct sockaddr *addr, char *mem, size_t size, bool *ret_is_loopback);

#endif
