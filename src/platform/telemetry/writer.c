/* The writer: makes what waits durable, group by group, then readable, then acknowledged.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define NAMES_MAX     8192 /* dirty names that go into one group */
#define APPLY_AT_ONCE 4096
#define APPLY_AHEAD   8
#define NAME_BYTES    48 /* of a device or a series in the log, about */
#define TIDY_BYTES    65536
#define TIDY_AFTER_MS 2000
#define HOUSE_MS      60000
#define HEADS_COOL    (2 << 20) /* points that may stay in heads while nobody wants anything */
#define COOL_PART     4         /* of a full chunk */

size_t job_bytes(const struct job *job) {
    return sizeof *job + job->n * sizeof job->points[0];
}

/* ---- one group ---- */

static bool is_alone(const struct job *job) {
    return job->erasure || job->moving;
}

/* Jobs in order, as many as one group holds (at least one). */
static struct job *take_jobs(struct telemetry *t) {
    struct job *first = t->first, **end = &t->first;
    size_t points = 0, n = 0;
    while (*end && (!n || (points + (*end)->n <= GROUP_POINTS && !is_alone(*end)))) {
        if (n && is_alone(first)) break;
        points += (*end)->n;
        n++;
        t->waiting_bytes -= job_bytes(*end);
        t->waiting_n--;
        end = &(*end)->next;
    }
    t->first = *end;
    *end = NULL;
    if (!t->first) t->last = &t->first;
    return n ? first : NULL;
}

/* Room in the heads for every point, so that nothing can fail once the group is durable. */
static enum err reserve_heads(struct telemetry *t, const struct job *jobs) {
    size_t n = 0;
    for (const struct job *j = jobs; j; j = j->next) n += j->n;
    return blocks_reserve(&t->blocks, n) ? OK : ERR_INTERNAL;
}

static void swap(struct ids32 *a, struct ids32 *b) {
    struct ids32 c = *a;
    *a = *b;
    *b = c;
}

static void take_names(struct telemetry *t) {
    pthread_rwlock_rdlock(&t->names);
    bool some = t->dirty_devices.n || t->dirty_series.n;
    pthread_rwlock_unlock(&t->names);
    if (!some) return;
    pthread_rwlock_wrlock(&t->names);
    swap(&t->dirty_devices, &t->taken_devices);
    swap(&t->dirty_series, &t->taken_series);
    for (size_t i = 0; i < t->taken_devices.n; i++) device_at(t, t->taken_devices.id[i])->is_dirty = false;
    for (size_t i = 0; i < t->taken_series.n; i++) series_at(t, t->taken_series.id[i])->is_dirty = false;
    pthread_rwlock_unlock(&t->names);
}

/* After a group: the names in it are logged, or wait again. */
static void give_names(struct telemetry *t, bool logged) {
    if (!t->taken_devices.n && !t->taken_series.n) return;
    pthread_rwlock_wrlock(&t->names);
    for (size_t i = 0; i < t->taken_devices.n && !logged; i++) {
        device_dirty(t, t->taken_devices.id[i]);
        if (!device_at(t, t->taken_devices.id[i])->is_dirty) t->must_rotate = true;
    }
    for (size_t i = 0; i < t->taken_series.n && !logged; i++) {
        series_dirty(t, t->taken_series.id[i]);
        if (!series_at(t, t->taken_series.id[i])->is_dirty) t->must_rotate = true;
    }
    t->taken_devices.n = t->taken_series.n = 0;
    pthread_rwlock_unlock(&t->names);
}

/* A flood of new names goes into groups of its own, made durable by the sync of the last. */
static enum err put_names(struct telemetry *t, const struct ids32 *ids,
                          void (*put)(struct out *o, const struct telemetry *t, uint32_t id)) {
    for (size_t i = 0; i < ids->n;) {
        size_t end = ids->n - i > NAMES_MAX ? i + NAMES_MAX : ids->n;
        pthread_rwlock_rdlock(&t->names);
        for (; i < end; i++) put(&t->group, t, ids->id[i]);
        pthread_rwlock_unlock(&t->names);
        if (i == ids->n) break;
        TRY(hotlog_append(t, &t->log, &t->group, false));
        group_begin(&t->group);
    }
    return OK;
}

