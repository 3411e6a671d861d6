/* Frames of GB/T 26875.3: splitting, checking, building.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "protocol/cursor.h"
#include "protocol/gb26875/gb26875_internal.h"
#include "protocol/split.h"

#define FRAME_MAX (GB26875_OVERHEAD + GB26875_DATA_MAX)
#define LENGTH_AT 24

static uint8_t sum_of(const uint8_t *p, size_t n) {
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) sum += p[i];
    return (uint8_t)sum;
}

/* ---- splitting ---- */

static size_t start_of(struct bytes in) { /* the first 40 40, or a 40 at the very end */
    size_t i = 0;
    while (i < in.len && (in.ptr[i] != 0x40 || (i + 1 < in.len && in.ptr[i + 1] != 0x40))) i++;
    return i;
}

static size_t length_of(struct bytes in) {
    struct cursor c = {.in = in, .at = LENGTH_AT};
    return GB26875_OVERHEAD + (size_t)cursor_u16_le(&c);
}

static bool is_command(uint8_t c) {
    return (c > 0 && c <= GB26875_DENY) || c >= GB26875_OWN;
}

/* No rubbish that looks like a start. */
static bool has_right_head(struct bytes in) {
    int64_t ignored;
    return is_command(in.ptr[GB26875_DATA_AT - 1]) && gb26875_time_s(gb26875_time_from(in.ptr + 6), &ignored);
}

/* One with a wrong sum, a wrong end or too great a length is denied (clause 6.5), so it is a frame.  With a wrong end
 * it is where the sum is right and nothing follows, or another frame: else bytes were lost, and are of another. */
static enum frame look(const void *arg, struct bytes in, size_t *ret_len) {
    (void)arg;
    if (in.len < LENGTH_AT + 2) return FRAME_SHORT;
    size_t n = length_of(in);
    if (n > FRAME_MAX) {
        if (in.len < GB26875_DATA_AT) return FRAME_SHORT;
        if (!has_right_head(in)) return FRAME_SKIP;
        *ret_len = GB26875_DATA_AT;
        return FRAME_SHORT;
    }
    if (n > in.len) return FRAME_SHORT;
    bool ends = in.ptr[n - 2] == 0x23 && in.ptr[n - 1] == 0x23, is_right = sum_of(in.ptr + 2, n - 5) == in.ptr[n - 3];
    bool is_followed = n < in.len && in.ptr[n] != 0x40;
    if (!ends && (!is_right || is_followed)) return FRAME_SKIP;
    *ret_len = n;
    return ends && is_right ? FRAME_WHOLE : FRAME_SHORT;
}

static size_t end_of(struct bytes in) {
    size_t n = in.len < LENGTH_AT + 2 ? 0 : length_of(in);
    return n <= FRAME_MAX ? n : 0;
}

enum frame gb26875_follow(struct bytes in, struct followed *followed, size_t *ret_len) {
    return split_next(&(struct split){start_of, look, NULL, end_of}, in, followed, ret_len);
}

enum frame gb26875_split(struct bytes in, size_t *ret_len) {
    return gb26875_follow(in, NULL, ret_len);
}

/* ---- decoding and encoding ---- */

struct gb26875_time gb26875_time_from(const uint8_t *wire) {
    return (struct gb26875_time){wire[0], wire[1], wire[2], wire[3], wire[4], wire[5]};
}

void gb26875_put_time(struct gb26875_time t, struct buf *out) {
    buf_add(out, (uint8_t[]){t.second, t.minute, t.hour, t.day, t.month, t.year}, 6);
}

void gb26875_head(struct bytes in, struct gb26875_frame *ret) {
    struct cursor c = {.in = in, .at = 2};
    ret->serial = cursor_u16_le(&c);
    ret->version[0] = cursor_u8(&c);
    ret->version[1] = cursor_u8(&c);
    ret->time = gb26875_time_from(cursor_bytes(&c, 6).ptr);
    ret->source = cursor_le(&c, 6);
    ret->destination = cursor_le(&c, 6);
    ret->command = in.ptr[GB26875_DATA_AT - 1];
}

bool gb26875_read(struct bytes b, struct gb26875_frame *ret, struct wire_error *reterr) {
    static const char *const rules[] = {"GB/T 26875.3 6.6: a frame has at least 30 bytes",
                                        "GB/T 26875.3 6.6: the start is 40 40",
                                        "GB/T 26875.3 6.6: the length is at most 1024",
                                        "GB/T 26875.3 6.6: the length does not fit the frame",
                                        "GB/T 26875.3 6.6: the end is 23 23",
                                        "GB/T 26875.3 6.6: the sum is wrong",
                                        "GB/T 26875.3 6.6: no such command"};
    const uint8_t *p = b.ptr;
    size_t n = 0;
    int bad = -1;
    size_t at = 0;
    if (b.len >= 2 && (p[0] != 0x40 || p[1] != 0x40))
        bad = 1;
    else if (b.len >= GB26875_DATA_AT && (n = length_of(b) - GB26875_OVERHEAD) > GB26875_DATA_MAX)
        bad = 2, at = LENGTH_AT;
    else if (b.len < GB26875_OVERHEAD)
        bad = 0, at = b.len;
    else if (n + GB26875_OVERHEAD != b.len)
        bad = 3, at = LENGTH_AT;
    else if (p[b.len - 2] != 0x23 || p[b.len - 1] != 0x23)
        bad = 4, at = b.len - 2;
    else if (sum_of(p + 2, 25 + n) != p[b.len - 3])
        bad = 5, at = b.len - 3;
    else if (!is_command(p[GB26875_DATA_AT - 1]))
        bad = 6, at = 26;
    if (bad >= 0) *reterr = (struct wire_error){rules[bad], at};
    if (bad >= 0 && bad < 6) return false;
    gb26875_head(b, ret);
    ret->data = (struct bytes){p + GB26875_DATA_AT, n};
    return bad < 0;
}

bool gb26875_decode(struct bytes b, struct gb26875_frame *ret, struct wire_error *reterr) {
    struct gb26875_frame f;
    if (!gb26875_read(b, &f, reterr)) return false;
    *ret = f;
    return true;
}

void gb26875_encode(const struct gb26875_frame *f, struct buf *out) {
    if (f->data.len > GB26875_DATA_MAX) return;
    size_t from = out->len;
    buf_add(out, "\x40\x40", 2);
    cursor_put_le(out, f->serial, 2);
    buf_add(out, f->version, 2);
    gb26875_put_time(f->time, out);
    cursor_put_le(out, f->source, 6);
    cursor_put_le(out, f->destination, 6);
    cursor_put_le(out, f->data.len, 2);
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
