/* Vectors of what VZ cameras push, what is refused, what opens a barrier.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/vz/vz.h"
#include "tests/lib/vectors.h"

#include <stdio.h>
#include <string.h>

#define A13                                                                                                             \
    "{\"AlarmInfoPlate\":{\"channel\":0,\"deviceName\":\"IN-1\",\"ipaddr\":\"192.0.2.31\",\"serialno\":\"0f823866-"     \
    "d2dc45ab\",\"result\":{\"PlateResult\":{\"license\":\"粤BD12345\",\"colorType\":5,\"type\":19,\"confidence\":97," \
    "\"direction\":4,\"triggerType\":8,\"plateid\":90813,\"location\":{\"RECT\":{\"left\":335,\"top\":312,\"right\":"   \
    "474,\"bottom\":363}},\"timeStamp\":{\"Timeval\":{\"sec\":1646063999,\"usec\":638740}}}}}}"
#define A14                                                                                                            \
    "{\"Response_AlarmInfoPlate\":{\"info\":\"ok\",\"channelNum\":0,\"content\":\"retransfer_stop\",\"is_pay\":\"true" \
    "\"}}"
#define SEEN(license) \
    "{\"AlarmInfoPlate\":{\"serialno\":\"c1\",\"result\":{\"PlateResult\":{\"license\":\"" license "\"}}}}"

static const struct vector rows[] = {
    {.name = "A13 a small car of new energy",
     .text = A13,
     .json =
         "\"message\":\"plate\",\"device\":\"0f823866-d2dc45ab\",\"name\":\"IN-1\",\"plate\":\"粤BD12345\","
         "\"colour\":\"green\",\"direction\":\"down\",\"type\":19,\"confidence\":97,\"trigger\":8,\"plate_id\":90813,"
         "\"at_ms\":1646063999638,\"offline\":false",
     .said = "confidence=97 % !plate_seen ",
     .passes = "plate 粤BD12345 ",
     .device = "0f823866-d2dc45ab"},
    {.name = "A14 what opens", .text = A14, .json = "\"message\":\"answer\",\"opens\":true"},
    {.name = "a car of three regions",
     .text = SEEN("粤ZJ068澳|MX7742|粤b·12345"),
     .said = "!plate_seen ",
     .passes = "plate 粤ZJ068澳 plate 粤B12345 "},
    {.name = "a plate with escapes",
     .text = SEEN("\\u7ca4B12345"),
     .said = "!plate_seen ",
     .passes = "plate 粤B12345 "},
    {.name = "no plate", .text = SEEN("_无_"), .said = "!plate_unread "},
    {.name = "misread", .text = SEEN("粤B1234"), .said = "!plate_unread "},
    {.name = "an input closes",
     .text = "{\"AlarmGioIn\":{\"deviceName\":\"IVS\",\"serialno\":\"c1\",\"result\":{\"TriggerResult\":{\"source\":0,"
             "\"value\":1}}}}",
     .json = "\"message\":\"input\",\"device\":\"c1\",\"name\":\"IVS\",\"source\":0,\"value\":1",
     .said = "!input "},
    {.name = "an input opens",
     .text = "{\"AlarmGioIn\":{\"serialno\":\"c1\",\"result\":{\"TriggerResult\":{\"source\":1,\"value\":0}}}}",
     .said = "-input "},
    {.name = "an input closes for a moment",
     .text = "{\"AlarmGioIn\":{\"serialno\":\"c1\",\"result\":{\"TriggerResult\":{\"source\":1,\"value\":2}}}}",
     .said = "!input -input "},
    {.name = "a sign of life", .text = "{\"heartbeat\":{\"countid\":3}}", .json = "\"message\":\"heartbeat\""},
    {.name = "a board behind it", .text = "{\"SerialData\":{\"serialno\":\"c1\"}}", .json = "\"message\":\"serial\""},
    {.name = "no JSON", .text = "{\"AlarmInfoPlate\":", .rule = "VZ push: this is no JSON", .at = 18},
    {.name = "nothing", .text = "", .rule = "VZ push: this is no JSON", .at = 0},
    {.name = "something else", .text = "{\"Alarm\":1}", .rule = "VZ push: none of", .at = 0},
    {.name = "of nobody",
     .text = "{\"AlarmInfoPlate\":{\"result\":{\"PlateResult\":{\"license\":\"粤B12345\"}}}}",
     .rule = "VZ AlarmInfoPlate: serialno",
     .at = 18},
    {.name = "of a device that cannot be named",
     .text = "{\"AlarmGioIn\":{\"serialno\":\"a/b\"}}",
     .rule = "VZ AlarmGioIn: serialno",
     .at = 14},
    {.name = "without a plate's text",
     .text = "{\"AlarmInfoPlate\":{\"serialno\":\"c1\",\"result\":{\"PlateResult\":{\"license\":7}}}}",
     .rule = "VZ AlarmInfoPlate: result.PlateResult.license",
     .at = 18},
    {.name = "an input without a number",
     .text = "{\"AlarmGioIn\":{\"serialno\":\"c1\",\"result\":{\"TriggerResult\":{\"value\":1}}}}",
     .rule = "VZ AlarmGioIn: source",
     .at = 14},
    {.name = "an input of another kind",
     .text = "{\"AlarmGioIn\":{\"serialno\":\"c1\",\"result\":{\"TriggerResult\":{\"source\":0,\"value\":3}}}}",
     .rule = "VZ AlarmGioIn: value",
     .at = 14},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &vz_codec, rows, COUNT(rows));
}

static void only_who_may_pass_and_has_a_plate_is_let_in(struct t *t) {
    static const struct {
        const char *push;
        bool may;
        const char *answer;
    } all[] = {
        {A13, true, A14},
        {A13, false,
         "{\"Response_AlarmInfoPlate\":{\"info\":\"no\",\"channelNum\":0,\"content\":\"retransfer_stop\",\"is_pay\":"
         "\"false\"}}"},
        {SEEN("_无_"), true,
         "{\"Response_AlarmInfoPlate\":{\"info\":\"no\",\"channelNum\":0,\"content\":\"retransfer_stop\",\"is_pay\":"
         "\"false\"}}"},
        {"{\"heartbeat\":{\"countid\":3}}", true, ""},
        {"{\"AlarmGioIn\":{\"serialno\":\"c1\",\"result\":{\"TriggerResult\":{\"source\":1,\"value\":0}}}}", true, ""},
        {"{\"AlarmInfoPlate\":", false, ""},
        {A14, true, ""},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char out[256];
        struct buf b;
        buf_init(&b, out, sizeof out);
        vz_codec.reply(vector_bytes_of(all[i].push), all[i].may, 0, &b);
        CHECK_SAY(t, str_is((struct str){out, b.len}, all[i].answer), "%s: %.*s", all[i].push, (int)b.len, out);
    }
}

static void a_passing_says_when_how_sure_and_which_message(struct t *t) {
    struct decoded d;
    struct wire_error e;
    CHECK(t, vz_codec.decode(vector_bytes_of(A13), &t->arena, &d, &e) && d.passings_n == 1);
    const struct passing *p = &d.passings[0];
    CHECK(t, p->at_ms == INT64_C(1646063999638) && p->sure_pct == 97 && !p->is_late);
    CHECK(t,
          str_is(p->serial, "90813.1646063999638") && d.readings[0].at_ms == p->at_ms && d.events[0].at_ms == p->at_ms);
    CHECK(t, !d.events[0].text.len && !d.events[0].part.len); /* the plate is no part of an event */
    CHECK(t, vz_codec.decode(vector_bytes_of("{\"AlarmInfoPlate\":{\"serialno\":\"c1\",\"result\":{\"PlateResult\":{"
                                             "\"license\":\"粤B12345\",\"isoffline\":1,\"confidence\":0}}}}"),
                             &t->arena, &d, &e));
    CHECK(t, d.passings[0].is_late && d.passings[0].sure_pct == 1 && !d.passings[0].serial.ptr);
}

