/* What text is found by: pairs of neighbouring characters, and the first of each word.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_BASE_GRAMS_H
#define LINLI_BASE_GRAMS_H

#include "base/base.h"

#define GRAMS_MAX 2048
struct grams {
    struct str *items; /* slices of the texts, in the caller's memory */
    size_t n, cap;
};
void grams_add(struct grams *g, struct str item); /* one as it is; none past cap or GRAMS_MAX */
void grams_of(struct grams *g, struct str text);
void grams_sort(struct grams *g);                        /* drops repeats */
bool grams_have(const struct grams *g, struct str item); /* sorted ones */
bool gram_is_ideograph(struct str character);

#endif
