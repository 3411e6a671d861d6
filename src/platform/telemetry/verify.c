/* Is everything sealed still what it was: all of it is read.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

struct verifying {
    struct telemetry *t;
    telemetry_damaged *fn;
    void *arg;
    struct points points;
    struct rolled *rows;
};

static const char *file_of(const struct telemetry *t, size_t slot, char path[PATH_CAP]) {
    segment_path(t, &t->segments[slot]->key, path);
    const char *name = strrchr(path, '/');
    return name ? name + 1 : path;
}

static void tell(struct verifying *v, uint32_t id, const struct chunk_ref *ref, enum err e) {
    struct telemetry *t = v->t;
    const struct segment *g = t->segments[ref->segment];
    const struct series *s = series_at(t, id);
    char path[PATH_CAP];
    bool rolled = g->key.step_min > 0;
    struct telemetry_damage d = {.file = file_of(t, ref->segment, path),
                                 .at = (int64_t)ref->at8 * 8,
                                 .device = device_at(t, s->device)->code,
                                 .metric = t->words.text[s->metric],
                                 .first_ms = g->start_ms + ref->first_rel,
                                 .last_ms = g->start_ms + ref->last_rel,
                                 .n = rolled ? ref->count % (1 << ROLLED_PARTS) : ref->count,
                                 .window_min = g->key.step_min,
                                 .is_unread = e == ERR_UNAVAILABLE};
    v->fn(v->arg, &d);
}

static enum err look(struct verifying *v, uint32_t id, const struct chunk_ref *ref) {
    struct chunk_head h;
    return v->t->segments[ref->segment]->key.step_min ? chunk_read_rolled(v->t, id, ref, v->rows, &h)
                                                      : chunk_read(v->t, id, ref, &v->points);
}

/* The references stay as they are: nobody else is at work on a store that is verified. */
enum err telemetry_verify(struct telemetry *t, telemetry_damaged *fn, void *arg, struct fault *f) {
    struct verifying v = {.t = t, .fn = fn, .arg = arg, .rows = malloc(ROLLED_MAX * sizeof *v.rows)};
    bool ok = v.rows && points_init(&v.points, CHUNK_POINTS_MAX);
    char path[PATH_CAP];
    for (size_t i = 0; ok && i < t->lost_n; i++) {
        struct telemetry_damage d = {.file = file_of(t, t->lost[i].segment, path), .at = (int64_t)t->lost[i].at8 * 8};
        fn(arg, &d);
    }
    for (uint32_t id = 0; ok && id < t->series.n; id++) {
        const struct series *s = series_at(t, id);
        for (uint32_t i = 0; i < s->refs_n; i++) {
            enum err e = look(&v, id, &s->refs[i]);
            if (e) tell(&v, id, &s->refs[i], e);
        }
    }
    free(v.points.at);
    free(v.rows);
    return ok ? OK : FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
}
