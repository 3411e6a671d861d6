/* Integers in a row, in as few bytes as they take.  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_INTS_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_INTS_INTERNAL_H

#include "base/base.h"

#include <string.h>

/* A byte says how: all zero; varints, a zero followed by how many more zeros come; or blocks of INTS_BLOCK, each by its
 * least number and what the others are above it, packed to the bits that the largest needs (frame of reference:
 * Goldstein, Ramakrishnan, Shaft 1998).  The shortest is taken. */
#define INTS_BLOCK        128
#define INTS_BYTES_MAX(n) ((size_t)1 + 11 * (n) + 16)

size_t ints_size(const int64_t *v, size_t n);                /* bytes that ints_put would take */
uint8_t *ints_put(uint8_t *out, const int64_t *v, size_t n); /* out: INTS_BYTES_MAX(n); gives the end */
bool ints_get(struct bytes *in, int64_t *ret, size_t n);     /* cuts them off; false: they are none */

/* ---- varints, little end first, seven bits a byte ---- */

#define VARINT_MAX 10

static inline uint64_t zigzag(int64_t v) {
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}
static inline int64_t unzigzag(uint64_t v) {
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}
static inline uint8_t *varint_put(uint8_t *out, uint64_t v) {
    for (; v >= 0x80; v >>= 7) *out++ = (uint8_t)(v | 0x80);
    *out++ = (uint8_t)v;
    return out;
}
/* False: the bytes end, or it is longer than 64 bits. */
static inline bool varint_get(struct bytes *in, uint64_t *ret) {
    uint64_t v = 0;
    for (size_t i = 0; i < VARINT_MAX && i < in->len; i++) {
        v |= (uint64_t)(in->ptr[i] & 0x7f) << (7 * i);
        if (in->ptr[i] & 0x80) continue;
        *in = (struct bytes){in->ptr + i + 1, in->len - i - 1};
        *ret = v;
        return true;
    }
    return false;
}
static inline size_t varint_size(uint64_t v) {
    return (size_t)(63 - __builtin_clzll(v | 1)) / 7 + 1;
}

/* Little-endian numbers of n bytes, shared with the log. */
static inline void le_put(uint8_t *p, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(v >> (8 * i));
}
static inline uint64_t le_get(const uint8_t *p, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}
static inline uint64_t bits_of(double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}
static inline double double_of(uint64_t bits) {
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

#endif
