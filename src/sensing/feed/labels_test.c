/* What rows of models and classes say reaches the series: at once for new ones, and when the rows change.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/labels.h"

#include "sensing/estate_test_internal.h"

#include <poll.h>
#include <stdatomic.h>
#include <time.h>

static void put_value(struct estate *e, const char *device, const char *metric, double value) {
    struct telemetry_point p = {.device = str_of(device),
                                .metric = str_of(metric),
                                .value = value,
                                .at_ms = e->t->world.utc_ms(e->t->world.self)};
    CHECK(e->t,
          !telemetry_put_wait(feed_telemetry(e->feed), &(struct telemetry_batch){e->id, &p, 1}, NULL, &e->t->fault));
}

static void put(struct estate *e, const char *device, const char *metric) {
    put_value(e, device, metric, 1);
}

static struct telemetry_series series(struct estate *e, const char *device, const char *metric) {
    struct telemetry_series *got = NULL;
    struct str code = str_of(device);
    size_t n = 0;
    CHECK(e->t, !telemetry_latest(feed_telemetry(e->feed), e->id, &code, 1, str_of(metric), &e->t->arena, &got, &n,
                                  &e->t->fault));
    CHECK(e->t, n == 1);
    return n ? got[0] : (struct telemetry_series){0};
}

static int64_t class_id, model_id;

static enum err make_rows(struct ctx *ctx, struct estate *e) {
    (void)e;
    struct class_window *w = arena_new(ctx->arena, struct class_window, 2);
    struct model_metric *m = arena_new(ctx->arena, struct model_metric, 2);
    struct reading_class c = {0};
    struct device_model model = {0};
    w[0] = (struct class_window){3, S("5"), 400};
    w[1] = (struct class_window){3, S("60"), 0};
    SET(&reading_classes, &c, code, S("brief"));
    SET(&reading_classes, &c, name, S("brief"));
    SET(&reading_classes, &c, raw_days, 30);
    SET(&reading_classes, &c, windows, (struct lines){w, 2});
    TRY(row_create(ctx, &reading_classes, &c));
    class_id = c.row.id;
    m[0] = (struct model_metric){.has = 1 | 1 << 3 | 3 << 6,
                                 .metric = S("energy"),
                                 .unit = S("kW.h"),
                                 .kind = S("counter"),
                                 .class_id = class_id};
    m[1] = (struct model_metric){.has = 1 | 1 << 8, .metric = S("pulse"), .privacy = S("health")};
    SET(&device_models, &model, code, S("panel"));
    SET(&device_models, &model, name, S("panel"));
    SET(&device_models, &model, metrics, (struct lines){m, 2});
    TRY(row_create(ctx, &device_models, &model));
    model_id = model.row.id;
    return OK;
}

/* Energy is for ever what it is; the class is taken from it. */
static enum err change_model(struct ctx *ctx, struct estate *e) {
    (void)e;
    struct device_model model = {0};
    TRY(row_get(ctx, &device_models, model_id, &model));
    struct model_metric *m = model.metrics.rows;
    m[0].has &= ~(UINT64_C(1) << 7);
    return row_update(ctx, &device_models, model_id, model.row.version, &model,
                      UINT64_C(1) << field_index(&device_models, "metrics"), NULL);
}

static void labels_of(struct estate *e, struct labels *l) {
    *l = (struct labels){e->kernel, e->pool, &e->t->world, &e->log, feed_telemetry(e->feed)};
    CHECK(e->t, !labels_start(l, NULL, &e->t->fault));
}

static void deliver(struct estate *e) {
    (void)e;
    (void)things_changed(NULL, NULL); /* what the outbox does after a commit */
}

static void series_are_what_their_models_say(struct t *t) {
    struct estate e;
    struct labels l;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put(&e, "889", "energy");
    put(&e, "889", "pulse");
    put(&e, "889", "other");
    put(&e, "stranger", "energy");
    estate_do(&e, make_rows);
    labels_of(&e, &l);
    CHECK(t, !labels_step(&l));
    struct telemetry_series s = series(&e, "889", "energy");
    CHECK(t, s.is_labelled && s.keep == class_id && s.kind == TELEMETRY_COUNTER && str_is(s.unit, "kW.h") && !s.class);
    s = series(&e, "889", "pulse");
    CHECK(t, s.is_labelled && !s.keep && s.kind == TELEMETRY_GAUGE && s.class == HEALTH);
    s = series(&e, "889", "other");
    CHECK(t, s.is_labelled && !s.keep && !s.class);
    s = series(&e, "stranger", "energy");
    CHECK(t, s.is_labelled && !s.keep && s.kind == TELEMETRY_GAUGE);
    estate_do(&e, change_model);
    CHECK(t, !labels_step(&l) && series(&e, "889", "energy").keep == class_id);
    deliver(&e);
    CHECK(t, !labels_step(&l));
    s = series(&e, "889", "energy");
    CHECK(t, !s.keep && s.kind == TELEMETRY_COUNTER);
    estate_stop(&e, NULL, NULL);
}

