/* Packets of HJ 212: splitting, checking, building.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212_internal.h"

#include "base/civil.h"
#include "base/utf8.h"
#include "protocol/split.h"

#include <string.h>

#define HEAD 6 /* ## and the length */
#define SUM  4

/* ---- the sum ---- */

/* What eight steps make of a register that has but the low byte, which is all the byte that is lost leaves: by its
 * halves, since the steps are linear. */
uint16_t hj212_crc(struct bytes data) {
    static const uint16_t low[16] = {0x0000, 0xc0c1, 0xc181, 0x0140, 0xc301, 0x03c0, 0x0280, 0xc241,
                                     0xc601, 0x06c0, 0x0780, 0xc741, 0x0500, 0xc5c1, 0xc481, 0x0440};
    static const uint16_t high[16] = {0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401,
                                      0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400};
    unsigned crc = 0xffff;
    for (size_t i = 0; i < data.len; i++) {
        unsigned x = crc >> 8 ^ data.ptr[i];
        crc = (unsigned)(low[x & 15] ^ high[x >> 4]);
    }
    return (uint16_t)crc;
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_sum(const uint8_t *p, uint16_t *ret) {
    unsigned v = 0;
    for (int i = 0; i < SUM; i++) {
        int d = hex_digit(p[i]);
        if (d < 0) return false;
        v = v << 4 | (unsigned)d;
    }
    *ret = (uint16_t)v;
    return true;
}

static bool read_length(struct bytes in, size_t *ret) {
    *ret = 0;
    for (size_t i = 2; i < HEAD; i++) {
        if (in.ptr[i] < '0' || in.ptr[i] > '9') return false;
        *ret = *ret * 10 + in.ptr[i] - '0';
    }
    return true;
}

/* ---- a stream ---- */

static size_t start_of(struct bytes in) { /* the first ##, or a # at the very end */
    size_t i = 0;
    while (i < in.len && (in.ptr[i] != '#' || (i + 1 < in.len && in.ptr[i + 1] != '#'))) i++;
    return i;
}

/* LF alone ends it, too. */
static size_t end_of(struct bytes in) {
    size_t n;
    if (in.len < HEAD || !read_length(in, &n)) return 0;
    n += HEAD + SUM;
    return n < in.len && in.ptr[n] == '\n' ? n + 1 : n + 2;
}

/* It is summed up when its end is there: each time before would cost the whole of it. */
static enum frame look(const void *arg, struct bytes in, size_t *ret_len) {
    size_t n, end = end_of(in);
    uint16_t sum;
    (void)arg;
    if (in.len < HEAD) return FRAME_SHORT;
    if (!end || !read_length(in, &n)) return FRAME_SKIP;
    const uint8_t *behind = in.ptr + HEAD + n + SUM;
    if (in.len < end) return in.len == end - 1 && *behind != '\r' ? FRAME_SKIP : FRAME_SHORT;
    if (in.ptr[end - 1] != '\n' || (*behind != '\r' && *behind != '\n')) return FRAME_SKIP;
    *ret_len = end;
    bool is_right = read_sum(behind - SUM, &sum) && sum == hj212_crc((struct bytes){in.ptr + HEAD, n});
    return is_right ? FRAME_WHOLE : FRAME_SKIP;
}

enum frame hj212_follow(struct bytes in, struct followed *followed, size_t *ret_len) {
    return split_next(&(struct split){start_of, look, NULL, end_of}, in, followed, ret_len);
}

enum frame hj212_split(struct bytes in, size_t *ret_len) {
    return hj212_follow(in, NULL, ret_len);
}

/* ---- times ---- */

int64_t hj212_time_of(struct str text) {
    static const size_t at[] = {0, 4, 6, 8, 10, 12}, len[] = {4, 2, 2, 2, 2, 2};
    int64_t v[6];
    if (text.len < 14) return 0;
    for (size_t i = 0; i < 6; i++)
        if (!str_to_i64((struct str){text.ptr + at[i], len[i]}, &v[i]) || v[i] < 0) return 0;
    if (!civil_is_date((int32_t)v[0], (int32_t)v[1], (int32_t)v[2]) || v[3] > 23 || v[4] > 59 || v[5] > 59) return 0;
    return civil_day((int32_t)v[0], (int32_t)v[1], (int32_t)v[2]) * 86400 + v[3] * 3600 + v[4] * 60 + v[5];
}

void hj212_put_time(struct buf *b, int64_t s) {
    struct civil c = zone_civil(NULL, s * 1000);
    buf_fmt(b, "%04d%02d%02d%02d%02d%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

/* ---- one packet ---- */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static bool read_end(struct bytes b, size_t at, struct hj212_frame *ret) {
    struct str rest = {(const char *)b.ptr + at, b.len - at};
    ret->end = str_is(rest, "\r\n") ? "crlf" : str_is(rest, "\n") ? "lf" : rest.len ? NULL : "";
    return ret->end;
}

static bool take_number(struct str value, int64_t most, int64_t *ret) {
    return str_to_i64(value, ret) && *ret >= 0 && *ret <= most;
}

static bool is_name(struct str mn) {
    return mn.len && mn.len <= HJ212_MN_MAX && str_is_code(mn) && utf8_is_valid(mn);
}

/* The rule that a field breaks; NULL: none, or nobody knows its key, which is the maker's then. */
static const char *take_field(struct hj212_frame *f, struct str key, struct str value) {
    bool ok = true;
    if (!value.ptr) return "HJ 212 data: a field is KEY=value";
    if (str_is(key, "QN")) f->qn = value;
    if (str_is(key, "ST")) f->st = value;
    if (str_is(key, "PW")) f->pw = value;
    if (str_is(key, "MN")) f->mn = value;
    if (str_is(key, "CN")) ok = take_number(value, 9999, &f->command);
    if (str_is(key, "Flag")) ok = take_number(value, 255, &f->flag);
    if (str_is(key, "PNUM")) ok = take_number(value, 9999, &f->parts);
    if (str_is(key, "PNO")) ok = take_number(value, 9999, &f->part);
    return ok ? NULL : "HJ 212 data: CN, Flag, PNUM and PNO are whole numbers";
}

/* Up to CP, which holds the rest.  The first that is wrong is told, and the rest read all the same: whose it is may
 * stand there. */
static bool read_fields(struct hj212_frame *f, struct wire_error *reterr) {
    struct str rest = f->data, part, key;
    struct wire_error first = {NULL, 0};
    while (rest.ptr) {
        size_t at = HEAD + (size_t)(rest.ptr - f->data.ptr);
        if (str_starts(rest, S("CP=&&"))) {
            f->cp = str_from(rest, 5);
            if (f->cp.len >= 2 && !memcmp(f->cp.ptr + f->cp.len - 2, "&&", 2)) f->cp.len -= 2;
            break;
        }
        (void)str_cut(&rest, ';', &part);
        struct str value = part;
        if (!part.len) continue;
        (void)str_cut(&value, '=', &key);
        const char *rule = take_field(f, key, value);
        if (rule && !first.rule) first = (struct wire_error){rule, at};
    }
    if (!first.rule && f->command < 0) first = (struct wire_error){"HJ 212 data: CN is missing", HEAD};
    if (!first.rule && !f->mn.len) first = (struct wire_error){"HJ 212 data: MN is missing", HEAD};
    if (!first.rule && !is_name(f->mn))
        first =
            (struct wire_error){"HJ 212 data: MN is no name of a station", HEAD + (size_t)(f->mn.ptr - f->data.ptr)};
    if (first.rule) *reterr = first;
    return !first.rule;
}

static bool read_packet(struct bytes b, struct hj212_frame *f, struct wire_error *reterr) {
    size_t n;
    uint16_t sum;
    if (b.len < HEAD || b.ptr[0] != '#' || b.ptr[1] != '#')
        return bad(reterr, "HJ 212 packet: a packet begins with ##", 0);
    if (!read_length(b, &n)) return bad(reterr, "HJ 212 packet: the length is four digits", 2);
    if (b.len < HEAD + n + SUM) return bad(reterr, "HJ 212 packet: the length does not fit the packet", 2);
    if (!read_sum(b.ptr + HEAD + n, &sum)) return bad(reterr, "HJ 212 packet: the sum is four hex digits", HEAD + n);
    if (sum != hj212_crc((struct bytes){b.ptr + HEAD, n}))
        return bad(reterr, "HJ 212 Appendix A: the sum is wrong", HEAD + n);
    if (!read_end(b, HEAD + n + SUM, f)) return bad(reterr, "HJ 212 packet: the end is CR LF", HEAD + n + SUM);
    f->data = (struct str){(const char *)b.ptr + HEAD, n};
    f->sum = (struct str){(const char *)b.ptr + HEAD + n, SUM};
    return read_fields(f, reterr);
}

bool hj212_read(struct bytes whole, struct hj212_frame *ret, struct wire_error *reterr) {
    struct hj212_frame f = {.command = -1, .flag = -1, .parts = -1, .part = -1};
    bool ok = read_packet(whole, &f, reterr);
    if (!ok) f = (struct hj212_frame){.mn = is_name(f.mn) ? f.mn : (struct str){NULL, 0}};
    *ret = f;
    return ok;
}

bool hj212_decode(struct bytes b, struct hj212_frame *ret, struct wire_error *reterr) {
    struct hj212_frame f;
    if (!hj212_read(b, &f, reterr)) return false;
    *ret = f;
    return true;
}

bool hj212_encode(struct str data, struct buf *out) {
    if (data.len > HJ212_DATA_MAX) return false;
    buf_fmt(out, "##%04zu", data.len);
    buf_str(out, data);
    buf_fmt(out, "%04X\r\n", (unsigned)hj212_crc((struct bytes){(const uint8_t *)data.ptr, data.len}));
    return true;
}

bool hj212_next(struct str *rest, struct str *ret_key, struct str *ret_value) {
    while (rest->ptr) {
        size_t n = 0;
        while (n < rest->len && rest->ptr[n] != ';' && rest->ptr[n] != ',') n++;
        struct str item = {rest->ptr, n};
        *rest = n < rest->len ? str_from(*rest, n + 1) : (struct str){NULL, 0};
        if (!item.len) continue;
        *ret_value = item;
        (void)str_cut(ret_value, '=', ret_key);
        if (ret_value->ptr) return true;
    }
    return false;
}
