/* MQTT packets from bytes.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt_internal.h"

#include <string.h>

/* ---- the fixed header (5.0, 2.1) ----
 * 0      type, high four bits; flags, low four: 0 but for PUBLISH (dup, QoS, retain) and PUBREL, (UN)SUBSCRIBE (2)
 * 1..4   remaining length, 1 to 4 bytes of 7 bits, low ones first */

static bool check_flags(struct mqtt_in *in, uint8_t first) {
    unsigned type = first >> 4, flags = first & 15u, qos = flags >> 1 & 3;
    if (type < MQTT_CONNECT)
        return mqtt_bad(in, 0, MQTT_MALFORMED, "MQTT5 2.1.2, MQTT3 2.2.1: the type of packet is reserved");
    if (type == MQTT_PUBLISH) {
        if (qos == 3) return mqtt_bad(in, 0, MQTT_MALFORMED, "MQTT5 3.3.1.2, MQTT3 3.3.1.2: QoS 3");
        if (flags & 8 && !qos)
            return mqtt_bad(in, 0, MQTT_MALFORMED, "MQTT5 3.3.1.1, MQTT3 3.3.1.1: a duplicate with QoS 0");
        return true;
    }
    bool is_two = type == MQTT_PUBREL || type == MQTT_SUBSCRIBE || type == MQTT_UNSUBSCRIBE;
    return flags == (is_two ? 2u : 0u) ||
           mqtt_bad(in, 0, MQTT_MALFORMED, "MQTT5 2.1.3, MQTT3 2.2.2: reserved flags are not as they must be");
}

enum frame mqtt_frame(struct bytes in, size_t packet_max, size_t *ret_len, struct mqtt_fault *reterr) {
    struct mqtt_in packet = {cursor_of(in), MQTT_V5, reterr};
    size_t left = 0;
    *ret_len = 0;
    if (!in.len) return FRAME_SHORT;
    if (!check_flags(&packet, in.ptr[0])) return FRAME_SKIP;
    for (size_t i = 1;; i++) {
        if (i == 5) {
            (void)mqtt_bad(&packet, 1, MQTT_MALFORMED,
                           "MQTT5 2.1.4, MQTT3 2.2.3: the remaining length has more than four bytes");
            return FRAME_SKIP;
        }
        if (i == in.len) return FRAME_SHORT;
        left |= (size_t)(in.ptr[i] & 0x7f) << 7 * (i - 1);
        if (in.ptr[i] & 0x80) continue;
        left += i + 1;
        break;
    }
    if (left > packet_max) {
        (void)mqtt_bad(&packet, 1, MQTT_TOO_LARGE, "MQTT5 3.1.2.11.4: the packet is larger than allowed");
        return FRAME_SKIP;
    }
    *ret_len = left;
    return in.len < left ? FRAME_SHORT : FRAME_WHOLE;
}

/* ---- parts ---- */

static bool read_id(struct mqtt_in *in, struct mqtt_packet *p) {
    size_t at = in->c.at;
    p->id = cursor_u16_be(&in->c);
    if (in->c.is_broken)
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 2.2.1, MQTT3 2.3.1: the packet has no identifier");
    return p->id || mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.1, MQTT3 2.3.1: packet identifier 0");
}

static bool check_reason(struct mqtt_in *in, const struct mqtt_packet *p, size_t at) {
    return mqtt_reason_is_of(p->type, in->level, p->reason) ||
           mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 2.4, MQTT3 3.2.2.3: a reason code of another packet");
}

/* ---- CONNECT (3.1) ----
 * 0..1   length of the protocol's name, 4
 * 2..5   "MQTT"
 * 6      protocol level, 4 or 5
 * 7      flags: 1 clean start, 2 will, 3..4 will QoS, 5 will retain, 6 password, 7 user name; 0 is reserved
 * 8..9   keep alive, s
 * 10..   properties (5.0); client id; will properties (5.0), topic, payload; user name; password */

