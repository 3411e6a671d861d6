/* Readings: series of points, durable before they are acknowledged; latest, history and windows of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_TELEMETRY_H
#define LINLI_PLATFORM_TELEMETRY_TELEMETRY_H

#include "base/civil.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/io.h"

/* A series is (community, device, metric).  The device is a text unique in its community.  One process owns a folder.
 * Values are any doubles: NaN means "no value" (kept, shown as null, no part of an aggregate); infinities count as
 * IEEE 754 says; -0 is 0.  A point written twice at one time of a series: the last one written is the one. */
#define TELEMETRY_DEVICE_MAX 128 /* bytes of a device's text */
#define TELEMETRY_METRIC_MAX 64
#define TELEMETRY_UNIT_MAX   24
/* Calendars end where years have four digits: 0001-01-01 and 10000-01-01. */
#define TELEMETRY_FIRST_MS    (-INT64_C(719162) * 86400000)
#define TELEMETRY_LAST_MS     (INT64_C(2932897) * 86400000)
#define TELEMETRY_BATCH_MAX   100000     /* points of one batch */
#define TELEMETRY_POINTS_MAX  100000     /* points or windows of one answer */
#define TELEMETRY_SERIES_MAX  20000      /* series of one windows query */
#define TELEMETRY_RANKED_MAX  1000       /* of one with a rank */
#define TELEMETRY_LATEST_MAX  1000       /* devices of one latest query */
#define TELEMETRY_READ_MAX    1000000000 /* points of one question: some seconds */
#define TELEMETRY_METRICS_MAX 1000       /* metrics of a device */
/* Whoever reaches a line makes devices up: what nobody has made known has a share of a community, and an eighth of all
 * there is room for, so that known ones of every community find theirs. */
#define TELEMETRY_UNKNOWN_MAX         20000 /* such devices of a community */
#define TELEMETRY_UNKNOWN_METRICS_MAX 40000 /* metrics of all of those together */
#define TELEMETRY_FUTURE_MS           INT64_C(3600000)
#define TELEMETRY_RAW_DAYS            1096 /* unless its class says otherwise */
#define TELEMETRY_HOURS_DAYS          3653

struct telemetry;

struct telemetry_stored { /* a point that is durable, by the number of its series */
    int64_t at_ms;
    double value;
    uint32_t series;
    uint8_t quality; /* 0 good; other numbers are the codec's */
};
struct telemetry_options {
    const struct io *io;       /* kept, as is all that is pointed to */
    const struct io *chunk_io; /* where sealed chunks are kept; NULL: where the log is */
    const struct world *world;
    const char *dir;
    bool threadless;          /* no writer thread: telemetry_step() does its work */
    size_t queue_batches_max; /* 0: 4096 */
    size_t queue_bytes_max;   /* 0: 64 MiB */
    size_t seal_at;           /* 0: 1000; points of a series that are sealed together */
    int64_t house_ms;         /* 0: 60,000; after so long without work it looks what time alone has made due */
    int64_t log_bytes_max;    /* 0: 4 MiB; the hot log is begun anew past it and twice what still counts */
    /* Told of points once they are durable and readable, in order, from the writer's thread, before their batch's done;
     * must be quick and may not write to telemetry. */
    void (*stored)(void *arg, const struct telemetry_stored *points, size_t n);
    void *arg;
};
/* ERR_UNAVAILABLE: the disk; ERR_CORRUPT: what is there cannot be understood, nothing was changed. */
NODISCARD enum err telemetry_open(const struct telemetry_options *options, struct telemetry **ret, struct fault *f);
/* One who is told as `stored` is, behind it; fn NULL: nobody, and once this returns none is being told.  Any thread but
 * the writer's. */
void telemetry_tap(struct telemetry *t, void (*fn)(void *arg, const struct telemetry_stored *points, size_t n),
                   void *arg);
void telemetry_close(
    struct telemetry *t); /* what waits is written first; NULL is fine; no other call may be under way */

/* ---- how long ---- */
/* Series are kept by class: as they came for some days, and rolled up into windows of some minutes for others; 0 days:
 * for ever.  A UTC month goes as a whole once all of it is too old, and is rolled up once it is over. */
