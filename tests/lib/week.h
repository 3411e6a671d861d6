/* A small community lived for a simulated week over a simulated disk, under injected faults.  The program's own parts
 * run: kernel over SQLite, readings, rules, alarms, cases, notices, delivery, timers, the api's units; time, chance and
 * disk are the test's.  One seed, one week.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_WEEK_H
#define LINLI_TESTS_LIB_WEEK_H

#include "api/api.h"
#include "sensing/feed/feed.h"
#include "store/io.h"
#include "tests/lib/test.h"

#define WEEK_DEVICES   40
#define WEEK_STRANGERS 4 /* the last ones: nobody knows them at first */
#define WEEK_RULES     8
#define WEEK_PARTS     2 /* of a device that tells events */
#define WEEK_PEOPLE    6
#define WEEK_READERS   3
#define WEEK_RESENDS   32
#define WEEK_MINUTE    INT64_C(60000)
#define WEEK_HOUR      (60 * WEEK_MINUTE)

enum { MANAGER, DISPATCHER, REPAIRER, GUARD, RESIDENT, ADMIN }; /* people, by their only role */

/* ---- what was sent, and what was acknowledged of it ---- */
struct week_point {
    int64_t at_ms;
    double value;
    bool acked; /* else it may be there or not */
};
struct week_device {
    char code[16];
    const char *model, *metric; /* metric NULL: sends events only */
    int64_t id;                 /* 0: not known to the store yet */
    struct week_point *points;  /* by time, those of one time in order of sending */
    size_t points_n, points_cap;
    double value;                      /* now */
    bool is_wrong, is_silent, is_late; /* hot, wet, weak; says nothing; keeps what it measures for later */
    bool heard, put_aside;             /* of strangers: lately; so that there must be a row of it */
    int64_t until_ms;                  /* of silence or lateness, by the true clock */
    struct week_point kept[64];
    size_t kept_n;
    bool fire[WEEK_PARTS], told[WEEK_PARTS]; /* events of each part: as it is; that it was confirmed */
};

/* ---- the naive model of the rules ---- */
enum week_kind { WEEK_ABOVE, WEEK_BELOW, WEEK_SILENCE, WEEK_EVENT };
struct week_rule {
    int64_t id;
    enum week_kind kind;
    char model[16], code[16];
    double limit, clear;
    int64_t for_ms, created_ms, updated_ms;
    bool enabled;
};
struct week_watch {
    bool applies, firing, held;
    int64_t since_ms, last_ms, ahead_ms;
    /* its alarms, as they must stand in the store */
    bool open, lasts;  /* the cause lasts, whoever ended the alarm */
    bool may_be_ended; /* by somebody who got no answer */
    int64_t opened_ms, over_ms, ever;
};
struct week_verdict {
    struct week_watch *watch;
    int64_t at_ms, tick; /* 0: of a reading or an event */
    bool raise;
};

/* ---- writes over the api ---- */
enum week_fate { WEEK_UNSURE, WEEK_DONE, WEEK_REFUSED };
struct week_write {
    enum week_fate fate;
    int64_t row_id, version;
    int status;
};
struct week_request {
    int64_t number; /* of the write, and its key */
    int64_t person_id;
    const char *method;
    char path[96], body[256];
    int64_t version;
    struct week_watch *ends; /* the alarm that it ends by hand, or NULL */
};
struct week_answer {
    int status; /* 0: none came */
    int64_t id, version;
    bool is_replay;
};

struct week_seen { /* of a row: never less than before */
    int64_t id, version, events;
};
struct week_reader {
    int64_t last;
};

struct week_io { /* the disk as the program sees it: a process that was killed does nothing more */
    struct io under, io;
    int64_t kill_after; /* operations; -1: never */
    bool is_dead, sync_failed;
};

