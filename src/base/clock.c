/* The real world's clock, chance and identity, and a simulated one.  SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ID_BITS 22 /* below the ms */

int64_t id_ms(int64_t id) {
    return (id >> ID_BITS) + ID_EPOCH_MS;
}

int64_t id_first_at(int64_t at_ms) {
    return at_ms > ID_EPOCH_MS ? (at_ms - ID_EPOCH_MS) << ID_BITS : 0;
}

static int64_t clock_us(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct timespec clock_deadline(int64_t ms) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t ns = end.tv_nsec + ms % 1000 * 1000000;
    end.tv_sec += ms / 1000 + ns / 1000000000;
    end.tv_nsec = ns % 1000000000;
    return end;
}

static int64_t real_utc_ms(void *self) {
    (void)self;
    return clock_us(CLOCK_REALTIME) / 1000;
}

static int64_t real_mono_us(void *self) {
    (void)self;
    return clock_us(CLOCK_MONOTONIC);
}

static void real_random(void *self, void *ret_bytes, size_t n) {
    (void)self;
    for (unsigned char *p = ret_bytes; n;) {
        ssize_t got = getrandom(p, n > 256 ? 256 : n, 0);
        if (got <= 0) abort(); /* no chance, no secrets: nothing sensible can go on */
        p += got;
        n -= (size_t)got;
    }
}

static struct {
    _Atomic uint64_t last; /* ms << 12 | counter */
    uint32_t node;
} ids;

static int64_t real_new_id(void *self) {
    (void)self;
    uint64_t now = (uint64_t)(real_utc_ms(NULL) - ID_EPOCH_MS) << 12;
    uint64_t last = atomic_load(&ids.last), next;
    do next = now > last ? now : last + 1;
    while (!atomic_compare_exchange_weak(&ids.last, &last, next));
    return (int64_t)((next >> 12) << ID_BITS | (uint64_t)(ids.node & 1023) << 12 | (next & 4095));
}

struct world world_real(uint32_t node) {
    ids.node = node;
    return (struct world){real_utc_ms, real_mono_us, real_random, real_new_id, NULL};
}

static int64_t sim_utc_ms(void *self) {
    return atomic_load(&((struct world_sim *)self)->utc_ms);
}

static int64_t sim_mono_us(void *self) {
    return atomic_load(&((struct world_sim *)self)->mono_us);
}

/* splitmix64: Steele, Lea, Flood 2014. */
static uint64_t sim_next(struct world_sim *sim) {
    uint64_t z = atomic_fetch_add(&sim->seed, UINT64_C(0x9e3779b97f4a7c15)) + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void sim_random(void *self, void *ret_bytes, size_t n) {
    for (unsigned char *p = ret_bytes; n;) {
        uint64_t u = sim_next(self);
        size_t part = n < sizeof u ? n : sizeof u;
        memcpy(p, &u, part);
        p += part;
        n -= part;
    }
}

static int64_t sim_new_id(void *self) {
    struct world_sim *sim = self;
    int64_t base = atomic_load(&sim->utc_ms) - ID_EPOCH_MS, latest = atomic_load(&sim->id_ms);
    if (base < 0) base = 0;
    while (base > latest && !atomic_compare_exchange_weak(&sim->id_ms, &latest, base)) continue;
    if (base < latest) base = latest; /* the clock went back */
    return (base << ID_BITS) + atomic_fetch_add(&sim->next_id, 1) + 1;
}

struct world world_sim(struct world_sim *sim) {
    return (struct world){sim_utc_ms, sim_mono_us, sim_random, sim_new_id, sim};
}

void world_sim_advance(struct world_sim *sim, int64_t ms) {
    atomic_fetch_add(&sim->utc_ms, ms);
    atomic_fetch_add(&sim->mono_us, ms * 1000);
}

uint64_t world_u64(const struct world *w) {
    uint64_t u;
    w->random(w->self, &u, sizeof u);
    return u;
}
