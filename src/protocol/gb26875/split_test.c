/* Frames of GB/T 26875.3 in a stream: whatever the pieces, whatever was lost.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"
#include "tests/lib/test.h"

#include <string.h>

#define STREAM_MAX 8192

struct stream {
    uint8_t bytes[STREAM_MAX];
    size_t n;
};

static struct gb26875_frame frame_of(uint16_t serial, const uint8_t *data, size_t n) {
    return (struct gb26875_frame){.serial = serial,
                                  .version = {1, 1},
                                  .time = {2, 58, 9, 26, 9, 12},
                                  .source = 889,
                                  .destination = 88888,
                                  .command = GB26875_SEND,
                                  .data = {data, n}};
}

/* Appends a frame with `data_n` bytes of data and gives its length. */
static size_t add(struct stream *s, uint16_t serial, size_t data_n) {
    uint8_t data[GB26875_DATA_MAX];
    struct buf b;
    for (size_t i = 0; i < data_n; i++) data[i] = (uint8_t)(0x80 + i % 7);
    struct gb26875_frame f = frame_of(serial, data, data_n);
    buf_init(&b, (char *)s->bytes + s->n, STREAM_MAX - s->n);
    gb26875_encode(&f, &b);
    s->n += b.len;
    return b.len;
}

static void drop(struct stream *s, size_t at, size_t n) {
    memmove(s->bytes + at, s->bytes + at + n, s->n - at - n);
    s->n -= n;
}

/* Feeds the stream in pieces; serial numbers of the right frames, in order, the damaged ones as 0xffff. */
struct found {
    uint16_t serials[64];
    size_t n;
};
static struct found feed(struct t *t, const struct stream *s, size_t piece) {
    static uint8_t keep[STREAM_MAX];
    struct found ret = {{0}, 0};
    size_t have = 0;
    for (size_t fed = 0; fed < s->n;) {
        size_t n = s->n - fed < piece ? s->n - fed : piece;
        memcpy(keep + have, s->bytes + fed, n);
        have += n;
        fed += n;
        for (int turns = 0; turns < STREAM_MAX; turns++) {
            size_t len = 0;
            struct gb26875_frame f;
            struct wire_error e;
            enum frame what = gb26875_codec.frame((struct bytes){keep, have}, &len);
            if (what == FRAME_SHORT) break;
            CHECK(t, len > 0 && len <= have);
            if (what == FRAME_WHOLE && ret.n < COUNT(ret.serials))
                ret.serials[ret.n++] = gb26875_decode((struct bytes){keep, len}, &f, &e) ? f.serial : 0xffff;
            memmove(keep, keep + len, have - len);
            have -= len;
        }
    }
    return ret;
}

static void frames_are_found_whatever_the_pieces(struct t *t) {
    struct stream s = {.n = 9};
    memcpy(s.bytes, "\x23\x23noise\x40x", 9);
    for (uint16_t i = 1; i <= 4; i++) add(&s, i, i * 11u);
    memcpy(s.bytes + s.n, "\x40\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff",
           26); /* lies about its length */
    s.n += 26;
    add(&s, 5, 0);
    for (size_t piece = 1; piece <= s.n; piece++) {
        struct found f = feed(t, &s, piece);
        CHECK_SAY(t, f.n == 5, "pieces of %zu: %zu frames", piece, f.n);
        for (uint16_t i = 0; i < f.n && i < 5; i++) CHECK(t, f.serials[i] == i + 1);
    }
}

/* Bytes lost in the first of two frames, each number at each place: the second is found as soon as it is whole. */
static void what_follows_lost_bytes_is_found_at_once(struct t *t) {
    static const size_t sizes[][2] = {{48, 48}, {48, 0}, {0, 48}, {9, 0}, {1024, 9}, {48, 200}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct stream whole = {.n = 0};
        size_t first = add(&whole, 1, sizes[i][0]);
        add(&whole, 2, sizes[i][1]);
        for (size_t lost = 1; lost < first && lost < 80; lost++)
            for (size_t at = 0; at + lost <= first; at += 1 + first / 100) {
                struct stream s = whole;
                drop(&s, at, lost);
                struct found f = feed(t, &s, s.n);
                bool ok = f.n && f.serials[f.n - 1] == 2;
                CHECK_SAY(t, ok, "%zu of %zu bytes lost at %zu, then %zu: %zu frames", lost, first, at, sizes[i][1],
                          f.n);
                if (!ok) return;
            }
    }
}

