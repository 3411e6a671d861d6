/* InfluxDB line protocol (1.x reference, "Line protocol syntax"): readings as text, a line each.  Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_LINEPROTO_LINEPROTO_H
#define LINLI_PROTOCOL_LINEPROTO_LINEPROTO_H

#include "protocol/codec.h"

#define LINEPROTO_TAGS_MAX   32
#define LINEPROTO_FIELDS_MAX 256

/* measurement[,tag=value…] field=value[,field=value…] [timestamp]
 * Values are numbers: 1, 1.5e3, 7i, 7u; truth (t T true True TRUE f …) is 1 or 0; text is refused, it is no reading. */
struct lineproto_line {
    size_t number;     /* in the text, from 1 */
    struct str device; /* the tag "device" where present, else the measurement */
    struct {
        struct str key, value;
    } tags[LINEPROTO_TAGS_MAX]; /* the others */
    size_t tags_n;
    struct {
        struct str metric;
        double value;
    } fields[LINEPROTO_FIELDS_MAX];
    size_t fields_n;
    int64_t at_ms;
    bool has_at; /* false: now */
};
struct lineproto {
    struct str rest;     /* what is still to be read; in: the whole text */
    int64_t tick_ns;     /* of timestamps: 1, 1000, 1000000 or 1000000000 */
    struct arena *arena; /* for names that hold escapes; the others point into the text */
    size_t number;       /* of the last line read, in: 0 */
    const char *rule;    /* which one was broken; static text */
};
int64_t lineproto_tick_ns(struct str precision); /* ns us ms s; absent: ns; 0: none of these */
/* The next line that says something (not empty, no comment).  False at the end, or (rule set) on a bad line. */
bool lineproto_next(struct lineproto *p, struct lineproto_line *ret);

#endif
