/* Polling of a simulated bus of electricity meters: everybody's turn comes, whatever the line does to the bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/poll/poll.h"

#include "protocol/dlt645/dlt645.h"
#include "protocol/hj212/hj212.h"
#include "tests/lib/test.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)

enum fault_of { NOTHING, DEAD, IGNORES /* voltages */, REFUSES, ECHOES, NOISY, IN_PARTS, WRONG_SUM, BYTE_BY_BYTE };

struct bus {
    struct t *t;
    struct poll *poll;
    int64_t now_ms;
    enum fault_of fault[4]; /* of meters "000000000000" and on */
    int said, empty, refused, noises, asked, missed;
    int silent[4], back[4], ended[4];
    enum poll_end end;
    double last[4];
    char what[32]; /* metric said last, or why it was refused */
    char why[64];  /* an order ended otherwise than answered */
};

static int number_of(struct str address) {
    return address.ptr[address.len - 1] - '0';
}

static void said(void *arg, const struct question *q, const struct decoded *d) {
    struct bus *b = arg;
    if (!d->readings_n) { /* of an item that is in no table */
        b->empty++;
        return;
    }
    b->said++;
    b->last[number_of(q->address)] = d->readings[d->readings_n - 1].value;
    snprintf(b->what, sizeof b->what, STR_FMT, STR_ARG(d->readings[d->readings_n - 1].metric));
}
static void refused(void *arg, const struct question *q, const char *why) {
    struct bus *b = arg;
    (void)q;
    b->refused++;
    snprintf(b->what, sizeof b->what, "%s", why);
}
static void silent(void *arg, struct str address, bool is_silent) {
    struct bus *b = arg;
    (is_silent ? b->silent : b->back)[number_of(address)]++;
}
static void missed(void *arg, const struct question *q) {
    struct bus *b = arg;
    (void)q;
    b->missed++;
}
static void on_noise(void *arg, struct bytes bytes, const char *rule) {
    struct bus *b = arg;
    (void)bytes;
    (void)rule;
    b->noises++;
}

static void ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                  const char *why) {
    struct bus *b = arg;
    CHECK(b->t, (end == POLL_ANSWERED) == (d != NULL) && (why != NULL) == (end != POLL_ANSWERED) && q->address.len);
    b->ended[tag]++;
    b->end = end;
    snprintf(b->why, sizeof b->why, "%s", why ? why : "");
}

static void start(struct bus *b, struct t *t) {
    *b = (struct bus){.t = t};
    const struct poll_options o = {.codec = &dlt645_codec,
                                   .calls = {.said = said,
                                             .refused = refused,
                                             .missed = missed,
                                             .silent = silent,
                                             .noise = on_noise,
                                             .ended = ended,
                                             .arg = b}};
    CHECK(t, !poll_create(&o, &b->poll, &t->fault));
}

static void feed(struct bus *b, const void *bytes, size_t n) {
    poll_feed(b->poll, b->now_ms, (struct bytes){bytes, n});
}

static void reply(struct bus *b, struct dlt645_frame *f, uint8_t control, const uint8_t *more, size_t n) {
    char mem[DLT645_FRAME_MAX];
    struct buf out;
    buf_init(&out, mem, sizeof mem);
    f->control = control;
    f->wake = 2;
    memcpy(f->data + f->data_n, more, n);
    f->data_n += n;
    CHECK(b->t, dlt645_encode(f, &out));
    if (b->fault[number_of(str_of(f->address))] == WRONG_SUM) mem[out.len - 2]++;
    if (b->fault[number_of(str_of(f->address))] != BYTE_BY_BYTE) {
        feed(b, mem, out.len);
        return;
    }
    for (size_t i = 0; i < out.len; i++) feed(b, mem + i, 1);
}

