/* What publishes at an outside broker say, by the shape of their topics; what is kept there is no news.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt_client/client_internal.h"

#include "platform/rules/rules.h"
#include "tests/lib/test.h"

#include <string.h>

#define NOW_MS INT64_C(1795249800000) /* 2026-11-21T08:30:00Z */

struct site {
    struct t *t;
    struct said_site said;
    struct home_points points;
    struct home_point all[8];
    char filters[1024];
};

static void start(struct site *s, struct t *t, const char *topics) {
    struct buf b;
    *s = (struct site){.t = t};
    s->points = (struct home_points){.all = s->all, .cap = COUNT(s->all)};
    s->said = (struct said_site){.points = &s->points, .community = S("e1"), .now_ms = NOW_MS};
    buf_init(&b, s->filters, sizeof s->filters);
    CHECK(t, !home_topics_read(str_of(topics), &s->said.speaks, &b));
}

/* "device.metric=value unit@ms" and events "!device.code/part"; or the rule. */
static const char *say(struct site *s, const char *topic, const char *payload, bool is_retained) {
    struct arrival p = {str_of(topic), {(const uint8_t *)payload, strlen(payload)}, is_retained};
    struct decoded d;
    struct wire_error e;
    struct buf b;
    buf_init_arena(&b, &s->t->arena, 65536);
    if (!said_read(&s->said, &p, &s->t->arena, &d, &e)) {
        CHECK(s->t, e.at <= p.payload.len);
        return e.rule;
    }
    for (size_t i = 0; i < d.readings_n; i++) {
        const struct reading *r = &d.readings[i];
        buf_fmt(&b, STR_FMT "." STR_FMT "=%g%s" STR_FMT, STR_ARG(r->device), STR_ARG(r->metric), r->value,
                r->unit.len ? " " : "", STR_ARG(r->unit));
        if (r->at_ms) buf_fmt(&b, "@%lld", (long long)(r->at_ms - NOW_MS));
        buf_char(&b, ' ');
    }
    for (size_t i = 0; i < d.events_n; i++)
        buf_fmt(&b, "%c" STR_FMT "." STR_FMT "%s" STR_FMT "%s ", d.events[i].is_set ? '!' : '-',
                STR_ARG(d.events[i].device), STR_ARG(d.events[i].code), d.events[i].part.len ? "/" : "",
                STR_ARG(d.events[i].part), d.events[i].is_set && d.events[i].is_kept ? "(kept)" : "");
    return b.ptr ? b.ptr : "";
}

