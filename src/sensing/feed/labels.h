/* What the rows of models and classes say of a series: its unit, its kind, how long it is kept.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_FEED_LABELS_H
#define LINLI_SENSING_FEED_LABELS_H

#include "base/log.h"
#include "kernel/kernel.h"
#include "net/runner.h"
#include "platform/telemetry/telemetry.h"

struct labels {
    const struct kernel *kernel;
    struct db_pool *pool;
    const struct world *world;
    const struct log *log;
    struct telemetry *telemetry;
    void (*renamed)(void *arg); /* series go on under other names; a worker.  NULL: nobody is told */
    void *arg;
    struct runner runner;
    int64_t generation; /* of the rows that were told last */
    int64_t round_ms;   /* when the last round over all series began, on the monotonic clock */
    uint32_t next;      /* series from there on are not labelled yet */
    bool is_behind;     /* after the last run: there are more */
};
/* Loop thread; fields before `runner` are set.  Tells the classes at once; with a loop the series follow, and what
 * changes later.  The store: how long readings are kept is unknown, nothing is dropped. */
NODISCARD enum err labels_start(struct labels *l, struct loop *loop, struct fault *f);
void labels_stop(struct labels *l);
/* Labels some of the series that are new or concerned by a change; false: that is all of them, or the store is away. */
bool labels_step(struct labels *l);

#endif
