/* CJ/T 188-2004 and -2018: water, heat and gas meters, both directions.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_CJT188_CJT188_H
#define LINLI_PROTOCOL_CJT188_CJT188_H

#include "protocol/codec.h"

/* FE …   two to four, to wake the meter
 * 0      68
 * 1      T: 10..1F water, 20..2F heat, 30..3F gas; AA any
 * 2..8   A0..A6: address, 14 decimal digits, low byte first, of which A5 and A6 are the maker's; AA stands for any
 * 9      C: bit 7 from the meter, 6 refused, 5..0 function
 * 10     L: length of the data, 0..100
 * 11..   data: identifier (two bytes, in the order of the maker), serial number, payload
 * -2     CS: sum of all bytes from the 68, modulo 256
 * -1     16 */
#define CJT188_DATA_MAX  100
#define CJT188_FRAME_MAX (4 + 13 + CJT188_DATA_MAX)

enum cjt188_function {
    CJT188_READ = 0x01,
    CJT188_ADDRESS = 0x03,
    CJT188_WRITE = 0x04,
    CJT188_KEY_VERSION = 0x09,
    CJT188_WRITE_ADDRESS = 0x15,
    CJT188_SYNC = 0x16, /* sets what the mechanical counter shows */
    CJT188_OWN = 0x20   /* up to 3F: the maker's own */
};
#define CJT188_REPLY   0x80
#define CJT188_REFUSED 0x40

#define CJT188_METERING 0x901f
#define CJT188_VALVE    0xa017
#define CJT188_OPEN     0x55
#define CJT188_CLOSE    0x99

struct cjt188_frame {
    uint8_t type, control, wake;
    char address[15]; /* digits as people write them, the high one first; "AAAAAAAAAAAAAA": any */
    struct bytes data;
};
bool cjt188_decode(struct bytes whole, struct cjt188_frame *ret, struct wire_error *reterr);
/* False: the address is none, or the data are too long; nothing is written then. */
bool cjt188_encode(const struct cjt188_frame *f, struct buf *out);

/* What is inside the data.  Both orders of the identifier are in the field: which one it was, is told. */
struct cjt188_value {
    const char *metric, *unit;
    double value;
    bool is_missing; /* digits that are none */
};
#define CJT188_VALUES_MAX 8
enum cjt188_valve { CJT188_VALVE_OPEN = 0, CJT188_VALVE_CLOSED = 1, CJT188_VALVE_FAULT = 3 };
struct cjt188_body {
    uint16_t item;
    bool has_item, is_low_first, has_serial, has_status, has_clock;
    uint8_t serial;
    struct cjt188_value values[CJT188_VALUES_MAX];
    size_t values_n;
    uint8_t status[2]; /* bits 1..0: valve; 2: battery low; the second byte is the maker's */
    int64_t clock_s;   /* local civil seconds since 1970 */
    struct bytes rest; /* what nobody knows to read */
};
/* False: metering data whose length or unit is none. */
bool cjt188_body(const struct cjt188_frame *f, struct cjt188_body *ret, struct wire_error *reterr);

const char *cjt188_function_name(uint8_t function); /* "read"; NULL: the maker's own, or none */
const char *cjt188_medium_name(uint8_t type);       /* "cold_water"; NULL: unknown */

extern const struct codec cjt188_codec;

#endif