/* What hangs on the line hears a question. */
static void hear(struct bus *b, struct bytes question) {
    struct dlt645_frame f;
    struct wire_error e;
    static const uint8_t energy[] = {0x34, 0x12, 0, 0}, volts_a[] = {0x01, 0x22, 0x30},
                         volts_b[] = {0x22, 0x40, 0x22, 1};
    CHECK(b->t, dlt645_decode(question, &f, &e));
    int n = number_of(str_of(f.address));
    uint32_t di = 0;
    b->asked++;
    switch (b->fault[n]) {
    case DEAD: return;
    case IGNORES:
        if (dlt645_item(&f, &di) && di >> 16 == 0x0201) return;
        break;
    case REFUSES:
        f.data_n = 0;
        reply(b, &f, 0xd1, (const uint8_t[]){2}, 1);
        return;
    case ECHOES: feed(b, question.ptr, question.len); break;
    case NOISY: feed(b, "\x00\xff\x68\x68\x16", 5); break;
    case IN_PARTS:
        if ((f.control & 0x1f) == DLT645_FOLLOWING) {
            f.data_n--;
            reply(b, &f, 0x92, volts_b, sizeof volts_b);
        } else {
            reply(b, &f, 0xb1, volts_a, sizeof volts_a);
        }
        return;
    case NOTHING:
    case WRONG_SUM:
    case BYTE_BY_BYTE: break;
    }
    reply(b, &f, 0x91, energy, sizeof energy);
}

/* Lets time pass up to then; answers come 50 ms behind the question. */
static void run_until(struct bus *b, int64_t until_ms) {
    for (int turns = 0; b->now_ms < until_ms; turns++) {
        char mem[DLT645_FRAME_MAX + 1];
        struct buf out;
        CHECK(b->t, turns < 100000);
        if (turns == 100000) return;
        buf_init(&out, mem, sizeof mem);
        int64_t next_ms = poll_step(b->poll, b->now_ms, &out);
        CHECK(b->t, out.len || next_ms > b->now_ms); /* else it would be asked at once again, for ever */
        if (out.len) {
            b->now_ms += 50;
            hear(b, (struct bytes){(const uint8_t *)mem, out.len});
        } else {
            b->now_ms = next_ms < until_ms ? next_ms : until_ms;
        }
    }
}

static void add(struct bus *b, const char *address, const char *item, int64_t every_ms) {
    CHECK(b->t, !poll_add(b->poll, str_of(address), str_of(item), every_ms, &b->t->fault));
}

static void each_is_asked_as_often_as_it_says(struct t *t) {
    struct bus b;
    start(&b, t);
    add(&b, "000000000000", "00010000", MINUTE_MS);
    add(&b, "000000000001", "00010000", 5 * MINUTE_MS);
    add(&b, "000000000001", "9010", INT64_C(24) * 60 * MINUTE_MS); /* another edition answers by itself */
    run_until(&b, 10 * MINUTE_MS);
    CHECK_SAY(t, b.asked == 10 + 2 + 1 + 2 + 1, "%d questions",
              b.asked); /* the last is asked three times: no such function; then whether the meter is there */
    CHECK_SAY(t, b.said >= 12 && b.last[0] == 12.34 && !strcmp(b.what, "energy"), "%d answers", b.said);
    run_until(&b, b.now_ms + 10000); /* those that are due just now */
    poll_now(b.poll, S("000000000000"));
    int before = b.said;
    run_until(&b, b.now_ms + 1000);
    CHECK(t, b.said == before + 1);
    poll_destroy(b.poll);
}

static void a_line_may_do_anything_to_the_bytes(struct t *t) {
    static const enum fault_of faults[] = {ECHOES, NOISY, BYTE_BY_BYTE};
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct bus b;
        start(&b, t);
        b.fault[0] = faults[i];
        add(&b, "000000000000", "00010000", MINUTE_MS);
        run_until(&b, 5 * MINUTE_MS);
        CHECK_SAY(t, b.said == 5 && b.asked == 5 && b.last[0] == 12.34, "%zu: %d of %d", i, b.said, b.asked);
        CHECK(t, (b.noises > 0) == (faults[i] != BYTE_BY_BYTE) && !b.silent[0]);
        poll_destroy(b.poll);
    }
}

static void parts_of_an_answer_are_asked_for_and_joined(struct t *t) {
    struct bus b;
    start(&b, t);
    b.fault[0] = IN_PARTS;
    add(&b, "000000000000", "0201FF00", MINUTE_MS);
    run_until(&b, MINUTE_MS);
    CHECK_SAY(t, b.said == 1 && b.asked == 2 && b.last[0] == 224.0 && !strcmp(b.what, "voltage_c"), "%d: %s %g", b.said,
              b.what, b.last[0]);
    poll_destroy(b.poll);
}

