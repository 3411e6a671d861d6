/* Chunks read from disk, the last ones used kept decoded.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_READ 4096 /* most chunks are smaller */

void cache_init(struct cache *c) {
    pthread_mutex_init(&c->mutex, NULL);
}

void cache_finish(struct cache *c) {
    for (size_t i = 0; i < CACHE_ENTRIES; i++) free(c->entries[i].p.at);
    pthread_mutex_destroy(&c->mutex);
}

static void copy_points(struct points *to, const struct points *from) {
    memcpy(to->at, from->at, from->n * sizeof *to->at);
    memcpy(to->value, from->value, from->n * sizeof *to->value);
    memcpy(to->quality, from->quality, from->n);
    to->n = from->n;
}

static bool find(struct cache *c, const struct chunk_ref *ref, struct points *ret) {
    pthread_mutex_lock(&c->mutex);
    struct cache_entry *found = NULL;
    for (size_t i = 0; i < CACHE_ENTRIES && !found; i++) {
        struct cache_entry *e = &c->entries[i];
        if (e->p.n && e->at8 == ref->at8 && e->segment == ref->segment) found = e;
    }
    if (found) {
        found->used = ++c->clock;
        copy_points(ret, &found->p);
    }
    pthread_mutex_unlock(&c->mutex);
    return found;
}

static void keep(struct cache *c, const struct chunk_ref *ref, const struct points *p) {
    pthread_mutex_lock(&c->mutex);
    struct cache_entry *oldest = &c->entries[0];
    for (size_t i = 1; i < CACHE_ENTRIES; i++)
        if (c->entries[i].used < oldest->used) oldest = &c->entries[i];
    if (oldest->p.at || points_init(&oldest->p, CHUNK_POINTS_MAX)) {
        oldest->at8 = ref->at8;
        oldest->segment = ref->segment;
        oldest->used = ++c->clock;
        copy_points(&oldest->p, p);
    }
    pthread_mutex_unlock(&c->mutex);
}

bool chunk_is(const struct chunk_head *h, const struct segment *g, uint32_t series, const struct chunk_ref *ref) {
    return h->series == series && h->count == ref->count && h->first_ms == g->start_ms + ref->first_rel &&
           h->last_ms == g->start_ms + ref->last_rel;
}

static bool read_chunk(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, uint8_t *bytes,
                       struct points *ret) {
    const struct segment *g = t->segments[ref->segment];
    struct chunk_head h;
    int64_t at = (int64_t)ref->at8 * 8;
    int64_t n = t->io.read(t->io.self, g->file, bytes, FIRST_READ, at);
    if (n < CHUNK_HEAD_MIN || !chunk_head_read((struct bytes){bytes, (size_t)n}, &h) || !chunk_is(&h, g, series, ref))
        return false;
    int64_t whole = (int64_t)chunk_bytes(&h);
    if (whole > n && t->io.read(t->io.self, g->file, bytes + n, (size_t)(whole - n), at + n) != whole - n) return false;
    return chunk_decode(&h, bytes, ret);
}

bool cache_read(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, struct points *ret) {
    if (find(&t->cache, ref, ret)) return true;
    uint8_t *bytes = malloc(CHUNK_BYTES_MAX);
    bool ok = bytes && read_chunk(t, series, ref, bytes, ret);
    free(bytes);
    if (ok) keep(&t->cache, ref, ret);
    return ok;
}
