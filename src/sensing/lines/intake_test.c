/* What a device said, on its way: events that its own readings silence.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/intake.h"

#include "sensing/estate_test_internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define ALARMS "SELECT COUNT(*) FROM alarms"
#define OPEN   "SELECT COUNT(*) FROM alarms WHERE state <> 'ended'"

struct site {
    struct estate e;
    struct intake_site site;
    struct intake intake;
    struct arena arena;
    struct decoded says;
    _Atomic int ended; /* 1: stored */
};

static void done(void *arg, bool is_stored) {
    atomic_store(&((struct site *)arg)->ended, is_stored ? 1 : 2);
}

static void take(void *arg) {
    struct site *s = arg;
    intake_take(&s->intake, &s->says, &s->arena, 0);
}

static void start(struct site *s, struct t *t) {
    *s = (struct site){0};
    estate_start(&s->e, t);
    s->site = (struct intake_site){
        .loop = s->e.loop.loop, .feed = s->e.feed, .world = &t->world, .community_id = s->e.id, .line = "line"};
    s->intake = (struct intake){.site = &s->site, .done = done, .arg = s};
    arena_init(&s->arena, 1 << 20);
    test_loop_start(&s->e.loop);
}

static void nothing(void *arg) {
    (void)arg;
}

static void stop(struct site *s) {
    estate_stop(&s->e, nothing, s);
    arena_finish(&s->arena);
}

static void says(struct site *s, const struct decoded *d) {
    s->says = *d;
    atomic_store(&s->ended, 0);
    test_on_loop(s->e.loop.loop, take, s);
    for (int i = 0; i < PEER_WAIT_MS && !atomic_load(&s->ended); i++) (void)poll(NULL, 0, 1);
    CHECK(s->e.t, atomic_load(&s->ended) == 1);
    arena_reset(&s->arena);
}

static void mode(struct site *s, double value) {
    const struct reading r = {.device = S("889"), .metric = S("service_mode"), .unit = S(""), .value = value};
    says(s, &(struct decoded){.readings = &r, .readings_n = 1});
}

static void fire(struct site *s, bool is_set, const char *unless) {
    const struct device_event e = {
        .device = S("889"), .code = S("fire_alarm"), .is_set = is_set, .unless_metric = unless, .unless_value = 2};
    says(s, &(struct decoded){.events = &e, .events_n = 1});
}

static void a_reading_silences_what_waits_for_it(struct t *t) {
    struct site s;
    start(&s, t);
    fire(&s, true, "service_mode"); /* nothing is known of its mode */
    CHECK(t, estate_count(&s.e, ALARMS) == 1);
    mode(&s, 2);
    fire(&s, false, "service_mode"); /* it is over all the same */
    CHECK(t, estate_count(&s.e, OPEN) == 0);
    fire(&s, true, "service_mode");
    CHECK(t, estate_count(&s.e, ALARMS) == 1);
    fire(&s, true, NULL);
    CHECK(t, estate_count(&s.e, OPEN) == 1 && estate_count(&s.e, ALARMS) == 2);
    fire(&s, false, NULL);
    world_sim_advance(&t->sim, 1000);
    mode(&s, 1);
    fire(&s, true, "service_mode");
    CHECK(t, estate_count(&s.e, ALARMS) == 3);
    stop(&s);
}

static void a_reading_of_yesterday_silences_nothing(struct t *t) {
    struct site s;
    start(&s, t);
    mode(&s, 2);
    world_sim_advance(&t->sim, DAY_MS - 1);
    fire(&s, true, "service_mode");
    CHECK(t, estate_count(&s.e, ALARMS) == 0);
    world_sim_advance(&t->sim, 1);
    fire(&s, true, "service_mode");
    CHECK(t, estate_count(&s.e, ALARMS) == 1);
    stop(&s);
}

/* An alarm of the year 2000 would be late at once, one of 2099 never. */
static void an_event_of_a_clock_that_is_off_is_of_now(struct t *t) {
    struct site s;
    start(&s, t);
    int64_t now = t->world.utc_ms(t->world.self);
    const struct {
        int64_t at_ms, taken_ms;
    } all[] = {{INT64_C(946684800000), now},
               {now + INT64_C(73) * 365 * DAY_MS, now},
               {now - 30 * DAY_MS, now - 30 * DAY_MS},
               {now + DAY_MS / 48, now + DAY_MS / 48}};
    for (size_t i = 0; i < COUNT(all); i++) {
        const struct device_event set = {
            .device = S("889"), .code = S("fire_alarm"), .is_set = true, .at_ms = all[i].at_ms};
        says(&s, &(struct decoded){.events = &set, .events_n = 1});
        CHECK_SAY(t, estate_count(&s.e, "SELECT since_ms FROM alarms ORDER BY id DESC LIMIT 1") == all[i].taken_ms,
                  "%zu", i);
        fire(&s, false, NULL);
    }
    stop(&s);
}

