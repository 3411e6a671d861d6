/* Coding of sealed chunks: times as deltas of deltas, values as scaled decimals or their deltas, with an exact round
 * trip or not at all.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/chunk_internal.h"

#include <math.h>
#include <sodium.h>

/* Head, little-endian:
 *  0 magic  4 sum of the head (with these 4 bytes zero)  8 sum of the body  12 length of the head
 * 13 coding, and from bit 2 on the scale  14 last quality
 * 15 varints: series, first_ms, last_ms less it, count, those that are not valid, lengths of times, values, qualities
 *    summary: min, max, sum, first, last; as varints of whole numbers at the scale where values are decimals, else as
 *    doubles; of a rolled chunk, which has a magic of its own: varints of its parts and points.
 * Body: times, values, qualities (none: all good), zeros until head and body are a multiple of 8. */
#define MAGIC        0x3248434cu /* "LCH2" */
#define MAGIC_ROLLED 0x5248434cu /* "LCHR" */
#define VARINTS_AT   15
#define SCALE_SHIFT  2
#define SUMMARY_N    5

enum coding { CODING_PLAIN, CODING_DELTA, CODING_XOR, CODING_RAW };

/* Finds damage, not forgery: the key is no secret. */
uint64_t chunk_sum(const uint8_t *bytes, size_t n) {
    static const uint8_t key[crypto_shorthash_KEYBYTES] = "linli telemetry";
    uint8_t sum[crypto_shorthash_BYTES];
    crypto_shorthash(sum, bytes, n, key);
    return le_get(sum, 8);
}

/* ---- times ---- */

static uint8_t *put_times(uint8_t *out, const struct points *p) {
    int64_t v[CHUNK_POINTS_MAX] = {0};
    uint64_t step = 0;
    for (size_t i = 1; i < p->n; i++) {
        uint64_t d = (uint64_t)p->at[i] - (uint64_t)p->at[i - 1];
        v[i - 1] = (int64_t)(d - step);
        step = d;
    }
    return ints_put(out, v, p->n - 1);
}

static bool get_times(const struct chunk_head *h, struct bytes in, int64_t *ret) {
    uint64_t step = 0, at = (uint64_t)h->first_ms;
    if (!ints_get(&in, ret + 1, h->count - 1u) || in.len) return false;
    ret[0] = h->first_ms;
    for (size_t i = 1; i < h->count; i++) {
        step += (uint64_t)ret[i];
        at += step;
        ret[i] = (int64_t)at;
        if (ret[i] <= ret[i - 1]) return false;
    }
    return ret[h->count - 1] == h->last_ms;
}

/* ---- values ---- */

static uint8_t *put_decimals(uint8_t *out, const int64_t *m, size_t n, struct chunk_head *h) {
    int64_t deltas[CHUNK_POINTS_MAX];
    for (size_t i = 0; i < n; i++) deltas[i] = (int64_t)((uint64_t)m[i] - (uint64_t)(i ? m[i - 1] : m[0]));
    h->coding = ints_size(deltas, n) < ints_size(m, n) ? CODING_DELTA : CODING_PLAIN;
    return ints_put(out, h->coding == CODING_DELTA ? deltas : m, n);
}

