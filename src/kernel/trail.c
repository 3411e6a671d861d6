/* What every change leaves behind: one audit row with old and new values.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"
#include "kernel/row_json.h"

#define AUDIT_JSON_MAX (256u * 1024)

/* Protected values stand in the audit like in their table: behind a key-version byte (0 = plain). */
static struct db_val snapshot(struct ctx *ctx, const struct known *kn, const void *row, uint64_t fields, bool mask) {
    if (!row) return V_NULL;
    struct buf b;
    struct jw j;
    buf_init_arena(&b, ctx->arena, AUDIT_JSON_MAX);
    buf_char(&b, 0);
    jw_init(&j, &b);
    jw_open(&j, '{');
    row_write_json(&j, kn->r, row, fields, mask ? 0 : ~UINT32_C(0));
    jw_close(&j, '}');
    struct str text;
    if (!buf_done(&b, &text)) return V_NULL;
    return V_BLOB(((struct bytes){(const uint8_t *)text.ptr, text.len}));
}

/* Of which he acted: those that he had where the row is.  An installation's rows are nowhere: all of them. */
static struct db_val roles_there(struct ctx *ctx, int64_t community_id) {
    uint64_t bits = 0;
    struct buf b;
    struct str words = {NULL, 0};
    for (size_t i = 0; i < ctx->actor.scopes_n; i++) {
        const struct scope *s = &ctx->actor.scopes[i];
        const int64_t *communities;
        size_t n = scope_communities(s, &communities);
        if (!community_id || !s->place_id || ids_have(communities, n, community_id)) bits |= s->roles;
    }
    buf_init_arena(&b, ctx->arena, 4096);
    for (size_t i = 0; i < ROLES_MAX; i++)
        if (bit_has(bits, i)) buf_fmt(&b, "%s%s", b.len ? " " : "", kernel_role_name(ctx->kernel, i));
    return buf_done(&b, &words) ? V_TEXT(words) : V_NULL;
}

enum err audit_write(struct ctx *ctx, const struct known *kn, int64_t id, int64_t community_id,
                     const struct change *c) {
    struct db_val before = snapshot(ctx, kn, c->before, c->fields, c->mask),
                  after = snapshot(ctx, kn, c->after, c->fields, c->mask);
    if ((c->before && before.type == DB_NULL) || (c->after && after.type == DB_NULL)) return FAIL_MEMORY(ctx);
    const struct actor *a = &ctx->actor;
    return db_exec(
        ctx->db, &ctx->fault,
        "INSERT INTO audit (id, at_ms, community_id, resource, row_id, verb, step, user_id, person_id, actor, "
        "before, after, reason, trace, roles) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
        "$15)",
        VALS(V_I64(ctx->world->new_id(ctx->world->self)), V_I64(ctx->now_ms), V_I64(community_id),
             V_TEXT(str_of(kn->r->name)), V_I64(id), V_TEXT(str_of(c->verb)), V_TEXT(str_of(c->step)),
             V_I64(a->user_id), V_I64(a->person_id), V_TEXT(a->name), before, after, V_TEXT(ctx->reason),
             V_TEXT(ctx->trace), roles_there(ctx, community_id)),
        NULL);
}
