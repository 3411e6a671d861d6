/* Coding of sealed chunks: times as deltas of deltas, values as deltas of scaled decimals, with an exact round trip or
 * not at all.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/chunk_internal.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

/* Head, little-endian:
 *  0 magic  4 series  8 sum of the head (SipHash-2-4 with these 8 bytes zero)  16 sum of the body
 * 24 first_ms  32 last_ms  40 min  48 max  56 sum  64 first  72 last
 * 80 count  82 valid  84 times_len  86 values_len  88 body_len  90 coding  91 scale  92 last quality  93..95 zero
 * Body: times, values, qualities (none: all good), zeros up to a multiple of 8. */
#define MAGIC     0x3148434cu /* "LCH1" */
#define SCALE_MAX 12

enum coding { CODING_DECIMAL, CODING_XOR, CODING_RAW };

static const double powers[SCALE_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

uint64_t bits_of(double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

double double_of(uint64_t bits) {
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Finds damage, not forgery: the key is no secret. */
uint64_t chunk_sum(const uint8_t *bytes, size_t n) {
    static const uint8_t key[crypto_shorthash_KEYBYTES] = "linli telemetry";
    uint8_t sum[crypto_shorthash_BYTES];
    crypto_shorthash(sum, bytes, n, key);
    return le_get(sum, 8);
}

/* ---- a stream of integers: zigzag varints; a zero is followed by how many more zeros come ---- */

struct put {
    uint8_t *ptr, *start;
    uint64_t zeros;
};

static void put_varint(struct put *s, uint64_t v) {
    for (; v >= 0x80; v >>= 7) *s->ptr++ = (uint8_t)(v | 0x80);
    *s->ptr++ = (uint8_t)v;
}

static void put_flush(struct put *s) {
    if (!s->zeros) return;
    *s->ptr++ = 0;
    put_varint(s, s->zeros - 1);
    s->zeros = 0;
}

static void put_int(struct put *s, uint64_t v) { /* two's complement; differences wrap */
    if (!v) {
        s->zeros++;
        return;
    }
    put_flush(s);
    put_varint(s, v << 1 ^ (0 - (v >> 63)));
}

struct get {
    const uint8_t *ptr, *end;
    uint64_t zeros;
    bool bad;
};

static uint64_t get_varint(struct get *s) {
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && s->ptr < s->end; shift += 7) {
        uint8_t b = *s->ptr++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return v;
    }
    s->bad = true;
    return 0;
}

static uint64_t get_int(struct get *s) {
    if (s->zeros) {
        s->zeros--;
        return 0;
    }
    uint64_t v = get_varint(s);
    if (!v) s->zeros = get_varint(s);
    return v >> 1 ^ (0 - (v & 1));
}

static bool get_done(const struct get *s) {
    return !s->bad && s->ptr == s->end && !s->zeros;
}

/* ---- times ---- */

static uint8_t *put_times(uint8_t *out, const struct points *p) {
    struct put s = {.ptr = out};
    uint64_t step = 0;
    for (size_t i = 1; i < p->n; i++) {
        uint64_t d = (uint64_t)p->at[i] - (uint64_t)p->at[i - 1];
        put_int(&s, d - step);
        step = d;
    }
    put_flush(&s);
    return s.ptr;
}

static bool get_times(const struct chunk_head *h, const uint8_t *in, int64_t *ret) {
    struct get s = {.ptr = in, .end = in + h->times_len};
    uint64_t step = 0, at = (uint64_t)h->first_ms;
    ret[0] = h->first_ms;
    for (size_t i = 1; i < h->count && !s.bad; i++) {
        step += get_int(&s);
        at += step;
        ret[i] = (int64_t)at;
        if (ret[i] <= ret[i - 1]) return false;
    }
    return get_done(&s) && ret[h->count - 1] == h->last_ms;
}

/* ---- values ---- */

/* The integer that the value is at a scale; false unless dividing gives the same bits again (-0, NaN, infinities and
 * what needs more than 53 bits do not). */
static bool scaled(double v, int scale, int64_t *ret) {
    double x = v * powers[scale];
    if (!(fabs(x) < 9007199254740992.0)) return false;
    int64_t m = (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
    *ret = m;
    return bits_of((double)m / powers[scale]) == bits_of(v);
}

static int scale_of(const struct points *p) { /* -1: none fits all */
    int64_t m;
    int scale = 0;
    for (size_t i = 0; i < p->n; i++)
        while (!scaled(p->value[i], scale, &m))
            if (++scale > SCALE_MAX) return -1;
    for (size_t i = 0; i < p->n; i++) /* a larger scale may have broken an earlier one */
        if (!scaled(p->value[i], scale, &m)) return -1;
    return scale;
}

static uint8_t *put_decimals(uint8_t *out, const struct points *p, int scale) {
    struct put s = {.ptr = out};
    int64_t before = 0, m = 0;
    for (size_t i = 0; i < p->n; i++, before = m) {
        (void)scaled(p->value[i], scale, &m);
        put_int(&s, (uint64_t)m - (uint64_t)before);
    }
    put_flush(&s);
    return s.ptr;
}

static bool get_decimals(const struct chunk_head *h, const uint8_t *in, double *ret) {
    if (h->scale > SCALE_MAX) return false;
    struct get s = {.ptr = in, .end = in + h->values_len};
    uint64_t m = 0;
    for (size_t i = 0; i < h->count && !s.bad; i++) {
        m += get_int(&s);
        ret[i] = (double)(int64_t)m / powers[h->scale];
    }
    return get_done(&s);
}

/* Each value XOR the one before: a byte of two numbers (zero bytes at the top, bytes that follow), then those bytes. */
static uint8_t *put_xors(uint8_t *out, const struct points *p) {
    uint64_t before = 0;
    for (size_t i = 0; i < p->n; i++) {
        uint64_t bits = bits_of(p->value[i]), x = bits ^ before;
        unsigned low = 0, n = 8;
        while (n && !(x >> (8 * (n - 1)))) n--;
        while (low < n && !(x >> (8 * low) & 0xff)) low++;
        *out++ = (uint8_t)(low << 4 | (n - low));
        for (unsigned b = low; b < n; b++) *out++ = (uint8_t)(x >> (8 * b));
        before = bits;
    }
    return out;
}

static bool get_xors(const struct chunk_head *h, const uint8_t *in, double *ret) {
    const uint8_t *end = in + h->values_len;
    uint64_t bits = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (in >= end) return false;
        unsigned low = *in >> 4, n = *in & 15;
        in++;
        if (low + n > 8 || n > (size_t)(end - in)) return false;
        if (n) bits ^= le_get(in, n) << (8 * low);
        in += n;
        ret[i] = double_of(bits);
    }
    return in == end;
}

static uint8_t *put_values(uint8_t *out, const struct points *p, struct chunk_head *h) {
    int scale = scale_of(p);
    h->coding = scale < 0 ? CODING_XOR : CODING_DECIMAL;
    h->scale = scale < 0 ? 0 : (uint8_t)scale;
    uint8_t *end = scale < 0 ? put_xors(out, p) : put_decimals(out, p, scale);
    if ((size_t)(end - out) <= 8 * p->n) return end;
    h->coding = CODING_RAW;
    h->scale = 0;
    for (size_t i = 0; i < p->n; i++) le_put(out + 8 * i, bits_of(p->value[i]), 8);
    return out + 8 * p->n;
}

static bool get_values(const struct chunk_head *h, const uint8_t *in, double *ret) {
    if (h->coding == CODING_DECIMAL) return get_decimals(h, in, ret);
    if (h->coding == CODING_XOR) return get_xors(h, in, ret);
    if (h->coding != CODING_RAW || h->values_len != 8 * h->count) return false;
    for (size_t i = 0; i < h->count; i++) ret[i] = double_of(le_get(in + 8 * i, 8));
    return true;
}

/* ---- qualities ---- */

static uint8_t *put_qualities(uint8_t *out, const struct points *p) {
    struct put s = {.ptr = out};
    bool all_good = true;
    for (size_t i = 0; i < p->n; i++) {
        all_good = all_good && !p->quality[i];
        put_int(&s, p->quality[i]);
    }
    put_flush(&s);
    return all_good ? out : s.ptr;
}

static bool get_qualities(const struct chunk_head *h, const uint8_t *in, size_t n, uint8_t *ret) {
    memset(ret, 0, h->count);
    if (!n) return true;
    struct get s = {.ptr = in, .end = in + n};
    for (size_t i = 0; i < h->count && !s.bad; i++) {
        uint64_t q = get_int(&s);
        if (q > UINT8_MAX) return false;
        ret[i] = (uint8_t)q;
    }
    return get_done(&s);
}

/* ---- head ---- */

static void summarise(const struct points *p, struct chunk_head *h) {
    *h = (struct chunk_head){.count = (uint16_t)p->n, .first_ms = p->at[0], .last_ms = p->at[p->n - 1]};
    h->first = p->value[0];
    h->last = p->value[p->n - 1];
    h->last_quality = p->quality[p->n - 1];
    for (size_t i = 0; i < p->n; i++) {
        double v = p->value[i];
        if (isnan(v)) continue;
        if (!h->valid || v < h->min) h->min = v;
        if (!h->valid || v > h->max) h->max = v;
        h->sum += v;
        h->valid++;
    }
}

static void head_write(const struct chunk_head *h, uint8_t *out) {
    memset(out, 0, CHUNK_HEAD_BYTES);
    le_put(out, MAGIC, 4);
    le_put(out + 4, h->series, 4);
    le_put(out + 16, h->body_sum, 8);
    le_put(out + 24, (uint64_t)h->first_ms, 8);
    le_put(out + 32, (uint64_t)h->last_ms, 8);
    const double values[] = {h->min, h->max, h->sum, h->first, h->last};
    for (size_t i = 0; i < COUNT(values); i++) le_put(out + 40 + 8 * i, bits_of(values[i]), 8);
    const uint16_t lens[] = {h->count, h->valid, h->times_len, h->values_len, h->body_len};
    for (size_t i = 0; i < COUNT(lens); i++) le_put(out + 80 + 2 * i, lens[i], 2);
    out[90] = h->coding;
    out[91] = h->scale;
    out[92] = h->last_quality;
    le_put(out + 8, chunk_sum(out, CHUNK_HEAD_BYTES), 8);
}

bool chunk_head_read(const uint8_t *bytes, struct chunk_head *ret) {
    uint8_t copy[CHUNK_HEAD_BYTES];
    if (le_get(bytes, 4) != MAGIC) return false;
    memcpy(copy, bytes, sizeof copy);
    memset(copy + 8, 0, 8);
    if (chunk_sum(copy, sizeof copy) != le_get(bytes + 8, 8)) return false;
    *ret = (struct chunk_head){
        .series = (uint32_t)le_get(bytes + 4, 4),
        .body_sum = le_get(bytes + 16, 8),
        .first_ms = (int64_t)le_get(bytes + 24, 8),
        .last_ms = (int64_t)le_get(bytes + 32, 8),
        .min = double_of(le_get(bytes + 40, 8)),
        .max = double_of(le_get(bytes + 48, 8)),
        .sum = double_of(le_get(bytes + 56, 8)),
        .first = double_of(le_get(bytes + 64, 8)),
        .last = double_of(le_get(bytes + 72, 8)),
        .count = (uint16_t)le_get(bytes + 80, 2),
        .valid = (uint16_t)le_get(bytes + 82, 2),
        .times_len = (uint16_t)le_get(bytes + 84, 2),
        .values_len = (uint16_t)le_get(bytes + 86, 2),
        .body_len = (uint16_t)le_get(bytes + 88, 2),
        .coding = bytes[90],
        .scale = bytes[91],
        .last_quality = bytes[92],
    };
    return ret->count > 0 && ret->count <= CHUNK_POINTS_MAX && ret->valid <= ret->count &&
           ret->first_ms <= ret->last_ms && ret->times_len + ret->values_len <= ret->body_len &&
           chunk_bytes(ret) <= CHUNK_BYTES_MAX;
}

size_t chunk_bytes(const struct chunk_head *h) {
    return (CHUNK_HEAD_BYTES + (size_t)h->body_len + 7) & ~(size_t)7;
}

size_t chunk_encode(uint32_t series, const struct points *p, uint8_t *out) {
    struct chunk_head h;
    summarise(p, &h);
    h.series = series;
    uint8_t *body = out + CHUNK_HEAD_BYTES;
    uint8_t *values = put_times(body, p);
    uint8_t *qualities = put_values(values, p, &h);
    uint8_t *end = put_qualities(qualities, p);
    h.times_len = (uint16_t)(values - body);
    h.values_len = (uint16_t)(qualities - values);
    h.body_len = (uint16_t)(end - body);
    h.body_sum = chunk_sum(body, h.body_len);
    head_write(&h, out);
    memset(end, 0, chunk_bytes(&h) - CHUNK_HEAD_BYTES - h.body_len);
    return chunk_bytes(&h);
}

bool chunk_decode(const struct chunk_head *h, const uint8_t *body, struct points *ret) {
    if (chunk_sum(body, h->body_len) != h->body_sum) return false;
    const uint8_t *values = body + h->times_len, *qualities = values + h->values_len;
    ret->n = h->count;
    return get_times(h, body, ret->at) && get_values(h, values, ret->value) &&
           get_qualities(h, qualities, h->body_len - h->times_len - h->values_len, ret->quality);
}
