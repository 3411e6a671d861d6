/* Taking in: batches are checked, their names resolved to numbers, and put in line for the writer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>

#define DAY_MS     INT64_C(86400000)
#define OLDEST_MS  INT64_C(946684800000) /* 2000-01-01: a clock that says less was never set */
#define FIRST_ROOM 1024                  /* points of a batch that comes one by one */

/* ---- names to numbers ---- */

static enum err add_device(struct telemetry *t, int64_t community_id, struct str code, uint32_t *ret, struct fault *f) {
    if (!name_ok(code, TELEMETRY_DEVICE_MAX)) return FAIL_FIELD(f, "device", "bad_name", TELEMETRY_DEVICE_MAX);
    if (names_unknown(t, community_id).devices >= TELEMETRY_UNKNOWN_MAX || t->unknown.devices >= UNKNOWN_ALL_MAX)
        return FAIL(f, ERR_TOO_MANY, "too_many_devices", "too many devices that nobody made known");
    if (t->devices.n == TELEMETRY_NAMES_MAX)
        return FAIL(f, ERR_TOO_MANY, "too_many_devices", "no more than %u devices", TELEMETRY_NAMES_MAX);
    *ret = device_add(t, community_id, code);
    return *ret == NONE ? FAIL(f, ERR_INTERNAL, "no_memory", "out of memory") : OK;
}

static enum err add_series(struct telemetry *t, uint32_t device, struct str metric, uint32_t *ret, struct fault *f) {
    if (!name_ok(metric, TELEMETRY_METRIC_MAX)) return FAIL_FIELD(f, "metric", "bad_name", TELEMETRY_METRIC_MAX);
    const struct device *d = device_at(t, device);
    if (d->series_n >= TELEMETRY_METRICS_MAX)
        return FAIL(f, ERR_TOO_MANY, "too_many_metrics", "too many metrics of one device");
    if (!d->is_known && (names_unknown(t, d->community_id).series >= TELEMETRY_UNKNOWN_METRICS_MAX ||
                         t->unknown.series >= UNKNOWN_ALL_MAX))
        return FAIL(f, ERR_TOO_MANY, "too_many_metrics", "too many metrics of devices that nobody made known");
    if (t->series.n == TELEMETRY_NAMES_MAX)
        return FAIL(f, ERR_TOO_MANY, "too_many_metrics", "no more than %u metrics of all devices", TELEMETRY_NAMES_MAX);
    *ret = series_add(t, device, metric);
    return *ret == NONE ? FAIL(f, ERR_INTERNAL, "no_memory", "out of memory") : OK;
}

/* A batch on its way to be a job; points of one device stand together, as a rule. */
struct resolving {
    struct telemetry *t;
    const struct telemetry_batch *batch;
    struct job *job;
    size_t cap;          /* points that the job has room for */
    size_t at, left_out; /* at: the point that is looked at */
    struct str before;   /* device of the one before it, */
    uint32_t device;     /* and its number */
    int64_t now_ms, newest_ms;
    int64_t recent_ms;  /* from there on no class refuses it */
    bool may_add;       /* the names are locked for writing */
    bool is_new;        /* there was a name that is not there; it may be added with the other lock */
    struct ids32 units; /* series that had none before this batch */
};

static enum err find_device(struct resolving *r, struct str code, uint32_t *ret, struct fault *f) {
    *ret = device_find(r->t, r->batch->community_id, code);
    r->is_new = *ret == NONE;
    return !r->is_new || !r->may_add ? OK : add_device(r->t, r->batch->community_id, code, ret, f);
}

static enum err find_series(struct resolving *r, uint32_t device, struct str metric, uint32_t *ret, struct fault *f) {
    *ret = series_find(r->t, device, metric);
    r->is_new = *ret == NONE;
    return !r->is_new || !r->may_add ? OK : add_series(r->t, device, metric, ret, f);
}

/* Older than what is kept of its class as it came. */
static enum err check_old(const struct resolving *r, const struct series *s, int64_t at_ms, struct fault *f) {
    int64_t days = atomic_load_explicit(&r->t->raw_days[s->keep], memory_order_relaxed);
    int64_t oldest_ms = days && r->now_ms - days * DAY_MS > OLDEST_MS ? r->now_ms - days * DAY_MS : OLDEST_MS;
    return at_ms < oldest_ms ? FAIL_FIELD(f, "ts", "too_old", oldest_ms) : OK;
}

