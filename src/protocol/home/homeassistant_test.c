/* Home Assistant's discovery: configs as vectors, what they teach, templates, and conventions side by side.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define M08                                                                                                       \
    "homeassistant/sensor/estate_b3_12f_th/t/config\n{\"name\":\"Temperature\",\"unique_id\":"                    \
    "\"estate_b3_12f_th_t\",\"device_class\":\"temperature\",\"state_class\":\"measurement\","                    \
    "\"unit_of_measurement\":\"°C\",\"state_topic\":\"estate/b3/12f/th\",\"value_template\":"                    \
    "\"{{ value_json.t }}\",\"availability_topic\":\"estate/b3/12f/th/status\",\"payload_available\":\"online\"," \
    "\"payload_not_available\":\"offline\",\"device\":{\"identifiers\":[\"estate_b3_12f_th\"],\"name\":"          \
    "\"TH B3-12F\",\"manufacturer\":\"Estate\",\"model\":\"TH1\"},\"origin\":{\"name\":\"estate-gw\",\"sw\":"     \
    "\"1.0\"}}"
#define DEVICE_FORM                                                                                                 \
    "homeassistant/device/gw1/config\n{\"dev\":{\"ids\":\"gw1\",\"name\":\"Hall\"},\"o\":{\"name\":\"me\"},\"~\":"  \
    "\"hall/gw1\",\"avty_t\":\"~/alive\",\"pl_avail\":\"1\",\"pl_not_avail\":\"0\",\"stat_t\":\"~/all\",\"cmps\":{" \
    "\"t\":{\"p\":\"sensor\",\"name\":\"Hall Air temperature\",\"unit_of_meas\":\"°F\",\"val_tpl\":"               \
    "\"{{value_json.t|float|round(1)}}\"},\"s\":{\"p\":\"binary_sensor\",\"dev_cla\":\"smoke\",\"stat_t\":"         \
    "\"~/smoke\",\"pl_on\":\"1\",\"pl_off\":\"0\"},\"w\":{\"p\":\"binary_sensor\",\"dev_cla\":\"moisture\","        \
    "\"name\":\"Under the sink\",\"val_tpl\":\"{{ value_json.wet }}\",\"pl_on\":true,\"pl_off\":false},\"b\":{"     \
    "\"p\":\"button\",\"cmd_t\":\"~/press\"},\"l\":{\"p\":\"sensor\",\"name\":null,\"dev_cla\":\"illuminance\","    \
    "\"val_tpl\":\"{{ value_json['l'][1] | int }}\",\"unit_of_meas\":\"lx\"}}}"

static const struct vector rows[] = {
    {.name = "M08 a sensor",
     .text = M08,
     .json = "\"what\":\"config\",\"name\":\"t\",\"item\":\"sensor\",\"topic\":\"homeassistant/sensor/estate_b3_12f_th/"
             "t/config\",\"payload\":\"{"},
    {.name = "a device", .text = DEVICE_FORM, .json = "\"name\":\"gw1\",\"item\":\"device\""},
    {.name = "without a node", .text = "homeassistant/switch/relay/config\n{\"stat_t\":\"x\"}"},
    {.name = "taken back", .text = "homeassistant/sensor/estate_b3_12f_th/t/config\n"},
    {.name = "its birth", .text = "homeassistant/status\nonline", .json = "\"what\":\"other\""},
    {.name = "a state", .text = "estate/b3/12f/th\n{\"t\":21.5}", .rule = "topic: it is none", .at = 0},
    {.name = "no object", .text = "homeassistant/sensor/config\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "no JSON", .text = "homeassistant/sensor/x/config\nx", .rule = "payload: it is no JSON object", .at = 30},
    {.name = "a device without identifiers",
     .text = "homeassistant/device/x/config\n{\"o\":{\"name\":\"me\"}}",
     .rule = "device: identifiers are missing",
     .at = 30},
    {.name = "without an origin",
     .text = "homeassistant/device/x/config\n{\"dev\":{\"ids\":[\"x\"]}}",
     .rule = "origin: its name is missing",
     .at = 30},
    {.name = "a topic that grows too long",
     .text = "homeassistant/sensor/x/config\n{\"~\":\"0123456789012345678901234567890123456789012345678901234567890123"
             "4567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
             "7890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
             "012345678901234567890123456789012345678901234567890123456789\",\"stat_t\":\"~/x/~\"}",
     .rule = "~: a topic with it is too long",
     .at = 30},
};

static void vectors_of_configs(struct t *t) {
    vectors_check(t, &homeassistant_codec, rows, COUNT(rows));
    struct decoded d;
    struct wire_error e;
    CHECK(t, homeassistant_codec.decode(vector_bytes_of(M08), &t->arena, &d, &e));
    CHECK(t, str_is(d.sender, "estate_b3_12f_th") && !d.readings_n && !d.events_n);
}

/* ---- what is learnt ---- */

