/* Tests of ids, of the simulated world and of the real one.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void ids_rise_and_carry_their_time(struct t *t) {
    struct world w = world_real(7);
    int64_t before = w.utc_ms(w.self), last = 0;
    for (int i = 0; i < 20000; i++) { /* more than 4,096 in a millisecond */
        int64_t id = w.new_id(w.self);
        CHECK(t, id > last);
        CHECK(t, (id >> 12 & 1023) == 7);
        last = id;
    }
    /* The counter carries into the time: a burst may run ahead of the clock, by a few milliseconds here. */
    CHECK(t, id_ms(last) >= before && id_ms(last) < w.utc_ms(w.self) + 60000);
}

enum { THREADS = 4, IDS_EACH = 5000 };
static int64_t made[THREADS][IDS_EACH];

static void *make_ids(void *arg) {
    struct world w = world_real(1);
    int64_t *ids = arg;
    for (int i = 0; i < IDS_EACH; i++) ids[i] = w.new_id(w.self);
    return NULL;
}

static int by_value(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void ids_of_several_threads_are_all_different(struct t *t) {
    pthread_t threads[THREADS];
    (void)world_real(1);
    for (int i = 0; i < THREADS; i++) CHECK(t, !pthread_create(&threads[i], NULL, make_ids, made[i]));
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    int64_t *all = &made[0][0];
    qsort(all, (size_t)THREADS * IDS_EACH, sizeof *all, by_value);
    for (size_t i = 1; i < (size_t)THREADS * IDS_EACH; i++) CHECK(t, all[i] != all[i - 1]);
}

static void the_simulated_world_repeats_itself_from_its_seed(struct t *t) {
    struct world_sim a = {.utc_ms = ID_EPOCH_MS + 5, .seed = 9}, b = a;
    struct world wa = world_sim(&a), wb = world_sim(&b);
    unsigned char one[37], other[37];
    wa.random(wa.self, one, sizeof one);
    wb.random(wb.self, other, sizeof other);
    CHECK(t, !memcmp(one, other, sizeof one));
    CHECK(t, world_u64(&wa) == world_u64(&wb));
    CHECK(t, wa.new_id(wa.self) == wb.new_id(wb.self));
    CHECK(t, id_ms(wa.new_id(wa.self)) == ID_EPOCH_MS + 5);
    int64_t before = wa.new_id(wa.self);
    CHECK(t, id_first_at(ID_EPOCH_MS + 5) <= before && id_first_at(ID_EPOCH_MS + 6) > before);
    CHECK(t, !id_first_at(ID_EPOCH_MS) && !id_first_at(0));
    world_sim_advance(&a, -4);
    CHECK_SAY(t, wa.new_id(wa.self) > before, "ids rise while the clock goes back");
    a.id_ms = 0;
    CHECK_SAY(t, wa.new_id(wa.self) < before, "as long as the program runs");
}

static void simulated_time_moves_only_when_told(struct t *t) {
    struct world_sim sim = {.utc_ms = 1000};
    struct world w = world_sim(&sim);
    CHECK(t, w.utc_ms(w.self) == 1000 && w.utc_ms(w.self) == 1000 && w.mono_us(w.self) == 0);
    world_sim_advance(&sim, 250);
    CHECK(t, w.utc_ms(w.self) == 1250 && w.mono_us(w.self) == 250000);
}

static void the_real_clock_does_not_go_back(struct t *t) {
    struct world w = world_real(0);
    int64_t last = w.mono_us(w.self);
    for (int i = 0; i < 1000; i++) {
        int64_t now = w.mono_us(w.self);
        CHECK(t, now >= last);
        last = now;
    }
}

TESTS(CASE(ids_rise_and_carry_their_time), CASE(ids_of_several_threads_are_all_different),
      CASE(the_simulated_world_repeats_itself_from_its_seed), CASE(simulated_time_moves_only_when_told),
      CASE(the_real_clock_does_not_go_back))
