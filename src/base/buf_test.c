/* Tests of builders: what fits, what does not, and that the first overflow is remembered.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <string.h>

static void text_one_byte_below_the_cap_fits_and_one_more_does_not(struct t *t) {
    char mem[8];
    struct buf b;
    struct str s;
    buf_init(&b, mem, sizeof mem);
    buf_cstr(&b, "1234567");
    CHECK(t, buf_done(&b, &s) && str_is(s, "1234567") && s.ptr[7] == 0);
    buf_char(&b, '8');
    CHECK(t, !buf_done(&b, &s));
    CHECK(t, !strcmp(mem, "1234567")); /* what was there stays, still ended by NUL */
}

static void an_overflow_is_remembered_even_when_later_text_would_fit(struct t *t) {
    char mem[8];
    struct buf b;
    struct str s = S("before");
    buf_init(&b, mem, sizeof mem);
    buf_cstr(&b, "12345678");
    buf_cstr(&b, "1");
    CHECK(t, b.len == 0);
    CHECK(t, !buf_done(&b, &s) && str_is(s, "before"));
}

static void no_memory_at_all_is_an_overflow_and_not_a_crash(struct t *t) {
    struct buf b;
    struct str s;
    buf_init(&b, NULL, 0);
    buf_cstr(&b, "");
    CHECK(t, !buf_done(&b, &s));
}

static void nothing_written_is_empty_text(struct t *t) {
    struct buf b;
    struct str s;
    buf_init_arena(&b, &t->arena, 100);
    CHECK(t, buf_done(&b, &s) && s.ptr && s.len == 0);
}

static void it_grows_in_the_arena_up_to_its_own_cap(struct t *t) {
    struct buf b;
    struct str s;
    buf_init_arena(&b, &t->arena, 5000);
    for (int i = 0; i < 4999; i++) buf_char(&b, (char)('a' + i % 26));
    CHECK(t, buf_done(&b, &s) && s.len == 4999);
    bool same = true;
    for (size_t i = 0; i < s.len; i++) same &= s.ptr[i] == (char)('a' + i % 26);
    CHECK(t, same);
    buf_char(&b, 'x');
    CHECK(t, !buf_done(&b, &s));
}

static void it_stops_where_the_arena_stops(struct t *t) {
    struct arena small;
    struct buf b;
    struct str s;
    arena_init(&small, 600);
    buf_init_arena(&b, &small, 5000);
    for (int i = 0; i < 300; i++) buf_char(&b, 'x'); /* 256 and then 512 do not both go into 600 */
    CHECK(t, !buf_done(&b, &s));
    arena_finish(&small);
}

static void numbers_are_written_to_both_ends(struct t *t) {
    static const struct {
        int64_t v;
        const char *text;
    } rows[] = {
        {0, "0"}, {-1, "-1"}, {10, "10"}, {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[32];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        buf_i64(&b, rows[i].v);
        CHECK_SAY(t, !strcmp(mem, rows[i].text), "%s, not %s", mem, rows[i].text);
    }
}

static void formats_and_hex_obey_the_cap_too(struct t *t) {
    char mem[10];
    struct buf b;
    struct str s;
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, "%d-%s", 7, "abc");
    buf_hex(&b, (struct bytes){(const uint8_t *)"\x0f\xa0", 2});
    CHECK(t, buf_done(&b, &s) && str_is(s, "7-abc0FA0"));
    buf_fmt(&b, "%s", "x");
    CHECK(t, !buf_done(&b, &s));
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, "%010d", 1); /* ten and the NUL */
    CHECK(t, !buf_done(&b, &s));
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, "%09d", 1);
    CHECK(t, buf_done(&b, &s) && s.len == 9);
}

static void decimals_have_all_their_digits(struct t *t) {
    static const struct {
        int64_t v;
        int scale;
        const char *text;
    } rows[] = {{0, 2, "0.00"},    {5, 2, "0.05"},       {-5, 2, "-0.05"},
                {1234, 0, "1234"}, {-1234, 3, "-1.234"}, {INT64_MIN, 9, "-9223372036.854775808"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[32];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        buf_decimal(&b, rows[i].v, rows[i].scale);
        CHECK_SAY(t, !strcmp(mem, rows[i].text), "%s, not %s", mem, rows[i].text);
    }
}

static void cells_are_quoted_where_they_must_and_are_no_formulas(struct t *t) {
    static const struct {
        const char *text;
        bool is_typed;
        const char *cell;
    } rows[] = {{"a b", true, "a b"},       {"", true, ""},
                {"a,b", true, "\"a,b\""},   {"say \"a\"", false, "\"say \"\"a\"\"\""},
                {"a\nb", true, "\"a\nb\""}, {"=1+1", true, "'=1+1"},
                {"-1", false, "-1"},        {"@a,b", true, "\"'@a,b\""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[32];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        buf_csv(&b, str_of(rows[i].text), rows[i].is_typed);
        CHECK_SAY(t, !strcmp(mem, rows[i].cell), "%s, not %s", mem, rows[i].cell);
    }
}

TESTS(CASE(text_one_byte_below_the_cap_fits_and_one_more_does_not),
      CASE(an_overflow_is_remembered_even_when_later_text_would_fit),
      CASE(no_memory_at_all_is_an_overflow_and_not_a_crash), CASE(nothing_written_is_empty_text),
      CASE(it_grows_in_the_arena_up_to_its_own_cap), CASE(it_stops_where_the_arena_stops),
      CASE(numbers_are_written_to_both_ends), CASE(formats_and_hex_obey_the_cap_too),
      CASE(decimals_have_all_their_digits), CASE(cells_are_quoted_where_they_must_and_are_no_formulas))