#define TELEMETRY_KEEPS_MAX 64
#define TELEMETRY_TIERS_MAX 2
struct telemetry_tier {
    int32_t step_min; /* 1 5 10 15 30 60; 0: there is no such tier */
    int32_t days;
};
struct telemetry_keep {
    int64_t id; /* 0: of series that nobody said another of, and what is unsaid of others */
    int32_t raw_days;
    struct telemetry_tier tiers[TELEMETRY_TIERS_MAX]; /* the finer one first */
};
/* Copied; in force with the next housekeeping.  Nothing is dropped of a class that was not among those told last; until
 * anything is told, TELEMETRY_KEEP_FIRST says what is rolled up and what is refused as too old.  Those beyond
 * TELEMETRY_KEEPS_MAX ever heard of are kept as id 0. */
#define TELEMETRY_KEEP_FIRST                                                    \
    {                                                                           \
        .raw_days = TELEMETRY_RAW_DAYS, .tiers = { {60, TELEMETRY_HOURS_DAYS} } \
    }
void telemetry_keeps(struct telemetry *t, const struct telemetry_keep *keeps, size_t n);

/* ---- in ---- */
struct telemetry_point {
    struct str device, metric;
    struct str unit; /* absent: not said.  The first one said stays until telemetry_label */
    int64_t at_ms;
    double value;
    uint8_t quality;
};
struct telemetry_batch {
    int64_t community_id;
    const struct telemetry_point *points;
    size_t n;
    /* Instead of `points`, where set: the points one by one, each overwritten by the next, so that they need not be
     * kept.  An error refuses the batch.  Texts live until telemetry_put returns.  The points may be asked for again
     * from the first, after `rewind`.  Called with the names locked: it may call nothing of telemetry. */
    enum err (*next)(void *arg, struct telemetry_point *p, bool *ret_more, struct fault *f);
    void (*rewind)(void *arg);
    void *arg;
    /* Where set: points that there is no room for (ERR_TOO_MANY) are left out, and this says how many; the batch is
     * refused where no other is left.  Written before telemetry_put returns. */
    size_t *left_out;
};
/* From the writer's thread, once: OK when the whole batch is durable, else nothing of it is stored: ERR_UNAVAILABLE,
 * the disk is full or failing. */
typedef void telemetry_done(void *arg, enum err e);
/* Copies the batch and returns; a batch is stored whole or not at all.  Refused at once (then done is not called):
 * ERR_INVALID (field "ts" code too_old or in_future; "device", "metric", "unit" code bad_name), ERR_TOO_MANY (code
 * too_many_devices or too_many_metrics), ERR_LIMIT (more than TELEMETRY_BATCH_MAX), ERR_BUSY (the queue is full),
 * ERR_UNAVAILABLE (nothing can be sealed any more).  *ret_bad (may be NULL): index of the point refused. */
NODISCARD enum err telemetry_put(struct telemetry *t, const struct telemetry_batch *batch, telemetry_done *done,
                                 void *arg, size_t *ret_bad, struct fault *f);
/* The same, waiting until it is durable.  Threadless: does the step itself. */
NODISCARD enum err telemetry_put_wait(struct telemetry *t, const struct telemetry_batch *batch, size_t *ret_bad,
                                      struct fault *f);
/* Threadless: writes what waits as one group and does some of the housekeeping due; false when nothing is left. */
bool telemetry_step(struct telemetry *t);

/* Takes the points with from <= t < to away, whatever waits before it included, and waits until that is durable; their
 * bytes on the disk are overwritten as soon as nobody reads them.  ERR_NOT_FOUND: no such series; ERR_UNAVAILABLE: the
 * disk, and nothing was taken away. */
NODISCARD enum err telemetry_erase(struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms,
                                   struct fault *f);

/* ---- devices and series ---- */
/* What is said of a device; waits until durable.  A device not heard of yet is made.  ERR_CONFLICT: `rename_to` is
 * another device (when `code` is gone and `rename_to` is there, it is taken as done).  ERR_UNAVAILABLE: in force, but
 * not durable before the next thing that is; say it again. */
