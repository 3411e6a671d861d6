/* How long passages are kept.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/passes/passes_internal.h"

#include "kernel/rows.h"
#include "kernel/search.h"
#include "kernel/setting.h"

#define PAGE            100
#define PAGE_BYTES      ((size_t)32 << 20)
#define PAGES_MAX       50 /* of a community in one run: of 5,000 an hour no estate has more */
#define COMMUNITIES_MAX 10000
#define DAY_MS          INT64_C(86400000)

struct erasing {
    int64_t community_id, before_ms;
    size_t n; /* that are gone */
};

/* With what the search knows of it, and what the audit holds of its values: that it was, and who has looked at it,
 * stays there. */
static enum err erase(struct ctx *ctx, int64_t id) {
    struct passage was = {0}, nothing = {.row.id = id};
    TRY(row_get(ctx, &passages, id, &was));
    TRY(search_put(ctx, &passages, &nothing, &was));
    struct db_val name = V_TEXT(str_of(passages.name));
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM search_docs WHERE resource = $1 AND row_id = $2",
                VALS(name, V_I64(id)), NULL));
    TRY(db_exec(ctx->db, &ctx->fault,
                "UPDATE audit SET before = NULL, after = NULL WHERE resource = $1 AND row_id = $2",
                VALS(name, V_I64(id)), NULL));
    TRY(db_exec(ctx->db, &ctx->fault, "UPDATE commands SET passage_id = NULL WHERE passage_id = $1", VALS(V_I64(id)),
                NULL));
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM passages WHERE id = $1", VALS(V_I64(id)), NULL);
}

/* Ids rise with the time at which they were made, so what is too old stands first. */
static enum err erase_page(struct ctx *ctx, void *arg) {
    struct erasing *e = arg;
    int64_t ids[PAGE], end = id_first_at(e->before_ms);
    struct db_rows rows = {0};
    e->n = 0;
    enum err err = db_query(ctx->db, &ctx->fault,
                            "SELECT id FROM passages WHERE id < $1 AND community_id = $2 ORDER BY id LIMIT $3",
                            VALS(V_I64(end), V_I64(e->community_id), V_I64(PAGE)), &rows);
    while (e->n < PAGE && db_more(&rows, &ctx->fault, &err)) ids[e->n++] = db_i64(&rows, 0);
    db_done(&rows);
    for (size_t i = 0; !err && i < e->n; i++) err = erase(ctx, ids[i]);
    return err;
}

static enum err erase_of(struct ctx *ctx, int64_t community_id) {
    struct arena *arena = ctx->arena, page;
    struct erasing e = {.community_id = community_id, .n = PAGE};
    int64_t days;
    enum err err = OK;
    TRY(setting_i64(ctx, community_id, PASS_KEPT, &days));
    e.before_ms = ctx->now_ms - days * DAY_MS;
    arena_init(&page, PAGE_BYTES);
    ctx->arena = &page;
    for (size_t i = 0; !err && i < PAGES_MAX && e.n == PAGE; i++) {
        arena_reset(&page);
        err = ctx_write(ctx, erase_page, &e);
    }
    ctx->arena = arena;
    arena_finish(&page);
    return err;
}

enum err passages_erase_old(struct ctx *ctx) {
    struct db_rows rows = {0};
    int64_t *ids = arena_new(ctx->arena, int64_t, COMMUNITIES_MAX);
    size_t n = 0;
    if (!ids) return FAIL_MEMORY(ctx);
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT id FROM communities ORDER BY id", NO_VALS, &rows);
    while (n < COMMUNITIES_MAX && db_more(&rows, &ctx->fault, &e)) ids[n++] = db_i64(&rows, 0);
    db_done(&rows);
    for (size_t i = 0; !e && i < n; i++) e = erase_of(ctx, ids[i]);
    return e;
}
