/* Files: what is known of them, who may attach and read them; their bytes are blobs.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "kernel/file.h"

#include "base/utf8.h"
#include "kernel/kernel_internal.h"
#include "store/blob.h"

#include <string.h>

static struct str sniff(struct bytes b) {
    static const struct {
        const char *magic;
        size_t n, at;
        const char *type;
    } kinds[] = {{"\xff\xd8\xff", 3, 0, "image/jpeg"},
                 {"\x89PNG\r\n\x1a\n", 8, 0, "image/png"},
                 {"WEBP", 4, 8, "image/webp"},
                 {"%PDF-", 5, 0, "application/pdf"}};
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (b.len >= kinds[i].at + kinds[i].n && !memcmp(b.ptr + kinds[i].at, kinds[i].magic, kinds[i].n))
            return str_of(kinds[i].type);
    if (b.len && utf8_is_valid((struct str){(const char *)b.ptr, b.len})) return S("text/plain; charset=utf-8");
    return S("application/octet-stream");
}

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
                          .type = sniff(bytes)};
    TRY(blob_put(&blobs, bytes, f.hash, &ctx->fault));
    TRY(ctx_write(ctx, insert, &f));
    *ret = f;
    return OK;
}

enum err file_infos(struct ctx *ctx, const int64_t *ids, size_t n, struct file_info *ret) {
    struct sql q;
    struct db_rows rows = {0};
    size_t found = 0;
    if (!n) return OK;
    sql_init(&q, ctx->arena);
    sql_add(&q, "SELECT id, hash, name, type, size_bytes, at_ms, created_by FROM files WHERE id IN ");
    sql_list(&q, ids, n);
    enum err e = sql_query(ctx, &q, &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        for (size_t i = 0; !e && i < n; i++) {
            if (ids[i] != db_i64(&rows, 0)) continue;
            struct file_info *f = &ret[i];
            *f = (struct file_info){.id = ids[i],
                                    .size_bytes = db_i64(&rows, 4),
                                    .at_ms = db_i64(&rows, 5),
                                    .created_by = db_i64(&rows, 6)};
            struct str hash = db_text(&rows, 1);
            memcpy(f->hash, hash.ptr, hash.len < 64 ? hash.len : 64);
            if (!arena_str(ctx->arena, db_text(&rows, 2), &f->name) ||
                !arena_str(ctx->arena, db_text(&rows, 3), &f->type))
                e = FAIL_MEMORY(ctx);
            found++;
        }
    }
    db_done(&rows);
    if (!e && found != n) e = FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such file");
    return e;
}

enum err file_check_attach(struct ctx *ctx, const struct ids *now, const struct ids *before) {
    struct file_info *infos = arena_new(ctx->arena, struct file_info, now->n + 1);
    if (!infos) return FAIL_MEMORY(ctx);
    TRY(file_infos(ctx, now->ids, now->n, infos));
    for (size_t i = 0; i < now->n; i++) {
        bool had = infos[i].created_by == ctx->actor.user_id || ids_have(before->ids, before->n, now->ids[i]);
        if (!had && !ctx->actor.is_system)
            return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such file");
    }
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
