/* What the files of the poller share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_POLL_POLL_INTERNAL_H
#define LINLI_SENSING_POLL_POLL_INTERNAL_H

#include "sensing/poll/poll.h"

#define DATA_MAX    ((size_t)8192) /* of all parts of an answer */
#define ADDRESS_MAX 40
#define PROOF_MAX   40 /* of the item that shows that something is done, and of one that is wanted otherwise */

struct point {
    char *item;
    int64_t every_ms, due_ms;
    uint32_t device;
    int fails;                 /* in a row; while others of its device answer, it is asked less and less */
    bool is_planned, is_trial; /* trial: it is asked otherwise, to see whether its device wants it so */
};
struct order {
    struct order *next;
    struct poll_order o; /* texts behind it */
    bool is_taken;       /* by the device, as far as anybody knows; its proof is read from now on */
    bool is_answered;    /* it said so */
    bool is_lost;        /* with the line: its proof is read once more, however late */
    const char *dropped; /* nobody wants it any more: why; NULL: somebody does */
    int64_t due_ms;
    char proof[PROOF_MAX];
    char text[];
};
struct device { /* all points of an address */
    char address[ADDRESS_MAX + 1];
    bool is_doubted;          /* its last question was not answered: is it there at all? */
    bool is_silent;           /* none of its points was: one of them is asked now and then */
    int64_t due_ms, pause_ms; /* of a silent one */
    uint8_t next;             /* number of a question, where it counts them */
    int64_t asked_ms;
    /* How it wants its items: otherwise(), 0 as they are.  Until it answered one, ways are tried, by one point while
     * the others wait: all of them, then one behind each question as it is. */
    uint8_t way, way_tried;
    bool is_way_known, is_each_tried, has_trial;
};
struct poll {
    struct poll_options o;
    struct point *points;
    size_t n, cap;
    struct device *devices;
    size_t devices_n, devices_cap;
    size_t at;    /* of the point whose turn is next, when several are due */
    size_t found; /* of the point that was added last: plans come in the same order again */
    struct order *first;
    size_t orders_n;
    bool is_points_turn;                 /* before another order that can wait */
    int64_t patient_ms, points_until_ms; /* when such an order began; so long the points have the line behind it */
    /* the question under way, of an order or else of a point */
    struct order *told; /* NULL: none */
    struct point *asked;
    struct question q;
    char otherwise[PROOF_MAX]; /* its item, where the device wants it so */
    int tries, pieces;
    bool is_sent;
    int64_t until_ms, free_ms; /* give up then; ask no sooner */
    int64_t first_ms, sent_ms; /* when it was said first, and last */
    int64_t slowest_ms;        /* that a whole answer took over this line, and one more; 0: none came yet */
    uint8_t serial;
    int echoes;             /* the last readings, in a row, that the line brought back */
    bool is_echoed;         /* the question under way came back */
    bool is_met, is_denied; /* of one to many: somebody answered, refused */
    size_t garbled_n;       /* bytes that came and could not be understood */
    uint8_t *in, *said;
    size_t in_n, in_cap, said_n; /* said: the question as it went out */
    char data[DATA_MAX];
    struct buf joined;
    struct arena arena;
};

/* ---- poll.c: the question under way; its item goes as the device wants it */
void poll_begin(struct poll *p, const struct question *q);
/* The line is still for a while behind a question; where it was `answered`, not for long. */
void poll_rest_behind(struct poll *p, int64_t now_ms, bool answered);

/* ---- poll_points.c */
bool poll_can_ask(struct poll *p, const struct question *q);
bool poll_point_begin(struct poll *p, int64_t now_ms, int64_t *ret_next_ms); /* false: none is due before then */
int poll_point_tries(const struct poll *p);                                  /* of the one under way */
/* False: it left the plan, or is asked otherwise at once. */
bool poll_point_settle(struct poll *p, int64_t now_ms, enum poll_end end);
/* The item as the device at the address wants it; `mem` of PROOF_MAX bytes. */
struct str poll_item_for(const struct poll *p, struct str address, struct str item, char *mem);
/* What is refused as a list may be had in parts, where one item of it is not there.  False: it is no list. */
bool poll_point_halve(struct poll *p, size_t n);
void poll_points_free(struct poll *p);
/* Where devices count what they are asked: gives the question under way its number, or the one that it has already. */
void poll_number(struct poll *p, int64_t now_ms);
void poll_number_anew(struct poll *p);  /* the next one to its device begins */
void poll_numbers_anew(struct poll *p); /* to any */

/* ---- poll_orders.c */
bool poll_orders_can_wait(struct poll *p, int64_t now_ms); /* the next one can */
bool poll_order_begin(struct poll *p, int64_t now_ms, int64_t *ret_next_ms);
/* What came of the one under way, or of the question for its proof; d NULL: the answer breaks the rule `why`. */
int poll_order_tries(const struct poll *p);
void poll_order_answered(struct poll *p, int64_t now_ms, const struct decoded *d, const char *why);
void poll_order_refused(struct poll *p, int64_t now_ms, const char *why);
void poll_order_silent(struct poll *p, int64_t now_ms, const char *why);
void poll_order_lost(struct poll *p);
bool poll_is_to_many(const struct poll *p);                /* the question under way */
void poll_order_heard_out(struct poll *p, int64_t now_ms); /* nothing more comes to it */
void poll_orders_free(struct poll *p);

#endif
