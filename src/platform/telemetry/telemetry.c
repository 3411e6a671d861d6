/* Opening, closing, figures.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_BATCHES ((size_t)4096)
#define QUEUE_BYTES   ((size_t)64 << 20)
#define LOG_BYTES     (INT64_C(4) << 20)

static void defaults(struct telemetry *t) {
    struct telemetry_options *o = &t->options;
    if (!o->queue_batches_max) o->queue_batches_max = QUEUE_BATCHES;
    if (!o->queue_bytes_max) o->queue_bytes_max = QUEUE_BYTES;
    if (!o->seal_at) o->seal_at = CHUNK_POINTS_MAX;
    if (!o->log_bytes_max) o->log_bytes_max = LOG_BYTES;
    keeps_init(t);
    t->rotate_at = o->log_bytes_max;
    t->last = &t->first;
    t->blocks.free = NONE;
    t->log.file = -1;
}

/* Whoever has a new name does not wait for ever behind those who have none. */
static void names_lock_init(pthread_rwlock_t *lock) {
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

static void wake_init(pthread_cond_t *wake) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(wake, &attr);
    pthread_condattr_destroy(&attr);
}

static enum err start(struct telemetry *t, struct fault *f) {
    if (!idmap_init(&t->device_map) || !idmap_init(&t->series_map) || !idmap_init(&t->words.map))
        return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    TRY(replay(t, f));
    if (t->options.threadless) return OK;
    if (pthread_create(&t->thread, NULL, telemetry_writer, t))
        return FAIL(f, ERR_INTERNAL, "no_thread", "no thread can be made");
    t->has_thread = true;
    return OK;
}

enum err telemetry_open(const struct telemetry_options *options, struct telemetry **ret, struct fault *f) {
    struct telemetry *t = calloc(1, sizeof *t);
    if (!t) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    t->options = *options;
    t->io = *options->io;
    t->chunk_io = *(options->chunk_io ? options->chunk_io : options->io);
    names_lock_init(&t->names);
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->tap_lock, NULL);
    wake_init(&t->wake);
    defaults(t);
    size_t n = strlen(options->dir);
    enum err e = n < sizeof t->dir ? OK : FAIL(f, ERR_LIMIT, "path_too_long", "the folder's name is too long");
    if (!e) memcpy(t->dir, options->dir, n + 1);
    if (!e) e = start(t, f);
    if (e)
        telemetry_close(t);
    else
        *ret = t;
    return e;
}

void telemetry_tap(struct telemetry *t, void (*fn)(void *arg, const struct telemetry_stored *points, size_t n),
                   void *arg) {
    pthread_mutex_lock(&t->tap_lock);
    t->tap = fn;
    t->tap_arg = arg;
    pthread_mutex_unlock(&t->tap_lock);
}

void telemetry_close(struct telemetry *t) {
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    t->closing = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    if (t->has_thread) pthread_join(t->thread, NULL);
    while (telemetry_step(t)) continue;
    if (t->log.file >= 0) (void)t->io.close(t->io.self, t->log.file);
    for (size_t i = 0; i < t->segments_n; i++) {
        if (t->segments[i]->file >= 0) (void)t->chunk_io.close(t->chunk_io.self, t->segments[i]->file);
        free(t->segments[i]);
    }
    names_finish(t);
    blocks_finish(&t->blocks);
    free(t->group.ptr);
    free(t->dead);
    free(t->taken_devices.id);
    free(t->taken_series.id);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->tap_lock);
    pthread_mutex_destroy(&t->lock);
    pthread_rwlock_destroy(&t->names);
    free(t);
}

void telemetry_stats(struct telemetry *t, struct telemetry_stats *ret) {
    pthread_rwlock_rdlock(&t->names);
    pthread_mutex_lock(&t->lock);
    *ret = t->stats;
    ret->waiting_batches = (int64_t)t->waiting_n;
    ret->waiting_bytes = (int64_t)t->waiting_bytes;
    ret->devices = t->devices.n;
    ret->series = t->series.n;
    ret->unknown_devices = t->unknown.devices;
    ret->chunks = t->chunks_n;
    ret->chunk_points = t->chunk_points;
    ret->head_points = t->head_points;
    ret->chunk_bytes = t->chunk_bytes;
    pthread_mutex_unlock(&t->lock);
    pthread_rwlock_unlock(&t->names);
}
