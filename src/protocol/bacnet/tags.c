/* Tags and values of BACnet (20.2).  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 16 /* of constructed values; the standard's own are four deep */

/* ---- tags: number << 4 | context << 3 | length (20.2.1) ---- */

enum {
    LENGTH_FOLLOWS = 5,
    LENGTH_OPENING = 6,
    LENGTH_CLOSING = 7,
    NUMBER_FOLLOWS = 15,
    LENGTH_2 = 254,
    LENGTH_4 = 255
};

struct bacnet_tag bacnet_take_tag(struct cursor *c) {
    uint8_t first = cursor_u8(c);
    struct bacnet_tag t = {.number = first >> 4, .is_context = first >> 3 & 1, .len = first & 7};
    if (t.number == NUMBER_FOLLOWS) t.number = cursor_u8(c);
    if (t.is_context && t.len == LENGTH_OPENING) t.form = BACNET_OPENING;
    if (t.is_context && t.len == LENGTH_CLOSING) t.form = BACNET_CLOSING;
    if (!t.is_context && t.number == BACNET_BOOLEAN) return t;
    if (t.form != BACNET_PRIMITIVE) {
        t.len = 0;
    } else if (t.len > LENGTH_FOLLOWS) {
        c->is_broken = true;
    } else if (t.len == LENGTH_FOLLOWS) {
        t.len = cursor_u8(c);
        if (t.len == LENGTH_2)
            t.len = cursor_u16_be(c);
        else if (t.len == LENGTH_4)
            t.len = cursor_u32_be(c);
    }
    if (t.len > cursor_left(c)) c->is_broken = true;
    return t;
}

bool bacnet_next_is(const struct cursor *c, uint8_t number) {
    struct cursor ahead = *c;
    if (c->is_broken || !cursor_left(c)) return false;
    struct bacnet_tag t = bacnet_take_tag(&ahead);
    return !ahead.is_broken && t.is_context && t.number == number && t.form != BACNET_CLOSING;
}

/* Behind an opening tag, up to and with its closing one; gives what is between. */
static struct bytes take_to_closing(struct cursor *c, uint8_t number) {
    uint8_t open[DEPTH_MAX] = {number};
    size_t depth = 1, from = c->at, end = from;
    while (depth && !c->is_broken) {
        end = c->at;
        struct bacnet_tag t = bacnet_take_tag(c);
        if (t.form == BACNET_OPENING && depth == DEPTH_MAX) c->is_broken = true;
        if (t.form == BACNET_CLOSING && t.number != open[depth - 1]) c->is_broken = true;
        if (c->is_broken) break;
        if (t.form == BACNET_OPENING) open[depth++] = t.number;
        if (t.form == BACNET_CLOSING) depth--;
        if (t.form == BACNET_PRIMITIVE && (t.is_context || t.number != BACNET_BOOLEAN)) (void)cursor_bytes(c, t.len);
    }
    if (c->is_broken) return (struct bytes){NULL, 0};
    return (struct bytes){c->in.ptr + from, end - from};
}

struct bytes bacnet_take_inside(struct cursor *c, uint8_t number) {
    struct bacnet_tag t = bacnet_take_tag(c);
    if (t.form != BACNET_OPENING || t.number != number) c->is_broken = true;
    return c->is_broken ? (struct bytes){NULL, 0} : take_to_closing(c, number);
}

void bacnet_put_tag(const struct bacnet_tag *t, struct buf *out) {
    uint8_t length = (uint8_t)(t->form == BACNET_OPENING   ? LENGTH_OPENING
                               : t->form == BACNET_CLOSING ? LENGTH_CLOSING
                               : t->len < LENGTH_FOLLOWS   ? t->len
                                                           : LENGTH_FOLLOWS);
    uint8_t number = t->number < NUMBER_FOLLOWS ? t->number : NUMBER_FOLLOWS;
    buf_char(out, (char)(uint8_t)(number << 4 | t->is_context << 3 | length));
    if (number == NUMBER_FOLLOWS) buf_char(out, (char)t->number);
    if (length != LENGTH_FOLLOWS) return;
    if (t->len < LENGTH_2) {
        buf_char(out, (char)(uint8_t)t->len);
    } else {
        buf_char(out, (char)(uint8_t)(t->len <= UINT16_MAX ? LENGTH_2 : LENGTH_4));
        cursor_put_be(out, t->len, t->len <= UINT16_MAX ? 2 : 4);
    }
}

