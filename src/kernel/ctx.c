/* Units of work, the system actor, communities and the closure of places.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ctx.h"

#include "kernel/kernel_internal.h"
#include "kernel/setting.h"

#include <stdlib.h>
#include <string.h>

void ctx_begin(struct ctx *ctx) {
    ctx->now_ms = ctx->world->utc_ms(ctx->world->self);
    ctx->fault = (struct fault){0};
    ctx->rights_cache = NULL;
}

struct unit {
    struct ctx *ctx;
    enum err (*fn)(struct ctx *ctx, void *arg);
    void *arg;
};

static enum err unit_run(void *arg) {
    struct unit *u = arg;
    return u->fn(u->ctx, u->arg);
}

static void unit_again(void *arg) {
    struct unit *u = arg;
    u->ctx->fault = (struct fault){0};
    u->ctx->rights_cache = NULL;
}

enum err ctx_write(struct ctx *ctx, enum err (*fn)(struct ctx *ctx, void *arg), void *arg) {
    struct unit u = {ctx, fn, arg};
    bool outer = !db_in_tx(ctx->db);
    enum err e = db_tx(ctx->db, &ctx->fault, DB_WRITE, &(struct db_unit){unit_run, unit_again, &u});
    const struct kernel_options *o = kernel_options(ctx->kernel);
    if (!e && outer && o->wake) o->wake(o->wake_arg);
    return e;
}

enum err ctx_read(struct ctx *ctx, enum err (*fn)(struct ctx *ctx, void *arg), void *arg) {
    struct unit u = {ctx, fn, arg};
    return db_tx(ctx->db, &ctx->fault, DB_READ, &(struct db_unit){unit_run, unit_again, &u});
}

struct actor actor_system(void) {
    return (struct actor){.is_system = true, .name = S("system"), .language = S("zh")};
}

/* ---- counters ---- */

enum err counter_next(struct ctx *ctx, const char *name, int64_t *ret) {
    bool found;
    return db_one_i64(ctx->db, &ctx->fault,
                      "INSERT INTO counters (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = "
                      "counters.value + 1 RETURNING value",
                      VALS(V_TEXT(str_of(name))), ret, &found);
}

enum err counter_now(struct ctx *ctx, const char *name, int64_t *ret) {
    bool found;
    *ret = 0;
    return db_one_i64(ctx->db, &ctx->fault, "SELECT value FROM counters WHERE name = $1", VALS(V_TEXT(str_of(name))),
                      ret, &found);
}

/* ---- places ---- */

enum err place_community(struct ctx *ctx, int64_t place_id, int64_t *ret_community_id) {
    bool found;
    *ret_community_id = 0;
    return db_one_i64(
        ctx->db, &ctx->fault,
        "SELECT c.id FROM place_closure p JOIN communities c ON c.id = p.ancestor WHERE p.descendant = $1 "
        "ORDER BY p.depth, c.id LIMIT 1",
        VALS(V_I64(place_id)), ret_community_id, &found);
}

enum err community_put(struct ctx *ctx, int64_t id, struct str code, struct str name, struct str zone) {
    int64_t as_of;
    TRY(db_exec(ctx->db, &ctx->fault,
                "INSERT INTO communities (id, code, name, zone) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (id) DO UPDATE SET code = $2, name = $3, zone = $4",
                VALS(V_I64(id), V_TEXT(code), V_TEXT(name), V_TEXT(zone)), NULL));
    TRY(counter_next(ctx, "places", &as_of));
    return settings_sync(ctx);
}

enum err closure_put(struct ctx *ctx, struct str hierarchy, int64_t place_id, const int64_t *ancestors, size_t n) {
    int64_t as_of;
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM place_closure WHERE hierarchy = $1 AND descendant = $2",
                VALS(V_TEXT(hierarchy), V_I64(place_id)), NULL));
    for (size_t i = 0; i <= n; i++)
        TRY(db_exec(ctx->db, &ctx->fault,
                    "INSERT INTO place_closure (hierarchy, ancestor, descendant, depth) VALUES ($1, $2, $3, $4)",
                    VALS(V_TEXT(hierarchy), V_I64(i ? ancestors[i - 1] : place_id), V_I64(place_id), V_I64((int64_t)i)),
                    NULL));
    return counter_next(ctx, "places", &as_of);
}

/* ---- who may act where ---- */

static enum err scope_read(struct ctx *ctx, struct scope *s) {
    struct sql q = sql_of(ctx);
    sql_put(&q,
            "SELECT DISTINCT c.id FROM communities c JOIN place_closure p ON p.descendant = c.id WHERE p.ancestor = $ "
            "ORDER BY c.id",
            PARTS(Q_I64(s->place_id)));
    TRY(sql_ids(&q, &s->communities, &s->communities_n));
    return s->communities_n ? OK : place_community(ctx, s->place_id, &s->within);
}

/* To and from the kernel's memory, under its lock; `ids` is room for the communities, NULL when there was none. */
static bool scope_copy(struct scope *to, const struct scope *from, int64_t *ids) {
    if (!ids) return false;
    if (from->communities_n) memcpy(ids, from->communities, from->communities_n * sizeof *ids);
    *to = *from;
    to->communities = ids;
    return true;
}

/* A street has thousands of places under it, so what it reaches is read once for each state of the places.  The number
 * is read first: what is remembered may be newer than it says, never older. */
