/* The naive model: which readings were acknowledged, and which alarms must therefore have risen and ended.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/week.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUDGED_MS (15 * WEEK_MINUTE) /* older readings are history */
#define BACK_MS   (6 * WEEK_HOUR)    /* so long before its length a breach is looked for after a restart */

/* ---- verdicts wait until they are rows ---- */

static void put_verdict(struct week *w, struct week_watch *watch, bool raise, int64_t at_ms) {
    if (w->queue_n == w->queue_cap) {
        w->queue_cap = w->queue_cap ? w->queue_cap * 2 : 256;
        w->queue = realloc(w->queue, w->queue_cap * sizeof *w->queue);
        if (!w->queue) abort();
    }
    w->queue[w->queue_n++] = (struct week_verdict){.watch = watch, .at_ms = at_ms, .raise = raise};
}

static void apply(const struct week_verdict *v) {
    struct week_watch *watch = v->watch;
    if (v->raise && !watch->open) {
        watch->ever++;
        watch->opened_ms = v->at_ms;
    }
    if (!v->raise && watch->lasts && watch->over_ms < v->at_ms) watch->over_ms = v->at_ms;
    watch->open = watch->lasts = v->raise;
}

static void apply_first(struct week *w, size_t n) {
    for (size_t i = 0; i < n; i++) apply(&w->queue[i]);
    if (n) memmove(w->queue, w->queue + n, (w->queue_n - n) * sizeof *w->queue);
    w->queue_n -= n;
    w->queue_before += (int64_t)n;
}

/* ---- judging ---- */

/* An end is noted with the newest reading that was judged by then. */
static void end(struct week *w, struct week_watch *watch) {
    watch->firing = false;
    put_verdict(w, watch, false, watch->last_ms > watch->ahead_ms ? watch->last_ms : watch->ahead_ms);
}

static bool is_breach(const struct week_rule *rule, double value) {
    return rule->kind == WEEK_ABOVE ? value > rule->limit : rule->kind == WEEK_BELOW && value < rule->limit;
}

static bool is_calm(const struct week_rule *rule, double value) {
    return rule->kind == WEEK_SILENCE || (rule->kind == WEEK_ABOVE ? value <= rule->clear : value >= rule->clear);
}

/* Those ahead of the clock are told apart from those at the present, and count as of now. */
static bool is_new(struct week_watch *watch, int64_t at_ms, int64_t now_ms) {
    if (watch->ahead_ms && watch->ahead_ms <= now_ms) {
        if (watch->last_ms < watch->ahead_ms) watch->last_ms = watch->ahead_ms;
        watch->ahead_ms = 0;
    }
    if (watch->last_ms > now_ms) {
        if (watch->ahead_ms < watch->last_ms) watch->ahead_ms = watch->last_ms;
        watch->last_ms = 0;
    }
    int64_t *newest = at_ms > now_ms ? &watch->ahead_ms : &watch->last_ms;
    bool new = at_ms > *newest;
    if (new) *newest = at_ms;
    return new;
}

static void judge(struct week *w, int r, int d, const struct week_point *p) {
    const struct week_rule *rule = &w->rules[r];
    struct week_watch *watch = &w->watches[r][d][0];
    int64_t now_ms = week_now(w), at_ms = p->at_ms < now_ms ? p->at_ms : now_ms;
    if (!watch->applies || rule->kind == WEEK_EVENT || isnan(p->value) || !is_new(watch, p->at_ms, now_ms)) return;
    watch->held = false;
    if (rule->kind == WEEK_SILENCE && (watch->since_ms < at_ms || watch->since_ms > now_ms)) watch->since_ms = at_ms;
    if (watch->firing) {
        if (!is_calm(rule, p->value)) return;
        if (rule->kind != WEEK_SILENCE) watch->since_ms = 0;
        end(w, watch);
        return;
    }
    if (rule->kind == WEEK_SILENCE) return;
    bool breach = is_breach(rule, p->value);
    if (!breach) watch->since_ms = 0;
    if (breach && (!watch->since_ms || watch->since_ms > at_ms)) watch->since_ms = at_ms;
    if (!breach || at_ms - watch->since_ms < rule->for_ms) return;
    watch->firing = true;
    put_verdict(w, watch, true, at_ms);
}

void week_model_reading(struct week *w, int device, const struct week_point *p) {
    if (p->at_ms < week_now(w) - JUDGED_MS) return;
    for (size_t r = 0; r < w->rules_n; r++) judge(w, (int)r, device, p);
    w->devices[device].heard = true;
}

