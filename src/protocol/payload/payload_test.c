/* Payloads as rows, and against jansson: what one accepts the other does, with the same numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/payload/payload.h"

#include "protocol/codec.h"

#include "base/json.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct payload_value values[PAYLOAD_VALUES_MAX];

static bool readings(struct t *t, struct str text, size_t *ret_n, struct payload_fault *f) {
    struct buf names;
    char *mem = arena_alloc(&t->arena, text.len + 1, 1, 1);
    buf_init(&names, mem, text.len + 1);
    return payload_readings((struct bytes){(const uint8_t *)text.ptr, text.len}, &names, values, COUNT(values), ret_n,
                            f);
}

static void readings_are_read_in_their_order(struct t *t) {
    size_t n = 0;
    struct payload_fault f = {0};
    static const char text[] =
        " [ {\"ts\":1700000000000,\"a\":1,\"b\":-2.5e-1 } ,\n{\"\\u6e29\\ud83d\\ude00\":true,\"ts\":"
        "\"2026-11-24T10:42:00+08:00\",\"f\":false},{\"ts\":null,\"x\\ty\\\\\":0.1}] ";
    CHECK_SAY(t, !readings(t, str_of(text), &n, &f) && str_is(str_of(f.rule), "a control character in a name"), "%s",
              f.rule);
    static const char good[] =
        " [ {\"ts\":1700000000000,\"a\":1,\"b\":-2.5e-1 } ,\n{\"\\u6e29\\ud83d\\ude00\":true,\"ts\":"
        "\"2026-11-24T10:42:00+08:00\",\"f\":false},{\"ts\":null,\"x\\\\\":0.1}]\t";
    static const struct payload_value want[] = {{{"a", 1}, 1, 1700000000000, true},
                                                {{"b", 1}, -0.25, 1700000000000, true},
                                                {{"温😀", 7}, 1, 1795488120000, true},
                                                {{"f", 1}, 0, 1795488120000, true},
                                                {{"x\\", 2}, 0.1, 0, false}};
    CHECK_SAY(t, readings(t, str_of(good), &n, &f) && n == COUNT(want), "%s at %zu", f.rule, f.at);
    for (size_t i = 0; i < n && i < COUNT(want); i++) {
        const struct payload_value *v = &values[i], *w = &want[i];
        CHECK_SAY(t,
                  str_eq(v->metric, w->metric) && v->value == w->value && v->has_at == w->has_at &&
                      (!v->has_at || v->at_ms == w->at_ms),
                  STR_FMT " %g %lld", STR_ARG(v->metric), v->value, (long long)v->at_ms);
    }
}

static void bad_readings_say_why_and_where(struct t *t) {
    static const struct {
        const char *text, *rule;
        size_t at;
    } rows[] = {
        {"", "nothing", 0},
        {"   ", "neither an object nor a list of objects", 3},
        {"{}", "no metric", 2},
        {"[]", "neither an object nor a list of objects", 1},
        {"[{\"a\":1},]", "neither an object nor a list of objects", 9},
        {"[{\"a\":1},{}]", "no metric", 11},
        {"{\"ts\":1}", "no metric", 8},
        {"{\"a\":1,}", "a text is missing", 7},
        {"{\"a\":1 \"b\":2}", "neither , nor } behind a value", 7},
        {"{\"a\" 1}", "no : behind a key", 5},
        {"{\"a\":1}x", "something stands behind the value", 7},
        {"{\"a\":1}{\"a\":1}", "something stands behind the value", 7},
        {"{\"a\":1,\"a\":2}", "a metric stands twice", 11},
        {"{\"a\":1,\"\\u0061\":2}", "a metric stands twice", 16},
        {"{\"ts\":1,\"a\":1,\"ts\":1}", "ts stands twice", 19},
        {"{\"\":1}", "an empty name", 4},
        {"{\"a\":\"1\"}", "a value is no number", 5},
        {"{\"a\":null}", "a value is no number", 5},
        {"{\"a\":{}}", "a value is no number", 5},
        {"{\"a\":[1]}", "a value is no number", 5},
        {"{\"a\":01}", "a number begins with 0", 5},
        {"{\"a\":-}", "a value is no number", 6},
        {"{\"a\":.5}", "a value is no number", 5},
        {"{\"a\":+5}", "a value is no number", 5},
        {"{\"a\":5.}", "a number is no JSON", 7},
        {"{\"a\":5e}", "a number is no JSON", 7},
        {"{\"a\":NaN}", "a value is no number", 5},
        {"{\"a\":1e999}", "a number is too long or too large", 10},
        {"{\"a\":tru}", "a value is no number", 5},
        {"{\"ts\":1.5,\"a\":1}", "ts is no whole number of milliseconds", 9},
        {"{\"ts\":99999999999999999999,\"a\":1}", "ts is no whole number of milliseconds", 26},
        {"{\"ts\":\"yesterday\",\"a\":1}", "ts is no time of RFC 3339", 17},
        {"{\"ts\":true,\"a\":1}", "ts is no time", 6},
        {"{\"a\\x\":1}", "an escape is no JSON", 5},
        {"{\"\\ud800\":1}", "half a surrogate pair", 8},
        {"{\"\\ud800\\u0041\":1}", "half a surrogate pair", 14},
        {"{\"\\udc00\":1}", "half a surrogate pair", 8},
        {"{\"\\u0000\":1}", "U+0000 in a text", 8},
        {"{\"\\u00g0\":1}", "an escape is no JSON", 6},
        {"{\"a\n\":1}", "a control character in a text", 3},
        {"{\"\xc3\x28\":1}", "a text is no UTF-8", 5},
        {"{\"a", "the payload ends early", 3},
        {"{\"a\":1", "neither , nor } behind a value", 6},
        {"[{\"a\":1}", "neither , nor ] behind an object", 8},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct payload_fault f = {"nothing was wrong", 0};
        size_t n = 77;
        bool ok = readings(t, str_of(rows[i].text), &n, &f);
        CHECK_SAY(t, !ok && n == 77 && !strcmp(f.rule, rows[i].rule) && f.at == rows[i].at, "%s: %s at %zu",
                  rows[i].text, f.rule, f.at);
    }
}

static void bounds_are_kept(struct t *t) {
    struct buf b;
    struct str text;
    size_t n = 0;
    struct payload_fault f = {0};
    for (int names = 63; names <= 65; names++) {
        buf_init_arena(&b, &t->arena, 200);
        buf_fmt(&b, "{\"%.*s\":1}", names, "0123456789012345678901234567890123456789012345678901234567890123456789");
        CHECK(t, buf_done(&b, &text) && readings(t, text, &n, &f) == (names <= PAYLOAD_NAME_MAX));
    }
    for (int metrics = PAYLOAD_METRICS_MAX - 1; metrics <= PAYLOAD_METRICS_MAX + 1; metrics++) {
        buf_init_arena(&b, &t->arena, 8000);
        for (int i = 0; i < metrics; i++) buf_fmt(&b, "%c\"%d\":1", i ? ',' : '{', i);
        buf_char(&b, '}');
        CHECK(t, buf_done(&b, &text) && readings(t, text, &n, &f) == (metrics <= PAYLOAD_METRICS_MAX));
    }
    for (int objects = PAYLOAD_VALUES_MAX - 1; objects <= PAYLOAD_VALUES_MAX + 1; objects++) {
        buf_init_arena(&b, &t->arena, 80000);
        for (int i = 0; i < objects; i++) buf_fmt(&b, "%c{\"a\":1}", i ? ',' : '[');
        buf_char(&b, ']');
        CHECK(t, buf_done(&b, &text) && readings(t, text, &n, &f) == (objects <= PAYLOAD_VALUES_MAX));
    }
    char small[4];
    buf_init(&b, small, sizeof small);
    struct str escaped = S("{\"abc\\u0064\":1}");
    CHECK(t, !payload_readings((struct bytes){(const uint8_t *)escaped.ptr, escaped.len}, &b, values, 1, &n, &f));
    CHECK(t, !strcmp(f.rule, WIRE_LIMIT "too many texts with escapes"));
}

/* ---- jansson as the judge ---- */