static void a_push_is_made_from_what_it_needs(struct t *t) {
    static const struct {
        const char *json, *rule;
    } all[] = {
        {"{\"device\":\"c1\",\"plate\":\"粤B12345\",\"confidence\":97,\"plate_id\":7,\"at_ms\":1646063999638}", NULL},
        {"{\"device\":\"c1\",\"plate\":\"粤B12345\"}", NULL},
        {"{\"device\":\"c1\"}", "plate: is missing"},
        {"{\"plate\":\"粤B12345\"}", "device: is missing"},
        {"{\"device\":\"c1\",\"plate\":\"粤B12345\",\"confidence\":101}", "confidence: "},
        {"{\"text\":\"{}\"}", "VZ push: none of"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        struct decoded d;
        buf_init_arena(&b, &t->arena, 2048);
        CHECK(t, !json_read(str_of(all[i].json), &o, &t->fault));
        bool ok = vz_codec.make(o, &t->arena, &b, &e);
        json_decref(o);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strncmp(e.rule, all[i].rule, strlen(all[i].rule))), "%s: %s",
                  all[i].json, e.rule);
        if (!ok) continue;
        CHECK(t, vz_codec.decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &d, &e) &&
                     d.passings_n == 1 && str_is(d.passings[0].value, "粤B12345"));
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(only_who_may_pass_and_has_a_plate_is_let_in),
      CASE(a_passing_says_when_how_sure_and_which_message), CASE(a_push_is_made_from_what_it_needs))
