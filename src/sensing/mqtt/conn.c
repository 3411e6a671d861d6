/* A connection: packets out of bytes, what each type means, pace, and the end.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include <stdlib.h>
#include <string.h>

#define SEND_MAX    1024
#define FILTERS_MAX 64 /* of one SUBSCRIBE or UNSUBSCRIBE */

void mqtt_conn_drop(struct mqtt_conn *c) {
    struct mqtt_listener *l = c->l;
    if (--c->refs) return;
    if (c->prev)
        c->prev->next = c->next;
    else
        l->conns = c->next;
    if (c->next) c->next->prev = c->prev;
    mqtt_gateway_destroy(c->gateway);
    free(c->keep);
    free(c);
}

struct mqtt_conn *mqtt_conn_other(const struct mqtt_conn *c, bool same_client) {
    struct str id = {c->client_id, c->client_id_n};
    for (struct mqtt_conn *x = c->l->buckets[(uint64_t)c->device_id % BUCKETS]; x; x = x->same_bucket)
        if (x != c && x->device_id == c->device_id &&
            (!same_client || str_eq(id, (struct str){x->client_id, x->client_id_n})))
            return x;
    return NULL;
}

/* ---- the end ---- */

static void forget(struct mqtt_conn *c) { /* as one that is logged in */
    struct mqtt_conn **at = &c->l->buckets[(uint64_t)c->device_id % BUCKETS];
    while (*at && *at != c) at = &(*at)->same_bucket;
    if (*at) *at = c->same_bucket;
}

/* Once a connection: from here on nothing is read or answered. */
static void leave(struct mqtt_conn *c) {
    bool was_open = c->state == CONN_OPEN;
    if (was_open) mqtt_batch_flush(c);
    c->state = CONN_ENDED;
    if (!was_open) return;
    forget(c);
    if (c->has_will && !c->l->is_closing) mqtt_batch_state(c, c->will_online, true);
    c->has_will = false;
    mqtt_gateway_left(c);
}

bool mqtt_conn_send(struct mqtt_conn *c, const struct mqtt_packet *p) {
    char mem[SEND_MAX];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    return c->tcp && mqtt_encode(p, &b) && !tcp_write(c->tcp, (struct bytes){(const uint8_t *)b.ptr, b.len});
}

void mqtt_conn_end(struct mqtt_conn *c, enum mqtt_reason reason) {
    if (c->state == CONN_ENDED || !c->tcp) return;
    if (c->state == CONN_OPEN && c->level == MQTT_V5)
        (void)!mqtt_conn_send(
            c, &(struct mqtt_packet){.type = MQTT_DISCONNECT, .level = MQTT_V5, .reason = (uint8_t)reason});
    leave(c);
    tcp_close(c->tcp);
}

void mqtt_conn_fail(struct mqtt_conn *c, const struct mqtt_fault *f, struct bytes packet) {
    mqtt_sample(c->l, c, &c->l->figures.malformed, S(""), packet, f->rule, f->at);
    mqtt_conn_end(c, f->reason);
}

/* ---- what the types mean ---- */

static void take_connect(struct mqtt_conn *c, struct bytes whole) {
    struct mqtt_packet p;
    struct mqtt_fault f = {0};
    if (whole.ptr[0] >> 4 != MQTT_CONNECT) {
        f = (struct mqtt_fault){"MQTT5 3.1, MQTT3 3.1: the first packet is not CONNECT", 0, MQTT_PROTOCOL_ERROR};
        mqtt_conn_fail(c, &f, whole);
    } else if (mqtt_decode(whole, MQTT_V5, &p, &f)) {
        mqtt_login(c, &p);
    } else {
        mqtt_sample(c->l, c, &c->l->figures.malformed, S(""), whole, f.rule, f.at);
        c->level = MQTT_V311; /* the one form of "not this version" that every client reads (3.1.1, 3.1.2.2) */
        if (f.reason == MQTT_BAD_VERSION)
            mqtt_login_refuse(c, f.reason);
        else
            mqtt_conn_end(c, f.reason);
    }
}