static bool check_connect_flags(struct mqtt_in *in, uint8_t flags, size_t at) {
    bool will = flags & 4;
    if (flags & 1)
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 3.1.2.3, MQTT3 3.1.2.3: the reserved flag of CONNECT is set");
    if (flags >> 3 & 3 && (!will || (flags >> 3 & 3) == 3))
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 3.1.2.6, MQTT3 3.1.2.6: QoS of the will");
    if (flags & 0x20 && !will)
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 3.1.2.7, MQTT3 3.1.2.7: a retained will without a will");
    if (in->level == MQTT_V311 && flags & 0x40 && !(flags & 0x80))
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT3 3.1.2.9: a password without a user name");
    return true;
}

static bool read_will(struct mqtt_in *in, uint8_t flags, struct mqtt_will *w) {
    w->qos = flags >> 3 & 3;
    w->retain = flags & 0x20;
    if (!mqtt_read_properties(in, MQTT_WILL, &w->properties)) return false;
    size_t at = in->c.at;
    if (!mqtt_read_text(in, &w->topic)) return false;
    if (!mqtt_topic_is_name(w->topic))
        return mqtt_bad(in, at, MQTT_BAD_TOPIC, "MQTT5 3.1.3.3, MQTT3 3.1.3.2: the will's topic is no topic name");
    return mqtt_read_binary(in, &w->payload);
}

static bool read_level(struct mqtt_in *in) {
    static const uint8_t name[] = {0, 4, 'M', 'Q', 'T', 'T'};
    struct bytes got = cursor_bytes(&in->c, sizeof name);
    if (!got.ptr || memcmp(got.ptr, name, sizeof name))
        return mqtt_bad(in, in->c.is_broken ? in->c.at : in->c.at - sizeof name, MQTT_BAD_VERSION,
                        "MQTT5 3.1.2.1, MQTT3 3.1.2.1: the protocol is not called MQTT");
    uint8_t level = cursor_u8(&in->c);
    if (level != MQTT_V311 && level != MQTT_V5)
        return mqtt_bad(in, in->c.at - !in->c.is_broken, MQTT_BAD_VERSION,
                        "MQTT5 3.1.2.2, MQTT3 3.1.2.2: the protocol level is neither 4 (3.1.1) nor 5");
    in->level = level == MQTT_V5 ? MQTT_V5 : MQTT_V311;
    return true;
}

static bool read_connect(struct mqtt_in *in, struct mqtt_packet *p) {
    if (!read_level(in)) return false;
    size_t at = in->c.at;
    uint8_t flags = cursor_u8(&in->c);
    p->keep_alive_s = cursor_u16_be(&in->c);
    if (in->c.is_broken) return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 3.1.2.3, MQTT3 3.1.2.3: the packet ends early");
    if (!check_connect_flags(in, flags, at)) return false;
    p->clean_start = flags & 2;
    p->has_will = flags & 4;
    if (!mqtt_read_properties(in, MQTT_CONNECT, &p->properties)) return false;
    at = in->c.at;
    if (!mqtt_read_text(in, &p->client_id)) return false;
    if (in->level == MQTT_V311 && !p->client_id.len && !p->clean_start)
        return mqtt_bad(in, at, MQTT_BAD_CLIENT_ID, "MQTT3 3.1.3.1: no client id, and a session that stays");
    if (p->has_will && !read_will(in, flags, &p->will)) return false;
    if (flags & 0x80 && !mqtt_read_text(in, &p->user)) return false;
    return !(flags & 0x40) || mqtt_read_binary(in, &p->password);
}

/* ---- the others ---- */