static void who_refuses_is_not_pressed(struct t *t) {
    struct bus b;
    start(&b, t);
    b.fault[0] = REFUSES;
    add(&b, "000000000000", "00010000", MINUTE_MS);
    run_until(&b, 3 * MINUTE_MS);
    CHECK(t, b.refused == 3 && b.asked == 3 && !b.silent[0] && !strcmp(b.what, "no_data"));
    poll_destroy(b.poll);
}

/* A dead meter is told once, asked less and less, and holds up nobody; it is told when it is back. */
static void a_silent_device_is_asked_less_and_less(struct t *t) {
    static const enum fault_of faults[] = {DEAD, WRONG_SUM};
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct bus b;
        start(&b, t);
        b.fault[1] = faults[i];
        add(&b, "000000000000", "00010000", MINUTE_MS);
        add(&b, "000000000001", "00010000", MINUTE_MS);
        run_until(&b, 24 * 60 * MINUTE_MS);
        CHECK_SAY(t, b.silent[1] == 1 && !b.silent[0] && !b.back[1], "%d times", b.silent[1]);
        CHECK_SAY(t, b.said >= 24 * 60 - 2, "%d answers of the other", b.said);
        int dead = b.asked - b.said;
        CHECK_SAY(t, dead >= 4 * 24 && dead <= 4 * 24 + 4 * 8, "%d questions to nobody", dead);
        b.fault[1] = NOTHING;
        run_until(&b, b.now_ms + POLL_BACKOFF_MS + MINUTE_MS);
        CHECK(t, b.back[1] == 1 && b.last[1] == 12.34);
        int before = b.said;
        run_until(&b, b.now_ms + 10 * MINUTE_MS);
        CHECK_SAY(t, b.said - before >= 19, "%d", b.said - before); /* as often as before */
        poll_destroy(b.poll);
    }
}

/* What a meter does not have it may leave unanswered: it is there all the same, whichever comes first. */
static void an_item_without_an_answer_is_no_silent_device(struct t *t) {
    static const char *const items[][4] = {
        {"00010000", "02010100"}, {"02010100", "00010000"}, {"02010100", "02010200", "02010300", "00010000"}};
    for (size_t i = 0; i < COUNT(items); i++) {
        struct bus b;
        int ignored = 0;
        start(&b, t);
        b.fault[0] = IGNORES;
        for (size_t k = 0; k < COUNT(items[i]) && items[i][k]; k++) {
            add(&b, "000000000000", items[i][k], MINUTE_MS);
            ignored += items[i][k][3] == '1' && items[i][k][1] == '2';
        }
        run_until(&b, 24 * 60 * MINUTE_MS);
        CHECK_SAY(t, !b.silent[0] && !b.back[0], "%zu: silent %d times", i, b.silent[0]);
        CHECK_SAY(t, b.said >= 24 * 60 - 6, "%zu: %d answers", i, b.said);
        CHECK_SAY(t, b.missed >= 24 * ignored && b.missed <= 32 * ignored, "%zu: %d missed", i, b.missed);
        int before = b.missed;
        b.fault[0] = NOTHING; /* it was a bad day: in an hour at most all are asked as before */
        run_until(&b, b.now_ms + POLL_BACKOFF_MS + MINUTE_MS);
        int said = b.said;
        run_until(&b, b.now_ms + 10 * MINUTE_MS);
        CHECK_SAY(t, b.missed == before && b.said - said >= 10 * (ignored + 1) - 1, "%zu: %d", i, b.said - said);
        poll_destroy(b.poll);
    }
}

/* One answer, and all that is known of it is read anew; while it is dead one question is asked and not four. */
static void who_is_back_is_asked_for_all_at_once(struct t *t) {
    static const char *const items[] = {"00010000", "02010100", "02020100", "02030000"};
    struct bus b;
    start(&b, t);
    for (size_t i = 0; i < COUNT(items); i++)
        add(&b, "000000000000", items[i], i > 1 ? MINUTE_MS : 24 * 60 * MINUTE_MS);
    run_until(&b, 10 * MINUTE_MS);
    b.fault[0] = DEAD;
    int before = b.asked;
    run_until(&b, 12 * MINUTE_MS);
    CHECK_SAY(t, b.silent[0] == 1 && b.asked - before <= 3 + 1 + 1 + 3, "%d questions", b.asked - before);
    before = b.asked;
    run_until(&b, 12 * 60 * MINUTE_MS);
    CHECK_SAY(t, b.silent[0] == 1 && b.asked - before >= 3 * 11 && b.asked - before <= 3 * 17, "%d questions",
              b.asked - before);
    b.fault[0] = NOTHING;
    before = b.said;
    while (!b.back[0] && b.now_ms < 14 * 60 * MINUTE_MS) run_until(&b, b.now_ms + 100);
    run_until(&b, b.now_ms + 1000);
    CHECK_SAY(t, b.back[0] == 1 && b.said == before + 4, "%d said", b.said - before);
    before = b.said;
    run_until(&b, b.now_ms + 10 * MINUTE_MS);
    CHECK_SAY(t, b.said - before >= 19 && b.silent[0] == 1, "%d said", b.said - before);
    poll_destroy(b.poll);
}

