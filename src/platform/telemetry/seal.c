/* From heads to chunks, and away when they are too old.  The log tells what is sealed: until it does, the points are
 * still in it and the bytes behind a segment's size count for nothing.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENT_MAX    (INT64_C(8) * UINT32_MAX)
#define RETAIN_EACH_MS INT64_C(3600000)

static enum err flush(struct sealing *s) {
    if (!s->buffer_n) return OK;
    struct segment *g = s->t->segments[s->slot];
    int64_t put =
        s->t->chunk_io.write(s->t->chunk_io.self, g->file, s->buffer, s->buffer_n, g->end - (int64_t)s->buffer_n);
    if (put != (int64_t)s->buffer_n) return disk_error(s->t);
    s->buffer_n = 0;
    return OK;
}

static enum err note(struct sealing *s, uint32_t series, const struct chunk_ref *ref) {
    if (s->done_n == s->done_cap) {
        size_t cap = s->done_cap ? s->done_cap * 2 : 128;
        struct sealed *grown = realloc(s->done, cap * sizeof *grown);
        if (!grown) return ERR_INTERNAL;
        s->done = grown;
        s->done_cap = cap;
    }
    s->done[s->done_n++] = (struct sealed){series, *ref};
    return OK;
}

static enum err put_chunk(struct sealing *s, uint32_t series, size_t slot, const struct points *p) {
    struct segment *g = s->t->segments[slot];
    if (s->buffer_n && (slot != s->slot || s->buffer_n + CHUNK_BYTES_MAX > SEAL_BUFFER)) TRY(flush(s));
    if (g->end + CHUNK_BYTES_MAX > SEGMENT_MAX) return ERR_LIMIT;
    size_t n = chunk_encode(series, p, s->buffer + s->buffer_n);
    struct chunk_ref ref = {
        .first_rel = (uint32_t)(p->at[0] - g->start_ms),
        .last_rel = (uint32_t)(p->at[p->n - 1] - g->start_ms),
        .at8 = (uint32_t)(g->end / 8),
        .segment = (uint16_t)slot,
        .count = (uint16_t)p->n,
    };
    s->slot = slot;
    s->buffer_n += n;
    g->end += (int64_t)n;
    return note(s, series, &ref);
}

static struct points slice(const struct points *p, size_t at, size_t n) {
    return (struct points){p->at + at, p->value + at, p->quality + at, n};
}

enum err sealing_put(struct sealing *s, uint32_t series, const struct points *p) {
    for (size_t at = 0; at < p->n;) {
        int64_t month = month_of(p->at[at]), end_ms = month_start_ms(month + 1);
        size_t end = at, slot;
        while (end < p->n && p->at[end] < end_ms) end++;
        TRY(segment_open(s->t, month, &slot));
        size_t pieces = (end - at + CHUNK_POINTS_MAX - 1) / CHUNK_POINTS_MAX, each = (end - at + pieces - 1) / pieces;
        for (; at < end; at += each) {
            struct points piece = slice(p, at, end - at < each ? end - at : each);
            TRY(put_chunk(s, series, slot, &piece));
        }
        at = end;
    }
    return OK;
}

static enum err put_head(struct sealing *s, uint32_t series) {
    struct points p;
    if (!head_copy(&s->t->blocks, &series_at(s->t, series)->head, INT64_MIN, INT64_MAX, &p)) return ERR_INTERNAL;
    enum err e = points_sort(&p) ? sealing_put(s, series, &p) : ERR_INTERNAL;
    free(p.at);
    return e;
}

enum err sealing_sync(struct sealing *s) {
    struct telemetry *t = s->t;
    bool named = true;
    TRY(flush(s));
    for (size_t i = 0; i < t->segments_n; i++) {
        struct segment *g = t->segments[i];
        if (g->end == g->size) continue;
        if (t->chunk_io.sync(t->chunk_io.self, g->file)) return disk_error(t);
        named = named && g->is_named;
    }
    if (!named && t->chunk_io.sync_dir(t->chunk_io.self, t->dir)) return disk_error(t);
    for (size_t i = 0; i < t->segments_n && !named; i++) t->segments[i]->is_named = true;
    return OK;
}

void sealing_tell(struct sealing *s) {
    struct telemetry *t = s->t;
    group_begin(&t->group);
    for (size_t i = 0; i < t->segments_n; i++)
        if (t->segments[i]->end != t->segments[i]->size)
            out_segment(&t->group, t->segments[i]->month, t->segments[i]->end);
}

/* The group that makes it true: sizes of the segments, heads that are empty now. */
static enum err tell(struct sealing *s) {
    struct telemetry *t = s->t;
    sealing_tell(s);
    out_int(&t->group, ENTRY_CLEAR, 1);
    out_int(&t->group, t->due.n - s->first, 4);
    for (size_t i = s->first; i < t->due.n; i++) out_int(&t->group, t->due.id[i], 4);
    return hotlog_append(t, &t->log, &t->group, true);
}

