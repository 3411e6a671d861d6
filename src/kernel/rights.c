/* Rights: role x place x verb x field class.  The ways in are worked out once and asked in two forms: together as SQL
 * for lists, one by one in memory for single rows.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

#include <string.h>

/* ---- the ways in ---- */

/* A scope of the actor joined with a grant of the resource, and what they reach together: every row, or those of these
 * relations, or of these communities, or at this place and below. */
struct way {
    const struct scope *scope;
    const struct grant *grant;
    uint64_t roles; /* those that both name */
    bool everywhere;
    uint64_t own; /* bits of relations */
    const int64_t *communities;
    size_t communities_n;
    int64_t place; /* 0: none */
};

size_t scope_communities(const struct scope *s, const int64_t **ret) {
    *ret = s->communities_n ? s->communities : &s->within;
    return s->communities_n ? s->communities_n : s->within != 0;
}

/* An installation's rows that nothing places are for everyone with the role to read; to write them one must hold the
 * role for the installation.  Those that stand at places have no community: only the closure reaches them. */
static void work_out(const struct known *kn, uint32_t verbs, struct way *w) {
    const struct scope *s = w->scope;
    bool is_wide = w->grant->reach == COMMUNITY, is_placed = kn->place != NO_FIELD || kn->member_table;
    bool of_installation = kn->r->flags & INSTALLATION, by_place_only = of_installation && kn->place != NO_FIELD;
    if (w->grant->reach == OWN) return;
    w->everywhere = !s->place_id || (of_installation && !is_placed && !(verbs & ~(uint32_t)READ));
    if (!by_place_only && (s->communities_n || is_wide))
        w->communities_n = scope_communities(s, &w->communities);
    else if (is_placed)
        w->place = is_wide && !s->communities_n ? s->within : s->place_id;
}

/* Walks the ways that allow a verb.  *at starts at 0. */
static bool next_way(const struct ctx *ctx, const struct known *kn, uint32_t verbs, size_t *at, struct way *ret) {
    const struct actor *a = &ctx->actor;
    size_t grants = kn->r->grants_n;
    for (; grants && *at < a->scopes_n * grants; (*at)++) {
        const struct scope *s = &a->scopes[*at / grants];
        size_t g = *at % grants;
        uint64_t roles = s->roles & kn->grant_roles[g];
        if (!roles || !(kn->r->grants[g].verbs & verbs)) continue;
        *ret = (struct way){.scope = s, .grant = &kn->r->grants[g], .roles = roles, .own = kn->grant_own[g]};
        work_out(kn, verbs, ret);
        (*at)++;
        return true;
    }
    return false;
}

/* ---- all of them together, as SQL ---- */

static bool join(struct arena *a, struct id_set *to, const int64_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (ids_have(to->ids, to->n, ids[i])) continue;
        to->ids = arena_grow(a, to->ids, to->n, &to->cap, sizeof *to->ids);
        if (!to->ids) return false;
        to->ids[to->n++] = ids[i];
    }
    return true;
}

struct ids plan_ids(const struct ctx *ctx, const struct known *kn, const struct plan *plan, size_t by) {
    if (by < REACH_OWN) return (struct ids){plan->reach[by].ids, plan->reach[by].n};
    enum own_set set = kn->r->relations[by - REACH_OWN].set;
    bool is_own = bit_has(plan->own, by - REACH_OWN);
    return is_own ? (struct ids){ctx->actor.own[set].ids, ctx->actor.own[set].n} : (struct ids){NULL, 0};
}

enum err rights_plan(struct ctx *ctx, const struct known *kn, enum verb verb, struct plan *ret) {
    struct way w;
    *ret = (struct plan){.everywhere = ctx->actor.is_system};
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);) {
        ret->everywhere |= w.everywhere;
        ret->own |= w.own;
        if (!join(ctx->arena, &ret->reach[REACH_COMMUNITY], w.communities, w.communities_n) ||
            !join(ctx->arena, &ret->reach[REACH_PLACE], &w.place, w.place != 0))
            return FAIL_MEMORY(ctx);
    }
    for (size_t by = 0; by < REACH_OWN + kn->r->relations_n; by++) ret->reaches_n += plan_ids(ctx, kn, ret, by).n > 0;
    return OK;
}

/* Today is that of where the caller is. */
void rights_put_in_force(struct ctx *ctx, struct sql *q) {
    const int64_t *where = NULL;
    size_t n = 0;
    for (size_t i = 0; !n && i < ctx->actor.scopes_n; i++) n = scope_communities(&ctx->actor.scopes[i], &where);
    struct sql_part day = Q_I64(kernel_day(ctx, n ? where[0] : 0));
    sql_put(q,
            "m.archived_ms = 0 AND (m.valid_from IS NULL OR m.valid_from <= $) AND (m.valid_until IS NULL OR "
            "m.valid_until > $)",
            PARTS(day, day));
}

