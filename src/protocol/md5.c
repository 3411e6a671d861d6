/* MD5, RFC 1321.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/md5.h"

#include <string.h>

#define BLOCK 64

/* 2^32 |sin(i + 1)|, the table T of 3.4. */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

void md5_init(struct md5 *m) {
    *m = (struct md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

/* Of a step: which of the four functions F, G, H, I, and which word of the block. */
static uint32_t mixed(size_t i, uint32_t b, uint32_t c, uint32_t d, size_t *ret_word) {
    switch (i / 16) {
    case 0: *ret_word = i; return (b & c) | (~b & d);
    case 1: *ret_word = (5 * i + 1) % 16; return (b & d) | (c & ~d);
    case 2: *ret_word = (3 * i + 5) % 16; return b ^ c ^ d;
    default: *ret_word = 7 * i % 16; return c ^ (b | ~d);
    }
}

static void take(uint32_t state[4], const uint8_t block[BLOCK]) {
    static const uint8_t turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t x[16], a = state[0], b = state[1], c = state[2], d = state[3];
    for (size_t i = 0; i < 16; i++, block += 4)
        x[i] = (uint32_t)block[0] | (uint32_t)block[1] << 8 | (uint32_t)block[2] << 16 | (uint32_t)block[3] << 24;
    for (size_t i = 0; i < 64; i++) {
        size_t word;
        uint32_t f = mixed(i, b, c, d, &word) + a + sines[i] + x[word];
        unsigned turn = turns[i / 16][i % 4];
        a = d;
        d = c;
        c = b;
        b += f << turn | f >> (32 - turn);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void md5_add(struct md5 *m, struct bytes bytes) {
    for (size_t i = 0; i < bytes.len;) {
        size_t at = m->len % BLOCK, n = bytes.len - i < BLOCK - at ? bytes.len - i : BLOCK - at;
        memcpy(m->block + at, bytes.ptr + i, n);
        m->len += n;
        i += n;
        if (m->len % BLOCK == 0) take(m->state, m->block);
    }
}

void md5_end(struct md5 *m, uint8_t ret[MD5_BYTES]) {
    static const uint8_t pad[BLOCK] = {0x80};
    uint64_t bits = m->len * 8;
    uint8_t length[8];
    for (size_t i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> 8 * i);
    md5_add(m, (struct bytes){pad, 1 + (BLOCK + 55 - m->len % BLOCK) % BLOCK});
    md5_add(m, (struct bytes){length, sizeof length});
    for (size_t i = 0; i < MD5_BYTES; i++) ret[i] = (uint8_t)(m->state[i / 4] >> 8 * (i % 4));
}
