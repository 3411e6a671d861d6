/* Files of sealed chunks, one a UTC month, append only, dropped whole.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define BLOCK  ((size_t)256 * 1024)

#define FIRST_READ 4096 /* most chunks are smaller */

int64_t month_of(int64_t at_ms) {
    int32_t year, month, day;
    civil_from_day(at_ms >= 0 ? at_ms / DAY_MS : -((DAY_MS - 1 - at_ms) / DAY_MS), &year, &month, &day);
    return (int64_t)(year - 1970) * 12 + month - 1;
}

int64_t month_start_ms(int64_t month) {
    int64_t year = month >= 0 ? month / 12 : -((11 - month) / 12);
    return civil_day((int32_t)(1970 + year), (int32_t)(month - year * 12 + 1), 1) * DAY_MS;
}

/* "month-683-0-60.chunks": the month, the class by its id, minutes of a window. */
void segment_path(const struct telemetry *t, const struct segment_key *key, char ret[PATH_CAP]) {
    snprintf(ret, PATH_CAP, "%s/month-%06" PRId32 "-%" PRId64 "-%u.chunks", t->dir, key->month, t->keep_ids[key->keep],
             key->step_min);
}

bool segment_name(struct telemetry *t, const char *name, struct segment_key *ret) {
    struct str s = str_of(name), front = S("month-"), month, keep, step;
    int64_t m, id, n;
    if (!str_starts(s, front)) return false;
    s = str_from(s, front.len);
    if (!str_cut(&s, '-', &month) || !str_cut(&s, '-', &keep) || !str_cut(&s, '.', &step) || !str_is(s, "chunks") ||
        !str_to_i64(month, &m) || !str_to_i64(keep, &id) || !str_to_i64(step, &n) || m > INT32_MAX || n > UINT8_MAX)
        return false;
    *ret = (struct segment_key){(int32_t)m, keep_index(t, id), (uint8_t)n};
    return true;
}

size_t segment_slot(const struct telemetry *t, const struct segment_key *key) {
    for (size_t i = 0; i < t->segments_n; i++) {
        const struct segment *g = t->segments[i];
        if (g->key.month == key->month && g->key.keep == key->keep && g->key.step_min == key->step_min &&
            !g->is_dropped)
            return i;
    }
    return SIZE_MAX;
}

/* One of a dropped segment that nobody reads any more, else a new one. */
static enum err take_slot(struct telemetry *t, size_t *ret) {
    for (size_t i = 0; i < t->segments_n && !t->scans; i++)
        if (t->segments[i]->is_dropped && t->segments[i]->file < 0) {
            *ret = i;
            return OK;
        }
    if (t->segments_n == SEGMENTS_MAX) return ERR_LIMIT;
    struct segment *made = calloc(1, sizeof *made);
    if (!made) return ERR_INTERNAL;
    *ret = t->segments_n;
    t->segments[t->segments_n++] = made;
    return OK;
}

enum err segment_add(struct telemetry *t, const struct segment_key *key, size_t *ret_slot) {
    *ret_slot = segment_slot(t, key);
    if (*ret_slot != SIZE_MAX) return OK;
    pthread_mutex_lock(&t->lock);
    enum err e = take_slot(t, ret_slot);
    if (!e) *t->segments[*ret_slot] = (struct segment){.file = -1, .key = *key, .start_ms = month_start_ms(key->month)};
    pthread_mutex_unlock(&t->lock);
    return e;
}

enum err segment_open(struct telemetry *t, const struct segment_key *key, size_t *ret_slot) {
    char path[PATH_CAP];
    size_t slot;
    TRY(segment_add(t, key, &slot));
    struct segment *g = t->segments[slot];
    segment_path(t, key, path);
    if (g->file < 0) g->file = t->chunk_io.open(t->chunk_io.self, path, IO_CREATE);
    if (g->file < 0) return disk_error(t);
    *ret_slot = slot;
    return OK;
}

/* ---- taking in what is there ---- */