struct telemetry_device {
    int64_t community_id;
    struct str code;
    bool is_known;        /* known devices and their metrics do not count against TELEMETRY_UNKNOWN_... */
    struct str rename_to; /* absent: keeps its name; its history stays with it */
};
NODISCARD enum err telemetry_device_put(struct telemetry *t, const struct telemetry_device *d, struct fault *f);
/* The device `from` is called `to` from here on, with all its history.  Where `to` sent something of its own already,
 * its points are put under the history, series by series; it may be said again after a cut at any
 * moment, until it gives OK.  Waits; on a worker.  A device `from` that is not there: nothing to do. */
NODISCARD enum err telemetry_device_follow(struct telemetry *t, int64_t community_id, struct str from, struct str to,
                                           struct fault *f);
/* The same for a device that is known, without waiting: in force at once, durable with the next thing that is.  For
 * telling it of every device at start; cheap when it knows already.  False: a bad name, or out of memory. */
bool telemetry_know(struct telemetry *t, int64_t community_id, struct str device);
enum telemetry_kind { TELEMETRY_GAUGE, TELEMETRY_COUNTER }; /* a counter only rises, unless it begins anew at zero */
struct telemetry_label {                                    /* what is said of a series */
    struct str unit;                                        /* absent: stays as it is */
    uint8_t class;                                          /* enum field_class of the kernel */
    uint8_t kind;
    int64_t keep; /* id of a struct telemetry_keep; what is sealed already moves there */
};
/* The series is made if it is not there.  In force at once, durable with the next thing that is, where it does not move
 * to another class: then waits until that is durable.  Says nothing that is so already. */
NODISCARD enum err telemetry_label(struct telemetry *t, int64_t community_id, struct str device, struct str metric,
                                   const struct telemetry_label *label, struct fault *f);

struct telemetry_series { /* texts are copies in the caller's arena */
    int64_t community_id;
    struct str device, metric, unit;
    uint32_t number; /* stays the same for ever, also when the device is renamed */
    uint8_t class, kind;
    bool is_known, has_latest, is_labelled;
    int64_t keep;
    struct telemetry_stored latest; /* the point with the highest time */
};
/* ERR_NOT_FOUND when there is no such series. */
NODISCARD enum err telemetry_series_at(struct telemetry *t, uint32_t number, struct arena *a,
                                       struct telemetry_series *ret, struct fault *f);
/* All series of the devices named (at most TELEMETRY_LATEST_MAX; metric absent: all of theirs), in order of the devices
 * given; unknown names give nothing.  One consistent moment. */
NODISCARD enum err telemetry_latest(struct telemetry *t, int64_t community_id, const struct str *devices, size_t n,
                                    struct str metric, struct arena *a, struct telemetry_series **ret, size_t *ret_n,
                                    struct fault *f);
/* Names of a community's devices in order of their first reading, from number *at on (0: the first), at most `cap`;
 * *at becomes where to go on, 0 at the end.  unknown: only those that nobody made known. */
NODISCARD enum err telemetry_devices(struct telemetry *t, int64_t community_id, bool unknown, uint32_t *at, size_t cap,
                                     struct arena *a, struct str **ret, size_t *ret_n, struct fault *f);

/* ---- out ---- */
/* Points of one series with from <= t < to, rising, each time once; arrays in the arena. */
struct telemetry_points {
    int64_t *at_ms;
    double *value;
    uint8_t *quality;
    size_t n, width; /* width: values of a point; 1, or the aggregates that were asked for */
    bool has_next;   /* `limit` was reached: go on at next_ms as the new from */
    int64_t next_ms;
    size_t damaged;     /* chunks in the range that could not be read; what is around them is here */
    int32_t rolled_min; /* some of it is from points rolled up into windows of so many minutes, at most; 0: none */
};
/* limit 1 .. TELEMETRY_POINTS_MAX.  A series that does not exist has no points. */
NODISCARD enum err telemetry_range(struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms, size_t limit,
                                   struct arena *a, struct telemetry_points *ret, struct fault *f);

