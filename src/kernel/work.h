/* What runs by the clock: timers of rows, jobs of modules.  Claimed in the store, so several processes share it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_WORK_H
#define LINLI_KERNEL_WORK_H

#include "kernel/kernel.h"

/* In the row's own transaction.  One timer a row and step; setting again moves it. */
NODISCARD enum err timer_set(struct ctx *ctx, const struct resource *r, int64_t id, const char *step, int64_t due_ms);
NODISCARD enum err timer_cancel(struct ctx *ctx, const struct resource *r, int64_t id, const char *step);

/* Runs up to `most` due timers, each in a transaction of its own as role "timer": the step is taken, or the timer
 * dropped where the row's state no longer has it; a failing one comes again with back-off.  *ret_next_ms: when the next
 * is due. */
NODISCARD enum err timers_run(struct ctx *ctx, size_t most, size_t *ret_done, int64_t *ret_next_ms);

/* Runs jobs that are due and free: a lease of 5 minutes is taken first; `every_ms` counts from the start of a run. */
NODISCARD enum err jobs_run(struct ctx *ctx, size_t *ret_done, int64_t *ret_next_ms);

#endif