static void put_number(struct t *t, struct buf *b) {
    uint64_t r = test_random(t);
    int digits = 1 + (int)(r % 20);
    if (r & 256) buf_char(b, '-');
    buf_fmt(b, "%.*s", (r & 512) ? 1 : digits, "9876543210123456789012");
    if (r & 1024) buf_fmt(b, ".%0*llu", (int)(r >> 12 & 15) + 1, (unsigned long long)(test_random(t) % 100000));
    if (r & 2048) buf_fmt(b, "%c%s%d", r & 8192 ? 'e' : 'E', r & 16384 ? "-" : "", (int)(r >> 20 & 31));
}

static void put_reading(struct t *t, struct buf *b) {
    static const char *const names[] = {"t", "温度", "a b", "\\u0041", "q\\\"", "\\ud83d\\ude00", "x2"};
    size_t n = 1 + test_random(t) % 4, from = test_random(t) % COUNT(names);
    buf_char(b, '{');
    for (size_t i = 0; i < n; i++) {
        buf_fmt(b, "%s\"%s\"%s:", i ? "," : " ", names[(from + i) % COUNT(names)], i & 1 ? " " : "");
        if (test_random(t) % 8)
            put_number(t, b);
        else
            buf_cstr(b, test_random(t) & 1 ? "true" : "false");
    }
    buf_char(b, '}');
}

