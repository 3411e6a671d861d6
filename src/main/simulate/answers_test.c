/* What is asked over a protocol the devices that are played answer, and the protocol understands.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "main/simulate/simulate.h"
#include "tests/lib/test.h"

#include <string.h>

#define NOW_MS INT64_C(1795221000000) /* 2026-11-21T08:30:00 in China */
#define NOW_S  (NOW_MS / 1000 + 8 * 3600)
#define MN     "440300LINLI0000000000889"

struct play {
    struct t *t;
    const struct sim_protocol *sim;
    const struct codec *codec;
    struct world_sim clock;
    struct world world;
    struct sim_options o;
    struct sim_device d;
    uint8_t serial;
};

static void begin(struct play *p, struct t *t, const struct sim_protocol *sim, uint32_t faults) {
    *p = (struct play){.t = t, .sim = sim, .codec = codec_find(str_of(sim->name)), .clock = {.utc_ms = NOW_MS}};
    p->world = world_sim(&p->clock);
    p->o = (struct sim_options){.first = 889, .description = "烟感", .faults = faults, .world = &p->world};
    p->d = (struct sim_device){.random = 1};
}

/* Asks, and gives what the answers come to: what they say in *ret, or why not in *ret_why. */
static enum answer ask(struct play *p, struct question q, struct decoded *ret, const char **ret_why) {
    struct buf out, back, data;
    size_t used = 0, len;
    uint16_t serial;
    struct wire_error e = {"", 0};
    enum answer last = ANSWER_OTHER;
    buf_init_arena(&out, &p->t->arena, SIM_FRAME_MAX);
    buf_init_arena(&back, &p->t->arena, SIM_ANSWER_MAX);
    buf_init_arena(&data, &p->t->arena, SIM_ANSWER_MAX);
    q.serial = ++p->serial;
    q.now_s = p->clock.utc_ms / 1000 + 8 * 3600;
    CHECK(p->t, p->codec->asking->ask(&q, &out));
    struct bytes question = {(const uint8_t *)out.ptr, out.len};
    CHECK(p->t, p->sim->hear(question, &used, &serial) == SIM_ASKED && used == out.len);
    CHECK(p->t, p->sim->answer(&p->o, &p->d, question, &back));
    for (size_t at = 0; at < back.len; at += len) {
        struct bytes rest = {(const uint8_t *)back.ptr + at, back.len - at};
        CHECK(p->t, last != ANSWER_WHOLE && last != ANSWER_REFUSED);
        CHECK(p->t, p->codec->frame(rest, &len) == FRAME_WHOLE);
        last = p->codec->asking->answers(&q, (struct bytes){rest.ptr, len}, &data, ret_why);
        CHECK(p->t, last != ANSWER_OTHER);
    }
    if (last == ANSWER_WHOLE)
        CHECK_SAY(
            p->t,
            p->codec->asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &p->t->arena, ret, &e),
            "%s", e.rule);
    return last;
}

static struct question question(const struct play *p, const char *item, const char *value) {
    bool is_panel = !strcmp(p->sim->name, "gb26875");
    return (struct question){.address = is_panel ? S("889") : S(MN),
                             .item = str_of(item),
                             .value = str_of(value),
                             .key = is_panel ? (struct str){NULL, 0} : S("123456")};
}

static void check_code(struct play *p, const char *item, const char *value, const char *code, size_t n) {
    struct decoded d = {0};
    const char *why = "";
    enum answer got = ask(p, question(p, item, value), &d, &why);
    CHECK_SAY(p->t, got == ANSWER_WHOLE, "%s: %d %s", item, got, why);
    CHECK_SAY(p->t, d.events_n + d.readings_n == n, "%s: %zu", item, d.events_n + d.readings_n);
    if (n && d.events_n && !d.readings_n) CHECK_SAY(p->t, str_is(d.events[0].code, code), "%s", item);
    if (n && d.readings_n) CHECK_SAY(p->t, str_is(d.readings[0].metric, code), "%s", item);
}

static void a_panel_answers_all_there_is_to_ask(struct t *t) {
    static const struct {
        const char *item, *value, *code;
        size_t n;
    } all[] = {{"system_state:1.1", NULL, "normal", 1},
               {"component_state:1.1.131082", NULL, "normal", 1},
               {"analogue:11.1.65541", NULL, "pressure.99.65541", 1},
               {"system_operations:1.1 3 2026-11-21T02:00:00", NULL, "reset", 3},
               {"system_operations:1.1 9 2026-11-21T07:00:00", NULL, "reset", 2}, /* the rest is still to come */
               {"system_version:1.1", NULL, "version", 1},
               {"system_configuration:1.1", NULL, "configuration", 1},
               {"component_configuration:1.1.131082", NULL, "configuration", 1},
               {"system_clock:1.1", NULL, "clock", 1},
               {"device_state", NULL, "normal", 1},
               {"device_operations:200 2026-11-20T08:30:00", NULL, "reset", 8},
               {"device_version", NULL, "version", 1},
               {"device_configuration", NULL, "configuration", 1},
               {"device_clock", NULL, "clock", 1},
               {"init", "now", "", 0}};
    struct play p;
    begin(&p, t, &sim_gb26875, 0);
    for (size_t i = 0; i < COUNT(all); i++) check_code(&p, all[i].item, all[i].value, all[i].code, all[i].n);
    struct decoded d;
    const char *why = "";
    struct question later = question(&p, "device_operations", "5 2026-11-22T08:30:00");
    CHECK(t, ask(&p, later, &d, &why) == ANSWER_REFUSED && !strcmp(why, "denied"));
    struct question other = question(&p, "device_state", NULL);
    other.address = S("890"); /* another panel */
    CHECK(t, ask(&p, other, &d, &why) == ANSWER_OTHER);
}

