/* Idempotency keys: the look-up, the write and the kept answer are one transaction.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "api/api_internal.h"

#define KEEP_MS (INT64_C(24) * 3600 * 1000)
#define KEY_MAX 128

struct attempt {
    const struct api_unit *u;
    struct api_answer *ret;
    struct str key;
    char request[HASH_SIZE]; /* hash of method, target and body */
    bool raced;              /* somebody kept the same key at the same time */
};

static void hash_request(const struct http_request *req, char ret[HASH_SIZE]) {
    const struct str method = str_of(http_method_name(req->method)),
                     parts[] = {{method.ptr, method.len + 1},
                                req->target,
                                {"", 1},
                                {(const char *)req->body.ptr, req->body.len}};
    hash_text(parts, COUNT(parts), ret);
}

/* Kept as header lines, an empty line and the body. */
static enum err pack(struct ctx *ctx, const struct api_answer *a, struct bytes *ret) {
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, ANSWER_MAX);
    if (a->body.len) buf_fmt(&b, "Content-Type: %s\n", a->type ? a->type : "application/json");
    for (size_t i = 0; i < a->headers_n; i++)
        buf_fmt(&b, STR_FMT ": " STR_FMT "\n", STR_ARG(a->headers[i].name), STR_ARG(a->headers[i].value));
    buf_char(&b, '\n');
    buf_add(&b, a->body.ptr, a->body.len);
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    *ret = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

static enum err unpack(struct ctx *ctx, int64_t status, struct bytes kept, struct api_answer *ret) {
    struct str rest, line, name;
    *ret = (struct api_answer){.status = (int)status};
    if (!arena_str(ctx->arena, (struct str){(const char *)kept.ptr, kept.len}, &rest)) return FAIL_MEMORY(ctx);
    while (str_cut(&rest, '\n', &line) && line.len) {
        if (!str_cut(&line, ':', &name) || !line.ptr || ret->headers_n + 1 == COUNT(ret->headers))
            return FAIL(&ctx->fault, ERR_CORRUPT, "stored", "a kept answer is damaged");
        ret->headers[ret->headers_n++] = (struct http_header){name, str_trim(line)};
    }
    ret->headers[ret->headers_n++] = (struct http_header){S("Idempotency-Replayed"), S("true")};
    if (rest.len) ret->body = (struct bytes){(const uint8_t *)rest.ptr, rest.len};
    return OK;
}

static enum err look_up(struct ctx *ctx, struct attempt *a, bool *ret_found) {
    struct db_rows rows = {0};
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT request, status, answer FROM idempotency WHERE actor_id = $1 AND key = $2 AND "
                          "at_ms > $3",
                          VALS(V_I64(ctx->actor.user_id), V_TEXT(a->key), V_I64(ctx->now_ms - KEEP_MS)), &rows);
    *ret_found = db_more(&rows, &ctx->fault, &e);
    if (*ret_found) {
        if (!str_is(db_text(&rows, 0), a->request))
            e = FAIL(&ctx->fault, ERR_CONFLICT, "idempotency_mismatch",
                     "this Idempotency-Key was used with another request");
        else
            e = unpack(ctx, db_i64(&rows, 1), db_blob(&rows, 2), a->ret);
    }
    db_done(&rows);
    return e;
}

static enum err keep(struct ctx *ctx, struct attempt *a) {
    struct bytes packed;
    int64_t changed = 0;
    int status = a->ret->status ? a->ret->status : a->ret->body.len ? 200 : 204;
    TRY(pack(ctx, a->ret, &packed));
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM idempotency WHERE actor_id = $1 AND key = $2",
                VALS(V_I64(ctx->actor.user_id), V_TEXT(a->key)), NULL));
    enum err e = db_exec(
        ctx->db, &ctx->fault,
        "INSERT INTO idempotency (actor_id, key, request, status, answer, at_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        VALS(V_I64(ctx->actor.user_id), V_TEXT(a->key), V_TEXT(str_of(a->request)), V_I64(status), V_BLOB(packed),
             V_I64(ctx->now_ms)),
        &changed);
    a->raced = e == ERR_CONFLICT;
    return e;
}

/* A kept answer is for who may still have it. */
static enum err still_may(struct ctx *ctx, const struct api_unit *u) {
    const struct resource *r = u->target.r;
    if (!u->target.bound->rest) return OK;
    if (!u->target.id && !(resource_verbs(ctx, r) & CREATE))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not create %s", r->name);
    void *row;
    return u->target.id ? target_row(ctx, &u->target, &row) : OK;
}

static enum err run(struct ctx *ctx, void *arg) {
    struct attempt *a = arg;
    bool found = false;
    *a->ret = (struct api_answer){0};
    if (a->key.ptr) TRY(look_up(ctx, a, &found));
    if (found) return still_may(ctx, a->u);
    TRY(a->u->target.bound->route->handle(ctx, &a->u->call, a->ret));
    if (a->key.ptr && a->ret->next)
        return FAIL(&ctx->fault, ERR_INVALID, "not_repeatable", "this address takes no Idempotency-Key");
    return a->key.ptr && !a->ret->is_once ? keep(ctx, a) : OK;
}

static bool key_is_sane(struct str key) {
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < '!' || key.ptr[i] > '~') return false;
    return key.len && key.len <= KEY_MAX;
}

enum err once(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret) {
    struct attempt a = {.u = u, .ret = ret};
    if (!http_is_write(u->req)) return ctx_read(ctx, run, &a);
    a.key = http_header_get(u->req, "idempotency-key");
    if (a.key.ptr && !key_is_sane(a.key)) return FAIL_FIELD(&ctx->fault, "Idempotency-Key", "bad_text", KEY_MAX);
    if (a.key.ptr) hash_request(u->req, a.request);
    enum err e = ctx_write(ctx, run, &a);
    if (!e || !a.raced) return e;
    ctx->fault = (struct fault){0};
    ctx->rights_cache = NULL;
    a.raced = false;
    return ctx_write(ctx, run, &a);
}
