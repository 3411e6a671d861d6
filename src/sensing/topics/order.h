/* A command as JSON over topics of our own, and the reply to it (docs/mqtt.md).  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_TOPICS_ORDER_H
#define LINLI_SENSING_TOPICS_ORDER_H

#include "base/json.h"
#include "sensing/lines/line.h"

/* {"id":"…","name":"…","args":{…}}: a value that is no object itself is its member "value".  False: it is too long. */
bool order_put(const struct line_order *o, struct arena *a, struct str *ret);
/* {"id","ok","error"?} */
struct order_reply {
    int64_t id;
    bool is_done;
    struct str answer; /* in the arena */
};
bool order_reply_read(struct bytes payload, struct arena *a, struct order_reply *ret); /* false: it is none */

#endif
