/* Rolling up: months that are over, of series whose class wants windows of them, a little between the groups.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>

#define ROLL_AFTER_MS INT64_C(86400000) /* a month waits so long for what is late */
#define ROLL_POINTS   65536             /* read at one go, and of one month more if it has them */
#define ROLL_SERIES   256               /* looked at */
#define ROLL_AGAIN_MS 60000             /* after a failure */
#define ROLL_QUIET_MS 600000            /* after readings that are late: more of them may follow */
#define MONTHS_MAX    1200
#define STEPS_MAX     8 /* lengths of windows that a month may be rolled up to */
#define MINUTE_MS     INT64_C(60000)
#define MONTH_MINUTES (31 * 24 * 60)

struct month { /* of one series: what there is of it */
    int32_t month;
    bool has_raw, has_rolled;
    unsigned have[TELEMETRY_TIERS_MAX], need[TELEMETRY_TIERS_MAX]; /* parts */
};
struct roll {
    struct telemetry *t;
    const struct telemetry_keep *keeps;
    struct sealing sealing;
    int64_t until_ms; /* months before that are over */
    struct month *months;
    size_t months_n;
    size_t points;
};

void roll_late(struct telemetry *t) {
    int64_t now_ms = t->options.world->utc_ms(t->options.world->self);
    pthread_mutex_lock(&t->lock);
    if (!t->must_roll) t->roll_at_ms = now_ms + ROLL_QUIET_MS; /* who goes on being late holds up nothing */
    t->must_roll = true;
    pthread_mutex_unlock(&t->lock);
}

/* ---- is there still all that was rolled up? ---- */

struct counts {
    uint64_t raw;
    struct {
        uint8_t step_min;
        uint64_t points;
    } rolled[STEPS_MAX];
};

static uint64_t *rolled_of(struct counts *c, uint8_t step_min) {
    size_t i = 0;
    while (i + 1 < STEPS_MAX && c->rolled[i].step_min && c->rolled[i].step_min != step_min) i++;
    c->rolled[i].step_min = step_min;
    return &c->rolled[i].points;
}

/* What can be read of a month's points, and what its windows counted. */
static enum err count(struct telemetry *t, uint32_t series, int32_t month, struct points *room, struct counts *ret) {
    const struct series *s = series_at(t, series);
    for (uint32_t i = 0; i < s->refs_n; i++) {
        const struct segment_key *key = &t->segments[s->refs[i].segment]->key;
        struct chunk_head h;
        if (key->month != month) continue;
        enum err e =
            key->step_min ? chunk_read_head(t, series, &s->refs[i], &h) : chunk_read(t, series, &s->refs[i], room);
        if (e == ERR_UNAVAILABLE) return e;
        if (e) continue;
        if (key->step_min)
            *rolled_of(ret, key->step_min) += h.points;
        else
            ret->raw += room->n;
    }
    return OK;
}

enum err raw_is_whole(struct telemetry *t, uint32_t series, int32_t month, uint8_t step_min, bool *ret) {
    struct counts c = {0};
    struct points room;
    uint64_t most = 0;
    if (!points_init(&room, CHUNK_POINTS_MAX)) return ERR_INTERNAL;
    enum err e = count(t, series, month, &room, &c);
    free(room.at);
    for (size_t i = 0; i < STEPS_MAX; i++)
        if ((!step_min || c.rolled[i].step_min == step_min) && c.rolled[i].points > most) most = c.rolled[i].points;
    *ret = c.raw && c.raw >= most;
    return e;
}

/* ---- what there is ---- */

static struct month *month_at(struct roll *r, int32_t month) {
    for (size_t i = r->months_n; i; i--)
        if (r->months[i - 1].month == month) return &r->months[i - 1];
    if (r->months_n == MONTHS_MAX) return NULL;
    r->months[r->months_n] = (struct month){.month = month};
    return &r->months[r->months_n++];
}

static void look(struct roll *r, const struct series *s, const struct telemetry_keep *keep) {
    r->months_n = 0;
    for (uint32_t i = 0; i < s->refs_n; i++) {
        const struct segment *g = r->t->segments[s->refs[i].segment];
        struct month *m = g->start_ms < r->until_ms ? month_at(r, g->key.month) : NULL;
        if (!m) continue;
        m->has_raw = m->has_raw || !g->key.step_min;
        m->has_rolled = m->has_rolled || g->key.step_min;
        for (size_t k = 0; k < TELEMETRY_TIERS_MAX && g->key.step_min; k++) {
            if (keep->tiers[k].step_min != g->key.step_min) continue;
            m->have[k]++;
            m->need[k] = s->refs[i].count >> ROLLED_PARTS;
        }
    }
}

