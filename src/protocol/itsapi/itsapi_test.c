/* Vectors of what ITSAPI cameras push, what is refused.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/itsapi/itsapi.h"
#include "tests/lib/vectors.h"

#include <stdio.h>

static const struct vector rows[] = {
    {.name = "A15 a car",
     .text =
         "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"粤B12345\",\"PlateColor\":\"Blue\"},\"SnapInfo\":{\"DeviceID\":"
         "\"GATE-1\",\"Direction\":\"Obverse\"},\"NormalPic\":{\"PicName\":\"n.jpg\",\"Content\":\"\"}}}",
     .json = "\"message\":\"plate\",\"device\":\"GATE-1\",\"plate\":\"粤B12345\",\"colour\":\"Blue\",\"direction\":"
             "\"Obverse\"",
     .said = "!plate_seen ",
     .passes = "plate 粤B12345 ",
     .device = "GATE-1"},
    {.name = "how sure it is",
     .text =
         "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"粤B12345\",\"Confidence\":88},\"SnapInfo\":{\"DeviceID\":\"g\"}}}",
     .json = "\"confidence\":88",
     .said = "confidence=88 % !plate_seen ",
     .passes = "plate 粤B12345 "},
    {.name = "no plate",
     .text = "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"\"},\"SnapInfo\":{\"DeviceID\":\"g\"}}}",
     .said = "!plate_unread "},
    {.name = "a sign of life", .text = "{\"DeviceID\":\"GATE-1\"}", .json = "\"message\":\"alive\""},
    {.name = "a sign of life of nobody", .text = "{}", .json = "{\"message\":\"alive\",\"text\":\"{}\"}"},
    {.name = "one with blanks", .text = " { \n}\r\n", .json = "{\"message\":\"alive\""},
    {.name = "one without a body", .text = "", .json = "{\"message\":\"alive\",\"text\":\"\"}"},
    {.name = "when it was",
     .text = "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"粤B12345\"},\"SnapInfo\":{\"DeviceID\":\"g\",\"AccurateTime\":"
             "\"2026-11-24T10:42:00\"}}}",
     .json = "\"time\":\"2026-11-24T10:42:00\"",
     .said = "!plate_seen ",
     .passes = "plate 粤B12345 "},
    {.name = "no JSON", .text = "PlateNumber", .rule = "ITSAPI push: this is no JSON", .at = 0},
    {.name = "something else", .text = "{\"Plate\":{}}", .rule = "ITSAPI push: neither", .at = 0},
    {.name = "of nobody",
     .text = "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"粤B12345\"},\"SnapInfo\":{}}}",
     .rule = "ITSAPI SnapInfo",
     .at = 11},
    {.name = "without a plate's text",
     .text = "{\"Picture\":{\"Plate\":{},\"SnapInfo\":{\"DeviceID\":\"g\"}}}",
     .rule = "ITSAPI Plate",
     .at = 11},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &itsapi_codec, rows, COUNT(rows));
}

static void a_time_is_local_where_it_has_no_offset(struct t *t) {
    static const struct {
        const char *text;
        int64_t at_s, at_ms;
    } all[] = {
        {"2026-11-24T10:42:00", 1795516920, 0},
        {"2026-11-24 10:42:00.250", 1795516920, 0},
        {"2026-11-24T10:42:00.250+08:00", 0, 1795488120250},
        {"2026-11-24 02:42:00Z", 0, 1795488120000},
        {"2026-11-24", 0, 0},
        {"2026-13-24 10:42:00", 0, 0},
        {"2026-11-24 10:42:00 and a long time behind it", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char body[200];
        struct decoded d;
        struct wire_error e = {"", 0};
        snprintf(body, sizeof body,
                 "{\"Picture\":{\"Plate\":{\"PlateNumber\":\"粤B12345\",\"Confidence\":88},\"SnapInfo\":{\"DeviceID\":"
                 "\"g\",\"AccurateTime\":\"%s\"}}}",
                 all[i].text);
        CHECK(t, itsapi_codec.decode(vector_bytes_of(body), &t->arena, &d, &e) && d.passings_n == 1);
        const struct passing *p = d.passings;
        CHECK_SAY(t, p->at_s == all[i].at_s && p->at_ms == all[i].at_ms, "%s: %lld %lld", all[i].text,
                  (long long)p->at_s, (long long)p->at_ms);
        CHECK(t, d.events[0].at_s == p->at_s && d.events[0].at_ms == p->at_ms && d.readings[0].at_s == p->at_s);
    }
}

static void a_push_is_made_from_what_it_needs(struct t *t) {
    json_t *o = NULL;
    struct buf b;
    struct wire_error e = {"", 0};
    struct decoded d;
    buf_init_arena(&b, &t->arena, 512);
    CHECK(t, !json_read(S("{\"device\":\"g\",\"plate\":\"粤B12345\"}"), &o, &t->fault));
    CHECK(t, itsapi_codec.make(o, &t->arena, &b, &e));
    json_decref(o);
    CHECK(t, itsapi_codec.decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &d, &e));
    CHECK(t, d.passings_n == 1 && str_is(d.passings[0].device, "g") && !d.passings[0].sure_pct);
}

TESTS(CASE(vectors_of_the_sheet), CASE(a_time_is_local_where_it_has_no_offset), CASE(a_push_is_made_from_what_it_needs))
