/* GB 18030 by tables.  SPDX-License-Identifier: Apache-2.0 */
#include "base/gb18030.h"

#include "base/gb18030_internal.h"
#include "base/utf8.h"

#define TRAILS     190
#define SUPPLEMENT 189000 /* the number of 90308130, which stands for U+10000 */

static bool is_in(uint8_t b, uint8_t from, uint8_t to) {
    return b >= from && b <= to;
}

/* Code point at p, *ret_len bytes long; -1: none. */
static int32_t next(const uint8_t *p, size_t n, size_t *ret_len) {
    *ret_len = 1;
    if (p[0] < 0x80) return p[0] ? p[0] : -1;
    if (n < 2 || !is_in(p[0], 0x81, 0xfe)) return -1;
    if (is_in(p[1], 0x40, 0xfe) && p[1] != 0x7f) {
        int32_t code = gb18030_pairs[(p[0] - 0x81) * TRAILS + p[1] - 0x40 - (p[1] > 0x7f)];
        *ret_len = 2;
        return code ? code : -1;
    }
    if (n < 4 || !is_in(p[1], 0x30, 0x39) || !is_in(p[2], 0x81, 0xfe) || !is_in(p[3], 0x30, 0x39)) return -1;
    int32_t number = (((p[0] - 0x81) * 10 + p[1] - 0x30) * 126 + p[2] - 0x81) * 10 + p[3] - 0x30;
    *ret_len = 4;
    if (number >= SUPPLEMENT) return number - SUPPLEMENT <= 0xfffff ? number - SUPPLEMENT + 0x10000 : -1;
    for (size_t i = 0; i < gb18030_ranges_n; i++) {
        const struct gb18030_range *r = &gb18030_ranges[i];
        if (number >= r->from && number < r->from + r->len) return r->code + number - r->from;
    }
    return -1;
}

bool gb18030_to_utf8(struct bytes in, struct buf *out) {
    size_t len;
    for (size_t i = 0; i < in.len; i += len)
        if (next(in.ptr + i, in.len - i, &len) < 0) return false;
    for (size_t i = 0; i < in.len; i += len) utf8_put(out, next(in.ptr + i, in.len - i, &len));
    return true;
}

/* Place of the pair that stands for the code; -1: none does. */
static int32_t pair_of(int32_t code) {
    size_t low = 0, high = gb18030_order_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (gb18030_pairs[gb18030_order[mid]] < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < gb18030_order_n && gb18030_pairs[gb18030_order[low]] == code ? gb18030_order[low] : -1;
}

static size_t put(int32_t code, uint8_t *ret) {
    if (code < 0x80) {
        ret[0] = (uint8_t)code;
        return 1;
    }
    int32_t pair = pair_of(code);
    if (pair >= 0) {
        int32_t trail = pair % TRAILS;
        ret[0] = (uint8_t)(0x81 + pair / TRAILS);
        ret[1] = (uint8_t)(0x40 + trail + (trail >= 0x3f));
        return 2;
    }
    int32_t number = code > 0xffff ? SUPPLEMENT + code - 0x10000 : -1;
    for (size_t i = 0; number < 0 && i < gb18030_ranges_n; i++) {
        const struct gb18030_range *r = &gb18030_ranges[i];
        if (code >= r->code && code < r->code + r->len) number = r->from + code - r->code;
    }
    if (number < 0) return 0;
    ret[0] = (uint8_t)(0x81 + number / 12600);
    ret[1] = (uint8_t)(0x30 + number / 1260 % 10);
    ret[2] = (uint8_t)(0x81 + number / 10 % 126);
    ret[3] = (uint8_t)(0x30 + number % 10);
    return 4;
}

bool gb18030_from_utf8(struct str in, struct buf *out) {
    uint8_t code[4];
    int32_t c;
    if (!utf8_is_valid(in)) return false;
    for (size_t at = 0; (c = utf8_next(in, &at)) >= 0;)
        if (!put(c, code)) return false;
    for (size_t at = 0; (c = utf8_next(in, &at)) >= 0;) buf_add(out, code, put(c, code));
    return true;
}
