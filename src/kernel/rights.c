/* Rights: role x place x verb x field class, compiled into SQL for lists and asked in memory for single rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

#include <string.h>

/* One way in: a scope of the actor joined with a grant of the resource. */
struct way {
    const struct scope *scope;
    const struct grant *grant;
    uint64_t roles; /* those that both name */
};

/* Walks the ways that allow a verb.  *at starts at 0. */
static bool next_way(const struct ctx *ctx, const struct known *kn, uint32_t verbs, size_t *at, struct way *ret) {
    const struct actor *a = &ctx->actor;
    size_t grants = kn->r->grants_n;
    for (; grants && *at < a->scopes_n * grants; (*at)++) {
        const struct scope *s = &a->scopes[*at / grants];
        size_t g = *at % grants;
        uint64_t roles = s->roles & kn->grant_roles[g];
        if (!roles || !(kn->r->grants[g].verbs & verbs)) continue;
        *ret = (struct way){s, &kn->r->grants[g], roles};
        (*at)++;
        return true;
    }
    return false;
}

/* An installation's rows that nothing places are for everyone with the role to read; to write them one must hold the
 * role for the installation. */
static bool is_everywhere(const struct known *kn, const struct way *w, uint32_t verbs) {
    if (w->grant->reach == OWN) return false;
    if (!w->scope->place_id) return true;
    return (kn->r->flags & INSTALLATION) && !kn->r->member && kn->place == NO_FIELD && !(verbs & ~(uint32_t)READ);
}

/* Rows of the installation that stand at places have no community: only the closure reaches them. */
bool rights_by_place_only(const struct known *kn) {
    return (kn->r->flags & INSTALLATION) && kn->place != NO_FIELD;
}

/* The place whose closure a way reaches in that case; 0: nothing. */
static int64_t way_place(const struct way *w) {
    return w->grant->reach == COMMUNITY && !w->scope->communities_n ? w->scope->within : w->scope->place_id;
}

/* ---- as SQL ---- */

static bool add_id(int64_t *ids, size_t *n, size_t cap, int64_t id) {
    if (ids_have(ids, *n, id)) return true;
    if (*n == cap) return false;
    ids[(*n)++] = id;
    return true;
}

/* What a way that is no OWN adds. */
static bool add_way(const struct known *kn, const struct way *w, uint32_t verb, size_t cap, struct reach_sets *ret) {
    if (is_everywhere(kn, w, verb)) ret->everywhere = true;
    if (rights_by_place_only(kn)) return !way_place(w) || add_id(ret->places, &ret->places_n, cap, way_place(w));
    for (size_t i = 0; i < w->scope->communities_n; i++)
        if (!add_id(ret->communities, &ret->communities_n, cap, w->scope->communities[i])) return false;
    if (w->scope->communities_n) return true;
    if (w->grant->reach == COMMUNITY)
        return !w->scope->within || add_id(ret->communities, &ret->communities_n, cap, w->scope->within);
    return !w->scope->place_id || add_id(ret->places, &ret->places_n, cap, w->scope->place_id);
}

static void add_own(const struct ctx *ctx, const struct known *kn, const struct way *w, struct reach_sets *ret) {
    for (size_t i = 0; i < kn->r->relations_n && i < 64; i++) {
        const struct relation *rel = &kn->r->relations[i];
        if (word_in(w->grant->by, str_of(rel->name)) && ctx->actor.own[rel->set].n) ret->own |= UINT64_C(1) << i;
    }
}

bool rights_sets(struct ctx *ctx, const struct known *kn, enum verb verb, struct reach_sets *ret) {
    size_t cap = 16;
    for (size_t i = 0; i < ctx->actor.scopes_n; i++) cap += ctx->actor.scopes[i].communities_n + 1;
    *ret = (struct reach_sets){.everywhere = ctx->actor.is_system};
    ret->communities = arena_new(ctx->arena, int64_t, cap);
    ret->places = arena_new(ctx->arena, int64_t, cap);
    if (!ret->communities || !ret->places) return false;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);) {
        if (w.grant->reach == OWN)
            add_own(ctx, kn, &w, ret);
        else if (!add_way(kn, &w, verb, cap, ret))
            return false;
    }
    return true;
}

