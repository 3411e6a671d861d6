/* Envelopes of Modbus, RTU and TCP: checking, building, finding them in a stream.  SPDX-License-Identifier: Apache-2.0
 */
#include "protocol/cursor.h"
#include "protocol/modbus/modbus_internal.h"
#include "protocol/split.h"

#define CRC_BYTES  2
#define MBAP_BYTES 7
#define LENGTH_AT  4
#define FOLLOW_MIN 3 /* unit, function, at least one byte */
#define FOLLOW_MAX (1 + MODBUS_PDU_MAX)

/* Serial 2.5.1.2: polynomial A001 reflected, FFFF to begin with; four bits at a time. */
static uint16_t crc_of(struct bytes b) {
    static const uint16_t of_four[16] = {0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401,
                                         0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400};
    uint16_t crc = 0xffff;
    for (size_t i = 0; i < b.len; i++) {
        crc = (uint16_t)(crc >> 4 ^ of_four[(crc ^ b.ptr[i]) & 15]);
        crc = (uint16_t)(crc >> 4 ^ of_four[(crc ^ b.ptr[i] >> 4) & 15]);
    }
    return crc;
}

static bool has_crc(struct bytes whole) {
    size_t n = whole.len - CRC_BYTES;
    uint16_t crc = crc_of((struct bytes){whole.ptr, n});
    return whole.ptr[n] == (uint8_t)crc && whole.ptr[n + 1] == crc >> 8;
}

static struct bytes behind(struct bytes in, size_t n) {
    return n < in.len ? (struct bytes){in.ptr + n, in.len - n} : (struct bytes){in.ptr, 0};
}

static struct bytes pdu_of(enum modbus_wire wire, struct bytes whole) {
    return wire == MODBUS_TCP ? behind(whole, MBAP_BYTES) : (struct bytes){whole.ptr + 1, whole.len - 1 - CRC_BYTES};
}

/* ---- one frame ---- */

static bool bad(struct wire_error *e, const char *rule, struct bytes whole, size_t at) {
    *e = (struct wire_error){rule, at < whole.len ? at : whole.len};
    return false;
}

static bool open_rtu(struct bytes whole, struct modbus_frame *f, struct wire_error *e) {
    if (whole.len < FOLLOW_MIN + CRC_BYTES || whole.len > MODBUS_RTU_MAX)
        return bad(e, "Modbus serial 2.5.1: a frame has 5 to 256 bytes", whole, 0);
    if (whole.ptr[0] > MODBUS_UNITS) return bad(e, "Modbus serial 2.2: units are 0 to 247", whole, 0);
    if (!has_crc(whole)) return bad(e, "Modbus serial 2.5.1.2: the CRC is wrong", whole, whole.len - CRC_BYTES);
    f->unit = whole.ptr[0];
    return true;
}

static bool open_tcp(struct bytes whole, struct modbus_frame *f, struct wire_error *e) {
    struct cursor c = cursor_of(whole);
    f->transaction = cursor_u16_be(&c);
    if (cursor_u16_be(&c)) return bad(e, "Modbus TCP 3.1.3: the protocol is 0000", whole, 2);
    size_t length = cursor_u16_be(&c);
    if (c.is_broken || length < FOLLOW_MIN || length > FOLLOW_MAX)
        return bad(e, "Modbus TCP 3.1.3: a length is 3 to 254", whole, LENGTH_AT);
    if (length != cursor_left(&c))
        return bad(e, "Modbus TCP 3.1.3: the length does not fit the frame", whole, LENGTH_AT);
    f->unit = cursor_u8(&c);
    return true;
}

bool modbus_decode(enum modbus_wire wire, enum modbus_from from, struct bytes whole, struct modbus_frame *ret,
                   struct wire_error *reterr) {
    struct modbus_frame f = {0};
    if (!(wire == MODBUS_TCP ? open_tcp : open_rtu)(whole, &f, reterr)) return false;
    struct bytes pdu = pdu_of(wire, whole);
    if (!modbus_pdu_decode(from, pdu, &f, reterr)) {
        reterr->at += (size_t)(pdu.ptr - whole.ptr);
        return false;
    }
    *ret = f;
    return true;
}

