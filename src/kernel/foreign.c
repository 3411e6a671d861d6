/* Identity from outside.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/foreign.h"

enum err foreign_put(struct ctx *ctx, const struct resource *r, int64_t row_id, const struct foreign *foreign) {
    return db_exec(
        ctx->db, &ctx->fault,
        "INSERT INTO foreign_ids (resource, source, foreign_id, row_id, version, is_authority) VALUES ($1, $2, $3, $4, "
        "$5, $6) ON CONFLICT (resource, source, foreign_id) DO UPDATE SET row_id = $4, version = $5, is_authority = $6",
        VALS(V_TEXT(str_of(r->name)), V_TEXT(foreign->source), V_TEXT(foreign->id), V_I64(row_id),
             V_TEXT(foreign->version), V_I64(foreign->is_authority)),
        NULL);
}

enum err foreign_find(struct ctx *ctx, const struct resource *r, struct str source, struct str id, int64_t *ret_row_id,
                      bool *ret_found) {
    return db_one_i64(ctx->db, &ctx->fault,
                      "SELECT row_id FROM foreign_ids WHERE resource = $1 AND source = $2 AND foreign_id = $3",
                      VALS(V_TEXT(str_of(r->name)), V_TEXT(source), V_TEXT(id)), ret_row_id, ret_found);
}

enum err foreign_check(struct ctx *ctx, const struct resource *r, int64_t row_id) {
    int64_t one;
    bool found;
    if (ctx->actor.is_system) return OK; /* the importer acts as the system */
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT 1 FROM foreign_ids WHERE resource = $1 AND row_id = $2 AND is_authority = 1 LIMIT 1",
                   VALS(V_TEXT(str_of(r->name)), V_I64(row_id)), &one, &found));
    return found ? FAIL(&ctx->fault, ERR_DENIED, "mirrored", "this row is kept elsewhere; change it there") : OK;
}
