/* Tests of JSON: what the reader refuses, and that what the writer puts out reads back the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "tests/lib/test.h"

#include <math.h>
#include <string.h>

static void text_is_taken_or_refused_with_a_stable_code(struct t *t) {
    static const struct {
        const char *text, *code; /* NULL: taken */
    } rows[] = {
        {"{}", NULL},
        {" [1, 2.5, -3e2, true, false, null, \"\\u6f0f\\n\"] ", NULL},
        {"\"漏水\"", NULL},
        {"1", NULL},
        {"9223372036854775807", NULL},
        {"-9223372036854775808", NULL},
        {"9223372036854775808", "bad_json"},
        {"1e999", "bad_json"},
        {"{\"a\":1,\"b\":{\"a\":2}}", NULL},
        {"{\"a\":1,\"a\":2}", "bad_json"},
        {"", "bad_json"},
        {" ", "bad_json"},
        {"{", "bad_json"},
        {"{}{}", "bad_json"},
        {"{} x", "bad_json"},
        {"[1,]", "bad_json"},
        {"{'a':1}", "bad_json"},
        {"{a:1}", "bad_json"},
        {"[1 2]", "bad_json"},
        {"01", "bad_json"},
        {"+1", "bad_json"},
        {".5", "bad_json"},
        {"1.", "bad_json"},
        {"NaN", "bad_json"},
        {"Infinity", "bad_json"},
        {"tru", "bad_json"},
        {"\"\\u0000\"", "bad_json"},
        {"\"\\ud800\"", "bad_json"},
        {"\"\\udc00\\ud800\"", "bad_json"},
        {"\"\\ud83d\\ude00\"", NULL},
        {"\"\\x41\"", "bad_json"},
        {"\"a\nb\"", "bad_json"},
        {"\"open", "bad_json"},
        {"// note\n1", "bad_json"},
        {"\xef\xbb\xbf{}", "bad_json"},
        {"\"\xc0\xaf\"", "bad_utf8"},
        {"\"\xed\xa0\x80\"", "bad_utf8"},
        {"[\"]\",\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", NULL},
        {"[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *v = NULL;
        struct fault f = {0};
        enum err e = json_read(str_of(rows[i].text), &v, &f);
        if (rows[i].code)
            CHECK_SAY(t, e == ERR_INVALID && !v && !strcmp(f.code, rows[i].code), "%s: %s", rows[i].text, f.code);
        else
            CHECK_SAY(t, !e && v, "%s: %s", rows[i].text, f.text);
        json_decref(v);
    }
}

static void nul_in_the_text_is_refused(struct t *t) {
    json_t *v = NULL;
    CHECK(t, json_read((struct str){"1\0", 2}, &v, NULL) == ERR_INVALID && !v);
    CHECK(t, json_read((struct str){NULL, 0}, &v, NULL) == ERR_INVALID && !v);
}

/* A text of `depth` brackets with a number in the middle. */
static struct str nested(struct t *t, int depth, const char *open, const char *close) {
    struct buf b;
    struct str s = {NULL, 0};
    buf_init_arena(&b, &t->arena, (size_t)4 << 20);
    for (int i = 0; i < depth; i++) buf_cstr(&b, open);
    buf_char(&b, '1');
    for (int i = 0; i < depth; i++) buf_cstr(&b, close);
    CHECK(t, buf_done(&b, &s));
    return s;
}

