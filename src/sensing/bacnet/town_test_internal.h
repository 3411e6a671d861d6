/* For this folder's tests: a client and the controllers of a building, over a network that may lose things.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_BACNET_TOWN_TEST_INTERNAL_H
#define LINLI_SENSING_BACNET_TOWN_TEST_INTERNAL_H

#include "sensing/bacnet/client.h"

#include "main/simulate/building.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

#define DEVICES   3
#define FIRST     1234
#define QUEUE_MAX 512
#define MINUTE_MS INT64_C(60000)

static const struct udp_peer at_building = {"10.0.0.7", 47808}, at_client = {"10.0.0.1", 47808},
                             at_bbmd = {"10.1.0.1", 47808};

struct datagram {
    bool is_to_building;
    struct udp_peer to, from;
    uint8_t bytes[BACNET_FRAME_MAX];
    size_t n;
};
struct town {
    struct t *t;
    struct building building;
    struct building_device devices[DEVICES];
    struct bacnet_client *client;
    int64_t now_ms;
    struct datagram queue[QUEUE_MAX];
    size_t queued;
    /* what the network does to questions */
    bool is_cut, refuses_multiple, refuses_watch, answers_in_segments;
    int lost;        /* so many of the next ones */
    uint64_t chance; /* of damage; 0: none */
    /* what came of it */
    size_t asked[16], who, registered, distributed; /* by service */
    uint8_t invokes[64];
    int64_t asked_ms[64];
    size_t invokes_n;
    struct bacnet_about about; /* of the last that was asked what it is */
    size_t introduced;
    size_t found, heard, said, refused, silent, heard_again, noises, ended, replies, aborts;
    char last[64], why[64],
        rule[80]; /* the device that said the last; why the last was refused; what the last noise broke */
    double value;
    enum poll_end end;
};

/* ---- the network ---- */

static inline void enqueue(struct town *w, bool is_to_building, const struct udp_peer *to, struct bytes b) {
    CHECK(w->t, w->queued < QUEUE_MAX && b.len <= BACNET_FRAME_MAX);
    struct datagram *d = &w->queue[w->queued++];
    *d = (struct datagram){
        .is_to_building = is_to_building, .to = *to, .from = is_to_building ? at_client : at_building, .n = b.len};
    memcpy(d->bytes, b.ptr, b.len);
}

static inline void building_sends(void *arg, const struct udp_peer *to, struct bytes datagram) {
    enqueue(arg, false, to, datagram);
}

static inline void note_question(struct town *w, const struct bacnet_frame *f) {
    if (f->function == BACNET_REGISTER) w->registered++;
    if (f->function == BACNET_DISTRIBUTE) w->distributed++;
    if (f->function == BACNET_BROADCAST) w->who++;
    if (f->kind == BACNET_SIMPLE_ACK) w->replies++;
    if (f->kind == BACNET_ABORT) w->aborts++;
    if (f->kind != BACNET_CONFIRMED || f->function != BACNET_UNICAST) return;
    w->asked[f->service % 16]++;
    if (w->invokes_n == COUNT(w->invokes)) return;
    w->invokes[w->invokes_n] = f->invoke;
    w->asked_ms[w->invokes_n++] = w->now_ms;
}

static inline void client_sends(void *arg, const struct udp_peer *to, struct bytes datagram) {
    struct town *w = arg;
    struct bacnet_frame f;
    struct wire_error e = {"", 0};
    bool ok = bacnet_decode(datagram, &f, &e);
    CHECK_SAY(w->t, ok, "%s", e.rule);
    if (!ok) return;
    note_question(w, &f);
    if (w->is_cut || (to && strcmp(to->host, at_building.host) != 0)) return;
    if (f.kind == BACNET_CONFIRMED && w->lost > 0) {
        w->lost--;
        return;
    }
    enqueue(w, true, to ? to : &at_building, datagram);
}

/* Instead of the building, where it is to be a poorer one. */
static inline bool answers_otherwise(struct town *w, const struct datagram *d) {
    struct bacnet_frame f, back;
    struct wire_error e;
    char mem[64];
    struct buf b;
    static const uint8_t part[] = {0x0c, 0x00, 0x00, 0x00, 0x01};
    if (!bacnet_decode((struct bytes){d->bytes, d->n}, &f, &e) || f.kind != BACNET_CONFIRMED) return false;
    bool is_multiple = f.service == BACNET_READ_MULTIPLE && (w->refuses_multiple || w->answers_in_segments);
    if (!is_multiple && !(f.service == BACNET_SUBSCRIBE_COV && w->refuses_watch)) return false;
    back = bacnet_answer(&f, BACNET_REJECT, BACNET_UNRECOGNIZED_SERVICE);
    if (is_multiple && w->answers_in_segments) {
        back = bacnet_answer(&f, BACNET_COMPLEX_ACK, BACNET_READ_MULTIPLE);
        back.flags = BACNET_SEGMENTED;
        back.data = (struct bytes){part, sizeof part};
    }
    buf_init(&b, mem, sizeof mem);
    CHECK(w->t, bacnet_encode(&back, &b));
    enqueue(w, false, &d->from, (struct bytes){(const uint8_t *)mem, b.len});
    return true;
}

/* One of four answers has a byte that is another, and half of these have lost their last; the length is right, or most
 * were refused for that alone. */
static inline void damage(struct town *w, struct datagram *d) {
    uint64_t x = w->chance = w->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    if (x >> 62) return;
    d->bytes[x >> 33 & 63] = (uint8_t)(x >> 40);
    if (x >> 50 & 1) d->n--;
    d->bytes[3] = (uint8_t)d->n;
}

