/* Rules at work: from the number of a series to the rules that watch it.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

#include "base/utf8.h"
#include "kernel/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rules_engine *rules_create(void) {
    struct rules_engine *e = calloc(1, sizeof *e);
    struct verdict_row *queue = calloc(RULES_QUEUE_MAX, sizeof *queue); /* touched only as it fills */
    if (!e || !queue) {
        free(e);
        free(queue);
        return NULL;
    }
    e->queue = queue;
    e->limits = rules_usual;
    pthread_mutex_init(&e->loading, NULL);
    pthread_mutex_init(&e->lock, NULL);
    return e;
}

void rules_destroy(struct rules_engine *e) {
    if (!e) return;
    book_free(e->book);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->loading);
    free(e->series);
    free(e->links);
    free(e->queue);
    free(e);
}

/* ---- judging ---- */

static struct verdict_row *next_row(struct rules_engine *e) {
    return &e->queue[e->made++ % RULES_QUEUE_MAX];
}

static struct verdict_row *enqueue(struct rules_engine *e, const struct watched *w, bool raise, int64_t at_ms) {
    struct verdict_row *row = next_row(e);
    *row = (struct verdict_row){.rule_id = w->rule->row.id,
                                .device_id = e->book->devices[w->device].id,
                                .at_ms = at_ms,
                                .raise = raise,
                                .silence = w->terms.kind == RULE_SILENCE};
    return row;
}

/* An end is noted with the newest reading judged by then: what is not after it is not judged again, see rules_seed. */
void engine_conclude(struct rules_engine *e, struct watched *w, enum verdict v, int64_t at_ms) {
    const struct rule_state *s = &w->state;
    if (v == VERDICT_NOTHING) return;
    if (v == VERDICT_CLEAR) at_ms = s->last_ms > s->ahead_ms ? s->last_ms : s->ahead_ms;
    if (e->made - e->applied == RULES_QUEUE_MAX) {
        w->state.firing = v == VERDICT_CLEAR;
        return;
    }
    struct verdict_row *row = enqueue(e, w, v == VERDICT_RAISE, at_ms);
    if (w->terms.kind != RULE_SILENCE && !w->is_private) snprintf(row->value, sizeof row->value, "%.6g", s->last_value);
}

bool watches_metric(const struct watched *w, struct str metric) {
    if (w->terms.kind == RULE_EVENT) return false;
    return (w->terms.kind == RULE_SILENCE && !row_has(&rules, w->rule, "metric")) || str_eq(w->rule->metric, metric);
}

/* Before a watch's state changes: a book that is about to come in place of this one must have it, too. */
static void note_change(struct rules_engine *e, uint32_t i) {
    struct watched *w = &e->book->watches[i];
    if (!e->changed || w->changed) return;
    w->changed = true;
    e->changed[e->changed_n++] = i;
}

static void judge(struct rules_engine *e, uint32_t i, int64_t at_ms, double value, int64_t now_ms) {
    struct watched *w = &e->book->watches[i];
    note_change(e, i);
    enum verdict v = rule_reading(&w->terms, &w->state, at_ms, value, now_ms);
    engine_conclude(e, w, v, at_ms < now_ms ? at_ms : now_ms);
    due_arm(e->book, i, 0);
}

static bool add_link(struct rules_engine *e, struct judged *s, uint32_t watch) {
    if (e->links_n == e->links_cap) {
        size_t cap = e->links_cap ? e->links_cap * 2 : 256;
        struct link *grown = realloc(e->links, cap * sizeof *grown);
        if (!grown) return false;
        e->links = grown;
        e->links_cap = cap;
    }
    e->links[e->links_n++] = (struct link){watch, s->first};
    s->first = (uint32_t)e->links_n;
    return true;
}

/* Asked once a series and book; out of memory: asked again with the next point. */
static struct judged *series_of(struct rules_engine *e, uint32_t number, const struct rules_names *names) {
    struct rules_source who;
    if (number >= e->series_n) {
        size_t n = (size_t)number * 2 + 64;
        struct judged *grown = realloc(e->series, n * sizeof *grown);
        if (!grown) return NULL;
        memset(grown + e->series_n, 0, (n - e->series_n) * sizeof *grown);
        e->series = grown;
        e->series_n = n;
    }
    struct judged *s = &e->series[number];
    if (s->book == e->book_number) return s;
    if (!names->name(names->arg, number, &who)) return NULL;
    const struct known_device *d = book_device(e->book, who.community_id, str_of(who.device));
    s->first = d ? 0 : STRANGE;
    for (uint32_t i = d ? d->first : 0; i; i = e->book->watches[i - 1].next)
        if (watches_metric(&e->book->watches[i - 1], str_of(who.metric)) && !add_link(e, s, i - 1)) return NULL;
    s->book = e->book_number;
    return s;
}

