/* What one telemetry store remembers, and the parts that share it.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_TELEMETRY_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_TELEMETRY_INTERNAL_H

#include "platform/telemetry/rolled_internal.h"
#include "platform/telemetry/telemetry.h"

#include <pthread.h>
#include <stdatomic.h>

#define PAGE_ITEMS          1024
#define PAGES_MAX           4096 /* of series, and of devices: four million each */
#define TELEMETRY_NAMES_MAX ((uint32_t)PAGE_ITEMS * PAGES_MAX)
#define UNKNOWN_ALL_MAX     (TELEMETRY_NAMES_MAX / 8) /* devices, and metrics, that nobody in any community made known */
#define SEGMENTS_MAX        32768                     /* 64 classes: three years of points, ten of two window lengths */
#define NONE                UINT32_MAX
#define LOST_MAX            64
#define PATH_CAP            700
#define HEADS_WARM          (16 << 20) /* points in heads from which on half as many make one due for sealing */
#define SEAL_TOGETHER       32768      /* points of due heads that are sealed at one go */
#define SEAL_MAX            262144     /* points of those that are sealed at one go: groups come between */
#define HEADS_MAX           (24 << 20) /* unsealed points; more are refused where the disk takes no chunks */
#define GROUP_MAX           (8u << 20) /* bytes of a group of the log */
#define GROUP_POINTS        200000     /* points of one, unless a single batch has more */

/* ---- small tables ---- */
struct idmap { /* open addressing from hashes to ids; the owner of the ids compares */
    struct idslot {
        uint32_t id1, tag; /* id + 1, 0: free; high half of the hash */
    } * slots;
    size_t cap, n;
};
struct words { /* texts kept once for ever, ended by NUL: metrics, units */
    struct str *text;
    uint32_t n, cap;
    struct idmap map;
};
struct pages { /* items that never move */
    void *page[PAGES_MAX];
    uint32_t n;
};
struct ids32 {
    uint32_t *id;
    size_t n, cap;
};

struct unknown { /* devices that nobody made known, and their series */
    uint32_t devices, series;
};
struct community {
    int64_t id;
    struct unknown unknown;
};

struct device {
    int64_t community_id;
    struct str code; /* ended by NUL */
    uint32_t first_series, last_series, series_n;
    _Atomic uint32_t guess; /* the series found last: devices name theirs in the same order again and again */
    bool is_known, is_dirty;
};

#define BLOCK_BYTES   59
#define BLOCKS_A_PAGE 1024
#define BLOCK_PAGES   8192

struct block { /* of a head; eight bytes may be read from any place of it */
    uint8_t bytes[BLOCK_BYTES], used;
    uint32_t next;
};
struct blocks {
    struct block *page[BLOCK_PAGES];
    size_t pages_n, free_n;
    uint32_t used, free; /* used: those from there on never were; free: the others, a list */
};
struct head {            /* unsealed points as they arrived: a list of blocks */
    int64_t at, step, m; /* of the newest: time, distance to the one before, value as a whole number at `scale` */
    uint32_t n, first, last;
    uint8_t scale, from_scale; /* now, and where the list begins */
};

struct chunk_ref { /* within the month that its segment is */
    uint32_t first_rel, last_rel, at8;
    uint16_t segment;
    uint16_t count; /* of a rolled one: windows, and above ROLLED_PARTS the parts of its month */
};
#define ROLLED_PARTS 8                                       /* bits */
#define ROLLED_DOUBT ((uint16_t)(UINT8_MAX << ROLLED_PARTS)) /* as parts: a damaged one is among them */

struct series {
    uint32_t device, metric, unit, next; /* next: of the same device */
    uint32_t coming;                     /* chunks being told of: room is kept for them */
    uint8_t class, kind;
    _Atomic uint8_t keep; /* index; that of the files its chunks are in: the writer's to change */
    bool is_labelled;
    bool is_dirty, is_due, has_latest, is_latest_sealed; /* sealed: it comes from a chunk */
    struct telemetry_stored latest;
    struct head head;
    struct chunk_ref *refs; /* in the order written: a later one wins */
    uint32_t refs_n, refs_cap;
};

