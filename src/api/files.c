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
    struct body b;
    TRY(api_query(ctx, call, "name", &name));
    if (!name.ptr) name = S("file");
    if (!name_is_sane(name)) return FAIL_FIELD(&ctx->fault, "name", "bad_text", 0);
    TRY(file_put(ctx, call->req->body, name, &f));
    body_open(&b, ctx);
    jw_put(&b.j, "{'id':$,'name':$,'type':$,'size_bytes':$}",
           JV(J_ID(f.id), J_STR(f.name), J_STR(f.type), J_I64(f.size_bytes)));
    ret->status = 201;
    return body_close(&b, ctx, ret);
}

static bool row_holds(const struct resource *r, const void *row, int64_t file_id) {
    for (size_t i = 0; i < r->fields_n; i++) {
        if (r->fields[i].kind != FIELD_FILE || !(((const struct row *)row)->has >> i & 1)) continue;
        const struct ids *ids = (const struct ids *)(const void *)((const char *)row + r->fields[i].at);
        for (size_t k = 0; k < ids->n; k++)
            if (ids->ids[k] == file_id) return true;
    }
    return false;
}

/* RFC 6266 with RFC 8187: only pictures are shown in place, everything else is saved. */
static enum err disposition(struct ctx *ctx, const struct file_info *f, struct api_answer *ret) {
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, 2048);
    buf_cstr(&b, str_starts(f->type, S("image/")) ? "inline" : "attachment");
    buf_cstr(&b, "; filename*=UTF-8''");
    for (size_t i = 0; i < f->name.len; i++) {
        unsigned char c = (unsigned char)f->name.ptr[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-')
            buf_char(&b, (char)c);
        else
            buf_fmt(&b, "%%%02X", c);
    }
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    return answer_header(ctx, ret, "Content-Disposition", STR_FMT, STR_ARG(text));
}

enum err rest_file(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    const struct resource *r = u->target.r;
    void *row = row_new(ctx, r);
    struct file_info f;
    if (!row) return FAIL_MEMORY(ctx);
    TRY(row_get(ctx, r, u->target.id, row));
    if (!row_holds(r, row, u->target.file_id))
        return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "this row holds no such file");
    TRY(file_infos(ctx, &u->target.file_id, 1, &f));
    TRY(answer_header(ctx, ret, "ETag", "\"%.32s\"", f.hash));
    TRY(answer_header(ctx, ret, "Cache-Control", "private, no-cache"));
    if (is_same_tag(u->req, (struct str){f.hash, 32})) {
        ret->status = 304;
        return OK;
    }
    ret->type = arena_cstr(ctx->arena, f.type);
    if (!ret->type) return FAIL_MEMORY(ctx);
    TRY(disposition(ctx, &f, ret));
    return file_read(ctx, &f, &ret->body);
}
