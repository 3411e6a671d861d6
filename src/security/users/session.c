/* Sessions are random tokens of which only the hash is kept; failed log-ins lock name and address together.
 * SPDX-License-Identifier: Apache-2.0 */
#include "security/users/session.h"

#include "kernel/outbox.h"
#include "platform/parties/parties.h"
#include "security/users/users.h"

#include <sodium.h>
#include <string.h>

#define SESSION_MS   (INT64_C(12) * 3600 * 1000) /* without use */
#define SEEN_MS      INT64_C(60000)              /* how exact "without use" is */
#define FAILURES_MAX 5
#define WINDOW_MS    (INT64_C(15) * 60 * 1000)
#define TOKEN_BYTES  32

const char session_ddl[] =
    "CREATE TABLE sessions (hash {B} NOT NULL PRIMARY KEY, user_id {I} NOT NULL, person_id {I} NOT NULL, login {T} NOT "
    "NULL, "
    "made_ms {I} NOT NULL, seen_ms {I} NOT NULL, peer {T} NOT NULL){S};\n"
    "CREATE INDEX sessions_of_user ON sessions (user_id);\n"
    "CREATE TABLE login_failures (login {T} NOT NULL, peer {T} NOT NULL, count {I} NOT NULL, first_ms {I} NOT NULL, "
    "locked_ms {I} NOT NULL, PRIMARY KEY (login, peer)){S};\n";

struct hash {
    uint8_t bytes[crypto_generichash_BYTES];
};

static struct hash hash_of(struct str token) {
    struct hash h;
    crypto_generichash(h.bytes, sizeof h.bytes, (const uint8_t *)token.ptr, token.len, NULL, 0);
    return h;
}

#define V_HASH(h) V_BLOB(((struct bytes){(h).bytes, sizeof(h).bytes}))

/* ---- who is it ---- */

static enum err touch(struct ctx *ctx, void *arg) {
    return db_exec(ctx->db, &ctx->fault, "UPDATE sessions SET seen_ms = $1 WHERE hash = $2",
                   VALS(V_I64(ctx->now_ms), V_HASH(*(struct hash *)arg)), NULL);
}

static enum err identify(struct ctx *ctx, struct str token, struct api_identity *ret) {
    struct hash h = hash_of(token);
    struct db_rows rows = {0};
    bool more = false;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT user_id, person_id, login, seen_ms FROM sessions WHERE hash = $1 AND seen_ms > $2",
                          VALS(V_HASH(h), V_I64(ctx->now_ms - SESSION_MS)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    int64_t user = 0, person = 0, seen = 0;
    if (!e && more) {
        user = db_i64(&rows, 0);
        person = db_i64(&rows, 1);
        seen = db_i64(&rows, 3);
        if (!arena_str(ctx->arena, db_text(&rows, 2), &ret->user)) e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    if (e || !more) return e;
    ret->is_known = true;
    if (seen + SEEN_MS < ctx->now_ms) {
        struct fault kept = ctx->fault;
        if (ctx_write(ctx, touch, &h)) ctx->fault = kept; /* a store that cannot be written still serves reads */
    }
    return party_actor(ctx, user, person);
}

const struct api_authenticator session_authenticators[1] = {
    {"session", identify, "users.logout users.close users.set_password users.update", "memberships.person_id"}};

enum err session_end_all(struct ctx *ctx, int64_t user_id) {
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM sessions WHERE user_id = $1", VALS(V_I64(user_id)), NULL);
}

enum err session_end_others(struct ctx *ctx, int64_t user_id, struct str token) {
    struct hash h = hash_of(token);
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM sessions WHERE user_id = $1 AND hash <> $2",
                   VALS(V_I64(user_id), V_HASH(h)), NULL);
}

static enum err prune(struct ctx *ctx, void *arg) {
    (void)arg;
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM sessions WHERE seen_ms <= $1", VALS(V_I64(ctx->now_ms - SESSION_MS)),
                NULL));
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM login_failures WHERE first_ms <= $1 AND locked_ms <= $2",
                   VALS(V_I64(ctx->now_ms - WINDOW_MS), V_I64(ctx->now_ms)), NULL);
}

enum err session_prune(struct ctx *ctx) {
    return ctx_write(ctx, prune, NULL);
}

/* ---- log-in ---- */

struct attempt {
    struct str login, password, peer;
    struct str hash; /* stored; of nobody when the name is unknown */
    int64_t user_id, person_id;
    bool found, ok;
    struct hash token;
    int64_t left;      /* tries until the lock */
    int64_t locked_ms; /* until then; 0: not locked */
};