struct home {
    struct t *t;
    struct home_speaks speaks;
    struct home_points points;
    struct home_point all[16];
};

static void start(struct home *h, struct t *t, const char *speaks) {
    *h = (struct home){.t = t};
    h->points = (struct home_points){.all = h->all, .cap = COUNT(h->all)};
    CHECK(t, !home_speaks_read(str_of(speaks), &h->speaks));
}

/* "device.metric=value unit" and events "!device.code/part"; "other", "bad: rule". */
static const char *say(struct home *h, const char *text) {
    struct bytes whole = vector_bytes_of(text), payload;
    struct str rest = {text, whole.len}, topic;
    struct decoded d;
    struct wire_error e = {"", 0};
    struct buf b;
    buf_init_arena(&b, &h->t->arena, 65536);
    buf_cstr(&b, "");
    (void)str_cut(&rest, '\n', &topic);
    payload = (struct bytes){(const uint8_t *)rest.ptr, rest.len};
    switch (home_take(&h->speaks, &h->points, topic, payload, &h->t->arena, &d, &e)) {
    case HOME_OTHER: return "other";
    case HOME_BAD:
        CHECK(h->t, e.at <= payload.len);
        buf_fmt(&b, "bad: %s", e.rule);
        return b.ptr;
    case HOME_TAKEN: break;
    }
    for (size_t i = 0; i < d.readings_n; i++)
        buf_fmt(&b, STR_FMT "." STR_FMT "=%.10g%s" STR_FMT " ", STR_ARG(d.readings[i].device),
                STR_ARG(d.readings[i].metric), d.readings[i].value, d.readings[i].unit.len ? " " : "",
                STR_ARG(d.readings[i].unit));
    for (size_t i = 0; i < d.events_n; i++)
        buf_fmt(&b, "%c" STR_FMT "." STR_FMT "%s" STR_FMT " ", d.events[i].is_set ? '!' : '-',
                STR_ARG(d.events[i].device), STR_ARG(d.events[i].code), d.events[i].part.len ? "/" : "",
                STR_ARG(d.events[i].part));
    return b.ptr ? b.ptr : "";
}

struct step {
    const char *text, *said;
};
static void goes(struct t *t, const char *speaks, const struct step *steps, size_t n) {
    struct home h;
    start(&h, t, speaks);
    for (size_t i = 0; i < n; i++) {
        const char *said = say(&h, steps[i].text);
        CHECK_SAY(t, !strcmp(said, steps[i].said), "%s: %s", steps[i].text, said);
    }
}

static void a_config_makes_its_topics_known_until_it_is_taken_back(struct t *t) {
    static const struct step steps[] = {
        {"estate/b3/12f/th\n{\"t\":21.5}", "other"},
        {M08, ""},
        {"estate/b3/12f/th\n{\"t\":21.5,\"h\":40}", "estate_b3_12f_th.temperature=21.5 Cel "},
        {"estate/b3/12f/th\n{\"t\":\"21.25\"}", "estate_b3_12f_th.temperature=21.25 Cel "},
        {"estate/b3/12f/th\n{\"t\":\"unavailable\"}", ""},
        {"estate/b3/12f/th\n{\"t\":null}", ""},
        {"estate/b3/12f/th\n{\"t\":{\"t\":1}}", ""},
        {"estate/b3/12f/th\n21.5", "bad: payload: it is no JSON object"},
        {"estate/b3/12f/th\n", ""},
        {"estate/b3/12f/th/status\noffline", "!estate_b3_12f_th.offline "},
        {"estate/b3/12f/th/status\nonline", "-estate_b3_12f_th.offline "},
        {"estate/b3/12f/th/status\nperhaps", "bad: payload: it is neither online nor offline"},
        {M08, ""}, /* said again it is one */
        {"estate/b3/12f/th\n{\"t\":3}", "estate_b3_12f_th.temperature=3 Cel "},
        {"homeassistant/sensor/estate_b3_12f_th/t/config\n", ""},
        {"estate/b3/12f/th\n{\"t\":21.5}", "other"},
        {"estate/b3/12f/th/status\nonline", "other"},
    };
    goes(t, "homeassistant", steps, COUNT(steps));
}

