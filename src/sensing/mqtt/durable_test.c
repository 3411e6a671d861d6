/* What PUBACK promises: readings, events and states are in the store, whatever the store goes through.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/site_test_internal.h"

#include <math.h>
#include <netinet/tcp.h>

#define READINGS "linli/e1/pump/telemetry"
#define EVENT    "linli/e1/pump/event"
#define MANY     1024 /* the receive maximum */

static struct telemetry_stats stats(struct site *s) {
    struct telemetry_stats ret;
    telemetry_stats(feed_telemetry(s->feed), &ret);
    return ret;
}

static void a_reading_is_answered_only_when_it_is_synced(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    gate_set(true);
    peer_publish(&p, READINGS, 1, "{\"x\":1}");
    CHECK(t, peer_is_quiet(&p) && isnan(site_latest(&s, "pump", "x")));
    peer_publish(&p, READINGS, 2, "{\"x\":2}");
    CHECK(t, peer_is_quiet(&p));
    peer_publish(&p, READINGS, 3, "{"); /* needs no store, but comes behind them */
    CHECK(t, peer_is_quiet(&p));
    gate_set(false);
    for (int i = 1; i <= 3; i++) CHECK(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i);
    CHECK(t, site_latest(&s, "pump", "x") == 2);
    peer_shut(&p);
    site_stop(&s);
}

static bool disk_has_failed(struct site *s) {
    return stats(s).disk_errors > 0;
}
static bool disk_has_failed_again(struct site *s) {
    return stats(s).disk_errors > 1;
}
static bool has_answer(const struct peer *p) {
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    return p->n > p->used || poll(&fd, 1, 0) == 1;
}

static void a_full_disk_loses_nothing_and_answers_nothing(struct t *t) {
    struct site s;
    struct peer p[2];
    site_start(&s, t);
    for (int i = 0; i < 2; i++) {
        CHECK(t, peer_connect(&p[i], &s, i ? MQTT_V5 : MQTT_V311, connect_of(&s.pump, i ? "a" : "b")) == 0);
        CHECK(t, peer_tell(&p[i], READINGS, 1, "{\"before\":1}") == 0);
    }
    io_sim_fail_syncs(s.disk, INT64_MAX); /* the log has room already: that it cannot be kept shows at its sync */
    for (int i = 0; i < 2; i++)
        for (int j = 2; j < 300; j++)
            peer_publish(&p[i], READINGS, j, j == 3 ? "{\"x\":" : i ? "{\"x\":2}" : "{\"y\":2}");
    CHECK(t, site_until(&s, disk_has_failed));
    test_on_loop(s.tl.loop, site_nothing, NULL);
    CHECK(t, !has_answer(&p[0]) && !has_answer(&p[1]));
    world_sim_advance(&t->sim, 1000); /* it is tried again, and fails again */
    CHECK(t, site_until(&s, disk_has_failed_again));
    test_on_loop(s.tl.loop, site_nothing, NULL);
    CHECK(t, !has_answer(&p[0]) && !has_answer(&p[1]) && isnan(site_latest(&s, "pump", "x")));
    io_sim_fail_syncs(s.disk, 0);
    world_sim_advance(&t->sim, 1000);
    for (int i = 0; i < 2; i++)
        for (int j = 2; j < 300 && !t->failed; j++) {
            CHECK_SAY(t, peer_next(&p[i]) == MQTT_PUBACK && p[i].got.id == j, "%d", j);
            CHECK(t, p[i].got.reason == (i && j == 3 ? MQTT_BAD_PAYLOAD : 0));
            world_sim_advance(&t->sim, 1000); /* whatever has to be tried again */
        }
    CHECK_SAY(t, site_latest(&s, "pump", "x") == 2 && site_latest(&s, "pump", "y") == 2, "%g %g",
              site_latest(&s, "pump", "x"), site_latest(&s, "pump", "y"));
    peer_shut(&p[0]), peer_shut(&p[1]);
    site_stop(&s);
}

