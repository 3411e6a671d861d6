/* What the rules' own files share: everything read from the store at one time, and the engine that works by it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_RULES_INTERNAL_H
#define LINLI_PLATFORM_RULES_RULES_INTERNAL_H

#include "platform/rules/alarms.h"
#include "platform/rules/eval.h"
#include "platform/rules/rules.h"

#include <pthread.h>

int64_t rules_generation(void); /* rises when rules or devices changed */
void rules_watches(int64_t n);  /* so many there are: whether another rule has room is seen when it is saved */

struct watched { /* one rule on one device */
    const struct rule *rule;
    struct rule_terms terms;
    struct rule_state state;
    int64_t over_ms; /* when the cause of its last alarm was over, where that was lately */
    uint32_t device; /* index */
    uint32_t next;   /* next of the same device, index + 1 */
    uint32_t was;    /* in the book before, index + 1: its state goes on; 0: it was not there */
    uint32_t goes;   /* in the book to come, the same way */
    uint32_t place;  /* in the heap of what time will bring, index + 1 */
    bool changed;    /* since its state was carried there */
    bool is_private; /* not everybody who sees the alarm may see the reading */
};
struct known_device {
    int64_t id, community_id, line_id; /* line_id: see rules_line_of */
    struct str code, model;
    uint32_t first; /* of its watches, index + 1 */
};
struct coming {
    int64_t at_ms;
    uint32_t watch;
};
struct book {
    struct arena arena;
    struct rule *rules;
    struct known_device *devices; /* both in order of their ids */
    struct watched *watches;
    uint32_t *by_code;
    struct coming *due; /* a heap, the earliest first; each watch at most once */
    size_t rules_n, devices_n, watches_n, by_code_size, due_n;
    struct buf left_out; /* what was over which limit, in words */
};
struct rules_limits {
    size_t rules, devices, watches, privates, alarms;
};
extern const struct rules_limits rules_usual;
/* Rules, devices and who watches whom; states are new.  Over a limit: what fits, the oldest rows first, and `left_out`
 * says so.  *ret is freed by book_free. */
NODISCARD enum err book_read(struct ctx *ctx, const struct rules_limits *limits, struct book **ret);
void book_free(struct book *b);                                                                /* NULL is fine */
struct known_device *book_device(const struct book *b, int64_t community_id, struct str code); /* NULL: none; b too */
const struct rule *book_rule(const struct book *b, int64_t id);                                /* the same */
/* Sets `was` and `goes` of what stays: the same rule with the same question on the same device, whatever its code. */
void book_match(struct book *from, struct book *to);
/* An alarm whose cause was not over yet counts as firing where nothing newer is known: the end of one may still wait in
 * the queue.  Events have no state here: what is open the alarms say, by part. */
NODISCARD enum err book_alarms(struct ctx *ctx, const struct rules_limits *limits, struct book *b);

/* The heap (due.c).  A watch whose state time alone may change is armed for that moment.  One that is armed for an
 * earlier one already stays so, and is looked at anew when that comes. */
void due_arm(struct book *b, uint32_t watch, int64_t not_before_ms);
bool due_take(struct book *b, int64_t now_ms, uint32_t *ret); /* the next one whose moment has come */

/* ---- the engine ---- */

struct verdict_row {
    int64_t rule_id, device_id, at_ms; /* rule_id 0: only the device's own state */
    bool raise, silence;
    char value[32], text[200], part[ALARM_PART_MAX + 1];
};
struct judged {      /* a series */
    uint32_t book;   /* which one the rest is of */
    uint32_t first;  /* of its links, index + 1; STRANGE: no known device's */
    uint32_t told_s; /* when it was told of as a stranger */
};
#define STRANGE UINT32_MAX
struct link {
    uint32_t watch, next; /* next: of the same series, index + 1 */
};
struct rules_engine {
    pthread_mutex_t loading; /* one load at a time; taken before the other */
    pthread_mutex_t lock;
    struct rules_limits limits;
    struct book *book; /* changed under both */
    uint32_t book_number;
    struct judged *series; /* by number */
    struct link *links;
    size_t series_n, links_n, links_cap;
    uint32_t *changed; /* watches whose state changed while it is carried to the next book; NULL: it is not */
    size_t changed_n;
    _Atomic int64_t generation;
    struct verdict_row *queue; /* a ring */
    uint64_t made, applied;    /* verdicts, ever */
};
/* Under the lock.  A verdict that finds no room is taken back, so that the next reading or tick comes to it again. */
void engine_conclude(struct rules_engine *e, struct watched *w, enum verdict v, int64_t at_ms);
bool watches_metric(const struct watched *w, struct str metric);

/* Of devices.unadopt: its alarms end, whatever caused them. */
enum err alarms_unadopted(struct ctx *ctx, const struct event *e);

/* Of devices.adopt and devices.update: the rules of its model, where the community has none of that model yet. */
enum err rules_come_with(struct ctx *ctx, const struct event *e);

#endif
