/* Who is there, and what he is.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/bacnet/town_test_internal.h"

static void devices_are_found_also_behind_a_router(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_find(w.client, -1, -1);
    run_for(&w, 1000);
    CHECK(t, w.who == 1 && w.introduced == DEVICES && w.found == 2 * DEVICES && !w.noises); /* each with its lift */
    CHECK(t, w.heard == 5 * DEVICES && bacnet_client_devices(w.client) == DEVICES);
    CHECK(t, !strcmp(w.about.name, "楼控") && !w.about.vendor[0] && !strcmp(w.about.model, "linli simulate"));
    CHECK(t, !w.said && !w.refused); /* that it has no vendor's name is nobody's question */
    finish(&w);
}

static void only_those_of_some_numbers_are_found_and_once(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    bacnet_client_find(w.client, 1235, 1300);
    run_for(&w, 1000);
    CHECK(t, bacnet_client_devices(w.client) == 2 && w.introduced == 2);
    hear_of(&w, &at_building, 1234);
    run_for(&w, 1000);
    hear_of(&w, &at_building, 1234); /* is known now */
    run_for(&w, 1000);
    CHECK(t, w.introduced == 3 && w.asked[BACNET_READ] == 3 * 4);
    bacnet_client_find(w.client, -1, -1);
    run_for(&w, 1000);
    CHECK(t, w.introduced == 6);
    finish(&w);
}

/* It may be a poor one, or gone again: it is found all the same. */
static void who_does_not_say_what_it_is_is_found(struct t *t) {
    struct town w;
    start(t, &w, NULL);
    hear_of(&w, &at_bbmd, 1234);
    run_for(&w, 1000);
    CHECK(t, !w.found);
    run_for(&w, MINUTE_MS);
    CHECK(t,
          w.found == 1 && w.introduced == 1 && !w.about.name[0] && w.asked[BACNET_READ] == BACNET_TRIES && !w.silent);
    finish(&w);
}

TESTS(CASE(devices_are_found_also_behind_a_router), CASE(only_those_of_some_numbers_are_found_and_once),
      CASE(who_does_not_say_what_it_is_is_found))
