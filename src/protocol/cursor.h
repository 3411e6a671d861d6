/* Reading of wire bytes: every read checks its bounds.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_CURSOR_H
#define LINLI_PROTOCOL_CURSOR_H

#include "base/base.h"

/* A read past the end gives 0 (or no bytes) and sets `is_broken`, which stays: check once, behind a group of reads. */
struct cursor {
    struct bytes in;
    size_t at;
    bool is_broken;
};

static inline struct cursor cursor_of(struct bytes in) {
    return (struct cursor){.in = in};
}

static inline size_t cursor_left(const struct cursor *c) {
    return c->in.len - c->at;
}

static inline struct bytes cursor_bytes(struct cursor *c, size_t n) {
    if (n > cursor_left(c)) {
        c->is_broken = true;
        return (struct bytes){NULL, 0};
    }
    struct bytes got = {c->in.ptr + c->at, n};
    c->at += n;
    return got;
}

/* n bytes, 1 to 8, as an unsigned number: big end first, little end first. */
static inline uint64_t cursor_be(struct cursor *c, size_t n) {
    struct bytes b = cursor_bytes(c, n);
    uint64_t v = 0;
    for (size_t i = 0; i < b.len; i++) v = v << 8 | b.ptr[i];
    return v;
}

static inline uint64_t cursor_le(struct cursor *c, size_t n) {
    struct bytes b = cursor_bytes(c, n);
    uint64_t v = 0;
    for (size_t i = b.len; i-- > 0;) v = v << 8 | b.ptr[i];
    return v;
}

static inline uint8_t cursor_u8(struct cursor *c) {
    return (uint8_t)cursor_be(c, 1);
}

static inline uint16_t cursor_u16_be(struct cursor *c) {
    return (uint16_t)cursor_be(c, 2);
}

static inline uint16_t cursor_u16_le(struct cursor *c) {
    return (uint16_t)cursor_le(c, 2);
}

static inline uint32_t cursor_u32_be(struct cursor *c) {
    return (uint32_t)cursor_be(c, 4);
}

static inline uint32_t cursor_u32_le(struct cursor *c) {
    return (uint32_t)cursor_le(c, 4);
}

/* The same the other way. */
static inline void cursor_put_be(struct buf *b, uint64_t v, size_t n) {
    for (size_t i = n; i-- > 0;) buf_char(b, (char)(uint8_t)(v >> 8 * i));
}

static inline void cursor_put_le(struct buf *b, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; i++) buf_char(b, (char)(uint8_t)(v >> 8 * i));
}

#endif
