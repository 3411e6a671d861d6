/* Lifts and escalators by GB/T 24476: records that their platforms push as JSON over HTTP.  The standard says which
 * items there are and what they mean, not how JSON names them: the names here are ours, as docs/lines.md tells them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_LIFT_LIFT_H
#define LINLI_PROTOCOL_LIFT_LIFT_H

#include "protocol/codec.h"

/* A record of now is
 *     {"regCode":"31104403002018010001","ts":"2026-11-21T08:30:00+08:00","serviceMode":1,"carStatus":1,"carDirection":1,
 *      "doorZone":false,"carPosition":"12","doorClosed":true,"passenger":true}
 * of which all but regCode may be missing; a report of a fault, an event or an alarm
 *     {"regCode":"…","code":"04","begin":"…","end":null,"serviceMode":1,"carPosition":"12","passenger":true}
 * with an end once it is over.  An escalator has operationStatus and operationDirection.  Yes and no: true, 1 and
 * false, 0, 2.  Other members are passed over.
 *
 * The answer is {"code":0,"message":"ok"}, else {"code":1,…}: no edition of the standard fixes one; of what senders of
 * the field are given by their platforms, this is what they have in common: a code that is 0, and words. */
#define LIFT_RECORD_MAX  ((size_t)64 * 1024) /* bytes */
#define LIFT_CODE_DIGITS 20                  /* of a registration */

enum lift_mode {
    LIFT_OUT_OF_SERVICE,
    LIFT_NORMAL,
    LIFT_INSPECTION,
    LIFT_FIRE_RETURN,
    LIFT_FIREMAN,
    LIFT_EMERGENCY_POWER,
    LIFT_EARTHQUAKE,
    LIFT_MODE_UNKNOWN
};
struct lift_state { /* -1: not known */
    int8_t mode, running, direction /* 0 none, 1 up, 2 down */, door_zone, door_closed, passenger;
};
extern const struct lift_state lift_unknown;
/* Somebody inside, the car stands outside of the unlocking zone or with its door closed, and the mode is one in which
 * it should not: 1, else 0; -1 where that cannot be known.  It says nothing of how long: a rule waits (30 s, EN 81-28
 * has no figure). */
int lift_entrapped(const struct lift_state *s);
/* What stands on the display, where it is a number of floors: 12, -1, B2, 3F.  False: it is none. */
bool lift_floor(struct str position, double *ret);
/* Running with an open door outside of the zone (code 05). */
bool lift_moves_open(const struct lift_state *s);

/* Codes of reports, and the words for them.  Cities have further codes of their own, which contradict each other: each
 * is told as "code_N", for rules of a community that knows what it means there, as the word that some cities mean by it
 * (LIFT_CITY), and as "other" unless that word is entrapment, which nobody must miss. */
enum lift_part { LIFT_FAULT, LIFT_MODE, LIFT_ALARM, LIFT_CITY };
struct lift_code {
    char raw[3];
    uint8_t part;     /* enum lift_part: what ends together */
    bool is_end;      /* 00, 40: of all that is of the part */
    const char *code; /* of the event */
    int8_t mode;      /* in which the lift is from then on; -1: it does not say */
};
const struct lift_code *lift_code_of(struct str raw); /* NULL: another */
/* NULL: of the device itself, that is of an alarm. */
const char *lift_part_name(enum lift_part part);
/* Faults that somebody who works on the lift brings about: nobody is called for them on inspection. */
bool lift_is_of_work(const struct lift_code *c);

struct lift_record {
    struct str device;
    struct lift_state state;
    struct str position;     /* as it is displayed */
    double floor;            /* of that; only with has_floor */
    int64_t running_h, runs; /* -1: not told */
    int64_t at_ms;           /* ts, or the begin or end of what is reported; 0: not told */
    struct str code;         /* of a report; absent: the record of now */
    bool has_floor, is_over, is_escalator;
};
bool lift_read(struct bytes whole, struct arena *a, struct lift_record *ret, struct wire_error *reterr);

extern const struct codec lift_codec;

#endif
