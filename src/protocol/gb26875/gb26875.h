/* GB/T 26875.3-2011: what a fire alarm transmission device says to its centre.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_GB26875_GB26875_H
#define LINLI_PROTOCOL_GB26875_GB26875_H

#include "protocol/codec.h"

/* 0..1   start 40 40                      (clause 8.2)
 * 2..3   serial number, low byte first
 * 4..5   version, main and user
 * 6..11  time: second minute hour day month year-2000, plain binary
 * 12..17 source address, low byte first
 * 18..23 destination address
 * 24..25 length of the application data, 0..1024
 * 26     command
 * 27..   application data: type, count, objects
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
    GB26875_DENY = 6
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
/* One object of the application data. */
struct gb26875_object {
    uint8_t type; /* 1 system state .. 91 duty check */
    uint8_t system, system_address, component, analogue, operator_id;
    uint32_t component_address;
    uint16_t state;    /* bits; operations and device states use the low 8 */
    int16_t value;     /* analogue, raw */
    struct bytes text; /* description as on the wire */
    struct gb26875_time time;
    bool has_time;
};

bool gb26875_decode(struct bytes whole, struct gb26875_frame *ret, struct wire_error *reterr);
/* Calls for each object of the data, in order; false: count and sizes do not fit (clause 8.3), *reterr says where. */
bool gb26875_objects(const struct gb26875_frame *f, struct arena *a, const struct gb26875_object **ret, size_t *ret_n,
                     struct wire_error *reterr);
void gb26875_encode(const struct gb26875_frame *f, struct buf *out); /* nothing is written when the data are too long */
bool gb26875_time_s(struct gb26875_time t, int64_t *ret_s); /* local civil seconds since 1970; false: not a time */
struct gb26875_time gb26875_time_of(int64_t s);
const char *gb26875_component_name(uint8_t component); /* "smoke_detector"; "component" when unknown */
const char *gb26875_system_name(uint8_t system);

extern const struct codec gb26875_codec;

#endif
