/* Gateways that are played over MQTT: what they say their convention understands, what they are told they do and say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/talk.h"
#include "protocol/door/door.h"
#include "protocol/mqtt/mqtt.h"
#include "protocol/sparkplug/sparkplug.h"
#include "tests/lib/test.h"

#include <string.h>

#define NOW_MS INT64_C(1795221000000)

struct play {
    struct t *t;
    const struct sim_protocol *sim;
    const struct codec *codec;
    struct world_sim clock;
    struct world world;
    struct sim_credential nobody;
    struct sim_options o;
    struct sim_device d;
};

static void begin(struct play *p, struct t *t, const struct sim_protocol *sim) {
    *p = (struct play){.t = t, .sim = sim, .codec = codec_find(str_of(sim->name)), .clock = {.utc_ms = NOW_MS}};
    p->world = world_sim(&p->clock);
    p->o = (struct sim_options){.first = 889, .credentials = &p->nobody, .world = &p->world};
    p->d = (struct sim_device){.protocol = sim, .random = 1};
}

/* The next packet of *rest. */
static bool next(struct play *p, struct bytes *rest, struct mqtt_packet *ret) {
    struct mqtt_fault f;
    size_t n;
    if (!rest->len) return false;
    CHECK(p->t, mqtt_frame(*rest, SIM_FRAME_MAX, &n, &f) == FRAME_WHOLE);
    CHECK_SAY(p->t, mqtt_decode((struct bytes){rest->ptr, n}, MQTT_V311, ret, &f), "%s", f.rule);
    *rest = (struct bytes){rest->ptr + n, rest->len - n};
    return true;
}

