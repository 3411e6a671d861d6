/* Where readings meet rules and strangers: devices nobody knows are put aside, old readings raise nothing, a barrier
 * waits for what stood before it and for nothing else.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/feed.h"

#include "sensing/estate_test_internal.h"

#define HOUR_MS INT64_C(3600000)

static void put(struct estate *e, const char *device, int64_t age_ms, double value) {
    struct telemetry_point p = {.device = str_of(device),
                                .metric = S("level"),
                                .value = value,
                                .at_ms = e->t->world.utc_ms(e->t->world.self) - age_ms};
    CHECK(e->t,
          !telemetry_put_wait(feed_telemetry(e->feed), &(struct telemetry_batch){e->id, &p, 1}, NULL, &e->t->fault));
}

static const char strangers[] = "SELECT COUNT(*) FROM devices WHERE state = 'new'";

static enum err a_line_of_http(struct ctx *ctx, struct estate *e) {
    return line_row_put(ctx, e->id, S("web"), "http", 0);
}

static void a_device_of_old_readings_is_put_aside_too(struct t *t) {
    struct estate e;
    estate_start(&e, t);
    estate_do(&e, a_line_of_http);
    test_loop_start(&e.loop);
    put(&e, "now", 0, 1);
    CHECK(t, estate_comes_to(&e, strangers, 1));
    put(&e, "yesterday", 24 * HOUR_MS, 1);
    CHECK(t, estate_comes_to(&e, strangers, 2));
    put(&e, "889", 24 * HOUR_MS, 1); /* adopted */
    put(&e, "last", 24 * HOUR_MS, 1);
    CHECK(t, estate_comes_to(&e, strangers, 3));
    CHECK(t, estate_count(&e, "SELECT COUNT(*) FROM devices WHERE line_id = (SELECT id FROM lines)") == 3);
    estate_stop(&e, NULL, NULL);
}

/* By readings of any way, by events, by frames that say nothing else; not by what others say of a device. */
static void who_is_heard_has_a_row_that_says_when(struct t *t) {
    static const char heard[] = "SELECT COUNT(*) FROM devices WHERE last_ms > updated_ms + 100000 AND code = '889'";
    struct estate e;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    int64_t version = estate_count(&e, "SELECT version FROM devices WHERE code = '889'");
    int64_t events = estate_count(&e, "SELECT COUNT(*) FROM events WHERE topic LIKE 'devices.%'");
    world_sim_advance(&t->sim, 200000);
    CHECK(t, estate_count(&e, heard) == 0);
    put(&e, "889", 24 * HOUR_MS, 1); /* it is heard now, whatever it speaks of */
    CHECK(t, estate_comes_to(&e, heard, 1));
    CHECK(t, estate_count(&e, "SELECT version FROM devices WHERE code = '889'") == version);
    CHECK(t, estate_count(&e, "SELECT COUNT(*) FROM events WHERE topic LIKE 'devices.%'") == events);
    estate_stop(&e, NULL, NULL);
}

struct hearing {
    struct estate *e;
    struct rules_event event;
    const char *frame; /* of a device that says nothing else; NULL: the event */
};

static void hear_it(void *arg) {
    struct hearing *h = arg;
    if (h->frame)
        feed_heard(h->e->feed, h->e->id, str_of(h->frame), "one");
    else
        CHECK(h->e->t, !feed_events(h->e->feed, h->e->id, &h->event, 1));
}

