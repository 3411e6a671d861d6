/* Frames of JT/T 808 as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "base/gb18030.h"
#include "protocol/frame_json.h"
#include "protocol/jt808/jt808_internal.h"

#include <string.h>

#define TEXT_MAX 4096

static const struct {
    uint16_t message;
    const char *name;
} names[] = {
    {JT808_ANSWER, "answer"},
    {JT808_HEARTBEAT, "heartbeat"},
    {JT808_LOG_OUT, "log_out"},
    {JT808_REGISTER, "register"},
    {JT808_AUTHENTICATE, "authenticate"},
    {JT808_PARAMETERS, "parameters"},
    {JT808_LOCATION, "location"},
    {JT808_LOCATION_ANSWER, "location_answer"},
    {JT808_BATCH, "batch"},
    {JT808_TRANSPARENT_UP, "transparent_up"},
    {JT808_CENTRE_ANSWER, "centre_answer"},
    {JT808_RESEND, "resend"},
    {JT808_REGISTERED, "registered"},
    {JT808_SET_PARAMETERS, "set_parameters"},
    {JT808_GET_PARAMETERS, "get_parameters"},
    {JT808_CONTROL, "control"},
    {JT808_LOCATE, "locate"},
    {JT808_TEXT, "text"},
    {JT808_TRANSPARENT_DOWN, "transparent_down"},
};

const char *jt808_message_name(uint16_t message) {
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].message == message) return names[i].name;
    return NULL;
}

/* A name, or four hex digits. */
bool jt808_message_of(struct str name, uint16_t *ret) {
    unsigned v = 0;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_is(name, names[i].name)) {
            *ret = names[i].message;
            return true;
        }
    for (size_t i = 0; i < name.len; i++) {
        const char *at = strchr("0123456789ABCDEF", name.ptr[i]);
        if (!at || !*at) return false;
        v = v << 4 | (unsigned)(at - "0123456789ABCDEF");
    }
    *ret = (uint16_t)v;
    return name.len == 4;
}

/* ---- show ---- */

static void put_message(struct jw *j, const char *key, uint16_t message) {
    char hex[8];
    struct buf b;
    buf_init(&b, hex, sizeof hex);
    buf_fmt(&b, "%04X", message);
    if (jt808_message_name(message))
        jw_kcstr(j, key, jt808_message_name(message));
    else
        jw_kcstr(j, key, hex);
}

/* GBK, up to the zeros that fill its place. */
static void put_text(struct jw *j, struct arena *a, const char *key, struct bytes text) {
    struct buf b;
    struct str s = S("");
    while (text.len && !text.ptr[text.len - 1]) text.len--;
    buf_init_arena(&b, a, TEXT_MAX);
    if (gb18030_to_utf8(text, &b) && (!b.len || buf_done(&b, &s)))
        jw_kstr(j, key, s);
    else
        frame_put_hex(j, a, key, text);
}

/* Fields of 2011, 2013 and 2019 have other lengths. */
static void put_registration(struct jw *j, struct arena *a, const struct jt808_frame *f) {
    bool of_19 = strlen(f->terminal) == JT808_DIGITS_19, of_11 = !of_19 && f->body_n < 37;
    const struct {
        const char *key;
        size_t bytes;
    } parts[] = {{"maker", of_19 ? 11 : 5}, {"model", of_19 ? 30 : of_11 ? 8 : 20}, {"terminal_id", of_19 ? 30 : 7}};
    struct cursor c = cursor_of(jt808_body(f));
    jw_ki64(j, "province", cursor_u16_be(&c));
    jw_ki64(j, "city", cursor_u16_be(&c));
    for (size_t i = 0; i < COUNT(parts); i++) put_text(j, a, parts[i].key, cursor_bytes(&c, parts[i].bytes));
    jw_ki64(j, "colour", cursor_u8(&c));
    put_text(j, a, "plate", cursor_bytes(&c, cursor_left(&c)));
}

static void put_authentication(struct jw *j, struct arena *a, const struct jt808_frame *f) {
    struct cursor c = cursor_of(jt808_body(f));
    if (strlen(f->terminal) == JT808_DIGITS) {
        put_text(j, a, "code", jt808_body(f));
        return;
    }
    put_text(j, a, "code", cursor_bytes(&c, cursor_u8(&c)));
    put_text(j, a, "imei", cursor_bytes(&c, 15));
    put_text(j, a, "software", cursor_bytes(&c, 20));
}

static void put_location(struct jw *j, struct arena *a, struct bytes body) {
    struct jt808_location l;
    if (!jt808_location_of(body, &l)) return;
    int64_t s = jt808_time_s(l.time);
    struct cursor c = cursor_of(l.extras);
    struct bytes value;
    uint8_t id;
    jw_open(j, '{');
    jw_ki64(j, "alarm", l.alarm);
    jw_ki64(j, "status", l.status);
    jw_key(j, "latitude");
    jw_f64(j, l.latitude / (l.status & JT808_SOUTH ? -1e6 : 1e6));
    jw_key(j, "longitude");
    jw_f64(j, l.longitude / (l.status & JT808_WEST ? -1e6 : 1e6));
    jw_ki64(j, "altitude", l.altitude_m);
    jw_key(j, "speed");
    jw_f64(j, l.speed_dkmh / 10.0);
    jw_ki64(j, "course", l.course_deg);
    if (s)
        frame_put_time(j, "time", s);
    else
        frame_put_hex(j, a, "time", (struct bytes){l.time, sizeof l.time});
    jw_key(j, "extras");
    jw_open(j, '[');
    while (jt808_next_extra(&c, &id, &value)) {
        jw_open(j, '{');
        jw_ki64(j, "id", id);
        frame_put_hex(j, a, "value", value);
        jw_close(j, '}');
    }
    jw_close(j, ']');
    jw_close(j, '}');
}

