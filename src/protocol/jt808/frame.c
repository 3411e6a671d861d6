/* Frames of JT/T 808: splitting, checking, building.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/jt808/jt808_internal.h"

#include "protocol/split.h"

#include <string.h>

#define FLAG       0x7e
#define ESCAPE     0x7d
#define PLAIN_MAX  (JT808_HEAD_MAX + JT808_BODY_MAX + 1)
#define BODY_BITS  0x03ff
#define PART_BIT   0x2000
#define BIT_19     0x4000
#define OTHER_BITS 0x9c00 /* encryption, and one that is kept for later */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

/* What stands between the flags, without escapes. */
struct plain {
    uint8_t bytes[PLAIN_MAX];
    size_t n;
    struct bytes wire;
};

/* Where byte i of what is plain stands on the wire. */
static size_t wire_at(const struct plain *p, size_t i) {
    size_t at = 1;
    for (; i && at < p->wire.len; i--) at += p->wire.ptr[at] == ESCAPE ? 2 : 1;
    return at < p->wire.len ? at : p->wire.len;
}

static bool unescape(struct bytes whole, struct plain *ret, struct wire_error *e) {
    size_t end = whole.len ? whole.len - 1 : 0;
    ret->n = 0;
    ret->wire = whole;
    if (!whole.len || whole.ptr[0] != FLAG) return bad(e, "JT/T 808 flag: a frame begins with 7E", 0);
    if (!end || whole.ptr[end] != FLAG) return bad(e, "JT/T 808 flag: a frame ends with 7E", end + !end);
    for (size_t i = 1; i < end; i++) {
        uint8_t c = whole.ptr[i];
        if (c == FLAG) return bad(e, "JT/T 808 flag: 7E inside the frame", i);
        if (c == ESCAPE) {
            c = whole.ptr[++i];
            if (c != 1 && c != 2) return bad(e, "JT/T 808 escape: 01 or 02 follows 7D", i);
            c = c == 1 ? ESCAPE : FLAG;
        }
        if (ret->n == sizeof ret->bytes) return bad(e, "JT/T 808 attributes: a body has at most 1023 bytes", i);
        ret->bytes[ret->n++] = c;
    }
    return true;
}

static uint8_t check_of(const uint8_t *p, size_t n) {
    uint8_t x = 0;
    for (size_t i = 0; i < n; i++) x ^= p[i];
    return x;
}

static bool read_digits(struct bytes bcd, char *ret) {
    for (size_t i = 0; i < bcd.len; i++) {
        ret[2 * i] = (char)('0' + (bcd.ptr[i] >> 4));
        ret[2 * i + 1] = (char)('0' + (bcd.ptr[i] & 15));
        if (ret[2 * i] > '9' || ret[2 * i + 1] > '9') return false;
    }
    ret[2 * bcd.len] = 0;
    return true;
}

static bool read_head(struct plain *p, struct jt808_frame *f, struct wire_error *e) {
    struct cursor c = cursor_of((struct bytes){p->bytes, p->n});
    f->message = cursor_u16_be(&c);
    f->attributes = cursor_u16_be(&c);
    bool of_19 = f->attributes & BIT_19, is_part = f->attributes & PART_BIT;
    if (of_19) f->version = cursor_u8(&c);
    size_t at = c.at;
    struct bytes terminal = cursor_bytes(&c, of_19 ? JT808_DIGITS_19 / 2 : JT808_DIGITS / 2);
    f->serial = cursor_u16_be(&c);
    if (is_part) f->parts = cursor_u16_be(&c);
    if (is_part) f->part = cursor_u16_be(&c);
    f->body_n = f->attributes & BODY_BITS;
    if (c.is_broken || cursor_left(&c) != f->body_n + 1)
        return bad(e, "JT/T 808 attributes: the length does not fit the frame", wire_at(p, 2));
    if (check_of(p->bytes, p->n)) return bad(e, "JT/T 808 check: it is wrong", wire_at(p, p->n - 1));
    if (!read_digits(terminal, f->terminal)) {
        f->terminal[0] = 0;
        return bad(e, "JT/T 808 terminal: it is BCD", wire_at(p, at));
    }
    if (is_part && (!f->part || f->part > f->parts))
        return bad(e, "JT/T 808 parts: which one is from 1 to how many", wire_at(p, c.at - 2));
    f->attributes &= OTHER_BITS;
    if (f->body_n) memcpy(f->body, p->bytes + c.at, f->body_n);
    return true;
}

