/* How long readings are kept: classes, moving between them, and months that are past.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS         INT64_C(86400000)
#define RETAIN_EACH_MS INT64_C(3600000)

static const struct telemetry_keep first = TELEMETRY_KEEP_FIRST;

/* ---- classes ---- */

/* Under the lock. */
static void say(struct telemetry *t, uint8_t index, const struct telemetry_keep *keep) {
    t->keeps[index] = *keep;
    atomic_store(&t->raw_days[index], keep->raw_days);
}

void keeps_init(struct telemetry *t) {
    say(t, 0, &first);
    t->keeps_n = 1;
    atomic_store(&t->least_raw_days, first.raw_days);
}

uint8_t keep_index(struct telemetry *t, int64_t id) {
    for (size_t i = 0; i < t->keeps_n; i++)
        if (t->keep_ids[i] == id) return (uint8_t)i;
    if (t->keeps_n == TELEMETRY_KEEPS_MAX) return 0;
    t->keep_ids[t->keeps_n] = id;
    say(t, (uint8_t)t->keeps_n, &t->keeps[0]);
    return (uint8_t)t->keeps_n++;
}

static bool is_said(const struct telemetry *t, const struct telemetry_keep *keeps, size_t n) {
    size_t said = 0, same = 0;
    for (size_t i = 0; i < t->keeps_n; i++) {
        said += t->is_keep_said[i];
        for (size_t k = 0; k < n && t->is_keep_said[i]; k++)
            same += t->keep_ids[i] == keeps[k].id && !memcmp(&t->keeps[i], &keeps[k], sizeof keeps[k]);
    }
    return said == n && same == n;
}

static void say_all(struct telemetry *t, const struct telemetry_keep *keeps, size_t n) {
    int32_t least = 0;
    for (size_t i = 0; i < TELEMETRY_KEEPS_MAX; i++) t->is_keep_said[i] = false;
    for (size_t i = 0; i < n; i++) {
        uint8_t index = keep_index(t, keeps[i].id);
        if (t->keep_ids[index] != keeps[i].id) continue; /* no room for it */
        say(t, index, &keeps[i]);
        t->is_keep_said[index] = true;
    }
    for (size_t i = 0; i < t->keeps_n; i++) {
        int32_t days = t->keeps[i].raw_days;
        if (days && (!least || days < least)) least = days;
    }
    atomic_store(&t->least_raw_days, least);
    t->retain_at_ms = t->roll_at_ms = 0;
    t->must_roll = true;
}

void telemetry_keeps(struct telemetry *t, const struct telemetry_keep *keeps, size_t n) {
    pthread_mutex_lock(&t->lock);
    if (!is_said(t, keeps, n)) say_all(t, keeps, n);
    pthread_mutex_unlock(&t->lock);
}

/* ---- moving ---- */

struct move {
    struct telemetry *t;
    const struct moving *x;
    uint8_t to;
};

static void tell_moved(struct out *group, void *arg) {
    const struct move *m = arg;
    pthread_rwlock_rdlock(&m->t->names);
    out_series_as(group, m->t, m->x->series, m->to);
    pthread_rwlock_unlock(&m->t->names);
}

static void set_moved(void *arg) {
    const struct move *m = arg;
    series_at(m->t, m->x->series)->keep = m->to;
    m->t->must_roll = true;
}

enum err move(struct telemetry *t, const struct moving *x) {
    struct sealing sealing;
    struct move m = {.t = t, .x = x};
    const struct series *s = series_at(t, x->series);
    pthread_mutex_lock(&t->lock);
    m.to = keep_index(t, x->keep);
    pthread_mutex_unlock(&t->lock);
    if (m.to == s->keep) return OK; /* no room for one more class */
    enum err e = sealing_begin(&sealing, t) ? OK : ERR_INTERNAL;
    for (uint32_t i = 0; i < s->refs_n && !e; i++) e = sealing_copy(&sealing, x->series, &s->refs[i], m.to);
    if (!e) e = sealing_commit(&sealing, &(struct sealing_also){tell_moved, set_moved, &m});
    sealing_end(&sealing);
    if (!e) dead_sweep(t);
    return e;
}

/* ---- months that are past ---- */

/* Windows of a length that the class has no more go with the longest it has. */
static int32_t days_of(const struct telemetry_keep *keep, uint8_t step_min) {
    int32_t most = -1;
    if (!step_min) return keep->raw_days;
    for (size_t i = 0; i < TELEMETRY_TIERS_MAX; i++) {
        const struct telemetry_tier *tier = &keep->tiers[i];
        if (!tier->step_min) continue;
        if (tier->step_min == step_min || !tier->days) return tier->days;
        if (tier->days > most) most = tier->days;
    }
    return most < 0 ? keep->raw_days : most;
}

