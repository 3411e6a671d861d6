/* BACnet/IP (ANSI/ASHRAE 135-2020, ISO 16484-5), as far as a client of points needs it: who is there, reading, writing,
 * changes of value, events.  No segments: those are answered with an abort.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_BACNET_BACNET_H
#define LINLI_PROTOCOL_BACNET_BACNET_H

#include "protocol/codec.h"

/* ---- datagrams ---- */

/* 0      81                                                          (Annex J.2)
 * 1      function
 * 2..3   length of the whole, high byte first
 * FORWARDED only: 4 bytes of IPv4 and 2 of port, of whom said it
 * NPDU   01, control, [network 2, n, n bytes: to], [the same: from], [hop count, with `to`]   (6.2)
 * APDU   kind << 4 | flags, and by kind                              (20.1)
 *        0 confirmed     limits, invoke, [sequence, window], service, data
 *        1 unconfirmed   service, data
 *        2 simple ack    invoke, service
 *        3 complex ack   invoke, [sequence, window], service, data
 *        4 segment ack   invoke, sequence, window
 *        5 error         invoke, service, data
 *        6 reject, 7 abort   invoke, reason */
#define BACNET_PORT      47808
#define BACNET_MAC_MAX   7
#define BACNET_APDU_MAX  1476
#define BACNET_FRAME_MAX (10 + 9 + 2 * BACNET_MAC_MAX + BACNET_APDU_MAX)

enum bacnet_function {
    BACNET_RESULT = 0x00, /* data: code 2; 0 is fine */
    BACNET_FORWARDED = 0x04,
    BACNET_REGISTER = 0x05,   /* as a foreign device; data: seconds 2 */
    BACNET_DISTRIBUTE = 0x09, /* what a foreign device wants broadcast */
    BACNET_UNICAST = 0x0a,
    BACNET_BROADCAST = 0x0b
};
enum bacnet_kind {
    BACNET_CONFIRMED,
    BACNET_UNCONFIRMED,
    BACNET_SIMPLE_ACK,
    BACNET_COMPLEX_ACK,
    BACNET_SEGMENT_ACK,
    BACNET_ERROR,
    BACNET_REJECT,
    BACNET_ABORT
};
enum { BACNET_SEGMENTED = 8, BACNET_SERVER = 1 }; /* flags: of confirmed and complex ack; of abort */
enum bacnet_confirmed {
    BACNET_COV_CONFIRMED = 1,
    BACNET_EVENT_CONFIRMED = 2,
    BACNET_SUBSCRIBE_COV = 5,
    BACNET_READ = 12,
    BACNET_READ_MULTIPLE = 14,
    BACNET_WRITE = 15
};
enum bacnet_unconfirmed {
    BACNET_I_AM = 0,
    BACNET_I_HAVE = 1,
    BACNET_COV = 2,
    BACNET_EVENT = 3,
    BACNET_TIME = 6,
    BACNET_WHO_HAS = 7,
    BACNET_WHO_IS = 8,
    BACNET_UTC_TIME = 9
};
enum { BACNET_UNRECOGNIZED_SERVICE = 9, BACNET_INVALID_TAG = 4, BACNET_NO_SEGMENTS = 4 }; /* reject; abort */
enum {
    BACNET_UNKNOWN_OBJECT = 31,
    BACNET_UNKNOWN_PROPERTY = 32,
    BACNET_BAD_VALUE = 37,
    BACNET_WRITE_DENIED = 40,
    BACNET_SUBSCRIPTION_FAILED = 43
};
#define BACNET_EVERYWHERE 0xffff /* network: a broadcast on all of them */