bool jt808_decode(struct bytes whole, struct jt808_frame *ret, struct wire_error *reterr) {
    struct plain p;
    memset(ret, 0, sizeof *ret);
    return unescape(whole, &p, reterr) && read_head(&p, ret, reterr);
}

/* ---- a stream ---- */

static size_t start_of(struct bytes in) {
    const uint8_t *at = in.len ? memchr(in.ptr, FLAG, in.len) : NULL;
    return at ? (size_t)(at - in.ptr) : in.len;
}

/* Length of the frame at the front, flags and all; 0: its end is not there. */
static size_t frame_len(struct bytes in) {
    const uint8_t *end = in.len > 1 ? memchr(in.ptr + 1, FLAG, in.len - 1) : NULL;
    return end ? (size_t)(end - in.ptr) + 1 : 0;
}

static bool is_right(struct bytes in, size_t n) {
    struct plain p;
    struct wire_error ignored;
    size_t least = 4 + JT808_DIGITS / 2 + 2 + 1;
    return unescape((struct bytes){in.ptr, n}, &p, &ignored) && p.n >= least && !check_of(p.bytes, p.n);
}

static enum frame look(const void *arg, struct bytes in, size_t *ret_len) {
    size_t n = frame_len(in);
    (void)arg;
    if (!n) return in.len < JT808_FRAME_MAX ? FRAME_SHORT : FRAME_SKIP;
    if (n > JT808_FRAME_MAX || !is_right(in, n)) return FRAME_SKIP;
    *ret_len = n;
    return FRAME_WHOLE;
}

enum frame jt808_split(struct bytes in, size_t *ret_len) {
    return split_next(&(struct split){start_of, look, NULL, NULL}, in, NULL, ret_len);
}

/* ---- building ---- */

static void put_escaped(struct buf *out, const char *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool is_special = (uint8_t)p[i] == FLAG || (uint8_t)p[i] == ESCAPE;
        if (is_special) buf_char(out, ESCAPE);
        buf_char(out, is_special ? (char)((uint8_t)p[i] == FLAG ? 2 : 1) : p[i]);
    }
}

static bool put_digits(struct buf *b, const char *digits) {
    size_t n = strlen(digits);
    for (size_t i = 0; i < n; i += 2) {
        if (digits[i] < '0' || digits[i] > '9' || digits[i + 1] < '0' || digits[i + 1] > '9') return false;
        buf_char(b, (char)((digits[i] - '0') << 4 | (digits[i + 1] - '0')));
    }
    return n == JT808_DIGITS || n == JT808_DIGITS_19;
}

bool jt808_encode(const struct jt808_frame *f, struct buf *out) {
    char mem[PLAIN_MAX + 1];
    struct buf b;
    bool of_19 = strlen(f->terminal) == JT808_DIGITS_19;
    unsigned attributes = f->attributes & OTHER_BITS;
    if (f->body_n > JT808_BODY_MAX) return false;
    buf_init(&b, mem, sizeof mem);
    cursor_put_be(&b, f->message, 2);
    cursor_put_be(&b, attributes | f->body_n | (of_19 ? BIT_19 : 0) | (f->parts ? PART_BIT : 0), 2);
    if (of_19) cursor_put_be(&b, f->version, 1);
    if (!put_digits(&b, f->terminal)) return false;
    cursor_put_be(&b, f->serial, 2);
    if (f->parts) cursor_put_be(&b, (uint64_t)f->parts << 16 | f->part, 4);
    buf_add(&b, f->body, f->body_n);
    buf_char(&b, (char)check_of((const uint8_t *)mem, b.len));
    buf_char(out, FLAG);
    put_escaped(out, mem, b.len);
    buf_char(out, FLAG);
    return true;
}
