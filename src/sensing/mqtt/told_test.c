/* What devices behind gateways are told: under which topic, when, and which publish ends it.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/utf8.h"
#include "kernel/outbox.h"
#include "sensing/lines/line.h"
#include "sensing/mqtt/mqtt_internal.h"
#include "sensing/mqtt/site_test_internal.h"

#include <stdatomic.h>

static struct {
    struct site *site;
    struct line_order order;
    bool is_out;
    const char *why;
    atomic_int ends, done;
    int64_t id;
    char answer[64];
} told;

static void on_told(void *arg, int64_t command_id, bool is_done, struct str answer) {
    (void)arg;
    told.id = command_id;
    utf8_copy(told.answer, sizeof told.answer, answer);
    atomic_store(&told.done, is_done);
    atomic_fetch_add(&told.ends, 1);
}

static void give(void *arg) {
    (void)arg;
    told.is_out = mqtt_tell(told.site->mqtt, told.site->estate, &told.order, &told.why);
}

static void try_again(void *arg) {
    struct site *s = arg;
    s->mqtt->tell_us = 0;
    mqtt_tick(s->mqtt);
}

static void listen_to_ends(void *arg) {
    struct site *s = arg;
    s->mqtt->o.told = on_told;
}

struct wish {
    int64_t device_id;
    const char *speaks;
};
static enum err set_speaks(struct ctx *ctx, void *arg) {
    const struct wish *w = arg;
    struct device d = {0};
    SET(&devices, &d, speaks, str_of(w->speaks));
    return row_update(ctx, &devices, w->device_id, 0, &d, d.row.has, NULL);
}

/* "pump" speaks so. */
static void start(struct site *s, struct t *t, const char *words) {
    site_start(s, t);
    site_do(s, set_speaks, &(struct wish){s->pump.id, words});
    test_on_loop(s->tl.loop, listen_to_ends, s);
    memset(&told, 0, sizeof told);
    told.site = s;
    told.order = (struct line_order){.command_id = 77, .until_ms = t->world.utc_ms(t->world.self) + INT64_C(600000)};
}

static void order(struct site *s, const char *device, const char *item, const char *value) {
    told.order.device = told.order.address = str_of(device);
    told.order.item = str_of(item);
    told.order.value = str_of(value);
    test_on_loop(s->tl.loop, give, NULL);
}

static void subscribe(struct peer *p, const char *filter, enum mqtt_type type) {
    char mem[200];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    mqtt_filter_put(&b, type, &(struct mqtt_filter){.filter = str_of(filter), .qos = 1});
    peer_put(p, (struct mqtt_packet){.type = type, .id = 9, .list = {(const uint8_t *)b.ptr, b.len}});
    CHECK(told.site->t, peer_next(p) == (type == MQTT_SUBSCRIBE ? MQTT_SUBACK : MQTT_UNSUBACK));
}

static bool hears(struct peer *p, const char *topic, const char *payload) {
    return peer_next(p) == MQTT_PUBLISH && str_is(p->got.topic, topic) && p->got.payload.len == strlen(payload) &&
           !memcmp(p->got.payload.ptr, payload, strlen(payload));
}

#define CONFIG \
    "{\"name\":\"relay\",\"cmd_t\":\"estate/x/set\",\"stat_t\":\"estate/x\",\"device\":{\"identifiers\":[\"box\"]}}"