static void what_cannot_be_asked_is_refused(struct t *t) {
    struct bus b;
    start(&b, t);
    CHECK(t, poll_add(b.poll, S("12"), S("00010000"), 1000, &t->fault) == ERR_INVALID);
    t->fault = (struct fault){0};
    CHECK(t, poll_add(b.poll, S("000000000000"), S("0001"), 1000, &t->fault) == OK);
    CHECK(t, poll_add(b.poll, S("000000000000"), S("energy"), 1000, &t->fault) == ERR_INVALID);
    t->fault = (struct fault){0};
    CHECK(t, poll_add(b.poll, S("00000000000000000000000000000000"), S(""), 1000, &t->fault) == ERR_INVALID);
    poll_destroy(b.poll);
}

/* Points are added, and the line goes, while an answer is waited for. */
static void what_changes_under_way_changes_nothing_else(struct t *t) {
    struct bus b;
    char mem[DLT645_FRAME_MAX + 1];
    struct buf out;
    start(&b, t);
    add(&b, "000000000000", "00010000", MINUTE_MS);
    buf_init(&out, mem, sizeof mem);
    (void)poll_step(b.poll, b.now_ms, &out);
    for (int i = 0; i < 100; i++) {
        char item[9], address[13];
        snprintf(item, sizeof item, "000100%02X", (unsigned)i);
        add(&b, "000000000001", item, INT64_C(1000) * MINUTE_MS);
        snprintf(address, sizeof address, "%011d1", 100 + i);
        add(&b, address, "00010000", INT64_C(1000) * MINUTE_MS);
    }
    hear(&b, (struct bytes){(const uint8_t *)mem, out.len});
    CHECK(t, b.said == 1 && b.last[0] == 12.34);
    hear(&b, (struct bytes){(const uint8_t *)mem, out.len}); /* an answer nobody waits for any more */
    CHECK(t, b.said == 1 && b.noises == 1);
    b.now_ms += 100;
    buf_init(&out, mem, sizeof mem);
    (void)poll_step(b.poll, b.now_ms, &out);
    poll_lost(b.poll);
    run_until(&b, b.now_ms + MINUTE_MS);
    CHECK_SAY(t, b.said + b.empty == 1 + 200 + 1 && !b.silent[1], "%d answers", b.said);
    poll_destroy(b.poll);
}

static void order(struct bus *b, const char *address, int64_t tag, int tries, int64_t until_ms) {
    const struct poll_order o = {{.address = str_of(address), .item = S("00010000")}, tag, tries, until_ms};
    CHECK(b->t, !poll_order(b->poll, &o, &b->t->fault));
}

/* Before every point, in their order, once each, and never again by themselves. */
static void orders_come_first_and_end_once(struct t *t) {
    struct bus b;
    start(&b, t);
    b.fault[1] = DEAD;
    b.fault[2] = REFUSES;
    add(&b, "000000000000", "00010000", MINUTE_MS);
    order(&b, "000000000003", 0, 1, MINUTE_MS);
    run_until(&b, 60);
    CHECK(t, b.ended[0] == 1 && b.end == POLL_ANSWERED && !b.said);
    order(&b, "000000000001", 1, 1, MINUTE_MS);
    run_until(&b, 10000);
    CHECK_SAY(t, b.ended[1] == 1 && b.end == POLL_SILENT && !strcmp(b.why, "no answer") && b.asked == 3, "%s, %d asked",
              b.why, b.asked);
    order(&b, "000000000002", 2, 3, MINUTE_MS);
    run_until(&b, 20000);
    CHECK(t, b.ended[2] == 1 && b.end == POLL_REFUSED && b.asked == 4 && !b.refused && !b.silent[1]);
    order(&b, "000000000003", 3, 1, b.now_ms);
    run_until(&b, b.now_ms + 1000);
    CHECK(t, b.ended[3] == 1 && b.end == POLL_LOST && b.asked == 4); /* too late: not sent at all */
    const struct poll_order bad = {.q = {.address = S("12"), .item = S("00010000")}, .tries = 1};
    CHECK(t, poll_order(b.poll, &bad, &t->fault) == ERR_INVALID);
    t->fault = (struct fault){0};
    for (int i = 0; i < POLL_ORDERS_MAX; i++) order(&b, "000000000003", 0, 1, b.now_ms + 1);
    const struct poll_order more = {.q = {.address = S("000000000003"), .item = S("00010000")}, .tries = 1};
    CHECK(t, poll_order(b.poll, &more, &t->fault) == ERR_LIMIT);
    t->fault = (struct fault){0};
    poll_destroy(b.poll);
}

