/* Files: what is known of them, who may attach and read them; their bytes are blobs.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "kernel/file.h"

#include "base/utf8.h"
#include "kernel/kernel_internal.h"
#include "store/blob.h"

#include <string.h>

static enum err insert(struct ctx *ctx, void *arg) {
    const struct file_info *f = arg;
    return db_exec(
        ctx->db, &ctx->fault,
        "INSERT INTO files (id, hash, name, type, size_bytes, at_ms, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        VALS(V_I64(f->id), V_TEXT(str_of(f->hash)), V_TEXT(f->name), V_TEXT(f->type), V_I64(f->size_bytes),
             V_I64(f->at_ms), V_I64(f->created_by)),
        NULL);
}

enum err file_put(struct ctx *ctx, struct bytes bytes, struct str name, struct file_info *ret) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    const struct blobs blobs = {o->io, o->files_dir};
    if (!o->files_dir) return FAIL(&ctx->fault, ERR_UNAVAILABLE, "no_files", "this installation keeps no files");
    if ((int64_t)bytes.len > FILE_SIZE_MAX)
        return FAIL(&ctx->fault, ERR_LIMIT, "too_large", "a file may have at most 20 MiB");
    if (!bytes.len) return FAIL_FIELD(&ctx->fault, "body", "required", 0);
    if (!utf8_is_valid(name) || utf8_count(name) > 120) return FAIL_FIELD(&ctx->fault, "name", "too_long", 120);
    struct file_info f = {.id = ctx->world->new_id(ctx->world->self),
                          .size_bytes = (int64_t)bytes.len,
                          .at_ms = ctx->now_ms,
                          .created_by = ctx->actor.user_id,
                          .name = name.len ? name : S("file"),
                          .type = blob_type(bytes)};
    TRY(blob_put(&blobs, bytes, f.hash, &ctx->fault));
    TRY(ctx_write(ctx, insert, &f));
    *ret = f;
    return OK;
}

struct stored {
    struct file_info info;
    struct str hash;
};
static const struct sql_shape stored_shape = SQL_SHAPE(
    struct stored, SQL_MEMBER(struct stored, info.id), SQL_MEMBER(struct stored, info.size_bytes),
    SQL_MEMBER(struct stored, info.at_ms), SQL_MEMBER(struct stored, info.created_by),
    SQL_MEMBER(struct stored, info.name), SQL_MEMBER(struct stored, info.type), SQL_MEMBER(struct stored, hash));

enum err file_infos(struct ctx *ctx, const int64_t *ids, size_t n, struct file_info *ret) {
    struct sql q = sql_of(ctx);
    struct sql_all all;
    size_t found = 0;
    if (!n) return OK;
    sql_put(&q, "SELECT id, size_bytes, at_ms, created_by, name, type, hash FROM files WHERE id IN $",
            PARTS(Q_IDS(ids, n)));
    TRY(sql_all(&q, &stored_shape, &all));
    for (size_t s = 0; s < all.n; s++)
        for (size_t i = 0; i < n; i++) {
            const struct stored *f = (const struct stored *)all.rows + s;
            if (ids[i] != f->info.id) continue;
            ret[i] = f->info;
            utf8_copy(ret[i].hash, sizeof ret[i].hash, f->hash);
            found++;
        }
    return found == n ? OK : FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such file");
}

enum err file_check_attach(struct ctx *ctx, const struct ids *now, const struct ids *before, bool *ret_may) {
    struct sql q = sql_of(ctx);
    int64_t n = 0;
    bool found;
    sql_put(&q, "SELECT COUNT(*) FROM files WHERE id IN $", PARTS(Q_IDS(now->ids, now->n)));
    if (!ctx->actor.is_system)
        sql_put(&q, " AND (created_by = $ OR id IN $)",
                PARTS(Q_I64(ctx->actor.user_id), Q_IDS(before->ids, before->n)));
    TRY(sql_one_i64(&q, &n, &found));
    *ret_may = n == (int64_t)now->n;
    return OK;
}

enum err file_read(struct ctx *ctx, const struct file_info *info, struct bytes *ret) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    uint8_t *mem = arena_alloc(ctx->arena, (size_t)info->size_bytes + 1, 1, 1);
    if (!mem) return FAIL_MEMORY(ctx);
    TRY(blob_get(&(struct blobs){o->io, o->files_dir}, info->hash, mem, (size_t)info->size_bytes, &ctx->fault));
    *ret = (struct bytes){mem, (size_t)info->size_bytes};
    return OK;
}
