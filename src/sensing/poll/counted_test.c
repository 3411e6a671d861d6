/* Polling of a simulated reader that counts what it is asked (OSDP): bytes are damaged, the reader begins anew, and no
 * card is lost and nothing is done twice.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/slave.h"
#include "protocol/osdp/osdp.h"
#include "sensing/poll/poll.h"
#include "tests/lib/test.h"

#include <string.h>

#define BEGAN_MS INT64_C(1790000000000)

struct reader {
    struct t *t;
    struct poll *poll;
    struct slave_device device;
    int64_t now_ms;
    int damaged;      /* how many replies from now on */
    int cards, opens; /* told; done */
    int asked, refusals, ended;
    char numbers[200]; /* of what was asked, as "0123" */
    enum poll_end end;
};

static void said(void *arg, const struct question *q, const struct decoded *d) {
    struct reader *r = arg;
    (void)q;
    r->cards += (int)d->passings_n;
}
static void refused(void *arg, const struct question *q, const char *why) {
    struct reader *r = arg;
    (void)q, (void)why;
    r->refusals++;
}
static void ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                  const char *why) {
    struct reader *r = arg;
    (void)tag, (void)q, (void)d, (void)why;
    r->ended++;
    r->end = end;
}

static void start(struct reader *r, struct t *t) {
    *r = (struct reader){.t = t};
    const struct poll_options o = {.codec = slave_osdp.codec,
                                   .calls = {.said = said, .refused = refused, .ended = ended, .arg = r}};
    slave_devices(&r->device, 1, 5, 1);
    r->device.shown_ms = BEGAN_MS; /* the first card comes in 5 s */
    CHECK(t, !poll_create(&o, &r->poll, &t->fault));
    CHECK(t, !poll_add(r->poll, S("5"), S("poll"), 1000, &t->fault));
}

static void hear(struct reader *r, struct bytes whole) {
    char mem[100];
    struct buf out;
    struct slave_line line = {&r->device, 1};
    struct osdp_frame f;
    struct wire_error e;
    int64_t open_ms = r->device.open_until_ms;
    CHECK(r->t, osdp_decode(whole, &f, &e));
    if ((size_t)r->asked < sizeof r->numbers - 1) r->numbers[r->asked++] = (char)('0' + f.sequence);
    buf_init(&out, mem, sizeof mem);
    CHECK(r->t, slave_osdp.hear(&line, whole, BEGAN_MS + r->now_ms, &out) != SLAVE_NOT_OURS);
    r->opens += r->device.open_until_ms != open_ms;
    if (r->damaged-- > 0) mem[out.len - 2] ^= 1;
    poll_feed(r->poll, r->now_ms += 10, (struct bytes){(const uint8_t *)mem, out.len});
}

static void run(struct reader *r, int64_t for_ms) {
    for (int64_t end_ms = r->now_ms + for_ms; r->now_ms < end_ms;) {
        char mem[100];
        struct buf out;
        buf_init(&out, mem, sizeof mem);
        int64_t next_ms = poll_step(r->poll, r->now_ms, &out);
        if (out.len)
            hear(r, (struct bytes){(const uint8_t *)mem, out.len});
        else
            r->now_ms = next_ms < end_ms ? next_ms : end_ms;
    }
}

static void open_it(struct reader *r) {
    const struct poll_order o = {.q = {.address = S("5"), .item = S("out"), .value = S("0 5 30")},
                                 .tag = 1,
                                 .tries = 1,
                                 .until_ms = r->now_ms + 10000};
    CHECK(r->t, !poll_order(r->poll, &o, &r->t->fault));
}

static void numbers_go_on(struct t *t) {
    struct reader r;
    start(&r, t);
    run(&r, 6900);
    CHECK_SAY(t, !strcmp(r.numbers, "0123123"), "%s", r.numbers);
    CHECK(t, r.cards == 1 && !r.refusals);
    r.asked = 0;
    memset(r.numbers, 0, sizeof r.numbers);
    poll_lost(r.poll); /* another connection */
    run(&r, 1000);
    CHECK_SAY(t, !strcmp(r.numbers, "0"), "%s", r.numbers);
    poll_destroy(r.poll);
}

static void a_card_whose_report_is_damaged_is_told(struct t *t) {
    struct reader r;
    start(&r, t);
    run(&r, 4900);
    r.damaged = 2;
    run(&r, 4500); /* two of the tries */
    CHECK_SAY(t, !strcmp(r.numbers, "01231222"), "%s", r.numbers);
    CHECK(t, r.cards == 1 && !r.refusals);
    poll_destroy(r.poll);
}

static void a_door_whose_answer_is_damaged_opened_once(struct t *t) {
    struct reader r;
    start(&r, t);
    run(&r, 2500);
    open_it(&r);
    r.damaged = 2;
    run(&r, 5000);
    CHECK_SAY(t, r.ended == 1 && r.end == POLL_ANSWERED && r.opens == 1, "%s: %d, %d times", r.numbers, (int)r.end,
              r.opens);
    poll_destroy(r.poll);
}

/* A number of 0 does not say whether it was said before. */
static void what_begins_anew_is_told_once(struct t *t) {
    struct reader r;
    start(&r, t);
    open_it(&r);
    r.damaged = 1;
    run(&r, 5000);
    CHECK_SAY(t, r.ended == 1 && r.end == POLL_SILENT && r.opens == 1, "%s: %d, %d times", r.numbers, (int)r.end,
              r.opens);
    poll_destroy(r.poll);
}

static void a_reader_that_begins_anew_is_followed(struct t *t) {
    struct reader r;
    start(&r, t);
    run(&r, 2500);
    r.device.said_n = 0; /* its power was cut */
    open_it(&r);
    run(&r, 3000);
    CHECK_SAY(t, !strcmp(r.numbers, "01230123"), "%s", r.numbers);
    CHECK(t, r.ended == 1 && r.end == POLL_ANSWERED && r.opens == 1 && !r.refusals);
    poll_destroy(r.poll);
}

/* What was done is not known where the reader forgot that it was told. */
static void what_may_be_done_is_not_told_anew(struct t *t) {
    struct reader r;
    start(&r, t);
    run(&r, 2500);
    open_it(&r);
    r.damaged = 1;
    run(&r, 1000);
    r.device.said_n = 0;
    run(&r, 3000);
    CHECK_SAY(t, r.ended == 1 && r.end == POLL_REFUSED && r.opens == 1, "%s: %d, %d times", r.numbers, (int)r.end,
              r.opens);
    poll_destroy(r.poll);
}

static void behind_a_silence_it_begins_anew(struct t *t) {
    struct reader r;
    start(&r, t);
    poll_plan_begin(r.poll);
    CHECK(t, !poll_add(r.poll, S("5"), S("poll"), 9000, &t->fault));
    poll_plan_end(r.poll);
    run(&r, 19000);
    CHECK_SAY(t, !strcmp(r.numbers, "000") && !r.refusals, "%s", r.numbers);
    poll_destroy(r.poll);
}

TESTS(CASE(numbers_go_on), CASE(a_card_whose_report_is_damaged_is_told),
      CASE(a_door_whose_answer_is_damaged_opened_once), CASE(what_begins_anew_is_told_once),
      CASE(a_reader_that_begins_anew_is_followed), CASE(what_may_be_done_is_not_told_anew),
      CASE(behind_a_silence_it_begins_anew))
