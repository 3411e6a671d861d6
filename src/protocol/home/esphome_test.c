/* ESPHome: vectors of plain states, lights, status; questions.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "a sensor",
     .text = "boiler/sensor/flow_temperature/state\n41.5",
     .json = "\"what\":\"state\",\"name\":\"boiler\",\"item\":\"sensor/flow_temperature\",\"topic\":\"boiler/sensor/"
             "flow_temperature/state\",\"payload\":\"41.5\"",
     .said = "flow_temperature=41.5 ",
     .device = "boiler"},
    {.name = "one of the table", .text = "boiler/sensor/temperature/state\n41.5", .said = "temperature=41.5 Cel "},
    {.name = "no number yet", .text = "boiler/sensor/temperature/state\nnan"},
    {.name = "smoke", .text = "kitchen/binary_sensor/smoke/state\nON", .said = "smoke=1 !smoke ", .device = "kitchen"},
    {.name = "no smoke", .text = "kitchen/binary_sensor/smoke/state\nOFF", .said = "smoke=0 -smoke "},
    {.name = "a switch", .text = "boiler/switch/relay/state\nON", .said = "relay=1 "},
    {.name = "a lock", .text = "door/lock/front/state\nUNLOCKED", .said = "front=0 "},
    {.name = "a light",
     .text =
         "hall/light/ceiling/state\n{\"state\":\"ON\",\"brightness\":128,\"color_mode\":\"rgb\",\"color\":{\"r\":1}}",
     .said = "ceiling=1 ceiling_brightness=128 "},
    {.name = "what of a cover",
     .text = "hall/cover/blind/position/state\n40",
     .json = "\"item\":\"cover/blind/position\"",
     .said = "blind_position=40 "},
    {.name = "a text", .text = "hall/text_sensor/version/state\n2025.2"},
    {.name = "gone",
     .text = "hall/status\noffline",
     .json = "\"what\":\"availability\"",
     .said = "!offline ",
     .device = "hall"},
    {.name = "here", .text = "hall/status\nonline", .said = "-offline "},
    {.name = "a command", .text = "hall/switch/relay/command\nON", .json = "\"what\":\"command\""},
    {.name = "taken back", .text = "hall/status\n"},
    {.name = "Home Assistant's own", .text = "homeassistant/status\nonline", .rule = "topic: it is none", .at = 0},
    {.name = "no component", .text = "hall/thing/x/state\n1", .rule = "topic: it is none", .at = 0},
    {.name = "no object", .text = "hall/sensor/state\n1", .rule = "topic: it is none", .at = 0},
    {.name = "no node", .text = "/sensor/x/state\n1", .rule = "topic: it is none", .at = 0},
    {.name = "neither", .text = "hall/sensor/x/config\n1", .rule = "topic: it is none", .at = 0},
    {.name = "its log", .text = "hall/debug\nhello", .rule = "topic: it is none", .at = 0},
    {.name = "a status of words", .text = "hall/status\nfine", .rule = "payload: it is neither", .at = 12},
    {.name = "half a light", .text = "hall/light/c/state\n{\"state\":", .rule = "a value is no number", .at = 28},
};

static void every_kind_of_state(struct t *t) {
    vectors_check(t, &esphome_codec, rows, COUNT(rows));
}

static void a_node_is_told_and_its_state_answers(struct t *t) {
    static const struct {
        const char *address, *item, *value, *asked, *heard;
        enum answer answer;
    } all[] = {
        {"hall", "switch/relay", "ON", "hall/switch/relay/command\nON", "hall/switch/relay/state\nON", ANSWER_WHOLE},
        {"hall", "switch/relay", "ON", "hall/switch/relay/command\nON", "hall/switch/relay/state\nOFF", ANSWER_OTHER},
        {"hall", "switch/relay", "ON", "hall/switch/relay/command\nON", "hall/switch/other/state\nON", ANSWER_OTHER},
        {"hall", "switch/relay", "ON", "hall/switch/relay/command\nON", "cellar/switch/relay/state\nON", ANSWER_OTHER},
        {"hall", "switch/relay", "ON", "hall/switch/relay/command\nON", "hall/status\nonline", ANSWER_OTHER},
        {"hall", "light/c", "{\"state\":\"ON\"}", "hall/light/c/command\n{\"state\":\"ON\"}",
         "hall/light/c/state\n{\"state\":\"ON\",\"brightness\":9}", ANSWER_WHOLE},
        {"hall", "switch/relay", NULL, NULL, NULL, ANSWER_OTHER},
        {"hall", "relay", "ON", NULL, NULL, ANSWER_OTHER},
        {"hall", "thing/relay", "ON", NULL, NULL, ANSWER_OTHER},
        {"hall", "switch/re\nlay", "ON", NULL, NULL, ANSWER_OTHER},
        {"", "switch/relay", "ON", NULL, NULL, ANSWER_OTHER},
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
        bool ok = esphome_codec.asking->ask(&q, &out);
        CHECK_SAY(t, ok == (all[i].asked != NULL) && (!ok || !strcmp(out.ptr, all[i].asked)), "%s", out.ptr);
        if (!ok) continue;
        enum answer got = esphome_codec.asking->answers(&q, vector_bytes_of(all[i].heard), &data, &why);
        CHECK_SAY(t, got == all[i].answer, "%s: %d", all[i].heard, (int)got);
        if (got != ANSWER_WHOLE) continue;
        struct bytes whole = {(const uint8_t *)data.ptr, data.len};
        CHECK(t, esphome_codec.asking->read(&q, whole, &t->arena, &d, &e) && d.readings_n);
        CHECK(t, d.readings[0].value == 1 && str_eq(d.readings[0].device, q.address));
    }
}

TESTS(CASE(every_kind_of_state), CASE(a_node_is_told_and_its_state_answers))