static void more_than_the_receive_maximum_is_an_end_in_5_0_and_waits_in_3_1_1(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    gate_set(true);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    for (int i = 1; i <= MANY; i++) peer_publish(&p, READINGS, i, "{\"x\":1}");
    CHECK(t, peer_is_quiet(&p));
    peer_publish(&p, READINGS, MANY + 1, "{\"x\":1}");
    CHECK(t, peer_next(&p) == MQTT_DISCONNECT && p.got.reason == MQTT_RECEIVE_MAX);
    peer_shut(&p);
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    for (int i = 1; i <= 2 * MANY; i++) peer_publish(&p, READINGS, i, "{\"y\":1}");
    test_on_loop(s.tl.loop, site_nothing, NULL);
    gate_set(false);
    for (int i = 1; i <= 2 * MANY && !t->failed; i++) CHECK(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i);
    peer_shut(&p);
    site_stop(&s);
}

static void a_power_cut_after_the_answer_loses_nothing(struct t *t) {
    for (int round = 0; round < 6; round++) {
        struct site s;
        struct peer p;
        char text[40];
        int answered = 0;
        site_start(&s, t);
        CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
        io_sim_cut_after(s.disk, 3 + (int64_t)(test_random(t) % 40));
        for (int i = 1; i <= 60; i++) {
            snprintf(text, sizeof text, "{\"m%d\":%d}", i, i);
            peer_publish(&p, READINGS, i, text);
            if (i % 7 && i < 50) continue;
            while (answered < i && !disk_has_failed(&s))
                if (!has_answer(&p))
                    (void)poll(NULL, 0, 1);
                else
                    answered += peer_next(&p) == MQTT_PUBACK;
        }
        test_on_loop(s.tl.loop, site_nothing, NULL);
        while (has_answer(&p)) answered += peer_next(&p) == MQTT_PUBACK;
        CHECK(t, disk_has_failed(&s) && answered < 60);
        site_close_feed(&s);
        peer_shut(&p);
        io_sim_cut_after(s.disk, -1);
        io_sim_restart(s.disk, test_random(t));
        site_open_feed(&s);
        for (int i = 1; i <= answered; i++) {
            snprintf(text, sizeof text, "m%d", i);
            CHECK_SAY(t, site_latest(&s, "pump", text) == i, "%s of %d answered", text, answered);
        }
        site_stop(&s);
    }
}

/* ---- events ---- */

#define ALARMS "SELECT COUNT(*) FROM alarms WHERE state = 'active'"

static void an_event_is_answered_when_its_alarm_is_a_row(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_tell(&p, EVENT, 1, "{\"event\":\"leak\",\"data\":{\n\"level\":\"高\"}}") == 0);
    CHECK(t, site_count(&s, ALARMS) == 1);
    CHECK(t, site_count(&s, "SELECT COUNT(*) FROM alarms WHERE detail = '{ \"level\":\"高\"}'") == 1);
    CHECK(t, peer_tell(&p, EVENT, 2, "{\"event\":\"leak\"}") == 0 && site_count(&s, ALARMS) == 1);
    CHECK(t, peer_tell(&p, EVENT, 3, "{\"event\":\"leak\",\"part\":\"2\"}") == 0 && site_count(&s, ALARMS) == 2);
    CHECK(t, peer_tell(&p, EVENT, 4, "{\"event\":\"other\"}") == 0 && site_count(&s, ALARMS) == 2);
    CHECK(t, peer_tell(&p, EVENT, 5, "{\"event\":\"leak\",\"active\":false}") == 0 && site_count(&s, ALARMS) == 1);
    char text[700] = "{\"event\":\"leak\",\"part\":\"3\",\"data\":\"";
    for (size_t i = strlen(text); i < 600; i += 3) memcpy(text + i, "水", 3);
    snprintf(text + strlen(text), 8, "\"}");
    CHECK(t, peer_tell(&p, EVENT, 6, text) == 0 && site_count(&s, ALARMS) == 2); /* cut, not lost */
    peer_shut(&p);
    site_stop(&s);
}

static void many_events_wait_for_one_another_and_none_is_lost(struct t *t) {
    struct site s;
    struct peer p;
    char text[80];
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    for (int i = 1; i <= 400; i++) {
        snprintf(text, sizeof text, "{\"event\":\"leak\",\"part\":\"%d\"}", i % 40);
        peer_publish(&p, EVENT, i, text);
    }
    for (int i = 1; i <= 400 && !t->failed; i++) CHECK(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i);
    CHECK(t, site_count(&s, ALARMS) == 40);
    peer_shut(&p);
    site_stop(&s);
}

