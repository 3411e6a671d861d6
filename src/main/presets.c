/* The presets as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "main/presets.h"

#include "kernel/row_json.h"
#include "kernel/rows.h"
#include "main/assets.h"

#include <string.h>

#define FOLDER "presets/"

/* Archived ones too: who took a model out does not want it back. */
static enum err has_code(struct ctx *ctx, const struct resource *r, struct str code, bool *ret) {
    char query[120];
    int64_t id;
    struct buf b;
    buf_init(&b, query, sizeof query);
    buf_fmt(&b, "SELECT id FROM %s WHERE code = $1 LIMIT 1", r->name);
    return db_one_i64(ctx->db, &ctx->fault, query, VALS(V_TEXT(code)), &id, ret);
}

static enum err put_row(struct ctx *ctx, const struct resource *r, const json_t *object, const char *path) {
    struct str code = json_text(json_object_get(object, "code"));
    void *row = row_new(ctx, r);
    uint64_t fields;
    bool found;
    if (!row) return FAIL_MEMORY(ctx);
    TRY(has_code(ctx, r, code, &found));
    if (found) return OK;
    enum err e = row_read_json(ctx, r, object, fields_creatable(r), row, &fields);
    if (!e) e = row_create(ctx, r, row);
    if (e != ERR_INVALID) return e;
    struct fault why = ctx->fault;
    return FAIL(&ctx->fault, e, "presets", "%s, " STR_FMT ": %s %s", path, STR_ARG(code),
                why.fields_n ? why.fields[0].field : why.text, why.fields_n ? why.fields[0].code : "");
}

static enum err put_file(struct ctx *ctx, const struct asset *a) {
    struct str name = str_of(a->path + strlen(FOLDER)), resource;
    json_t *all = NULL;
    if (!str_cut(&name, '/', &resource)) return OK;
    const struct resource *r = kernel_resource(ctx->kernel, resource);
    if (!r) return FAIL(&ctx->fault, ERR_INVALID, "presets", "%s: there is no such resource", a->path);
    TRY(json_read((struct str){a->begin, (size_t)(a->end - a->begin)}, &all, &ctx->fault));
    enum err e = OK;
    for (size_t i = 0; !e && i < json_array_size(all); i++) e = put_row(ctx, r, json_array_get(all, i), a->path);
    json_decref(all);
    return e;
}

static enum err put_all(struct ctx *ctx, void *unused) {
    (void)unused;
    for (size_t i = 0; i < assets_n; i++)
        if (!strncmp(assets[i].path, FOLDER, strlen(FOLDER))) TRY(put_file(ctx, &assets[i]));
    return OK;
}

enum err presets_load(struct ctx *ctx, void *unused) {
    return ctx_write(ctx, put_all, unused);
}
