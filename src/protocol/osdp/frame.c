/* Packets of OSDP: splitting, checking, building.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/osdp/osdp_internal.h"

#include "protocol/cursor.h"
#include "protocol/split.h"

#define MARK      0xff
#define SOM       0x53
#define REPLY     0x80
#define HEAD      5
#define HAS_CRC   0x04
#define HAS_BLOCK 0x08
#define MAC_BYTES 4

/* ---- the check ---- */

uint16_t osdp_crc(struct bytes b) {
    static const uint16_t nibbles[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                         0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
    unsigned crc = 0x1d0f;
    for (size_t i = 0; i < b.len; i++) {
        crc = (crc << 4 & 0xffff) ^ nibbles[crc >> 12 ^ b.ptr[i] >> 4];
        crc = (crc << 4 & 0xffff) ^ nibbles[crc >> 12 ^ (b.ptr[i] & 15u)];
    }
    return (uint16_t)crc;
}

static uint8_t sum_of(struct bytes b) { /* two's complement of the sum */
    unsigned sum = 0;
    for (size_t i = 0; i < b.len; i++) sum += b.ptr[i];
    return (uint8_t)(0x100 - (sum & 0xff));
}

static size_t check_bytes(uint8_t control) {
    return control & HAS_CRC ? 2 : 1;
}

/* Of a whole packet without its mark. */
static bool is_right(struct bytes b) {
    size_t n = b.len - check_bytes(b.ptr[4]);
    struct bytes all = {b.ptr, n};
    if (b.ptr[4] & HAS_CRC) return osdp_crc(all) == (b.ptr[n] | b.ptr[n + 1] << 8);
    return sum_of(all) == b.ptr[n];
}

static size_t length_of(struct bytes b) {
    return (size_t)(b.ptr[2] | b.ptr[3] << 8);
}

static bool is_length(size_t n) {
    return n > HEAD + 1 && n <= OSDP_PACKET_MAX;
}

/* ---- a stream ---- */

static size_t start_of(struct bytes in) {
    size_t i = 0;
    while (i < in.len && in.ptr[i] != SOM && (in.ptr[i] != MARK || (i + 1 < in.len && in.ptr[i + 1] != SOM))) i++;
    return i;
}

static enum frame look(const void *arg, struct bytes in, size_t *ret_len) {
    size_t mark = in.ptr[0] == MARK;
    struct bytes b = {in.ptr + mark, in.len - mark};
    (void)arg;
    if (b.len < HEAD) return FRAME_SHORT;
    size_t n = length_of(b);
    if (!is_length(n)) return FRAME_SKIP;
    if (b.len < n) return FRAME_SHORT;
    *ret_len = mark + n;
    return is_right((struct bytes){b.ptr, n}) ? FRAME_WHOLE : FRAME_SKIP;
}

static enum frame split(struct bytes in, size_t *ret_len) {
    return split_next(&(struct split){start_of, look, NULL, NULL}, in, NULL, ret_len);
}

/* ---- one packet ---- */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

/* The block, and what it takes from the packet's end. */
static bool read_block(struct cursor *c, struct osdp_frame *f, struct wire_error *reterr, size_t mark) {
    size_t at = mark + c->at, n = cursor_u8(c);
    if (n < 2 || n - 1 > cursor_left(c)) return bad(reterr, "OSDP security block: its length does not fit", at);
    f->security = cursor_bytes(c, n - 1);
    uint8_t type = f->security.ptr[0];
    if (type < 0x11 || type > 0x18) return bad(reterr, "OSDP security block: there is no such type", at + 1);
    if (type < 0x15) return true;
    if (cursor_left(c) < MAC_BYTES + 1) return bad(reterr, "OSDP security block: the MAC is missing", mark + c->in.len);
    c->in.len -= MAC_BYTES;
    f->mac = (struct bytes){c->in.ptr + c->in.len, MAC_BYTES};
    return true;
}

bool osdp_decode(struct bytes whole, struct osdp_frame *ret, struct wire_error *reterr) {
    struct osdp_frame f = {.has_mark = whole.len && whole.ptr[0] == MARK};
    size_t mark = f.has_mark;
    struct bytes b = {whole.ptr + mark, whole.len - mark};
    if (!b.len || b.ptr[0] != SOM) return bad(reterr, "OSDP SOM: a packet begins with 53", mark);
    if (b.len < HEAD || length_of(b) != b.len || !is_length(b.len))
        return bad(reterr, "OSDP length: it does not fit the packet", mark + (b.len < 2 ? b.len : 2));
    uint8_t control = b.ptr[4];
    size_t check = check_bytes(control);
    if (!is_right(b))
        return bad(reterr, check == 2 ? "OSDP CRC: it is wrong" : "OSDP checksum: it is wrong", whole.len - check);
    f.address = b.ptr[1] & (uint8_t)~REPLY;
    f.is_reply = b.ptr[1] & REPLY;
    f.sequence = control & 3;
    f.reserved = control >> 4;
    f.has_sum = check == 1;
    struct cursor c = {.in = {b.ptr, b.len - check}, .at = HEAD};
    if (control & HAS_BLOCK && !read_block(&c, &f, reterr, mark)) return false;
    if (!cursor_left(&c)) return bad(reterr, "OSDP code: a packet has a command or a reply", mark + c.at);
    f.code = cursor_u8(&c);
    f.data = cursor_bytes(&c, cursor_left(&c));
    if (!osdp_layout_of(f.is_reply, f.code))
        return bad(reterr, f.is_reply ? "OSDP code: there is no such reply" : "OSDP code: there is no such command",
                   mark + c.at - f.data.len - 1);
    *ret = f;
    return true;
}

bool osdp_open(struct bytes whole, struct osdp_frame *ret, struct wire_error *reterr) {
    struct osdp_frame f;
    if (!osdp_decode(whole, &f, reterr)) return false;
    if (f.security.ptr)
        return bad(reterr, "OSDP security block: a secure channel needs keys", f.has_mark + (size_t)HEAD);
    *ret = f;
    return true;
}

bool osdp_encode(const struct osdp_frame *f, struct buf *out) {
    size_t check = f->has_sum ? 1 : 2, n = HEAD + 1 + f->data.len + check, from = out->len + f->has_mark;
    if (f->data.len > OSDP_DATA_MAX || f->security.ptr) return false;
    if (f->has_mark) buf_char(out, (char)(uint8_t)MARK);
    buf_char(out, SOM);
    buf_char(out, (char)(uint8_t)(f->address | (f->is_reply ? REPLY : 0)));
    cursor_put_le(out, n, 2);
    buf_char(out, (char)(uint8_t)(f->reserved << 4 | f->sequence | (f->has_sum ? 0 : HAS_CRC)));
    buf_char(out, (char)f->code);
    buf_add(out, f->data.ptr, f->data.len);
    if (out->overflow) return true;
    struct bytes all = {(const uint8_t *)out->ptr + from, out->len - from};
    cursor_put_le(out, f->has_sum ? sum_of(all) : osdp_crc(all), check);
    return true;
}

/* ---- what it says ---- */

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct osdp_frame f;
    *ret = (struct decoded){0};
    if (!osdp_open(whole, &f, reterr)) return false;
    if (!f.is_reply) return true; /* what the panel says is no news */
    bool ok = osdp_say(f.address, f.code, f.data, a, ret, reterr);
    if (!ok) reterr->at = f.has_mark + HEAD + 1 + (reterr->at < f.data.len ? reterr->at : f.data.len);
    return ok;
}

const struct codec osdp_codec = {
    .name = "osdp",
    .standard = "OSDP v2, IEC 60839-11-5",
    .frame_max = 1 + OSDP_PACKET_MAX,
    .frame = split,
    .decode = decode,
    .show = osdp_show,
    .make = osdp_make,
    .asking = &osdp_asking,
    .is_polled = true,
    .is_local = true,
};
