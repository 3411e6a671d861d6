/* JT/T 808-2011, -2013, -2019: terminals of vehicles, over TCP.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_JT808_JT808_H
#define LINLI_PROTOCOL_JT808_JT808_H

#include "protocol/codec.h"

/* 7E, then with 7E as 7D 02 and 7D as 7D 01:
 *  0      message, 2
 *  2      attributes, 2: bits 0..9 bytes of the body, 10..12 how it is encrypted, 13 a part of a message, 14 of 2019
 *  4      terminal, BCD 6; 2019: version 1, BCD 10
 *  10/15  serial, 2
 *  12/17  only with bit 13: how many parts 2, which one 2, from 1
 *         body
 *         check: all bytes before it, exclusive or
 * and 7E.  Numbers have the big end first. */
#define JT808_BODY_MAX   1023
#define JT808_HEAD_MAX   21
#define JT808_FRAME_MAX  (2 + 2 * (JT808_HEAD_MAX + JT808_BODY_MAX + 1))
#define JT808_DIGITS     12
#define JT808_DIGITS_19  20
#define JT808_VERSION_19 1

enum jt808_message {
    JT808_ANSWER = 0x0001,
    JT808_HEARTBEAT = 0x0002,
    JT808_LOG_OUT = 0x0003,
    JT808_REGISTER = 0x0100,
    JT808_AUTHENTICATE = 0x0102,
    JT808_PARAMETERS = 0x0104,
    JT808_LOCATION = 0x0200,
    JT808_LOCATION_ANSWER = 0x0201,
    JT808_BATCH = 0x0704,
    JT808_TRANSPARENT_UP = 0x0900,
    JT808_CENTRE_ANSWER = 0x8001,
    JT808_RESEND = 0x8003,
    JT808_REGISTERED = 0x8100,
    JT808_SET_PARAMETERS = 0x8103,
    JT808_GET_PARAMETERS = 0x8104,
    JT808_CONTROL = 0x8105,
    JT808_LOCATE = 0x8201,
    JT808_TEXT = 0x8300,
    JT808_TRANSPARENT_DOWN = 0x8900,
};
#define JT808_FROM_CENTRE 0x8000 /* the messages to terminals */
enum jt808_result { JT808_OK, JT808_FAILED, JT808_WRONG, JT808_UNSUPPORTED, JT808_ALARM_CONFIRMED };

struct jt808_frame {
    uint16_t message, serial;
    uint16_t attributes;                /* bits 10..12 and 15 only: the others follow from the rest */
    uint16_t parts, part;               /* 0: the whole message */
    char terminal[JT808_DIGITS_19 + 1]; /* with zeros in front: 20 digits make it one of 2019 */
    uint8_t version;                    /* 2019 only */
    size_t body_n;
    uint8_t body[JT808_BODY_MAX];
};
bool jt808_decode(struct bytes whole, struct jt808_frame *ret, struct wire_error *reterr);
/* False: the terminal has no 12 or 20 digits, or the body is too long. */
bool jt808_encode(const struct jt808_frame *f, struct buf *out);

#define JT808_LOCATION_BYTES 28
struct jt808_location { /* body of 0200; extras are id 1, length 1, value */
    uint32_t alarm, status;
    uint32_t latitude, longitude; /* 1e-6 deg; status bits 2 and 3 make them south and west */
    uint16_t altitude_m, speed_dkmh /* 0.1 km/h */, course_deg;
    uint8_t time[6]; /* BCD, year first, UTC+8 */
    struct bytes extras;
};
bool jt808_location_of(struct bytes body, struct jt808_location *ret); /* false: too short */
void jt808_put_location(const struct jt808_location *l, struct buf *out);
#define JT808_FIXED 2 /* bits of status */
#define JT808_SOUTH 4
#define JT808_WEST  8

/* ---- messages in parts (attributes, bit 13) ---- */

#define JT808_PIECES   64    /* parts that a connection keeps, of all messages: 64 KiB */
#define JT808_UNDERWAY 4     /* messages */
#define JT808_PARTS_MS 60000 /* after its first part a message is whole, or given up */
#define JT808_AGAIN_MS 5000  /* nothing came for so long: what is missing is asked for again */

struct jt808_underway {
    char terminal[JT808_DIGITS_19 + 1];
    uint8_t version;
    uint16_t message, first; /* serial of part 1: serials of parts follow each other */
    uint16_t parts, have;    /* parts 0: nothing is under way here */
    uint16_t last;           /* the part with which it was whole; said again, all is said again */
    int64_t began_ms, heard_ms;
};
struct jt808_piece {
    uint8_t of;    /* which one under way */
    uint16_t part; /* 0: it is free */
    uint16_t n;
    uint8_t body[JT808_BODY_MAX];
};
struct jt808_parts { /* zero at first */
    struct jt808_underway all[JT808_UNDERWAY];
    struct jt808_piece pieces[JT808_PIECES];
    uint16_t serial; /* of what asks */
    bool is_crowded; /* a message had to make room before it was whole */
};
/* One frame, part or not, as decode() has it; a message in parts (0200, 0201, 0704, 0104) is said with the part that
 * was missing last.  Parts come in any order, and more than once.  now_ms: of a clock that never goes back. */
bool jt808_hear(struct jt808_parts *p, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                struct wire_error *reterr);
/* Appends a frame 8003 for each message of which nothing came for a while.  False: one was given up, by that rule. */
bool jt808_missing(struct jt808_parts *p, int64_t now_ms, struct buf *out, struct wire_error *reterr);

extern const struct codec jt808_codec;

#endif