void week_model_event(struct week *w, int device, int part, bool is_set) {
    for (size_t r = 0; r < w->rules_n; r++)
        if (w->rules[r].kind == WEEK_EVENT && w->watches[r][device][0].applies)
            put_verdict(w, &w->watches[r][device][part], is_set, week_now(w));
}

static void tick(struct week *w) {
    w->ticks++;
    for (size_t r = 0; r < w->rules_n; r++)
        for (int d = 0; d < WEEK_DEVICES; d++) {
            const struct week_rule *rule = &w->rules[r];
            struct week_watch *watch = &w->watches[r][d][0];
            if (!watch->applies || watch->firing || watch->held || rule->kind == WEEK_EVENT) continue;
            if (!watch->since_ms || week_now(w) - watch->since_ms < rule->for_ms) continue;
            watch->firing = true;
            put_verdict(w, watch, true, week_now(w));
            w->queue[w->queue_n - 1].tick = w->ticks;
        }
}

/* ---- the rules and devices in force ---- */

static void read_rule(struct week *w, struct db_rows *row) {
    size_t i = 0;
    while (i < w->rules_n && w->rules[i].id != db_i64(row, 0)) i++;
    if (i == WEEK_RULES) return;
    if (i == w->rules_n) w->rules_n++;
    struct week_rule *r = &w->rules[i];
    struct str kind = db_text(row, 1), model = db_text(row, 2);
    *r = (struct week_rule){.id = db_i64(row, 0), .enabled = db_i64(row, 6)};
    r->kind = str_is(kind, "above")     ? WEEK_ABOVE
              : str_is(kind, "below")   ? WEEK_BELOW
              : str_is(kind, "silence") ? WEEK_SILENCE
                                        : WEEK_EVENT;
    snprintf(r->model, sizeof r->model, STR_FMT, STR_ARG(model));
    r->limit = (double)db_i64(row, 3) / 1000;
    r->clear = db_col(row, 4).type == DB_NULL ? r->limit : (double)db_i64(row, 4) / 1000;
    r->for_ms = db_i64(row, 5) * 1000;
    r->created_ms = db_i64(row, 7);
    r->updated_ms = db_i64(row, 8);
}

static void read_device(struct week *w, struct db_rows *row) {
    for (size_t d = 0; d < WEEK_DEVICES; d++) {
        if (!str_is(db_text(row, 1), w->devices[d].code)) continue;
        w->devices[d].id = db_i64(row, 0);
        bool known = !str_is(db_text(row, 2), "new");
        for (size_t r = 0; r < w->rules_n; r++) {
            struct week_watch *watch = &w->watches[r][d][0];
            bool applies = known && w->rules[r].enabled && str_is(db_text(row, 3), w->rules[r].model);
            if (!applies || !watch->applies) {
                watch->firing = watch->held = false;
                watch->since_ms = watch->last_ms = watch->ahead_ms = 0;
            }
            if (applies && !watch->applies && watch->lasts && w->rules[r].kind != WEEK_EVENT) {
                watch->firing = true; /* a cause that lasts is not told again */
                watch->since_ms = watch->last_ms = watch->opened_ms;
            }
            watch->applies = applies;
        }
    }
}

static void load(struct week *w) {
    week_rows(w,
              "SELECT id, kind, model, limit_value, clear_value, for_s, enabled, created_ms, updated_ms FROM rules "
              "ORDER BY id",
              read_rule);
    week_rows(w, "SELECT id, code, state, model FROM devices WHERE archived_ms = 0 ORDER BY id", read_device);
    w->rules_changed = false;
}

/* ---- against the store ---- */

struct held {
    int64_t open, ever, lasting, over_ms;
};
static struct held held[WEEK_RULES * WEEK_DEVICES * WEEK_PARTS]; /* as the watches lie */

static struct held *held_of(const struct week *w, const struct week_watch *watch) {
    return &held[watch - &w->watches[0][0][0]];
}

static void read_alarm(struct week *w, struct db_rows *row) {
    const struct week_watch *watch = week_model_watch(w, db_i64(row, 0), db_i64(row, 1), db_text(row, 2));
    CHECK_SAY(w->t, watch, "an alarm of a rule and a device that there are");
    if (watch) *held_of(w, watch) = (struct held){db_i64(row, 3), db_i64(row, 4), db_i64(row, 5), db_i64(row, 6)};
}

