/* Password hashes.  SPDX-License-Identifier: Apache-2.0 */
#include "security/users/users.h"

#include "base/utf8.h"

#include <pthread.h>
#include <sodium.h>
#include <time.h>

#define HASH_MEMORY    (19u * 1024 * 1024)
#define HASH_PASSES    2
#define HASHES_AT_ONCE 2
#define WAIT_S         3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static int running;

static enum err enter(struct ctx *ctx) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    int late = 0;
    pthread_mutex_lock(&lock);
    while (running == HASHES_AT_ONCE && !late) late = pthread_cond_timedwait(&freed, &lock, &until);
    bool in = running < HASHES_AT_ONCE;
    running += in;
    pthread_mutex_unlock(&lock);
    if (in) return OK;
    ctx->fault.retry_after_s = 2;
    return FAIL(&ctx->fault, ERR_BUSY, "busy", "many are logging in; try again in a moment");
}

static void leave(void) {
    pthread_mutex_lock(&lock);
    running--;
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&lock);
}

enum err password_fit(struct ctx *ctx, const char *field, struct str password) {
    if (!utf8_is_valid(password)) return FAIL_FIELD(&ctx->fault, field, "bad_text", 0);
    if (utf8_count(password) < PASSWORD_MIN) return FAIL_FIELD(&ctx->fault, field, "too_short", PASSWORD_MIN);
    if (password.len > PASSWORD_MAX) return FAIL_FIELD(&ctx->fault, field, "too_long", PASSWORD_MAX);
    return OK;
}

enum err password_hash(struct ctx *ctx, struct str password, struct str *ret) {
    char *text = arena_alloc(ctx->arena, crypto_pwhash_STRBYTES, 1, 1);
    if (!text) return FAIL_MEMORY(ctx);
    TRY(enter(ctx));
    int code =
        crypto_pwhash_str_alg(text, password.ptr, password.len, HASH_PASSES, HASH_MEMORY, crypto_pwhash_ALG_ARGON2ID13);
    leave();
    if (code) return FAIL(&ctx->fault, ERR_INTERNAL, "memory", "out of memory");
    *ret = str_of(text);
    return OK;
}

enum err password_check(struct ctx *ctx, struct str hash, struct str password, bool *ret_ok) {
    char *text = arena_cstr(ctx->arena, hash);
    if (!text) return FAIL_MEMORY(ctx);
    TRY(enter(ctx));
    *ret_ok = crypto_pwhash_str_verify(text, password.ptr, password.len) == 0;
    leave();
    return OK;
}
