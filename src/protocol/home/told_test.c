/* What devices of homes are told: where, in which words, and which state says that it is done.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define CONFIG(component, rest)                                                                             \
    "homeassistant/" component "/x/config\n{\"cmd_t\":\"estate/x/set\",\"dev\":{\"ids\":\"box\"},\"name\":" \
    "\"Relay\"" rest "}"

/* ---- conventions with topics of their own ---- */

static void a_topic_under_which_a_device_spoke_says_where_it_is_told(struct t *t) {
    static const struct {
        const char *speaks, *topic, *item, *asked, *heard; /* asked NULL: it is of none of them */
        bool tells;
    } all[] = {
        {"zigbee2mqtt", "zigbee2mqtt/box", "state", "zigbee2mqtt/box/set\n{\"state\":\"ON\"}",
         "zigbee2mqtt/box\n{\"state\":\"ON\"}", true},
        {"zigbee2mqtt=home/z2m", "home/z2m/box/availability", "state", "home/z2m/box/set\n{\"state\":\"ON\"}",
         "home/z2m/box\n{\"state\":\"on\"}", true},
        {"zigbee2mqtt", "zigbee2mqtt/box", "warning", "zigbee2mqtt/box/set\n{\"warning\":\"ON\"}", NULL, false},
        {"zigbee2mqtt", "tele/box/LWT", "state", NULL, NULL, false},
        {"tasmota", "tele/box/LWT", "state", "cmnd/box/Power\nON", "stat/box/RESULT\n{\"POWER\":\"ON\"}", true},
        {"tasmota", "tele/box/LWT", "state_2", "cmnd/box/Power2\nON", "stat/box/RESULT\n{\"POWER2\":\"ON\"}", true},
        {"tasmota", "box/tele/LWT", "Power", "box/cmnd/Power\nON", "box/stat/RESULT\n{\"POWER1\":\"ON\"}", true},
        {"tasmota", "tele/box/LWT", "Backlog", "cmnd/box/Backlog\nON", NULL, false},
        {"tasmota=other", "tele/box/LWT", "state", NULL, NULL, false},
        {"esphome", "box/status", "switch/relay", "box/switch/relay/command\nON", "box/switch/relay/state\nON", true},
        {"esphome", "box/status", "button/restart", "box/button/restart/command\nON", NULL, false},
        {"homeassistant", "homeassistant/switch/x/config", "state", NULL, NULL, false},
        {"sparkplug", "spBv1.0/g/NDATA/box", "state", NULL, NULL, false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home_speaks s;
        struct question q = {.address = S("box"), .item = str_of(all[i].item), .value = S("ON")};
        struct buf out, data;
        const char *why = NULL;
        CHECK(t, !home_speaks_read(str_of(all[i].speaks), &s));
        const struct codec *c = home_codec_of(&s, str_of(all[i].topic), &q.key);
        CHECK_SAY(t, (c != NULL) == (all[i].asked != NULL), "%s", all[i].topic);
        if (!c || !all[i].asked) continue;
        buf_init_arena(&out, &t->arena, 512);
        buf_init_arena(&data, &t->arena, 512);
        bool ok = c->asking->ask(&q, &out), tells = !c->asking->tells || c->asking->tells(&q);
        CHECK_SAY(t, ok && !strcmp(out.ptr, all[i].asked) && tells == all[i].tells, "%s", out.ptr);
        if (!all[i].heard) continue;
        enum answer got = c->asking->answers(&q, vector_bytes_of(all[i].heard), &data, &why);
        CHECK_SAY(t, got == ANSWER_WHOLE, "%s", all[i].heard);
    }
}

static void a_state_answers_when_it_has_the_value(struct t *t) {
    static const struct {
        const struct codec *codec;
        const char *item, *value, *heard;
        enum answer answer;
    } all[] = {
        {&tasmota_codec, "Power", "1", "stat/box/RESULT\n{\"POWER\":\"ON\"}", ANSWER_WHOLE},
        {&tasmota_codec, "Power", "ON", "stat/box/RESULT\n{\"POWER\":\"OFF\"}", ANSWER_OTHER},
        {&tasmota_codec, "Power", "TOGGLE", "stat/box/RESULT\n{\"POWER\":\"OFF\"}", ANSWER_WHOLE},
        {&tasmota_codec, "Power", "2", "stat/box/RESULT\n{\"POWER\":\"OFF\"}", ANSWER_WHOLE},
        {&tasmota_codec, "brightness", "40", "stat/box/RESULT\n{\"POWER\":\"ON\",\"Dimmer\":40}", ANSWER_WHOLE},
        {&tasmota_codec, "brightness", "40", "stat/box/RESULT\n{\"POWER\":\"ON\",\"Dimmer\":41}", ANSWER_OTHER},
        {&tasmota_codec, "TelePeriod", "5", "stat/box/RESULT\n{\"TelePeriod\":10}", ANSWER_WHOLE},
        {&zigbee2mqtt_codec, "state", "TOGGLE", "zigbee2mqtt/box\n{\"state\":\"OFF\"}", ANSWER_WHOLE},
        {&zigbee2mqtt_codec, "state", "off", "zigbee2mqtt/box\n{\"state\":\"OFF\"}", ANSWER_WHOLE},
        {&zigbee2mqtt_codec, "position", "50", "zigbee2mqtt/box\n{\"position\":49}", ANSWER_OTHER},
        {&esphome_codec, "number/level", "5", "box/number/level/state\n5.00", ANSWER_WHOLE},
        {&esphome_codec, "switch/relay", "TOGGLE", "box/switch/relay/state\nOFF", ANSWER_WHOLE},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = S("box"), .item = str_of(all[i].item), .value = str_of(all[i].value)};
        struct buf data;
        const char *why = NULL;
        buf_init_arena(&data, &t->arena, 512);
        enum answer got = all[i].codec->asking->answers(&q, vector_bytes_of(all[i].heard), &data, &why);
        CHECK_SAY(t, got == all[i].answer, "%s to %s: %d", all[i].heard, all[i].value, (int)got);
    }
}

