/* Sealed chunks: points of one series within one month, compressed, with a summary and checksums; or such points rolled
 * up (rolled_internal.h).  Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_CHUNK_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_CHUNK_INTERNAL_H

#include "platform/telemetry/decimal_internal.h"
#include "platform/telemetry/ints_internal.h"

#define CHUNK_POINTS_MAX 1000
#define CHUNK_HEAD_MAX   104 /* bytes */
#define CHUNK_HEAD_MIN   28
#define CHUNK_BYTES_MAX  (CHUNK_HEAD_MAX + CHUNK_POINTS_MAX * 24 + 64)

struct points { /* parallel arrays */
    int64_t *at;
    double *value;
    uint8_t *quality;
    size_t n;
};

struct chunk_head {
    uint32_t series;
    uint16_t count, valid; /* points; those whose value is not NaN */
    int64_t first_ms, last_ms;
    double min, max, sum; /* of the valid ones */
    double first, last;   /* of all, NaN too */
    uint8_t last_quality, coding, scale;
    uint8_t head_len;
    uint16_t times_len, values_len, body_len;
    uint32_t body_sum;
    bool is_rolled; /* then count is of windows, first_ms and last_ms are where they begin, and instead of a summary: */
    unsigned parts; /* chunks that the month of the series is in */
    uint64_t points; /* that are rolled up in this one */
};

uint64_t chunk_sum(const uint8_t *bytes, size_t n);

/* Head and body as they stand in a file, the rest of the head filled in; m: the values as whole numbers at h->scale,
 * NULL where they are none. */
size_t chunk_put(struct chunk_head *h, const int64_t *m, const uint8_t *body, uint8_t *out);
/* p: 1..CHUNK_POINTS_MAX points, times strictly rising, span below 2^32 ms.  out: CHUNK_BYTES_MAX bytes.  Gives the
 * whole length, a multiple of 8. */
size_t chunk_encode(uint32_t series, const struct points *p, uint8_t *out);
/* Head of a chunk that begins here; at least CHUNK_HEAD_MIN bytes, CHUNK_HEAD_MAX unless the file ends.  False unless
 * it is one, whole. */
bool chunk_head_read(struct bytes bytes, struct chunk_head *ret);
size_t chunk_bytes(const struct chunk_head *h); /* of head and body, padded */
/* chunk: its chunk_bytes(); ret: room for h->count points.  False unless the body is what the head says. */
bool chunk_decode(const struct chunk_head *h, const uint8_t *chunk, struct points *ret);

#endif
