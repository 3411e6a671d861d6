/* How a connection to the MQTT listener ends: silence, wills, rights that end, the server's stop.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/site_test_internal.h"

static const enum mqtt_level levels[] = {MQTT_V311, MQTT_V5};
#define STATE_TOPIC "linli/e1/pump/state"

static bool is_waiting(struct site *s) {
    return figures(s).connections == 1;
}

static void tick(void *arg) {
    mqtt_tick(((struct site *)arg)->mqtt);
}

static void silence_of_one_and_a_half_keep_alives_is_the_end(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        struct mqtt_packet c = connect_of(&s.pump, "c");
        c.keep_alive_s = 10;
        CHECK(t, peer_connect(&p, &s, levels[i], c) == 0);
        world_sim_advance(&t->sim, 14999);
        test_on_loop(s.tl.loop, tick, &s);
        CHECK(t, peer_is_quiet(&p));
        world_sim_advance(&t->sim, 15000);
        CHECK(t, peer_ends(&p, MQTT_KEEP_ALIVE_TIMEOUT));
        c.keep_alive_s = 0; /* no limit */
        CHECK(t, peer_connect(&p, &s, levels[i], c) == 0);
        world_sim_advance(&t->sim, 1000000);
        test_on_loop(s.tl.loop, tick, &s);
        CHECK(t, peer_is_quiet(&p));
        peer_shut(&p);
    }
    CHECK(t, site_until(&s, nobody_is_connected));
    peer_open(&p, &s, MQTT_V311); /* one that says nothing at all */
    CHECK(t, site_until(&s, is_waiting));
    world_sim_advance(&t->sim, 10000);
    CHECK(t, peer_ends(&p, 0));
    site_stop(&s);
}

static bool pump_is_offline(struct site *s) {
    return site_count(s, "SELECT COUNT(*) FROM devices WHERE code = 'pump' AND state = 'offline'") == 1;
}
static bool pump_is_normal(struct site *s) {
    return site_count(s, "SELECT COUNT(*) FROM devices WHERE code = 'pump' AND state = 'normal'") == 1;
}

static struct mqtt_packet with_will(struct site *s, const char *topic, const char *payload) {
    struct mqtt_packet c = connect_of(&s->pump, "c");
    c.has_will = true;
    c.will = (struct mqtt_will){.topic = str_of(topic), .qos = 1, .retain = true};
    c.will.payload = (struct bytes){(const uint8_t *)payload, strlen(payload)};
    return c;
}

static void the_last_will_is_the_devices_state(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        CHECK(t, peer_connect(&p, &s, levels[i], with_will(&s, STATE_TOPIC, "offline")) == 0);
        peer_put(&p, (struct mqtt_packet){.type = MQTT_DISCONNECT});
        CHECK(t, peer_ends(&p, 0));
        CHECK(t, site_until(&s, nobody_is_connected) && pump_is_normal(&s)); /* it said goodbye */
        CHECK(t, peer_connect(&p, &s, levels[i], with_will(&s, STATE_TOPIC, "offline")) == 0);
        peer_shut(&p);
        CHECK(t, site_until(&s, pump_is_offline));
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0 && pump_is_normal(&s));
        CHECK(t, peer_tell(&p, STATE_TOPIC, 1, "offline") == 0 && pump_is_offline(&s));
        CHECK(t, peer_tell(&p, STATE_TOPIC, 2, "online") == 0 && pump_is_normal(&s));
        peer_shut(&p);
    }
    CHECK(t, peer_connect(&p, &s, MQTT_V5, with_will(&s, STATE_TOPIC, "offline")) == 0);
    peer_put(&p, (struct mqtt_packet){.type = MQTT_DISCONNECT, .reason = 4}); /* with the will */
    CHECK(t, peer_ends(&p, 0) && site_until(&s, pump_is_offline));
    CHECK(t, peer_connect(&p, &s, MQTT_V5, with_will(&s, "linli/e1/lamp/state", "offline")) == MQTT_NOT_AUTHORIZED);
    CHECK(t, peer_ends(&p, 0));
    CHECK(t, peer_connect(&p, &s, MQTT_V5, with_will(&s, STATE_TOPIC, "dead")) == MQTT_BAD_PAYLOAD && peer_ends(&p, 0));
    CHECK(t, peer_connect(&p, &s, MQTT_V311, with_will(&s, STATE_TOPIC, "dead")) == 5 && peer_ends(&p, 0));
    site_stop(&s);
}

static enum err new_password(struct ctx *ctx, void *arg) {
    struct str user, password;
    return device_key_make(ctx, ((struct site *)arg)->pump.id, &user, &password);
}
static enum err retire_lamp(struct ctx *ctx, void *arg) {
    return row_act(ctx, &devices, ((struct site *)arg)->lamp.id, 0, "retire", NULL, 0, NULL);
}

static void a_right_that_ends_ends_the_connection(struct t *t) {
    struct site s;
    struct peer pump, lamp, fresh;
    site_start(&s, t);
    CHECK(t, peer_connect(&pump, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_connect(&lamp, &s, MQTT_V311, connect_of(&s.lamp, "c")) == 0);
    CHECK(t, peer_connect(&fresh, &s, MQTT_V5, connect_of(&s.fresh, "c")) == 0);
    site_do(&s, new_password, &s);
    site_do(&s, retire_lamp, &s);
    world_sim_advance(&t->sim, 30000);
    CHECK(t, peer_ends(&pump, MQTT_NOT_AUTHORIZED) && peer_ends(&lamp, 0) && peer_is_quiet(&fresh));
    CHECK(t, peer_connect(&pump, &s, MQTT_V5, connect_of(&s.pump, "c")) == MQTT_BAD_USER && peer_ends(&pump, 0));
    CHECK(t, peer_connect(&lamp, &s, MQTT_V311, connect_of(&s.lamp, "c")) == 4 && peer_ends(&lamp, 0));
    peer_shut(&fresh);
    site_stop(&s);
}

static void the_server_says_that_it_stops(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, with_will(&s, STATE_TOPIC, "offline")) == 0);
    site_close_feed(&s);
    CHECK(t, peer_ends(&p, MQTT_SHUTTING_DOWN) && pump_is_normal(&s));
    site_open_feed(&s);
    site_stop(&s);
}

TESTS(CASE(silence_of_one_and_a_half_keep_alives_is_the_end), CASE(the_last_will_is_the_devices_state),
      CASE(a_right_that_ends_ends_the_connection), CASE(the_server_says_that_it_stops))
