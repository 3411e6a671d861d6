/* Doors that wait for a command.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/doors.h"

#include "platform/passes/passes.h"

#define UNIT_BYTES ((size_t)4 << 20)

/* As of when he was heard: the store may have been away since. */
static enum err decide(struct ctx *ctx, const struct knock *k) {
    struct pass_verdict ignored;
    struct passing *all = arena_new(ctx->arena, struct passing, k->n);
    if (!all) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < k->n; i++) {
        all[i] = k->all[i];
        if (!all[i].at_ms && !all[i].at_s) all[i].at_ms = k->heard_ms;
        all[i].is_late |= ctx->now_ms - k->heard_ms > PASS_OPEN_MS;
    }
    return pass_at_door(ctx, k->community_id, all, k->n, &ignored);
}

static void work(void *arg) { /* a worker */
    struct knock *k = arg;
    const struct doors *d = k->doors;
    struct arena arena;
    struct ctx ctx = {.kernel = d->kernel, .arena = &arena, .world = d->world, .actor = actor_system()};
    k->result = db_pool_take(d->pool, &ctx.db, &ctx.fault);
    if (k->result) return;
    arena_init(&arena, UNIT_BYTES);
    ctx_begin(&ctx);
    k->result = decide(&ctx, k);
    if (k->result)
        LOG(d->log, LOG_WARN, ctx.trace, "somebody stands before a door and is not decided upon",
            LOG_TEXT("why", str_of(ctx.fault.text)), LOG_TEXT("code", str_of(ctx.fault.code)));
    arena_finish(&arena);
    db_pool_give(d->pool, ctx.db);
}

static void worked(void *arg) {
    struct knock *k = arg;
    k->done(k->arg, k->result);
}

enum err doors_knock(const struct doors *d, struct knock *k) {
    k->doors = d;
    if (d->loop) return loop_work(d->loop, work, worked, k);
    work(k);
    worked(k);
    return OK;
}