static bool is_older(const struct telemetry_keep *keep, int32_t month, uint8_t step_min, int64_t now_ms) {
    int32_t days = days_of(keep, step_min);
    return days && month_start_ms(month + 1) <= now_ms - days * DAY_MS;
}

/* A class that nobody has said anything of is kept for ever. */
static bool policy_of(struct telemetry *t, uint8_t index, struct telemetry_keep *ret) {
    pthread_mutex_lock(&t->lock);
    *ret = t->keeps[index];
    bool said = t->is_keep_said[index];
    pthread_mutex_unlock(&t->lock);
    return said;
}

bool is_past(struct telemetry *t, const struct segment_key *key) {
    struct telemetry_keep keep;
    return policy_of(t, key->keep, &keep) &&
           is_older(&keep, key->month, key->step_min, t->options.world->utc_ms(t->options.world->self));
}

bool is_all_past(struct telemetry *t, const struct segment_key *key) {
    int64_t now_ms = t->options.world->utc_ms(t->options.world->self);
    struct telemetry_keep keep;
    if (!policy_of(t, key->keep, &keep) || !is_older(&keep, key->month, 0, now_ms)) return false;
    for (size_t i = 0; i < TELEMETRY_TIERS_MAX; i++)
        if (keep.tiers[i].step_min && !is_older(&keep, key->month, (uint8_t)keep.tiers[i].step_min, now_ms))
            return false;
    return true;
}

static void forget_chunks(struct telemetry *t, size_t slot) {
    bool is_raw = !t->segments[slot]->key.step_min;
    t->segments[slot]->is_dropped = true;
    t->chunk_bytes -= t->segments[slot]->size;
    for (uint32_t id = 0; id < t->series.n; id++) {
        struct series *s = series_at(t, id);
        uint32_t n = 0;
        for (uint32_t i = 0; i < s->refs_n; i++) {
            if (s->refs[i].segment != slot)
                s->refs[n++] = s->refs[i];
            else
                t->chunk_points -= is_raw ? s->refs[i].count : 0;
        }
        t->chunks_n -= s->refs_n - n;
        s->refs_n = n;
    }
}

static enum err drop(struct telemetry *t, size_t slot) {
    char path[PATH_CAP];
    group_begin(&t->group);
    out_int(&t->group, ENTRY_DROP, 1);
    out_key(&t->group, t, t->segments[slot]);
    TRY(hotlog_append(t, &t->log, &t->group, true));
    pthread_rwlock_rdlock(&t->names);
    dead_forget(t, slot);
    pthread_mutex_lock(&t->lock);
    forget_chunks(t, slot);
    pthread_mutex_unlock(&t->lock);
    pthread_rwlock_unlock(&t->names);
    segment_path(t, &t->segments[slot]->key, path);
    (void)t->chunk_io.remove(t->chunk_io.self, path); /* else the next opening does */
    return OK;
}

/* Points that are rolled up go once a pass has come through that began when they were past already, and that went by
 * the windows of today; where there was none yet, it is asked for. */
static bool may_drop(struct telemetry *t, const struct segment_key *key, int64_t now_ms) {
    struct telemetry_keep keep;
    if (!policy_of(t, key->keep, &keep) || !is_older(&keep, key->month, key->step_min, now_ms)) return false;
    if (key->step_min || (!keep.tiers[0].step_min && !keep.tiers[1].step_min)) return true;
    bool passed = is_older(&keep, key->month, 0, t->passed_ms) &&
                  !memcmp(t->retained[key->keep].tiers, keep.tiers, sizeof keep.tiers);
    pthread_mutex_lock(&t->lock);
    if (!passed && !t->must_roll && !t->is_rolling) {
        t->must_roll = true;
        t->roll_at_ms = 0;
    }
    pthread_mutex_unlock(&t->lock);
    return passed;
}

void retain(struct telemetry *t, int64_t now_ms) {
    segments_sweep(t);
    pthread_mutex_lock(&t->lock);
    bool is_due = now_ms >= t->retain_at_ms;
    if (is_due) t->retain_at_ms = now_ms + RETAIN_EACH_MS;
    pthread_mutex_unlock(&t->lock);
    for (size_t i = 0; is_due && i < t->segments_n; i++)
        if (!t->segments[i]->is_dropped && may_drop(t, &t->segments[i]->key, now_ms) && drop(t, i)) return;
}
