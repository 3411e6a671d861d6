/* A password set by an administrator, or changed by its owner.  The hash is computed before the transaction, which
 * would hold up every other writer meanwhile.  SPDX-License-Identifier: Apache-2.0 */
#include "security/users/change.h"

#include "kernel/rows.h"
#include "security/users/session.h"
#include "security/users/users.h"

#include <string.h>

#define PASSWORD_BIT (UINT64_C(1) << field_index(&users, "password"))

struct new_password {
    struct str login, hash, token;
    int64_t user_id;
    struct user *row; /* what it becomes; NULL: of no interest */
};

/* The body's texts by name; other keys are refused. */
struct part {
    const char *name;
    struct str *at;
};

static enum err read_parts(struct ctx *ctx, const struct api_call *call, const struct part *parts, size_t n) {
    json_t *body = NULL, *value;
    const char *key;
    TRY(api_body(ctx, call, &body));
    if (!json_is_object(body)) return FAIL(&ctx->fault, ERR_INVALID, "bad_type", "the body must be a JSON object");
    json_object_foreach(body, key, value) {
        size_t i = 0;
        while (i < n && strcmp(parts[i].name, key)) i++;
        if (i == n || !json_text(value).ptr)
            (void)FAIL_FIELD(&ctx->fault, key, i == n ? "unknown_field" : "bad_type", 0);
        else if (!arena_str(ctx->arena, json_text(value), parts[i].at))
            return FAIL_MEMORY(ctx);
    }
    for (size_t i = 0; i < n && !ctx->fault.kind; i++)
        if (!parts[i].at->len) (void)FAIL_FIELD(&ctx->fault, parts[i].name, "required", 0);
    return ctx->fault.kind;
}

/* ---- by an administrator ---- */

static enum err set(struct ctx *ctx, void *arg) {
    const struct new_password *p = arg;
    struct user u = {0};
    SET(&users, &u, password, p->hash);
    return row_act(ctx, &users, p->user_id, 0, "set_password", &u, PASSWORD_BIT, p->row);
}

static bool may_set(struct ctx *ctx, const struct user *u) {
    uint64_t steps = row_steps(ctx, &users, u);
    for (size_t i = 0; i < users.steps_n; i++)
        if ((steps >> i & 1) && !strcmp(users.steps[i].name, "set_password")) return true;
    return false;
}

static enum err set_password(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct new_password p = {0};
    struct user u = {0};
    struct str text = {0};
    if (!str_to_i64(call->args[0], &p.user_id))
        return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such row in users");
    TRY(row_get(ctx, &users, p.user_id, &u));
    if (!may_set(ctx, &u)) return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not do this to this user");
    TRY(read_parts(ctx, call, &(struct part){"password", &text}, 1));
    TRY(password_fit(ctx, "password", text));
    TRY(password_hash(ctx, text, &p.hash));
    p.row = &u;
    TRY(ctx_write(ctx, set, &p));
    return api_row(ctx, &users, &u, ret);
}

/* On the command line, by name. */
static enum err set_named(struct ctx *ctx, void *arg) {
    struct new_password *p = arg;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM users WHERE login = $1", VALS(V_TEXT(p->login)), &p->user_id,
                   &found));
    return found ? set(ctx, p) : FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "no user has that name");
}

enum err user_set_password(struct ctx *ctx, struct str login, struct str password) {
    struct new_password p = {.login = login};
    TRY(password_fit(ctx, "password", password));
    TRY(password_hash(ctx, password, &p.hash));
    return ctx_write(ctx, set_named, &p);
}

/* ---- by its owner ---- */

/* His other sessions end.  The right to it is the old password, not a grant. */
static enum err change(struct ctx *ctx, void *arg) {
    const struct new_password *p = arg;
    struct user u = {0};
    bool was_system = ctx->actor.is_system;
    SET(&users, &u, password, p->hash);
    ctx->actor.is_system = true;
    enum err e = row_update(ctx, &users, p->user_id, 0, &u, PASSWORD_BIT, NULL);
    ctx->actor.is_system = was_system;
    return e ? e : session_end_others(ctx, p->user_id, p->token);
}

static enum err change_password(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct new_password p = {.login = call->user, .token = call->token, .user_id = ctx->actor.user_id};
    struct str old = {0}, text = {0};
    bool ok = false;
    TRY(read_parts(ctx, call, (const struct part[]){{"old", &old}, {"new", &text}}, 2));
    TRY(password_fit(ctx, "new", text));
    TRY(session_prove(ctx, call, p.login, old, &ok));
    if (!ok) return FAIL_FIELD(&ctx->fault, "old", "wrong_password", 0);
    TRY(password_hash(ctx, text, &p.hash));
    TRY(ctx_write(ctx, change, &p));
    ret->status = 204;
    return OK;
}

/* API_DEFERS keeps them from the store of idempotent answers: it holds a hash of each body, and a fast hash of a
 * password is as good as the password.  Setting the same password again does no harm. */
const struct api_route change_routes[2] = {
    {"POST", "/api/v1/users/{id}/set_password", API_DEFERS, 4096, set_password,
     "Sets a user's password and ends his sessions."},
    {"POST", "/api/v1/me/password", API_DEFERS, 4096, change_password,
     "Changes the caller's own password and ends his other sessions: old, new."},
};