static struct bytes frame_of(struct play *p, const struct mqtt_packet *x) {
    struct buf b;
    buf_init_arena(&b, &p->t->arena, SIM_FRAME_MAX);
    buf_str(&b, x->topic);
    buf_char(&b, '\n');
    buf_add(&b, x->payload.ptr, x->payload.len);
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static void understood(struct play *p, const struct mqtt_packet *x, struct decoded *ret) {
    struct wire_error e = {"", 0};
    CHECK_SAY(p->t, p->codec->decode(frame_of(p, x), &p->t->arena, ret, &e), "%s: " STR_FMT ": %s", p->sim->name,
              STR_ARG(x->topic), e.rule);
}

/* What it says to a packet. */
static struct bytes answer(struct play *p, const struct mqtt_packet *x) {
    struct buf in, out;
    size_t used;
    uint16_t serial;
    buf_init_arena(&in, &p->t->arena, SIM_FRAME_MAX);
    buf_init_arena(&out, &p->t->arena, SIM_ANSWER_MAX);
    CHECK(p->t, mqtt_encode(x, &in));
    struct bytes bytes = {(const uint8_t *)in.ptr, in.len};
    CHECK(p->t, p->sim->hear(bytes, &used, &serial) == SIM_ASKED && used == in.len);
    CHECK(p->t, p->sim->answer(&p->o, &p->d, bytes, &out) && !out.overflow);
    return (struct bytes){(const uint8_t *)out.ptr, out.len};
}

/* Logs in, and is born. */
static void log_in(struct play *p, struct mqtt_packet *ret_connect, struct bytes *ret_births) {
    struct buf b;
    struct mqtt_packet x;
    buf_init_arena(&b, &p->t->arena, SIM_FRAME_MAX);
    CHECK(p->t, p->sim->greet(&p->o, &p->d, &b));
    struct bytes hello = {(const uint8_t *)b.ptr, b.len};
    CHECK(p->t, next(p, &hello, ret_connect) && ret_connect->type == MQTT_CONNECT && ret_connect->has_will);
    *ret_births = answer(p, &(struct mqtt_packet){.type = MQTT_CONNACK, .level = MQTT_V311});
    CHECK(p->t, next(p, ret_births, &x) && x.type == MQTT_SUBSCRIBE);
}

static const struct sim_protocol *const gateways[] = {&sim_zigbee2mqtt, &sim_tasmota, &sim_esphome, &sim_homeassistant,
                                                      &sim_sparkplug};

static void what_they_say_is_understood(struct t *t) {
    for (size_t i = 0; i < COUNT(gateways); i++) {
        struct play p;
        struct mqtt_packet x, connect;
        struct decoded said;
        struct bytes births;
        size_t readings = 0;
        begin(&p, t, gateways[i]);
        log_in(&p, &connect, &births);
        bool is_sparkplug = gateways[i] == &sim_sparkplug, is_home = gateways[i] == &sim_homeassistant;
        const struct mqtt_packet will = {.topic = connect.will.topic, .payload = connect.will.payload};
        if (!is_home) understood(&p, &will, &said);
        if (!is_home) CHECK(t, said.events_n == 1 && str_is(said.events[0].code, "offline") && said.events[0].is_set);
        CHECK(t, connect.will.retain == !is_sparkplug && connect.will.qos == 1);
        for (size_t n = 0; next(&p, &births, &x); n++) {
            CHECK(t, x.type == MQTT_PUBLISH && x.qos == 0 && x.retain == !is_sparkplug);
            if (!is_home || str_starts(x.topic, S("homeassistant/"))) understood(&p, &x, &said);
            if (is_sparkplug)
                CHECK(t, str_starts(x.topic, n ? S("spBv1.0/linli/DBIRTH/") : S("spBv1.0/linli/NBIRTH/")));
        }
        for (int k = 0; k < 300; k++) {
            struct buf b;
            buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
            p.d.serial++;
            CHECK(t, p.sim->speak(&p.o, &p.d, NOW_MS, &b));
            struct bytes rest = {(const uint8_t *)b.ptr, b.len};
            CHECK(t, next(&p, &rest, &x) && x.type == MQTT_PUBLISH);
            CHECK(t, is_sparkplug ? x.qos == 0 : x.qos == 1 && x.id == p.d.serial);
            CHECK(t, next(&p, &rest, &x) == is_sparkplug && (!is_sparkplug || x.type == MQTT_PINGREQ));
            rest = (struct bytes){(const uint8_t *)b.ptr, b.len};
            CHECK(t, next(&p, &rest, &x));
            if (is_home) continue; /* only its configs are the codec's */
            understood(&p, &x, &said);
            readings += said.readings_n;
        }
        CHECK_SAY(t, readings >= 300 || is_home || is_sparkplug, "%s: %zu", gateways[i]->name, readings);
    }
}

/* Asked as the console asks, each does it: the answer ends the command. */
static void what_they_are_told_they_do(struct t *t) {
    static const struct {
        const struct sim_protocol *sim;
        const char *address, *item, *value;
    } told[] = {
        {&sim_zigbee2mqtt, "linli-889-plug", "state", "ON"}, {&sim_zigbee2mqtt, "linli-889-plug", "state", NULL},
        {&sim_tasmota, "linli-889", "Power", "ON"},          {&sim_tasmota, "linli-889", "state", "ON"},
        {&sim_tasmota, "linli-889", "Status", "8"},          {&sim_esphome, "linli-889", "switch/relay", "ON"}};
    for (size_t i = 0; i < COUNT(told); i++) {
        struct play p;
        struct buf b, data;
        struct mqtt_packet x;
        struct str topic;
        const char *why = "";
        enum answer last = ANSWER_OTHER;
        begin(&p, t, told[i].sim);
        const struct question q = {
            .address = str_of(told[i].address), .item = str_of(told[i].item), .value = str_of(told[i].value)};
        buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
        buf_init_arena(&data, &t->arena, SIM_FRAME_MAX);
        CHECK(t, p.codec->asking->ask(&q, &b));
        struct str payload = {b.ptr, b.len};
        CHECK(t, str_cut(&payload, '\n', &topic));
        struct bytes said = answer(&p, &(struct mqtt_packet){.type = MQTT_PUBLISH,
                                                             .level = MQTT_V311,
                                                             .qos = 1,
                                                             .id = 7,
                                                             .topic = topic,
                                                             .payload = {(const uint8_t *)payload.ptr, payload.len}});
        CHECK(t, next(&p, &said, &x) && x.type == MQTT_PUBACK && x.id == 7);
        while (next(&p, &said, &x) && last != ANSWER_WHOLE)
            last = p.codec->asking->answers(&q, frame_of(&p, &x), &data, &why);
        CHECK_SAY(t, last == ANSWER_WHOLE, "%s %s", told[i].sim->name, told[i].item);
        struct bytes none = answer(&p, &(struct mqtt_packet){.type = MQTT_PUBLISH,
                                                             .level = MQTT_V311,
                                                             .topic = topic,
                                                             .payload = {(const uint8_t *)"{\"nonsense\":1}", 14}});
        bool is_refused = next(&p, &none, &x);
        CHECK_SAY(t, is_refused == (told[i].sim == &sim_tasmota), "%s", told[i].sim->name);
        if (is_refused) CHECK(t, x.payload.len == 21 && !memcmp(x.payload.ptr, "{\"Command\":\"Unknown\"}", 21));
    }
}

static void a_relay_that_discovery_describes_is_told(struct t *t) {
    struct play p;
    struct mqtt_packet x, tell = {.type = MQTT_PUBLISH,
                                  .level = MQTT_V311,
                                  .topic = S("estate/linli-889/relay/set"),
                                  .payload = {(const uint8_t *)"ON", 2}};
    begin(&p, t, &sim_homeassistant);
    struct bytes said = answer(&p, &tell);
    CHECK(t, next(&p, &said, &x) && str_is(x.topic, "estate/linli-889") && p.d.values[0] == 1);
    CHECK(t, x.payload.len > 13 && !memcmp(x.payload.ptr, "{\"relay\":\"ON\"", 13));
    tell.topic = S("homeassistant/status");
    tell.payload = (struct bytes){(const uint8_t *)"online", 6};
    said = answer(&p, &tell);
    size_t configs = 0;
    while (next(&p, &said, &x)) configs += str_starts(x.topic, S("homeassistant/"));
    CHECK(t, configs == 3);
}

/* A host that keeps its node: births teach the aliases, data follow in turn, a command is done, a rebirth is one. */
static void an_edge_node_keeps_its_word(struct t *t) {
    static struct sparkplug_alias aliases[64];
    struct sparkplug_node node = {.all = aliases, .cap = COUNT(aliases)};
    struct play p;
    struct mqtt_packet x, connect;
    struct bytes said;
    struct buf b;
    struct decoded d;
    struct wire_error e = {"", 0};
    bool wants_birth;
    begin(&p, t, &sim_sparkplug);
    log_in(&p, &connect, &said);
    while (next(&p, &said, &x))
        CHECK(t, sparkplug_hear(&node, frame_of(&p, &x), NOW_MS, &t->arena, &d, &wants_birth, &e) && !wants_birth);
    for (int i = 0; i < 600; i++) { /* seq wraps */
        buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
        p.d.serial++;
        CHECK(t, p.sim->speak(&p.o, &p.d, NOW_MS, &b));
        said = (struct bytes){(const uint8_t *)b.ptr, b.len};
        CHECK(t, next(&p, &said, &x));
        CHECK_SAY(t, sparkplug_hear(&node, frame_of(&p, &x), NOW_MS, &t->arena, &d, &wants_birth, &e), "%s", e.rule);
        CHECK(t, !wants_birth && d.readings_n == 1);
    }
    const struct question q = {
        .address = S("linli:linli-889:valve"), .item = S("Valve/Position:Int32"), .value = S("40")};
    struct str topic;
    buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
    CHECK(t, p.codec->asking->ask(&q, &b));
    for (int is_rebirth = 0; is_rebirth < 2; is_rebirth++) {
        struct str payload = {b.ptr, b.len};
        CHECK(t, str_cut(&payload, '\n', &topic));
        said = answer(&p, &(struct mqtt_packet){.type = MQTT_PUBLISH,
                                                .level = MQTT_V311,
                                                .topic = topic,
                                                .payload = {(const uint8_t *)payload.ptr, payload.len}});
        size_t n = 0;
        for (; next(&p, &said, &x); n++)
            CHECK(t, sparkplug_hear(&node, frame_of(&p, &x), NOW_MS, &t->arena, &d, &wants_birth, &e) && !wants_birth);
        CHECK(t, n == 1u + (unsigned)is_rebirth && node.seq == (is_rebirth ? 1 : (602 % 256)));
        if (!is_rebirth) CHECK(t, d.readings_n == 1 && sparkplug_says(&q, &d.readings[0]));
        struct sparkplug_topic at = {.what = SPARKPLUG_NCMD, .group = S("linli"), .edge = S("linli-889")};
        buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
        sparkplug_rebirth(&at, NOW_MS, &b);
    }
    const struct mqtt_packet will = {.topic = connect.will.topic, .payload = connect.will.payload};
    CHECK(t, sparkplug_hear(&node, frame_of(&p, &will), NOW_MS, &t->arena, &d, &wants_birth, &e) && !node.is_born[0]);
    CHECK(t, d.events_n == 2); /* it, and its valve */
}

/* A door's controller: topics of its own, cards as the form has them, and what it is told it answers. */
static void a_door_obeys_over_mqtt(struct t *t) {
    struct sim_credential who = {S("u"), S("p"), S("linli/yunshanli/D-1/telemetry")};
    struct play p;
    struct mqtt_packet x, connect;
    struct bytes births;
    begin(&p, t, &sim_door_mqtt);
    p.o.credentials = &who;
    p.o.cards = "8065495";
    log_in(&p, &connect, &births);
    CHECK(t, str_is(connect.will.topic, "linli/yunshanli/D-1/state"));
    CHECK(t, next(&p, &births, &x) && str_is(x.topic, "linli/yunshanli/D-1/state"));
    for (int k = 0; k < 50; k++) {
        struct buf b;
        struct decoded d;
        struct wire_error e = {"", 0};
        buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
        p.d.serial++;
        CHECK(t, p.sim->speak(&p.o, &p.d, NOW_MS, &b));
        struct bytes rest = {(const uint8_t *)b.ptr, b.len};
        CHECK(t, next(&p, &rest, &x) && x.qos == 1 && str_is(x.topic, "linli/yunshanli/D-1/passing"));
        CHECK_SAY(t, door_read(x.payload, S("D-1"), &t->arena, &d, &e), "%s", e.rule);
        CHECK(t, d.passings_n == 1 && str_is(d.passings[0].value, "8065495"));
    }
    static const struct {
        const char *command, *reply;
    } told[] = {{"{\"id\":\"7\",\"name\":\"open\",\"args\":{\"value\":\"3\"}}", "{\"id\":\"7\",\"ok\":true}"},
                {"{\"id\":\"8\",\"name\":\"dance\"}", "{\"id\":\"8\",\"ok\":false,\"error\":\"unknown_command\"}"}};
    for (size_t i = 0; i < COUNT(told); i++) {
        struct bytes said =
            answer(&p, &(struct mqtt_packet){.type = MQTT_PUBLISH,
                                             .level = MQTT_V311,
                                             .topic = S("linli/yunshanli/D-1/command"),
                                             .payload = {(const uint8_t *)told[i].command, strlen(told[i].command)}});
        CHECK(t, next(&p, &said, &x) && str_is(x.topic, "linli/yunshanli/D-1/reply"));
        struct str reply = {(const char *)x.payload.ptr, x.payload.len};
        CHECK_SAY(t, str_is(reply, told[i].reply), STR_FMT, STR_ARG(reply));
    }
}

TESTS(CASE(a_door_obeys_over_mqtt), CASE(what_they_say_is_understood), CASE(what_they_are_told_they_do),
      CASE(a_relay_that_discovery_describes_is_told), CASE(an_edge_node_keeps_its_word))