struct walk {
    struct telemetry *t;
    struct segment *segment;
    uint8_t *block;
    int64_t block_at, block_n, size;
    bool failed; /* a read did: that says nothing of what is there */
};

/* n bytes at `at`; NULL when the file is shorter. */
static const uint8_t *look(struct walk *w, int64_t at, size_t n) {
    if (at + (int64_t)n > w->size) return NULL;
    if (at < w->block_at || at + (int64_t)n > w->block_at + w->block_n) {
        w->block_at = at;
        w->block_n = w->t->chunk_io.read(w->t->chunk_io.self, w->segment->file, w->block, BLOCK, at);
        w->failed = w->failed || w->block_n < 0;
        if (w->block_n < (int64_t)n) return NULL;
    }
    return w->block + (at - w->block_at);
}

static bool is_chunk(struct walk *w, int64_t at, bool check_body, struct chunk_head *ret) {
    int64_t rest = w->size - at;
    size_t n = rest < CHUNK_HEAD_MAX ? (size_t)rest : CHUNK_HEAD_MAX;
    const uint8_t *bytes = look(w, at, n);
    if (!bytes || !chunk_head_read((struct bytes){bytes, n}, ret) || at + (int64_t)chunk_bytes(ret) > w->size)
        return false;
    if (ret->series >= w->t->series.n || month_of(ret->first_ms) != w->segment->key.month ||
        month_of(ret->last_ms) != w->segment->key.month || ret->is_rolled != (w->segment->key.step_min > 0))
        return false;
    if (!check_body) return true;
    bytes = look(w, at, chunk_bytes(ret));
    return bytes && (uint32_t)chunk_sum(bytes + ret->head_len, ret->body_len) == ret->body_sum;
}

static bool take(struct walk *w, size_t slot, int64_t at, const struct chunk_head *h) {
    struct series *s = series_at(w->t, h->series);
    struct telemetry_stored last = {h->last_ms, h->last, h->series, h->last_quality};
    if (h->parts >> ROLLED_PARTS || (h->is_rolled && h->count >> ROLLED_PARTS)) return true; /* not ours */
    struct chunk_ref ref = {
        .first_rel = (uint32_t)(h->first_ms - w->segment->start_ms),
        .last_rel = (uint32_t)(h->last_ms - w->segment->start_ms),
        .at8 = (uint32_t)(at / 8),
        .segment = (uint16_t)slot,
        .count = (uint16_t)(h->count | h->parts << ROLLED_PARTS),
    };
    if (!refs_reserve(s, 1)) return false;
    s->refs[s->refs_n++] = ref;
    w->t->chunks_n++;
    if (h->is_rolled) return true;
    w->t->chunk_points += h->count;
    /* A head was written after every chunk; of two chunks the later one counts. */
    if (!s->has_latest || last.at_ms > s->latest.at_ms || (last.at_ms == s->latest.at_ms && s->is_latest_sealed)) {
        s->latest = last;
        s->has_latest = s->is_latest_sealed = true;
    }
    return true;
}

static void note_lost(struct telemetry *t, size_t slot, int64_t at) {
    t->stats.damaged++;
    if (t->lost_n < LOST_MAX) t->lost[t->lost_n++] = (struct dead){(uint32_t)(at / 8), (uint16_t)slot};
}

/* A damaged head is counted once; the next good one behind it is looked for. */
enum err segment_scan(struct telemetry *t, size_t slot, int64_t size, bool check_bodies) {
    struct walk w = {.t = t, .segment = t->segments[slot], .block = malloc(BLOCK), .size = size};
    enum err e = w.block ? OK : ERR_INTERNAL;
    bool was_good = true;
    int64_t end = 0;
    for (int64_t at = 0; !e && !w.failed && at + CHUNK_HEAD_MIN <= size;) {
        struct chunk_head h;
        const uint8_t *bytes = look(&w, at, CHUNK_HEAD_MIN);
        size_t dead = bytes ? dead_read((struct bytes){bytes, CHUNK_HEAD_MIN}) : 0;
        if (dead) {
            at += (int64_t)dead;
            end = at;
            continue;
        }
        if (!is_chunk(&w, at, check_bodies, &h)) {
            if (was_good) note_lost(t, slot, at);
            was_good = false;
            at += 8;
            continue;
        }
        was_good = true;
        if (!dead_is(t, slot, at) && !take(&w, slot, at, &h)) e = ERR_INTERNAL;
        at += (int64_t)chunk_bytes(&h);
        end = at;
    }
    if (!e && w.failed) e = disk_error(t);
    w.segment->size = check_bodies ? end : size;
    t->chunk_bytes += w.segment->size;
    free(w.block);
    return e;
}

