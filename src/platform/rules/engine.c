/* Rules at work: an index from (device, metric) to the rules that watch it.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/rules/alarms.h"
#include "platform/rules/eval.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

#include "base/utf8.h"
#include "kernel/rows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX   10000
#define DEVICES_MAX 200000
#define WATCHES_MAX 1000000
#define BOOK_BYTES  ((size_t)256 << 20)

struct watched { /* one rule on one device */
    const struct rule *rule;
    struct rule_terms terms;
    struct rule_state state;
    uint32_t device; /* index */
    uint32_t next;   /* next of the same device, index + 1 */
    bool carried;    /* its state goes on from the book before */
};
struct known_device {
    int64_t id, community_id;
    struct str code, model;
    uint32_t first; /* of its watches, index + 1 */
};
/* Everything read from the store at one time; replaced whole. */
struct book {
    struct arena arena;
    struct rule *rules;
    struct known_device *devices;
    struct watched *watches;
    uint32_t *by_code;
    size_t rules_n, devices_n, watches_n, by_code_size;
};
struct verdict_row {
    int64_t rule_id, device_id, at_ms;
    bool raise, silence;
    char value[32], text[200], part[ALARM_PART_MAX + 1];
};
struct rules_engine {
    pthread_mutex_t lock;
    struct book *book;
    _Atomic int64_t generation;
    struct verdict_row *queue; /* a ring */
    uint64_t made, applied;    /* verdicts, ever */
};

struct rules_engine *rules_create(void) {
    struct rules_engine *e = calloc(1, sizeof *e);
    struct verdict_row *queue = calloc(RULES_QUEUE_MAX, sizeof *queue); /* touched only as it fills */
    if (!e || !queue) {
        free(e);
        free(queue);
        return NULL;
    }
    e->queue = queue;
    pthread_mutex_init(&e->lock, NULL);
    return e;
}

static void book_free(struct book *b) {
    if (!b) return;
    arena_finish(&b->arena);
    free(b);
}

void rules_destroy(struct rules_engine *e) {
    if (!e) return;
    book_free(e->book);
    pthread_mutex_destroy(&e->lock);
    free(e->queue);
    free(e);
}

/* ---- reading the store ---- */

static enum err page_all(struct ctx *ctx, const struct resource *r, size_t most, struct book *b, void **ret,
                         size_t *ret_n) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = LIST_LIMIT_MAX};
    char *all = arena_alloc(&b->arena, most + 1, r->size, _Alignof(max_align_t));
    size_t n = 0;
    if (!all) return FAIL_MEMORY(ctx);
    struct arena *kept = ctx->arena;
    ctx->arena = &b->arena; /* its texts live as long as the book */
    enum err e = OK;
    for (struct list_page page = {.next = S("")}; !e && page.next.ptr;) {
        q.cursor = page.next.len ? page.next : (struct str){NULL, 0};
        e = row_list(ctx, r, &q, &page);
        if (e) break;
        if (n + page.n > most) {
            e = FAIL(&ctx->fault, ERR_LIMIT, "too_many", "more than %zu %s", most, r->name);
            break;
        }
        if (page.n) memcpy(all + n * r->size, page.rows, page.n * r->size);
        n += page.n;
    }
    ctx->arena = kept;
    *ret = all;
    *ret_n = n;
    return e;
}

static uint64_t code_hash(int64_t community_id, struct str code) {
    return str_hash(code) ^ (uint64_t)community_id * UINT64_C(0x9e3779b97f4a7c15);
}

static struct known_device *device_of(const struct book *b, int64_t community_id, struct str code) {
    if (!b || !b->by_code_size) return NULL;
    for (size_t at = code_hash(community_id, code) % b->by_code_size;; at = (at + 1) % b->by_code_size) {
        if (!b->by_code[at]) return NULL;
        struct known_device *d = &b->devices[b->by_code[at] - 1];
        if (d->community_id == community_id && str_eq(d->code, code)) return d;
    }
}

