/* Catalogues of words: what a key is in Chinese and in English.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_CATALOGUE_H
#define LINLI_BASE_CATALOGUE_H

#include "base/err.h"

struct word {
    struct str key, zh, en;
};
struct catalogue;

/* Lines of the texts: key TAB zh TAB en; '#' begins a comment line.  A key said twice is a fault.  The texts are kept.
 */
NODISCARD enum err catalogue_load(struct arena *a, const struct str *texts, size_t n, struct catalogue **ret,
                                  struct fault *f);
/* Of these, the last one of a key; NULL: out of memory. */
struct catalogue *catalogue_of(struct arena *a, const struct word *all, size_t n);
struct str catalogue_find(const struct catalogue *w, struct str key,
                          struct str language); /* absent when there is none */

#endif