static void read_held(struct week *w) {
    memset(held, 0, sizeof held);
    week_rows(w,
              "SELECT rule_id, device_id, COALESCE(part, ''), SUM(CASE WHEN state = 'ended' THEN 0 ELSE 1 END), "
              "COUNT(*), SUM(CASE WHEN calm_ms IS NULL THEN 1 ELSE 0 END), MAX(calm_ms) FROM alarms GROUP BY 1, 2, 3",
              read_alarm);
}

/* Does the store hold exactly what the model says?  `say`: the difference is a failure. */
static bool is_held(struct week *w, bool say) {
    bool same = true;
    for (size_t r = 0; r < w->rules_n; r++)
        for (size_t d = 0; d < WEEK_DEVICES; d++)
            for (size_t p = 0; p < WEEK_PARTS; p++) {
                struct week_watch *watch = &w->watches[r][d][p];
                const struct held *h = held_of(w, watch);
                if (watch->may_be_ended && watch->open && !h->open) {
                    watch->open = false;
                    watch->may_be_ended = false;
                }
                bool ok = h->open == watch->open && h->ever == watch->ever;
                if (w->rules[r].kind != WEEK_EVENT) ok &= h->lasting == watch->lasts && h->over_ms == watch->over_ms;
                same &= ok;
                if (say)
                    CHECK_SAY(w->t, ok,
                              "rule %zu, %s part %zu: %d of %d alarms open, %d lasting, over %lld; must be %d of %d, "
                              "%d, %lld",
                              r, w->devices[d].code, p + 1, (int)h->open, (int)h->ever, (int)h->lasting,
                              (long long)h->over_ms, watch->open, (int)watch->ever, watch->lasts,
                              (long long)watch->over_ms);
            }
    return same;
}

/* Of what one tick raised, from the nth on, that comes first which the store has: the rules take it as it fell due. */
static void put_held_first(struct week *w, size_t n) {
    for (size_t i = n, to = n; i < w->queue_n && w->queue[i].tick && w->queue[i].tick == w->queue[n].tick; i++) {
        struct week_verdict v = w->queue[i];
        if (held_of(w, v.watch)->ever == v.watch->ever) continue;
        w->queue[i] = w->queue[to];
        w->queue[to++] = v;
    }
}

/* The store went some way along the queue, at least as far as was confirmed: how far? */
static void find_applied(struct week *w) {
    static struct week_watch kept[WEEK_RULES][WEEK_DEVICES][WEEK_PARTS];
    read_held(w);
    size_t sure = w->queue_sure > w->queue_before ? (size_t)(w->queue_sure - w->queue_before) : 0;
    for (size_t n = sure; n <= w->queue_n; n++) {
        memcpy(kept, w->watches, sizeof kept);
        for (size_t i = 0; i < n; i++) apply(&w->queue[i]);
        bool same = is_held(w, false);
        put_held_first(w, n);
        memcpy(w->watches, kept, sizeof kept);
        if (!same && n < w->queue_n) continue;
        apply_first(w, n);
        (void)is_held(w, true);
        return;
    }
}

/* The alarms as rows are what the acknowledged readings call for; called when nothing waits. */
void week_model_check(struct week *w) {
    read_held(w);
    (void)is_held(w, true);
}

void week_model_step(struct week *w, enum week_applied applied) {
    tick(w);
    if (applied == WEEK_SOME_APPLIED) find_applied(w);
    if (applied != WEEK_ALL_APPLIED) return;
    if (w->rules_changed) load(w);
    apply_first(w, w->queue_n);
    for (int d = 0; d < WEEK_DEVICES; d++) w->devices[d].put_aside |= w->devices[d].heard;
}

/* ---- restarts ---- */

void week_model_restart(struct week *w) {
    for (size_t r = 0; r < w->rules_n; r++)
        for (size_t d = 0; d < WEEK_DEVICES; d++) {
            struct week_watch *watch = &w->watches[r][d][0];
            watch->applies = watch->firing = watch->held = false;
            watch->since_ms = watch->last_ms = watch->ahead_ms = 0;
        }
    for (size_t d = 0; d < WEEK_DEVICES; d++) w->devices[d].heard = false; /* it comes again with its next reading */
}

/* Judged as it came, only that what came late stands where it belongs; a breach that nobody judged counts, and what is
 * fresh and behind the last alarm is told. */
