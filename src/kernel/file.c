/* Files: content-addressed bytes, sharded by hash.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/file.h"

#include "base/utf8.h"
#include "kernel/kernel_internal.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define PATH_SIZE 1024

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

static void path_of(struct buf *b, const struct kernel_options *o, const char *hash, bool folder, bool temporary) {
    buf_fmt(b, "%s/%.2s", o->files_dir, hash);
    if (!folder) buf_fmt(b, "/%s%s", hash, temporary ? ".new" : "");
}

static enum err disk(struct ctx *ctx, int64_t code) {
    if (code == -ENOSPC)
        return FAIL(&ctx->fault, ERR_UNAVAILABLE, "disk_full", "the disk is full; the file was not kept");
    return FAIL(&ctx->fault, ERR_UNAVAILABLE, "store_unavailable", "the file store cannot be used now");
}

/* Whole and durable under its name, or not there at all. */
static enum err write_bytes(struct ctx *ctx, const char *hash, struct bytes bytes) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    char folder[PATH_SIZE], path[PATH_SIZE], temporary[PATH_SIZE];
    struct buf b[3];
    buf_init(&b[0], folder, sizeof folder);
    buf_init(&b[1], path, sizeof path);
    buf_init(&b[2], temporary, sizeof temporary);
    path_of(&b[0], o, hash, true, false);
    path_of(&b[1], o, hash, false, false);
    path_of(&b[2], o, hash, false, true);
    if (b[2].overflow) return FAIL(&ctx->fault, ERR_INTERNAL, "path", "the path of the file store is too long");
    const struct io *io = o->io;
    int64_t there = io->open(io->self, path, IO_READ);
    if (there >= 0) {
        bool whole = io->size(io->self, there) == (int64_t)bytes.len;
        io->close(io->self, there);
        if (whole) return OK;
    }
    int64_t code = io->make_dir(io->self, folder);
    int64_t file = code < 0 ? code : io->open(io->self, temporary, IO_CREATE);
    if (file < 0) return disk(ctx, file);
    code = io->truncate(io->self, file, 0);
    for (size_t at = 0; code >= 0 && at < bytes.len; at += (size_t)code) {
        code = io->write(io->self, file, bytes.ptr + at, bytes.len - at, (int64_t)at);
        if (code == 0) code = -EIO;
    }
    if (code >= 0) code = io->sync(io->self, file);
    io->close(io->self, file);
    if (code >= 0) code = io->rename(io->self, temporary, path);
    if (code >= 0) code = io->sync_dir(io->self, folder);
    return code < 0 ? disk(ctx, code) : OK;
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
    uint8_t sum[crypto_hash_sha256_BYTES];
    if (!kernel_options(ctx->kernel)->files_dir)
        return FAIL(&ctx->fault, ERR_UNAVAILABLE, "no_files", "this installation keeps no files");
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
    crypto_hash_sha256(sum, bytes.ptr, bytes.len);
    sodium_bin2hex(f.hash, sizeof f.hash, sum, sizeof sum);
    TRY(write_bytes(ctx, f.hash, bytes));
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
        bool had = ctx->actor.is_system || infos[i].created_by == ctx->actor.user_id;
        for (size_t j = 0; !had && j < before->n; j++) had = before->ids[j] == now->ids[i];
        if (!had) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such file");
    }
    return OK;
}

enum err file_read(struct ctx *ctx, const struct file_info *info, struct bytes *ret) {
    const struct kernel_options *o = kernel_options(ctx->kernel);
    char path[PATH_SIZE], hash[65];
    uint8_t sum[crypto_hash_sha256_BYTES], *mem = arena_alloc(ctx->arena, (size_t)info->size_bytes + 1, 1, 1);
    struct buf b;
    if (!o->files_dir || !mem) return o->files_dir ? FAIL_MEMORY(ctx) : disk(ctx, -EIO);
    buf_init(&b, path, sizeof path);
    path_of(&b, o, info->hash, false, false);
    int64_t file = o->io->open(o->io->self, path, IO_READ), got = 0;
    if (file < 0) return disk(ctx, file);
    size_t len = 0;
    while (len < (size_t)info->size_bytes &&
           (got = o->io->read(o->io->self, file, mem + len, (size_t)info->size_bytes - len, (int64_t)len)) > 0)
        len += (size_t)got;
    o->io->close(o->io->self, file);
    crypto_hash_sha256(sum, mem, len);
    sodium_bin2hex(hash, sizeof hash, sum, sizeof sum);
    if (strcmp(hash, info->hash)) return FAIL(&ctx->fault, ERR_CORRUPT, "file_damaged", "the stored file is damaged");
    *ret = (struct bytes){mem, len};
    return OK;
}