static struct rule_terms terms_of(const struct rule *r) {
    struct rule_terms t = {.kind = str_is(r->kind, "above")     ? RULE_ABOVE
                                   : str_is(r->kind, "below")   ? RULE_BELOW
                                   : str_is(r->kind, "silence") ? RULE_SILENCE
                                                                : RULE_EVENT,
                           .limit = (double)r->limit_value / 1000,
                           .for_ms = r->for_s * 1000};
    t.clear_at = row_has(&rules, r, "clear_value") ? (double)r->clear_value / 1000 : t.limit;
    return t;
}

static bool applies(const struct rule *r, const struct known_device *d) {
    if (!r->enabled || r->row.community_id != d->community_id) return false;
    if (row_has(&rules, r, "device_id")) return r->device_id == d->id;
    return row_has(&rules, r, "model") ? str_eq(r->model, d->model) : true;
}

/* Adopted and not retired; the others have no rules. */
static enum err read_devices(struct ctx *ctx, struct book *b) {
    struct db_rows rows = {0};
    size_t cap = 0;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT id, community_id, code, model FROM devices WHERE archived_ms = 0 AND state NOT IN "
                          "('new', 'retired') ORDER BY id LIMIT $1",
                          VALS(V_I64(DEVICES_MAX + 1)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        if (b->devices_n == cap) {
            cap = cap ? cap * 2 : 256;
            struct known_device *grown = arena_new(&b->arena, struct known_device, cap);
            if (!grown) {
                e = FAIL_MEMORY(ctx);
                break;
            }
            if (b->devices_n) memcpy(grown, b->devices, b->devices_n * sizeof *grown);
            b->devices = grown;
        }
        struct known_device *d = &b->devices[b->devices_n++];
        *d = (struct known_device){.id = db_i64(&rows, 0), .community_id = db_i64(&rows, 1)};
        if (!arena_str(&b->arena, db_text(&rows, 2), &d->code) || !arena_str(&b->arena, db_text(&rows, 3), &d->model))
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    if (!e && b->devices_n > DEVICES_MAX)
        e = FAIL(&ctx->fault, ERR_LIMIT, "too_many", "more than %d devices", DEVICES_MAX);
    return e;
}

static enum err book_devices(struct ctx *ctx, struct book *b) {
    TRY(read_devices(ctx, b));
    b->by_code_size = b->devices_n * 2 + 1;
    b->by_code = arena_new(&b->arena, uint32_t, b->by_code_size);
    if (!b->by_code) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < b->devices_n; i++) {
        size_t at = code_hash(b->devices[i].community_id, b->devices[i].code) % b->by_code_size;
        while (b->by_code[at]) at = (at + 1) % b->by_code_size;
        b->by_code[at] = (uint32_t)(i + 1);
    }
    return OK;
}

static enum err book_watches(struct ctx *ctx, struct book *b) {
    size_t n = 0;
    for (size_t d = 0; d < b->devices_n; d++)
        for (size_t r = 0; r < b->rules_n; r++) n += applies(&b->rules[r], &b->devices[d]);
    if (n > WATCHES_MAX) return FAIL(&ctx->fault, ERR_LIMIT, "too_many", "more than %d rules on devices", WATCHES_MAX);
    b->watches = arena_new(&b->arena, struct watched, n + 1);
    if (!b->watches) return FAIL_MEMORY(ctx);
    for (size_t d = 0; d < b->devices_n; d++)
        for (size_t r = 0; r < b->rules_n; r++) {
            if (!applies(&b->rules[r], &b->devices[d])) continue;
            b->watches[b->watches_n++] = (struct watched){.rule = &b->rules[r],
                                                          .terms = terms_of(&b->rules[r]),
                                                          .device = (uint32_t)d,
                                                          .next = b->devices[d].first};
            b->devices[d].first = (uint32_t)b->watches_n;
        }
    return OK;
}

static int compare_ids(const void *key, const void *device) {
    int64_t id = *(const int64_t *)key, other = ((const struct known_device *)device)->id;
    return (id > other) - (id < other);
}