/* A search of a hundred does not keep the points from their turn, nor a command waiting. */
static void orders_that_can_wait_take_turns(struct t *t) {
    struct bus b;
    start(&b, t);
    for (char n = '1'; n <= '3'; n++) b.fault[n - '0'] = DEAD;
    add(&b, "000000000000", "00010000", 1000);
    for (int i = 0; i < 100; i++) {
        const struct poll_order o = {.q = {.address = S("000000000001"), .item = S("00010000")},
                                     .tries = 1,
                                     .until_ms = INT64_MAX,
                                     .can_wait = true};
        CHECK(t, !poll_order(b.poll, &o, &t->fault));
    }
    run_until(&b, 10000);
    CHECK_SAY(t, b.ended[0] == 4 && b.said == 4, "%d of the search, %d said", b.ended[0], b.said);
    order(&b, "000000000000", 1, 1, INT64_MAX);
    order(&b, "000000000000", 2, 1, INT64_MAX);
    run_until(&b, b.now_ms + 2200);
    CHECK_SAY(t, b.ended[1] == 1 && b.ended[2] == 1 && b.ended[0] == 5, "%d of the search", b.ended[0]);
    run_until(&b, 400000);
    CHECK_SAY(t, b.ended[0] == 100, "%d of the search", b.ended[0]);
    poll_destroy(b.poll);
}

/* Twenty that nobody answers take 6 s each; the points have half of the line, not one turn in between. */
static void orders_that_can_wait_take_half_of_the_line(struct t *t) {
    struct bus b;
    start(&b, t);
    b.fault[1] = DEAD;
    for (int i = 0; i < 20; i++) {
        char item[9];
        snprintf(item, sizeof item, "000100%02X", (unsigned)i);
        add(&b, "000000000000", item, 1000);
    }
    for (int i = 0; i < 20; i++) {
        const struct poll_order o = {.q = {.address = S("000000000001"), .item = S("00010000")},
                                     .tries = 3,
                                     .until_ms = INT64_MAX,
                                     .can_wait = true};
        CHECK(t, !poll_order(b.poll, &o, &t->fault));
    }
    run_until(&b, 120000);
    int said = b.said + b.empty;
    CHECK_SAY(t, b.ended[0] >= 9 && b.ended[0] <= 11 && said > 700, "%d orders, %d said", b.ended[0], said);
    poll_destroy(b.poll);
}

/* A line that breaks behind an order: it is not said again. */
static void an_order_under_way_when_the_line_goes_has_ended(struct t *t) {
    struct bus b;
    char mem[DLT645_FRAME_MAX + 1];
    struct buf out;
    start(&b, t);
    order(&b, "000000000000", 0, 3, MINUTE_MS);
    order(&b, "000000000000", 1, 3, MINUTE_MS);
    buf_init(&out, mem, sizeof mem);
    (void)poll_step(b.poll, b.now_ms, &out);
    poll_lost(b.poll);
    CHECK(t, b.ended[0] == 1 && b.end == POLL_LOST && !b.ended[1]);
    run_until(&b, 1000);
    CHECK(t, b.ended[0] == 1 && b.ended[1] == 1 && b.end == POLL_ANSWERED);
    poll_destroy(b.poll);
}

