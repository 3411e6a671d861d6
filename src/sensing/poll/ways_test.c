/* Meters that want to be asked otherwise than their model says: as hot water, with the low byte first.  Found by
 * trying, once, and told so too; whoever is not there holds up nobody.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cjt188/cjt188.h"
#include "sensing/poll/poll.h"
#include "tests/lib/test.h"

#include <string.h>

#define METERS  2 /* "00000000000000" and on */
#define HOUR_MS INT64_C(3600000)

struct meter {
    uint8_t type;
    bool is_low_first, refuses /* what it does not know */, is_dead, is_closed;
    int asked, said;
};
struct bus {
    struct t *t;
    struct poll *poll;
    int64_t now_ms;
    struct meter meters[METERS];
    int silent, back, missed, ended;
    enum poll_end end;
};

static struct meter *meter_of(struct bus *b, struct str address) {
    return &b->meters[address.ptr[address.len - 1] - '0'];
}

static void said(void *arg, const struct question *q, const struct decoded *d) {
    meter_of(arg, q->address)->said += d->readings_n > 0;
}
static void missed(void *arg, const struct question *q) {
    struct bus *b = arg;
    (void)q;
    b->missed++;
}
static void silent(void *arg, struct str address, bool is_silent) {
    struct bus *b = arg;
    (void)address;
    (*(is_silent ? &b->silent : &b->back))++;
}
static void ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                  const char *why) {
    struct bus *b = arg;
    (void)tag;
    (void)q;
    (void)d;
    (void)why;
    b->ended++;
    b->end = end;
}

static void start(struct bus *b, struct t *t) {
    *b = (struct bus){.t = t};
    const struct poll_options o = {
        .codec = &cjt188_codec, .calls = {.said = said, .missed = missed, .silent = silent, .ended = ended, .arg = b}};
    CHECK(t, !poll_create(&o, &b->poll, &t->fault));
}

/* It knows nothing but its own type and order. */
static void hear(struct bus *b, struct bytes question) {
    static const uint8_t metering[] = {0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 0x2c, 0, 0, 0, 1, 1, 0x26, 0x20};
    struct cjt188_frame f;
    struct cjt188_body body;
    struct wire_error e;
    struct buf out;
    char mem[CJT188_FRAME_MAX];
    uint8_t data[3 + sizeof metering + 2];
    size_t n = 3;
    CHECK(b->t, cjt188_decode(question, &f, &e) && cjt188_body(&f, &body, &e));
    struct meter *m = meter_of(b, str_of(f.address));
    m->asked++;
    bool is_its = f.type == m->type && body.is_low_first == m->is_low_first;
    if (m->is_dead || (!is_its && !m->refuses)) return;
    memcpy(data, f.data.ptr, n);
    if (f.control == CJT188_WRITE)
        m->is_closed = f.data.ptr[3] == CJT188_CLOSE;
    else
        memcpy(data + n, metering, sizeof metering);
    if (f.control != CJT188_WRITE) n += sizeof metering;
    f.control |= is_its ? CJT188_REPLY : CJT188_REPLY | CJT188_REFUSED;
    if (!is_its) data[n = 0] = body.serial, n++;
    data[n++] = m->is_closed ? CJT188_VALVE_CLOSED : CJT188_VALVE_OPEN;
    data[n++] = 0;
    f.data = (struct bytes){data, n};
    buf_init(&out, mem, sizeof mem);
    CHECK(b->t, cjt188_encode(&f, &out));
    poll_feed(b->poll, b->now_ms, (struct bytes){(const uint8_t *)mem, out.len});
}

static void run_until(struct bus *b, int64_t until_ms) {
    for (int turns = 0; b->now_ms < until_ms && turns < 100000; turns++) {
        char mem[CJT188_FRAME_MAX + 1];
        struct buf out;
        buf_init(&out, mem, sizeof mem);
        int64_t next_ms = poll_step(b->poll, b->now_ms, &out);
        CHECK(b->t, out.len || next_ms > b->now_ms);
        b->now_ms = out.len ? b->now_ms + 50 : next_ms < until_ms ? next_ms : until_ms;
        if (out.len) hear(b, (struct bytes){(const uint8_t *)mem, out.len});
    }
}

