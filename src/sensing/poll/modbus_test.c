/* Polling of a simulated controller over Modbus RTU, whose answers say little: lists, links that are slow, noise.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/slave.h"
#include "sensing/poll/poll.h"
#include "tests/lib/test.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)

struct registers {
    struct t *t;
    struct poll *poll;
    struct slave_device device;
    int64_t now_ms;
    int asked, readings, refused, wrong, noises, noise_bytes;
    char why[64], last[64]; /* what was refused last */
};

static void registers_said(void *arg, const struct question *q, const struct decoded *d) {
    struct registers *r = arg;
    (void)q;
    r->readings += (int)d->readings_n;
    for (size_t i = 0; i < d->readings_n; i++) /* holding:7 holds 7, as far as they are told */
        r->wrong += d->readings[i].value != 0 &&
                    !str_is(d->readings[i].metric, d->readings[i].value == 7 ? "holding:7" : "holding:50");
}
static void registers_refused(void *arg, const struct question *q, const char *why) {
    struct registers *r = arg;
    r->refused++;
    snprintf(r->why, sizeof r->why, "%s", why);
    snprintf(r->last, sizeof r->last, STR_FMT, STR_ARG(q->item));
}

static void read_registers_until(struct registers *r, int64_t until_ms) {
    struct slave_line line = {&r->device, 1};
    while (r->now_ms < until_ms) {
        char asked[300], answered[300];
        struct buf question, answer;
        buf_init(&question, asked, sizeof asked);
        buf_init(&answer, answered, sizeof answered);
        int64_t next_ms = poll_step(r->poll, r->now_ms, &question);
        if (!question.len) {
            CHECK(r->t, next_ms > r->now_ms);
            r->now_ms = next_ms < until_ms ? next_ms : until_ms;
            continue;
        }
        r->asked++;
        struct bytes whole = {(const uint8_t *)asked, question.len};
        CHECK(r->t, slave_modbus_rtu.hear(&line, whole, INT64_C(1790000000000), &answer) != SLAVE_NOT_OURS);
        poll_feed(r->poll, r->now_ms += 50, (struct bytes){(const uint8_t *)answered, answer.len});
    }
}

/* The device has holding registers up to 107. */
static void a_list_that_is_refused_is_asked_in_halves(struct t *t) {
    struct registers r = {.t = t};
    const struct poll_options o = {.codec = slave_modbus_rtu.codec,
                                   .calls = {.said = registers_said, .refused = registers_refused, .arg = &r}};
    slave_devices(&r.device, 1, 1, 1);
    CHECK(t, !poll_create(&o, &r.poll, &t->fault));
    for (int again = 1; again <= 2; again++) {
        poll_plan_begin(r.poll);
        CHECK(t, !poll_add(r.poll, S("1"), S("holding:95 holding:99 holding:100 holding:110 holding:107:u16"),
                           MINUTE_MS, &t->fault));
        poll_plan_end(r.poll);
        r.asked = r.readings = r.refused = 0;
        read_registers_until(&r, r.now_ms + MINUTE_MS - 1000);
        CHECK_SAY(t, r.readings == 4 && r.refused == 1 && !strcmp(r.last, "holding:110"), "%d readings, %d refused: %s",
                  r.readings, r.refused, r.last);
        CHECK_SAY(t, !strcmp(r.why, "illegal_address") && r.asked <= 7, "%s, %d asked", r.why, r.asked);
        r.asked = 0;
        read_registers_until(&r, r.now_ms + MINUTE_MS);
        CHECK_SAY(t, r.readings == 8 && r.refused == 2 && r.asked <= 4, "%d asked", r.asked); /* it knows by now */
    }
    poll_destroy(r.poll);
}

static void count_noise(void *arg, struct bytes bytes, const char *rule) {
    struct registers *r = arg;
    r->noises += rule != NULL;
    r->noise_bytes += (int)bytes.len;
}

