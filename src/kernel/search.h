/* Search that finds 漏水: an index of bigrams over folded text, the same on both stores.  Protected values are found by
 * a keyed hash of the whole and of the last four characters.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_SEARCH_H
#define LINLI_KERNEL_SEARCH_H

#include "kernel/kernel.h"

/* In the row's transaction, where a SEARCH field of it changed: replaces what the index knows of the row. */
NODISCARD enum err search_put(struct ctx *ctx, const struct resource *r, const void *row, const void *before);
/* Adds "AND (id IN …)" for the query text to a WHERE clause under construction: rows that hold each of its words (the
 * first 20) somewhere in a field, or a protected value that is the whole text.  One letter finds the start of a word.
 */
struct sql; /* store/sql.h */
NODISCARD enum err search_where(struct ctx *ctx, const struct resource *r, struct str query, struct sql *sql);

#endif
