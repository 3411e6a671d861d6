/* The connections that a listener let in, and who may stay where there is no room: where one address has more than half
 * of them, its newest gives way to another address, so that who takes them all shuts out himself.  Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_GUESTS_H
#define LINLI_NET_GUESTS_H

#include "net/wire.h"

struct guests {
    size_t max;
    struct wire *newest; /* by wire->next */
    size_t n;
    char lead[46]; /* who had more than half when it was last looked, and none of them left since */
};
void guests_join(struct guests *guests, struct wire *wire);
void guests_leave(struct guests *guests, struct wire *wire); /* once for each that joined */
/* For one that just joined, behind its wire_accept.  The one to be closed, which may be itself; NULL: there is room. */
struct wire *guests_too_many(struct guests *guests, struct wire *newcomer);

#endif
