/* What rights ask the store for row by row, remembered for one unit of work, and asked for a page of rows at one go.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

/* Is `place` under `above`, and where do people belong?  Answers of one unit of work are remembered, and those for the
 * rows of a page asked for together. */
struct rights_cache {
    struct id_pairs under;         /* (above, place): 1 or 0 */
    const struct known *member_of; /* whose rows `expected` are; NULL: none */
    struct ids expected;
    const struct belonging *belongings;
    size_t belongings_n;
};

static struct rights_cache *cache_of(struct ctx *ctx) {
    if (!ctx->rights_cache) ctx->rights_cache = arena_new(ctx->arena, struct rights_cache, 1);
    return ctx->rights_cache;
}

static void remember(struct ctx *ctx, int64_t above, int64_t place, bool is_under) {
    struct rights_cache *c = cache_of(ctx);
    (void)!(c && id_pairs_put(&c->under, ctx->arena, above, place, is_under)); /* else asked again */
}

bool rights_under(struct ctx *ctx, int64_t above, int64_t place) {
    const struct rights_cache *c = ctx->rights_cache;
    int64_t one = 0;
    bool found = false;
    struct fault f = {0};
    if (above == place) return true;
    if (c && id_pairs_get(&c->under, above, place, &one)) return one;
    enum err e = db_one_i64(ctx->db, &f, "SELECT 1 FROM place_closure WHERE ancestor = $1 AND descendant = $2 LIMIT 1",
                            VALS(V_I64(above), V_I64(place)), &one, &found);
    if (e) return false; /* a store that does not answer grants nothing */
    remember(ctx, above, place, found);
    return found;
}

/* Asks the store for all of these places at once. */
static void expect_places(struct ctx *ctx, int64_t above, const int64_t *places, size_t n) {
    struct fault ignored = {0};
    struct sql q = sql_new(ctx->db, ctx->arena, &ignored);
    const int64_t *under;
    size_t under_n;
    sql_put(&q, "SELECT descendant FROM place_closure WHERE ancestor = $ AND descendant IN $",
            PARTS(Q_I64(above), Q_IDS(places, n)));
    if (sql_ids(&q, &under, &under_n)) return;
    for (size_t i = 0; i < n; i++) remember(ctx, above, places[i], false);
    for (size_t i = 0; i < under_n; i++) remember(ctx, above, under[i], true);
}

static void expect_under_scopes(struct ctx *ctx, const struct known *kn, int64_t *places, size_t n) {
    struct plan plan;
    struct fault kept = ctx->fault;
    n = ids_unique(places, n);
    if (n < 2) return;
    if (!rights_plan(ctx, kn, READ, &plan))
        for (size_t i = 0; i < plan.reach[REACH_PLACE].n; i++)
            expect_places(ctx, plan.reach[REACH_PLACE].ids[i], places, n);
    ctx->fault = kept;
}

static const struct sql_shape belonging_shape =
    SQL_SHAPE(struct belonging, SQL_MEMBER(struct belonging, id), SQL_MEMBER(struct belonging, community_id),
              SQL_MEMBER(struct belonging, place_id));

/* People and their like: reads where all of them belong. */
static void expect_members(struct ctx *ctx, const struct known *kn, int64_t *ids, size_t n) {
    struct rights_cache *c = cache_of(ctx);
    struct fault ignored = {0};
    struct sql q = sql_new(ctx->db, ctx->arena, &ignored);
    struct sql_all all;
    n = ids_unique(ids, n);
    sql_put(&q, "SELECT m.$, m.community_id, m.place_id FROM $ m WHERE m.$ IN $ AND ",
            PARTS(Q_NAME(kn->member_column), Q_NAME(kn->member_table), Q_NAME(kn->member_column), Q_IDS(ids, n)));
    rights_put_in_force(ctx, &q);
    if (!c || sql_all(&q, &belonging_shape, &all)) return;
    const struct belonging *belongings = all.rows;
    int64_t *places = arena_new(ctx->arena, int64_t, all.n + 1);
    if (!places) return;
    for (size_t i = 0; i < all.n; i++) places[i] = belongings[i].place_id;
    expect_under_scopes(ctx, kn, places, all.n);
    *c = (struct rights_cache){c->under, kn, {ids, n}, belongings, all.n};
}

size_t rights_belongings(struct ctx *ctx, const struct known *kn, int64_t id, const struct belonging **ret) {
    struct rights_cache *c = cache_of(ctx);
    bool known = c && c->member_of == kn && ids_find(c->expected.ids, c->expected.n, id) != SIZE_MAX;
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
