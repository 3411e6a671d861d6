/* Users: who may log in, by what password, from where, until when.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SECURITY_USERS_USERS_H
#define LINLI_SECURITY_USERS_USERS_H

#include "kernel/kernel.h"

struct user {
    struct row row;
    struct str login, password; /* its hash; absent: nobody can log in */
    int64_t person_id, seen_ms;
    int32_t state;
};
extern const struct resource users;
extern const struct module users_module;

#define PASSWORD_MIN 8
#define PASSWORD_MAX 200

/* Makes a user of a person; ERR_CONFLICT when the name is taken. */
NODISCARD enum err user_put(struct ctx *ctx, struct str login, struct str password, int64_t person_id,
                            int64_t *ret_user_id);
/* Ends the user's sessions. */
NODISCARD enum err user_set_password(struct ctx *ctx, struct str login, struct str password);

/* PASSWORD_MIN characters to PASSWORD_MAX bytes of UTF-8, or an error of the field. */
NODISCARD enum err password_fit(struct ctx *ctx, const char *field, struct str password);
/* Argon2id (RFC 9106) at 19 MiB, t = 2; at most two at once in the process, or the hashes outweigh the server: the
 * third waits up to 3 s, then ERR_BUSY. */
NODISCARD enum err password_hash(struct ctx *ctx, struct str password, struct str *ret);
NODISCARD enum err password_check(struct ctx *ctx, struct str hash, struct str password, bool *ret_ok);

#endif