static void depth_is_bounded_before_anything_recurses(struct t *t) {
    static const struct {
        int depth;
        bool ok;
    } rows[] = {{JSON_DEPTH_MAX - 1, true},
                {JSON_DEPTH_MAX, true},
                {JSON_DEPTH_MAX + 1, false},
                {10 * JSON_DEPTH_MAX, false},
                {500000, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str texts[] = {nested(t, rows[i].depth, "[", "]"), nested(t, rows[i].depth, "{\"a\":", "}")};
        for (size_t k = 0; k < COUNT(texts); k++) {
            json_t *v = NULL;
            struct fault f = {0};
            enum err e = json_read(texts[k], &v, &f);
            CHECK_SAY(t, rows[i].ok ? !e : e == ERR_INVALID && !strcmp(f.code, "json_too_deep"), "depth %d: %s",
                      rows[i].depth, f.code);
            json_decref(v);
        }
    }
    /* Opening brackets only: still too deep, not merely unfinished. */
    json_t *v = NULL;
    struct fault f = {0};
    CHECK(t, json_read(nested(t, 100, "[", ""), &v, &f) && !strcmp(f.code, "json_too_deep"));
}

static void text_of_a_value_is_absent_unless_it_is_a_string(struct t *t) {
    json_t *v = NULL;
    CHECK(t, !json_read(S("[\"\", \"x\", 1, null]"), &v, &t->fault));
    CHECK(t, json_text(json_array_get(v, 0)).ptr && json_text(json_array_get(v, 0)).len == 0);
    CHECK(t, str_is(json_text(json_array_get(v, 1)), "x"));
    CHECK(t, !json_text(json_array_get(v, 2)).ptr && !json_text(json_array_get(v, 3)).ptr && !json_text(NULL).ptr);
    json_decref(v);
}

static void a_decimal_is_a_number_or_a_text(struct t *t) {
    static const struct {
        const char *json, *code;
        int64_t v;
    } rows[] = {
        {"3", NULL, 300},
        {"0.1", NULL, 10},
        {"-1.25", NULL, -125},
        {"\"1.25\"", NULL, 125},
        {"1.255", "too_precise", 0},
        {"\"1.255\"", "too_precise", 0},
        {"1e300", "too_large", 0},
        {"9223372036854775807", "too_large", 0},
        {"true", "bad_type", 0},
        {"\"x\"", "bad_type", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *v = NULL;
        int64_t got = 0;
        CHECK(t, !json_read(str_of(rows[i].json), &v, &t->fault));
        const char *code = json_to_decimal(v, 2, &got);
        bool same = rows[i].code ? code && !strcmp(code, rows[i].code) : !code && got == rows[i].v;
        CHECK_SAY(t, same, "%s: %s", rows[i].json, code ? code : "read");
        json_decref(v);
    }
}

static void the_writer_puts_commas_and_brackets(struct t *t) {
    char mem[256];
    struct buf b;
    struct jw w;
    buf_init(&b, mem, sizeof mem);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_kstr(&w, "a", S("x"));
    jw_kstr(&w, "gone", (struct str){NULL, 0});
    jw_key(&w, "list");
    jw_open(&w, '[');
    jw_i64(&w, -1);
    jw_open(&w, '[');
    jw_close(&w, ']');
    jw_open(&w, '{');
    jw_kbool(&w, "yes", true);
    jw_close(&w, '}');
    jw_null(&w);
    jw_raw(&w, S("{\"r\":1}"));
    jw_close(&w, ']');
    jw_kid(&w, "id", INT64_MAX);
    jw_ki64(&w, "n", 0);
    jw_kcstr(&w, "c", NULL);
    jw_close(&w, '}');
    CHECK_SAY(t,
              !strcmp(mem, "{\"a\":\"x\",\"gone\":null,\"list\":[-1,[],{\"yes\":true},null,{\"r\":1}],"
                           "\"id\":\"9223372036854775807\",\"n\":0,\"c\":null}"),
              "%s", mem);
}

static void every_text_reads_back_as_it_was(struct t *t) {
    for (int c = 1; c < 0x300; c++) {
        char in[] = {'a', 0, 0, 'z', 0}, mem[64];
        struct buf b;
        struct jw w;
        struct str s;
        json_t *v = NULL;
        size_t n = 2;
        if (c < 0x80)
            in[1] = (char)c, in[2] = 'z', in[3] = 0;
        else
            in[1] = (char)(0xc0 | c >> 6), in[2] = (char)(0x80 | (c & 63)), n = 3;
        struct str text = {in, n + 1};
        buf_init(&b, mem, sizeof mem);
        jw_init(&w, &b);
        jw_str(&w, text);
        CHECK(t, buf_done(&b, &s));
        CHECK_SAY(t, !json_read(s, &v, &t->fault) && str_eq(json_text(v), text), "U+%04X: %s", (unsigned)c, mem);
        json_decref(v);
    }
}

static struct str put_number(char *mem, size_t size, double v) {
    struct buf b;
    struct jw w;
    struct str s = {NULL, 0};
    buf_init(&b, mem, size);
    jw_init(&w, &b);
    jw_f64(&w, v);
    return buf_done(&b, &s) ? s : (struct str){NULL, 0};
}

static void numbers_are_the_shortest_text_that_reads_back_the_same(struct t *t) {
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "1"},
        {-2, "-2"},
        {0.1, "0.1"},
        {21.5, "21.5"},
        {0.30000000000000004, "0.30000000000000004"},
        {1e15, "1e+15"},
        {999999999999999.0, "999999999999999"},
        {1e300, "1e+300"},
        {5e-324, "5e-324"},
        {1.0 / 3, "0.3333333333333333"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    char mem[64];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str s = put_number(mem, sizeof mem, rows[i].v);
        CHECK_SAY(t, str_is(s, rows[i].text), "%s, not %s", mem, rows[i].text);
    }
}

static void any_finite_number_survives_the_way_out_and_in(struct t *t) {
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = test_random(t);
        double v, back;
        char mem[64];
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v)) continue;
        struct str s = put_number(mem, sizeof mem, v);
        CHECK_SAY(t, str_to_f64(s, &back) && !memcmp(&back, &v, sizeof v), "%a: %s", v, mem);
    }
    double minus_zero = -0.0, back;
    char mem[64];
    CHECK(t, str_to_f64(put_number(mem, sizeof mem, minus_zero), &back) && signbit(back));
}