/* A valid payload, or one with a byte changed, added or lost. */
static struct str random_payload(struct t *t) {
    static const char bytes[] = "{}[],:\"\\ \n0123456789.-+eEtrufalsn\x80\xff\x01";
    struct buf b;
    struct str s = {NULL, 0};
    buf_init_arena(&b, &t->arena, 4000);
    size_t n = test_random(t) % 4;
    if (n) buf_char(&b, '[');
    put_reading(t, &b);
    for (size_t i = 1; i < n; i++) {
        buf_cstr(&b, " ,");
        put_reading(t, &b);
    }
    if (n) buf_char(&b, ']');
    CHECK(t, buf_done(&b, &s));
    size_t at = test_random(t) % s.len;
    switch (test_random(t) % 4) {
    case 0: b.ptr[at] = bytes[test_random(t) % (sizeof bytes - 1)]; break;
    case 1: memmove(b.ptr + at, b.ptr + at + 1, --s.len - at); break;
    case 2: b.ptr[at] = b.ptr[test_random(t) % s.len]; break;
    default: break;
    }
    return s;
}

/* Would the readings be accepted, judged by jansson's reading of them?  Numbers jansson cannot hold are left out. */
static bool judge(json_t *all, size_t *ret_n) {
    size_t objects = json_is_array(all) ? json_array_size(all) : 1, n = 0;
    if (json_is_array(all) && !objects) return false;
    for (size_t i = 0; i < objects; i++) {
        json_t *o = json_is_array(all) ? json_array_get(all, i) : all, *value;
        const char *key;
        size_t before = n;
        if (!json_is_object(o)) return false;
        json_object_foreach(o, key, value) {
            if (!json_is_number(value) && !json_is_boolean(value)) return false;
            for (const char *c = key; *c; c++)
                if ((unsigned char)*c < ' ') return false;
            if (!*key) return false;
            double v = json_is_number(value) ? json_number_value(value) : json_is_true(value);
            bool same = false;
            for (size_t j = 0; j < COUNT(values) && !same; j++)
                same = str_is(values[j].metric, key) && values[j].value == v;
            if (!same) return false;
            n++;
        }
        if (n == before) return false;
    }
    *ret_n = n;
    return true;
}

