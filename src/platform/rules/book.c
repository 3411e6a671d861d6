/* Everything that rules need of the store, read at one time.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "platform/rules/rules_internal.h"
#include "platform/things/things.h"

#include <stdlib.h>
#include <string.h>

#define RULES_MAX   20000
#define DEVICES_MAX 200000
#define WATCHES_MAX 1000000
#define BOOK_BYTES  ((size_t)256 << 20)
#define PRIVATE_MAX 1000

void book_free(struct book *b) {
    if (!b) return;
    arena_finish(&b->arena);
    free(b->watches);
    free(b->due);
    free(b);
}

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

struct known_device *book_device(const struct book *b, int64_t community_id, struct str code) {
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

/* Metrics of models whose readings not everybody may see. */
struct private_metric {
    struct str model, metric;
};
struct private_metrics {
    struct private_metric *list;
    size_t n;
};

static enum err read_private(struct ctx *ctx, struct book *b, struct private_metrics *ret) {
    struct db_rows rows = {0};
    ret->list = arena_new(&b->arena, struct private_metric, PRIVATE_MAX);
    if (!ret->list) return FAIL_MEMORY(ctx);
    enum err e =
        db_query(ctx->db, &ctx->fault,
                 "SELECT d.code, m.metric FROM device_models_metrics m JOIN device_models d ON d.id = m.row_id "
                 "WHERE m.privacy IS NOT NULL AND m.privacy <> '' ORDER BY d.id, m.pos LIMIT $1",
                 VALS(V_I64(PRIVATE_MAX + 1)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        struct private_metric *one = &ret->list[ret->n];
        if (ret->n++ == PRIVATE_MAX)
            e = FAIL(&ctx->fault, ERR_LIMIT, "too_many", "more than %d private metrics", PRIVATE_MAX);
        else if (!arena_str(&b->arena, db_text(&rows, 0), &one->model) ||
                 !arena_str(&b->arena, db_text(&rows, 1), &one->metric))
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    return e;
}

static bool is_private(const struct private_metrics *p, struct str model, struct str metric) {
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->list[i].model, model) && str_eq(p->list[i].metric, metric)) return true;
    return false;
}

static bool add_watch(struct book *b, size_t *cap, const struct rule *r, size_t device) {
    if (b->watches_n == *cap) {
        size_t more = *cap ? *cap * 2 : 256;
        struct watched *grown = realloc(b->watches, more * sizeof *grown);
        if (!grown) return false;
        b->watches = grown;
        *cap = more;
    }
    b->watches[b->watches_n++] =
        (struct watched){.rule = r, .terms = terms_of(r), .device = (uint32_t)device, .next = b->devices[device].first};
    b->devices[device].first = (uint32_t)b->watches_n;
    return true;
}

static enum err book_watches(struct ctx *ctx, struct book *b) {
    const struct rule **sorted = arena_new(&b->arena, const struct rule *, b->rules_n + 1);
    size_t n = 0, cap = 0;
    struct private_metrics private = {0};
    if (!sorted) return FAIL_MEMORY(ctx);
    TRY(read_private(ctx, b, &private));
    for (size_t i = 0; i < b->rules_n; i++)
        if (b->rules[i].enabled) sorted[n++] = &b->rules[i];
    qsort(sorted, n, sizeof *sorted, compare_rules);
    for (size_t d = 0; d < b->devices_n; d++) {
        const struct known_device *dev = &b->devices[d];
        const struct aim aims[] = {{dev->community_id, 0, {NULL, 0}},
                                   {dev->community_id, 0, dev->model},
                                   {dev->community_id, dev->id, {NULL, 0}}};
        for (size_t k = 0; k < COUNT(aims); k++) {
            if (k == 1 && !dev->model.len) continue;
            for (size_t i = first_rule(sorted, n, &aims[k]); i < n; i++) {
                struct aim at = aim_of(sorted[i]);
                if (compare_aims(&at, &aims[k])) break;
                if (b->watches_n == WATCHES_MAX)
                    return FAIL(&ctx->fault, ERR_LIMIT, "too_many", "more than %d rules on devices", WATCHES_MAX);
                if (!add_watch(b, &cap, sorted[i], d)) return FAIL_MEMORY(ctx);
                b->watches[b->watches_n - 1].is_private =
                    private.n && is_private(&private, dev->model, sorted[i]->metric);
            }
        }
    }
    b->due = malloc((b->watches_n + 1) * sizeof *b->due);
    return b->due ? OK : FAIL_MEMORY(ctx);
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

enum err book_alarms(struct ctx *ctx, struct book *b) {
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

void book_carry(const struct book *from, struct book *to) {
    for (size_t i = 0; from && i < to->watches_n; i++) {
        const struct known_device *d = &to->devices[to->watches[i].device];
        const struct known_device *was = book_device(from, d->community_id, d->code);
        for (uint32_t w = was ? was->first : 0; w; w = from->watches[w - 1].next)
            if (from->watches[w - 1].rule->row.id == to->watches[i].rule->row.id) {
                to->watches[i].state = from->watches[w - 1].state;
                to->watches[i].carried = true;
            }
    }
}

enum err book_read(struct ctx *ctx, struct book **ret) {
    struct book *b = calloc(1, sizeof *b);
    void *rows = NULL;
    if (!b) return FAIL_MEMORY(ctx);
    arena_init(&b->arena, BOOK_BYTES);
    enum err e = page_all(ctx, &rules, RULES_MAX, b, &rows, &b->rules_n);
    b->rules = rows;
    if (!e) e = book_devices(ctx, b);
    if (!e) e = book_watches(ctx, b);
    if (e)
        book_free(b);
    else
        *ret = b;
    return e;
}