static void a_panels_clock_is_set(struct t *t) {
    struct play p;
    struct decoded d = {0};
    const char *why = "";
    begin(&p, t, &sim_gb26875, 0);
    check_code(&p, "clock", "2027-01-01T00:00:00", "", 0);
    CHECK(t, ask(&p, question(&p, "device_clock", NULL), &d, &why) == ANSWER_WHOLE && d.events_n == 1);
    CHECK(t, str_is(d.events[0].text, "2027-01-01T00:00:00") && d.events[0].at_s == civil_day(2027, 1, 1) * 86400);
    check_code(&p, "clock", "now", "", 0);
    CHECK(t, p.d.shift_s == 0);
}

/* A guard who is called answers within seconds, once; where nobody is there, not at all. */
static void a_guard_answers_when_he_is_called(struct t *t) {
    for (int is_absent = 0; is_absent < 2; is_absent++) {
        struct play p;
        begin(&p, t, &sim_gb26875, is_absent ? 1u << SIM_ABSENT : 0);
        check_code(&p, "duty", "10", "", 0);
        CHECK(t, is_absent ? !p.d.owes_ms : p.d.owes_ms >= NOW_MS + 2000 && p.d.owes_ms <= NOW_MS + 6000);
        int answers = 0;
        for (int64_t after_ms = 0; after_ms <= 60000; after_ms += 500) {
            struct buf b;
            struct decoded d = {0};
            struct wire_error e = {"", 0};
            bool is_due = p.d.owes_ms && NOW_MS + after_ms >= p.d.owes_ms;
            buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
            CHECK(t, p.sim->speak(&p.o, &p.d, NOW_MS + after_ms, &b));
            CHECK_SAY(t, p.codec->decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &d, &e), "%s",
                      e.rule);
            bool is_answer = d.events_n && str_is(d.events[0].code, "duty_answer");
            CHECK(t, is_answer == is_due);
            answers += is_answer;
        }
        CHECK(t, answers == !is_absent);
    }
}

static void a_station_answers_all_there_is_to_ask(struct t *t) {
    static const struct {
        const char *item, *value, *code;
        size_t n;
    } all[] = {{"timeout", "5 3", "", 0},
               {"clock", NULL, "clock", 1},
               {"interval", NULL, "realtime_interval", 1},
               {"minute_interval", NULL, "minute_interval", 1},
               {"realtime", NULL, "pm25", 5 + 1} /* whether any is missing */,
               {"realtime", "stop", "", 0},
               {"state", NULL, "SB1_state", 1},
               {"39:hour", "20261121050000 20261121073000", "pm25_hour_min", 3 * (15 + 1)},
               {"minute", "20261121080000 20261121083000", "pm25_minute_min", 3 * (15 + 1)},
               {"day", "20261119000000 20261121083000", "pm25_day_min", 2 * (15 + 1)},
               {"day_state", "20261119000000 now", "SB1_day_running_time", 2},
               {"hour", "20261101000000 now", "pm25_hour_min", 16 * (15 + 1)}, /* the first 16 */
               {"calibrate", "w01018", "", 0},
               {"keep_sample", "now", "bottle", 1},
               {"sampling", "w01018 080000 2", "", 0},
               {"sampling", "w01018", "sampling_start", 2},
               {"sampling_time", "w01018", "sampling_time", 1},
               {"serial_number", "w01018", "serial_number", 1},
               {"3020", "PolId=w01018;InfoId=i12001", "info", 1}};
    struct play p;
    begin(&p, t, &sim_hj212, 0);
    for (size_t i = 0; i < COUNT(all); i++) check_code(&p, all[i].item, all[i].value, all[i].code, all[i].n);
}

static void a_station_refuses_with_a_reason(struct t *t) {
    static const struct {
        const char *item, *value, *pw, *why;
    } all[] = {{"clock", NULL, "654321", "wrong_password"},
               {"clock", NULL, NULL, "wrong_password"},
               {"1999", NULL, "123456", "no_such_command"},
               {"hour", "20271101000000 20271201000000", "123456", "no_data"},
               {"1012", "SystemTime=yesterday", "123456", "wrong_condition"},
               {"3011", NULL, "123456", "wrong_condition"}};
    struct play p;
    begin(&p, t, &sim_hj212, 0);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(&p, all[i].item, all[i].value);
        struct decoded d;
        const char *why = "";
        q.key = str_of(all[i].pw);
        CHECK_SAY(t, ask(&p, q, &d, &why) == ANSWER_REFUSED && !strcmp(why, all[i].why), "%s: %s", all[i].item, why);
    }
    CHECK(t, p.d.shift_s == 0);
}

