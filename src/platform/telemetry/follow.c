/* A device whose code changed keeps its readings, whatever came under the new one before that was known.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdio.h>

#define PAGE        10000
#define ARENA_BYTES ((size_t)16 << 20)

/* What the new code sent steps aside under a name that no device sends: codes have no blank. */
static void aside_name(struct str code, char ret[TELEMETRY_DEVICE_MAX + 1]) {
    snprintf(ret, TELEMETRY_DEVICE_MAX + 1, "aside " STR_FMT, STR_ARG(code));
}

static enum err rename_device(struct telemetry *t, uint32_t id, struct str code, struct fault *f) {
    if (!device_rename(t, id, code)) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    device_dirty(t, id);
    return OK;
}

/* Under the lock of names, so that no reading comes between.  One group of the log makes both durable. */
static enum err swap_names(struct telemetry *t, int64_t community_id, struct str from, struct str to, struct str aside,
                           struct fault *f) {
    uint32_t old = device_find(t, community_id, from), new = device_find(t, community_id, to);
    if (old == NONE) return OK;
    /* Done before: the old code is a stranger's now, who sends on under it. */
    if (new != NONE && device_at(t, new)->is_known && !device_at(t, old)->is_known) return OK;
    if (new != NONE && device_find(t, community_id, aside) != NONE)
        return FAIL(f, ERR_CONFLICT, "device_exists", "there are readings under that code");
    if (new != NONE) TRY(rename_device(t, new, aside, f));
    TRY(rename_device(t, old, to, f));
    device_set_known(t, old, true);
    return OK;
}

static enum err copy_page(struct telemetry *t, const struct telemetry_series *s, struct str to,
                          const struct telemetry_points *p, struct arena *a, struct fault *f) {
    struct telemetry_point *points = arena_new(a, struct telemetry_point, p->n);
    if (!points) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    for (size_t i = 0; i < p->n; i++)
        points[i] = (struct telemetry_point){.device = to,
                                             .metric = s->metric,
                                             .unit = s->unit,
                                             .at_ms = p->at_ms[i],
                                             .value = p->value[i],
                                             .quality = p->quality[i]};
    return telemetry_put_wait(t, &(struct telemetry_batch){s->community_id, points, p->n}, NULL, f);
}

/* Copied, which may be done again: twice is once.  What it was copied from stays, out of sight. */
static enum err move_series(struct telemetry *t, const struct telemetry_series *s, struct str to, struct fault *f) {
    struct arena a;
    enum err e = OK;
    arena_init(&a, ARENA_BYTES);
    for (int64_t from_ms = INT64_MIN; !e;) {
        struct telemetry_points p = {0};
        arena_reset(&a);
        e = telemetry_range(t, s->number, from_ms, INT64_MAX, PAGE, &a, &p, f);
        if (!e && p.n) e = copy_page(t, s, to, &p, &a, f);
        if (e || !p.has_next) break;
        from_ms = p.next_ms;
    }
    arena_finish(&a);
    return e;
}

static enum err move_aside(struct telemetry *t, int64_t community_id, struct str aside, struct str to,
                           struct fault *f) {
    struct arena a;
    struct telemetry_series *all;
    size_t n = 0;
    arena_init(&a, ARENA_BYTES);
    enum err e = telemetry_latest(t, community_id, &aside, 1, (struct str){NULL, 0}, &a, &all, &n, f);
    for (size_t i = 0; i < n && !e; i++)
        if (all[i].has_latest) e = move_series(t, &all[i], to, f);
    arena_finish(&a);
    return e;
}

enum err telemetry_device_follow(struct telemetry *t, int64_t community_id, struct str from, struct str to,
                                 struct fault *f) {
    char name[TELEMETRY_DEVICE_MAX + 1];
    if (!name_ok(to, TELEMETRY_DEVICE_MAX - sizeof "aside ")) return FAIL_FIELD(f, "code", "bad_name", 0);
    aside_name(to, name);
    struct str aside = str_of(name);
    pthread_rwlock_wrlock(&t->names);
    enum err e = swap_names(t, community_id, from, to, aside, f);
    pthread_rwlock_unlock(&t->names);
    if (!e) e = telemetry_device_put(t, &(struct telemetry_device){community_id, to, true, {NULL, 0}}, f);
    return e ? e : move_aside(t, community_id, aside, to, f);
}
