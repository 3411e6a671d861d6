/* Rows over HTTP: what each method does to a resource.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "kernel/row_json.h"

#include <string.h>

/* ---- answers with one row ---- */

enum err api_row(struct ctx *ctx, const struct resource *r, const void *row, struct api_answer *ret) {
    struct api_text b;
    api_text_open(&b, ctx);
    TRY(rows_write(ctx, r, row, 1, false, &b.j));
    TRY(answer_header(ctx, ret, "ETag", "\"%lld\"", (long long)((const struct row *)row)->version));
    return api_text_close(&b, ctx, ret);
}

/* If-Match: the version the caller saw; 0 without one.  Anything that cannot be a version of ours is stale. */
static enum err if_match(struct ctx *ctx, const struct http_request *req, int64_t *ret) {
    if (http_if_match(req, ret)) return OK;
    return FAIL(&ctx->fault, ERR_STALE, "stale_version", "If-Match names no version of this row");
}

static enum err body_object(struct ctx *ctx, const struct api_call *call, json_t **ret) {
    TRY(api_body(ctx, call, ret));
    if (json_is_object(*ret)) return OK;
    return FAIL(&ctx->fault, ERR_INVALID, "bad_type", "the body must be a JSON object");
}

/* Nothing may be in it but these fields and words. */
static enum err only(struct ctx *ctx, const struct resource *r, json_t *object, uint64_t fields, const char *words) {
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        size_t i = field_index(r, key);
        bool is_field = i != NO_FIELD && (fields >> i & 1);
        if (!is_field && !word_in(words, str_of(key))) (void)FAIL_FIELD(&ctx->fault, key, "unknown_field", 0);
    }
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

