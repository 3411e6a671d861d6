/* Plain TCP for device lines and MQTT, taken and made: bytes in, bounded bytes out.  Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_TCP_H
#define LINLI_NET_TCP_H

#include "net/loop.h"

struct tcp_listener;
struct tcp_conn;

struct tcp_calls {
    void (*on_open)(void *arg, struct tcp_conn *conn); /* may be NULL; set the user pointer here */
    void (*on_bytes)(void *arg, struct tcp_conn *conn, struct bytes bytes);
    void (*on_drain)(void *arg, struct tcp_conn *conn); /* may be NULL: all that was written has gone */
    /* Exactly once for each open, never from within tcp_write or tcp_close; the connection is gone after it.  OK:
     * closed by us; ERR_LIMIT: write queue full; ERR_UNAVAILABLE: peer closed, reset or idle. */
    void (*on_close)(void *arg, struct tcp_conn *conn, enum err why);
    void *arg;
};
struct tcp_options {        /* zero = the default in brackets */
    const char *bind;       /* numeric address ["127.0.0.1"] */
    int port;               /* 0: a free one */
    bool try_next;          /* port held: try the next, up to 100 further */
    size_t connections_max; /* [4096]; who stays where there are more: net/guests.h */
    size_t write_queue;     /* bytes [256 KiB] */
    int64_t idle_ms;        /* without a byte from the peer; 0: never */
};
/* ERR_BUSY: port held; ERR_INVALID: address. */
NODISCARD enum err tcp_listen(struct loop *loop, const struct tcp_options *options, const struct tcp_calls *calls,
                              struct tcp_listener **ret, struct fault *fault);
int tcp_port(const struct tcp_listener *listener);
void tcp_unlisten(struct tcp_listener *listener); /* closes its connections too (on_close follows); NULL is fine */

/* Connects to options->bind, options->port.  on_open once the peer has taken it; nothing can be written before.
 * on_close comes exactly once after OK, without an on_open where the peer refuses or TCP_CONNECT_MS are over
 * (ERR_UNAVAILABLE).  ERR_INVALID: no numeric address with a port; no call follows. */
#define TCP_CONNECT_MS 10000
NODISCARD enum err tcp_connect(struct loop *loop, const struct tcp_options *options, const struct tcp_calls *calls,
                               struct tcp_conn **ret, struct fault *fault);

/* An open stream that is no socket, such as a serial port, as a connection; `name` stands for its peer.  on_open comes
 * before this returns. */
NODISCARD enum err tcp_open(struct loop *loop, int fd, const char *name, const struct tcp_calls *calls,
                            struct tcp_conn **ret, struct fault *fault);

/* Copies.  ERR_LIMIT: over write_queue, the connection closes; ERR_UNAVAILABLE: already closing.  Whole or not at all.
 */
NODISCARD enum err tcp_write(struct tcp_conn *conn, struct bytes bytes);
void tcp_pause(struct tcp_conn *conn); /* stop reading: the peer feels it; idle_ms rests meanwhile */
void tcp_resume(struct tcp_conn *conn);
void tcp_idle(struct tcp_conn *conn, int64_t idle_ms); /* another idle limit from now (MQTT keep-alive); 0: never */
void tcp_close(struct tcp_conn *conn); /* sends what waits, and closes when the peer does, after 5 s at the latest */
void tcp_drop(struct tcp_conn *conn);  /* closes at once; what waits is lost */
void tcp_set_user(struct tcp_conn *conn, void *user);
void *tcp_user(const struct tcp_conn *conn);
struct str tcp_peer(const struct tcp_conn *conn); /* address text without port */

#endif
