/* Line protocol by rows: what is read, what is refused and why.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lineproto/lineproto.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

/* What was read, in one line: "device k=v; metric=1.5 @ms" for each line, "; " between; "!N rule" at a bad one. */
static const char *told(struct t *t, const char *text, const char *precision) {
    struct lineproto p = {.rest = str_of(text),
                          .arena = &t->arena,
                          .tick_ns = lineproto_tick_ns(precision ? str_of(precision) : (struct str){NULL, 0})};
    struct lineproto_line *line = arena_new(&t->arena, struct lineproto_line, 1);
    struct buf b;
    struct str out = S("");
    buf_init_arena(&b, &t->arena, 4096);
    while (lineproto_next(&p, line)) {
        buf_fmt(&b, "%zu " STR_FMT, line->number, STR_ARG(line->device));
        for (size_t i = 0; i < line->tags_n; i++)
            buf_fmt(&b, " [" STR_FMT "=" STR_FMT "]", STR_ARG(line->tags[i].key), STR_ARG(line->tags[i].value));
        for (size_t i = 0; i < line->fields_n; i++)
            buf_fmt(&b, " " STR_FMT "=%.12g", STR_ARG(line->fields[i].metric), line->fields[i].value);
        if (line->has_at) buf_fmt(&b, " @%lld", (long long)line->at_ms);
        buf_cstr(&b, "; ");
    }
    if (p.rule) buf_fmt(&b, "!%zu %s", p.number, p.rule);
    CHECK(t, buf_done(&b, &out));
    return out.ptr ? out.ptr : "";
}

static void lines_are_read_as_their_reference_says(struct t *t) {
    static const struct {
        const char *text, *precision, *want;
    } rows[] = {
        {"", NULL, ""},
        {"pump temp=21.5 1790000000000000000", NULL, "1 pump temp=21.5 @1790000000000; "},
        {"pump temp=21.5", NULL, "1 pump temp=21.5; "},
        {"env,device=d1,room=8F\\ 02 temp=1i,hum=2u,on=t,off=FALSE 5", "s",
         "1 d1 [room=8F 02] temp=1 hum=2 on=1 off=0 @5000; "},
        {"a v=1 1999\nb v=2 -1\r\n\n# c v=3\n  \nd v=-4.5e-3 2000", "us",
         "1 a v=1 @1; 2 b v=2 @-1; 6 d v=-0.0045 @2; "},
        {"a v=1 1790000000123", "ms", "1 a v=1 @1790000000123; "},
        {"水泵,位置=地下\\,一层 水\\=位=0.35", NULL, "1 水泵 [位置=地下,一层] 水=位=0.35; "},
        {"my\\ pump\\,one v=1", NULL, "1 my pump,one v=1; "},
        {"back\\slash v=1", NULL, "1 back\\slash v=1; "},
        {"a   v=1    7  ", "ms", "1 a v=1 @7; "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = told(t, rows[i].text, rows[i].precision);
        CHECK_SAY(t, !strcmp(got, rows[i].want), "row %zu: %s", i, got);
    }
}

static void a_bad_line_is_told_with_its_number(struct t *t) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a v=1\nb", "1 a v=1; !2 the fields are missing"},
        {"a", "!1 the fields are missing"},
        {"a ", "!1 the fields are missing"},
        {",t=1 v=1", "!1 a name is missing"},
        {"a,t v=1", "!1 a tag has no value"},
        {"a,t= v=1", "!1 a name is missing"},
        {"a,=x v=1", "!1 a name is missing"},
        {"a v", "!1 a field has no value"},
        {"a v=", "!1 a value is no number"},
        {"a v=x", "!1 a value is no number"},
        {"a v=\"on\"", "!1 a text is no reading"},
        {"a v=nan", "!1 a value is no number"},
        {"a v=1e999", "!1 a value is no number"},
        {"a v=0x10", "!1 a value is no number"},
        {"a v=1.5i", "!1 a whole number is not one"},
        {"a v=-1u", "!1 a whole number is not one"},
        {"a v=99999999999999999999i", "!1 a whole number is not one"},
        {"a v=1,", "!1 a name is missing"},
        {"a v=1 x", "!1 a time is no whole number"},
        {"a v=1 1.5", "!1 a time is no whole number"},
        {"a v=1 5 6", "!1 a time is no whole number"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = told(t, rows[i].text, NULL);
        CHECK_SAY(t, !strcmp(got, rows[i].want), "row %zu: %s", i, got);
    }
    CHECK(t, !strcmp(told(t, "a v=1 9223372036854775807", "s"), "!1 a time is out of range"));
    CHECK(t, lineproto_tick_ns(S("h")) == 0 && lineproto_tick_ns(S("")) == 0);
}

static void a_line_has_an_end(struct t *t) {
    char text[8192];
    struct buf b;
    struct str s;
    for (int more = 0; more < 2; more++) {
        buf_init(&b, text, sizeof text);
        buf_cstr(&b, "m");
        for (int i = 0; i < LINEPROTO_TAGS_MAX + more; i++) buf_fmt(&b, ",t%d=x", i);
        buf_cstr(&b, " v=1");
        CHECK(t, buf_done(&b, &s) && (strstr(told(t, text, NULL), "too many tags") != NULL) == more);
        buf_init(&b, text, sizeof text);
        buf_cstr(&b, "m f=1");
        for (int i = 1; i < LINEPROTO_FIELDS_MAX + more; i++) buf_fmt(&b, ",f%d=1", i);
        CHECK(t, buf_done(&b, &s) && (strstr(told(t, text, NULL), "too many fields") != NULL) == more);
    }
}

TESTS(CASE(lines_are_read_as_their_reference_says), CASE(a_bad_line_is_told_with_its_number), CASE(a_line_has_an_end))