bool modbus_encode(enum modbus_wire wire, const struct modbus_frame *f, struct buf *out) {
    char mem[1 + MODBUS_PDU_MAX + 1]; /* unit and PDU */
    struct buf b;
    if (wire == MODBUS_RTU && f->unit > MODBUS_UNITS) return false;
    buf_init(&b, mem, sizeof mem);
    buf_char(&b, (char)f->unit);
    if (!modbus_pdu_encode(f, &b)) return false;
    if (wire == MODBUS_TCP) {
        cursor_put_be(out, f->transaction, 2);
        cursor_put_be(out, 0, 2);
        cursor_put_be(out, b.len, 2);
    }
    buf_add(out, b.ptr, b.len);
    if (wire == MODBUS_RTU) cursor_put_le(out, crc_of((struct bytes){(const uint8_t *)b.ptr, b.len}), CRC_BYTES);
    return true;
}

/* ---- RTU in a stream: what a question or an answer of the function would have, and the CRC, say where it ends ---- */

static size_t start_rtu(struct bytes in) {
    size_t i = 0;
    while (i < in.len &&
           (in.ptr[i] > MODBUS_UNITS || (i + 1 < in.len && !modbus_shape(in.ptr[i + 1] & ~MODBUS_REFUSED & 0xff))))
        i++;
    return i;
}

static enum frame look_rtu(const void *arg, struct bytes in, size_t *ret_len) {
    struct bytes pdu = behind(in, 1);
    enum frame what = FRAME_SKIP;
    (void)arg;
    if (!pdu.len) return FRAME_SHORT;
    const struct modbus_shape *s = modbus_shape(pdu.ptr[0] & ~MODBUS_REFUSED & 0xff);
    if (pdu.len > MODBUS_PDU_MAX) pdu.len = MODBUS_PDU_MAX;
    for (enum modbus_from who = MODBUS_MASTER; s && who <= MODBUS_DEVICE; who++) {
        size_t n = modbus_pdu_len(s, who, pdu), whole = 1 + n + CRC_BYTES;
        if (n > MODBUS_PDU_MAX || (!n && pdu.len == MODBUS_PDU_MAX)) continue;
        if (!n || in.len < whole) {
            what = FRAME_SHORT;
        } else if (has_crc((struct bytes){in.ptr, whole})) {
            *ret_len = whole;
            return FRAME_WHOLE;
        }
    }
    return what;
}

enum frame modbus_split_rtu(struct bytes in, size_t *ret_len) {
    return split_next(&(struct split){start_rtu, look_rtu, NULL, NULL}, in, NULL, ret_len);
}

/* ---- TCP in a stream: no sum; a frame is one that reads as one, and has nothing but another behind it ---- */

static bool may_begin(struct bytes in) {
    static const uint8_t zeros[LENGTH_AT + 1] = {0, 0, 1, 1, 1}; /* where the head has them: protocol, high length */
    for (size_t i = 0; i < in.len && i < sizeof zeros; i++)
        if (zeros[i] && in.ptr[i]) return false;
    if (in.len > LENGTH_AT + 1 && (in.ptr[LENGTH_AT + 1] < FOLLOW_MIN || in.ptr[LENGTH_AT + 1] > FOLLOW_MAX))
        return false;
    return in.len <= MBAP_BYTES || modbus_shape(in.ptr[MBAP_BYTES] & ~MODBUS_REFUSED & 0xff);
}

static size_t start_tcp(struct bytes in) {
    size_t i = 0;
    while (i < in.len && !may_begin(behind(in, i))) i++;
    return i;
}

enum frame modbus_split_tcp(struct bytes in, size_t *ret_len) {
    struct modbus_frame f;
    struct wire_error ignored;
    *ret_len = start_tcp(in);
    if (*ret_len) return FRAME_SKIP;
    if (in.len < MBAP_BYTES) return FRAME_SHORT;
    size_t n = LENGTH_AT + 2 + (size_t)in.ptr[LENGTH_AT + 1];
    if (in.len < n) return FRAME_SHORT;
    bool is_one =
        modbus_decode(MODBUS_TCP, MODBUS_EITHER, (struct bytes){in.ptr, n}, &f, &ignored) && may_begin(behind(in, n));
    *ret_len = is_one ? n : 1 + start_tcp(behind(in, 1));
    return is_one ? FRAME_WHOLE : FRAME_SKIP;
}
