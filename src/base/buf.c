/* Bounded builders.  SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, char *mem, size_t cap) {
    *b = (struct buf){.ptr = mem, .size = cap, .cap = cap, .overflow = cap == 0};
    if (cap) mem[0] = 0;
}

void buf_init_arena(struct buf *b, struct arena *a, size_t cap) {
    *b = (struct buf){.cap = cap, .arena = a};
}

static bool grow(struct buf *b, size_t n) {
    if (!b->arena || n >= b->cap - b->len) {
        b->overflow = true;
        return false;
    }
    size_t size = b->size ? b->size * 2 : 256;
    if (size < b->len + n + 1) size = b->len + n + 1;
    if (size > b->cap) size = b->cap;
    char *ptr = arena_alloc(b->arena, size, 1, 1);
    if (!ptr) {
        b->overflow = true;
        return false;
    }
    if (b->len) memcpy(ptr, b->ptr, b->len);
    b->ptr = ptr;
    b->size = size;
    return true;
}

/* Room for n more bytes and the NUL. */
static inline bool room(struct buf *b, size_t n) {
    if (b->overflow) return false;
    return n < b->size - b->len || grow(b, n); /* size - len >= 1 once there is memory */
}

void buf_add(struct buf *b, const void *bytes, size_t n) {
    if (!room(b, n)) return;
    if (n) memcpy(b->ptr + b->len, bytes, n);
    b->len += n;
    b->ptr[b->len] = 0;
}

char *buf_take(struct buf *b, size_t n) {
    if (!room(b, n)) return NULL;
    char *at = b->ptr + b->len;
    b->len += n;
    b->ptr[b->len] = 0;
    return at;
}

void buf_str(struct buf *b, struct str s) {
    buf_add(b, s.ptr, s.len);
}

void buf_cstr(struct buf *b, const char *s) {
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c) {
    if (!room(b, 1)) return;
    b->ptr[b->len++] = c;
    b->ptr[b->len] = 0;
}

void buf_i64(struct buf *b, int64_t v) {
    char text[24];
    size_t at = sizeof text;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do text[--at] = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) text[--at] = '-';
    buf_add(b, text + at, sizeof text - at);
}

void buf_vfmt(struct buf *b, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || !room(b, (size_t)n)) {
        b->overflow = true;
        return;
    }
    vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, args);
    b->len += (size_t)n;
}

void buf_fmt(struct buf *b, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    buf_vfmt(b, fmt, args);
    va_end(args);
}

void buf_hex(struct buf *b, struct bytes bytes) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.len; i++) {
        buf_char(b, digits[bytes.ptr[i] >> 4]);
        buf_char(b, digits[bytes.ptr[i] & 15]);
    }
}

bool buf_done(const struct buf *b, struct str *ret) {
    if (b->overflow) return false;
    *ret = (struct str){b->ptr ? b->ptr : "", b->len};
    return true;
}

void buf_decimal(struct buf *b, int64_t v, int scale) {
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, ten = 1;
    for (int i = 0; i < scale; i++) ten *= 10;
    if (v < 0) buf_char(b, '-');
    buf_i64(b, (int64_t)(u / ten));
    if (scale) buf_fmt(b, ".%0*llu", scale, (unsigned long long)(u % ten));
}

void buf_csv(struct buf *b, struct str text, bool is_typed) {
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) quoted |= text.ptr[i] && strchr(",\"\r\n", text.ptr[i]);
    if (quoted) buf_char(b, '"');
    if (is_typed && text.len && text.ptr[0] && strchr("=+-@\t\r", text.ptr[0])) buf_char(b, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') buf_char(b, '"');
        buf_char(b, text.ptr[i]);
    }
    if (quoted) buf_char(b, '"');
}
