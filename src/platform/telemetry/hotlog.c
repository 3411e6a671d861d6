/* The hot log: groups of entries, each written at one go and synced; a group is there whole or not at all.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Group, little-endian: 0 magic  4 length of the entries  8 sum of what follows up to the end  16 salt of the file
 * 24 number of the group in the file, from 0  32 entries; then zeros up to a multiple of 8. */
#define MAGIC          0x3348474cu /* "LGH3" */
#define GROUP_HEAD     32
#define READ_MAX       ((size_t)GROUP_MAX * 4)
#define BLOCK          65536
#define NAMES_AT_ONCE  2048 /* under the lock */
#define POINTS_AT_ONCE 4096
#define ROOM_MIN       (INT64_C(16) << 10)
#define ROOM_MAX       (INT64_C(4) << 20)
#define AHEAD          8 /* series are fetched this many points before they are needed */

/* ---- building ---- */

/* Room for n bytes more; NULL: out of memory. */
static uint8_t *room(struct out *o, size_t n) {
    if (o->n + n > o->cap && !o->failed) {
        size_t cap = o->cap ? o->cap : 4096;
        while (cap < o->n + n) cap *= 2;
        uint8_t *grown = realloc(o->ptr, cap);
        o->failed = !grown;
        if (grown) {
            o->ptr = grown;
            o->cap = cap;
        }
    }
    return o->failed ? NULL : o->ptr + o->n;
}

void out_bytes(struct out *o, const void *bytes, size_t n) {
    uint8_t *at = n ? room(o, n) : NULL;
    if (!at) return;
    memcpy(at, bytes, n);
    o->n += n;
}

void out_int(struct out *o, uint64_t v, size_t n) {
    uint8_t bytes[8];
    le_put(bytes, v, n);
    out_bytes(o, bytes, n);
}

void out_text(struct out *o, struct str text) {
    out_int(o, text.len, 1);
    out_bytes(o, text.ptr, text.len);
}

/* ---- points: each by what differs from the one before it in the entry.  A byte that says how, the series unless it is
 * the next one, the time unless it is the same, the value as a whole number at a scale or a double, the quality unless
 * it is 0. ---- */

enum { NEXT_SERIES = 1, SAME_TIME = 2, HAS_QUALITY = 4, SCALE_SHIFT = 3 };
#define POINT_MAX 32 /* bytes, and what varints and doubles may need */

static uint8_t *put_point(uint8_t *out, const struct telemetry_stored *p, const struct telemetry_stored *before,
                          unsigned scale) {
    uint8_t *how = out++;
    int64_t m;
    *how = 0;
    if (p->series == before->series + 1)
        *how |= NEXT_SERIES;
    else
        out = varint_put(out, zigzag((int32_t)(p->series - before->series)));
    if (p->at_ms == before->at_ms)
        *how |= SAME_TIME;
    else
        out = varint_put(out, zigzag((int64_t)((uint64_t)p->at_ms - (uint64_t)before->at_ms)));
    scale = decimal_find(p->value, scale, &m);
    *how |= (uint8_t)(scale << SCALE_SHIFT);
    if (scale == NO_DECIMAL) {
        le_put(out, bits_of(p->value), 8);
        out += 8;
    } else {
        out = varint_put(out, zigzag(m));
    }
    if (!p->quality) return out;
    *how |= HAS_QUALITY;
    *out++ = p->quality;
    return out;
}

void out_points(struct out *o, const struct telemetry *t, const struct telemetry_stored *points, size_t n) {
    out_int(o, ENTRY_POINTS, 1);
    out_int(o, n, 4);
    struct telemetry_stored before = {.series = NONE};
    for (size_t i = 0; i < n;) {
        size_t end = n - i > POINTS_AT_ONCE ? i + POINTS_AT_ONCE : n;
        uint8_t *at = room(o, (end - i) * POINT_MAX), *begin = at;
        if (!at) return;
        for (; i < end; before = points[i++]) {
            if (i + AHEAD < n) __builtin_prefetch(series_at(t, points[i + AHEAD].series));
            at = put_point(at, &points[i], &before, series_at(t, points[i].series)->head.scale);
        }
        o->n += (size_t)(at - begin);
    }
}

