/* Messages of The Things Stack against the vector of their sheet, and members that are left out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lorawan/lorawan.h"

#include "tests/lib/vectors.h"

#include <string.h>

#define DEVICE_TOPIC "v3/estate@ttn/devices/b3-12f-th/"
#define TOPIC        DEVICE_TOPIC "up\n"
#define IDS                                                                                                \
    "\"end_device_ids\":{\"device_id\":\"b3-12f-th\",\"application_ids\":{\"application_id\":\"estate\"}," \
    "\"dev_eui\":\"0004A30B001C0530\",\"join_eui\":\"800000000000000C\",\"dev_addr\":\"00BCB929\"}"
#define M02                                                                                                           \
    "{" IDS ",\"correlation_ids\":[\"as:up:01E0\"],\"received_at\":\"2026-11-21T00:30:00.500Z\",\"uplink_message\":{" \
    "\"session_key_id\":\"AXBSH1Pk6Z0=\",\"f_port\":2,\"f_cnt\":7,\"frm_payload\":\"AWcA1wJoXg==\","                  \
    "\"decoded_payload\":{\"temperature\":21.5},\"rx_metadata\":[{\"gateway_ids\":{\"gateway_id\":\"gw1\"},\"rssi\":" \
    "-35,\"snr\":5.2}],\"settings\":{\"data_rate\":{\"lora\":{\"bandwidth\":125000,\"spreading_factor\":7}},"         \
    "\"frequency\":\"470300000\"},\"received_at\":\"2026-11-21T00:30:00.400Z\"}}"
#define MESSAGE(member) "{" IDS "," member "}"
#define UP(members)     MESSAGE("\"uplink_message\":{\"f_port\":2" members "}")

static const struct vector rows[] = {
    {.name = "M02 uplink",
     .text = TOPIC M02,
     .json = "\"what\":\"uplink_message\",\"device\":\"0004a30b001c0530\",\"topic\":\"v3/estate@ttn/devices/b3-",
     .said = "temperature=21.5 Cel rssi=-35 dBm snr=5.2 dB ",
     .device = "0004a30b001c0530"},
    {.name = "M02 as the body of a webhook",
     .text = M02,
     .json = "\"what\":\"uplink_message\",\"device\":\"0004a30b001c0530\",\"payload\":\"{",
     .said = "temperature=21.5 Cel rssi=-35 dBm snr=5.2 dB ",
     .device = "0004a30b001c0530"},
    {.name = "the first uplink: f_cnt 0 is left out",
     .text = UP(",\"frm_payload\":\"AWcA1wJoXg==\""),
     .said = "temperature_1=21.5 Cel humidity_2=47 % "},
    {.name = "without a port no payload is an application's",
     .text = MESSAGE("\"uplink_message\":{\"frm_payload\":\"AWcA1w==\",\"rx_metadata\":[{\"rssi\":-35}]}"),
     .said = "rssi=-35 dBm "},
    {.name = "zeros in the decoded payload are said",
     .text = UP(",\"decoded_payload\":{\"a\":0,\"b\":false}"),
     .said = "a=0 b=0 "},
    {.name = "a battery",
     .text = UP(",\"last_battery_percentage\":{\"f_cnt\":3,\"value\":50.6,\"received_at\":\"2026-11-20T00:00:00Z\"}"),
     .said = "battery=50.6 % "},
    {.name = "an empty battery",
     .text = UP(",\"last_battery_percentage\":{\"received_at\":\"2026-11-20T00:00:00Z\"}"),
     .said = "battery=0 % "},
    {.name = "a battery that the device tells itself",
     .text = UP(",\"decoded_payload\":{\"battery\":3.6},\"last_battery_percentage\":{\"value\":5,\"received_at\":"
                "\"2026-11-20T00:00:00Z\"}"),
     .said = "battery=3.6 "},
    {.name = "a device without an EUI",
     .text = TOPIC "{\"end_device_ids\":{\"device_id\":\"b3-12f-th\"},\"uplink_message\":{\"f_port\":1,"
                   "\"decoded_payload\":{\"a\":1}}}",
     .said = "a=1 ",
     .device = "b3-12f-th"},
    {.name = "an application without a tenant",
     .text = "v3/estate/devices/b3-12f-th/up\n" UP(",\"decoded_payload\":{\"a\":1}"),
     .said = "a=1 "},
    {.name = "join",
     .text = DEVICE_TOPIC "join\n" MESSAGE("\"join_accept\":{\"session_key_id\":\"AXBSH1Pk6Z0G166RlH16CQ==\"}"),
     .json = "\"what\":\"join_accept\"",
     .said = "!join "},
    {.name = "location",
     .text = DEVICE_TOPIC "location/solved\n" MESSAGE(
         "\"location_solved\":{\"service\":\"x\",\"location\":{\"latitude\":22.5,\"longitude\":114.1}}"),
     .json = "\"what\":\"location_solved\"",
     .said = "latitude=22.5 deg longitude=114.1 deg "},
    {.name = "a downlink that is queued",
     .text = DEVICE_TOPIC "down/queued\n" MESSAGE("\"downlink_queued\":{\"f_port\":15}"),
     .json = "\"what\":\"downlink_queued\""},
    {.name = "a message that comes later", .text = MESSAGE("\"later\":{\"a\":1}"), .json = "\"what\":\"other\""},
    {.name = "a command", .text = DEVICE_TOPIC "down/push\n{\"downlinks\":[]}", .json = "\"what\":\"command\""},

    {.name = "another's topic",
     .text = "v3/estate@ttn/gateways/x/up\n{}",
     .rule = "topic: it is none of The Things",
     .at = 0},
    {.name = "no device",
     .text = "{\"received_at\":\"2026-11-21T00:30:00.500Z\"}",
     .rule = "device_id: it is missing",
     .at = 0},
    {.name = "another's id",
     .text = "v3/estate@ttn/devices/other/up\n" M02,
     .rule = "device_id: the topic names another",
     .at = 31},
    {.name = "half an EUI",
     .text = "{\"end_device_ids\":{\"device_id\":\"x\",\"dev_eui\":\"0004\"}}",
     .rule = "dev_eui: it is no EUI",
     .at = 0},
    {.name = "no base64", .text = UP(",\"frm_payload\":\"!\""), .rule = "frm_payload: it is no base64", .at = 0},
    {.name = "no time", .text = MESSAGE("\"received_at\":\"now\""), .rule = "received_at: it is no time", .at = 0},
    {.name = "no time of the battery",
     .text = UP(",\"last_battery_percentage\":{\"received_at\":\"now\"}"),
     .rule = "last_battery_percentage.received_at: it is no time",
     .at = 0},
    {.name = "a port that is a text",
     .text = "{\"uplink_message\":{\"f_port\":\"2\"}}",
     .rule = "uplink_message.f_port: it is no number",
     .at = 31},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &ttn_codec, rows, COUNT(rows));
}

static bool decode(struct t *t, const char *text, struct decoded *ret) {
    struct wire_error e = {NULL, 0};
    bool ok = ttn_codec.decode(vector_bytes_of(text), &t->arena, ret, &e);
    CHECK_SAY(t, ok, "%s: %s", text, e.rule);
    return ok;
}

static void the_gateways_time_is_that_of_the_uplink(struct t *t) {
    static const struct {
        const char *text;
        int64_t at_ms;
    } all[] = {
        {M02, 1795221000400},
        {UP(",\"decoded_payload\":{\"a\":1},\"rx_metadata\":[{\"rssi\":-1,\"time\":\"2026-11-21T00:29:59.999999999Z\"}]"
            ","
            "\"received_at\":\"2026-11-21T00:30:00Z\""),
         1795220999999},
        {MESSAGE("\"received_at\":\"2026-11-21T00:30:00.5Z\",\"uplink_message\":{\"decoded_payload\":{\"a\":1}}"),
         1795221000500},
    };
    struct decoded d;
    for (size_t i = 0; i < COUNT(all); i++)
        CHECK_SAY(t, decode(t, all[i].text, &d) && d.readings_n && d.readings[0].at_ms == all[i].at_ms, "%zu", i);
    if (decode(t, MESSAGE("\"join_accept\":{\"received_at\":\"2026-11-21T00:30:00Z\"}"), &d))
        CHECK(t, d.events_n == 1 && d.events[0].at_ms == 1795221000000);
}

/* Said with each uplink that follows, it is the same reading. */
static void a_battery_has_the_time_at_which_it_was_told(struct t *t) {
    struct decoded d;
    if (decode(t,
               UP(",\"received_at\":\"2026-11-21T00:30:00Z\",\"last_battery_percentage\":{\"value\":5,"
                  "\"received_at\":\"2026-11-20T00:00:00Z\"}"),
               &d))
        CHECK(t, d.readings_n == 1 && d.readings[0].at_ms == 1795132800000);
}

