/* Hysteresis, duration, silence.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/eval.h"

#include <math.h>

bool rule_breaches(const struct rule_terms *t, double v) {
    return t->kind == RULE_ABOVE ? v > t->limit : v < t->limit;
}

bool rule_is_calm(const struct rule_terms *t, double v) {
    return t->kind == RULE_ABOVE ? v <= t->clear_at : v >= t->clear_at;
}

/* The clock went on past what was ahead of it, or was set back before what was not. */
static void follow_clock(struct rule_state *s, int64_t now_ms) {
    if (s->ahead_ms && s->ahead_ms <= now_ms) {
        if (s->last_ms < s->ahead_ms) s->last_ms = s->ahead_ms;
        s->ahead_ms = 0;
    }
    if (s->last_ms > now_ms) {
        if (s->ahead_ms < s->last_ms) s->ahead_ms = s->last_ms;
        s->last_ms = 0;
    }
}

/* False: late or repeated, it tells nothing about now. */
static bool is_new(struct rule_state *s, int64_t at_ms, int64_t now_ms) {
    follow_clock(s, now_ms);
    int64_t *newest = at_ms > now_ms ? &s->ahead_ms : &s->last_ms;
    if (at_ms <= *newest) return false;
    *newest = at_ms;
    return true;
}

int64_t rule_due_ms(const struct rule_terms *t, const struct rule_state *s) {
    return t->kind == RULE_EVENT || s->firing || s->held || !s->since_ms ? INT64_MAX : s->since_ms + t->for_ms;
}

enum verdict rule_tick(const struct rule_terms *t, struct rule_state *s, int64_t now_ms) {
    if (rule_due_ms(t, s) > now_ms) return VERDICT_NOTHING;
    s->firing = true;
    return VERDICT_RAISE;
}

static enum verdict heard(struct rule_state *s, int64_t at_ms, int64_t now_ms) {
    bool was = s->firing;
    s->firing = false;
    if (s->since_ms < at_ms || s->since_ms > now_ms) s->since_ms = at_ms;
    return was ? VERDICT_CLEAR : VERDICT_NOTHING;
}

enum verdict rule_reading(const struct rule_terms *t, struct rule_state *s, int64_t at_ms, double value,
                          int64_t now_ms) {
    if (isnan(value) || !is_new(s, at_ms, now_ms)) return VERDICT_NOTHING;
    if (at_ms > now_ms) at_ms = now_ms;
    s->last_value = value;
    s->held = false;
    if (t->kind == RULE_EVENT) return VERDICT_NOTHING;
    if (t->kind == RULE_SILENCE) return heard(s, at_ms, now_ms);
    if (s->firing) {
        if (!rule_is_calm(t, value)) return VERDICT_NOTHING;
        s->firing = false;
        s->since_ms = 0;
        return VERDICT_CLEAR;
    }
    if (!rule_breaches(t, value)) {
        s->since_ms = 0;
        return VERDICT_NOTHING;
    }
    if (!s->since_ms || s->since_ms > at_ms) s->since_ms = at_ms;
    return rule_tick(t, s, at_ms);
}
