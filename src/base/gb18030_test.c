/* GB 18030: characters of each length, both ways; what is none.  SPDX-License-Identifier: Apache-2.0 */
#include "base/gb18030.h"

#include "base/utf8.h"
#include "tests/lib/test.h"

#include <string.h>

static const struct {
    const char *utf8;
    uint8_t bytes[12];
    size_t n;
    const char *why;
} rows[] = {
    {"A1 ~", {'A', '1', ' ', '~'}, 4, "ASCII is itself"},
    {"中文", {0xd6, 0xd0, 0xce, 0xc4}, 4, "two bytes each, as in GB 2312"},
    {"烟感", {0xd1, 0xcc, 0xb8, 0xd0}, 4, "two more"},
    {"丂", {0x81, 0x40}, 2, "the first pair"},
    {"€", {0xa2, 0xe3}, 2, "added to the pairs in 2000"},
    {"\xc2\x80", {0x81, 0x30, 0x81, 0x30}, 4, "U+0080: the first of four bytes"},
    {"㐀", {0x81, 0x39, 0xee, 0x39}, 4, "U+3400: extension A begins"},
    {"\xef\xbf\xbf", {0x84, 0x31, 0xa4, 0x39}, 4, "U+FFFF: the last of the basic plane"},
    {"𠀀", {0x95, 0x32, 0x82, 0x36}, 4, "U+20000: beyond the basic plane"},
    {"\xf4\x8f\xbf\xbf", {0xe3, 0x32, 0x9a, 0x35}, 4, "U+10FFFF: the last"},
};

static void characters_go_both_ways(struct t *t) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[64];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        bool ok = gb18030_to_utf8((struct bytes){rows[i].bytes, rows[i].n}, &b);
        CHECK_SAY(t, ok && !strcmp(mem, rows[i].utf8), "%s: %s", rows[i].why, mem);
        buf_init(&b, mem, sizeof mem);
        ok = gb18030_from_utf8(str_of(rows[i].utf8), &b);
        CHECK_SAY(t, ok && b.len == rows[i].n && !memcmp(mem, rows[i].bytes, b.len), "back: %s", rows[i].why);
    }
}

static void every_character_but_private_ones_comes_back(struct t *t) {
    size_t lost = 0;
    for (int32_t c = 1; c <= 0xffff; c++) {
        char text[8], wire[8], again[8];
        struct buf a, b, d;
        if (c >= 0xd800 && c <= 0xf8ff) continue; /* surrogates, private use: those moved between editions */
        buf_init(&a, text, sizeof text);
        buf_init(&b, wire, sizeof wire);
        buf_init(&d, again, sizeof again);
        utf8_put(&a, c);
        if (!gb18030_from_utf8((struct str){text, a.len}, &b) ||
            !gb18030_to_utf8((struct bytes){(const uint8_t *)wire, b.len}, &d) || strcmp(text, again) != 0)
            lost++;
    }
    CHECK_SAY(t, lost == 0, "%zu characters are lost", lost);
}

static void what_is_none_is_refused_and_nothing_written(struct t *t) {
    static const struct {
        uint8_t bytes[6];
        size_t n;
        const char *why;
    } bad[] = {
        {{'a', 0x80}, 2, "80 begins nothing"},
        {{'a', 0xff, 0x41}, 3, "nor does FF"},
        {{'a', 0xd6}, 2, "half a pair"},
        {{0xd6, 0x7f}, 2, "7F is no second byte"},
        {{0x81, 0x30, 0x81}, 3, "three of four bytes"},
        {{0x81, 0x30, 0x81, 0x3a}, 4, "a fourth byte past 39"},
        {{0xe3, 0x32, 0x9a, 0x36}, 4, "past U+10FFFF"},
        {{'a', 0}, 2, "U+0000"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        char mem[64];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        CHECK_SAY(t, !gb18030_to_utf8((struct bytes){bad[i].bytes, bad[i].n}, &b) && !b.len, "%s", bad[i].why);
    }
    char mem[8];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    CHECK(t, !gb18030_from_utf8(S("a\xff"), &b) && !b.len);
}

TESTS(CASE(characters_go_both_ways), CASE(every_character_but_private_ones_comes_back),
      CASE(what_is_none_is_refused_and_nothing_written))
