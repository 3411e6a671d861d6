/* DL/T 645-2007 and -1997: electricity meters, both directions.  The master asks, a meter answers, half duplex.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_DLT645_DLT645_H
#define LINLI_PROTOCOL_DLT645_DLT645_H

#include "protocol/codec.h"

/* FE …   up to four, to wake the meter
 * 0      68
 * 1..6   A0..A5: address, 12 decimal digits, low byte first; AA stands for any, 99 for all
 * 7      68
 * 8      C: bit 7 from the meter, 6 refused, 5 more follows, 4..0 function
 * 9      L: length of the data, 0..200
 * 10..   data, each byte 33 more than what it means
 * -2     CS: sum of all bytes from the first 68, modulo 256
 * -1     16 */
#define DLT645_DATA_MAX  200
#define DLT645_FRAME_MAX (4 + 12 + DLT645_DATA_MAX)

enum dlt645_function {
    DLT645_97_READ = 0x01,
    DLT645_97_FOLLOWING = 0x02,
    DLT645_SECURITY = 0x03,
    DLT645_97_WRITE = 0x04,
    DLT645_TIME = 0x08, /* of all meters, in both editions; never answered */
    DLT645_97_WRITE_ADDRESS = 0x0a,
    DLT645_97_RATE = 0x0c,
    DLT645_97_PASSWORD = 0x0f,
    DLT645_97_CLEAR_DEMAND = 0x10,
    DLT645_READ = 0x11,
    DLT645_FOLLOWING = 0x12,
    DLT645_ADDRESS = 0x13,
    DLT645_WRITE = 0x14,
    DLT645_WRITE_ADDRESS = 0x15,
    DLT645_FREEZE = 0x16,
    DLT645_RATE = 0x17,
    DLT645_PASSWORD = 0x18,
    DLT645_CLEAR_DEMAND = 0x19,
    DLT645_CLEAR_METER = 0x1a,
    DLT645_CLEAR_EVENTS = 0x1b,
    DLT645_SWITCH = 0x1c, /* trip, close, alarm, protect */
    DLT645_TERMINAL = 0x1d
};
#define DLT645_REPLY   0x80
#define DLT645_REFUSED 0x40
#define DLT645_MORE    0x20

struct dlt645_frame {
    char address[13]; /* digits as people write them, the high one first; "AAAAAAAAAAAA": any */
    uint8_t control, wake;
    uint8_t data[DLT645_DATA_MAX]; /* as meant: less 33 */
    size_t data_n;
};
bool dlt645_decode(struct bytes whole, struct dlt645_frame *ret, struct wire_error *reterr);
/* False: the address is none, or the data are too long; nothing is written then. */
bool dlt645_encode(const struct dlt645_frame *f, struct buf *out);

/* Energies as a meter froze them at midnight, the last byte counting from 1, the latest: read as those of now. */
#define DLT645_MIDNIGHT  0x05060100u
#define DLT645_FROZEN    0x05060000u /* and when it did, counting alike: mm hh DD MM YY */
#define DLT645_MIDNIGHTS 62u

/* Run status word 3: bit 4 of its first byte, the relay, 1 open. */
#define DLT645_STATUS_3 0x04000503u

/* Which data the frame is about: 4 bytes of the 2007 edition, 2 of 1997. */
bool dlt645_item(const struct dlt645_frame *f, uint32_t *ret_di);
/* One value among the data of an item or a block of items. */
struct dlt645_value {
    const char *metric, *unit; /* "energy", "kWh" */
    double value;
    uint8_t period;  /* 0: now; 1..12: as it was at the end of so many settlement periods ago */
    bool is_missing; /* digits that are none: the meter has no value there */
};
#define DLT645_VALUES_MAX 8
/* Of the data behind the identifier, all parts of them joined; none for items that are not known.  Gives how many, and
 * *ret_rest: bytes behind them. */
size_t dlt645_values(uint32_t di, bool is_97, struct bytes data, struct dlt645_value ret[DLT645_VALUES_MAX],
                     size_t *ret_rest);
/* The same of a whole reply; none where more follows. */
size_t dlt645_reply_values(const struct dlt645_frame *f, struct dlt645_value ret[DLT645_VALUES_MAX], size_t *ret_rest);
/* What bit `bit` of the byte of a refusal says: "no_data", "wrong_password"; NULL: reserved. */
const char *dlt645_error_word(int bit);
const char *dlt645_function_name(uint8_t function); /* "read"; NULL: unknown */

extern const struct codec dlt645_codec;

#endif
