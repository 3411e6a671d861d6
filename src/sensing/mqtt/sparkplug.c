/* We as the host application of edge nodes of Sparkplug B that are gateways here, and as their broker.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#define STATE_MAX 128 /* bytes of a frame that says our state */

/* What an edge node says; only the one that the word names, where it names one. */
static bool is_of(const struct home_speaks *s, struct str topic, struct sparkplug_topic *ret) {
    struct str edge = s->sparkplug, group;
    if (!s->is_sparkplug || !sparkplug_topic(topic, ret)) return false;
    if (ret->what == SPARKPLUG_STATE || ret->what == SPARKPLUG_NCMD || ret->what == SPARKPLUG_DCMD) return false;
    (void)str_cut(&edge, '/', &group);
    return (!s->sparkplug.len || str_eq(group, ret->group)) && (!edge.ptr || str_eq(edge, ret->edge));
}

enum home_taken mqtt_sparkplug_take(struct mqtt_conn *c, struct str topic, struct bytes payload, struct arena *a,
                                    struct decoded *ret, struct host_lost *ret_lost, struct wire_error *reterr) {
    struct sparkplug_topic t;
    if (!is_of(&c->gateway->speaks, topic, &t)) return HOME_OTHER;
    bool ok = sparkplug_host_hear(c->l->host, c->device_id, topic, payload, now_ms(c->l), a, ret, ret_lost, reterr);
    return ok ? HOME_TAKEN : HOME_BAD;
}

bool mqtt_sparkplug_is_death(const struct home_speaks *s, struct str topic) {
    struct sparkplug_topic t;
    return is_of(s, topic, &t) && t.what == SPARKPLUG_NDEATH;
}

/* ---- our own state: kept by the broker that we are ---- */

static void say_state(struct mqtt_conn *c, bool is_online) {
    char mem[STATE_MAX];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    sparkplug_state(S(HOST_NAME), is_online, c->l->since_ms, &b);
    struct str payload = {b.ptr, b.len}, topic;
    (void)str_cut(&payload, '\n', &topic);
    const struct mqtt_packet p = {.type = MQTT_PUBLISH,
                                  .level = c->level,
                                  .retain = is_online,
                                  .topic = topic,
                                  .payload = {(const uint8_t *)payload.ptr, payload.len}};
    (void)!mqtt_conn_send(c, &p);
}

bool mqtt_sparkplug_wants_state(const struct home_speaks *s, struct str filter) {
    return s->is_sparkplug && mqtt_topic_matches(filter, S("spBv1.0/STATE/" HOST_NAME));
}

void mqtt_sparkplug_say_online(struct mqtt_conn *c) {
    say_state(c, true);
}

/* Before the connections end. */
void mqtt_sparkplug_die(struct mqtt_listener *l) {
    for (struct mqtt_conn *c = l->conns; c; c = c->next)
        if (c->tcp && c->state == CONN_OPEN && c->gateway && c->gateway->hears_state) say_state(c, false);
}
