/* The main loop's hinge: readings that are durable meet the rules, verdicts become alarms, unknown devices are put
 * aside. SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_FEED_FEED_H
#define LINLI_SENSING_FEED_FEED_H

#include "api/api.h"
#include "base/log.h"
#include "kernel/kernel.h"
#include "net/loop.h"
#include "platform/rules/rules.h"
#include "platform/telemetry/telemetry.h"
#include "sensing/feed/doors.h"

struct feed;
struct feed_options { /* everything is kept */
    const struct kernel *kernel;
    struct db_pool *pool;
    struct loop *loop; /* NULL: no thread and no timer; feed_step() does their work */
    const struct world *world;
    const struct io *io;
    const struct io *chunk_io; /* of sealed readings; NULL: io */
    const struct log *log;
    const char *dir; /* of the readings */
};
/* Loop thread.  Opens the store of readings and loads the rules. */
NODISCARD enum err feed_open(const struct feed_options *options, struct feed **ret, struct fault *f);
/* Loop thread, after nobody puts readings any more: what waits is written, nothing new is begun.  NULL is fine. */
void feed_stop(struct feed *feed);
void feed_close(struct feed *feed); /* after the loop has run what was left; NULL is fine */
/* Without a loop: writes what waits, lets the rules judge it and the clock, makes verdicts rows, runs barriers.  An
 * error: the store took not all of it; the next step goes on. */
NODISCARD enum err feed_step(struct feed *feed);
struct telemetry *feed_telemetry(struct feed *feed);
struct api_with feed_with(struct feed *feed); /* ready while everything is watched that should be */

/* The events of one report (a fire alarm, a fault): durable as alarm rows once they are applied, see feed_barrier.
 * ERR_BUSY: nothing was taken; do not acknowledge.  Loop thread. */
NODISCARD enum err feed_events(struct feed *feed, int64_t community_id, const struct rules_event *events, size_t n);

/* A device spoke on the line of that name: put aside for adoption if nobody knows it.  Tell before what it said, else
 * its row does not name the line.  Who was put aside costs nothing for a minute.  Loop thread. */
#define FEED_LINE_MAX 160 /* bytes of a name */
void feed_heard(struct feed *feed, int64_t community_id, struct str device, const char *line);
/* The same of one that says what it is, for whoever is to adopt it.  Texts are cut at FEED_ABOUT_MAX bytes, "" where it
 * does not say it. */
#define FEED_ABOUT_MAX 60
struct feed_about {
    const char *name, *vendor, *model;
    const char *address; /* on its line; NULL: its code is its address */
};
void feed_found(struct feed *feed, int64_t community_id, struct str device, const char *line,
                const struct feed_about *about);

/* May the device speak on that line?  Not one that was adopted on another, nor one on none that logs in to MQTT by a
 * key of its own: who can reach a line speaks for its devices only. */
bool feed_is_of_line(struct feed *feed, int64_t community_id, struct str device, int64_t line_id);

/* Who stands before a door of that feed's estate, see struct knock.  ERR_BUSY: do not acknowledge.  Loop thread. */
NODISCARD enum err feed_knock(struct feed *feed, struct knock *knock);

/* Calls fn on the loop thread once everything told before is in the store: verdicts as alarms, strangers put aside.
 * What is told after it holds nothing up.  Never called when the feed stops first.  Loop thread; at most
 * FEED_BARRIERS_MAX wait, then ERR_BUSY. */
#define FEED_BARRIERS_MAX 4096
NODISCARD enum err feed_barrier(struct feed *feed, loop_fn *fn, void *arg);

/* A device that was adopted a moment ago, perhaps by another process: do the rules know it already?  If not, they are
 * read anew before fn is called, as a barrier, so that nothing it says next is judged without them. */
bool feed_knows(struct feed *feed, int64_t community_id, struct str device);
NODISCARD enum err feed_reload(struct feed *feed, loop_fn *fn, void *arg);

#endif
