/* MQTT passwords of the demo's devices: made once, kept where only the owner reads them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_KEYS_H
#define LINLI_MAIN_DEMO_KEYS_H

#include "kernel/ctx.h"

struct demo_key {
    int64_t device_id;
    struct str code;           /* given */
    struct str user, password; /* filled in, in ctx->arena */
};
/* Fills the keys from DIR/device-passwords (0600; "CODE USER PASSWORD" a line) and makes those that it lacks: all of
 * them at the first start. */
NODISCARD enum err demo_keys_fill(struct ctx *ctx, const char *dir, struct demo_key *keys, size_t n);

#endif
