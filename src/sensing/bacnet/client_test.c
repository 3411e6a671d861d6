/* A BACnet client and the controllers of a building, over a network that may lose things.  SPDX-License-Identifier:
 * Apache-2.0 */
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
    size_t found, heard, said, refused, silent, heard_again, noises, ended, replies, aborts;
    char last[64], why[64],
        rule[80]; /* the device that said the last; why the last was refused; what the last noise broke */
    double value;
    enum poll_end end;
};

/* ---- the network ---- */

static void enqueue(struct town *w, bool is_to_building, const struct udp_peer *to, struct bytes b) {
    CHECK(w->t, w->queued < QUEUE_MAX && b.len <= BACNET_FRAME_MAX);
    struct datagram *d = &w->queue[w->queued++];
    *d = (struct datagram){
        .is_to_building = is_to_building, .to = *to, .from = is_to_building ? at_client : at_building, .n = b.len};
    memcpy(d->bytes, b.ptr, b.len);
}

static void building_sends(void *arg, const struct udp_peer *to, struct bytes datagram) {
    enqueue(arg, false, to, datagram);
}

static void note_question(struct town *w, const struct bacnet_frame *f) {
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

static void client_sends(void *arg, const struct udp_peer *to, struct bytes datagram) {
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
static bool answers_otherwise(struct town *w, const struct datagram *d) {
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
static void damage(struct town *w, struct datagram *d) {
    uint64_t x = w->chance = w->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    if (x >> 62) return;
    d->bytes[x >> 33 & 63] = (uint8_t)(x >> 40);
    if (x >> 50 & 1) d->n--;
    d->bytes[3] = (uint8_t)d->n;
}

static void deliver(struct town *w) {
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
static void run_for(struct town *w, int64_t ms) {
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

static void on_found(void *arg, struct str device, const struct udp_peer *from) {
    struct town *w = arg;
    CHECK(w->t, from->port == at_building.port && w->heard);
    w->found++;
    snprintf(w->last, sizeof w->last, STR_FMT, STR_ARG(device));
}

static void on_said(void *arg, const struct bacnet_news *news) {
    struct town *w = arg;
    w->said++;
    snprintf(w->last, sizeof w->last, STR_FMT, STR_ARG(news->address));
    if (news->decoded->readings_n) w->value = news->decoded->readings[0].value;
    if (news->reply.len) client_sends(w, &news->from, news->reply); /* it is in the store */
}

static void on_refused(void *arg, struct str address, struct str item, const char *why) {
    struct town *w = arg;
    w->refused++;
    snprintf(w->why, sizeof w->why, STR_FMT " " STR_FMT " %s", STR_ARG(address), STR_ARG(item), why);
}

static void on_silent(void *arg, struct str address, bool is_silent) {
    struct town *w = arg;
    w->silent += is_silent;
    w->heard_again += !is_silent;
    snprintf(w->last, sizeof w->last, STR_FMT, STR_ARG(address));
}

static void on_heard(void *arg, const struct udp_peer *from, struct bytes whole) {
    struct town *w = arg;
    (void)from;
    w->heard += whole.len > 0;
}

static void on_noise(void *arg, const struct udp_peer *from, struct bytes bytes, const struct wire_error *e) {
    struct town *w = arg;
    (void)from;
    (void)bytes;
    w->noises++;
    snprintf(w->rule, sizeof w->rule, "%s", e->rule ? e->rule : "");
}

static void on_ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                     const char *why) {
    struct town *w = arg;
    (void)q;
    CHECK(w->t, tag == 7 && (end == POLL_ANSWERED) == !!d);
    w->ended++;
    w->end = end;
    snprintf(w->why, sizeof w->why, "%s", why);
}

/* ---- building up ---- */

static void start(struct t *t, struct town *w, const struct udp_peer *bbmd) {
    *w = (struct town){.t = t, .now_ms = 1000000};
    const struct bacnet_client_options o = {
        .bbmd = bbmd,
        .calls = {client_sends, on_found, on_said, on_refused, on_silent, on_heard, on_noise, on_ended, w}};
    w->building = (struct building){
        .first = FIRST, .n = DEVICES, .random = 1, .devices = w->devices, .send = building_sends, .arg = w};
    building_init(&w->building);
    CHECK(t, !bacnet_client_create(&o, &w->client, &t->fault));
}

static void finish(struct town *w) {
    bacnet_client_destroy(w->client);
}

static void plan(struct town *w, const char *address, const char *items, int64_t every_ms, bool is_watched) {
    bacnet_client_plan_begin(w->client);
    CHECK(w->t, !bacnet_client_add(w->client, str_of(address), str_of(items), every_ms, is_watched, &w->t->fault));
    bacnet_client_plan_end(w->client);
}

static enum err order(struct town *w, const char *address, const char *item, const char *value, int64_t within_ms) {
    const struct poll_order o = {.q = {.address = str_of(address), .item = str_of(item), .value = str_of(value)},
                                 .tag = 7,
                                 .tries = value ? 1 : 3,
                                 .until_ms = w->now_ms + within_ms};
    return bacnet_client_order(w->client, &o, &w->t->fault);
}

static void hear(struct town *w, const struct udp_peer *from, const char *hex) {
    uint8_t bytes[BACNET_FRAME_MAX];
    size_t n = 0;
    for (const char *p = hex; p[0] && p[1]; p += 2) {
        unsigned byte;
        if (sscanf(p, "%2x", &byte) == 1) bytes[n++] = (uint8_t)byte;
    }
    bacnet_client_feed(w->client, w->now_ms, from, (struct bytes){bytes, n});
}

/* ---- who is there ---- */

static void devices_are_found_also_behind_a_router(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_find(w.client);
    run_for(&w, 1000);
    CHECK(t, w.who == 1 && w.found == DEVICES && w.heard == DEVICES && !w.noises);
    CHECK(t, bacnet_client_devices(w.client) == DEVICES);
    finish(&w);
}

static void who_has_the_number_of_another_is_not_believed_while_that_one_speaks(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    plan(&w, "1234", "ai_1", MINUTE_MS, false);
    run_for(&w, MINUTE_MS);
    hear(&w, &at_bbmd,
         "810A0015010010"
         "00C4020004D22205C49103210A");
    CHECK(t, w.noises == 1); /* its length is wrong */
    hear(&w, &at_bbmd,
         "810A0014010010"
         "00C4020004D22205C49103210A");
    CHECK_SAY(t, w.noises == 2 && !strcmp(w.rule, "two devices say that they have this number"), "%s", w.rule);
    size_t said = w.said;
    run_for(&w, 2 * MINUTE_MS);
    CHECK(t, w.said == said + 2);
    finish(&w);
}

/* I am, of the device with that number. */
static void hear_of(struct town *w, const struct udp_peer *from, uint32_t device) {
    char hex[64];
    snprintf(hex, sizeof hex,
             "810A0014010010"
             "00C402%06X2205C49103210A",
             device);
    hear(w, from, hex);
}

static void who_makes_up_devices_drives_out_none_that_is_asked(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    plan(&w, "1234", "ai_1", MINUTE_MS, false);
    run_for(&w, 1000);
    for (uint32_t i = 0; i < 2 * BACNET_DEVICES_MAX; i++) hear_of(&w, &at_bbmd, 100000 + i);
    CHECK(t, bacnet_client_devices(w.client) == BACNET_DEVICES_MAX && !w.noises);
    bacnet_client_plan_begin(w.client);
    CHECK(t, !bacnet_client_add(w.client, S("1234"), S("ai_1"), MINUTE_MS, false, &t->fault));
    CHECK(t, !bacnet_client_add(w.client, S("1235"), S("ai_1"), MINUTE_MS, false, &t->fault)); /* there is room */
    bacnet_client_plan_end(w.client);
    run_for(&w, MINUTE_MS);
    CHECK(t, w.said == 3);
    finish(&w);
}

static void a_device_that_moved_is_asked_where_it_is(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_find(w.client);
    run_for(&w, 1000);
    w.now_ms += BACNET_KEPT_MS;
    hear(&w, &at_bbmd,
         "810A0014010010"
         "00C4020004D22205C49103210A");
    CHECK(t, !w.noises && w.found == DEVICES + 1);
    plan(&w, "1234", "ai_1", MINUTE_MS, false);
    size_t asked = w.asked[BACNET_READ];
    (void)bacnet_client_step(w.client, w.now_ms);
    CHECK(t, w.asked[BACNET_READ] == asked + 1 && !w.queued); /* it went elsewhere */
    finish(&w);
}

/* ---- points ---- */

static void points_are_read_every_so_often(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_plan_begin(w.client);
    CHECK(t, !bacnet_client_add(w.client, S("1234"), S("ai_1 ai_1_units"), 10000, false, &t->fault));
    CHECK(t, !bacnet_client_add(w.client, S("1236"), S("bi_1"), 20000, false, &t->fault)); /* behind the router */
    CHECK(t, !bacnet_client_add(w.client, S("1236.lift_1"), S("car_mode car_position"), 30000, false, &t->fault));
    bacnet_client_plan_end(w.client);
    run_for(&w, 2 * MINUTE_MS - 1000);
    CHECK_SAY(t, w.who == 1 && w.asked[BACNET_READ_MULTIPLE] == 16 && w.asked[BACNET_READ] == 6 && w.said == 22,
              "%zu %zu %zu %zu", w.who, w.asked[BACNET_READ_MULTIPLE], w.asked[BACNET_READ], w.said);
    CHECK(t, !w.silent && !w.refused && !w.noises);
    finish(&w);
}

static void what_cannot_be_planned_is_refused(struct t *t) {
    static const struct {
        const char *address, *items;
    } all[] = {{"", "ai_1"}, {"x", "ai_1"},  {"4194303", "ai_1"},
               {"1234", ""}, {"1234", "ai"}, {"1234.lift", "car_mode"}};
    struct town w;
    start(t, &w, NULL);
    bacnet_client_plan_begin(w.client);
    for (size_t i = 0; i < COUNT(all); i++) {
        CHECK_SAY(t,
                  bacnet_client_add(w.client, str_of(all[i].address), str_of(all[i].items), 1000, false, &t->fault) ==
                      ERR_INVALID,
                  "%s %s", all[i].address, all[i].items);
        t->fault = (struct fault){0};
    }
    bacnet_client_plan_end(w.client);
    finish(&w);
}

static void a_device_that_tells_one_thing_at_a_time_is_asked_so(struct t *t) {
    struct town w;
    for (int how = 0; how < 3; how++) {
        start(t, &w, NULL);
        w.refuses_multiple = how == 0;
        w.answers_in_segments = how == 1;
        w.lost = how == 2 ? BACNET_TRIES : 0;
        plan(&w, "1234", "ai_1 ai_2 ai_9", MINUTE_MS, false);
        run_for(&w, MINUTE_MS - 20000);
        CHECK_SAY(t, w.asked[BACNET_READ] == 3 && w.said == 2 && w.refused == 1 && !w.silent, "%d: %zu %zu %zu %zu",
                  how, w.asked[BACNET_READ], w.said, w.refused, w.silent);
        CHECK_SAY(t, !strcmp(w.why, "1234 ai_9 unknown_object"), "%s", w.why);
        CHECK(t, w.aborts == (how == 1)); /* segments are not waited for */
        run_for(&w, MINUTE_MS);
        CHECK(t, w.asked[BACNET_READ] == 6 && w.asked[BACNET_READ_MULTIPLE] == (how == 2 ? BACNET_TRIES : 1));
        finish(&w);
    }
}

static void what_left_the_plan_is_asked_no_more(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_find(w.client);
    run_for(&w, 1000);
    plan(&w, "1234", "ai_1", MINUTE_MS, false);
    (void)bacnet_client_step(w.client, w.now_ms); /* its question is under way */
    CHECK(t, w.queued == 1);
    plan(&w, "1234", "ai_2", MINUTE_MS, false);
    deliver(&w);
    deliver(&w);
    CHECK(t, !w.said && !w.refused);
    run_for(&w, MINUTE_MS);
    CHECK(t, w.said == 1 && w.asked[BACNET_READ] == 2);
    plan(&w, "1234", "ai_2", MINUTE_MS, false); /* the same goes on where it was */
    run_for(&w, MINUTE_MS - 1000);
    CHECK(t, w.said == 2);
    finish(&w);
}

/* ---- losses ---- */

static void a_question_is_said_three_times_with_its_number(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_find(w.client);
    run_for(&w, 1000);
    w.lost = 2;
    plan(&w, "1234", "ai_1", MINUTE_MS, false);
    run_for(&w, 20000);
    CHECK(t, w.said == 1 && w.asked[BACNET_READ] == 3 && !w.silent);
    CHECK(t, w.invokes[0] == w.invokes[1] && w.invokes[1] == w.invokes[2]);
    CHECK(t, w.asked_ms[1] - w.asked_ms[0] == BACNET_WAIT_MS && w.asked_ms[2] - w.asked_ms[1] == BACNET_WAIT_MS);
    finish(&w);
}

static void who_is_silent_is_searched_for_less_and_less_until_he_speaks(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    plan(&w, "1234", "ai_1", MINUTE_MS, false);
    run_for(&w, MINUTE_MS / 2);
    CHECK(t, w.said == 1);
    w.is_cut = true;
    size_t who = w.who;
    run_for(&w, MINUTE_MS);
    CHECK_SAY(t, w.silent >= 1 && !strcmp(w.last, "1234") && w.asked[BACNET_READ] == 1 + BACNET_TRIES, "%zu %zu",
              w.silent, w.asked[BACNET_READ]);
    run_for(&w, 60 * MINUTE_MS);
    CHECK_SAY(t, w.who - who >= 8 && w.who - who <= 14, "%zu", w.who - who); /* 10, 20, 40 … 600 s */
    CHECK(t, w.asked[BACNET_READ] == 1 + BACNET_TRIES);
    w.is_cut = false;
    run_for(&w, BACNET_WHO_MAX_MS + 1000);
    CHECK(t, w.heard_again == 1 && w.said >= 2);
    finish(&w);
}

static void who_was_never_there_is_silent_after_three_searches(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    plan(&w, "99.lift_1", "car_mode", MINUTE_MS, false);
    run_for(&w, BACNET_WHO_MS * 3 - 1);
    CHECK(t, w.who == 2 && !w.silent);
    run_for(&w, 2);
    CHECK(t, w.who == 3 && w.silent == 1 && !strcmp(w.last, "99.lift_1"));
    run_for(&w, 5 * MINUTE_MS);
    CHECK(t, w.silent == 1);
    finish(&w);
}

/* ---- changes ---- */

static void changes_are_told_and_the_subscription_is_kept(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    plan(&w, "1234", "ao_1 ao_1_status_flags bi_1", MINUTE_MS, true);
    run_for(&w, 1000);
    CHECK_SAY(t, w.asked[BACNET_SUBSCRIBE_COV] == 2 && w.said == 2, "%zu %zu", w.asked[BACNET_SUBSCRIBE_COV], w.said);
    CHECK(t, !order(&w, "1234", "ao_1", "77", MINUTE_MS));
    run_for(&w, 1000);
    CHECK(t, w.said == 3 && w.value == 77 && w.ended == 1 && w.end == POLL_ANSWERED && !strcmp(w.last, "1234"));
    run_for(&w, 10 * MINUTE_MS - 2000);
    CHECK_SAY(t, w.asked[BACNET_SUBSCRIBE_COV] == 8 && !w.asked[BACNET_READ] && !w.asked[BACNET_READ_MULTIPLE], "%zu",
              w.asked[BACNET_SUBSCRIBE_COV]); /* two, and again after 150, 300, 450 s */
    CHECK(t, !w.noises);
    finish(&w);
}

static void who_does_not_tell_changes_is_read(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    w.refuses_watch = true;
    plan(&w, "1234", "ai_1 ai_1_units bi_1", MINUTE_MS, true);
    run_for(&w, 3 * MINUTE_MS - 1000);
    CHECK_SAY(t, w.asked[BACNET_SUBSCRIBE_COV] == 2 && w.asked[BACNET_READ] == 3 && w.asked[BACNET_READ_MULTIPLE] == 3,
              "%zu %zu %zu", w.asked[BACNET_SUBSCRIBE_COV], w.asked[BACNET_READ], w.asked[BACNET_READ_MULTIPLE]);
    CHECK(t, w.said == 6 && !w.refused);
    finish(&w);
}

static void who_comes_back_is_subscribed_anew(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    plan(&w, "1234.lift_1", "car_mode car_position", MINUTE_MS, true);
    run_for(&w, 1000);
    CHECK(t, w.asked[BACNET_SUBSCRIBE_COV] == 1 && w.said == 1);
    w.is_cut = true;
    run_for(&w, 5 * MINUTE_MS);
    CHECK(t, w.silent >= 1);
    memset(w.building.subs, 0, sizeof w.building.subs); /* it began anew */
    w.is_cut = false;
    size_t said = w.said;
    run_for(&w, 10 * MINUTE_MS);
    CHECK(t, w.said > said && w.building.subs[0].until_ms && w.heard_again);
    finish(&w);
}

#define CONFIRMED        \
    "810A00280104000509" \
    "0109121C020004D22C00C000073A01224E09552E91012F096F2E8204002F4F"

static void a_confirmed_change_is_acknowledged_once_it_is_stored(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    hear(&w, &at_building, CONFIRMED); /* also from one that has not said who he is */
    CHECK(t, w.said == 1 && w.value == 1 && w.replies == 1 && !strcmp(w.last, "1234"));
    plan(&w, "1234", "ai_1", 10 * MINUTE_MS, false);
    hear(&w, &at_building, CONFIRMED); /* who is asked is believed where he said that he is */
    CHECK(t, w.said == 1 && w.replies == 1 && !w.rule[0]);
    run_for(&w, 1000);
    CHECK(t, w.said == 2);
    hear(&w, &at_bbmd, CONFIRMED);
    CHECK_SAY(t, w.said == 2 && w.replies == 1 && !strcmp(w.rule, "this device is somewhere else"), "%s", w.rule);
    hear(&w, &at_building, CONFIRMED);
    CHECK(t, w.said == 3 && w.replies == 2);
    finish(&w);
}

static void who_speaks_again_is_searched_for_soon_but_not_at_every_word(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    w.is_cut = true;
    plan(&w, "1234", "ai_1", MINUTE_MS, false);
    run_for(&w, 60 * MINUTE_MS); /* the pauses are long by now */
    size_t who = w.who;
    for (int i = 0; i < 60; i++) {
        hear(&w, &at_building, CONFIRMED);
        run_for(&w, 1000);
    }
    CHECK_SAY(t, w.who >= who + 5 && w.who <= who + 7 && !w.said && !w.replies, "%zu", w.who - who);
    finish(&w);
}

static void what_is_asked_now_is_asked_now(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    plan(&w, "1234", "ai_1", 10 * MINUTE_MS, false);
    run_for(&w, 1000);
    bacnet_client_now(w.client, S("1235"));
    run_for(&w, 1000);
    CHECK(t, w.said == 1);
    bacnet_client_now(w.client, S("1234"));
    run_for(&w, 1000);
    CHECK(t, w.said == 2);
    finish(&w);
}

/* ---- orders ---- */

static void an_order_ends_once_with_what_became_of_it(struct t *t) {
    static const struct {
        const char *address, *item, *value;
        enum poll_end end;
        const char *why;
        bool is_cut;
    } all[] = {
        {"1234", "ao_1@8", "55.5", POLL_ANSWERED, "", false},
        {"1234", "ao_1@8", "null", POLL_ANSWERED, "", false},
        {"1236", "mv_1", "3", POLL_ANSWERED, "", false},
        {"1234", "ao_1", NULL, POLL_ANSWERED, "", false},
        {"1234", "ai_1", "1", POLL_REFUSED, "write_access_denied", false},
        {"1234", "mv_1", "9", POLL_REFUSED, "value_out_of_range", false},
        {"1234", "ao_9", "1", POLL_REFUSED, "unknown_object", false},
        {"1234", "ao_1", "1", POLL_SILENT, "no answer", true},
        {"77", "ao_1", "1", POLL_SILENT, "no answer", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct town w;
        start(t, &w, NULL);
        bacnet_client_find(w.client);
        run_for(&w, 1000);
        w.is_cut = all[i].is_cut;
        CHECK(t, !order(&w, all[i].address, all[i].item, all[i].value, MINUTE_MS));
        run_for(&w, 2 * MINUTE_MS);
        CHECK_SAY(t, w.ended == 1 && w.end == all[i].end && !strcmp(w.why, all[i].why), "row %zu: %zu %d %s", i,
                  w.ended, (int)w.end, w.why);
        size_t said = w.asked[BACNET_WRITE];
        CHECK(t, said == (all[i].value && strcmp(all[i].address, "77") != 0)); /* what changes something is said once */
        finish(&w);
    }
}

static void an_order_that_cannot_be_said_is_not_taken(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    CHECK(t, order(&w, "1234", "ao_1", "warm", MINUTE_MS) == ERR_INVALID);
    t->fault = (struct fault){0};
    CHECK(t, order(&w, "1234", "", "1", MINUTE_MS) == ERR_INVALID);
    t->fault = (struct fault){0};
    size_t n = 0;
    while (n <= POLL_ORDERS_MAX && !order(&w, "1234", "ao_1", "1", MINUTE_MS)) n++;
    CHECK(t, n == POLL_ORDERS_MAX && t->fault.kind == ERR_LIMIT);
    t->fault = (struct fault){0};
    finish(&w);
}

/* ---- other networks, other datagrams ---- */

static void a_bbmd_passes_on_what_is_for_everybody(struct t *t) {
    struct town w;
    start(t, &w, &at_bbmd);
    bacnet_client_find(w.client);
    run_for(&w, 5 * MINUTE_MS);
    CHECK_SAY(t, w.registered == 2 && w.distributed == 1 && w.who == 1, "%zu %zu", w.registered, w.distributed);
    /* 10.9.0.3 says through it who he is, and is asked there */
    hear(&w, &at_bbmd,
         "8104001A0A090003BAC0"
         "01001000C40200004D2205C49103210A");
    CHECK_SAY(t, !w.noises && !strcmp(w.last, "77"), "%s %s", w.rule, w.last);
    plan(&w, "77", "ai_1", MINUTE_MS, false);
    (void)bacnet_client_step(w.client, w.now_ms);
    CHECK(t, w.asked[BACNET_READ] == 1 && !w.queued);
    finish(&w);
}

static void what_is_nobody_s_business_changes_nothing(struct t *t) {
    static const struct {
        const char *hex;
        bool is_noise;
        size_t aborts;
    } all[] = {
        {"", true, 0},
        {"00", true, 0},
        {"810B000C0120FFFF00FF1008", false, 0},                       /* who is there? */
        {"810A0017010030010C0C0000000119553E4441AC00003F", false, 0}, /* an answer to nothing */
        {"810A0009010060"
         "0109",
         false, 0},
        {"81050006012C", false, 0},
        {"810B00090180010005", false, 0},
        {"810A0013010"
         "03C0900040E0C000000011E2955",
         true, 1},                                       /* a segment of nothing is aborted */
        {"810A001101040005010C0C000000011955", true, 0}, /* nothing is served */
        {"810A0010010400050"
         "10C0C0000000119",
         true, 0},
    };
    struct town w;
    start(t, &w, NULL);
    for (size_t i = 0; i < COUNT(all); i++) {
        size_t noises = w.noises, aborts = w.aborts;
        hear(&w, &at_building, all[i].hex);
        CHECK_SAY(t, (w.noises > noises) == all[i].is_noise && w.aborts - aborts == all[i].aborts, "row %zu: %s", i,
                  w.rule);
    }
    CHECK(t, !w.said && !w.found && !w.refused && !bacnet_client_devices(w.client));
    finish(&w);
}

/* Bytes of what was really said are changed, lost and put in, while questions are under way. */
static void damaged_datagrams_do_no_harm(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_plan_begin(w.client);
    CHECK(t, !bacnet_client_add(w.client, S("1234"), S("ai_1 ai_1_units"), 1000, false, &t->fault));
    CHECK(t, !bacnet_client_add(w.client, S("1236.lift_1"), S("car_mode"), 1000, true, &t->fault));
    bacnet_client_plan_end(w.client);
    w.chance = 1;
    for (int i = 0; i < 20000; i++) {
        (void)bacnet_client_step(w.client, w.now_ms += 500);
        deliver(&w);
        if (i % 100 == 0) building_change(&w.building, w.now_ms);
    }
    CHECK_SAY(t, w.said > 1000 && w.noises > 100, "%zu said, %zu noises, %zu silent", w.said, w.noises, w.silent);
    finish(&w);
}

TESTS(CASE(devices_are_found_also_behind_a_router),
      CASE(who_has_the_number_of_another_is_not_believed_while_that_one_speaks),
      CASE(who_makes_up_devices_drives_out_none_that_is_asked), CASE(a_device_that_moved_is_asked_where_it_is),
      CASE(points_are_read_every_so_often), CASE(what_cannot_be_planned_is_refused),
      CASE(a_device_that_tells_one_thing_at_a_time_is_asked_so), CASE(what_left_the_plan_is_asked_no_more),
      CASE(a_question_is_said_three_times_with_its_number),
      CASE(who_is_silent_is_searched_for_less_and_less_until_he_speaks),
      CASE(who_was_never_there_is_silent_after_three_searches), CASE(changes_are_told_and_the_subscription_is_kept),
      CASE(who_does_not_tell_changes_is_read), CASE(who_comes_back_is_subscribed_anew),
      CASE(a_confirmed_change_is_acknowledged_once_it_is_stored),
      CASE(who_speaks_again_is_searched_for_soon_but_not_at_every_word), CASE(what_is_asked_now_is_asked_now),
      CASE(an_order_ends_once_with_what_became_of_it), CASE(an_order_that_cannot_be_said_is_not_taken),
      CASE(a_bbmd_passes_on_what_is_for_everybody), CASE(what_is_nobody_s_business_changes_nothing),
      CASE(damaged_datagrams_do_no_harm))
