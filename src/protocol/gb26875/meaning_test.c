/* What frames of GB/T 26875.3 mean: each bit, each analogue, operators, versions, clocks, times that are none; and what
 * is answered.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"
#include "tests/lib/test.h"

#include <string.h>

#define SENT_S INT64_C(1348653512) /* 2012-09-26T09:58:32 */

static const struct gb26875_frame like = {.serial = 7,
                                          .version = {1, 1},
                                          .time = {32, 58, 9, 26, 9, 12},
                                          .source = 889,
                                          .destination = 88888,
                                          .command = GB26875_SEND};
static const struct gb26875_object part = {.system = 1,
                                           .system_address = 2,
                                           .component = 40,
                                           .component_address = 131082,
                                           .operator_id = 7,
                                           .time = {2, 58, 9, 26, 9, 12}};

/* The frame with one object of that type. */
static struct bytes frame_of(struct t *t, struct gb26875_frame f, uint8_t type, const struct gb26875_object *o) {
    struct buf data, b;
    buf_init_arena(&data, &t->arena, GB26875_DATA_MAX + 1);
    buf_init_arena(&b, &t->arena, GB26875_OVERHEAD + GB26875_DATA_MAX + 1);
    if (o) gb26875_put_objects(type, o, 1, &data);
    f.data = (struct bytes){(const uint8_t *)data.ptr, data.len};
    gb26875_encode(&f, &b);
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static struct decoded say(struct t *t, struct gb26875_frame f, uint8_t type, const struct gb26875_object *o) {
    struct decoded d = {0};
    struct wire_error e = {"", 0};
    CHECK_SAY(t, gb26875_codec.decode(frame_of(t, f, type, o), &t->arena, &d, &e), "type %u: %s", type, e.rule);
    CHECK(t, str_is(d.sender, "889"));
    return d;
}

/* Which code each bit alone stands for; NULL: none, so that all is over where bits are levels. */
static void each_bit_is_a_code(struct t *t) {
    static const struct {
        uint8_t type;
        bool is_level;
        const char *part, *codes[16];
    } all[] = {
        {1,
         true,
         "1.2",
         {NULL, "fire_alarm", "fault", "disabled", "supervisory", "started", "feedback", "delayed", "mains_fault",
          "battery_fault", "bus_fault", "manual", "configuration_changed", "reset", NULL, NULL}},
        {2,
         true,
         "1.2.131082",
         {NULL, "fire_alarm", "fault", "disabled", "supervisory", "started", "feedback", "delayed", "power_fault"}},
        {4, false, "1.2", {"reset", "silenced", "manual_alarm", "alarm_cleared", "self_test", "confirmed", "test"}},
        {21,
         true,
         "",
         {NULL, "fire_alarm", "fault", "mains_fault", "battery_fault", "channel_fault", "line_fault", NULL}},
        {24, false, "", {"reset", "silenced", "manual_alarm", "alarm_cleared", "self_test", "duty_answer", "test"}},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        for (int bit = 0; bit < (all[i].type < 3 ? 16 : 8); bit++) {
            struct gb26875_object o = part;
            o.state = (uint16_t)(1u << bit);
            struct decoded d = say(t, like, all[i].type, &o);
            const char *code = all[i].codes[bit], *want = code ? code : all[i].is_level ? "normal" : NULL;
            CHECK_SAY(t, d.events_n == !!want, "type %u bit %d: %zu events", all[i].type, bit, d.events_n);
            if (!d.events_n || !want) continue;
            const struct device_event *e = &d.events[0];
            CHECK_SAY(t, str_is(e->code, want) && e->is_set == !!code && e->is_level == all[i].is_level,
                      "type %u bit %d: " STR_FMT, all[i].type, bit, STR_ARG(e->code));
            CHECK_SAY(t, str_is(e->part, all[i].part) && str_is(e->device, "889") && e->at_s == SENT_S - 30,
                      "type %u: " STR_FMT, all[i].type, STR_ARG(e->part));
        }
}

static void what_holds_together_is_told_together(struct t *t) {
    struct gb26875_object o = part;
    o.state = 0x0807;
    o.text = (struct bytes){(const uint8_t *)"3\xba\xc5\xc2\xa5\xd1\xcc\xb8\xd0", 9};
    struct decoded d = say(t, like, 1, &o);
    CHECK(t, d.events_n == 3 && str_is(d.events[2].code, "manual") && str_is(d.events[2].text, "fire_alarm 1.2"));
    d = say(t, like, 2, &o);
    CHECK(t, d.events_n == 2 && str_is(d.events[1].code, "fault"));
    CHECK(t, str_is(d.events[0].text, "smoke_detector 1.2.40.131082 3号楼烟感"));
    o.text = (struct bytes){(const uint8_t *)"\xff\xfe", 2}; /* no text: kept exactly */
    d = say(t, like, 2, &o);
    CHECK_SAY(t, str_starts(d.events[0].text, S("smoke_detector 1.2.40.131082 FFFE00")), STR_FMT,
              STR_ARG(d.events[0].text));
    o.state = 0x21;
    d = say(t, like, 24, &o);
    CHECK(t, d.events_n == 2 && str_is(d.events[0].text, "operator 7") && str_is(d.events[1].code, "duty_answer"));
}

static void each_analogue_has_its_factor_and_unit(struct t *t) {
    static const struct {
        const char *metric, *unit;
        double value; /* of -123 */
    } all[] = {{"analogue_0", "", -123},      {"count", "", -123},        {"height", "m", -1.23},
               {"temperature", "Cel", -12.3}, {"pressure", "MPa", -12.3}, {"pressure", "kPa", -12.3},
               {"gas", "%LEL", -12.3},        {"time", "s", -123},        {"voltage", "V", -12.3},
               {"current", "A", -12.3},       {"flow", "L/s", -12.3},     {"air_flow", "m3/min", -12.3},
               {"wind_speed", "m/s", -123},   {"analogue_13", "", -123}};
    for (uint8_t kind = 0; kind < COUNT(all); kind++) {
        struct gb26875_object o = part;
        struct str name;
        o.analogue = kind;
        o.value = -123;
        struct decoded d = say(t, like, 3, &o);
        CHECK(t, d.readings_n == 1 && !d.events_n);
        const struct reading *r = &d.readings[0];
        struct str rest = r->metric;
        (void)str_cut(&rest, '.', &name);
        CHECK_SAY(t, str_is(name, all[kind].metric) && str_is(rest, "40.131082") && str_is(r->unit, all[kind].unit),
                  "kind %u: " STR_FMT, kind, STR_ARG(r->metric));
        CHECK_SAY(t, r->value == all[kind].value, "kind %u: %g", kind, r->value);
        CHECK(t, r->at_s == SENT_S - 30 && str_is(r->device, "889"));
    }
}

static void what_is_only_told_is_an_event(struct t *t) {
    static const struct {
        uint8_t type;
        const char *code, *part, *text;
    } all[] = {{5, "version", "1.2", "3.10"},
               {6, "configuration", "1.2", "B7"},
               {7, "configuration", "1.2.131082", "smoke_detector 1.2.40.131082 B7"},
               {8, "clock", "1.2", "2012-09-26T09:58:02"},
               {25, "version", "", "3.10"},
               {26, "configuration", "", "B7"},
               {28, "clock", "", "2012-09-26T09:58:02"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct gb26875_object o = part;
        struct gb26875_frame f = like;
        o.major = 3;
        o.minor = 10;
        o.text = (struct bytes){(const uint8_t *)"B7", 2};
        f.command = GB26875_ANSWER;
        struct decoded d = say(t, f, all[i].type, &o);
        CHECK_SAY(t, d.events_n == 1 && !d.readings_n, "type %u", all[i].type);
        if (d.events_n != 1) continue;
        const struct device_event *e = &d.events[0];
        CHECK_SAY(t, str_is(e->code, all[i].code) && str_is(e->part, all[i].part) && str_is(e->text, all[i].text),
                  "type %u: " STR_FMT, all[i].type, STR_ARG(e->text));
        CHECK_SAY(t, e->is_set && !e->is_level && e->at_s == SENT_S, "type %u: when", all[i].type);
    }
    struct gb26875_object o = part;
    o.time.month = 13;
    struct decoded d = say(t, like, 28, &o);
    CHECK(t, d.events_n == 1 && str_is(d.events[0].text, "none"));
}

/* An event's time, else the frame's, else none: then it counts from when it comes. */
static void times_that_are_none(struct t *t) {
    static const struct {
        struct gb26875_time sent, at;
        int64_t at_s;
    } all[] = {
        {{32, 58, 9, 26, 9, 12}, {2, 58, 9, 26, 9, 12}, SENT_S - 30},
        {{32, 58, 9, 26, 9, 12}, {0x02, 0x58, 0x09, 0x26, 0x09, 0x12}, SENT_S - 30}, /* BCD: 58 is no minute */
        {{1, 1, 1, 3, 9, 16}, {1, 1, 1, 3, 9, 0x16}, 1472864461},                    /* BCD: 2022 is far off */
        {{1, 1, 1, 3, 9, 22}, {1, 1, 1, 3, 9, 0x16}, 1662166861},                    /* plain: it is 2022 */
        {{32, 58, 9, 26, 9, 12}, {2, 58, 9, 26, 13, 12}, SENT_S},
        {{32, 58, 9, 26, 9, 12}, {255, 255, 255, 255, 255, 255}, SENT_S},
        {{32, 58, 9, 26, 9, 12}, {0, 0, 0, 0, 0, 0}, SENT_S},
        {{0, 0, 0, 0, 0, 0}, {2, 58, 9, 26, 9, 12}, SENT_S - 30},
        {{32, 58, 9, 31, 9, 12}, {2, 58, 9, 31, 9, 12}, 0}, /* the 31st of September, twice */
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct gb26875_frame f = like;
        struct gb26875_object o = part;
        f.time = all[i].sent;
        o.time = all[i].at;
        o.state = 2;
        struct decoded d = say(t, f, 2, &o);
        CHECK_SAY(t, d.events_n == 1 && d.events[0].at_s == all[i].at_s, "row %zu: %lld", i,
                  d.events_n ? (long long)d.events[0].at_s : -1);
    }
}

static struct gb26875_frame reply_to(struct t *t, struct bytes whole, bool ok, size_t *ret_n) {
    struct gb26875_frame f = {0};
    struct wire_error e;
    struct buf b;
    buf_init_arena(&b, &t->arena, 128);
    gb26875_codec.reply(whole, ok, SENT_S + 3, &b);
    *ret_n = b.len;
    if (b.len) CHECK(t, gb26875_decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &f, &e) && !f.data.len);
    return f;
}

/* What is sent is confirmed, heartbeats of makers, too, and again when it comes again; nothing else is. */
static void what_is_sent_is_confirmed(struct t *t) {
    static const struct {
        uint8_t command, type, answer; /* type 0: no data; answer 0: none */
    } all[] = {{GB26875_SEND, 2, GB26875_CONFIRM},
               {GB26875_SEND, 0, GB26875_CONFIRM},
               {GB26875_SEND, 21, GB26875_CONFIRM},
               {GB26875_SEND, 28, GB26875_CONFIRM},
               {GB26875_OWN, 0, GB26875_CONFIRM},
               {255, 21, GB26875_CONFIRM},
               {GB26875_CONTROL, 91, 0},
               {GB26875_CONFIRM, 0, 0},
               {GB26875_REQUEST, 81, 0},
               {GB26875_ANSWER, 21, 0},
               {GB26875_DENY, 0, 0}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct gb26875_frame f = like;
        size_t n;
        f.command = all[i].command;
        struct bytes whole = frame_of(t, f, all[i].type, all[i].type ? &part : NULL);
        for (int again = 0; again < 2; again++) {
            struct gb26875_frame back = reply_to(t, whole, true, &n);
            CHECK_SAY(t, back.command == all[i].answer, "command %u: %u", all[i].command, back.command);
            if (!n) continue;
            CHECK(t, back.serial == 7 && back.source == 88888 && back.destination == 889 && back.time.second == 35);
        }
    }
}

static void what_is_damaged_is_denied(struct t *t) {
    static const struct {
        size_t byte;
        uint8_t value;
        const char *rule;
    } all[] = {{26, 9, "GB/T 26875.3 6.6: no such command"}, /* the sum is made right again */
               {27, 99, "GB/T 26875.3 8.1.1"},
               {28, 0, "GB/T 26875.3 8.1.2"},
               {28, 2, "GB/T 26875.3 8.1.2"},
               {30, 0, "GB/T 26875.3 6.6: the sum is wrong"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bytes whole = frame_of(t, like, 21, &part);
        uint8_t copy[64];
        struct decoded d;
        struct wire_error e = {"", 0};
        size_t n, len = 0;
        memcpy(copy, whole.ptr, whole.len);
        bool is_sum = !strcmp(all[i].rule, "GB/T 26875.3 6.6: the sum is wrong");
        if (!is_sum) copy[whole.len - 3] = (uint8_t)(copy[whole.len - 3] + all[i].value - copy[all[i].byte]);
        copy[all[i].byte] = all[i].value;
        whole.ptr = copy;
        CHECK_SAY(t, gb26875_split(whole, &len) == FRAME_WHOLE && len == whole.len, "row %zu: no frame", i);
        bool ok = gb26875_codec.decode(whole, &t->arena, &d, &e);
        CHECK_SAY(t, !ok && str_starts(str_of(e.rule), str_of(all[i].rule)), "row %zu: %s", i, e.rule);
        struct gb26875_frame back = reply_to(t, whole, false, &n);
        CHECK_SAY(t, back.command == GB26875_DENY && back.serial == 7 && back.destination == 889, "row %zu", i);
    }
}

TESTS(CASE(each_bit_is_a_code), CASE(what_holds_together_is_told_together), CASE(each_analogue_has_its_factor_and_unit),
      CASE(what_is_only_told_is_an_event), CASE(times_that_are_none), CASE(what_is_sent_is_confirmed),
      CASE(what_is_damaged_is_denied))
