/* The demo estate.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_H
#define LINLI_MAIN_DEMO_H

#include "main/site.h"

/* Makes the estate if the store is empty, and prints the accounts. */
NODISCARD enum err demo_prepare(struct ctx *ctx, struct site *site, void *arg);

#endif
