/* From heads to chunks.  The log tells what is sealed: until it does, the points are still in it and the bytes behind a
 * segment's size count for nothing.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENT_MAX (INT64_C(8) * UINT32_MAX)

/* ---- writing ---- */

static enum err flush(struct sealing *s) {
    if (!s->buffer_n) return OK;
    struct segment *g = s->t->segments[s->slot];
    int64_t at = g->end - (int64_t)s->buffer_n;
    int64_t put = s->t->chunk_io.write(s->t->chunk_io.self, g->file, s->buffer, s->buffer_n, at);
    if (put != (int64_t)s->buffer_n) return disk_error(s->t);
    s->buffer_n = 0;
    return OK;
}

static bool add(struct sealed **list, size_t *n, size_t *cap, uint32_t series, const struct chunk_ref *ref) {
    if (*n == *cap) {
        size_t more = *cap ? *cap * 2 : 128;
        struct sealed *grown = realloc(*list, more * sizeof *grown);
        if (!grown) return false;
        *list = grown;
        *cap = more;
    }
    (*list)[(*n)++] = (struct sealed){series, *ref};
    return true;
}

/* Room for a chunk behind what is there already; *ret is where it goes. */
static enum err make_room(struct sealing *s, size_t slot, uint8_t **ret) {
    struct segment *g = s->t->segments[slot];
    if (s->buffer_n && (slot != s->slot || s->buffer_n + CHUNK_BYTES_MAX > SEAL_BUFFER)) TRY(flush(s));
    if (g->end + CHUNK_BYTES_MAX > SEGMENT_MAX) return ERR_LIMIT;
    s->slot = slot;
    *ret = s->buffer + s->buffer_n;
    return OK;
}

/* n bytes were put there. */
static enum err took(struct sealing *s, uint32_t series, int64_t first_ms, int64_t last_ms, unsigned count, size_t n) {
    struct segment *g = s->t->segments[s->slot];
    struct chunk_ref ref = {
        .first_rel = (uint32_t)(first_ms - g->start_ms),
        .last_rel = (uint32_t)(last_ms - g->start_ms),
        .at8 = (uint32_t)(g->end / 8),
        .segment = (uint16_t)s->slot,
        .count = (uint16_t)count,
    };
    s->buffer_n += n;
    g->end += (int64_t)n;
    return add(&s->done, &s->done_n, &s->done_cap, series, &ref) ? OK : ERR_INTERNAL;
}

static enum err put_chunk(struct sealing *s, uint32_t series, size_t slot, const struct points *p) {
    uint8_t *at;
    TRY(make_room(s, slot, &at));
    return took(s, series, p->at[0], p->at[p->n - 1], (unsigned)p->n, chunk_encode(series, p, at));
}

enum err sealing_drop(struct sealing *s, uint32_t series, const struct chunk_ref *ref) {
    for (size_t i = s->gone_n; i && s->gone[i - 1].series == series; i--)
        if (s->gone[i - 1].ref.segment == ref->segment && s->gone[i - 1].ref.at8 == ref->at8) return OK;
    return add(&s->gone, &s->gone_n, &s->gone_cap, series, ref) ? OK : ERR_INTERNAL;
}

/* What was rolled up of the month is past: it is rolled up again from what is there then, unless that is not all. */
static enum err drop_rolled(struct sealing *s, uint32_t series, int32_t month) {
    struct telemetry *t = s->t;
    const struct series *at = series_at(t, series);
    int asked = -1; /* of windows of that length it is known */
    bool whole = false;
    if (month < t->rolled_month) roll_late(t);
    for (uint32_t i = 0; i < at->refs_n; i++) {
        const struct segment_key *key = &t->segments[at->refs[i].segment]->key;
        if (key->month != month || !key->step_min) continue;
        if (asked != key->step_min) TRY(raw_is_whole(t, series, month, key->step_min, &whole));
        asked = key->step_min;
        if (whole) TRY(sealing_drop(s, series, &at->refs[i]));
    }
    return OK;
}

static struct points slice(const struct points *p, size_t at, size_t n) {
    return (struct points){p->at + at, p->value + at, p->quality + at, n};
}