/* A membership `m` that is in force today, where the caller is. */
void rights_put_in_force(struct ctx *ctx, struct sql *q) {
    int64_t where = 0;
    for (size_t i = 0; !where && i < ctx->actor.scopes_n; i++) {
        const struct scope *s = &ctx->actor.scopes[i];
        where = s->communities_n ? s->communities[0] : s->within;
    }
    int64_t day = kernel_day(ctx, where);
    sql_with(q, "m.archived_ms = 0 AND (m.valid_from IS NULL OR m.valid_from <= ", V_I64(day));
    sql_with(q, ") AND (m.valid_until IS NULL OR m.valid_until > ", V_I64(day));
    sql_add(q, ")");
}

static void where_communities(struct ctx *ctx, const struct known *kn, const struct reach_sets *s, struct sql *q) {
    if (kn->member_table) {
        sql_fmt(q, " OR id IN (SELECT m.%s FROM %s m WHERE ", kn->member_column, kn->member_table);
        rights_put_in_force(ctx, q);
        sql_add(q, " AND m.community_id IN ");
        sql_list(q, s->communities, s->communities_n);
        sql_add(q, ")");
    } else {
        sql_add(q, " OR community_id IN ");
        sql_list(q, s->communities, s->communities_n);
    }
}

static void where_places(struct ctx *ctx, const struct known *kn, const struct reach_sets *s, struct sql *q) {
    if (kn->member_table) {
        sql_fmt(q, " OR id IN (SELECT m.%s FROM place_closure p JOIN %s m ON m.place_id = p.descendant WHERE ",
                kn->member_column, kn->member_table);
        rights_put_in_force(ctx, q);
        sql_add(q, " AND p.ancestor IN ");
    } else if (kn->place == PLACE_IS_ID) {
        sql_add(q, " OR id IN (SELECT p.descendant FROM place_closure p WHERE p.ancestor IN ");
    } else if (kn->place != NO_FIELD && !kn->r->select) {
        /* By the index on (place, …): the cost is that of the place's own rows, not of its community's. */
        sql_fmt(q, " OR id IN (SELECT x.id FROM place_closure p JOIN %s x ON x.%s = p.descendant WHERE p.ancestor IN ",
                kn->r->name, kn->r->place);
    } else if (kn->place != NO_FIELD) {
        sql_fmt(q, " OR %s IN (SELECT p.descendant FROM place_closure p WHERE p.ancestor IN ", kn->r->place);
    } else {
        return; /* nothing smaller than the community places its rows */
    }
    sql_list(q, s->places, s->places_n);
    sql_add(q, ")");
}

void rights_own(const struct ctx *ctx, const struct known *kn, size_t relation, struct sql *q) {
    const struct relation *rel = &kn->r->relations[relation];
    sql_fmt(q, "%s IN ", rel->column);
    sql_list(q, ctx->actor.own[rel->set].ids, ctx->actor.own[rel->set].n);
}

/* What nothing places yet is its maker's: somebody registered, who is given a place next. */
static void where_unplaced(const struct ctx *ctx, const struct known *kn, struct sql *q) {
    if (!kn->member_table || !ctx->actor.person_id) return;
    sql_with(q, " OR (created_by = ", V_I64(ctx->actor.person_id));
    sql_fmt(q, " AND NOT EXISTS (SELECT 1 FROM %s m WHERE m.%s = %s.id))", kn->member_table, kn->member_column,
            kn->r->name);
}

void rights_where(struct ctx *ctx, const struct known *kn, enum verb verb, struct sql *q) {
    struct reach_sets s;
    if (!rights_sets(ctx, kn, verb, &s)) {
        q->failed = true;
        return;
    }
    if (s.everywhere) {
        sql_add(q, "1 = 1");
        return;
    }
    sql_add(q, "(1 = 0");
    if (s.communities_n) where_communities(ctx, kn, &s, q);
    if (s.places_n) where_places(ctx, kn, &s, q);
    if (s.communities_n || s.places_n) where_unplaced(ctx, kn, q);
    for (size_t i = 0; i < kn->r->relations_n; i++) {
        if (!bit_has(s.own, i)) continue;
        sql_add(q, " OR ");
        rights_own(ctx, kn, i, q);
    }
    sql_add(q, ")");
}

bool own_grants(struct ctx *ctx, const struct resource *r, enum verb verb) {
    const struct known *kn = known_of(ctx->kernel, r);
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);)
        if (w.grant->reach == OWN) return true;
    return false;
}

/* ---- in memory ---- */

/* Does the way lead there, where rows stand in communities? */
static bool leads_to(struct ctx *ctx, const struct way *w, int64_t community_id, int64_t place_id) {
    const struct scope *s = w->scope;
    if (s->communities_n) return ids_have(s->communities, s->communities_n, community_id);
    if (w->grant->reach == COMMUNITY) return s->within && s->within == community_id;
    return place_id && rights_under(ctx, s->place_id, place_id);
}

