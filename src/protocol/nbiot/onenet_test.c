/* OneNET's pushes against the vector of their sheet: signatures, messages of both generations, the check of an address.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/nbiot/nbiot.h"

#include "tests/lib/vectors.h"

#include <string.h>

#define MSG       "{\"dev_id\":2016617,\"at\":1466133706841,\"type\":1,\"ds_id\":\"temp\",\"value\":21.5}"
#define SIGNATURE "LFZ0fsW9yJUOAHCSQcE7VQ=="
#define M04       "{\"msg\":" MSG ",\"msg_signature\":\"" SIGNATURE "\",\"nonce\":\"Xk3\"}"
#define MSG_TEXT                                                                                                \
    "{\\\"dev_id\\\":2016617,\\\"at\\\":1466133706841,\\\"type\\\":1,\\\"ds_id\\\":\\\"temp\\\",\\\"value\\\":" \
    "21.5}"
#define PUSH(msg)      "{\"msg\":" msg ",\"nonce\":\"a\"}"
#define MODEL(members) PUSH("{\"productId\":\"00001\",\"deviceName\":\"iot-0001\"," members "}")

static const struct vector rows[] = {
    {.name = "M04 a data point",
     .text = M04,
     .json = "\"what\":\"message\",\"device\":\"2016617\",\"payload\":\"{",
     .said = "temp=21.5 ",
     .device = "2016617"},
    {.name = "the same as a text", .text = PUSH("\"" MSG_TEXT "\""), .said = "temp=21.5 ", .device = "2016617"},
    {.name = "a list of two devices",
     .text = PUSH("[" MSG " , {\"dev_id\":\"b\",\"type\":1,\"ds_id\":\"temp\",\"value\":true}]"),
     .json = "\"device\":\"b\"",
     .said = "temp=21.5 temp=1 "},
    {.name = "an empty list", .text = PUSH("[]"), .said = ""},
    {.name = "a value with parts",
     .text = PUSH("{\"dev_id\":1,\"type\":1,\"value\":{\"x\":1,\"y\":[2]},\"ds_id\":\"3200_0_5750\"}"),
     .said = "3200_0_5750_x=1 3200_0_5750_y_0=2 "},
    {.name = "a value that is a text",
     .text = PUSH("{\"dev_id\":1,\"type\":1,\"ds_id\":\"a\",\"value\":\"0A\"}"),
     .said = ""},
    {.name = "online", .text = PUSH("{\"dev_id\":1,\"type\":2,\"status\":1,\"login_type\":10}"), .said = "-offline "},
    {.name = "offline", .text = PUSH("{\"dev_id\":1,\"type\":2,\"status\":0}"), .said = "!offline "},
    {.name = "what became of a command", .text = PUSH("{\"dev_id\":1,\"type\":7}"), .json = "\"device\":\"1\""},
    {.name = "properties of a thing model",
     .text = MODEL(
         "\"messageType\":\"notify\",\"notifyType\":\"property\",\"data\":{\"id\":\"12345\",\"params\":{\"Power\":{"
         "\"value\":\"on\",\"time\":1524448722123},\"WF\":{\"time\":1524448722123,\"value\":23.6},\"3_0_20\":{"
         "\"value\":{\"a\":4}}}}"),
     .said = "WF=23.6 3_0_20_a=4 ",
     .device = "00001:iot-0001"},
    {.name = "events of a thing model",
     .text = MODEL(
         "\"messageType\":\"notify\",\"data\":{\"params\":{\"full\":{\"value\":{\"level\":3},\"time\":1524448722123"
         "},\"open\":{\"value\":{},\"time\":1524448722124}}},\"notifyType\":\"event\""),
     .said = "full_level=3 !full !open "},
    {.name = "life of a device",
     .text = MODEL("\"messageType\":\"lifeCycle\",\"data\":{\"status\":\"offline\",\"time\":1524448722123}"),
     .said = "!offline "},
    {.name = "and back",
     .text = MODEL("\"messageType\":\"lifeCycle\",\"data\":{\"status\":\"online\"}"),
     .said = "-offline "},
    {.name = "where it is",
     .text = MODEL("\"messageType\":\"lbsAndWifi\",\"type\":2,\"timestamp\":1524448722123,\"data\":{\"accuracy\":683,"
                   "\"lon\":126.08448,\"lat\":39.22312}"),
     .said = "latitude=39.22312 deg longitude=126.08448 deg "},
    {.name = "the check of an address",
     .text = "{\"msg\":\"hello\",\"nonce\":\"Xk3\",\"signature\":\"x\"}",
     .json = "\"what\":\"check\",\"payload\""},

    {.name = "nothing", .text = "", .rule = "body: it is no JSON object", .at = 0},
    {.name = "no message", .text = "{\"nonce\":\"a\"}", .rule = "msg: it is missing", .at = 0},
    {.name = "two", .text = "{\"msg\":{},\"msg\":{}}", .rule = "a member stands twice", .at = 18},
    {.name = "a number", .text = "{\"msg\":5}", .rule = "it is no JSON object", .at = 7},
    {.name = "an empty text", .text = "{\"msg\":\"\"}", .rule = "it is no JSON object", .at = 8},
    {.name = "encrypted", .text = "{\"enc_msg\":\"x\"}", .rule = "enc_msg: what is encrypted", .at = 11},
    {.name = "no device", .text = PUSH("{\"type\":1}"), .rule = "dev_id: it is missing", .at = 7},
    {.name = "a name with a blank",
     .text = PUSH("{\"deviceName\":\"a b\"}"),
     .rule = "deviceName: with productId it is no name",
     .at = 7},
    {.name = "no data stream",
     .text = PUSH("{\"dev_id\":1,\"type\":1,\"value\":1}"),
     .rule = "a value's name",
     .at = 7},
    {.name = "no status", .text = PUSH("{\"dev_id\":1,\"type\":2}"), .rule = "status: it is missing", .at = 7},
    {.name = "no time", .text = PUSH("{\"dev_id\":1,\"at\":-1}"), .rule = "at, time: it is no time", .at = 7},
    {.name = "a type that is a text", .text = PUSH("{\"type\":\"1\"}"), .rule = "type: it is no number", .at = 18},
    {.name = "the second of a list is none", .text = PUSH("[" MSG ",5]"), .rule = "it is no JSON object", .at = 83},
    {.name = "half a list as a text", .text = PUSH("\"[1\""), .rule = "it is no JSON object", .at = 9},
    {.name = "half a text with escapes", .text = PUSH("\"{\\\"type\\\":\""), .rule = "a value is no number", .at = 7},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &onenet_codec, rows, COUNT(rows));
}

static void a_push_is_signed_with_the_token(struct t *t) {
    static const struct {
        const char *frame, *token;
        bool is_genuine;
    } all[] = {
        {M04, "estate2026", true},
        {"{\"nonce\":\"Xk3\",\"signature\":\"" SIGNATURE "\",\"time\":1,\"id\":\"x\",\"msg\":" MSG "}", "estate2026",
         true},
        {"{\"msg\":\"" MSG_TEXT "\",\"signature\":\"" SIGNATURE "\",\"nonce\":\"Xk3\"}", "estate2026", true},
        {M04, "estate2027", false},
        {M04, "", false},
        {"{\"msg\":" MSG ",\"msg_signature\":\"" SIGNATURE "\",\"nonce\":\"Xk4\"}", "estate2026", false},
        {"{\"msg\":" MSG ",\"msg_signature\":\"" SIGNATURE "\"}", "estate2026", false},
        {"{\"msg\":" MSG ",\"msg_signature\":\"LFZ0fsW9yJUOAHCSQcE7Vg==\",\"nonce\":\"Xk3\"}", "estate2026", false},
        {"{\"msg\":" MSG ",\"msg_signature\":\"\",\"nonce\":\"Xk3\"}", "estate2026", false},
        {"{\"msg\":" MSG ",\"nonce\":\"Xk3\"}", "estate2026", false},
        {"{\"msg\": " MSG ",\"msg_signature\":\"" SIGNATURE "\",\"nonce\":\"Xk3\"}", "estate2026", true},
        {"{\"msg\":{ \"dev_id\":2016617},\"msg_signature\":\"" SIGNATURE "\",\"nonce\":\"Xk3\"}", "estate2026", false},
        {"", "estate2026", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        bool got = onenet_codec.is_genuine(vector_bytes_of(all[i].frame), str_of(all[i].token));
        CHECK_SAY(t, got == all[i].is_genuine, "%zu: %s", i, all[i].frame);
    }
}

static void the_check_of_an_address_gets_its_text_back(struct t *t) {
    static const struct {
        const char *frame, *reply;
        bool ok;
    } all[] = {{"{\"msg\":\"he\\u006clo\",\"nonce\":\"a\",\"signature\":\"x\"}", "hello", true},
               {"{\"msg\":\"123\",\"nonce\":\"a\",\"signature\":\"x\"}", "123", true},
               {"{\"msg\":\"hello\"}", "", false},
               {"{\"msg\":\"\"}", "", true},
               {"{\"enc_msg\":\"hello\"}", "", true},
               {M04, "", true}};
    for (size_t i = 0; i < COUNT(all); i++) {
        char mem[64] = "";
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        onenet_codec.reply(vector_bytes_of(all[i].frame), all[i].ok, 0, &b);
        CHECK_SAY(t, !b.overflow && !strcmp(mem, all[i].reply), "%s: %s", all[i].frame, mem);
    }
}

static void each_value_has_its_own_time(struct t *t) {
    static const char model[] =
        MODEL("\"data\":{\"params\":{\"a\":{\"value\":1,\"time\":1524448722123},\"b\":{\"time\":"
              "1524448722124,\"value\":{\"x\":2}},\"c\":{\"value\":3}},\"time\":1524448722125}");
    static const char events[] = MODEL("\"notifyType\":\"event\",\"data\":{\"params\":{\"a\":{\"value\":{},\"time\":"
                                       "1524448722123}}}");
    static const char list[] =
        PUSH("[" MSG ",{\"dev_id\":1,\"type\":1,\"ds_id\":\"temp\",\"value\":1,\"at\":1466133706842}]");
    struct decoded d;
    struct wire_error e = {NULL, 0};
    CHECK_SAY(t, onenet_codec.decode(vector_bytes_of(model), &t->arena, &d, &e) && d.readings_n == 3, "%s", e.rule);
    for (size_t i = 0; i < d.readings_n; i++) CHECK(t, d.readings[i].at_ms == 1524448722123 + (int64_t)i);
    CHECK(t, onenet_codec.decode(vector_bytes_of(events), &t->arena, &d, &e) && d.events_n == 1 &&
                 d.events[0].at_ms == 1524448722123);
    CHECK(t, onenet_codec.decode(vector_bytes_of(list), &t->arena, &d, &e) && d.readings_n == 2);
    CHECK(t, d.readings[0].at_ms == 1466133706841 && d.readings[1].at_ms == 1466133706842);
    CHECK(t, str_is(d.readings[0].device, "2016617") && str_is(d.readings[1].device, "1"));
}

TESTS(CASE(vectors_of_the_sheet), CASE(a_push_is_signed_with_the_token),
      CASE(the_check_of_an_address_gets_its_text_back), CASE(each_value_has_its_own_time))
