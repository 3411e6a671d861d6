/* Fuzzes sealed chunks both ways: any bytes as a body with a right sum decode to rising times or not at all, and any
 * points come back bit by bit.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/rolled_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct room {
    int64_t at[CHUNK_POINTS_MAX];
    double value[CHUNK_POINTS_MAX];
    uint8_t quality[CHUNK_POINTS_MAX];
} in, out;
static uint8_t bytes[CHUNK_BYTES_MAX];

static void must(bool ok) {
    if (!ok) abort();
}

static struct points points_of(struct room *r, size_t n) {
    return (struct points){r->at, r->value, r->quality, n};
}

/* 8 bytes of head, then the body. */
static void decode(const uint8_t *data, size_t size) {
    struct chunk_head h = {.count = (uint16_t)(1 + le_get(data, 2) % CHUNK_POINTS_MAX),
                           .coding = data[2] % 4,
                           .scale = data[3] % 16,
                           .body_len = (uint16_t)(size - 8)};
    struct points p = points_of(&out, 0);
    h.times_len = (uint16_t)(le_get(data + 4, 2) % (h.body_len + 1u));
    h.values_len = (uint16_t)(le_get(data + 6, 2) % (h.body_len - h.times_len + 1u));
    h.body_sum = chunk_sum(data + 8, h.body_len);
    if (!chunk_decode(&h, data + 8, &p)) return;
    must(p.n == h.count && p.at[0] == h.first_ms && p.at[p.n - 1] == h.last_ms);
    for (size_t i = 1; i < p.n; i++) must(p.at[i] > p.at[i - 1]);
}

/* Points of 11 bytes: step of time, quality, value. */
static void encode(const uint8_t *data, size_t size) {
    size_t n = size / 11 < CHUNK_POINTS_MAX ? size / 11 : CHUNK_POINTS_MAX;
    int64_t at = 0;
    struct chunk_head h;
    if (!n) return;
    for (size_t i = 0; i < n; i++, data += 11) {
        in.at[i] = at += 1 + (int64_t)le_get(data, 2);
        in.quality[i] = data[2];
        in.value[i] = double_of(le_get(data + 3, 8));
    }
    struct points p = points_of(&in, n), q = points_of(&out, 0);
    size_t len = chunk_encode(7, &p, bytes);
    must(len <= sizeof bytes && chunk_head_read((struct bytes){bytes, len}, &h) && chunk_bytes(&h) == len &&
         h.count == n);
    must(chunk_decode(&h, bytes, &q) && q.n == n);
    must(!memcmp(in.at, out.at, n * sizeof in.at[0]) && !memcmp(in.value, out.value, n * sizeof in.value[0]) &&
         !memcmp(in.quality, out.quality, n));
}

static struct rolled rows[ROLLED_MAX];
static void decode_rolled(const uint8_t *data, size_t size) {
    struct chunk_head h = {.count = (uint16_t)(1 + data[0] % ROLLED_MAX), .coding = data[2] % 2, .is_rolled = true};
    h.body_len = (uint16_t)(size - 8);
    h.times_len = (uint16_t)(le_get(data + 4, 2) % (h.body_len + 1u));
    h.values_len = (uint16_t)(h.body_len - h.times_len);
    h.last_ms = (h.count - 1 + data[1]) * INT64_C(60000);
    h.body_sum = (uint32_t)chunk_sum(data + 8, h.body_len);
    if (!rolled_decode(&h, 60000, data + 8, rows)) return;
    for (size_t i = 1; i < h.count; i++) must(rows[i].at_ms > rows[i - 1].at_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct chunk_head h;
    (void)chunk_head_read((struct bytes){data, size}, &h);
    if (size >= 8 && size < 16384) {
        decode(data, size);
        decode_rolled(data, size);
    }
    encode(data, size);
    return 0;
}