static enum err take_unit(struct resolving *r, uint32_t series, struct str unit, struct fault *f) {
    if (!unit.len || series_at(r->t, series)->unit != NONE) return OK; /* the first one said stays */
    if (!name_ok(unit, TELEMETRY_UNIT_MAX)) return FAIL_FIELD(f, "unit", "bad_name", TELEMETRY_UNIT_MAX);
    r->is_new = true;
    if (r->may_add && ids32_add(&r->units, series)) series_set_unit(r->t, series, unit);
    return OK;
}

static enum err make_room(struct resolving *r, struct fault *f) {
    if (r->job->n < r->cap) return OK;
    size_t cap = r->cap * 2 < TELEMETRY_BATCH_MAX ? r->cap * 2 : TELEMETRY_BATCH_MAX;
    if (r->job->n == TELEMETRY_BATCH_MAX)
        return FAIL(f, ERR_LIMIT, "too_many_points", "more than %d points at once", TELEMETRY_BATCH_MAX);
    struct job *grown = realloc(r->job, sizeof *grown + cap * sizeof grown->points[0]);
    if (!grown) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    r->job = grown;
    r->cap = cap;
    return OK;
}

static enum err next_point(struct resolving *r, struct telemetry_point *p, bool *ret_more, struct fault *f) {
    const struct telemetry_batch *b = r->batch;
    if (b->next) return b->next(b->arg, p, ret_more, f);
    *ret_more = r->at < b->n;
    if (*ret_more) *p = b->points[r->at];
    return OK;
}

/* *ret: NONE where a name must be added and may not. */
static enum err find_names(struct resolving *r, const struct telemetry_point *p, uint32_t *ret, struct fault *f) {
    if (r->device == NONE || (p->device.ptr != r->before.ptr && !str_eq(p->device, r->before)))
        TRY(find_device(r, p->device, &r->device, f));
    r->before = p->device;
    *ret = NONE;
    return r->device == NONE ? OK : find_series(r, r->device, p->metric, ret, f);
}

/* A device that came with it is none without it. */
static void leave_out(struct resolving *r, uint32_t devices_n, struct fault *f) {
    struct telemetry *t = r->t;
    const struct names_mark mark = {devices_n, t->series.n, t->words.n};
    if (t->devices.n > devices_n) names_rollback(t, &mark);
    r->device = NONE;
    r->left_out++;
    *f = (struct fault){0};
}

static enum err ended(const struct resolving *r, struct fault *f) {
    if (r->batch->left_out) *r->batch->left_out = r->left_out;
    return r->job->n || !r->left_out ? OK : FAIL(f, ERR_TOO_MANY, "too_many_metrics", "there is no room for any of it");
}

/* Ends early, with is_new, where a name must be added and may not. */
static enum err resolve(struct resolving *r, struct fault *f) {
    struct telemetry_point p = {0};
    r->device = NONE;
    r->left_out = 0;
    for (r->job->n = r->at = 0;; r->at++) {
        bool more = false;
        TRY(next_point(r, &p, &more, f));
        if (!more) return ended(r, f);
        TRY(make_room(r, f));
        struct telemetry_stored *s = &r->job->points[r->job->n];
        uint32_t devices_n = r->t->devices.n;
        if (p.at_ms > r->newest_ms) return FAIL_FIELD(f, "ts", "in_future", r->newest_ms);
        *s =
            (struct telemetry_stored){p.at_ms, p.value + 0.0, NONE, p.quality}; /* -0 would cost a chunk its decimals */
        if (s->value != s->value) s->value = double_of(UINT64_C(0x7ff8000000000000)); /* one NaN */
        enum err e = find_names(r, &p, &s->series, f);
        if (e == ERR_TOO_MANY && r->batch->left_out) {
            leave_out(r, devices_n, f);
            continue;
        }
        if (e || s->series == NONE) return e;
        if (p.at_ms < r->recent_ms) TRY(check_old(r, series_at(r->t, s->series), p.at_ms, f));
        if (p.unit.ptr) TRY(take_unit(r, s->series, p.unit, f));
        if (r->is_new && !r->may_add) return OK;
        r->job->n++;
    }
}

/* Names that are there already need no more than a look; only new ones keep others out. */
static enum err resolve_locked(struct resolving *r, struct fault *f) {
    struct telemetry *t = r->t;
    pthread_rwlock_rdlock(&t->names);
    enum err e = resolve(r, f);
    pthread_rwlock_unlock(&t->names);
    if (e || !r->is_new) return e;
    r->may_add = true;
    if (r->batch->next) r->batch->rewind(r->batch->arg);
    pthread_rwlock_wrlock(&t->names);
    struct names_mark mark = {t->devices.n, t->series.n, t->words.n};
    e = resolve(r, f);
    for (size_t i = 0; e && i < r->units.n; i++) series_at(t, r->units.id[i])->unit = NONE;
    if (e) names_rollback(t, &mark);
    pthread_rwlock_unlock(&t->names);
    free(r->units.id);
    return e;
}

