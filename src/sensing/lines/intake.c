/* The way of what a device said.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/intake.h"

#include "base/utf8.h"
#include "sensing/lines/figures.h"

#include <string.h>

#define BAD_TIMES_MAX 64                /* of one report, each looked for; behind them none is believed */
#define BELIEVED_MS   INT64_C(86400000) /* so long a reading says how a device is */

static int64_t now_of(const struct intake_site *s) {
    return s->world->utc_ms(s->world->self);
}

static int64_t shift_of(const struct intake_site *s, int64_t now_ms) {
    return (int64_t)zone_offset_s(s->zone, now_ms) * 1000;
}

static void in_store(void *arg) {
    struct intake *i = arg;
    i->done(i->arg, true);
}

/* By the device's last reading, unless that is too old to be believed. */
static bool is_silenced(struct intake *i, const struct device_event *e, int64_t now_ms) {
    const struct intake_site *s = i->site;
    struct telemetry_series *series;
    struct fault ignored = {0};
    size_t n = 0;
    if (!e->unless_metric || !e->is_set) return false;
    enum err err = telemetry_latest(feed_telemetry(s->feed), s->community_id, &e->device, 1, str_of(e->unless_metric),
                                    i->arena, &series, &n, &ignored);
    if (err || !n || !series[0].has_latest) return false;
    const struct telemetry_stored *last = &series[0].latest;
    return last->value == e->unless_value && now_ms - last->at_ms < BELIEVED_MS;
}

/* A clock that is off: limits of its alarm would be long over, or never begin.  Readings have the same bounds. */
static int64_t event_time(const struct device_event *e, int64_t shift, int64_t now_ms) {
    int64_t at_ms = e->at_ms ? e->at_ms : e->at_s ? e->at_s * 1000 - shift : now_ms;
    bool is_off = at_ms < now_ms - TELEMETRY_RAW_DAYS * INT64_C(86400000) || at_ms > now_ms + TELEMETRY_FUTURE_MS;
    return is_off ? now_ms : at_ms;
}

/* NULL: they are taken another time. */
static const char *refusal(enum err e) {
    if (e == ERR_TOO_MANY) return INTAKE_TOO_MANY;
    return e == ERR_INVALID || e == ERR_LIMIT ? INTAKE_REFUSED : NULL;
}

/* Readings are durable, or are not. */
static void events_next(void *arg) {
    struct intake *i = arg;
    const struct intake_site *s = i->site;
    size_t n = 0, all = i->decoded.events_n;
    if (i->stored || !all) {
        i->done(i->arg, !i->stored);
        return;
    }
    int64_t now = now_of(s), shift = shift_of(s, now);
    struct rules_event *events = arena_new(i->arena, struct rules_event, all);
    for (size_t k = 0; events && k < all; k++) {
        const struct device_event *e = &i->decoded.events[k];
        if (is_silenced(i, e, now)) continue;
        events[n++] = (struct rules_event){.device = e->device,
                                           .code = e->code,
                                           .text = e->text,
                                           .part = e->part,
                                           .at_ms = event_time(e, shift, now),
                                           .is_set = e->is_set,
                                           .is_level = e->is_level,
                                           .is_kept = e->is_kept};
    }
    if (!events || feed_events(s->feed, s->community_id, events, n) || feed_barrier(s->feed, in_store, i))
        i->done(i->arg, false);
}

static void stored(void *arg, enum err e) { /* the writer's thread */
    struct intake *i = arg;
    i->stored = e;
    loop_post_task(i->site->loop, &i->task);
}

/* A clock that is off: the value counts from now. */
static bool has_bad_time(const struct fault *f) {
    return f->kind == ERR_INVALID && f->fields_n && !strcmp(f->fields[0].field, "ts");
}

static int64_t time_of(const struct reading *r, int64_t shift, int64_t else_ms) {
    return r->at_ms ? r->at_ms : r->at_s ? r->at_s * 1000 - shift : else_ms;
}

/* A fix is a latitude with the longitude behind it.  One that cannot be is suspect: whoever is looked for is not there.
 */
static void judge_places(const struct intake *i, struct telemetry_point *points, size_t n) {
    for (size_t k = 0; i->site->heard && k + 1 < n; k++) {
        struct telemetry_point *north = &points[k], *east = &points[k + 1];
        if (!str_is(north->metric, "latitude") || !str_is(east->metric, "longitude")) continue;
        const struct heard_place place = {north->at_ms, north->value, east->value};
        if (!heard_place(i->site->heard, north->device, &place)) north->quality = east->quality = QUALITY_SUSPECT;
    }
}

