/* A BACnet client and the controllers of a building, over a network that may lose things.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/bacnet/town_test_internal.h"

/* ---- who is there ---- */

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
    find_all(&w);
    w.now_ms += BACNET_KEPT_MS;
    hear(&w, &at_bbmd,
         "810A0014010010"
         "00C4020004D22205C49103210A");
    CHECK(t, !w.noises && w.found == 1);
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
    CHECK_SAY(t, w.who == 1 && w.asked[BACNET_READ_MULTIPLE] == 16 && w.asked[BACNET_READ] == 6 + 4 && w.said == 22,
              "%zu %zu %zu %zu", w.who, w.asked[BACNET_READ_MULTIPLE], w.asked[BACNET_READ], w.said);
    CHECK(t, !w.silent && !w.refused && !w.noises); /* the four: what 1235 is, which answered the search, too */
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
    find_all(&w);
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
    find_all(&w);
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

static void what_is_read_besides_is_only_asked_now_and_then_whether_it_tells_changes(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    w.refuses_watch = true;
    plan(&w, "1234", "ai_1", 0, true);
    run_for(&w, 50 * MINUTE_MS);
    CHECK(t, w.asked[BACNET_SUBSCRIBE_COV] == 1 && !w.said && !w.refused);
    w.refuses_watch = false;
    run_for(&w, 15 * MINUTE_MS);
    CHECK(t, w.said >= 1 && !w.asked[BACNET_READ]);
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
        {"77", "ao_1", "1", POLL_LOST, "it was not there in time", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct town w;
        start(t, &w, NULL);
        bacnet_client_find(w.client, -1, -1);
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

static bool has_owner(void *arg, const struct poll_order *o) {
    (void)arg;
    return o->whose;
}

static void an_order_whose_device_has_left_is_not_said(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    CHECK(t, !order(&w, "1234", "ao_1", "1", MINUTE_MS)); /* it was not found yet */
    bacnet_client_keep(w.client, has_owner, NULL, "gone");
    CHECK(t, w.ended == 1 && w.end == POLL_LOST && !strcmp(w.why, "gone"));
    bacnet_client_find(w.client, -1, -1);
    run_for(&w, MINUTE_MS);
    CHECK(t, w.ended == 1 && !w.asked[BACNET_WRITE]);
    finish(&w);
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
    bacnet_client_find(w.client, -1, -1);
    run_for(&w, 5 * MINUTE_MS);
    CHECK_SAY(t, w.registered == 2 && w.distributed == 1 && w.who == 1, "%zu %zu", w.registered, w.distributed);
    plan(&w, "77", "ai_1", MINUTE_MS, false);
    memset(w.asked, 0, sizeof w.asked);
    /* 10.9.0.3 says through it who he is, and is asked there */
    hear(&w, &at_bbmd,
         "8104001A0A090003BAC0"
         "01001000C40200004D2205C49103210A");
    CHECK_SAY(t, !w.noises && !strcmp(w.last, "77"), "%s %s", w.rule, w.last);
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

TESTS(CASE(an_order_whose_device_has_left_is_not_said),
      CASE(who_has_the_number_of_another_is_not_believed_while_that_one_speaks),
      CASE(who_makes_up_devices_drives_out_none_that_is_asked), CASE(a_device_that_moved_is_asked_where_it_is),
      CASE(points_are_read_every_so_often), CASE(what_cannot_be_planned_is_refused),
      CASE(a_device_that_tells_one_thing_at_a_time_is_asked_so), CASE(what_left_the_plan_is_asked_no_more),
      CASE(a_question_is_said_three_times_with_its_number),
      CASE(who_is_silent_is_searched_for_less_and_less_until_he_speaks),
      CASE(who_was_never_there_is_silent_after_three_searches), CASE(changes_are_told_and_the_subscription_is_kept),
      CASE(who_does_not_tell_changes_is_read),
      CASE(what_is_read_besides_is_only_asked_now_and_then_whether_it_tells_changes),
      CASE(who_comes_back_is_subscribed_anew), CASE(a_confirmed_change_is_acknowledged_once_it_is_stored),
      CASE(who_speaks_again_is_searched_for_soon_but_not_at_every_word), CASE(what_is_asked_now_is_asked_now),
      CASE(an_order_ends_once_with_what_became_of_it), CASE(an_order_that_cannot_be_said_is_not_taken),
      CASE(a_bbmd_passes_on_what_is_for_everybody), CASE(what_is_nobody_s_business_changes_nothing),
      CASE(damaged_datagrams_do_no_harm))