static void what_does_not_fit_is_said_at_the_end(struct t *t) {
    char mem[10];
    struct buf b;
    struct jw w;
    struct str s;
    buf_init(&b, mem, sizeof mem);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_kcstr(&w, "key", "longer");
    jw_close(&w, '}');
    CHECK(t, !buf_done(&b, &s));
}

static void a_shape_is_written_with_its_values(struct t *t) {
    char mem[512];
    struct buf b;
    struct jw j;
    struct str text;
    buf_init(&b, mem, sizeof mem);
    jw_init(&j, &b);
    jw_put(&j, "{'id':$,'name':$,'open':true,'none':null,'deep':{'n':-2,'list':[$,$",
           JV(J_ID(7), J_STR(S("a\"b")), J_I64(1), J_F64(0.5)));
    jw_i64(&j, 3);
    jw_put(&j, "],'off':$},'raw':$,'absent':$,'words':", JV(J_BOOL(false), J_RAW(S("{}")), J_CSTR(NULL)));
    jw_words(&j, " x  y ");
    jw_put(&j, "'either':$ 'or':$,'read':", JV(J_IF(true, J_I64(1)), J_IF(false, J_I64(1))));
    json_t *read;
    CHECK(t, !json_read(S("{\"a\": [1, null, \"x\"]}"), &read, &t->fault));
    jw_json(&j, read);
    json_decref(read);
    jw_key(&j, "unread");
    jw_json(&j, NULL);
    jw_close(&j, '}');
    const char *want =
        "{\"id\":\"7\",\"name\":\"a\\\"b\",\"open\":true,\"none\":null,\"deep\":{\"n\":-2,\"list\":[1,0.5,3],"
        "\"off\":false},\"raw\":{},\"absent\":null,\"words\":[\"x\",\"y\"],\"either\":1,\"or\":null,\"read\":{\"a\":[1,"
        "null,\"x\"]},"
        "\"unread\":null}";
    CHECK_SAY(t, buf_done(&b, &text) && str_is(text, want), STR_FMT, STR_ARG(text));
}

TESTS(CASE(text_is_taken_or_refused_with_a_stable_code), CASE(nul_in_the_text_is_refused),
      CASE(depth_is_bounded_before_anything_recurses), CASE(text_of_a_value_is_absent_unless_it_is_a_string),
      CASE(a_decimal_is_a_number_or_a_text), CASE(the_writer_puts_commas_and_brackets),
      CASE(a_shape_is_written_with_its_values), CASE(every_text_reads_back_as_it_was),
      CASE(numbers_are_the_shortest_text_that_reads_back_the_same), CASE(any_finite_number_survives_the_way_out_and_in),
      CASE(what_does_not_fit_is_said_at_the_end))
