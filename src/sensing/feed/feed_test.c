/* Where readings meet rules and strangers: devices nobody knows are put aside, old readings raise nothing.
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

static void a_device_of_old_readings_is_put_aside_too(struct t *t) {
    struct estate e;
    estate_start(&e, t);
    test_loop_start(&e.loop);
    put(&e, "now", 0, 1);
    CHECK(t, estate_comes_to(&e, strangers, 1));
    put(&e, "yesterday", 24 * HOUR_MS, 1);
    CHECK(t, estate_comes_to(&e, strangers, 2));
    put(&e, "889", 24 * HOUR_MS, 1); /* adopted */
    put(&e, "last", 24 * HOUR_MS, 1);
    CHECK(t, estate_comes_to(&e, strangers, 3));
    CHECK(t, estate_count(&e, "SELECT COUNT(*) FROM devices WHERE line = 'http'") == 3);
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

TESTS(CASE(a_device_of_old_readings_is_put_aside_too), CASE(old_readings_raise_nothing))
