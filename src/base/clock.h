/* Time, randomness and identity come from outside, so that a test can own all three.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_CLOCK_H
#define LINLI_BASE_CLOCK_H

#include "base/base.h"

#include <time.h>

/* Every member is safe to call from several threads. */
struct world {
    int64_t (*utc_ms)(void *self);                         /* wall clock: ms since 1970-01-01T00:00Z */
    int64_t (*mono_us)(void *self);                        /* never goes back; only for timeouts and measuring */
    void (*random)(void *self, void *ret_bytes, size_t n); /* cryptographic in production, seeded in tests */
    int64_t (*new_id)(void *self);                         /* unique, rising within a process, see below */
    void *self;
};

/* Ids: 63 bits, ms since 2024-01-01T00:00Z (41) | node 0..1023 (10) | counter within the ms (12).  The counter carries
 * into the ms part when a burst exhausts it, so ids stay unique and rising even if the clock stands still or goes back.
 */
#define ID_EPOCH_MS INT64_C(1704067200000)
int64_t id_ms(int64_t id);          /* when an id was made, UTC ms */
int64_t id_first_at(int64_t at_ms); /* what was made then or later has no lower one; 0 before ids began */

/* The machine's own clock, random source and node number (0..1023).  One per process: ids depend on it. */
struct world world_real(uint32_t node);

/* Test double: time moves only when told to (each new_id and random is deterministic from the seed). */
struct world_sim {
    _Atomic int64_t utc_ms, mono_us, next_id, id_ms; /* id_ms: of the latest id; 0 is a program that starts anew */
    _Atomic uint64_t seed;
};
struct world world_sim(struct world_sim *sim);
void world_sim_advance(struct world_sim *sim, int64_t ms);

uint64_t world_u64(const struct world *w); /* 64 random bits */

/* Until when a thread waits that gives up after so long: of CLOCK_MONOTONIC, for a condition that was made with it. */
struct timespec clock_deadline(int64_t ms);

#endif