/* ---- reading one ---- */

bool chunk_is(const struct chunk_head *h, const struct segment *g, uint32_t series, const struct chunk_ref *ref) {
    return h->series == series && (h->count | h->parts << ROLLED_PARTS) == ref->count &&
           h->first_ms == g->start_ms + ref->first_rel && h->last_ms == g->start_ms + ref->last_rel;
}

/* As much as `n` bytes of it. */
static enum err read_front(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, uint8_t *bytes, size_t n,
                           struct chunk_head *ret, size_t *ret_n) {
    const struct segment *g = t->segments[ref->segment];
    int64_t got = t->chunk_io.read(t->chunk_io.self, g->file, bytes, n, (int64_t)ref->at8 * 8);
    if (got < 0) return ERR_UNAVAILABLE;
    *ret_n = (size_t)got;
    bool ok = got >= CHUNK_HEAD_MIN && chunk_head_read((struct bytes){bytes, (size_t)got}, ret) &&
              chunk_is(ret, g, series, ref);
    return ok ? OK : ERR_CORRUPT;
}

static enum err read_whole(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, uint8_t *bytes,
                           struct chunk_head *ret) {
    const struct segment *g = t->segments[ref->segment];
    size_t n;
    TRY(read_front(t, series, ref, bytes, FIRST_READ, ret, &n));
    int64_t at = (int64_t)ref->at8 * 8 + (int64_t)n, rest = (int64_t)chunk_bytes(ret) - (int64_t)n;
    if (rest <= 0) return OK;
    int64_t got = t->chunk_io.read(t->chunk_io.self, g->file, bytes + n, (size_t)rest, at);
    if (got < 0) return ERR_UNAVAILABLE;
    return got == rest ? OK : ERR_CORRUPT;
}

enum err chunk_read(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, struct points *ret) {
    uint8_t bytes[CHUNK_BYTES_MAX];
    struct chunk_head h;
    TRY(read_whole(t, series, ref, bytes, &h));
    return chunk_decode(&h, bytes, ret) ? OK : ERR_CORRUPT;
}

enum err chunk_read_rolled(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, struct rolled *ret,
                           struct chunk_head *ret_head) {
    uint8_t bytes[CHUNK_BYTES_MAX];
    int64_t step_ms = t->segments[ref->segment]->key.step_min * INT64_C(60000);
    TRY(read_whole(t, series, ref, bytes, ret_head));
    return rolled_decode(ret_head, step_ms, bytes, ret) ? OK : ERR_CORRUPT;
}

enum err chunk_read_bytes(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, uint8_t *ret,
                          size_t *ret_n) {
    struct chunk_head h;
    TRY(read_whole(t, series, ref, ret, &h));
    *ret_n = chunk_bytes(&h);
    return OK;
}

enum err chunk_read_head(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, struct chunk_head *ret) {
    uint8_t bytes[CHUNK_HEAD_MAX];
    size_t n;
    return read_front(t, series, ref, bytes, sizeof bytes, ret, &n);
}

void segments_sweep(struct telemetry *t) {
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->segments_n && !t->scans; i++) {
        struct segment *s = t->segments[i];
        if (!s->is_dropped || s->file < 0) continue;
        (void)t->chunk_io.close(t->chunk_io.self, s->file);
        s->file = -1;
    }
    pthread_mutex_unlock(&t->lock);
}