static void judge_again(struct week *w, int r, int d, const struct telemetry_points *p, size_t n) {
    const struct week_rule *rule = &w->rules[r];
    struct week_watch *watch = &w->watches[r][d][0];
    int64_t from_ms = week_now(w) - JUDGED_MS;
    if (from_ms < watch->over_ms + 1) from_ms = watch->over_ms + 1;
    if (from_ms < rule->updated_ms) from_ms = rule->updated_ms;
    int64_t back_ms = from_ms - rule->for_ms - BACK_MS;
    if (back_ms < rule->created_ms) back_ms = rule->created_ms;
    size_t i = 0;
    for (; i < p->n && p->at_ms[i] < from_ms; i++) {
        if (p->at_ms[i] < back_ms || isnan(p->value[i]) || !rule->for_ms) continue;
        if (!is_breach(rule, p->value[i]))
            watch->since_ms = 0;
        else if (!watch->since_ms)
            watch->since_ms = p->at_ms[i];
    }
    while (i < n && isnan(p->value[i])) i++;
    if (watch->since_ms > week_now(w) || (i < n && !is_breach(rule, p->value[i]))) watch->since_ms = 0;
    watch->held = watch->since_ms && watch->since_ms + rule->for_ms < from_ms;
    for (; i < n; i++) {
        int64_t due_ms = watch->since_ms + rule->for_ms;
        if (watch->since_ms && !watch->firing && !watch->held && due_ms < p->at_ms[i]) {
            watch->firing = true;
            put_verdict(w, watch, true, due_ms);
        }
        judge(w, r, d, &(struct week_point){.at_ms = p->at_ms[i], .value = p->value[i]});
    }
}

/* Of the points p the first n are not ahead of the clock. */
static void seed_watch(struct week *w, int r, int d, const struct telemetry_points *p, size_t n) {
    const struct week_rule *rule = &w->rules[r];
    struct week_watch *watch = &w->watches[r][d][0];
    int64_t now_ms = week_now(w), fresh_ms = now_ms - JUDGED_MS, raised_ms = watch->since_ms;
    bool is_ahead = n < p->n;
    if (!watch->applies || rule->kind == WEEK_EVENT) return;
    if (rule->kind != WEEK_SILENCE && !watch->firing) judge_again(w, r, d, p, n);
    if (rule->kind == WEEK_SILENCE) watch->since_ms = now_ms; /* nobody listened before */
    watch->ahead_ms = is_ahead ? p->at_ms[p->n - 1] : 0;
    watch->last_ms = n && (!is_ahead || p->at_ms[n - 1] >= fresh_ms) ? p->at_ms[n - 1] : 0;
    if (rule->kind == WEEK_SILENCE || !watch->firing || is_ahead) return;
    size_t i = n;
    while (i && p->at_ms[i - 1] >= fresh_ms && isnan(p->value[i - 1])) i--;
    if (!i || isnan(p->value[i - 1]) || (i < n && p->at_ms[i - 1] < fresh_ms)) return;
    if (p->at_ms[i - 1] <= raised_ms || !is_calm(rule, p->value[i - 1])) return;
    watch->since_ms = 0;
    end(w, watch);
}

static enum err seed(struct ctx *ctx, void *arg) {
    struct week *w = arg;
    struct telemetry_series s;
    struct fault f = {0};
    for (uint32_t i = 0; !telemetry_series_at(feed_telemetry(w->feed), i, ctx->arena, &s, &f); i++)
        for (int d = 0; d < WEEK_DEVICES; d++) {
            struct telemetry_points p = {0};
            if (!s.has_latest || !str_is(s.device, w->devices[d].code)) continue;
            TRY(telemetry_range(feed_telemetry(w->feed), i, 0, INT64_MAX, TELEMETRY_POINTS_MAX, ctx->arena, &p, &f));
            size_t n = p.n;
            while (n && p.at_ms[n - 1] > week_now(w)) n--;
            for (size_t r = 0; r < w->rules_n; r++) seed_watch(w, (int)r, d, &p, n);
        }
    return OK;
}

/* What the program knows anew: rules, open alarms, the newest reading of each series. */
void week_model_reopen(struct week *w) {
    find_applied(w);
    w->queue_before += (int64_t)w->queue_n;
    w->queue_n = 0; /* what was only in memory is gone */
    load(w);
    CHECK(w->t, !week_do(w, seed, w));
}

/* ---- hands ---- */

struct week_watch *week_model_watch(struct week *w, int64_t rule_id, int64_t device_id, struct str part) {
    for (size_t r = 0; r < w->rules_n; r++)
        for (size_t d = 0; d < WEEK_DEVICES; d++)
            if (w->rules[r].id == rule_id && w->devices[d].id == device_id) return &w->watches[r][d][str_is(part, "2")];
    return NULL;
}
