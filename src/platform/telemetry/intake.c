/* Taking in: batches are checked, their names resolved to numbers, and put in line for the writer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>

static enum err check_point(const struct telemetry *t, const struct telemetry_point *p, int64_t now_ms,
                            struct fault *f) {
    if (p->at_ms < 0 || p->at_ms < now_ms - t->retention_ms)
        return FAIL_FIELD(f, "ts", "too_old", now_ms - t->retention_ms);
    if (p->at_ms > now_ms + TELEMETRY_FUTURE_MS) return FAIL_FIELD(f, "ts", "in_future", now_ms + TELEMETRY_FUTURE_MS);
    if (!name_ok(p->device, TELEMETRY_DEVICE_MAX)) return FAIL_FIELD(f, "device", "bad_name", TELEMETRY_DEVICE_MAX);
    if (!name_ok(p->metric, TELEMETRY_METRIC_MAX)) return FAIL_FIELD(f, "metric", "bad_name", TELEMETRY_METRIC_MAX);
    if (p->unit.len && !name_ok(p->unit, TELEMETRY_UNIT_MAX))
        return FAIL_FIELD(f, "unit", "bad_name", TELEMETRY_UNIT_MAX);
    return OK;
}

static enum err find_device(struct telemetry *t, int64_t community_id, struct str code, uint32_t *ret,
                            struct fault *f) {
    *ret = device_find(t, community_id, code);
    if (*ret != NONE) return OK;
    if (device_unknown(t, community_id) >= TELEMETRY_UNKNOWN_MAX)
        return FAIL(f, ERR_TOO_MANY, "too_many_devices", "too many devices that nobody made known");
    *ret = device_add(t, community_id, code);
    return *ret == NONE ? FAIL(f, ERR_INTERNAL, "no_memory", "out of memory") : OK;
}

static enum err find_series(struct telemetry *t, uint32_t device, struct str metric, uint32_t *ret, struct fault *f) {
    *ret = series_find(t, device, metric);
    if (*ret != NONE) return OK;
    if (device_at(t, device)->series_n >= TELEMETRY_METRICS_MAX)
        return FAIL(f, ERR_TOO_MANY, "too_many_metrics", "too many metrics of one device");
    *ret = series_add(t, device, metric);
    return *ret == NONE ? FAIL(f, ERR_INTERNAL, "no_memory", "out of memory") : OK;
}

/* Points of one device stand together, as a rule. */
static enum err resolve(struct telemetry *t, const struct telemetry_batch *b, struct job *job, size_t *at,
                        struct fault *f) {
    const struct str *before = NULL;
    uint32_t device = NONE;
    for (size_t i = 0; i < b->n; i++) {
        const struct telemetry_point *p = &b->points[i];
        *at = i;
        if (!before || !str_eq(*before, p->device)) TRY(find_device(t, b->community_id, p->device, &device, f));
        before = &p->device;
        struct telemetry_stored *s = &job->points[i];
        *s = (struct telemetry_stored){p->at_ms, p->value + 0.0, NONE,
                                       p->quality}; /* -0 would cost a chunk its decimals */
        if (s->value != s->value) s->value = double_of(UINT64_C(0x7ff8000000000000)); /* one NaN */
        TRY(find_series(t, device, p->metric, &s->series, f));
    }
    for (size_t i = 0; i < b->n; i++)
        if (b->points[i].unit.len && series_at(t, job->points[i].series)->unit == NONE)
            series_set_unit(t, job->points[i].series, b->points[i].unit);
    return OK;
}

static enum err admit(const struct telemetry *t, size_t bytes, struct fault *f) {
    if (t->waiting_n >= t->options.queue_batches_max || t->waiting_bytes + bytes > t->options.queue_bytes_max) {
        enum err e = FAIL(f, ERR_BUSY, "queue_full", "readings arrive faster than they can be stored");
        f->retry_after_s = 1;
        return e;
    }
    if (t->due_points > HEADS_MAX) return FAIL(f, ERR_UNAVAILABLE, "disk_full", "the disk takes no more readings");
    return OK;
}

static void enqueue(struct telemetry *t, struct job *job) {
    *t->last = job;
    t->last = &job->next;
    t->waiting_n++;
    t->waiting_bytes += job_bytes(job);
    pthread_cond_signal(&t->wake);
}

static enum err put_locked(struct telemetry *t, const struct telemetry_batch *b, struct job *job, size_t *at,
                           struct fault *f) {
    struct names_mark mark = {t->devices.n, t->series.n, t->words.n};
    TRY(admit(t, job_bytes(job), f));
    enum err e = resolve(t, b, job, at, f);
    if (e) names_rollback(t, &mark);
    if (!e) enqueue(t, job);
    return e;
}

static struct job *job_create(size_t n, telemetry_done *done, void *arg) {
    struct job *job = malloc(sizeof *job + n * sizeof job->points[0]);
    if (job) *job = (struct job){.done = done, .arg = arg, .n = n};
    return job;
}

enum err telemetry_put(struct telemetry *t, const struct telemetry_batch *b, telemetry_done *done, void *arg,
                       size_t *ret_bad, struct fault *f) {
    int64_t now_ms = t->options.world->utc_ms(t->options.world->self);
    enum err e = OK;
    size_t at = 0;
    if (b->n > TELEMETRY_BATCH_MAX) return FAIL(f, ERR_LIMIT, "too_many_points", "more points than one batch may have");
    for (size_t i = 0; i < b->n && !e; i++) e = check_point(t, &b->points[at = i], now_ms, f);
    struct job *job = e ? NULL : job_create(b->n, done, arg);
    if (!e && !job) e = FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    pthread_mutex_lock(&t->lock);
    if (!e) e = put_locked(t, b, job, &at, f);
    if (e) t->stats.refused++;
    pthread_mutex_unlock(&t->lock);
    if (!e) return OK;
    free(job);
    if (ret_bad) *ret_bad = at;
    return e;
}

