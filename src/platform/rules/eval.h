/* The judgement of one rule over one device's readings: pure state, no store, no clock.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_EVAL_H
#define LINLI_PLATFORM_RULES_EVAL_H

#include "base/base.h"

enum rule_kind { RULE_ABOVE, RULE_BELOW, RULE_SILENCE, RULE_EVENT };

struct rule_terms {
    enum rule_kind kind;
    double limit,
        clear_at;   /* ABOVE: fires at value > limit, calm again at value <= clear_at; BELOW the other way round */
    int64_t for_ms; /* must hold this long before it fires; SILENCE: how long silence may last */
};
struct rule_state {
    int64_t since_ms; /* start of the unbroken breach; SILENCE: when it was heard last; 0: none */
    int64_t last_ms;  /* newest reading judged; older ones are not judged again */
    int64_t ahead_ms; /* the same of those whose time the clock has not come to; 0: none */
    double last_value;
    bool firing;
    bool held; /* came full while nobody looked: not before the next reading */
};
enum verdict { VERDICT_NOTHING, VERDICT_RAISE, VERDICT_CLEAR };

bool rule_breaches(const struct rule_terms *t, double value); /* ABOVE and BELOW */
bool rule_is_calm(const struct rule_terms *t, double value);
/* A reading from ahead of the clock counts as of now, and holds back none but those that are ahead, too. */
enum verdict rule_reading(const struct rule_terms *t, struct rule_state *s, int64_t at_ms, double value,
                          int64_t now_ms);
/* When rule_tick may next give something else than nothing, unless readings come; INT64_MAX: never. */
int64_t rule_due_ms(const struct rule_terms *t, const struct rule_state *s);
/* Time passes without a reading: durations come full, silence grows long. */
enum verdict rule_tick(const struct rule_terms *t, struct rule_state *s, int64_t now_ms);

#endif
