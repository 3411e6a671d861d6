/* Streams that are followed: the same frames as in one that is looked at anew, each summed up once, whatever the
 * pieces.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"
#include "protocol/hj212/hj212.h"
#include "protocol/watch/watch.h"
#include "tests/lib/test.h"

#define PARTS_MAX  8
#define STREAM_MAX 32768
#define PIECE_MAX  200

static size_t below(struct t *t, size_t n) {
    return (size_t)(test_random(t) % n);
}

/* Both ways, with each piece.  Gives how many frames were whole. */
static size_t feed(struct t *t, const struct codec *codec, struct bytes all, size_t piece_max) {
    struct followed f = {0};
    size_t at = 0, have = 0, n = 0, len = 0;
    while (at + have < all.len) {
        size_t rest = all.len - at - have, more = below(t, piece_max) + 1;
        have += more < rest ? more : rest;
        for (len = 0; have; at += len, have -= len) {
            struct bytes in = {all.ptr + at, have};
            size_t other = 0;
            enum frame anew = codec->frame(in, &other), what = codec->follow(in, &f, &len);
            CHECK_SAY(t, what == anew && len == other, "%s at %zu of %zu: %d of %zu, not %d of %zu", codec->name, at,
                      have, what, len, anew, other);
            if (what != anew || what == FRAME_SHORT) break;
            n += what == FRAME_WHOLE;
        }
    }
    return n;
}

/* Frames, beginnings of frames and what stands in them, in any order. */
static void what_is_followed_is_what_is_there(struct t *t) {
    static const struct {
        const struct codec *codec;
        struct str parts[PARTS_MAX]; /* the first is a whole frame */
    } all[] = {
        {&hj212_codec,
         {S("##0023CN=2011;MN=A;CP=&&a=1&&C741\r\n"), S("##0000FFFF\r\n"), S("##0023CN=2011;MN"), S("##9998"),
          S("##0040"), S("#"), S("0023"), S("\r\n")}},
        {&gb26875_codec,
         {S("\x40\x40\1\0\1\1\0\0\0\1\1\x1a\1\0\0\0\0\0\2\0\0\0\0\0\0\0\2\x24\x23\x23"), S("\x40"), S("\x40\x40"),
          S("\x40\x40\1\0\1\1\0\0\0\1\1\x1a\1\0\0\0\0\0\2\0\0\0\0\0\4\0\2"), S("\0\0\0\0\0\0\0"), S("\x23\x23"),
          S("\x40\x40\1\0\1\1\0\0\0\1\1\x1a\1\0\0\0\0\0\2\0\0\0\0\0\0\0\2\x25\x23\x23"), S("\0\4\2")}},
        {&watch_codec,
         {S("[3G*8800000015*0002*LK]"), S("[3G*8800000015*0040*UD"), S("[3G*88"), S("IWAP00353456789012345#"),
          S("IWAP03"), S("IW"), S("]"), S("#")}},
    };
    char mem[STREAM_MAX];
    struct buf b;
    for (size_t i = 0; i < COUNT(all); i++)
        for (size_t piece = 1; piece <= PIECE_MAX; piece += 1 + piece / 3) {
            buf_init(&b, mem, sizeof mem);
            for (size_t k = 0; k < 300; k++) buf_str(&b, all[i].parts[below(t, PARTS_MAX)]);
            buf_str(&b, all[i].parts[0]);
            size_t n = feed(t, all[i].codec, (struct bytes){(const uint8_t *)mem, b.len}, piece);
            CHECK_SAY(t, n > 2, "%s in pieces of %zu: %zu frames", all[i].codec->name, piece, n);
        }
}

/* 9,999 bytes are waited for, and within them as many as fit that all end where there is one sum, a wrong one. */
static void what_is_no_frame_is_summed_up_once_however_its_bytes_come(struct t *t) {
    enum { HEADS = 1600, HEAD = 6, TAIL = 8 };
    char mem[STREAM_MAX];
    struct buf b;
    struct followed f = {0};
    size_t len, most = 0;
    buf_init(&b, mem, sizeof mem);
    buf_cstr(&b, "##9999");
    for (size_t i = 1; i < HEADS; i++) {
        size_t whole = HEAD * (HEADS - i) + TAIL;
        most += whole;
        buf_fmt(&b, "##%04zu", whole - HEAD - 6);
    }
    buf_cstr(&b, "##FFFF\r\n");
    for (int i = 0; i < 200; i++) buf_char(&b, 'x');
    for (size_t have = 1; have <= b.len; have++)
        CHECK(t, hj212_codec.follow((struct bytes){(const uint8_t *)mem, have}, &f, &len) == FRAME_SHORT);
    CHECK_SAY(t, f.summed == most, "%zu bytes, not %zu", f.summed, most);
    CHECK(t, f.seen == b.len);
}

TESTS(CASE(what_is_followed_is_what_is_there), CASE(what_is_no_frame_is_summed_up_once_however_its_bytes_come))