static void a_device_is_described_at_once(struct t *t) {
    static const struct step steps[] = {
        {DEVICE_FORM, ""},
        {"hall/gw1/all\n{\"t\":70.26,\"wet\":true,\"l\":[1,320.7]}",
         "gw1.air_temperature=70.3 [degF] gw1.under_the_sink=1 gw1.illuminance=320 lx !gw1.water_leak/w "},
        {"hall/gw1/all\n{\"wet\":false}", "gw1.under_the_sink=0 -gw1.water_leak/w "},
        {"hall/gw1/smoke\n1", "gw1.smoke=1 !gw1.smoke/s "},
        {"hall/gw1/smoke\nON", ""}, /* neither of its words */
        {"hall/gw1/alive\n0", "!gw1.offline "},
        {"hall/gw1/alive\n1", "-gw1.offline "},
        {"homeassistant/device/gw1/config\n{\"dev\":{\"ids\":\"gw1\"},\"o\":{\"name\":\"me\"},\"components\":{\"s\":{"
         "\"p\":\"binary_sensor\",\"stat_t\":\"hall/gw1/smoke\"}}}",
         ""}, /* another config: what it no longer names is gone */
        {"hall/gw1/all\n{\"t\":70}", "other"},
        {"hall/gw1/smoke\nON", "gw1.s=1 "},
        {"homeassistant/device/gw1/config\n", ""},
        {"hall/gw1/smoke\nON", "other"},
    };
    goes(t, "homeassistant", steps, COUNT(steps));
}

static void entities_are_named_and_valued_by_what_is_told_of_them(struct t *t) {
    static const struct step rows_of[] = {
        {"{\"stat_t\":\"s\",\"dev_cla\":\"door\"}", "x.open=1 "},
        {"{\"stat_t\":\"s\",\"dev_cla\":\"door\",\"name\":\"Door\"}", "x.open=1 "},
        {"{\"stat_t\":\"s\",\"dev_cla\":\"door\",\"name\":\"Front door\"}", "x.front_door=1 "},
        {"{\"stat_t\":\"s\",\"dev_cla\":\"motion\"}", "x.occupancy=1 "},
        {"{\"stat_t\":\"s\",\"dev_cla\":\"gas\"}", "x.gas=1 !x.gas/x "},
        {"{\"stat_t\":\"s\",\"dev_cla\":\"battery\"}", "x.low_battery=1 !x.low_battery/x "},
        {"{\"stat_t\":\"s\"}", "x.x=1 "},
        {"{\"stat_t\":\"s\",\"name\":\"灯\"}", "x.灯=1 "},
        {"{\"stat_t\":\"s\",\"pl_on\":\"yes\"}", ""},
        {"{\"stat_t\":\"s\",\"stat_on\":\"ON\",\"pl_on\":\"yes\"}", "x.x=1 "},
        {"{\"stat_t\":\"s\",\"val_tpl\":\"{{ value }}\"}", "x.x=1 "},
        {"{\"stat_t\":\"s\",\"val_tpl\":\"{{ value | upper }}\"}", "x.x=1 "}, /* none of the simple ones */
        {"{\"name\":\"no state\"}", "other"},
        {"{\"stat_t\":\"s\",\"dev\":{\"ids\":[\"a/b\",\"c\"]}}", "a%2Fb.x=1 "},
        {"{\"stat_t\":\"s\",\"device\":{\"name\":\"the hall\"}}", "the%20hall.x=1 "},
        {"{\"~\":\"s\",\"stat_t\":\"~\",\"availability\":[{\"topic\":\"a\",\"payload_available\":\"up\"},{\"t\":\"b\"}]"
         "}",
         "x.x=1 "},
        {"{\"stat_t\":\"s\",\"availability\":{\"topic\":\"s\"}}", "bad: payload: it is neither online nor offline"},
    };
    for (size_t i = 0; i < COUNT(rows_of); i++) {
        struct home h;
        struct buf b;
        start(&h, t, "homeassistant");
        buf_init_arena(&b, &t->arena, 1024);
        buf_fmt(&b, "homeassistant/binary_sensor/x/config\n%s", rows_of[i].text);
        CHECK_SAY(t, !strcmp(say(&h, b.ptr), ""), "%s", rows_of[i].text);
        const char *said = say(&h, "s\nON");
        CHECK_SAY(t, !strcmp(said, rows_of[i].said), "%s: %s", rows_of[i].text, said);
    }
}

