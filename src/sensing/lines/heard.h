/* How each device of a line does, by its code: what it said or answered, refused or left unanswered, its clock, and
 * from where it spoke.  Written by the loop, read by workers.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_HEARD_H
#define LINLI_SENSING_LINES_HEARD_H

#include "base/json.h"
#include "platform/telemetry/telemetry.h"

#define HEARD_MAX 10000 /* devices; a further one has the place of who said little, and was silent long */
struct heard_place {
    int64_t at_ms; /* 0: none */
    double latitude, longitude;
};
struct heard_device {
    char code[TELEMETRY_DEVICE_MAX + 1];
    int64_t frames;      /* that it said, or answered with */
    int64_t refusals;    /* questions that it refused */
    int64_t silences;    /* questions that nobody answered */
    int64_t garbled;     /* bytes came for an answer, and were none */
    int64_t last_ms;     /* of a frame; 0: none yet */
    int64_t skew_ms;     /* how far its clock is ahead of ours, by what it said at skew_at_ms */
    int64_t skew_at_ms;  /* 0: it told no time yet */
    int64_t swaps;       /* how often in a row somebody else spoke for it within HEARD_SWAP_MS of the one before */
    int64_t midnight_ms; /* up to this one midnights were looked for */
    int64_t swap_ms;     /* when that was last */
    char peer[46];       /* address that spoke for it last; "": not told */
    char why[64];        /* of the last refusal; "": none */
    struct heard_place place,
        doubtful;               /* where it was last; a place that could not be reached from there, told since */
    uint64_t conn, conn_before; /* connections that spoke for it last, and before that one; 0: none, or not told */
};
#define HEARD_SWAP_MS    60000
#define HEARD_SWAPPED_MS 600000 /* what lasts longer without another is over */
struct heard;
struct heard *heard_create(void); /* NULL: out of memory */
void heard_destroy(struct heard *h);

enum heard_how { HEARD_FRAME, HEARD_REFUSED, HEARD_SILENT, HEARD_GARBLED };
/* `text`: of HEARD_REFUSED why, of HEARD_FRAME its address. */
void heard_note(struct heard *h, struct str code, enum heard_how how, struct str text, int64_t now_ms);
/* HEARD_FRAME by a connection that lasts; each has a number of its own, from 1.  Somebody else is another address, or
 * the connection before the last one again: a device that connects anew comes by a new one, two behind one address take
 * turns. */
void heard_frame(struct heard *h, struct str code, struct str peer, uint64_t conn, int64_t now_ms);
/* What a device kept for a while tells an old time though its clock is right: of HEARD_CLOCK_MS the latest counts. */
#define HEARD_CLOCK_MS     600000
#define HEARD_CLOCK_OFF_MS INT64_C(300000) /* nobody is told of less */
static inline bool heard_is_off(int64_t skew_ms) {
    return skew_ms >= HEARD_CLOCK_OFF_MS || skew_ms <= -HEARD_CLOCK_OFF_MS;
}
void heard_clock(struct heard *h, struct str code, int64_t skew_ms, int64_t now_ms);
/* It is there then, it says.  False: nobody gets there from where it was last, at 200 km/h, where it is more than
 * 1 km away; unless what it said before was no more likely, and this fits to it. */
bool heard_place(struct heard *h, struct str code, const struct heard_place *place);
void heard_midnight(struct heard *h, struct str code, int64_t midnight_ms);
bool heard_knows(struct heard *h, struct str code);
bool heard_get(struct heard *h, struct str code, struct heard_device *ret); /* false: nothing was heard of it */
/* Up to `cap` of them, going on behind the last one given before, round and round. */
size_t heard_next(struct heard *h, struct heard_device *ret, size_t cap);

#endif
