/* A host's nodes: told apart, asked to be born again now and then, at most so many.  SPDX-License-Identifier:
 * Apache-2.0
 */
#include "sensing/topics/host.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1795221000000)

static struct {
    struct t *t;
    struct sparkplug_host *h;
    struct decoded d;
    struct str rebirth;
    int64_t now_ms;
} s;

static void start(struct t *t) {
    memset(&s, 0, sizeof s);
    s.t = t;
    s.h = sparkplug_host_create();
    s.now_ms = NOW;
    CHECK(t, s.h != NULL);
}

/* A frame with one number; name NULL: under its alias 7 alone. */
static bool hear(int64_t scope, const char *topic, int seq, const char *name, int value) {
    struct sparkplug_metric m = {.has = 1u << METRIC_ALIAS | 1u << METRIC_INT | (name ? 1u << METRIC_NAME : 0) |
                                        1u << METRIC_TYPE,
                                 .name = str_of(name),
                                 .alias = 7,
                                 .type = SPARKPLUG_INT32,
                                 .value = METRIC_INT,
                                 .integer = (uint64_t)value};
    struct sparkplug_payload p = {.has = 1u << SPARKPLUG_TIMESTAMP | 1u << SPARKPLUG_SEQ,
                                  .timestamp = 1000,
                                  .seq = (uint64_t)seq,
                                  .metrics = &m,
                                  .metrics_n = 1};
    struct buf b, rebirth;
    struct wire_error e = {NULL, 0};
    arena_reset(&s.t->arena);
    buf_init_arena(&b, &s.t->arena, 1024);
    buf_init_arena(&rebirth, &s.t->arena, 1024);
    sparkplug_put(&p, &b);
    bool ok = sparkplug_host_hear(s.h, scope, str_of(topic), (struct bytes){(const uint8_t *)b.ptr, b.len}, s.now_ms,
                                  &s.t->arena, &s.d, &rebirth, &e);
    CHECK_SAY(s.t, ok || e.rule, "%s", topic);
    s.rebirth = (struct str){rebirth.ptr, rebirth.len};
    return ok;
}

static bool says(const char *device, const char *metric, double value) {
    return s.d.readings_n == 1 && str_is(s.d.readings[0].device, device) && str_is(s.d.readings[0].metric, metric) &&
           s.d.readings[0].value == value;
}

static void nodes_are_told_apart_by_scope_and_name(struct t *t) {
    start(t);
    CHECK(t, hear(1, "spBv1.0/e/NBIRTH/gw", 0, "level", 3) && says("e:gw", "level", 3) && !s.rebirth.len);
    CHECK(t, hear(2, "spBv1.0/e/NBIRTH/gw", 0, "power", 4) && says("e:gw", "power", 4));
    CHECK(t, hear(1, "spBv1.0/e/NBIRTH/gw2", 0, "flow", 5) && says("e:gw2", "flow", 5));
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 1, NULL, 6) && says("e:gw", "level", 6));
    CHECK(t, hear(2, "spBv1.0/e/NDATA/gw", 1, NULL, 7) && says("e:gw", "power", 7));
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw2", 1, NULL, 8) && says("e:gw2", "flow", 8) && !s.rebirth.len);
    CHECK(t, !hear(1, "spBv1.0/e", 1, NULL, 8));
    sparkplug_host_destroy(s.h);
}

static void who_lost_something_is_asked_to_be_born_again_now_and_then(struct t *t) {
    char topic[64];
    start(t);
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 5, NULL, 1) && !s.d.readings_n);
    CHECK(t, str_starts(s.rebirth, S("spBv1.0/e/NCMD/gw\n")));
    s.now_ms += SPARKPLUG_REBIRTH_MS - 1;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 6, NULL, 1) && !s.rebirth.len);
    s.now_ms++;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 7, NULL, 1) && s.rebirth.len);
    for (int i = 1; i < HOST_NODES_MAX; i++) {
        snprintf(topic, sizeof topic, "spBv1.0/e/NDATA/gw-%d", i);
        CHECK_SAY(t, hear(1, topic, 0, NULL, 1) && (s.rebirth.len > 0) == (i < HOST_REBIRTHS_MAX), "%d", i);
    }
    s.now_ms += HOST_REBIRTHS_MS;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/one-too-many", 0, "level", 1) && !s.rebirth.len); /* by itself */
    CHECK(t, says("e:one-too-many", "level", 1));
    CHECK(t, hear(1, "spBv1.0/e/NBIRTH/gw", 0, "level", 1)); /* its place is kept, the others' is not */
    s.now_ms += HOST_STALE_MS - HOST_REBIRTHS_MS + 1;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 1, NULL, 2) && says("e:gw", "level", 2));
    CHECK(t, hear(1, "spBv1.0/e/NDATA/one-too-many", 0, "level", 1) && s.rebirth.len);
    sparkplug_host_destroy(s.h);
}

TESTS(CASE(nodes_are_told_apart_by_scope_and_name), CASE(who_lost_something_is_asked_to_be_born_again_now_and_then))