static bool read_connack(struct mqtt_in *in, struct mqtt_packet *p) {
    size_t at = in->c.at;
    uint8_t flags = cursor_u8(&in->c);
    p->reason = cursor_u8(&in->c);
    if (in->c.is_broken || flags > 1)
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 3.2.2.1, MQTT3 3.2.2.1: flags of CONNACK");
    p->session_present = flags;
    if (!check_reason(in, p, at + 1)) return false;
    if (flags && p->reason)
        return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 3.2.2.1.1, MQTT3 3.2.2.2: a refused client has a session");
    return mqtt_read_properties(in, MQTT_CONNACK, &p->properties);
}

/* PUBLISH (3.3): topic; identifier with QoS 1 and 2; properties (5.0); the rest is payload. */
static bool read_publish(struct mqtt_in *in, struct mqtt_packet *p) {
    struct mqtt_property alias;
    size_t at = in->c.at;
    if (!mqtt_read_text(in, &p->topic)) return false;
    if (p->topic.len ? !mqtt_topic_is_name(p->topic) : in->level != MQTT_V5)
        return mqtt_bad(in, at, MQTT_BAD_TOPIC, "MQTT5 3.3.2.1, MQTT3 3.3.2.1: the topic is no topic name");
    if (p->qos && !read_id(in, p)) return false;
    if (!mqtt_read_properties(in, MQTT_PUBLISH, &p->properties)) return false;
    if (!p->topic.len && !mqtt_property_find(p->properties, MQTT_TOPIC_ALIAS, &alias))
        return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 3.3.2.1: neither a topic nor an alias");
    p->payload = cursor_bytes(&in->c, cursor_left(&in->c));
    return true;
}

/* PUBACK, PUBREC, PUBREL, PUBCOMP (3.4..3.7): identifier; 5.0: reason and properties, which may be left out from
 * behind.  DISCONNECT and AUTH (3.14, 3.15) are the same without the identifier. */
static bool read_ack(struct mqtt_in *in, struct mqtt_packet *p) {
    bool has_id = p->type != MQTT_DISCONNECT && p->type != MQTT_AUTH;
    if (has_id && !read_id(in, p)) return false;
    if (in->level != MQTT_V5 || !cursor_left(&in->c)) return true;
    size_t at = in->c.at;
    p->reason = cursor_u8(&in->c);
    if (!check_reason(in, p, at)) return false;
    return !cursor_left(&in->c) || mqtt_read_properties(in, p->type, &p->properties);
}

static bool read_filter(struct mqtt_in *in, enum mqtt_type type, struct mqtt_filter *f) {
    size_t at = in->c.at;
    *f = (struct mqtt_filter){0};
    if (!mqtt_read_text(in, &f->filter)) return false;
    if (!mqtt_topic_is_filter(f->filter, in->level))
        return mqtt_bad(in, at, MQTT_BAD_FILTER, "MQTT5 4.7.1, MQTT3 4.7.1: no topic filter");
    if (type == MQTT_UNSUBSCRIBE) return true;
    at = in->c.at;
    uint8_t options = cursor_u8(&in->c);
    f->qos = options & 3;
    f->no_local = options & 4;
    f->retain_as_published = options & 8;
    f->retain_handling = options >> 4 & 3;
    bool reserved = in->level == MQTT_V5 ? options & 0xc0 : options & 0xfc;
    if (in->c.is_broken || reserved || f->qos == 3)
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 3.8.3.1, MQTT3 3.8.3: options of a subscription");
    if (f->retain_handling == 3 || (f->no_local && mqtt_topic_is_shared(f->filter)))
        return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 3.8.3.1: options of a subscription exclude each other");
    return true;
}

static bool read_filters(struct mqtt_in *in, struct mqtt_packet *p) {
    if (!read_id(in, p) || !mqtt_read_properties(in, p->type, &p->properties)) return false;
    size_t at = in->c.at;
    p->list = (struct bytes){in->c.in.ptr + at, cursor_left(&in->c)};
    if (!p->list.len)
        return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR,
                        "MQTT5 3.8.3 and 3.10.3, MQTT3 3.8.3 and 3.10.3: not one topic filter");
    while (cursor_left(&in->c)) {
        struct mqtt_filter f;
        if (!read_filter(in, p->type, &f)) return false;
    }
    return true;
}

