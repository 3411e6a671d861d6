/* Simulated devices that are asked: they count, keep midnights, obey whom they should.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "main/simulate/simulate.h"
#include "main/simulate/slave.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#define NOON_MS INT64_C(1790136000000) /* 2026-09-23, 12:00 in Beijing */
#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

struct site {
    struct t *t;
    const struct slave_protocol *p;
    struct slave_device devices[8];
    struct slave_line line;
    int64_t now_ms;
    int parts;   /* of the last answer */
    uint8_t nth; /* of the next question */
    struct decoded said;
    const char *why; /* it was refused */
};

static void start(struct site *s, struct t *t, const struct slave_protocol *p, size_t n) {
    *s = (struct site){.t = t, .p = p, .now_ms = NOON_MS};
    slave_devices(s->devices, n, p->first, 1);
    s->line = (struct slave_line){s->devices, n};
}

/* One question, all its parts.  False: nobody answers. */
static bool ask_with(struct site *s, const char *address, const char *item, const char *value, const char *key) {
    const struct asking *a = s->p->codec->asking;
    struct question q = {.address = str_of(address),
                         .item = str_of(item),
                         .value = str_of(value),
                         .key = str_of(key),
                         .now_s = s->now_ms / 1000 + SLAVE_CHINA_S,
                         .serial = 9,
                         .nth = s->nth};
    struct buf data;
    buf_init_arena(&data, &s->t->arena, 10000);
    s->why = NULL;
    for (s->parts = 1;; s->parts++, q.part++) {
        struct buf question, answer;
        buf_init_arena(&question, &s->t->arena, 400);
        buf_init_arena(&answer, &s->t->arena, 400);
        CHECK_SAY(s->t, a->ask(&q, &question), "%s %s cannot be asked", address, item);
        struct bytes whole = {(const uint8_t *)question.ptr, question.len};
        if (s->p->hear(&s->line, whole, s->now_ms, &answer) == SLAVE_NOT_OURS) return false;
        whole = (struct bytes){(const uint8_t *)answer.ptr, answer.len};
        enum answer what = a->answers(&q, whole, &data, &s->why);
        CHECK_SAY(s->t, what != ANSWER_OTHER, "%s %s: no answer of it", address, item);
        if (what != ANSWER_PART) break;
    }
    struct wire_error e = {NULL, 0};
    struct bytes all = {(const uint8_t *)(data.ptr ? data.ptr : ""), data.len};
    if (!s->why)
        CHECK_SAY(s->t, a->read(&q, all, &s->t->arena, &s->said, &e), "%s %s: %s", address, item, e.rule ? e.rule : "");
    return true;
}

static bool ask(struct site *s, const char *address, const char *item) {
    return ask_with(s, address, item, NULL, NULL);
}

static double said(const struct site *s, const char *metric) {
    for (size_t i = 0; i < s->said.readings_n; i++)
        if (str_is(s->said.readings[i].metric, metric)) return s->said.readings[i].value;
    CHECK_SAY(s->t, false, "%s is not said", metric);
    return -1;
}

static bool is_refused(const struct site *s, const char *why) {
    return s->why && !strcmp(s->why, why);
}

static bool is_near(double a, double b, double by) {
    return a - b < by && b - a < by;
}

#define METER "000000000889"