/* What it said makes known how it is told; what it says then ends that. */
static void a_device_is_told_in_its_own_convention_and_its_state_ends_it(struct t *t) {
    static const struct {
        const char *speaks, *filter, *said[2] /* topic, payload */, *device, *item, *value, *topic, *payload, *other[2],
            *state[2], *answer;
        bool done;
    } rows[] = {
        {"zigbee2mqtt esphome",
         "zigbee2mqtt/#",
         {"zigbee2mqtt/tap", "{\"state\":\"OFF\"}"},
         "pump:tap",
         "state",
         "ON",
         "zigbee2mqtt/tap/set",
         "{\"state\":\"ON\"}",
         {"zigbee2mqtt/tap", "{\"state\":\"OFF\"}"},
         {"zigbee2mqtt/tap", "{\"state\":\"ON\",\"linkquality\":80}"},
         "",
         true},
        {"zigbee2mqtt=home/z2m",
         "home/z2m/#",
         {NULL, NULL},
         "pump:a%2Fb",
         "position",
         "40",
         "home/z2m/a/b/set",
         "{\"position\":40}",
         {"home/z2m/other", "{\"position\":40}"},
         {"home/z2m/a/b", "{\"position\":40}"},
         "",
         true},
        {"zigbee2mqtt tasmota",
         "cmnd/#",
         {"tele/plug-17/STATE", "{\"POWER\":\"OFF\"}"},
         "pump:plug-17",
         "Power",
         "ON",
         "cmnd/plug-17/Power",
         "ON",
         {"stat/plug-17/RESULT", "{\"POWER\":\"OFF\"}"},
         {"stat/plug-17/RESULT", "{\"POWER\":\"ON\"}"},
         "",
         true},
        {"tasmota",
         "cmnd/#",
         {NULL, NULL},
         "pump:plug-17",
         "Nonsense",
         "1",
         "cmnd/plug-17/Nonsense",
         "1",
         {"stat/plug-17/RESULT", "{\"POWER\":\"ON\"}"},
         {"stat/plug-17/RESULT", "{\"Command\":\"Unknown\"}"},
         "it does not know the command",
         false},
        {"esphome",
         "hall/switch/relay/command",
         {NULL, NULL},
         "pump:hall",
         "switch/relay",
         "ON",
         "hall/switch/relay/command",
         "ON",
         {"hall/switch/relay/state", "OFF"},
         {"hall/switch/relay/state", "ON"},
         "",
         true},
        {"zigbee2mqtt homeassistant",
         "estate/#",
         {"homeassistant/switch/x/config", CONFIG},
         "pump:box",
         "relay",
         "on",
         "estate/x/set",
         "ON",
         {"estate/x", "OFF"},
         {"estate/x", "ON"},
         "",
         true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        struct peer p;
        int id = 10;
        start(&s, t, rows[i].speaks);
        CHECK(t, peer_connect(&p, &s, i % 2 ? MQTT_V5 : MQTT_V311, connect_of(&s.pump, "c")) == 0);
        if (rows[i].said[0]) CHECK(t, peer_tell(&p, rows[i].said[0], id++, rows[i].said[1]) == 0);
        order(&s, rows[i].device, rows[i].item, rows[i].value);
        CHECK_SAY(t, told.is_out && peer_is_quiet(&p), "row %zu: nobody listens yet", i);
        subscribe(&p, rows[i].filter, MQTT_SUBSCRIBE);
        test_on_loop(s.tl.loop, try_again, &s);
        CHECK_SAY(t, hears(&p, rows[i].topic, rows[i].payload), "row %zu: " STR_FMT " %.*s", i, STR_ARG(p.got.topic),
                  (int)p.got.payload.len, (const char *)p.got.payload.ptr);
        test_on_loop(s.tl.loop, try_again, &s);
        CHECK_SAY(t, peer_is_quiet(&p), "row %zu: it is said once", i);
        CHECK(t, peer_tell(&p, rows[i].other[0], id++, rows[i].other[1]) == 0 && atomic_load(&told.ends) == 0);
        CHECK(t, peer_tell(&p, rows[i].state[0], id++, rows[i].state[1]) == 0);
        CHECK_SAY(t,
                  atomic_load(&told.ends) == 1 && told.id == 77 && atomic_load(&told.done) == rows[i].done &&
                      !strcmp(told.answer, rows[i].answer),
                  "row %zu: %s", i, told.answer);
        peer_shut(&p);
        site_stop(&s);
    }
}

static void who_is_away_is_told_once_it_is_back(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt tasmota");
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    subscribe(&p, "zigbee2mqtt/#", MQTT_SUBSCRIBE);
    CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 1, "{\"battery\":5}") == 0);
    CHECK(t, peer_tell(&p, "zigbee2mqtt/tap/availability", 2, "offline") == 0);
    order(&s, "pump:tap", "state", "ON");
    CHECK(t, told.is_out && peer_is_quiet(&p));
    CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 3, "{\"battery\":5}") == 0); /* as its bridge remembers it */
    test_on_loop(s.tl.loop, try_again, &s);
    CHECK(t, peer_is_quiet(&p));
    CHECK(t, peer_tell(&p, "zigbee2mqtt/tap/availability", 4, "{\"state\":\"online\"}") == 0);
    test_on_loop(s.tl.loop, try_again, &s);
    CHECK(t, hears(&p, "zigbee2mqtt/tap/set", "{\"state\":\"ON\"}"));
    peer_shut(&p);
    CHECK(t, site_until(&s, nobody_is_connected));
    order(&s, "pump:tap", "state", "OFF"); /* its gateway is away */
    CHECK(t, told.is_out);
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    subscribe(&p, "zigbee2mqtt/tap/set", MQTT_SUBSCRIBE);
    test_on_loop(s.tl.loop, try_again, &s);
    CHECK(t, hears(&p, "zigbee2mqtt/tap/set", "{\"state\":\"OFF\"}"));
    subscribe(&p, "zigbee2mqtt/tap/set", MQTT_UNSUBSCRIBE);
    order(&s, "pump:tap", "state", "ON");
    CHECK(t, told.is_out && peer_is_quiet(&p));
    world_sim_advance(&t->sim, 601000);
    test_on_loop(s.tl.loop, try_again, &s); /* their time is over: their rows expire by themselves */
    CHECK(t, peer_ends(&p, 0));             /* so is its keep-alive's */
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    subscribe(&p, "zigbee2mqtt/#", MQTT_SUBSCRIBE);
    test_on_loop(s.tl.loop, try_again, &s);
    CHECK(t, peer_is_quiet(&p) && atomic_load(&told.ends) == 0);
    peer_shut(&p);
    site_stop(&s);
}

