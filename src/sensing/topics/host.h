/* A host application of Sparkplug B: what it knows of each edge node, and which of them shall be born again.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_TOPICS_HOST_H
#define LINLI_SENSING_TOPICS_HOST_H

#include "protocol/sparkplug/sparkplug.h"

#define HOST_NAME         "linli"          /* where nobody gave it another */
#define HOST_NODES_MAX    128              /* further ones are read frame by frame, without their aliases */
#define HOST_ALIASES      1024             /* of one node */
#define HOST_STALE_MS     INT64_C(3600000) /* a node that said nothing for so long gives way to another */
#define HOST_REBIRTHS_MAX 32               /* of all nodes in HOST_REBIRTHS_MS; and see SPARKPLUG_REBIRTH_MS */
#define HOST_REBIRTHS_MS  INT64_C(10000)

/* One thread, all of it. */
struct sparkplug_host;
struct sparkplug_host *sparkplug_host_create(void); /* NULL: out of memory */
void sparkplug_host_destroy(struct sparkplug_host *h);
/* What a message says, as sparkplug_hear() has it; nodes of two scopes are two, whatever they are called.  Appends to
 * `rebirth` the frame that asks its node to be born again, where that is due.  An error's place is in the payload. */
bool sparkplug_host_hear(struct sparkplug_host *h, int64_t scope, struct str topic, struct bytes payload,
                         int64_t now_ms, struct arena *a, struct decoded *ret, struct buf *rebirth,
                         struct wire_error *reterr);

#endif
