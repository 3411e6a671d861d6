/* Records of lifts, what is refused, who is shut in, what ends what.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lift/lift.h"
#include "tests/lib/vectors.h"

#include <stdio.h>
#include <string.h>

#define LIFT      "31104403002018010001"
#define WITH(...) "{\"regCode\":\"" LIFT "\"," __VA_ARGS__ "}"
#define TRAVEL                                                                                                      \
    "{\"regCode\":\"31104403002018010001\",\"ts\":\"2026-11-21T08:30:00+08:00\",\"serviceMode\":1,\"carStatus\":1," \
    "\"carDirection\":1,\"doorZone\":false,\"carPosition\":\"12\",\"doorClosed\":true,\"passenger\":true}"
#define HELD                                                                                                        \
    "{\"regCode\":\"31104403002018010001\",\"ts\":\"2026-11-21T08:31:20+08:00\",\"serviceMode\":1,\"carStatus\":0," \
    "\"carDirection\":0,\"doorZone\":false,\"carPosition\":\"12\",\"doorClosed\":true,\"passenger\":true}"
#define FAULT                                                                                                     \
    "{\"regCode\":\"31104403002018010001\",\"code\":\"04\",\"begin\":\"2026-11-21T08:31:50+08:00\",\"end\":null," \
    "\"carPosition\":\"12\",\"passenger\":true}"
#define ALARM "{\"regCode\":\"31104403002018010001\",\"code\":\"90\",\"begin\":\"2026-11-21T08:31:40+08:00\"}"

static const struct vector rows[] = {
    {.name = "L05 travels",
     .text = TRAVEL,
     .json =
         "\"record\":\"state\",\"device\":\"31104403002018010001\",\"mode\":\"normal\",\"running\":true,\"direction\":"
         "\"up\",\"door_zone\":false,\"door_closed\":true,\"passenger\":true",
     .said = "service_mode=1 running=1 direction=1 door_zone=0 door_closed=1 passenger=1 entrapped=0 floor=12 ",
     .device = LIFT},
    {.name = "L06 stands between floors with somebody inside",
     .text = HELD,
     .said = "service_mode=1 running=0 direction=0 door_zone=0 door_closed=1 passenger=1 entrapped=1 floor=12 ",
     .device = LIFT},
    {.name = "L07 stopped outside of the zone",
     .text = FAULT,
     .json = "\"record\":\"report\",\"device\":\"31104403002018010001\",\"event\":\"outside_zone\",\"over\":false",
     .said = "!outside_zone ",
     .device = LIFT},
    {.name = "L08 the alarm button", .text = ALARM, .said = "!alarm_button ", .device = LIFT},
    {.name = "nothing but its name", .text = "{\"regCode\":\"" LIFT "\"}"},
    {.name = "the fault is over",
     .text = WITH("\"code\":\"04\",\"begin\":\"2026-11-21T08:31:50+08:00\",\"end\":\"2026-11-21T08:40:00+08:00\""),
     .said = "-outside_zone "},
    {.name = "no fault", .text = WITH("\"code\":\"00\""), .said = "-normal "},
    {.name = "back to automatic", .text = WITH("\"code\":\"40\""), .said = "service_mode=1 -normal "},
    {.name = "a code without its zero", .text = WITH("\"code\":4"), .said = "!outside_zone "},
    {.name = "a code of a city",
     .text = WITH("\"code\":\"11\""),
     .json = "\"event\":\"entrapment\"",
     .said = "!entrapment !code_11 "},
    {.name = "the same under somebody's hands", .text = WITH("\"code\":\"93\",\"serviceMode\":2")},
    {.name = "a code that nobody knows",
     .text = WITH("\"code\":\"33\""),
     .json = "\"event\":\"other\"",
     .said = "!code_33 !other "},
    {.name = "somebody works on it", .text = WITH("\"code\":\"43\""), .said = "service_mode=2 !inspection "},
    {.name = "nobody does any more",
     .text = WITH("\"code\":\"43\",\"end\":\"2026-11-21T08:40:00Z\""),
     .said = "service_mode=1 -inspection "},
    {.name = "a fault under somebody's hands", .text = WITH("\"code\":\"02\",\"serviceMode\":2")},
    {.name = "the same, over",
     .text = WITH("\"code\":\"02\",\"serviceMode\":2,\"end\":\"2026-11-21T08:40:00Z\""),
     .said = "-door_close_fault "},
    {.name = "the button under somebody's hands",
     .text = WITH("\"code\":\"90\",\"serviceMode\":2"),
     .said = "!alarm_button "},
    {.name = "moves with an open door",
     .text = WITH("\"serviceMode\":1,\"carStatus\":1,\"doorZone\":false,\"doorClosed\":false,\"passenger\":false"),
     .said = "service_mode=1 running=1 door_zone=0 door_closed=0 passenger=0 entrapped=0 !unintended_movement "},
    {.name = "the same on inspection",
     .text = WITH("\"serviceMode\":2,\"carStatus\":1,\"doorZone\":false,\"doorClosed\":false"),
     .said = "service_mode=2 running=1 door_zone=0 door_closed=0 "},
    {.name = "yes and no in numbers",
     .text = WITH("\"doorZone\":1,\"doorClosed\":2,\"passenger\":0"),
     .said = "door_zone=1 door_closed=0 passenger=0 entrapped=0 "},
    {.name = "figures",
     .text = WITH("\"carPosition\":-2,\"totalRunningTime\":12000,\"presentCounterValue\":800000"),
     .said = "floor=-2 working_time=12000 h runs=800000 "},
    {.name = "an escalator",
     .text = WITH("\"serviceMode\":3,\"operationStatus\":1,\"operationDirection\":2"),
     .json = "\"mode\":\"unknown\",\"running\":true,\"direction\":\"down\"",
     .said = "service_mode=3 running=1 direction=2 "},
    {.name = "an escalator turns back", .text = WITH("\"code\":\"63\""), .said = "!reversal "},
    {.name = "nothing known of it", .text = WITH("\"serviceMode\":null,\"ts\":null")},

    {.name = "nothing", .text = "", .rule = "lift record: this is no JSON", .at = 0},
    {.name = "no JSON", .text = "{\"regCode\":", .rule = "lift record: this is no JSON", .at = 11},
    {.name = "a list", .text = "[1]", .rule = "lift regCode: ", .at = 0},
    {.name = "of nobody", .text = "{\"serviceMode\":1}", .rule = "lift regCode: ", .at = 0},
    {.name = "19 digits", .text = "{\"regCode\":\"3110440300201801000\"}", .rule = "lift regCode: ", .at = 11},
    {.name = "a number as a name", .text = "{\"regCode\":3110}", .rule = "lift regCode: ", .at = 11},
    {.name = "mode 8", .text = WITH("\"serviceMode\":8"), .rule = "lift serviceMode: ", .at = 48},
    {.name = "mode -1", .text = WITH("\"serviceMode\":-1"), .rule = "lift serviceMode: ", .at = 48},
    {.name = "status 2", .text = WITH("\"carStatus\":2"), .rule = "lift carStatus: ", .at = 46},
    {.name = "direction 3", .text = WITH("\"carDirection\":3"), .rule = "lift carDirection: ", .at = 49},
    {.name = "neither yes nor no", .text = WITH("\"doorZone\":3"), .rule = "lift doorZone: ", .at = 45},
    {.name = "yes as a text", .text = WITH("\"passenger\":\"true\""), .rule = "lift passenger: ", .at = 46},
    {.name = "no time", .text = WITH("\"ts\":\"yesterday\""), .rule = "lift ts: ", .at = 39},
    {.name = "no begin", .text = WITH("\"code\":\"04\",\"begin\":1"), .rule = "lift begin: ", .at = 54},
    {.name = "no end", .text = WITH("\"code\":\"04\",\"end\":\"\""), .rule = "lift end: ", .at = 52},
    {.name = "no code", .text = WITH("\"code\":\"\""), .rule = "lift code: ", .at = 41},
    {.name = "a long code", .text = WITH("\"code\":\"123456789\""), .rule = "lift code: ", .at = 41},
    {.name = "a position of a page",
     .text = WITH("\"carPosition\":\"aaaaaaaaaaaaaaaaa\""),
     .rule = "lift carPosition: ",
     .at = 48},
    {.name = "a tenth of an hour",
     .text = WITH("\"totalRunningTime\":0.1"),
     .rule = "lift totalRunningTime: ",
     .at = 53},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &lift_codec, rows, COUNT(rows));
}

static struct decoded decoded_of(struct t *t, const char *text) {
    struct decoded d = {0};
    struct wire_error e = {"", 0};
    CHECK_SAY(t, lift_codec.decode(vector_bytes_of(text), &t->arena, &d, &e), "%s: %s", text, e.rule);
    return d;
}

static void what_is_told_late_keeps_its_time(struct t *t) {
    struct decoded d = decoded_of(t, TRAVEL);
    CHECK(t, d.readings[0].at_ms == INT64_C(1795221000000));
    d = decoded_of(t, FAULT);
    CHECK(t, d.events[0].at_ms == INT64_C(1795221110000)); /* its begin */
    d = decoded_of(t, rows[5].text);
    CHECK(t, d.events[0].at_ms == INT64_C(1795221600000)); /* its end */
    d = decoded_of(t, "{\"regCode\":\"" LIFT "\",\"serviceMode\":1}");
    CHECK(t, !d.readings[0].at_ms && str_is(d.sender, LIFT)); /* as it comes */
}

