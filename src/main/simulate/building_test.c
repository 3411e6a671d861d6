/* The building that is played: what drifts, what stands, who is told of a storm.  SPDX-License-Identifier: Apache-2.0
 */
#include "main/simulate/building_internal.h"
#include "main/simulate/simulate.h"
#include "tests/lib/test.h"

#define AI_1 BACNET_ID(0, 1)
#define AO_1 BACNET_ID(1, 1)

struct site {
    struct building building;
    struct building_device devices[2];
    size_t sent;
};

static void count(void *arg, const struct udp_peer *to, struct bytes datagram) {
    struct site *s = arg;
    (void)to;
    s->sent += datagram.len > 0;
}

static void start(struct site *s) {
    *s =
        (struct site){.building = {.first = 2001, .n = 2, .random = 3, .devices = s->devices, .send = count, .arg = s}};
    building_init(&s->building);
}

static double reads(struct t *t, const struct site *s, size_t device, int64_t object) {
    struct bacnet_point p = bacnet_no_point;
    struct bacnet_value v = {0};
    struct buf out;
    p.object = object;
    p.property = BACNET_PRESENT_VALUE;
    buf_init_arena(&out, &t->arena, 100);
    CHECK(t, building_read(&s->building, device, &p, &out));
    struct bytes values = {(const uint8_t *)out.ptr, out.len};
    CHECK(t, bacnet_next_value(&values, &v) && v.type == BACNET_REAL);
    return v.number;
}

static bool is_near(double a, double b) {
    return a - b < 0.01 && b - a < 0.01;
}

static void what_is_measured_drifts_and_what_is_set_stands(struct t *t) {
    struct site s;
    start(&s);
    double right = reads(t, &s, 0, AI_1), set = reads(t, &s, 0, AO_1);
    for (int i = 0; i < 100; i++) building_drift(&s.building);
    CHECK(t, is_near(reads(t, &s, 0, AI_1), right * 1.1) && is_near(reads(t, &s, 1, AI_1), right * 0.9));
    for (int i = 0; i < 1000; i++) building_drift(&s.building);
    CHECK(t, is_near(reads(t, &s, 0, AI_1), right * 1.2) && reads(t, &s, 0, AO_1) == set);
}

/* Whoever watches hears of a value that drifted as of one that moved, and of nothing while it stands. */
static void who_watches_is_told_of_drift(struct t *t) {
    struct site s;
    start(&s);
    s.building.subs[0] =
        (struct building_sub){.object = AI_1, .until_ms = 1000000, .told = building_told(&s.building, 0, AI_1)};
    building_tell(&s.building, 0);
    CHECK(t, s.sent == 0);
    for (int i = 0; i < 10; i++) building_drift(&s.building);
    building_tell(&s.building, 0);
    building_tell(&s.building, 0);
    CHECK(t, s.sent == 1);
    for (int i = 0; i < 2 * SIM_STORM_TIMES; i++) building_change(&s.building, 0);
    CHECK_SAY(t, s.sent > 1, "%zu", s.sent);
}

TESTS(CASE(what_is_measured_drifts_and_what_is_set_stands), CASE(who_watches_is_told_of_drift))