static enum err retire(struct ctx *ctx, void *id) {
    return row_act(ctx, &devices, *(int64_t *)id, 0, "retire", NULL, 0, NULL);
}

static enum err deliver(struct ctx *ctx, void *arg) {
    size_t done = 1;
    (void)arg;
    for (int i = 0; done && i < 10; i++) TRY(events_deliver(ctx, 100, &done));
    return OK;
}

static bool is_forgotten(struct site *s) {
    return !feed_knows(s->feed, s->estate, S("pump:tap"));
}

/* What waits for a device that was taken out of use is not said once it is back. */
static void who_left_meanwhile_is_told_nothing(struct t *t) {
    struct site s;
    struct peer p;
    struct device_keys tap;
    start(&s, t, "zigbee2mqtt");
    site_close_feed(&s);
    site_do(&s, device_make, &(struct device_wish){&s, "pump:tap", true, &tap});
    site_open_feed(&s);
    test_on_loop(s.tl.loop, listen_to_ends, &s);
    order(&s, "pump:tap", "state", "ON"); /* its gateway is away */
    CHECK(t, told.is_out);
    test_on_loop(s.tl.loop, try_again, &s);
    CHECK(t, atomic_load(&told.ends) == 0);
    site_do(&s, retire, &tap.id);
    site_do(&s, deliver, NULL);
    CHECK(t, site_until(&s, is_forgotten));
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    subscribe(&p, "zigbee2mqtt/#", MQTT_SUBSCRIBE);
    test_on_loop(s.tl.loop, try_again, &s);
    CHECK_SAY(t, peer_is_quiet(&p) && atomic_load(&told.ends) == 1 && !atomic_load(&told.done), "%s", told.answer);
    CHECK_SAY(t, !strcmp(told.answer, LINE_NOT_IN_USE), "%s", told.answer);
    peer_shut(&p);
    site_stop(&s);
}

