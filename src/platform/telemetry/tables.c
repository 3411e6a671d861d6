/* Small tables of the names in memory: hash to id, words kept once, items that never move.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- hashes to ids 0..n-1; Ids enter in order, also when the table grows, so the one added last
 * ends its chain and can leave again. ---- */

bool idmap_init(struct idmap *m) {
    *m = (struct idmap){.slots = calloc(64, sizeof *m->slots), .cap = 64};
    return m->slots;
}

void idmap_finish(struct idmap *m) {
    free(m->slots);
    *m = (struct idmap){0};
}

uint32_t idmap_find(const struct idmap *m, uint64_t hash, bool (*is)(const void *owner, uint32_t id, const void *key),
                    const void *owner, const void *key) {
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct idslot at = m->slots[i];
        if (!at.id1) return NONE;
        if (at.tag == hash >> 32 && is(owner, at.id1 - 1, key)) return at.id1 - 1;
    }
}

static void place(struct idmap *m, uint32_t id, uint64_t hash) {
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].id1) i = (i + 1) & (m->cap - 1);
    m->slots[i] = (struct idslot){id + 1, (uint32_t)(hash >> 32)};
}

bool idmap_rebuild(struct idmap *m, uint32_t n, uint64_t (*hash)(const void *owner, uint32_t id), const void *owner) {
    size_t cap = m->cap;
    while (cap < (size_t)n * 2 + 2) cap *= 2;
    struct idslot *slots = calloc(cap, sizeof *slots);
    if (!slots) return false;
    free(m->slots);
    *m = (struct idmap){.slots = slots, .cap = cap, .n = n};
    for (uint32_t id = 0; id < n; id++) place(m, id, hash(owner, id));
    return true;
}

bool idmap_add(struct idmap *m, uint32_t id, uint64_t (*hash)(const void *owner, uint32_t id), const void *owner) {
    if ((m->n + 1) * 2 > m->cap) return idmap_rebuild(m, id + 1, hash, owner);
    place(m, id, hash(owner, id));
    m->n++;
    return true;
}

void idmap_drop_last(struct idmap *m, uint32_t id, uint64_t hash) {
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].id1 && m->slots[i].id1 != id + 1) i = (i + 1) & (m->cap - 1);
    if (!m->slots[i].id1) return;
    m->slots[i] = (struct idslot){0};
    m->n--;
}

/* ---- words ---- */

bool text_copy(struct str text, struct str *ret) {
    char *copy = malloc(text.len + 1);
    if (!copy) return false;
    if (text.len) memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    *ret = (struct str){copy, text.len};
    return true;
}

void text_free(struct str text) {
    free((char *)(uintptr_t)text.ptr);
}

static bool word_is(const void *owner, uint32_t id, const void *key) {
    const struct words *w = owner;
    return str_eq(w->text[id], *(const struct str *)key);
}

static uint64_t word_hash(const void *owner, uint32_t id) {
    const struct words *w = owner;
    return str_hash(w->text[id]);
}

uint32_t words_find(const struct words *w, struct str text) {
    return idmap_find(&w->map, str_hash(text), word_is, w, &text);
}

uint32_t words_put(struct words *w, struct str text) {
    uint32_t id = words_find(w, text);
    if (id != NONE) return id;
    if (w->n == w->cap) {
        uint32_t cap = w->cap ? w->cap * 2 : 64;
        struct str *grown = realloc(w->text, cap * sizeof *grown);
        if (!grown) return NONE;
        w->text = grown;
        w->cap = cap;
    }
    if (!text_copy(text, &w->text[w->n])) return NONE;
    if (!idmap_add(&w->map, w->n, word_hash, w)) {
        text_free(w->text[w->n]);
        return NONE;
    }
    return w->n++;
}

void words_drop_to(struct words *w, uint32_t n) {
    while (w->n > n) {
        idmap_drop_last(&w->map, w->n - 1, word_hash(w, w->n - 1));
        text_free(w->text[--w->n]);
    }
}

void words_finish(struct words *w) {
    for (uint32_t i = 0; i < w->n; i++) text_free(w->text[i]);
    free(w->text);
    idmap_finish(&w->map);
    *w = (struct words){0};
}

/* ---- items that never move ---- */

void *pages_at(const struct pages *p, uint32_t id, size_t size) {
    return (char *)p->page[id / PAGE_ITEMS] + (id % PAGE_ITEMS) * size;
}

void *pages_add(struct pages *p, size_t size) {
    if (p->n >= PAGE_ITEMS * PAGES_MAX) return NULL;
    void **page = &p->page[p->n / PAGE_ITEMS];
    if (!*page) *page = calloc(PAGE_ITEMS, size);
    if (!*page) return NULL;
    void *item = pages_at(p, p->n, size);
    memset(item, 0, size);
    p->n++;
    return item;
}

void pages_finish(struct pages *p) {
    for (size_t i = 0; i < PAGES_MAX && p->page[i]; i++) free(p->page[i]);
    *p = (struct pages){0};
}

bool ids32_add(struct ids32 *v, uint32_t id) {
    if (v->n == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 64;
        uint32_t *grown = realloc(v->id, cap * sizeof *grown);
        if (!grown) return false;
        v->id = grown;
        v->cap = cap;
    }
    v->id[v->n++] = id;
    return true;
}
