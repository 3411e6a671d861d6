/* Vectors of HJ 212 packets, what is refused, flags, answers.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define H05                                                                                                     \
    "##0252QN=20261121083000000;ST=39;CN=2011;PW=123456;MN=440300ESTATE000000000001;Flag=5;CP=&&DataTime="      \
    "20261121083000;a34004-Rtd=35.2,a34004-Flag=N;a34002-Rtd=61.0,a34002-Flag=N;a01001-Rtd=21.5,a01001-Flag=N;" \
    "a01002-Rtd=55.1,a01002-Flag=N;LA-Rtd=52.3,LA-Flag=N&&1B00\r\n"
#define H06 "##0087QN=20261121083000000;ST=91;CN=9014;PW=123456;MN=440300ESTATE000000000001;Flag=4;CP=&&&&D341\r\n"

static const struct vector rows[] = {
    {.name = "H01 set the interval",
     .text =
         "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
         "1C80\r\n",
     .json =
         "\"cn\":1062,\"command\":\"set_interval\",\"mn\":\"010000A8900016F000169DC0\",\"flag\":5,\"answer_wanted\":"
         "true,\"items\":[{\"key\":\"RtdInterval\",\"value\":\"30\"}]"},
    {.name = "H02 an air station",
     .text =
         "##0317QN=20191012133710130;ST=22;CN=2011;PW=123456;MN=Y80110010000010;Flag=4;CP=&&DataTime=20191012133710;"
         "a21005-Rtd=0.00,a21005-Flag=N;a21004-Rtd=0.00,a21004-Flag=N;a21007-Rtd=0.033,a21007-Flag=N;a21006-Rtd=0."
         "036,a21006-Flag=N;a21001-Rtd=25.40,a21001-Flag=N;a21003-Rtd=101.94,a21003-Flag=N;a21002-Rtd=49.20,a21002-"
         "Flag=N&&cc01\r\n",
     .said = "co=0 mg/m3 no2=0 ug/m3 a21007=0.033 a21006=0.036 a21001=25.4 no=101.94 ug/m3 nox=49.2 ug/m3 -missing ",
     .device = "Y80110010000010"},
    {.name = "H03 neither QN nor Flag",
     .text = "##0109ST=32;CN=2011;PW=123456;MN=NJGDKYYC202101q0001w0001;CP=&&DataTime=20210305003817000;ele01-Rtd=1;"
             "ele02-Rtd=0&&8c41\r\n",
     .said = "ele01=1 ele02=0 ",
     .device = "NJGDKYYC202101q0001w0001"},
    {.name = "H04 a wrong sum",
     .text =
         "##0275QN=20190901181526940;ST=32;CN=2011;PW=123456;MN=Y80110010000010;Flag=4;CP=&&DataTime=20190901181500;"
         "a21005-Rtd=1.760,a21005-Flag=N;a21026-Rtd=106.400,a21026-Flag=N;O3-Rtd=63.400,O3-Flag=N;a21004-Rtd=63."
         "200,a21004-Flag=N;a34002-Rtd=9,a34002-Flag=N;a34004-Rtd=4,a34004-Flag=N&&1100\r\n",
     .rule = "HJ 212 Appendix A",
     .at = 281},
    {.name = "H05 dust and noise",
     .text = H05,
     .said = "pm25=35.2 ug/m3 pm10=61 ug/m3 temperature=21.5 Cel humidity=55.1 % noise=52.3 dB(A) -missing "},
    {.name = "H06 the answer", .text = H06, .json = "\"command\":\"data_answer\""},
    {.name = "H07 an hour",
     .text = "##0179QN=20261121090000000;ST=22;CN=2061;PW=123456;MN=440300ESTATE000000000001;Flag=5;CP=&&DataTime="
             "20261121080000;a21026-Cou=0.5,a21026-Min=6,a21026-Avg=8,a21026-Max=11,a21026-Flag=N&&18C0\r\n",
     .said = "so2_hour_sum=0.5 ug/m3 so2_hour_min=6 ug/m3 so2_hour_avg=8 ug/m3 so2_hour_max=11 ug/m3 -missing "},
    {.name = "H08 accepted",
     .text =
         "##0094QN=20160801085857223;ST=91;CN=9011;PW=100000;MN=010000A8900016F000169DC0;Flag=4;CP=&&QnRtn=1&&E101\r\n",
     .json = "\"command\":\"request_answer\""},
    {.name = "H09 done",
     .text = "##0095QN=20160801085857223;ST=91;CN=9012;PW=100000;MN=010000A8900016F000169DC0;Flag=4;CP=&&ExeRtn=1&&"
             "21C0\r\n",
     .json = "\"command\":\"result\""},
    {.name = "H10 part 1 of 2",
     .text = "##0153QN=20261121083000001;ST=39;CN=2051;PW=123456;MN=440300ESTATE000000000001;Flag=7;PNUM=2;PNO=1;CP=&&"
             "DataTime=20261121083000;a34004-Avg=34.8,a34004-Flag=N&&8D01\r\n",
     .json = "\"parts\":2,\"part\":1",
     .said = "pm25_minute_avg=34.8 ug/m3 -missing "},
    {.name = "H11 2005",
     .text =
         "##0149QN=20061121083000000;ST=22;CN=2011;PW=123456;MN=88888880000001;Flag=1;CP=&&DataTime=20061121083000;107-"
         "Rtd=0.061,107-Flag=N;B03-Rtd=52.3,B03-Flag=N&&4A40\r\n",
     .said = "tsp=0.061 mg/m3 noise=52.3 dB(A) -missing ",
     .device = "88888880000001"},
    {.name = "one #", .text = "#0087QN", .rule = "HJ 212 packet: a packet begins", .at = 0},
    {.name = "no length", .text = "##00x7QN", .rule = "HJ 212 packet: the length is", .at = 2},
    {.name = "cut short", .text = "##0087QN", .rule = "HJ 212 packet: the length does", .at = 2},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &hj212_codec, rows, COUNT(rows));
}

static void the_sum_of_appendix_a(struct t *t) {
    CHECK(t, hj212_crc((struct bytes){(const uint8_t *)"123456789", 9}) == 0x2f80);
    CHECK(t,
          hj212_crc((struct bytes){NULL, 0}) == 0xffff && hj212_crc((struct bytes){(const uint8_t *)"A", 1}) == 0x7080);
}

/* A packet around the data. */
static struct bytes packet(struct t *t, const char *data) {
    struct buf b;
    buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
    CHECK(t, hj212_encode(str_of(data), &b));
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static void what_is_owed_is_answered(struct t *t) {
    static const struct {
        const char *data, *answer;
    } all[] = {
        {"QN=1;ST=22;CN=2011;PW=1;MN=A;Flag=5;CP=&&&&", "QN=1;ST=91;CN=9014;PW=1;MN=A;Flag=4;CP=&&&&"},
        {"QN=1;ST=22;CN=2051;PW=1;MN=A;Flag=7;PNUM=2;PNO=1;CP=&&&&", "QN=1;ST=91;CN=9014;PW=1;MN=A;Flag=4;CP=&&&&"},
        {"ST=22;CN=2061;MN=A;Flag=1;CP=&&&&", "ST=91;CN=9014;MN=A;Flag=0;CP=&&&&"},
        {"QN=1;ST=22;CN=2011;PW=1;MN=A;Flag=4;CP=&&&&", NULL}, /* none is wanted */
        {"QN=1;ST=22;CN=2011;PW=1;MN=A;CP=&&&&", NULL},
        {"QN=1;ST=22;CN=2021;PW=1;MN=A;Flag=5;CP=&&SB1-RS=1&&", "QN=1;ST=91;CN=9014;PW=1;MN=A;Flag=4;CP=&&&&"},
        {"QN=1;ST=91;CN=9012;PW=1;MN=A;Flag=5;CP=&&ExeRtn=1&&", NULL}, /* an answer itself */
    };
    char out[512];
    struct buf b;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bytes want = all[i].answer ? packet(t, all[i].answer) : (struct bytes){NULL, 0};
        buf_init(&b, out, sizeof out);
        hj212_codec.reply(packet(t, all[i].data), true, 0, &b);
        CHECK_SAY(t, b.len == want.len && !memcmp(out, want.ptr ? want.ptr : (const uint8_t *)"", want.len), "%s: %.*s",
                  all[i].data, (int)b.len, out);
    }
    buf_init(&b, out, sizeof out);
    hj212_codec.reply(vector_bytes_of(rows[4].text), true, 0, &b);
    CHECK(t, b.len == strlen(H06) && !memcmp(out, H06, b.len)); /* H05 is answered with H06 */
    buf_init(&b, out, sizeof out);
    hj212_codec.reply(vector_bytes_of(rows[3].text), false, 0, &b);
    CHECK(t, !b.len);
}

