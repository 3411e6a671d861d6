/* Arena: blocks that double, under one cap.  SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next; /* older */
    size_t size, used;
    _Alignas(max_align_t) unsigned char mem[];
};

#define BLOCK_FIRST 4096u
#define BLOCK_MOST  (256u * 1024u)

void arena_init(struct arena *a, size_t cap) {
    *a = (struct arena){.cap = cap};
}

void arena_finish(struct arena *a) {
    for (struct arena_block *b = a->blocks; b;) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    a->blocks = NULL;
    a->used = 0;
}

void arena_reset(struct arena *a) {
    struct arena_block *keep = a->blocks;
    if (!keep) return;
    a->blocks = keep->next;
    arena_finish(a);
    if (keep->size > BLOCK_MOST) {
        free(keep);
        return;
    }
    keep->next = NULL;
    keep->used = 0;
    a->blocks = keep;
}

static struct arena_block *block_add(struct arena *a, size_t need) {
    size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_FIRST;
    if (size > BLOCK_MOST) size = BLOCK_MOST;
    if (size < need) size = need;
    struct arena_block *b = malloc(sizeof *b + size);
    if (!b) return NULL;
    *b = (struct arena_block){.next = a->blocks, .size = size};
    a->blocks = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t n, size_t size, size_t align) {
    if (a->fail_in > 0 && --a->fail_in == 0) return NULL;
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) return NULL;
    if (total > a->cap || a->used > a->cap - total) return NULL;
    struct arena_block *b = a->blocks;
    size_t at = b ? (b->used + align - 1) / align * align : 0;
    if (!b || at > b->size || total > b->size - at) {
        b = block_add(a, total ? total : 1);
        if (!b) return NULL;
        at = 0;
    }
    b->used = at + total;
    a->used += total;
    memset(b->mem + at, 0, total);
    return b->mem + at;
}

char *arena_cstr(struct arena *a, struct str s) {
    if (s.len == SIZE_MAX) return NULL;
    char *copy = arena_alloc(a, s.len + 1, 1, 1);
    if (copy && s.len) memcpy(copy, s.ptr, s.len);
    return copy;
}

bool arena_str(struct arena *a, struct str s, struct str *ret) {
    if (!s.ptr) {
        *ret = (struct str){NULL, 0};
        return true;
    }
    char *copy = arena_cstr(a, s);
    if (!copy) return false;
    *ret = (struct str){copy, s.len};
    return true;
}

void *arena_grow(struct arena *a, void *old, size_t n, size_t *cap, size_t size) {
    if (n < *cap) return old;
    void *grown = arena_alloc(a, n ? n * 2 : 8, size, _Alignof(max_align_t));
    if (!grown) return NULL;
    if (n) memcpy(grown, old, n * size);
    *cap = n ? n * 2 : 8;
    return grown;
}

void arena_pool_init(struct arena_pool *p) {
    *p = (struct arena_pool){0};
    pthread_mutex_init(&p->lock, NULL);
}

void arena_pool_finish(struct arena_pool *p) {
    for (size_t i = 0; i < p->n; i++) arena_finish(&p->spare[i]);
    pthread_mutex_destroy(&p->lock);
}

void arena_take(struct arena_pool *p, struct arena *ret, size_t cap) {
    arena_init(ret, cap);
    pthread_mutex_lock(&p->lock);
    if (p->n) *ret = p->spare[--p->n];
    pthread_mutex_unlock(&p->lock);
    ret->cap = cap;
}

void arena_give(struct arena_pool *p, struct arena *a) {
    arena_reset(a);
    pthread_mutex_lock(&p->lock);
    bool kept = a->blocks && p->n < COUNT(p->spare);
    if (kept) p->spare[p->n++] = *a;
    pthread_mutex_unlock(&p->lock);
    if (!kept) arena_finish(a);
    *a = (struct arena){0};
}
