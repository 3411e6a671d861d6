/* Zigbee2MQTT: vectors of states, availability, the bridge; names and codes; questions.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/home/home.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "M05 a contact",
     .text = "zigbee2mqtt/B3-12F-door\n"
             "{\"contact\":false,\"battery\":97,\"voltage\":3005,\"linkquality\":102,\"tamper\":false}",
     .json = "\"what\":\"state\",\"name\":\"B3-12F-door\",\"topic\":\"zigbee2mqtt/B3-12F-door\"",
     .said = "open=1 battery=97 % battery_voltage=3005 mV linkquality=102 tamper=0 -tamper ",
     .device = "B3-12F-door"},
    {.name = "M06 smoke",
     .text = "zigbee2mqtt/B3-12F-smoke\n{\"smoke\":true,\"battery_low\":false,\"linkquality\":60}",
     .said = "smoke=1 low_battery=0 linkquality=60 !smoke -low_battery ",
     .device = "B3-12F-smoke"},
    {.name = "closed, dry, clear",
     .text = "zigbee2mqtt/x\n{\"contact\":true,\"water_leak\":false,\"gas\":true,\"carbon_monoxide\":true,"
             "\"occupancy\":true,\"vibration\":false}",
     .said = "open=0 water_leak=0 gas=1 carbon_monoxide=1 occupancy=1 vibration=0 -water_leak !gas !carbon_monoxide "},
    {.name = "climate",
     .text = "zigbee2mqtt/th\n{\"temperature\":21.5,\"humidity\":47.25,\"pressure\":1013.2,\"illuminance\":320,"
             "\"co2\":612,\"pm25\":7}",
     .said = "temperature=21.5 Cel humidity=47.25 % pressure=1013.2 hPa illuminance=320 lx co2=612 ppm pm25=7 ug/m3 "},
    {.name = "a plug",
     .text = "zigbee2mqtt/plug\n{\"state\":\"ON\",\"power\":52,\"voltage\":228,\"current\":0.26,\"energy\":3.18,"
             "\"produced_energy\":0.5,\"power_factor\":0.87,\"ac_frequency\":50}",
     .said = "state=1 power=52 W voltage=228 V current=0.26 A energy=3.18 kWh energy_reverse=0.5 kWh power_factor=0.87 "
             "frequency=50 Hz "},
    {.name = "a voltage just below a battery's", .text = "zigbee2mqtt/x\n{\"voltage\":999}", .said = "voltage=999 V "},
    {.name = "and at it", .text = "zigbee2mqtt/x\n{\"voltage\":1000}", .said = "battery_voltage=1000 mV "},
    {.name = "a lock, a cover, a switch of two",
     .text = "zigbee2mqtt/x\n{\"lock_state\":\"locked\",\"child_lock\":\"UNLOCK\",\"state\":\"CLOSE\","
             "\"state_l2\":\"OFF\",\"position\":40}",
     .said = "lock_state=1 child_lock=0 state=0 state_l2=0 position=40 % "},
    {.name = "words, nothing and what lies deeper are no readings",
     .text = "zigbee2mqtt/x\n{\"system_mode\":\"off\",\"action\":\"single\",\"state\":\"STOP\",\"battery\":null,"
             "\"color\":{\"x\":0.3,\"y\":0.3},\"update\":{\"state\":\"idle\"},\"own_key\":5}",
     .said = "own_key=5 "},
    {.name = "a button for help",
     .text = "zigbee2mqtt/x\n{\"action\":\"emergency\",\"battery\":80}",
     .said = "battery=80 % !sos "},
    {.name = "a name with slashes",
     .text = "zigbee2mqtt/B3/12F lamp\n{\"brightness\":254}",
     .json = "\"name\":\"B3/12F lamp\"",
     .said = "brightness=254 ",
     .device = "B3%2F12F%20lamp"},
    {.name = "available",
     .text = "zigbee2mqtt/a/b/availability\n{\"state\":\"online\"}",
     .json = "\"what\":\"availability\",\"name\":\"a/b\"",
     .said = "-offline ",
     .device = "a%2Fb"},
    {.name = "as of old", .text = "zigbee2mqtt/x/availability\noffline", .said = "!offline ", .device = "x"},
    {.name = "the bridge",
     .text = "zigbee2mqtt/bridge/state\n{\"state\":\"offline\"}",
     .said = "!offline ",
     .device = "zigbee2mqtt"},
    {.name = "what the bridge says besides",
     .text = "zigbee2mqtt/bridge/devices\n[]",
     .json = "\"what\":\"other\",\"item\":\"devices\""},
    {.name = "a command is no news",
     .text = "zigbee2mqtt/x/set\n{\"state\":\"ON\"}",
     .json = "\"what\":\"command\",\"name\":\"x\",\"item\":\"set\""},
    {.name = "of one attribute", .text = "zigbee2mqtt/a/b/get/state\n", .json = "\"name\":\"a/b\",\"item\":\"get\""},
    {.name = "a device called set", .text = "zigbee2mqtt/set\n{\"state\":\"ON\"}", .said = "state=1 ", .device = "set"},
    {.name = "taken back", .text = "zigbee2mqtt/x\n"},
    {.name = "no line feed", .text = "zigbee2mqtt/x", .rule = "topic: a line feed", .at = 13},
    {.name = "a body", .text = "{\"a\":1}", .rule = "topic: a line feed", .at = 7},
    {.name = "another base", .text = "zigbee/x\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "the base alone", .text = "zigbee2mqtt\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "a base that goes on", .text = "zigbee2mqtt2/x\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "a filter", .text = "zigbee2mqtt/#\n{}", .rule = "topic: it is empty, no UTF-8", .at = 0},
    {.name = "no object", .text = "zigbee2mqtt/x\n[1]", .rule = "payload: it is no JSON object", .at = 14},
    {.name = "half of one", .text = "zigbee2mqtt/x\n{\"battery\":9", .rule = "neither , nor }", .at = 26},
    {.name = "a word", .text = "zigbee2mqtt/x/availability\nmaybe", .rule = "payload: it is neither online", .at = 27},
    {.name = "twice",
     .text = "zigbee2mqtt/x\n{\"battery\":9,\"battery\":8}",
     .rule = "key: a value stands twice",
     .at = 14},
};

static void vectors_of_the_sheet_and_every_kind_of_topic(struct t *t) {
    vectors_check(t, &zigbee2mqtt_codec, rows, COUNT(rows));
}

static bool decoded(struct t *t, const char *text, struct decoded *ret, struct wire_error *e) {
    return zigbee2mqtt_codec.decode(vector_bytes_of(text), &t->arena, ret, e);
}

static void last_seen_is_the_time_of_the_readings(struct t *t) {
    static const struct {
        const char *text;
        int64_t at_ms;
    } all[] = {{"zigbee2mqtt/x\n{\"battery\":9,\"last_seen\":1795249800123}", INT64_C(1795249800123)},
               {"zigbee2mqtt/x\n{\"last_seen\":\"2026-11-21T08:30:00+08:00\",\"battery\":9}", INT64_C(1795221000000)},
               {"zigbee2mqtt/x\n{\"last_seen\":\"2026-11-21T00:30:00.000Z\",\"battery\":9}", INT64_C(1795221000000)},
               {"zigbee2mqtt/x\n{\"last_seen\":\"a while ago\",\"battery\":9}", 0},
               {"zigbee2mqtt/x\n{\"last_seen\":-5,\"battery\":9}", 0},
               {"zigbee2mqtt/x\n{\"last_seen\":1e300,\"battery\":9}", 0},
               {"zigbee2mqtt/x\n{\"last_seen\":null,\"battery\":9}", 0}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct decoded d;
        struct wire_error e;
        CHECK(t, decoded(t, all[i].text, &d, &e) && d.readings_n == 1);
        CHECK_SAY(t, d.readings[0].at_ms == all[i].at_ms, "%s: %lld", all[i].text, (long long)d.readings[0].at_ms);
    }
}

static void names_become_codes_and_come_back(struct t *t) {
    static const struct {
        const char *name, *code;
    } all[] = {{"plug", "plug"},         {"living/lamp", "living%2Flamp"}, {"a b:c+d#e%f", "a%20b%3Ac%2Bd%23e%25f"},
               {"客厅/灯", "客厅%2F灯"}, {"tab\there", "tab%09here"},      {"%2F", "%252F"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        char code[128], name[128];
        struct buf b, back;
        buf_init(&b, code, sizeof code);
        buf_init(&back, name, sizeof name);
        CHECK_SAY(t, home_code_put(&b, str_of(all[i].name)) && !strcmp(code, all[i].code), "%s: %s", all[i].name, code);
        CHECK(t, str_is_code(str_of(code)));
        home_name_put(&back, str_of(code));
        CHECK_SAY(t, !strcmp(name, all[i].name), "%s: %s", code, name);
    }
    for (int n = HOME_CODE_MAX - 1; n <= HOME_CODE_MAX + 1; n++) {
        char text[256];
        struct decoded d;
        struct wire_error e = {"", 0};
        struct buf b;
        buf_init(&b, text, sizeof text);
        buf_fmt(&b, "zigbee2mqtt/%.*s\n{}", n,
                "0123456789012345678901234567890123456789012345678901234567890123456789");
        bool ok = decoded(t, text, &d, &e);
        CHECK_SAY(t, ok == (n <= HOME_CODE_MAX), "%d: %s", n, e.rule);
    }
}

static void a_publish_has_so_many_values_and_no_more(struct t *t) {
    for (size_t n = HOME_READINGS_MAX - 1; n <= HOME_READINGS_MAX + 1; n++) {
        struct buf b;
        struct decoded d = {0};
        struct wire_error e;
        buf_init_arena(&b, &t->arena, 8192);
        buf_cstr(&b, "zigbee2mqtt/x\n");
        for (size_t i = 0; i < n; i++) buf_fmt(&b, "%c\"k%zu\":1", i ? ',' : '{', i);
        buf_char(&b, '}');
        bool ok = zigbee2mqtt_codec.decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &d, &e);
        CHECK_SAY(t, ok == (n <= HOME_READINGS_MAX) && (!ok || d.readings_n == n), "%zu", n);
    }
}

static void a_device_is_told_and_its_state_answers(struct t *t) {
    static const struct {
        const char *address, *item, *value, *asked, *heard;
        enum answer answer;
        size_t readings;
    } all[] = {
        {"a%2Fb", "state", "ON", "zigbee2mqtt/a/b/set\n{\"state\":\"ON\"}", "zigbee2mqtt/a/b\n{\"state\":\"ON\"}",
         ANSWER_WHOLE, 1},
        {"x", "state", "ON", "zigbee2mqtt/x/set\n{\"state\":\"ON\"}", "zigbee2mqtt/x\n{\"state\":\"OFF\"}",
         ANSWER_OTHER, 0},
        {"x", "state", "ON", "zigbee2mqtt/x/set\n{\"state\":\"ON\"}", "zigbee2mqtt/y\n{\"state\":\"ON\"}", ANSWER_OTHER,
         0},
        {"x", "state", "ON", "zigbee2mqtt/x/set\n{\"state\":\"ON\"}", "zigbee2mqtt/x/set\n{\"state\":\"ON\"}",
         ANSWER_OTHER, 0},
        {"x", "brightness", "40", "zigbee2mqtt/x/set\n{\"brightness\":40}",
         "zigbee2mqtt/x\n{\"state\":\"ON\",\"brightness\":40}", ANSWER_WHOLE, 2},
        {"x", "lock", "true", "zigbee2mqtt/x/set\n{\"lock\":true}", "zigbee2mqtt/x\n{\"lock\":true}", ANSWER_WHOLE, 1},
        {"x", "lock", "true", "zigbee2mqtt/x/set\n{\"lock\":true}", "zigbee2mqtt/x\n{\"lock\":", ANSWER_OTHER, 0},
        {"x", "name", "a\"b", "zigbee2mqtt/x/set\n{\"name\":\"a\\\"b\"}", "zigbee2mqtt/x\n{\"name\":\"a\\\"b\"}",
         ANSWER_WHOLE, 0},
        {"x", "power", NULL, "zigbee2mqtt/x/get\n{\"power\":\"\"}", "zigbee2mqtt/x\n{\"power\":7}", ANSWER_WHOLE, 1},
        {"x", "power", NULL, "zigbee2mqtt/x/get\n{\"power\":\"\"}", "zigbee2mqtt/x\n{\"energy\":7}", ANSWER_OTHER, 0},
        {"x", "", NULL, NULL, NULL, ANSWER_OTHER, 0},
        {"", "state", "ON", NULL, NULL, ANSWER_OTHER, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {
            .address = str_of(all[i].address), .item = str_of(all[i].item), .value = str_of(all[i].value)};
        struct buf out, data;
        struct decoded d;
        struct wire_error e = {"", 0};
        const char *why = NULL;
        buf_init_arena(&out, &t->arena, 1024);
        buf_init_arena(&data, &t->arena, 1024);
        bool ok = zigbee2mqtt_codec.asking->ask(&q, &out);
        CHECK_SAY(t, ok == (all[i].asked != NULL) && (!ok || !strcmp(out.ptr, all[i].asked)), "%s", out.ptr);
        if (!ok) continue;
        enum answer got = zigbee2mqtt_codec.asking->answers(&q, vector_bytes_of(all[i].heard), &data, &why);
        CHECK_SAY(t, got == all[i].answer, "%s: %d", all[i].heard, (int)got);
        if (got != ANSWER_WHOLE) continue;
        struct bytes whole = {(const uint8_t *)data.ptr, data.len};
        CHECK(t, zigbee2mqtt_codec.asking->read(&q, whole, &t->arena, &d, &e) && d.readings_n == all[i].readings);
        CHECK(t, !d.readings_n || str_eq(d.readings[0].device, q.address));
    }
}

TESTS(CASE(vectors_of_the_sheet_and_every_kind_of_topic), CASE(last_seen_is_the_time_of_the_readings),
      CASE(names_become_codes_and_come_back), CASE(a_publish_has_so_many_values_and_no_more),
      CASE(a_device_is_told_and_its_state_answers))