struct week {
    struct t *t;
    struct world_sim sim;
    struct world world;
    struct log log;  /* silent */
    int64_t skew_ms; /* of the server's clock against the true one */
    uint64_t dice;
    struct io_sim *disk;
    struct week_io io;
    int64_t cut_at;           /* operations of the disk; -1: no cut is planned */
    bool is_full, is_failing; /* the disk: no room; some syncs fail */
    /* the program, while it lives */
    struct loop *loop;
    struct kernel *kernel;
    struct db_pool *pool;
    struct feed *feed;
    struct api *api;
    /* the town */
    int64_t street, estate, building, grid;
    int64_t people[WEEK_PEOPLE];
    struct week_device devices[WEEK_DEVICES];
    struct week_rule rules[WEEK_RULES];
    size_t rules_n;
    bool rules_changed;
    struct week_watch watches[WEEK_RULES][WEEK_DEVICES][WEEK_PARTS];
    struct week_verdict *queue;
    size_t queue_n, queue_cap;
    int64_t queue_before, queue_sure; /* verdicts before the queue's first; up to which they were confirmed */
    int64_t ticks;
    struct week_write *writes;
    size_t writes_n, writes_cap;
    struct week_request resend[WEEK_RESENDS];
    size_t resend_n;
    /* what came out */
    struct week_reader readers[WEEK_READERS];
    int64_t *numbered; /* ids of the events by their number */
    size_t numbered_n, numbered_cap;
    struct week_seen *seen; /* by id, open addressing */
    size_t seen_cap;
    /* figures, to see that something happened */
    int64_t sync_fails, cuts, kills, refused, acked_points, acked_writes, replays, stale, unavailable, confirmed,
        checks;
};

/* ---- life (week_life.c) ---- */
bool week_begin(struct week *w, struct t *t, uint64_t seed);
void week_end(struct week *w);
NODISCARD enum err week_open(struct week *w);
void week_close(struct week *w);
bool week_is_off(const struct week *w); /* killed or without power: nothing it says counts any more */
void week_restart(struct week *w);      /* it ends, as it was killed or cut off, and comes up again */
bool week_settle(struct week *w);       /* until nothing waits; false: something fails */
void week_ask(struct week *w, const struct week_request *r, struct week_answer *ret);
/* Runs fn as the system on a connection of its own. */
NODISCARD enum err week_do(struct week *w, enum err (*fn)(struct ctx *ctx, void *arg), void *arg);
int64_t week_count(struct week *w, const char *sql, const struct db_val *vals, size_t n);
/* Calls fn with each row; a failing statement is a failed check. */
void week_rows(struct week *w, const char *sql, void (*fn)(struct week *w, struct db_rows *row));
int64_t week_now(const struct week *w);         /* the server's clock */
int64_t week_true_now(const struct week *w);    /* the devices' */
uint64_t week_dice(struct week *w, uint64_t n); /* 0 .. n-1 */
bool week_chance(struct week *w, uint64_t one_in);

/* ---- the town (week_town.c) ---- */
NODISCARD enum err week_town_make(struct ctx *ctx, void *week);
void week_devices_speak(struct week *w);

/* ---- people (week_people.c) ---- */
void week_people_act(struct week *w);
void week_send_again(struct week *w);

/* ---- the model (week_model.c) ---- */
void week_model_reading(struct week *w, int device, const struct week_point *p);
void week_model_event(struct week *w, int device, int part, bool is_set);
enum week_applied { WEEK_ALL_APPLIED, WEEK_SOME_APPLIED, WEEK_NOBODY_KNOWS /* it was killed meanwhile */ };
void week_model_step(struct week *w, enum week_applied applied); /* after a feed_step */
void week_model_restart(struct week *w);                         /* before the store is opened again */
void week_model_reopen(struct week *w);                          /* after */
/* The watch behind an alarm's rule, device and part; NULL: there is none. */
struct week_watch *week_model_watch(struct week *w, int64_t rule_id, int64_t device_id, struct str part);

void week_model_check(struct week *w); /* when nothing waits: the alarms are those that must be */

/* ---- what must hold (week_check.c) ---- */
void week_check(struct week *w, bool settled);
void week_read_events(struct week *w, struct week_reader *r, bool to_end);
void week_seen_put(struct week *w, int64_t id, int64_t version, int64_t events);

#endif
