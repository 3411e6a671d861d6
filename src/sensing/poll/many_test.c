/* What is asked of many: all who answer are met, however late, and who cannot be understood is not passed over; and
 * meters of 1997, which are found to be by trying.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/dlt645/dlt645.h"
#include "sensing/poll/poll.h"
#include "tests/lib/test.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)

struct bus {
    struct t *t;
    struct poll *poll;
    int64_t now_ms;
    bool ignores_voltage; /* meters of 1997 */
    int asked, said, missed, refused, silent, met, ended;
    char met_whom[13], metric[32];
    enum poll_end end;
};

static void said(void *arg, const struct question *q, const struct decoded *d) {
    struct bus *b = arg;
    (void)q;
    b->said++;
    if (d->readings_n) snprintf(b->metric, sizeof b->metric, STR_FMT, STR_ARG(d->readings[0].metric));
}
static void missed(void *arg, const struct question *q) {
    struct bus *b = arg;
    (void)q;
    b->missed++;
}
static void refused(void *arg, const struct question *q, const char *why) {
    struct bus *b = arg;
    (void)q;
    (void)why;
    b->refused++;
}
static void silent(void *arg, struct str address, bool is_silent) {
    struct bus *b = arg;
    (void)address;
    b->silent += is_silent;
}
static void met(void *arg, int64_t tag, const struct question *q, const struct decoded *d) {
    struct bus *b = arg;
    CHECK(b->t, tag == 7 && str_is(q->address, "AAAAAAAAAAAA"));
    snprintf(b->met_whom, sizeof b->met_whom, STR_FMT, STR_ARG(d->sender));
    b->met++;
}
static void ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                  const char *why) {
    struct bus *b = arg;
    CHECK(b->t, tag == 7 && q->address.len && !d && (end == POLL_ANSWERED) == !why);
    b->ended++;
    b->end = end;
}

static void start(struct bus *b, struct t *t) {
    *b = (struct bus){.t = t};
    const struct poll_options o = {.codec = &dlt645_codec,
                                   .calls = {.said = said,
                                             .missed = missed,
                                             .refused = refused,
                                             .silent = silent,
                                             .met = met,
                                             .ended = ended,
                                             .arg = b}};
    CHECK(t, !poll_create(&o, &b->poll, &t->fault));
}

/* ---- of many ---- */

static const char SAYS_161[] = "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16",
                  SAYS_162[] = "68 62 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8B 16",
                  SPOILT[] = "68 62 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8C 16",
                  BEGUN[] = "68 62 01 00 00 00 00 68 91 08 33", NOISE[] = "00 FF 13 37",
                  REFUSES[] = "68 29 25 07 07 21 20 68 D1 01 35 74 16",
                  ECHO[] = "FE FE FE FE 68 AA AA AA AA AA AA 68 11 04 33 33 34 33 AE 16";

static void step(struct bus *b) {
    char mem[DLT645_FRAME_MAX + 1];
    struct buf out;
    buf_init(&out, mem, sizeof mem);
    (void)poll_step(b->poll, b->now_ms, &out);
    b->asked += out.len > 0;
}

static void ask_many(struct bus *b) {
    const struct poll_order o = {.q = {.address = S("AAAAAAAAAAAA"), .item = S("00010000")},
                                 .tag = 7,
                                 .tries = 1,
                                 .until_ms = MINUTE_MS,
                                 .is_to_many = true};
    CHECK(b->t, !poll_order(b->poll, &o, &b->t->fault));
}

static void all_who_answer_are_heard_out(struct t *t) {
    static const struct {
        const char *come[3];
        int met;
        enum poll_end end;
    } all[] = {{{NULL}, 0, POLL_SILENT},
               {{SAYS_161}, 1, POLL_ANSWERED},
               {{ECHO, SAYS_161, SAYS_162}, 2, POLL_ANSWERED},
               {{ECHO}, 0, POLL_SILENT},
               {{SAYS_161, SPOILT}, 1, POLL_GARBLED},
               {{SAYS_161, BEGUN}, 1, POLL_GARBLED},
               {{BEGUN, SAYS_161}, 1, POLL_GARBLED},
               {{NOISE}, 0, POLL_GARBLED},
               {{SAYS_161, NOISE}, 1, POLL_ANSWERED}, /* an adapter's own */
               {{REFUSES}, 0, POLL_REFUSED},
               {{REFUSES, SAYS_161}, 1, POLL_GARBLED}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bus b;
        start(&b, t);
        ask_many(&b);
        step(&b);
        for (size_t k = 0; k < COUNT(all[i].come) && all[i].come[k];
             k++) { /* the second when the first was waited for */
            b.now_ms += 1500;
            poll_feed(b.poll, b.now_ms, vector_bytes(t, all[i].come[k]));
            step(&b);
            CHECK_SAY(t, !b.ended, "%zu: over before the last", i);
        }
        for (int k = 0; k < 100; k++, b.now_ms += 100) step(&b);
        CHECK_SAY(t, b.ended == 1 && b.end == all[i].end && b.asked == 1, "%zu: %d", i, (int)b.end);
        CHECK_SAY(t, b.met == all[i].met && (!b.met || !strncmp(b.met_whom, "00000000016", 11)), "%zu: %d", i, b.met);
        poll_destroy(b.poll);
    }
}

