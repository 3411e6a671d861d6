/* The naive model: which readings were acknowledged, and which alarms must therefore have risen and ended.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/week.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUDGED_MS (15 * WEEK_MINUTE) /* older readings are history */

/* ---- verdicts wait until they are rows ---- */

static void put_verdict(struct week *w, struct week_watch *watch, bool raise, int64_t at_ms) {
    if (w->queue_n == w->queue_cap) {
        w->queue_cap = w->queue_cap ? w->queue_cap * 2 : 256;
        w->queue = realloc(w->queue, w->queue_cap * sizeof *w->queue);
        if (!w->queue) abort();
    }
    w->queue[w->queue_n++] = (struct week_verdict){watch, at_ms, raise};
}

static void apply(const struct week_verdict *v) {
    if (v->raise && !v->watch->open) {
        v->watch->ever++;
        v->watch->opened_ms = v->at_ms;
    }
    v->watch->open = v->raise;
}

static void apply_first(struct week *w, size_t n) {
    for (size_t i = 0; i < n; i++) apply(&w->queue[i]);
    if (n) memmove(w->queue, w->queue + n, (w->queue_n - n) * sizeof *w->queue);
    w->queue_n -= n;
    w->queue_before += (int64_t)n;
}

/* ---- judging ---- */

static void judge(struct week *w, int r, int d, const struct week_point *p) {
    const struct week_rule *rule = &w->rules[r];
    struct week_watch *watch = &w->watches[r][d][0];
    if (!watch->applies || rule->kind == WEEK_EVENT || p->at_ms <= watch->last_ms || isnan(p->value)) return;
    watch->last_ms = p->at_ms;
    bool above = rule->kind == WEEK_ABOVE;
    bool breach = rule->kind != WEEK_SILENCE && (above ? p->value > rule->limit : p->value < rule->limit);
    bool calm = rule->kind == WEEK_SILENCE || (above ? p->value <= rule->clear : p->value >= rule->clear);
    if (watch->firing) {
        if (!calm) return;
        watch->firing = false;
        watch->since_ms = 0;
        put_verdict(w, watch, false, p->at_ms);
        return;
    }
    if (!breach) watch->since_ms = 0;
    if (breach && !watch->since_ms) watch->since_ms = p->at_ms;
    if (!breach || p->at_ms - watch->since_ms < rule->for_ms) return;
    watch->firing = true;
    put_verdict(w, watch, true, p->at_ms);
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
    for (size_t r = 0; r < w->rules_n; r++)
        for (int d = 0; d < WEEK_DEVICES; d++) {
            const struct week_rule *rule = &w->rules[r];
            struct week_watch *watch = &w->watches[r][d][0];
            if (!watch->applies || watch->firing || rule->kind == WEEK_EVENT || !watch->last_ms) continue;
            int64_t from_ms = rule->kind == WEEK_SILENCE ? watch->last_ms : watch->since_ms;
            if (!from_ms || week_now(w) - from_ms < rule->for_ms) continue;
            watch->firing = true;
            put_verdict(w, watch, true, week_now(w));
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
}

static void read_device(struct week *w, struct db_rows *row) {
    for (size_t d = 0; d < WEEK_DEVICES; d++) {
        if (!str_is(db_text(row, 1), w->devices[d].code)) continue;
        w->devices[d].id = db_i64(row, 0);
        bool known = !str_is(db_text(row, 2), "new");
        for (size_t r = 0; r < w->rules_n; r++) {
            struct week_watch *watch = &w->watches[r][d][0];
            bool applies = known && w->rules[r].enabled && str_is(db_text(row, 3), w->rules[r].model);
            if (!applies || !watch->applies) watch->firing = false, watch->since_ms = watch->last_ms = 0;
            if (applies && !watch->applies && watch->open && w->rules[r].kind != WEEK_EVENT) {
                watch->firing = true; /* an alarm that is open is not raised again */
                watch->since_ms = watch->last_ms = watch->opened_ms;
            }
            watch->applies = applies;
        }
    }
}

static void load(struct week *w) {
    week_rows(w, "SELECT id, kind, model, limit_value, clear_value, for_s, enabled FROM rules ORDER BY id", read_rule);
    week_rows(w, "SELECT id, code, state, model FROM devices WHERE archived_ms = 0 ORDER BY id", read_device);
    w->rules_changed = false;
}

/* ---- against the store ---- */

struct held {
    int64_t open, ever;
};
static struct held held[WEEK_RULES * WEEK_DEVICES * WEEK_PARTS]; /* as the watches lie */

static void read_alarm(struct week *w, struct db_rows *row) {
    const struct week_watch *watch = week_model_watch(w, db_i64(row, 0), db_i64(row, 1), db_text(row, 2));
    CHECK_SAY(w->t, watch, "an alarm of a rule and a device that there are");
    if (watch) held[watch - &w->watches[0][0][0]] = (struct held){db_i64(row, 3), db_i64(row, 4)};
}

static void read_held(struct week *w) {
    memset(held, 0, sizeof held);
    week_rows(w,
              "SELECT rule_id, device_id, COALESCE(part, ''), SUM(CASE WHEN state = 'ended' THEN 0 ELSE 1 END), "
              "COUNT(*) FROM alarms GROUP BY 1, 2, 3",
              read_alarm);
}

/* Does the store hold exactly what the model says?  `say`: the difference is a failure. */
static bool is_held(struct week *w, bool say) {
    bool same = true;
    for (size_t r = 0; r < w->rules_n; r++)
        for (size_t d = 0; d < WEEK_DEVICES; d++)
            for (size_t p = 0; p < WEEK_PARTS; p++) {
                struct week_watch *watch = &w->watches[r][d][p];
                const struct held *h = &held[watch - &w->watches[0][0][0]];
                if (watch->may_be_ended && watch->open && !h->open) {
                    watch->open = false;
                    watch->may_be_ended = false;
                }
                bool ok = h->open == watch->open && h->ever == watch->ever;
                same &= ok;
                if (say)
                    CHECK_SAY(w->t, ok, "rule %zu, %s part %zu: %d of %d alarms open, must be %d of %d", r,
                              w->devices[d].code, p + 1, (int)h->open, (int)h->ever, watch->open, (int)watch->ever);
            }
    return same;
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
            watch->applies = watch->firing = false;
            watch->since_ms = watch->last_ms = 0;
        }
    for (size_t d = 0; d < WEEK_DEVICES; d++) w->devices[d].heard = false; /* it comes again with its next reading */
}