/* What memory knows and the log may not get otherwise goes into a new one first. */
static enum err ready_log(struct telemetry *t) {
    if (t->must_rotate) TRY(hotlog_rotate(t));
    t->must_rotate = false;
    return OK;
}

static enum err write_group(struct telemetry *t, const struct job *jobs) {
    group_begin(&t->group);
    size_t empty = t->group.n;
    TRY(put_names(t, &t->taken_devices, out_device));
    TRY(put_names(t, &t->taken_series, out_series));
    for (const struct job *j = jobs; j; j = j->next)
        if (j->n) out_points(&t->group, t, j->points, j->n);
    return t->group.n == empty ? OK : hotlog_append(t, &t->log, &t->group, true);
}

/* Some at a time: readers wait for no more than that. */
static void apply_points(struct telemetry *t, const struct job *j) {
    for (size_t i = 0; i < j->n; i++) {
        if (i + APPLY_AHEAD < j->n) __builtin_prefetch(series_at(t, j->points[i + APPLY_AHEAD].series), 1);
        head_add(t, j->points[i].series, &j->points[i]);
        if ((i + 1) % APPLY_AT_ONCE) continue;
        pthread_mutex_unlock(&t->lock);
        pthread_mutex_lock(&t->lock);
    }
}

static void apply(struct telemetry *t, const struct job *jobs, enum err e) {
    pthread_mutex_lock(&t->lock);
    for (const struct job *j = jobs; j; j = j->next) {
        if (!e) apply_points(t, j);
        if (!e) t->stats.batches++;
        t->stats.points += e ? 0 : (int64_t)j->n;
        t->stats.refused += e ? 1 : 0;
    }
    t->stats.groups += !e;
    t->stats.is_failing = e != OK;
    t->stats.log_bytes = t->log.end;
    pthread_mutex_unlock(&t->lock);
}

static void tell_tap(struct telemetry *t, const struct job *j) {
    pthread_mutex_lock(&t->tap_lock);
    if (t->tap) t->tap(t->tap_arg, j->points, j->n);
    pthread_mutex_unlock(&t->tap_lock);
}

static void finish_jobs(struct telemetry *t, struct job *jobs, enum err e) {
    for (struct job *j = jobs, *next; j; j = next) {
        next = j->next;
        if (!e && j->n && t->options.stored) t->options.stored(t->options.arg, j->points, j->n);
        if (!e && j->n) tell_tap(t, j);
        j->done(j->arg, e);
        free(j);
    }
}

static bool is_wanted(struct telemetry *t) {
    pthread_mutex_lock(&t->lock);
    bool some = t->first != NULL;
    pthread_mutex_unlock(&t->lock);
    return some;
}

static bool is_seal_due(struct telemetry *t) {
    pthread_mutex_lock(&t->lock);
    bool due = t->due_points >= SEAL_TOGETHER || (t->due.n && t->log.end >= t->rotate_at);
    pthread_mutex_unlock(&t->lock);
    return due;
}

/* What a log begun anew holds, about: what is in memory of it. */
static int64_t live_bytes(struct telemetry *t) {
    pthread_rwlock_rdlock(&t->names);
    int64_t names = (int64_t)t->devices.n + t->series.n;
    pthread_rwlock_unlock(&t->names);
    return names * NAME_BYTES + blocks_bytes(&t->blocks);
}

static enum err rotate(struct telemetry *t) {
    enum err e = hotlog_rotate(t);
    if (!e) t->begun_live = live_bytes(t);
    t->rotate_at = e ? t->log.end + t->options.log_bytes_max / 4 : t->options.log_bytes_max + 2 * live_bytes(t);
    pthread_mutex_lock(&t->lock);
    t->stats.log_bytes = t->log.end;
    pthread_mutex_unlock(&t->lock);
    return e;
}

/* What was erased still is in the log, and in what is left of the one before: both are begun anew, with what is due
 * sealed first, so that the new one is short. */
static void wipe(struct telemetry *t) {
    if (!t->must_wipe) return;
    while (t->due.n && !seal_due(t)) continue;
    if (!hotlog_wipe_spare(t) && !rotate(t)) t->must_wipe = hotlog_wipe_spare(t) != OK;
}