/* ---- waiting ---- */

struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool is_done;
    enum err e;
};

static void waiter_init(struct waiter *w) {
    *w = (struct waiter){0};
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->cond, NULL);
}

static void waiter_done(void *arg, enum err e) {
    struct waiter *w = arg;
    pthread_mutex_lock(&w->mutex);
    w->e = e;
    w->is_done = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->mutex);
}

static enum err waiter_wait(struct telemetry *t, struct waiter *w, struct fault *f) {
    while (!t->has_thread && !w->is_done && telemetry_step(t)) continue;
    pthread_mutex_lock(&w->mutex);
    while (!w->is_done) pthread_cond_wait(&w->cond, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
    pthread_cond_destroy(&w->cond);
    pthread_mutex_destroy(&w->mutex);
    return w->e ? FAIL(f, w->e, "disk_full", "the disk is full or failing: nothing was stored") : OK;
}

enum err telemetry_put_wait(struct telemetry *t, const struct telemetry_batch *b, size_t *ret_bad, struct fault *f) {
    struct waiter w;
    waiter_init(&w);
    enum err e = telemetry_put(t, b, waiter_done, &w, ret_bad, f);
    if (!e) return waiter_wait(t, &w, f);
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.mutex);
    return e;
}

/* Names changed under the lock, which it gives back: waits until the log has them. */
static enum err wait_names(struct telemetry *t, struct fault *f) {
    struct waiter w;
    struct job *job = job_create(0, waiter_done, &w);
    if (job) {
        waiter_init(&w);
        enqueue(t, job);
    }
    pthread_mutex_unlock(&t->lock);
    return job ? waiter_wait(t, &w, f) : FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
}

static enum err change_device(struct telemetry *t, const struct telemetry_device *d, struct fault *f) {
    uint32_t id = device_find(t, d->community_id, d->code);
    if (d->rename_to.len && !str_eq(d->code, d->rename_to)) {
        uint32_t other = device_find(t, d->community_id, d->rename_to);
        if (other != NONE && id != NONE)
            return FAIL(f, ERR_CONFLICT, "device_exists", "there is another device of that name");
        if (id == NONE) id = other;
    }
    bool renames = id != NONE && d->rename_to.len && !str_eq(str_of(device_at(t, id)->code), d->rename_to);
    if (id == NONE) id = device_add(t, d->community_id, d->rename_to.len ? d->rename_to : d->code);
    if (id == NONE || (renames && !device_rename(t, id, d->rename_to)))
        return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    device_set_known(t, id, d->is_known);
    device_dirty(t, id);
    return OK;
}

bool telemetry_know(struct telemetry *t, int64_t community_id, struct str device) {
    if (!name_ok(device, TELEMETRY_DEVICE_MAX)) return false;
    pthread_mutex_lock(&t->lock);
    uint32_t id = device_find(t, community_id, device);
    if (id == NONE) id = device_add(t, community_id, device);
    if (id != NONE && !device_at(t, id)->is_known) {
        device_set_known(t, id, true);
        device_dirty(t, id);
    }
    pthread_mutex_unlock(&t->lock);
    return id != NONE;
}

enum err telemetry_device_put(struct telemetry *t, const struct telemetry_device *d, struct fault *f) {
    if (!name_ok(d->code, TELEMETRY_DEVICE_MAX)) return FAIL_FIELD(f, "device", "bad_name", TELEMETRY_DEVICE_MAX);
    if (d->rename_to.len && !name_ok(d->rename_to, TELEMETRY_DEVICE_MAX))
        return FAIL_FIELD(f, "rename_to", "bad_name", TELEMETRY_DEVICE_MAX);
    pthread_mutex_lock(&t->lock);
    enum err e = change_device(t, d, f);
    if (!e) return wait_names(t, f);
    pthread_mutex_unlock(&t->lock);
    return e;
}

enum err telemetry_label(struct telemetry *t, int64_t community_id, struct str device, struct str metric,
                         struct str unit, uint8_t class, struct fault *f) {
    if (!name_ok(device, TELEMETRY_DEVICE_MAX)) return FAIL_FIELD(f, "device", "bad_name", TELEMETRY_DEVICE_MAX);
    if (!name_ok(metric, TELEMETRY_METRIC_MAX)) return FAIL_FIELD(f, "metric", "bad_name", TELEMETRY_METRIC_MAX);
    if (unit.len && !name_ok(unit, TELEMETRY_UNIT_MAX)) return FAIL_FIELD(f, "unit", "bad_name", TELEMETRY_UNIT_MAX);
    pthread_mutex_lock(&t->lock);
    struct names_mark mark = {t->devices.n, t->series.n, t->words.n};
    uint32_t id = NONE, number = NONE;
    enum err e = find_device(t, community_id, device, &id, f);
    if (!e) e = find_series(t, id, metric, &number, f);
    if (!e) {
        if (unit.len) series_set_unit(t, number, unit);
        series_at(t, number)->class = class;
        series_dirty(t, number);
        return wait_names(t, f);
    }
    names_rollback(t, &mark);
    pthread_mutex_unlock(&t->lock);
    return e;
}
