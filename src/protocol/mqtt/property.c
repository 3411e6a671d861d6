/* MQTT 5.0 properties, and the texts and numbers they are made of.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "protocol/mqtt/mqtt_internal.h"

#include <string.h>

/* ---- data (5.0, 1.5) ---- */

bool mqtt_bad(struct mqtt_in *in, size_t at, enum mqtt_reason reason, const char *rule) {
    *in->fault = (struct mqtt_fault){rule, at, reason};
    return false;
}

static bool ends(struct mqtt_in *in) {
    return mqtt_bad(in, in->c.in.len, MQTT_MALFORMED, "MQTT5 2.1.4, MQTT3 2.2.3: the packet ends inside a field");
}

/* 7 bits a byte, low ones first; the high bit says that more follow. */
static bool take_varint(struct cursor *c, uint32_t *ret, bool *ret_is_shortest) {
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t byte = cursor_u8(c);
        if (c->is_broken) return false;
        v |= (uint32_t)(byte & 0x7f) << 7 * i;
        if (byte & 0x80) continue;
        *ret = v;
        *ret_is_shortest = i == 0 || byte;
        return true;
    }
    return false;
}

bool mqtt_read_varint(struct mqtt_in *in, uint32_t *ret) {
    size_t at = in->c.at;
    bool is_shortest = true;
    if (!take_varint(&in->c, ret, &is_shortest)) {
        if (in->c.is_broken) return ends(in);
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 1.5.5: a number has more than four bytes");
    }
    return is_shortest || mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 1.5.5: a number is not written in its shortest form");
}

bool mqtt_read_binary(struct mqtt_in *in, struct bytes *ret) {
    uint16_t n = cursor_u16_be(&in->c);
    *ret = cursor_bytes(&in->c, n);
    return !in->c.is_broken || ends(in);
}

bool mqtt_read_text(struct mqtt_in *in, struct str *ret) {
    struct bytes b;
    size_t at = in->c.at + 2;
    if (!mqtt_read_binary(in, &b)) return false;
    *ret = (struct str){(const char *)b.ptr, b.len};
    return utf8_is_valid(*ret) ||
           mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 1.5.4, MQTT3 1.5.3: a text is no UTF-8, or holds U+0000");
}

size_t mqtt_varint_size(uint32_t v) {
    return v < 1u << 7 ? 1 : v < 1u << 14 ? 2 : v < 1u << 21 ? 3 : 4;
}

void mqtt_put_varint(struct buf *out, uint32_t v) {
    for (size_t i = mqtt_varint_size(v); i > 0; i--, v >>= 7)
        buf_char(out, (char)(uint8_t)((v & 0x7f) | (i > 1 ? 0x80u : 0)));
}

void mqtt_put_text(struct buf *out, struct str s) {
    if (s.len > MQTT_TEXT_MAX) {
        out->overflow = true;
        return;
    }
    cursor_put_be(out, s.len, 2);
    buf_str(out, s);
}

/* ---- properties (5.0, 2.2.2.2: table of identifiers) ---- */

#define IN(type) (1u << MQTT_##type)
#define ACKS     (IN(PUBACK) | IN(PUBREC) | IN(PUBREL) | IN(PUBCOMP) | IN(SUBACK) | IN(UNSUBACK))
#define BOTH     (IN(PUBLISH) | IN(WILL))
#define ALL      (IN(CONNECT) | IN(CONNACK) | BOTH | ACKS | IN(SUBSCRIBE) | IN(UNSUBSCRIBE) | IN(DISCONNECT) | IN(AUTH))

