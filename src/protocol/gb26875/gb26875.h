/* GB/T 26875.3-2011: what a fire alarm transmission device says to its centre.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_GB26875_GB26875_H
#define LINLI_PROTOCOL_GB26875_GB26875_H

#include "protocol/codec.h"

/* 0..1   start 40 40                      (clause 6.6)
 * 2..3   serial number, low byte first
 * 4..5   version, main and user
 * 6..11  time: second minute hour day month year-2000, plain binary
 * 12..17 source address, low byte first
 * 18..23 destination address
 * 24..25 length of the application data, 0..1024
 * 26     command
 * 27..   application data: type, count, objects (clauses 7, 8)
 * -3     sum of bytes 2.. to the end of the data, modulo 256
 * -2..   end 23 23 */
#define GB26875_OVERHEAD 30
#define GB26875_DATA_MAX 1024

enum gb26875_command {
    GB26875_CONTROL = 1,
    GB26875_SEND = 2,
    GB26875_CONFIRM = 3,
    GB26875_REQUEST = 4,
    GB26875_ANSWER = 5,
    GB26875_DENY = 6,
    GB26875_OWN = 128 /* from here on the maker's own */
};

struct gb26875_time {
    uint8_t second, minute, hour, day, month, year; /* year since 2000 */
};
struct gb26875_frame {
    uint16_t serial;
    uint8_t version[2];
    struct gb26875_time time;
    uint64_t source, destination; /* 48 bits */
    uint8_t command;
    struct bytes data; /* slices the frame */
};
/* One object of the application data; which members count, its type says (gb26875_parts). */
struct gb26875_object {
    uint8_t type; /* 1 system state .. 91 duty check */
    uint8_t system, system_address, component, analogue, operator_id;
    uint8_t major, minor, records, minutes, reserved;
    uint32_t component_address; /* its two halves mean what the maker says */
    uint16_t state;             /* bits; operations and device states use the low 8 */
    int16_t value;              /* analogue, raw */
    struct bytes text;          /* description as on the wire: 31 bytes, or as long as told */
    struct gb26875_time time;
    bool has_time;
};

/* What one member of an object is on the wire, in the order of clause 8.3: the one table from which objects are read,
 * written, shown and made. */
struct gb26875_part {
    const char *key;
    enum {
        GB26875_U8,
        GB26875_STATE8,
        GB26875_U16,
        GB26875_I16,
        GB26875_U32,
        GB26875_TEXT31,
        GB26875_TEXT_L,
        GB26875_TIME
    } form;
    size_t at; /* in struct gb26875_object */
};
#define GB26875_PARTS_MAX 7
const struct gb26875_part *const *gb26875_parts(uint8_t type); /* up to a NULL; NULL: no such type */

/* Splits a stream.  23 23 may stand inside the data, so the length decides and never the end mark alone.  Bytes may
 * have been lost: a frame that is whole and has the right sum inside of one that is still waited for, or is wrong,
 * wins, and what stood before it is skipped.  Of one that says a length over 1024 its head, up to the command, is the
 * frame, where all else in it is right. */
enum frame gb26875_split(struct bytes in, size_t *ret_len);
enum frame gb26875_follow(struct bytes in, struct followed *followed, size_t *ret_len); /* codec.follow() */
bool gb26875_decode(struct bytes whole, struct gb26875_frame *ret, struct wire_error *reterr);
/* The objects of the data, in order; *ret_rest, bytes behind the last one, are allowed.  None for empty data (the
 * heartbeat that makers agreed on), for makers' own types and commands.  False: count and sizes do not fit. */
bool gb26875_objects(const struct gb26875_frame *f, struct arena *a, const struct gb26875_object **ret, size_t *ret_n,
                     struct bytes *ret_rest, struct wire_error *reterr);
void gb26875_put_objects(uint8_t type, const struct gb26875_object *all, size_t n, struct buf *out);
void gb26875_encode(const struct gb26875_frame *f, struct buf *out); /* nothing is written when the data are too long */
bool gb26875_time_s(struct gb26875_time t, int64_t *ret_s); /* local civil seconds since 1970; false: not a time */
struct gb26875_time gb26875_time_of(int64_t s);

/* Words for people. */
const char *gb26875_component_name(uint8_t component); /* "smoke_detector"; "component" when unknown */
const char *gb26875_system_name(uint8_t system);
const char *gb26875_command_name(uint8_t command); /* "send"; NULL when unknown */
/* A description: GB 18030, as the standard has it, or UTF-8, as some devices have.  Zeros that fill it are no part of
 * it. */
enum gb26875_script { GB26875_GB18030, GB26875_UTF8, GB26875_BYTES /* neither: *ret is absent */ };
enum gb26875_script gb26875_text(struct bytes text, struct arena *a, struct str *ret);

/* What is sent or answered means: the bits of states, levels (fire_alarm, fault, mains_fault …), and of operations
 * (reset, silenced, duty_answer …) are events; so are what is only told, its `text`: version, configuration, clock.
 * Their part is "SYSTEM.ADDRESS" or "SYSTEM.ADDRESS.COMPONENT'S"; absent: the device itself.  Analogues are readings
 * "METRIC.COMPONENT.ITS ADDRESS"; those of a kind that the standard has not "analogue_KIND…", as they came.  Sent twice
 * it means the same twice. */
extern const struct codec gb26875_codec;

/* What a device is asked or told (struct question).  `address` is its number; `key`, where the device minds, the number
 * of its centre, else 0.  `item` is a word or its type of data (clause 8.3.2), behind a colon what it is about; that
 * may stand in `value` instead. 61 system_state, 65 system_version, 66 system_configuration, 68 system_clock    "1.1":
 * system, its address 62 component_state, 63 analogue, 67 component_configuration                     "1.1.131082": and
 * the component's 64 system_operations   "1.1 5 2026-11-24T10:42:00": and how many records, from when on 84
 * device_operations   "5 2026-11-24T10:42:00" 81 device_state, 85 device_version, 86 device_configuration, 88
 * device_clock    nothing and what is done, always with its `value`: 89 init   "now" 90 clock  "now", which
 * is now_s, or "2026-11-24T10:42:00" 91 duty   minutes in which the guard is to answer.  The confirmation says that he
 * was called; that he is there says the event duty_answer, which is to come within them. Answers are known by serial
 * number, sender and type; a denial refuses. */

#endif
