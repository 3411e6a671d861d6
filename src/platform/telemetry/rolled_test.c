/* Rolling up: windows are what their points say, and come back from a chunk bit by bit.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/rolled_internal.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS  300
#define HOUR_MS INT64_C(3600000)
#define GAP_MS  (6 * HOUR_MS)

struct room {
    int64_t at[CHUNK_POINTS_MAX];
    double value[CHUNK_POINTS_MAX];
    uint8_t quality[CHUNK_POINTS_MAX];
    struct rolled rows[CHUNK_POINTS_MAX], back[ROLLED_MAX];
    uint8_t bytes[CHUNK_BYTES_MAX];
};

static struct rolling roll(struct room *r, size_t n, int64_t step_ms) {
    struct rolling all = {.step_ms = step_ms, .rows = r->rows, .cap = CHUNK_POINTS_MAX};
    for (size_t i = 0; i < n; i += 7) { /* in slices, as they are read */
        struct points p = {r->at + i, r->value + i, r->quality + i, n - i < 7 ? n - i : 7};
        if (!rolling_add(&all, &p, GAP_MS)) abort();
    }
    rolling_end(&all);
    return all;
}

static void a_window_is_what_its_points_say(struct t *t) {
    static const struct {
        int64_t minute;
        double value;
    } points[] = {{-1, 7}, {0, 1.1}, {20, 2.2}, {59, NAN}, {60, 0.3}, {61, 5.3}, {1000, 5}};
    struct room *r = arena_new(&t->arena, struct room, 1);
    for (size_t i = 0; i < COUNT(points); i++) {
        r->at[i] = points[i].minute * 60000;
        r->value[i] = points[i].value;
    }
    struct rolling all = roll(r, COUNT(points), HOUR_MS);
    static const struct rolled want[] = {
        {.at_ms = -HOUR_MS,
         .count = 1,
         .first_off = 3540000,
         .last_off = 3540000,
         .min = 7,
         .max = 7,
         .sum = 7,
         .first = 7,
         .last = 7},
        {.at_ms = 0,
         .count = 2,
         .last_off = 1200000,
         .min = 1.1,
         .max = 2.2,
         .sum = 3.3,
         .first = 1.1,
         .last = 2.2,
         .pairs = 2,
         .pair_ms = 1260000,
         .delta = -4.8,
         .drops = 7,
         .area2 = 4446000},
        {.at_ms = HOUR_MS,
         .count = 2,
         .last_off = 60000,
         .min = 0.3,
         .max = 5.3,
         .sum = 5.6,
         .first = 0.3,
         .last = 5.3,
         .pairs = 2,
         .pair_ms = 2460000,
         .delta = 3.1,
         .drops = 2.2,
         .area2 = 6336000},
        {.at_ms = 16 * HOUR_MS,
         .count = 1,
         .first_off = 2400000,
         .last_off = 2400000,
         .min = 5,
         .max = 5,
         .sum = 5,
         .first = 5,
         .last = 5}, /* too far from the one before to be a pair */
    };
    CHECK_SAY(t, all.n == COUNT(want), "%zu", all.n);
    for (size_t i = 0; i < COUNT(want) && i < all.n; i++)
        CHECK_SAY(t, !memcmp(&all.rows[i], &want[i], sizeof want[i]), "window %zu", i);
}

static double any_value(struct t *t, int kind) {
    double steps = (double)(int64_t)(test_random(t) % 20000) - 10000;
    return kind == 0   ? double_of(test_random(t))
           : kind == 1 ? steps / 10
           : kind == 2 ? 42
           : kind == 3 ? steps / 1000
           : kind == 4 ? (test_random(t) % 30 ? steps : INFINITY)
                       : (test_random(t) % 9 ? steps * 1.1 : NAN);
}

static void any_windows_come_back_bit_by_bit(struct t *t) {
    static const int64_t steps[] = {60000, 300000, 900000, HOUR_MS};
    struct room *r = arena_new(&t->arena, struct room, 1);
    for (int round = 0; round < ROUNDS && !t->failed; round++) {
        int kind = (int)(test_random(t) % 6);
        int64_t step_ms = steps[test_random(t) % COUNT(steps)], span = INT64_C(1) << (test_random(t) % 21);
        int64_t at = (int64_t)(test_random(t) % INT64_C(4000000000000)) - INT64_C(1000000000000);
        size_t n = 1 + test_random(t) % CHUNK_POINTS_MAX;
        for (size_t i = 0; i < n; i++, at += 1 + (int64_t)(test_random(t) % (uint64_t)span)) {
            r->at[i] = at;
            r->value[i] = any_value(t, kind);
        }
        struct rolling all = roll(r, n, step_ms);
        size_t some = all.n < ROLLED_MAX ? all.n : ROLLED_MAX;
        if (!some) continue;
        struct chunk_head h;
        size_t len = rolled_encode(9, step_ms, all.rows, some, 3, r->bytes);
        uint64_t points = 0;
        for (size_t i = 0; i < some; i++) points += (uint64_t)all.rows[i].count;
        CHECK(t, len % 8 == 0 && chunk_head_read((struct bytes){r->bytes, len}, &h) && chunk_bytes(&h) == len);
        CHECK(t, h.is_rolled && h.series == 9 && h.count == some && h.parts == 3 && h.points == points);
        CHECK(t, rolled_decode(&h, step_ms, r->bytes, r->back) && !memcmp(r->back, all.rows, some * sizeof *r->back));
        struct points p = {r->at, r->value, r->quality, 0};
        CHECK(t, !chunk_decode(&h, r->bytes, &p));
        for (size_t i = 0; i < h.head_len + (size_t)h.body_len; i += 1 + test_random(t) % 40) {
            r->bytes[i] ^= 4;
            CHECK_SAY(t,
                      !chunk_head_read((struct bytes){r->bytes, len}, &h) ||
                          !rolled_decode(&h, step_ms, r->bytes, r->back),
                      "byte %zu", i);
            r->bytes[i] ^= 4;
        }
    }
}

/* What adding doubles leaves behind must not cost a column its decimals: an hour of a steady sensor takes eight bytes.
 */
static void hours_of_decimals_are_small(struct t *t) {
    struct room *r = arena_new(&t->arena, struct room, 1);
    struct rolling all = {.step_ms = HOUR_MS, .rows = r->rows, .cap = CHUNK_POINTS_MAX};
    int64_t level = 2201;
    for (int i = 0; i < ROLLED_MAX * 60; i++) {
        int64_t at = i * INT64_C(60000);
        double v = (double)level / 10;
        uint8_t good = 0;
        level += (int64_t)(test_random(t) % 7) - 3;
        CHECK(t, rolling_add(&all, &(struct points){&at, &v, &good, 1}, GAP_MS));
    }
    rolling_end(&all);
    size_t len = rolled_encode(1, HOUR_MS, all.rows, all.n, 1, r->bytes);
    CHECK_SAY(t, all.n == ROLLED_MAX && len <= ROLLED_MAX * 8, "%zu windows in %zu bytes", all.n, len);
}

TESTS(CASE(a_window_is_what_its_points_say), CASE(any_windows_come_back_bit_by_bit), CASE(hours_of_decimals_are_small))
