/* Settings and words per community: shipped defaults are constants, what people edit are rows that win.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_SETTING_H
#define LINLI_KERNEL_SETTING_H

#include "kernel/kernel.h"

/* community_id 0: the installation's value.  Unknown names are ERR_INTERNAL (a bug). */
NODISCARD enum err setting_i64(struct ctx *ctx, int64_t community_id, const char *name, int64_t *ret);
NODISCARD enum err setting_text(struct ctx *ctx, int64_t community_id, const char *name, struct str *ret);
NODISCARD enum err setting_put(struct ctx *ctx, int64_t community_id, const char *name, struct str value);
/* A word as this community says it: its own override or the catalogue's. */
NODISCARD enum err word_text(struct ctx *ctx, int64_t community_id, const char *key, const char *language,
                             struct str *ret);

/* Secrets of the installation (keys for blind search), made at first use. */
NODISCARD enum err installation_key(struct ctx *ctx, const char *name, uint8_t ret[32]);

#endif