struct segment_key {  /* chunks that share a file */
    int32_t month;    /* UTC, since 1970-01 */
    uint8_t keep;     /* index */
    uint8_t step_min; /* 0: points as they came */
};
struct segment { /* append only */
    struct segment_key key;
    int64_t file, start_ms, size; /* size: what the log says is durable */
    int64_t end;                  /* of what is written while sealing */
    bool is_named;                /* its name is durable */
    bool is_dropped;              /* past retention; its file (-1: closed) stays open while somebody reads */
};

struct dead { /* a chunk that counts for nothing any more, not yet overwritten */
    uint32_t at8;
    uint16_t segment;
};

struct hotlog {
    int64_t file, number, end, begun_with; /* begun_with: bytes of the snapshot it starts with */
    int64_t room;                          /* the file is as long as that, whatever is behind `end` */
    uint64_t salt, seq;
    bool is_named; /* its name is durable; until then it acknowledges nothing */
};

struct out { /* growing bytes of a group */
    uint8_t *ptr;
    size_t n, cap;
    bool failed; /* out of memory */
};

struct job { /* a batch that waits; points follow */
    struct job *next;
    telemetry_done *done;
    void *arg;
    const struct erasure *erasure; /* instead of points; the caller's, who waits */
    const struct moving *moving;   /* the same */
    size_t n;
    struct telemetry_stored points[];
};

struct telemetry {
    struct telemetry_options options;
    struct io io, chunk_io; /* of the log, of the segments */
    char dir[512];
    /* Names: who is there.  This lock is taken before the other. */
    pthread_rwlock_t names;
    struct pages devices, series; /* of a series: what it is; the data in it are under the other lock */
    struct idmap device_map, series_map;
    struct words words;
    struct community *communities;
    size_t communities_n, communities_cap;
    struct unknown unknown;                   /* of all communities */
    struct ids32 dirty_devices, dirty_series; /* not logged yet, or logged otherwise */

    pthread_mutex_t lock; /* over everything below, up to "the writer's own" */
    pthread_cond_t wake;
    struct blocks blocks;
    struct ids32 due; /* heads to seal */
    int64_t due_points, head_points, chunk_points, chunks_n, chunk_bytes;
    struct job *first, **last;
    size_t waiting_n, waiting_bytes;
    bool closing, is_seal_failing;
    struct segment *segments[SEGMENTS_MAX]; /* slots are not used again while the store is open */
    size_t segments_n;
    size_t scans; /* under way: dropped segments stay open until there is none */
    struct telemetry_keep keeps[TELEMETRY_KEEPS_MAX];
    struct telemetry_keep retained[TELEMETRY_KEEPS_MAX]; /* what the pass under way, or the last one, went by */
    int64_t keep_ids[TELEMETRY_KEEPS_MAX];               /* never change once they are there */
    size_t keeps_n;
    bool is_keep_said[TELEMETRY_KEEPS_MAX];
    int64_t passed_ms; /* everything over before that is rolled up: the beginning of the last pass that came through */
    _Atomic int32_t raw_days[TELEMETRY_KEEPS_MAX], least_raw_days; /* 0: for ever */
    bool must_roll, is_rolling; /* there may be something to roll up; a pass over all series is under way */
    struct telemetry_stats stats;

    /* the writer's own */
    struct hotlog log;
    struct out group;
    struct ids32 taken_devices, taken_series; /* dirty ones in the group under way */
    int64_t rotate_at;                        /* bytes of the log */
    int64_t retain_at_ms, roll_at_ms;         /* when it is looked at next; under the lock */
    int64_t rolled_month;                     /* those before it are over */
    uint32_t roll_series;                     /* the pass has come so far, */
    int64_t roll_month, pass_ms;              /* of that series; when it began */
    bool pass_failed;                         /* for some series */
    struct dead *dead;
    size_t dead_n, dead_cap;
    struct dead lost[LOST_MAX]; /* places at which opening found no chunk where one should be */
    size_t lost_n;
    int64_t begun_live; /* bytes in memory when the log was begun, about */
    bool must_wipe;     /* the log holds what was erased */
    bool must_rotate;   /* memory knows names that the log may not get otherwise */
    bool is_damaged;    /* the log had broken groups */