struct bacnet_address { /* of a station on another network */
    uint16_t net;       /* 0: on this one */
    uint8_t mac[BACNET_MAC_MAX], mac_n;
};
struct bacnet_frame {
    uint8_t function;  /* enum bacnet_function */
    uint8_t origin[6]; /* of FORWARDED */
    struct bacnet_address to, from;
    uint8_t hops, priority; /* hops: with `to`; priority 0..3 */
    bool is_expecting;      /* an answer */
    bool is_network;        /* a message of routers: data begins with its type */
    uint8_t kind, flags;    /* enum bacnet_kind */
    uint8_t limits;         /* of a confirmed request: segments taken << 4 | code of the longest APDU */
    uint8_t invoke, sequence, window;
    uint8_t service;   /* or reason */
    struct bytes data; /* slices the datagram */
};
bool bacnet_decode(struct bytes whole, struct bacnet_frame *ret, struct wire_error *reterr);
/* False: it is longer than BACNET_FRAME_MAX, or `to` and `from` are no addresses; nothing is written then. */
bool bacnet_encode(const struct bacnet_frame *f, struct buf *out);
/* A confirmed request to a station here, or on another network; an unconfirmed one, to all. */
struct bacnet_frame bacnet_request(uint8_t service, uint8_t invoke, const struct bacnet_address *to);
struct bacnet_frame bacnet_announcement(uint8_t service);
/* What answers `f` goes back to where it came from. */
struct bacnet_frame bacnet_answer(const struct bacnet_frame *f, enum bacnet_kind kind, uint8_t service_or_reason);

/* ---- what a service says ---- */

/* Numbers of application tags (20.2.1.4). */
enum bacnet_type {
    BACNET_NULL,
    BACNET_BOOLEAN,
    BACNET_UNSIGNED,
    BACNET_SIGNED,
    BACNET_REAL,
    BACNET_DOUBLE,
    BACNET_OCTETS,
    BACNET_TEXT,
    BACNET_BITS,
    BACNET_ENUMERATED,
    BACNET_DATE,
    BACNET_CLOCK,
    BACNET_OBJECT,
    BACNET_CONSTRUCTED /* none of these: a context tag with all that is in it */
};
struct bacnet_value {
    enum bacnet_type type;
    int64_t whole;     /* boolean, unsigned, signed, enumerated, object */
    double number;     /* the same but for object; real, double */
    struct bytes data; /* octets; text without its character set, UTF-8; bits: unused ones, then bytes; date, time */
    struct bytes wire; /* all of it, tag and all */
};
/* The next of a property's values.  False: no more, or no such value (*rest stays where it is). */
bool bacnet_next_value(struct bytes *rest, struct bacnet_value *ret);
void bacnet_put_value(const struct bacnet_value *v, struct buf *out); /* shortest; BACNET_CONSTRUCTED: its wire */

/* Object: type << 22 | instance. */
enum bacnet_object_type {
    BACNET_ANALOG_VALUE = 2,
    BACNET_BINARY_VALUE = 5,
    BACNET_DEVICE = 8,
    BACNET_ESCALATOR = 58,
    BACNET_LIFT = 59
};
#define BACNET_INSTANCE_MAX      0x3fffff /* stands for any */
#define BACNET_ID(type, number)  ((int64_t)(type) << 22 | (int64_t)(number))
#define BACNET_TYPE_OF(object)   ((uint32_t)((object) >> 22))
#define BACNET_NUMBER_OF(object) ((uint32_t)((object)&BACNET_INSTANCE_MAX))
enum bacnet_property {
    BACNET_ALL_PROPERTIES = 8,
    BACNET_DESCRIPTION = 28,
    BACNET_EVENT_STATE = 36,
    BACNET_OBJECT_IDENTIFIER = 75,
    BACNET_OBJECT_LIST = 76,
    BACNET_OBJECT_NAME = 77,
    BACNET_OUT_OF_SERVICE = 81,
    BACNET_PRESENT_VALUE = 85,
    BACNET_PRIORITY_ARRAY = 87,
    BACNET_RELINQUISH_DEFAULT = 104,
    BACNET_STATUS_FLAGS = 111,
    BACNET_UNITS = 117
};
struct bacnet_point { /* a property: asked for, told, or why not */
    int64_t object, property;
    int64_t index;                   /* of an array's member; -1: all of it */
    int64_t priority;                /* -1: none */
    int64_t error_class, error_code; /* -1: no error */
    struct bytes values;             /* of bacnet_next_value(); ptr NULL: none */
};
struct bacnet_body {                                /* numbers are -1 and bytes NULL where they are absent */
    int64_t low, high;                              /* who is, who has */
    int64_t device, max_apdu, segmentation, vendor; /* device: the object that speaks */
    int64_t process, remaining_s, confirmed;        /* changes of value; remaining_s is also how long is asked for */
    int64_t event_class, event_priority, event_type, notify_type, ack_required, from_state, to_state;
    int64_t error_class, error_code;
    struct bytes text;                             /* name, or message of an event: character set, then text */
    struct bytes stamp, event_values, date, clock; /* stamp, event_values: what is between their tags */
    struct bacnet_point point;                     /* what is read or written; its object also elsewhere */
    struct bacnet_point *points;                   /* of several: each with its object */
    size_t points_n;
};
#define BACNET_POINTS_MAX 740                   /* there is no room for more in an APDU */
extern const struct bacnet_body bacnet_nothing; /* all absent: to begin with */
extern const struct bacnet_point bacnet_no_point;
/* By kind and service.  A service that is not known leaves *ret empty; *ret_known says whether it is.  Points beyond
 * `cap` are checked and counted, not kept. */