static void a_meter_counts_and_keeps_midnights(struct t *t) {
    struct site s;
    start(&s, t, &slave_dlt645, 2);
    CHECK(t, ask(&s, METER, "0001FF00") && s.parts == 2); /* a block is longer than one part */
    double now = said(&s, "energy");
    CHECK(t, is_near(now, said(&s, "energy_t1") + said(&s, "energy_t2") + said(&s, "energy_t3") + said(&s, "energy_t4"),
                     1e-6));
    CHECK(t, !ask(&s, METER, "901F")); /* it knows one edition */
    s.devices[0].is_of_1997 = true;
    CHECK(t, !ask(&s, METER, "0001FF00") && !ask(&s, METER, ""));
    CHECK(t, ask(&s, METER, "901F") && is_near(said(&s, "energy"), now, 1e-6));
    CHECK(t, ask(&s, METER, "B61F") && is_near(said(&s, "voltage_a"), 220, 5));
    s.devices[0].is_of_1997 = false;
    CHECK(t, ask(&s, METER, "02030000"));
    double kw = said(&s, "power");
    CHECK(t, ask(&s, METER, "0201FF00") && s.said.readings_n == 3 && is_near(said(&s, "voltage_c"), 220, 5));
    CHECK(t, ask(&s, METER, "02800002") && is_near(said(&s, "frequency"), 50, 0.1));
    CHECK(t, ask(&s, METER, "05060101"));
    double midnight = said(&s, "energy");
    CHECK(t, is_near(now - midnight, 12 * kw, kw));
    CHECK(t, ask(&s, METER, "05060102") && is_near(midnight - said(&s, "energy"), 24 * kw, kw));
    s.now_ms += HOUR_MS;
    CHECK(t, ask(&s, METER, "00010000") && is_near(said(&s, "energy") - now, kw, kw / 10));
    CHECK(t, ask(&s, METER, "05060101") && said(&s, "energy") == midnight);
    s.now_ms += DAY_MS;
    CHECK(t, ask(&s, METER, "05060102") && said(&s, "energy") == midnight);
    CHECK(t, ask(&s, METER, "04000999") && is_refused(&s, "no_data"));
    CHECK(t, ask(&s, "000000000890", "00010000") && !ask(&s, "000000000891", "00010000"));
    s.now_ms = NOON_MS - 264 * DAY_MS; /* the second of January: two midnights there are */
    CHECK(t, ask(&s, METER, "05060102") && !s.why);
    CHECK(t, ask(&s, METER, "05060103") && is_refused(&s, "no_data"));
}

static void a_relay_obeys_its_password(struct t *t) {
    struct site s;
    start(&s, t, &slave_dlt645, 1);
    CHECK(t, ask_with(&s, METER, "1C", "trip", "02000000") && is_refused(&s, "wrong_password"));
    CHECK(t, ask(&s, METER, "04000503") && said(&s, "relay_open") == 0);
    CHECK(t, ask_with(&s, METER, "1C", "trip", "02123456") && !s.why);
    CHECK(t, ask(&s, METER, "04000503") && said(&s, "relay_open") == 1);
    CHECK(t, ask(&s, METER, "00010000"));
    double then = said(&s, "energy");
    s.now_ms += HOUR_MS;
    CHECK(t, ask(&s, METER, "00010000") && said(&s, "energy") == then);
    CHECK(t, ask(&s, METER, "02030000") && said(&s, "power") == 0);
    CHECK(t, ask_with(&s, METER, "1C", "close", "02123456 00000001") && !s.why);
    s.now_ms += HOUR_MS;
    CHECK(t, ask(&s, METER, "00010000") && said(&s, "energy") > then);
    CHECK(t, ask(&s, METER, "04000503") && said(&s, "relay_open") == 0);
}

/* Something is heard, and no answer in it. */
static bool is_mixed(struct site *s, const char *address) {
    const struct asking *a = s->p->codec->asking;
    struct question q = {.address = str_of(address), .item = S("")};
    struct buf question, answer, data;
    const char *why = "";
    size_t len = 0;
    buf_init_arena(&question, &s->t->arena, 400);
    buf_init_arena(&answer, &s->t->arena, 400);
    buf_init_arena(&data, &s->t->arena, 400);
    CHECK(s->t, a->ask(&q, &question));
    struct bytes whole = {(const uint8_t *)question.ptr, question.len};
    if (s->p->hear(&s->line, whole, s->now_ms, &answer) == SLAVE_NOT_OURS) return false;
    for (whole = (struct bytes){(const uint8_t *)answer.ptr, answer.len}; whole.len;) {
        enum frame what = s->p->codec->frame(whole, &len);
        if (what == FRAME_SHORT) return true;
        if (what == FRAME_WHOLE && a->answers(&q, (struct bytes){whole.ptr, len}, &data, &why) != ANSWER_OTHER)
            return false;
        whole = (struct bytes){whole.ptr + len, whole.len - len};
    }
    return true;
}

