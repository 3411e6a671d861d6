/* Frames of GB/T 26875.3: splitting, checking, building.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "protocol/gb26875/gb26875.h"

#define FRAME_MAX (GB26875_OVERHEAD + GB26875_DATA_MAX)

static uint16_t low16(const uint8_t *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint64_t low48(const uint8_t *p) {
    uint64_t v = 0;
    for (int i = 5; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

static uint8_t sum_of(const uint8_t *p, size_t n) {
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) sum += p[i];
    return (uint8_t)sum;
}

/* ---- splitting ---- */

static size_t length_of(struct bytes in) { /* of the frame that begins here, if one does */
    return GB26875_OVERHEAD + (size_t)low16(in.ptr + 24);
}

/* A frame that is whole and right begins here. */
static bool is_right(struct bytes in) {
    if (in.len < GB26875_OVERHEAD || in.ptr[0] != 0x40 || in.ptr[1] != 0x40) return false;
    size_t n = length_of(in);
    return n <= FRAME_MAX && n <= in.len && in.ptr[n - 2] == 0x23 && in.ptr[n - 1] == 0x23 &&
           sum_of(in.ptr + 2, n - 5) == in.ptr[n - 3];
}

/* Where in the first `n` bytes, past the first, a right frame begins; 0: nowhere. */
static size_t right_inside(struct bytes in, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (is_right((struct bytes){in.ptr + i, in.len - i})) return i;
    return 0;
}

static size_t start_of(struct bytes in) { /* the first 40 40, or a 40 at the very end; in.len: none */
    for (size_t i = 0; i < in.len; i++)
        if (in.ptr[i] == 0x40 && (i + 1 == in.len || in.ptr[i + 1] == 0x40)) return i;
    return in.len;
}

enum frame gb26875_split(struct bytes in, size_t *ret_len) {
    size_t start = start_of(in);
    *ret_len = start;
    if (start) return FRAME_SKIP;
    if (in.len < 26) return FRAME_SHORT;
    size_t n = length_of(in);
    bool is_whole = n <= FRAME_MAX && n <= in.len && in.ptr[n - 2] == 0x23 && in.ptr[n - 1] == 0x23;
    if (n > FRAME_MAX || (n <= in.len && !is_whole)) { /* a forged length, or a start inside of something else */
        *ret_len = 1 + start_of((struct bytes){in.ptr + 1, in.len - 1});
        return FRAME_SKIP;
    }
    if (is_whole && is_right(in)) {
        *ret_len = n;
        return FRAME_WHOLE;
    }
    *ret_len = right_inside(in, is_whole ? n : in.len);
    if (*ret_len) return FRAME_SKIP;
    *ret_len = is_whole ? n : 0;
    return is_whole ? FRAME_WHOLE : FRAME_SHORT;
}

/* ---- decoding and encoding ---- */

bool gb26875_decode(struct bytes b, struct gb26875_frame *ret, struct wire_error *reterr) {
    static const char *const rules[] = {"6.6: a frame has at least 30 bytes",
                                        "6.6: the start is 40 40",
                                        "6.6: the length is at most 1024",
                                        "6.6: the length does not fit the frame",
                                        "6.6: the end is 23 23",
                                        "6.6: the sum is wrong",
                                        "6.6: no such command"};
    const uint8_t *p = b.ptr;
    size_t n = 0;
    int bad = -1;
    size_t at = 0;
    if (b.len >= 2 && (p[0] != 0x40 || p[1] != 0x40))
        bad = 1;
    else if (b.len < GB26875_OVERHEAD)
        bad = 0, at = b.len;
    else if ((n = low16(p + 24)) > GB26875_DATA_MAX)
        bad = 2, at = 24;
    else if (n + GB26875_OVERHEAD != b.len)
        bad = 3, at = 24;
    else if (p[b.len - 2] != 0x23 || p[b.len - 1] != 0x23)
        bad = 4, at = b.len - 2;
    else if (sum_of(p + 2, 25 + n) != p[b.len - 3])
        bad = 5, at = b.len - 3;
    else if (p[26] == 0 || (p[26] > 6 && p[26] < 128))
        bad = 6, at = 26;
    if (bad >= 0) {
        *reterr = (struct wire_error){rules[bad], at};
        return false;
    }
    *ret = (struct gb26875_frame){.serial = low16(p + 2),
                                  .version = {p[4], p[5]},
                                  .time = {p[6], p[7], p[8], p[9], p[10], p[11]},
                                  .source = low48(p + 12),
                                  .destination = low48(p + 18),
                                  .command = p[26],
                                  .data = {p + 27, n}};
    return true;
}

static void put_low(struct buf *b, uint64_t v, int n) {
    for (int i = 0; i < n; i++) buf_char(b, (char)(uint8_t)(v >> 8 * i));
}

void gb26875_encode(const struct gb26875_frame *f, struct buf *out) {
    if (f->data.len > GB26875_DATA_MAX) return;
    size_t from = out->len;
    const struct gb26875_time *t = &f->time;
    buf_add(out, "\x40\x40", 2);
    put_low(out, f->serial, 2);
    buf_add(out, f->version, 2);
    buf_add(out, (uint8_t[]){t->second, t->minute, t->hour, t->day, t->month, t->year}, 6);
    put_low(out, f->source, 6);
    put_low(out, f->destination, 6);
    put_low(out, f->data.len, 2);
    buf_char(out, (char)f->command);
    buf_add(out, f->data.ptr, f->data.len);
    if (out->overflow) return;
    buf_char(out, (char)sum_of((const uint8_t *)out->ptr + from + 2, 25 + f->data.len));
    buf_add(out, "\x23\x23", 2);
}

bool gb26875_time_s(struct gb26875_time t, int64_t *ret_s) {
    int32_t year = 2000 + t.year;
    if (t.second > 59 || t.minute > 59 || t.hour > 23 || t.year > 99 || !civil_is_date(year, t.month, t.day))
        return false;
    *ret_s = civil_day(year, t.month, t.day) * 86400 + t.hour * 3600 + t.minute * 60 + t.second;
    return true;
}

struct gb26875_time gb26875_time_of(int64_t s) {
    int32_t y, m, d;
    int64_t day = s / 86400, rest = s % 86400;
    civil_from_day(day, &y, &m, &d);
    return (struct gb26875_time){(uint8_t)(rest % 60), (uint8_t)(rest / 60 % 60), (uint8_t)(rest / 3600), (uint8_t)d,
                                 (uint8_t)m,           (uint8_t)(y - 2000)};
}
