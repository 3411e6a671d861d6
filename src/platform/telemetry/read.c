/* Reading: who is there, the latest of many, the points of a range.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <string.h>

#define FAIL_ARENA(f) FAIL(f, ERR_LIMIT, "too_much", "this needs more memory than one request may use")

/* ---- series ---- */

static bool copy_text(struct arena *a, struct str text, struct str *ret) {
    char *copy = arena_cstr(a, text);
    if (copy) *ret = (struct str){copy, text.len};
    return copy;
}

/* Under the lock of names. */
static bool describe(const struct telemetry *t, uint32_t number, struct arena *a, struct telemetry_series *ret) {
    const struct series *s = series_at(t, number);
    const struct device *d = device_at(t, s->device);
    *ret = (struct telemetry_series){.community_id = d->community_id,
                                     .number = number,
                                     .class = s->class,
                                     .kind = s->kind,
                                     .keep = t->keep_ids[s->keep],
                                     .is_known = d->is_known,
                                     .is_labelled = s->is_labelled};
    return copy_text(a, d->code, &ret->device) && copy_text(a, t->words.text[s->metric], &ret->metric) &&
           (s->unit == NONE || copy_text(a, t->words.text[s->unit], &ret->unit));
}

/* Under both locks: one moment for all. */
static void fill_latest(struct telemetry *t, struct telemetry_series *list, size_t n) {
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < n; i++) {
        const struct series *s = series_at(t, list[i].number);
        list[i].has_latest = s->has_latest;
        list[i].latest = s->latest;
    }
    pthread_mutex_unlock(&t->lock);
}

enum err telemetry_series_at(struct telemetry *t, uint32_t number, struct arena *a, struct telemetry_series *ret,
                             struct fault *f) {
    struct telemetry_series got;
    pthread_rwlock_rdlock(&t->names);
    bool found = number < t->series.n, ok = found && describe(t, number, a, &got);
    if (ok) fill_latest(t, &got, 1);
    pthread_rwlock_unlock(&t->names);
    if (!found) return FAIL(f, ERR_NOT_FOUND, "no_series", "there are no such readings");
    if (!ok) return FAIL_ARENA(f);
    *ret = got;
    return OK;
}

struct latest {
    struct telemetry *t;
    int64_t community_id;
    const struct str *devices;
    size_t n;
    struct str metric;
    struct telemetry_series *out;
    size_t out_n;
};

static bool wanted(const struct latest *q, uint32_t number) {
    return !q->metric.ptr || str_eq(q->t->words.text[series_at(q->t, number)->metric], q->metric);
}

static size_t count_wanted(const struct latest *q) {
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++) {
        uint32_t id = device_find(q->t, q->community_id, q->devices[i]);
        if (id == NONE) continue;
        for (uint32_t at = device_at(q->t, id)->first_series; at != NONE; at = series_at(q->t, at)->next)
            n += wanted(q, at);
    }
    return n;
}

static bool take_wanted(struct latest *q, struct arena *a) {
    for (size_t i = 0; i < q->n; i++) {
        uint32_t id = device_find(q->t, q->community_id, q->devices[i]);
        if (id == NONE) continue;
        for (uint32_t at = device_at(q->t, id)->first_series; at != NONE; at = series_at(q->t, at)->next)
            if (wanted(q, at) && !describe(q->t, at, a, &q->out[q->out_n++])) return false;
    }
    return true;
}

enum err telemetry_latest(struct telemetry *t, int64_t community_id, const struct str *devices, size_t n,
                          struct str metric, struct arena *a, struct telemetry_series **ret, size_t *ret_n,
                          struct fault *f) {
    struct latest q = {.t = t, .community_id = community_id, .devices = devices, .n = n, .metric = metric};
    if (n > TELEMETRY_LATEST_MAX) return FAIL(f, ERR_LIMIT, "too_many_devices", "too many devices at once");
    pthread_rwlock_rdlock(&t->names);
    size_t found = count_wanted(&q);
    q.out = arena_new(a, struct telemetry_series, found + 1);
    bool ok = q.out && take_wanted(&q, a);
    if (ok) fill_latest(t, q.out, q.out_n);
    pthread_rwlock_unlock(&t->names);
    if (!ok) return FAIL_ARENA(f);
    *ret = q.out;
    *ret_n = q.out_n;
    return OK;
}

enum err telemetry_devices(struct telemetry *t, int64_t community_id, bool unknown, uint32_t *at, size_t cap,
                           struct arena *a, struct str **ret, size_t *ret_n, struct fault *f) {
    struct str *out = arena_new(a, struct str, cap + 1);
    bool ok = out;
    size_t n = 0;
    uint32_t next = 0;
    pthread_rwlock_rdlock(&t->names);
    for (uint32_t id = *at; ok && id < t->devices.n; id++) {
        const struct device *d = device_at(t, id);
        if (d->community_id != community_id || (unknown && d->is_known)) continue;
        if (n == cap) {
            next = id;
            break;
        }
        ok = copy_text(a, d->code, &out[n++]);
    }
    pthread_rwlock_unlock(&t->names);
    if (!ok) return FAIL_ARENA(f);
    *at = next;
    *ret = out;
    *ret_n = n;
    return OK;
}

/* ---- points ---- */

#define FIRST_ROOM 1024

static bool make_room(struct telemetry_points *p, size_t *cap, size_t need, struct arena *a) {
    if (need <= *cap) return true;
    size_t more = *cap ? *cap * 2 : FIRST_ROOM;
    while (more < need) more *= 2;
    struct telemetry_points grown = *p;
    grown.at_ms = arena_new(a, int64_t, more);
    grown.value = arena_new(a, double, more);
    grown.quality = arena_new(a, uint8_t, more);
    if (!grown.at_ms || !grown.value || !grown.quality) return false;
    if (p->n) {
        memcpy(grown.at_ms, p->at_ms, p->n * sizeof *p->at_ms);
        memcpy(grown.value, p->value, p->n * sizeof *p->value);
        memcpy(grown.quality, p->quality, p->n);
    }
    *p = grown;
    *cap = more;
    return true;
}

static enum err read_points(struct scan *s, size_t limit, struct arena *a, struct telemetry_points *p,
                            struct fault *f) {
    size_t cap = 0;
    for (;;) {
        struct points slice;
        enum err e = scan_slice(s, s->to_ms, &slice, f);
        if (e == ERR_NOT_FOUND) return OK;
        if (e) return e;
        size_t n = slice.n < limit - p->n ? slice.n : limit - p->n;
        if (!make_room(p, &cap, p->n + n, a)) return FAIL_ARENA(f);
        memcpy(p->at_ms + p->n, slice.at, n * sizeof *slice.at);
        memcpy(p->value + p->n, slice.value, n * sizeof *slice.value);
        memcpy(p->quality + p->n, slice.quality, n);
        p->n += n;
        if (n == slice.n) continue;
        p->has_next = true;
        p->next_ms = slice.at[n];
        return OK;
    }
}

enum err telemetry_range(struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms, size_t limit,
                         struct arena *a, struct telemetry_points *ret, struct fault *f) {
    struct scan s;
    struct telemetry_points p = {.width = 1};
    if (!limit || limit > TELEMETRY_POINTS_MAX) return FAIL_FIELD(f, "limit", "out_of_range", TELEMETRY_POINTS_MAX);
    enum err e = scan_init(&s, t, series, from_ms, to_ms, f);
    if (!e) e = read_points(&s, limit, a, &p, f);
    p.damaged = s.damaged;
    scan_finish(&s);
    if (!e) *ret = p;
    return e;
}
