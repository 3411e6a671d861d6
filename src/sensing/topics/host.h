/* A host application of Sparkplug B: what it knows of each edge node, and which of them shall be born again.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_TOPICS_HOST_H
#define LINLI_SENSING_TOPICS_HOST_H

#include "protocol/sparkplug/sparkplug.h"

#define HOST_NAME         "linli" /* where nobody gave it another */
#define HOST_ALIASES      1024    /* of one node */
#define HOST_SCOPE_NODES  128     /* of one scope; a birth beyond makes its oldest one give way */
#define HOST_NODES_MAX    512 /* of all scopes, 46 MB; a birth beyond takes a place of the scope that has most of them */
#define HOST_SCOPES_MAX   512 /* the one unheard longest gives way, with its nodes */
#define HOST_REBIRTHS_MAX 32  /* of one scope in HOST_REBIRTHS_MS; and see SPARKPLUG_REBIRTH_MS */
#define HOST_REBIRTHS_MS  INT64_C(10000)

/* One thread, all of it. */
struct sparkplug_host;
struct sparkplug_host *sparkplug_host_create(void); /* NULL: out of memory */
void sparkplug_host_destroy(struct sparkplug_host *h);
struct host_lost {
    const char *rule;   /* what values broke whose aliases nobody knows; NULL: none was lost */
    struct buf rebirth; /* the frame that asks the node to be born again is appended, where that is due */
};
/* What a message says, as sparkplug_hear() has it; nodes of two scopes are two, whatever they are called, and who fills
 * his own has nothing of another's: neither places, up to his share of all, nor rebirths.  Nodes without a place are
 * read frame by frame, and asked to be born; births give places.  An error's place is in the payload. */
bool sparkplug_host_hear(struct sparkplug_host *h, int64_t scope, struct str topic, struct bytes payload,
                         int64_t now_ms, struct arena *a, struct decoded *ret, struct host_lost *ret_lost,
                         struct wire_error *reterr);

#endif