static void put_batch(struct jw *j, struct arena *a, struct cursor c) {
    struct bytes item;
    (void)cursor_u16_be(&c);
    jw_ki64(j, "kind", cursor_u8(&c));
    jw_key(j, "locations");
    jw_open(j, '[');
    while (jt808_next_item(&c, &item)) put_location(j, a, item);
    jw_close(j, ']');
}

static void put_parameters(struct jw *j, struct arena *a, struct cursor c) {
    struct bytes value;
    uint32_t id;
    (void)cursor_u8(&c);
    jw_key(j, "parameters");
    jw_open(j, '[');
    while (jt808_next_parameter(&c, &id, &value)) {
        jw_open(j, '{');
        jw_ki64(j, "id", id);
        frame_put_hex(j, a, "value", value);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_body(struct jw *j, struct arena *a, const struct jt808_frame *f) {
    struct cursor c = cursor_of(jt808_body(f));
    uint16_t m = f->message;
    if (m == JT808_ANSWER || m == JT808_CENTRE_ANSWER || m == JT808_REGISTERED || m == JT808_PARAMETERS ||
        m == JT808_LOCATION_ANSWER)
        jw_ki64(j, "answered_serial", cursor_u16_be(&c));
    if (m == JT808_ANSWER || m == JT808_CENTRE_ANSWER) put_message(j, "answered", cursor_u16_be(&c));
    if (m == JT808_ANSWER || m == JT808_CENTRE_ANSWER || m == JT808_REGISTERED) jw_ki64(j, "result", cursor_u8(&c));
    if (m == JT808_REGISTERED) put_text(j, a, "code", cursor_bytes(&c, cursor_left(&c)));
    if (m == JT808_REGISTER) put_registration(j, a, f);
    if (m == JT808_AUTHENTICATE) put_authentication(j, a, f);
    if (m == JT808_PARAMETERS || m == JT808_SET_PARAMETERS) put_parameters(j, a, c);
    if (m == JT808_BATCH) put_batch(j, a, c);
    if (m == JT808_LOCATION || m == JT808_LOCATION_ANSWER) {
        jw_key(j, "location");
        put_location(j, a, cursor_bytes(&c, cursor_left(&c)));
    }
}

bool jt808_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct jt808_frame f;
    if (!jt808_decode(whole, &f, reterr) || !jt808_check(&f, jt808_body(&f), reterr)) return false;
    jw_open(j, '{');
    put_message(j, "message", f.message);
    jw_kcstr(j, "terminal", f.terminal);
    if (strlen(f.terminal) == JT808_DIGITS_19) jw_ki64(j, "version", f.version);
    jw_ki64(j, "serial", f.serial);
    if (f.attributes) jw_ki64(j, "attributes", f.attributes);
    if (f.parts) jw_ki64(j, "parts", f.parts);
    if (f.parts) jw_ki64(j, "part", f.part);
    if (!f.parts) put_body(j, a, &f);
    frame_put_hex(j, a, "body", jt808_body(&f));
    jw_close(j, '}');
    return true;
}

/* ---- make ---- */

/* "item" and its "value": what the terminal is asked or told. */
static bool make_question(struct frame_in *in, struct buf *out) {
    struct question q = {.address = frame_text(in, "terminal"),
                         .item = frame_text(in, "item"),
                         .value = frame_text(in, "value"),
                         .serial = (uint8_t)frame_number(in, "serial", 0, UINT8_MAX, 0)};
    if (!in->is_bad && !jt808_asking.ask(&q, out))
        frame_bad(in, "item", "is none that this terminal is asked or told, or not with this value");
    return !in->is_bad;
}

/* What is made is decoded, so that the rules stand in one place. */
bool jt808_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct jt808_frame f = {0}, again;
    size_t from = out->len;
    if (json_object_get(frame, "item")) return make_question(&in, out);
    struct str message = frame_text(&in, "message"), terminal = frame_text(&in, "terminal");
    struct bytes body = frame_bytes(&in, "body");
    if (!message.ptr || !jt808_message_of(message, &f.message))
        frame_bad(&in, "message", "is no name of one, nor four hex digits");
    if (terminal.len != JT808_DIGITS && terminal.len != JT808_DIGITS_19)
        frame_bad(&in, "terminal", "has neither 12 nor 20 digits");
    else
        memcpy(f.terminal, terminal.ptr, terminal.len);
    f.version = (uint8_t)frame_number(&in, "version", 0, UINT8_MAX, JT808_VERSION_19);
    f.serial = (uint16_t)frame_number(&in, "serial", 0, UINT16_MAX, 0);
    f.attributes = (uint16_t)frame_number(&in, "attributes", 0, UINT16_MAX, 0);
    f.parts = (uint16_t)frame_number(&in, "parts", 0, UINT16_MAX, 0);
    f.part = (uint16_t)frame_number(&in, "part", 0, UINT16_MAX, 0);
    if (body.len > JT808_BODY_MAX) frame_bad(&in, "body", "has over 1023 bytes");
    if (in.is_bad) return false;
    if (body.len) memcpy(f.body, body.ptr, body.len);
    f.body_n = body.len;
    if (!jt808_encode(&f, out)) frame_bad(&in, "terminal", "has other than digits");
    struct bytes made = {(const uint8_t *)out->ptr + from, out->len - from};
    return !in.is_bad && jt808_decode(made, &again, reterr) && jt808_check(&again, jt808_body(&again), reterr);
}
