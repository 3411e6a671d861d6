/* Rows over HTTP: what each method does to a resource.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "kernel/row_json.h"

#include <string.h>

/* ---- answers with one row ---- */

enum err api_row(struct ctx *ctx, const struct resource *r, const void *row, struct api_answer *ret) {
    struct body b;
    body_open(&b, ctx);
    TRY(rows_write(ctx, r, row, 1, false, &b.j));
    TRY(answer_header(ctx, ret, "ETag", "\"%lld\"", (long long)((const struct row *)row)->version));
    return body_close(&b, ctx, ret);
}

/* If-Match: the version the caller saw; 0 without one.  Anything that cannot be a version of ours is stale. */
static enum err if_match(struct ctx *ctx, const struct http_request *req, int64_t *ret) {
    if (http_if_match(req, ret)) return OK;
    return FAIL(&ctx->fault, ERR_STALE, "stale_version", "If-Match names no version of this row");
}

static enum err body_object(struct ctx *ctx, const struct api_unit *u, json_t **ret) {
    TRY(api_body(ctx, &u->call, ret));
    if (json_is_object(*ret)) return OK;
    return FAIL(&ctx->fault, ERR_INVALID, "bad_type", "the body must be a JSON object");
}

/* Steps and restores may come without any body. */
static enum err optional_object(struct ctx *ctx, const struct api_unit *u, json_t **ret) {
    *ret = NULL;
    return u->req->body.len ? body_object(ctx, u, ret) : OK;
}

static enum err refuse_keys(struct ctx *ctx, json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)(void) FAIL_FIELD(&ctx->fault, key, "unknown_field", 0);
    return ctx->fault.kind;
}

/* ---- create ---- */

/* Who reaches several communities says which; it is no field, so it is taken out of the object. */
static enum err take_community(struct ctx *ctx, const struct resource *r, json_t *object, json_t **ret_rest,
                               int64_t *ret) {
    json_t *value = json_object_get(object, "community_id");
    int64_t one = 0;
    bool found = false;
    *ret_rest = object;
    if (!value || (r->flags & INSTALLATION)) return OK;
    if (!json_is_string(value) || !str_to_i64(json_text(value), ret) || *ret <= 0)
        return FAIL_FIELD(&ctx->fault, "community_id", "bad_ref", 0);
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT 1 FROM communities WHERE id = $1", VALS(V_I64(*ret)), &one, &found));
    if (!found) return FAIL_FIELD(&ctx->fault, "community_id", "bad_ref", 0);
    *ret_rest = json_copy(object); /* shallow: the unit may run again */
    if (!*ret_rest) return FAIL_MEMORY(ctx);
    json_object_del(*ret_rest, "community_id");
    return OK;
}

static enum err create(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    const struct resource *r = u->target.r;
    struct row *row = row_new(ctx, r);
    json_t *object, *rest;
    uint64_t fields;
    if (!row) return FAIL_MEMORY(ctx);
    if (r->select || !(resource_verbs(ctx, r) & CREATE))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not create %s", r->name);
    TRY(body_object(ctx, u, &object));
    TRY(take_community(ctx, r, object, &rest, &row->community_id));
    enum err e = row_read_json(ctx, r, rest, fields_creatable(r), row, &fields);
    if (rest != object) json_decref(rest);
    TRY(e);
    TRY(row_create(ctx, r, row));
    ret->status = 201;
    TRY(answer_header(ctx, ret, "Location", "/api/v1/%s/%lld", r->name, (long long)row->id));
    return api_row(ctx, r, row, ret);
}

/* ---- change ---- */

static enum err patch(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    const struct resource *r = u->target.r;
    void *in = row_new(ctx, r), *row = row_new(ctx, r);
    json_t *object;
    int64_t version;
    uint64_t fields;
    if (!in || !row) return FAIL_MEMORY(ctx);
    TRY(row_get(ctx, r, u->target.id, row));
    TRY(if_match(ctx, u->req, &version));
    TRY(body_object(ctx, u, &object));
    TRY(row_read_json(ctx, r, object, fields_patchable(r), in, &fields));
    TRY(row_update(ctx, r, u->target.id, version, in, fields, row));
    return api_row(ctx, r, row, ret);
}

static enum err step(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    const struct resource *r = u->target.r;
    void *in = row_new(ctx, r), *row = row_new(ctx, r);
    uint64_t fields = 0, takes = fields_of_step(r, u->target.step, false);
    json_t *object, *value;
    const char *key;
    int64_t version;
    if (!in || !row) return FAIL_MEMORY(ctx);
    TRY(row_get(ctx, r, u->target.id, row));
    TRY(if_match(ctx, u->req, &version));
    TRY(optional_object(ctx, u, &object));
    if (object) {
        json_object_foreach(object, key, value) {
            size_t i = field_index(r, key);
            if (i == NO_FIELD || !(takes >> i & 1)) (void)FAIL_FIELD(&ctx->fault, key, "unknown_field", 0);
        }
        if (ctx->fault.kind) return ctx->fault.kind;
        TRY(row_read_json(ctx, r, object, takes, in, &fields));
        struct str reason = json_text(json_object_get(object, "reason"));
        if (reason.len) ctx->reason = reason;
    }
    TRY(row_act(ctx, r, u->target.id, version, u->target.step, in, fields, row));
    return api_row(ctx, r, row, ret);
}