void bacnet_put_bytes(bool is_context, uint8_t number, struct bytes b, struct buf *out) {
    bacnet_put_tag(&(struct bacnet_tag){.number = number, .is_context = is_context, .len = (uint32_t)b.len}, out);
    buf_add(out, b.ptr, b.len);
}

static void put_be(bool is_context, uint8_t number, uint64_t v, size_t n, struct buf *out) {
    bacnet_put_tag(&(struct bacnet_tag){.number = number, .is_context = is_context, .len = (uint32_t)n}, out);
    cursor_put_be(out, v, n);
}

void bacnet_put_unsigned(bool is_context, uint8_t number, uint64_t v, struct buf *out) {
    size_t n = 1;
    while (n < 8 && v >> 8 * n) n++;
    put_be(is_context, number, v, n, out);
}

void bacnet_put_inside(uint8_t number, struct bytes b, struct buf *out) {
    bacnet_put_tag(&(struct bacnet_tag){.form = BACNET_OPENING, .number = number, .is_context = true}, out);
    buf_add(out, b.ptr, b.len);
    bacnet_put_tag(&(struct bacnet_tag){.form = BACNET_CLOSING, .number = number, .is_context = true}, out);
}

/* ---- values ---- */

/* Bytes that a value of the type has (20.2.2 to 20.2.14). */
static const struct {
    uint8_t min, max; /* 0: any number */
} sizes[] = {
    [BACNET_NULL] = {0, 0},   [BACNET_BOOLEAN] = {0, 0},    [BACNET_UNSIGNED] = {1, 8}, [BACNET_SIGNED] = {1, 8},
    [BACNET_REAL] = {4, 4},   [BACNET_DOUBLE] = {8, 8},     [BACNET_OCTETS] = {0, 0},   [BACNET_TEXT] = {1, 0},
    [BACNET_BITS] = {1, 0},   [BACNET_ENUMERATED] = {1, 4}, [BACNET_DATE] = {4, 4},     [BACNET_CLOCK] = {4, 4},
    [BACNET_OBJECT] = {4, 4},
};

/* The number that people would write for it: 21.3, not 21.299999237060547. */
static double real_of(uint32_t bits) {
    float f;
    double v = 0;
    memcpy(&f, &bits, sizeof f);
    if (!isfinite(f)) return (double)f;
    for (int digits = 6; digits <= 9; digits++) {
        char text[32];
        snprintf(text, sizeof text, "%.*g", digits, (double)f);
        if (str_to_f64(str_of(text), &v) && (float)v == f) return v;
    }
    return (double)f;
}