static enum err look_up(struct ctx *ctx, struct attempt *a) {
    struct db_rows rows = {0};
    bool more = false;
    enum err e =
        db_query(ctx->db, &ctx->fault,
                 "SELECT id, person_id, password FROM users WHERE login = $1 AND state = 'active' AND archived_ms = 0",
                 VALS(V_TEXT(a->login)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    if (!e && more && db_blob(&rows, 2).len > 1) {
        struct bytes sealed = db_blob(&rows, 2); /* version byte and text, as protected fields are kept */
        a->found = true;
        a->user_id = db_i64(&rows, 0);
        a->person_id = db_i64(&rows, 1);
        if (!arena_str(ctx->arena, (struct str){(const char *)sealed.ptr + 1, sealed.len - 1}, &a->hash))
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    return e;
}

static enum err locked(struct ctx *ctx, int64_t until_ms) {
    ctx->fault.retry_after_s = (until_ms - ctx->now_ms + 999) / 1000;
    return FAIL(&ctx->fault, ERR_TOO_MANY, "locked_out", "too many failed log-ins; wait %lld minutes",
                (long long)((ctx->fault.retry_after_s + 59) / 60));
}

static enum err read_lock(struct ctx *ctx, struct attempt *a) {
    bool found;
    a->locked_ms = 0;
    return db_one_i64(ctx->db, &ctx->fault,
                      "SELECT locked_ms FROM login_failures WHERE login = $1 AND peer = $2 AND locked_ms > $3",
                      VALS(V_TEXT(a->login), V_TEXT(a->peer), V_I64(ctx->now_ms)), &a->locked_ms, &found);
}

/* Counts within a window that starts with the first failure; the fifth locks.  Tries that were under way when the lock
 * fell are not counted, so they do not lift it. */
static enum err note_failure(struct ctx *ctx, void *arg) {
    struct attempt *a = arg;
    int64_t count = 0;
    bool found;
    TRY(read_lock(ctx, a));
    if (a->locked_ms) return OK;
    TRY(db_one_i64(
        ctx->db, &ctx->fault,
        "INSERT INTO login_failures (login, peer, count, first_ms, locked_ms) VALUES ($1, $2, 1, $3, 0) "
        "ON CONFLICT (login, peer) DO UPDATE SET "
        "count = CASE WHEN login_failures.first_ms > $4 THEN login_failures.count + 1 ELSE 1 END, "
        "first_ms = CASE WHEN login_failures.first_ms > $4 THEN login_failures.first_ms ELSE $3 END, locked_ms = 0 "
        "RETURNING count",
        VALS(V_TEXT(a->login), V_TEXT(a->peer), V_I64(ctx->now_ms), V_I64(ctx->now_ms - WINDOW_MS)), &count, &found));
    a->left = FAILURES_MAX - count;
    if (count < FAILURES_MAX) return OK;
    a->locked_ms = ctx->now_ms + WINDOW_MS;
    return db_exec(ctx->db, &ctx->fault,
                   "UPDATE login_failures SET locked_ms = $1, count = 0 WHERE login = $2 AND peer = $3",
                   VALS(V_I64(a->locked_ms), V_TEXT(a->login), V_TEXT(a->peer)), NULL);
}

/* Asks again what may have changed while the hash was computed: a lock, the user's state, his password. */
static enum err start(struct ctx *ctx, void *arg) {
    struct attempt *a = arg;
    struct attempt now = {.login = a->login};
    TRY(read_lock(ctx, a));
    if (a->locked_ms) return OK;
    TRY(look_up(ctx, &now));
    a->ok = now.found && now.user_id == a->user_id && str_eq(now.hash, a->hash);
    if (!a->ok) return OK;
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM login_failures WHERE login = $1 AND peer = $2",
                VALS(V_TEXT(a->login), V_TEXT(a->peer)), NULL));
    TRY(db_exec(ctx->db, &ctx->fault, "UPDATE users SET seen_ms = $1 WHERE id = $2",
                VALS(V_I64(ctx->now_ms), V_I64(a->user_id)), NULL));
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO sessions (hash, user_id, person_id, login, made_ms, seen_ms, peer) VALUES ($1, $2, $3, "
                   "$4, $5, $5, $6)",
                   VALS(V_HASH(a->token), V_I64(a->user_id), V_I64(a->person_id), V_TEXT(a->login), V_I64(ctx->now_ms),
                        V_TEXT(a->peer)),
                   NULL);
}

static enum err read_attempt(struct ctx *ctx, const struct api_call *call, struct attempt *a) {
    json_t *body = NULL;
    const char *key;
    json_t *value;
    TRY(api_body(ctx, call, &body));
    if (!json_is_object(body)) return FAIL(&ctx->fault, ERR_INVALID, "bad_type", "the body must be a JSON object");
    json_object_foreach(body, key, value) {
        struct str text = json_text(value);
        struct str *at = !strcmp(key, "user") ? &a->login : !strcmp(key, "password") ? &a->password : NULL;
        if (!at && strcmp(key, "code")) return FAIL_FIELD(&ctx->fault, key, "unknown_field", 0);
        if (!text.ptr) return FAIL_FIELD(&ctx->fault, key, "bad_type", 0);
        if (text.len > PASSWORD_MAX) return FAIL_FIELD(&ctx->fault, key, "too_long", PASSWORD_MAX);
        if (at && !arena_str(ctx->arena, text, at)) return FAIL_MEMORY(ctx);
    }
    if (!a->login.len) (void)FAIL_FIELD(&ctx->fault, "user", "required", 0);
    if (!a->password.len) (void)FAIL_FIELD(&ctx->fault, "password", "required", 0);
    if (!arena_str(ctx->arena, call->req->peer, &a->peer)) return FAIL_MEMORY(ctx);
    return ctx->fault.kind;
}

/* A name nobody has costs the same time as a wrong password. */
static enum err verify(struct ctx *ctx, struct attempt *a) {
    bool ok = false;
    struct str spent;
    if (!a->found) return password_hash(ctx, a->password, &spent);
    TRY(password_check(ctx, a->hash, a->password, &ok));
    a->ok = ok;
    return OK;
}

static void cookie(struct ctx *ctx, const struct api_call *call, struct str token, struct api_answer *ret) {
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, 256);
    buf_fmt(&b, API_COOKIE "=" STR_FMT "; Path=/; HttpOnly; SameSite=Strict", STR_ARG(token));
    if (!token.len) buf_cstr(&b, "; Max-Age=0");
    if (call->req->is_tls) buf_cstr(&b, "; Secure");
    if (buf_done(&b, &text)) ret->headers[ret->headers_n++] = (struct http_header){S("Set-Cookie"), text};
}