static bool way_reaches(struct ctx *ctx, const struct known *kn, const struct way *w, uint32_t verb,
                        int64_t community_id, int64_t place_id) {
    if (is_everywhere(kn, w, verb)) return true;
    if (rights_by_place_only(kn)) return place_id && way_place(w) && rights_under(ctx, way_place(w), place_id);
    return leads_to(ctx, w, community_id, place_id);
}

/* People and their like: placed by the rows of another table. */
static bool member_reaches(struct ctx *ctx, const struct known *kn, const struct way *w, int64_t id) {
    const struct belonging *all;
    size_t n = rights_belongings(ctx, kn, id, &all);
    for (size_t i = 0; i < n; i++)
        if (all[i].id == id && leads_to(ctx, w, all[i].community_id, all[i].place_id)) return true;
    return false;
}

static bool is_unplaced(struct ctx *ctx, const struct known *kn, const void *row) {
    struct sql q;
    struct fault kept = ctx->fault;
    int64_t one;
    bool some = false;
    if (!ctx->actor.person_id || row_of(row)->created_by != ctx->actor.person_id) return false;
    sql_init(&q, ctx->arena);
    sql_fmt(&q, "SELECT 1 FROM %s WHERE id = ", kn->r->name);
    sql_i64(&q, row_of(row)->id);
    sql_add(&q, " AND (1 = 0");
    where_unplaced(ctx, kn, &q);
    sql_add(&q, ")");
    if (sql_one_i64(ctx, &q, &one, &some)) some = false; /* a store that does not answer grants nothing */
    ctx->fault = kept;
    return some;
}

static int64_t relation_value(const struct known *kn, const struct relation *rel, const void *row) {
    if (!strcmp(rel->column, "id")) return row_of(row)->id;
    if (!strcmp(rel->column, "created_by")) return row_of(row)->created_by;
    size_t i = field_index(kn->r, rel->column);
    if (i == NO_FIELD || !bit_has(row_of(row)->has, i)) return 0;
    return *(const int64_t *)((const char *)row + kn->r->fields[i].at);
}

/* What is one's own is made where one belongs, whoever it is about. */
static bool may_make_in(const struct way *w, int64_t community_id) {
    const struct scope *s = w->scope;
    return !community_id || !s->place_id || s->within == community_id ||
           ids_have(s->communities, s->communities_n, community_id);
}

static bool way_matches(struct ctx *ctx, const struct known *kn, const struct way *w, uint32_t verb, const void *row) {
    if (w->grant->reach == OWN) {
        if (verb == CREATE && !may_make_in(w, row_of(row)->community_id)) return false;
        for (size_t i = 0; i < kn->r->relations_n; i++) {
            const struct relation *rel = &kn->r->relations[i];
            if (!word_in(w->grant->by, str_of(rel->name))) continue;
            int64_t value = relation_value(kn, rel, row);
            if (value && ids_have(ctx->actor.own[rel->set].ids, ctx->actor.own[rel->set].n, value)) return true;
        }
        return false;
    }
    if (is_everywhere(kn, w, verb)) return true;
    if (kn->r->member && verb == CREATE) return true; /* placed by what follows, not by itself */
    if (kn->r->member && row_of(row)->id)
        return member_reaches(ctx, kn, w, row_of(row)->id) || is_unplaced(ctx, kn, row);
    return way_reaches(ctx, kn, w, verb, row_of(row)->community_id, row_place(kn, row));
}

bool rights_row(struct ctx *ctx, const struct known *kn, enum verb verb, const void *row) {
    if (ctx->actor.is_system) return true;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);)
        if (way_matches(ctx, kn, &w, verb, row)) return true;
    return false;
}

/* A step needs its own role, held where it makes the row readable. */
bool rights_step(struct ctx *ctx, const struct known *kn, const void *row, size_t step) {
    if (ctx->actor.is_system) return true;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, READ, &at, &w);)
        if ((w.roles & kn->step_roles[step]) && way_matches(ctx, kn, &w, READ, row)) return true;
    return false;
}

bool place_allows(struct ctx *ctx, const struct resource *r, enum verb verb, int64_t community_id, int64_t place_id) {
    const struct known *kn = known_of(ctx->kernel, r);
    if (ctx->actor.is_system) return true;
    struct way w;
    for (size_t at = 0; next_way(ctx, kn, verb, &at, &w);)
        if (w.grant->reach != OWN && way_reaches(ctx, kn, &w, verb, community_id, place_id)) return true;
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
