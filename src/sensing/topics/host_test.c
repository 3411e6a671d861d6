/* A host's nodes: told apart, asked to be born again now and then, at most so many; what one scope does to another.
 * SPDX-License-Identifier: Apache-2.0 */
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
    const char *lost; /* NULL: nothing was */
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
    struct buf b;
    struct host_lost lost;
    struct wire_error e = {NULL, 0};
    arena_reset(&s.t->arena);
    buf_init_arena(&b, &s.t->arena, 1024);
    buf_init_arena(&lost.rebirth, &s.t->arena, 1024);
    sparkplug_put(&p, &b);
    bool ok = sparkplug_host_hear(s.h, scope, str_of(topic), (struct bytes){(const uint8_t *)b.ptr, b.len}, s.now_ms,
                                  &s.t->arena, &s.d, &lost, &e);
    CHECK_SAY(s.t, ok || e.rule, "%s", topic);
    s.rebirth = (struct str){lost.rebirth.ptr, lost.rebirth.len};
    s.lost = lost.rule;
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

/* Every node of its is born, from the first on. */
static void fill(int64_t scope, int nodes) {
    char topic[64];
    for (int i = 0; i < nodes; i++) {
        snprintf(topic, sizeof topic, "spBv1.0/e/NBIRTH/n-%d", i);
        CHECK_SAY(s.t, hear(scope, topic, 0, "level", i), "%d of %lld", i, (long long)scope);
    }
}

/* Its data have the name that its birth gave; else they are lost, and it is said. */
static bool is_known(int64_t scope, const char *node, int seq) {
    char topic[64], device[64];
    snprintf(topic, sizeof topic, "spBv1.0/e/NDATA/%s", node);
    snprintf(device, sizeof device, "e:%s", node);
    CHECK(s.t, hear(scope, topic, seq, NULL, 9));
    CHECK_SAY(s.t, (s.d.readings_n == 1) == !s.lost, "%s: %s", node, s.lost ? s.lost : "nothing is said");
    return says(device, "level", 9);
}

static void who_lost_something_is_asked_to_be_born_again_now_and_then(struct t *t) {
    start(t);
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 5, NULL, 1) && !s.d.readings_n);
    CHECK(t, str_starts(s.rebirth, S("spBv1.0/e/NCMD/gw\n")));
    s.now_ms += SPARKPLUG_REBIRTH_MS - 1;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 6, NULL, 1) && !s.rebirth.len);
    s.now_ms++;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 7, NULL, 1) && s.rebirth.len);
    CHECK(t, hear(1, "spBv1.0/e/NBIRTH/gw", 0, "level", 1) && !s.rebirth.len);
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 2, NULL, 1) && s.rebirth.len); /* it was born since */
    s.now_ms -= SPARKPLUG_REBIRTH_MS;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 3, NULL, 1) && s.rebirth.len); /* a clock that was put back */
    sparkplug_host_destroy(s.h);
}

static void rebirths_are_so_many_of_each_scope(struct t *t) {
    char topic[64];
    start(t);
    for (int scope = 1; scope <= 2; scope++)
        for (int i = 0; i < 2 * HOST_REBIRTHS_MAX; i++) {
            snprintf(topic, sizeof topic, "spBv1.0/e/NDATA/gw-%d", i);
            CHECK_SAY(t, hear(scope, topic, 0, NULL, 1) && (s.rebirth.len > 0) == (i < HOST_REBIRTHS_MAX), "%d of %d",
                      i, scope);
        }
    s.now_ms += HOST_REBIRTHS_MS - 1;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw-40", 0, NULL, 1) && !s.rebirth.len);
    s.now_ms++;
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw-40", 0, NULL, 1) && s.rebirth.len); /* nobody had asked it */
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw-3", 0, NULL, 1) && !s.rebirth.len);
    sparkplug_host_destroy(s.h);
}

static void a_node_that_could_not_be_asked_is_asked_with_its_next_word(struct t *t) {
    start(t);
    fill(1, HOST_REBIRTHS_MAX + 1);
    for (int i = 0; i <= HOST_REBIRTHS_MAX; i++) {
        char node[16];
        snprintf(node, sizeof node, "n-%d", i);
        CHECK(t, !is_known(1, node, 5) && (s.rebirth.len > 0) == (i < HOST_REBIRTHS_MAX));
    }
    s.now_ms += HOST_REBIRTHS_MS;
    CHECK(t, !is_known(1, "n-0", 6) && !s.rebirth.len);
    CHECK(t, !is_known(1, "n-32", 6) && s.rebirth.len);
    sparkplug_host_destroy(s.h);
}