/* Rows of a `member` resource are where the rows of another table say. */
static void put_members(struct ctx *ctx, const struct known *kn, size_t by, struct sql_part ids, struct sql *q) {
    bool at_place = by == REACH_PLACE;
    sql_put(q,
            at_place ? "id IN (SELECT m.$ FROM place_closure p JOIN $ m ON m.place_id = p.descendant WHERE "
                     : "id IN (SELECT m.$ FROM $ m WHERE ",
            PARTS(Q_NAME(kn->member_column), Q_NAME(kn->member_table)));
    rights_put_in_force(ctx, q);
    sql_put(q, at_place ? " AND p.ancestor IN $)" : " AND m.community_id IN $)", PARTS(ids));
}

void rights_put_reach(struct ctx *ctx, const struct known *kn, size_t by, struct ids in, struct sql *q) {
    const struct resource *r = kn->r;
    struct sql_part ids = Q_IDS(in.ids, in.n);
    if (by >= REACH_OWN)
        sql_put(q, "$ IN $", PARTS(Q_NAME(r->relations[by - REACH_OWN].column), ids));
    else if (kn->member_table)
        put_members(ctx, kn, by, ids, q);
    else if (by == REACH_COMMUNITY)
        sql_put(q, "community_id IN $", PARTS(ids));
    else if (kn->place == PLACE_IS_ID || r->select)
        sql_put(q, "$ IN (SELECT p.descendant FROM place_closure p WHERE p.ancestor IN $)",
                PARTS(Q_NAME(r->place), ids));
    else /* By the index on (place, …): the cost is that of the place's own rows, not of its community's. */
        sql_put(q, "id IN (SELECT x.id FROM place_closure p JOIN $ x ON x.$ = p.descendant WHERE p.ancestor IN $)",
                PARTS(Q_NAME(r->name), Q_NAME(r->place), ids));
}

/* What nothing places yet is its maker's: somebody registered, who is given a place next. */
static void put_unplaced(const struct ctx *ctx, const struct known *kn, struct sql *q) {
    sql_put(
        q, "(created_by = $ AND NOT EXISTS (SELECT 1 FROM $ m WHERE m.$ = $.id))",
        PARTS(Q_I64(ctx->actor.person_id), Q_NAME(kn->member_table), Q_NAME(kn->member_column), Q_NAME(kn->r->name)));
}

void rights_where(struct ctx *ctx, const struct known *kn, const struct plan *plan, struct sql *q) {
    if (plan->everywhere) {
        sql_add(q, "1 = 1");
        return;
    }
    sql_add(q, "(1 = 0");
    for (size_t by = 0; by < REACH_OWN + kn->r->relations_n; by++) {
        struct ids in = plan_ids(ctx, kn, plan, by);
        if (!in.n) continue;
        sql_add(q, " OR ");
        rights_put_reach(ctx, kn, by, in, q);
    }
    bool is_wide = plan->reach[REACH_COMMUNITY].n || plan->reach[REACH_PLACE].n;
    if (is_wide && kn->member_table && ctx->actor.person_id) {
        sql_add(q, " OR ");
        put_unplaced(ctx, kn, q);
    }
    sql_add(q, ")");
}

/* ---- one by one, in memory ---- */

static bool leads_to(struct ctx *ctx, const struct way *w, int64_t community_id, int64_t place_id) {
    if (w->place) return place_id && rights_under(ctx, w->place, place_id);
    return ids_have(w->communities, w->communities_n, community_id);
}

/* People and their like: placed by the rows of another table. */
static bool leads_to_member(struct ctx *ctx, const struct known *kn, const struct way *w, int64_t id) {
    const struct belonging *all;
    size_t n = rights_belongings(ctx, kn, id, &all);
    for (size_t i = 0; i < n; i++)
        if (all[i].id == id && leads_to(ctx, w, all[i].community_id, all[i].place_id)) return true;
    return false;
}

static bool is_unplaced(struct ctx *ctx, const struct known *kn, const struct row *row) {
    struct fault ignored = {0};
    struct sql q = sql_new(ctx->db, ctx->arena, &ignored);
    int64_t one;
    bool some = false;
    if (!ctx->actor.person_id || row->created_by != ctx->actor.person_id) return false;
    sql_put(&q, "SELECT 1 FROM $ WHERE id = $ AND ", PARTS(Q_NAME(kn->r->name), Q_I64(row->id)));
    put_unplaced(ctx, kn, &q);
    return !sql_one_i64(&q, &one, &some) && some; /* a store that does not answer grants nothing */
}

static int64_t relation_value(const struct known *kn, const struct relation *rel, const void *row) {
    if (!strcmp(rel->column, "id")) return row_of(row)->id;
    if (!strcmp(rel->column, "created_by")) return row_of(row)->created_by;
    size_t i = field_index(kn->r, rel->column);
    return i != NO_FIELD && bit_has(row_of(row)->has, i) ? field_i64(&kn->r->fields[i], row) : 0;
}