static void who_is_asked_for_answers_where_it_is_alone(struct t *t) {
    struct site s;
    start(&s, t, &slave_dlt645, 1);
    CHECK(t, ask(&s, "AAAAAAAAAAAA", "") && str_is(s.said.sender, METER));
    start(&s, t, &slave_dlt645, 2);
    CHECK(t, is_mixed(&s, "AAAAAAAAAAAA"));
    CHECK(t, ask(&s, "AAAAAAAAAA89", "00010000") && str_is(s.said.sender, METER)); /* of 889 and 890 */
    start(&s, t, &slave_cjt188, 1);
    CHECK(t, ask(&s, "AAAAAAAAAAAAAA", "") && str_is(s.said.sender, "00000000000889"));
    start(&s, t, &slave_cjt188, 2);
    CHECK(t, is_mixed(&s, "AAAAAAAAAAAAAA"));
    for (int n = 2; n <= 8; n++) {
        start(&s, t, &slave_osdp, (size_t)n);
        CHECK(t, is_mixed(&s, "127"));
        start(&s, t, &slave_dlt645, (size_t)n);
        CHECK(t, is_mixed(&s, "AAAAAAAAAAAA"));
    }
}

#define WATER "00000000000889"

static void a_valve_stops_the_water(struct t *t) {
    struct site s;
    start(&s, t, &slave_cjt188, 2);
    CHECK(t, ask(&s, WATER, "901F") && said(&s, "valve") == 1);
    double then = said(&s, "volume");
    CHECK(t, then > said(&s, "volume_settlement") && said(&s, "volume_settlement") > 0);
    s.now_ms += HOUR_MS;
    CHECK(t, ask(&s, WATER, "10:901F<") && said(&s, "volume") > then);
    then = said(&s, "volume");
    CHECK(t, ask_with(&s, WATER, "A017", "close", NULL) && said(&s, "valve") == 1); /* it moves for a while */
    s.now_ms += 3999;
    CHECK(t, ask(&s, WATER, "901F") && said(&s, "valve") == 1);
    s.now_ms += 1;
    CHECK(t, ask(&s, WATER, "901F") && said(&s, "valve") == 0);
    then = said(&s, "volume");
    s.now_ms += HOUR_MS;
    CHECK(t, ask(&s, WATER, "901F") && said(&s, "volume") == then && said(&s, "valve") == 0);
    CHECK(t, ask_with(&s, WATER, "A017", "open", NULL) && said(&s, "valve") == 0);
    s.now_ms += HOUR_MS;
    CHECK(t, ask(&s, WATER, "901F") && said(&s, "valve") == 1 && said(&s, "volume") > then);
    CHECK(t, ask(&s, WATER, "8102") && is_refused(&s, "refused"));
    CHECK(t, !ask(&s, WATER, "20:901F") && !ask(&s, "00000000000891", "901F"));
}

static void a_controller_switches_and_remembers(struct t *t) {
    struct site s;
    start(&s, t, &slave_modbus_rtu, 3);
    CHECK(t, ask(&s, "3", "input:0:*0.1 input:4:u32") && is_near(said(&s, "input:0:*0.1"), 220, 5));
    double then = said(&s, "input:4:u32");
    s.now_ms += HOUR_MS;
    CHECK(t, ask(&s, "3", "holding:104:u32") && said(&s, "holding:104:u32") - then == 1500);
    CHECK(t, ask_with(&s, "3", "coil:0", "on", NULL) && ask(&s, "3", "discrete:0") && said(&s, "discrete:0") == 1);
    CHECK(t, ask(&s, "3", "input:2:f32 input:7") && said(&s, "input:2:f32") == 0 && said(&s, "input:7") == 1);
    CHECK(t, ask_with(&s, "2", "holding:99:s16:/10", "-4.5", NULL) && ask(&s, "2", "holding:99:s16:/10"));
    CHECK(t, said(&s, "holding:99:s16:/10") == -4.5);
    CHECK(t, ask(&s, "3", "holding:99") && said(&s, "holding:99") == 0);
    CHECK(t, ask_with(&s, "2", "holding:100", "1", NULL) && is_refused(&s, "illegal_address"));
    CHECK(t, ask(&s, "2", "input:8") && is_refused(&s, "illegal_address"));
    CHECK(t, !ask(&s, "4", "input:0"));
}