/* Faults end together, modes end together, and neither ends an alarm: that a person does. */
static void each_end_ends_what_is_of_its_part(struct t *t) {
    static const struct {
        const char *code, *event, *part, *text;
        bool is_level;
    } all[] = {
        {"00", "normal", "fault", "", true},        {"01", "safety_circuit", "fault", "", false},
        {"08", "no_restart", "fault", "", false},   {"40", "normal", "mode", "", true},
        {"41", "power_lost", "mode", "", false},    {"47", "earthquake", "mode", "", false},
        {"65", "no_restart", "fault", "", false},   {"90", "alarm_button", "", "", false},
        {"09", "overtravel_up", "09", "09", false}, {"93", "entrapment", "93", "93", false},
        {"E-1", "code_E-1", "E-1", "E-1", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"regCode\":\"" LIFT "\",\"code\":\"%s\"}", all[i].code);
        struct decoded d = decoded_of(t, text);
        CHECK_SAY(t,
                  d.events_n >= 1 && str_is(d.events[0].code, all[i].event) && str_is(d.events[0].text, all[i].text) &&
                      str_is(d.events[0].part, all[i].part) && d.events[0].is_level == all[i].is_level,
                  "%s", all[i].code);
    }
}

/* Unless the report itself says in which mode the lift is. */
static void what_work_brings_about_waits_for_its_mode(struct t *t) {
    static const struct {
        const char *report;
        bool waits;
    } all[] = {
        {"\"code\":\"01\"", false}, {"\"code\":\"02\"", true},  {"\"code\":\"07\"", true},
        {"\"code\":\"08\"", false}, {"\"code\":\"90\"", false}, {"\"code\":\"11\"", true},
        {"\"code\":\"09\"", false}, {"\"code\":\"33\"", false}, {"\"code\":\"04\",\"serviceMode\":1", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"regCode\":\"" LIFT "\",%s}", all[i].report);
        struct decoded d = decoded_of(t, text);
        for (size_t k = 0; k < d.events_n; k++)
            CHECK_SAY(t, !!d.events[k].unless_metric == all[i].waits, "%s", all[i].report);
    }
}