/* ---- one month of a series ---- */

/* Where other windows know of more points than there are, it stays as it is. */
static enum err is_wanted(struct roll *r, uint32_t id, const struct month *m, size_t tier, bool *ret) {
    const struct series *s = series_at(r->t, id);
    int32_t step_min = r->keeps[s->keep].tiers[tier].step_min;
    struct segment_key key = {m->month, s->keep, (uint8_t)step_min};
    *ret = step_min && m->has_raw && !(m->have[tier] && m->have[tier] == m->need[tier]) && !is_past(r->t, &key);
    return *ret && m->has_rolled ? raw_is_whole(r->t, id, m->month, 0, ret) : OK;
}

static enum err drop_parts(struct roll *r, uint32_t id, const struct segment_key *key) {
    const struct series *s = series_at(r->t, id);
    for (uint32_t i = 0; i < s->refs_n; i++) {
        const struct segment_key *at = &r->t->segments[s->refs[i].segment]->key;
        if (at->month == key->month && at->step_min == key->step_min) TRY(sealing_drop(&r->sealing, id, &s->refs[i]));
    }
    return OK;
}

/* Without the head: what is in it is rolled up again once it is sealed, and read as it is until then. */
static enum err begin_scan(struct scan *s, struct telemetry *t, uint32_t id, int32_t month) {
    struct fault f = {0};
    pthread_mutex_lock(&t->lock);
    bool ok = scan_begin(s, t, id, month_start_ms(month), month_start_ms(month + 1));
    pthread_mutex_unlock(&t->lock);
    free(s->head.at);
    s->head = (struct points){0};
    return ok ? scan_ready(s, &f) : ERR_INTERNAL;
}