#define TELEMETRY_GAP_MS (INT64_C(6) * 3600000)
enum telemetry_agg {
    TELEMETRY_AVG,
    TELEMETRY_MIN,
    TELEMETRY_MAX,
    TELEMETRY_SUM,
    TELEMETRY_COUNT,
    TELEMETRY_FIRST,
    TELEMETRY_LAST,
    TELEMETRY_P50, /* nearest rank: the smallest value that at least so many % of the values do not exceed */
    TELEMETRY_P95,
    /* Of pairs: a point and the one before it, in the window of the later one, even where the other is before the
     * range; so days sum up to their month.  Not where they are further apart than TELEMETRY_GAP_MS.  Of many series:
     * the sum of theirs. */
    TELEMETRY_DELTA,    /* by how much it rose; a counter that fell began anew at zero */
    TELEMETRY_RATE,     /* the same a second */
    TELEMETRY_INTEGRAL, /* under the straight lines between them, in the unit times hours: kW to kWh */
    TELEMETRY_AGG__COUNT
};
const char *telemetry_agg_word(enum telemetry_agg agg);
bool telemetry_agg_read(struct str word,
                        enum telemetry_agg *ret); /* avg min max sum count first last p50 p95 delta rate integral */

/* "5m": s, m and h count from 1970 UTC; days from 1970-01-01 and months from 1970-01 of the community's own calendar.
 */
struct telemetry_every {
    int64_t n; /* 1 .. 1000000 */
    char unit; /* 's' 'm' 'h' 'd', 'M' for months */
};
bool telemetry_every_read(struct str text, struct telemetry_every *ret); /* "30s" "5m" "1h" "1d" "1mo" */
int64_t telemetry_every_ms(struct telemetry_every every);                /* no window is shorter */

#define TELEMETRY_AGGS_MAX 4
struct telemetry_windows_query {
    const uint32_t *series; /* all in one aggregate; at most TELEMETRY_SERIES_MAX, with a rank TELEMETRY_RANKED_MAX */
    size_t n;
    int64_t from_ms, to_ms;
    struct telemetry_every every; /* longer than the range: one window */
    enum telemetry_agg aggs[TELEMETRY_AGGS_MAX];
    size_t aggs_n;           /* 1 .. TELEMETRY_AGGS_MAX */
    const struct zone *zone; /* NULL: UTC */
    size_t limit;            /* of windows */
    /* How much may be read, in points; what is read is taken from it, so that several queries share one.  NULL:
     * TELEMETRY_READ_MAX of its own. */
    size_t *budget;
    /* Asked now and then: true ends it with ERR_UNAVAILABLE, code cancelled.  NULL: never. */
    bool (*is_over)(const void *arg);
    const void *arg;
};
/* Every window of the range by its start (the first may start before `from`; only points of the range count), with a
 * value for each aggregate, window by window: aggs_n times n in all; NaN where it is empty (count: 0).  quality is
 * NULL.  ERR_LIMIT (code too_wide) when it needs more memory or time than one query may have. */
NODISCARD enum err telemetry_windows(struct telemetry *t, const struct telemetry_windows_query *q, struct arena *a,
                                     struct telemetry_points *ret, struct fault *f);

/* ---- damage ---- */
struct telemetry_damage {      /* texts live for the call */
    const char *file;          /* name in the folder */
    int64_t at;                /* where in it a chunk begins */
    struct str device, metric; /* absent: its head cannot be read, so that nobody knows whose it was */
    int64_t first_ms, last_ms, n;
    int32_t window_min; /* of windows; 0: of points */
    bool is_unread;     /* the disk did not answer: it may be good */
};
typedef void telemetry_damaged(void *arg, const struct telemetry_damage *d);
/* Reads all that is sealed, and tells of what is not what it was.  Of a threadless store that nobody uses meanwhile. */
NODISCARD enum err telemetry_verify(struct telemetry *t, telemetry_damaged *fn, void *arg, struct fault *f);

/* ---- figures ---- */
struct telemetry_stats {
    int64_t points, batches, groups, refused, disk_errors; /* since open */
    int64_t damaged;                                       /* chunks and groups found broken */
    int64_t waiting_batches, waiting_bytes;
    int64_t devices, series, unknown_devices;
    int64_t head_points, chunk_points, chunks; /* points written again count again */
    int64_t log_bytes, chunk_bytes;
    bool is_failing; /* the last write failed: full or broken disk */
};
void telemetry_stats(struct telemetry *t, struct telemetry_stats *ret);

#endif
