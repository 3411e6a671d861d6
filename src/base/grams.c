/* What text is found by.  SPDX-License-Identifier: Apache-2.0 */
#include "base/grams.h"

#include "base/utf8.h"

#include <stdlib.h>

void grams_add(struct grams *g, struct str item) {
    if (g->n < g->cap && g->n < GRAMS_MAX && item.len) g->items[g->n++] = item;
}

bool gram_is_ideograph(struct str character) {
    size_t at = 0;
    return utf8_next(character, &at) >= 0x2e80;
}

/* Each run between blanks gives its pairs of neighbours and its first character alone, so that one letter finds a
 * word's start; a last ideograph alone, too, so that with the pairs one finds any place. */
void grams_of(struct grams *g, struct str text) {
    struct str rest = text, run;
    while (str_word(&rest, &run)) {
        size_t from = 0, mid = 0, end;
        if (utf8_next(run, &mid) < 0) continue;
        grams_add(g, (struct str){run.ptr, mid});
        for (end = mid; utf8_next(run, &end) >= 0; from = mid, mid = end)
            grams_add(g, (struct str){run.ptr + from, end - from});
        if (gram_is_ideograph(str_from(run, from))) grams_add(g, str_from(run, from));
    }
}

static int by_text(const void *a, const void *b) {
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void grams_sort(struct grams *g) {
    size_t n = 0;
    if (g->n) qsort(g->items, g->n, sizeof *g->items, by_text);
    for (size_t i = 0; i < g->n; i++)
        if (!n || !str_eq(g->items[n - 1], g->items[i])) g->items[n++] = g->items[i];
    g->n = n;
}

bool grams_have(const struct grams *g, struct str item) {
    return g->n && bsearch(&item, g->items, g->n, sizeof *g->items, by_text);
}
