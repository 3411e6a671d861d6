/* Tests of text slices.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct str absent = {NULL, 0};

static void absent_and_empty_differ_only_by_their_pointer(struct t *t) {
    CHECK(t, !str_of(NULL).ptr && str_of("").ptr);
    CHECK(t, str_eq(absent, S("")) && str_is(absent, ""));
    CHECK(t, str_starts(absent, absent) && !str_starts(absent, S("a")));
    CHECK(t, !str_from(absent, 3).ptr && str_trim(absent).len == 0);
}

static void order_is_by_bytes_and_a_prefix_comes_first(struct t *t) {
    static const char *const rising[] = {"", "A", "AB", "B", "a", "é", "中"};
    for (size_t i = 0; i < COUNT(rising); i++)
        for (size_t k = 0; k < COUNT(rising); k++) {
            int order = str_cmp(str_of(rising[i]), str_of(rising[k]));
            CHECK_SAY(t, (order < 0) == (i < k) && (order > 0) == (i > k), "%s and %s", rising[i], rising[k]);
        }
}

static void parts_come_one_by_one_with_the_empty_ones(struct t *t) {
    static const struct {
        const char *text, *parts[4];
        size_t n;
    } rows[] = {
        {"a,b", {"a", "b"}, 2}, {"", {""}, 1}, {",", {"", ""}, 2}, {"a,,b", {"a", "", "b"}, 3}, {"a,", {"a", ""}, 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str rest = str_of(rows[i].text), part;
        size_t n = 0;
        while (n < 4 && str_cut(&rest, ',', &part)) {
            CHECK_SAY(t, n < rows[i].n && str_is(part, rows[i].parts[n]), "row %zu part %zu", i, n);
            n++;
        }
        CHECK_SAY(t, n == rows[i].n, "row %zu: %zu parts", i, n);
    }
    struct str rest = absent, part;
    CHECK(t, !str_cut(&rest, ',', &part));
}

static void cutting_and_trimming_stay_inside(struct t *t) {
    CHECK(t, str_is(str_from(S("abc"), 1), "bc") && str_from(S("abc"), 9).len == 0);
    CHECK(t, str_is(str_trim(S(" \t a b\r\n")), "a b") && str_trim(S("  ")).len == 0);
}

static void integers_are_read_whole_or_not_at_all(struct t *t) {
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"+7", true, 7},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+-1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
        {"１", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = 42;
        bool ok = str_to_i64(str_of(rows[i].text), &v);
        CHECK_SAY(t, ok == rows[i].ok && v == (ok ? rows[i].v : 42), "%s", rows[i].text);
    }
}

static void decimals_are_read_whole_finite_and_without_hex(struct t *t) {
    static const struct {
        const char *text;
        bool ok;
        double v;
    } rows[] = {
        {"0", true, 0},      {"-1.5", true, -1.5},
        {"1e3", true, 1000}, {".5", true, 0.5},
        {"0.1", true, 0.1},  {"1.7976931348623157e308", true, 1.7976931348623157e308},
        {"1e309", false},    {"", false},
        {".", false},        {"e5", false},
        {"1e", false},       {"0x10", false},
        {"inf", false},      {"nan", false},
        {"1,5", false},      {" 1", false},
        {"1 ", false},       {"1.2.3", false},
        {"--1", false},      {"5e-324", true, 5e-324},
        {"+2", true, 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double v = 42;
        bool ok = str_to_f64(str_of(rows[i].text), &v);
        CHECK_SAY(t, ok == rows[i].ok && v == (ok ? rows[i].v : 42), "%s", rows[i].text);
    }
    double v;
    CHECK(t, !str_to_f64((struct str){"1\0", 2}, &v)); /* NUL is no digit */
    char longest[65];
    for (size_t i = 0; i < sizeof longest; i++) longest[i] = '1';
    CHECK(t, str_to_f64((struct str){longest, 63}, &v));
    CHECK(t, !str_to_f64((struct str){longest, 64}, &v));
}

static void slices_end_where_they_say(struct t *t) {
    struct str s = {"123456", 3};
    int64_t v;
    double d;
    CHECK(t, str_to_i64(s, &v) && v == 123);
    CHECK(t, str_to_f64(s, &d) && fabs(d - 123) < 1e-9);
    CHECK(t, str_is(s, "123") && !str_is(s, "1234"));
}