static bool get_decimals(const struct chunk_head *h, struct bytes in, double *ret) {
    int64_t m[CHUNK_POINTS_MAX];
    uint64_t first = 0;
    if (h->scale > SCALE_MAX || !ints_get(&in, m, h->count) || in.len) return false;
    if (h->coding == CODING_DELTA) { /* the first is in the summary */
        int64_t at;
        if (!decimal_at(h->first, h->scale, &at)) return false;
        first = (uint64_t)at;
        for (size_t i = 0; i < h->count; i++) m[i] = (int64_t)(first += (uint64_t)m[i]);
    }
    for (size_t i = 0; i < h->count; i++) ret[i] = decimal_value(m[i], h->scale);
    return true;
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

static bool get_xors(const struct chunk_head *h, struct bytes bytes, double *ret) {
    const uint8_t *in = bytes.ptr, *end = in + bytes.len;
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

static uint8_t *put_doubles(uint8_t *out, const struct points *p, struct chunk_head *h) {
    uint8_t *end = put_xors(out, p);
    h->coding = CODING_XOR;
    if ((size_t)(end - out) <= 8 * p->n) return end;
    h->coding = CODING_RAW;
    for (size_t i = 0; i < p->n; i++) le_put(out + 8 * i, bits_of(p->value[i]), 8);
    return out + 8 * p->n;
}

static bool get_values(const struct chunk_head *h, struct bytes in, double *ret) {
    if (h->coding == CODING_PLAIN || h->coding == CODING_DELTA) return get_decimals(h, in, ret);
    if (h->coding == CODING_XOR) return get_xors(h, in, ret);
    if (in.len != 8u * h->count) return false;
    for (size_t i = 0; i < h->count; i++) ret[i] = double_of(le_get(in.ptr + 8 * i, 8));
    return true;
}

/* ---- qualities ---- */

static uint8_t *put_qualities(uint8_t *out, const struct points *p) {
    int64_t v[CHUNK_POINTS_MAX];
    int64_t any = 0;
    for (size_t i = 0; i < p->n; i++) any |= v[i] = p->quality[i];
    return any ? ints_put(out, v, p->n) : out;
}

static bool get_qualities(const struct chunk_head *h, struct bytes in, uint8_t *ret) {
    int64_t v[CHUNK_POINTS_MAX];
    memset(ret, 0, h->count);
    if (!in.len) return true;
    if (!ints_get(&in, v, h->count) || in.len) return false;
    for (size_t i = 0; i < h->count; i++) {
        if (v[i] < 0 || v[i] > UINT8_MAX) return false;
        ret[i] = (uint8_t)v[i];
    }
    return true;
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

/* Decimals have a sum that is one, too, unless it was rounded on the way: then the nearest. */
static uint8_t *put_summary(uint8_t *out, const struct chunk_head *h, const int64_t *m) {
    const double values[SUMMARY_N] = {h->min, h->max, h->sum, h->first, h->last};
    if (h->is_rolled) return varint_put(varint_put(out, h->parts), h->points);
    if (!m) {
        for (size_t i = 0; i < SUMMARY_N; i++) le_put(out + 8 * i, bits_of(values[i]), 8);
        return out + 8 * SUMMARY_N;
    }
    int64_t least = m[0], most = m[0], sum = 0; /* 1,000 of 2^53 stay below 2^63 */
    for (size_t i = 0; i < h->count; i++) {
        if (m[i] < least) least = m[i];
        if (m[i] > most) most = m[i];
        sum += m[i];
    }
    const int64_t whole[SUMMARY_N] = {least, most, sum, m[0], m[h->count - 1]};
    for (size_t i = 0; i < SUMMARY_N; i++) out = varint_put(out, zigzag(whole[i]));
    return out;
}

static bool get_rolled(struct bytes in, struct chunk_head *h) {
    uint64_t parts;
    if (!varint_get(&in, &parts) || !varint_get(&in, &h->points) || in.len) return false;
    h->parts = (unsigned)parts;
    return parts && parts <= UINT8_MAX && h->valid == h->count && h->points >= h->count;
}

static bool get_summary(struct bytes in, struct chunk_head *h) {
    double *const to[SUMMARY_N] = {&h->min, &h->max, &h->sum, &h->first, &h->last};
    for (size_t i = 0; i < SUMMARY_N; i++) {
        uint64_t v;
        if (h->coding >= CODING_XOR) {
            if (in.len < 8) return false;
            *to[i] = double_of(le_get(in.ptr, 8));
            in = (struct bytes){in.ptr + 8, in.len - 8};
        } else {
            if (!varint_get(&in, &v)) return false;
            *to[i] = decimal_value(unzigzag(v), h->scale);
        }
    }
    return !in.len;
}

static void head_write(struct chunk_head *h, const int64_t *m, uint8_t *out) {
    const uint64_t numbers[] = {h->series,
                                zigzag(h->first_ms),
                                (uint64_t)h->last_ms - (uint64_t)h->first_ms,
                                h->count,
                                (uint64_t)(h->count - h->valid),
                                h->times_len,
                                h->values_len,
                                (uint64_t)(h->body_len - h->times_len - h->values_len)};
    uint8_t *end = out + VARINTS_AT;
    for (size_t i = 0; i < COUNT(numbers); i++) end = varint_put(end, numbers[i]);
    end = put_summary(end, h, m);
    h->head_len = (uint8_t)(end - out);
    le_put(out, h->is_rolled ? MAGIC_ROLLED : MAGIC, 4);
    le_put(out + 4, 0, 4);
    le_put(out + 8, h->body_sum, 4);
    out[12] = h->head_len;
    out[13] = (uint8_t)(h->coding | h->scale << SCALE_SHIFT);
    out[14] = h->last_quality;
    le_put(out + 4, (uint32_t)chunk_sum(out, h->head_len), 4);
}

static bool get_numbers(struct bytes *in, struct chunk_head *h) {
    enum { SERIES, FIRST, SPAN, N, INVALID, TIMES, VALUES, QUALITIES, NUMBERS };
    uint64_t v[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++)
        if (!varint_get(in, &v[i]) || (i != FIRST && v[i] > UINT32_MAX)) return false;
    if (!v[N] || v[N] > CHUNK_POINTS_MAX || v[INVALID] > v[N] || v[TIMES] + v[VALUES] + v[QUALITIES] > CHUNK_BYTES_MAX)
        return false;
    h->series = (uint32_t)v[SERIES];
    h->first_ms = unzigzag(v[FIRST]);
    h->last_ms = (int64_t)((uint64_t)h->first_ms + v[SPAN]);
    h->count = (uint16_t)v[N];
    h->valid = (uint16_t)(v[N] - v[INVALID]);
    h->times_len = (uint16_t)v[TIMES];
    h->values_len = (uint16_t)v[VALUES];
    h->body_len = (uint16_t)(v[TIMES] + v[VALUES] + v[QUALITIES]);
    return h->first_ms <= h->last_ms;
}

bool chunk_head_read(struct bytes bytes, struct chunk_head *ret) {
    uint8_t copy[CHUNK_HEAD_MAX];
    if (bytes.len < CHUNK_HEAD_MIN) return false;
    uint32_t magic = (uint32_t)le_get(bytes.ptr, 4);
    if (magic != MAGIC && magic != MAGIC_ROLLED) return false;
    size_t n = bytes.ptr[12];
    if (n < CHUNK_HEAD_MIN || n > CHUNK_HEAD_MAX || n > bytes.len) return false;
    memcpy(copy, bytes.ptr, n);
    memset(copy + 4, 0, 4);
    if ((uint32_t)chunk_sum(copy, n) != le_get(bytes.ptr + 4, 4)) return false;
    struct bytes rest = {copy + VARINTS_AT, n - VARINTS_AT};
    *ret = (struct chunk_head){.body_sum = (uint32_t)le_get(copy + 8, 4),
                               .head_len = (uint8_t)n,
                               .coding = copy[13] % (1 << SCALE_SHIFT),
                               .scale = copy[13] >> SCALE_SHIFT,
                               .last_quality = copy[14],
                               .is_rolled = magic == MAGIC_ROLLED};
    return ret->scale <= SCALE_MAX && get_numbers(&rest, ret) && chunk_bytes(ret) <= CHUNK_BYTES_MAX &&
           (ret->is_rolled ? get_rolled : get_summary)(rest, ret);
}

size_t chunk_bytes(const struct chunk_head *h) {
    return ((size_t)h->head_len + h->body_len + 7) & ~(size_t)7;
}

size_t chunk_put(struct chunk_head *h, const int64_t *m, const uint8_t *body, uint8_t *out) {
    h->body_sum = (uint32_t)chunk_sum(body, h->body_len);
    head_write(h, m, out);
    memcpy(out + h->head_len, body, h->body_len);
    memset(out + h->head_len + h->body_len, 0, chunk_bytes(h) - h->head_len - h->body_len);
    return chunk_bytes(h);
}

size_t chunk_encode(uint32_t series, const struct points *p, uint8_t *out) {
    struct chunk_head h;
    int64_t m[CHUNK_POINTS_MAX];
    unsigned scale = 0;
    summarise(p, &h);
    h.series = series;
    bool decimal = decimals_find(p->value, p->n, m, &scale);
    h.scale = (uint8_t)scale;
    uint8_t body[CHUNK_BYTES_MAX];
    uint8_t *values = put_times(body, p);
    uint8_t *qualities = decimal ? put_decimals(values, m, p->n, &h) : put_doubles(values, p, &h);
    uint8_t *end = put_qualities(qualities, p);
    h.times_len = (uint16_t)(values - body);
    h.values_len = (uint16_t)(qualities - values);
    h.body_len = (uint16_t)(end - body);
    return chunk_put(&h, decimal ? m : NULL, body, out);
}

bool chunk_decode(const struct chunk_head *h, const uint8_t *chunk, struct points *ret) {
    const uint8_t *body = chunk + h->head_len, *values = body + h->times_len, *qualities = values + h->values_len;
    if (h->is_rolled || (uint32_t)chunk_sum(body, h->body_len) != h->body_sum) return false;
    ret->n = h->count;
    return get_times(h, (struct bytes){body, h->times_len}, ret->at) &&
           get_values(h, (struct bytes){values, h->values_len}, ret->value) &&
           get_qualities(h, (struct bytes){qualities, (size_t)(h->body_len - h->times_len - h->values_len)},
                         ret->quality);
}
