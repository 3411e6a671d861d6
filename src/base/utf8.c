/* UTF-8 at the border.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <string.h>

/* Length of the well-formed sequence at s[at] (Unicode 15, table 3-7), or 0. */
static size_t sequence(struct str s, size_t at) {
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    size_t left = s.len - at;
    if (p[0] == 0) return 0;
    if (p[0] < 0x80) return 1;
    size_t n = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
    if (!n || left < n) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return n;
}

bool utf8_is_valid(struct str s) {
    for (size_t at = 0; at < s.len;) {
        size_t n = sequence(s, at);
        if (!n) return false;
        at += n;
    }
    return true;
}

size_t utf8_count(struct str s) {
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++) count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return count;
}

int32_t utf8_next(struct str s, size_t *at) {
    if (*at >= s.len) return -1;
    const unsigned char *p = (const unsigned char *)s.ptr + *at;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n > s.len - *at) n = s.len - *at;
    int32_t code = n == 1 ? p[0] : p[0] & (0xff >> (n + 1));
    for (size_t i = 1; i < n; i++) code = code << 6 | (p[i] & 0x3f);
    *at += n;
    return code;
}

void utf8_put(struct buf *b, int32_t code) {
    uint32_t c = (uint32_t)code;
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_add(b, (char[]){(char)(0xc0 | c >> 6), (char)(0x80 | (c & 63))}, 2);
    } else if (c < 0x10000) {
        buf_add(b, (char[]){(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 63)), (char)(0x80 | (c & 63))}, 3);
    } else {
        buf_add(b,
                (char[]){(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 63)), (char)(0x80 | (c >> 6 & 63)),
                         (char)(0x80 | (c & 63))},
                4);
    }
}

struct str utf8_head(struct str s, size_t count) {
    size_t at = 0;
    while (count-- && utf8_next(s, &at) >= 0) {
    }
    return (struct str){s.ptr, at};
}

struct str utf8_tail(struct str s, size_t count) {
    size_t all = utf8_count(s);
    return all > count ? str_from(s, utf8_head(s, all - count).len) : s;
}

bool utf8_is_typed(struct str s, bool many_lines) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == 127 || (c < ' ' && !(many_lines && (c == '\n' || c == '\r' || c == '\t')))) return false;
    }
    return true;
}

void utf8_copy(char *to, size_t size, struct str s) {
    size_t n = s.len < size ? s.len : size - 1;
    while (n && n < s.len && (s.ptr[n] & 0xc0) == 0x80) n--; /* the cut falls inside a code point */
    if (n) memcpy(to, s.ptr, n);
    to[n] = 0;
}

static int32_t fold(int32_t c) {
    if (c >= 0xff01 && c <= 0xff5e) c -= 0xfee0; /* full-width forms */
    if (c == 0x3000) return ' ';
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 32;
    if (c >= 0x391 && c <= 0x3a9) return c + 32;
    if (c >= 0x410 && c <= 0x42f) return c + 32;
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    return c;
}

static bool separates(int32_t c) {
    if (c < 0x80) return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'));
    return (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f) || c == 0xb7 || c == 0xa0;
}

void utf8_fold(struct buf *b, struct str s) {
    bool pending = false, started = false;
    for (size_t at = 0; at < s.len;) {
        int32_t c = fold(utf8_next(s, &at));
        if (separates(c)) {
            pending = started;
            continue;
        }
        if (pending) buf_char(b, ' ');
        pending = false;
        started = true;
        utf8_put(b, c);
    }
}
