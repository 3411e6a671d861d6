/* Bytes in and out: uploads, and downloads through the row that holds the file.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "base/utf8.h"
#include "kernel/file.h"

#include <string.h>

static bool name_is_sane(struct str name) {
    size_t at = 0;
    int32_t c;
    if (!name.len || !utf8_is_valid(name)) return false;
    while ((c = utf8_next(name, &at)) >= 0)
        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\') return false;
    return true;
}

enum err files_upload(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct file_info f;
    struct str name;
    struct api_text b;
    TRY(api_query(ctx, call, "name", &name));
    if (!name.ptr) name = S("file");
    if (!name_is_sane(name)) return FAIL_FIELD(&ctx->fault, "name", "bad_text", 0);
    TRY(file_put(ctx, call->req->body, name, &f));
    api_text_open(&b, ctx);
    jw_put(&b.j, "{'id':$,'name':$,'type':$,'size_bytes':$}",
           JV(J_ID(f.id), J_STR(f.name), J_STR(f.type), J_I64(f.size_bytes)));
    ret->status = 201;
    return api_text_close(&b, ctx, ret);
}

static bool row_holds(const struct resource *r, const void *row, int64_t file_id) {
    for (size_t i = 0; i < r->fields_n; i++) {
        if (r->fields[i].kind != FIELD_FILE || !(((const struct row *)row)->has >> i & 1)) continue;
        const struct ids *ids = (const struct ids *)(const void *)((const char *)row + r->fields[i].at);
        if (ids_have(ids->ids, ids->n, file_id)) return true;
    }
    return false;
}

enum err rest_file(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct target *at = &call->unit->target;
    void *row;
    struct file_info f;
    struct buf b;
    TRY(target_row(ctx, at, &row));
    if (!row_holds(at->r, row, at->file_id))
        return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "this row holds no such file");
    TRY(file_infos(ctx, &at->file_id, 1, &f));
    TRY(answer_tag(ctx, call->req, (struct str){f.hash, 32}, ret));
    if (ret->status) return OK;
    ret->type = arena_cstr(ctx->arena, f.type);
    if (!ret->type) return FAIL_MEMORY(ctx);
    /* Only pictures are shown in place, everything else is saved. */
    buf_init_arena(&b, ctx->arena, 2048);
    http_disposition(&b, str_starts(f.type, S("image/")) ? "inline" : "attachment", f.name);
    if (b.overflow) return FAIL_MEMORY(ctx);
    TRY(answer_header(ctx, ret, "Content-Disposition", "%s", b.ptr));
    return file_read(ctx, &f, &ret->body);
}
