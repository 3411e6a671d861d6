/* Token buckets.  SPDX-License-Identifier: Apache-2.0 */
#include "base/bucket.h"

#include "tests/lib/test.h"

static size_t taken(struct bucket *b, int64_t now_us, size_t tries) {
    size_t n = 0;
    for (size_t i = 0; i < tries; i++) n += bucket_take(b, now_us, 10, 5);
    return n;
}

static void a_burst_goes_through_and_then_so_many_a_second(struct t *t) {
    static const struct {
        int64_t at_us;
        size_t tries, taken;
    } rows[] = {{0, 7, 5},
                {99999, 1, 0},
                {100000, 2, 1},
                {1100000, 20, 5} /* no more is saved up */,
                {INT64_MAX / 2, 20, 5},
                {INT64_MAX / 2 + 250000, 9, 2}};
    struct bucket b = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = taken(&b, rows[i].at_us, rows[i].tries);
        CHECK_SAY(t, n == rows[i].taken, "row %zu: %zu", i, n);
    }
}

static void who_asks_all_the_time_gets_no_more_than_the_rate(struct t *t) {
    struct bucket b = {0};
    size_t n = 0;
    for (int64_t at_us = 0; at_us < 10000000; at_us += 1000) n += bucket_take(&b, at_us, 10, 5);
    CHECK_SAY(t, n == 104, "%zu", n); /* the burst, and 10 in each of 10 s but its last moment */
}

TESTS(CASE(a_burst_goes_through_and_then_so_many_a_second), CASE(who_asks_all_the_time_gets_no_more_than_the_rate))
