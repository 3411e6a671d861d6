/* Vectors of watches' frames, what is refused, alarms, answers, commands.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "W01 alive", .text = "[SG*8800000015*0002*LK]", .json = "\"maker\":\"SG\",\"id\":\"8800000015\""},
    {.name = "W02 alive, with figures",
     .text = "[3G*4700186508*000B*LK,0,10,100]",
     .said = "steps=0 tumbles=10 battery=100 % ",
     .device = "4700186508"},
    {.name = "W03 a position that was kept",
     .text = "[3G*9031853319*004E*UD2,220322,055105,A,22.761162,N,114.360192,E,0,0,47,14,100,64,0,0,00000008,0,0]",
     .said = "latitude=22.761162 deg longitude=114.360192 deg speed=0 km/h course=0 deg altitude=47 m satellites=14 "
             "signal=100 % battery=64 % steps=0 tumbles=0 "},
    {.name = "W04 SOS without a fix",
     .text = "[3G*6907919734*003e*AL_LTE,170525,214118,V,0,N,0,E,0,0,0,0,0,22,0,0,00010000,0,0,0]",
     .said = "satellites=0 signal=0 % battery=22 % steps=0 tumbles=0 !sos -normal ",
     .json = "\"length\":\"003e\",\"command\":\"AL_LTE\"",
     .device = "6907919734"},
    {.name = "W05 taken off, with a serial",
     .text = "[ZJ*014111001332708*0075*0064*AL,040418,052156,A,22.536207,N,113.938673,E,0,0,0,5,100,82,1000,50,"
             "00100000,1,255,460,0,9340,3663,35]",
     .said = "latitude=22.536207 deg longitude=113.938673 deg speed=0 km/h course=0 deg altitude=0 m satellites=5 "
             "signal=100 % battery=82 % steps=1000 tumbles=50 !taken_off -normal ",
     .json = "\"serial\":\"0075\",\"length\":\"0064\"",
     .device = "014111001332708"},
    {.name = "W06 heart rate", .text = "[3G*6005412902*0008*heart,71]", .said = "heart_rate=71 /min "},
    {.name = "W07 blood pressure",
     .text = "[3G*4700609403*0013*bphrt,120,79,73,,,,]",
     .said = "systolic=120 mm[Hg] diastolic=79 mm[Hg] heart_rate=73 /min "},
    {.name = "W08 oxygen", .text = "[3G*9705141740*000B*oxygen,0,98]", .said = "spo2=98 % "},
    {.name = "W09 temperature", .text = "[3G*2104326058*000E*btemp2,1,35.29]", .said = "body_temperature=35.29 Cel "},
    {.name = "W10 wants voice", .text = "[3G*8800000015*0003*TKQ]", .json = "\"content\":\"TKQ\""},
    {.name = "W11 a fall",
     .text = "[3G*8800000015*0069*AL,211126,003000,A,22.543096,N,114.057865,E,0.00,0.0,0.0,8,90,55,1200,0,00200000,"
             "1,255,460,0,9340,3663,35]",
     .said = "latitude=22.543096 deg longitude=114.057865 deg speed=0 km/h course=0 deg altitude=0 m satellites=8 "
             "signal=90 % battery=55 % steps=1200 tumbles=0 !fall -normal "},
    {.name = "W19 IW logs in", .text = "IWAP00353456789012345#", .json = "{\"command\":\"AP00\",\"content\":\"AP00353"},
    {.name = "W20 IW heart rate", .text = "IWAP49,68#", .said = "heart_rate=68 /min "},
    {.name = "W21 IW vital signs",
     .text = "IWAPHP,60,130,85,95,90,36.5,,,,,,,#",
     .said = "heart_rate=60 /min systolic=130 mm[Hg] diastolic=85 mm[Hg] spo2=95 % blood_glucose=90 mg/dL "
             "body_temperature=36.5 Cel "},
    {.name = "IW position",
     .text = "IWAP01261121A2232.5858N11403.4719E001.5003000323.8706000908000102,460,0,9520,3671,Home|74-DE|97#",
     .said = "latitude=22.54309667 deg longitude=114.057865 deg speed=1.5 km/h course=323.87 deg signal=60 % "
             "satellites=9 battery=80 % "},
    {.name = "IW SOS",
     .text = "IWAP10261121V0000.0000N00000.0000E000.0003000000.0006000008000502,460,0,9520,3671,01,zh-cn,00,#",
     .said = "signal=60 % satellites=0 battery=80 % !sos "},
    {.name = "IW alive",
     .text = "IWAP03,06000908000102,5555,30#",
     .said = "signal=60 % satellites=9 battery=80 % steps=5555 tumbles=30 "},
    {.name = "voice, escaped; LEN counts it without escapes",
     .hex = "5B 33 47 2A 38 38 30 30 30 30 30 30 31 35 2A 30 30 30 36 2A 54 4B 2C 7D 02 FF 7D 03 5D",
     .json = "\"command\":\"TK\",\"content_hex\":\"544B2C7D02FF7D03\""},
    {.name = "LEN off by one", .text = "[3G*6005412902*0009*heart,71]", .said = "heart_rate=71 /min "},
    {.name = "LEN off by two", .text = "[3G*6005412902*000A*heart,71]", .rule = "watch LEN: it does not fit", .at = 15},
    {.name = "another frame inside", .text = "[3G*6005412902*0008*heart[", .rule = "watch CONTENT: a frame", .at = 25},
    {.name = "nine digits", .text = "[3G*600541290*0002*LK]", .rule = "watch ID", .at = 4},
    {.name = "no maker", .text = "[*6005412902*0002*LK]", .rule = "watch MF", .at = 1},
    {.name = "LEN is no hex", .text = "[3G*6005412902*00x2*LK]", .rule = "watch LEN: four", .at = 15},
    {.name = "no command", .text = "[3G*6005412902*0002*,1]", .rule = "watch CONTENT: it begins", .at = 20},
    {.name = "no end", .text = "[3G*6005412902*0002*LK", .rule = "watch: the frame has no end", .at = 22},
    {.name = "two frames", .text = "[3G*6005412902*0002*LK][", .rule = "watch: bytes behind", .at = 23},
    {.name = "a position of nothing", .text = "[3G*6005412902*0004*UD,1]", .rule = "watch position", .at = 20},
    {.name = "no number", .text = "[3G*6005412902*0007*heart,x]", .rule = "watch values", .at = 20},
    {.name = "IW without an end", .text = "IWAP49,68", .rule = "watch: the frame has no end", .at = 9},
    {.name = "IW without an IMEI", .text = "IWAP0035345678901234#", .rule = "watch IWAP00", .at = 2},
    {.name = "IW inside IW", .text = "IWAP49,6IWAP49,68#", .rule = "watch IW: a frame begins", .at = 8},
    {.name = "nothing at all", .text = "LK", .rule = "watch: a frame begins with", .at = 0},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &watch_codec, rows, COUNT(rows));
}

static struct bytes frame_of(struct t *t, const char *content) {
    struct buf b;
    buf_init_arena(&b, &t->arena, WATCH_FRAME_MAX);
    watch_encode(&(struct watch_frame){.maker = S("3G"), .id = S("8800000015"), .content = str_of(content)}, &b);
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static bool is(struct bytes b, const char *text) {
    return b.len == strlen(text) && !memcmp(b.ptr, text, b.len);
}

static void what_is_owed_is_answered(struct t *t) {
    static const struct {
        const char *frame, *answer;
    } all[] = {
        {"[SG*8800000015*0002*LK]", "[SG*8800000015*0002*LK]"},
        {"[3G*6907919734*003e*AL_LTE,170525,214118,V,0,N,0,E,0,0,0,0,0,22,0,0,00010000,0,0,0]",
         "[3G*6907919734*0002*AL][3G*6907919734*0002*CR]"}, /* SOS: where is it? */
        {"[ZJ*014111001332708*0075*0002*AL]",
         "[ZJ*014111001332708*0075*0002*AL][ZJ*014111001332708*0075*0002*CR]"}, /* it may be one */
        {"[3G*6907919734*003A*AL,170525,214118,V,0,N,0,E,0,0,0,0,0,22,0,0,00020000,0,0,0]",
         "[3G*6907919734*0002*AL]"}, /* its battery */
        {"[3G*8800000015*0003*TKQ]", "[3G*8800000015*0003*TKQ]"},
        {"[3G*8800000015*0007*TK,AMR1]", "[3G*8800000015*0004*TK,1]"},
        {"[3G*8800000015*0004*TK,1]", NULL}, /* an answer to ours */
        {"[3G*6005412902*0008*heart,71]", "[3G*6005412902*0005*heart]"},
        {"[3G*6005412902*0008*HEART,71]", "[3G*6005412902*0005*HEART]"},
        {"[3G*8800000015*0004*INIT]", "[3G*8800000015*0006*INIT,1]"},
        {"[3G*8800000015*0004*JXTK]", "[3G*8800000015*0007*JXTKR,1]"},
        {"[3G*9031853319*004E*UD2,220322,055105,A,22.761162,N,114.360192,E,0,0,47,14,100,64,0,0,00000008,0,0]", NULL},
        {"[3G*8800000015*0004*FIND]", NULL}, /* confirms a command */
        {"IWAP00353456789012345#", "IWBP00,20261121003000,8#"},
        {"IWAP49,68#", "IWBP49#"},
        {"IWAPHT,60,130,85#", "IWBPHT#"},
        {"IWAP12,080835,110#", NULL}, /* confirms IWBP12, which would be said again */
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char out[256];
        struct buf b;
        buf_init(&b, out, sizeof out);
        watch_codec.reply(vector_bytes_of(all[i].frame), true, 1795221000 + 8 * 3600, &b);
        CHECK_SAY(t,
                  b.len == strlen(all[i].answer ? all[i].answer : "") &&
                      !memcmp(out, all[i].answer ? all[i].answer : "", b.len),
                  "%s: %.*s", all[i].frame, (int)b.len, out);
        buf_init(&b, out, sizeof out);
        watch_codec.reply(vector_bytes_of(all[i].frame), false, 0, &b);
        CHECK_SAY(t, !b.len, "%s: answered although it was wrong", all[i].frame);
    }
}

