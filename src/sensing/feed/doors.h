/* Who stands before a door that waits for a command: decided on a worker, his device told.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_SENSING_FEED_DOORS_H
#define LINLI_SENSING_FEED_DOORS_H

#include "base/log.h"
#include "kernel/kernel.h"
#include "net/loop.h"

struct passing; /* protocol/codec.h */
struct doors {
    const struct kernel *kernel;
    struct db_pool *pool;
    struct loop *loop; /* NULL: no worker, all is done at once */
    const struct world *world;
    const struct log *log;
};
/* One who wants through; filled but for the last ones, its memory and what it points to stay until done(). */
struct knock {
    int64_t community_id, heard_ms; /* when he was heard: after PASS_OPEN_MS he has gone, and nothing opens */
    const struct passing *all;
    size_t n;
    void (*done)(void *arg, enum err e); /* loop thread; an error: nothing was put down, nothing opens */
    void *arg;
    const struct doors *doors;
    enum err result;
};
/* Loop thread.  ERR_BUSY: too much is under way, done() is not called. */
NODISCARD enum err doors_knock(const struct doors *d, struct knock *k);

#endif