static void put(struct intake *i, int64_t at_ms) {
    const struct intake_site *s = i->site;
    int64_t now = now_of(s), shift = shift_of(s, now);
    size_t n = 0, all = i->decoded.readings_n;
    struct telemetry_point *points = arena_new(i->arena, struct telemetry_point, all + 1);
    if (!points) {
        i->done(i->arg, false);
        return;
    }
    for (; n < all; n++) {
        const struct reading *r = &i->decoded.readings[n];
        points[n] = (struct telemetry_point){.device = r->device,
                                             .metric = r->metric,
                                             .unit = r->unit,
                                             .value = r->value,
                                             .at_ms = time_of(r, shift, at_ms ? at_ms : now),
                                             .quality = (uint8_t)r->quality};
    }
    judge_places(i, points, n);
    struct fault fault = {0};
    struct telemetry_batch batch = {
        .community_id = s->community_id, .points = points, .n = n, .left_out = &i->left_out};
    i->stored = OK;
    if (!n) {
        events_next(i);
        return;
    }
    size_t bad = 0;
    enum err e = telemetry_put(feed_telemetry(s->feed), &batch, stored, i, &bad, &fault);
    for (size_t tries = 0; tries <= BAD_TIMES_MAX && has_bad_time(&fault) && bad < n; tries++) {
        int64_t wrong = points[bad].at_ms;
        for (size_t k = bad; k < n && (points[k].at_ms == wrong || tries == BAD_TIMES_MAX); k++)
            points[k].at_ms = now - (int64_t)(n - 1 - k); /* two of one metric stay two, in their order */
        fault = (struct fault){0};
        e = telemetry_put(feed_telemetry(s->feed), &batch, stored, i, &bad, &fault);
    }
    const char *refused = !e && i->left_out ? INTAKE_TOO_MANY : refusal(e);
    if (refused) i->refused = refused;
    if (!e) return;
    i->stored = refused ? OK : e;
    events_next(i);
}

static void note(const struct intake *i, struct str device, int64_t now_ms) {
    const struct intake_site *s = i->site;
    feed_heard(s->feed, s->community_id, device, s->line);
    if (i->peer && s->heard) heard_frame(s->heard, device, str_of(i->peer), i->conn, now_ms);
}

/* Each once, where its readings stand together. */
static void note_all(const struct intake *i) {
    const struct decoded *d = &i->decoded;
    int64_t now = now_of(i->site), shift = shift_of(i->site, now);
    struct str last = d->sender;
    if (last.len) note(i, last, now);
    if (last.len && i->site->heard && d->clock_s)
        heard_clock(i->site->heard, last, d->clock_s * 1000 - shift - now, now);
    for (size_t k = 0; k < d->readings_n; k++) {
        const struct reading *r = &d->readings[k];
        if (!str_eq(r->device, last)) note(i, r->device, now);
        if (i->site->heard && (r->at_ms || r->at_s) && !d->clock_s)
            heard_clock(i->site->heard, r->device, time_of(r, shift, now) - now, now);
        last = r->device;
    }
    for (size_t k = 0; k < d->events_n; k++) {
        if (!str_eq(d->events[k].device, last)) note(i, d->events[k].device, now);
        last = d->events[k].device;
    }
}

/* Somebody waits: before all else. */
static void passed(void *arg, enum err e) {
    struct intake *i = arg;
    i->stored = e;
    i->refused = refusal(e);
    if (e && !i->refused)
        i->done(i->arg, false);
    else
        put(i, i->at_ms);
}

static void let_pass(struct intake *i) {
    const struct intake_site *s = i->site;
    i->stored = ERR_BUSY;
    i->knock = (struct knock){.community_id = s->community_id,
                              .heard_ms = i->at_ms ? i->at_ms : now_of(s),
                              .all = i->decoded.passings,
                              .n = i->decoded.passings_n,
                              .done = passed,
                              .arg = i};
    if (feed_knock(s->feed, &i->knock)) i->done(i->arg, false);
}

bool intake_is_of(const struct intake_site *s, int64_t line_id, const struct decoded *d) {
    bool ok = !d->sender.len || feed_is_of_line(s->feed, s->community_id, d->sender, line_id);
    for (size_t i = 0; ok && i < d->readings_n; i++)
        ok = feed_is_of_line(s->feed, s->community_id, d->readings[i].device, line_id);
    for (size_t i = 0; ok && i < d->events_n; i++)
        ok = feed_is_of_line(s->feed, s->community_id, d->events[i].device, line_id);
    for (size_t i = 0; ok && i < d->passings_n; i++)
        ok = feed_is_of_line(s->feed, s->community_id, d->passings[i].device, line_id);
    return ok;
}

void intake_take(struct intake *i, const struct decoded *d, struct arena *arena, int64_t at_ms) {
    i->decoded = *d;
    i->arena = arena;
    i->task.fn = events_next;
    i->task.arg = i;
    i->at_ms = at_ms;
    i->refused = NULL;
    i->left_out = 0;
    note_all(i);
    if (d->passings_n)
        let_pass(i);
    else
        put(i, at_ms);
}

void intake_note_refused(const struct intake *i, struct figures *f, const char *peer) {
    const struct world *w = i->site->world;
    if (!i->refused) return;
    struct sample x = {.at_ms = w->utc_ms(w->self), .offset = NO_OFFSET};
    utf8_copy(x.peer, sizeof x.peer, str_of(peer));
    utf8_copy(x.about, sizeof x.about, i->decoded.sender);
    utf8_copy(x.device, sizeof x.device, figures_device(&i->decoded, S("")));
    utf8_copy(x.rule, sizeof x.rule, str_of(i->refused));
    figures_bad(f, &x, (struct bytes){NULL, 0}, false);
}