static enum err read_month(struct roll *r, uint32_t id, int32_t month, struct rolling *rolling) {
    struct scan scan;
    struct fault f = {0};
    struct points p;
    enum err e = begin_scan(&scan, r->t, id, month);
    while (!e && !(e = scan_slice(&scan, scan.to_ms, &p, &f))) {
        r->points += p.n;
        for (size_t k = 0; k < TELEMETRY_TIERS_MAX; k++)
            if (rolling[k].rows && !rolling_add(&rolling[k], &p, TELEMETRY_GAP_MS)) abort(); /* a month has no more */
    }
    scan_finish(&scan);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err put_month(struct roll *r, uint32_t id, const struct month *m, struct rolling *rolling) {
    const struct series *s = series_at(r->t, id);
    for (size_t k = 0; k < TELEMETRY_TIERS_MAX; k++) {
        struct segment_key key = {m->month, s->keep, (uint8_t)r->keeps[s->keep].tiers[k].step_min};
        if (!rolling[k].rows) continue;
        rolling_end(&rolling[k]);
        if (m->have[k]) TRY(drop_parts(r, id, &key));
        if (rolling[k].n) TRY(sealing_put_rolled(&r->sealing, id, &key, rolling[k].rows, rolling[k].n));
    }
    return OK;
}

static enum err roll_month(struct roll *r, uint32_t id, const struct month *m) {
    struct rolling rolling[TELEMETRY_TIERS_MAX] = {{0}};
    const struct telemetry_keep *keep = &r->keeps[series_at(r->t, id)->keep];
    enum err e = OK;
    bool any = false;
    for (size_t k = 0; k < TELEMETRY_TIERS_MAX && !e; k++) {
        bool wanted;
        e = is_wanted(r, id, m, k, &wanted);
        if (e || !wanted) continue;
        rolling[k].step_ms = keep->tiers[k].step_min * MINUTE_MS;
        rolling[k].cap = MONTH_MINUTES / (size_t)keep->tiers[k].step_min;
        rolling[k].rows = malloc(rolling[k].cap * sizeof *rolling[k].rows);
        if (!rolling[k].rows) e = ERR_INTERNAL;
        any = true;
    }
    if (any && !e) e = read_month(r, id, m->month, rolling);
    if (any && !e) e = put_month(r, id, m, rolling);
    for (size_t k = 0; k < TELEMETRY_TIERS_MAX; k++) free(rolling[k].rows);
    return e;
}

/* ---- series by series ---- */

static bool has_old_head(struct roll *r, uint32_t id) {
    struct points p = {0};
    const struct series *s = series_at(r->t, id);
    bool some = s->head.n && head_copy(&r->t->blocks, &s->head, INT64_MIN, r->until_ms, &p) && p.n;
    free(p.at);
    return some;
}

static bool is_rolled(const struct roll *r, uint32_t id) {
    const struct telemetry_keep *keep = &r->keeps[series_at(r->t, id)->keep];
    return keep->tiers[0].step_min || keep->tiers[1].step_min;
}

/* Points of such months that are in heads, which may not be full for long. */
static enum err seal_heads(struct roll *r, uint32_t end) {
    struct telemetry *t = r->t;
    bool some = false;
    for (uint32_t id = t->roll_series; id < end; id++) {
        if (!is_rolled(r, id) || !has_old_head(r, id)) continue;
        pthread_mutex_lock(&t->lock);
        head_due(t, id);
        pthread_mutex_unlock(&t->lock);
        some = true;
    }
    while (some && t->due.n) TRY(seal_due(t));
    return OK;
}

/* The first month behind the one that was done last. */
static const struct month *next_month(const struct roll *r) {
    const struct month *first = NULL;
    for (size_t i = 0; i < r->months_n; i++)
        if (r->months[i].month > r->t->roll_month && (!first || r->months[i].month < first->month))
            first = &r->months[i];
    return first;
}

/* False: there is more of this series than fits in here. */
static bool roll_series(struct roll *r, uint32_t id) {
    struct telemetry *t = r->t;
    const struct series *s = series_at(t, id);
    if (is_rolled(r, id)) look(r, s, &r->keeps[s->keep]);
    for (const struct month *m; is_rolled(r, id) && (m = next_month(r)); t->roll_month = m->month) {
        if (r->points >= ROLL_POINTS) return false;
        if (roll_month(r, id, m)) t->pass_failed = true; /* the others go on */
    }
    t->roll_month = INT64_MIN;
    return true;
}

static enum err roll_from(struct roll *r, uint32_t series_n) {
    struct telemetry *t = r->t;
    uint32_t end = series_n - t->roll_series > ROLL_SERIES ? t->roll_series + ROLL_SERIES : series_n;
    TRY(seal_heads(r, end));
    if (!sealing_begin(&r->sealing, t)) return ERR_INTERNAL;
    while (t->roll_series < end && roll_series(r, t->roll_series)) t->roll_series++;
    if (!r->sealing.done_n && !r->sealing.gone_n) return OK;
    return sealing_commit(&r->sealing, &(struct sealing_also){0});
}

/* A pass over all series begins when somebody asks for it, or when a month is over. */
static bool begin_pass(struct telemetry *t, int64_t now_ms) {
    int64_t month = month_of(now_ms - ROLL_AFTER_MS);
    pthread_mutex_lock(&t->lock);
    if (!t->is_rolling && (month != t->rolled_month || (t->must_roll && now_ms >= t->roll_at_ms))) {
        t->is_rolling = true;
        t->must_roll = t->pass_failed = false;
        t->roll_series = 0;
        t->roll_month = INT64_MIN;
        t->rolled_month = month;
        t->pass_ms = now_ms;
        memcpy(t->retained, t->keeps, sizeof t->retained);
    }
    bool rolling = t->is_rolling;
    pthread_mutex_unlock(&t->lock);
    return rolling;
}

static void end_pass(struct telemetry *t, int64_t now_ms) {
    t->is_rolling = false;
    t->retain_at_ms = 0;
    if (!t->pass_failed) {
        t->passed_ms = t->pass_ms;
        return;
    }
    t->must_roll = true;
    t->roll_at_ms = now_ms + ROLL_AGAIN_MS;
}

bool roll_some(struct telemetry *t) {
    int64_t now_ms = t->options.world->utc_ms(t->options.world->self);
    if (!begin_pass(t, now_ms)) return false;
    struct roll r = {.t = t, .keeps = t->retained, .until_ms = month_start_ms(t->rolled_month)};
    r.months = malloc(MONTHS_MAX * sizeof *r.months);
    pthread_rwlock_rdlock(&t->names);
    uint32_t series_n = t->series.n;
    pthread_rwlock_unlock(&t->names);
    if (!r.months || roll_from(&r, series_n)) {
        t->pass_failed = true;
        t->roll_series = series_n;
    }
    sealing_end(&r.sealing);
    free(r.months);
    pthread_mutex_lock(&t->lock);
    if (t->roll_series >= series_n) end_pass(t, now_ms);
    bool more = t->is_rolling;
    pthread_mutex_unlock(&t->lock);
    return more;
}