static struct decoded said_by(struct t *t, const char *content) {
    struct decoded d = {0};
    struct wire_error e = {0};
    bool ok = watch_codec.decode(frame_of(t, content), &t->arena, &d, &e);
    CHECK_SAY(t, ok, "%s: %s", content, e.rule);
    return d;
}

static void bits_are_alarms_and_states(struct t *t) {
    static const struct {
        const char *command, *status, *events; /* ! set, - over, each with a blank behind it */
    } all[] = {
        {"UD", "00000000", "-normal "},
        {"UD", "00000001", "!low_battery "},
        {"UD", "00004001", "!low_battery !power_cut "},
        {"UD", "0001", "!low_battery "}, /* four digits, in old firmware */
        {"UD", "00000002", "!fence_out -fence_in -normal "},
        {"UD", "00000004", "-fence_out !fence_in -normal "},
        {"UD", "00000018", "-normal "}, /* worn, at rest */
        {"UD", "zz", ""},
        {"UD2", "00010000", ""}, /* of a while ago */
        {"AL", "00010000", "!sos -normal "},
        {"AL", "00020000", "!low_battery "},
        {"AL", "00040000", "!fence_out -fence_in -normal "},
        {"AL", "00080000", "-fence_out !fence_in -normal "},
        {"AL", "00100000", "!taken_off -normal "},
        {"AL", "00200000", "!fall -normal "},
        {"AL", "00400000", "!fall -normal "},
        {"AL", "00310000", "!sos !fall !taken_off -normal "},
        {"AL", "00000000", "-normal !alarm "},
        {"AL", "zz", "!alarm "}, /* an alarm all the same */
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char content[160], said[160];
        struct buf b;
        snprintf(content, sizeof content, "%s,211126,003000,V,0,N,0,E,0,0,0,0,90,55,0,0,%s,0", all[i].command,
                 all[i].status);
        struct decoded d = said_by(t, content);
        buf_init(&b, said, sizeof said);
        for (size_t k = 0; k < d.events_n; k++)
            buf_fmt(&b, "%c" STR_FMT " ", d.events[k].is_set ? '!' : '-', STR_ARG(d.events[k].code));
        CHECK_SAY(t, !strcmp(said, all[i].events), "%s %s: %s", all[i].command, all[i].status, said);
        for (size_t k = 0; k < d.events_n; k++) {
            bool is_state = str_is(d.events[k].code, "low_battery") || str_is(d.events[k].code, "power_cut") ||
                            str_is(d.events[k].code, "normal");
            CHECK_SAY(t, d.events[k].is_level == is_state && !d.events[k].part.len == !is_state, "%s: level or not",
                      all[i].status);
        }
    }
    static const char *const bare[] = {"AL", "AL_LTE", "AL,1"};
    for (size_t i = 0; i < COUNT(bare); i++) {
        struct decoded d = said_by(t, bare[i]);
        CHECK_SAY(t, d.events_n == 1 && d.events[0].is_set && str_is(d.events[0].code, "alarm"), "%s", bare[i]);
    }
    CHECK(t, said_by(t, "UD").events_n == 0);
}