static void a_card_is_held_to_a_reader_and_its_output_opens(struct t *t) {
    struct site s;
    start(&s, t, &slave_osdp, 2);
    s.line.cards = "8065495,305419896";
    static const char *const values[] = {"8065495", "305419896", "8065495"};
    for (size_t i = 0; i < COUNT(values); i++, s.now_ms += 5000) {
        CHECK(t, ask(&s, "2", "poll") && s.said.passings_n == 1 && str_is(s.said.passings[0].value, values[i]));
        CHECK(t, ask(&s, "2", "poll") && !s.said.passings_n);
    }
    CHECK(t, ask(&s, "1", "poll") && s.said.passings_n == 1); /* another reader, another hand */
    CHECK(t, ask(&s, "1", "ostat") && said(&s, "output_0") == 0);
    CHECK(t, ask_with(&s, "1", "out", "0 5 30", NULL) && said(&s, "output_0") == 1);
    s.now_ms += 2999;
    CHECK(t, ask(&s, "1", "istat") && said(&s, "input_0") == 1);
    s.now_ms += 1;
    CHECK(t, ask(&s, "1", "ostat") && said(&s, "output_0") == 0);
    CHECK(t, ask_with(&s, "1", "led", "0 0 2 1 0 2 0 30 0 0 0 0 0", NULL) && !s.why);
    CHECK(t, ask_with(&s, "1", "out", "1 5 30", NULL) && is_refused(&s, "unknown_command"));
    CHECK(t, !ask(&s, "3", "poll"));
    start(&s, t, &slave_osdp, 1);
    CHECK(t, ask(&s, "127", "") && str_is(s.said.sender, "1"));
    CHECK(t, ask(&s, "1", "poll") && s.said.passings_n == 1); /* a made up card */
}

static void a_reader_counts_what_it_is_asked(struct t *t) {
    struct site s;
    start(&s, t, &slave_osdp, 1);
    s.nth = 1;
    CHECK(t, ask(&s, "1", "poll") && is_refused(&s, "sequence")); /* nobody began */
    s.nth = 0;
    CHECK(t, ask(&s, "1", "ostat") && !s.why);
    s.nth = 1;
    for (int i = 0; i < 3; i++) CHECK(t, ask(&s, "1", "poll") && s.said.passings_n == 1); /* the same answer again */
    s.nth = 2;
    CHECK(t, ask(&s, "1", "poll") && !s.why && !s.said.passings_n);
    s.nth = 1;
    CHECK(t, ask(&s, "1", "ostat") && is_refused(&s, "sequence"));
    s.nth = 3;
    CHECK(t, ask_with(&s, "1", "out", "0 5 30", NULL) && said(&s, "output_0") == 1);
    s.now_ms += 2000;
    CHECK(t, ask_with(&s, "1", "out", "0 5 30", NULL) && said(&s, "output_0") == 1);
    s.now_ms += 1000;
    s.nth = 4;
    CHECK(t, ask(&s, "1", "ostat") && said(&s, "output_0") == 0); /* said twice, it was done once */
    s.now_ms += 8000;
    s.nth = 5;
    CHECK(t, ask(&s, "1", "ostat") && is_refused(&s, "sequence")); /* it was left alone */
}

/* What a master makes of the bytes: the first frame that answers its question, if any does. */
static struct bytes taken(struct t *t, const struct codec *codec, const struct question *q, struct bytes in) {
    size_t len = 0;
    for (; in.len; in = (struct bytes){in.ptr + len, in.len - len}) {
        struct buf data;
        const char *why = NULL;
        enum frame what = codec->frame(in, &len);
        if (what == FRAME_SHORT) break;
        buf_init_arena(&data, &t->arena, 400);
        struct bytes one = {in.ptr, len};
        if (what == FRAME_WHOLE && codec->asking->answers(q, one, &data, &why) != ANSWER_OTHER) return one;
    }
    return (struct bytes){NULL, 0};
}

static struct bytes answered(struct site *s, struct question *q, struct bytes *ret_question) {
    struct buf question, answer;
    buf_init_arena(&question, &s->t->arena, 400);
    buf_init_arena(&answer, &s->t->arena, 400);
    q->serial++;
    CHECK(s->t, s->p->codec->asking->ask(q, &question));
    *ret_question = (struct bytes){(const uint8_t *)question.ptr, question.len};
    CHECK(s->t, s->p->hear(&s->line, *ret_question, s->now_ms, &answer) == SLAVE_ANSWERS);
    return (struct bytes){(const uint8_t *)answer.ptr, answer.len};
}