static void a_long_length_does_not_hold_back_what_follows(struct t *t) {
    struct stream s = {.n = 0};
    size_t first = add(&s, 1, 1024);
    drop(&s, 40, first - 40); /* only its head came: 1,014 bytes are waited for */
    add(&s, 2, 48);
    for (size_t piece = 1; piece <= s.n; piece += 7) {
        struct found f = feed(t, &s, piece);
        CHECK_SAY(t, f.n == 1 && f.serials[0] == 2, "pieces of %zu: %zu frames", piece, f.n);
    }
}

static void a_wrong_sum_is_one_frame_unless_a_right_one_is_inside(struct t *t) {
    struct stream s = {.n = 0};
    add(&s, 1, 48);
    s.bytes[30] ^= 1;
    add(&s, 2, 0);
    struct found f = feed(t, &s, s.n);
    CHECK(t, f.n == 2 && f.serials[0] == 0xffff && f.serials[1] == 2);
    s.n = 0;
    add(&s, 1, 60);
    drop(&s, 28, 30); /* what follows ends exactly where this one would */
    add(&s, 2, 0);
    f = feed(t, &s, s.n);
    CHECK_SAY(t, f.n == 1 && f.serials[0] == 2, "%zu frames", f.n);
}

/* What the centre answers to the first frame of the stream: its serial number and command. */
static unsigned answer_to(struct stream *s) {
    char mem[100];
    struct buf b;
    size_t len = 0;
    buf_init(&b, mem, sizeof mem);
    if (gb26875_codec.frame((struct bytes){s->bytes, s->n}, &len) != FRAME_WHOLE) return 0;
    gb26875_codec.reply((struct bytes){s->bytes, len}, false, 0, &b);
    return b.len == GB26875_OVERHEAD ? (uint8_t)mem[2] << 8 | (uint8_t)mem[26] : 0;
}

/* A panel whose frame came damaged is told so at once, where it can be told whose it is. */
static void what_is_wrong_is_denied(struct t *t) {
    static const struct {
        const char *why;
        size_t at, n; /* bytes that are damaged; at: from the end where it is 0 */
        const char *bytes;
        bool is_denied;
    } all[] = {
        {"the end", 0, 2, "\x24\x24", true},
        {"half of the end", 0, 1, "\x24", true},
        {"a length of 1025", 24, 2, "\x01\x04", true},
        {"the longest length", 24, 2, "\xff\xff", true},
        {"sum and end", 0, 3, "\x01\x24\x24", false}, /* it may be anything */
        {"length and command", 24, 3, "\xff\xff\x09", false},
        {"length and time", 10, 16, "\x0d\x0c\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff", false},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        for (int is_followed = 0; is_followed < 2; is_followed++) {
            struct stream s = {.n = 0};
            size_t len = add(&s, 1, 48);
            memcpy(s.bytes + (all[i].at ? all[i].at : len - all[i].n), all[i].bytes, all[i].n);
            if (is_followed) add(&s, 2, 0);
            struct found f = feed(t, &s, s.n);
            size_t n = (size_t)all[i].is_denied + (size_t)is_followed;
            CHECK_SAY(t, f.n == n && (!is_followed || f.serials[n - 1] == 2), "%s: %zu frames", all[i].why, f.n);
            CHECK_SAY(t, !all[i].is_denied || answer_to(&s) == (1 << 8 | GB26875_DENY), "%s: answer", all[i].why);
        }
}

static void rubbish_is_skipped_and_what_may_begin_a_frame_is_kept(struct t *t) {
    size_t len = 9;
    CHECK(t, gb26875_codec.frame((struct bytes){(const uint8_t *)"abc", 3}, &len) == FRAME_SKIP && len == 3);
    CHECK(t, gb26875_codec.frame((struct bytes){(const uint8_t *)"abc@", 4}, &len) == FRAME_SKIP && len == 3);
    CHECK(t, gb26875_codec.frame((struct bytes){(const uint8_t *)"@", 1}, &len) == FRAME_SHORT && len == 0);
    CHECK(t, gb26875_codec.frame((struct bytes){(const uint8_t *)"", 0}, &len) == FRAME_SHORT && len == 0);
    struct stream s = {.n = 1000};
    memset(s.bytes, 0x40, s.n);
    add(&s, 1, 48);
    for (size_t piece = 1; piece <= 100; piece++) {
        struct found f = feed(t, &s, piece);
        CHECK_SAY(t, f.n == 1 && f.serials[0] == 1, "pieces of %zu: %zu frames", piece, f.n);
    }
}

TESTS(CASE(frames_are_found_whatever_the_pieces), CASE(what_follows_lost_bytes_is_found_at_once),
      CASE(a_long_length_does_not_hold_back_what_follows), CASE(a_wrong_sum_is_one_frame_unless_a_right_one_is_inside),
      CASE(what_is_wrong_is_denied), CASE(rubbish_is_skipped_and_what_may_begin_a_frame_is_kept))
