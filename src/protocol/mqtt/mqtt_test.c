/* MQTT packets as rows: what mosquitto's clients send, the examples of the standards, and what must be refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/mqtt/mqtt.h"

#include "protocol/frame_json.h"
#include "tests/lib/test.h"

#include <string.h>

static struct bytes unhex(struct t *t, const char *hex) {
    struct bytes b = {NULL, 0};
    CHECK_SAY(t, frame_unhex(&t->arena, str_of(hex), &b), "no hex: %s", hex);
    return b;
}

static const struct good {
    const char *why, *hex;
    enum mqtt_level level;
    const char *json;
} good[] = {
    {"mosquitto_pub 2.0.11 connects", "102400044d51545404c2003c00076d657465722d3100076d657465722d310006736563726574",
     MQTT_V311,
     "{\"type\":\"connect\",\"level\":4,\"client_id\":\"meter-1\",\"clean_start\":true,\"keep_alive_s\":60,\"user\":"
     "\"meter-1\",\"password\":\"secret\"}"},
    {"and publishes with QoS 1",
     "322b001a6c696e6c692f65312f6d657465722d312f74656c656d6574727900017b22706f776572223a312e357d", MQTT_V311,
     "{\"type\":\"publish\",\"topic\":\"linli/e1/meter-1/"
     "telemetry\",\"qos\":1,\"id\":1,\"payload\":\"{\\\"power\\\":1.5}\"}"},
    {"and in 5.0, with a will and properties",
     "105400044d51545405ee003c081100000e1021001400076d657465722d31051800000005001"
     "66c696e6c692f65312f6d657465722d312f737461746500076f66666c696e6500076d657465722d310006736563726574",
     MQTT_V5,
     "{\"type\":\"connect\",\"level\":5,\"client_id\":\"meter-1\",\"clean_start\":true,\"keep_alive_s\":60,\"user\":"
     "\"meter-1\",\"password\":\"secret\",\"will\":{\"topic\":\"linli/e1/meter-1/state\",\"payload\":\"offline\","
     "\"qos\":1,\"retain\":true,\"properties\":[{\"will_delay\":5}]},\"properties\":[{\"session_expiry\":3600},{"
     "\"receive_maximum\":20}]}"},
    {"with an alias, a user property and an expiry",
     "323f001a6c696e6c692f65312f6d657465722d312f74656c656d65747279000113230001260004756e697400026b57020000003c7b22706f7"
     "76572223a312e357d",
     MQTT_V5,
     "{\"type\":\"publish\",\"topic\":\"linli/e1/meter-1/"
     "telemetry\",\"qos\":1,\"id\":1,\"payload\":\"{\\\"power\\\":1.5}\",\"properties\":[{\"topic_alias\":1},{\"user\":"
     "[\"unit\",\"kW\"]},{\"message_expiry\":60}]}"},
    {"a retained duplicate with QoS 2 and bytes", "3d06 0001 61 0001 ff", MQTT_V311,
     "{\"type\":\"publish\",\"topic\":\"a\",\"qos\":2,\"id\":1,\"dup\":true,\"retain\":true,\"payload_hex\":\"FF\"}"},
    {"QoS 0 without payload", "3003 0001 61", MQTT_V311,
     "{\"type\":\"publish\",\"topic\":\"a\",\"qos\":0,\"payload\":\"\"}"},
    {"an alias in the place of the topic", "300700000323000578", MQTT_V5,
     "{\"type\":\"publish\",\"topic\":\"\",\"qos\":0,\"payload\":\"x\",\"properties\":[{\"topic_alias\":5}]}"},
    {"a publish that answers two subscriptions", "3008 0001 61 04 0b01 0b02", MQTT_V5,
     "{\"type\":\"publish\",\"topic\":\"a\",\"qos\":0,\"payload\":\"\",\"properties\":[{\"subscription_id\":1},{"
     "\"subscription_id\":2}]}"},
    {"a subscription identifier of four bytes", "820c 0001 05 0b ffffff7f 0001 61 00", MQTT_V5,
     "{\"type\":\"subscribe\",\"id\":1,\"filters\":[{\"filter\":\"a\",\"qos\":0}],\"properties\":[{\"subscription_id\":"
     "268435455}]}"},
    {"mosquitto_sub 2.0.11 subscribes", "821c000100116c696e6c692f2b2f632f636f6d6d616e64010003612f2301", MQTT_V311,
     "{\"type\":\"subscribe\",\"id\":1,\"filters\":[{\"filter\":\"linli/+/c/command\",\"qos\":1},{\"filter\":\"a/"
     "#\",\"qos\":1}]}"},
    {"and in 5.0", "82190001020b0700116c696e6c692f2b2f632f636f6d6d616e6409", MQTT_V5,
     "{\"type\":\"subscribe\",\"id\":1,\"filters\":[{\"filter\":\"linli/+/c/"
     "command\",\"qos\":1,\"retain_as_published\":true}],\"properties\":[{\"subscription_id\":7}]}"},
    {"and lets go", "a20a00020000056f6c642f23", MQTT_V5,
     "{\"type\":\"unsubscribe\",\"id\":2,\"filters\":[{\"filter\":\"old/#\"}]}"},
    {"shared, with options", "8210 000a 00 000a 2473686172652f672f61 2a", MQTT_V5,
     "{\"type\":\"subscribe\",\"id\":10,\"filters\":[{\"filter\":\"$share/g/"
     "a\",\"qos\":2,\"retain_as_published\":true,\"retain_handling\":2}]}"},
    {"a name of its own in 3.1.1", "820f 000a 000a 2473686172652f672f61 01", MQTT_V311,
     "{\"type\":\"subscribe\",\"id\":10,\"filters\":[{\"filter\":\"$share/g/a\",\"qos\":1}]}"},
    {"a client without an id", "100c 0004 4d515454 04 02 0000 0000", MQTT_V311,
     "{\"type\":\"connect\",\"level\":4,\"client_id\":\"\",\"clean_start\":true,\"keep_alive_s\":0}"},
    {"5.0: a password alone, a session that stays, no id", "1010 0004 4d515454 05 40 000a 00 0000 0001 78", MQTT_V5,
     "{\"type\":\"connect\",\"level\":5,\"client_id\":\"\",\"clean_start\":false,\"keep_alive_s\":10,\"password\":"
     "\"x\"}"},
    {"an empty password is one", "1011 0004 4d515454 04 c2 0000 0001 61 0000 0000", MQTT_V311,
     "{\"type\":\"connect\",\"level\":4,\"client_id\":\"a\",\"clean_start\":true,\"keep_alive_s\":0,\"user\":\"\","
     "\"password\":\"\"}"},
    {"accepted", "2002 01 00", MQTT_V311, "{\"type\":\"connack\",\"session_present\":true,\"reason\":0}"},
    {"refused", "2002 00 05", MQTT_V311, "{\"type\":\"connack\",\"session_present\":false,\"reason\":5}"},
    {"refused in 5.0 with words", "2008 00 87 05 1f 0002 6e6f", MQTT_V5,
     "{\"type\":\"connack\",\"session_present\":false,\"reason\":135,\"properties\":[{\"reason_string\":\"no\"}]}"},
    {"authentication in steps", "f00d 18 0b 15 0003 78796d 16 0002 00ff", MQTT_V5,
     "{\"type\":\"auth\",\"reason\":24,\"properties\":[{\"auth_method\":\"xym\"},{\"auth_data_hex\":\"00FF\"}]}"},
    {"acknowledged", "4002 1234", MQTT_V311, "{\"type\":\"puback\",\"id\":4660}"},
    {"acknowledged in 5.0", "4002 1234", MQTT_V5, "{\"type\":\"puback\",\"id\":4660,\"reason\":0}"},
    {"nobody is subscribed", "4003 0001 10", MQTT_V5, "{\"type\":\"puback\",\"id\":1,\"reason\":16}"},
    {"not allowed, with words", "4009 0001 87 05 1f 0002 6e6f", MQTT_V5,
     "{\"type\":\"puback\",\"id\":1,\"reason\":135,\"properties\":[{\"reason_string\":\"no\"}]}"},
    {"received", "5002 0001", MQTT_V311, "{\"type\":\"pubrec\",\"id\":1}"},
    {"released", "6202 0001", MQTT_V311, "{\"type\":\"pubrel\",\"id\":1}"},
    {"complete, but unknown", "7003 0001 92", MQTT_V5, "{\"type\":\"pubcomp\",\"id\":1,\"reason\":146}"},
    {"granted and refused", "9004 0001 01 80", MQTT_V311, "{\"type\":\"suback\",\"id\":1,\"codes\":[1,128]}"},
    {"granted in 5.0", "9005 0001 00 02 87", MQTT_V5, "{\"type\":\"suback\",\"id\":1,\"codes\":[2,135]}"},
    {"let go", "b002 0001", MQTT_V311, "{\"type\":\"unsuback\",\"id\":1}"},
    {"let go in 5.0", "b004 0001 00 11", MQTT_V5, "{\"type\":\"unsuback\",\"id\":1,\"codes\":[17]}"},
    {"ping", "c000", MQTT_V311, "{\"type\":\"pingreq\"}"},
    {"pong", "d000", MQTT_V5, "{\"type\":\"pingresp\"}"},
    {"good-bye", "e000", MQTT_V311, "{\"type\":\"disconnect\",\"reason\":0}"},
    {"good-bye with the will", "e001 04", MQTT_V5, "{\"type\":\"disconnect\",\"reason\":4}"},
    {"taken over, another server", "e007 8e 05 1c 0002 6232", MQTT_V5,
     "{\"type\":\"disconnect\",\"reason\":142,\"properties\":[{\"server_reference\":\"b2\"}]}"},
};

static void packets_are_read_and_come_back_the_same(struct t *t) {
    for (size_t i = 0; i < COUNT(good); i++) {
        const struct good *g = &good[i];
        struct bytes b = unhex(t, g->hex);
        const struct codec *codec = g->level == MQTT_V5 ? &mqtt5_codec : &mqtt_codec;
        struct wire_error e = {0};
        struct buf out, hex;
        struct str json = {NULL, 0};
        struct jw j;
        buf_init_arena(&out, &t->arena, 8192);
        jw_init(&j, &out);
        bool ok = codec->show(b, &t->arena, &j, &e) && buf_done(&out, &json);
        CHECK_SAY(t, ok, "%s: %s at %zu", g->why, e.rule, e.at);
        if (!ok) continue;
        CHECK_SAY(t, str_is(json, g->json), "%s: " STR_FMT, g->why, STR_ARG(json));
        json_t *read = NULL;
        CHECK(t, !json_read(json, &read, &t->fault));
        buf_init_arena(&hex, &t->arena, 8192);
        ok = codec->make(read, &t->arena, &hex, &e);
        CHECK_SAY(t, ok && hex.len == b.len && !memcmp(hex.ptr, b.ptr, b.len), "%s: made otherwise: %s", g->why,
                  ok ? "" : e.rule);
        json_decref(read);
    }
}

static const struct bad {
    const char *hex;
    enum mqtt_level level;
    size_t at;
    enum mqtt_reason reason;
    const char *rule; /* what it begins with */
} bad[] = {
    /* the fixed header */
    {"0000", MQTT_V311, 0, MQTT_MALFORMED, "MQTT5 2.1.2,"},
    {"f000", MQTT_V311, 0, MQTT_MALFORMED, "MQTT3 2.2.1"},
    {"c100", MQTT_V311, 0, MQTT_MALFORMED, "MQTT5 2.1.3,"},
    {"6002 0001", MQTT_V311, 0, MQTT_MALFORMED, "MQTT5 2.1.3,"},
    {"8006 0001 0001 61 00", MQTT_V311, 0, MQTT_MALFORMED, "MQTT5 2.1.3,"},
    {"3606 0001 61 0001 78", MQTT_V311, 0, MQTT_MALFORMED, "MQTT5 3.3.1.2,"},
    {"3804 0001 61 78", MQTT_V311, 0, MQTT_MALFORMED, "MQTT5 3.3.1.1,"},
    {"c0ffffffff01", MQTT_V311, 1, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"c001", MQTT_V311, 1, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"c00000", MQTT_V311, 1, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"c00100", MQTT_V311, 2, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"c08000", MQTT_V5, 1, MQTT_MALFORMED, "MQTT5 1.5.5"},
    /* CONNECT */
    {"1010 0006 4d5149736470 03 02 003c 0002 6161", MQTT_V311, 2, MQTT_BAD_VERSION, "MQTT5 3.1.2.1,"},
    {"1001 00", MQTT_V311, 2, MQTT_BAD_VERSION, "MQTT5 3.1.2.1,"},
    {"1006 0004 4d515454", MQTT_V311, 8, MQTT_BAD_VERSION, "MQTT5 3.1.2.2,"},
    {"100c 0004 4d515454 03 02 0000 0000", MQTT_V311, 8, MQTT_BAD_VERSION, "MQTT5 3.1.2.2,"},
    {"100c 0004 4d515454 06 02 0000 0000", MQTT_V311, 8, MQTT_BAD_VERSION, "MQTT5 3.1.2.2,"},
    {"1009 0004 4d515454 04 02 00", MQTT_V311, 9, MQTT_MALFORMED, "MQTT5 3.1.2.3,"},
    {"100c 0004 4d515454 04 03 0000 0000", MQTT_V311, 9, MQTT_MALFORMED, "MQTT5 3.1.2.3,"},
    {"100c 0004 4d515454 04 0a 0000 0000", MQTT_V311, 9, MQTT_MALFORMED, "MQTT5 3.1.2.6,"},
    {"1011 0004 4d515454 04 1e 0000 0000 0001 61 0000", MQTT_V311, 9, MQTT_MALFORMED, "MQTT5 3.1.2.6,"},
    {"100c 0004 4d515454 04 22 0000 0000", MQTT_V311, 9, MQTT_MALFORMED, "MQTT5 3.1.2.7,"},
    {"100f 0004 4d515454 04 42 0000 0000 0001 78", MQTT_V311, 9, MQTT_MALFORMED, "MQTT3 3.1.2.9"},
    {"100c 0004 4d515454 04 00 0000 0000", MQTT_V311, 12, MQTT_BAD_CLIENT_ID, "MQTT3 3.1.3.1"},
    {"100d 0004 4d515454 04 02 0000 0001 00", MQTT_V311, 14, MQTT_MALFORMED, "MQTT5 1.5.4,"},
    {"100d 0004 4d515454 04 02 0000 0001 ff", MQTT_V311, 14, MQTT_MALFORMED, "MQTT5 1.5.4,"},
    {"100f 0004 4d515454 04 02 0000 0003 eda080", MQTT_V311, 14, MQTT_MALFORMED, "MQTT5 1.5.4,"},
    {"100c 0004 4d515454 04 02 0000 0001", MQTT_V311, 14, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"100d 0004 4d515454 04 02 0000 0000 00", MQTT_V311, 14, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"1011 0004 4d515454 04 06 0000 0000 0001 23 0000", MQTT_V311, 14, MQTT_BAD_TOPIC, "MQTT5 3.1.3.3,"},
    {"1010 0004 4d515454 04 06 0000 0000 0000 0000", MQTT_V311, 14, MQTT_BAD_TOPIC, "MQTT5 3.1.3.3,"},
    {"1010 0004 4d515454 05 02 0000 03 21 0000 0000", MQTT_V5, 13, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2:"},
    {"100f 0004 4d515454 05 02 0000 02 17 02 0000", MQTT_V5, 13, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2:"},
    {"1010 0004 4d515454 05 02 0000 03 16 0000 0000", MQTT_V5, 12, MQTT_PROTOCOL_ERROR, "MQTT5 3.1.2.11.10"},
    {"1012 0004 4d515454 05 02 0000 05 27 00000000 0000", MQTT_V5, 13, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2:"},
    {"1010 0004 4d515454 05 02 0000 03 23 0001 0000", MQTT_V5, 13, MQTT_MALFORMED, "MQTT5 2.2.2.2"},
    {"100e 0004 4d515454 05 02 0000 01 63 0000", MQTT_V5, 13, MQTT_MALFORMED, "MQTT5 2.2.2.2"},
    {"1013 0004 4d515454 05 02 0000 06 22 0001 22 0001 0000", MQTT_V5, 16, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2:"},
    {"100f 0004 4d515454 05 02 0000 02 22 00 0000", MQTT_V5, 15, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"100d 0004 4d515454 05 02 0000 7f 0000", MQTT_V5, 15, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"1010 0004 4d515454 05 02 0000 80808080 0000", MQTT_V5, 12, MQTT_MALFORMED, "MQTT5 1.5.5"},
    {"100e 0004 4d515454 05 02 0000 8000 0000", MQTT_V5, 12, MQTT_MALFORMED, "MQTT5 1.5.5"},
    /* CONNACK */
    {"2002 02 00", MQTT_V311, 2, MQTT_MALFORMED, "MQTT5 3.2.2.1,"},
    {"2002 01 05", MQTT_V311, 2, MQTT_PROTOCOL_ERROR, "MQTT5 3.2.2.1.1,"},
    {"2002 00 06", MQTT_V311, 3, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    {"2003 00 01 00", MQTT_V5, 3, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    /* PUBLISH */
    {"3002 0000", MQTT_V311, 2, MQTT_BAD_TOPIC, "MQTT5 3.3.2.1,"},
    {"3003 0000 00", MQTT_V5, 2, MQTT_PROTOCOL_ERROR, "MQTT5 3.3.2.1:"},
    {"3005 0003 612f23", MQTT_V311, 2, MQTT_BAD_TOPIC, "MQTT5 3.3.2.1,"},
    {"3003 0001 2b", MQTT_V311, 2, MQTT_BAD_TOPIC, "MQTT5 3.3.2.1,"},
    {"3001 00", MQTT_V311, 3, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"3205 0001 61 0000", MQTT_V311, 5, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.1,"},
    {"3204 0001 61 00", MQTT_V311, 5, MQTT_MALFORMED, "MQTT5 2.2.1,"},
    {"3007 0001 61 03 23 0000", MQTT_V5, 6, MQTT_BAD_ALIAS, "MQTT5 2.2.2:"},
    {"3008 0001 61 04 08 0001 2b", MQTT_V5, 6, MQTT_PROTOCOL_ERROR, "MQTT5 3.3.2.3.5"},
    {"3006 0001 61 02 0b 00", MQTT_V5, 6, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2:"},
    {"3006 0001 61 02 01 02", MQTT_V5, 6, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2:"},
    /* acknowledgements */
    {"4002 0000", MQTT_V311, 2, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.1,"},
    {"4001 00", MQTT_V311, 2, MQTT_MALFORMED, "MQTT5 2.2.1,"},
    {"4003 0001 00", MQTT_V311, 4, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"4003 0001 01", MQTT_V5, 4, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    {"6203 0001 10", MQTT_V5, 4, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    {"e001 00", MQTT_V311, 2, MQTT_MALFORMED, "MQTT5 2.1.4,"},
    {"e001 01", MQTT_V5, 2, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    {"f001 80", MQTT_V5, 2, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    /* subscriptions */
    {"8202 0001", MQTT_V311, 4, MQTT_PROTOCOL_ERROR, "MQTT5 3.8.3 and"},
    {"a203 0001 00", MQTT_V5, 5, MQTT_PROTOCOL_ERROR, "MQTT5 3.8.3 and"},
    {"8206 0000 0001 61 00", MQTT_V311, 2, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.1,"},
    {"8205 0001 0000 00", MQTT_V311, 4, MQTT_BAD_FILTER, "MQTT5 4.7.1,"},
    {"8207 0001 0002 6123 00", MQTT_V311, 4, MQTT_BAD_FILTER, "MQTT5 4.7.1,"},
    {"8206 0001 0001 61 03", MQTT_V311, 7, MQTT_MALFORMED, "MQTT5 3.8.3.1,"},
    {"8206 0001 0001 61 04", MQTT_V311, 7, MQTT_MALFORMED, "MQTT5 3.8.3.1,"},
    {"8205 0001 0001 61", MQTT_V311, 7, MQTT_MALFORMED, "MQTT5 3.8.3.1,"},
    {"8207 0001 00 0001 61 40", MQTT_V5, 8, MQTT_MALFORMED, "MQTT5 3.8.3.1,"},
    {"8207 0001 00 0001 61 30", MQTT_V5, 8, MQTT_PROTOCOL_ERROR, "MQTT5 3.8.3.1:"},
    {"8210 000a 00 000a 2473686172652f672f61 04", MQTT_V5, 17, MQTT_PROTOCOL_ERROR, "MQTT5 3.8.3.1:"},
    {"820f 000a 00 0009 2473686172652f672f 00", MQTT_V5, 5, MQTT_BAD_FILTER, "MQTT5 4.7.1,"},
    {"820b 0001 04 0b01 0b02 0001 61 00", MQTT_V5, 7, MQTT_PROTOCOL_ERROR, "MQTT5 2.2.2:"},
    {"9002 0001", MQTT_V311, 4, MQTT_PROTOCOL_ERROR, "MQTT5 3.9.3 and"},
    {"9003 0001 03", MQTT_V311, 4, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    {"9004 0001 00 11", MQTT_V5, 5, MQTT_PROTOCOL_ERROR, "MQTT5 2.4,"},
    {"b003 0001 00", MQTT_V311, 4, MQTT_MALFORMED, "MQTT5 2.1.4,"},
};

static void what_the_standards_forbid_is_refused(struct t *t) {
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mqtt_packet p = {.id = 77};
        struct mqtt_fault f = {0};
        bool ok = mqtt_decode(unhex(t, bad[i].hex), bad[i].level, &p, &f);
        CHECK_SAY(t, !ok && p.id == 77, "%s is accepted", bad[i].hex);
        if (ok) continue;
        CHECK_SAY(t, str_starts(str_of(f.rule), str_of(bad[i].rule)), "%s: %s", bad[i].hex, f.rule);
        CHECK_SAY(t, f.at == bad[i].at && f.reason == bad[i].reason, "%s: at %zu, reason %x: %s", bad[i].hex, f.at,
                  (unsigned)f.reason, f.rule);
    }
}

static void every_cut_of_a_packet_is_refused(struct t *t) {
    for (size_t i = 0; i < COUNT(good); i++) {
        struct bytes b = unhex(t, good[i].hex);
        struct mqtt_packet p;
        struct mqtt_fault f;
        for (size_t n = 0; n < b.len; n++) {
            size_t len = 0;
            struct bytes cut = {b.ptr, n};
            CHECK_SAY(t, mqtt_frame(cut, 256, &len, &f) == FRAME_SHORT && (n < 2 || len == b.len), "%s cut to %zu",
                      good[i].why, n);
            CHECK_SAY(t, !mqtt_decode(cut, good[i].level, &p, &f), "%s cut to %zu", good[i].why, n);
        }
        size_t len = 0;
        CHECK(t, mqtt_frame(b, 256, &len, &f) == FRAME_WHOLE && len == b.len);
    }
}

static void a_stream_is_split_by_lengths_and_ends_at_rubbish(struct t *t) {
    struct mqtt_fault f = {0};
    size_t len = 0;
    struct bytes two = unhex(t, "4002 0001 c000");
    CHECK(t, mqtt_frame(two, 100, &len, &f) == FRAME_WHOLE && len == 4);
    struct bytes large = unhex(t, "308001");
    CHECK(t, mqtt_frame(large, 131, &len, &f) == FRAME_SHORT && len == 131);
    CHECK(t, mqtt_frame(large, 130, &len, &f) == FRAME_SKIP && f.reason == MQTT_TOO_LARGE);
    CHECK(t, mqtt_frame(unhex(t, "3080"), 130, &len, &f) == FRAME_SHORT && len == 0);
    CHECK(t, mqtt_frame((struct bytes){NULL, 0}, 130, &len, &f) == FRAME_SHORT && len == 0);
    CHECK(t, mqtt_frame(unhex(t, "30ffffffff"), MQTT_PACKET_MAX, &len, &f) == FRAME_SKIP);
    CHECK(t, mqtt_frame(unhex(t, "30ffffff7f"), MQTT_PACKET_MAX, &len, &f) == FRAME_SHORT && len == MQTT_PACKET_MAX);
    CHECK(t, mqtt_frame(unhex(t, "160301"), 100, &len, &f) == FRAME_SKIP); /* TLS */
    CHECK(t, mqtt_frame(unhex(t, "474554"), 100, &len, &f) == FRAME_SKIP); /* GET */
}

static void longer_lengths_than_needed_are_an_error_of_5_0_alone(struct t *t) {
    struct mqtt_packet p;
    struct mqtt_fault f;
    CHECK(t, mqtt_decode(unhex(t, "c0808000"), MQTT_V311, &p, &f) && p.type == MQTT_PINGREQ);
    CHECK(t, !mqtt_decode(unhex(t, "c0808000"), MQTT_V5, &p, &f));
    /* CONNECT says itself which it is */
    CHECK(t, mqtt_decode(unhex(t, "108c80 00 0004 4d515454 04 02 0000 0000"), MQTT_V5, &p, &f) && p.level == MQTT_V311);
    CHECK(t, !mqtt_decode(unhex(t, "108d80 00 0004 4d515454 05 02 0000 00 0000"), MQTT_V311, &p, &f));
}

static void what_does_not_fit_is_not_written(struct t *t) {
    char mem[16], *text = arena_alloc(&t->arena, 65536, 1, 1);
    struct buf b;
    struct mqtt_packet p = {
        .type = MQTT_PUBLISH, .level = MQTT_V311, .topic = S("a"), .payload = {(const uint8_t *)"x", 1}};
    buf_init(&b, mem, sizeof mem);
    CHECK(t, mqtt_encode(&p, &b) && b.len == 6 && !b.overflow);
    p.payload = (struct bytes){(const uint8_t *)"0123456789", 10};
    CHECK(t, !mqtt_encode(&p, &b) && b.len == 6);
    memset(text, 'a', 65536);
    p.topic = (struct str){text, 65535};
    buf_init_arena(&b, &t->arena, 70000);
    CHECK(t, mqtt_encode(&p, &b) && b.len == 65535 + 2 + 10 + 4);
    p.topic.len++;
    CHECK(t, !mqtt_encode(&p, &b));
}

static void wrong_wishes_are_told(struct t *t) {
    static const struct {
        const char *json, *rule;
    } rows[] = {
        {"{}", "type: is no packet's"},
        {"{\"type\":\"publish\",\"topic\":\"a\",\"qos\":3}", "qos: is no whole number in its range"},
        {"{\"type\":\"publish\",\"topic\":1}", "topic: is no text"},
        {"{\"type\":\"publish\",\"topic\":\"a\",\"payload_hex\":\"abc\"}", "payload_hex: is no hex"},
        {"{\"type\":\"publish\",\"topic\":\"a\",\"payload_hex\":\"zz\"}", "payload_hex: is no hex"},
        {"{\"type\":\"publish\",\"topic\":\"a/#\"}", "MQTT5 3.3.2.1,"},
        {"{\"type\":\"publish\",\"topic\":\"a\",\"qos\":1}", "MQTT5 2.2.1,"},
        {"{\"type\":\"publish\",\"topic\":\"a\",\"retain\":1}", "retain: is neither true nor false"},
        {"{\"type\":\"subscribe\",\"id\":1,\"filters\":[{}]}", "filter: is missing"},
        {"{\"type\":\"subscribe\",\"id\":1,\"filters\":{}}", "filters: is no list"},
        {"{\"type\":\"suback\",\"id\":1,\"codes\":[256]}", "codes: are no reason codes"},
        {"{\"type\":\"connect\",\"level\":5,\"properties\":[{\"x\":1}]}", "x: is no property"},
        {"{\"type\":\"connect\",\"level\":5,\"properties\":[1]}", "properties: is no property"},
        {"{\"type\":\"connect\",\"level\":5,\"properties\":[{\"receive_maximum\":65536}]}", "receive_maximum: is no"},
        {"{\"type\":\"connect\",\"level\":5,\"properties\":[{\"user\":\"a\"}]}", "user: is no pair"},
        {"{\"type\":\"connect\",\"level\":3}", "level: is no whole number in its range"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {0};
        CHECK(t, !json_read(str_of(rows[i].json), &o, &t->fault));
        buf_init_arena(&b, &t->arena, 1000);
        bool ok = mqtt_codec.make(o, &t->arena, &b, &e);
        CHECK_SAY(t, !ok && str_starts(str_of(e.rule), str_of(rows[i].rule)) && !b.len, "%s: %s", rows[i].json,
                  ok ? "made" : e.rule);
        json_decref(o);
    }
}

static void topics_match_as_4_7_says(struct t *t) {
    static const struct {
        const char *filter, *topic;
        bool matches;
    } rows[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "a/b", false},
        {"a/b", "a", false},
        {"a/", "a/", true},
        {"a/", "a", false},
        {"/a", "a", false},
        {"#", "a/b", true},
        {"#", "/", true},
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/tennis/player1/#", "sport/tennis/player2", false},
        {"sport/#", "sport", true},
        {"sport/#", "sports", false},
        {"sport/tennis/+", "sport/tennis/player1", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+", "/finance", false},
        {"+", "finance", true},
        {"+/a/#", "x/a", true},
        {"#", "$SYS/monitor", false},
        {"+/monitor/Clients", "$SYS/monitor/Clients", false},
        {"$SYS/#", "$SYS/monitor/Clients", true},
        {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
        {"a/+", "a/$x", true},
        {"Accounts", "ACCOUNTS", false},
        {"楼/+/温度", "楼/八/温度", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SAY(t, mqtt_topic_matches(str_of(rows[i].filter), str_of(rows[i].topic)) == rows[i].matches, "%s and %s",
                  rows[i].filter, rows[i].topic);
}

static void filters_are_those_of_4_7_1(struct t *t) {
    static const struct {
        const char *filter;
        bool v311, v5;
    } rows[] = {
        {"", false, false},          {"a/b", true, true},
        {"/", true, true},           {"#", true, true},
        {"a/#", true, true},         {"a#", false, false},
        {"a/#/b", false, false},     {"#/a", false, false},
        {"+", true, true},           {"+/a/#", true, true},
        {"a+", false, false},        {"+a", false, false},
        {"a/+b", false, false},      {"++", false, false},
        {"##", false, false},        {"$share/g/a", true, true},
        {"$share/g/#", true, true},  {"$share/g/", true, false},
        {"$share/g", true, false},   {"$share//a", true, false},
        {"$share/+/a", true, false}, {"$share/g#/a", false, false},
        {"$share", true, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str f = str_of(rows[i].filter);
        CHECK_SAY(t, mqtt_topic_is_filter(f, MQTT_V311) == rows[i].v311, "3.1.1: %s", rows[i].filter);
        CHECK_SAY(t, mqtt_topic_is_filter(f, MQTT_V5) == rows[i].v5, "5.0: %s", rows[i].filter);
    }
    CHECK(t, mqtt_topic_is_name(S("a/b")) && !mqtt_topic_is_name(S("a/+")) && !mqtt_topic_is_name(S("")));
}

static void properties_are_found_by_id(struct t *t) {
    struct mqtt_packet p;
    struct mqtt_fault f;
    struct mqtt_property x;
    CHECK(t, mqtt_decode(unhex(t, good[3].hex), MQTT_V5, &p, &f));
    CHECK(t, mqtt_property_find(p.properties, MQTT_TOPIC_ALIAS, &x) && x.number == 1);
    CHECK(t, mqtt_property_find(p.properties, MQTT_USER_PROPERTY, &x) && str_is(x.key, "unit") && str_is(x.text, "kW"));
    CHECK(t, !mqtt_property_find(p.properties, MQTT_CONTENT_TYPE, &x));
    CHECK(t, !mqtt_property_find((struct bytes){NULL, 0}, MQTT_CONTENT_TYPE, &x));
}

TESTS(CASE(packets_are_read_and_come_back_the_same), CASE(what_the_standards_forbid_is_refused),
      CASE(every_cut_of_a_packet_is_refused), CASE(a_stream_is_split_by_lengths_and_ends_at_rubbish),
      CASE(longer_lengths_than_needed_are_an_error_of_5_0_alone), CASE(what_does_not_fit_is_not_written),
      CASE(wrong_wishes_are_told), CASE(topics_match_as_4_7_says), CASE(filters_are_those_of_4_7_1),
      CASE(properties_are_found_by_id))