static void add(struct bus *b, int n, const char *item, int64_t every_ms) {
    char address[15];
    snprintf(address, sizeof address, "%014d", n);
    CHECK(b->t, !poll_add(b->poll, str_of(address), str_of(item), every_ms, &b->t->fault));
}

static void a_meter_of_another_type_or_order_is_found_and_told(struct t *t) {
    static const struct {
        const char *item, *told;
        uint8_t type;
        bool is_low_first;
    } all[] = {{"10:901F", "10:A017", 0x10, false}, {"10:901F", "10:A017", 0x10, true},
               {"10:901F", "10:A017", 0x11, false}, {"10:901F", "10:A017", 0x13, true},
               {"10:901F", "A017", 0x12, true},     {"10:901F", "10:A017", 0xaa, true},
               {"901F", "A017", 0x30, true},        {"901F<", "10:A017", 0x11, false}};
    for (size_t i = 0; i < COUNT(all); i++)
        for (int refuses = 0; refuses < 2; refuses++) {
            struct bus b;
            start(&b, t);
            b.meters[0] = (struct meter){.type = all[i].type, .is_low_first = all[i].is_low_first, .refuses = refuses};
            add(&b, 0, all[i].item, HOUR_MS);
            run_until(&b, HOUR_MS - 1);
            CHECK_SAY(t, b.meters[0].said == 1 && !b.silent && !b.missed, "%zu: said %d", i, b.meters[0].said);
            CHECK_SAY(t, b.meters[0].asked <= 3 + 18, "%zu: asked %d", i, b.meters[0].asked);
            int before = b.meters[0].asked;
            run_until(&b, 5 * HOUR_MS - 1);
            CHECK_SAY(t, b.meters[0].said == 5 && b.meters[0].asked == before + 4, "%zu: asked", i);
            const struct poll_order o = {
                .q = {.address = S("00000000000000"), .item = str_of(all[i].told), .value = S("close")},
                .tries = 1,
                .until_ms = INT64_MAX};
            CHECK(t, !poll_order(b.poll, &o, &t->fault));
            run_until(&b, b.now_ms + 10000);
            CHECK_SAY(t, b.ended == 1 && b.end == POLL_ANSWERED && b.meters[0].is_closed, "%zu: told", i);
            b.meters[0].is_dead = true; /* whoever answered once is not asked in other ways */
            before = b.meters[0].asked;
            while (!b.silent && b.now_ms < 8 * HOUR_MS) run_until(&b, b.now_ms + 60000);
            CHECK_SAY(t, b.silent == 1 && b.meters[0].asked == before + 3, "%zu: %d", i, b.meters[0].asked - before);
            poll_destroy(b.poll);
        }
}

/* Its ways are tried in turn with others' questions, all of them once, then one behind each question. */
static void a_meter_that_is_not_there_holds_up_nobody(struct t *t) {
    struct bus b;
    start(&b, t);
    b.meters[0] = (struct meter){.is_dead = true};
    b.meters[1] = (struct meter){.type = 0x10};
    add(&b, 0, "10:901F", HOUR_MS);
    add(&b, 1, "10:901F", 5000);
    run_until(&b, 60000);
    CHECK_SAY(t, b.meters[0].asked == 3 + 9 && b.silent == 1 && b.missed == 1, "asked %d", b.meters[0].asked);
    CHECK_SAY(t, b.meters[1].said >= 10, "said %d", b.meters[1].said);
    run_until(&b, HOUR_MS + 60000);
    CHECK_SAY(t, b.meters[0].asked == 3 + 9 + 3 + 1 && b.silent == 1, "asked %d", b.meters[0].asked);
    const struct poll_order o = {.q = {.address = S("00000000000000"), .item = S("10:A017"), .value = S("close")},
                                 .tries = 1,
                                 .until_ms = INT64_MAX};
    CHECK(t, !poll_order(b.poll, &o, &t->fault));
    run_until(&b, b.now_ms + 130000);
    CHECK(t, b.ended == 1 && b.end == POLL_SILENT);
    b.meters[0] = (struct meter){.type = 0x11}; /* it is there now, and hot */
    run_until(&b, 12 * HOUR_MS);
    CHECK_SAY(t, b.meters[0].said > 0 && b.back == 1, "said %d", b.meters[0].said);
    poll_destroy(b.poll);
}

TESTS(CASE(a_meter_of_another_type_or_order_is_found_and_told), CASE(a_meter_that_is_not_there_holds_up_nobody))