static void what_is_simulated_is_suspect(struct t *t) {
    struct decoded d;
    if (decode(t, MESSAGE("\"simulated\":true,\"uplink_message\":{\"decoded_payload\":{\"a\":1}}"), &d))
        CHECK(t, d.readings_n == 1 && d.readings[0].quality == QUALITY_SUSPECT);
    if (decode(t, MESSAGE("\"simulated\":false,\"uplink_message\":{\"decoded_payload\":{\"a\":1}}"), &d))
        CHECK(t, d.readings_n == 1 && d.readings[0].quality == QUALITY_GOOD);
}

static void devices_are_told_by_a_confirmed_downlink(struct t *t) {
    static const struct {
        const char *value, *frame;
    } all[] = {
        {"0A01", DEVICE_TOPIC "down/push\n{\"downlinks\":[{\"f_port\":10,\"frm_payload\":\"CgE=\",\"confirmed\":true,"
                              "\"priority\":\"NORMAL\"}]}"},
        {"{\"relay\":1}", DEVICE_TOPIC "down/push\n{\"downlinks\":[{\"f_port\":10,\"decoded_payload\":{\"relay\":1},"
                                       "\"confirmed\":true,\"priority\":\"NORMAL\"}]}"},
        {"no hex", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = S("0004a30b001c0530"),
                             .item = S("10"),
                             .value = str_of(all[i].value),
                             .key = S("estate@ttn/devices/b3-12f-th")};
        char mem[512];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        bool ok = ttn_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == (all[i].frame != NULL) && (!ok || !strcmp(mem, all[i].frame)), "%zu: %s", i, mem);
    }
}

