/* Everything that rules need of the store, read at one time.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BOOK_BYTES     ((size_t)256 << 20)
#define LEFT_OUT_BYTES 240
#define LATELY_MS      (2 * RULES_FRESH_MS)

const struct rules_limits rules_usual = {
    .rules = RULES_MAX, .devices = 200000, .watches = RULES_WATCHES_MAX, .privates = 100000, .alarms = 1000000};

void book_free(struct book *b) {
    if (!b) return;
    arena_finish(&b->arena);
    free(b->watches);
    free(b->due);
    free(b);
}

/* Behind what was said of another limit. */
static struct buf *leave_out(struct book *b) {
    if (b->left_out.len) buf_cstr(&b->left_out, "; ");
    return &b->left_out;
}

/* ---- rules ---- */

static enum err read_rules(struct ctx *ctx, size_t most, struct book *b) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = LIST_LIMIT_MAX};
    size_t cap = 0;
    for (struct list_page page = {.next = S("")}; page.next.ptr;) {
        q.cursor = page.next.len ? page.next : (struct str){NULL, 0};
        TRY(row_list(ctx, &rules, &q, &page));
        const struct rule *rows = page.rows;
        for (size_t i = 0; i < page.n; i++) {
            if (b->rules_n == most) {
                buf_fmt(leave_out(b), "more than %zu rules: those from id %" PRId64 " on are left out", most,
                        rows[i].row.id);
                return OK;
            }
            b->rules = arena_grow(&b->arena, b->rules, b->rules_n, &cap, sizeof *b->rules);
            if (!b->rules) return FAIL_MEMORY(ctx);
            b->rules[b->rules_n++] = rows[i];
        }
    }
    return OK;
}

static enum err book_rules(struct ctx *ctx, size_t most, struct book *b) {
    struct arena *kept = ctx->arena;
    ctx->arena = &b->arena; /* texts live as long as the book */
    enum err e = read_rules(ctx, most, b);
    ctx->arena = kept;
    return e;
}

static int compare_rule_id(const void *key, const void *rule) {
    int64_t id = *(const int64_t *)key, other = ((const struct rule *)rule)->row.id;
    return (id > other) - (id < other);
}

