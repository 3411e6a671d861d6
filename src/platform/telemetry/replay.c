/* Opening: the newest log is read, segments are taken in as far as it vouches for them, and what nothing speaks of any
 * more goes.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX (2 * SEGMENTS_MAX)

/* ---- entries ---- */

struct cursor {
    const uint8_t *ptr, *end;
    bool bad;
};

static uint64_t take_int(struct cursor *c, size_t n) {
    if ((size_t)(c->end - c->ptr) < n) {
        c->bad = true;
        c->ptr = c->end;
        return 0;
    }
    uint64_t v = le_get(c->ptr, n);
    c->ptr += n;
    return v;
}

static struct str take_text(struct cursor *c) {
    size_t n = take_int(c, 1);
    if ((size_t)(c->end - c->ptr) < n) {
        c->bad = true;
        n = 0;
    }
    struct str s = {(const char *)c->ptr, n};
    c->ptr += n;
    return s;
}

/* Numbers are given without gaps.  Where a damaged group took names away, its numbers stay, with a made-up name, so
 * that what follows still means what it meant. */
static bool fill_devices(struct telemetry *t, uint32_t to) {
    char name[32];
    while (t->devices.n < to) {
        snprintf(name, sizeof name, "lost-%" PRIu32, t->devices.n);
        if (!t->is_damaged || device_add(t, 0, str_of(name)) == NONE) return false;
    }
    return true;
}

static bool fill_series(struct telemetry *t, uint32_t to) {
    char name[32];
    while (t->series.n < to) {
        if (!t->is_damaged || !fill_devices(t, 1)) return false;
        snprintf(name, sizeof name, "lost-%" PRIu32, t->series.n);
        if (series_add(t, 0, str_of(name)) == NONE) return false;
    }
    return true;
}

static bool take_device(struct telemetry *t, struct cursor *c) {
    uint32_t id = (uint32_t)take_int(c, 4);
    int64_t community_id = (int64_t)take_int(c, 8);
    bool known = take_int(c, 1);
    struct str code = take_text(c);
    if (c->bad || !code.len || !fill_devices(t, id)) return false;
    if (id == t->devices.n) {
        if (device_add(t, community_id, code) == NONE) return false;
    } else if (!str_eq(device_at(t, id)->code, code) && !device_rename(t, id, code)) {
        return false;
    }
    device_set_known(t, id, known);
    return true;
}

static bool take_series(struct telemetry *t, struct cursor *c) {
    uint32_t id = (uint32_t)take_int(c, 4), device = (uint32_t)take_int(c, 4);
    uint8_t class = (uint8_t)take_int(c, 1), kind = (uint8_t)take_int(c, 1);
    int64_t keep = (int64_t)take_int(c, 8);
    struct str metric = take_text(c), unit = take_text(c);
    if (c->bad || !metric.len || !fill_devices(t, device + 1) || !fill_series(t, id)) return false;
    if (id == t->series.n && series_add(t, device, metric) == NONE) return false;
    if (unit.len) series_set_unit(t, id, unit);
    series_at(t, id)->class = class;
    series_at(t, id)->kind = kind >> 1;
    series_at(t, id)->is_labelled = kind & 1;
    series_at(t, id)->keep = keep_index(t, keep);
    return true;
}

static bool take_point(struct telemetry *t, const struct telemetry_stored *p) {
    if (p->series == NONE || !fill_series(t, p->series + 1) || !blocks_reserve(&t->blocks, 1)) return false;
    head_add(t, p->series, p);
    return true;
}

static bool take_points(struct telemetry *t, struct cursor *c) {
    uint64_t n = take_int(c, 4);
    struct bytes in = {c->ptr, (size_t)(c->end - c->ptr)};
    struct telemetry_stored p = {.series = NONE};
    for (uint64_t i = 0; i < n; i++)
        if (!log_point(&in, &p) || !take_point(t, &p)) return false;
    c->ptr = in.ptr;
    return true;
}

static bool take_head(struct telemetry *t, struct cursor *c) {
    struct telemetry_stored p = {.series = (uint32_t)take_int(c, 4)};
    struct head_state state = {.scale = (uint8_t)(take_int(c, 1) % (SCALE_MAX + 1))};
    for (size_t n; (n = take_int(c, 1)) && !c->bad;) {
        uint8_t bytes[UINT8_MAX + HEAD_POINT_MAX] = {0};
        if ((size_t)(c->end - c->ptr) < n) return false;
        memcpy(bytes, c->ptr, n);
        c->ptr += n;
        for (size_t i = 0; i < n;) {
            i += head_decode(&state, bytes + i, &p);
            if (i > n || !take_point(t, &p)) return false;
        }
    }
    return !c->bad;
}

