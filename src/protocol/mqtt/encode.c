/* MQTT packets to bytes.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt_internal.h"

#include <string.h>

#define HEAD_MAX 5 /* the fixed header */

static void put_properties(struct buf *out, const struct mqtt_packet *p, struct bytes properties) {
    if (p->level != MQTT_V5) return;
    mqtt_put_varint(out, (uint32_t)properties.len);
    buf_add(out, properties.ptr, properties.len);
}

static struct str text_of(struct bytes b) {
    return (struct str){(const char *)b.ptr, b.len};
}

static void put_connect(struct buf *out, const struct mqtt_packet *p) {
    const struct mqtt_will *w = &p->will;
    unsigned flags = (p->clean_start ? 2u : 0u) | (p->user.ptr ? 0x80u : 0u) | (p->password.ptr ? 0x40u : 0u);
    if (p->has_will) flags |= 4u | (unsigned)w->qos << 3 | (w->retain ? 0x20u : 0u);
    mqtt_put_text(out, S("MQTT"));
    buf_char(out, (char)p->level);
    buf_char(out, (char)(uint8_t)flags);
    cursor_put_be(out, p->keep_alive_s, 2);
    put_properties(out, p, p->properties);
    mqtt_put_text(out, p->client_id);
    if (p->has_will) {
        put_properties(out, p, w->properties);
        mqtt_put_text(out, w->topic);
        mqtt_put_text(out, text_of(w->payload));
    }
    if (p->user.ptr) mqtt_put_text(out, p->user);
    if (p->password.ptr) mqtt_put_text(out, text_of(p->password));
}

/* Reason and properties are left out from behind where they say nothing (5.0, 3.4.2.1 and 3.14.2.1). */
static void put_reason(struct buf *out, const struct mqtt_packet *p) {
    if (p->level != MQTT_V5 || (!p->reason && !p->properties.len)) return;
    buf_char(out, (char)p->reason);
    if (p->properties.len) put_properties(out, p, p->properties);
}

static void put_body(struct buf *out, const struct mqtt_packet *p) {
    switch (p->type) {
    case MQTT_CONNECT: put_connect(out, p); return;
    case MQTT_CONNACK:
        buf_char(out, p->session_present);
        buf_char(out, (char)p->reason);
        put_properties(out, p, p->properties);
        return;
    case MQTT_PUBLISH:
        mqtt_put_text(out, p->topic);
        if (p->qos) cursor_put_be(out, p->id, 2);
        put_properties(out, p, p->properties);
        buf_add(out, p->payload.ptr, p->payload.len);
        return;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        cursor_put_be(out, p->id, 2);
        put_reason(out, p);
        return;
    case MQTT_DISCONNECT:
    case MQTT_AUTH: put_reason(out, p); return;
    case MQTT_SUBSCRIBE:
    case MQTT_SUBACK:
    case MQTT_UNSUBSCRIBE:
    case MQTT_UNSUBACK:
        cursor_put_be(out, p->id, 2);
        put_properties(out, p, p->properties);
        buf_add(out, p->list.ptr, p->list.len);
        return;
    case MQTT_PINGREQ:
    case MQTT_PINGRESP: return;
    }
}

static unsigned flags_of(const struct mqtt_packet *p) {
    if (p->type == MQTT_PUBLISH) return (p->dup ? 8u : 0u) | (unsigned)p->qos << 1 | p->retain;
    return p->type == MQTT_PUBREL || p->type == MQTT_SUBSCRIBE || p->type == MQTT_UNSUBSCRIBE ? 2 : 0;
}

bool mqtt_encode(const struct mqtt_packet *p, struct buf *out) {
    size_t from = out->len;
    bool was_full = out->overflow;
    buf_add(out, "\0\0\0\0", HEAD_MAX);
    put_body(out, p);
    size_t n = out->len - from - HEAD_MAX, head;
    if (out->overflow || n > MQTT_VARINT_MAX) {
        if (!was_full) out->len = from;
        return false;
    }
    char *at = out->ptr + from;
    struct buf b;
    char first[HEAD_MAX + 1];
    buf_init(&b, first, sizeof first);
    buf_char(&b, (char)(uint8_t)((unsigned)p->type << 4 | flags_of(p)));
    mqtt_put_varint(&b, (uint32_t)n);
    head = b.len;
    memcpy(at, first, head);
    memmove(at + head, at + HEAD_MAX, n);
    out->len = from + head + n;
    out->ptr[out->len] = 0;
    return true;
}

void mqtt_filter_put(struct buf *out, enum mqtt_type type, const struct mqtt_filter *f) {
    mqtt_put_text(out, f->filter);
    if (type != MQTT_SUBSCRIBE) return;
    buf_char(out, (char)(uint8_t)(f->qos | (f->no_local ? 4u : 0u) | (f->retain_as_published ? 8u : 0u) |
                                  (unsigned)f->retain_handling << 4));
}