static void values_that_nobody_can_name_are_said_to_be_lost(struct t *t) {
    static const char before[] = "alias: nobody knows it before its edge node is born again";
    start(t);
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 5, NULL, 1) && s.lost && !strcmp(s.lost, before));
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 6, "level", 1) && !s.lost && says("e:gw", "level", 1));
    CHECK(t, hear(1, "spBv1.0/e/NDEATH/gw", 0, NULL, 1) && !s.lost && s.d.events_n == 1);
    CHECK(t, hear(1, "spBv1.0/e/NBIRTH/gw", 0, "level", 1) && !s.lost);
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 1, NULL, 1) && !s.lost);
    CHECK(t, hear(1, "spBv1.0/e/NDATA/gw", 3, NULL, 1) && s.lost && !strcmp(s.lost, before)); /* out of turn */
    CHECK(t, hear(1, "spBv1.0/STATE/linli", 3, NULL, 1) && !s.lost);
    sparkplug_host_destroy(s.h);
}

static void a_scope_that_is_full_makes_room_by_its_oldest_node(struct t *t) {
    start(t);
    CHECK(t, hear(2, "spBv1.0/e/NBIRTH/gw", 0, "level", 1));
    fill(1, HOST_SCOPE_NODES);
    CHECK(t, is_known(1, "n-0", 1) && is_known(2, "gw", 1));
    CHECK(t, !is_known(1, "new", 1) && s.rebirth.len); /* its data alone take nobody's place */
    CHECK(t, is_known(1, "n-1", 1) && is_known(1, "n-2", 1));
    CHECK(t, hear(1, "spBv1.0/e/NBIRTH/new", 0, "level", 1) && is_known(1, "new", 1));
    CHECK(t, !is_known(1, "n-3", 1) && s.rebirth.len); /* heard longest ago */
    CHECK(t, is_known(1, "n-0", 2) && is_known(1, "n-1", 2) && is_known(1, "n-4", 1) && is_known(2, "gw", 2));
    CHECK(t, hear(1, "spBv1.0/e/NDEATH/n-4", 0, NULL, 1));
    CHECK(t, hear(1, "spBv1.0/e/NBIRTH/n-3", 0, "level", 1) && is_known(1, "n-3", 1));
    CHECK(t, is_known(1, "n-5", 1) && !is_known(1, "n-4", 2)); /* the dead first */
    sparkplug_host_destroy(s.h);
}

static void who_has_most_makes_room_where_all_places_are_taken(struct t *t) {
    const int crowds = HOST_NODES_MAX / HOST_SCOPE_NODES;
    start(t);
    for (int scope = 1; scope < crowds; scope++) fill(scope, HOST_SCOPE_NODES);
    fill(crowds, HOST_SCOPE_NODES - 1);
    CHECK(t, hear(77, "spBv1.0/e/NBIRTH/gw", 0, "level", 1));
    CHECK(t, hear(78, "spBv1.0/e/NBIRTH/gw", 0, "level", 1));
    CHECK(t, is_known(77, "gw", 1) && is_known(78, "gw", 1) && is_known(crowds, "n-0", 1));
    CHECK(t, !is_known(1, "n-0", 1) && is_known(1, "n-1", 1));
    fill(1, 2 * HOST_SCOPE_NODES); /* it has a place less than the others, and takes it; then its own */
    CHECK(t, is_known(77, "gw", 2) && is_known(78, "gw", 2) && is_known(crowds, "n-1", 1));
    sparkplug_host_destroy(s.h);
}

static void the_scope_unheard_longest_is_forgotten(struct t *t) {
    start(t);
    for (int scope = 1; scope <= HOST_SCOPES_MAX; scope++) fill(scope, 1);
    CHECK(t, is_known(1, "n-0", 1));
    fill(HOST_SCOPES_MAX + 1, 1);
    CHECK(t, is_known(HOST_SCOPES_MAX + 1, "n-0", 1) && is_known(1, "n-0", 2) && is_known(3, "n-0", 1));
    CHECK(t, !is_known(2, "n-0", 1) && s.rebirth.len);
    sparkplug_host_destroy(s.h);
}

TESTS(CASE(nodes_are_told_apart_by_scope_and_name), CASE(who_lost_something_is_asked_to_be_born_again_now_and_then),
      CASE(rebirths_are_so_many_of_each_scope), CASE(a_node_that_could_not_be_asked_is_asked_with_its_next_word),
      CASE(values_that_nobody_can_name_are_said_to_be_lost), CASE(a_scope_that_is_full_makes_room_by_its_oldest_node),
      CASE(who_has_most_makes_room_where_all_places_are_taken), CASE(the_scope_unheard_longest_is_forgotten))