/* The device has all the metrics that one may have. */
static void fill(struct site *s) {
    struct reading r[TELEMETRY_METRICS_MAX];
    char metrics[TELEMETRY_METRICS_MAX][16];
    for (size_t i = 0; i < COUNT(r); i++) {
        snprintf(metrics[i], sizeof metrics[i], "metric-%zu", i);
        r[i] = (struct reading){.device = S("889"), .metric = str_of(metrics[i]), .value = 1};
    }
    says(s, &(struct decoded){.readings = r, .readings_n = COUNT(r)});
}

/* A watch with one metric too many, or a name that is none, calls for help. */
static void readings_that_are_refused_for_good_hold_back_no_alarm(struct t *t) {
    static const char nul[] = "leve\0l";
    static const struct {
        struct str metric;
        const char *refused;
        int64_t alarms; /* since then */
    } all[] = {{S("metric-1"), NULL, 1}, {S("one too many"), INTAKE_TOO_MANY, 2}, {{nul, 6}, INTAKE_REFUSED, 3}};
    struct site s;
    start(&s, t);
    fill(&s);
    for (size_t i = 0; i < COUNT(all); i++) {
        const struct reading r = {.device = S("889"), .metric = all[i].metric, .value = 1};
        const struct device_event sos = {.device = S("889"), .code = S("fire_alarm"), .is_set = true};
        says(&s, &(struct decoded){.readings = &r, .readings_n = 1, .events = &sos, .events_n = 1});
        const char *refused = s.intake.refused;
        CHECK_SAY(t, refused == all[i].refused || (refused && !strcmp(refused, all[i].refused)), "%zu", i);
        CHECK_SAY(t, estate_count(&s.e, ALARMS) == all[i].alarms && estate_count(&s.e, OPEN) == 1, "%zu", i);
        fire(&s, false, NULL);
    }
    stop(&s);
}

/* Of a gateway, say: those of the others go on. */
static void readings_without_room_are_left_out(struct t *t) {
    struct site s;
    start(&s, t);
    fill(&s);
    const struct reading r[] = {{.device = S("889"), .metric = S("one too many"), .value = 1},
                                {.device = S("889"), .metric = S("metric-1"), .value = 7},
                                {.device = S("other"), .metric = S("m"), .value = 8}};
    says(&s, &(struct decoded){.readings = r, .readings_n = COUNT(r)});
    CHECK(t, s.intake.refused && !strcmp(s.intake.refused, INTAKE_TOO_MANY) && s.intake.left_out == 1);
    for (size_t i = 1; i < COUNT(r); i++) {
        struct telemetry_series *series;
        struct fault f = {0};
        size_t n = 0;
        CHECK(t, !telemetry_latest(feed_telemetry(s.e.feed), s.e.id, &r[i].device, 1, r[i].metric, &s.arena, &series,
                                   &n, &f) &&
                     n == 1 && series[0].latest.value == r[i].value);
    }
    stop(&s);
}

static bool is_suspect(struct site *s, struct arena *a) {
    struct telemetry_series *series;
    struct fault f = {0};
    size_t n = 0;
    arena_reset(a);
    CHECK(s->e.t, !telemetry_latest(feed_telemetry(s->e.feed), s->e.id, &(struct str){"889", 3}, 1, S("latitude"), a,
                                    &series, &n, &f) &&
                      n == 1);
    return series[0].latest.quality == QUALITY_SUSPECT;
}

/* About 111 km are a degree: 200 km/h make one of them in 2,000 s. */
static void a_place_that_nobody_gets_to_is_suspect(struct t *t) {
    static const struct {
        int64_t s;
        double latitude, longitude;
        bool suspect;
    } all[] = {{0, 31, 121, false},
               {10, 31.005, 121, false},
               {20, 32, 121, true},
               {20, 32, 121, true},
               /* said twice */ {30, 31.005, 121.005, false},
               {40, 0, 0, true},
               {50, 60, 10, true},
               {60, 60.001, 10, false}, /* it is there, then */
               {70, 31, 121, true},
               {80, 60.002, 10, false},
               {2280, 61.1, 10, false},
               {2290, 59, 10, true}};
    struct site s;
    struct arena a;
    start(&s, t);
    arena_init(&a, 1 << 16);
    s.site.heard = heard_create();
    const int64_t now = t->world.utc_ms(t->world.self) - 3600000;
    for (size_t i = 0; i < COUNT(all); i++) {
        const struct reading r[] = {{.device = S("889"), .metric = S("latitude"), .value = all[i].latitude},
                                    {.device = S("889"), .metric = S("longitude"), .value = all[i].longitude}};
        struct reading at[] = {r[0], r[1]};
        at[0].at_ms = at[1].at_ms = now + all[i].s * 1000;
        says(&s, &(struct decoded){.readings = at, .readings_n = 2});
        CHECK_SAY(t, is_suspect(&s, &a) == all[i].suspect, "%zu", i);
    }
    arena_finish(&a);
    struct heard *h = s.site.heard;
    stop(&s);
    heard_destroy(h);
}

TESTS(CASE(readings_that_are_refused_for_good_hold_back_no_alarm), CASE(readings_without_room_are_left_out),
      CASE(a_place_that_nobody_gets_to_is_suspect), CASE(an_event_of_a_clock_that_is_off_is_of_now),
      CASE(a_reading_silences_what_waits_for_it), CASE(a_reading_of_yesterday_silences_nothing))
