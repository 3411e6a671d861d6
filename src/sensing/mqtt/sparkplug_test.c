/* Edge nodes of several gateways: one that fills its places takes none of another's, values that nobody can name are
 * told to who said them and shown on the line.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/sparkplug/sparkplug.h"
#include "sensing/mqtt/site_test_internal.h"
#include "sensing/topics/host.h"

static const enum mqtt_level levels[] = {MQTT_V311, MQTT_V5};

struct change {
    int64_t device_id;
    const char *speaks;
};
static enum err set_speaks(struct ctx *ctx, void *arg) {
    const struct change *c = arg;
    struct device d = {0};
    SET(&devices, &d, speaks, str_of(c->speaks));
    return row_update(ctx, &devices, c->device_id, 0, &d, d.row.has, NULL);
}

static void start(struct site *s, struct t *t) {
    site_start(s, t);
    site_do(s, set_speaks, &(struct change){s->pump.id, "sparkplug"});
    site_do(s, set_speaks, &(struct change){s->lamp.id, "sparkplug"});
}

static struct sparkplug_metric metric(const char *name, int alias, int value) {
    return (struct sparkplug_metric){.has = 1u << METRIC_INT | 1u << METRIC_TYPE | (name ? 1u << METRIC_NAME : 0) |
                                            (alias ? 1u << METRIC_ALIAS : 0),
                                     .name = str_of(name),
                                     .alias = (uint64_t)alias,
                                     .type = SPARKPLUG_INT32,
                                     .value = METRIC_INT,
                                     .integer = (uint64_t)value};
}

/* PUBACK's reason. */
static int tell(struct peer *p, const char *topic, int seq, struct sparkplug_metric *all, size_t n) {
    static uint16_t id;
    struct sparkplug_payload payload = {.has = 1u << SPARKPLUG_TIMESTAMP | 1u << SPARKPLUG_SEQ,
                                        .timestamp = (uint64_t)p->t->world.utc_ms(p->t->world.self),
                                        .seq = (uint64_t)seq,
                                        .metrics = all,
                                        .metrics_n = n};
    struct buf b;
    buf_init_arena(&b, &p->t->arena, 1024);
    sparkplug_put(&payload, &b);
    peer_put(p, (struct mqtt_packet){.type = MQTT_PUBLISH,
                                     .qos = 1,
                                     .id = ++id,
                                     .topic = str_of(topic),
                                     .payload = {(const uint8_t *)b.ptr, b.len}});
    return peer_next(p) == MQTT_PUBACK && p->got.id == id ? p->got.reason : -1;
}
static int tell_one(struct peer *p, const char *topic, int seq, const char *name, int value) {
    struct sparkplug_metric m = metric(name, 7, value);
    return tell(p, topic, seq, &m, 1);
}

static void values_that_nobody_can_name_are_bad(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        int lost = levels[i] == MQTT_V5 ? MQTT_NOT_TAKEN : 0; /* 3.1.1 has no other word */
        const struct figures *line = line_of(&s);
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        int64_t bad = line->bad, good = line->frames;
        CHECK(t, tell_one(&p, "spBv1.0/e/NDATA/gw", 5, NULL, 1) == lost);
        CHECK(t, line->bad == bad + 1 && line->frames == good && figures(&s).bad == line->bad);
        CHECK(t, !strcmp(last_bad(&s)->rule, "alias: nobody knows it before its edge node is born again"));
        CHECK(t, !strcmp(last_bad(&s)->about, "pump spBv1.0/e/NDATA/gw") &&
                     !strcmp(last_bad(&s)->device, "pump:e:gw") && last_bad(&s)->len > 0);
        /* What has a name is stored beside one that has none. */
        struct sparkplug_metric both[] = {metric(NULL, 7, 1), metric("flow", 0, 40 + (int)i)};
        CHECK(t, tell(&p, "spBv1.0/e/NDATA/gw", 6, both, COUNT(both)) == lost && line->bad == bad + 2);
        CHECK(t, site_latest(&s, "pump:e:gw", "flow") == 40 + (double)i);
        CHECK(t, tell_one(&p, "spBv1.0/e/NBIRTH/gw", 0, "level", 1) == 0);
        CHECK(t, tell_one(&p, "spBv1.0/e/NDATA/gw", 1, NULL, 7 + (int)i) == 0 && line->bad == bad + 2);
        CHECK(t, site_latest(&s, "pump:e:gw", "level") == 7 + (double)i);
        CHECK(t, tell_one(&p, "spBv1.0/e/NDATA/gw", 3, NULL, 1) == lost && line->bad == bad + 3); /* out of turn */
        peer_shut(&p);
    }
    site_stop(&s);
}

static void a_gateway_with_too_many_nodes_harms_no_other(struct t *t) {
    struct site s;
    struct peer many, one;
    char topic[64];
    start(&s, t);
    CHECK(t, peer_connect(&many, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_connect(&one, &s, MQTT_V5, connect_of(&s.lamp, "c")) == 0);
    CHECK(t, tell_one(&one, "spBv1.0/e/NBIRTH/old", 0, "level", 1) == 0);
    for (int i = 0; i <= HOST_SCOPE_NODES; i++) {
        snprintf(topic, sizeof topic, "spBv1.0/e/NBIRTH/gw-%d", i);
        CHECK_SAY(t, tell_one(&many, topic, 0, "level", i) == 0, "%d", i);
    }
    CHECK(t, tell_one(&one, "spBv1.0/e/NBIRTH/new", 0, "level", 1) == 0);
    CHECK(t, tell_one(&one, "spBv1.0/e/NDATA/new", 1, NULL, 2) == 0 && site_latest(&s, "lamp:e:new", "level") == 2);
    CHECK(t, tell_one(&one, "spBv1.0/e/NDATA/old", 1, NULL, 3) == 0 && site_latest(&s, "lamp:e:old", "level") == 3);
    CHECK(t, line_of(&s)->bad == 0);
    CHECK(t, tell_one(&many, "spBv1.0/e/NDATA/gw-0", 1, NULL, 1) == MQTT_NOT_TAKEN); /* its oldest */
    CHECK(t, tell_one(&many, "spBv1.0/e/NDATA/gw-128", 1, NULL, 5) == 0);
    CHECK(t, site_latest(&s, "pump:e:gw-128", "level") == 5 && line_of(&s)->bad == 1);
    peer_shut(&many);
    peer_shut(&one);
    site_stop(&s);
}

TESTS(CASE(values_that_nobody_can_name_are_bad), CASE(a_gateway_with_too_many_nodes_harms_no_other))
