/* Users as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "security/users/users.h"

#include "kernel/rows.h"
#include "security/users/change.h"
#include "security/users/first.h"
#include "security/users/session.h"

static const char *check_login(struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '@'))
            return "bad_login";
    }
    return NULL;
}

/* What is kept is the hash that change.c makes; a password itself never gets here. */
static const char *check_hash(struct str s) {
    return str_starts(s, S("$argon2id$")) ? NULL : "bad_text";
}

static const struct field fields[] = {
    {STATE(struct user, state)},
    {TEXT(struct user, login), .min = 2, .max = 40, .flags = REQUIRED | FIXED | UNIQUE | SEARCH | COLUMN,
     .check = check_login},
    {REF(struct user, person_id, "people"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {TEXT(struct user, password), .max = 160, .flags = SYSTEM, .class = SECRET, .check = check_hash},
    {TIME(struct user, seen_ms), .flags = SYSTEM | COLUMN},
};

enum { ACTIVE, CLOSED };
static const char *const states[] = {[ACTIVE] = "active", [CLOSED] = "closed"};

static enum err close_sessions(struct ctx *ctx, void *row) {
    return session_end_all(ctx, ((struct user *)row)->row.id);
}

/* Somebody else must be able to log in and administer the installation. */
static enum err not_the_last(struct ctx *ctx, const void *row) {
    static const char mine[] =
        "SELECT id FROM memberships WHERE person_id = $1 AND role = 'admin' AND place_id IS NULL "
        "AND archived_ms = 0 AND valid_from <= $2 AND (valid_until IS NULL OR valid_until > $2) "
        "LIMIT 1";
    static const char others[] =
        "SELECT u.id FROM users u JOIN memberships m ON m.person_id = u.person_id WHERE u.id <> $1 AND u.state = "
        "'active' AND u.archived_ms = 0 AND u.password IS NOT NULL AND m.role = 'admin' AND m.place_id IS NULL AND "
        "m.archived_ms = 0 AND m.valid_from <= $2 AND (m.valid_until IS NULL OR m.valid_until > $2) LIMIT 1";
    const struct user *u = row;
    int64_t id = 0, today = kernel_day(ctx, 0);
    bool is_admin = false, found = false;
    TRY(db_one_i64(ctx->db, &ctx->fault, mine, VALS(V_I64(u->person_id), V_I64(today)), &id, &is_admin));
    if (!is_admin) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault, others, VALS(V_I64(u->row.id), V_I64(today)), &id, &found));
    return found ? OK : FAIL(&ctx->fault, ERR_CONFLICT, "last_admin", "nobody else could administer the installation");
}

static const struct step steps[] = {
    {ACTIVE, "close", CLOSED, "admin", .danger = true, .guard = not_the_last, .effect = close_sessions},
    {CLOSED, "open", ACTIVE, "admin"},
    /* Over HTTP change.c computes the hash before the transaction begins. */
    {ANY_STATE, "set_password", ANY_STATE, "admin", .takes = "password", .need = "password", .effect = close_sessions},
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

enum err user_put(struct ctx *ctx, struct str login, struct str password, int64_t person_id, int64_t *ret_user_id) {
    struct user u = {0};
    struct str hash;
    TRY(password_fit(ctx, "password", password));
    TRY(password_hash(ctx, password, &hash));
    SET(&users, &u, login, login);
    SET(&users, &u, person_id, person_id);
    SET(&users, &u, password, hash);
    TRY(row_create(ctx, &users, &u));
    *ret_user_id = u.row.id;
    return OK;
}

static const struct resource *const resources[] = {&users};
static const struct contribution contributes[] = {
    CONTRIBUTE(authenticators, session_authenticators),
    CONTRIBUTE(routes, session_routes),
    CONTRIBUTE(routes, change_routes),
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