bool log_point(struct bytes *in, struct telemetry_stored *p) {
    uint64_t v = 0;
    if (!in->len) return false;
    unsigned how = in->ptr[0], scale = how >> SCALE_SHIFT;
    *in = (struct bytes){in->ptr + 1, in->len - 1};
    if (!(how & NEXT_SERIES) && !varint_get(in, &v)) return false;
    p->series += how & NEXT_SERIES ? 1 : (uint32_t)unzigzag(v);
    if (!(how & SAME_TIME) && !varint_get(in, &v)) return false;
    if (!(how & SAME_TIME)) p->at_ms = (int64_t)((uint64_t)p->at_ms + (uint64_t)unzigzag(v));
    if (scale <= SCALE_MAX) {
        if (!varint_get(in, &v)) return false;
        p->value = decimal_value(unzigzag(v), scale);
    } else {
        if (scale != NO_DECIMAL || in->len < 8) return false;
        p->value = double_of(le_get(in->ptr, 8));
        *in = (struct bytes){in->ptr + 8, in->len - 8};
    }
    p->quality = 0;
    if (!(how & HAS_QUALITY)) return true;
    if (!in->len) return false;
    p->quality = in->ptr[0];
    *in = (struct bytes){in->ptr + 1, in->len - 1};
    return true;
}

void group_begin(struct out *o) {
    static const uint8_t head[GROUP_HEAD];
    o->n = 0;
    o->failed = false;
    out_bytes(o, head, sizeof head);
}

/* ---- writing ---- */

enum err disk_error(struct telemetry *t) {
    pthread_mutex_lock(&t->lock);
    t->stats.disk_errors++;
    pthread_mutex_unlock(&t->lock);
    return ERR_UNAVAILABLE;
}

void hotlog_path(const struct telemetry *t, int64_t number, const char *end, char ret[PATH_CAP]) {
    snprintf(ret, PATH_CAP, "%s/hot-%010" PRId64 ".%s", t->dir, number, end);
}

/* A log that is past gives its file to the next one, whose salt tells its groups from those that are still in it.  One
 * left behind under its name does no harm: the highest number counts. */
static void keep_spare(struct telemetry *t, int64_t number) {
    char old[PATH_CAP], spare[PATH_CAP];
    hotlog_path(t, number, "log", old);
    hotlog_path(t, 0, "spare", spare);
    if (t->io.rename(t->io.self, old, spare)) (void)t->io.remove(t->io.self, old);
}

/* The spare one's bytes are written over before it goes. */
enum err hotlog_wipe_spare(struct telemetry *t) {
    static const uint8_t zeros[ROOM_MAX / 16];
    char spare[PATH_CAP];
    hotlog_path(t, 0, "spare", spare);
    int64_t file = t->io.open(t->io.self, spare, IO_WRITE);
    if (file < 0) return file == -ENOENT ? OK : disk_error(t);
    int64_t size = t->io.size(t->io.self, file), at = 0;
    for (int64_t some; at < size; at += some) {
        some = size - at < (int64_t)sizeof zeros ? size - at : (int64_t)sizeof zeros;
        if (t->io.write(t->io.self, file, zeros, (size_t)some, at) != some) break;
    }
    bool ok = size >= 0 && at >= size && !t->io.sync(t->io.self, file);
    ok = !t->io.close(t->io.self, file) && ok;
    return ok && !t->io.remove(t->io.self, spare) ? OK : disk_error(t);
}

void hotlog_trim(struct telemetry *t) {
    char spare[PATH_CAP];
    hotlog_path(t, 0, "spare", spare);
    (void)t->io.remove(t->io.self, spare);
    if (t->log.room <= t->log.end + ROOM_MAX / 4) return;
    if (!t->io.truncate(t->io.self, t->log.file, t->log.end)) t->log.room = 0;
}

/* From the renaming on a restart may find either log.  Both hold the same as long as nothing is acknowledged, and
 * nothing is until the folder is synced. */