/* ---- what discovery describes ---- */

static void learn(struct t *t, struct home_points *p, const struct home_speaks *s, const char *text) {
    struct bytes whole = vector_bytes_of(text);
    const char *end = strchr(text, '\n');
    struct str topic = {text, (size_t)(end - text)};
    struct decoded d;
    struct wire_error e;
    CHECK_SAY(t,
              home_take(s, p, topic, (struct bytes){whole.ptr + topic.len + 1, whole.len - topic.len - 1}, &t->arena,
                        &d, &e) == HOME_TAKEN,
              "%s", text);
}

static void an_entity_is_told_in_its_own_words(struct t *t) {
    static const struct {
        const char *config, *item, *value, *asked; /* asked NULL: it is not to be said */
        bool tells;
    } all[] = {
        {CONFIG("switch", ",\"stat_t\":\"s\""), "relay", "on", "estate/x/set\nON", true},
        {CONFIG("switch", ",\"stat_t\":\"s\""), "x", "OFF", "estate/x/set\nOFF", true},
        {CONFIG("switch", ",\"pl_on\":\"1\",\"pl_off\":\"0\""), "relay", "OFF", "estate/x/set\n0", false},
        {CONFIG("switch", ",\"stat_t\":\"s\",\"~\":\"a/b\",\"cmd_t\":\"~/do\""), "relay", "on", "a/b/do\nON", true},
        {CONFIG("switch", ""), "relay", "toggle", NULL, false},
        {CONFIG("siren", ""), "relay", "on", "estate/x/set\nON", false},
        {CONFIG("lock", ",\"stat_t\":\"s\""), "relay", "unlock", "estate/x/set\nUNLOCK", true},
        {CONFIG("lock", ",\"stat_t\":\"s\""), "relay", "open", NULL, false}, /* that would be another bolt */
        {CONFIG("valve", ",\"stat_t\":\"s\",\"pl_cls\":\"shut\""), "relay", "close", "estate/x/set\nshut", true},
        {CONFIG("cover", ",\"stat_t\":\"s\""), "relay", "STOP", "estate/x/set\nSTOP", false},
        {CONFIG("button", ""), "relay", "press", "estate/x/set\nPRESS", false},
        {CONFIG("number", ",\"stat_t\":\"s\",\"cmd_tpl\":\"{{ value }}\""), "relay", "7", "estate/x/set\n7", true},
        {CONFIG("switch", ",\"cmd_tpl\":\"{\\\"set\\\":\\\"{{ value }}\\\"}\""), "relay", "on", NULL, false},
        {CONFIG("sensor", ",\"stat_t\":\"s\""), "other", "on", NULL, false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home_speaks s;
        struct home_point mem[4];
        struct home_points p = {.all = mem, .cap = COUNT(mem)};
        struct question q = {.address = S("box"), .item = str_of(all[i].item), .value = str_of(all[i].value)};
        struct buf out;
        bool tells = false;
        CHECK(t, !home_speaks_read(S("homeassistant"), &s));
        learn(t, &p, &s, all[i].config);
        buf_init_arena(&out, &t->arena, 512);
        enum home_asked asked = home_points_ask(&p, &q, &out, &tells);
        CHECK_SAY(t, (asked == HOME_ASKED) == (all[i].asked != NULL), "row %zu", i);
        if (asked == HOME_ASKED)
            CHECK_SAY(t, !strcmp(out.ptr, all[i].asked) && tells == all[i].tells, "row %zu: %s", i, out.ptr);
        q.address = S("elsewhere");
        CHECK(t, home_points_ask(&p, &q, &out, &tells) == HOME_UNKNOWN);
    }
}

static void its_state_says_that_it_is_done(struct t *t) {
    static const struct {
        const char *config, *value, *topic, *payload;
        bool is_answer;
    } all[] = {
        {CONFIG("switch", ",\"stat_t\":\"s\""), "on", "s", "ON", true},
        {CONFIG("switch", ",\"stat_t\":\"s\""), "on", "s", "OFF", false},
        {CONFIG("switch", ",\"stat_t\":\"s\""), "on", "estate/x/set", "ON", false},
        {CONFIG("switch", ",\"stat_t\":\"s\",\"val_tpl\":\"{{ value_json.r }}\""), "off", "s", "{\"r\":\"OFF\"}", true},
        {CONFIG("lock", ",\"stat_t\":\"s\""), "unlock", "s", "UNLOCKED", true},
        {CONFIG("lock", ",\"stat_t\":\"s\""), "unlock", "s", "LOCKED", false},
        {CONFIG("valve", ",\"stat_t\":\"s\""), "close", "s", "closed", true},
        {CONFIG("number", ",\"stat_t\":\"s\""), "7", "s", "7.0", true},
        {CONFIG("number", ",\"stat_t\":\"s\""), "7", "s", "8", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct home_speaks s;
        struct home_point mem[4];
        struct home_points p = {.all = mem, .cap = COUNT(mem)};
        struct question q = {.address = S("box"), .item = S("relay"), .value = str_of(all[i].value)};
        CHECK(t, !home_speaks_read(S("homeassistant"), &s));
        learn(t, &p, &s, all[i].config);
        bool is = home_points_answer(&p, &q, str_of(all[i].topic), vector_bytes_of(all[i].payload), &t->arena);
        CHECK_SAY(t, is == all[i].is_answer, "row %zu", i);
    }
}

static void sparkplug_is_a_word_beside_the_conventions(struct t *t) {
    struct home_speaks s;
    char mem[256];
    struct buf filters;
    CHECK(t, !home_speaks_read(S("tasmota sparkplug=plant/gw1"), &s) && s.is_sparkplug &&
                 str_is(s.sparkplug, "plant/gw1") && s.is_spoken[HOME_TASMOTA]);
    CHECK(t, !strcmp(home_speaks_read(S("sparkplug sparkplug"), &s), "twice"));
    CHECK(t, !strcmp(home_speaks_read(S("sparkplug=a/#"), &s), "bad_topic"));
    CHECK(t, home_may_hear(&(struct home_speaks){.is_sparkplug = true}, S("spBv1.0/plant/NCMD/gw1/#")));
    CHECK(t, !home_may_hear(&(struct home_speaks){.is_spoken = {[HOME_TASMOTA] = true}}, S("spBv1.0/plant/#")));
    buf_init(&filters, mem, sizeof mem);
    CHECK(t, !home_topics_read(S("sparkplug=estate a/#"), &s, &filters) && s.is_sparkplug &&
                 str_is(s.sparkplug, "estate") && filters.len == 14 && !memcmp(mem, "a/#\0spBv1.0/#\0", 14));
    CHECK(t, !strcmp(home_topics_read(S("sparkplug=a/b"), &s, &filters), "bad_topic"));
}

TESTS(CASE(a_topic_under_which_a_device_spoke_says_where_it_is_told), CASE(a_state_answers_when_it_has_the_value),
      CASE(an_entity_is_told_in_its_own_words), CASE(its_state_says_that_it_is_done),
      CASE(sparkplug_is_a_word_beside_the_conventions))
