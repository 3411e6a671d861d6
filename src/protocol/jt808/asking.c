/* What terminals are asked and told, and what answers it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/jt808/jt808_internal.h"

#include "base/gb18030.h"

#include <string.h>

#define SERVER 0x0013 /* its address, as text */
#define PORT   0x0018
#define SHOWN  0x0c /* flags of 8300: on the screen, and read aloud */
#define NOTICE 1    /* kind of text, which 8300 has in 2019 */

/* Commands without a value. */
static const struct command {
    const char *item;
    uint16_t message;
    uint8_t control; /* of 8105 */
} commands[] = {{"locate", JT808_LOCATE, 0},
                {"power_off", JT808_CONTROL, 3},
                {"restart", JT808_CONTROL, 4},
                {"factory_reset", JT808_CONTROL, 5}};

static const struct command *command_of(struct str item) {
    for (size_t i = 0; i < COUNT(commands); i++)
        if (str_is(item, commands[i].item)) return &commands[i];
    return NULL;
}

static const struct jt808_parameter *parameter_of(struct str item) {
    for (size_t i = 0; i < jt808_parameters_n; i++)
        if (str_is(item, jt808_parameters[i].item)) return &jt808_parameters[i];
    return NULL;
}

/* Which message asks for the item; 0: there is no such item, or not with (or without) a value. */
static uint16_t message_for(const struct question *q) {
    const struct command *c = command_of(q->item);
    if (c) return q->value.len ? 0 : c->message;
    if (parameter_of(q->item)) return q->value.ptr ? JT808_SET_PARAMETERS : JT808_GET_PARAMETERS;
    if (!q->value.len) return 0;
    return str_is(q->item, "text") ? JT808_TEXT : str_is(q->item, "server") ? JT808_SET_PARAMETERS : 0;
}

/* ---- bodies ---- */

static bool put_number(const struct jt808_parameter *p, struct str value, struct buf *out) {
    int64_t v;
    if (!str_to_i64(value, &v) || v < 0 || v > UINT32_MAX) return false;
    cursor_put_be(out, 1, 1);
    cursor_put_be(out, p->id, 4);
    cursor_put_be(out, 4, 1);
    cursor_put_be(out, (uint64_t)v, 4);
    return true;
}

static bool put_server(struct str value, struct buf *out) { /* host:port */
    struct str host;
    int64_t port;
    (void)str_cut(&value, ':', &host);
    if (!value.ptr || !host.len || host.len > 100 || !str_to_i64(value, &port) || port < 1 || port > 65535)
        return false;
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= ' ' || host.ptr[i] > '~') return false;
    cursor_put_be(out, 2, 1);
    cursor_put_be(out, SERVER, 4);
    cursor_put_be(out, host.len, 1);
    buf_str(out, host);
    cursor_put_be(out, PORT, 4);
    cursor_put_be(out, 4, 1);
    cursor_put_be(out, (uint64_t)port, 4);
    return true;
}

static bool put_body(const struct question *q, uint16_t message, struct buf *out) {
    switch (message) {
    case JT808_LOCATE:
    case JT808_GET_PARAMETERS: return true;
    case JT808_CONTROL: buf_char(out, (char)command_of(q->item)->control); return true;
    case JT808_SET_PARAMETERS:
        return parameter_of(q->item) ? put_number(parameter_of(q->item), q->value, out) : put_server(q->value, out);
    case JT808_TEXT:
        buf_char(out, SHOWN);
        if (q->address.len == JT808_DIGITS_19) buf_char(out, NOTICE);
        return gb18030_from_utf8(q->value, out);
    default: return false;
    }
}

/* An address of 12 digits is asked as 2013 has it, one of 20 as 2019 has it. */
static bool ask(const struct question *q, struct buf *out) {
    struct jt808_frame f = {.message = message_for(q), .serial = q->serial};
    char mem[JT808_BODY_MAX + 1];
    struct buf b;
    if (!f.message || q->address.len >= sizeof f.terminal) return false;
    if (q->address.len) memcpy(f.terminal, q->address.ptr, q->address.len);
    f.version = q->address.len == JT808_DIGITS_19 ? JT808_VERSION_19 : 0;
    buf_init(&b, mem, sizeof mem);
    if (!put_body(q, f.message, &b) || b.overflow) return false;
    memcpy(f.body, mem, b.len);
    f.body_n = b.len;
    return jt808_encode(&f, out);
}

/* ---- answers ---- */

static const char *why(uint8_t result) {
    static const char *const words[] = {"failed", "failed", "wrong", "unsupported"};
    return words[result < COUNT(words) ? result : JT808_FAILED];
}

/* 0001 answers whatever is told; what is asked for it only refuses, and 0104 or 0201 answer: of those in parts the
 * first, which has the serial, and what they say together is heard with the last. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    uint16_t asked = message_for(q);
    uint16_t wanted = asked == JT808_GET_PARAMETERS ? JT808_PARAMETERS
                      : asked == JT808_LOCATE       ? JT808_LOCATION_ANSWER
                                                    : JT808_ANSWER;
    struct jt808_frame f;
    struct wire_error ignored;
    if (!asked || !jt808_decode(whole, &f, &ignored) || !str_is(q->address, f.terminal) ||
        (f.message != wanted && f.message != JT808_ANSWER))
        return ANSWER_OTHER;
    if (f.parts ? f.part != 1 || f.message == JT808_ANSWER : !jt808_check(&f, jt808_body(&f), &ignored))
        return ANSWER_OTHER;
    struct cursor c = cursor_of(jt808_body(&f));
    if (cursor_u16_be(&c) != q->serial) return ANSWER_OTHER;
    if (f.message == JT808_ANSWER) {
        bool is_of_it = cursor_u16_be(&c) == asked;
        uint8_t result = cursor_u8(&c);
        if (!is_of_it || (result == JT808_OK && wanted != JT808_ANSWER)) return ANSWER_OTHER;
        if (result == JT808_OK) return ANSWER_WHOLE;
        *ret_why = why(result);
        return ANSWER_REFUSED;
    }
    if (!f.parts) buf_add(data, whole.ptr, whole.len);
    return ANSWER_WHOLE;
}

/* Of all parameters that came, those that were asked for. */
static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    const struct jt808_parameter *p = parameter_of(q->item);
    struct decoded all;
    *ret = (struct decoded){.sender = q->address};
    if (!data.len) return true;
    if (!jt808_codec.decode(data, a, &all, reterr)) return false;
    for (size_t i = 0; p && i < all.readings_n; i++) {
        if (!str_is(all.readings[i].metric, p->item)) continue;
        ret->readings = &all.readings[i];
        ret->readings_n = 1;
    }
    if (!p) *ret = all;
    return true;
}

const struct asking jt808_asking = {ask, answers, understand};