static bool tell_strange(struct judged *s, uint32_t number, const struct rules_names *names, int64_t now_ms) {
    struct rules_source who;
    uint32_t now_s = (uint32_t)(now_ms / 1000);
    if (s->told_s == now_s) return false;
    s->told_s = now_s;
    return names->name(names->arg, number, &who) && names->strange(names->arg, &who);
}

bool rules_points(struct rules_engine *e, const struct telemetry_stored *points, size_t n, int64_t now_ms,
                  const struct rules_names *names) {
    bool strange = false;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; e->book && i < n; i++) {
        const struct telemetry_stored *p = &points[i];
        struct judged *s = series_of(e, p->series, names);
        if (!s || !s->first) continue;
        if (s->first == STRANGE) {
            strange |= tell_strange(s, p->series, names, now_ms);
            continue;
        }
        if (p->at_ms < now_ms - RULES_FRESH_MS) continue; /* history: nobody is called for it */
        for (uint32_t at = s->first; at; at = e->links[at - 1].next)
            judge(e, e->links[at - 1].watch, p->at_ms, p->value, now_ms);
    }
    strange |= e->made > e->applied;
    pthread_mutex_unlock(&e->lock);
    return strange;
}

/* Does another event of the same level report name the rule's code as holding? */
static bool is_named(const struct rules_event *events, size_t n, const struct rules_event *like, struct str code) {
    for (size_t i = 0; i < n; i++)
        if (events[i].is_level && events[i].is_set && str_eq(events[i].code, code) &&
            str_eq(events[i].device, like->device) && str_eq(events[i].part, like->part))
            return true;
    return false;
}

/* What event i means for a rule of its device. */
static enum verdict event_verdict(const struct watched *w, const struct rules_event *events, size_t n, size_t i) {
    const struct rules_event *ev = &events[i];
    if (w->terms.kind != RULE_EVENT) return VERDICT_NOTHING;
    if (str_eq(w->rule->event_code, ev->code))
        return !ev->is_set ? VERDICT_CLEAR : ev->is_kept ? VERDICT_NOTHING : VERDICT_RAISE;
    return ev->is_level && !is_named(events, n, ev, w->rule->event_code) ? VERDICT_CLEAR : VERDICT_NOTHING;
}

/* Counts the verdicts that the events lead to; queues them unless `dry`. */
static size_t judge_events(struct rules_engine *e, int64_t community_id, const struct rules_event *events, size_t n,
                           bool dry) {
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        const struct known_device *d = book_device(e->book, community_id, events[i].device);
        bool is_presence = d && !events[i].part.len && str_is(events[i].code, RULES_OFFLINE);
        made += is_presence;
        if (is_presence && !dry)
            *next_row(e) = (struct verdict_row){
                .device_id = d->id, .at_ms = events[i].at_ms, .raise = events[i].is_set, .silence = true};
        for (uint32_t at = d ? d->first : 0; at; at = e->book->watches[at - 1].next) {
            enum verdict v = event_verdict(&e->book->watches[at - 1], events, n, i);
            made += v != VERDICT_NOTHING;
            if (v == VERDICT_NOTHING || dry) continue;
            struct verdict_row *row = enqueue(e, &e->book->watches[at - 1], v == VERDICT_RAISE, events[i].at_ms);
            utf8_copy(row->text, sizeof row->text, events[i].text);
            utf8_copy(row->part, sizeof row->part, events[i].part);
        }
    }
    return made;
}

enum err rules_events(struct rules_engine *e, int64_t community_id, const struct rules_event *events, size_t n) {
    pthread_mutex_lock(&e->lock);
    bool fits = e->made - e->applied + judge_events(e, community_id, events, n, true) <= RULES_QUEUE_MAX;
    if (fits) (void)judge_events(e, community_id, events, n, false);
    pthread_mutex_unlock(&e->lock);
    return fits ? OK : ERR_BUSY;
}