static struct segment_key take_key(struct telemetry *t, struct cursor *c) {
    int32_t month = (int32_t)(uint32_t)take_int(c, 4);
    int64_t keep = (int64_t)take_int(c, 8);
    return (struct segment_key){month, keep_index(t, keep), (uint8_t)take_int(c, 1)};
}

static bool take_segment(struct telemetry *t, struct cursor *c) {
    struct segment_key key = take_key(t, c);
    int64_t size = (int64_t)take_int(c, 8);
    size_t slot;
    if (c->bad || size < 0 || segment_add(t, &key, &slot)) return false;
    t->segments[slot]->size = size;
    return true;
}

static bool take_drop(struct telemetry *t, struct cursor *c) {
    struct segment_key key = take_key(t, c);
    size_t slot = segment_slot(t, &key);
    if (!c->bad && slot != SIZE_MAX) {
        t->segments[slot]->is_dropped = true;
        dead_forget(t, slot);
    }
    return !c->bad;
}

static bool take_dead(struct telemetry *t, struct cursor *c) {
    struct segment_key key = take_key(t, c);
    int64_t at8 = (int64_t)take_int(c, 4);
    size_t slot = segment_slot(t, &key);
    return !c->bad && (slot == SIZE_MAX || dead_add(t, slot, at8 * 8));
}

static void drop_due(struct telemetry *t, uint32_t id) {
    for (size_t i = 0; i < t->due.n; i++) {
        if (t->due.id[i] != id) continue;
        t->due.id[i] = t->due.id[--t->due.n];
        t->due_points -= series_at(t, id)->head.n;
        break;
    }
    series_at(t, id)->is_due = false;
}

static bool take_forget(struct telemetry *t, struct cursor *c) {
    uint32_t id = (uint32_t)take_int(c, 4);
    if (!c->bad && id < t->series.n) series_at(t, id)->has_latest = false;
    t->must_wipe = true; /* it came to no more than that */
    return !c->bad;
}

static bool take_clear(struct telemetry *t, struct cursor *c) {
    uint64_t n = take_int(c, 4);
    for (uint64_t i = 0; i < n && !c->bad; i++) {
        uint32_t id = (uint32_t)take_int(c, 4);
        if (c->bad || id >= t->series.n) continue;
        if (series_at(t, id)->is_due) drop_due(t, id);
        head_clear(t, id);
    }
    return !c->bad;
}

static enum err take_group(struct telemetry *t, struct bytes entries) {
    struct cursor c = {entries.ptr, entries.ptr + entries.len, false};
    bool ok = true;
    while (ok && c.ptr < c.end) {
        switch ((enum entry)take_int(&c, 1)) {
        case ENTRY_DEVICE: ok = take_device(t, &c); break;
        case ENTRY_SERIES: ok = take_series(t, &c); break;
        case ENTRY_POINTS: ok = take_points(t, &c); break;
        case ENTRY_HEAD: ok = take_head(t, &c); break;
        case ENTRY_SEGMENT: ok = take_segment(t, &c); break;
        case ENTRY_CLEAR: ok = take_clear(t, &c); break;
        case ENTRY_FORGET: ok = take_forget(t, &c); break;
        case ENTRY_DEAD: ok = take_dead(t, &c); break;
        case ENTRY_DROP: ok = take_drop(t, &c); break;
        default: ok = false;
        }
    }
    return ok ? OK : ERR_CORRUPT;
}

/* ---- files ---- */

struct files {
    struct telemetry *t;
    int64_t logs[64];
    struct segment_key segments[FILES_MAX];
    size_t logs_n, segments_n;
    char other[64][64];
    size_t other_n;
};

static int note_segment(void *arg, const char *name) {
    struct files *files = arg;
    struct segment_key key;
    if (segment_name(files->t, name, &key) && files->segments_n < FILES_MAX) files->segments[files->segments_n++] = key;
    return 0;
}

static int note_log(void *arg, const char *name) {
    struct files *files = arg;
    struct str s = str_of(name), number;
    int64_t n;
    if (!str_starts(s, S("hot-"))) return 0;
    s = str_from(s, 4);
    if (str_cut(&s, '.', &number) && str_to_i64(number, &n) && str_is(s, "log") && files->logs_n < COUNT(files->logs))
        files->logs[files->logs_n++] = n;
    else if (files->other_n < COUNT(files->other) && strlen(name) < sizeof files->other[0])
        memcpy(files->other[files->other_n++], name, strlen(name) + 1);
    return 0;
}