static void simple_templates_are_evaluated_and_others_are_not(struct t *t) {
    static const struct {
        const char *template, *said;
    } all[] = {
        {"{{ value_json.a }}", "x.x=21.567 "},
        {"{{value_json.a|round}}", "x.x=22 "},
        {"{{ value_json.a | round(2) }}", "x.x=21.57 "},
        {"{{ value_json.a | int }}", "x.x=21 "},
        {"{{ value_json.a | float(0) | round(1) }}", "x.x=21.6 "},
        {"{{ value_json.b.c }}", "x.x=-3 "},
        {"{{ value_json['b']['c'] }}", "x.x=-3 "},
        {"{{ value_json.b[\\\"c\\\"] | int(0) }}", "x.x=-3 "},
        {"{{ value_json.d[1] }}", "x.x=5 "},
        {"{{ value_json.d[1].e }}", ""},
        {"{{ value_json.d[2].e }}", "x.x=7 "},
        {"{{ value_json.f }}", "x.x=1 "}, /* true */
        {"{{ value_json.g | float }}", "x.x=8.5 "},
        {"{{ value_json.aa }}", ""},
        {"{{ value_json.b }}", ""},
        {"{{ value_json }}", ""}, /* from here on the payload as it is, which is no number */
        {"{{ value_json.a | round(10) }}", ""},
        {"{{ value_json.a | round(x) }}", ""},
        {"{{ value_json.a | default(1) }}", ""},
        {"{{ value_json.a * 2 }}", ""},
        {"{{ value_json.a }} W", ""},
        {"{{ value_json['a.b'] }}", ""},
        {"{{ value_json['a }}", ""},
        {"{{ value_json[-1] }}", ""},
        {"{{ value_json. }}", ""},
        {"{{ value_json.a | int | int | int | int | int }}", ""},
        {"{% if true %}1{% endif %}", ""},
        {"{{ states('x') }}", ""},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home h;
        struct buf b;
        start(&h, t, "homeassistant");
        buf_init_arena(&b, &t->arena, 1024);
        buf_fmt(&b, "homeassistant/sensor/x/config\n{\"stat_t\":\"s\",\"val_tpl\":\"%s\"}", all[i].template);
        CHECK_SAY(t, !strcmp(say(&h, b.ptr), ""), "%s", all[i].template);
        const char *said =
            say(&h, "s\n{\"a\":21.567,\"b\":{\"c\":-3},\"d\":[4,5,{\"e\":7}],\"f\":true,\"g\":\"8.5\",\"h\":\"x\"}");
        CHECK_SAY(t, !strcmp(said, all[i].said), "%s: %s", all[i].template, said);
    }
}

static void units_are_those_of_ucum(struct t *t) {
    static const struct {
        const char *told, *said;
    } all[] = {{"°C", "x.x=1 Cel "},
               {"µg/m³", "x.x=1 ug/m3 "},
               {"kWh", "x.x=1 kWh "},
               {"dBm", "x.x=1 dB[mW] "},
               {"", "x.x=1 "},
               {"a b", "x.x=1 "},
               {"mol", "x.x=1 mol "},
               {"über", "x.x=1 "},
               {"0123456789012345678901234", "x.x=1 "}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home h;
        struct buf b;
        start(&h, t, "homeassistant");
        buf_init_arena(&b, &t->arena, 1024);
        buf_fmt(&b, "homeassistant/sensor/x/config\n{\"stat_t\":\"s\",\"unit_of_meas\":\"%s\"}", all[i].told);
        (void)say(&h, b.ptr);
        CHECK_SAY(t, !strcmp(say(&h, "s\n1"), all[i].said), "%s: %s", all[i].told, say(&h, "s\n1"));
    }
}

