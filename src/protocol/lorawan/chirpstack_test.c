/* ChirpStack's events against the vectors of their sheet, and what its two versions do differently.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lorawan/lorawan.h"

#include "tests/lib/vectors.h"

#include <string.h>

#define APP    "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/"
#define TOPIC  APP "event/up\n"
#define DEVICE "\"deviceInfo\":{\"devEui\":\"0101010101010101\"}"
#define M01                                                                                                            \
    "{\"deduplicationId\":\"11111111-2222-3333-4444-555555555555\",\"time\":\"2026-11-21T00:30:00.123456+00:00\","     \
    "\"deviceInfo\":{\"tenantId\":\"52f14cd4-c6f1-4fbd-8f87-4025e1d49242\",\"tenantName\":\"estate\","                 \
    "\"applicationId\":\"17c82e96-be03-4f38-aef3-f83d48582d97\",\"applicationName\":\"meters\",\"deviceProfileId\":"   \
    "\"14855bf7-d10d-4aee-b618-ebfcb64dc7ad\",\"deviceProfileName\":\"th\",\"deviceName\":\"B3-12F-TH\",\"devEui\":"   \
    "\"0101010101010101\",\"tags\":{}},\"devAddr\":\"00189440\",\"adr\":true,\"dr\":5,\"fCnt\":4,\"fPort\":2,"         \
    "\"confirmed\":false,\"data\":\"AWcA1wJoXg==\",\"object\":{\"temperature\":21.5,\"humidity\":47.0},\"rxInfo\":["   \
    "{\"gatewayId\":\"0016c001f153a14c\",\"uplinkId\":4217106255,\"rssi\":-36,\"snr\":10.5,\"context\":\"AAAAAA==\"}]" \
    ","                                                                                                                \
    "\"txInfo\":{\"frequency\":470300000,\"modulation\":{\"lora\":{\"bandwidth\":125000,\"spreadingFactor\":7,"        \
    "\"codeRate\":\"CR_4_5\"}}}}"
#define V3                                                                                                             \
    "{\"applicationID\":\"123\",\"applicationName\":\"meters\",\"deviceName\":\"th\",\"devEUI\":\"AgICAgICAgI=\","     \
    "\"rxInfo\":[{\"gatewayID\":\"AwMDAwMDAwM=\",\"time\":\"2019-11-08T13:59:25.048445Z\",\"timeSinceGPSEpoch\":null," \
    "\"rssi\":-48,\"loRaSNR\":9,\"location\":{\"latitude\":52.3740364,\"longitude\":4.9144401,\"altitude\":10.5}}],"   \
    "\"adr\":true,\"dr\":5,\"fCnt\":10,\"fPort\":5,\"data\":\"AWcA1wJoXg==\",\"objectJSON\":\"{\\\"temperatureSensor"  \
    "\\\":{\\\"1\\\":25}}\",\"tags\":{},\"confirmedUplink\":true,\"devAddr\":\"AFE5Qg==\"}"
#define UP(members) TOPIC "{" DEVICE ",\"fPort\":2," members "}"

static const struct vector rows[] = {
    {.name = "M01 uplink of v4",
     .text = TOPIC M01,
     .json = "\"what\":\"up\",\"device\":\"0101010101010101\",\"topic\":\"application/17c82e96-",
     .said = "temperature=21.5 Cel humidity=47 % rssi=-36 dBm snr=10.5 dB ",
     .device = "0101010101010101"},
    {.name = "M01 as the body of a request",
     .text = M01,
     .json = "\"what\":\"up\",\"device\":\"0101010101010101\",\"payload\":\"{",
     .said = "temperature=21.5 Cel humidity=47 % rssi=-36 dBm snr=10.5 dB ",
     .device = "0101010101010101"},
    {.name = "M01 without its object",
     .text = UP("\"data\":\"AWcA1wJoXg==\""),
     .said = "temperature_1=21.5 Cel humidity_2=47 % ",
     .device = "0101010101010101"},
    {.name = "an uplink of v3: base64 for bytes, the object as a text",
     .text = "application/123/device/0202020202020202/event/up\n" V3,
     .json = "\"device\":\"0202020202020202\"",
     .said = "temperatureSensor_1=25 rssi=-48 dBm snr=9 dB ",
     .device = "0202020202020202"},
    {.name = "the same as a body",
     .text = V3,
     .json = "\"what\":\"up\"",
     .said = "temperatureSensor_1=25 rssi=-48 dBm snr=9 dB "},
    {.name = "JSON (v3): hex for bytes, in any case",
     .text =
         "application/1/device/aabbccddeeff0011/event/up\n{\"devEUI\":\"AABBccddeeff0011\",\"fPort\":1,\"object\":{}"
         ",\"data\":\"AWcA1w==\"}",
     .said = "temperature_1=21.5 Cel ",
     .device = "aabbccddeeff0011"},
    {.name = "an object within an object, lists, flags; texts and nulls say nothing",
     .text =
         UP("\"object\":{\"air\":{\"temperature\":1,\"ok\":true},\"doors\":[false,true],\"mode\":\"eco\",\"x\":null}"),
     .said = "air_temperature=1 air_ok=1 doors_0=0 doors_1=1 "},
    {.name = "the loudest gateway; what the device says itself stands",
     .text = UP("\"object\":{\"snr\":1},\"rxInfo\":[{\"snr\":9,\"rssi\":-90},{\"rssi\":-40,\"snr\":7},{\"rssi\":-40,"
                "\"snr\":8}]"),
     .said = "snr=1 rssi=-40 dBm "},
    {.name = "bytes of a maker's own", .text = UP("\"data\":\"/////w==\""), .said = ""},
    {.name = "no bytes", .text = UP("\"data\":\"\""), .said = ""},
    {.name = "commands of the MAC", .text = TOPIC "{" DEVICE ",\"fPort\":0,\"data\":\"AWcA1w==\"}", .said = ""},
    {.name = "a channel twice", .text = UP("\"data\":\"AWcA1wFnANg=\""), .said = "temperature_1=21.6 Cel "},
    {.name = "status with a battery",
     .text = APP "event/status\n{" DEVICE ",\"margin\":10,\"externalPowerSource\":false,\"batteryLevelUnavailable\":"
                 "false,\"batteryLevel\":75.5}",
     .json = "\"what\":\"status\"",
     .said = "external_power=0 battery=75.5 % link_margin=10 dB "},
    {.name = "status of one without",
     .text =
         "{" DEVICE ",\"margin\":-5,\"externalPowerSource\":true,\"batteryLevelUnavailable\":false,\"batteryLevel\":0}",
     .json = "\"what\":\"status\"",
     .said = "external_power=1 link_margin=-5 dB "},
    {.name = "status of one that cannot tell",
     .text = "{" DEVICE ",\"margin\":0,\"batteryLevelUnavailable\":true,\"batteryLevel\":0}",
     .said = "link_margin=0 dB "},
    {.name = "join", .text = APP "event/join\n{" DEVICE ",\"devAddr\":\"00189440\"}", .said = "!join "},
    {.name = "join as a body, of v3",
     .text = "{\"devEUI\":\"0101010101010101\",\"devAddr\":\"00189440\",\"rxInfo\":[{\"rssi\":-1}]}",
     .json = "\"what\":\"join\"",
     .said = "!join "},
    {.name = "location",
     .text = APP "event/location\n{" DEVICE ",\"location\":{\"latitude\":22.5,\"longitude\":114.1,\"altitude\":7}}",
     .said = "latitude=22.5 deg longitude=114.1 deg altitude=7 m "},
    {.name = "ack", .text = APP "event/ack\n{" DEVICE ",\"acknowledged\":true}", .json = "\"what\":\"ack\""},
    {.name = "txack", .text = "{" DEVICE ",\"queueItemId\":\"1\",\"gatewayId\":\"2\"}", .json = "\"what\":\"txack\""},
    {.name = "log", .text = "{" DEVICE ",\"level\":\"ERROR\",\"code\":\"UPLINK_CODEC\"}", .json = "\"what\":\"log\""},
    {.name = "an integration's own object",
     .text = APP "event/integration\n{" DEVICE ",\"integrationName\":\"x\",\"object\":{\"temperature\":1}}",
     .json = "\"what\":\"integration\""},
    {.name = "a kind that comes later",
     .text = APP "event/later\n{" DEVICE ",\"object\":{\"a\":1}}",
     .json = "\"what\":\"other\""},
    {.name = "a command", .text = APP "command/down\n{}", .json = "\"what\":\"command\""},

    {.name = "nothing", .text = "", .rule = "topic: a line feed", .at = 0},
    {.name = "no payload", .text = APP "event/up", .rule = "topic: a line feed", .at = 81},
    {.name = "another's topic", .text = "zigbee2mqtt/x\n{}", .rule = "topic: it is none of ChirpStack", .at = 0},
    {.name = "a topic too long", .text = APP "event/up/x\n{}", .rule = "topic: it is none of ChirpStack", .at = 0},
    {.name = "no JSON", .text = TOPIC "up", .rule = "it is no JSON object", .at = 82},
    {.name = "half of it", .text = TOPIC "{\"time\":", .rule = "a value is no number", .at = 90},
    {.name = "no device", .text = TOPIC "{\"fPort\":2}", .rule = "devEui: it is missing", .at = 82},
    {.name = "half an EUI", .text = "{\"devEUI\":\"01010101\"}", .rule = "devEui: it is missing, or no EUI", .at = 0},
    {.name = "another's EUI",
     .text = TOPIC "{\"devEUI\":\"0101010101010102\"}",
     .rule = "devEui: the topic names another",
     .at = 82},
    {.name = "a time without a date",
     .text = TOPIC "{" DEVICE ",\"time\":\"00:30\"}",
     .rule = "time: it is no time of RFC 3339",
     .at = 82},
    {.name = "a time that is a number", .text = "{\"time\":1}", .rule = "time: it is no text", .at = 9},
    {.name = "twice", .text = "{\"time\":\"a\",\"time\":\"a\"}", .rule = "a member stands twice", .at = 22},
    {.name = "no base64", .text = UP("\"data\":\"AWcA1w\""), .rule = "data: it is no base64", .at = 82},
    {.name = "two of one name",
     .text = UP("\"object\":{\"a\":{\"b\":1},\"a_b\":2}"),
     .rule = "a value's name: it stands twice",
     .at = 82},
    {.name = "a name of 65 bytes",
     .text = UP("\"object\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}"),
     .rule = "a value's name: it has 1 to 64 bytes",
     .at = 82},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &chirpstack_codec, rows, COUNT(rows));
}

static void the_gateways_time_is_that_of_the_uplink(struct t *t) {
    static const struct {
        const char *members;
        int64_t at_ms;
    } all[] = {
        {"\"time\":\"2026-11-21T00:30:00.123456+00:00\"", 1795221000123},
        {"\"time\":\"2026-11-21T00:30:00Z\",\"rxInfo\":[{\"rssi\":-9,\"gwTime\":\"2026-11-21T00:29:59.5Z\"}]",
         1795220999500},
        {"\"time\":\"2026-11-21T00:30:00Z\",\"rxInfo\":[{\"rssi\":-9,\"gwTime\":null,\"nsTime\":\"2026-11-21T00:29:"
         "59Z\"}]",
         1795221000000},
        {"\"rxInfo\":[{\"rssi\":-9,\"time\":\"2026-11-21T00:29:59Z\"},{\"rssi\":-8,\"time\":\"2026-11-21T00:29:58Z\"}]",
         1795220998000},
        {"\"publishedAt\":\"2026-11-21T08:30:00+08:00\"", 1795221000000},
        {"\"adr\":true", 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char text[512];
        struct decoded d;
        struct wire_error e = {NULL, 0};
        int n = snprintf(text, sizeof text, "{" DEVICE ",\"fPort\":1,\"object\":{\"a\":1},%s}", all[i].members);
        bool ok = chirpstack_codec.decode((struct bytes){(const uint8_t *)text, (size_t)n}, &t->arena, &d, &e);
        CHECK_SAY(t, ok && d.readings_n && d.readings[0].at_ms == all[i].at_ms, "%s: %s %lld", all[i].members,
                  ok ? "" : e.rule, ok ? (long long)d.readings[0].at_ms : 0);
    }
}

static void devices_are_told_by_a_confirmed_downlink(struct t *t) {
    static const char app[] = "17c82e96-be03-4f38-aef3-f83d48582d97";
    static const struct {
        const char *address, *item, *value, *key, *frame; /* frame: NULL: there is no such question */
    } all[] = {
        {"0101010101010101", "10", "0a01FF", app,
         APP "command/down\n{\"devEui\":\"0101010101010101\",\"confirmed\":true,\"fPort\":10,\"data\":\"CgH/\"}"},
        {"0101010101010101", "10", "{\"relay\":1}", app,
         APP
         "command/down\n{\"devEui\":\"0101010101010101\",\"confirmed\":true,\"fPort\":10,\"object\":{\"relay\":1}}"},
        {"ABCDEF0101010101", "1", "", "1",
         "application/1/device/abcdef0101010101/command/down\n{\"devEui\":\"abcdef0101010101\",\"confirmed\":true,"
         "\"fPort\":1,\"data\":\"\"}"},
        {"0101010101010101", "223", "00", "1",
         "application/1/device/0101010101010101/command/down\n{\"devEui\":\"0101010101010101\",\"confirmed\":true,"
         "\"fPort\":223,\"data\":\"AA==\"}"},
        {"0101010101010101", "224", "00", "1", NULL},
        {"0101010101010101", "0", "00", "1", NULL},
        {"0101010101010101", "x", "00", "1", NULL},
        {"01010101", "1", "00", "1", NULL},
        {"0101010101010101", "1", "0", "1", NULL},
        {"0101010101010101", "1", "0g", "1", NULL},
        {"0101010101010101", "1", "{\"relay\":1", "1", NULL},
        {"0101010101010101", "1", NULL, "1", NULL}, /* nothing is asked over LoRaWAN */
        {"0101010101010101", "1", "00", "", NULL},
        {"0101010101010101", "1", "00", "a\nb", NULL},
        {"0101010101010101", "1", "00", "#", NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = str_of(all[i].address),
                             .item = str_of(all[i].item),
                             .value = str_of(all[i].value),
                             .key = str_of(all[i].key)};
        char mem[512];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        bool ok = chirpstack_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == (all[i].frame != NULL) && (!ok || !strcmp(mem, all[i].frame)), "%zu: %s", i, mem);
    }
}