static void a_device_not_adopted_is_stored_and_raises_nothing(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.fresh, "c")) == 0);
    CHECK(t, peer_tell(&p, "linli/e1/fresh/telemetry", 1, "{\"x\":4}") == 0 && site_latest(&s, "fresh", "x") == 4);
    CHECK(t, peer_tell(&p, "linli/e1/fresh/event", 2, "{\"event\":\"leak\"}") == 0 && site_count(&s, ALARMS) == 0);
    CHECK(t, site_count(&s, "SELECT COUNT(*) FROM devices WHERE code = 'fresh' AND state = 'new'") == 1);
    peer_shut(&p);
    site_stop(&s);
}

/* Nothing delivers events in this test, as if another process had added it a moment ago. */
static void a_device_added_a_moment_ago_has_its_rules(struct t *t) {
    struct site s;
    struct peer p;
    struct device_keys keys;
    site_start(&s, t);
    site_do(&s, device_make, &(struct device_wish){&s, "late", true, &keys});
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&keys, "c")) == 0);
    CHECK(t, peer_tell(&p, "linli/e1/late/event", 1, "{\"event\":\"leak\"}") == 0 && site_count(&s, ALARMS) == 1);
    peer_shut(&p);
    site_stop(&s);
}

/* ---- limits of the store ---- */

static void metrics_past_the_limit_are_refused_and_the_others_kept(struct t *t) {
    struct site s;
    struct peer p;
    struct buf b;
    struct str text;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    for (int i = 0; i < 10; i++) {
        buf_init_arena(&b, &t->arena, 8192);
        for (int j = 0; j < 100; j++) buf_fmt(&b, "%c\"m%d\":%d", j ? ',' : '{', i * 100 + j, j);
        buf_char(&b, '}');
        CHECK(t, buf_done(&b, &text) && peer_tell(&p, READINGS, 1, text.ptr) == 0);
    }
    gate_set(true); /* the three come as one batch */
    peer_publish(&p, READINGS, 1, "{\"m1\":7}");
    peer_publish(&p, READINGS, 2, "{\"m2\":7,\"one too many\":7}");
    peer_publish(&p, READINGS, 3, "{\"m3\":7}");
    gate_set(false);
    for (int i = 1; i <= 3; i++)
        CHECK(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i && p.got.reason == (i == 2 ? MQTT_QUOTA : 0));
    CHECK(t, site_latest(&s, "pump", "m1") == 7 && site_latest(&s, "pump", "m2") == 2 &&
                 site_latest(&s, "pump", "m3") == 7);
    for (int i = 1; i <= 1000; i++) peer_publish(&p, READINGS, i, "{\"one too many\":7}");
    while (peer_next(&p) == MQTT_PUBACK) CHECK(t, p.got.reason == MQTT_QUOTA);
    peer_shut(&p);
    site_stop(&s);
}

/* ---- what comes in one round of the loop ---- */

