/* Forms of doors: what they say, what is refused.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/door/door.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define D "\"device\":\"D-1\""

static const struct vector rows[] = {
    {.name = "a card as people copy it",
     .text = "{" D ",\"card\":\"0008065495\",\"way\":\"in\",\"id\":\"m-17\",\"at\":\"2026-11-24T10:42:00+08:00\"}",
     .json =
         "\"device\":\"D-1\",\"card\":\"8065495\",\"way\":\"in\",\"id\":\"m-17\",\"at\":1795488120000,\"late\":false",
     .passes = "card 8065495 ",
     .device = "D-1"},
    {.name = "a card with its facility", .text = "{" D ",\"card\":\"123,04567\"}", .passes = "card 8065495 "},
    {.name = "a card as bits", .text = "{" D ",\"card\":\"37:bd88eb80a8\"}", .passes = "card 37:BD88EB80A8 "},
    {.name = "a pin", .text = "{" D ",\"pin\":\"1234\"}", .passes = "code 1234 "},
    {.name = "the longest pin", .text = "{" D ",\"pin\":\"1234567890123456\"}", .passes = "code 1234567890123456 "},
    {.name = "a plate", .text = "{" D ",\"plate\":\"粤b·12345\",\"sure\":97}", .passes = "plate 粤B12345 "},
    {.name = "a face", .text = "{" D ",\"face_ref\":\"u-0042\"}", .passes = "face u-0042 "},
    {.name = "kept while nobody answered",
     .text = "{" D ",\"pin\":\"1234\",\"at\":1795488120000,\"late\":true,\"way\":\"out\"}",
     .json = "\"way\":\"out\",\"at\":1795488120000,\"late\":true",
     .passes = "code 1234 "},
    {.name = "members of others and blanks",
     .text = " { \"firmware\" : [1,{\"a\":null}], " D ", \"pin\" : \"1234\", \"way\":null } ",
     .passes = "code 1234 "},
    {.name = "no JSON", .text = "{" D ",\"pin\":1234", .rule = "door: this is no JSON", .at = 26},
    {.name = "no object", .text = "[]", .rule = "door device", .at = 0},
    {.name = "nobody", .text = "{\"pin\":\"1234\"}", .rule = "door device: nobody", .at = 0},
    {.name = "a device with a blank", .text = "{\"device\":\"D 1\",\"pin\":\"1234\"}", .rule = "door device", .at = 10},
    {.name = "a device that is a number", .text = "{\"device\":7,\"pin\":\"1234\"}", .rule = "door device", .at = 10},
    {.name = "by nothing", .text = "{" D "}", .rule = "door: one of", .at = 0},
    {.name = "by two things", .text = "{" D ",\"pin\":\"1234\",\"card\":\"1\"}", .rule = "door: one of", .at = 0},
    {.name = "a pin of three", .text = "{" D ",\"pin\":\"123\"}", .rule = "door pin", .at = 22},
    {.name = "a pin of 17", .text = "{" D ",\"pin\":\"12345678901234567\"}", .rule = "door pin", .at = 22},
    {.name = "a pin with a letter", .text = "{" D ",\"pin\":\"12a4\"}", .rule = "door pin", .at = 22},
    {.name = "a pin that is a number", .text = "{" D ",\"pin\":1234}", .rule = "door pin", .at = 22},
    {.name = "a card of 33 bits", .text = "{" D ",\"card\":\"4294967296\"}", .rule = "door card", .at = 23},
    {.name = "a card below 0", .text = "{" D ",\"card\":\"-1\"}", .rule = "door card", .at = 23},
    {.name = "bits of another length", .text = "{" D ",\"card\":\"37:BD88EB80\"}", .rule = "door card", .at = 23},
    {.name = "no bits", .text = "{" D ",\"card\":\"0:\"}", .rule = "door card", .at = 23},
    {.name = "bits that are no hex", .text = "{" D ",\"card\":\"8:GG\"}", .rule = "door card", .at = 23},
    {.name = "no plate", .text = "{" D ",\"plate\":\"_none_\"}", .rule = "door plate", .at = 24},
    {.name = "a face with a slash", .text = "{" D ",\"face_ref\":\"a/b\"}", .rule = "door face_ref", .at = 27},
    {.name = "another way", .text = "{" D ",\"pin\":\"1234\",\"way\":\"up\"}", .rule = "door way", .at = 35},
    {.name = "late by a number", .text = "{" D ",\"pin\":\"1234\",\"late\":1}", .rule = "door late", .at = 36},
    {.name = "sure of nothing", .text = "{" D ",\"pin\":\"1234\",\"sure\":0}", .rule = "door sure", .at = 36},
    {.name = "over sure", .text = "{" D ",\"pin\":\"1234\",\"sure\":101}", .rule = "door sure", .at = 36},
    {.name = "no time", .text = "{" D ",\"pin\":\"1234\",\"at\":\"now\"}", .rule = "door at", .at = 34},
    {.name = "half a millisecond", .text = "{" D ",\"pin\":\"1234\",\"at\":1.5}", .rule = "door at", .at = 34},
    {.name = "an id with a blank", .text = "{" D ",\"pin\":\"1234\",\"id\":\"a b\"}", .rule = "door id", .at = 34},
};

static void forms_say_who_it_is_and_by_what(struct t *t) {
    vectors_check(t, &door_codec, rows, COUNT(rows));
}

static void a_topic_names_the_device(struct t *t) {
    static const struct {
        const char *text, *rule;
    } all[] = {{"{\"pin\":\"1234\"}", NULL},
               {"{\"device\":\"D-2\",\"pin\":\"1234\"}", NULL},
               {"{\"device\":\"D-1\",\"pin\":\"1234\"}", "door device: the topic names another"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct decoded d;
        struct wire_error e = {"", 0};
        bool ok = door_read(vector_bytes_of(all[i].text), S("D-2"), &t->arena, &d, &e);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strcmp(e.rule, all[i].rule)), "%s: %s", all[i].text, e.rule);
        CHECK(t, !ok || str_is(d.passings[0].device, "D-2"));
    }
}

static void what_is_written_is_read(struct t *t) {
    static const struct passing all[] = {{.kind = PASSING_CARD,
                                          .value = {"8065495", 7},
                                          .serial = {"m-1", 3},
                                          .way = {"out", 3},
                                          .at_ms = 1795488120000},
                                         {.kind = PASSING_CODE, .value = {"1234", 4}, .is_late = true},
                                         {.kind = PASSING_FACE, .value = {"u-1", 3}, .sure_pct = 91}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct buf b;
        struct decoded d;
        struct wire_error e;
        struct passing p = all[i];
        p.device = S("D-9");
        buf_init_arena(&b, &t->arena, 512);
        door_write(&p, &b);
        CHECK(t, door_codec.decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &d, &e));
        const struct passing *x = d.passings;
        CHECK(t,
              x->kind == p.kind && str_eq(x->value, p.value) && str_eq(x->way, p.way) && str_eq(x->serial, p.serial));
        CHECK(t, x->at_ms == p.at_ms && x->is_late == p.is_late && x->sure_pct == p.sure_pct);
    }
}

static void what_is_too_long_is_refused(struct t *t) {
    static const char form[] = "{" D ",\"pin\":\"1234\"}";
    char *text = arena_alloc(&t->arena, DOOR_FORM_MAX + 2, 1, 1);
    struct decoded d;
    struct wire_error e;
    memset(text, ' ', DOOR_FORM_MAX + 1);
    memcpy(text, form, sizeof form - 1);
    CHECK(t, door_codec.decode((struct bytes){(const uint8_t *)text, DOOR_FORM_MAX}, &t->arena, &d, &e));
    CHECK(t, !door_codec.decode((struct bytes){(const uint8_t *)text, DOOR_FORM_MAX + 1}, &t->arena, &d, &e));
    CHECK(t, e.at == DOOR_FORM_MAX);
}

static void an_answer_says_whether_it_opens_and_why(struct t *t) {
    char mem[64];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    door_codec.let(true, S("given"), &b);
    buf_char(&b, ' ');
    door_codec.let(false, S("hours"), &b);
    CHECK_SAY(t, !strcmp(mem, "{\"open\":true,\"why\":\"given\"} {\"open\":false,\"why\":\"hours\"}"), "%s", mem);
}

TESTS(CASE(forms_say_who_it_is_and_by_what), CASE(a_topic_names_the_device), CASE(what_is_written_is_read),
      CASE(what_is_too_long_is_refused), CASE(an_answer_says_whether_it_opens_and_why))