static void an_acknowledgement_is_the_answer(struct t *t) {
    static const struct {
        const char *frame;
        enum answer answer;
    } all[] = {
        {DEVICE_TOPIC "down/ack\n" MESSAGE("\"downlink_ack\":{\"f_port\":10,\"f_cnt\":2}"), ANSWER_WHOLE},
        {MESSAGE("\"downlink_ack\":{\"f_port\":10}"), ANSWER_WHOLE},
        {MESSAGE("\"downlink_nack\":{\"f_port\":10}"), ANSWER_REFUSED},
        {MESSAGE("\"downlink_failed\":{\"downlink\":{\"f_port\":10},\"error\":{\"name\":\"x\"}}"), ANSWER_REFUSED},
        {MESSAGE("\"downlink_ack\":{\"f_port\":11}"), ANSWER_OTHER},
        {MESSAGE("\"downlink_sent\":{\"f_port\":10}"), ANSWER_OTHER},
        {"{\"end_device_ids\":{\"device_id\":\"x\",\"dev_eui\":\"0004A30B001C0531\"},\"downlink_ack\":{\"f_port\":10}}",
         ANSWER_OTHER},
        {UP(""), ANSWER_OTHER},
    };
    struct question q = {.address = S("0004a30b001c0530"), .item = S("10"), .value = S("00"), .key = S("x")};
    struct str key;
    CHECK(t, ttn_codec.asking->key(S("v3/estate@ttn/devices/b3-12f-th/down/ack"), &key) &&
                 str_is(key, "estate@ttn/devices/b3-12f-th") && !ttn_codec.asking->key(S("v3/a/devices/b"), &key));
    for (size_t i = 0; i < COUNT(all); i++) {
        char mem[64];
        struct buf data;
        const char *why = NULL;
        buf_init(&data, mem, sizeof mem);
        enum answer got = ttn_codec.asking->answers(&q, vector_bytes_of(all[i].frame), &data, &why);
        CHECK_SAY(t, got == all[i].answer && (got != ANSWER_REFUSED || why), "%s: %d", all[i].frame, (int)got);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(the_gateways_time_is_that_of_the_uplink),
      CASE(a_battery_has_the_time_at_which_it_was_told), CASE(what_is_simulated_is_suspect),
      CASE(devices_are_told_by_a_confirmed_downlink), CASE(an_acknowledgement_is_the_answer))
