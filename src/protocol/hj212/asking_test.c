/* HJ 212 as the centre: questions as the sheet has them, answers known by QN, data in parts.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/hj212/hj212.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define NOW_S INT64_C(1470041937) /* 2016-08-01T08:58:57, of the standard's example */
#define MN    "010000A8900016F000169DC0"
#define QN    "QN=20160801085857223;"
#define H01   "##0101" QN "ST=32;CN=1062;PW=100000;MN=" MN ";Flag=5;CP=&&RtdInterval=30&&1C80\r\n"
#define H08   "##0094" QN "ST=91;CN=9011;PW=100000;MN=" MN ";Flag=4;CP=&&QnRtn=1&&E101\r\n"
#define H09   "##0095" QN "ST=91;CN=9012;PW=100000;MN=" MN ";Flag=4;CP=&&ExeRtn=1&&21C0\r\n"

static struct question question(const char *item, const char *value) {
    return (struct question){.address = S(MN),
                             .item = str_of(item),
                             .value = str_of(value),
                             .key = S("100000"),
                             .now_s = NOW_S,
                             .serial = 223};
}

static struct str ask(struct t *t, const struct question *q) {
    struct buf b;
    struct str got = S("");
    buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
    bool ok = hj212_codec.asking->ask(q, &b);
    CHECK(t, ok == (b.len > 0) && (!ok || buf_done(&b, &got)));
    return got;
}