static int64_t labelled(struct estate *e, const char *device) {
    return series(e, device, "level").is_labelled;
}

static void new_series_are_labelled_by_themselves(struct t *t) {
    struct estate e;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put(&e, "889", "level");
    for (int i = 0; i < 1000 && !labelled(&e, "889"); i++) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    CHECK(t, labelled(&e, "889"));
    estate_stop(&e, NULL, NULL);
}

static enum err archive_model(struct ctx *ctx, struct estate *e) {
    (void)e;
    return row_archive(ctx, &device_models, model_id, 0);
}

/* A model that is archived while devices are of it says what it said. */
static void what_an_archived_model_said_holds(struct t *t) {
    struct estate e;
    struct labels l;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put(&e, "889", "pulse");
    estate_do(&e, make_rows);
    estate_do(&e, archive_model);
    labels_of(&e, &l);
    deliver(&e);
    CHECK(t, !labels_step(&l) && series(&e, "889", "pulse").class == HEALTH);
    estate_stop(&e, NULL, NULL);
}

static enum err archive_device(struct ctx *ctx, struct estate *e) {
    struct device d = {0};
    bool found;
    TRY(device_by_code(ctx, e->id, S("889"), &d, &found));
    return row_archive(ctx, &devices, d.row.id, 0);
}

static enum err put_aside_again(struct ctx *ctx, struct estate *e) {
    int64_t id;
    return device_put_aside(ctx, e->id, S("889"), S("http"), NULL, &id);
}

/* Its code is free, and what was private under it stays so: for who speaks there next has no model yet. */
static void health_stays_private_when_its_device_is_archived(struct t *t) {
    struct estate e;
    struct labels l;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put(&e, "889", "pulse");
    estate_do(&e, make_rows);
    estate_do(&e, archive_device);
    labels_of(&e, &l);
    deliver(&e);
    CHECK(t, !labels_step(&l) && series(&e, "889", "pulse").class == HEALTH);
    estate_do(&e, put_aside_again);
    deliver(&e);
    CHECK(t, !labels_step(&l) && series(&e, "889", "pulse").class == HEALTH);
    CHECK(t, estate_count(&e, "SELECT COUNT(*) FROM devices WHERE code = '889' AND state = 'new'") == 1);
    estate_stop(&e, NULL, NULL);
}

static enum err make_level_private(struct ctx *ctx, struct estate *e) {
    (void)e;
    struct device_model model = {0};
    struct model_metric m = {.has = 1 | 1 << 8, .metric = S("level"), .privacy = S("health")};
    SET(&device_models, &model, code, S("panel"));
    SET(&device_models, &model, name, S("panel"));
    SET(&device_models, &model, metrics, (struct lines){&m, 1});
    return row_create(ctx, &device_models, &model);
}

static atomic_bool reloaded;
static void on_reloaded(void *arg) {
    (void)arg;
    atomic_store(&reloaded, true);
}
static void reload(void *arg) {
    struct estate *e = arg;
    CHECK(e->t, !feed_reload(e->feed, on_reloaded, NULL));
}

static void an_alarm_of_a_private_metric_tells_no_reading(struct t *t) {
    for (int private = 0; private < 2; private ++) {
        struct estate e;
        estate_start(&e, t);
        test_loop_start(&e.loop);
        if (private) estate_do(&e, make_level_private);
        atomic_store(&reloaded, false);
        test_on_loop(e.loop.loop, reload, &e);
        for (int i = 0; i < 1000 && !atomic_load(&reloaded); i++) (void)poll(NULL, 0, 10);
        put_value(&e, "889", "level", 50);
        CHECK(t, estate_comes_to(&e, "SELECT COUNT(*) FROM alarms", 1));
        CHECK(t, estate_count(&e, "SELECT COUNT(*) FROM alarms WHERE value <> ''") == !private);
        estate_stop(&e, NULL, NULL);
    }
}

/* ---- a device whose code changes ---- */

static enum err recode_quietly(struct ctx *ctx, struct estate *e) {
    struct device d = {0}, patch = {0};
    bool found;
    TRY(device_by_code(ctx, e->id, S("889"), &d, &found));
    SET(&devices, &patch, code, S("990"));
    return row_act(ctx, &devices, d.row.id, 0, "recode", &patch, patch.row.has, NULL);
}