static enum err seed(struct ctx *ctx, void *arg) {
    struct week *w = arg;
    struct telemetry_series s;
    struct fault f = {0};
    for (uint32_t i = 0; !telemetry_series_at(feed_telemetry(w->feed), i, ctx->arena, &s, &f); i++)
        for (int d = 0; d < WEEK_DEVICES; d++) {
            if (!s.has_latest || !str_is(s.device, w->devices[d].code)) continue;
            struct week_point p = {.at_ms = s.latest.at_ms, .value = s.latest.value};
            for (size_t r = 0; r < w->rules_n; r++) {
                struct week_watch *watch = &w->watches[r][d][0];
                if (w->rules[r].kind != WEEK_SILENCE && p.at_ms >= week_now(w) - JUDGED_MS) judge(w, (int)r, d, &p);
                if (w->rules[r].kind == WEEK_SILENCE && watch->applies && !watch->last_ms) watch->last_ms = week_now(w);
            }
        }
    return OK;
}

/* What the program knows anew: rules, open alarms, the newest reading of each series. */
void week_model_reopen(struct week *w) {
    find_applied(w);
    w->queue_before += (int64_t)w->queue_n;
    w->queue_n = 0; /* what was only in memory is gone */
    load(w);
    (void)!week_do(w, seed, w);
}

/* ---- hands ---- */

struct week_watch *week_model_watch(struct week *w, int64_t rule_id, int64_t device_id, struct str part) {
    for (size_t r = 0; r < w->rules_n; r++)
        for (size_t d = 0; d < WEEK_DEVICES; d++)
            if (w->rules[r].id == rule_id && w->devices[d].id == device_id) return &w->watches[r][d][str_is(part, "2")];
    return NULL;
}
