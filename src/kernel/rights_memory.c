/* What rights ask the store for row by row, remembered for one unit of work, and asked for a page of rows at one go.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

#include <stdlib.h>
#include <string.h>

/* Is `place` under `above`, and where do people belong?  Answers of one unit of work are remembered, and those for the
 * rows of a page asked for together. */
#define UNDER_SLOTS 256 /* at first; a power of two */
struct under {
    int64_t above, place; /* above 0: a free slot */
    bool is_under;
};
struct rights_cache {
    struct under *slots;
    size_t slots_n, used;
    const struct known *member_of; /* whose rows `expected` are; NULL: none */
    int64_t *expected;
    struct belonging *belongings;
    size_t expected_n, belongings_n;
};

static struct rights_cache *cache_of(struct ctx *ctx) {
    if (!ctx->rights_cache) ctx->rights_cache = arena_new(ctx->arena, struct rights_cache, 1);
    return ctx->rights_cache;
}

static struct under *slot_of(struct under *slots, size_t n, int64_t above, int64_t place) {
    size_t at = (size_t)(((uint64_t)above * 31 + (uint64_t)place) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    for (;; at++) {
        struct under *u = &slots[at & (n - 1)];
        if (!u->above || (u->above == above && u->place == place)) return u;
    }
}

static bool cache_grow(struct ctx *ctx, struct rights_cache *c) {
    size_t n = c->slots_n ? c->slots_n * 2 : UNDER_SLOTS;
    struct under *slots = arena_new(ctx->arena, struct under, n);
    if (!slots) return false;
    for (size_t i = 0; i < c->slots_n; i++)
        if (c->slots[i].above) *slot_of(slots, n, c->slots[i].above, c->slots[i].place) = c->slots[i];
    c->slots = slots;
    c->slots_n = n;
    return true;
}

static void remember(struct ctx *ctx, int64_t above, int64_t place, bool is_under) {
    struct rights_cache *c = cache_of(ctx);
    if (!c || (c->used * 2 >= c->slots_n && !cache_grow(ctx, c))) return; /* asked again, then */
    struct under *u = slot_of(c->slots, c->slots_n, above, place);
    c->used += !u->above;
    *u = (struct under){above, place, is_under};
}

static const struct under *recall(const struct ctx *ctx, int64_t above, int64_t place) {
    const struct rights_cache *c = ctx->rights_cache;
    const struct under *u = c && c->slots_n ? slot_of(c->slots, c->slots_n, above, place) : NULL;
    return u && u->above ? u : NULL;
}

bool rights_under(struct ctx *ctx, int64_t above, int64_t place) {
    if (above == place) return true;
    const struct under *known = recall(ctx, above, place);
    if (known) return known->is_under;
    int64_t one = 0;
    bool found = false;
    struct fault f = {0};
    enum err e = db_one_i64(ctx->db, &f, "SELECT 1 FROM place_closure WHERE ancestor = $1 AND descendant = $2 LIMIT 1",
                            VALS(V_I64(above), V_I64(place)), &one, &found);
    if (e) return false; /* a store that does not answer grants nothing */
    remember(ctx, above, place, found);
    return found;
}

/* Asks the store for all of these places at once. */
static void expect_places(struct ctx *ctx, int64_t above, const int64_t *places, size_t n) {
    struct sql q;
    struct db_rows rows = {0};
    struct fault kept = ctx->fault;
    sql_init(&q, ctx->arena);
    sql_add(&q, "SELECT descendant FROM place_closure WHERE ancestor = ");
    sql_i64(&q, above);
    sql_add(&q, " AND descendant IN ");
    sql_list(&q, places, n);
    enum err e = sql_query(ctx, &q, &rows);
    while (db_more(&rows, &ctx->fault, &e)) remember(ctx, above, db_i64(&rows, 0), true);
    db_done(&rows);
    for (size_t i = 0; !e && i < n; i++)
        if (!recall(ctx, above, places[i])) remember(ctx, above, places[i], false);
    ctx->fault = kept;
}

static void expect_under_scopes(struct ctx *ctx, const struct known *kn, int64_t *places, size_t n) {
    n = ids_unique(places, n);
    if (n < 2) return;
    for (size_t i = 0; i < ctx->actor.scopes_n; i++) {
        const struct scope *s = &ctx->actor.scopes[i];
        if (s->place_id && (!s->communities_n || rights_by_place_only(kn))) expect_places(ctx, s->place_id, places, n);
    }
}

/* People and their like: reads where all of them belong. */
static void expect_members(struct ctx *ctx, const struct known *kn, int64_t *ids, size_t n) {
    struct rights_cache *c = cache_of(ctx);
    struct belonging *all = NULL;
    int64_t *places = NULL;
    struct sql q;
    struct db_rows rows = {0};
    struct fault kept = ctx->fault;
    size_t count = 0, cap = 0;
    n = ids_unique(ids, n);
    sql_init(&q, ctx->arena);
    sql_fmt(&q, "SELECT m.%s, m.community_id, m.place_id FROM %s m WHERE ", kn->member_column, kn->member_table);
    rights_put_in_force(ctx, &q);
    sql_fmt(&q, " AND m.%s IN ", kn->member_column);
    sql_list(&q, ids, n);
    enum err e = c ? sql_query(ctx, &q, &rows) : ERR_LIMIT;
    while (db_more(&rows, &ctx->fault, &e)) {
        all = arena_grow(ctx->arena, all, count, &cap, sizeof *all);
        if (all)
            all[count++] = (struct belonging){db_i64(&rows, 0), db_i64(&rows, 1), db_i64(&rows, 2)};
        else
            e = ERR_LIMIT;
    }
    db_done(&rows);
    if (!e) places = arena_new(ctx->arena, int64_t, count + 1);
    ctx->fault = kept;
    if (!places) return;
    for (size_t i = 0; i < count; i++) places[i] = all[i].place_id;
    expect_under_scopes(ctx, kn, places, count);
    c->member_of = kn;
    c->expected = ids;
    c->expected_n = n;
    c->belongings = all;
    c->belongings_n = count;
}

size_t rights_belongings(struct ctx *ctx, const struct known *kn, int64_t id, const struct belonging **ret) {
    struct rights_cache *c = cache_of(ctx);
    bool known = c && c->member_of == kn && ids_find(c->expected, c->expected_n, id) != SIZE_MAX;
    int64_t *one = c && !known ? arena_new(ctx->arena, int64_t, 1) : NULL;
    if (one) *one = id;
    if (one) expect_members(ctx, kn, one, 1);
    *ret = c ? c->belongings : NULL;
    return c && c->member_of == kn ? c->belongings_n : 0;
}

void rights_expect(struct ctx *ctx, const struct known *kn, const void *rows, size_t n) {
    if (ctx->actor.is_system || n < 2) return;
    int64_t *ids = arena_new(ctx->arena, int64_t, n);
    if (!ids) return;
    for (size_t i = 0; i < n; i++) {
        const void *row = (const char *)rows + i * kn->r->size;
        ids[i] = kn->r->member ? row_of(row)->id : row_place(kn, row);
    }
    if (kn->r->member)
        expect_members(ctx, kn, ids, n);
    else
        expect_under_scopes(ctx, kn, ids, n);
}