static enum err tell_recoded(struct ctx *ctx, struct estate *e) {
    struct device d = {0};
    bool found;
    TRY(device_by_code(ctx, e->id, S("990"), &d, &found));
    return things_device_changed(ctx, &(struct event){.row_id = d.row.id});
}

static enum err recode(struct ctx *ctx, struct estate *e) {
    TRY(recode_quietly(ctx, e));
    return tell_recoded(ctx, e);
}

static size_t points_of(struct estate *e, const char *device, const char *metric) {
    struct telemetry_series s = series(e, device, metric);
    struct telemetry_points p = {0};
    CHECK(e->t,
          !telemetry_range(feed_telemetry(e->feed), s.number, 0, INT64_MAX, 1000, &e->t->arena, &p, &e->t->fault));
    return p.n;
}

static bool is_there(struct estate *e, const char *device) {
    struct telemetry_series *got;
    struct str code = str_of(device);
    size_t n = 0;
    CHECK(e->t, !telemetry_latest(feed_telemetry(e->feed), e->id, &code, 1, (struct str){NULL, 0}, &e->t->arena, &got,
                                  &n, &e->t->fault));
    return n > 0;
}

/* Readings under the new code before anybody knew it, too; said twice it is done once. */
static void readings_follow_a_device_to_its_new_code(struct t *t) {
    struct estate e;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put(&e, "889", "level");
    world_sim_advance(&t->sim, 1000);
    put(&e, "990", "level"); /* the new meter spoke already */
    put(&e, "990", "flow");
    world_sim_advance(&t->sim, 1000);
    uint32_t number = series(&e, "889", "level").number;
    CHECK(t, estate_comes_to(&e, "SELECT COUNT(*) FROM devices WHERE code = '990' AND state = 'new'", 1));
    estate_do(&e, recode);
    CHECK(t, estate_count(&e, "SELECT COUNT(*) FROM devices WHERE code = '990' AND archived_ms = 0") == 1);
    CHECK(t, estate_comes_to(
                 &e, "SELECT COUNT(*) FROM devices WHERE code = '990' AND archived_ms = 0 AND former_code IS NULL", 1));
    CHECK(t, !is_there(&e, "889") && series(&e, "990", "level").number == number);
    CHECK(t, points_of(&e, "990", "level") == 2 && points_of(&e, "990", "flow") == 1);
    put(&e, "990", "level");
    CHECK(t, points_of(&e, "990", "level") == 3);
    CHECK(t, !telemetry_device_follow(feed_telemetry(e.feed), e.id, S("889"), S("990"), &t->fault));
    CHECK(t, points_of(&e, "990", "level") == 3);
    put(&e, "889", "level"); /* the old one sends on: a stranger, when the change is said once more */
    CHECK(t, !telemetry_device_follow(feed_telemetry(e.feed), e.id, S("889"), S("990"), &t->fault));
    CHECK(t, series(&e, "990", "level").number == number && points_of(&e, "990", "level") == 3);
    estate_stop(&e, NULL, NULL);
}

/* A reading under the old code, while the rules know the new one already, makes the series a stranger's; renamed, it is
 * judged again. */
static void a_recoded_device_is_watched_on(struct t *t) {
    struct estate e;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put_value(&e, "889", "level", 1);
    estate_do(&e, recode_quietly);
    atomic_store(&reloaded, false);
    test_on_loop(e.loop.loop, reload, &e);
    for (int i = 0; i < 1000 && !atomic_load(&reloaded); i++) (void)poll(NULL, 0, 10);
    world_sim_advance(&t->sim, 1000);
    put_value(&e, "889", "level", 1);
    estate_do(&e, tell_recoded);
    CHECK(t, estate_comes_to(
                 &e, "SELECT COUNT(*) FROM devices WHERE code = '990' AND archived_ms = 0 AND former_code IS NULL", 1));
    world_sim_advance(&t->sim, 1000);
    put_value(&e, "990", "level", 50);
    CHECK(t, estate_comes_to(&e, "SELECT COUNT(*) FROM alarms", 1));
    estate_stop(&e, NULL, NULL);
}

TESTS(CASE(a_recoded_device_is_watched_on), CASE(readings_follow_a_device_to_its_new_code),
      CASE(what_an_archived_model_said_holds), CASE(health_stays_private_when_its_device_is_archived),
      CASE(an_alarm_of_a_private_metric_tells_no_reading), CASE(series_are_what_their_models_say),
      CASE(new_series_are_labelled_by_themselves))
