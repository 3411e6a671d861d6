/* The community itself: its places, people, rules, what its devices say and what its people do.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/week.h"

#include "kernel/rows.h"
#include "platform/cases/cases.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "platform/rules/rules.h"
#include "platform/things/things.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS (24 * WEEK_HOUR)

/* ---- made ---- */

static const struct {
    const char *model, *metric;
    int n;
    double calm, wrong;
} kinds[] = {{"temp", "temp", 10, 24, 33}, {"water", "level", 8, 0, 1}, {"battery", "power", 6, 80, 5},
             {"lift", "beat", 6, 1, 1},    {"panel", NULL, 6, 0, 0},    {"temp", "temp", WEEK_STRANGERS, 24, 33}};

static enum err make_place(struct ctx *ctx, const char *kind, int64_t parent_id, int64_t admin_id, int64_t *ret) {
    struct place p = {0};
    SET(&places, &p, name, str_of(kind));
    SET(&places, &p, kind, str_of(kind));
    if (parent_id) SET(&places, &p, parent_id, parent_id);
    if (admin_id) SET(&places, &p, admin_parent_id, admin_id);
    if (str_is(p.kind, "street") || str_is(p.kind, "estate")) SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    *ret = p.row.id;
    return OK;
}

static enum err make_person(struct ctx *ctx, const char *role, int64_t place_id, int64_t *ret) {
    struct person p = {0};
    struct membership_row m = {0};
    SET(&people, &p, name, str_of(role));
    TRY(row_create(ctx, &people, &p));
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, str_of(role));
    if (place_id) SET(&memberships, &m, place_id, place_id);
    SET(&memberships, &m, valid_from, ctx->now_ms / DAY_MS - 400);
    TRY(row_create(ctx, &memberships, &m));
    *ret = p.row.id;
    return OK;
}

static enum err make_type(struct ctx *ctx, const char *code, int64_t accept_s, int64_t onsite_s, int64_t close_s) {
    struct case_type t = {0};
    SET(&case_types, &t, code, str_of(code));
    SET(&case_types, &t, name, str_of(code));
    SET(&case_types, &t, priority, S("normal"));
    SET(&case_types, &t, accept_s, accept_s);
    SET(&case_types, &t, onsite_s, onsite_s);
    SET(&case_types, &t, close_s, close_s);
    return row_create(ctx, &case_types, &t);
}

static enum err make_device(struct ctx *ctx, struct week *w, struct week_device *d) {
    struct device row = {.row.community_id = w->estate};
    SET(&devices, &row, name, str_of(d->code));
    SET(&devices, &row, code, str_of(d->code));
    SET(&devices, &row, model, str_of(d->model));
    SET(&devices, &row, place_id, w->building);
    TRY(row_create(ctx, &devices, &row));
    d->id = row.row.id;
    return row_act(ctx, &devices, d->id, 0, "adopt", &row,
                   UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"),
                   NULL);
}

struct rule_like {
    const char *kind, *model, *metric, *code, *severity, *case_type;
    int64_t limit, clear, for_s; /* clear 0: none */
};
static const struct rule_like rules_like[] = {
    {"above", "temp", "temp", NULL, "bad", "repair", 30000, 28000, 0},
    {"above", "water", "level", NULL, "bad", "flood", 500, 300, 1800},
    {"below", "battery", "power", NULL, "info", NULL, 10000, 0, 0},
    {"silence", "lift", NULL, NULL, "warn", "repair", 0, 0, 7200},
    {"event", "panel", NULL, "fire", "bad", "fire", 0, 0, 0},
};

static enum err make_rule(struct ctx *ctx, struct week *w, const struct rule_like *like) {
    struct rule r = {.row.community_id = w->estate};
    SET(&rules, &r, name, str_of(like->kind));
    SET(&rules, &r, kind, str_of(like->kind));
    SET(&rules, &r, model, str_of(like->model));
    if (like->metric) SET(&rules, &r, metric, str_of(like->metric));
    if (like->limit) SET(&rules, &r, limit_value, like->limit);
    if (like->clear) SET(&rules, &r, clear_value, like->clear);
    if (like->for_s) SET(&rules, &r, for_s, like->for_s);
    if (like->code) SET(&rules, &r, event_code, str_of(like->code));
    SET(&rules, &r, severity, str_of(like->severity));
    SET(&rules, &r, message, str_of(like->kind));
    if (like->case_type) SET(&rules, &r, case_type, str_of(like->case_type));
    SET(&rules, &r, enabled, true);
    return row_create(ctx, &rules, &r);
}

