/* What watches are told, and what confirms it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch_internal.h"

#include "base/utf8.h"

#include <string.h>

#define TEXT_MAX      200 /* characters */
#define ADDRESS_CHARS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"

/* What the value of a question is. */
enum form { ALONE /* there is none */, NUMBER, PHONE, TEXT, SWITCHES, ZONE, SERVER };

/* Arguments are as makers' papers have them, which differ: what a model does not know it does not answer. */
static const struct command {
    const char *item, *word;
    enum form form;
    int32_t low, high;
} commands[] = {
    {"locate", "CR", ALONE, 0, 0},
    {"interval", "UPLOAD", NUMBER, 10, 65535}, /* seconds between positions */
    {"sos_1", "SOS1", PHONE, 0, 0},
    {"sos_2", "SOS2", PHONE, 0, 0},
    {"sos_3", "SOS3", PHONE, 0, 0},
    {"center", "CENTER", PHONE, 0, 0},
    {"find", "FIND", ALONE, 0, 0},
    {"text", "MESSAGE", TEXT, 0, 0},
    {"heart_rate_interval", "hrtstart", NUMBER, 0, 65535}, /* seconds; 1: once, 0: never */
    {"measure_temperature", "bodytemp2", ALONE, 0, 0},
    {"fall_detection", "FALLDOWN", SWITCHES, 0, 0}, /* "1,0": on, and no call */
    {"fall_sensitivity", "LSSET", NUMBER, 0, 9},
    {"language_and_zone", "LZ", ZONE, 0, 0}, /* "1,8": the maker's number of a language, hours east */
    {"server", "IP", SERVER, 0, 0},          /* "host:port" */
    {"restart", "RESET", ALONE, 0, 0},
    {"power_off", "POWEROFF", ALONE, 0, 0},
};

static const struct command *command_of(struct str item) {
    for (size_t i = 0; i < COUNT(commands); i++)
        if (str_is(item, commands[i].item)) return &commands[i];
    return NULL;
}

/* ---- values: what goes into a frame is looked at first, so that no value ends it or adds a field ---- */

static bool are_of(struct str s, const char *chars, size_t n) {
    for (size_t i = 0; i < s.len; i++)
        if (!memchr(chars, s.ptr[i], n)) return false;
    return s.len;
}

static bool are_digits(struct str s) {
    return are_of(s, ADDRESS_CHARS, 10);
}

static bool put_number(struct str value, int64_t low, int64_t high, struct buf *out) {
    int64_t v;
    if (!str_to_i64(value, &v) || v < low || v > high) return false;
    buf_i64(out, v);
    return true;
}

static bool put_phone(struct str value, struct buf *out) { /* none: the number is taken away */
    struct str digits = str_starts(value, S("+")) ? str_from(value, 1) : value;
    if (value.len > 20 || (value.len && !are_digits(digits))) return false;
    buf_str(out, value);
    return true;
}

/* UCS-2 as hex, which has no place for what lies beyond U+FFFF. */
static bool put_text(struct str value, struct buf *out) {
    int32_t code;
    size_t at = 0;
    if (!value.len || !utf8_is_valid(value) || utf8_count(value) > TEXT_MAX) return false;
    while ((code = utf8_next(value, &at)) >= 0) {
        if (code > 0xffff) return false;
        buf_fmt(out, "%04X", (unsigned)code);
    }
    return true;
}

static bool put_two(struct str value, bool is_zone, struct buf *out) {
    struct str first;
    double zone;
    (void)str_cut(&value, ',', &first);
    if (!value.ptr || !put_number(first, 0, is_zone ? 99 : 1, out)) return false;
    buf_char(out, ',');
    if (!is_zone) return put_number(value, 0, 1, out);
    if (value.len > 6 || !str_to_f64(value, &zone) || zone < -12 || zone > 14) return false;
    buf_str(out, value);
    return true;
}

static bool put_server(struct str value, struct buf *out) {
    struct str host;
    (void)str_cut(&value, ':', &host);
    if (!value.ptr || host.len > 100 || !are_of(host, ADDRESS_CHARS, sizeof ADDRESS_CHARS - 1)) return false;
    buf_str(out, host);
    buf_char(out, ',');
    return put_number(value, 1, 65535, out);
}

static bool put_value(const struct command *c, struct str value, struct buf *out) {
    if (c->form == ALONE || !value.ptr) return c->form == ALONE && !value.len;
    buf_char(out, ',');
    switch (c->form) {
    case NUMBER: return put_number(value, c->low, c->high, out);
    case PHONE: return put_phone(value, out);
    case TEXT: return put_text(value, out);
    case SWITCHES: return put_two(value, false, out);
    case ZONE: return put_two(value, true, out);
    case SERVER: return put_server(value, out);
    case ALONE: break;
    }
    return false;
}

/* ---- asking ---- */

/* The key is the maker's two characters, which watches of that maker want to hear; absent: 3G.  Those of ZJ number
 * their frames. */
static bool ask(const struct question *q, struct buf *out) {
    const struct command *c = command_of(q->item);
    struct str maker = q->key.len ? q->key : S("3G");
    char content[4 * TEXT_MAX + 16], serial[8];
    struct buf b, s;
    if (!c || (q->address.len != 10 && q->address.len != 15) || !are_digits(q->address)) return false;
    if (maker.len != 2 || !are_of(maker, ADDRESS_CHARS, 62)) return false;
    buf_init(&b, content, sizeof content);
    buf_init(&s, serial, sizeof serial);
    buf_cstr(&b, c->word);
    if (!put_value(c, q->value, &b) || b.overflow) return false;
    buf_fmt(&s, "%04X", (unsigned)q->serial);
    watch_encode(&(struct watch_frame){.maker = maker,
                                       .id = q->address,
                                       .serial = str_is(maker, "ZJ") ? (struct str){serial, s.len} : (struct str){0},
                                       .content = {content, b.len}},
                 out);
    return true;
}

/* A watch repeats the command.  To where it is, it may answer with its position at once. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    const struct command *c = command_of(q->item);
    struct watch_frame f;
    struct wire_error ignored;
    (void)ret_why;
    if (!c || !watch_decode(whole, &f, &ignored) || !f.maker.ptr || !str_eq(f.id, q->address)) return ANSWER_OTHER;
    if (watch_is(f.command, c->word)) return ANSWER_WHOLE;
    if (!str_is(q->item, "locate") || !str_starts(f.command, S("UD")) || str_is(f.command, "UD2")) return ANSWER_OTHER;
    buf_add(data, whole.ptr, whole.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    *ret = (struct decoded){.sender = q->address};
    return !data.len || watch_codec.decode(data, a, ret, reterr);
}

const struct asking watch_asking = {ask, answers, understand};