static enum err take_segments(struct telemetry *t) {
    for (size_t i = 0; i < t->segments_n; i++) {
        struct segment *g = t->segments[i];
        if (g->is_dropped) continue;
        TRY(segment_open(t, &g->key, &i));
        int64_t size = t->chunk_io.size(t->chunk_io.self, g->file);
        if (size < 0) return disk_error(t);
        if (size < g->size) t->stats.damaged++;
        if (!t->is_damaged && size > g->size) {
            if (t->chunk_io.truncate(t->chunk_io.self, g->file, g->size)) return disk_error(t);
            size = g->size;
        }
        TRY(segment_scan(t, i, size, t->is_damaged));
        g->is_named = g->size > 0;
    }
    return OK;
}

/* Segments that the log does not know were dropped, or never told of.  A damaged log is not believed in that. */
static enum err take_unknown_segments(struct telemetry *t, const struct files *files) {
    char path[PATH_CAP];
    for (size_t i = 0; i < files->segments_n; i++) {
        size_t slot = segment_slot(t, &files->segments[i]);
        if (slot != SIZE_MAX) continue;
        if (t->is_damaged) {
            TRY(segment_add(t, &files->segments[i], &slot));
            continue;
        }
        segment_path(t, &files->segments[i], path);
        (void)t->chunk_io.remove(t->chunk_io.self, path);
    }
    return OK;
}

static void remove_leftovers(struct telemetry *t, const struct files *files) {
    char path[PATH_CAP];
    for (size_t i = 0; i < files->logs_n; i++) {
        hotlog_path(t, files->logs[i], "log", path);
        if (files->logs[i] != t->log.number) (void)t->io.remove(t->io.self, path);
    }
    for (size_t i = 0; i < files->other_n; i++) {
        snprintf(path, sizeof path, "%s/%s", t->dir, files->other[i]);
        (void)t->io.remove(t->io.self, path);
    }
}

static enum err read_log(struct telemetry *t, struct fault *f) {
    char path[PATH_CAP];
    hotlog_path(t, t->log.number, "log", path);
    t->log.file = t->io.open(t->io.self, path, IO_WRITE);
    if (t->log.file < 0) return FAIL(f, ERR_UNAVAILABLE, "disk_failed", "the readings' log cannot be opened");
    TRY(hotlog_read(t, &t->log, take_group, f));
    t->log.room = t->io.size(t->io.self, t->log.file);
    if (hotlog_settle(t)) return FAIL(f, ERR_UNAVAILABLE, "disk_failed", "the readings' folder cannot be synced");
    t->must_rotate = t->is_damaged;
    t->dirty_devices.n = t->dirty_series.n = 0;
    for (uint32_t i = 0; i < t->devices.n; i++) device_at(t, i)->is_dirty = false;
    for (uint32_t i = 0; i < t->series.n; i++) series_at(t, i)->is_dirty = false;
    return OK;
}

static enum err replay_files(struct telemetry *t, struct files *files, struct fault *f) {
    if (t->io.make_dir(t->io.self, t->dir) || t->io.list(t->io.self, t->dir, note_log, files) ||
        t->chunk_io.make_dir(t->chunk_io.self, t->dir) ||
        t->chunk_io.list(t->chunk_io.self, t->dir, note_segment, files))
        return FAIL(f, ERR_UNAVAILABLE, "disk_failed", "the readings' folder cannot be opened");
    for (size_t i = 0; i < files->logs_n; i++)
        if (files->logs[i] > t->log.number) t->log.number = files->logs[i];
    if (!t->log.number && files->segments_n)
        return FAIL(f, ERR_CORRUPT, "log_missing", "there are sealed readings but no log of them");
    if (!t->log.number) {
        enum err e = hotlog_rotate(t);
        return e ? FAIL(f, e, "disk_failed", "the readings' log cannot be made") : OK;
    }
    TRY(read_log(t, f));
    enum err e = take_unknown_segments(t, files);
    if (!e) e = take_segments(t);
    if (e) return FAIL(f, e, "disk_failed", "sealed readings cannot be read");
    remove_leftovers(t, files);
    dead_sweep(t);
    return OK;
}

enum err replay(struct telemetry *t, struct fault *f) {
    struct files *files = calloc(1, sizeof *files);
    if (!files) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    files->t = t;
    enum err e = replay_files(t, files, f);
    free(files);
    return e;
}