static void an_acknowledgement_is_the_answer(struct t *t) {
    static const struct {
        const char *frame;
        enum answer answer;
    } all[] = {
        {APP "event/ack\n{" DEVICE ",\"acknowledged\":true,\"fCntDown\":3}", ANSWER_WHOLE},
        {"{" DEVICE ",\"acknowledged\":true}", ANSWER_WHOLE},
        {"{\"devEUI\":\"AQEBAQEBAQE=\",\"acknowledged\":true}", ANSWER_WHOLE},
        {APP "event/ack\n{" DEVICE ",\"acknowledged\":false}", ANSWER_REFUSED},
        {APP "event/up\n{" DEVICE ",\"acknowledged\":true}", ANSWER_OTHER},
        {APP "event/ack\n{\"devEUI\":\"0101010101010102\",\"acknowledged\":true}", ANSWER_OTHER},
        {APP "event/txack\n{" DEVICE ",\"gatewayId\":\"1\"}", ANSWER_OTHER},
        {APP "command/down\n{" DEVICE ",\"acknowledged\":true}", ANSWER_OTHER},
        {APP "event/ack\n{" DEVICE ",\"acknowledged\":", ANSWER_OTHER},
    };
    struct question q = {.address = S("0101010101010101"), .item = S("10"), .value = S("00"), .key = S("1")};
    struct str key;
    CHECK(t, chirpstack_codec.asking->key(S("application/7-e/device/0101010101010101/event/up"), &key) &&
                 str_is(key, "7-e") && !chirpstack_codec.asking->key(S("v3/a/devices/b/up"), &key));
    for (size_t i = 0; i < COUNT(all); i++) {
        char mem[64];
        struct buf data;
        const char *why = NULL;
        struct decoded d;
        struct wire_error e;
        buf_init(&data, mem, sizeof mem);
        enum answer got = chirpstack_codec.asking->answers(&q, vector_bytes_of(all[i].frame), &data, &why);
        CHECK_SAY(t, got == all[i].answer && (got != ANSWER_REFUSED || why), "%s: %d", all[i].frame, (int)got);
        CHECK(t, chirpstack_codec.asking->read(&q, (struct bytes){NULL, 0}, &t->arena, &d, &e) && !d.readings_n &&
                     str_is(d.sender, "0101010101010101"));
    }
}

static void its_topics_are_its_own(struct t *t) {
    static const struct {
        const char *frame;
        bool is_own;
    } all[] = {{TOPIC "{", true},
               {APP "command/down\n", true},
               {"{", true},
               {"application/1/device/2/event/\n{}", false},
               {"application/1/device/2/event\n{}", false},
               {"application/1/gateway/2/event/up\n{}", false},
               {"applications/1/device/2/event/up\n{}", false},
               {"v3/estate@ttn/devices/x/up\n{}", false},
               {"application/1/device/2/event/up", false},
               {"#\n{}", false}};
    for (size_t i = 0; i < COUNT(all); i++) {
        size_t len = 0;
        struct bytes whole = vector_bytes_of(all[i].frame);
        enum frame got = chirpstack_codec.frame(whole, &len);
        CHECK_SAY(t, (got == FRAME_WHOLE) == all[i].is_own && len == whole.len, "%s", all[i].frame);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(the_gateways_time_is_that_of_the_uplink),
      CASE(devices_are_told_by_a_confirmed_downlink), CASE(an_acknowledgement_is_the_answer),
      CASE(its_topics_are_its_own))
