/* Rules judged by rows.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/eval.h"
#include "tests/lib/test.h"

struct row {
    int64_t at_ms;
    double value; /* a tick where it is 1e9 */
    enum verdict want;
};
#define TICK 1e9

static void play(struct t *t, const struct rule_terms *terms, const struct row *rows, size_t n) {
    struct rule_state s = {0};
    for (size_t i = 0; i < n; i++) {
        enum verdict got = rows[i].value == TICK ? rule_tick(terms, &s, rows[i].at_ms)
                                                 : rule_reading(terms, &s, rows[i].at_ms, rows[i].value);
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

TESTS(CASE(fires_above_and_calms_below_the_lower_edge), CASE(fires_below_the_same_way_round), CASE(a_breach_must_last),
      CASE(late_and_repeated_readings_change_nothing), CASE(silence_is_noticed_once_and_ends_with_a_reading))
