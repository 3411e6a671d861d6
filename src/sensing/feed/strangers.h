/* Devices that nobody knows: those who wait to be put aside, in the order they were heard, and those who were lately,
 * about whom the store is not asked again.  All calls are safe from any thread.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_FEED_STRANGERS_H
#define LINLI_SENSING_FEED_STRANGERS_H

#include "platform/telemetry/telemetry.h"
#include "sensing/feed/feed.h"

#define STRANGERS_MAX     256   /* who wait; those who find no room come again with what they say next */
#define STRANGERS_LATELY  1024  /* who are remembered; at the bound the oldest of a few gives way */
#define STRANGERS_KEPT_MS 60000 /* so long: who is refused, or was erased, is asked about anew after it */

struct stranger {
    int64_t community_id;
    char code[TELEMETRY_DEVICE_MAX + 1];
    char line[FEED_LINE_MAX + 1];     /* where it was heard; empty: not known */
    char address[FEED_ABOUT_MAX + 1]; /* there; empty: its code */
    char name[FEED_ABOUT_MAX + 1], vendor[FEED_ABOUT_MAX + 1], model[FEED_ABOUT_MAX + 1]; /* empty: not said */
};
struct strangers;
struct strangers *strangers_create(void); /* NULL: out of memory */
void strangers_destroy(struct strangers *s);
/* `device` at most TELEMETRY_DEVICE_MAX bytes; line NULL: not known; about NULL: it says nothing, else it waits though
 * it was lately.  True: it waits now, and did not before. */
bool strangers_hear(struct strangers *s, int64_t community_id, struct str device, const char *line,
                    const struct feed_about *about, int64_t now_ms);
/* Copies the first of those who wait, at most `most`.  They wait on until strangers_settle says that the first n are
 * dealt with.  By one thread at a time. */
size_t strangers_first(struct strangers *s, struct stranger *ret, size_t most);
void strangers_settle(struct strangers *s, size_t n, int64_t now_ms);
/* How many ever came to wait, and how many of these, the first ones, wait no more. */
uint64_t strangers_came(struct strangers *s);
uint64_t strangers_settled(struct strangers *s);

#endif