/* Events have the time of satellites, or that at which they come: a watch's own clock may be years off. */
static void alarms_have_the_time_of_a_fix(struct t *t) {
    static const struct {
        const char *frame;
        int64_t at_ms;
    } all[] = {
        {"[3G*8800000015*003C*AL,211126,003000,A,22.5,N,114.5,E,0,0,0,8,90,55,0,0,00010000]", 1795221000000},
        {"[3G*8800000015*003C*AL,211126,003000,V,22.5,N,114.5,E,0,0,0,8,90,55,0,0,00010000]", 0},
        {"[3G*8800000015*0002*AL]", 0},
        {"IWAP10261121A2232.5858N11403.4719E000.0003000000.0006009008000502,460,0,9520,3671,01,zh-cn,00,#",
         1795221000000},
        {"IWAP10261121V0000.0000N00000.0000E000.0003000000.0006000008000502,460,0,9520,3671,01,zh-cn,00,#", 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct decoded d = {0};
        struct wire_error e = {0};
        bool ok = watch_codec.decode(vector_bytes_of(all[i].frame), &t->arena, &d, &e);
        CHECK_SAY(t, ok && d.events_n, "%s: %s", all[i].frame, e.rule);
        for (size_t k = 0; k < d.events_n; k++)
            CHECK_SAY(t, d.events[k].at_ms == all[i].at_ms, "%s: %lld", all[i].frame, (long long)d.events[k].at_ms);
    }
}

static void places_and_times(struct t *t) {
    static const struct {
        const char *block;
        bool has_place;
        double latitude, longitude;
        int64_t at_ms;
    } all[] = {
        {"211126,003000,A,22.5,N,114.5,E", true, 22.5, 114.5, 1795221000000},
        {"211126,003000,A,22.5,S,114.5,W", true, -22.5, -114.5, 1795221000000},
        {"211126,003000,A,-22.5,N,-114.5,E", true, -22.5, -114.5, 1795221000000}, /* the sign says it */
        {"211126,003000,A,-22.5,S,-114.5,W", true, -22.5, -114.5, 1795221000000},
        {"211126,003000,A, 2 2.5,N, 114.5,", true, 22.5, 114.5, 1795221000000},
        {"211126,003000,A,90,N,180,E", true, 90, 180, 1795221000000},
        {"211126,003000,A,90.1,N,114.5,E", false, 0, 0, 1795221000000},
        {"211126,003000,A,22.5,N,180.1,E", false, 0, 0, 1795221000000},
        {"211126,003000,A,22.5", false, 0, 0, 1795221000000}, /* the rest is missing */
        {"211126,003000,V,22.5,N,114.5,E", false, 0, 0, 1795221000000},
        {"311126,003000,A,22.5,N,114.5,E", true, 22.5, 114.5, 0}, /* no such day: when it comes counts */
        {"211126,243000,A,22.5,N,114.5,E", true, 22.5, 114.5, 0},
        {"2111-6,003000,A,22.5,N,114.5,E", true, 22.5, 114.5, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char content[160];
        snprintf(content, sizeof content, "UD,%s", all[i].block);
        struct decoded d = said_by(t, content);
        CHECK_SAY(t, (d.readings_n >= 2) == all[i].has_place, "%s: %zu readings", all[i].block, d.readings_n);
        if (d.readings_n < 2) continue;
        CHECK_SAY(t, d.readings[0].value == all[i].latitude && d.readings[1].value == all[i].longitude, "%s: %g %g",
                  all[i].block, d.readings[0].value, d.readings[1].value);
        CHECK_SAY(t, d.readings[0].at_ms == all[i].at_ms, "%s: %lld", all[i].block, (long long)d.readings[0].at_ms);
    }
}

static void what_nobody_wears_measures_nothing(struct t *t) {
    static const struct {
        const char *content;
        size_t n;
    } all[] = {{"heart,0", 0},      {"heart,1", 1},        {"heart,300", 1},    {"heart,301", 0},  {"heart", 0},
               {"bphrt,0,0,0", 0},  {"bphrt,120,79", 2},   {"BLOOD,109,68", 2}, {"oxygen,0,0", 0}, {"oxygen,0,100", 1},
               {"oxygen,0,101", 0}, {"btemp2,0,35.29", 0}, {"btemp2,1,0", 0},   {"TEMP,36.5", 1},  {"LK,0,100", 0},
               {"LK,12,0,100", 3},  {"LK,12,0,101", 2},    {"UD,,,V", 0},       {"PULSE,72", 1}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct decoded d = said_by(t, all[i].content);
        CHECK_SAY(t, d.readings_n == all[i].n, "%s: %zu", all[i].content, d.readings_n);
    }
    struct decoded d;
    struct wire_error e;
    CHECK(t, watch_codec.decode(vector_bytes_of("[3G*6005412902*0009*heart,71]"), &t->arena, &d, &e) &&
                 d.readings[0].quality == QUALITY_SUSPECT);
    CHECK(t, watch_codec.decode(vector_bytes_of("[3G*6005412902*0008*heart,71]"), &t->arena, &d, &e) &&
                 d.readings[0].quality == QUALITY_GOOD);
    CHECK(t, watch_codec.decode(vector_bytes_of("IWAP49,68#"), &t->arena, &d, &e) && !d.sender.ptr &&
                 !d.readings[0].device.ptr); /* of whoever logged in */
    CHECK(t, watch_codec.decode(vector_bytes_of("IWAP00353456789012345,1#"), &t->arena, &d, &e) &&
                 str_is(d.sender, "353456789012345"));
    CHECK(t, watch_codec.decode(vector_bytes_of("IWAP01261121A2232.5858N11403.4719E001.5003000323.87060009080#"),
                                &t->arena, &d, &e) &&
                 d.readings[0].at_ms == 1795221000000); /* year, month, day */
}

static void what_a_watch_is_told(struct t *t) {
    static const struct {
        const char *item, *value, *key, *frame; /* NULL: it cannot be told */
    } all[] = {
        {"locate", NULL, NULL, "[3G*8800000015*0002*CR]"},
        {"locate", "1", NULL, NULL},
        {"locate", NULL, "SG", "[SG*8800000015*0002*CR]"},
        {"locate", NULL, "ZJ", "[ZJ*8800000015*0007*0002*CR]"},
        {"locate", NULL, "Z*", NULL},
        {"locate", NULL, "ZJJ", NULL},
        {"interval", "9", NULL, NULL},
        {"interval", "10", NULL, "[3G*8800000015*0009*UPLOAD,10]"},
        {"interval", "65535", NULL, "[3G*8800000015*000C*UPLOAD,65535]"},
        {"interval", "65536", NULL, NULL},
        {"interval", NULL, NULL, NULL},
        {"sos_1", "13800138000", NULL, "[3G*8800000015*0010*SOS1,13800138000]"},
        {"sos_2", "+8675512345678", NULL, "[3G*8800000015*0013*SOS2,+8675512345678]"},
        {"sos_3", "", NULL, "[3G*8800000015*0005*SOS3,]"}, /* taken away */
        {"sos_3", "1]", NULL, NULL},
        {"center", "110", NULL, "[3G*8800000015*000A*CENTER,110]"},
        {"find", NULL, NULL, "[3G*8800000015*0004*FIND]"},
        {"text", "你好a", NULL, "[3G*8800000015*0014*MESSAGE,4F60597D0061]"},
        {"text", "\xf0\x9f\x98\x80", NULL, NULL},
        {"text", "", NULL, NULL},
        {"heart_rate_interval", "300", NULL, "[3G*8800000015*000C*hrtstart,300]"},
        {"measure_temperature", NULL, NULL, "[3G*8800000015*0009*bodytemp2]"},
        {"fall_detection", "1,0", NULL, "[3G*8800000015*000C*FALLDOWN,1,0]"},
        {"fall_detection", "1", NULL, NULL},
        {"fall_detection", "1,2", NULL, NULL},
        {"fall_sensitivity", "5", NULL, "[3G*8800000015*0007*LSSET,5]"},
        {"language_and_zone", "1,8", NULL, "[3G*8800000015*0006*LZ,1,8]"},
        {"language_and_zone", "0,-3.5", NULL, "[3G*8800000015*0009*LZ,0,-3.5]"},
        {"language_and_zone", "1,15", NULL, NULL},
        {"server", "a.example:9000", NULL, "[3G*8800000015*0011*IP,a.example,9000]"},
        {"server", "a,b:9000", NULL, NULL},
        {"server", "a.example", NULL, NULL},
        {"restart", NULL, NULL, "[3G*8800000015*0005*RESET]"},
        {"power_off", NULL, NULL, "[3G*8800000015*0008*POWEROFF]"},
        {"dance", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = S("8800000015"),
                             .item = str_of(all[i].item),
                             .value = str_of(all[i].value),
                             .key = str_of(all[i].key),
                             .serial = 7};
        char out[256];
        struct buf b, data;
        const char *why = NULL;
        buf_init(&b, out, sizeof out);
        bool ok = watch_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == (all[i].frame != NULL), "%s=%s", all[i].item, all[i].value ? all[i].value : "");
        if (!ok || !all[i].frame) continue;
        struct bytes said = {(const uint8_t *)out, b.len};
        CHECK_SAY(t, is(said, all[i].frame), "%s: %.*s", all[i].item, (int)b.len, out);
        buf_init_arena(&data, &t->arena, WATCH_FRAME_MAX); /* the watch says it again */
        CHECK_SAY(t, watch_codec.asking->answers(&q, said, &data, &why) == ANSWER_WHOLE && !data.len, "%s: confirmed",
                  all[i].item);
    }
}

static void what_confirms_a_command(struct t *t) {
    static const struct {
        const char *item, *frame;
        enum answer answer;
        size_t readings;
    } all[] = {
        {"find", "[SG*8800000015*0004*FIND]", ANSWER_WHOLE, 0},
        {"find", "[SG*8800000016*0004*FIND]", ANSWER_OTHER, 0},
        {"find", "[SG*8800000015*0002*CR]", ANSWER_OTHER, 0},
        {"find", "IWAP49,68#", ANSWER_OTHER, 0},
        {"find", "[SG*8800000015*0004*FIN", ANSWER_OTHER, 0},
        {"locate", "[SG*8800000015*0002*CR]", ANSWER_WHOLE, 0},
        {"locate", "[SG*8800000015*0021*UD,211126,003000,A,22.5,N,114.5,E]", ANSWER_WHOLE, 2},
        {"locate", "[SG*8800000015*0022*UD2,211126,003000,A,22.5,N,114.5,E]", ANSWER_OTHER, 0},
        {"find", "[SG*8800000015*0021*UD,211126,003000,A,22.5,N,114.5,E]", ANSWER_OTHER, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = S("8800000015"), .item = str_of(all[i].item)};
        struct buf data;
        struct decoded d = {0};
        struct wire_error e = {0};
        const char *why = NULL;
        buf_init_arena(&data, &t->arena, WATCH_FRAME_MAX);
        enum answer got = watch_codec.asking->answers(&q, vector_bytes_of(all[i].frame), &data, &why);
        CHECK_SAY(t, got == all[i].answer, "%s, %s: %d", all[i].item, all[i].frame, (int)got);
        if (got != ANSWER_WHOLE) continue;
        CHECK(t, watch_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e));
        CHECK_SAY(t, str_is(d.sender, "8800000015") && d.readings_n == all[i].readings, "%s: %zu", all[i].frame,
                  d.readings_n);
    }
}