/* Before the group: room for the references, so that nothing can fail after it. */
enum err sealing_reserve(struct sealing *s) {
    enum err e = OK;
    pthread_mutex_lock(&s->t->lock);
    for (size_t i = 0; i < s->done_n && !e; i++) {
        struct series *at = series_at(s->t, s->done[i].series);
        if (!refs_reserve(at, ++at->coming)) e = ERR_INTERNAL;
    }
    for (size_t i = 0; i < s->done_n; i++) series_at(s->t, s->done[i].series)->coming = 0;
    pthread_mutex_unlock(&s->t->lock);
    return e;
}

void sealing_add(struct sealing *s) {
    struct telemetry *t = s->t;
    for (size_t i = 0; i < s->done_n; i++) {
        struct series *at = series_at(t, s->done[i].series);
        at->refs[at->refs_n++] = s->done[i].ref;
        t->chunk_points += s->done[i].ref.count;
    }
    for (size_t i = 0; i < t->segments_n; i++) {
        t->chunk_bytes += t->segments[i]->end - t->segments[i]->size;
        t->segments[i]->size = t->segments[i]->end;
    }
    t->chunks_n += (int64_t)s->done_n;
}

static void make_true(struct sealing *s) {
    struct telemetry *t = s->t;
    pthread_mutex_lock(&t->lock);
    sealing_add(s);
    for (size_t i = s->first; i < t->due.n; i++) {
        series_at(t, t->due.id[i])->is_due = false;
        head_clear(t, t->due.id[i]);
    }
    t->due.n = s->first;
    t->due_points -= s->points;
    pthread_mutex_unlock(&t->lock);
}

bool sealing_begin(struct sealing *s, struct telemetry *t) {
    *s = (struct sealing){.t = t, .buffer = malloc(SEAL_BUFFER + CHUNK_BYTES_MAX)};
    for (size_t i = 0; i < t->segments_n; i++) t->segments[i]->end = t->segments[i]->size;
    return s->buffer;
}

void sealing_end(struct sealing *s) {
    free(s->buffer);
    free(s->done);
}

/* The heads that became due last, as many as SEAL_MAX points are. */
static void choose(struct sealing *s) {
    const struct telemetry *t = s->t;
    for (s->first = t->due.n; s->first && (!s->points || s->points < SEAL_MAX); s->first--)
        s->points += series_at(t, t->due.id[s->first - 1])->head.n;
}

enum err seal_due(struct telemetry *t) {
    struct sealing s;
    enum err e = sealing_begin(&s, t) ? OK : ERR_INTERNAL;
    choose(&s);
    for (size_t i = s.first; i < t->due.n && !e; i++) e = put_head(&s, t->due.id[i]);
    if (!e) e = sealing_sync(&s);
    if (!e) e = sealing_reserve(&s);
    if (!e) e = tell(&s);
    if (!e) make_true(&s);
    sealing_end(&s);
    pthread_mutex_lock(&t->lock);
    t->is_seal_failing = e != OK;
    pthread_mutex_unlock(&t->lock);
    return e;
}

/* ---- retention ---- */

static void forget_chunks(struct telemetry *t, size_t slot) {
    t->segments[slot]->is_dropped = true;
    t->chunk_bytes -= t->segments[slot]->size;
    for (uint32_t id = 0; id < t->series.n; id++) {
        struct series *s = series_at(t, id);
        uint32_t n = 0;
        for (uint32_t i = 0; i < s->refs_n; i++) {
            if (s->refs[i].segment != slot)
                s->refs[n++] = s->refs[i];
            else
                t->chunk_points -= s->refs[i].count;
        }
        t->chunks_n -= s->refs_n - n;
        s->refs_n = n;
    }
}

static enum err drop(struct telemetry *t, size_t slot) {
    char path[PATH_CAP];
    group_begin(&t->group);
    out_int(&t->group, ENTRY_DROP, 1);
    out_int(&t->group, (uint64_t)t->segments[slot]->month, 4);
    TRY(hotlog_append(t, &t->log, &t->group, true));
    pthread_rwlock_rdlock(&t->names);
    dead_forget(t, slot);
    pthread_mutex_lock(&t->lock);
    forget_chunks(t, slot);
    pthread_mutex_unlock(&t->lock);
    pthread_rwlock_unlock(&t->names);
    segment_path(t, t->segments[slot]->month, path);
    (void)t->chunk_io.remove(t->chunk_io.self, path); /* else the next opening does */
    return OK;
}

void retain(struct telemetry *t, int64_t now_ms) {
    segments_sweep(t);
    if (now_ms < t->retain_at_ms) return;
    t->retain_at_ms = now_ms + RETAIN_EACH_MS;
    for (size_t i = 0; i < t->segments_n; i++) {
        const struct segment *g = t->segments[i];
        if (!g->is_dropped && month_start_ms(g->month + 1) <= now_ms - t->retention_ms && drop(t, i)) return;
    }
}