static enum err scope_fill(struct ctx *ctx, struct scope *s) {
    struct kernel *k = (struct kernel *)(uintptr_t)ctx->kernel; /* its caches are its only mutable part */
    struct reached *r = &k->reached[(uint64_t)s->place_id * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (REACHED_SLOTS - 1)];
    int64_t as_of = 0; /* places that never changed since there is such a number */
    if (!s->place_id) return OK;
    TRY(counter_now(ctx, "places", &as_of));
    pthread_mutex_lock(&k->lock);
    bool known = r->scope.place_id == s->place_id && r->as_of == as_of &&
                 scope_copy(s, &r->scope, arena_new(ctx->arena, int64_t, r->scope.communities_n + 1));
    pthread_mutex_unlock(&k->lock);
    if (known) return OK;
    TRY(scope_read(ctx, s));
    if (db_in_tx(ctx->db)) return OK; /* what is not committed may never be */
    pthread_mutex_lock(&k->lock);
    void *old = (void *)(uintptr_t)r->scope.communities;
    if (scope_copy(&r->scope, s, malloc((s->communities_n + 1) * sizeof(int64_t)))) {
        r->as_of = as_of;
        free(old);
    }
    pthread_mutex_unlock(&k->lock);
    return OK;
}

bool actor_reaches(const struct actor *a, int64_t community_id, uint64_t roles) {
    for (size_t i = 0; i < a->scopes_n; i++) {
        const struct scope *s = &a->scopes[i];
        bool there = !s->place_id || (community_id && s->within == community_id);
        if ((s->roles & roles) && (there || ids_have(s->communities, s->communities_n, community_id))) return true;
    }
    return a->is_system;
}

enum err actor_scopes(struct ctx *ctx, const struct membership *memberships, size_t n) {
    struct scope *scopes = arena_new(ctx->arena, struct scope, n + 1);
    if (!scopes) return FAIL_MEMORY(ctx);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t role = kernel_role(ctx->kernel, memberships[i].role) & ~UINT64_C(1); /* nobody is the timer */
        if (!role) continue;
        ctx->actor.roles |= role;
        size_t at = 0;
        while (at < count && scopes[at].place_id != memberships[i].place_id) at++;
        if (at == count) {
            scopes[count++] = (struct scope){.place_id = memberships[i].place_id};
            TRY(scope_fill(ctx, &scopes[at]));
        }
        scopes[at].roles |= role;
    }
    ctx->actor.scopes = scopes;
    ctx->actor.scopes_n = count;
    return OK;
}

/* The community of his scopes; 0: of none, or of several. */
static int64_t scopes_community(const struct actor *a, bool *ret_several) {
    const int64_t *ids;
    int64_t one = 0;
    *ret_several = false;
    for (size_t i = 0; i < a->scopes_n; i++)
        for (size_t c = 0, n = scope_communities(&a->scopes[i], &ids); c < n; c++) {
            *ret_several |= one && ids[c] != one;
            one = ids[c];
        }
    return *ret_several ? 0 : one;
}

bool actor_spans_communities(const struct actor *a) {
    bool spans;
    (void)scopes_community(a, &spans);
    for (size_t i = 0; i < a->scopes_n; i++) spans |= !a->scopes[i].place_id;
    return spans || a->is_system;
}

enum err actor_community(struct ctx *ctx, int64_t *ret) {
    bool found, several;
    *ret = scopes_community(&ctx->actor, &several);
    if (*ret || several) return OK;
    /* the installation's own people */
    return db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM communities WHERE (SELECT COUNT(*) FROM communities) = 1",
                      NO_VALS, ret, &found);
}

/* ---- zones ---- */

static struct zone *zone_make(struct ctx *ctx, int64_t community_id) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    struct fault ignored = {0};
    struct sql q = sql_new(ctx->db, ctx->arena, &ignored);
    struct db_val name; /* ends with NUL, as all text in an arena does */
    struct zone *zone = NULL;
    struct bytes tzif;
    bool found;
    sql_put(&q, "SELECT zone FROM communities WHERE id = $", PARTS(Q_I64(community_id)));
    if (!o->zone_data || sql_one(&q, &name, &found) || !found) return NULL;
    if (o->zone_data(o->zone_arg, name.text.ptr, &tzif) && zone_parse(tzif, &zone, &ignored)) return NULL;
    return zone;
}

const struct zone *kernel_zone(struct ctx *ctx, int64_t community_id) {
    struct kernel *k = (struct kernel *)(uintptr_t)ctx->kernel; /* its caches are its only mutable part */
    if (!community_id) return NULL;
    pthread_mutex_lock(&k->lock);
    struct zone_entry *z = k->zones;
    while (z && z->community_id != community_id) z = z->next;
    pthread_mutex_unlock(&k->lock);
    if (z) return z->zone;
    z = malloc(sizeof *z);
    if (!z) return NULL;
    *z = (struct zone_entry){.community_id = community_id, .zone = zone_make(ctx, community_id)};
    pthread_mutex_lock(&k->lock);
    z->next = k->zones;
    k->zones = z;
    pthread_mutex_unlock(&k->lock);
    return z->zone;
}

int64_t kernel_day(struct ctx *ctx, int64_t community_id) {
    struct fault ignored = {0};
    bool found;
    if (!community_id)
        (void)!db_one_i64(ctx->db, &ignored, "SELECT MIN(id) FROM communities", NO_VALS, &community_id, &found);
    struct civil c = zone_civil(kernel_zone(ctx, community_id), ctx->now_ms);
    return civil_day(c.year, c.month, c.day);
}
