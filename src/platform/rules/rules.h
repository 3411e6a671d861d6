/* Rules: conditions over readings, silence and device events that raise alarms.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_RULES_H
#define LINLI_PLATFORM_RULES_RULES_H

#include "kernel/kernel.h"
#include "platform/telemetry/telemetry.h"

struct rule {
    struct row row;
    struct str name, kind, model, metric, event_code, severity, message, case_type;
    struct str came_as; /* what the model called it with which it came; absent: people made it */
    int64_t device_id, limit_value, clear_value, for_s; /* values with scale 3 */
    bool enabled;
};
extern const struct resource rules;
extern const struct module rules_module;

#define RULES_MAX         20000
#define RULES_WATCHES_MAX 1000000 /* rules times the devices they are for */

/* The engine holds every enabled rule and the state of each rule and device in memory.  Cost of a reading: the rules
 * of its own series; of a tick: those whose time has come.  All calls are safe from any thread; none touches the store
 * but rules_load and rules_apply. */
struct rules_engine;
struct rules_engine *rules_create(void); /* NULL: out of memory */
void rules_destroy(struct rules_engine *e);
/* Reads rules, devices and alarms anew, keeping the states of what stays; a rule whose alarm is open, or was ended by
 * hand before its cause was over, counts as firing, so that a restart raises nothing twice.  Call at start and when
 * rules or devices changed.  Readings are judged meanwhile, by the rules that were there.  What is over a limit is left
 * out, see rules_left_out; an error: everything stays as it was. */
NODISCARD enum err rules_load(struct rules_engine *e, struct ctx *ctx);
/* Adds which limits were reached and what nobody watches for it; false: nothing. */
bool rules_left_out(struct rules_engine *e, struct buf *ret);
/* Adds which rules of which models could not be made for a community since the last call, and why; false: none. */
bool rules_not_made(struct buf *ret);
/* Calls fn with every device that the rules know of: adopted, not retired.  Must be quick. */
void rules_each_device(struct rules_engine *e, void (*fn)(void *arg, int64_t community_id, struct str code), void *arg);
bool rules_is_stale(const struct rules_engine *e); /* told by the module's subscription: load anew */
void rules_renamed(struct rules_engine *e);        /* series may have other names now: each is asked for anew */

/* What the number of a series means. */
struct rules_source {
    int64_t community_id;
    char device[TELEMETRY_DEVICE_MAX + 1], metric[TELEMETRY_METRIC_MAX + 1];
};
struct rules_names {
    bool (*name)(void *arg, uint32_t series, struct rules_source *ret); /* false: not now */
    /* A device that is not known spoke; told at most once a second and series.  True: something follows from it. */
    bool (*strange)(void *arg, const struct rules_source *who);
    void *arg;
};
/* Points in the order in which they became durable.  One that no rule watches costs a look at its series; those older
 * than RULES_FRESH_MS are not judged; those ahead of the clock count as of now.  True: verdicts wait, or something
 * follows from a stranger.  Before rules_load nothing is judged. */
bool rules_points(struct rules_engine *e, const struct telemetry_stored *points, size_t n, int64_t now_ms,
                  const struct rules_names *names);
/* At start, before any reading: states become what they were.  What was stored in the last RULES_FRESH_MS and behind
 * the last alarm of a rule and device is judged again, in order of its time, since the end may have come between
 * reading and alarm; a breach counts from when it began.  What came full longer ago waits for the next reading. Silence
 * counts from now on, since nobody listened before. */
#define RULES_FRESH_MS (INT64_C(15) * 60 * 1000)
void rules_seed(struct rules_engine *e, struct telemetry *t, int64_t now_ms);
/* What a device reports beside readings.  Two parts of a device are two causes: each raises and ends its own alarm. */
struct rules_event {
    struct str device, code, text;
    struct str part; /* of the device; absent: the device itself */
    int64_t at_ms;
    bool is_set;   /* false: this code is over */
    bool is_level; /* its report names all that holds of the part: rules of codes not named are over */
    bool is_kept;  /* how it is, and no news: raises nothing */
};
/* Of the device itself: nobody hears it, or somebody does again; its row says so, whatever rules there are. */
#define RULES_OFFLINE "offline"
/* The events of one report, in order: raises the rules of their codes or ends them.  ERR_BUSY: no room for all that
 * follows from them; then nothing was taken, and the sender may not be told that it was. */
NODISCARD enum err rules_events(struct rules_engine *e, int64_t community_id, const struct rules_event *events,
                                size_t n);
bool rules_knows(struct rules_engine *e, int64_t community_id, struct str device); /* adopted and not retired */
/* The line that it hangs on; RULES_BY_KEY: on none, but it logs in by a key of its own; 0: neither, or nobody knows the
 * device. */
#define RULES_BY_KEY (-1)
int64_t rules_line_of(struct rules_engine *e, int64_t community_id, struct str device);
void rules_tick(struct rules_engine *e, int64_t now_ms);
size_t rules_waiting(struct rules_engine *e); /* verdicts not yet applied; at most RULES_QUEUE_MAX are kept */
#define RULES_QUEUE_MAX 65536
/* They are applied in the order they were made: how many ever were made, and how many of these wait no more. */
uint64_t rules_made(struct rules_engine *e);
uint64_t rules_applied(struct rules_engine *e);
/* Turns waiting verdicts into alarms, each in its own transaction; one that fails stays first in the queue, unless its
 * device or rule is gone. */
NODISCARD enum err rules_apply(struct rules_engine *e, struct ctx *ctx, size_t most, size_t *ret_done);

#endif
