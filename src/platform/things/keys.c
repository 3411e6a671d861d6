/* Credentials of devices.  The passwords are ours and 128 bits strong, so a fast keyed hash keeps them; people's are
 * another matter (security/users).  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/outbox.h"
#include "kernel/rows.h"
#include "platform/things/things.h"

#include <sodium.h>
#include <string.h>

#define SALT_BYTES 16

static void hash_of(struct bytes salt, struct str password, uint8_t ret[crypto_generichash_BYTES]) {
    crypto_generichash(ret, crypto_generichash_BYTES, (const uint8_t *)password.ptr, password.len, salt.ptr, salt.len);
}

struct key {
    int64_t device_id;
    struct str user, password;
};

/* For who may speak in its name: with a key and without a line nobody else does. */
static enum err tell(struct ctx *ctx, int64_t device_id) {
    struct db_rows rows = {0};
    bool more = false;
    int64_t community_id = 0, place_id = 0;
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT community_id, place_id FROM devices WHERE id = $1",
                          VALS(V_I64(device_id)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    if (!e && more) {
        community_id = db_i64(&rows, 0);
        place_id = db_i64(&rows, 1);
    }
    db_done(&rows);
    return e || !more ? e : event_emit(ctx, devices.name, device_id, community_id, place_id, "key");
}

static enum err make(struct ctx *ctx, void *arg) {
    struct key *k = arg;
    uint8_t salt[SALT_BYTES], hash[crypto_generichash_BYTES];
    ctx->world->random(ctx->world->self, salt, sizeof salt);
    hash_of((struct bytes){salt, sizeof salt}, k->password, hash);
    TRY(db_exec(ctx->db, &ctx->fault, "DELETE FROM device_keys WHERE device_id = $1", VALS(V_I64(k->device_id)), NULL));
    TRY(db_exec(ctx->db, &ctx->fault,
                "INSERT INTO device_keys (username, device_id, salt, hash) VALUES ($1, $2, $3, $4)",
                VALS(V_TEXT(k->user), V_I64(k->device_id), V_BLOB(((struct bytes){salt, sizeof salt})),
                     V_BLOB(((struct bytes){hash, sizeof hash}))),
                NULL));
    return tell(ctx, k->device_id);
}

enum err device_key_make(struct ctx *ctx, int64_t device_id, struct str *ret_user, struct str *ret_password) {
    uint8_t random[16];
    struct buf b;
    struct key k = {.device_id = device_id};
    buf_init_arena(&b, ctx->arena, 64);
    buf_fmt(&b, "d%lld", (long long)device_id);
    if (!buf_done(&b, &k.user)) return FAIL_MEMORY(ctx);
    ctx->world->random(ctx->world->self, random, sizeof random);
    buf_init_arena(&b, ctx->arena, 64);
    buf_hex(&b, (struct bytes){random, sizeof random});
    if (!buf_done(&b, &k.password)) return FAIL_MEMORY(ctx);
    TRY(ctx_write(ctx, make, &k));
    *ret_user = k.user;
    *ret_password = k.password;
    return OK;
}

enum err device_key_check(struct ctx *ctx, struct str user, struct str password, int64_t *ret_device_id, bool *ret_ok) {
    struct db_rows rows = {0};
    bool more = false;
    uint8_t hash[crypto_generichash_BYTES];
    *ret_ok = false;
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT device_id, salt, hash FROM device_keys WHERE username = $1",
                          VALS(V_TEXT(user)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    if (!e && more && db_blob(&rows, 1).len == SALT_BYTES && db_blob(&rows, 2).len == sizeof hash) {
        hash_of(db_blob(&rows, 1), password, hash);
        *ret_ok = sodium_memcmp(hash, db_blob(&rows, 2).ptr, sizeof hash) == 0;
        *ret_device_id = db_i64(&rows, 0);
    }
    db_done(&rows);
    return e;
}

enum err device_key_tag(struct ctx *ctx, int64_t device_id, uint64_t *ret_tag) {
    struct db_rows rows = {0};
    bool more = false;
    uint64_t tag = 0;
    enum err e = db_query(
        ctx->db, &ctx->fault,
        "SELECT k.hash, d.speaks FROM device_keys k JOIN devices d ON d.id = k.device_id WHERE k.device_id = $1 "
        "AND d.archived_ms = 0 AND d.state <> 'retired' ORDER BY k.username LIMIT 1",
        VALS(V_I64(device_id)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    if (!e && more && db_blob(&rows, 0).len >= sizeof tag) memcpy(&tag, db_blob(&rows, 0).ptr, sizeof tag);
    if (tag && db_text(&rows, 1).len) tag ^= str_hash(db_text(&rows, 1)) | 1;
    db_done(&rows);
    if (!e) *ret_tag = tag;
    return e;
}