    pthread_mutex_t tap_lock; /* over the next two, and while he is told */
    void (*tap)(void *arg, const struct telemetry_stored *points, size_t n);
    void *tap_arg;

    pthread_t thread;
    bool has_thread;
};

/* ---- tables (tables.c, names.c); under the lock of names ---- */
bool idmap_init(struct idmap *m);
void idmap_finish(struct idmap *m);
/* Finds the id whose key is `key`; NONE when there is none. */
uint32_t idmap_find(const struct idmap *m, uint64_t hash, bool (*is)(const void *owner, uint32_t id, const void *key),
                    const void *owner, const void *key);
bool idmap_add(struct idmap *m, uint32_t id, uint64_t (*hash)(const void *owner, uint32_t id), const void *owner);
void idmap_drop_last(struct idmap *m, uint32_t id, uint64_t hash); /* only the id added last */
bool idmap_rebuild(struct idmap *m, uint32_t n, uint64_t (*hash)(const void *owner, uint32_t id), const void *owner);
uint32_t words_put(struct words *w, struct str text); /* NONE: out of memory */
uint32_t words_find(const struct words *w, struct str text);
void words_drop_to(struct words *w, uint32_t n); /* forgets the newest ones */
void words_finish(struct words *w);
void *pages_at(const struct pages *p, uint32_t id, size_t size);
void *pages_add(struct pages *p, size_t size); /* zeroed; NULL: full */
void pages_finish(struct pages *p);
bool ids32_add(struct ids32 *v, uint32_t id);
NODISCARD bool text_copy(struct str text, struct str *ret);
void text_free(struct str text);

static inline struct device *device_at(const struct telemetry *t, uint32_t id) {
    return pages_at(&t->devices, id, sizeof(struct device));
}
static inline struct series *series_at(const struct telemetry *t, uint32_t id) {
    return pages_at(&t->series, id, sizeof(struct series));
}
uint32_t device_find(const struct telemetry *t, int64_t community_id, struct str code);
uint32_t device_add(struct telemetry *t, int64_t community_id, struct str code); /* NONE: out of memory */
bool device_rename(struct telemetry *t, uint32_t id, struct str code);
void device_set_known(struct telemetry *t, uint32_t id, bool known);
struct unknown names_unknown(const struct telemetry *t, int64_t community_id);
uint32_t series_find(const struct telemetry *t, uint32_t device, struct str metric);
uint32_t series_add(struct telemetry *t, uint32_t device, struct str metric);
void series_set_unit(struct telemetry *t, uint32_t id, struct str unit);
void series_dirty(struct telemetry *t, uint32_t id);
void device_dirty(struct telemetry *t, uint32_t id);
struct names_mark {
    uint32_t devices_n, series_n, words_n;
};
/* Takes back what was added since the mark, while the lock was held. */
void names_rollback(struct telemetry *t, const struct names_mark *mark);
void names_finish(struct telemetry *t);
bool name_ok(struct str s, size_t max); /* UTF-8 without control characters, not empty */

/* ---- points as arrays (points.c) ---- */
/* One block for n points; freed by free(p->at). */
bool points_init(struct points *p, size_t n);
/* Sorts by time, in place; of equal times the last one given stays.  False: out of memory. */
bool points_sort(struct points *p);

/* ---- points in memory (heads.c) ---- */
/* So that n can be taken.  Any point may begin a block of its own: of another series, or where no more fits. */
bool blocks_reserve(struct blocks *b, size_t n);
int64_t blocks_bytes(const struct blocks *b); /* those in use */
void blocks_finish(struct blocks *b);
void head_append(struct blocks *b, struct head *h, const struct telemetry_stored *p); /* room was reserved */
void head_drop(struct blocks *b, struct head *h);
/* The head's points with from <= t < to as they arrived, in a new block (at NULL when there is none). */
bool head_copy(const struct blocks *b, const struct head *h, int64_t from_ms, int64_t to_ms, struct points *ret);
struct head_block {
    struct bytes bytes;
    uint32_t next; /* NONE: it is the last */
};
struct head_block head_block(const struct blocks *b, const struct head *h, uint32_t id);
struct head_state { /* {.scale = from_scale} before the first point */
    uint64_t at, step, m;
    uint8_t scale;
    bool has_begun;
};
#define HEAD_POINT_MAX 28 /* bytes that may be read */
size_t head_decode(struct head_state *s, const uint8_t *bytes, struct telemetry_stored *ret); /* gives its bytes */

