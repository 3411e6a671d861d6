/* What the rules would know had they never stopped: their states, from the readings that are kept.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/rules_internal.h"

#include <math.h>

#define ARENA_BYTES ((size_t)16 << 20)
#define PAGES_MAX   100 /* of TELEMETRY_POINTS_MAX */
#define WINDOWS     256 /* a time is parted into about so many */
#define NARROW_MS   60000

struct seeding {
    struct rules_engine *engine;
    struct telemetry *telemetry;
    int64_t now_ms;
    struct arena arena, back; /* of the series; of one look back */
    struct telemetry_series series;
    struct telemetry_points fresh; /* its readings that are neither history nor ahead of the clock */
    int64_t last_ms;               /* of its readings that are not ahead, the last; 0: none is known */
    int64_t value_ms;              /* the last that is a number, where it is fresh or the very last; 0: none */
    double value;
};

/* ---- how long a breach lasts ---- */

/* From the first breach after the last rest on; 0: there is none.  `first`: no rest is among them, so the first will
 * do. */
static int64_t breach_in(struct seeding *s, const struct rule_terms *terms, int64_t from_ms, int64_t to_ms,
                         bool first) {
    int64_t since_ms = 0;
    for (int page = 0; page < PAGES_MAX && !(first && since_ms); page++) {
        struct telemetry_points p = {0};
        struct fault f = {0};
        arena_reset(&s->back);
        if (telemetry_range(s->telemetry, s->series.number, from_ms, to_ms, first ? 100 : TELEMETRY_POINTS_MAX,
                            &s->back, &p, &f))
            return 0;
        for (size_t i = 0; i < p.n && !(first && since_ms); i++) {
            if (isnan(p.value[i])) continue;
            if (!rule_breaches(terms, p.value[i]))
                since_ms = 0;
            else if (!since_ms)
                since_ms = p.at_ms[i];
        }
        if (!p.has_next) break;
        from_ms = p.next_ms;
    }
    return since_ms;
}

/* Narrows a time to the last window of it with a value that is no breach; false: there is no such value. */
static bool narrow(struct seeding *s, const struct rule_terms *terms, int64_t *from_ms, int64_t *to_ms) {
    struct telemetry_points p = {0};
    struct fault f = {0};
    const struct telemetry_windows_query q = {.series = &s->series.number,
                                              .n = 1,
                                              .from_ms = *from_ms,
                                              .to_ms = *to_ms,
                                              .every = {(*to_ms - *from_ms) / 1000 / WINDOWS + 1, 's'},
                                              .aggs = {terms->kind == RULE_ABOVE ? TELEMETRY_MIN : TELEMETRY_MAX},
                                              .aggs_n = 1,
                                              .limit = WINDOWS + 2};
    arena_reset(&s->back);
    if (telemetry_windows(s->telemetry, &q, &s->back, &p, &f)) return false;
    size_t i = p.n;
    while (i && (isnan(p.value[i - 1]) || rule_breaches(terms, p.value[i - 1]))) i--;
    if (!i) return false;
    int64_t at_ms = p.at_ms[i - 1], end_ms = at_ms + telemetry_every_ms(q.every);
    if (*from_ms < at_ms) *from_ms = at_ms;
    if (*to_ms > end_ms) *to_ms = end_ms;
    return true;
}

/* Since when a breach lasted at to_ms, looked for no further back than from_ms.  By what windows sum up to: a duration
 * may be a month, of a reading a second. */
static int64_t breach_before(struct seeding *s, const struct rule_terms *terms, int64_t from_ms, int64_t to_ms) {
    int64_t rest_ms = from_ms, end_ms = to_ms;
    bool rests = true;
    while (rests && end_ms - rest_ms > NARROW_MS) rests = narrow(s, terms, &rest_ms, &end_ms);
    if (!rests) return breach_in(s, terms, from_ms, to_ms, true);
    int64_t since_ms = breach_in(s, terms, rest_ms, end_ms, false);
    return since_ms ? since_ms : breach_in(s, terms, end_ms, to_ms, true);
}

/* ---- states ---- */

static void set_last(struct seeding *s, struct rule_state *state) {
    state->last_ms = s->last_ms;
    state->ahead_ms = s->series.latest.at_ms > s->now_ms ? s->series.latest.at_ms : 0;
}

/* The cause of its alarm was not over yet.  Only its last value tells: a rest and another breach before that are one
 * with it, since late readings look the same, and nothing may be raised twice.  What is ahead of the clock tells more,
 * and waits for the next reading. */
static void seed_firing(struct seeding *s, struct watched *w) {
    int64_t raised_ms = w->state.since_ms;
    set_last(s, &w->state);
    if (s->value_ms) w->state.last_value = s->value;
    if (s->value_ms <= raised_ms || w->state.ahead_ms || !rule_is_calm(&w->terms, s->value)) return;
    w->state.firing = false;
    w->state.since_ms = 0;
    engine_conclude(s->engine, w, VERDICT_CLEAR, s->value_ms);
}

