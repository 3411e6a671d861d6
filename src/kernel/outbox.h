/* Events: written in the change's transaction, delivered after commit, numbered when delivered.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_OUTBOX_H
#define LINLI_KERNEL_OUTBOX_H

#include "kernel/kernel.h"

/* Adds an event to the caller's transaction (it must be in one).  `place_id` 0 where the row has none.  Its body is
 * {"resource","id","change","community_id","at_ms"}. */
NODISCARD enum err event_emit(struct ctx *ctx, const char *resource, int64_t row_id, int64_t community_id,
                              int64_t place_id, const char *change);

/* Delivers up to `most` waiting events: runs the subscriptions (as the system), numbers and marks them, in one
 * transaction; when a handler fails, one by one, the failing one with back-off (1 s doubling to 10 min; after 20 tries
 * it is set aside as dead, and numbered, since the change did happen) while later ones of its subject wait.  Safe in
 * several processes.  *ret_done: how many were delivered.  Rows stay for SSE resume; events_prune() drops delivered
 * ones older than 24 h (48 h kept for safety). */
NODISCARD enum err events_deliver(struct ctx *ctx, size_t most, size_t *ret_done);
NODISCARD enum err events_prune(struct ctx *ctx);

/* Delivered events with a number above `after`, in order, at most `most`; for SSE.  *ret_reset: `after` was never given
 * out, the one behind it was delivered more than 24 h ago, or one is not kept any more. */
struct numbered_event {
    int64_t number, delivered_ms, tries; /* 0 and 0 until delivered | how often a handler failed */
    struct event event;
};
NODISCARD enum err events_after(struct ctx *ctx, int64_t after, size_t most, struct numbered_event **ret, size_t *ret_n,
                                bool *ret_reset);
NODISCARD enum err events_last(struct ctx *ctx, int64_t *ret_number);
/* A pattern is a topic, or how topics begin and "*". */
bool topic_matches(struct str pattern, struct str topic);
/* May the actor be told of this event?  By place and grants of its resource; own relations look the row up.
 * An error says neither yes nor no: ask again. */
NODISCARD enum err event_visible(struct ctx *ctx, const struct event *e, bool *ret);

#endif