static enum err create(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct resource *r = call->unit->target.r;
    struct row *row = row_new(ctx, r);
    json_t *object, *rest;
    uint64_t fields;
    if (!row) return FAIL_MEMORY(ctx);
    if (r->select || !(resource_verbs(ctx, r) & CREATE))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not create %s", r->name);
    TRY(body_object(ctx, call, &object));
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

/* Of the row that the address names. */
struct change {
    const struct resource *r;
    int64_t id, version;
    json_t *object; /* the body; NULL: none */
    void *row, *in; /* as it is, and as it will be | what the body says */
    uint64_t fields;
};

static enum err change_begin(struct ctx *ctx, const struct api_call *call, bool needs_body, struct change *ret) {
    const struct target *at = &call->unit->target;
    *ret = (struct change){.r = at->r, .id = at->id, .in = row_new(ctx, at->r)};
    if (!ret->in) return FAIL_MEMORY(ctx);
    TRY(target_row(ctx, at, &ret->row));
    TRY(if_match(ctx, call->req, &ret->version));
    return needs_body || call->req->body.len ? body_object(ctx, call, &ret->object) : OK;
}

static enum err patch(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct change c;
    TRY(change_begin(ctx, call, true, &c));
    TRY(row_read_json(ctx, c.r, c.object, fields_patchable(c.r), c.in, &c.fields));
    TRY(row_update(ctx, c.r, c.id, c.version, c.in, c.fields, c.row));
    return api_row(ctx, c.r, c.row, ret);
}

static enum err step(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const char *name = call->unit->target.step;
    struct change c;
    TRY(change_begin(ctx, call, false, &c));
    uint64_t takes = fields_of_step(c.r, name, false);
    TRY(only(ctx, c.r, c.object, takes, ""));
    if (c.object) TRY(row_read_json(ctx, c.r, c.object, takes, c.in, &c.fields));
    struct str reason = json_text(json_object_get(c.object, "reason"));
    if (reason.len) ctx->reason = reason;
    TRY(row_act(ctx, c.r, c.id, c.version, name, c.in, c.fields, c.row));
    return api_row(ctx, c.r, c.row, ret);
}

static enum err archive(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct target *at = &call->unit->target;
    int64_t version;
    TRY(if_match(ctx, call->req, &version));
    TRY(row_archive(ctx, at->r, at->id, version));
    ret->status = 204;
    return OK;
}

static enum err restore(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct change c;
    TRY(change_begin(ctx, call, false, &c));
    TRY(only(ctx, c.r, c.object, 0, ""));
    TRY(row_restore(ctx, c.r, c.id, c.version, c.row));
    return api_row(ctx, c.r, c.row, ret);
}

/* ---- reveal ---- */

static enum err reveal_fields(struct ctx *ctx, const struct resource *r, json_t *object, uint64_t *ret) {
    json_t *name, *list = json_object_get(object, "fields");
    size_t n;
    (void)only(ctx, r, object, 0, "fields reason"); /* found out with the rest */
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

static enum err reveal(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct target *at = &call->unit->target;
    void *row;
    json_t *object;
    uint64_t fields;
    struct api_text b;
    TRY(target_row(ctx, at, &row));
    TRY(body_object(ctx, call, &object));
    TRY(reveal_fields(ctx, at->r, object, &fields));
    ctx->reason = json_text(json_object_get(object, "reason"));
    TRY(row_reveal(ctx, at->r, at->id, fields, row));
    ret->is_once = true; /* nothing revealed is kept, and each reveal is logged */
    api_text_open(&b, ctx);
    jw_open(&b.j, '{');
    row_write_json(&b.j, at->r, row, fields, ~UINT32_C(0));
    jw_close(&b.j, '}');
    return api_text_close(&b, ctx, ret);
}

/* ---- read: a page and its labels see one state of the store ---- */

static enum err list(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct resource *r = call->unit->target.r;
    struct list_query *q = arena_new(ctx->arena, struct list_query, 1);
    struct list_page page;
    struct api_text b;
    bool csv;
    if (!q) return FAIL_MEMORY(ctx);
    TRY(list_parse(ctx, r, call->req->query, q, &csv));
    if (csv) return csv_answer(ctx, r, q, ret);
    TRY(row_list(ctx, r, q, &page));
    api_text_open(&b, ctx);
    jw_put(&b.j, "{'items':[", NO_JV);
    TRY(rows_write(ctx, r, page.rows, page.n, true, &b.j));
    jw_put(&b.j, "],'next':$,'total':$}", JV(J_STR(page.next), J_IF(page.total >= 0, J_I64(page.total))));
    return api_text_close(&b, ctx, ret);
}

static enum err get(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct target *at = &call->unit->target;
    void *row;
    TRY(target_row(ctx, at, &row));
    return api_row(ctx, at->r, row, ret);
}

/* ---- what every resource answers to ---- */

#define ROWS_AT "/api/v1/{resource}"
#define ROW_AT  ROWS_AT "/{id}"
#define LIST    "limit cursor q sort filter archived format"
#define WRITE   "id if_match idempotency_key"
const struct rest_route rest_routes[] = {
    {REST_ROWS, {"GET", ROWS_AT, 0, 0, list, "A page of rows"}, {"list", LIST, NULL, "200", "page"}},
    {REST_ROWS, {"POST", ROWS_AT, 0, 0, create, "Create a row"}, {"create", "idempotency_key", "create", "201", "row"}},
    {REST_ROW, {"GET", ROW_AT, 0, 0, get, "One row"}, {"get", "id", NULL, "200", "row"}},
    {REST_ROW, {"PATCH", ROW_AT, 0, 0, patch, "Change some fields"}, {"update", WRITE, "patch", "200", "row"}},
    {REST_ROW, {"DELETE", ROW_AT, 0, 0, archive, "Archive"}, {"archive", WRITE, NULL, "204", NULL, true}},
    {REST_ROW,
     {"GET", ROW_AT "/history", 0, 0, rest_history, "What happened to it"},
     {"history", "id", NULL, "200", "History"}},
    {REST_ROW, {"POST", ROW_AT "/restore", 0, 0, restore, "Bring back"}, {"restore", WRITE, NULL, "200", "row", true}},
    {REST_ROW,
     {"POST", ROW_AT "/reveal", 0, 0, reveal, "Clear values, with a reason, logged"},
     {"reveal", "id", "Reveal", "200", "reveal"}},
    {REST_FILE,
     {"GET", ROW_AT "/files/{file_id}", 0, 0, rest_file, "The bytes of a file"},
     {"file", "id file_id", NULL, "200", NULL}},
    {REST_STEP,
     {"POST", ROW_AT "/{step}", 0, 0, step, "Step {step}"},
     {"step_{step}", WRITE, "step_{step}", "200", "row"}},
};
const size_t rest_routes_n = COUNT(rest_routes);
