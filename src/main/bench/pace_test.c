/* The open loop and its percentiles, by rows.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/pace.h"

#include "tests/lib/test.h"

static void requests_are_due_by_the_clock(struct t *t) {
    struct pace p = {.begin_us = 5000000, .rate = 1000, .n = 4};
    static const struct {
        int64_t now_us;
        bool taken;
        size_t i;
    } rows[] = {
        {4999999, false, 0},                      /* before the first */
        {5000000, true, 0},  {5000000, false, 0}, /* exactly when it is due, and once */
        {5000999, false, 0}, {5001000, true, 1},  /* the second, a thousandth later */
        {5900000, true, 2},  {5900000, true, 3},  /* two that waited come at once, in order */
        {5900000, false, 0}, {9000000, false, 0}, /* no more than n */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t got = 0;
        bool taken = pace_take(&p, rows[i].now_us, &got);
        CHECK_SAY(t, taken == rows[i].taken && got == rows[i].i, "row %zu: %d, request %zu", i, taken, got);
    }
    p = (struct pace){.rate = 3, .n = 1000000};
    CHECK(t, pace_due_us(&p, 3) == 1000000 && pace_due_us(&p, 900000) == INT64_C(300000000000)); /* no drift */
}

/* A server that answers at once but stands still for the second half of a second. */
static void a_stall_counts_for_every_request_that_was_due_meanwhile(struct t *t) {
    struct pace p = {.rate = 100, .n = 100};
    struct latencies l;
    size_t i;
    if (!latencies_init(&l, p.n)) return;
    for (int64_t now = 0; now < 500000; now += 1000)
        while (pace_take(&p, now, &i)) latencies_add(&l, now - pace_due_us(&p, i));
    while (pace_take(&p, 1000000, &i)) latencies_add(&l, 1000000 - pace_due_us(&p, i));
    CHECK(t, l.n == 100);
    CHECK(t, latencies_percentile(&l, 50) == 0);
    CHECK(t, latencies_percentile(&l, 75) == 250000); /* a closed loop would have seen one slow request */
    CHECK(t, latencies_percentile(&l, 100) == 500000);
    latencies_free(&l);
}

static void percentiles_are_measured_values(struct t *t) {
    static const struct {
        size_t n;
        double percent;
        int64_t want; /* of the values n, n - 1, … 1 */
    } rows[] = {{0, 99, 0},  {1, 0, 1},        {1, 99, 1},     {2, 50, 1},      {2, 51, 2},        {100, 99, 99},
                {100, 1, 1}, {100, 99.1, 100}, {101, 99, 100}, {1000, 99, 990}, {1000, 99.9, 999}, {1000, 100, 1000}};
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct latencies l;
        if (!latencies_init(&l, rows[r].n)) return;
        for (size_t i = rows[r].n; i > 0; i--) latencies_add(&l, (int64_t)i);
        latencies_add(&l, 1000000); /* one too many is dropped */
        int64_t got = latencies_percentile(&l, rows[r].percent);
        CHECK_SAY(t, got == rows[r].want, "row %zu: %lld", r, (long long)got);
        latencies_free(&l);
    }
}

TESTS(CASE(requests_are_due_by_the_clock), CASE(a_stall_counts_for_every_request_that_was_due_meanwhile),
      CASE(percentiles_are_measured_values))