struct said {
    struct peer *peer;
    const char *topic, *payload;
    int id;
};
static void say_all(void *arg) { /* on the loop, which hears none of it before all is said */
    for (const struct said *s = arg; s->peer; s++) {
        setsockopt(s->peer->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        peer_publish(s->peer, s->topic, s->id, s->payload);
    }
}

static void readings_of_one_round_are_one_batch_of_the_store(struct t *t) {
    struct site s;
    struct peer pump, lamp;
    site_start(&s, t);
    CHECK(t, peer_connect(&pump, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_connect(&lamp, &s, MQTT_V5, connect_of(&s.lamp, "c")) == 0);
    const struct said all[] = {{&pump, READINGS, "{\"x\":1,\"\\u0079\":2}", 1},
                               {&lamp, "linli/e1/lamp/telemetry", "{\"\\u0078\":3}", 1},
                               {&pump, READINGS, "{\"x\":", 2},
                               {&lamp, "linli/e1/lamp/telemetry", "{\"x\":4}", 2},
                               {&pump, READINGS, "{\"x\":5}", 3},
                               {NULL, NULL, NULL, 0}};
    int64_t before = stats(&s).batches;
    test_on_loop(s.tl.loop, say_all, (void *)(uintptr_t)all);
    for (int i = 1; i <= 3; i++) CHECK(t, peer_next(&pump) == MQTT_PUBACK && pump.got.id == i);
    for (int i = 1; i <= 2; i++) CHECK(t, peer_next(&lamp) == MQTT_PUBACK && lamp.got.id == i);
    CHECK_SAY(t, stats(&s).batches == before + 1, "%lld", (long long)(stats(&s).batches - before));
    CHECK(t,
          site_latest(&s, "pump", "x") == 5 && site_latest(&s, "pump", "y") == 2 && site_latest(&s, "lamp", "x") == 4);
    peer_shut(&pump), peer_shut(&lamp);
    site_stop(&s);
}

static void of_many_at_once_all_are_counted_and_the_last_are_shown(struct t *t) {
    struct site s;
    struct peer pump;
    struct said all[FIGURES_GOOD_MAX + 4] = {{NULL, NULL, NULL, 0}};
    char texts[COUNT(all)][16];
    int n = (int)COUNT(all) - 1;
    site_start(&s, t);
    CHECK(t, peer_connect(&pump, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    for (int i = 0; i < n; i++) {
        snprintf(texts[i], sizeof texts[i], "{\"x\":%d}", i);
        all[i] = (struct said){&pump, READINGS, i == 1 ? "{" : texts[i], i + 1};
    }
    test_on_loop(s.tl.loop, say_all, all);
    for (int i = 1; i <= n; i++) CHECK(t, peer_next(&pump) == MQTT_PUBACK && pump.got.id == i);
    const struct figures *line = line_of(&s);
    CHECK(t, line->frames == n - 1 && line->bad == 1);
    for (uint32_t i = 1; i <= FIGURES_GOOD_MAX; i++) {
        size_t at = (line->good_n - i) % FIGURES_GOOD_MAX;
        const char *text = texts[n - (int)i];
        CHECK_SAY(t, !memcmp(line->good_bytes[at], text, strlen(text)), "%s", text);
        CHECK(t, line->good_samples[at].len == strlen(text) && !strcmp(line->good_samples[at].about, READINGS));
    }
    peer_shut(&pump);
    site_stop(&s);
}

static enum err other_estate(struct ctx *ctx, void *arg) {
    struct place p = {0};
    SET(&places, &p, name, S("other"));
    SET(&places, &p, code, S("e2"));
    SET(&places, &p, kind, S("estate"));
    SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    ((struct site *)arg)->estate = p.row.id;
    return OK;
}

static void a_round_of_two_communities_goes_to_each(struct t *t) {
    struct site s, there;
    struct peer pump, far, lamp;
    struct device_keys keys;
    site_start(&s, t);
    there = s;
    site_do(&s, other_estate, &there);
    site_do(&s, device_make, &(struct device_wish){&there, "pump", true, &keys});
    CHECK(t, peer_connect(&pump, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_connect(&far, &s, MQTT_V311, connect_of(&keys, "c")) == 0);
    CHECK(t, peer_connect(&lamp, &s, MQTT_V311, connect_of(&s.lamp, "c")) == 0);
    const struct said all[] = {{&pump, READINGS, "{\"x\":1}", 1},
                               {&far, "linli/e2/pump/telemetry", "{\"x\":2}", 1},
                               {&lamp, "linli/e1/lamp/telemetry", "{\"x\":3}", 1},
                               {&far, "linli/e2/pump/telemetry", "{\"x\":4}", 2},
                               {NULL, NULL, NULL, 0}};
    int64_t before = stats(&s).batches;
    test_on_loop(s.tl.loop, say_all, (void *)(uintptr_t)all);
    CHECK(t, peer_next(&pump) == MQTT_PUBACK && peer_next(&lamp) == MQTT_PUBACK);
    for (int i = 1; i <= 2; i++) CHECK(t, peer_next(&far) == MQTT_PUBACK && far.got.id == i);
    CHECK(t, stats(&s).batches == before + 2);
    CHECK(t, site_latest(&s, "pump", "x") == 1 && site_latest(&there, "pump", "x") == 4 &&
                 site_latest(&s, "lamp", "x") == 3);
    peer_shut(&pump), peer_shut(&far), peer_shut(&lamp);
    site_stop(&s);
}

/* Who says what the store refuses is answered so, and costs the others their company once. */
static void a_refusal_in_a_round_is_its_own(struct t *t) {
    struct site s;
    struct peer pump, lamp;
    struct buf b;
    struct str text;
    site_start(&s, t);
    CHECK(t, peer_connect(&pump, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_connect(&lamp, &s, MQTT_V5, connect_of(&s.lamp, "c")) == 0);
    for (int i = 0; i < 10; i++) {
        buf_init_arena(&b, &t->arena, 8192);
        for (int j = 0; j < 100; j++) buf_fmt(&b, "%c\"m%d\":%d", j ? ',' : '{', i * 100 + j, j);
        buf_char(&b, '}');
        CHECK(t, buf_done(&b, &text) && peer_tell(&pump, READINGS, 1, text.ptr) == 0);
    }
    for (int round = 0; round < 2; round++) {
        const struct said all[] = {{&lamp, "linli/e1/lamp/telemetry", round ? "{\"x\":2}" : "{\"x\":1}", 1},
                                   {&pump, READINGS, "{\"m1\":7}", 1},
                                   {&pump, READINGS, "{\"one too many\":7}", 2},
                                   {NULL, NULL, NULL, 0}};
        test_on_loop(s.tl.loop, say_all, (void *)(uintptr_t)all);
        CHECK(t, peer_next(&lamp) == MQTT_PUBACK && lamp.got.reason == 0);
        CHECK(t, peer_next(&pump) == MQTT_PUBACK && pump.got.id == 1 && pump.got.reason == 0);
        CHECK(t, peer_next(&pump) == MQTT_PUBACK && pump.got.id == 2 && pump.got.reason == MQTT_QUOTA);
        CHECK(t, site_latest(&s, "lamp", "x") == round + 1 && site_latest(&s, "pump", "m1") == 7);
    }
    peer_shut(&pump), peer_shut(&lamp);
    site_stop(&s);
}

static bool pump_is_offline(struct site *s) {
    return site_count(s, "SELECT COUNT(*) FROM devices WHERE code = 'pump' AND state = 'offline'") == 1;
}

/* The write lock is somebody else's for as long as the work runs. */
static enum err while_locked(struct ctx *ctx, void *arg) {
    struct peer *p = arg;
    (void)ctx;
    peer_publish(p, "linli/e1/pump/state", 1, "offline");
    CHECK(p->t, peer_is_quiet(p));
    return OK;
}
static enum err lock(struct ctx *ctx, void *arg) {
    return ctx_write(ctx, while_locked, arg);
}

static void a_state_is_answered_when_its_row_says_so(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    site_do(&s, lock, &p);
    CHECK(t, peer_next(&p) == MQTT_PUBACK && pump_is_offline(&s));
    peer_shut(&p);
    site_stop(&s);
}

TESTS(CASE(a_reading_is_answered_only_when_it_is_synced), CASE(a_full_disk_loses_nothing_and_answers_nothing),
      CASE(more_than_the_receive_maximum_is_an_end_in_5_0_and_waits_in_3_1_1),
      CASE(a_power_cut_after_the_answer_loses_nothing), CASE(an_event_is_answered_when_its_alarm_is_a_row),
      CASE(many_events_wait_for_one_another_and_none_is_lost), CASE(a_device_not_adopted_is_stored_and_raises_nothing),
      CASE(a_device_added_a_moment_ago_has_its_rules), CASE(metrics_past_the_limit_are_refused_and_the_others_kept),
      CASE(readings_of_one_round_are_one_batch_of_the_store),
      CASE(of_many_at_once_all_are_counted_and_the_last_are_shown), CASE(a_round_of_two_communities_goes_to_each),
      CASE(a_refusal_in_a_round_is_its_own), CASE(a_state_is_answered_when_its_row_says_so))