enum err week_town_make(struct ctx *ctx, void *week) {
    static const char *const roles[] = {"manager", "dispatcher", "repairer", "guard", "resident", "admin"};
    struct week *w = week;
    size_t n = 0;
    TRY(make_place(ctx, "street", 0, 0, &w->street));
    TRY(make_place(ctx, "estate", w->street, 0, &w->estate));
    TRY(make_place(ctx, "grid", 0, w->street, &w->grid));
    TRY(make_place(ctx, "building", w->estate, w->grid, &w->building));
    for (size_t i = 0; i < COUNT(roles); i++)
        TRY(make_person(ctx, roles[i], i == ADMIN ? 0 : i == RESIDENT ? w->building : w->estate, &w->people[i]));
    TRY(make_type(ctx, "repair", 1800, 7200, 86400));
    TRY(make_type(ctx, "flood", 900, 3600, 43200));
    TRY(make_type(ctx, "fire", 300, 900, 14400));
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (int i = 0; i < kinds[k].n; i++, n++) {
            struct week_device *d = &w->devices[n];
            d->model = kinds[k].model;
            d->metric = kinds[k].metric;
            snprintf(d->code, sizeof d->code, "%.8s-%02zu", d->model, n);
            if (n < WEEK_DEVICES - WEEK_STRANGERS) TRY(make_device(ctx, w, d));
        }
    for (size_t i = 0; i < COUNT(rules_like); i++) TRY(make_rule(ctx, w, &rules_like[i]));
    w->rules_changed = true;
    return OK;
}

/* ---- what devices say ---- */

struct batch { /* under way to the disk */
    struct week *w;
    int device;
    size_t n;
    struct week_point points[72];
};

/* Kept by time; of one time the last one sent stands last. */
static void remember(struct week_device *d, struct week_point p) {
    if (d->points_n == d->points_cap) {
        d->points_cap = d->points_cap ? d->points_cap * 2 : 256;
        d->points = realloc(d->points, d->points_cap * sizeof *d->points);
        if (!d->points) abort();
    }
    size_t at = d->points_n++;
    for (; at && d->points[at - 1].at_ms > p.at_ms; at--) d->points[at] = d->points[at - 1];
    d->points[at] = p;
}

static void stored(void *arg, enum err e) {
    struct batch *b = arg;
    struct week *w = b->w;
    for (size_t i = 0; i < b->n; i++) {
        b->points[i].acked = !e;
        remember(&w->devices[b->device], b->points[i]);
        if (!e) week_model_reading(w, b->device, &b->points[i]);
    }
    w->acked_points += e ? 0 : (int64_t)b->n;
    free(b);
}

static void send(struct week *w, int device, const struct week_point *points, size_t n) {
    const struct week_device *d = &w->devices[device];
    struct telemetry_point out[72];
    struct batch *b = calloc(1, sizeof *b);
    struct fault f = {0};
    size_t bad;
    if (!b || n > COUNT(out)) abort();
    *b = (struct batch){.w = w, .device = device, .n = n};
    memcpy(b->points, points, n * sizeof *points);
    for (size_t i = 0; i < n; i++)
        out[i] = (struct telemetry_point){
            .device = str_of(d->code), .metric = str_of(d->metric), .at_ms = points[i].at_ms, .value = points[i].value};
    struct telemetry_batch batch = {w->estate, out, n};
    if (!telemetry_put(feed_telemetry(w->feed), &batch, stored, b, &bad, &f)) return;
    w->refused++; /* the clock has jumped; nothing of it may ever be read */
    free(b);
}

static void refused(void *arg, enum err e) {
    (void)e;
    CHECK_SAY(((struct week *)arg)->t, false, "garbage is taken");
}

static void send_garbage(struct week *w) {
    static const char *const names[] = {"", "a\nb", "\xff\xfe"};
    struct fault f = {0};
    struct telemetry_point p = {.device = S("temp-00"), .metric = S("temp"), .at_ms = week_now(w), .value = 999};
    uint64_t which = week_dice(w, COUNT(names) + 2);
    if (which < COUNT(names)) p.device = str_of(names[which]);
    if (which == COUNT(names)) p.at_ms = -1;
    if (which == COUNT(names) + 1) p.at_ms += 48 * WEEK_HOUR;
    struct telemetry_batch batch = {w->estate, &p, 1};
    if (!telemetry_put(feed_telemetry(w->feed), &batch, refused, w, NULL, &f)) refused(w, OK);
}