static void a_command_is_made_from_its_name(struct t *t) {
    static const struct {
        const char *json, *frame, *rule;
    } all[] = {
        {"{\"id\":\"8800000015\",\"item\":\"find\"}", "[3G*8800000015*0004*FIND]", NULL},
        {"{\"id\":\"8800000015\",\"item\":\"interval\",\"value\":\"60\",\"maker\":\"SG\"}",
         "[SG*8800000015*0009*UPLOAD,60]", NULL},
        {"{\"id\":\"8800000015\",\"item\":\"dance\"}", NULL, "item: is none"},
        {"{\"id\":\"8800000015\",\"content\":\"LK\"}", "[3G*8800000015*0002*LK]", NULL},
        {"{\"content\":\"AP49,68\"}", "IWAP49,68#", NULL},
        {"{\"id\":\"8800000015\"}", NULL, "content: is missing"},
        {"{\"id\":\"88\",\"content\":\"LK\"}", NULL, "watch ID"},
        {"{\"id\":\"8800000015\",\"content\":\"LK]\"}", NULL, "watch: bytes behind"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct fault f = {0};
        struct wire_error e = {0};
        char out[256];
        struct buf b;
        buf_init(&b, out, sizeof out);
        CHECK(t, !json_read(str_of(all[i].json), &o, &f));
        bool ok = watch_codec.make(o, &t->arena, &b, &e);
        CHECK_SAY(t, ok == (all[i].frame != NULL), "%s", all[i].json);
        if (ok && all[i].frame)
            CHECK_SAY(t, is((struct bytes){(const uint8_t *)out, b.len}, all[i].frame), "%s: %s", all[i].json, out);
        if (!ok && all[i].rule)
            CHECK_SAY(t, !strncmp(e.rule, all[i].rule, strlen(all[i].rule)), "%s: %s", all[i].json, e.rule);
        json_decref(o);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(what_is_owed_is_answered), CASE(bits_are_alarms_and_states),
      CASE(alarms_have_the_time_of_a_fix), CASE(places_and_times), CASE(what_nobody_wears_measures_nothing),
      CASE(what_a_watch_is_told), CASE(what_confirms_a_command), CASE(a_command_is_made_from_its_name))
