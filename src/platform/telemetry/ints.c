/* Integers in a row: varints with runs of zeros, or packed blocks.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/ints_internal.h"

#include <endian.h>

enum how { ALL_ZERO, VARINTS, PACKED };

#define WIDTH_MAX 56 /* bits: with the 7 before them they fit one load; wider blocks are varints */

/* ---- varints ---- */

static size_t varints_size(const int64_t *v, size_t n) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        size += varint_size(zigzag(v[i]));
        if (v[i]) continue;
        size_t zeros = 1;
        while (i + zeros < n && !v[i + zeros]) zeros++;
        size += varint_size(zeros - 1);
        i += zeros - 1;
    }
    return size;
}

static uint8_t *put_varints(uint8_t *out, const int64_t *v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        out = varint_put(out, zigzag(v[i]));
        if (v[i]) continue;
        size_t zeros = 1;
        while (i + zeros < n && !v[i + zeros]) zeros++;
        out = varint_put(out, zeros - 1);
        i += zeros - 1;
    }
    return out;
}

static bool get_varints(struct bytes *in, int64_t *ret, size_t n) {
    uint64_t v;
    for (size_t i = 0; i < n; i++) {
        if (!varint_get(in, &v)) return false;
        ret[i] = unzigzag(v);
        if (v) continue;
        if (!varint_get(in, &v) || v >= n - i) return false;
        for (; v; v--) ret[++i] = 0;
    }
    return true;
}

/* ---- packed blocks: width in bits, least as a varint, the rest bit by bit ---- */

struct block {
    int64_t least;
    unsigned width;
    size_t n;
};

static struct block measure(const int64_t *v, size_t n) {
    struct block b = {.least = v[0], .n = n};
    int64_t most = v[0];
    for (size_t i = 1; i < n; i++) {
        if (v[i] < b.least) b.least = v[i];
        if (v[i] > most) most = v[i];
    }
    uint64_t span = (uint64_t)most - (uint64_t)b.least;
    b.width = span ? 64 - (unsigned)__builtin_clzll(span) : 0;
    return b;
}

static size_t packed_bytes(unsigned width, size_t n) {
    return (width * n + 7) / 8;
}

static size_t packed_size(const int64_t *v, size_t n) { /* SIZE_MAX: a block is too wide */
    size_t size = 0;
    for (size_t i = 0; i < n; i += INTS_BLOCK) {
        struct block b = measure(v + i, n - i < INTS_BLOCK ? n - i : INTS_BLOCK);
        if (b.width > WIDTH_MAX) return SIZE_MAX;
        size += 1 + varint_size(zigzag(b.least)) + packed_bytes(b.width, b.n);
    }
    return size;
}

static uint8_t *put_block(uint8_t *out, const int64_t *v, struct block b) {
    uint64_t bits = 0;
    unsigned held = 0;
    *out++ = (uint8_t)b.width;
    out = varint_put(out, zigzag(b.least));
    for (size_t i = 0; i < b.n && b.width; i++) {
        bits |= ((uint64_t)v[i] - (uint64_t)b.least) << held;
        for (held += b.width; held >= 8; held -= 8, bits >>= 8) *out++ = (uint8_t)bits;
    }
    if (held) *out++ = (uint8_t)bits;
    return out;
}

static uint8_t *put_packed(uint8_t *out, const int64_t *v, size_t n) {
    for (size_t i = 0; i < n; i += INTS_BLOCK)
        out = put_block(out, v + i, measure(v + i, n - i < INTS_BLOCK ? n - i : INTS_BLOCK));
    return out;
}

static uint64_t load8(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return le64toh(word);
}

static void unpack(const uint8_t *from, struct block b, int64_t *ret) {
    uint64_t mask = (UINT64_C(1) << b.width) - 1, least = (uint64_t)b.least;
    size_t byte[8], i = 0;
    unsigned shift[8];
    for (size_t k = 0; k < 8; k++) { /* eight of them begin where the next eight do, a few bytes on */
        byte[k] = k * b.width / 8;
        shift[k] = (unsigned)(k * b.width % 8);
    }
    for (; i + 8 <= b.n; i += 8, from += b.width)
        for (size_t k = 0; k < 8; k++) ret[i + k] = (int64_t)(least + (load8(from + byte[k]) >> shift[k] & mask));
    for (size_t k = 0; i + k < b.n; k++) ret[i + k] = (int64_t)(least + (load8(from + byte[k]) >> shift[k] & mask));
}

static bool get_block(struct bytes *in, int64_t *ret, size_t n) {
    uint8_t padded[INTS_BLOCK * WIDTH_MAX / 8 + 8];
    uint64_t least;
    if (!in->len) return false;
    struct block b = {.width = in->ptr[0], .n = n};
    *in = (struct bytes){in->ptr + 1, in->len - 1};
    if (b.width > WIDTH_MAX || !varint_get(in, &least)) return false;
    size_t size = packed_bytes(b.width, n);
    if (in->len < size) return false;
    b.least = unzigzag(least);
    const uint8_t *from = in->ptr;
    if (in->len < size + 8) { /* the last loads would reach behind the end */
        memcpy(padded, from, size);
        memset(padded + size, 0, 8);
        from = padded;
    }
    unpack(from, b, ret);
    *in = (struct bytes){in->ptr + size, in->len - size};
    return true;
}

static bool get_packed(struct bytes *in, int64_t *ret, size_t n) {
    for (size_t i = 0; i < n; i += INTS_BLOCK)
        if (!get_block(in, ret + i, n - i < INTS_BLOCK ? n - i : INTS_BLOCK)) return false;
    return true;
}

/* ---- the shortest ---- */

static enum how choose(const int64_t *v, size_t n, size_t *ret_size) {
    size_t i = 0;
    while (i < n && !v[i]) i++;
    *ret_size = 0;
    if (i == n) return ALL_ZERO;
    size_t varints = varints_size(v, n), packed = packed_size(v, n);
    *ret_size = packed < varints ? packed : varints;
    return packed < varints ? PACKED : VARINTS;
}

size_t ints_size(const int64_t *v, size_t n) {
    size_t size;
    (void)choose(v, n, &size);
    return 1 + size;
}

uint8_t *ints_put(uint8_t *out, const int64_t *v, size_t n) {
    size_t size;
    enum how how = choose(v, n, &size);
    *out++ = (uint8_t)how;
    return how == PACKED ? put_packed(out, v, n) : how == VARINTS ? put_varints(out, v, n) : out;
}

bool ints_get(struct bytes *in, int64_t *ret, size_t n) {
    if (!in->len) return false;
    unsigned how = in->ptr[0];
    *in = (struct bytes){in->ptr + 1, in->len - 1};
    if (how == PACKED) return get_packed(in, ret, n);
    if (how == VARINTS) return get_varints(in, ret, n);
    if (how == ALL_ZERO) memset(ret, 0, n * sizeof *ret);
    return how == ALL_ZERO;
}