static void a_station_becomes_what_it_is_told(struct t *t) {
    struct play p;
    struct decoded d = {0};
    const char *why = "";
    begin(&p, t, &sim_hj212, 0);
    check_code(&p, "interval", "60", "", 0);
    CHECK(t, ask(&p, question(&p, "interval", NULL), &d, &why) == ANSWER_WHOLE && str_is(d.events[0].text, "60"));
    check_code(&p, "clock", "20270101000000", "", 0);
    CHECK(t, ask(&p, question(&p, "clock", NULL), &d, &why) == ANSWER_WHOLE && d.events_n == 1 &&
                 str_is(d.events[0].text, "20270101000000"));
    check_code(&p, "password", "654321", "", 0);
    CHECK(t, ask(&p, question(&p, "clock", NULL), &d, &why) == ANSWER_REFUSED && !strcmp(why, "wrong_password"));
    struct question q = question(&p, "clock", "now");
    q.key = S("654321");
    CHECK(t, ask(&p, q, &d, &why) == ANSWER_WHOLE && p.d.shift_s == 0);
}

static int64_t said_at_s(struct play *p) {
    struct buf b;
    struct decoded d = {0};
    struct wire_error e = {"", 0};
    for (int i = 0; i < 1000; i++) {
        buf_init_arena(&b, &p->t->arena, SIM_FRAME_MAX);
        CHECK(p->t, p->sim->speak(&p->o, &p->d, NOW_MS, &b));
        CHECK_SAY(p->t, p->codec->decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &p->t->arena, &d, &e), "%s",
                  e.rule);
        for (size_t k = 0; k < d.events_n; k++)
            if (d.events[k].at_s && !d.events[k].is_kept) return d.events[k].at_s;
        for (size_t k = 0; k < d.readings_n; k++)
            if (d.readings[k].at_s && !strstr(d.readings[k].metric.ptr, "hour")) return d.readings[k].at_s;
    }
    CHECK_SAY(p->t, false, "%s never says when", p->sim->name);
    return 0;
}

/* A clock walks away, one ahead and the next behind, until it is set; then it walks on. */
static void clocks_drift(struct t *t) {
    static const struct sim_protocol *const all[] = {&sim_gb26875, &sim_hj212};
    for (size_t i = 0; i < COUNT(all); i++)
        for (size_t index = 0; index < 2; index++) {
            struct play p;
            int64_t off_s[3], way = index ? -1 : 1;
            begin(&p, t, all[i], 0);
            p.d.index = index;
            p.o.first -= (int64_t)index;
            for (int turn = 0; turn < 3; turn++) {
                off_s[turn] = (said_at_s(&p) - NOW_S) * way;
                for (int k = 0; k < 50; k++) sim_drift(&p.d);
            }
            CHECK(t, off_s[0] == 0 && off_s[1] >= 50 && off_s[2] >= off_s[1] + 50);
            CHECK(t, off_s[2] <= (int64_t)100 * SIM_DRIFT_S);
            check_code(&p, "clock", "now", "", 0);
            CHECK(t, said_at_s(&p) == NOW_S);
            sim_drift(&p.d);
            CHECK(t, (said_at_s(&p) - NOW_S) * way > 0);
        }
}

static double noise_of(struct play *p) { /* on the average */
    double sum = 0, n = 0;
    while (n < 200) {
        struct buf b;
        struct decoded d = {0};
        struct wire_error e;
        buf_init_arena(&b, &p->t->arena, SIM_FRAME_MAX);
        CHECK(p->t, p->sim->speak(&p->o, &p->d, NOW_MS, &b));
        CHECK(p->t, p->codec->decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &p->t->arena, &d, &e));
        for (size_t k = 0; k < d.readings_n; k++)
            if (str_is(d.readings[k].metric, "noise")) sum += d.readings[k].value, n++;
        p->d.values[4] = 523; /* it stands still */
    }
    return sum / n;
}

static void instruments_drift(struct t *t) {
    for (size_t index = 0; index < 2; index++) {
        struct play p;
        begin(&p, t, &sim_hj212, 0);
        p.d.index = index;
        double right = noise_of(&p);
        for (int k = 0; k < 1000; k++) sim_drift(&p.d);
        double share = noise_of(&p) / right;
        CHECK_SAY(t, index ? share > 0.79 && share < 0.81 : share > 1.19 && share < 1.21, "%f", share);
    }
}

TESTS(CASE(clocks_drift), CASE(instruments_drift), CASE(a_panel_answers_all_there_is_to_ask),
      CASE(a_panels_clock_is_set), CASE(a_guard_answers_when_he_is_called), CASE(a_station_answers_all_there_is_to_ask),
      CASE(a_station_refuses_with_a_reason), CASE(a_station_becomes_what_it_is_told))