static void bytes_that_are_no_frame_are_told_in_one_piece(struct t *t) {
    static const uint8_t bytes[] = {0x01, 0x2b, 0x0e, 0x01, 0x01, 0x00, 0x00, 0x02, 0x00, 0xf8, /* none of them */
                                    0x01, 0x03, 0x02, 0x00, 0x07, 0xf9, 0x86};
    struct registers r = {.t = t};
    char mem[300];
    struct buf out;
    const struct poll_options o = {.codec = slave_modbus_rtu.codec,
                                   .calls = {.said = registers_said, .noise = count_noise, .arg = &r}};
    CHECK(t, !poll_create(&o, &r.poll, &t->fault));
    CHECK(t, !poll_add(r.poll, S("1"), S("holding:7"), 1000, &t->fault));
    buf_init(&out, mem, sizeof mem);
    (void)poll_step(r.poll, 0, &out);
    poll_feed(r.poll, 10, (struct bytes){bytes, sizeof bytes});
    CHECK_SAY(t, r.readings == 1 && r.noises == 1 && r.noise_bytes == 10, "%d times, %d bytes", r.noises,
              r.noise_bytes);
    poll_destroy(r.poll);
}

/* A link that takes longer than is waited: each question is said again, and each is answered, twice. */
static void an_answer_that_is_late_is_not_taken_for_another(struct t *t) {
    static const int64_t latencies_ms[] = {500, 1900, 2100, 2500, 3900};
    for (size_t i = 0; i < COUNT(latencies_ms); i++) {
        struct registers r = {.t = t};
        struct slave_line line = {&r.device, 1};
        struct {
            int64_t at_ms;
            char bytes[300];
            size_t n;
        } late[8] = {0}; /* on their way */
        const struct poll_options o = {.codec = slave_modbus_rtu.codec, .calls = {.said = registers_said, .arg = &r}};
        slave_devices(&r.device, 1, 1, 1);
        r.device.words[7] = 7;
        r.device.words[50] = 50;
        CHECK(t, !poll_create(&o, &r.poll, &t->fault));
        CHECK(t, !poll_add(r.poll, S("1"), S("holding:7"), 1000, &t->fault));
        CHECK(t, !poll_add(r.poll, S("1"), S("holding:50"), 1000, &t->fault));
        for (; r.now_ms < MINUTE_MS; r.now_ms += 10) {
            char asked[300];
            struct buf question, answer;
            buf_init(&question, asked, sizeof asked);
            for (size_t k = 0; k < COUNT(late); k++)
                if (late[k].n && late[k].at_ms <= r.now_ms) {
                    poll_feed(r.poll, r.now_ms, (struct bytes){(const uint8_t *)late[k].bytes, late[k].n});
                    late[k].n = 0;
                }
            (void)poll_step(r.poll, r.now_ms, &question);
            size_t k = 0;
            while (k < COUNT(late) && late[k].n) k++;
            CHECK(t, k < COUNT(late));
            if (!question.len || k == COUNT(late)) continue;
            buf_init(&answer, late[k].bytes, sizeof late[k].bytes);
            struct bytes whole = {(const uint8_t *)asked, question.len};
            CHECK(t, slave_modbus_rtu.hear(&line, whole, INT64_C(1790000000000), &answer) == SLAVE_ANSWERS);
            late[k].n = answer.len;
            late[k].at_ms = r.now_ms + latencies_ms[i];
        }
        CHECK_SAY(t, !r.wrong && r.readings >= 8, "%d ms: %d wrong of %d", (int)latencies_ms[i], r.wrong, r.readings);
        poll_destroy(r.poll);
    }
}

struct written {
    int ended;
    enum poll_end end;
};
static void written(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                    const char *why) {
    struct written *w = arg;
    (void)tag;
    (void)q;
    (void)d;
    (void)why;
    w->ended++;
    w->end = end;
}
static void ignored(void *arg, const struct question *q, const struct decoded *d) {
    (void)arg;
    (void)q;
    (void)d;
}

