/* What was told and is done only once the device shows it: valves of water meters, which take their time, stick, or
 * fall silent.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cjt188/cjt188.h"
#include "sensing/poll/poll.h"
#include "tests/lib/test.h"

#include <string.h>

#define NEVER INT64_MAX

struct bus {
    struct t *t;
    struct poll *poll;
    int64_t now_ms, began_ms, takes_ms; /* of the valve; NEVER: it sticks */
    uint8_t status;                     /* bits 1..0, as the meter says them */
    uint8_t target;
    int64_t late_ms;      /* behind what it is told it answers; NEVER: it does as it is told and says nothing */
    bool is_dead, breaks; /* answers nothing; shows a fault where it should move */
    int told, read, said, faults, ended;
    enum poll_end end;
    char why[80];
};

static void said(void *arg, const struct question *q, const struct decoded *d) {
    struct bus *b = arg;
    CHECK(b->t, str_is(q->address, "00000000000001"));
    b->said++;
    for (size_t i = 0; i < d->events_n; i++) b->faults += str_is(d->events[i].code, "valve_fault");
}

static void ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                  const char *why) {
    struct bus *b = arg;
    CHECK(b->t, tag == 7 && str_is(q->item, "A017") && (end == POLL_ANSWERED) == (d != NULL));
    b->ended++;
    b->end = end;
    snprintf(b->why, sizeof b->why, "%s", why ? why : "");
}

static void start(struct bus *b, struct t *t) {
    *b = (struct bus){.t = t, .takes_ms = 8000};
    const struct poll_options o = {.codec = &cjt188_codec, .calls = {.said = said, .ended = ended, .arg = b}};
    CHECK(t, !poll_create(&o, &b->poll, &t->fault));
}

static void tell(struct bus *b, const char *value) {
    const struct poll_order o = {.q = {.address = S("00000000000001"), .item = S("A017"), .value = str_of(value)},
                                 .tag = 7,
                                 .tries = 1,
                                 .until_ms = b->now_ms + 60000};
    CHECK(b->t, !poll_order(b->poll, &o, &b->t->fault));
}

static void move(struct bus *b) {
    if (b->takes_ms == NEVER || b->now_ms - b->began_ms < b->takes_ms) return;
    b->status = b->breaks ? CJT188_VALVE_FAULT : b->target;
}

static void hear(struct bus *b, struct bytes question) {
    static const uint8_t metering[18] = {0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 0x2c, 0, 0, 0, 1, 1, 0x26, 0x20};
    struct cjt188_frame f;
    struct wire_error e;
    struct buf out;
    char mem[CJT188_FRAME_MAX];
    uint8_t data[3 + sizeof metering + 2];
    size_t n = 3;
    CHECK(b->t, cjt188_decode(question, &f, &e));
    memcpy(data, f.data.ptr, n);
    bool is_told = f.control == CJT188_WRITE;
    if (is_told) {
        b->target = f.data.ptr[3] == CJT188_CLOSE;
        b->began_ms = b->now_ms;
    } else {
        memcpy(data + n, metering, sizeof metering - 1);
        n += sizeof metering - 1;
    }
    (is_told ? b->told++ : b->read++);
    move(b);
    if (b->is_dead && !is_told) return;
    if (is_told && b->late_ms == NEVER) return;
    data[n++] = b->status;
    data[n++] = 0;
    f.type = 0x10;
    f.control |= CJT188_REPLY;
    f.data = (struct bytes){data, n};
    buf_init(&out, mem, sizeof mem);
    CHECK(b->t, cjt188_encode(&f, &out));
    if (is_told) b->now_ms += b->late_ms;
    poll_feed(b->poll, b->now_ms, (struct bytes){(const uint8_t *)mem, out.len});
}

static void run_until(struct bus *b, int64_t until_ms) {
    for (int turns = 0; b->now_ms < until_ms && turns < 10000; turns++) {
        char mem[CJT188_FRAME_MAX + 1];
        struct buf out;
        buf_init(&out, mem, sizeof mem);
        int64_t next_ms = poll_step(b->poll, b->now_ms, &out);
        CHECK(b->t, out.len || next_ms > b->now_ms);
        b->now_ms = out.len ? b->now_ms + 50 : next_ms < until_ms ? next_ms : until_ms;
        if (out.len) hear(b, (struct bytes){(const uint8_t *)mem, out.len});
    }
}

static void a_valve_is_done_once_it_shows_it(struct t *t) {
    struct bus b;
    start(&b, t);
    tell(&b, "close");
    run_until(&b, 7000);
    CHECK_SAY(t, !b.ended && b.told == 1 && b.read == 3 && b.said == 4, "%d read", b.read);
    run_until(&b, 12000);
    CHECK_SAY(t, b.ended == 1 && b.end == POLL_ANSWERED && b.told == 1 && b.read == 4, "%d read", b.read);
    tell(&b, "close"); /* it stands there: read back all the same */
    run_until(&b, 13000);
    CHECK(t, b.ended == 2 && b.end == POLL_ANSWERED && b.told == 2 && b.read == 5);
    poll_destroy(b.poll);
}

static void a_valve_that_sticks_has_failed(struct t *t) {
    struct bus b;
    start(&b, t);
    b.takes_ms = NEVER;
    tell(&b, "close");
    run_until(&b, 119000);
    CHECK(t, !b.ended && b.told == 1);
    run_until(&b, 125000);
    CHECK_SAY(t, b.ended == 1 && b.end == POLL_REFUSED && strstr(b.why, "did not show"), "%s", b.why);
    int read = b.read;
    run_until(&b, 200000);
    CHECK(t, b.read == read && b.ended == 1 && b.told == 1);
    poll_destroy(b.poll);
}