static struct watched *watch_of(const struct book *b, int64_t rule_id, int64_t device_id) {
    const struct known_device *d = /* they were read in order of their ids */
        bsearch(&device_id, b->devices, b->devices_n, sizeof *b->devices, compare_ids);
    for (uint32_t w = d ? d->first : 0; w; w = b->watches[w - 1].next)
        if (b->watches[w - 1].rule->row.id == rule_id) return &b->watches[w - 1];
    return NULL;
}

/* Alarms that are open count as firing where nothing newer is known: the end of one may still wait in the queue. */
static enum err book_alarms(struct ctx *ctx, struct book *b) {
    struct db_rows rows = {0};
    enum err e = db_query(
        ctx->db, &ctx->fault,
        "SELECT rule_id, device_id, since_ms FROM alarms WHERE state IN ('active', 'acknowledged') AND archived_ms = 0 "
        "ORDER BY id LIMIT 100000",
        NO_VALS, &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        struct watched *w = watch_of(b, db_i64(&rows, 0), db_i64(&rows, 1));
        if (!w || w->carried || w->terms.kind == RULE_EVENT) continue;
        w->state.firing = true;
        w->state.since_ms = db_i64(&rows, 2);
        if (!w->state.last_ms) w->state.last_ms = db_i64(&rows, 2);
    }
    db_done(&rows);
    return e;
}

/* What was known goes on.  A threshold or a silence that somebody ended by hand while it lasts stays firing: the same
 * cause raises nothing again until it was over.  Events have no state here: what is open the alarms say, by part. */
static void carry_states(const struct book *from, struct book *to) {
    for (size_t i = 0; from && i < to->watches_n; i++) {
        const struct known_device *d = &to->devices[to->watches[i].device];
        const struct known_device *was = device_of(from, d->community_id, d->code);
        for (uint32_t w = was ? was->first : 0; w; w = from->watches[w - 1].next)
            if (from->watches[w - 1].rule->row.id == to->watches[i].rule->row.id) {
                to->watches[i].state = from->watches[w - 1].state;
                to->watches[i].carried = true;
            }
    }
}

enum err rules_load(struct rules_engine *e, struct ctx *ctx) {
    struct book *b = calloc(1, sizeof *b);
    int64_t now = rules_generation();
    void *rows = NULL;
    if (!b) return FAIL_MEMORY(ctx);
    arena_init(&b->arena, BOOK_BYTES);
    enum err err = page_all(ctx, &rules, RULES_MAX, b, &rows, &b->rules_n);
    b->rules = rows;
    if (!err) err = book_devices(ctx, b);
    if (!err) err = book_watches(ctx, b);
    pthread_mutex_lock(&e->lock);
    if (!err) carry_states(e->book, b);
    if (!err) err = book_alarms(ctx, b);
    if (!err) {
        struct book *old = e->book;
        e->book = b;
        atomic_store(&e->generation, now);
        b = old;
    }
    pthread_mutex_unlock(&e->lock);
    book_free(b);
    return err;
}

void rules_each_device(struct rules_engine *e, void (*fn)(void *arg, int64_t community_id, struct str code),
                       void *arg) {
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; e->book && i < e->book->devices_n; i++)
        fn(arg, e->book->devices[i].community_id, e->book->devices[i].code);
    pthread_mutex_unlock(&e->lock);
}

bool rules_is_stale(const struct rules_engine *e) {
    return atomic_load(&e->generation) != rules_generation();
}

/* ---- judging ---- */

static struct verdict_row *enqueue(struct rules_engine *e, const struct watched *w, bool raise, int64_t at_ms) {
    struct verdict_row *row = &e->queue[e->made++ % RULES_QUEUE_MAX];
    *row = (struct verdict_row){.rule_id = w->rule->row.id,
                                .device_id = e->book->devices[w->device].id,
                                .at_ms = at_ms,
                                .raise = raise,
                                .silence = w->terms.kind == RULE_SILENCE};
    return row;
}