/* What is written is answered with the same bytes. */
static void an_echo_of_what_is_written_is_no_answer(struct t *t) {
    static const struct {
        bool echoes, is_dead;
        int until; /* this reading it does */
        enum poll_end end;
    } all[] = {{false, false, 0, POLL_ANSWERED},
               {false, true, 0, POLL_SILENT},
               {true, false, 99, POLL_ANSWERED},
               {true, true, 99, POLL_SILENT},
               {true, false, 2, POLL_ANSWERED} /* it was noise */};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct slave_device device;
        struct slave_line line = {&device, 1};
        struct written w = {0};
        struct poll *p = NULL;
        int64_t now_ms = 0;
        const struct poll_options o = {.codec = slave_modbus_rtu.codec,
                                       .calls = {.said = ignored, .ended = written, .arg = &w}};
        const struct poll_order write = {
            .q = {.address = S("1"), .item = S("holding:7"), .value = S("20")}, .tries = 1, .until_ms = INT64_MAX};
        slave_devices(&device, 1, 1, 1);
        CHECK(t, !poll_create(&o, &p, &t->fault) && !poll_add(p, S("1"), S("holding:50"), MINUTE_MS, &t->fault));
        for (int turn = 0, asked_n = 0; turn < 80; turn++) {
            char asked[300], answered[300];
            struct buf question, answer;
            buf_init(&question, asked, sizeof asked);
            buf_init(&answer, answered, sizeof answered);
            int64_t next_ms = poll_step(p, now_ms, &question);
            struct bytes whole = {(const uint8_t *)asked, question.len};
            if (!question.len) now_ms = next_ms - now_ms < 5000 ? next_ms : now_ms + 5000;
            if (!question.len) continue;
            if (all[i].echoes && asked_n < all[i].until) poll_feed(p, now_ms, whole);
            if (++asked_n == 4) CHECK(t, !poll_order(p, &write, &t->fault));
            if (all[i].is_dead && asked_n > 4) continue;
            CHECK(t, slave_modbus_rtu.hear(&line, whole, INT64_C(1790000000000), &answer) == SLAVE_ANSWERS);
            poll_feed(p, now_ms += 50, (struct bytes){(const uint8_t *)answered, answer.len});
        }
        CHECK_SAY(t, w.ended == 1 && w.end == all[i].end, "row %zu: %d, %d", i, w.ended, (int)w.end);
        poll_destroy(p);
    }
}

/* Its answer would pass for that to the next question, which it looks like. */
static void an_answer_to_what_left_the_plan_is_no_other_s(struct t *t) {
    static const uint8_t late[] = {0x01, 0x03, 0x02, 0x00, 0x07, 0xf9, 0x86};
    struct registers r = {.t = t};
    char mem[300];
    struct buf out;
    const struct poll_options o = {.codec = slave_modbus_rtu.codec,
                                   .calls = {.said = registers_said, .noise = count_noise, .arg = &r}};
    CHECK(t, !poll_create(&o, &r.poll, &t->fault));
    CHECK(t, !poll_add(r.poll, S("1"), S("holding:7"), 1000, &t->fault));
    buf_init(&out, mem, sizeof mem);
    (void)poll_step(r.poll, 0, &out);
    CHECK(t, out.len);
    poll_plan_begin(r.poll);
    CHECK(t, !poll_add(r.poll, S("1"), S("holding:50"), 1000, &t->fault));
    poll_plan_end(r.poll);
    buf_init(&out, mem, sizeof mem);
    int64_t next_ms = poll_step(r.poll, 100, &out);
    CHECK_SAY(t, !out.len && next_ms >= 2000, "%lld", (long long)next_ms);
    poll_feed(r.poll, 900, (struct bytes){late, sizeof late});
    CHECK(t, !r.readings && r.noise_bytes == (int)sizeof late);
    (void)poll_step(r.poll, next_ms, &out);
    CHECK(t, out.len);
    poll_destroy(r.poll);
}

TESTS(CASE(an_answer_to_what_left_the_plan_is_no_other_s), CASE(an_echo_of_what_is_written_is_no_answer),
      CASE(a_list_that_is_refused_is_asked_in_halves), CASE(an_answer_that_is_late_is_not_taken_for_another),
      CASE(bytes_that_are_no_frame_are_told_in_one_piece))