/* A durable point: into the head, and the latest.  Room was reserved. */
void head_add(struct telemetry *t, uint32_t id, const struct telemetry_stored *p);
void head_due(struct telemetry *t, uint32_t id); /* it is sealed next */
void head_clear(struct telemetry *t, uint32_t id);
bool refs_reserve(struct series *s, uint32_t more);

/* ---- the log (hotlog.c): groups of entries, each group whole or not at all ---- */
enum entry {
    ENTRY_DEVICE = 'D',
    ENTRY_SERIES = 'S',
    ENTRY_POINTS = 'P',
    ENTRY_HEAD = 'H',
    ENTRY_SEGMENT = 'G',
    ENTRY_CLEAR = 'C',
    ENTRY_DROP = 'X',
    ENTRY_DEAD = 'E',
    ENTRY_FORGET = 'F' /* the latest point of a series is none of those before */
};
void out_int(struct out *o, uint64_t v, size_t n);
void out_bytes(struct out *o, const void *bytes, size_t n);
void out_head(struct out *o, const struct blocks *b, const struct head *h, uint32_t id);
void out_text(struct out *o, struct str text); /* length in a byte, then the text */
void out_points(struct out *o, const struct telemetry *t, const struct telemetry_stored *points, size_t n);
/* The next point of an entry; *p is the one before it, first {.series = NONE}.  False: there is none. */
bool log_point(struct bytes *in, struct telemetry_stored *p);
void out_device(struct out *o, const struct telemetry *t, uint32_t id);
void out_series(struct out *o, const struct telemetry *t, uint32_t id);
void out_series_as(struct out *o, const struct telemetry *t, uint32_t id, uint8_t keep);
void out_key(struct out *o, const struct telemetry *t, const struct segment *g);
void out_segment(struct out *o, const struct telemetry *t, const struct segment *g, int64_t size);
void group_begin(struct out *o);
/* Writes and syncs; the log is as before when it fails. */
NODISCARD enum err hotlog_append(struct telemetry *t, struct hotlog *log, struct out *group, bool sync);
/* Calls fn with each group's entries in order.  Broken groups with good ones behind them are counted as damage. */
NODISCARD enum err hotlog_read(struct telemetry *t, struct hotlog *log,
                               enum err (*fn)(struct telemetry *t, struct bytes entries), struct fault *f);
NODISCARD enum err hotlog_settle(struct telemetry *t); /* makes the log's name durable */
void hotlog_path(const struct telemetry *t, int64_t number, const char *end, char ret[PATH_CAP]);
NODISCARD enum err hotlog_rotate(struct telemetry *t);
void hotlog_trim(struct telemetry *t); /* gives the disk back what is kept for speed */
NODISCARD enum err hotlog_wipe_spare(struct telemetry *t);

/* ---- chunks on disk (segment.c) ---- */
int64_t month_of(int64_t at_ms); /* since 1970-01, UTC */
int64_t month_start_ms(int64_t month);
void segment_path(const struct telemetry *t, const struct segment_key *key, char ret[PATH_CAP]);
bool segment_name(struct telemetry *t, const char *name, struct segment_key *ret); /* false: not a segment's file */
size_t segment_slot(const struct telemetry *t, const struct segment_key *key);     /* SIZE_MAX: there is none */
/* Finds or adds it, unopened. */
NODISCARD enum err segment_add(struct telemetry *t, const struct segment_key *key, size_t *ret_slot);
/* Finds or opens it, making the file if it is missing. */
NODISCARD enum err segment_open(struct telemetry *t, const struct segment_key *key, size_t *ret_slot);
/* At opening: takes its chunks into the series.  check_bodies: nothing but checksums is trusted. */
NODISCARD enum err segment_scan(struct telemetry *t, size_t slot, int64_t size, bool check_bodies);
void segments_sweep(struct telemetry *t); /* closes what was dropped, once nobody reads */

/* ---- the writer (writer.c) ---- */
size_t job_bytes(const struct job *job);
void *telemetry_writer(void *t); /* its thread */

