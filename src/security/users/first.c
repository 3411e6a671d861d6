/* While nobody can log in, whoever stands at the machine makes the first administrator: from loopback only, once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "security/users/first.h"

#include "kernel/rows.h"
#include "platform/parties/parties.h"
#include "security/users/users.h"

#include <string.h>

static enum err is_empty(struct ctx *ctx, bool *ret) {
    int64_t n = 0;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM (SELECT id FROM users LIMIT 1) AS u", NO_VALS, &n,
                   &found));
    *ret = n == 0;
    return OK;
}

static enum err state(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    bool empty;
    (void)call;
    TRY(is_empty(ctx, &empty));
    struct str text = empty ? S("{\"empty\":true}") : S("{\"empty\":false}");
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

struct first {
    struct str user, password, name;
};

static enum err make(struct ctx *ctx, void *arg) {
    const struct first *f = arg;
    struct person p = {0};
    struct membership_row m = {0};
    int64_t user;
    bool empty;
    TRY(is_empty(ctx, &empty)); /* again, inside the transaction: two at once make one */
    if (!empty) return FAIL(&ctx->fault, ERR_CONFLICT, "not_empty", "there is an administrator already; log in");
    SET(&people, &p, name, f->name.len ? f->name : f->user);
    TRY(row_create(ctx, &people, &p));
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, S("admin"));
    SET(&memberships, &m, valid_from, ctx->now_ms / 86400000 - 1);
    TRY(row_create(ctx, &memberships, &m));
    return user_put(ctx, f->user, f->password, p.row.id, &user);
}

static enum err first(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct first f = {0};
    json_t *body = NULL, *value;
    const char *key;
    if (!call->req->is_loopback)
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "the first administrator is made on the machine itself");
    TRY(api_body(ctx, call, &body));
    if (!json_is_object(body)) return FAIL(&ctx->fault, ERR_INVALID, "bad_type", "the body must be a JSON object");
    json_object_foreach(body, key, value) {
        struct str *at = !strcmp(key, "user")       ? &f.user
                         : !strcmp(key, "password") ? &f.password
                         : !strcmp(key, "name")     ? &f.name
                                                    : NULL;
        if (!at || !json_text(value).ptr) return FAIL_FIELD(&ctx->fault, key, at ? "bad_type" : "unknown_field", 0);
        if (!arena_str(ctx->arena, json_text(value), at)) return FAIL_MEMORY(ctx);
    }
    if (!f.user.len) (void)FAIL_FIELD(&ctx->fault, "user", "required", 0);
    if (!f.password.len) (void)FAIL_FIELD(&ctx->fault, "password", "required", 0);
    if (ctx->fault.kind) return ctx->fault.kind;
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = ctx_write(ctx, make, &f);
    ctx->actor = actor;
    if (!e) ret->status = 204;
    if (e && ctx->fault.fields_n && !strcmp(ctx->fault.fields[0].field, "login"))
        memcpy(ctx->fault.fields[0].field, "user", sizeof "user"); /* as the form calls it */
    return e;
}

const struct api_route first_routes[2] = {
    {"GET", "/api/v1/public/state", API_PUBLIC, 0, state, "Whether this installation has its first administrator yet."},
    {"POST", "/api/v1/public/first", API_PUBLIC, 4096, first,
     "Makes the first administrator of an empty installation, from loopback."},
};