/* Whoever answers for ever is heard for four times as long as is waited for the first. */
static void answers_without_end_come_to_one(struct t *t) {
    struct bus b;
    start(&b, t);
    ask_many(&b);
    for (int k = 0; k < 200 && !b.ended; k++, b.now_ms += 100) {
        step(&b);
        if (!b.ended) poll_feed(b.poll, b.now_ms, vector_bytes(t, SAYS_161));
    }
    CHECK_SAY(t, b.ended == 1 && b.now_ms <= 9000, "%d ms", (int)b.now_ms);
    poll_destroy(b.poll);
}

/* Once it is known how quick the line is, a search of nobody is, too; over another connection that is not known. */
static void nobody_is_waited_for_as_long_as_the_line_takes(struct t *t) {
    static const struct {
        int answers_ms; /* -1: it never did */
        bool is_other;
        int waits_ms;
    } all[] = {{-1, false, 2000},  {0, false, 500},    {100, false, 700},
               {400, false, 1300}, {900, false, 2000}, {100, true, 2000}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bus b;
        start(&b, t);
        CHECK(t, !poll_add(b.poll, S("000000000161"), S("00010000"), MINUTE_MS, &t->fault));
        step(&b);
        if (all[i].answers_ms > 0) b.now_ms += all[i].answers_ms;
        if (all[i].answers_ms >= 0) poll_feed(b.poll, b.now_ms, vector_bytes(t, SAYS_161));
        CHECK(t, b.said == (all[i].answers_ms >= 0));
        if (all[i].is_other) poll_lost(b.poll);
        for (; b.now_ms < 10000; b.now_ms += 100) step(&b);
        ask_many(&b);
        int64_t from_ms = b.now_ms;
        for (step(&b); !b.ended && b.now_ms < MINUTE_MS; step(&b)) b.now_ms += 100;
        CHECK_SAY(t, b.end == POLL_SILENT && b.now_ms - from_ms == all[i].waits_ms, "%zu: %d ms", i,
                  (int)(b.now_ms - from_ms));
        poll_destroy(b.poll);
    }
}

/* ---- of 1997 ---- */

static void hear_97(struct bus *b, struct bytes question) {
    struct dlt645_frame f;
    struct wire_error e;
    uint32_t di;
    struct buf out;
    char mem[DLT645_FRAME_MAX];
    CHECK(b->t, dlt645_decode(question, &f, &e));
    b->asked++;
    if (f.control != DLT645_97_READ || !dlt645_item(&f, &di)) return;
    if (di == 0xb611 && b->ignores_voltage) return;
    f.control |= DLT645_REPLY;
    f.wake = 0;
    memcpy(f.data + f.data_n, (const uint8_t[]){0x34, 0x12, 0, 0}, 4);
    f.data_n += di == 0x9010 ? 4 : 2;
    buf_init(&out, mem, sizeof mem);
    CHECK(b->t, dlt645_encode(&f, &out));
    poll_feed(b->poll, b->now_ms, (struct bytes){(const uint8_t *)mem, out.len});
}

static void run_until(struct bus *b, int64_t until_ms) {
    while (b->now_ms < until_ms) {
        char mem[DLT645_FRAME_MAX + 1];
        struct buf out;
        buf_init(&out, mem, sizeof mem);
        int64_t next_ms = poll_step(b->poll, b->now_ms, &out);
        b->now_ms = out.len ? b->now_ms + 50 : next_ms < until_ms ? next_ms : until_ms;
        if (out.len) hear_97(b, (struct bytes){(const uint8_t *)mem, out.len});
    }
}

/* Its model's items are those of 2007, some of which it does not have.  Only one that leaves all unanswered that is
 * asked first is silent, until it is asked for what it has. */
static void a_meter_of_1997_is_found_to_be_one(struct t *t) {
    static const char *const items[][3] = {
        {"00010000"}, {"00010000", "02010100", "02800002"}, {"02800002", "02010100", "00010000"}};
    for (size_t i = 0; i < 2 * COUNT(items); i++) {
        struct bus b;
        start(&b, t);
        b.ignores_voltage = i >= COUNT(items);
        for (size_t k = 0; k < 3 && items[i % 3][k]; k++)
            CHECK(t, !poll_add(b.poll, S("138000130754"), str_of(items[i % 3][k]), MINUTE_MS, &t->fault));
        run_until(&b, (i == 5 ? 60 : 10) * MINUTE_MS);
        CHECK_SAY(t, b.silent == (i == 5) && !b.refused, "%zu: silent %d times", i, b.silent);
        CHECK_SAY(t,
                  b.said >= (i % 3 && !b.ignores_voltage ? 18
                             : i < 5                     ? 9
                                                         : 7),
                  "%zu: said %d, asked %d", i, b.said, b.asked);
        poll_destroy(b.poll);
    }
}

TESTS(CASE(all_who_answer_are_heard_out), CASE(answers_without_end_come_to_one),
      CASE(nobody_is_waited_for_as_long_as_the_line_takes), CASE(a_meter_of_1997_is_found_to_be_one))