/* What is one's own is made where one belongs, whoever it is about. */
static bool may_make_in(const struct way *w, int64_t community_id) {
    const int64_t *communities;
    size_t n = scope_communities(w->scope, &communities);
    return !community_id || !w->scope->place_id || ids_have(communities, n, community_id);
}

static bool is_own(const struct ctx *ctx, const struct known *kn, uint64_t own, const void *row) {
    for (size_t i = 0; i < kn->r->relations_n; i++) {
        const struct relation *rel = &kn->r->relations[i];
        int64_t value = bit_has(own, i) ? relation_value(kn, rel, row) : 0;
        if (value && ids_have(ctx->actor.own[rel->set].ids, ctx->actor.own[rel->set].n, value)) return true;
    }
    return false;
}

static bool way_matches(struct ctx *ctx, const struct known *kn, const struct way *w, uint32_t verb, const void *row) {
    const struct row *h = row;
    if (w->everywhere) return true;
    if (w->grant->reach == OWN)
        return (verb != CREATE || may_make_in(w, h->community_id)) && is_own(ctx, kn, w->own, row);
    if (!kn->member_table) return leads_to(ctx, w, h->community_id, row_place(kn, row));
    /* A member is placed by what follows its making, not by itself. */
    return verb == CREATE || leads_to_member(ctx, kn, w, h->id) || is_unplaced(ctx, kn, h);
}

/* By a way of one of these roles. */
static bool reaches(struct ctx *ctx, const struct known *kn, enum verb verb, uint64_t roles, const void *row) {
    if (ctx->actor.is_system) return true;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);)
        if ((w.roles & roles) && way_matches(ctx, kn, &w, verb, row)) return true;
    return false;
}

bool rights_row(struct ctx *ctx, const struct known *kn, enum verb verb, const void *row) {
    return reaches(ctx, kn, verb, ~UINT64_C(0), row);
}

/* A step needs its own role, held where it makes the row readable. */
bool rights_step(struct ctx *ctx, const struct known *kn, const void *row, size_t step) {
    return reaches(ctx, kn, READ, kn->step_roles[step], row);
}

bool own_grants(struct ctx *ctx, const struct resource *r, enum verb verb) {
    const struct known *kn = known_of(ctx->kernel, r);
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);)
        if (w.grant->reach == OWN) return true;
    return false;
}

bool place_allows(struct ctx *ctx, const struct resource *r, enum verb verb, int64_t community_id, int64_t place_id) {
    const struct known *kn = known_of(ctx->kernel, r);
    if (ctx->actor.is_system) return true;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);)
        if (w.everywhere || leads_to(ctx, &w, community_id, place_id)) return true;
    return false;
}

static uint32_t classes(struct ctx *ctx, const struct known *kn, const void *row, bool reveal) {
    if (ctx->actor.is_system) return ~(uint32_t)SECRET;
    uint32_t bits = 0;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, READ, &at, &w);) {
        uint32_t more = reveal ? w.grant->reveal : w.grant->clear;
        if ((more & ~bits) && way_matches(ctx, kn, &w, READ, row)) bits |= more;
    }
    return bits;
}

uint32_t row_clear_classes(struct ctx *ctx, const struct resource *r, const void *row) {
    return classes(ctx, known_of(ctx->kernel, r), row, false);
}

uint32_t row_reveal_classes(struct ctx *ctx, const struct resource *r, const void *row) {
    return classes(ctx, known_of(ctx->kernel, r), row, true);
}

uint32_t row_verbs(struct ctx *ctx, const struct resource *r, const void *row) {
    static const enum verb all[] = {CREATE, READ, UPDATE, ARCHIVE, ERASE};
    const struct known *kn = known_of(ctx->kernel, r);
    uint32_t bits = 0;
    for (size_t i = 0; i < COUNT(all); i++)
        if (rights_row(ctx, kn, all[i], row)) bits |= all[i];
    return bits;
}

uint32_t resource_verbs(struct ctx *ctx, const struct resource *r) {
    const struct known *kn = known_of(ctx->kernel, r);
    uint32_t bits = 0;
    if (ctx->actor.is_system) return CREATE | READ | UPDATE | ARCHIVE | ERASE;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, ~UINT32_C(0), &at, &w);) bits |= w.grant->verbs;
    return bits;
}

uint64_t row_steps(struct ctx *ctx, const struct resource *r, const void *row) {
    const struct known *kn = known_of(ctx->kernel, r);
    int32_t state = row_state(r, row);
    uint64_t bits = 0;
    if (row_of(row)->archived_ms) return 0;
    for (size_t i = 0; i < r->steps_n && i < 64; i++) {
        bool from = r->steps[i].from == ANY_STATE || r->steps[i].from == state;
        if (from && kn->step_roles[i] & ~UINT64_C(1) && rights_step(ctx, kn, row, i)) bits |= UINT64_C(1) << i;
    }
    return bits;
}