static void what_others_say_of_a_device_is_no_word_of_its_own(struct t *t) {
    static const struct {
        struct rules_event event;
        const char *frame;
        int64_t is_heard;
    } all[] = {{{.device = {"889", 3}, .code = {"offline", 7}, .is_set = true}, NULL, 0},
               {{.device = {"889", 3}, .code = {"fault", 5}, .is_set = true, .is_kept = true}, NULL, 0},
               {{.device = {"889", 3}, .code = {"fault", 5}, .is_set = true}, NULL, 1},
               {{.code = {NULL, 0}}, "889", 1}};
    struct estate e;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    for (size_t i = 0; i < COUNT(all); i++) {
        char sql[100];
        struct hearing h = {&e, all[i].event, all[i].frame};
        world_sim_advance(&t->sim, 100000);
        int64_t now_ms = t->world.utc_ms(t->world.self);
        h.event.at_ms = now_ms;
        test_on_loop(e.loop.loop, hear_it, &h);
        put(&e, "beacon", 0, 1); /* of the same round */
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM devices WHERE code = 'beacon' AND last_ms >= %lld",
                 (long long)now_ms - 1000);
        CHECK(t, estate_comes_to(&e, sql, 1));
        world_sim_advance(&t->sim, 100000);
        put(&e, "beacon", 0, 1);
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM devices WHERE code = 'beacon' AND last_ms > %lld",
                 (long long)now_ms + 50000);
        CHECK(t, estate_comes_to(&e, sql, 1)); /* the round after is over */
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM devices WHERE code = '889' AND last_ms >= %lld",
                 (long long)now_ms - 1000);
        CHECK_SAY(t, estate_count(&e, sql) == all[i].is_heard, "%zu", i);
    }
    estate_stop(&e, NULL, NULL);
}

static void old_readings_raise_nothing(struct t *t) {
    struct estate e;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put(&e, "889", 24 * HOUR_MS, 50);
    put(&e, "stranger", 24 * HOUR_MS, 50); /* its row tells that the old reading was looked at */
    CHECK(t, estate_comes_to(&e, strangers, 1));
    CHECK(t, estate_count(&e, "SELECT COUNT(*) FROM alarms") == 0);
    put(&e, "889", 0, 50);
    CHECK(t, estate_comes_to(&e, "SELECT COUNT(*) FROM alarms", 1));
    estate_stop(&e, NULL, NULL);
}

/* ---- step by step: a feed without a loop, over a connection of its own ---- */

struct steps {
    struct estate e;
    struct db_pool *pool;
    struct world world;
    struct feed *feed;
    int flood, fires; /* batches of strangers, of fires, still to come, one each time somebody looks at the clock */
    int told, fires_when_told;
    int64_t aside_when_told;
};

static void hear(struct steps *s, int from, int n) {
    char code[32];
    for (int i = from; i < from + n; i++) {
        snprintf(code, sizeof code, "stranger-%d", i);
        feed_heard(s->feed, s->e.id, str_of(code), "line");
    }
}

#define FIRES 70 /* more than one run applies */
static enum err report_fires(struct steps *s, const char *device, size_t n) {
    struct rules_event events[FIRES];
    for (size_t i = 0; i < n; i++)
        events[i] = (struct rules_event){.device = str_of(device),
                                         .code = S("fire_alarm"),
                                         .at_ms = s->e.t->world.utc_ms(s->e.t->world.self),
                                         .is_set = true};
    return feed_events(s->feed, s->e.id, events, n);
}

static int64_t flooding_clock(void *arg) {
    struct steps *s = arg;
    if (s->flood && s->feed) hear(s, 1000 * s->flood--, 32);
    if (s->fires && s->feed) {
        s->fires--;
        CHECK(s->e.t, !report_fires(s, "889", FIRES));
    }
    return s->e.t->world.utc_ms(s->e.t->world.self);
}
static int64_t steps_mono(void *arg) {
    const struct world *w = &((struct steps *)arg)->e.t->world;
    return w->mono_us(w->self);
}
static int64_t steps_id(void *arg) {
    const struct world *w = &((struct steps *)arg)->e.t->world;
    return w->new_id(w->self);
}
static void steps_random(void *arg, void *ret_bytes, size_t n) {
    const struct world *w = &((struct steps *)arg)->e.t->world;
    w->random(w->self, ret_bytes, n);
}

/* busy_ms: how long it waits for who else writes, the copying of SQLite's log included; 0: as the program does. */
static void steps_start(struct steps *s, struct t *t, int busy_ms) {
    *s = (struct steps){0};
    estate_start(&s->e, t);
    test_loop_start(&s->e.loop);
    s->world = (struct world){flooding_clock, steps_mono, steps_random, steps_id, s};
    CHECK(t, !db_pool_open(&(struct db_options){.url = s->e.url, .busy_ms = busy_ms}, 1, &s->pool, &t->fault));
    CHECK(t, !feed_open(&(struct feed_options){.kernel = s->e.kernel,
                                               .pool = s->pool,
                                               .world = &s->world,
                                               .io = &s->e.io,
                                               .log = &s->e.log,
                                               .dir = "/steps"},
                        &s->feed, &t->fault));
}

