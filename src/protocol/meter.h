/* What frames of Chinese meters have in common: up to four FE that wake, 68, a head with the length, data, a sum and 16
 * (DL/T 645, CJ/T 188).  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_METER_H
#define LINLI_PROTOCOL_METER_H

#include "protocol/codec.h"

#define METER_WAKE_MAX 4

struct meter_shape {
    size_t head;      /* bytes from the 68 up to the data */
    size_t length_at; /* in the head: one byte */
    size_t mark_at;   /* in the head: a second 68; 0: none */
    size_t data_max;
    /* Which rule was broken, by the standard's own name of the field. */
    const char *start, *mark, *length, *fits, *sum, *end;
};
struct meter_parts {
    size_t wake;             /* FE in front */
    struct bytes head, data; /* slices the frame */
};
/* Splits a stream.  Where bytes were lost, a right frame inside of one that is still waited for wins. */
enum frame meter_split(const struct meter_shape *s, struct bytes in, size_t *ret_len);
bool meter_open(const struct meter_shape *s, struct bytes whole, struct meter_parts *ret, struct wire_error *reterr);
/* Ends a frame whose 68 was written at `from`. */
void meter_close(struct buf *out, size_t from);

/* Addresses: two digits a byte, low byte first, or AA for any; as text the high digit first.  ret has 2 n + 1 bytes. */
bool meter_address(struct bytes wire, char *ret);
bool meter_address_of(const char *text, uint8_t *ret, size_t n);

/* Is it the one that was asked?  AA in the question stands for any two digits. */
bool meter_is_asked(struct str asked, const char *address);

/* Decimal digits, two a byte, low byte first.  False: a digit above 9; such a value is missing, not 0. */
bool meter_bcd(struct bytes b, uint64_t *ret);
void meter_put_bcd(struct buf *out, uint64_t v, size_t n);
/* Six of them, second first: local civil seconds since 1970.  False: not a time. */
bool meter_time(struct bytes b, int64_t *ret_s);

#endif