/* Whatever goes wrong, the right answer is found where it is, and nothing is taken for it. */
static void what_goes_wrong_hides_no_answer(struct t *t) {
    static const struct {
        const struct slave_protocol *p;
        const char *address, *first, *then;
    } all[] = {{&slave_dlt645, METER, "02030000", "00010000"},
               {&slave_cjt188, WATER, "901F", "901F"},
               {&slave_modbus, "1", "input:0", "input:6"},
               {&slave_modbus_rtu, "1", "input:0", "input:6"}};
    for (size_t i = 0; i < COUNT(all); i++)
        for (int fault = 0; fault <= SLAVE_FAULTS; fault++)
            for (int turn = 0; turn < 2; turn++) {
                struct site s;
                struct buf out;
                uint64_t random = 7;
                start(&s, t, all[i].p, 2);
                struct question q = {.address = str_of(all[i].address), .item = str_of(all[i].first)};
                struct slave_answer a = {.fault = (enum slave_fault)fault, .turn = turn};
                a.before = answered(&s, &q, &a.question);
                q.item = str_of(all[i].then);
                a.frame = answered(&s, &q, &a.question);
                buf_init_arena(&out, &t->arena, 20000);
                slave_put(all[i].p, &a, &random, &out);
                bool is_there = fault != SLAVE_LOST && fault != SLAVE_BADSUM;
                struct bytes got = taken(t, all[i].p->codec, &q, (struct bytes){(const uint8_t *)out.ptr, out.len});
                CHECK_SAY(t, is_there ? got.len == a.frame.len && !memcmp(got.ptr, a.frame.ptr, got.len) : !got.len,
                          "%s, %s %d", all[i].p->name, fault < SLAVE_FAULTS ? slave_fault_names[fault] : "none", turn);
                size_t copies = fault == SLAVE_STORM ? SIM_STORM_TIMES : fault == SLAVE_REPLAY ? 2 : is_there;
                CHECK_SAY(t, out.len >= copies * a.before.len, "%d: %zu bytes", fault, out.len);
                CHECK(t, fault == SLAVE_LOST ? !out.len : fault < SLAVE_FAULTS || out.len == a.frame.len);
            }
}

static void what_drifts_is_ahead_and_shows_more(struct t *t) {
    struct site s;
    start(&s, t, &slave_cjt188, 2);
    s.devices[0].is_drifting = true;
    CHECK(t, ask(&s, WATER, "901F"));
    double before = said(&s, "volume");
    for (int i = 0; i < 600; i++) CHECK(t, ask(&s, WATER, "901F"));
    CHECK(t, is_near(said(&s, "volume") - before, 10 * 0.06, 0.02)); /* ten hours */
    CHECK(t, ask(&s, "00000000000890", "901F"));
    before = said(&s, "volume");
    CHECK(t, ask(&s, "00000000000890", "901F") && said(&s, "volume") == before);
    start(&s, t, &slave_modbus, 1);
    s.devices[0].is_drifting = true;
    for (int i = 0; i < 1000; i++) CHECK(t, ask(&s, "1", "input:0:*0.1"));
    CHECK(t, is_near(said(&s, "input:0:*0.1"), 1.2 * 220, 5));
    start(&s, t, &slave_dlt645, 1);
    s.devices[0].is_drifting = true;
    CHECK(t, ask(&s, METER, "00010000"));
    double then = said(&s, "energy");
    for (int i = 0; i < 60; i++) CHECK(t, ask(&s, METER, "00010000"));
    CHECK(t, said(&s, "energy") > then);
    for (int i = 0; i < 200; i++) CHECK(t, ask(&s, METER, "00010000"));
    CHECK(t, ask_with(&s, METER, "1C", "trip", "02123456") && s.why); /* it is over by its clock */
}

TESTS(CASE(what_goes_wrong_hides_no_answer), CASE(what_drifts_is_ahead_and_shows_more),
      CASE(a_meter_counts_and_keeps_midnights), CASE(a_relay_obeys_its_password),
      CASE(who_is_asked_for_answers_where_it_is_alone), CASE(a_valve_stops_the_water),
      CASE(a_controller_switches_and_remembers), CASE(a_card_is_held_to_a_reader_and_its_output_opens),
      CASE(a_reader_counts_what_it_is_asked))
