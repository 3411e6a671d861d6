/* Hysteresis, duration, silence.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/eval.h"

#include <math.h>

static bool breaches(const struct rule_terms *t, double v) {
    return t->kind == RULE_ABOVE ? v > t->limit : v < t->limit;
}

static bool is_calm(const struct rule_terms *t, double v) {
    return t->kind == RULE_ABOVE ? v <= t->clear_at : v >= t->clear_at;
}

static enum verdict fire_if_due(const struct rule_terms *t, struct rule_state *s, int64_t now_ms) {
    if (s->firing || !s->since_ms || now_ms - s->since_ms < t->for_ms) return VERDICT_NOTHING;
    s->firing = true;
    return VERDICT_RAISE;
}

enum verdict rule_reading(const struct rule_terms *t, struct rule_state *s, int64_t at_ms, double value) {
    if (at_ms <= s->last_ms || isnan(value)) return VERDICT_NOTHING; /* late or repeated: it tells nothing about now */
    s->last_ms = at_ms;
    s->last_value = value;
    if (t->kind == RULE_EVENT) return VERDICT_NOTHING;
    if (t->kind == RULE_SILENCE) {
        bool was = s->firing;
        s->firing = false;
        return was ? VERDICT_CLEAR : VERDICT_NOTHING;
    }
    if (s->firing) {
        if (!is_calm(t, value)) return VERDICT_NOTHING;
        s->firing = false;
        s->since_ms = 0;
        return VERDICT_CLEAR;
    }
    if (!breaches(t, value)) {
        s->since_ms = 0;
        return VERDICT_NOTHING;
    }
    if (!s->since_ms) s->since_ms = at_ms;
    return fire_if_due(t, s, at_ms);
}

int64_t rule_due_ms(const struct rule_terms *t, const struct rule_state *s) {
    int64_t since_ms = t->kind == RULE_SILENCE ? s->last_ms : s->since_ms;
    return t->kind == RULE_EVENT || s->firing || !since_ms ? INT64_MAX : since_ms + t->for_ms;
}

enum verdict rule_tick(const struct rule_terms *t, struct rule_state *s, int64_t now_ms) {
    if (t->kind == RULE_EVENT || !s->last_ms) return VERDICT_NOTHING;
    if (t->kind != RULE_SILENCE) return fire_if_due(t, s, now_ms);
    if (s->firing || now_ms - s->last_ms < t->for_ms) return VERDICT_NOTHING;
    s->firing = true;
    return VERDICT_RAISE;
}