static void memory_is_bounded(struct t *t) {
    struct home h;
    char text[1024];
    start(&h, t, "homeassistant");
    for (size_t i = 0; i <= COUNT(h.all); i++) {
        struct buf b;
        buf_init(&b, text, sizeof text);
        buf_fmt(&b, "homeassistant/sensor/x%zu/config\n{\"stat_t\":\"s%zu\"}", i, i);
        const char *said = say(&h, text), *want = i < COUNT(h.all) ? "" : "bad: config: more entities than are kept";
        CHECK_SAY(t, !strcmp(said, want), "%zu: %s", i, said);
    }
    CHECK(t, !strcmp(say(&h, "s16\n1"), "other") && !strcmp(say(&h, "s15\n1"), "x15.x15=1 "));
    CHECK(t, !strcmp(say(&h, "homeassistant/sensor/x0/config\n"), "") && !strcmp(say(&h, text), ""));
    CHECK(t, !strcmp(say(&h, "s16\n1"), "x16.x16=1 "));
    struct buf b;
    buf_init(&b, text, sizeof text);
    buf_fmt(&b, "homeassistant/sensor/x0/config\n{\"stat_t\":\"%0520d\"}", 1);
    start(&h, t, "homeassistant");
    CHECK(t, !strcmp(say(&h, text), "bad: config: its texts are too long"));
}

/* ---- side by side ---- */

static void what_others_tell_by_themselves_is_left_to_them(struct t *t) {
    static const struct step steps[] = {
        {"zigbee2mqtt/th\n{\"temperature\":21.5}", "th.temperature=21.5 Cel "},
        {"tele/plug/LWT\nOnline", "-plug.offline "},
        {"hall/sensor/x/state\n1", "hall.x=1 "},
        {"homeassistant/sensor/0x01/t/config\n{\"stat_t\":\"zigbee2mqtt/th\",\"val_tpl\":\"{{ value_json.temperature "
         "}}\",\"dev\":{\"ids\":\"0x01\"},\"avty_t\":\"zigbee2mqtt/th/availability\"}",
         ""},
        {"zigbee2mqtt/th\n{\"temperature\":21.5}", "th.temperature=21.5 Cel "},
        {"homeassistant/sensor/y/config\n{\"stat_t\":\"hall/sensor/x/state\",\"avty_t\":\"hall/status\"}", ""},
        {"hall/sensor/x/state\n1", "hall.x=1 "},
        {"hall/status\nonline", "-hall.offline "},
        {"homeassistant/sensor/z/config\n{\"stat_t\":\"cellar/z\",\"avty_t\":\"cellar/status\"}", ""},
        {"cellar/status\nonline", "-z.offline "}, /* it is not ESPHome's then */
        {"homeassistant/status\nonline", ""},
        {"zigbee2mqtt/bridge/devices\n[]", ""},
        {"zigbee2mqtt/x/set\n{}", ""},
        {"tele/plug/SENSOR\n5", "bad: payload: it is no JSON object"},
        {"linli/a/b/telemetry\n{\"a\":1}", "other"},
    };
    goes(t, "zigbee2mqtt tasmota esphome homeassistant", steps, COUNT(steps));
}

