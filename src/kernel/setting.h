/* Settings: what modules register with a default, and rows that people edit: one an installation, one a community.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_SETTING_H
#define LINLI_KERNEL_SETTING_H

#include "kernel/kernel.h"

/* The kernel's own resources: `settings` and `words`.  Without it settings are what their modules say. */
extern const struct module kernel_module;

/* The community's value, else the installation's (community_id 0), else the default.  MONEY in cents, DECIMAL in
 * thousandths, FLAG 0 or 1.  Unknown names are ERR_INTERNAL (a bug). */
NODISCARD enum err setting_i64(struct ctx *ctx, int64_t community_id, const char *name, int64_t *ret);
NODISCARD enum err setting_text(struct ctx *ctx, int64_t community_id, const char *name, struct str *ret);
/* As the system; a value of the wrong kind or out of bounds is a field error of "value". */
NODISCARD enum err setting_put(struct ctx *ctx, int64_t community_id, const char *name, struct str value);
/* A row for each registered setting and each community that has none yet. */
NODISCARD enum err settings_sync(struct ctx *ctx);

/* Secrets of the installation (keys for blind search), made at first use; "search" with the tables. */
NODISCARD enum err installation_key(struct ctx *ctx, const char *name, uint8_t ret[32]);

#endif