static void topics_say_how_their_payloads_are_read(struct t *t) {
    static const struct {
        const char *topic, *payload, *said;
    } rows[] = {
        {"linli/e1/B-1/telemetry", "{\"level\":3.5,\"ts\":1795249800001}", "B-1.level=3.5@1 "},
        {"linli/e1/B-1/telemetry", "[{\"a\":1},{\"b\":2}]", "B-1.a=1 B-1.b=2 "},
        {"linli/e1/B-1/telemetry", "{\"level\":\"x\"}", "a value is no number"},
        {"linli/e1/B-1/event", "{\"event\":\"sos\",\"part\":\"2\",\"data\":{\"a\":1}}", "!B-1.sos/2 "},
        {"linli/e1/B-1/event", "{\"event\":\"sos\",\"active\":false}", "-B-1.sos "},
        {"linli/e1/B-1/event", "{}", "no event"},
        {"linli/e1/B-1/state", "offline", "!B-1.offline "},
        {"linli/e1/B-1/state", "online", "-B-1.offline "},
        {"linli/e1/B-1/state", "away", "state: neither online nor offline"},
        {"linli/e1/B-1/command", "{}", ""},
        {"linli/e1/B-1/reply", "{}", ""},
        {"linli/e2/B-1/telemetry", "{\"level\":1}",
         "topic: linli/COMMUNITY/DEVICE/ and telemetry, event or state of this community"},
        {"linli/e1/B 1/telemetry", "{\"level\":1}",
         "topic: linli/COMMUNITY/DEVICE/ and telemetry, event or state of this community"},
        {"linli/e1/B-1/x", "{\"level\":1}",
         "topic: linli/COMMUNITY/DEVICE/ and telemetry, event or state of this community"},
        {"linli/e1", "{\"level\":1}", "topic: linli/COMMUNITY/DEVICE/ and telemetry, event or state of this community"},
        {"zigbee2mqtt/door", "{\"contact\":false}", "door.open=1 "},
        {"tele/plug/LWT", "Offline", "!plug.offline "},
        {"boiler/sensor/temperature/state", "41.5", "boiler.temperature=41.5 Cel "},
        {"zigbee2mqtt/door", "{", "a text is missing"},
        {"application/1/device/0101010101010101/event/up",
         "{\"deviceInfo\":{\"devEui\":\"0101010101010101\"},\"object\":{\"temperature\":21.5}}",
         "0101010101010101.temperature=21.5 Cel "},
        {"application/1/device/0101010101010101/event/up", "{\"deviceInfo\":", "a value is no number"},
        {"application/1/device/0101010101010101/command/down",
         "{\"devEui\":\"0101010101010101\",\"confirmed\":true,\"fPort\":10,\"data\":\"AA==\"}", ""}, /* our own */
        {"v3/estate@ttn/devices/th/down/push",
         "{\"downlinks\":[{\"f_port\":10,\"frm_payload\":\"AA==\",\"confirmed\":true}]}", ""},
        {"zigbee2mqtt/door/set", "{\"state\":\"ON\",\"level\":5}", ""},
        {"cmnd/plug/Power", "1", ""},
        {"boiler/switch/relay/command", "1", ""},
        {"building/7/th", "{\"temperature\":21.5,\"power\":{\"phase\":[1,2]},\"name\":\"x\",\"ok\":true,\"n\":null}",
         "building%2F7%2Fth.temperature=21.5 Cel building%2F7%2Fth.power_phase_1=1 building%2F7%2Fth.power_phase_2=2 "
         "building%2F7%2Fth.ok=1 "},
        {"building/7/th", "{\"ts\":1795249800005,\"temperature\":1}", "building%2F7%2Fth.temperature=1 Cel@5 "},
        {"building/7/th", "{\"ts\":\"2026-11-21T08:30:00.007Z\",\"temperature\":1}",
         "building%2F7%2Fth.temperature=1 Cel@7 "},
        {"building/7/temperature", " 21.5 ", "building%2F7.temperature=21.5 Cel "},
        {"counter", "5", "counter.value=5 "},
        {"building/7/th", "", ""},
        {"building/7/th", "hello", "payload: neither JSON nor a number, under no topic known"},
        {"building/7/th", "[1]", "payload: neither JSON nor a number, under no topic known"},
        {"building/7/th", "{\"a\":1,\"a\":2}", "key: a value stands twice"},
        {"", "{}", "topic: it has 1 to 256 bytes"},
    };
    struct site s;
    start(&s, t, "#");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *said = say(&s, rows[i].topic, rows[i].payload, false);
        CHECK_SAY(t, !strcmp(said, rows[i].said), "%s %s: %s", rows[i].topic, rows[i].payload, said);
    }
}