enum err hotlog_settle(struct telemetry *t) {
    if (t->io.sync_dir(t->io.self, t->dir)) return disk_error(t);
    t->log.is_named = true;
    if (t->log.number > 1) keep_spare(t, t->log.number - 1);
    return OK;
}

/* Bytes that are there already are synced many times faster than those that make a file longer: so it is made longer
 * now and then, by as much as it grew.  It is no more than that, so it may fail. */
static void make_room(struct telemetry *t, struct hotlog *log, int64_t n) {
    static const uint8_t zeros[ROOM_MAX / 16];
    if (log->end + n <= log->room) return;
    int64_t step = log->end / 2 < ROOM_MIN ? ROOM_MIN : log->end / 2 > ROOM_MAX ? ROOM_MAX : log->end / 2;
    int64_t at = log->end + n, to = (at + step + ROOM_MIN - 1) / ROOM_MIN * ROOM_MIN;
    for (int64_t some; at < to; at += some) {
        some = to - at < (int64_t)sizeof zeros ? to - at : (int64_t)sizeof zeros;
        if (t->io.write(t->io.self, log->file, zeros, (size_t)some, at) != some) break;
    }
    log->room = at;
}

enum err hotlog_append(struct telemetry *t, struct hotlog *log, struct out *group, bool sync) {
    static const uint8_t zeros[8];
    size_t n = group->n - GROUP_HEAD;
    out_bytes(group, zeros, (8 - group->n % 8) % 8);
    if (group->failed) return ERR_INTERNAL;
    if (sync && !log->is_named) TRY(hotlog_settle(t));
    le_put(group->ptr, MAGIC, 4);
    le_put(group->ptr + 4, n, 4);
    le_put(group->ptr + 16, log->salt, 8);
    le_put(group->ptr + 24, log->seq, 8);
    le_put(group->ptr + 8, chunk_sum(group->ptr + 16, group->n - 16), 8);
    make_room(t, log, (int64_t)group->n);
    int64_t put = t->io.write(t->io.self, log->file, group->ptr, group->n, log->end);
    int rc = put == (int64_t)group->n ? 0 : -1;
    if (!rc && sync) rc = t->io.sync(t->io.self, log->file);
    if (rc) {
        /* The group counts as not written: the next one overwrites it.  Cutting it off now gives a full disk its space
         * back and is no more than that, so it may fail. */
        (void)t->io.truncate(t->io.self, log->file, log->end);
        log->room = 0;
        return disk_error(t);
    }
    log->end += (int64_t)group->n;
    log->seq++;
    return OK;
}

/* ---- beginning anew: what the log holds and still counts goes to the front of a new one ---- */

struct snapshot {
    struct telemetry *t;
    struct hotlog log;
};

static enum err flush(struct snapshot *s, size_t at_least) {
    struct out *o = &s->t->group;
    if (o->n <= at_least) return OK;
    TRY(hotlog_append(s->t, &s->log, o, false));
    group_begin(o);
    return OK;
}

void out_device(struct out *o, const struct telemetry *t, uint32_t id) {
    const struct device *d = device_at(t, id);
    out_int(o, ENTRY_DEVICE, 1);
    out_int(o, id, 4);
    out_int(o, (uint64_t)d->community_id, 8);
    out_int(o, d->is_known, 1);
    out_text(o, d->code);
}

void out_series(struct out *o, const struct telemetry *t, uint32_t id) {
    out_series_as(o, t, id, series_at(t, id)->keep);
}

void out_series_as(struct out *o, const struct telemetry *t, uint32_t id, uint8_t keep) {
    const struct series *s = series_at(t, id);
    out_int(o, ENTRY_SERIES, 1);
    out_int(o, id, 4);
    out_int(o, s->device, 4);
    out_int(o, s->class, 1);
    out_int(o, (uint64_t)(s->kind << 1 | s->is_labelled), 1);
    out_int(o, (uint64_t)t->keep_ids[keep], 8);
    out_text(o, t->words.text[s->metric]);
    out_text(o, s->unit == NONE ? S("") : t->words.text[s->unit]);
}