static void who_speaks_one_convention_speaks_no_other_and_under_its_base_alone(struct t *t) {
    static const struct {
        const char *speaks, *text, *said;
    } all[] = {
        {"tasmota", "zigbee2mqtt/th\n{}", "other"},
        {"", "tele/x/LWT\nOnline", "other"},
        {"zigbee2mqtt=home/z2m", "home/z2m/th\n{\"battery\":5}", "th.battery=5 % "},
        {"zigbee2mqtt=home/z2m", "home/z2m/bridge/state\nonline", "-home%2Fz2m.offline "},
        {"zigbee2mqtt=home/z2m", "zigbee2mqtt/th\n{\"battery\":5}", "other"},
        {"tasmota=plug", "tele/plug/LWT\nOnline", "-plug.offline "},
        {"tasmota=plug", "tele/plug2/LWT\nOnline", "other"},
        {"tasmota=plug", "tasmota/discovery/00/config\n{}", "other"},
        {"esphome=hall", "hall/status\nonline", "-hall.offline "},
        {"esphome=hall", "cellar/status\nonline", "other"},
        {"homeassistant=ha", "ha/status\nonline", ""},
        {"homeassistant=ha", "homeassistant/status\nonline", "other"},
        {"homeassistant", "hall/sensor/x/state\n1", "other"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home h;
        start(&h, t, all[i].speaks);
        const char *said = say(&h, all[i].text);
        CHECK_SAY(t, !strcmp(said, all[i].said), "%s, %s: %s", all[i].speaks, all[i].text, said);
    }
    struct home h;
    struct decoded d;
    struct wire_error e;
    start(&h, t, "homeassistant");
    struct str config = S("homeassistant/sensor/x/config");
    CHECK(t, home_take(&h.speaks, NULL, config, (struct bytes){NULL, 0}, &t->arena, &d, &e) == HOME_OTHER);
}

static void words_of_what_is_spoken_are_checked(struct t *t) {
    static const struct {
        const char *words, *wrong;
    } all[] = {{"", NULL},
               {"zigbee2mqtt tasmota=a/b  esphome", NULL},
               {"zwave", "no_convention"},
               {"tasmota tasmota", "twice"},
               {"zigbee2mqtt=", "bad_topic"},
               {"zigbee2mqtt=#", "bad_topic"},
               {"zigbee2mqtt=a/+", "bad_topic"},
               {"zigbee2mqtt=/a", "bad_topic"},
               {"zigbee2mqtt=a/", "bad_topic"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home_speaks s;
        const char *wrong = home_speaks_read(str_of(all[i].words), &s);
        CHECK_SAY(t, all[i].wrong ? wrong && !strcmp(wrong, all[i].wrong) : !wrong, "%s: %s", all[i].words, wrong);
    }
}

static void who_may_speak_may_hear_what_it_is_told(struct t *t) {
    static const struct {
        const char *speaks, *filter;
        bool may;
    } all[] = {
        {"zigbee2mqtt", "zigbee2mqtt/#", true},
        {"zigbee2mqtt", "zigbee2mqtt/+/set", true},
        {"zigbee2mqtt", "#", false},
        {"zigbee2mqtt", "+/#", false},
        {"zigbee2mqtt", "homeassistant/status", false},
        {"zigbee2mqtt homeassistant", "homeassistant/status", true},
        {"tasmota=plug", "cmnd/plug/#", true},
        {"tasmota=plug", "cmnd/tasmotas/#", true},
        {"tasmota=plug", "tele/plug/#", false},
        {"esphome=hall", "hall/switch/relay/command", true},
        {"esphome=hall", "cellar/switch/relay/command", false},
        {"esphome=hall", "esphome/discover", true},
        {"esphome", "cellar/switch/relay/command", true},
        {"esphome", "linli/a/b/command", false},
        {"", "zigbee2mqtt/#", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home_speaks s;
        CHECK(t, !home_speaks_read(str_of(all[i].speaks), &s));
        CHECK_SAY(t, home_may_hear(&s, str_of(all[i].filter)) == all[i].may, "%s, %s", all[i].speaks, all[i].filter);
    }
}

TESTS(CASE(vectors_of_configs), CASE(a_config_makes_its_topics_known_until_it_is_taken_back),
      CASE(a_device_is_described_at_once), CASE(entities_are_named_and_valued_by_what_is_told_of_them),
      CASE(simple_templates_are_evaluated_and_others_are_not), CASE(units_are_those_of_ucum), CASE(memory_is_bounded),
      CASE(what_others_tell_by_themselves_is_left_to_them),
      CASE(who_speaks_one_convention_speaks_no_other_and_under_its_base_alone),
      CASE(words_of_what_is_spoken_are_checked), CASE(who_may_speak_may_hear_what_it_is_told))