static void somebody_is_shut_in_when_the_record_says_so(struct t *t) {
    static const struct {
        struct lift_state s; /* mode, running, direction, zone, closed, passenger */
        int entrapped;
    } all[] = {
        {{1, 0, 0, 0, 1, 1}, 1},   {{5, 0, 0, 0, 1, 1}, 1},        {{1, 0, -1, 0, -1, 1}, 1},
        {{1, 0, 0, 1, 1, 1}, 1},   {{1, 0, 0, -1, 1, 1}, 1},       {{1, 0, 0, 0, 0, 1}, 1} /* a door on a wall */,
        {{1, 0, 0, 1, 0, 1}, 0},   {{1, 1, 1, 0, 1, 1}, 0},        {{1, 0, 0, 0, 1, 0}, 0},
        {{2, 0, 0, 0, 1, 1}, 0},   {{0, 0, 0, 0, 1, 1}, 0},        {{3, 0, 0, 0, 1, 1}, 0},
        {{7, 0, 0, 0, 1, 1}, 0},   {{1, 0, 0, 0, 1, -1}, -1},      {{1, -1, 0, 0, 1, 1}, -1},
        {{-1, 0, 0, 0, 1, 1}, -1}, {{1, 0, 0, -1, -1, 1}, -1},     {{1, 0, 0, 1, -1, 1}, -1},
        {{-1, 1, 0, 0, 1, 1}, 0},  {{-1, -1, -1, -1, -1, -1}, -1},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        CHECK_SAY(t, lift_entrapped(&all[i].s) == all[i].entrapped, "row %zu: %d", i, lift_entrapped(&all[i].s));
}

static void a_floor_is_what_the_display_means(struct t *t) {
    static const struct {
        const char *position;
        bool has;
        double floor;
    } all[] = {{"\"12\"", true, 12},   {"\"B2\"", true, -2}, {"\"-1\"", true, -1}, {"\"3F\"", true, 3},
               {"\"b1f\"", true, -1},  {"0", true, 0},       {"\"G\"", false, 0},  {"\"12A\"", false, 0},
               {"\"F\"", false, 0},    {"\"B\"", false, 0},  {"\"B0\"", false, 0}, {"\"B-1\"", false, 0},
               {"\"99999\"", false, 0}};
    for (size_t i = 0; i < COUNT(all); i++) {
        char text[100];
        struct lift_record r;
        struct wire_error e = {"", 0};
        snprintf(text, sizeof text, "{\"regCode\":\"" LIFT "\",\"carPosition\":%s}", all[i].position);
        CHECK_SAY(t, lift_read(vector_bytes_of(text), &t->arena, &r, &e), "%s: %s", text, e.rule);
        CHECK_SAY(t, r.has_floor == all[i].has && (!r.has_floor || r.floor == all[i].floor), "%s", text);
    }
}

static void an_answer_says_whether_it_was_taken(struct t *t) {
    for (int ok = 0; ok < 2; ok++) {
        struct buf b;
        buf_init_arena(&b, &t->arena, 100);
        lift_codec.reply(vector_bytes_of(ALARM), ok, 0, &b);
        CHECK(t, !strcmp(b.ptr, ok ? "{\"code\":0,\"message\":\"ok\"}" : "{\"code\":1,\"message\":\"refused\"}"));
    }
}

static void records_are_made_of_their_members(struct t *t) {
    static const struct {
        const char *json, *text, *rule;
    } all[] = {
        {"{\"code\":\"90\",\"begin\":\"2026-11-21T08:31:40+08:00\",\"regCode\":\"" LIFT "\"}", ALARM, NULL},
        {TRAVEL, TRAVEL, NULL},
        {"{\"serviceMode\":1}", NULL, "lift regCode: "},
        {"{\"regCode\":\"" LIFT "\",\"carStatus\":7}", NULL, "lift carStatus: "},
        {"{\"text\":1}", NULL, "text: is no text"},
        {"{\"text\":\"{}\"}", NULL, "lift regCode: "},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        buf_init_arena(&b, &t->arena, 1000);
        CHECK(t, !json_read(str_of(all[i].json), &o, &t->fault));
        bool ok = lift_codec.make(o, &t->arena, &b, &e);
        json_decref(o);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strncmp(e.rule, all[i].rule, strlen(all[i].rule))), "%s: %s",
                  all[i].json, e.rule);
        CHECK_SAY(t, !ok || !strcmp(b.ptr, all[i].text), "%s: %s", all[i].json, b.ptr);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(what_is_told_late_keeps_its_time), CASE(each_end_ends_what_is_of_its_part),
      CASE(what_work_brings_about_waits_for_its_mode), CASE(somebody_is_shut_in_when_the_record_says_so),
      CASE(a_floor_is_what_the_display_means), CASE(an_answer_says_whether_it_was_taken),
      CASE(records_are_made_of_their_members))