static void steps_stop(struct steps *s) {
    s->flood = s->fires = 0;
    feed_close(s->feed);
    db_pool_close(s->pool);
    estate_stop(&s->e, NULL, NULL);
}

static void on_told(void *arg) {
    struct steps *s = arg;
    s->told++;
    s->fires_when_told = s->fires;
    s->aside_when_told = estate_count(&s->e, strangers);
}

static void a_flood_of_strangers_holds_up_no_confirmation(struct t *t) {
    struct steps s;
    steps_start(&s, t, 0);
    hear(&s, 0, 100);
    CHECK(t, !report_fires(&s, "889", 1) && !feed_barrier(s.feed, on_told, &s));
    s.flood = 60; /* faster than they are put aside: at no moment does nobody wait */
    CHECK(t, !feed_step(s.feed) && s.told == 1);
    CHECK_SAY(t, s.flood == 0, "%d batches did not come", s.flood);
    CHECK_SAY(t, s.aside_when_told >= 100 && s.aside_when_told < 200, "%lld", (long long)s.aside_when_told);
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    steps_stop(&s);
}

static void nor_does_a_flood_of_fires(struct t *t) {
    struct steps s;
    steps_start(&s, t, 0);
    CHECK(t, !report_fires(&s, "889", 1) && !feed_barrier(s.feed, on_told, &s));
    s.fires = 6;
    CHECK(t, !feed_step(s.feed) && s.told == 1 && s.fires == 0);
    CHECK_SAY(t, s.fires_when_told > 0, "%d", s.fires_when_told);
    CHECK(t, estate_count(&s.e, "SELECT repeats FROM alarms") == 6 * FIRES);
    steps_stop(&s);
}

static void each_barrier_waits_for_the_strangers_before_it_and_many_may_wait(struct t *t) {
    struct steps s;
    steps_start(&s, t, 0);
    CHECK(t, !feed_barrier(s.feed, on_told, &s));
    hear(&s, 0, 40);
    CHECK(t, !feed_barrier(s.feed, on_told, &s));
    CHECK(t, !report_fires(&s, "panel-2", 1) && !feed_barrier(s.feed, on_told, &s));
    CHECK(t, !feed_step(s.feed) && s.told == 3 && s.aside_when_told == 41);
    int n = 0;
    while (n < 5000 && !feed_barrier(s.feed, on_told, &s)) n++;
    CHECK_SAY(t, n == FEED_BARRIERS_MAX, "%d", n);
    CHECK(t, !feed_step(s.feed) && s.told == 3 + n);
    steps_stop(&s);
}

/* While another program writes. */
static enum err step_meanwhile(void *arg) {
    struct steps *s = arg;
    CHECK(s->e.t, feed_step(s->feed) == ERR_BUSY && s->told == 0);
    hear(s, 200, 100); /* more than there is room for, with those who wait on */
    CHECK(s->e.t, feed_step(s->feed) == ERR_BUSY && s->told == 0);
    return OK;
}

/* Again while the store's own housekeeping holds it up for longer than busy_ms. */
static bool step_through(struct steps *s) {
    enum err e = ERR_BUSY;
    for (int i = 0; i < 1000 && e == ERR_BUSY; i++) e = feed_step(s->feed);
    return !e;
}

