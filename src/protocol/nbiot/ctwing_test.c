/* CTWing's pushes against the vector of their sheet, and its kinds of payload.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/nbiot/nbiot.h"

#include "tests/lib/vectors.h"

#include <string.h>

#define DEVICE "40edca19b0124480864366de4621de99"
#define M03                                                                                                  \
    "{\"upPacketSN\":-1,\"upDataSN\":-1,\"topic\":\"v1/up/"                                                  \
    "ad\",\"timestamp\":1650554828842,\"tenantId\":\"2000000000\","                                          \
    "\"serviceId\":\"\",\"protocol\":\"lwm2m\",\"productId\":\"15000000\",\"payload\":{\"APPdata\":"         \
    "\"eyJsaXF1aWQiOjQwMiwiYmF0Ijo5OH0=\"},\"messageType\":\"dataReport\",\"deviceType\":\"\",\"deviceId\":" \
    "\"40edca19b0124480864366de4621de99\",\"assocAssetId\":\"\",\"IMSI\":\"undefined\",\"IMEI\":\"860000000000001\"}"
#define REPORT(type, members) "{\"deviceId\":\"d1\",\"messageType\":\"" type "\"," members "}"

static const struct vector rows[] = {
    {.name = "M03 transparent",
     .text = M03,
     .json = "\"what\":\"dataReport\",\"device\":\"" DEVICE "\",\"payload\":\"{",
     .said = "liquid=402 bat=98 ",
     .device = DEVICE},
    {.name = "a profile's service",
     .text =
         REPORT("dataReport", "\"topic\":\"v1/up/ad19prof\",\"payload\":{\"serviceId\":7,\"serviceData\":{\"level\":30,"
                              "\"IMEI\":\"860000000000001\",\"alarm\":true}}"),
     .said = "level=30 alarm=1 "},
    {.name = "a profile without an envelope",
     .text =
         REPORT("dataReport", "\"topic\":\"v1/up/ad19\",\"serviceId\":10,\"payload\":{\"temperature\":21.5,\"valve\":{"
                              "\"state\":2}}"),
     .said = "temperature=21.5 Cel valve_state=2 "},
    {.name = "bytes of a maker's own",
     .text = REPORT("dataReport", "\"payload\":{\"APPdata\":\"AQFWMS4w\"}"),
     .said = ""},
    {.name = "bytes that begin as JSON does",
     .text = REPORT("dataReport", "\"payload\":{\"APPdata\":\"ewEC\"}"),
     .said = ""},
    {.name = "nothing in it", .text = REPORT("dataReport", "\"payload\":{\"APPdata\":\"\"}"), .said = ""},
    {.name = "JSON with blanks around it, nested",
     .text = REPORT("dataReport", "\"payload\":{\"APPdata\":\"IHsiYSI6eyJiIjpbMSwyXX19IAo=\"}"),
     .said = "a_b_0=1 a_b_1=2 "},
    {.name = "an event of the profile",
     .text = REPORT("eventReport", "\"serviceId\":1002,\"eventType\":2,\"eventContent\":{\"battery_voltage\":1,"
                                   "\"battery_state\":1},\"payload\":{\"x\":1}"),
     .said = "battery_voltage=1 battery_state=1 !event_1002 "},
    {.name = "an event of a service with a name",
     .text = REPORT("eventReport", "\"serviceId\":\"low\",\"eventContent\":{}"),
     .said = "!event_low "},
    {.name = "an event of no service", .text = REPORT("eventReport", "\"eventContent\":{}"), .said = "!event "},
    {.name = "online", .text = REPORT("deviceOnlineOfflineReport", "\"eventType\":1"), .said = "-offline "},
    {.name = "offline", .text = REPORT("deviceOnlineOfflineReport", "\"eventType\":0"), .said = "!offline "},
    {.name = "what became of a command",
     .text = REPORT("commandResponse", "\"taskId\":1,\"result\":{\"resultCode\":\"DELIVERED\"}"),
     .json = "\"what\":\"commandResponse\",\"device\":\"d1\""},
    {.name = "what nobody reads is shown",
     .text = REPORT("batchdataReport", "\"payload\":{\"a\":1}"),
     .said = "!message_unread "},

    {.name = "nothing", .text = "", .rule = "body: it is no JSON object", .at = 0},
    {.name = "a list", .text = "[]", .rule = "body: it is no JSON object", .at = 0},
    {.name = "half of it", .text = "{\"deviceId\":\"d1\"", .rule = "neither , nor } behind a value", .at = 16},
    {.name = "no device", .text = "{\"messageType\":\"dataReport\"}", .rule = "deviceId: it is missing", .at = 0},
    {.name = "a device with a slash",
     .text = "{\"deviceId\":\"a/b\",\"messageType\":\"dataReport\"}",
     .rule = "deviceId: it is missing, or no name",
     .at = 0},
    {.name = "no kind", .text = "{\"deviceId\":\"d1\"}", .rule = "messageType: it is missing", .at = 0},
    {.name = "no base64",
     .text = REPORT("dataReport", "\"payload\":{\"APPdata\":\"eyJ\"}"),
     .rule = "payload.APPdata: it is no base64",
     .at = 0},
    {.name = "a time before all",
     .text = REPORT("dataReport", "\"timestamp\":0"),
     .rule = "timestamp: it is no time",
     .at = 0},
    {.name = "neither online nor offline",
     .text = REPORT("deviceOnlineOfflineReport", "\"eventType\":null"),
     .rule = "eventType: it is missing",
     .at = 0},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &ctwing_codec, rows, COUNT(rows));
}

/* A push that comes again after a lost answer is the same reading at the same time. */
static void the_time_is_that_of_the_report(struct t *t) {
    struct decoded d;
    struct wire_error e;
    CHECK(t, ctwing_codec.decode(vector_bytes_of(M03), &t->arena, &d, &e) && d.readings_n == 2 &&
                 d.readings[0].at_ms == 1650554828842 && d.readings[1].at_ms == 1650554828842);
    static const char event[] = REPORT("eventReport", "\"timestamp\":1619523767263,\"serviceId\":3,\"eventType\":3");
    CHECK(t, ctwing_codec.decode(vector_bytes_of(event), &t->arena, &d, &e) && d.events_n == 1 &&
                 d.events[0].at_ms == 1619523767263 && str_is(d.events[0].text, "fault"));
}

TESTS(CASE(vectors_of_the_sheet), CASE(the_time_is_that_of_the_report))