/* Sheet: retained messages at subscribe are state, not events, without a fresh timestamp. */
static void what_the_broker_kept_is_state_and_no_news(struct t *t) {
    static const struct {
        const char *topic, *payload, *said;
    } rows[] = {
        {"zigbee2mqtt/x", "{\"smoke\":true,\"battery\":9}", ""},
        {"zigbee2mqtt/x", "{\"smoke\":false,\"battery\":9}", "-x.smoke "},
        {"zigbee2mqtt/x", "{\"smoke\":true,\"last_seen\":1795249700000}", "x.smoke=1@-100000 !x.smoke "},
        {"zigbee2mqtt/x", "{\"smoke\":true,\"last_seen\":1795240000000}", "x.smoke=1@-9800000 "},
        {"zigbee2mqtt/x", "{\"smoke\":true,\"last_seen\":1795259800000}", "x.smoke=1@10000000 "}, /* ahead */
        {"zigbee2mqtt/x/availability", "offline", "!x.offline(kept) "},
        {"zigbee2mqtt/x/availability", "online", "-x.offline "},
        {"linli/e1/B-1/event", "{\"event\":\"sos\"}", ""},
        {"linli/e1/B-1/event", "{\"event\":\"sos\",\"ts\":1795249799000}", "!B-1.sos "},
        {"linli/e1/B-1/event", "{\"event\":\"sos\",\"ts\":1795240000000}", ""},
        {"linli/e1/B-1/telemetry", "{\"a\":1}", ""},
        {"linli/e1/B-1/telemetry", "{\"a\":1,\"ts\":1795249799000}", "B-1.a=1@-1000 "},
    };
    struct site s;
    start(&s, t, "#");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *said = say(&s, rows[i].topic, rows[i].payload, true);
        CHECK_SAY(t, !strcmp(said, rows[i].said), "%s %s: %s", rows[i].topic, rows[i].payload, said);
    }
    CHECK(t, !strcmp(say(&s, "homeassistant/sensor/x/config", "{\"stat_t\":\"e/x\"}", true), "")); /* but is learnt */
    CHECK(t, !strcmp(say(&s, "e/x", "4", false), "x.x=4 "));
}

static void words_become_filters_and_bases(struct t *t) {
    static const struct {
        const char *topics, *filters, *wrong; /* filters with a blank behind each */
    } rows[] = {
        {"a/# b/+/c", "a/# b/+/c ", NULL},
        {"zigbee2mqtt", "zigbee2mqtt/# ", NULL},
        {"zigbee2mqtt=home/z2m", "home/z2m/# ", NULL},
        {"tasmota", "tele/# stat/# ", NULL},
        {"tasmota=b3/plug", "tele/b3/plug/# stat/b3/plug/# ", NULL},
        {"esphome", "+/status +/+/+/state +/+/+/+/state ", NULL},
        {"esphome=hall", "hall/status hall/+/+/state hall/+/+/+/state ", NULL},
        {"homeassistant=ha x", "x ha/# ", NULL},
        {"", "", NULL},
        {"a/#/b", NULL, "bad_filter"},
        {"a+", NULL, "bad_filter"},
        {"$share/x/y", NULL, "bad_filter"},
        {"zigbee2mqtt zigbee2mqtt", NULL, "twice"},
        {"zigbee2mqtt=", NULL, "bad_topic"},
        {"1 2 3 4 5 6 7 8 9 a b c d e f g h i j k l m n o p q r s t u v w",
         "1 2 3 4 5 6 7 8 9 a b c d e f g h i j k l m n o p q r s t u v w ", NULL},
        {"1 2 3 4 5 6 7 8 9 a b c d e f g h i j k l m n o p q r s t u v w x", NULL, "too_many"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[1024];
        struct buf b;
        struct home_speaks speaks;
        buf_init(&b, mem, sizeof mem);
        const char *wrong = home_topics_read(str_of(rows[i].topics), &speaks, &b);
        CHECK_SAY(t, rows[i].wrong ? wrong && !strcmp(wrong, rows[i].wrong) : !wrong, "%s: %s", rows[i].topics, wrong);
        for (size_t k = 0; k < b.len; k++)
            if (!mem[k]) mem[k] = ' ';
        CHECK_SAY(t, wrong || (b.len == strlen(rows[i].filters) && !memcmp(mem, rows[i].filters, b.len)), "%s: %.*s",
                  rows[i].topics, (int)b.len, mem);
    }
    struct site s;
    start(&s, t, "zigbee2mqtt=home/z2m #");
    CHECK(t, !strcmp(say(&s, "home/z2m/door", "{\"contact\":false}", false), "door.open=1 "));
    CHECK(t, !strcmp(say(&s, "zigbee2mqtt/door", "{\"battery\":5}", false), "zigbee2mqtt%2Fdoor.battery=5 % "));
}

TESTS(CASE(topics_say_how_their_payloads_are_read), CASE(what_the_broker_kept_is_state_and_no_news),
      CASE(words_become_filters_and_bases))
