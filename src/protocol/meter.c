/* Frames of meters.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/meter.h"

#include "base/civil.h"
#include "protocol/split.h"

#include <string.h>

#define WAKE  0xfe
#define START 0x68
#define END   0x16
#define TAIL  2 /* sum, end */

static uint8_t sum_of(struct bytes b) {
    unsigned sum = 0;
    for (size_t i = 0; i < b.len; i++) sum += b.ptr[i];
    return (uint8_t)sum;
}

static struct bytes from(struct bytes in, size_t n) {
    return (struct bytes){in.ptr + n, in.len - n};
}

static size_t wake_of(struct bytes in) {
    size_t n = 0;
    while (n < in.len && in.ptr[n] == WAKE) n++;
    return n;
}

/* ---- splitting ---- */

static size_t start_of(struct bytes in) {
    size_t i = 0;
    while (i < in.len && in.ptr[i] != START && in.ptr[i] != WAKE) i++;
    return i;
}

static enum frame look(const void *arg, struct bytes in, size_t *ret_len) {
    const struct meter_shape *s = arg;
    size_t wake = wake_of(in);
    struct bytes b = from(in, wake);
    if (wake > METER_WAKE_MAX) return FRAME_SKIP;
    if (!b.len) return FRAME_SHORT;
    if (b.ptr[0] != START || (s->mark_at && b.len > s->mark_at && b.ptr[s->mark_at] != START)) return FRAME_SKIP;
    if (b.len <= s->length_at) return FRAME_SHORT;
    size_t data = b.ptr[s->length_at], n = s->head + data + TAIL;
    if (data > s->data_max) return FRAME_SKIP;
    if (b.len < n) return FRAME_SHORT;
    if (b.ptr[n - 1] != END || sum_of((struct bytes){b.ptr, n - TAIL}) != b.ptr[n - TAIL]) return FRAME_SKIP;
    *ret_len = wake + n;
    return FRAME_WHOLE;
}

enum frame meter_split(const struct meter_shape *s, struct bytes in, size_t *ret_len) {
    return split_next(&(struct split){start_of, look, s, NULL}, in, NULL, ret_len);
}

/* ---- one frame ---- */

/* `at` is where it is, or where it is missing: the end. */
static bool bad(struct wire_error *e, const char *rule, struct bytes whole, size_t at) {
    *e = (struct wire_error){rule, at < whole.len ? at : whole.len};
    return false;
}

bool meter_open(const struct meter_shape *s, struct bytes whole, struct meter_parts *ret, struct wire_error *reterr) {
    size_t wake = wake_of(whole);
    struct bytes b = from(whole, wake);
    if (wake > METER_WAKE_MAX || !b.len || b.ptr[0] != START) return bad(reterr, s->start, whole, wake);
    if (s->mark_at && (b.len <= s->mark_at || b.ptr[s->mark_at] != START))
        return bad(reterr, s->mark, whole, wake + s->mark_at);
    if (b.len <= s->length_at || b.ptr[s->length_at] > s->data_max)
        return bad(reterr, s->length, whole, wake + s->length_at);
    size_t data = b.ptr[s->length_at], n = s->head + data + TAIL;
    if (b.len != n) return bad(reterr, s->fits, whole, wake + s->length_at);
    if (b.ptr[n - 1] != END) return bad(reterr, s->end, whole, wake + n - 1);
    if (sum_of((struct bytes){b.ptr, n - TAIL}) != b.ptr[n - TAIL]) return bad(reterr, s->sum, whole, wake + n - TAIL);
    *ret = (struct meter_parts){wake, {b.ptr, s->head}, {b.ptr + s->head, data}};
    return true;
}

void meter_close(struct buf *out, size_t at) {
    if (out->overflow) return;
    buf_char(out, (char)sum_of((struct bytes){(const uint8_t *)out->ptr + at, out->len - at}));
    buf_char(out, END);
}

/* ---- digits ---- */

bool meter_address(struct bytes wire, char *ret) {
    for (size_t i = 0; i < wire.len; i++) {
        uint8_t b = wire.ptr[wire.len - 1 - i];
        if (b != 0xaa && ((b >> 4) > 9 || (b & 15) > 9)) return false;
        ret[2 * i] = "0123456789A"[b >> 4];
        ret[2 * i + 1] = "0123456789A"[b & 15];
    }
    ret[2 * wire.len] = 0;
    return true;
}

bool meter_address_of(const char *text, uint8_t *ret, size_t n) {
    if (strlen(text) != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        char high = text[2 * i], low = text[2 * i + 1];
        bool any = high == 'A' && low == 'A';
        if (!any && (high < '0' || high > '9' || low < '0' || low > '9')) return false;
        ret[n - 1 - i] = any ? 0xaa : (uint8_t)((high - '0') << 4 | (low - '0'));
    }
    return true;
}

bool meter_is_asked(struct str asked, const char *address) {
    for (size_t i = 0; i < asked.len; i++)
        if (!address[i] || (asked.ptr[i] != 'A' && asked.ptr[i] != address[i])) return false;
    return !address[asked.len];
}

bool meter_bcd(struct bytes b, uint64_t *ret) {
    uint64_t v = 0;
    for (size_t i = b.len; i-- > 0;) {
        unsigned high = b.ptr[i] >> 4, low = b.ptr[i] & 15u;
        if (high > 9 || low > 9) return false;
        v = v * 100 + high * 10 + low;
    }
    *ret = v;
    return true;
}

void meter_put_bcd(struct buf *out, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; i++, v /= 100) buf_char(out, (char)(uint8_t)(v / 10 % 10 << 4 | v % 10));
}

bool meter_time(struct bytes b, int64_t *ret_s) {
    uint64_t v[6];
    for (size_t i = 0; i < 6; i++)
        if (b.len < 6 || !meter_bcd((struct bytes){b.ptr + i, 1}, &v[i])) return false;
    int32_t year = 2000 + (int32_t)v[5], month = (int32_t)v[4], day = (int32_t)v[3];
    if (v[0] > 59 || v[1] > 59 || v[2] > 23 || !civil_is_date(year, month, day)) return false;
    *ret_s = civil_day(year, month, day) * 86400 + (int64_t)(v[2] * 3600 + v[1] * 60 + v[0]);
    return true;
}