static void a_fault_ends_it_at_once_and_is_said(struct t *t) {
    struct bus b;
    start(&b, t);
    b.breaks = true;
    tell(&b, "close");
    run_until(&b, 12000);
    CHECK_SAY(t, b.ended == 1 && b.end == POLL_REFUSED && strstr(b.why, "fault") && b.faults == 1, "%s", b.why);
    tell(&b, "open"); /* it says so in its answer already */
    b.takes_ms = 0;
    run_until(&b, 13000);
    CHECK(t, b.ended == 2 && b.end == POLL_REFUSED && b.told == 2 && b.faults == 2);
    poll_destroy(b.poll);
}

static void who_falls_silent_meanwhile_has_not_done_it(struct t *t) {
    struct bus b;
    start(&b, t);
    b.is_dead = true;
    tell(&b, "close");
    run_until(&b, 110000);
    CHECK(t, !b.ended && b.read > 10);
    b.is_dead = false;
    run_until(&b, 118000);
    CHECK(t, b.ended == 1 && b.end == POLL_ANSWERED); /* late, but there */
    b.is_dead = true;
    tell(&b, "open");
    run_until(&b, b.now_ms + 130000);
    CHECK(t, b.ended == 2 && b.end == POLL_REFUSED && b.told == 2);
    poll_destroy(b.poll);
}

/* Opened and closed at once, nobody would know what it did. */
static void the_next_word_to_it_waits(struct t *t) {
    struct bus b;
    start(&b, t);
    tell(&b, "close");
    tell(&b, "open");
    run_until(&b, 7000);
    CHECK(t, b.told == 1 && !b.ended);
    run_until(&b, 10500);
    CHECK_SAY(t, b.told == 2 && b.ended == 1 && b.end == POLL_ANSWERED, "%d told", b.told);
    run_until(&b, 30000);
    CHECK(t, b.told == 2 && b.ended == 2 && b.end == POLL_ANSWERED && b.status == CJT188_VALVE_OPEN);
    poll_destroy(b.poll);
}

static void a_line_that_is_lost_meanwhile_is_no_end(struct t *t) {
    struct bus b;
    char mem[CJT188_FRAME_MAX + 1];
    struct buf out;
    start(&b, t);
    tell(&b, "close");
    run_until(&b, 4000);
    for (out.len = 0; !out.len; b.now_ms += 10) {
        buf_init(&out, mem, sizeof mem);
        (void)poll_step(b.poll, b.now_ms, &out);
    }
    poll_lost(b.poll); /* under a question for the proof */
    CHECK(t, !b.ended);
    run_until(&b, 20000);
    CHECK(t, b.ended == 1 && b.end == POLL_ANSWERED && b.told == 1);
    poll_destroy(b.poll);
}

/* A meter that wakes slowly: what it was told may have been done, so it is looked up and not said again. */
static void who_does_not_answer_may_have_done_it(struct t *t) {
    struct bus b;
    start(&b, t);
    b.late_ms = NEVER;
    tell(&b, "close");
    run_until(&b, 2900);
    CHECK(t, b.told == 1 && !b.read); /* CJ/T 188 over M-Bus: 3 s */
    run_until(&b, 7000);
    CHECK_SAY(t, !b.ended && b.told == 1 && b.read == 2, "%d read", b.read);
    run_until(&b, 13000);
    CHECK_SAY(t, b.ended == 1 && b.end == POLL_ANSWERED && b.told == 1, "%s", b.why);
    b.takes_ms = NEVER;
    tell(&b, "open");
    run_until(&b, 130000);
    CHECK(t, b.ended == 1 && b.told == 2);
    run_until(&b, 150000);
    CHECK_SAY(t, b.ended == 2 && b.end == POLL_SILENT && strstr(b.why, "did not answer"), "%s", b.why);
    b.takes_ms = 0;
    b.late_ms = 2600;
    tell(&b, "open");
    run_until(&b, 160000);
    CHECK_SAY(t, b.ended == 3 && b.end == POLL_ANSWERED && b.told == 3, "%s", b.why);
    poll_destroy(b.poll);
}

static void a_line_that_is_lost_behind_the_word_is_no_end(struct t *t) {
    static const int64_t away_ms[] = {1000, 300000 /* beyond the time of the proof: it is read once more */};
    for (size_t i = 0; i < COUNT(away_ms); i++)
        for (int sticks = 0; sticks < 2; sticks++) {
            struct bus b;
            char mem[CJT188_FRAME_MAX + 1];
            struct buf out;
            start(&b, t);
            tell(&b, "close");
            buf_init(&out, mem, sizeof mem);
            (void)poll_step(b.poll, b.now_ms, &out);
            CHECK(t, out.len > 0);
            b.target = CJT188_VALVE_CLOSED; /* it came there */
            if (sticks) b.takes_ms = NEVER;
            poll_lost(b.poll);
            b.now_ms += away_ms[i];
            run_until(&b, b.now_ms + 130000);
            CHECK_SAY(t, b.ended == 1 && b.end == (sticks ? POLL_SILENT : POLL_ANSWERED) && !b.told && b.read > 0,
                      "%zu: %d read, %s", i, b.read, b.why);
            poll_destroy(b.poll);
        }
}

TESTS(CASE(who_does_not_answer_may_have_done_it), CASE(a_line_that_is_lost_behind_the_word_is_no_end),
      CASE(a_valve_is_done_once_it_shows_it), CASE(a_valve_that_sticks_has_failed),
      CASE(a_fault_ends_it_at_once_and_is_said), CASE(who_falls_silent_meanwhile_has_not_done_it),
      CASE(the_next_word_to_it_waits), CASE(a_line_that_is_lost_meanwhile_is_no_end))