static void what_cannot_be_said_fails_at_once(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "tasmota homeassistant");
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    subscribe(&p, "cmnd/#", MQTT_SUBSCRIBE);
    CHECK(t, peer_tell(&p, "tele/plug/STATE", 1, "{\"POWER\":\"OFF\"}") == 0);
    order(&s, "pump:plug", "no item", "1");
    CHECK(t, !told.is_out && strstr(told.why, "cannot say"));
    CHECK(t, peer_tell(&p, "homeassistant/switch/x/config", 2, CONFIG) == 0);
    subscribe(&p, "estate/x/set", MQTT_SUBSCRIBE);
    order(&s, "pump:box", "relay", "toggle");
    CHECK(t, !told.is_out && strstr(told.why, "cannot say"));
    order(&s, "lamp", "state", "ON"); /* no gateway, and not connected */
    CHECK(t, !told.is_out && strstr(told.why, "not connected"));
    for (size_t i = 0; i < TELLER_ORDERS_MAX; i++) order(&s, "pump:unknown", "state", "ON");
    CHECK(t, told.is_out);
    order(&s, "pump:unknown", "state", "ON");
    CHECK(t, !told.is_out && strstr(told.why, "unanswered") && peer_is_quiet(&p));
    peer_shut(&p);
    site_stop(&s);
}

/* ---- Sparkplug: an edge node with us as its broker and host ---- */