static const struct row {
    const char *name;
    enum mqtt_form form;
    uint16_t where; /* bits: types of packets, bit 0: will */
    bool not_zero;  /* 0 is a protocol error (in the property's own clause) */
} rows[MQTT_PROPERTIES] = {
    [MQTT_PAYLOAD_FORMAT] = {"payload_format", MQTT_FLAG, BOTH},
    [MQTT_MESSAGE_EXPIRY] = {"message_expiry", MQTT_U32, BOTH},
    [MQTT_CONTENT_TYPE] = {"content_type", MQTT_TEXT, BOTH},
    [MQTT_RESPONSE_TOPIC] = {"response_topic", MQTT_TEXT, BOTH},
    [MQTT_CORRELATION_DATA] = {"correlation_data", MQTT_BINARY, BOTH},
    [MQTT_SUBSCRIPTION_ID] = {"subscription_id", MQTT_VARINT, IN(PUBLISH) | IN(SUBSCRIBE), true},
    [MQTT_SESSION_EXPIRY] = {"session_expiry", MQTT_U32, IN(CONNECT) | IN(CONNACK) | IN(DISCONNECT)},
    [MQTT_ASSIGNED_CLIENT_ID] = {"assigned_client_id", MQTT_TEXT, IN(CONNACK)},
    [MQTT_SERVER_KEEP_ALIVE] = {"server_keep_alive", MQTT_U16, IN(CONNACK)},
    [MQTT_AUTH_METHOD] = {"auth_method", MQTT_TEXT, IN(CONNECT) | IN(CONNACK) | IN(AUTH)},
    [MQTT_AUTH_DATA] = {"auth_data", MQTT_BINARY, IN(CONNECT) | IN(CONNACK) | IN(AUTH)},
    [MQTT_REQUEST_PROBLEM_INFO] = {"request_problem_info", MQTT_FLAG, IN(CONNECT)},
    [MQTT_WILL_DELAY] = {"will_delay", MQTT_U32, IN(WILL)},
    [MQTT_REQUEST_RESPONSE_INFO] = {"request_response_info", MQTT_FLAG, IN(CONNECT)},
    [MQTT_RESPONSE_INFO] = {"response_info", MQTT_TEXT, IN(CONNACK)},
    [MQTT_SERVER_REFERENCE] = {"server_reference", MQTT_TEXT, IN(CONNACK) | IN(DISCONNECT)},
    [MQTT_REASON_STRING] = {"reason_string", MQTT_TEXT, IN(CONNACK) | ACKS | IN(DISCONNECT) | IN(AUTH)},
    [MQTT_RECEIVE_MAXIMUM] = {"receive_maximum", MQTT_U16, IN(CONNECT) | IN(CONNACK), true},
    [MQTT_TOPIC_ALIAS_MAXIMUM] = {"topic_alias_maximum", MQTT_U16, IN(CONNECT) | IN(CONNACK)},
    [MQTT_TOPIC_ALIAS] = {"topic_alias", MQTT_U16, IN(PUBLISH), true},
    [MQTT_MAXIMUM_QOS] = {"maximum_qos", MQTT_FLAG, IN(CONNACK)},
    [MQTT_RETAIN_AVAILABLE] = {"retain_available", MQTT_FLAG, IN(CONNACK)},
    [MQTT_USER_PROPERTY] = {"user", MQTT_PAIR, ALL},
    [MQTT_MAXIMUM_PACKET_SIZE] = {"maximum_packet_size", MQTT_U32, IN(CONNECT) | IN(CONNACK), true},
    [MQTT_WILDCARD_AVAILABLE] = {"wildcard_available", MQTT_FLAG, IN(CONNACK)},
    [MQTT_SUBSCRIPTION_ID_AVAILABLE] = {"subscription_id_available", MQTT_FLAG, IN(CONNACK)},
    [MQTT_SHARED_AVAILABLE] = {"shared_available", MQTT_FLAG, IN(CONNACK)},
};

enum mqtt_form mqtt_property_form(uint8_t id) {
    return id < MQTT_PROPERTIES ? rows[id].form : MQTT_NO_FORM;
}

const char *mqtt_property_name(uint8_t id) {
    return id < MQTT_PROPERTIES ? rows[id].name : NULL;
}

static bool read_value(struct mqtt_in *in, struct mqtt_property *p) {
    struct bytes b;
    switch (rows[p->id].form) {
    case MQTT_NO_FORM: return false;
    case MQTT_FLAG: p->number = cursor_u8(&in->c); break;
    case MQTT_U16: p->number = cursor_u16_be(&in->c); break;
    case MQTT_U32: p->number = cursor_u32_be(&in->c); break;
    case MQTT_VARINT: return mqtt_read_varint(in, &p->number);
    case MQTT_TEXT: return mqtt_read_text(in, &p->text);
    case MQTT_BINARY:
        if (!mqtt_read_binary(in, &b)) return false;
        p->text = (struct str){(const char *)b.ptr, b.len};
        return true;
    case MQTT_PAIR: return mqtt_read_text(in, &p->key) && mqtt_read_text(in, &p->text);
    }
    return !in->c.is_broken || ends(in);
}

