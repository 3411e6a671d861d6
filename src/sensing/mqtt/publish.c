/* What a device publishes: its own topics, and what each of them takes.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include <string.h>

bool mqtt_state_read(struct bytes payload, bool *ret_online) {
    struct str s = {(const char *)payload.ptr, payload.len};
    *ret_online = str_eq(s, S("online"));
    return *ret_online || str_eq(s, S("offline"));
}

/* In 5.0 the device is told.  In 3.1.1 there is no word for it: not answering would bring the same bytes again for
 * ever, and behind them nothing else, so they are acknowledged, counted and shown. */
static void take_bad(struct mqtt_conn *c, const struct mqtt_packet *p, struct publish *publish,
                     const struct payload_fault *f) {
    mqtt_sample(c->l, c, &c->l->figures.bad, p->topic, p->payload, f->rule, f->at);
    publish->reason = MQTT_BAD_PAYLOAD;
}

/* Readings and events are kept, for another try, and read from what is kept. */
static void take_kept(struct mqtt_batch *b, const struct mqtt_packet *p, struct bytes whole, size_t i) {
    struct mqtt_conn *c = b->c;
    struct mqtt_packet kept = *p;
    struct payload_fault f;
    struct payload_event e;
    struct bytes copy;
    if (!mqtt_batch_keep(b, whole, &copy)) {
        b->publishes_n--; /* out of memory: unanswered, it comes again */
        c->in_flight -= p->qos != 0;
        mqtt_conn_end(c, MQTT_UNSPECIFIED);
        return;
    }
    kept.payload.ptr = copy.ptr + (whole.len - p->payload.len); /* it stands last */
    b->publishes[i].is_raw = b->kind == BATCH_READINGS ? mqtt_points_add(b, &kept, i, &f)
                                                       : payload_event(kept.payload, &c->l->names, &e, &f);
    if (b->publishes[i].is_raw) {
        mqtt_heard_kept(b, whole, p);
        return;
    }
    mqtt_batch_unkeep(b, copy);
    take_bad(c, p, &b->publishes[i], &f);
}

static void take(struct mqtt_conn *c, const struct mqtt_packet *p, struct bytes whole, enum batch_kind kind) {
    struct mqtt_listener *l = c->l;
    if (kind != BATCH_PLAIN && !mqtt_round_has_room(l, p->payload.len)) {
        mqtt_batch_flush(c);
        mqtt_round_put(l);
    }
    struct mqtt_batch *b = mqtt_batch_for(c, kind);
    if (!b) {
        mqtt_conn_end(c, MQTT_UNSPECIFIED); /* out of memory; not answered, so it comes again */
        return;
    }
    size_t i = b->publishes_n++;
    struct publish *publish = &b->publishes[i];
    *publish = (struct publish){.id = p->qos ? p->id : 0};
    if (p->qos) c->in_flight++;
    switch (kind) {
    case BATCH_READINGS:
    case BATCH_EVENTS: take_kept(b, p, whole, i); return;
    case BATCH_STATE:
        if (mqtt_state_read(p->payload, &b->online))
            mqtt_heard(c, p->topic, p->payload);
        else
            take_bad(c, p, publish, &(struct payload_fault){"neither online nor offline", NO_OFFSET});
        return;
    case BATCH_REPORT: /* see mqtt_publish() and gateway.c */
    case BATCH_PLAIN:
        FIGURE(l, replies, 1);
        mqtt_heard(c, p->topic, p->payload);
        mqtt_replied(c, p->payload);
        return;
    }
}

/* Telemetry, event, state, passing and reply of its own: nothing else. */
static bool topic_kind(const struct mqtt_conn *c, struct str topic, enum batch_kind *ret) {
    static const struct {
        struct str name;
        enum batch_kind kind;
    } names[] = {{{"telemetry", 9}, BATCH_READINGS},
                 {{"event", 5}, BATCH_EVENTS},
                 {{"state", 5}, BATCH_STATE},
                 {{"passing", 7}, BATCH_REPORT},
                 {{"reply", 5}, BATCH_PLAIN}};
    if (topic.len < c->topic_n || memcmp(topic.ptr, c->topic, c->topic_n) != 0) return false;
    struct str rest = str_from(topic, c->topic_n);
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!str_eq(rest, names[i].name)) continue;
        *ret = names[i].kind;
        return true;
    }
    return false;
}

static void forbid(struct mqtt_conn *c, const struct mqtt_packet *p) {
    mqtt_sample(c->l, c, &c->l->figures.forbidden, p->topic, p->payload, "not a topic of this device", NO_OFFSET);
    struct mqtt_batch *b = c->level == MQTT_V5 && p->qos ? mqtt_batch_for(c, BATCH_PLAIN) : NULL;
    if (!b) {
        mqtt_conn_end(c, MQTT_NOT_AUTHORIZED);
        return;
    }
    b->publishes[b->publishes_n++] = (struct publish){.id = p->id, .reason = MQTT_NOT_AUTHORIZED};
    c->in_flight++;
}

void mqtt_publish(struct mqtt_conn *c, struct bytes whole) {
    struct mqtt_packet p;
    struct mqtt_fault f = {0};
    struct mqtt_property alias;
    enum batch_kind kind;
    if (!mqtt_decode(whole, c->level, &p, &f)) {
        mqtt_conn_fail(c, &f, whole);
    } else if (p.qos == 2) {
        mqtt_conn_end(c, MQTT_NO_QOS);
    } else if (mqtt_property_find(p.properties, MQTT_TOPIC_ALIAS, &alias)) {
        mqtt_conn_end(c, MQTT_BAD_ALIAS); /* we said that we keep none */
    } else if (p.qos && c->in_flight == IN_FLIGHT_MAX) {
        mqtt_conn_end(c, MQTT_RECEIVE_MAX); /* in 3.1.1 reading has paused before */
    } else if (topic_kind(c, p.topic, &kind)) {
        if (kind == BATCH_REPORT)
            mqtt_passing_take(c, &p);
        else
            take(c, &p, whole, kind);
    } else if (!mqtt_gateway_take(c, &p, false)) {
        forbid(c, &p);
    }
}