static bool read_codes(struct mqtt_in *in, struct mqtt_packet *p) {
    if (!read_id(in, p) || !mqtt_read_properties(in, p->type, &p->properties)) return false;
    size_t at = in->c.at, n = cursor_left(&in->c);
    if (p->type == MQTT_UNSUBACK && in->level != MQTT_V5) return true; /* 3.1.1, 3.11.3: no payload */
    p->list = cursor_bytes(&in->c, n);
    if (!n) return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 3.9.3 and 3.11.3, MQTT3 3.9.3: not one reason code");
    for (size_t i = 0; i < n; i++)
        if (!mqtt_reason_is_of(p->type, in->level, p->list.ptr[i]))
            return mqtt_bad(in, at + i, MQTT_PROTOCOL_ERROR, "MQTT5 2.4, MQTT3 3.9.3: a reason code of another packet");
    return true;
}

static bool read_body(struct mqtt_in *in, struct mqtt_packet *p) {
    switch (p->type) {
    case MQTT_CONNECT: return read_connect(in, p);
    case MQTT_CONNACK: return read_connack(in, p);
    case MQTT_PUBLISH: return read_publish(in, p);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_DISCONNECT: return read_ack(in, p);
    case MQTT_AUTH:
        if (in->level != MQTT_V5) return mqtt_bad(in, 0, MQTT_MALFORMED, "MQTT3 2.2.1: the type of packet is reserved");
        return read_ack(in, p);
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE: return read_filters(in, p);
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: return read_codes(in, p);
    case MQTT_PINGREQ:
    case MQTT_PINGRESP: return true;
    }
    return false;
}

bool mqtt_decode(struct bytes whole, enum mqtt_level level, struct mqtt_packet *ret, struct mqtt_fault *reterr) {
    struct mqtt_in in = {cursor_of(whole), level, reterr};
    struct mqtt_fault in_length;
    size_t len;
    enum frame f = mqtt_frame(whole, MQTT_PACKET_MAX, &len, reterr);
    if (f == FRAME_SKIP) return false;
    if (f == FRAME_SHORT || len != whole.len)
        return mqtt_bad(&in, whole.len > 1, MQTT_MALFORMED, "MQTT5 2.1.4, MQTT3 2.2.3: the length is not the packet's");
    uint8_t first = cursor_u8(&in.c);
    uint32_t left;
    struct mqtt_in head = in;
    head.fault = &in_length;
    bool is_shortest = mqtt_read_varint(&head, &left); /* 3.1.1 has no rule about longer forms */
    while (cursor_u8(&in.c) & 0x80) continue;
    struct mqtt_packet p = {.type = (enum mqtt_type)(first >> 4)};
    if (p.type == MQTT_PUBLISH) {
        p.dup = first & 8;
        p.qos = first >> 1 & 3;
        p.retain = first & 1;
    }
    if (!read_body(&in, &p)) return false;
    if (cursor_left(&in.c))
        return mqtt_bad(&in, in.c.at, MQTT_MALFORMED,
                        "MQTT5 2.1.4, MQTT3 2.2.3: something stands behind the packet's fields");
    if (in.level == MQTT_V5 && !is_shortest) {
        *reterr = in_length;
        return false;
    }
    p.level = in.level;
    *ret = p;
    return true;
}

bool mqtt_filter_next(const struct mqtt_packet *p, struct bytes *rest, struct mqtt_filter *ret) {
    struct mqtt_fault ignored;
    struct mqtt_in in = {cursor_of(*rest), p->level, &ignored};
    if (!rest->len || !read_filter(&in, p->type, ret)) return false;
    *rest = (struct bytes){rest->ptr + in.c.at, rest->len - in.c.at};
    return true;
}