bool bacnet_read_body(const struct bacnet_frame *f, struct bacnet_point *points, size_t cap, struct bacnet_body *ret,
                      bool *ret_known, struct wire_error *reterr);
/* Appends the data of f->kind and f->service.  False: a part that it needs is absent, or there is no such service. */
bool bacnet_put_body(const struct bacnet_frame *f, const struct bacnet_body *body, struct buf *out);
/* The same as a whole datagram. */
bool bacnet_put(const struct bacnet_frame *f, const struct bacnet_body *body, struct buf *out);

/* Why an error, reject, abort or segment is no answer, in a word; NULL: it is none of these. */
const char *bacnet_refusal(const struct bacnet_frame *f, const struct bacnet_body *body);

/* ---- how points are written ---- */

/* Items are TYPE_INSTANCE[_PROPERTY[_INDEX]][@PRIORITY], a word or a number each; `:` may stand for `_`:
 *     ai_1                      its present value
 *     ao_3@8                    at that priority, to write
 *     ai_1_units, device_1234_object_list_0
 *     0:1:85, 0:1               the same as ai_1
 * Types: ai ao av bi bo bv mi mo mv, lift, escalator, device … (bacnet_object_types).  Of an address that names an
 * object, "1234.lift_2", an item may be a property of that: "car_mode".  Several items, with blanks between, are read
 * at once.  An empty item asks whether the device is there.
 *
 * Values: a number, active, inactive, true, false, a text: as the point takes it; "null" gives up what was written at
 * the priority.  Where the type of the point is not known: real:21.5, double: unsigned: signed: enumerated: boolean:
 * text: …
 *
 * Readings are named like the items, ai_1, ai_1_reliability; lifts and escalators are devices of their own,
 * "1234.lift_2".  A datagram that answers a question says nowhere whose it is: its readings have no device, or the
 * object's name where that is one. */
bool bacnet_read_item(struct str text, struct bacnet_point *ret); /* priority and index -1 where they are absent */
bool bacnet_read_object(struct str text, int64_t *ret);
bool bacnet_read_value(struct str text, const struct bacnet_point *of, struct bacnet_value *ret);
void bacnet_put_item(const struct bacnet_point *p, struct buf *out); /* without the priority */
void bacnet_put_object(int64_t object, struct buf *out);

bool bacnet_is_thing(int64_t object);                    /* a lift or an escalator: a device of its own */
bool bacnet_tells_changes(const struct bacnet_point *p); /* may its object tell when it changes?  (13.1, table 13-1) */

struct bacnet_words {
    const struct bacnet_word {
        uint32_t number;
        const char *word;
    } * rows;
    size_t n;
};
extern const struct bacnet_words bacnet_object_types, bacnet_properties, bacnet_units /* words: UCUM */, bacnet_errors,
    bacnet_error_classes, bacnet_rejects, bacnet_aborts, bacnet_states;
const char *bacnet_word(const struct bacnet_words *w, int64_t number); /* NULL: it has none */
bool bacnet_number(const struct bacnet_words *w, struct str word, int64_t *ret);

extern const struct codec bacnet_codec;

#endif