/* ---- writing chunks (seal.c): written and synced first, then told of in a group, then true in memory ---- */
#define SEAL_BUFFER ((size_t)256 * 1024)
struct sealed { /* a chunk written, not yet told */
    uint32_t series;
    struct chunk_ref ref;
};
struct sealing {
    struct telemetry *t;
    struct sealed *done, *gone; /* gone: they count for nothing once this is true */
    size_t done_n, done_cap, gone_n, gone_cap;
    uint8_t *buffer; /* chunks that go behind one another into one segment */
    size_t buffer_n, slot;
};
bool sealing_begin(struct sealing *s, struct telemetry *t); /* false: out of memory; sealing_end() all the same */
/* Sorted points, month by month, in chunks of nearly the same size. */
NODISCARD enum err sealing_put(struct sealing *s, uint32_t series, const struct points *p);
/* Rows of one month: all that there are of it. */
NODISCARD enum err sealing_put_rolled(struct sealing *s, uint32_t series, const struct segment_key *key,
                                      const struct rolled *rows, size_t n);
NODISCARD enum err sealing_copy(struct sealing *s, uint32_t series, const struct chunk_ref *ref, uint8_t keep);
NODISCARD enum err sealing_drop(struct sealing *s, uint32_t series, const struct chunk_ref *ref);
struct sealing_also { /* what becomes true together with it */
    void (*tell)(struct out *group, void *arg);
    void (*apply)(void *arg); /* under the lock */
    void *arg;
};
NODISCARD enum err sealing_commit(struct sealing *s, const struct sealing_also *also);
void sealing_end(struct sealing *s);

/* ---- erasing (erase.c) ---- */
struct erasure {
    uint32_t series;
    int64_t from_ms, to_ms;
};
enum err erase(struct telemetry *t, const struct erasure *x); /* the writer's */
/* Chunks that count for nothing any more are overwritten once nobody reads. */
void dead_sweep(struct telemetry *t);
NODISCARD bool dead_reserve(struct telemetry *t, size_t more);
bool dead_is(const struct telemetry *t, size_t slot, int64_t at);
void dead_forget(struct telemetry *t, size_t slot);
NODISCARD bool dead_add(struct telemetry *t, size_t slot, int64_t at);
void out_dead(struct out *o, const struct telemetry *t, const struct dead *d);
/* Length of what was overwritten; 0: it is something else. */
size_t dead_read(struct bytes bytes);

/* ---- how long (keep.c) ---- */
struct moving { /* of a series, and all that is sealed of it, into the files of another class */
    uint32_t series;
    int64_t keep;
};
enum err move(struct telemetry *t, const struct moving *x); /* the writer's */
void keeps_init(struct telemetry *t);
uint8_t keep_index(struct telemetry *t, int64_t id); /* under the lock; found or added; 0 when there is no room */
bool is_past(struct telemetry *t, const struct segment_key *key);     /* that is not kept any more */
bool is_all_past(struct telemetry *t, const struct segment_key *key); /* nor what it would be rolled up to */
void retain(struct telemetry *t, int64_t now_ms);

/* ---- rolling up (roll.c) ---- */
bool roll_some(struct telemetry *t); /* true: there is more to do */
void roll_late(struct telemetry *t); /* there are points of a month that is over */
/* Is there still all of what was rolled up of the month, so that it can be rolled up again? */
NODISCARD enum err raw_is_whole(struct telemetry *t, uint32_t series, int32_t month, uint8_t step_min, bool *ret);

/* ---- housekeeping of the writer (seal.c), opening (replay.c) ---- */
enum err seal_due(struct telemetry *t); /* some of the heads that are due; what fails stays due */
NODISCARD enum err replay(struct telemetry *t, struct fault *f);

/* ---- reading (segment.c, scan.c) ---- */
/* Of what a chunk holds: ERR_CORRUPT where it is damaged, ERR_UNAVAILABLE where it could not be read, which says
 * nothing of it.  ret: room for CHUNK_POINTS_MAX, ROLLED_MAX, CHUNK_BYTES_MAX. */
