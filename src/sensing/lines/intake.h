/* What a device said, on its way into the store: who spoke, who stands before it, readings durable, then events as
 * alarms. SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_INTAKE_H
#define LINLI_SENSING_LINES_INTAKE_H

#include "base/civil.h"
#include "protocol/codec.h"
#include "sensing/feed/feed.h"
#include "sensing/lines/heard.h"

struct intake_site { /* where it goes, and whose clock the devices have */
    struct loop *loop;
    struct feed *feed;
    const struct world *world;
    const struct zone *zone; /* NULL: UTC */
    int64_t community_id;
    const char *line;    /* what people call it */
    struct heard *heard; /* NULL: nobody counts */
};
struct intake { /* one thing under way at a time; zero but for these before the first */
    const struct intake_site *site;
    void (*done)(void *arg, bool is_stored); /* loop thread, maybe before intake_take returns */
    void *arg;
    const char *peer; /* who says it; NULL: devices are asked, and noted elsewhere */
    uint64_t conn;    /* by which connection: heard_frame() */
    struct decoded decoded;
    struct arena *arena;
    enum err stored;
    const char *refused; /* once it is stored: of its readings, all or some were refused for good; NULL: none */
    size_t left_out;
    struct loop_task task;
    struct knock knock;
    int64_t at_ms;
};
/* Whoever reaches a line speaks for its devices and for such as nobody knows, not for those of another, nor for those
 * that log in to MQTT: else he would open their gates. */
#define LINE_FOREIGN "this device hangs on another line"
bool intake_is_of(const struct intake_site *s, int64_t line_id, const struct decoded *d);
/* Why readings are refused for good. */
#define INTAKE_TOO_MANY WIRE_LIMIT "too many metrics of one device, or too many unknown devices or metrics of those"
#define INTAKE_REFUSED  "the store of readings refuses it"
/* What `d` points to, and the arena, stay until done() is called, which happens once.  at_ms: of readings and
 * passings without a time of their own; 0: now.  Somebody who wants through is decided upon, and his device told; a
 * line that answers by itself whether he may pass leaves him out.  Not stored: nothing may be acknowledged.  Readings
 * that are refused for good hold back nothing: saying them again would not help, and `refused` says why.  Loop thread.
 */
void intake_take(struct intake *i, const struct decoded *d, struct arena *arena, int64_t at_ms);
/* A sample of what was refused for good, if anything was. */
struct figures;
void intake_note_refused(const struct intake *i, struct figures *f, const char *peer);

#endif