static double measure(struct week *w, size_t device) {
    struct week_device *d = &w->devices[device];
    size_t k = 0;
    for (size_t n = kinds[0].n; n <= device; n += (size_t)kinds[k].n) k++;
    if (week_chance(w, d->is_wrong ? 8 : 60)) d->is_wrong = !d->is_wrong;
    if (week_chance(w, 200)) return NAN;
    double noise = (double)week_dice(w, 40) / 10 - 2;
    double base = d->is_wrong ? kinds[k].wrong : kinds[k].calm;
    return kinds[k].model[0] == 'l' || kinds[k].model[0] == 'w' ? base : base + noise;
}

static void change_habits(struct week *w, struct week_device *d) {
    if (d->until_ms && week_true_now(w) < d->until_ms) return;
    d->is_silent = d->is_late = false;
    d->until_ms = 0;
    if (week_chance(w, 300)) {
        d->is_silent = true;
        d->until_ms = week_true_now(w) + (int64_t)week_dice(w, 20) * WEEK_HOUR;
    } else if (week_chance(w, 300)) {
        d->is_late = true;
        d->until_ms = week_true_now(w) + (int64_t)week_dice(w, 60) * WEEK_HOUR;
    }
}

static void speak(struct week *w, int device) {
    struct week_device *d = &w->devices[device];
    struct week_point p[72];
    size_t n = 0;
    change_habits(w, d);
    if (d->is_silent || week_chance(w, 3)) return;
    struct week_point now = {.at_ms = week_true_now(w) - (int64_t)week_dice(w, 20000),
                             .value = measure(w, (size_t)device)};
    if (d->is_late) {
        if (d->kept_n < COUNT(d->kept)) d->kept[d->kept_n++] = now;
        return;
    }
    p[n++] = now;
    if (week_chance(w, 10)) p[n++] = now; /* twice */
    if (week_chance(w, 10)) {             /* the other way round */
        p[n] = p[0];
        p[0].at_ms += 1500;
        p[n++].at_ms -= 1500;
    }
    for (; d->kept_n; d->kept_n--) p[n++] = d->kept[d->kept_n - 1]; /* days late, last first */
    send(w, device, p, n);
    if (week_chance(w, 15)) send(w, device, p, n); /* its answer was lost */
}

struct told {
    struct week *w;
    int device;
    size_t part;
    int64_t verdicts; /* up to which the store must have them */
};

static void confirmed(void *arg) {
    struct told *t = arg;
    struct week *w = t->w;
    if (!week_is_off(w)) {
        w->devices[t->device].told[t->part] = true;
        if (t->verdicts > w->queue_sure) w->queue_sure = t->verdicts;
        w->confirmed++;
    }
}

/* A panel says what changed until it is confirmed. */
static void tell_events(struct week *w, int device) {
    static struct told waiting[WEEK_DEVICES][WEEK_PARTS];
    static const char *const parts[] = {"1", "2"};
    struct week_device *d = &w->devices[device];
    for (size_t i = 0; i < WEEK_PARTS; i++) {
        if (week_chance(w, 150)) {
            d->fire[i] = !d->fire[i];
            d->told[i] = false;
        }
        if (d->told[i] || (!d->fire[i] && !d->told[i] && week_chance(w, 3))) continue;
        struct rules_event e = {.device = str_of(d->code),
                                .code = S("fire"),
                                .part = str_of(parts[i]),
                                .at_ms = week_now(w),
                                .is_set = d->fire[i]};
        if (feed_events(w->feed, w->estate, &e, 1)) continue;
        week_model_event(w, device, (int)i, d->fire[i]);
        waiting[device][i] = (struct told){w, device, i, w->queue_before + (int64_t)w->queue_n};
        CHECK(w->t, !feed_barrier(w->feed, confirmed, &waiting[device][i]));
    }
}

void week_devices_speak(struct week *w) {
    for (int i = 0; i < WEEK_DEVICES; i++) {
        if (w->devices[i].metric)
            speak(w, i);
        else
            tell_events(w, i);
    }
    if (week_chance(w, 5)) send_garbage(w);
}