bool chunk_is(const struct chunk_head *h, const struct segment *g, uint32_t series, const struct chunk_ref *ref);
NODISCARD enum err chunk_read(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, struct points *ret);
NODISCARD enum err chunk_read_rolled(struct telemetry *t, uint32_t series, const struct chunk_ref *ref,
                                     struct rolled *ret, struct chunk_head *ret_head);
NODISCARD enum err chunk_read_bytes(struct telemetry *t, uint32_t series, const struct chunk_ref *ref, uint8_t *ret,
                                    size_t *ret_n);
NODISCARD enum err chunk_read_head(struct telemetry *t, uint32_t series, const struct chunk_ref *ref,
                                   struct chunk_head *ret);

struct source { /* an open chunk, or the head */
    struct points p;
    size_t i;
    uint32_t order; /* a higher one wins */
};
struct scan_ref {
    struct chunk_ref ref;
    uint32_t order;
    int64_t month;
};
struct scan {
    struct telemetry *t;
    uint32_t series;
    int64_t from_ms, to_ms;
    struct scan_ref *refs; /* by first time */
    size_t refs_n, refs_i; /* those before refs_i were opened */
    struct source *heap;   /* smallest time first */
    size_t heap_n, heap_cap;
    size_t damaged;
    struct points head; /* as they arrived, until it is ready */
    void *spent;        /* points of the slice given last, where its source has ended */
    int64_t one_at;
    double one_value; /* a slice of one, where sources have the same time */
    uint8_t one_quality;
};
/* One consistent moment of a series.  Always scan_finish() it. */
NODISCARD enum err scan_init(struct scan *s, struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms,
                             struct fault *f);
/* The same in two parts: the first under the lock, of a series that is there. */
NODISCARD bool scan_begin(struct scan *s, struct telemetry *t, uint32_t series, int64_t from_ms, int64_t to_ms);
NODISCARD enum err scan_ready(struct scan *s, struct fault *f);
void scan_finish(struct scan *s);
/* The next points before until_ms that stand together: some of them, in order, each time once; they live until the next
 * call.  ERR_NOT_FOUND (no fault) when there is none. */
NODISCARD enum err scan_slice(struct scan *s, int64_t until_ms, struct points *ret, struct fault *f);
/* When the next points before until_ms are exactly one whole chunk, without NaN: skips them and gives its summary. */
bool scan_chunk(struct scan *s, int64_t until_ms, struct chunk_head *ret);

/* ---- a series for windows (track.c): spans of points as they came, and of what they were rolled up to ---- */
struct span {
    struct scan scan; /* where points are read */
    bool is_rolled;
    int64_t from_ms, to_ms;
};
struct track {
    struct telemetry *t;
    uint32_t series;
    uint8_t kind;
    struct span *spans; /* one behind the other */
    size_t spans_n, i;
    struct scan_ref *refs; /* of rolled chunks, by first time */
    size_t refs_n, refs_i, damaged;
    struct rolled *rows; /* of the chunk that is open */
    size_t rows_n, rows_i;
    int64_t next_ms;    /* rows before it were given */
    int32_t rolled_min; /* the longest windows that were taken; 0: none */
};
struct track_query {
    uint32_t series;
    int64_t from_ms, to_ms, back_ms; /* back_ms: points so long before are given, too */
    /* Whatever is asked begins at a multiple of that, and at from_ms and to_ms; 0: nowhere else. */
    int64_t align_ms;
    bool is_raw; /* points only */
};
struct piece { /* the one or the other, in order of time */
    struct points p;
    const struct rolled *rows;
    size_t rows_n;
};
/* One consistent moment of a series.  Always track_finish() it. */
NODISCARD enum err track_init(struct track *k, struct telemetry *t, const struct track_query *q, struct fault *f);
void track_finish(struct track *k);
size_t track_damaged(const struct track *k); /* chunks so far that could not be read */
/* The next that begin before until_ms, some of them; they live until the next call.  ERR_NOT_FOUND (no fault): none. */
NODISCARD enum err track_next(struct track *k, int64_t until_ms, struct piece *ret, struct fault *f);
bool track_chunk(struct track *k, int64_t until_ms, struct chunk_head *ret); /* as scan_chunk */

enum err disk_error(struct telemetry *t); /* counts it; ERR_UNAVAILABLE; not under the lock */

#endif