void out_key(struct out *o, const struct telemetry *t, const struct segment *g) {
    out_int(o, (uint64_t)g->key.month, 4);
    out_int(o, (uint64_t)t->keep_ids[g->key.keep], 8);
    out_int(o, g->key.step_min, 1);
}

void out_segment(struct out *o, const struct telemetry *t, const struct segment *g, int64_t size) {
    out_int(o, ENTRY_SEGMENT, 1);
    out_key(o, t, g);
    out_int(o, (uint64_t)size, 8);
}

void out_head(struct out *o, const struct blocks *b, const struct head *h, uint32_t id) {
    out_int(o, ENTRY_HEAD, 1);
    out_int(o, id, 4);
    out_int(o, h->from_scale, 1);
    for (struct head_block at = {.next = h->first}; at.next != NONE;) {
        at = head_block(b, h, at.next);
        out_int(o, at.bytes.len, 1);
        out_bytes(o, at.bytes.ptr, at.bytes.len);
    }
    out_int(o, 0, 1);
}

/* Names are read under the lock, since others add to them; heads and segments change by this thread alone. */
static enum err put_names(struct snapshot *s, uint32_t n, bool are_devices) {
    struct telemetry *t = s->t;
    for (uint32_t i = 0; i < n;) {
        uint32_t end = n - i > NAMES_AT_ONCE ? i + NAMES_AT_ONCE : n;
        pthread_rwlock_rdlock(&t->names);
        for (; i < end; i++) (are_devices ? out_device : out_series)(&t->group, t, i);
        pthread_rwlock_unlock(&t->names);
        TRY(flush(s, GROUP_MAX / 2));
    }
    return OK;
}

static enum err put_snapshot(struct snapshot *s) {
    struct telemetry *t = s->t;
    struct out *o = &t->group;
    group_begin(o);
    pthread_rwlock_rdlock(&t->names);
    uint32_t devices_n = t->devices.n, series_n = t->series.n;
    pthread_rwlock_unlock(&t->names);
    TRY(put_names(s, devices_n, true));
    TRY(put_names(s, series_n, false));
    for (size_t i = 0; i < t->segments_n; i++)
        if (!t->segments[i]->is_dropped) out_segment(o, t, t->segments[i], t->segments[i]->size);
    for (size_t i = 0; i < t->dead_n; i++) out_dead(o, t, &t->dead[i]);
    for (uint32_t i = 0; i < series_n; i++) {
        if (series_at(t, i)->head.n) out_head(o, &t->blocks, &series_at(t, i)->head, i);
        TRY(flush(s, GROUP_MAX / 2));
    }
    return flush(s, s->log.seq ? GROUP_HEAD : 0); /* the first group is there even when it has nothing to say */
}

static enum err put_new_log(struct snapshot *s) {
    struct telemetry *t = s->t;
    char made[PATH_CAP], name[PATH_CAP], spare[PATH_CAP];
    hotlog_path(t, 0, "spare", spare);
    hotlog_path(t, s->log.number, "tmp", made);
    hotlog_path(t, s->log.number, "log", name);
    (void)t->io.remove(t->io.self, made); /* of an attempt before */
    (void)t->io.rename(t->io.self, spare, made);
    s->log.file = t->io.open(t->io.self, made, IO_CREATE);
    if (s->log.file < 0) return disk_error(t);
    s->log.room = t->io.size(t->io.self, s->log.file);
    enum err e = put_snapshot(s);
    if (!e && t->io.sync(t->io.self, s->log.file)) e = disk_error(t);
    if (!e && t->io.rename(t->io.self, made, name)) e = disk_error(t);
    if (!e) return OK;
    (void)t->io.close(t->io.self, s->log.file);
    (void)t->io.remove(t->io.self, made);
    return e;
}