/* Of one month, in chunks of nearly the same size. */
static enum err put_month(struct sealing *s, uint32_t series, const struct segment_key *key, const struct points *p) {
    size_t slot, pieces = (p->n + CHUNK_POINTS_MAX - 1) / CHUNK_POINTS_MAX, each = (p->n + pieces - 1) / pieces;
    TRY(segment_open(s->t, key, &slot));
    TRY(drop_rolled(s, series, key->month));
    for (size_t at = 0; at < p->n; at += each) {
        struct points piece = slice(p, at, p->n - at < each ? p->n - at : each);
        TRY(put_chunk(s, series, slot, &piece));
    }
    return OK;
}

enum err sealing_put(struct sealing *s, uint32_t series, const struct points *p) {
    struct segment_key key = {.keep = series_at(s->t, series)->keep};
    for (size_t at = 0, end = 0; at < p->n; at = end) {
        key.month = (int32_t)month_of(p->at[at]);
        int64_t end_ms = month_start_ms(key.month + 1);
        while (end < p->n && p->at[end] < end_ms) end++;
        struct points month = slice(p, at, end - at);
        if (!is_all_past(s->t, &key)) TRY(put_month(s, series, &key, &month)); /* else it goes at once */
    }
    return OK;
}

enum err sealing_put_rolled(struct sealing *s, uint32_t series, const struct segment_key *key,
                            const struct rolled *rows, size_t n) {
    size_t slot, parts = (n + ROLLED_MAX - 1) / ROLLED_MAX, each = (n + parts - 1) / parts;
    int64_t step_ms = key->step_min * INT64_C(60000);
    TRY(segment_open(s->t, key, &slot));
    for (size_t at = 0; at < n; at += each) {
        size_t some = n - at < each ? n - at : each;
        uint8_t *bytes;
        TRY(make_room(s, slot, &bytes));
        size_t len = rolled_encode(series, step_ms, rows + at, some, (unsigned)parts, bytes);
        unsigned count = (unsigned)some | (unsigned)parts << ROLLED_PARTS;
        TRY(took(s, series, rows[at].at_ms, rows[at + some - 1].at_ms, count, len));
    }
    return OK;
}

/* A damaged one is copied as nothing; one that cannot be read now stays. */
enum err sealing_copy(struct sealing *s, uint32_t series, const struct chunk_ref *ref, uint8_t keep) {
    const struct segment *g = s->t->segments[ref->segment];
    struct segment_key key = {g->key.month, keep, g->key.step_min};
    size_t slot, n;
    uint8_t *at;
    TRY(segment_open(s->t, &key, &slot));
    TRY(make_room(s, slot, &at));
    enum err e = chunk_read_bytes(s->t, series, ref, at, &n);
    if (e && e != ERR_CORRUPT) return e;
    if (!e) TRY(took(s, series, g->start_ms + ref->first_rel, g->start_ms + ref->last_rel, ref->count, n));
    return sealing_drop(s, series, ref);
}

/* ---- making it true ---- */

static enum err sync_files(struct sealing *s) {
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

/* Before the group: room for all that is added to, so that nothing can fail after it. */
static enum err reserve(struct sealing *s) {
    struct telemetry *t = s->t;
    enum err e = dead_reserve(t, s->gone_n) ? OK : ERR_INTERNAL;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < s->done_n && !e; i++) {
        struct series *at = series_at(t, s->done[i].series);
        if (!refs_reserve(at, ++at->coming)) e = ERR_INTERNAL;
    }
    for (size_t i = 0; i < s->done_n; i++) series_at(t, s->done[i].series)->coming = 0;
    pthread_mutex_unlock(&t->lock);
    return e;
}

static enum err tell(struct sealing *s, const struct sealing_also *also) {
    struct telemetry *t = s->t;
    group_begin(&t->group);
    for (size_t i = 0; i < t->segments_n; i++)
        if (t->segments[i]->end != t->segments[i]->size) out_segment(&t->group, t, t->segments[i], t->segments[i]->end);
    for (size_t i = 0; i < s->gone_n; i++)
        out_dead(&t->group, t, &(struct dead){s->gone[i].ref.at8, s->gone[i].ref.segment});
    if (also->tell) also->tell(&t->group, also->arg);
    return hotlog_append(t, &t->log, &t->group, true);
}

static int64_t points_of(const struct telemetry *t, const struct chunk_ref *ref) {
    return t->segments[ref->segment]->key.step_min ? 0 : ref->count;
}