static void another_plan_keeps_what_stays_and_drops_what_goes(struct t *t) {
    struct bus b;
    char mem[DLT645_FRAME_MAX + 1];
    struct buf out;
    start(&b, t);
    add(&b, "000000000000", "00010000", MINUTE_MS);
    add(&b, "000000000001", "00010000", MINUTE_MS);
    run_until(&b, 30000);
    CHECK(t, b.said == 2);
    poll_plan_begin(b.poll);
    add(&b, "000000000001", "00010000", MINUTE_MS); /* not due yet */
    add(&b, "000000000002", "00010000", MINUTE_MS);
    poll_plan_end(b.poll);
    run_until(&b, 59000);
    CHECK_SAY(t, b.said == 3 && b.last[2] == 12.34, "%d", b.said);
    run_until(&b, 120000);
    CHECK_SAY(t, b.said == 5, "%d", b.said); /* each of the two once more, nobody else */
    run_until(&b, 150500);
    buf_init(&out, mem, sizeof mem);
    poll_now(b.poll, S("000000000002"));
    (void)poll_step(b.poll, b.now_ms, &out);
    CHECK(t, out.len > 0);
    poll_plan_begin(b.poll); /* everybody goes while an answer is waited for */
    poll_plan_end(b.poll);
    int before = b.said;
    hear(&b, (struct bytes){(const uint8_t *)mem, out.len});
    run_until(&b, b.now_ms + 10 * MINUTE_MS);
    CHECK(t, b.said == before);
    poll_destroy(b.poll);
}

static void feed_packet(struct bus *b, struct bytes question, const char *rest) {
    struct hj212_frame f = {0};
    struct wire_error e;
    struct buf data, packet;
    struct str text = S("");
    CHECK(b->t, hj212_decode(question, &f, &e));
    buf_init_arena(&data, &b->t->arena, 256);
    buf_init_arena(&packet, &b->t->arena, 256);
    buf_fmt(&data, "QN=" STR_FMT ";MN=" STR_FMT ";%s", STR_ARG(f.qn), STR_ARG(f.mn), rest);
    CHECK(b->t, buf_done(&data, &text) && hj212_encode(text, &packet));
    feed(b, packet.ptr, packet.len);
}

/* At 1,200 bit/s an answer of 250 bytes takes 2.3 s; noise without an end holds nothing up for ever. */
static void an_answer_on_its_way_is_waited_for(struct t *t) {
    static const struct {
        int64_t apart_ms; /* the bytes, of which the first comes after 1.5 s */
        bool is_said;
    } all[] = {{110, true}, {350, true}, {400, false} /* the last after 9.1 s */, {600, false}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bus b;
        char mem[DLT645_FRAME_MAX + 1], answer[DLT645_FRAME_MAX + 1];
        struct dlt645_frame f = {.address = "000000000000",
                                 .control = DLT645_READ | DLT645_REPLY,
                                 .data = {0, 0, 1, 0, 0x34, 0x12, 0, 0},
                                 .data_n = 8};
        struct buf out, whole;
        start(&b, t);
        add(&b, "000000000000", "00010000", MINUTE_MS);
        buf_init(&out, mem, sizeof mem);
        buf_init(&whole, answer, sizeof answer);
        CHECK(t, dlt645_encode(&f, &whole));
        (void)poll_step(b.poll, b.now_ms, &out);
        b.now_ms = 1500;
        for (size_t n = 0; n < whole.len; n++, b.now_ms += all[i].apart_ms) {
            buf_init(&out, mem, sizeof mem);
            (void)poll_step(b.poll, b.now_ms, &out);
            feed(&b, answer + n, 1);
        }
        CHECK_SAY(t, b.said == all[i].is_said, "%d ms apart: %d said", (int)all[i].apart_ms, b.said);
        poll_destroy(b.poll);
    }
    struct bus b;
    int64_t said_again_ms = 0;
    start(&b, t);
    add(&b, "000000000000", "00010000", MINUTE_MS);
    for (int asked = 0; b.now_ms < MINUTE_MS && asked < 2; b.now_ms += 10) {
        char mem[DLT645_FRAME_MAX + 1];
        struct buf out;
        buf_init(&out, mem, sizeof mem);
        (void)poll_step(b.poll, b.now_ms, &out);
        asked += out.len > 0;
        said_again_ms = b.now_ms;
        feed(&b, "\x68", 1);
    }
    CHECK_SAY(t, said_again_ms > 8000 && said_again_ms < 9000, "%d ms", (int)said_again_ms);
    poll_destroy(b.poll);
}

