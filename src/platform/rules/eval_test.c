/* Rules judged by rows.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/eval.h"
#include "tests/lib/test.h"

struct row {
    int64_t at_ms;
    double value; /* a tick where it is 1e9 */
    enum verdict want;
    int64_t now_ms; /* 0: at_ms, or as late as it was before */
};
#define TICK 1e9

static void play(struct t *t, const struct rule_terms *terms, const struct row *rows, size_t n) {
    struct rule_state s = {0};
    int64_t now_ms = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].now_ms || now_ms < rows[i].at_ms) now_ms = rows[i].now_ms ? rows[i].now_ms : rows[i].at_ms;
        enum verdict got = rows[i].value == TICK ? rule_tick(terms, &s, rows[i].at_ms)
                                                 : rule_reading(terms, &s, rows[i].at_ms, rows[i].value, now_ms);
        CHECK_SAY(t, got == rows[i].want, "row %zu: %d, expected %d", i, got, rows[i].want);
    }
}
#define PLAY(t, terms, ...)                           \
    do {                                              \
        static const struct row rows[] = __VA_ARGS__; \
        play((t), &(terms), rows, COUNT(rows));       \
    } while (0)

static void fires_above_and_calms_below_the_lower_edge(struct t *t) {
    static const struct rule_terms above = {RULE_ABOVE, 10, 8, 0};
    PLAY(t, above,
         {{1, 9.9, VERDICT_NOTHING},
          {2, 10, VERDICT_NOTHING},
          {3, 10.1, VERDICT_RAISE},
          {4, 11, VERDICT_NOTHING},
          {5, 9, VERDICT_NOTHING},
          {6, 8.01, VERDICT_NOTHING},
          {7, 8, VERDICT_CLEAR},
          {8, 10.1, VERDICT_RAISE}});
}

static void fires_below_the_same_way_round(struct t *t) {
    static const struct rule_terms below = {RULE_BELOW, 0.2, 0.3, 0};
    PLAY(t, below,
         {{1, 0.2, VERDICT_NOTHING}, {2, 0.19, VERDICT_RAISE}, {3, 0.29, VERDICT_NOTHING}, {4, 0.3, VERDICT_CLEAR}});
}

static void a_breach_must_last(struct t *t) {
    static const struct rule_terms lasting = {RULE_ABOVE, 10, 8, 1000};
    PLAY(t, lasting,
         {{1000, 11, VERDICT_NOTHING},
          {1999, 11, VERDICT_NOTHING},
          {2000, 11, VERDICT_RAISE},
          {2100, 7, VERDICT_CLEAR},
          {3000, 11, VERDICT_NOTHING},
          {3500, 9, VERDICT_NOTHING},
          {4000, 11, VERDICT_NOTHING},
          {4999, TICK, VERDICT_NOTHING},
          {5000, TICK, VERDICT_RAISE},
          {5001, TICK, VERDICT_NOTHING}});
}

static void late_and_repeated_readings_change_nothing(struct t *t) {
    static const struct rule_terms above = {RULE_ABOVE, 10, 8, 0};
    PLAY(t, above,
         {{10, 11, VERDICT_RAISE},
          {9, 1, VERDICT_NOTHING},
          {10, 1, VERDICT_NOTHING},
          {11, 1, VERDICT_CLEAR},
          {5, 99, VERDICT_NOTHING}});
}

static void what_is_ahead_counts_as_of_now_and_holds_nothing_back(struct t *t) {
    static const struct rule_terms lasting = {RULE_ABOVE, 10, 8, 1000};
    PLAY(t, lasting,
         {{9000, 11, VERDICT_NOTHING, 100}, /* since 100 */
          {1099, TICK, VERDICT_NOTHING},
          {1100, TICK, VERDICT_RAISE},
          {1101, 5, VERDICT_CLEAR},
          {9000, 11, VERDICT_NOTHING, 1102}, /* again */
          {8000, 11, VERDICT_NOTHING, 1102}, /* late among those ahead */
          {1103, 11, VERDICT_NOTHING},
          {1102, 5, VERDICT_NOTHING, 1104}, /* late among those at the present */
          {2103, 12, VERDICT_RAISE},
          {9001, 5, VERDICT_CLEAR, 2104},
          {9001, 12, VERDICT_NOTHING, 9500}, /* the clock has come to it: it was judged */
          {9000, 12, VERDICT_NOTHING, 9500}});
}

static void a_clock_that_is_set_back_blinds_nothing(struct t *t) {
    static const struct rule_terms above = {RULE_ABOVE, 10, 8, 0};
    PLAY(t, above,
         {{9000, 5, VERDICT_NOTHING},
          {1000, 11, VERDICT_RAISE, 1000},
          {1001, 5, VERDICT_CLEAR},
          {9000, 11, VERDICT_NOTHING, 1002}});
    static const struct rule_terms lasting = {RULE_ABOVE, 10, 8, 1000};
    PLAY(t, lasting,
         {{9000, 11, VERDICT_NOTHING}, /* since 9000, and from the next one on since then */
          {1000, 11, VERDICT_NOTHING, 1000},
          {1999, TICK, VERDICT_NOTHING},
          {2000, TICK, VERDICT_RAISE}});
}

static void what_came_full_unseen_waits_for_a_reading(struct t *t) {
    static const struct rule_terms lasting = {RULE_ABOVE, 10, 8, 1000};
    struct rule_state s = {.since_ms = 1000, .last_ms = 1500, .held = true};
    CHECK(t, rule_due_ms(&lasting, &s) == INT64_MAX && rule_tick(&lasting, &s, 99999) == VERDICT_NOTHING);
    CHECK(t, rule_reading(&lasting, &s, 100000, 11, 100000) == VERDICT_RAISE);
}

static void silence_is_noticed_once_and_ends_with_a_reading(struct t *t) {
    static const struct rule_terms silent = {RULE_SILENCE, 0, 0, 1000};
    PLAY(t, silent,
         {{5000, TICK, VERDICT_NOTHING},
          {6000, 1, VERDICT_NOTHING},
          {6999, TICK, VERDICT_NOTHING},
          {7000, TICK, VERDICT_RAISE},
          {8000, TICK, VERDICT_NOTHING},
          {8001, 1, VERDICT_CLEAR},
          {8002, 1, VERDICT_NOTHING}});
}

TESTS(CASE(what_is_ahead_counts_as_of_now_and_holds_nothing_back), CASE(a_clock_that_is_set_back_blinds_nothing),
      CASE(what_came_full_unseen_waits_for_a_reading), CASE(fires_above_and_calms_below_the_lower_edge),
      CASE(fires_below_the_same_way_round), CASE(a_breach_must_last), CASE(late_and_repeated_readings_change_nothing),
      CASE(silence_is_noticed_once_and_ends_with_a_reading))