static enum err archive(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    int64_t version;
    TRY(if_match(ctx, u->req, &version));
    TRY(row_archive(ctx, u->target.r, u->target.id, version));
    ret->status = 204;
    return OK;
}

static enum err restore(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    void *row = row_new(ctx, u->target.r);
    json_t *object;
    int64_t version;
    if (!row) return FAIL_MEMORY(ctx);
    TRY(if_match(ctx, u->req, &version));
    TRY(optional_object(ctx, u, &object));
    if (object) TRY(refuse_keys(ctx, object));
    TRY(row_restore(ctx, u->target.r, u->target.id, version, row));
    return api_row(ctx, u->target.r, row, ret);
}

/* ---- reveal ---- */

static enum err reveal_fields(struct ctx *ctx, const struct resource *r, json_t *object, uint64_t *ret) {
    json_t *value, *name, *list = json_object_get(object, "fields");
    const char *key;
    size_t n;
    json_object_foreach(object, key, value) {
        if (strcmp(key, "fields") && strcmp(key, "reason")) (void)FAIL_FIELD(&ctx->fault, key, "unknown_field", 0);
    }
    if (list && !json_is_array(list)) (void)FAIL_FIELD(&ctx->fault, "fields", "bad_type", 0);
    *ret = 0;
    json_array_foreach(list, n, name) {
        size_t i = field_index_str(r, json_text(name));
        if (i == NO_FIELD || r->fields[i].class == SECRET)
            (void)FAIL_FIELD(&ctx->fault, "fields", "bad_choice", 0);
        else
            *ret |= UINT64_C(1) << i;
    }
    return ctx->fault.kind;
}

static enum err reveal(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    const struct resource *r = u->target.r;
    void *row = row_new(ctx, r);
    json_t *object;
    uint64_t fields;
    struct body b;
    if (!row) return FAIL_MEMORY(ctx);
    TRY(row_get(ctx, r, u->target.id, row));
    TRY(body_object(ctx, u, &object));
    TRY(reveal_fields(ctx, r, object, &fields));
    ctx->reason = json_text(json_object_get(object, "reason"));
    TRY(row_reveal(ctx, r, u->target.id, fields, row));
    ret->is_once = true; /* nothing revealed is kept, and each reveal is logged */
    body_open(&b, ctx);
    jw_open(&b.j, '{');
    row_write_json(&b.j, r, row, fields, ~UINT32_C(0));
    jw_close(&b.j, '}');
    return body_close(&b, ctx, ret);
}

/* ---- read ---- */

/* Runs in a transaction: a page and its labels see one state of the store. */
struct read {
    const struct api_unit *u;
    struct api_answer *ret;
};

static enum err read_list(struct ctx *ctx, void *arg) {
    const struct read *read = arg;
    const struct resource *r = read->u->target.r;
    struct list_query *q = arena_new(ctx->arena, struct list_query, 1);
    struct list_page page;
    struct body b;
    bool csv;
    if (!q) return FAIL_MEMORY(ctx);
    TRY(list_parse(ctx, r, read->u->req->query, q, &csv));
    if (csv) return csv_answer(ctx, r, q, read->ret);
    TRY(row_list(ctx, r, q, &page));
    body_open(&b, ctx);
    jw_put(&b.j, "{'items':[", NO_JV);
    TRY(rows_write(ctx, r, page.rows, page.n, true, &b.j));
    jw_put(&b.j, "],'next':$,'total':$}", JV(J_STR(page.next), J_IF(page.total >= 0, J_I64(page.total))));
    return body_close(&b, ctx, read->ret);
}

static enum err list(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    return ctx_read(ctx, read_list, &(struct read){u, ret});
}

static enum err read_row(struct ctx *ctx, void *arg) {
    const struct read *read = arg;
    const struct resource *r = read->u->target.r;
    void *row = row_new(ctx, r);
    if (!row) return FAIL_MEMORY(ctx);
    TRY(row_get(ctx, r, read->u->target.id, row));
    return api_row(ctx, r, row, read->ret);
}

static enum err get(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    return ctx_read(ctx, read_row, &(struct read){u, ret});
}

#define ROWS_AT "/api/v1/{resource}"
const struct rest_route rest_routes[] = {
    {"GET", ROWS_AT, REST_ROWS, list},
    {"POST", ROWS_AT, REST_ROWS, create},
    {"GET", ROWS_AT "/{id}", REST_ROW, get},
    {"PATCH", ROWS_AT "/{id}", REST_ROW, patch},
    {"DELETE", ROWS_AT "/{id}", REST_ROW, archive},
    {"GET", ROWS_AT "/{id}/history", REST_ROW, rest_history},
    {"POST", ROWS_AT "/{id}/restore", REST_ROW, restore},
    {"POST", ROWS_AT "/{id}/reveal", REST_ROW, reveal},
    {"POST", ROWS_AT "/{id}/{step}", REST_STEP, step},
    {"GET", ROWS_AT "/{id}/files/{file_id}", REST_FILE, rest_file},
};
const size_t rest_routes_n = COUNT(rest_routes);