static void forget(struct telemetry *t, const struct sealed *gone) {
    struct series *s = series_at(t, gone->series);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->refs_n; i++)
        if (s->refs[i].segment != gone->ref.segment || s->refs[i].at8 != gone->ref.at8) s->refs[n++] = s->refs[i];
    s->refs_n = n;
    t->dead[t->dead_n++] = (struct dead){gone->ref.at8, gone->ref.segment}; /* there is room */
    t->chunk_points -= points_of(t, &gone->ref);
}

static void make_true(struct sealing *s) {
    struct telemetry *t = s->t;
    for (size_t i = 0; i < s->gone_n; i++) forget(t, &s->gone[i]);
    for (size_t i = 0; i < s->done_n; i++) {
        struct series *at = series_at(t, s->done[i].series);
        at->refs[at->refs_n++] = s->done[i].ref;
        t->chunk_points += points_of(t, &s->done[i].ref);
    }
    for (size_t i = 0; i < t->segments_n; i++) {
        t->chunk_bytes += t->segments[i]->end - t->segments[i]->size;
        t->segments[i]->size = t->segments[i]->end;
    }
    t->chunks_n += (int64_t)s->done_n - (int64_t)s->gone_n;
}

enum err sealing_commit(struct sealing *s, const struct sealing_also *also) {
    TRY(sync_files(s));
    TRY(reserve(s));
    TRY(tell(s, also));
    pthread_mutex_lock(&s->t->lock);
    make_true(s);
    if (also->apply) also->apply(also->arg);
    pthread_mutex_unlock(&s->t->lock);
    return OK;
}

bool sealing_begin(struct sealing *s, struct telemetry *t) {
    *s = (struct sealing){.t = t, .buffer = malloc(SEAL_BUFFER + CHUNK_BYTES_MAX)};
    for (size_t i = 0; i < t->segments_n; i++) t->segments[i]->end = t->segments[i]->size;
    return s->buffer;
}

void sealing_end(struct sealing *s) {
    free(s->buffer);
    free(s->done);
    free(s->gone);
}

/* ---- heads that are due ---- */

struct due {
    struct telemetry *t;
    size_t first;   /* of the due list: from here to its end */
    int64_t points; /* of those */
};

static enum err put_head(struct sealing *s, uint32_t series) {
    struct points p;
    if (!head_copy(&s->t->blocks, &series_at(s->t, series)->head, INT64_MIN, INT64_MAX, &p)) return ERR_INTERNAL;
    enum err e = points_sort(&p) ? sealing_put(s, series, &p) : ERR_INTERNAL;
    free(p.at);
    return e;
}

/* Those that became due last, as many as SEAL_MAX points are. */
static void choose(struct due *d) {
    const struct telemetry *t = d->t;
    for (d->first = t->due.n; d->first && (!d->points || d->points < SEAL_MAX); d->first--)
        d->points += series_at(t, t->due.id[d->first - 1])->head.n;
}

static void tell_clear(struct out *group, void *arg) {
    const struct due *d = arg;
    out_int(group, ENTRY_CLEAR, 1);
    out_int(group, d->t->due.n - d->first, 4);
    for (size_t i = d->first; i < d->t->due.n; i++) out_int(group, d->t->due.id[i], 4);
}

static void clear(void *arg) {
    const struct due *d = arg;
    struct telemetry *t = d->t;
    for (size_t i = d->first; i < t->due.n; i++) {
        series_at(t, t->due.id[i])->is_due = false;
        head_clear(t, t->due.id[i]);
    }
    t->due.n = d->first;
    t->due_points -= d->points;
}

enum err seal_due(struct telemetry *t) {
    struct sealing s;
    struct due due = {.t = t};
    enum err e = sealing_begin(&s, t) ? OK : ERR_INTERNAL;
    choose(&due);
    for (size_t i = due.first; i < t->due.n && !e; i++) e = put_head(&s, t->due.id[i]);
    if (!e) e = sealing_commit(&s, &(struct sealing_also){tell_clear, clear, &due});
    sealing_end(&s);
    pthread_mutex_lock(&t->lock);
    t->is_seal_failing = e != OK;
    pthread_mutex_unlock(&t->lock);
    return e;
}