enum err hotlog_rotate(struct telemetry *t) {
    struct snapshot s = {.t = t, .log = {.number = t->log.number + 1, .salt = world_u64(t->options.world)}};
    if (t->log.number && !t->log.is_named) TRY(hotlog_settle(t)); /* never two steps ahead of what is durable */
    TRY(put_new_log(&s));
    if (t->log.number) (void)t->io.close(t->io.self, t->log.file);
    s.log.begun_with = s.log.end;
    t->log = s.log;
    return hotlog_settle(t);
}

/* ---- reading ---- */

struct reader {
    struct telemetry *t;
    struct hotlog *log;
    int64_t size;
    uint8_t *ptr;
    size_t cap;
};

/* The group at `at`, whole and of this file; its entries stay in r->ptr. */
static bool group_read(struct reader *r, int64_t at, uint64_t *ret_seq, struct bytes *ret, int64_t *ret_end) {
    struct io *io = &r->t->io;
    uint8_t head[GROUP_HEAD];
    if (at + GROUP_HEAD > r->size || io->read(io->self, r->log->file, head, GROUP_HEAD, at) != GROUP_HEAD) return false;
    size_t n = le_get(head + 4, 4), whole = (GROUP_HEAD + n + 7) & ~(size_t)7;
    if (le_get(head, 4) != MAGIC || n > READ_MAX || at + (int64_t)whole > r->size) return false;
    if (at > 0 && le_get(head + 16, 8) != r->log->salt) return false;
    if (whole > r->cap) {
        uint8_t *grown = realloc(r->ptr, whole);
        if (!grown) return false;
        r->ptr = grown;
        r->cap = whole;
    }
    if (io->read(io->self, r->log->file, r->ptr, whole, at) != (int64_t)whole) return false;
    if (chunk_sum(r->ptr + 16, whole - 16) != le_get(head + 8, 8)) return false;
    if (at == 0) r->log->salt = le_get(head + 16, 8);
    *ret_seq = le_get(head + 24, 8);
    *ret = (struct bytes){r->ptr + GROUP_HEAD, n};
    *ret_end = at + (int64_t)whole;
    return true;
}

/* Only one group is ever under way, so behind a torn tail there is nothing.  A good later group behind a bad one means
 * that the disk has damaged what was durable. */
static bool find_later(struct reader *r, int64_t from, int64_t *ret) {
    struct bytes entries;
    uint64_t seq;
    int64_t end;
    uint8_t *block = malloc(BLOCK);
    bool found = false;
    for (int64_t at = from + 8; block && !found && at + GROUP_HEAD <= r->size; at += BLOCK) {
        int64_t n = r->t->io.read(r->t->io.self, r->log->file, block, BLOCK, at);
        for (int64_t i = 0; i + 4 <= n && !found; i += 8) {
            found = le_get(block + i, 4) == MAGIC && group_read(r, at + i, &seq, &entries, &end) && seq > r->log->seq;
            if (found) *ret = at + i;
        }
    }
    free(block);
    return found;
}

enum err hotlog_read(struct telemetry *t, struct hotlog *log, enum err (*fn)(struct telemetry *t, struct bytes entries),
                     struct fault *f) {
    struct reader r = {.t = t, .log = log, .size = t->io.size(t->io.self, log->file)};
    enum err e = OK;
    if (r.size < 0) return FAIL(f, ERR_UNAVAILABLE, "disk_failed", "the readings' log cannot be read");
    for (int64_t at = 0, next = 0; !e && at < r.size; at = next) {
        struct bytes entries;
        uint64_t seq;
        if (group_read(&r, at, &seq, &entries, &next) && seq >= log->seq) {
            log->seq = seq + 1;
            log->end = next;
            e = fn(t, entries);
            continue;
        }
        if (!at) e = FAIL(f, ERR_CORRUPT, "log_damaged", "the readings' log does not begin as it must");
        if (e || !find_later(&r, at, &next)) break;
        t->is_damaged = true;
        t->stats.damaged++;
    }
    free(r.ptr);
    if (!e && !log->end) e = FAIL(f, ERR_CORRUPT, "log_damaged", "the readings' log is empty");
    return e == ERR_CORRUPT && !f->kind ? FAIL(f, e, "log_damaged", "the readings' log contradicts itself") : e;
}