/* A verdict that finds no room is taken back, so that the next reading or tick comes to it again. */
static void conclude(struct rules_engine *e, struct watched *w, enum verdict v, int64_t at_ms) {
    if (v == VERDICT_NOTHING) return;
    if (e->made - e->applied == RULES_QUEUE_MAX) {
        w->state.firing = v == VERDICT_CLEAR;
        return;
    }
    struct verdict_row *row = enqueue(e, w, v == VERDICT_RAISE, at_ms);
    if (w->terms.kind != RULE_SILENCE) snprintf(row->value, sizeof row->value, "%.6g", w->state.last_value);
}

static bool watches_metric(const struct watched *w, struct str metric) {
    if (w->terms.kind == RULE_EVENT) return false;
    return (w->terms.kind == RULE_SILENCE && !row_has(&rules, w->rule, "metric")) || str_eq(w->rule->metric, metric);
}

static void judge(struct rules_engine *e, struct watched *w, int64_t at_ms, double value) {
    conclude(e, w, rule_reading(&w->terms, &w->state, at_ms, value), at_ms);
}

bool rules_reading(struct rules_engine *e, int64_t community_id, struct str device, struct str metric, int64_t at_ms,
                   double value) {
    pthread_mutex_lock(&e->lock);
    struct known_device *d = device_of(e->book, community_id, device);
    for (uint32_t i = d ? d->first : 0; i; i = e->book->watches[i - 1].next)
        if (watches_metric(&e->book->watches[i - 1], metric)) judge(e, &e->book->watches[i - 1], at_ms, value);
    pthread_mutex_unlock(&e->lock);
    return d != NULL;
}

void rules_seed(struct rules_engine *e, const struct rules_sample *newest, int64_t now_ms) {
    pthread_mutex_lock(&e->lock);
    struct known_device *d = device_of(e->book, newest->community_id, newest->device);
    for (uint32_t i = d ? d->first : 0; i; i = e->book->watches[i - 1].next) {
        struct watched *w = &e->book->watches[i - 1];
        if (!watches_metric(w, newest->metric)) continue;
        if (w->terms.kind == RULE_SILENCE && !w->state.last_ms) w->state.last_ms = now_ms;
        if (w->terms.kind != RULE_SILENCE && newest->at_ms >= now_ms - RULES_FRESH_MS)
            judge(e, w, newest->at_ms, newest->value);
    }
    pthread_mutex_unlock(&e->lock);
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
    if (str_eq(w->rule->event_code, ev->code)) return ev->is_set ? VERDICT_RAISE : VERDICT_CLEAR;
    return ev->is_level && !is_named(events, n, ev, w->rule->event_code) ? VERDICT_CLEAR : VERDICT_NOTHING;
}

/* Counts the verdicts that the events lead to; queues them unless `dry`. */
static size_t judge_events(struct rules_engine *e, int64_t community_id, const struct rules_event *events, size_t n,
                           bool dry) {
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        const struct known_device *d = device_of(e->book, community_id, events[i].device);
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
    bool known = device_of(e->book, community_id, device) != NULL;
    pthread_mutex_unlock(&e->lock);
    return known;
}

void rules_tick(struct rules_engine *e, int64_t now_ms) {
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; e->book && i < e->book->watches_n; i++) {
        struct watched *w = &e->book->watches[i];
        conclude(e, w, rule_tick(&w->terms, &w->state, now_ms), now_ms);
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
    for (size_t i = 0; some && i < e->book->rules_n; i++) {
        const struct rule *r = &e->book->rules[i];
        if (r->row.id != ret->rule_id) continue;
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
            err = alarm_clear(ctx, v.rule_id, v.device_id, str_of(v.part));
        if (!err && r.row.id && v.silence) err = device_step(ctx, v.device_id, v.raise ? "lose" : "hear");
        if (err && !is_refusal(err)) return err; /* kept: whoever waits for it is not told that it is there */
        pop(e);
        if (err) ctx->fault = (struct fault){0};
        (*ret_done)++;
    }
    return OK;
}