/* A notice is answered, where that is wanted, and the clock is set. */
static void who_asks_for_the_time_is_told_it(struct t *t) {
    static const struct {
        const char *data, *answer /* NULL: none */, *clock;
    } all[] = {
        {"QN=1;ST=22;CN=1013;PW=1;MN=A;Flag=5;CP=&&&&", "QN=1;ST=91;CN=9013;PW=1;MN=A;Flag=4;CP=&&&&",
         "QN=20160801085857000;ST=22;CN=1012;PW=1;MN=A;Flag=5;CP=&&SystemTime=20160801085857&&"},
        {"QN=1;ST=32;CN=1013;MN=A;Flag=1;CP=&&PolId=w01018&&", "QN=1;ST=91;CN=9013;MN=A;Flag=0;CP=&&&&",
         "QN=20160801085857000;ST=32;CN=1012;MN=A;Flag=1;CP=&&PolId=w01018;SystemTime=20160801085857&&"},
        {"CN=1013;MN=A;CP=&&PolId=x&&&&", NULL,
         "QN=20160801085857000;ST=91;CN=1012;MN=A;Flag=1;CP=&&SystemTime=20160801085857&&"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bytes clock = packet(t, all[i].clock);
        struct bytes answer = all[i].answer ? packet(t, all[i].answer) : (struct bytes){clock.ptr, 0};
        char out[512];
        struct buf b;
        buf_init(&b, out, sizeof out);
        hj212_codec.reply(packet(t, all[i].data), true, INT64_C(1470041937), &b);
        CHECK_SAY(t,
                  b.len == answer.len + clock.len && !memcmp(out, answer.ptr, answer.len) &&
                      !memcmp(out + answer.len, clock.ptr, clock.len),
                  "%s: %.*s", all[i].data, (int)b.len, out);
    }
}

/* "so2=1 pm25=2? -missing(hour)": ? is suspect, what is over has a dash. */
static const char *said(struct t *t, const struct decoded *d) {
    struct buf b;
    buf_init_arena(&b, &t->arena, 2000);
    for (size_t i = 0; i < d->readings_n; i++)
        buf_fmt(&b, STR_FMT "=%g" STR_FMT "%s ", STR_ARG(d->readings[i].metric), d->readings[i].value,
                STR_ARG(d->readings[i].unit), d->readings[i].quality == QUALITY_SUSPECT ? "?" : "");
    for (size_t i = 0; i < d->events_n; i++) {
        const struct device_event *e = &d->events[i];
        buf_fmt(&b, "%s%s" STR_FMT "(" STR_FMT "): " STR_FMT " ", e->is_kept ? "kept " : "", e->is_set ? "" : "-",
                STR_ARG(e->code), STR_ARG(e->part), STR_ARG(e->text));
    }
    struct str text = S("");
    return buf_done(&b, &text) && text.len ? text.ptr : "";
}

/* What is answered with 9014 has said something, or is shown as not understood. */
static void nothing_that_is_answered_goes_unsaid(struct t *t) {
    static const struct {
        int cn;
        const char *cp, *said;
        bool is_strange;
    } all[] = {
        {2021, "DataTime=20261121083000;SB1-RS=1;SB2-RS=0", "SB1_state=1 SB2_state=0 ", false},
        {2041, "DataTime=20261121000000;SB1-RT=11.5", "SB1_day_running_time=11.5h ", false},
        {2011, "a21026-Rtd=8,a21026-ZsRtd=9,a21026-Flag=N", "so2=8ug/m3 so2_converted=9ug/m3 -missing():  ", false},
        {2061, "a21026-ZsMin=1;a21026-ZsAvg=2;a21026-ZsMax=3",
         "so2_hour_min_converted=1ug/m3 so2_hour_avg_converted=2ug/m3 so2_hour_max_converted=3ug/m3 ", false},
        {2011, "a34004-Flag=D;a34002-Rtd=,a34002-Flag=B;a01001-Rtd=3,a01001-Flag=N",
         "temperature=3Cel missing(): pm25 D, pm10 B ", false},
        {2051, "a34004-Avg=1,a34004-Flag=T", "pm25_minute_avg=1ug/m3? kept -missing(minute):  ", false},
        {2061, "a34004-Flag=M", "kept missing(hour): pm25_hour M ", false},
        {2031, "Leq-Data=50.1,L5-Data=60,LMx-Data=70", "noise_leq_day=50.1dB(A) L5_day=60 LMx_day=70 ", false},
        {2011, "a34004-Rtd=1,a34004-EFlag=A01,a34004-Xyz=7", "pm25=1ug/m3 pm25_Xyz=7ug/m3 info(a34004): EFlag=A01 ",
         false},
        {2081, "DataTime=20261121083000;RestartTime=20261121082900", "restarted(): 20261121082900 ", false},
        {2011, "DataTime=20261121083000", "", false}, /* it holds nothing */
        {2011, "", "", false},
        {2011, "weather=fine", "", true},
        {2021, "DataTime=20261121083000;SB1=on", "", true},
        {2011, "a34004-Rtd=--", "", true},
        {9021, "weather=fine", "", false}, /* it is not answered */
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char data[300];
        struct decoded d;
        struct wire_error e;
        snprintf(data, sizeof data, "ST=22;CN=%d;MN=A;CP=&&%s&&", all[i].cn, all[i].cp);
        CHECK(t, hj212_codec.decode(packet(t, data), &t->arena, &d, &e));
        const char *got = said(t, &d);
        CHECK_SAY(t, !strcmp(got, all[i].said), "%s: %s", all[i].cp, got);
        CHECK_SAY(t, !!d.strange == all[i].is_strange, "%s: strange", all[i].cp);
    }
}

/* Only the first of them tells the time. */
static void parts_have_the_time_of_the_first(struct t *t) {
    static const struct {
        const char *mn, *qn;
        int cn, part;
        const char *cp;
        int64_t after_ms, at_s; /* at_s -1: it is refused */
    } all[] = {
        {"A", "1", 2011, 2, "a34002-Rtd=1", 0, -1}, /* before the first: it comes again */
        {"A", "1", 2011, 1, "DataTime=20261121083000;a34004-Rtd=1", 0, 1795249800},
        {"A", "1", 2011, 2, "a34002-Rtd=1", 0, 1795249800},
        {"A", "1", 2011, 3, "DataTime=20261121083100;a34002-Rtd=1", 0, 1795249860}, /* one that has its own */
        {"A", "2", 2011, 2, "a34002-Rtd=1", 0, -1},
        {"B", "1", 2011, 2, "a34002-Rtd=1", 0, -1},
        {"A", "1", 2051, 2, "a34002-Avg=1", 0, -1},
        {"A", "1", 2011, 2, "a34002-Rtd=1", 59999, 1795249860},
        {"A", "1", 2011, 2, "a34002-Rtd=1", 60000, -1},
        {"A", NULL, 2061, 1, "DataTime=20261121080000;a34004-Avg=1", 0, 1795248000}, /* without QN */
        {"A", NULL, 2061, 2, "a34002-Avg=1", 0, 1795248000},
        {"A", "7", 2021, 1, "SB1-RS=1", 0, 0}, /* without a time */
        {"A", "7", 2021, 2, "SB2-RS=1", 0, 0},
    };
    struct hj212_times *times = arena_new(&t->arena, struct hj212_times, 1);
    int64_t now_ms = 5;
    for (size_t i = 0; times && i < COUNT(all); i++) {
        char data[300], qn[20] = "";
        struct decoded d;
        struct wire_error e = {"", 0};
        now_ms += all[i].after_ms;
        if (all[i].qn) snprintf(qn, sizeof qn, "QN=%s;", all[i].qn);
        snprintf(data, sizeof data, "%sST=22;CN=%d;MN=%s;Flag=7;PNUM=3;PNO=%d;CP=&&%s&&", qn, all[i].cn, all[i].mn,
                 all[i].part, all[i].cp);
        struct bytes whole = packet(t, data);
        CHECK(t, hj212_codec.joining->is_part(whole));
        bool ok = hj212_hear(times, whole, now_ms, &t->arena, &d, &e);
        CHECK_SAY(t, ok == (all[i].at_s >= 0), "row %zu: %s", i, e.rule);
        if (ok) CHECK_SAY(t, d.readings_n == 1 && d.readings[0].at_s == all[i].at_s, "row %zu", i);
    }
    CHECK(t, !hj212_codec.joining->is_part(packet(t, "CN=2011;MN=A;CP=&&a-Rtd=1&&")));
    for (int i = 0; i < 3 * HJ212_UNDERWAY; i++) { /* begun, and then gone on with: the oldest are forgotten */
        int n = i % (2 * HJ212_UNDERWAY), part = i < 2 * HJ212_UNDERWAY ? 1 : 2;
        char data[200];
        struct decoded d;
        struct wire_error e;
        snprintf(data, sizeof data, "QN=%d;CN=2011;MN=A;PNUM=2;PNO=%d;CP=&&%s&&", part == 1 ? n : n + HJ212_UNDERWAY,
                 part, part == 1 ? "DataTime=20261121083000" : "a-Rtd=1");
        CHECK(t, hj212_hear(times, packet(t, data), ++now_ms, &t->arena, &d, &e));
        snprintf(data, sizeof data, "QN=%d;CN=2011;MN=A;PNUM=2;PNO=2;CP=&&a-Rtd=1&&", n);
        if (part == 2) CHECK(t, !hj212_hear(times, packet(t, data), now_ms, &t->arena, &d, &e));
    }
}

static void flags_times_and_gaps(struct t *t) {
    static const struct {
        const char *cp;
        size_t n;
        double value; /* of the last one */
        int64_t at_s;
        bool is_suspect;
    } all[] = {
        {"DataTime=20261121083000;a34004-Rtd=35.2,a34004-Flag=N", 1, 35.2, 1795249800, false},
        {"DataTime=20261121083000123;a34004-Rtd=35.2,a34004-Flag=D", 1, 35.2, 1795249800, true},
        {"DataTime=20261121083000;a34004-Rtd=35.2;a34004-Flag=T", 1, 35.2, 1795249800, true}, /* ; for , */
        {"DataTime=20261121083000;a34004-Rtd=,a34004-Flag=D;a34002-Rtd=3,a34002-Flag=N", 1, 3, 1795249800, false},
        {"DataTime=20261121083000;a34004-Rtd=--,a34004-Flag=B", 0, 0, 0, false},
        {"DataTime=20261321083000;a34004-Rtd=1", 1, 1, 0, false}, /* no such month: when it comes counts */
        {"a34004-Rtd=1", 1, 1, 0, false},
        {"a34004-Avg=1", 1, 1, 0, false},
        {"DataTime=20261121083000;a34004-Flag=D,a34004-Rtd=3", 1, 3, 1795249800, true}, /* before its value */
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char data[256];
        struct decoded d;
        struct wire_error e;
        snprintf(data, sizeof data, "ST=39;CN=2011;MN=A;CP=&&%s&&", all[i].cp);
        CHECK(t, hj212_codec.decode(packet(t, data), &t->arena, &d, &e));
        CHECK_SAY(t, d.readings_n == all[i].n, "%s: %zu readings", all[i].cp, d.readings_n);
        if (!d.readings_n) continue;
        const struct reading *r = &d.readings[d.readings_n - 1];
        CHECK_SAY(t, r->value > all[i].value - 1e-9 && r->value < all[i].value + 1e-9 && r->at_s == all[i].at_s,
                  "%s: %g at %lld", all[i].cp, r->value, (long long)r->at_s);
        CHECK_SAY(t, (r->quality == QUALITY_SUSPECT) == all[i].is_suspect, "%s: quality", all[i].cp);
    }
}

static void what_names_nobody_is_refused(struct t *t) {
    static const struct {
        const char *data, *rule;
        size_t at;
    } all[] = {
        {"CN=2011;CP=&&&&", "HJ 212 data: MN is missing", 6},
        {"MN=;CN=2011;CP=&&&&", "HJ 212 data: MN is missing", 6},
        {"CN=2011;MN=a b;CP=&&&&", "HJ 212 data: MN is no name", 17},
        {"CN=2011;MN=\xff;CP=&&&&", "HJ 212 data: MN is no name", 17},
        {"MN=A;CP=&&&&", "HJ 212 data: CN is missing", 6},
        {"MN=A;CN=2011;PNUM=x;CP=&&&&", "HJ 212 data: CN, Flag", 19},
        {"MN=A;CN;CP=&&&&", "HJ 212 data: a field is KEY=value", 11},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct decoded d;
        struct wire_error e = {"", 0};
        bool ok = hj212_codec.decode(packet(t, all[i].data), &t->arena, &d, &e);
        CHECK_SAY(t, !ok && str_starts(str_of(e.rule), str_of(all[i].rule)) && e.at == all[i].at, "%s: %s at %zu",
                  all[i].data, e.rule, e.at);
    }
    struct decoded d;
    struct wire_error e;
    struct bytes odd = packet(t, "MN=A;CN=2011;CP=&&-Rtd=1,\xff-Rtd=2,a\tb-Rtd=3,x-Rtd=4&&");
    CHECK(t, hj212_codec.decode(odd, &t->arena, &d, &e) && d.readings_n == 1); /* factors without a name */
    CHECK(t, str_is(d.readings[0].metric, "x"));
}

static void a_password_is_wanted_of_what_is_kept(struct t *t) {
    static const struct {
        const char *data;
        enum claim proof;
        size_t at;
    } all[] = {
        {"CN=2011;PW=123456;MN=S1;CP=&&&&", CLAIM_PROVEN, 0},
        {"CN=9012;PW=123456;MN=S1;CP=&&ExeRtn=1&&", CLAIM_PROVEN, 0},
        {"CN=2011;PW=123457;MN=S1;CP=&&&&", CLAIM_WRONG, 17},
        {"CN=2011;PW=12345;MN=S1;CP=&&&&", CLAIM_WRONG, 17},
        {"CN=2011;PW=1234567;MN=S1;CP=&&&&", CLAIM_WRONG, 17},
        {"CN=2011;PW=;MN=S1;CP=&&&&", CLAIM_WRONG, 17},
        {"CN=2011;MN=S1;CP=&&&&", CLAIM_WRONG, 6},
        {"CN=2021;MN=S1;CP=&&&&", CLAIM_WRONG, 6},
        {"CN=2081;MN=S1;CP=&&&&", CLAIM_WRONG, 6},
        {"CN=1011;MN=S1;CP=&&SystemTime=20261121083000&&", CLAIM_WRONG, 6},
        {"CN=1013;MN=S1;CP=&&&&", CLAIM_WRONG, 6},
        {"CN=9011;MN=S1;CP=&&QnRtn=1&&", CLAIM_OPEN, 0}, /* nothing of these is kept */
        {"CN=9021;MN=S1;CP=&&&&", CLAIM_OPEN, 0},
        {"CN=9021;PW=x;MN=S1;CP=&&&&", CLAIM_WRONG, 17},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct wire_error e = {NULL, 0};
        struct buf b;
        buf_init_arena(&b, &t->arena, HJ212_FRAME_MAX);
        CHECK(t, hj212_encode(str_of(all[i].data), &b));
        enum claim got = hj212_codec.prove((struct bytes){(const uint8_t *)b.ptr, b.len}, S("123456"), &e);
        CHECK_SAY(t, got == all[i].proof && e.at == all[i].at, "%s: %d at %zu", all[i].data, got, e.at);
        CHECK(t, got == CLAIM_WRONG ? str_starts(str_of(e.rule), S("HJ 212 PW: ")) : !e.rule);
    }
}

/* Data may be of hours before; the answer to a question has our own time. */
static void what_the_clock_of_a_station_shows(struct t *t) {
    static const struct {
        const char *data, *clock; /* "": the packet does not tell */
    } all[] = {{"QN=20261121083000500;CN=2011;MN=A;CP=&&DataTime=20261121082959;a-Rtd=1&&", "20261121083000"},
               {"QN=20261121080000001;CN=2011;MN=A;CP=&&DataTime=20261121083000;a-Rtd=1&&", "20261121083000"},
               {"CN=2011;MN=A;CP=&&DataTime=20261121083000;a-Rtd=1&&", "20261121083000"},
               {"QN=20261121083000500;CN=2061;MN=A;CP=&&DataTime=20261121070000;a-Avg=1&&", "20261121083000"},
               {"CN=2061;MN=A;CP=&&DataTime=20261121070000;a-Avg=1&&", ""},
               {"QN=20261121083000500;CN=9012;MN=A;CP=&&ExeRtn=1&&", ""}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct decoded d;
        struct wire_error e;
        CHECK(t, hj212_codec.decode(packet(t, all[i].data), &t->arena, &d, &e));
        CHECK_SAY(t, d.clock_s == hj212_time_of(str_of(all[i].clock)), "%s", all[i].data);
    }
}

/* The time of what was measured is that of an hour before; QN is of when each packet was sent. */
static void parts_show_the_clock_as_a_whole_packet_does(struct t *t) {
    struct hj212_times *times = arena_new(&t->arena, struct hj212_times, 1);
    for (int part = 1; times && part <= 2; part++) {
        char data[200];
        struct decoded d;
        struct wire_error e;
        snprintf(data, sizeof data, "QN=20261121083000500;CN=2061;MN=A;Flag=7;PNUM=2;PNO=%d;CP=&&%sa-Avg=1&&", part,
                 part == 1 ? "DataTime=20261121070000;" : "");
        CHECK(t, hj212_hear(times, packet(t, data), 5, &t->arena, &d, &e));
        CHECK_SAY(t, d.clock_s == hj212_time_of(S("20261121083000")), "part %d: %lld", part, (long long)d.clock_s);
    }
}

TESTS(CASE(parts_show_the_clock_as_a_whole_packet_does), CASE(what_the_clock_of_a_station_shows),
      CASE(a_password_is_wanted_of_what_is_kept), CASE(what_names_nobody_is_refused), CASE(vectors_of_the_sheet),
      CASE(the_sum_of_appendix_a), CASE(what_is_owed_is_answered), CASE(who_asks_for_the_time_is_told_it),
      CASE(nothing_that_is_answered_goes_unsaid), CASE(parts_have_the_time_of_the_first), CASE(flags_times_and_gaps))