/* Own commands only.  The reason of 3.1.1 is one for all. */
static uint8_t subscribe_one(struct mqtt_conn *c, const struct mqtt_filter *f) {
    struct str own = {c->topic, c->topic_n};
    bool is_own = str_starts(f->filter, own) && str_is(str_from(f->filter, own.len), "command");
    if (is_own) {
        c->is_subscribed = true;
        return f->qos ? 1 : 0;
    }
    if (mqtt_gateway_may_hear(c, f->filter)) return f->qos ? 1 : 0;
    mqtt_sample(c->l, c, &c->l->figures.forbidden, f->filter, (struct bytes){NULL, 0},
                "not the commands of this device", NO_OFFSET);
    if (c->level != MQTT_V5) return 0x80;
    return mqtt_topic_is_shared(f->filter) ? MQTT_NO_SHARED
           : mqtt_topic_is_name(f->filter) ? MQTT_NOT_AUTHORIZED
                                           : MQTT_NO_WILDCARD;
}

static uint8_t unsubscribe_one(struct mqtt_conn *c, const struct mqtt_filter *f) {
    struct str own = {c->topic, c->topic_n};
    bool was = c->is_subscribed && str_starts(f->filter, own) && str_is(str_from(f->filter, own.len), "command");
    if (was) c->is_subscribed = false;
    was |= mqtt_gateway_listens_no_more(c->gateway, f->filter);
    return was ? MQTT_OK : 0x11; /* no subscription existed */
}

static void take_filters(struct mqtt_conn *c, const struct mqtt_packet *p) {
    uint8_t codes[FILTERS_MAX];
    size_t n = 0;
    struct bytes rest = p->list;
    struct mqtt_filter f;
    bool subscribes = p->type == MQTT_SUBSCRIBE;
    while (mqtt_filter_next(p, &rest, &f)) {
        if (n == FILTERS_MAX) {
            mqtt_conn_end(c, MQTT_QUOTA);
            return;
        }
        codes[n++] = subscribes ? subscribe_one(c, &f) : unsubscribe_one(c, &f);
    }
    struct mqtt_packet answer = {.type = subscribes ? MQTT_SUBACK : MQTT_UNSUBACK, .level = c->level, .id = p->id};
    if (subscribes || c->level == MQTT_V5) answer.list = (struct bytes){codes, n};
    if (mqtt_conn_send(c, &answer)) mqtt_gateway_subscribed(c);
}

static void take_other(struct mqtt_conn *c, struct bytes whole) {
    struct mqtt_packet p;
    struct mqtt_fault f = {0};
    if (!mqtt_decode(whole, c->level, &p, &f)) {
        mqtt_conn_fail(c, &f, whole);
        return;
    }
    switch (p.type) {
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE: take_filters(c, &p); return;
    case MQTT_PINGREQ:
        (void)!mqtt_conn_send(c, &(struct mqtt_packet){.type = MQTT_PINGRESP, .level = c->level});
        return;
    case MQTT_PUBACK: return; /* of a command */
    case MQTT_DISCONNECT:
        if (p.reason != 0x04) { /* 0x04: with the will (3.14.2.1) */
            c->has_will = false;
            mqtt_gateway_forgets_will(c);
        }
        leave(c);
        tcp_close(c->tcp);
        return;
    case MQTT_CONNECT:
    case MQTT_PUBLISH:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_CONNACK:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGRESP:
    case MQTT_AUTH: break;
    }
    f = (struct mqtt_fault){"MQTT5 4.13, MQTT3 4.8: a packet that nobody asked for", 0, MQTT_PROTOCOL_ERROR};
    mqtt_conn_fail(c, &f, whole);
}

static void take_packet(struct mqtt_conn *c, struct bytes whole) {
    if (c->state == CONN_NEW) {
        take_connect(c, whole);
    } else if (whole.ptr[0] >> 4 == MQTT_PUBLISH) {
        mqtt_publish(c, whole);
    } else {
        mqtt_batch_flush(c);
        take_other(c, whole);
    }
}

/* ---- bytes and pace ---- */