static void strangers_and_who_waits_for_them_outlast_a_store_that_is_away(struct t *t) {
    struct steps s;
    struct db *db;
    steps_start(&s, t, 1);
    hear(&s, 0, 200);
    CHECK(t, !feed_barrier(s.feed, on_told, &s));
    CHECK(t, !db_pool_take(s.e.pool, &db, &t->fault));
    CHECK(t, !db_tx(db, &t->fault, DB_WRITE, &(struct db_unit){.fn = step_meanwhile, .arg = &s}));
    db_pool_give(s.e.pool, db);
    CHECK(t, estate_count(&s.e, strangers) == 0);
    CHECK(t, step_through(&s) && s.told == 1);
    CHECK_SAY(t, s.aside_when_told >= 200, "%lld", (long long)s.aside_when_told); /* none of those it waited for */
    CHECK_SAY(t, estate_count(&s.e, strangers) == 256, "%lld", (long long)estate_count(&s.e, strangers));
    hear(&s, 200, 100);
    CHECK(t, step_through(&s) && estate_count(&s.e, strangers) == 300); /* the others came again */
    steps_stop(&s);
}

static enum err erase_strangers(struct ctx *ctx, struct estate *e) {
    (void)e;
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM devices WHERE state = 'new'", NO_VALS, NULL);
}

static void one_put_aside_lately_is_not_asked_about_again(struct t *t) {
    struct steps s;
    steps_start(&s, t, 0);
    hear(&s, 0, 3);
    CHECK(t, !feed_step(s.feed) && estate_count(&s.e, strangers) == 3);
    estate_do(&s.e, erase_strangers);
    for (int i = 0; i < 5; i++) {
        hear(&s, 0, 3);
        CHECK(t, !feed_step(s.feed));
    }
    CHECK(t, estate_count(&s.e, strangers) == 0); /* nobody looked */
    world_sim_advance(&t->sim, 61 * 1000);
    hear(&s, 0, 3);
    CHECK(t, !feed_step(s.feed) && estate_count(&s.e, strangers) == 3);
    steps_stop(&s);
}

static enum err hide_metrics(struct ctx *ctx, struct estate *e) {
    (void)e;
    return db_exec(ctx->db, &ctx->fault, "ALTER TABLE device_models_metrics RENAME TO away", NO_VALS, NULL);
}

static enum err show_metrics(struct ctx *ctx, struct estate *e) {
    (void)e;
    return db_exec(ctx->db, &ctx->fault, "ALTER TABLE away RENAME TO device_models_metrics", NO_VALS, NULL);
}

static bool is_ready(struct steps *s, const char *want) {
    char mem[256];
    struct buf why;
    struct api_with with = feed_with(s->feed);
    buf_init(&why, mem, sizeof mem);
    bool ready = with.is_ready(with.arg, &why);
    CHECK_SAY(s->e.t, strstr(mem, want), "%s, not: %s", want, mem);
    return ready;
}

/* The rules that were there tell of a fire, and are said to be the old ones until new ones can be read. */
static void rules_that_cannot_be_read_anew_leave_the_old_ones_at_work(struct t *t) {
    struct steps s;
    steps_start(&s, t, 0);
    CHECK(t, is_ready(&s, ""));
    estate_do(&s.e, hide_metrics);
    CHECK(t, !feed_reload(s.feed, on_told, &s));
    CHECK(t, !report_fires(&s, "889", 1) && !feed_barrier(s.feed, on_told, &s));
    CHECK(t, !feed_step(s.feed) && s.told == 2 && estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    CHECK(t, !is_ready(&s, "rules cannot be read anew"));
    CHECK(t, !feed_step(s.feed) && !is_ready(&s, "rules cannot be read anew"));
    estate_do(&s.e, show_metrics);
    CHECK(t, !feed_step(s.feed) && is_ready(&s, ""));
    steps_stop(&s);
}

TESTS(CASE(rules_that_cannot_be_read_anew_leave_the_old_ones_at_work), CASE(a_device_of_old_readings_is_put_aside_too),
      CASE(who_is_heard_has_a_row_that_says_when), CASE(what_others_say_of_a_device_is_no_word_of_its_own),
      CASE(old_readings_raise_nothing), CASE(a_flood_of_strangers_holds_up_no_confirmation),
      CASE(nor_does_a_flood_of_fires), CASE(each_barrier_waits_for_the_strangers_before_it_and_many_may_wait),
      CASE(strangers_and_who_waits_for_them_outlast_a_store_that_is_away),
      CASE(one_put_aside_lately_is_not_asked_about_again))
