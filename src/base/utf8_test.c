/* Tests of UTF-8: which sequences are well formed, and walking, cutting and folding of those that are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "tests/lib/test.h"

/* Boundaries of every length below, at and above; then the malformed kinds in the order of Markus Kuhn's decoder stress
 * test: stray and missing continuation bytes, impossible bytes, overlong forms, surrogates. */
static const struct {
    const char *text;
    size_t len;
    bool ok;
    const char *why;
} rows[] = {
    {"", 0, true, "empty"},
    {"abc", 3, true, "ASCII"},
    {"\0", 1, false, "NUL"},
    {"a\0b", 3, false, "NUL inside"},
    {"\x01", 1, true, "first of one byte"},
    {"\x7f", 1, true, "last of one byte"},
    {"\xc2\x80", 2, true, "U+0080"},
    {"\xdf\xbf", 2, true, "U+07FF"},
    {"\xe0\xa0\x80", 3, true, "U+0800"},
    {"\xe6\xbc\x8f", 3, true, "U+6F0F"},
    {"\xed\x9f\xbf", 3, true, "U+D7FF, below the surrogates"},
    {"\xee\x80\x80", 3, true, "U+E000, above them"},
    {"\xef\xbf\xbd", 3, true, "U+FFFD"},
    {"\xef\xbf\xbf", 3, true, "U+FFFF, no character but well formed"},
    {"\xf0\x90\x80\x80", 4, true, "U+10000"},
    {"\xf4\x8f\xbf\xbf", 4, true, "U+10FFFF"},
    {"\xf4\x90\x80\x80", 4, false, "U+110000"},
    {"\x80", 1, false, "continuation byte alone"},
    {"\xbf", 1, false, "last continuation byte alone"},
    {"a\x80z", 3, false, "continuation byte between letters"},
    {"\xe6\xbc\x8f\x8f", 4, false, "one continuation byte too many"},
    {"\xc2", 1, false, "two bytes, last missing"},
    {"\xe6\xbc", 2, false, "three bytes, last missing"},
    {"\xe6", 1, false, "three bytes, two missing"},
    {"\xf0\x90\x80", 3, false, "four bytes, last missing"},
    {"\xc2 ", 2, false, "a blank for a continuation byte"},
    {"\xe6\xbc ", 3, false, "a blank for the third byte"},
    {"\xc2\xc2\x80", 3, false, "a leading byte for a continuation byte"},
    {"\xfe", 1, false, "impossible byte"},
    {"\xff", 1, false, "impossible byte"},
    {"\xf5\x80\x80\x80", 4, false, "leading byte past Unicode"},
    {"\xf8\x88\x80\x80\x80", 5, false, "five bytes"},
    {"\xfc\x84\x80\x80\x80\x80", 6, false, "six bytes"},
    {"\xc0\xaf", 2, false, "/ in two bytes"},
    {"\xe0\x80\xaf", 3, false, "/ in three bytes"},
    {"\xf0\x80\x80\xaf", 4, false, "/ in four bytes"},
    {"\xc1\xbf", 2, false, "U+007F in two bytes"},
    {"\xe0\x9f\xbf", 3, false, "U+07FF in three bytes"},
    {"\xf0\x8f\xbf\xbf", 4, false, "U+FFFF in four bytes"},
    {"\xc0\x80", 2, false, "NUL in two bytes"},
    {"\xed\xa0\x80", 3, false, "U+D800, first surrogate"},
    {"\xed\xbf\xbf", 3, false, "U+DFFF, last surrogate"},
    {"\xed\xa0\xbd\xed\xb8\x80", 6, false, "a pair of surrogates (CESU-8)"},
};

static void well_formed_text_passes_and_nothing_else(struct t *t) {
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SAY(t, utf8_is_valid((struct str){rows[i].text, rows[i].len}) == rows[i].ok, "%s", rows[i].why);
}

static void bad_bytes_are_found_behind_good_ones(struct t *t) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[64];
        struct buf b;
        struct str s;
        buf_init(&b, mem, sizeof mem);
        buf_cstr(&b, "漏水");
        buf_add(&b, rows[i].text, rows[i].len);
        CHECK(t, buf_done(&b, &s));
        CHECK_SAY(t, utf8_is_valid(s) == rows[i].ok, "%s", rows[i].why);
    }
}