static double double_of(uint64_t bits) {
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static int64_t signed_of(uint64_t v, size_t n) {
    uint64_t sign = UINT64_C(1) << (8 * n - 1);
    return (int64_t)((v ^ sign) - sign);
}

static bool read_content(struct bacnet_tag t, struct bytes content, struct bacnet_value *v) {
    struct cursor c = cursor_of(content);
    if (t.number >= COUNT(sizes) || content.len < sizes[t.number].min ||
        (sizes[t.number].max && content.len > sizes[t.number].max) || (t.number == BACNET_NULL && content.len))
        return false;
    v->type = (enum bacnet_type)t.number;
    switch (v->type) {
    case BACNET_NULL: return true;
    case BACNET_BOOLEAN: v->whole = t.len; break;
    case BACNET_UNSIGNED:
    case BACNET_ENUMERATED:
    case BACNET_OBJECT: {
        uint64_t u = cursor_be(&c, content.len);
        if (u > INT64_MAX) return false;
        v->whole = (int64_t)u;
        break;
    }
    case BACNET_SIGNED: v->whole = signed_of(cursor_be(&c, content.len), content.len); break;
    case BACNET_REAL: v->number = real_of(cursor_u32_be(&c)); return true;
    case BACNET_DOUBLE: v->number = double_of(cursor_be(&c, 8)); return true;
    case BACNET_TEXT: /* character set 0 is UTF-8; others are bytes */
        if (content.ptr[0]) v->type = BACNET_CONSTRUCTED;
        v->data = (struct bytes){content.ptr + 1, content.len - 1};
        return true;
    case BACNET_BITS: v->data = content; return content.ptr[0] < 8 && (content.len > 1 || !content.ptr[0]);
    case BACNET_OCTETS:
    case BACNET_DATE:
    case BACNET_CLOCK: v->data = content; return true;
    case BACNET_CONSTRUCTED: return false;
    }
    if (v->type != BACNET_OBJECT) v->number = (double)v->whole;
    return true;
}

bool bacnet_next_value(struct bytes *rest, struct bacnet_value *ret) {
    struct cursor c = cursor_of(*rest);
    struct bacnet_value v = {.type = BACNET_CONSTRUCTED};
    if (!rest->len) return false;
    struct bacnet_tag t = bacnet_take_tag(&c);
    bool is_short = !t.is_context && t.number == BACNET_BOOLEAN;
    if (t.form == BACNET_CLOSING || (is_short && t.len > 1)) return false;
    if (t.form == BACNET_OPENING)
        (void)take_to_closing(&c, t.number);
    else if (!c.is_broken) {
        struct bytes content = cursor_bytes(&c, is_short ? 0 : t.len);
        if (!t.is_context && !read_content(t, content, &v)) return false;
    }
    if (c.is_broken) return false;
    v.wire = (struct bytes){rest->ptr, c.at};
    *rest = (struct bytes){rest->ptr + c.at, rest->len - c.at};
    *ret = v;
    return true;
}

static void put_signed(int64_t v, struct buf *out) {
    size_t n = 1;
    while (n < 8 && v != signed_of((uint64_t)v & ((UINT64_C(1) << 8 * n) - 1), n)) n++;
    put_be(false, BACNET_SIGNED, (uint64_t)v, n, out);
}

static void put_text(struct bytes text, struct buf *out) {
    bacnet_put_tag(&(struct bacnet_tag){.number = BACNET_TEXT, .len = (uint32_t)text.len + 1}, out);
    buf_char(out, 0);
    buf_add(out, text.ptr, text.len);
}

void bacnet_put_value(const struct bacnet_value *v, struct buf *out) {
    float f = (float)v->number;
    uint32_t real;
    uint64_t bits;
    memcpy(&real, &f, sizeof real);
    memcpy(&bits, &v->number, sizeof bits);
    switch (v->type) {
    case BACNET_NULL: put_be(false, BACNET_NULL, 0, 0, out); break;
    case BACNET_BOOLEAN:
        bacnet_put_tag(&(struct bacnet_tag){.number = BACNET_BOOLEAN, .len = v->whole != 0}, out);
        break;
    case BACNET_UNSIGNED:
    case BACNET_ENUMERATED: bacnet_put_unsigned(false, (uint8_t)v->type, (uint64_t)v->whole, out); break;
    case BACNET_SIGNED: put_signed(v->whole, out); break;
    case BACNET_REAL: put_be(false, BACNET_REAL, real, 4, out); break;
    case BACNET_DOUBLE: put_be(false, BACNET_DOUBLE, bits, 8, out); break;
    case BACNET_TEXT: put_text(v->data, out); break;
    case BACNET_OCTETS:
    case BACNET_BITS:
    case BACNET_DATE:
    case BACNET_CLOCK: bacnet_put_bytes(false, (uint8_t)v->type, v->data, out); break;
    case BACNET_OBJECT: put_be(false, BACNET_OBJECT, (uint64_t)v->whole, 4, out); break;
    case BACNET_CONSTRUCTED: buf_add(out, v->wire.ptr, v->wire.len); break;
    }
}