static enum err answer_json(struct ctx *ctx, struct buf *b, struct api_answer *ret) {
    struct str text;
    if (!buf_done(b, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

/* Looks whether the password is right; a right one begins what `fn` does, a wrong one counts. */
static enum err prove(struct ctx *ctx, struct attempt *a, enum err (*fn)(struct ctx *ctx, void *arg)) {
    TRY(read_lock(ctx, a));
    if (a->locked_ms) return locked(ctx, a->locked_ms);
    TRY(look_up(ctx, a));
    TRY(verify(ctx, a));
    if (a->ok && fn) TRY(ctx_write(ctx, fn, a));
    if (!a->ok) TRY(ctx_write(ctx, note_failure, a));
    return a->locked_ms ? locked(ctx, a->locked_ms) : OK;
}

enum err session_prove(struct ctx *ctx, const struct api_call *call, struct str login, struct str password,
                       bool *ret_ok) {
    struct attempt a = {.login = login, .password = password, .peer = call->req->peer};
    TRY(prove(ctx, &a, NULL));
    *ret_ok = a.ok;
    return OK;
}

static enum err login(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct attempt a = {0};
    uint8_t random[TOKEN_BYTES];
    char *token = arena_alloc(ctx->arena, TOKEN_BYTES * 2 + 1, 1, 1);
    if (!token) return FAIL_MEMORY(ctx);
    TRY(read_attempt(ctx, call, &a));
    ctx->world->random(ctx->world->self, random, sizeof random);
    sodium_bin2hex(token, TOKEN_BYTES * 2 + 1, random, sizeof random);
    a.token = hash_of(str_of(token));
    TRY(prove(ctx, &a, start));
    if (!a.ok)
        return FAIL(&ctx->fault, ERR_UNAUTHENTICATED, "bad_login", "name or password is wrong; %lld tries left",
                    (long long)a.left);
    cookie(ctx, call, str_of(token), ret);
    struct buf b;
    struct jw j;
    buf_init_arena(&b, ctx->arena, 256);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kcstr(&j, "token", token);
    jw_close(&j, '}');
    return answer_json(ctx, &b, ret);
}

static enum err end(struct ctx *ctx, void *arg) {
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM sessions WHERE hash = $1", VALS(V_HASH(*(struct hash *)arg)), NULL));
    return event_emit(ctx, users.name, ctx->actor.user_id, 0, 0, "logout");
}

static enum err logout(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct hash h = hash_of(call->token);
    TRY(ctx_write(ctx, end, &h));
    cookie(ctx, call, S(""), ret);
    ret->status = 204;
    return OK;
}

static enum err me(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct buf b;
    struct jw j;
    buf_init_arena(&b, ctx->arena, 4096);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kid(&j, "id", ctx->actor.person_id);
    jw_kstr(&j, "user", call->user);
    jw_kstr(&j, "name", ctx->actor.name);
    jw_kstr(&j, "language", ctx->actor.language);
    jw_key(&j, "roles");
    jw_open(&j, '[');
    for (size_t i = 0; kernel_role_name(ctx->kernel, i); i++)
        if (ctx->actor.roles >> i & 1) jw_cstr(&j, kernel_role_name(ctx->kernel, i));
    jw_close(&j, ']');
    jw_close(&j, '}');
    return answer_json(ctx, &b, ret);
}

const struct api_route session_routes[3] = {
    {"POST", "/api/v1/login", API_PUBLIC, 4096, login, "Starts a session: a cookie, and the same token in the answer."},
    {"POST", "/api/v1/logout", 0, 4096, logout, "Ends the session."},
    {"GET", "/api/v1/me", 0, 0, me, "Who the caller is."},
};