static void jansson_agrees(struct t *t) {
    size_t good = 0, bad = 0;
    for (int i = 0; i < 20000 && !t->failed; i++) {
        struct payload_fault f = {0};
        size_t n = 0, want = 0;
        arena_reset(&t->arena);
        struct str s = random_payload(t);
        memset(values, 0, sizeof values[0] * 64);
        bool ok = readings(t, s, &n, &f);
        json_t *all = json_loadb(s.ptr, s.len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
        /* Where ours refuses, jansson must find the same: no reading, no number, or no JSON at all. */
        bool judged = all && judge(all, &want);
        CHECK_SAY(t, ok == judged && (!ok || n == want), "%.*s: %s, jansson %s", STR_ARG(s), ok ? "good" : f.rule,
                  all ? "reads it" : "does not");
        good += ok;
        bad += !ok;
        json_decref(all);
    }
    CHECK(t, good > 5000 && bad > 2000);
}

static void numbers_are_the_nearest_doubles(struct t *t) {
    for (int i = 0; i < 20000 && !t->failed; i++) {
        struct buf b;
        struct str s, number;
        double want;
        size_t n = 0;
        struct payload_fault f = {0};
        arena_reset(&t->arena);
        buf_init_arena(&b, &t->arena, 200);
        buf_cstr(&b, "{\"a\":");
        put_number(t, &b);
        buf_char(&b, '}');
        CHECK(t, buf_done(&b, &s));
        number = (struct str){s.ptr + 5, s.len - 6};
        if (number.ptr[0] == '0' || !str_to_f64(number, &want)) continue;
        CHECK_SAY(t, readings(t, s, &n, &f) && values[0].value == want, "%.*s: %.17g", STR_ARG(number),
                  values[0].value);
    }
}

/* ---- events ---- */

static bool event(struct t *t, const char *text, struct payload_event *ret, struct payload_fault *f) {
    struct buf names;
    buf_init(&names, arena_alloc(&t->arena, 512, 1, 1), 512);
    return payload_event((struct bytes){(const uint8_t *)text, strlen(text)}, &names, ret, f);
}

static void events_are_read(struct t *t) {
    struct payload_event e = {0};
    struct payload_fault f = {0};
    CHECK(t, event(t, "{\"event\":\"leak\"}", &e, &f) && str_is(e.code, "leak") && !e.data.ptr && !e.has_at);
    CHECK(t, !e.is_over && !e.part.ptr);
    CHECK(t, event(t,
                   " {\"ts\":5,\"data\":{\"a\":[1,{\"b\":null},[]],\"c\":\"x\\n\"} "
                   ",\"active\":false,\"part\":\"2\",\"event\":\"\\u0061\"}",
                   &e, &f));
    CHECK(t, str_is(e.code, "a") && e.is_over && str_is(e.part, "2") && e.has_at && e.at_ms == 5);
    CHECK_SAY(t, str_is(e.data, "{\"a\":[1,{\"b\":null},[]],\"c\":\"x\\n\"}"), STR_FMT, STR_ARG(e.data));
    static const char *const data[] = {
        "1", "-0.5e3", "\"x\"", "true", "null", "[]", "{}", "[[],{}]", "{\"a\":{\"b\":[1,2]}}"};
    for (size_t i = 0; i < COUNT(data); i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"data\":%s,\"event\":\"e\"}", data[i]);
        CHECK_SAY(t, event(t, text, &e, &f) && str_is(e.data, data[i]), "%s", data[i]);
    }
}

static void bad_events_say_why(struct t *t) {
    static const struct {
        const char *text, *rule;
    } rows[] = {{"", "nothing"},
                {"[]", "no object"},
                {"{}", "no event"},
                {"{\"data\":1}", "no event"},
                {"{\"event\":1}", "a text is missing"},
                {"{\"event\":\"\"}", "an empty name"},
                {"{\"event\":\"a\",\"event\":\"b\"}", "a key stands twice"},
                {"{\"event\":\"a\",\"level\":1}", "an unknown key"},
                {"{\"event\":\"a\",\"active\":1}", "active is neither true nor false"},
                {"{\"event\":\"a\",\"data\":[1,]}", "a value is no number"},
                {"{\"event\":\"a\",\"data\":[1 2]}", "neither , nor ] behind a value"},
                {"{\"event\":\"a\",\"data\":{\"x\"}}", "no : behind a key"},
                {"{\"event\":\"a\",\"data\":{1:2}}", "a text is missing"},
                {"{\"event\":\"a\",\"data\":[}", "a value is no number"},
                {"{\"event\":\"a\",\"data\":", "a value is no number"},
                {"{\"event\":\"a\"} 1", "something stands behind the value"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct payload_event e = {.at_ms = 77};
        struct payload_fault f = {"nothing was wrong", 0};
        CHECK_SAY(t, !event(t, rows[i].text, &e, &f) && !strcmp(f.rule, rows[i].rule) && e.at_ms == 77, "%s: %s",
                  rows[i].text, f.rule);
    }
    for (int depth = PAYLOAD_DEPTH_MAX - 1; depth <= PAYLOAD_DEPTH_MAX + 1; depth++) {
        struct payload_event e;
        struct payload_fault f = {0};
        struct buf b;
        buf_init_arena(&b, &t->arena, 400);
        buf_cstr(&b, "{\"event\":\"a\",\"data\":");
        for (int i = 0; i < depth; i++) buf_cstr(&b, i % 2 ? "{\"x\":" : "[");
        buf_char(&b, '1');
        for (int i = depth; i-- > 0;) buf_char(&b, i % 2 ? '}' : ']');
        buf_char(&b, '}');
        CHECK_SAY(t, event(t, b.ptr, &e, &f) == (depth <= PAYLOAD_DEPTH_MAX), "%d: %s", depth, f.rule);
    }
}

TESTS(CASE(readings_are_read_in_their_order), CASE(bad_readings_say_why_and_where), CASE(bounds_are_kept),
      CASE(jansson_agrees), CASE(numbers_are_the_nearest_doubles), CASE(events_are_read), CASE(bad_events_say_why))
