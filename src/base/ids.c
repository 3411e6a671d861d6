/* Sets of ids, and what is known of pairs of them.  SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdlib.h>

#define PAIRS_AT_FIRST 256 /* a power of two */

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

void buf_ids(struct buf *b, const int64_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i) buf_char(b, ' ');
        buf_i64(b, ids[i]);
    }
}

bool str_to_ids(struct str text, int64_t *ids, size_t *ret_n) {
    struct str part;
    size_t n = 0;
    while (str_word(&text, &part))
        if (!str_to_i64(part, &ids[n++])) return false;
    *ret_n = n;
    return true;
}

static struct id_pair *slot_of(struct id_pair *slots, size_t n, int64_t a, int64_t b) {
    size_t at = (size_t)(((uint64_t)a * 31 + (uint64_t)b) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    for (;; at++) {
        struct id_pair *s = &slots[at & (n - 1)];
        if (!s->a || (s->a == a && s->b == b)) return s;
    }
}

static bool grow(struct id_pairs *p, struct arena *arena) {
    size_t n = p->slots_n ? p->slots_n * 2 : PAIRS_AT_FIRST;
    struct id_pair *slots = arena_new(arena, struct id_pair, n);
    if (!slots) return false;
    for (size_t i = 0; i < p->slots_n; i++)
        if (p->slots[i].a) *slot_of(slots, n, p->slots[i].a, p->slots[i].b) = p->slots[i];
    p->slots = slots;
    p->slots_n = n;
    return true;
}

bool id_pairs_put(struct id_pairs *p, struct arena *arena, int64_t a, int64_t b, int64_t value) {
    if (p->used * 2 >= p->slots_n && !grow(p, arena)) return false;
    struct id_pair *s = slot_of(p->slots, p->slots_n, a, b);
    p->used += !s->a;
    *s = (struct id_pair){a, b, value};
    return true;
}

bool id_pairs_get(const struct id_pairs *p, int64_t a, int64_t b, int64_t *ret) {
    const struct id_pair *s = p->slots_n ? slot_of(p->slots, p->slots_n, a, b) : NULL;
    if (s && s->a) *ret = s->value;
    return s && s->a;
}