static bool may_take(const struct mqtt_conn *c) {
    if (!c->tcp || c->state != CONN_OPEN) return c->tcp && c->state == CONN_NEW;
    bool crowded = c->bytes >= CONN_BYTES_MAX || c->l->bytes >= LISTENER_BYTES_MAX;
    return !c->stuck_n && !crowded && (c->level == MQTT_V5 || c->in_flight < IN_FLIGHT_MAX);
}

/* Takes whole packets; gives the bytes used. */
static size_t take(struct mqtt_conn *c, struct bytes in) {
    size_t at = 0;
    c->is_taking = true;
    while (may_take(c)) {
        struct mqtt_fault f = {0};
        struct bytes rest = {in.ptr + at, in.len - at};
        if (c->passes) {
            size_t n = c->passes < rest.len ? c->passes : rest.len;
            at += n;
            c->passes -= n;
            if (c->passes) break;
            mqtt_gateway_passed(c);
            continue;
        }
        size_t len, most = c->state == CONN_NEW ? CONNECT_BYTES_MAX : PACKET_BYTES_MAX;
        enum frame frame = mqtt_frame(rest, most, &len, &f);
        if (frame == FRAME_SKIP && f.reason == MQTT_TOO_LARGE && mqtt_gateway_passes(c, rest)) {
            if (!c->passes) break;
            continue;
        }
        if (frame == FRAME_SKIP) mqtt_conn_fail(c, &f, rest);
        if (frame != FRAME_WHOLE) break;
        take_packet(c, (struct bytes){rest.ptr, len});
        at += len;
    }
    mqtt_batch_flush(c);
    c->is_taking = false;
    return at;
}

static bool keep(struct mqtt_conn *c, struct bytes bytes) {
    if (c->keep_cap - c->keep_n < bytes.len) {
        size_t cap = c->keep_n + bytes.len + 1024;
        uint8_t *grown = realloc(c->keep, cap);
        if (!grown) return false;
        c->keep = grown;
        c->keep_cap = cap;
    }
    memcpy(c->keep + c->keep_n, bytes.ptr, bytes.len);
    c->keep_n += bytes.len;
    return true;
}

static void take_kept(struct mqtt_conn *c) {
    size_t used = c->keep_n ? take(c, (struct bytes){c->keep, c->keep_n}) : 0;
    c->keep_n -= used;
    if (c->keep_n && used) memmove(c->keep, c->keep + used, c->keep_n);
    if (c->keep_n) return;
    free(c->keep); /* most connections keep nothing most of the time */
    c->keep = NULL;
    c->keep_cap = 0;
}

static void set_pace(struct mqtt_conn *c) {
    if (!c->tcp || c->state == CONN_ENDED) return;
    bool pause = !may_take(c);
    if (pause == c->is_paused) return;
    c->is_paused = pause;
    if (pause) {
        tcp_pause(c->tcp);
    } else {
        c->heard_us = now_us(c->l);
        tcp_resume(c->tcp);
    }
}

void mqtt_conn_go_on(struct mqtt_conn *c) {
    if (c->is_taking) return; /* it goes on by itself */
    c->refs++;
    if (may_take(c)) take_kept(c);
    set_pace(c);
    mqtt_conn_drop(c);
}

/* What is kept is at most a packet that is not whole, and one read on top. */
void mqtt_conn_bytes(struct mqtt_conn *c, struct bytes bytes) {
    if (c->state == CONN_ENDED) return;
    c->refs++;
    c->heard_us = now_us(c->l);
    bool ok = true;
    if (c->keep_n) {
        ok = keep(c, bytes);
        if (ok) take_kept(c);
    } else {
        size_t used = take(c, bytes);
        if (used < bytes.len && c->state != CONN_ENDED)
            ok = keep(c, (struct bytes){bytes.ptr + used, bytes.len - used});
    }
    if (!ok) mqtt_conn_end(c, MQTT_UNSPECIFIED); /* out of memory */
    set_pace(c);
    mqtt_conn_drop(c);
}

void mqtt_conn_gone(struct mqtt_conn *c) {
    leave(c);
    c->tcp = NULL;
    mqtt_conn_drop(c);
}
