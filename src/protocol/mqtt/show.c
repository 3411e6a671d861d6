/* MQTT packets as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/mqtt/mqtt_internal.h"

#include <string.h>

#define LISTED_MAX ((size_t)1 << 20) /* bytes of filters, codes or properties that make() puts together */

/* ---- show ---- */

static void show_properties(struct jw *j, struct arena *a, struct bytes rest) {
    struct mqtt_property p;
    if (!rest.len) return;
    jw_key(j, "properties"); /* a list: their order is told, and some repeat */
    jw_open(j, '[');
    while (mqtt_property_next(&rest, &p)) {
        const char *name = mqtt_property_name(p.id);
        enum mqtt_form form = mqtt_property_form(p.id);
        jw_open(j, '{');
        if (form == MQTT_BINARY) {
            frame_put_hex(j, a, name, (struct bytes){(const uint8_t *)p.text.ptr, p.text.len});
        } else if (form == MQTT_TEXT) {
            jw_kstr(j, name, p.text);
        } else if (form == MQTT_PAIR) {
            jw_key(j, name);
            jw_open(j, '[');
            jw_str(j, p.key);
            jw_str(j, p.text);
            jw_close(j, ']');
        } else {
            jw_ki64(j, name, p.number);
        }
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void show_connect(struct jw *j, struct arena *a, const struct mqtt_packet *p) {
    jw_ki64(j, "level", p->level);
    jw_kstr(j, "client_id", p->client_id);
    jw_kbool(j, "clean_start", p->clean_start);
    jw_ki64(j, "keep_alive_s", p->keep_alive_s);
    if (p->user.ptr) jw_kstr(j, "user", p->user);
    if (p->password.ptr) frame_put_bytes(j, a, "password", p->password);
    if (!p->has_will) return;
    jw_key(j, "will");
    jw_open(j, '{');
    jw_kstr(j, "topic", p->will.topic);
    frame_put_bytes(j, a, "payload", p->will.payload);
    jw_ki64(j, "qos", p->will.qos);
    jw_kbool(j, "retain", p->will.retain);
    show_properties(j, a, p->will.properties);
    jw_close(j, '}');
}

static void show_filters(struct jw *j, const struct mqtt_packet *p) {
    struct mqtt_filter f;
    struct bytes rest = p->list;
    jw_key(j, "filters");
    jw_open(j, '[');
    while (mqtt_filter_next(p, &rest, &f)) {
        jw_open(j, '{');
        jw_kstr(j, "filter", f.filter);
        if (p->type == MQTT_SUBSCRIBE) jw_ki64(j, "qos", f.qos);
        if (f.no_local) jw_kbool(j, "no_local", true);
        if (f.retain_as_published) jw_kbool(j, "retain_as_published", true);
        if (f.retain_handling) jw_ki64(j, "retain_handling", f.retain_handling);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void show_body(struct jw *j, struct arena *a, const struct mqtt_packet *p) {
    switch (p->type) {
    case MQTT_CONNECT: show_connect(j, a, p); return;
    case MQTT_CONNACK: jw_kbool(j, "session_present", p->session_present); /* fallthrough */
    case MQTT_DISCONNECT:
    case MQTT_AUTH: jw_ki64(j, "reason", p->reason); return;
    case MQTT_PUBLISH:
        jw_kstr(j, "topic", p->topic);
        jw_ki64(j, "qos", p->qos);
        if (p->qos) jw_ki64(j, "id", p->id);
        if (p->dup) jw_kbool(j, "dup", true);
        if (p->retain) jw_kbool(j, "retain", true);
        frame_put_bytes(j, a, "payload", p->payload);
        return;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        jw_ki64(j, "id", p->id);
        if (p->level == MQTT_V5) jw_ki64(j, "reason", p->reason);
        return;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        jw_ki64(j, "id", p->id);
        show_filters(j, p);
        return;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
        jw_ki64(j, "id", p->id);
        if (p->type == MQTT_UNSUBACK && p->level == MQTT_V311) return;
        jw_key(j, "codes");
        jw_open(j, '[');
        for (size_t i = 0; i < p->list.len; i++) jw_i64(j, p->list.ptr[i]);
        jw_close(j, ']');
        return;
    case MQTT_PINGREQ:
    case MQTT_PINGRESP: return;
    }
}

static bool show(struct bytes whole, enum mqtt_level level, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct mqtt_packet p;
    struct mqtt_fault f;
    if (!mqtt_decode(whole, level, &p, &f)) {
        *reterr = (struct wire_error){f.rule, f.at};
        return false;
    }
    jw_open(j, '{');
    jw_kcstr(j, "type", mqtt_type_name(p.type));
    show_body(j, a, &p);
    show_properties(j, a, p.properties);
    jw_close(j, '}');
    return true;
}

/* ---- make ---- */

static uint8_t property_of(const char *name, size_t len) {
    for (uint8_t id = 1; id < MQTT_PROPERTIES; id++) {
        const char *known = mqtt_property_name(id);
        if (known && strlen(known) == len && !memcmp(known, name, len)) return id;
    }
    return 0;
}

static void make_property(struct frame_in *in, const json_t *o, struct buf *out) {
    static const int64_t most[] = {
        [MQTT_FLAG] = 1, [MQTT_U16] = UINT16_MAX, [MQTT_U32] = UINT32_MAX, [MQTT_VARINT] = MQTT_VARINT_MAX};
    struct frame_in one = frame_of(in, o);
    const char *key = json_is_object(o) ? json_object_iter_key(json_object_iter((json_t *)(uintptr_t)o)) : NULL;
    size_t len = key ? strlen(key) : 0;
    if (len > 4 && !memcmp(key + len - 4, "_hex", 4)) len -= 4;
    struct mqtt_property p = {.id = key ? property_of(key, len) : 0};
    const char *name = mqtt_property_name(p.id);
    enum mqtt_form form = mqtt_property_form(p.id);
    if (!form) {
        frame_bad(&one, key ? key : "properties", "is no property");
    } else if (form == MQTT_PAIR) {
        const json_t *pair = json_object_get(o, name);
        p.key = json_text(json_array_get(pair, 0));
        p.text = json_text(json_array_get(pair, 1));
        if (!p.key.ptr || !p.text.ptr) frame_bad(&one, name, "is no pair of texts");
    } else if (form == MQTT_TEXT || form == MQTT_BINARY) {
        struct bytes b = frame_bytes(&one, name);
        p.text = (struct str){(const char *)b.ptr, b.len};
    } else {
        p.number = (uint32_t)frame_number(&one, name, 0, most[form], -1);
    }
    frame_merge(in, &one);
    if (!in->is_bad) mqtt_property_put(out, &p);
}

/* Elements of an array member, each written by `put`, as bytes. */
typedef void put_fn(struct frame_in *in, const json_t *element, struct buf *out);
static struct bytes make_list(struct frame_in *in, const char *key, put_fn *put) {
    const json_t *list = json_object_get(in->object, key), *element;
    struct buf b;
    struct str s = S("");
    size_t i;
    buf_init_arena(&b, in->arena, LISTED_MAX);
    if (list && !json_is_array(list)) frame_bad(in, key, "is no list");
    json_array_foreach(list, i, element) put(in, element, &b);
    if (b.len && !buf_done(&b, &s)) frame_bad(in, key, "is too long");
    return (struct bytes){(const uint8_t *)s.ptr, s.len};
}

static void put_filter(struct frame_in *in, const json_t *o, struct buf *out) {
    struct frame_in one = frame_of(in, o);
    struct mqtt_filter f = {.filter = frame_text(&one, "filter"),
                            .qos = (uint8_t)frame_number(&one, "qos", 0, 2, 0),
                            .no_local = frame_flag(&one, "no_local"),
                            .retain_as_published = frame_flag(&one, "retain_as_published"),
                            .retain_handling = (uint8_t)frame_number(&one, "retain_handling", 0, 2, 0)};
    bool is_un = str_is(frame_text(in, "type"), mqtt_type_name(MQTT_UNSUBSCRIBE));
    if (!f.filter.ptr) frame_bad(&one, "filter", "is missing");
    frame_merge(in, &one);
    mqtt_filter_put(out, is_un ? MQTT_UNSUBSCRIBE : MQTT_SUBSCRIBE, &f);
}

static void put_code(struct frame_in *in, const json_t *v, struct buf *out) {
    int64_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 0 || n > 255) frame_bad(in, "codes", "are no reason codes");
    buf_char(out, (char)(uint8_t)n);
}

static void make_connect(struct frame_in *in, struct mqtt_packet *p) {
    const json_t *will = json_object_get(in->object, "will");
    p->level = frame_number(in, "level", MQTT_V311, MQTT_V5, p->level) == MQTT_V5 ? MQTT_V5 : MQTT_V311;
    p->client_id = frame_text(in, "client_id");
    p->clean_start = frame_flag(in, "clean_start");
    p->keep_alive_s = (uint16_t)frame_number(in, "keep_alive_s", 0, UINT16_MAX, 60);
    p->user = frame_text(in, "user");
    p->password = frame_bytes(in, "password");
    if (!will) return;
    struct frame_in w = frame_of(in, will);
    p->has_will = true;
    p->will = (struct mqtt_will){.topic = frame_text(&w, "topic"),
                                 .payload = frame_bytes(&w, "payload"),
                                 .properties = make_list(&w, "properties", make_property),
                                 .qos = (uint8_t)frame_number(&w, "qos", 0, 2, 0),
                                 .retain = frame_flag(&w, "retain")};
    frame_merge(in, &w);
}

static enum mqtt_type type_of(struct frame_in *in) {
    struct str name = frame_text(in, "type");
    for (int type = MQTT_CONNECT; type <= MQTT_AUTH; type++)
        if (str_is(name, mqtt_type_name((enum mqtt_type)type))) return (enum mqtt_type)type;
    frame_bad(in, "type", "is no packet's: connect, publish, subscribe ...");
    return MQTT_PINGREQ;
}

/* What is made is decoded, so that the rules stand in one place. */
static bool make(const json_t *frame, enum mqtt_level level, struct arena *a, struct buf *out,
                 struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct mqtt_packet p = {.type = type_of(&in), .level = level}, again;
    struct mqtt_fault f;
    bool is_sub = p.type == MQTT_SUBSCRIBE || p.type == MQTT_UNSUBSCRIBE;
    if (p.type == MQTT_CONNECT) make_connect(&in, &p);
    p.id = (uint16_t)frame_number(&in, "id", 0, UINT16_MAX, 0);
    p.reason = (uint8_t)frame_number(&in, "reason", 0, 255, 0);
    p.session_present = frame_flag(&in, "session_present");
    p.topic = frame_text(&in, "topic");
    p.qos = (uint8_t)frame_number(&in, "qos", 0, 2, 0);
    p.dup = frame_flag(&in, "dup");
    p.retain = frame_flag(&in, "retain");
    p.payload = frame_bytes(&in, "payload");
    p.properties = make_list(&in, "properties", make_property);
    p.list = is_sub ? make_list(&in, "filters", put_filter) : make_list(&in, "codes", put_code);
    size_t from = out->len;
    if (!in.is_bad && !mqtt_encode(&p, out)) frame_bad(&in, "packet", "is too long");
    if (in.is_bad) return false;
    if (mqtt_decode((struct bytes){(const uint8_t *)out->ptr + from, out->len - from}, p.level, &again, &f))
        return true;
    out->len = from;
    *reterr = (struct wire_error){f.rule, f.at};
    return false;
}

/* ---- the two codecs ---- */

static enum frame frame(struct bytes in, size_t *ret_len) {
    struct mqtt_fault ignored;
    enum frame f = mqtt_frame(in, MQTT_PACKET_MAX, ret_len, &ignored);
    if (f == FRAME_SKIP) *ret_len = in.len; /* nothing behind it can be trusted */
    return f;
}

static bool show_v311(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return show(whole, MQTT_V311, a, j, reterr);
}

static bool show_v5(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return show(whole, MQTT_V5, a, j, reterr);
}

static bool make_v311(const json_t *o, struct arena *a, struct buf *out, struct wire_error *reterr) {
    return make(o, MQTT_V311, a, out, reterr);
}

static bool make_v5(const json_t *o, struct arena *a, struct buf *out, struct wire_error *reterr) {
    return make(o, MQTT_V5, a, out, reterr);
}

const struct codec mqtt_codec = {.name = "mqtt",
                                 .standard = "MQTT 3.1.1 (OASIS 2014; ISO/IEC 20922:2016)",
                                 .frame_max = MQTT_PACKET_MAX,
                                 .frame = frame,
                                 .show = show_v311,
                                 .make = make_v311};
const struct codec mqtt5_codec = {.name = "mqtt5",
                                  .standard = "MQTT 5.0 (OASIS 2019)",
                                  .frame_max = MQTT_PACKET_MAX,
                                  .frame = frame,
                                  .show = show_v5,
                                  .make = make_v5};