static struct bytes packet(struct t *t, const char *data) {
    struct buf b;
    buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
    CHECK(t, hj212_encode(str_of(data), &b));
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static void the_standards_example_is_asked_and_answered(struct t *t) {
    struct question q = question("32:interval", "30");
    struct buf data;
    const char *why = "";
    CHECK(t, str_is(ask(t, &q), H01));
    buf_init_arena(&data, &t->arena, 100);
    CHECK(t, hj212_codec.asking->answers(&q, vector_bytes_of(H08), &data, &why) == ANSWER_MORE);
    CHECK(t, hj212_codec.asking->answers(&q, vector_bytes_of(H09), &data, &why) == ANSWER_WHOLE && !data.len);
    q.serial = 222;
    CHECK(t, hj212_codec.asking->answers(&q, vector_bytes_of(H09), &data, &why) == ANSWER_OTHER);
}

/* Each as ST, CN and CP. */
static void every_command_can_be_said(struct t *t) {
    static const struct {
        const char *item, *value, *said; /* NULL: it cannot be said */
    } all[] = {
        {"timeout", "5 3", "91 1000 OverTime=5;ReCount=3"},
        {"clock", NULL, "91 1011 "},
        {"clock", "read", "91 1011 "},
        {"clock", "", "91 1011 "},
        {"clock", "now", "91 1012 SystemTime=20160801085857"},
        {"39:clock", "20261121083000", "39 1012 SystemTime=20261121083000"},
        {"interval", NULL, "91 1061 "},
        {"minute_interval", NULL, "91 1063 "},
        {"minute_interval", "10", "91 1064 MinInterval=10"},
        {"password", "654321", "91 1072 NewPW=654321"},
        {"realtime", NULL, "91 2011 "},
        {"realtime", "stop", "91 2012 "},
        {"state", NULL, "91 2021 "},
        {"state", "stop", "91 2022 "},
        {"day", "20261101000000 20261121000000", "91 2031 BeginTime=20261101000000;EndTime=20261121000000"},
        {"day_state", "20261101000000 now", "91 2041 BeginTime=20261101000000;EndTime=20160801085857"},
        {"minute", "20261121080000 20261121090000", "91 2051 BeginTime=20261121080000;EndTime=20261121090000"},
        {"22:hour", "20261121080000 20261121090000", "22 2061 BeginTime=20261121080000;EndTime=20261121090000"},
        {"calibrate", "w01018", "91 3011 PolId=w01018"},
        {"sample", "w01018", "91 3012 PolId=w01018"},
        {"clean", "w01018", "91 3013 PolId=w01018"},
        {"compare", "w01018", "91 3014 PolId=w01018"},
        {"keep_sample", "now", "91 3015 "},
        {"sampling", "w01018 080000 2", "91 3016 PolId=w01018;CstartTime=080000;CTime=2"},
        {"sampling", "w01018", "91 3017 PolId=w01018"},
        {"sampling_time", "w01018", "91 3018 PolId=w01018"},
        {"serial_number", "w01018", "91 3019 PolId=w01018"},
        {"3020", "PolId=w01018;InfoId=i12001", "91 3020 PolId=w01018;InfoId=i12001"},
        {"32:3015", NULL, "32 3015 "},
        {"0999", NULL, NULL},
        {"4000", NULL, NULL},
        {"9014", NULL, NULL},
        {"3020", "PolId=w01018&&", NULL},
        {"3020", "PolId=\r\n", NULL},
        {"weather", NULL, NULL},
        {"", NULL, NULL},
        {"3x:clock", NULL, NULL},
        {"clock", "20261321083000", NULL},
        {"clock", "2026-11-21", NULL},
        {"interval", "x", NULL},
        {"interval", "123456", NULL},
        {"interval", "30 30", NULL},
        {"hour", "20261121080000", NULL},
        {"hour", NULL, NULL},
        {"password", "a;CN=1062", NULL},
        {"39:password", "654321", NULL}, /* under one name only */
        {"1072", "NewPW=654321", NULL},
        {"password", "a&&", NULL},
        {"calibrate", NULL, NULL},
        {"keep_sample", NULL, NULL},
        {"realtime", "go", NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(all[i].item, all[i].value);
        struct str got = ask(t, &q);
        struct hj212_frame f;
        struct wire_error e = {"", 0};
        char said[256] = "";
        CHECK_SAY(t, !!got.len == !!all[i].said, "%s %s", all[i].item, all[i].value ? all[i].value : "");
        if (!got.len || !all[i].said) continue;
        CHECK_SAY(t, hj212_decode((struct bytes){(const uint8_t *)got.ptr, got.len}, &f, &e), "%s: %s", all[i].item,
                  e.rule);
        snprintf(said, sizeof said, STR_FMT " %d " STR_FMT, STR_ARG(f.st), (int)f.command, STR_ARG(f.cp));
        CHECK_SAY(t, !strcmp(said, all[i].said), "%s: %s", all[i].item, said);
        CHECK(t, f.flag == 5 && str_is(f.mn, MN) && str_is(f.pw, "100000") && str_is(f.qn, "20160801085857223"));
    }
}

/* A station of 2005 has other commands, says who it answers in CP, and is told no version. */
static void a_station_of_2005_is_spoken_to_as_such(struct t *t) {
    static const struct {
        const char *item, *value, *data;
    } all[] = {
        {"32:hour", "20061121080000 20061121090000",
         QN "ST=32;CN=2061;MN=88888880000001;Flag=1;CP=&&BeginTime=20061121080000,EndTime=20061121090000&&"},
        {"password", "654321", QN "ST=91;CN=1072;MN=88888880000001;Flag=1;CP=&&PW=654321&&"},
        {"32:minute_interval", NULL, NULL},
        {"32:calibrate", "011", NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(all[i].item, all[i].value);
        q.address = S("88888880000001");
        q.key = (struct str){NULL, 0};
        struct str got = ask(t, &q), want = S("");
        struct bytes b = all[i].data ? packet(t, all[i].data) : (struct bytes){NULL, 0};
        if (b.len) want = (struct str){(const char *)b.ptr, b.len};
        CHECK_SAY(t, str_eq(got, want), "%s: " STR_FMT, all[i].item, STR_ARG(got));
    }
    struct question q = question("interval", "30");
    struct buf data;
    const char *why = "";
    q.address = S("88888880000001");
    buf_init_arena(&data, &t->arena, 100);
    struct bytes done = packet(t, "ST=91;CN=9012;PW=1;MN=88888880000001;CP=&&" QN "ExeRtn=1&&");
    CHECK(t, hj212_codec.asking->answers(&q, done, &data, &why) == ANSWER_WHOLE);
}

static void who_cannot_be_asked(struct t *t) {
    static const struct {
        const char *mn, *pw;
    } all[] = {{"", "1"}, {"A;CN=1", "1"}, {"A B", "1"}, {"A", ""}, {"A", "1;"}, {"\xe7\xab\x99", "1"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question("clock", NULL);
        q.address = str_of(all[i].mn);
        q.key = str_of(all[i].pw);
        CHECK_SAY(t, !ask(t, &q).len, "row %zu", i);
    }
    struct question q = question("clock", NULL);
    q.part = 1;
    CHECK(t, !ask(t, &q).len);
}

static void answers_have_words(struct t *t) {
    static const struct {
        const char *item, *value, *data; /* behind QN and MN */
        enum answer answer;
        const char *why;
    } all[] = {
        {"interval", "30", "CN=9011;CP=&&QnRtn=1&&", ANSWER_MORE, NULL},
        {"interval", "30", "CN=9011;CP=&&QnRtn=2&&", ANSWER_REFUSED, "refused"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=3&&", ANSWER_REFUSED, "wrong_password"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=4&&", ANSWER_REFUSED, "wrong_station"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=5&&", ANSWER_REFUSED, "wrong_system"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=6&&", ANSWER_REFUSED, "wrong_flag"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=7&&", ANSWER_REFUSED, "wrong_number"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=8&&", ANSWER_REFUSED, "no_such_command"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=9&&", ANSWER_REFUSED, "wrong_sum"},
        {"interval", "30", "CN=9011;CP=&&QnRtn=100&&", ANSWER_REFUSED, "unknown_error"},
        {"interval", "30", "CN=9011;CP=&&&&", ANSWER_REFUSED, "unknown_error"},
        {"interval", "30", "CN=9012;CP=&&ExeRtn=1&&", ANSWER_WHOLE, NULL},
        {"interval", "30", "CN=9012;CP=&&ExeRtn=2&&", ANSWER_REFUSED, "failed"},
        {"interval", "30", "CN=9012;CP=&&ExeRtn=3&&", ANSWER_REFUSED, "wrong_condition"},
        {"interval", "30", "CN=9012;CP=&&ExeRtn=4&&", ANSWER_REFUSED, "timed_out"},
        {"interval", "30", "CN=9012;CP=&&ExeRtn=5&&", ANSWER_REFUSED, "busy"},
        {"interval", "30", "CN=9012;CP=&&ExeRtn=6&&", ANSWER_REFUSED, "system_fault"},
        {"interval", "30", "CN=9012;CP=&&ExeRtn=100&&", ANSWER_REFUSED, "no_data"},
        {"realtime", "stop", "CN=9013;CP=&&&&", ANSWER_WHOLE, NULL},
        {"interval", "30", "CN=9014;CP=&&&&", ANSWER_WHOLE, NULL},
        {"interval", NULL, "CN=1061;CP=&&RtdInterval=30&&", ANSWER_MORE, NULL},
        {"interval", "30", "CN=1061;CP=&&RtdInterval=30&&", ANSWER_OTHER, NULL},
        {"1061", NULL, "CN=1061;CP=&&RtdInterval=30&&", ANSWER_MORE, NULL},
        {"weather", NULL, "CN=9012;CP=&&ExeRtn=1&&", ANSWER_OTHER, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(all[i].item, all[i].value);
        const char *why = NULL;
        char text[256];
        struct buf data;
        buf_init_arena(&data, &t->arena, 512);
        snprintf(text, sizeof text, QN "ST=91;MN=" MN ";%s", all[i].data);
        struct bytes whole = packet(t, text);
        CHECK_SAY(t, hj212_codec.asking->answers(&q, whole, &data, &why) == all[i].answer, "%s %s", all[i].item,
                  all[i].data);
        CHECK_SAY(t, !why == !all[i].why && (!why || !strcmp(why, all[i].why)), "%s: %s", all[i].data, why);
        q.address = S("010000A8900016F000169DC1");
        CHECK(t, hj212_codec.asking->answers(&q, whole, &data, &why) == ANSWER_OTHER);
    }
    struct question q = question("interval", NULL);
    struct buf data;
    const char *why = NULL;
    buf_init_arena(&data, &t->arena, 512);
    CHECK(t, hj212_codec.asking->answers(&q, packet(t, "CN=9012;MN=" MN ";CP=&&ExeRtn=1&&"), &data, &why) ==
                 ANSWER_OTHER); /* without QN it may answer anything */
}

static void data_come_in_parts(struct t *t) {
#define PART(n, no, cp) QN "ST=39;CN=2061;MN=" MN ";Flag=6;PNUM=" #n ";PNO=" #no ";CP=&&" cp "&&"
    static const char one[] = PART(2, 1, "DataTime=20261121080000;a34004-Avg=35.2,a34004-Flag=N"),
                      two[] = PART(2, 2, "a34002-Avg=61,a34002-Flag=N"),
                      later[] = QN "ST=39;CN=2061;MN=" MN ";CP=&&DataTime=20261121090000;a34004-Avg=36&&",
                      undated[] = QN "ST=39;CN=2061;MN=" MN ";CP=&&a34004-Avg=36&&";
    static const struct {
        const char *packets[4];
        size_t readings;   /* 0: refused */
        int64_t last_at_s; /* of the last one */
    } all[] = {
        {{one, two}, 2, 1795248000},
        {{one, two, two, one}, 2, 1795248000},
        {{two, one}, 2, 1795248000},
        {{one, two, later}, 3, 1795251600},
        {{one, two, undated}, 3, 0},
        {{later}, 1, 1795251600},
        {{one}, 0, 0},
        {{two}, 0, 0},
        {{one, later}, 0, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question("hour", "20261121080000 20261121100000");
        struct decoded d = {0};
        struct wire_error e = {"", 0};
        struct buf data;
        const char *why;
        buf_init_arena(&data, &t->arena, 2048);
        for (size_t k = 0; k < 4 && all[i].packets[k]; k++)
            CHECK(t, hj212_codec.asking->answers(&q, packet(t, all[i].packets[k]), &data, &why) == ANSWER_MORE);
        bool ok = hj212_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e);
        CHECK_SAY(t, ok == (all[i].readings > 0), "row %zu: %s", i, e.rule);
        if (!ok) CHECK_SAY(t, str_starts(str_of(e.rule), S("HJ 212 PNO")), "row %zu: %s", i, e.rule);
        if (!ok) continue;
        CHECK_SAY(t, d.readings_n == all[i].readings && str_is(d.sender, MN), "row %zu: %zu", i, d.readings_n);
        CHECK_SAY(t, d.readings_n && d.readings[d.readings_n - 1].at_s == all[i].last_at_s, "row %zu", i);
        CHECK(t, str_is(d.readings[0].device, MN));
    }
    struct question q = question("hour", "20261121080000 20261121100000");
    struct decoded d;
    struct wire_error e;
    CHECK(t, hj212_codec.asking->read(&q, (struct bytes){NULL, 0}, &t->arena, &d, &e) && str_is(d.sender, MN));
    CHECK(t, !hj212_codec.asking->read(&q, vector_bytes_of("##01"), &t->arena, &d, &e));
}

static void settings_are_events(struct t *t) {
    static const struct {
        const char *data, *code, *text, *part;
    } all[] = {
        {"CN=1011;CP=&&SystemTime=20160801085857&&", "clock", "20160801085857", ""},
        {"CN=1011;CP=&&PolId=w01018;SystemTime=20160801085857&&", "clock", "20160801085857", "w01018"},
        {"CN=1061;CP=&&RtdInterval=30&&", "realtime_interval", "30", ""},
        {"CN=1063;CP=&&MinInterval=10&&", "minute_interval", "10", ""},
        {"CN=3015;CP=&&DataTime=20160801085857;VaseNo=1&&", "bottle", "1", ""},
        {"CN=3017;CP=&&PolId=w01018;CTime=2&&", "sampling_interval", "2", "w01018"},
        {"CN=3018;CP=&&PolId=w01018;Stime=60&&", "sampling_time", "60", "w01018"},
        {"CN=3019;CP=&&PolId=w01018;w01018-SN=12345&&", "serial_number", "12345", "w01018"},
        {"CN=3020;CP=&&PolId=w01018;i12001-Info=1&&", "info", "1", "i12001"},
        {"CN=2081;CP=&&DataTime=20160801085857;RestartTime=20160801085800&&", "restarted", "20160801085800", ""},
        {"CN=1062;CP=&&RtdInterval=30&&", NULL, NULL, NULL}, /* what it is told */
        {"CN=3019;CP=&&w01018-SN=\xff&&", NULL, NULL, NULL}, /* no text */
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char text[256];
        struct decoded d;
        struct wire_error e;
        snprintf(text, sizeof text, "ST=32;MN=" MN ";%s", all[i].data);
        CHECK(t, hj212_codec.decode(packet(t, text), &t->arena, &d, &e) && !d.readings_n);
        CHECK_SAY(t, d.events_n == (all[i].code ? 1u : 0u), "%s: %zu", all[i].data, d.events_n);
        if (!d.events_n || !all[i].code) continue;
        const struct device_event *x = &d.events[0];
        CHECK_SAY(t, str_is(x->code, all[i].code) && str_is(x->text, all[i].text) && str_is(x->part, all[i].part),
                  "%s: " STR_FMT, all[i].data, STR_ARG(x->code));
        CHECK(t, str_is(x->device, MN) && x->is_set && !x->is_level);
    }
}

TESTS(CASE(the_standards_example_is_asked_and_answered), CASE(every_command_can_be_said),
      CASE(a_station_of_2005_is_spoken_to_as_such), CASE(who_cannot_be_asked), CASE(answers_have_words),
      CASE(data_come_in_parts), CASE(settings_are_events))