/* A verdict that came full between two readings counts from then. */
static void judge_again(struct seeding *s, struct watched *w, size_t from) {
    for (size_t i = from; i < s->fresh.n; i++) {
        int64_t at_ms = s->fresh.at_ms[i], due_ms = rule_due_ms(&w->terms, &w->state);
        if (due_ms < at_ms) engine_conclude(s->engine, w, rule_tick(&w->terms, &w->state, due_ms), due_ms);
        enum verdict v = rule_reading(&w->terms, &w->state, at_ms, s->fresh.value[i], s->now_ms);
        engine_conclude(s->engine, w, v, at_ms);
    }
}

/* What is fresh and behind the last alarm is judged again, in order of its time: what became an alarm is not among it,
 * and what was stored in the moment before the end may be. */
static void seed_calm(struct seeding *s, struct watched *w) {
    const struct rule_terms *terms = &w->terms;
    int64_t from_ms = s->now_ms - RULES_FRESH_MS;
    if (from_ms <= w->over_ms) from_ms = w->over_ms + 1;
    if (from_ms < w->rule->row.updated_ms) from_ms = w->rule->row.updated_ms;
    size_t first = 0;
    while (first < s->fresh.n && (s->fresh.at_ms[first] < from_ms || isnan(s->fresh.value[first]))) first++;
    bool breached = first < s->fresh.n ? rule_breaches(terms, s->fresh.value[first])
                                       : !s->value_ms || rule_breaches(terms, s->value);
    int64_t back_ms = from_ms - terms->for_ms - TELEMETRY_GAP_MS;
    if (back_ms < w->rule->row.created_ms) back_ms = w->rule->row.created_ms;
    if (breached && terms->for_ms) w->state.since_ms = breach_before(s, terms, back_ms, from_ms);
    if (w->state.since_ms > s->now_ms) w->state.since_ms = 0; /* the clock was put back */
    w->state.held = w->state.since_ms && w->state.since_ms + terms->for_ms < from_ms;
    judge_again(s, w, first);
    if (s->value_ms) w->state.last_value = s->value;
    set_last(s, &w->state);
}

/* Silence counts from now on, since nobody listened before.  One may be of several series. */
static void seed_silence(struct seeding *s, struct watched *w) {
    struct rule_state before = w->state;
    set_last(s, &w->state);
    w->state.since_ms = s->now_ms;
    if (before.since_ms != s->now_ms) return;
    if (w->state.last_ms < before.last_ms) w->state.last_ms = before.last_ms;
    if (w->state.ahead_ms < before.ahead_ms) w->state.ahead_ms = before.ahead_ms;
}

/* ---- series by series ---- */

static void take_fresh(struct seeding *s) {
    const struct telemetry_stored *latest = &s->series.latest;
    int64_t from_ms = s->now_ms - RULES_FRESH_MS;
    struct fault f = {0};
    s->fresh = (struct telemetry_points){0};
    s->last_ms = latest->at_ms > s->now_ms ? 0 : latest->at_ms;
    s->value_ms = isnan(latest->value) ? 0 : s->last_ms;
    s->value = latest->value;
    if (latest->at_ms < from_ms) return;
    for (int page = 0; page < PAGES_MAX; page++) {
        struct telemetry_points p = {0};
        arena_reset(&s->arena);
        if (telemetry_range(s->telemetry, s->series.number, from_ms, s->now_ms + 1, TELEMETRY_POINTS_MAX, &s->arena, &p,
                            &f))
            return;
        s->fresh = p;
        if (!p.has_next) break;
        from_ms = p.next_ms;
    }
    for (size_t i = 0; i < s->fresh.n; i++) {
        s->last_ms = s->fresh.at_ms[i];
        if (isnan(s->fresh.value[i])) continue;
        s->value_ms = s->last_ms;
        s->value = s->fresh.value[i];
    }
}

static void seed_series(struct seeding *s) {
    struct book *b = s->engine->book;
    const struct known_device *d = book_device(b, s->series.community_id, s->series.device);
    bool taken = false;
    for (uint32_t i = d ? d->first : 0; i; i = b->watches[i - 1].next) {
        struct watched *w = &b->watches[i - 1];
        if (!watches_metric(w, s->series.metric)) continue;
        if (!taken) take_fresh(s);
        taken = true;
        if (w->terms.kind == RULE_SILENCE)
            seed_silence(s, w);
        else if (w->state.firing)
            seed_firing(s, w);
        else
            seed_calm(s, w);
        due_arm(b, i - 1, 0);
    }
}

void rules_seed(struct rules_engine *e, struct telemetry *t, int64_t now_ms) {
    struct seeding s = {.engine = e, .telemetry = t, .now_ms = now_ms};
    struct arena names;
    struct fault f = {0};
    arena_init(&names, 4096);
    arena_init(&s.arena, ARENA_BYTES);
    arena_init(&s.back, ARENA_BYTES);
    pthread_mutex_lock(&e->lock);
    for (uint32_t i = 0; e->book && !telemetry_series_at(t, i, &names, &s.series, &f); i++) {
        if (s.series.has_latest) seed_series(&s);
        arena_reset(&names);
    }
    pthread_mutex_unlock(&e->lock);
    arena_finish(&s.back);
    arena_finish(&s.arena);
    arena_finish(&names);
}
