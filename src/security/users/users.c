/* Users as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "security/users/users.h"

#include "base/utf8.h"
#include "kernel/rows.h"
#include "security/users/first.h"
#include "security/users/session.h"

struct user {
    struct row row;
    struct str login, hash;
    int64_t person_id, seen_ms;
    int32_t state;
};

static const char *check_login(struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '@'))
            return "bad_login";
    }
    return NULL;
}

static const struct field fields[] = {
    {STATE(struct user, state)},
    {TEXT(struct user, login), .min = 2, .max = 40, .flags = REQUIRED | FIXED | UNIQUE | SEARCH | COLUMN,
     .check = check_login},
    {REF(struct user, person_id, "people"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {TEXT(struct user, hash), .max = 160, .flags = SYSTEM, .class = SECRET},
    {TIME(struct user, seen_ms), .flags = SYSTEM | COLUMN},
};

enum { ACTIVE, CLOSED };
static const char *const states[] = {[ACTIVE] = "active", [CLOSED] = "closed"};

static enum err close_sessions(struct ctx *ctx, void *row) {
    return session_end_all(ctx, ((struct user *)row)->row.id);
}

static const struct step steps[] = {
    {ACTIVE, "close", CLOSED, "admin", .danger = true, .effect = close_sessions},
    {CLOSED, "open", ACTIVE, "admin"},
};
static const struct relation relations[] = {{"self", "person_id", OWN_ME}};
static const struct grant grants[] = {
    {"admin", CREATE | READ | UPDATE, PLACE},
    {"street manager dispatcher guard repairer grid cashier carer doctor committee owner resident elder", READ, OWN,
     .by = "self"},
};

const struct resource users = {
    .name = "users",
    .group = "operations",
    .icon = "key",
    .size = sizeof(struct user),
    .label = "login",
    .flags = INSTALLATION | NO_ARCHIVE,
    .tones = "ok off",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(relations, relations),
    ROWS(grants, grants),
};

static enum err fit_password(struct ctx *ctx, struct str password) {
    if (!utf8_is_valid(password)) return FAIL_FIELD(&ctx->fault, "password", "bad_text", 0);
    if (utf8_count(password) < PASSWORD_MIN) return FAIL_FIELD(&ctx->fault, "password", "too_short", PASSWORD_MIN);
    if (password.len > PASSWORD_MAX) return FAIL_FIELD(&ctx->fault, "password", "too_long", PASSWORD_MAX);
    return OK;
}

enum err user_put(struct ctx *ctx, struct str login, struct str password, int64_t person_id, int64_t *ret_user_id) {
    struct user u = {0};
    struct str hash;
    TRY(fit_password(ctx, password));
    TRY(password_hash(ctx, password, &hash));
    SET(&users, &u, login, login);
    SET(&users, &u, person_id, person_id);
    SET(&users, &u, hash, hash);
    TRY(row_create(ctx, &users, &u));
    *ret_user_id = u.row.id;
    return OK;
}

struct new_password {
    struct str login, hash;
};

static enum err set_password(struct ctx *ctx, void *arg) {
    const struct new_password *p = arg;
    struct user u = {0};
    int64_t id = 0;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM users WHERE login = $1", VALS(V_TEXT(p->login)), &id, &found));
    if (!found) return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "no user has that name");
    SET(&users, &u, hash, p->hash);
    TRY(row_update(ctx, &users, id, 0, &u, UINT64_C(1) << field_index(&users, "hash"), NULL));
    return session_end_all(ctx, id);
}

enum err user_set_password(struct ctx *ctx, struct str login, struct str password) {
    struct new_password p = {.login = login};
    TRY(fit_password(ctx, password));
    TRY(password_hash(ctx, password, &p.hash));
    return ctx_write(ctx, set_password, &p);
}

static const struct resource *const resources[] = {&users};
static const struct contribution contributes[] = {
    CONTRIBUTE(authenticators, session_authenticators),
    CONTRIBUTE(routes, session_routes),
    CONTRIBUTE(routes, first_routes),
};
static const struct job jobs[] = {{"users.sessions_prune", INT64_C(600000), session_prune}};

const struct module users_module = {
    .name = "users",
    .part = "security",
    .ddl = session_ddl,
    ROWS(resources, resources),
    ROWS(contributes, contributes),
    ROWS(jobs, jobs),
    .roles = "admin",
};
