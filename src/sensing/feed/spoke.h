/* When devices were heard last: kept in memory, put into their rows once a minute.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_FEED_SPOKE_H
#define LINLI_SENSING_FEED_SPOKE_H

#include "base/log.h"
#include "kernel/kernel.h"
#include "net/runner.h"
#include "platform/telemetry/telemetry.h"

#define SPOKE_MS         INT64_C(60000)
#define SPOKE_BATCH      1000              /* rows a second */
#define SPOKE_CODES_MAX  1024              /* who spoke without a reading; those who find no room speak again */
#define SPOKE_SERIES_MAX ((size_t)4 << 20) /* by their numbers; those beyond tell nothing */

struct spoken {
    int64_t community_id;
    int64_t at_ms; /* on the monotonic clock, and 1; 0: a free place */
    char code[TELEMETRY_DEVICE_MAX + 1];
};
struct spoke_options {
    const struct kernel *kernel;
    struct db_pool *pool;
    const struct world *world;
    const struct log *log;
};
struct spoke {
    struct spoke_options o;
    struct telemetry *telemetry; /* until spoke_stop */
    pthread_mutex_t lock;        /* over the next four */
    uint32_t
        *series_s; /* when a series said something that is in no row yet: its monotonic second, and 1; 0: nothing */
    size_t series_cap;
    struct spoken codes[SPOKE_CODES_MAX];
    size_t codes_n;
    struct runner runner;
    struct spoken batch[SPOKE_BATCH]; /* the worker's while it works */
    size_t batch_n, next;
    int64_t round_ms; /* when the last round began, on the monotonic clock */
    bool is_round;    /* one is under way; the next series is `next` */
};
struct spoke *spoke_create(const struct spoke_options *o); /* NULL: out of memory */
void spoke_destroy(struct spoke *s);                       /* NULL is fine */
NODISCARD enum err spoke_start(struct spoke *s, struct loop *loop, struct telemetry *telemetry, struct fault *f);
void spoke_stop(struct spoke *s); /* what is not written yet is lost: less than a round's */

/* From any thread. */
void spoke_points(struct spoke *s, const struct telemetry_stored *points, size_t n);
void spoke_device(struct spoke *s, int64_t community_id, struct str code);

#endif