const struct rule *book_rule(const struct book *b, int64_t id) {
    return b && b->rules_n ? bsearch(&id, b->rules, b->rules_n, sizeof *b->rules, compare_rule_id) : NULL;
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

/* ---- devices ---- */

static uint64_t code_hash(int64_t community_id, struct str code) {
    return str_hash(code) ^ (uint64_t)community_id * UINT64_C(0x9e3779b97f4a7c15);
}

struct known_device *book_device(const struct book *b, int64_t community_id, struct str code) {
    if (!b || !b->by_code_size) return NULL;
    for (size_t at = code_hash(community_id, code) % b->by_code_size;; at = (at + 1) % b->by_code_size) {
        if (!b->by_code[at]) return NULL;
        struct known_device *d = &b->devices[b->by_code[at] - 1];
        if (d->community_id == community_id && str_eq(d->code, code)) return d;
    }
}

/* Adopted and not retired; the others have no rules. */
static enum err read_devices(struct ctx *ctx, size_t most, struct book *b) {
    struct db_rows rows = {0};
    size_t cap = 0;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT id, community_id, code, model, line_id, CASE WHEN EXISTS (SELECT 1 FROM device_keys "
                          "k WHERE k.device_id = devices.id) THEN 1 ELSE 0 END FROM devices WHERE archived_ms = 0 AND "
                          "state NOT IN ('new', 'retired') ORDER BY id LIMIT $1",
                          VALS(V_I64((int64_t)most + 1)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        if (b->devices_n == most) {
            buf_fmt(leave_out(b), "more than %zu devices: those from id %" PRId64 " on are left out", most,
                    db_i64(&rows, 0));
            break;
        }
        b->devices = arena_grow(&b->arena, b->devices, b->devices_n, &cap, sizeof *b->devices);
        if (!b->devices) {
            e = FAIL_MEMORY(ctx);
            break;
        }
        struct known_device *d = &b->devices[b->devices_n++];
        *d = (struct known_device){
            .id = db_i64(&rows, 0), .community_id = db_i64(&rows, 1), .line_id = db_i64(&rows, 4)};
        if (!d->line_id && db_i64(&rows, 5)) d->line_id = RULES_BY_KEY;
        if (!arena_str(&b->arena, db_text(&rows, 2), &d->code) || !arena_str(&b->arena, db_text(&rows, 3), &d->model))
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    return e;
}

static enum err book_devices(struct ctx *ctx, size_t most, struct book *b) {
    TRY(read_devices(ctx, most, b));
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

/* ---- who watches whom ---- */

/* Rules in order of whom they are for: a device, a model, every device of the community. */
struct aim {
    int64_t community_id, device_id; /* 0: not one device */
    struct str model;                /* absent: not one model */
};

static struct aim aim_of(const struct rule *r) {
    struct aim a = {.community_id = r->row.community_id};
    if (row_has(&rules, r, "device_id"))
        a.device_id = r->device_id;
    else if (row_has(&rules, r, "model"))
        a.model = r->model;
    return a;
}

static int compare_aims(const struct aim *a, const struct aim *b) {
    if (a->community_id != b->community_id) return a->community_id < b->community_id ? -1 : 1;
    if (a->device_id != b->device_id) return a->device_id < b->device_id ? -1 : 1;
    return str_cmp(a->model, b->model);
}

static int compare_rules(const void *a, const void *b) {
    struct aim x = aim_of(*(const struct rule *const *)a), y = aim_of(*(const struct rule *const *)b);
    return compare_aims(&x, &y);
}

static size_t first_rule(const struct rule *const *sorted, size_t n, const struct aim *aim) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct aim at = aim_of(sorted[middle]);
        if (compare_aims(&at, aim) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Metrics of models whose readings not everybody may see, sorted. */
struct private_metric {
    struct str model, metric;
};
struct private_metrics {
    struct private_metric *list;
    size_t n;
    bool all; /* there are too many to tell which */
};

static int compare_private(const void *a, const void *b) {
    const struct private_metric *x = a, *y = b;
    int by_model = str_cmp(x->model, y->model);
    return by_model ? by_model : str_cmp(x->metric, y->metric);
}

static enum err read_private(struct ctx *ctx, size_t most, struct book *b, struct private_metrics *ret) {
    struct db_rows rows = {0};
    size_t cap = 0;
    enum err e =
        db_query(ctx->db, &ctx->fault,
                 "SELECT d.code, m.metric FROM device_models_metrics m JOIN device_models d ON d.id = m.row_id "
                 "WHERE m.privacy IS NOT NULL AND m.privacy <> '' ORDER BY d.id, m.pos LIMIT $1",
                 VALS(V_I64((int64_t)most + 1)), &rows);
    while (!ret->all && db_more(&rows, &ctx->fault, &e)) {
        ret->all = ret->n == most;
        if (ret->all) break;
        ret->list = arena_grow(&b->arena, ret->list, ret->n, &cap, sizeof *ret->list);
        struct private_metric *one = ret->list ? &ret->list[ret->n++] : NULL;
        if (!one || !arena_str(&b->arena, db_text(&rows, 0), &one->model) ||
            !arena_str(&b->arena, db_text(&rows, 1), &one->metric))
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    if (ret->all) buf_fmt(leave_out(b), "more than %zu private metrics: no alarm tells its reading", most);
    if (!e && ret->n) qsort(ret->list, ret->n, sizeof *ret->list, compare_private);
    return e;
}

static bool is_private(const struct private_metrics *p, struct str model, struct str metric) {
    const struct private_metric key = {model, metric};
    return p->all || (p->n && bsearch(&key, p->list, p->n, sizeof key, compare_private));
}

struct watching {
    struct book *book;
    const struct rule **sorted;
    size_t n;
    size_t *shares; /* of each rule, by its place in the book: on how many devices it is, then: may still be */
    struct private_metrics private;
};

static void count_watch(struct watching *w, const struct rule *r, size_t device) {
    (void)device;
    w->shares[r - w->book->rules]++;
}

static void add_watch(struct watching *w, const struct rule *r, size_t device) {
    struct book *b = w->book;
    struct known_device *d = &b->devices[device];
    if (!w->shares[r - b->rules]) return;
    w->shares[r - b->rules]--;
    b->watches[b->watches_n++] = (struct watched){.rule = r,
                                                  .terms = terms_of(r),
                                                  .device = (uint32_t)device,
                                                  .next = d->first,
                                                  .is_private = is_private(&w->private, d->model, r->metric)};
    d->first = (uint32_t)b->watches_n;
}

static void each_of_device(struct watching *w, size_t device,
                           void (*fn)(struct watching *w, const struct rule *r, size_t device)) {
    const struct known_device *d = &w->book->devices[device];
    const struct aim aims[] = {
        {d->community_id, 0, {NULL, 0}}, {d->community_id, 0, d->model}, {d->community_id, d->id, {NULL, 0}}};
    for (size_t k = 0; k < COUNT(aims); k++) {
        if (k == 1 && !d->model.len) continue;
        for (size_t i = first_rule(w->sorted, w->n, &aims[k]); i < w->n; i++) {
            struct aim at = aim_of(w->sorted[i]);
            if (compare_aims(&at, &aims[k])) break;
            fn(w, w->sorted[i], device);
        }
    }
}

/* What fits, the oldest rules first, of one the oldest devices; gives how many watches there are. */
static size_t share_out(struct watching *w, size_t most) {
    size_t left = most, out = 0;
    int64_t first_id = 0;
    for (size_t i = 0; i < w->book->rules_n; i++) {
        size_t fit = w->shares[i] < left ? w->shares[i] : left;
        if (fit < w->shares[i] && !first_id) first_id = w->book->rules[i].row.id;
        out += w->shares[i] - fit;
        left -= fit;
        w->shares[i] = fit;
    }
    if (out)
        buf_fmt(leave_out(w->book), "more than %zu rules on devices: %zu are left out, from rule id %" PRId64 " on",
                most, out, first_id);
    return most - left;
}

static enum err book_watches(struct ctx *ctx, const struct rules_limits *limits, struct book *b) {
    struct watching w = {.book = b,
                         .sorted = arena_new(&b->arena, const struct rule *, b->rules_n + 1),
                         .shares = arena_new(&b->arena, size_t, b->rules_n + 1)};
    if (!w.sorted || !w.shares) return FAIL_MEMORY(ctx);
    TRY(read_private(ctx, limits->privates, b, &w.private));
    for (size_t i = 0; i < b->rules_n; i++)
        if (b->rules[i].enabled) w.sorted[w.n++] = &b->rules[i];
    qsort(w.sorted, w.n, sizeof *w.sorted, compare_rules);
    for (size_t d = 0; d < b->devices_n; d++) each_of_device(&w, d, count_watch);
    size_t n = share_out(&w, limits->watches);
    b->watches = malloc((n + 1) * sizeof *b->watches);
    b->due = malloc((n + 1) * sizeof *b->due);
    if (!b->watches || !b->due) return FAIL_MEMORY(ctx);
    for (size_t d = 0; d < b->devices_n; d++) each_of_device(&w, d, add_watch);
    return OK;
}

/* ---- what was there before ---- */

static int compare_ids(const void *key, const void *device) {
    int64_t id = *(const int64_t *)key, other = ((const struct known_device *)device)->id;
    return (id > other) - (id < other);
}

static struct watched *watch_of(const struct book *b, int64_t rule_id, int64_t device_id) {
    const struct known_device *d =
        b->devices_n ? bsearch(&device_id, b->devices, b->devices_n, sizeof *b->devices, compare_ids) : NULL;
    for (uint32_t w = d ? d->first : 0; w; w = b->watches[w - 1].next)
        if (b->watches[w - 1].rule->row.id == rule_id) return &b->watches[w - 1];
    return NULL;
}

enum err book_alarms(struct ctx *ctx, const struct rules_limits *limits, struct book *b) {
    struct db_rows rows = {0};
    size_t n = 0;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT a.rule_id, a.device_id, a.since_ms, a.calm_ms FROM alarms a JOIN rules r ON r.id = "
                          "a.rule_id WHERE (a.calm_ms IS NULL OR a.calm_ms >= $1) AND a.archived_ms = 0 AND r.kind <> "
                          "'event' ORDER BY a.id LIMIT $2",
                          VALS(V_I64(ctx->now_ms - LATELY_MS), V_I64((int64_t)limits->alarms + 1)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        struct watched *w = watch_of(b, db_i64(&rows, 0), db_i64(&rows, 1));
        if (n++ == limits->alarms) {
            buf_fmt(leave_out(b), "more than %zu alarms that last: others may come twice", limits->alarms);
            break;
        }
        if (!w || w->was || w->terms.kind == RULE_EVENT) continue;
        bool lasts = db_col(&rows, 3).type == DB_NULL;
        if (lasts) {
            w->state.firing = true;
            w->state.since_ms = w->state.last_ms = db_i64(&rows, 2);
        } else if (w->over_ms < db_i64(&rows, 3)) {
            w->over_ms = db_i64(&rows, 3);
        }
    }
    db_done(&rows);
    return e;
}

void book_match(struct book *from, struct book *to) {
    for (size_t i = 0; from && i < to->watches_n; i++) {
        struct watched *w = &to->watches[i], *was = watch_of(from, w->rule->row.id, to->devices[w->device].id);
        if (!was || was->terms.kind != w->terms.kind || !str_eq(was->rule->metric, w->rule->metric)) continue;
        w->was = (uint32_t)(was - from->watches) + 1;
        was->goes = (uint32_t)i + 1;
    }
}

enum err book_read(struct ctx *ctx, const struct rules_limits *limits, struct book **ret) {
    struct book *b = calloc(1, sizeof *b);
    if (!b) return FAIL_MEMORY(ctx);
    arena_init(&b->arena, BOOK_BYTES);
    buf_init_arena(&b->left_out, &b->arena, LEFT_OUT_BYTES);
    enum err e = book_rules(ctx, limits->rules, b);
    if (!e) e = book_devices(ctx, limits->devices, b);
    if (!e) e = book_watches(ctx, limits, b);
    if (e)
        book_free(b);
    else
        *ret = b;
    return e;
}