bool rules_knows(struct rules_engine *e, int64_t community_id, struct str device) {
    pthread_mutex_lock(&e->lock);
    bool known = book_device(e->book, community_id, device) != NULL;
    pthread_mutex_unlock(&e->lock);
    return known;
}

int64_t rules_line_of(struct rules_engine *e, int64_t community_id, struct str device) {
    pthread_mutex_lock(&e->lock);
    const struct known_device *d = book_device(e->book, community_id, device);
    int64_t line_id = d ? d->line_id : 0;
    pthread_mutex_unlock(&e->lock);
    return line_id;
}

void rules_tick(struct rules_engine *e, int64_t now_ms) {
    uint32_t i;
    pthread_mutex_lock(&e->lock);
    while (e->book && due_take(e->book, now_ms, &i)) {
        struct watched *w = &e->book->watches[i];
        note_change(e, i);
        engine_conclude(e, w, rule_tick(&w->terms, &w->state, now_ms), now_ms);
        due_arm(e->book, i, now_ms + 1); /* where no verdict found room, with the next tick */
    }
    pthread_mutex_unlock(&e->lock);
}

size_t rules_waiting(struct rules_engine *e) {
    pthread_mutex_lock(&e->lock);
    size_t n = (size_t)(e->made - e->applied);
    pthread_mutex_unlock(&e->lock);
    return n;
}

uint64_t rules_made(struct rules_engine *e) {
    pthread_mutex_lock(&e->lock);
    uint64_t n = e->made;
    pthread_mutex_unlock(&e->lock);
    return n;
}

uint64_t rules_applied(struct rules_engine *e) {
    pthread_mutex_lock(&e->lock);
    uint64_t n = e->applied;
    pthread_mutex_unlock(&e->lock);
    return n;
}

/* ---- applying ---- */

static bool peek(struct rules_engine *e, struct ctx *ctx, struct verdict_row *ret, struct rule *ret_rule) {
    pthread_mutex_lock(&e->lock);
    bool some = e->made > e->applied;
    *ret_rule = (struct rule){0};
    if (some) *ret = e->queue[e->applied % RULES_QUEUE_MAX];
    const struct rule *r = some ? book_rule(e->book, ret->rule_id) : NULL;
    if (r) {
        ret_rule->row.id = r->row.id;
        (void)!(arena_str(ctx->arena, r->message, &ret_rule->message) &&
                arena_str(ctx->arena, r->severity, &ret_rule->severity) &&
                arena_str(ctx->arena, r->metric, &ret_rule->metric) &&
                arena_str(ctx->arena, r->case_type, &ret_rule->case_type));
    }
    pthread_mutex_unlock(&e->lock);
    return some;
}

static void pop(struct rules_engine *e) {
    pthread_mutex_lock(&e->lock);
    e->applied++;
    pthread_mutex_unlock(&e->lock);
}

/* The row itself says no, and would again: a device or a rule that is gone. */
static bool is_refusal(enum err e) {
    return e == ERR_NOT_FOUND || e == ERR_INVALID || e == ERR_DENIED || e == ERR_CONFLICT;
}

enum err rules_apply(struct rules_engine *e, struct ctx *ctx, size_t most, size_t *ret_done) {
    struct verdict_row v;
    struct rule r;
    *ret_done = 0;
    while (*ret_done < most && peek(e, ctx, &v, &r)) {
        int64_t id;
        enum err err = OK;
        if (r.row.id && v.raise)
            err = alarm_raise(ctx,
                              &(struct alarm_raise){.rule_id = v.rule_id,
                                                    .device_id = v.device_id,
                                                    .at_ms = v.at_ms,
                                                    .title = r.message,
                                                    .severity = r.severity,
                                                    .metric = r.metric,
                                                    .value = str_of(v.value),
                                                    .detail = str_of(v.text),
                                                    .part = str_of(v.part),
                                                    .case_type = r.case_type},
                              &id);
        else if (r.row.id)
            err = alarm_clear(ctx, v.rule_id, v.device_id, str_of(v.part), v.at_ms);
        if (!err && v.silence && (r.row.id || !v.rule_id))
            err = device_step(ctx, v.device_id, v.raise ? "lose" : "hear");
        if (err && !is_refusal(err)) return err; /* kept: whoever waits for it is not told that it is there */
        pop(e);
        if (err) ctx->fault = (struct fault){0};
        (*ret_done)++;
    }
    return OK;
}
