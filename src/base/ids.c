/* Sets of ids.  SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdlib.h>

bool ids_have(const int64_t *ids, size_t n, int64_t id) {
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id) return true;
    return false;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

size_t ids_unique(int64_t *ids, size_t n) {
    size_t kept = 0;
    if (n) qsort(ids, n, sizeof *ids, by_value);
    for (size_t i = 0; i < n; i++)
        if (ids[i] && (!kept || ids[i] != ids[kept - 1])) ids[kept++] = ids[i];
    return kept;
}

size_t ids_find(const int64_t *ids, size_t n, int64_t id) {
    const int64_t *at = n ? bsearch(&id, ids, n, sizeof id, by_value) : NULL;
    return at ? (size_t)(at - ids) : SIZE_MAX;
}