static uint64_t next_random(uint64_t *x) {
    return *x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
}

/* Whichever way it is read, it is the double that strtod() gives. */
static void a_decimal_is_the_nearest_double(struct t *t) {
    uint64_t x = t->seed;
    for (int i = 0; i < 20000; i++) {
        char text[48];
        uint64_t m = next_random(&x) >> (next_random(&x) >> 32) % 60, scale = (next_random(&x) >> 40) % 20;
        int n = snprintf(text, sizeof text, "%s%" PRIu64, i % 3 ? "" : "-", m);
        if ((size_t)n > scale + 2 && scale) { /* a point somewhere */
            memmove(text + n - scale + 1, text + (size_t)n - scale, scale + 1);
            text[(size_t)n - scale] = '.';
        }
        double v;
        CHECK_SAY(t, str_to_f64(str_of(text), &v) && v == strtod(text, NULL), "%s", text);
    }
}

static void a_hash_depends_on_every_byte_and_the_length(struct t *t) {
    char text[40] = {0};
    for (size_t n = 1; n <= sizeof text; n++) {
        uint64_t plain = str_hash((struct str){text, n});
        CHECK(t, plain != str_hash((struct str){text, n - 1}));
        for (size_t i = 0; i < n; i++) {
            text[i] = 'a';
            CHECK_SAY(t, plain != str_hash((struct str){text, n}), "byte %zu of %zu", i, n);
            text[i] = 0;
        }
    }
    CHECK(t, str_hash((struct str){NULL, 0}) == str_hash(S("")));
}

static void words_come_without_the_blanks_between(struct t *t) {
    struct str rest = S("  one two   three "), word;
    const char *want[] = {"one", "two", "three"};
    for (size_t i = 0; i < COUNT(want); i++) CHECK(t, str_word(&rest, &word) && str_is(word, want[i]));
    CHECK(t, !str_word(&rest, &word));
    rest = str_of(NULL);
    CHECK(t, !str_word(&rest, &word));
}

static void codes_stand_in_topics(struct t *t) {
    static const char *const good[] = {"a", "yunshanli", "grid-03", "云杉里", "A.1:b_c"};
    static const char *const bad[] = {"", " ", "a b", "a/b", "+", "a#", "a\tb", "\x7f"};
    for (size_t i = 0; i < COUNT(good); i++) CHECK_SAY(t, str_is_code(str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++) CHECK_SAY(t, !str_is_code(str_of(bad[i])), "%s", bad[i]);
}

static void names_have_the_number_they_were_given_first(struct t *t) {
    static const char *const all[] = {"visits", "cases", "c", "places", "漏水"};
    struct names n;
    CHECK(t, names_init(&n, &t->arena, COUNT(all)) && names_find(&n, S("cases")) == SIZE_MAX);
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(all); i++) CHECK(t, names_put(&n, str_of(all[i])) == i);
    for (size_t i = 0; i < COUNT(all); i++) CHECK(t, names_find(&n, str_of(all[i])) == i);
    CHECK(t, n.n == COUNT(all) && names_find(&n, S("case")) == SIZE_MAX && names_find(&n, absent) == SIZE_MAX);
}

static void ids_are_a_text_with_blanks_between(struct t *t) {
    static const int64_t ids[] = {7, -1, INT64_MAX};
    int64_t back[16];
    size_t n = 9;
    char mem[64];
    struct buf b;
    struct str text;
    buf_init(&b, mem, sizeof mem);
    buf_ids(&b, ids, COUNT(ids));
    CHECK(t, buf_done(&b, &text) && str_is(text, "7 -1 9223372036854775807"));
    CHECK(t, str_to_ids(text, back, &n) && n == 3 && !memcmp(back, ids, sizeof ids));
    CHECK(t, str_to_ids(S(""), back, &n) && n == 0 && !str_to_ids(S("7 x"), back, &n));
}