static void every_code_point_comes_back(struct t *t) {
    for (int32_t c = 1; c <= 0x10ffff; c++) {
        if (c == 0xd800) c = 0xe000;
        char mem[8];
        struct buf b;
        struct str s;
        size_t at = 0;
        buf_init(&b, mem, sizeof mem);
        utf8_put(&b, c);
        bool same = buf_done(&b, &s) && utf8_is_valid(s) && utf8_count(s) == 1 && utf8_next(s, &at) == c && at == s.len;
        CHECK_SAY(t, same, "U+%04X", (unsigned)c);
    }
}

static void walking_ends_with_minus_one(struct t *t) {
    struct str s = S("a漏😀");
    size_t at = 0;
    CHECK(t, utf8_next(s, &at) == 'a' && utf8_next(s, &at) == 0x6f0f && utf8_next(s, &at) == 0x1f600);
    CHECK(t, utf8_next(s, &at) == -1 && at == s.len);
    CHECK(t, utf8_count(s) == 3);
}

static void heads_are_cut_between_characters(struct t *t) {
    CHECK(t, utf8_head(S("漏水"), 0).len == 0);
    CHECK(t, str_is(utf8_head(S("漏水"), 1), "漏"));
    CHECK(t, str_is(utf8_head(S("漏水"), 2), "漏水"));
    CHECK(t, str_is(utf8_head(S("漏水"), 3), "漏水"));
    static const struct {
        size_t size;
        const char *text;
    } cuts[] = {{1, ""}, {3, ""}, {4, "漏"}, {6, "漏"}, {7, "漏水"}, {8, "漏水"}};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        char to[8] = "xxxxxxx";
        utf8_copy(to, cuts[i].size, S("漏水"));
        CHECK_SAY(t, str_is(str_of(to), cuts[i].text), "size %zu gives %s", cuts[i].size, to);
    }
}

static void folding_makes_what_people_type_meet_what_is_written(struct t *t) {
    static const struct {
        const char *in, *out;
    } folds[] = {
        {"", ""},
        {"  ", ""},
        {"ABC", "abc"},
        {"Ａｂ１２", "ab12"},
        {"Ärger ÉCOLE", "ärger école"},
        {"×÷", "×÷"},
        {"Ωμέγα", "ωμέγα"},
        {"ПРИВЕТ Ёж", "привет ёж"},
        {"3号楼-2单元（东）", "3号楼 2单元 东"},
        {"漏水，严重！", "漏水 严重"},
        {"　全角　空格　", "全角 空格"},
        {"a_b.c", "a b c"},
        {"...a...", "a"},
    };
    for (size_t i = 0; i < COUNT(folds); i++) {
        char mem[128];
        struct buf b;
        struct str s, in = str_of(folds[i].in);
        buf_init(&b, mem,
                 in.len + 2 < sizeof mem ? in.len + 2 : sizeof mem); /* "never longer than the input plus one" */
        utf8_fold(&b, in);
        CHECK_SAY(t, buf_done(&b, &s) && str_is(s, folds[i].out), "%s gives %s, not %s", folds[i].in, mem,
                  folds[i].out);
    }
}

static void tails_are_cut_between_characters(struct t *t) {
    CHECK(t, str_is(utf8_tail(S("a漏水"), 2), "漏水") && str_is(utf8_tail(S("a漏水"), 3), "a漏水"));
    CHECK(t, str_is(utf8_tail(S("漏水"), 9), "漏水") && utf8_tail(S("漏水"), 0).len == 0);
}

static void what_people_type_has_no_control_characters(struct t *t) {
    CHECK(t, utf8_is_typed(S("3号楼 漏水"), false) && utf8_is_typed(S(""), false));
    CHECK(t, utf8_is_typed(S("a\r\n\tb"), true) && !utf8_is_typed(S("a\nb"), false));
    CHECK(t, !utf8_is_typed(S("a\x1b"), true) && !utf8_is_typed(S("a\x7f"), true) && !utf8_is_typed(S("\tb"), false));
}

TESTS(CASE(well_formed_text_passes_and_nothing_else), CASE(bad_bytes_are_found_behind_good_ones),
      CASE(every_code_point_comes_back), CASE(walking_ends_with_minus_one), CASE(heads_are_cut_between_characters),
      CASE(tails_are_cut_between_characters), CASE(what_people_type_has_no_control_characters),
      CASE(folding_makes_what_people_type_meet_what_is_written))