/* Each packet gives the next one as long as the first had; but not for ever. */
static void what_comes_by_itself_is_waited_for(struct t *t) {
    struct bus b = {.t = t};
    const struct poll_options o = {
        .codec = &hj212_codec, .wait_ms = 2000, .calls = {.said = said, .noise = on_noise, .ended = ended, .arg = &b}};
    const struct poll_order read = {{.address = S("A1"), .item = S("interval")}, 1, 1, INT64_MAX};
    struct buf out;
    CHECK(t, !poll_create(&o, &b.poll, &t->fault));
    for (int endless = 0; endless < 2; endless++) {
        buf_init_arena(&out, &t->arena, 512);
        b.now_ms += 1000;
        CHECK(t, !poll_order(b.poll, &read, &t->fault));
        CHECK(t, poll_step(b.poll, b.now_ms, &out) == b.now_ms + 2000 && out.len);
        struct bytes question = {(const uint8_t *)out.ptr, out.len};
        for (int i = 0; i < (endless ? 200 : 2); i++) {
            CHECK(t, b.ended[1] == endless);
            feed_packet(&b, question, "CN=9011;CP=&&QnRtn=1&&");
            b.now_ms += endless ? 1 : 1900;
            (void)poll_step(b.poll, b.now_ms, &out);
        }
        feed_packet(&b, question, "CN=1061;CP=&&RtdInterval=30&&");
        feed_packet(&b, question, "CN=9012;CP=&&ExeRtn=1&&");
        CHECK(t, b.ended[1] == endless + 1 && b.end == (endless ? POLL_SILENT : POLL_ANSWERED));
        CHECK_SAY(t, !strcmp(b.why, endless ? "its answer has no end" : ""), "%s", b.why);
    }
    poll_destroy(b.poll);
}

static bool is_second(void *arg, const struct poll_order *o) {
    (void)arg;
    return o->whose == 2;
}

/* Its device has gone, or another has its address: what waits is not said, what was said is not proved. */
static void what_nobody_wants_any_more_is_not_said(struct t *t) {
    struct bus b;
    char mem[DLT645_FRAME_MAX + 1];
    struct buf out;
    start(&b, t);
    for (int64_t whose = 1; whose <= 3; whose++) {
        const struct poll_order o = {.q = {.address = S("000000000001"), .item = S("00010000")},
                                     .tag = whose,
                                     .whose = whose,
                                     .tries = 1,
                                     .until_ms = MINUTE_MS};
        CHECK(t, !poll_order(b.poll, &o, &t->fault));
    }
    buf_init(&out, mem, sizeof mem);
    (void)poll_step(b.poll, b.now_ms, &out); /* the first is under way */
    poll_keep(b.poll, is_second, NULL, "gone");
    CHECK(t, b.ended[3] == 1 && b.end == POLL_LOST && !strcmp(b.why, "gone") && !b.ended[1] && !b.ended[2]);
    hear(&b, (struct bytes){(const uint8_t *)mem, out.len});
    CHECK(t, b.ended[1] == 1 && b.end == POLL_LOST && !strcmp(b.why, "gone"));
    run_until(&b, 10000);
    CHECK(t, b.ended[2] == 1 && b.end == POLL_ANSWERED && b.asked == 2);
    poll_destroy(b.poll);
}

TESTS(CASE(what_nobody_wants_any_more_is_not_said), CASE(an_answer_on_its_way_is_waited_for),
      CASE(what_comes_by_itself_is_waited_for), CASE(each_is_asked_as_often_as_it_says),
      CASE(a_line_may_do_anything_to_the_bytes), CASE(parts_of_an_answer_are_asked_for_and_joined),
      CASE(who_refuses_is_not_pressed), CASE(a_silent_device_is_asked_less_and_less),
      CASE(an_item_without_an_answer_is_no_silent_device), CASE(who_is_back_is_asked_for_all_at_once),
      CASE(what_cannot_be_asked_is_refused), CASE(what_changes_under_way_changes_nothing_else),
      CASE(orders_come_first_and_end_once), CASE(orders_that_can_wait_take_turns),
      CASE(orders_that_can_wait_take_half_of_the_line), CASE(an_order_under_way_when_the_line_goes_has_ended),
      CASE(another_plan_keeps_what_stays_and_drops_what_goes))