/* ---- the queue ---- */

/* Looked at before the names are resolved, so that what is refused costs little. */
static enum err admit(struct telemetry *t, size_t bytes, struct fault *f) {
    pthread_mutex_lock(&t->lock);
    bool full = t->waiting_n >= t->options.queue_batches_max || t->waiting_bytes + bytes > t->options.queue_bytes_max;
    bool fails = t->is_seal_failing && t->head_points > HEADS_MAX;
    pthread_mutex_unlock(&t->lock);
    if (fails) return FAIL(f, ERR_UNAVAILABLE, "disk_full", "the disk takes no more readings");
    if (!full) return OK;
    enum err e = FAIL(f, ERR_BUSY, "queue_full", "readings arrive faster than they can be stored");
    f->retry_after_s = 1;
    return e;
}

static void enqueue(struct telemetry *t, struct job *job) {
    pthread_mutex_lock(&t->lock);
    t->waiting_n++;
    t->waiting_bytes += job_bytes(job);
    *t->last = job;
    t->last = &job->next;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
}

static struct job *job_create(size_t n, telemetry_done *done, void *arg) {
    struct job *job = malloc(sizeof *job + n * sizeof job->points[0]);
    if (job) *job = (struct job){.done = done, .arg = arg, .n = n};
    return job;
}