static inline void deliver(struct town *w) {
    for (size_t i = 0; i < w->queued; i++) {
        struct datagram d = w->queue[i];
        if (w->chance && !d.is_to_building) damage(w, &d);
        struct bytes b = {d.bytes, d.n};
        if (!d.is_to_building)
            bacnet_client_feed(w->client, w->now_ms, &d.from, b);
        else if (!answers_otherwise(w, &d))
            (void)building_hear(&w->building, w->now_ms, &d.from, b);
    }
    w->queued = 0;
}

/* Nothing happens between what is due. */
static inline void run_for(struct town *w, int64_t ms) {
    int64_t end_ms = w->now_ms + ms;
    for (int steps = 0; w->now_ms < end_ms; steps++) {
        int64_t next_ms = bacnet_client_step(w->client, w->now_ms);
        CHECK(w->t, steps < 200000 && next_ms > w->now_ms - (w->queued > 0));
        if (steps >= 200000) return;
        if (w->queued)
            deliver(w);
        else
            w->now_ms = next_ms < end_ms ? next_ms : end_ms;
    }
}

/* ---- what is told ---- */

static inline void on_found(void *arg, struct str device, const struct udp_peer *from,
                            const struct bacnet_about *about) {
    struct town *w = arg;
    CHECK(w->t, from->port == at_building.port && w->heard);
    w->found++;
    if (about) w->about = *about;
    w->introduced += about != NULL;
    snprintf(w->last, sizeof w->last, STR_FMT, STR_ARG(device));
}

static inline void on_said(void *arg, const struct bacnet_news *news) {
    struct town *w = arg;
    w->said++;
    snprintf(w->last, sizeof w->last, STR_FMT, STR_ARG(news->address));
    if (news->decoded->readings_n) w->value = news->decoded->readings[0].value;
    if (news->reply.len) client_sends(w, &news->from, news->reply); /* it is in the store */
}

static inline void on_refused(void *arg, struct str address, struct str item, const char *why) {
    struct town *w = arg;
    w->refused++;
    snprintf(w->why, sizeof w->why, STR_FMT " " STR_FMT " %s", STR_ARG(address), STR_ARG(item), why);
}

static inline void on_silent(void *arg, struct str address, bool is_silent) {
    struct town *w = arg;
    w->silent += is_silent;
    w->heard_again += !is_silent;
    snprintf(w->last, sizeof w->last, STR_FMT, STR_ARG(address));
}

static inline void on_heard(void *arg, const struct udp_peer *from, struct bytes whole) {
    struct town *w = arg;
    (void)from;
    w->heard += whole.len > 0;
}

static inline void on_noise(void *arg, const struct udp_peer *from, struct bytes bytes, const struct wire_error *e) {
    struct town *w = arg;
    (void)from;
    (void)bytes;
    w->noises++;
    snprintf(w->rule, sizeof w->rule, "%s", e->rule ? e->rule : "");
}

static inline void on_ended(void *arg, int64_t tag, const struct question *q, enum poll_end end,
                            const struct decoded *d, const char *why) {
    struct town *w = arg;
    (void)q;
    CHECK(w->t, tag == 7 && (end == POLL_ANSWERED) == !!d);
    w->ended++;
    w->end = end;
    snprintf(w->why, sizeof w->why, "%s", why);
}

/* ---- building up ---- */

static inline void start(struct t *t, struct town *w, const struct udp_peer *bbmd) {
    *w = (struct town){.t = t, .now_ms = 1000000};
    const struct bacnet_client_options o = {
        .bbmd = bbmd,
        .calls = {client_sends, on_found, on_said, on_refused, on_silent, on_heard, on_noise, on_ended, w}};
    w->building = (struct building){
        .first = FIRST, .n = DEVICES, .random = 1, .devices = w->devices, .send = building_sends, .arg = w};
    building_init(&w->building);
    CHECK(t, !bacnet_client_create(&o, &w->client, &t->fault));
}

/* All are looked for, and say what they are; only what is asked after that counts. */
static inline void find_all(struct town *w) {
    bacnet_client_find(w->client, -1, -1);
    run_for(w, 1000);
    memset(w->asked, 0, sizeof w->asked);
    w->invokes_n = w->found = 0;
}

static inline void finish(struct town *w) {
    bacnet_client_destroy(w->client);
}

static inline void plan(struct town *w, const char *address, const char *items, int64_t every_ms, bool is_watched) {
    bacnet_client_plan_begin(w->client);
    CHECK(w->t, !bacnet_client_add(w->client, str_of(address), str_of(items), every_ms, is_watched, &w->t->fault));
    bacnet_client_plan_end(w->client);
}

static inline enum err order(struct town *w, const char *address, const char *item, const char *value,
                             int64_t within_ms) {
    const struct poll_order o = {.q = {.address = str_of(address), .item = str_of(item), .value = str_of(value)},
                                 .tag = 7,
                                 .tries = value ? 1 : 3,
                                 .until_ms = w->now_ms + within_ms};
    return bacnet_client_order(w->client, &o, &w->t->fault);
}

static inline void hear(struct town *w, const struct udp_peer *from, const char *hex) {
    uint8_t bytes[BACNET_FRAME_MAX];
    size_t n = 0;
    for (const char *p = hex; p[0] && p[1]; p += 2) {
        unsigned byte;
        if (sscanf(p, "%2x", &byte) == 1) bytes[n++] = (uint8_t)byte;
    }
    bacnet_client_feed(w->client, w->now_ms, from, (struct bytes){bytes, n});
}

/* I am, of the device with that number. */
static inline void hear_of(struct town *w, const struct udp_peer *from, uint32_t device) {
    char hex[64];
    snprintf(hex, sizeof hex,
             "810A0014010010"
             "00C402%06X2205C49103210A",
             device);
    hear(w, from, hex);
}

#endif
