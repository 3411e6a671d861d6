/* JSON that devices send as a payload: readings, events.  Pure, read in place, without allocation.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_PAYLOAD_PAYLOAD_H
#define LINLI_PROTOCOL_PAYLOAD_PAYLOAD_H

#include "protocol/json_in.h"

#define PAYLOAD_VALUES_MAX  4096              /* of one payload */
#define PAYLOAD_METRICS_MAX 256               /* of one object in it */
#define PAYLOAD_NAME_MAX    64                /* bytes of a metric, of an event's code */
#define PAYLOAD_DEPTH_MAX   JSON_IN_DEPTH_MAX /* of an event's data */

struct payload_fault {
    const char *rule; /* static text */
    size_t at;        /* byte offset */
};
struct payload_value {
    struct str metric; /* 1 .. PAYLOAD_NAME_MAX bytes, no control characters */
    double value;      /* finite; true and false are 1 and 0 */
    int64_t at_ms;     /* UTC; only with has_at */
    bool has_at;
};
/* {"ts"?,"metric":number,…}, or a list of these: at least one metric, no key twice in an object.  ts: whole
 * milliseconds since 1970 UTC, an RFC 3339 text, or null.  Strict (RFC 8259), UTF-8.  `names`: fixed memory, for keys
 * written with escapes; the other slices point into the payload.  False: at most `cap` values were written, *ret_n is
 * untouched. */
bool payload_readings(struct bytes payload, struct buf *names, struct payload_value *ret, size_t cap, size_t *ret_n,
                      struct payload_fault *reterr);

struct payload_event {
    struct str code, part; /* part: which part of the device; absent: the device itself */
    struct str data;       /* JSON text as sent; absent where there is none */
    int64_t at_ms;
    bool has_at;
    bool is_over; /* "active":false: what the event told is over */
};
/* {"ts"?,"event":"code","part"?:"…","active"?:bool,"data"?:any}; other keys are refused. */
bool payload_event(struct bytes payload, struct buf *names, struct payload_event *ret, struct payload_fault *reterr);

#endif
