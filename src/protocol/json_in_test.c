/* Scalars of a value with what leads to them; how deep; what ends the reading.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/json_in.h"
#include "tests/lib/test.h"

#include <stdio.h>

struct told {
    struct buf *out;
    size_t most; /* leaves that are wanted */
};

/* "a.b[2]=value " */
static bool tell(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct told *told = arg;
    if (!told->most--) return json_in_bad(in, "enough");
    for (size_t i = 0; i < leaf->path_n; i++) {
        const struct json_step *step = &leaf->path[i];
        if (step->name.ptr)
            buf_fmt(told->out, "%s" STR_FMT, i ? "." : "", STR_ARG(step->name));
        else
            buf_fmt(told->out, "[%zu]", step->index);
    }
    switch (leaf->type) {
    case JSON_LEAF_NULL: buf_cstr(told->out, "=null "); break;
    case JSON_LEAF_FLAG: buf_fmt(told->out, "=%s ", leaf->number ? "true" : "false"); break;
    case JSON_LEAF_NUMBER: buf_fmt(told->out, "=%g ", leaf->number); break;
    case JSON_LEAF_TEXT: buf_fmt(told->out, "='" STR_FMT "' ", STR_ARG(leaf->text)); break;
    }
    return true;
}

static bool leaves(struct t *t, const char *text, size_t most, struct buf *out, struct json_in *ret) {
    struct buf texts;
    struct told told = {out, most};
    buf_init(&texts, arena_alloc(&t->arena, 4096, 1, 1), 4096);
    buf_init(out, arena_alloc(&t->arena, 8192, 1, 1), 8192);
    *ret = json_in_of((struct bytes){(const uint8_t *)text, strlen(text)}, &texts);
    return json_in_leaves(ret, tell, &told) && json_in_end(ret);
}

static void every_scalar_is_told_with_the_names_above_it(struct t *t) {
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"5", "=5 "},
        {" \"x\" ", "='x' "},
        {"{}", ""},
        {"[]", ""},
        {"{\"a\":1,\"b\":{\"c\":true,\"d\":{}},\"e\":null}", "a=1 b.c=true e=null "},
        {"[1,[2,3],{\"a\":[false]},[]]", "[0]=1 [1][0]=2 [1][1]=3 [2].a[0]=false "},
        {"{\"a\":[{\"b\":1},{\"b\":2}],\"c\":3}", "a[0].b=1 a[1].b=2 c=3 "},
        {"{\"\\u6e29\":\"a\\n\",\"x\\\"y\":\"\\ud83d\\ude00\"}", "温='a\n' x\"y='😀' "},
        {"{\"\":1}", "=1 "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct json_in in;
        bool ok = leaves(t, rows[i].text, 100, &out, &in);
        CHECK_SAY(t, ok && !strcmp(out.ptr, rows[i].told), "%s: %s%s", rows[i].text, out.ptr, ok ? "" : in.rule);
    }
}

static void what_is_wrong_is_named_behind_what_was_right(struct t *t) {
    static const struct {
        const char *text, *told, *rule;
        size_t at, most;
    } rows[] = {
        {"{\"a\":1,\"b\":}", "a=1 ", "a value is no number", 11, 9},
        {"{\"a\":1,\"b\":2}", "a=1 ", "enough", 12, 1},
        {"[1 2]", "[0]=1 ", "neither , nor ] behind a value", 3, 9},
        {"[1,]", "[0]=1 ", "a value is no number", 3, 9},
        {"{\"a\":1}}", "a=1 ", "something stands behind the value", 7, 9},
        {"{\"a\":nul}", "", "a value is no number", 5, 9},
        {"", "", "a value is no number", 0, 9},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct json_in in;
        bool ok = leaves(t, rows[i].text, rows[i].most, &out, &in);
        CHECK_SAY(t,
                  !ok && !strcmp(out.ptr, rows[i].told) && !strcmp(in.rule, rows[i].rule) && in.rule_at == rows[i].at,
                  "%s: %s%s at %zu", rows[i].text, out.ptr, ok ? "" : in.rule, in.rule_at);
    }
}

static void scalars_below_the_path_are_checked_and_not_told(struct t *t) {
    char text[3 * JSON_IN_DEPTH_MAX + 16];
    for (int depth = 1; depth <= JSON_IN_DEPTH_MAX + 1; depth++) {
        struct buf b, out;
        struct json_in in;
        buf_init(&b, text, sizeof text);
        for (int i = 0; i < depth; i++) buf_char(&b, '[');
        buf_char(&b, '7');
        for (int i = 0; i < depth; i++) buf_char(&b, ']');
        bool ok = leaves(t, text, 9, &out, &in);
        CHECK_SAY(t, ok == (depth <= JSON_IN_DEPTH_MAX), "%d: %s", depth, ok ? "taken" : in.rule);
        CHECK_SAY(t, (out.len > 0) == (depth <= JSON_PATH_MAX), "%d: %s", depth, out.ptr);
    }
}

TESTS(CASE(every_scalar_is_told_with_the_names_above_it), CASE(what_is_wrong_is_named_behind_what_was_right),
      CASE(scalars_below_the_path_are_checked_and_not_told))
