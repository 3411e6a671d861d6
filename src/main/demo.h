/* The demo estate.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_H
#define LINLI_MAIN_DEMO_H

#include "main/site.h"

/* Makes the estate if the store is empty, and prints the accounts. */
NODISCARD enum err demo_prepare(struct ctx *ctx, struct site *site, void *arg);

/* Kinds of cases, models, about 200 devices, rules.  In the caller's transaction. */
NODISCARD enum err demo_things(struct ctx *ctx, int64_t community_id, int64_t fire_place_id);

#endif
