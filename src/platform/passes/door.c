/* What a door is told of who stands before it.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/passes/passes_internal.h"

#include "kernel/rows.h"
#include "platform/things/things.h"

#define AGAIN_MS 2000 /* a card that lies on its reader is read all the time: so often the door is told at most */

struct knock {
    int64_t community_id;
    const struct passing *all;
    size_t n;
    struct pass_verdict verdict;
};

static enum err was_told(struct ctx *ctx, const struct device *d, const char *command, bool *ret) {
    int64_t one;
    return db_one_i64(ctx->db, &ctx->fault,
                      "SELECT 1 FROM commands WHERE device_id = $1 AND command = $2 AND passage_id IS NOT NULL AND "
                      "created_ms > $3 LIMIT 1",
                      VALS(V_I64(d->row.id), V_TEXT(str_of(command)), V_I64(ctx->now_ms - AGAIN_MS)), &one, ret);
}

/* One that its model does not have, or leaves the value of to people, is not told. */
static enum err tell(struct ctx *ctx, const struct device *d, const char *command, int64_t passage_id) {
    struct model_command m = {0};
    struct device_command c = {.row.community_id = d->row.community_id};
    struct str reason = kernel_word(ctx->kernel, S("passes.told"), ctx->actor.language);
    bool found, again;
    TRY(device_command(ctx, d, str_of(command), &m, &found));
    if (!found || !m.value.len) return OK;
    TRY(was_told(ctx, d, command, &again));
    if (again) return OK;
    SET(&commands, &c, device_id, d->row.id);
    SET(&commands, &c, command, str_of(command));
    SET(&commands, &c, reason,
        reason.len ? reason : S("passes.told")); /* a door does not stay shut for want of a word */
    SET(&commands, &c, until_ms, ctx->now_ms + PASS_OPEN_MS);
    SET(&commands, &c, passage_id, passage_id);
    return row_create(ctx, &commands, &c);
}

static enum err knock(struct ctx *ctx, void *arg) {
    struct knock *k = arg;
    struct device d = {0};
    bool found;
    TRY(pass_take(ctx, k->community_id, k->all, k->n, &k->verdict));
    enum pass_why why = k->verdict.why;
    if (k->verdict.is_repeat || why == PASS_NOWHERE || why == PASS_LATE) return OK;
    TRY(device_by_code(ctx, k->community_id, k->all[0].device, &d, &found));
    if (!found) return OK;
    if (why != PASS_GIVEN) return tell(ctx, &d, "refused", k->verdict.passage_id);
    TRY(tell(ctx, &d, "open", k->verdict.passage_id));
    return tell(ctx, &d, "granted", k->verdict.passage_id);
}

enum err pass_at_door(struct ctx *ctx, int64_t community_id, const struct passing *all, size_t n,
                      struct pass_verdict *ret) {
    struct knock k = {.community_id = community_id, .all = all, .n = n};
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = ctx_write(ctx, knock, &k);
    ctx->actor = actor;
    if (!e) *ret = k.verdict;
    return e;
}