enum err telemetry_put(struct telemetry *t, const struct telemetry_batch *b, telemetry_done *done, void *arg,
                       size_t *ret_bad, struct fault *f) {
    int64_t now_ms = t->options.world->utc_ms(t->options.world->self);
    struct resolving r = {.t = t, .batch = b, .now_ms = now_ms, .newest_ms = now_ms + TELEMETRY_FUTURE_MS};
    int64_t days = atomic_load_explicit(&t->least_raw_days, memory_order_relaxed);
    r.recent_ms = days && now_ms - days * DAY_MS > OLDEST_MS ? now_ms - days * DAY_MS : OLDEST_MS;
    if (b->n > TELEMETRY_BATCH_MAX) return FAIL(f, ERR_LIMIT, "too_many_points", "more points than one batch may have");
    r.cap = b->next ? FIRST_ROOM : b->n;
    r.job = job_create(r.cap, done, arg);
    if (!r.job) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    enum err e = admit(t, job_bytes(r.job), f);
    if (!e) e = resolve_locked(&r, f);
    if (!e) {
        enqueue(t, r.job);
        return OK;
    }
    if (ret_bad) *ret_bad = r.at;
    free(r.job);
    pthread_mutex_lock(&t->lock);
    t->stats.refused++;
    pthread_mutex_unlock(&t->lock);
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

enum err telemetry_erase(struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms, struct fault *f) {
    struct waiter w;
    const struct erasure x = {series, from_ms, to_ms};
    pthread_rwlock_rdlock(&t->names);
    bool found = series < t->series.n;
    pthread_rwlock_unlock(&t->names);
    if (!found) return FAIL(f, ERR_NOT_FOUND, "no_series", "there are no such readings");
    struct job *job = job_create(0, waiter_done, &w);
    if (!job) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    job->erasure = &x;
    waiter_init(&w);
    enqueue(t, job);
    return waiter_wait(t, &w, f);
}

/* Names changed: waits until the log has them. */
static enum err wait_names(struct telemetry *t, struct fault *f) {
    struct waiter w;
    struct job *job = job_create(0, waiter_done, &w);
    if (!job) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    waiter_init(&w);
    enqueue(t, job); /* however full the queue is */
    return waiter_wait(t, &w, f);
}

static enum err change_device(struct telemetry *t, const struct telemetry_device *d, struct fault *f) {
    uint32_t id = device_find(t, d->community_id, d->code);
    if (d->rename_to.len && !str_eq(d->code, d->rename_to)) {
        uint32_t other = device_find(t, d->community_id, d->rename_to);
        if (other != NONE && id != NONE)
            return FAIL(f, ERR_CONFLICT, "device_exists", "there is another device of that name");
        if (id == NONE) id = other;
    }
    bool renames = id != NONE && d->rename_to.len && !str_eq(device_at(t, id)->code, d->rename_to);
    if (id == NONE) id = device_add(t, d->community_id, d->rename_to.len ? d->rename_to : d->code);
    if (id == NONE || (renames && !device_rename(t, id, d->rename_to)))
        return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    device_set_known(t, id, d->is_known);
    device_dirty(t, id);
    return OK;
}

bool telemetry_know(struct telemetry *t, int64_t community_id, struct str device) {
    if (!name_ok(device, TELEMETRY_DEVICE_MAX)) return false;
    pthread_rwlock_rdlock(&t->names);
    uint32_t id = device_find(t, community_id, device);
    bool is_known = id != NONE && device_at(t, id)->is_known;
    pthread_rwlock_unlock(&t->names);
    if (is_known) return true;
    pthread_rwlock_wrlock(&t->names);
    id = device_find(t, community_id, device);
    if (id == NONE) id = device_add(t, community_id, device);
    if (id != NONE && !device_at(t, id)->is_known) {
        device_set_known(t, id, true);
        device_dirty(t, id);
    }
    pthread_rwlock_unlock(&t->names);
    return id != NONE;
}

enum err telemetry_device_put(struct telemetry *t, const struct telemetry_device *d, struct fault *f) {
    if (!name_ok(d->code, TELEMETRY_DEVICE_MAX)) return FAIL_FIELD(f, "device", "bad_name", TELEMETRY_DEVICE_MAX);
    if (d->rename_to.len && !name_ok(d->rename_to, TELEMETRY_DEVICE_MAX))
        return FAIL_FIELD(f, "rename_to", "bad_name", TELEMETRY_DEVICE_MAX);
    pthread_rwlock_wrlock(&t->names);
    enum err e = change_device(t, d, f);
    pthread_rwlock_unlock(&t->names);
    return e ? e : wait_names(t, f);
}

struct labelling {
    int64_t community_id;
    struct str device, metric;
    const struct telemetry_label *label;
    uint32_t series;
    bool is_said; /* already */
};

static bool is_labelled(const struct telemetry *t, const struct series *s, const struct telemetry_label *l) {
    return s->is_labelled && s->class == l->class && s->kind == l->kind && t->keep_ids[s->keep] == l->keep &&
           (!l->unit.len || (s->unit != NONE && str_eq(t->words.text[s->unit], l->unit)));
}

static void look_up(struct telemetry *t, struct labelling *l) {
    pthread_rwlock_rdlock(&t->names);
    uint32_t id = device_find(t, l->community_id, l->device);
    l->series = id == NONE ? NONE : series_find(t, id, l->metric);
    l->is_said = l->series != NONE && is_labelled(t, series_at(t, l->series), l->label);
    pthread_rwlock_unlock(&t->names);
}

static enum err label(struct telemetry *t, struct labelling *l, struct fault *f) {
    uint32_t id = device_find(t, l->community_id, l->device);
    if (id == NONE) TRY(add_device(t, l->community_id, l->device, &id, f));
    l->series = series_find(t, id, l->metric);
    if (l->series == NONE) TRY(add_series(t, id, l->metric, &l->series, f));
    struct series *s = series_at(t, l->series);
    if (l->label->unit.len) series_set_unit(t, l->series, l->label->unit);
    s->class = l->label->class;
    s->kind = l->label->kind;
    s->is_labelled = true;
    series_dirty(t, l->series);
    return OK;
}

/* What is sealed already goes with it, so that is the writer's. */
static enum err wait_moved(struct telemetry *t, uint32_t series, int64_t keep, struct fault *f) {
    struct waiter w;
    const struct moving x = {series, keep};
    struct job *job = job_create(0, waiter_done, &w);
    if (!job) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    job->moving = &x;
    waiter_init(&w);
    enqueue(t, job);
    return waiter_wait(t, &w, f);
}

enum err telemetry_label(struct telemetry *t, int64_t community_id, struct str device, struct str metric,
                         const struct telemetry_label *said, struct fault *f) {
    struct labelling l = {.community_id = community_id, .device = device, .metric = metric, .label = said};
    if (said->unit.len && !name_ok(said->unit, TELEMETRY_UNIT_MAX))
        return FAIL_FIELD(f, "unit", "bad_name", TELEMETRY_UNIT_MAX);
    look_up(t, &l);
    if (l.is_said) return OK;
    pthread_rwlock_wrlock(&t->names);
    struct names_mark mark = {t->devices.n, t->series.n, t->words.n};
    enum err e = label(t, &l, f);
    bool moves = !e && t->keep_ids[series_at(t, l.series)->keep] != said->keep;
    if (e) names_rollback(t, &mark);
    pthread_rwlock_unlock(&t->names);
    return e || !moves ? e : wait_moved(t, l.series, said->keep, f);
}