static void what_is_known_of_pairs_is_found_again(struct t *t) {
    struct id_pairs p = {0};
    int64_t value = -1;
    CHECK(t, !id_pairs_get(&p, 1, 2, &value) && value == -1);
    for (int64_t a = 1; a <= 40; a++) /* makes the table grow several times */
        for (int64_t b = 0; b < 40; b++) CHECK(t, id_pairs_put(&p, &t->arena, a, b, a * 100 + b));
    CHECK(t, id_pairs_put(&p, &t->arena, 7, 7, 0)); /* said anew */
    for (int64_t a = 1; a <= 40; a++)
        for (int64_t b = 0; b < 40; b++)
            CHECK(t, id_pairs_get(&p, a, b, &value) && value == (a == 7 && b == 7 ? 0 : a * 100 + b));
    CHECK(t, p.used == 1600 && !id_pairs_get(&p, 40, 40, &value) && !id_pairs_get(&p, 41, 0, &value));
    struct arena none;
    arena_init(&none, 0);
    p = (struct id_pairs){0};
    CHECK(t, !id_pairs_put(&p, &none, 1, 1, 1) && !id_pairs_get(&p, 1, 1, &value));
    arena_finish(&none);
}

static void sets_of_ids_are_sorted_and_hold_each_once(struct t *t) {
    int64_t ids[] = {7, 0, -3, 7, 9, 0, 9};
    CHECK(t, ids_unique(ids, COUNT(ids)) == 3 && ids[0] == -3 && ids[1] == 7 && ids[2] == 9);
    CHECK(t, ids_find(ids, 3, 9) == 2 && ids_find(ids, 3, 8) == SIZE_MAX);
    CHECK(t, ids_unique(NULL, 0) == 0 && ids_find(NULL, 0, 1) == SIZE_MAX);
}

static void a_word_is_in_only_as_a_whole(struct t *t) {
    CHECK(t, word_in(" ab  abc ", S("abc")) && word_in("a", S("a")));
    CHECK(t, !word_in("abc", S("ab")) && !word_in("abc", S("")) && !word_in(NULL, S("a")));
}

static void decimals_keep_every_digit_or_are_refused(struct t *t) {
    static const struct {
        const char *text;
        int scale;
        int64_t v;
        const char *code;
    } rows[] = {
        {"1.5", 3, 1500, NULL},
        {"-0.05", 2, -5, NULL},
        {"7", 2, 700, NULL},
        {"12.340", 3, 12340, NULL},
        {"1.2345", 3, 0, "too_precise"},
        {"", 2, 0, "bad_type"},
        {".5", 2, 0, "bad_type"},
        {"5.", 2, 0, "bad_type"},
        {"1.2.3", 3, 0, "bad_type"},
        {"1e3", 2, 0, "bad_type"},
        {"99999999999999999999", 2, 0, "bad_type"},
        {"12345678901234567890123456789012345678901234567890", 2, 0, "too_large"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = 0;
        const char *code = str_to_decimal(str_of(rows[i].text), rows[i].scale, &v);
        bool same = rows[i].code ? code && !strcmp(code, rows[i].code) : !code && v == rows[i].v;
        CHECK_SAY(t, same, "%s: %s", rows[i].text, code ? code : "read");
    }
}

static void a_number_is_written_in_one_way(struct t *t) {
    static const struct {
        const char *text;
        bool ok;
    } all[] = {{"0", true},   {"7", true},   {"255", true}, {"256", false}, {"", false},  {"01", false},
               {"-1", false}, {"+1", false}, {"1 ", false}, {" 1", false},  {"1a", false}};
    for (size_t i = 0; i < COUNT(all); i++) {
        int64_t n = -1;
        CHECK_SAY(t, str_to_number(str_of(all[i].text), 255, &n) == all[i].ok, "\"%s\"", all[i].text);
    }
}

TESTS(CASE(a_number_is_written_in_one_way), CASE(codes_stand_in_topics),
      CASE(absent_and_empty_differ_only_by_their_pointer), CASE(order_is_by_bytes_and_a_prefix_comes_first),
      CASE(parts_come_one_by_one_with_the_empty_ones), CASE(cutting_and_trimming_stay_inside),
      CASE(words_come_without_the_blanks_between), CASE(integers_are_read_whole_or_not_at_all),
      CASE(decimals_are_read_whole_finite_and_without_hex), CASE(decimals_keep_every_digit_or_are_refused),
      CASE(slices_end_where_they_say), CASE(a_decimal_is_the_nearest_double),
      CASE(a_hash_depends_on_every_byte_and_the_length), CASE(sets_of_ids_are_sorted_and_hold_each_once),
      CASE(names_have_the_number_they_were_given_first), CASE(ids_are_a_text_with_blanks_between),
      CASE(what_is_known_of_pairs_is_found_again), CASE(a_word_is_in_only_as_a_whole))