/* A frame of one flag under a name and the alias 7; name NULL: the alias alone. */
static struct bytes flag(struct t *t, int seq, const char *name, bool on) {
    struct sparkplug_metric m = {.has = 1u << METRIC_ALIAS | 1u << METRIC_BOOLEAN | 1u << METRIC_TYPE |
                                        (name ? 1u << METRIC_NAME : 0),
                                 .name = str_of(name),
                                 .alias = 7,
                                 .type = SPARKPLUG_BOOLEAN,
                                 .value = METRIC_BOOLEAN,
                                 .integer = on};
    struct sparkplug_payload p = {.has = 1u << SPARKPLUG_TIMESTAMP | 1u << SPARKPLUG_SEQ,
                                  .timestamp = (uint64_t)t->world.utc_ms(t->world.self),
                                  .seq = (uint64_t)seq,
                                  .metrics = &m,
                                  .metrics_n = 1};
    struct buf b;
    buf_init_arena(&b, &t->arena, 1024);
    sparkplug_put(&p, &b);
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static int publish(struct peer *p, const char *topic, int id, struct bytes payload) {
    peer_put(p, (struct mqtt_packet){
                    .type = MQTT_PUBLISH, .qos = 1, .id = (uint16_t)id, .topic = str_of(topic), .payload = payload});
    return peer_next(p) == MQTT_PUBACK && p->got.id == id ? p->got.reason : -1;
}

static bool has_flag(struct t *t, const struct peer *p, const char *name, bool on) {
    struct sparkplug_payload said;
    struct wire_error e;
    return sparkplug_read(p->got.payload, 0, &t->arena, &said, &e) && said.metrics_n == 1 &&
           str_is(said.metrics[0].name, name) && said.metrics[0].value == METRIC_BOOLEAN &&
           (said.metrics[0].integer != 0) == on;
}

static bool gw1_is(struct site *s, const char *state) {
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM devices WHERE code = 'pump:plant:gw1' AND state = '%s'", state);
    for (int i = 0; i < PEER_WAIT_MS / 10 && site_count(s, sql) != 1; i++) (void)poll(NULL, 0, 10);
    return site_count(s, sql) == 1;
}

static void an_edge_node_has_us_as_its_host(struct t *t) {
    struct site s;
    struct peer p;
    char online[80];
    struct device_keys gw1;
    site_start(&s, t);
    site_close_feed(&s);
    site_do(&s, device_make, &(struct device_wish){&s, "pump:plant:gw1", true, &gw1});
    site_open_feed(&s);
    site_do(&s, set_speaks, &(struct wish){s.pump.id, "sparkplug=plant/gw1"});
    test_on_loop(s.tl.loop, listen_to_ends, &s);
    memset(&told, 0, sizeof told);
    told.site = &s;
    told.order = (struct line_order){.command_id = 77, .until_ms = t->world.utc_ms(t->world.self) + INT64_C(600000)};
    struct mqtt_packet c = connect_of(&s.pump, "c");
    c.has_will = true;
    c.will = (struct mqtt_will){.topic = S("spBv1.0/plant/NDEATH/gw1"), .payload = flag(t, 0, "x", false)};
    CHECK(t, peer_connect(&p, &s, MQTT_V311, c) == 0);
    snprintf(online, sizeof online, "{\"online\":true,\"timestamp\":%lld}", (long long)s.mqtt->since_ms);
    subscribe(&p, "spBv1.0/STATE/linli", MQTT_SUBSCRIBE);
    CHECK(t, hears(&p, "spBv1.0/STATE/linli", online) && p.got.retain);
    subscribe(&p, "spBv1.0/plant/NCMD/gw1/#", MQTT_SUBSCRIBE);
    /* It was born before we were here: its aliases mean nothing until it is again. */
    CHECK(t, publish(&p, "spBv1.0/plant/NDATA/gw1", 1, flag(t, 4, NULL, true)) == 0);
    CHECK(t, peer_next(&p) == MQTT_PUBLISH && str_is(p.got.topic, "spBv1.0/plant/NCMD/gw1") &&
                 has_flag(t, &p, "Node Control/Rebirth", true));
    CHECK(t, publish(&p, "spBv1.0/plant/NDATA/gw1", 2, flag(t, 5, NULL, true)) == 0 && peer_is_quiet(&p));
    CHECK(t, publish(&p, "spBv1.0/plant/NBIRTH/gw1", 3, flag(t, 0, "Pump/On", false)) == 0 && gw1_is(&s, "normal"));
    CHECK(t, site_latest(&s, "pump:plant:gw1", "Pump_On") == 0);
    order(&s, "pump:plant:gw1", "Pump/On", "true");
    CHECK(t, peer_next(&p) == MQTT_PUBLISH && str_is(p.got.topic, "spBv1.0/plant/NCMD/gw1") &&
                 has_flag(t, &p, "Pump/On", true));
    CHECK(t, publish(&p, "spBv1.0/plant/NDATA/gw1", 4, flag(t, 1, NULL, false)) == 0 && !atomic_load(&told.ends));
    CHECK(t, publish(&p, "spBv1.0/plant/NDATA/gw1", 5, flag(t, 2, NULL, true)) == 0);
    CHECK(t, atomic_load(&told.ends) == 1 && atomic_load(&told.done));
    CHECK(t, site_latest(&s, "pump:plant:gw1", "Pump_On") == 1);
    peer_shut(&p); /* its will is its death */
    CHECK(t, gw1_is(&s, "offline"));
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, publish(&p, "spBv1.0/plant/NBIRTH/gw1", 3, flag(t, 0, "Pump/On", false)) == 0 && gw1_is(&s, "normal"));
    CHECK(t, publish(&p, "spBv1.0/plant/NBIRTH/gw2", 4, flag(t, 0, "Pump/On", false)) == MQTT_NOT_AUTHORIZED);
    CHECK(t, publish(&p, "spBv1.0/STATE/linli", 5, flag(t, 0, "Pump/On", false)) == MQTT_NOT_AUTHORIZED);
    subscribe(&p, "spBv1.0/STATE/#", MQTT_SUBSCRIBE);
    CHECK(t, hears(&p, "spBv1.0/STATE/linli", online));
    test_on_loop(s.tl.loop, (loop_fn *)mqtt_close, s.mqtt);
    CHECK(t, peer_next(&p) == MQTT_PUBLISH &&
                 str_starts((struct str){(const char *)p.got.payload.ptr, 16}, S("{\"online\":false")));
    peer_shut(&p);
    site_stop(&s);
}

TESTS(CASE(who_left_meanwhile_is_told_nothing), CASE(a_device_is_told_in_its_own_convention_and_its_state_ends_it),
      CASE(who_is_away_is_told_once_it_is_back), CASE(what_cannot_be_said_fails_at_once),
      CASE(an_edge_node_has_us_as_its_host))