/* Identifier and value.  The identifier is a varint of which the standard uses one byte. */
static bool read_property(struct mqtt_in *in, struct mqtt_property *ret) {
    size_t at = in->c.at;
    uint32_t id;
    if (!mqtt_read_varint(in, &id)) return false;
    if (id >= MQTT_PROPERTIES || !rows[id].form)
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 2.2.2.2: no such property");
    *ret = (struct mqtt_property){.id = (uint8_t)id};
    return read_value(in, ret);
}

static bool check_property(struct mqtt_in *in, size_t at, const struct mqtt_property *p, unsigned where,
                           uint64_t *seen) {
    const struct row *row = &rows[p->id];
    bool repeats = p->id == MQTT_USER_PROPERTY || (p->id == MQTT_SUBSCRIPTION_ID && where == MQTT_PUBLISH);
    if (!(row->where >> where & 1))
        return mqtt_bad(in, at, MQTT_MALFORMED, "MQTT5 2.2.2.2: a property of another packet");
    if (*seen & MQTT_BIT(p->id) && !repeats)
        return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2: a property stands twice");
    *seen |= MQTT_BIT(p->id);
    if (row->form == MQTT_FLAG && p->number > 1)
        return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2: a property is neither 0 nor 1");
    if (row->not_zero && !p->number)
        return mqtt_bad(in, at, p->id == MQTT_TOPIC_ALIAS ? MQTT_BAD_ALIAS : MQTT_PROTOCOL_ERROR,
                        "MQTT5 2.2.2: a property may not be 0");
    if (p->id == MQTT_RESPONSE_TOPIC && !mqtt_topic_is_name(p->text))
        return mqtt_bad(in, at, MQTT_PROTOCOL_ERROR, "MQTT5 3.3.2.3.5: the response topic is no topic name");
    return true;
}

bool mqtt_read_properties(struct mqtt_in *in, unsigned where, struct bytes *ret) {
    uint32_t n;
    uint64_t seen = 0;
    size_t from = in->c.at;
    *ret = (struct bytes){NULL, 0};
    if (in->level != MQTT_V5) return true;
    if (!mqtt_read_varint(in, &n)) return false;
    struct mqtt_in sub = *in; /* its end is the properties' end */
    if (n > cursor_left(&in->c)) return ends(in);
    sub.c.in.len = in->c.at + n;
    *ret = cursor_bytes(&in->c, n);
    while (cursor_left(&sub.c)) {
        struct mqtt_property p;
        size_t at = sub.c.at;
        if (!read_property(&sub, &p) || !check_property(&sub, at, &p, where, &seen)) return false;
    }
    if (seen & MQTT_BIT(MQTT_AUTH_DATA) && !(seen & MQTT_BIT(MQTT_AUTH_METHOD)))
        return mqtt_bad(in, from, MQTT_PROTOCOL_ERROR, "MQTT5 3.1.2.11.10: authentication data without a method");
    return true;
}

bool mqtt_property_next(struct bytes *rest, struct mqtt_property *ret) {
    struct mqtt_fault ignored;
    struct mqtt_in in = {cursor_of(*rest), MQTT_V5, &ignored};
    if (!rest->len || !read_property(&in, ret)) return false;
    *rest = (struct bytes){rest->ptr + in.c.at, rest->len - in.c.at};
    return true;
}

bool mqtt_property_find(struct bytes properties, uint8_t id, struct mqtt_property *ret) {
    struct mqtt_property p;
    while (mqtt_property_next(&properties, &p)) {
        if (p.id != id) continue;
        *ret = p;
        return true;
    }
    return false;
}

void mqtt_property_put(struct buf *out, const struct mqtt_property *p) {
    enum mqtt_form form = mqtt_property_form(p->id);
    if (form) buf_char(out, (char)p->id);
    switch (form) {
    case MQTT_NO_FORM: return;
    case MQTT_FLAG: cursor_put_be(out, p->number, 1); return;
    case MQTT_U16: cursor_put_be(out, p->number, 2); return;
    case MQTT_U32: cursor_put_be(out, p->number, 4); return;
    case MQTT_VARINT: mqtt_put_varint(out, p->number); return;
    case MQTT_PAIR: mqtt_put_text(out, p->key); /* fallthrough */
    case MQTT_TEXT:
    case MQTT_BINARY: mqtt_put_text(out, p->text); return;
    }
}