/* What a failure leaves undone here is tried again behind the next group; no acknowledged point depends on it. */
static void keep_house(struct telemetry *t) {
    bool sealed = is_seal_due(t) && !seal_due(t);
    while (sealed && !is_wanted(t) && is_seal_due(t)) sealed = !seal_due(t);
    if (t->log.end >= t->rotate_at && (!sealed || !is_seal_due(t))) (void)rotate(t);
    dead_sweep(t);
    wipe(t);
    (void)roll_some(t);
    retain(t, t->options.world->utc_ms(t->options.world->self));
}

/* Heads that are many and long enough to make decent chunks become due before their time. */
static void cool(struct telemetry *t) {
    pthread_rwlock_rdlock(&t->names);
    uint32_t n = t->series.n;
    pthread_rwlock_unlock(&t->names);
    pthread_mutex_lock(&t->lock);
    for (uint32_t id = 0; id < n && t->head_points > HEADS_COOL; id++)
        if (series_at(t, id)->head.n >= t->options.seal_at / COOL_PART) head_due(t, id);
    pthread_mutex_unlock(&t->lock);
}

/* Nobody wants anything, maybe for long, while months end and classes change: what is due is sealed however little it
 * is, and a log that is mostly past is begun anew. */
static void tidy(struct telemetry *t) {
    bool sealed = true;
    cool(t);
    while (sealed && !is_wanted(t) && t->due.n) sealed = !seal_due(t);
    /* Its bytes were so many of those in memory when it was begun last. */
    double ratio = t->begun_live ? (double)t->log.begun_with / (double)t->begun_live : 1;
    double anew = (double)live_bytes(t) * (ratio > 1 ? ratio : 1);
    while (!is_wanted(t) && roll_some(t)) continue;
    if (!is_wanted(t) && (double)t->log.end > 1.5 * anew + TIDY_BYTES) (void)rotate(t);
    if (!is_wanted(t)) hotlog_trim(t);
    dead_sweep(t);
    wipe(t);
    if (!is_wanted(t)) retain(t, t->options.world->utc_ms(t->options.world->self));
}

/* Under the lock, which it gives back for the writing. */
static bool commit(struct telemetry *t) {
    struct job *jobs = take_jobs(t);
    if (!jobs) return false;
    enum err e = is_alone(jobs) ? OK : reserve_heads(t, jobs);
    pthread_mutex_unlock(&t->lock);
    if (is_alone(jobs)) {
        e = ready_log(t);
        if (!e) e = jobs->erasure ? erase(t, jobs->erasure) : move(t, jobs->moving);
        t->must_wipe = t->must_wipe || (!e && jobs->erasure);
        finish_jobs(t, jobs, e);
        wipe(t);
        pthread_mutex_lock(&t->lock);
        return true;
    }
    take_names(t);
    if (!e) e = ready_log(t);
    if (!e) e = write_group(t, jobs);
    give_names(t, !e);
    apply(t, jobs, e);
    finish_jobs(t, jobs, e);
    keep_house(t);
    pthread_mutex_lock(&t->lock);
    return true;
}

bool telemetry_step(struct telemetry *t) {
    pthread_mutex_lock(&t->lock);
    bool did = commit(t), closing = t->closing;
    pthread_mutex_unlock(&t->lock);
    return did || (!closing && roll_some(t));
}

/* Under the lock; false: nothing came for so long.  A thread waits by the real clock, whatever the time is. */
static bool wait_for_work(struct telemetry *t, int64_t ms) {
    struct timespec until = clock_deadline(ms);
    return pthread_cond_timedwait(&t->wake, &t->lock, &until) != ETIMEDOUT;
}

void *telemetry_writer(void *arg) {
    struct telemetry *t = arg;
    int64_t house_ms = t->options.house_ms ? t->options.house_ms : HOUSE_MS;
    bool is_tidy = false;
    pthread_mutex_lock(&t->lock);
    for (;;) {
        while (commit(t)) is_tidy = false;
        if (t->closing) break;
        if (wait_for_work(t, is_tidy ? house_ms : TIDY_AFTER_MS)) continue;
        pthread_mutex_unlock(&t->lock);
        tidy(t);
        pthread_mutex_lock(&t->lock);
        is_tidy = true;
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}
