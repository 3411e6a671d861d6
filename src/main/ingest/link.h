/* The server that readings go to: log-in, batches, waiting while it is busy or away.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_LINK_H
#define LINLI_MAIN_INGEST_LINK_H

#include "base/clock.h"
#include "base/err.h"
#include "main/ingest/batch.h"

#define LINK_WAIT_MAX_S 600 /* for a server that is busy, full or away */

struct link_options {
    const char *to;              /* http://HOST[:PORT] */
    const char *community;       /* NULL: the only one */
    const char *user, *password; /* or */
    const char *token;
    bool skip_bad;
    const struct world *world;
    const volatile bool *stop; /* while it is set nothing is waited for */
    /* A row that the server refused, and a word for people while something is waited for (NULL: it is over).  From the
     * thread that sends. */
    void (*bad)(void *arg, int64_t row, const char *rule);
    void (*waits)(void *arg, const char *why);
    void *arg;
};
struct link;
/* Logs in where there is a user.  ERR_INVALID: the address; ERR_UNAUTHENTICATED; ERR_UNAVAILABLE: nothing answers. */
NODISCARD enum err link_open(const struct link_options *options, struct link **ret, struct fault *f);
bool link_is_local(const struct link *l); /* the server is on this machine */
void link_close(struct link *l);          /* logs out; NULL is fine */

struct link_sent {
    enum { LINK_STORED, LINK_BAD_ROW, LINK_FAILED, LINK_STOPPED } what;
    struct position upto;                 /* stored and bad row: all before is durable */
    int64_t dropped_rows, dropped_values; /* that the server refused and skip_bad left out */
    struct fault fault;                   /* failed */
};
/* One batch, whole or nothing, again where it is not clear what became of it.  Bad row: what was before it is stored.
 */
void link_send(struct link *l, struct batch *b, struct link_sent *ret);

/* The same in a thread of its own, one batch at a time, so that the next one is made meanwhile. */
struct courier;
NODISCARD enum err courier_start(struct link *l, struct courier **ret);
void courier_hand(struct courier *c, struct batch *b);       /* b is the courier's until courier_wait */
bool courier_wait(struct courier *c, struct link_sent *ret); /* false: nothing was handed over */
void courier_end(struct courier *c);                         /* waits; NULL is fine */

#endif
