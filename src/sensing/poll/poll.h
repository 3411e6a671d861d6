/* Polling of one half-duplex line: who is asked what next, what is an answer, who is silent.  No socket, no clock:
 * bytes and times in, bytes out.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_POLL_POLL_H
#define LINLI_SENSING_POLL_POLL_H

#include "base/err.h"
#include "protocol/codec.h"

enum poll_end {
    POLL_ANSWERED,
    POLL_REFUSED,
    POLL_SILENT,
    POLL_LOST,   /* the line was not free, or went: who knows */
    POLL_GARBLED /* of what is to many: something came that cannot be read, beside what was met or alone */
};
struct poll_calls {
    /* What came of a point's question, all parts of it; lives for the call. */
    void (*said)(void *arg, const struct question *q, const struct decoded *d);
    void (*refused)(void *arg, const struct question *q, const char *why);
    void (*missed)(void *arg, const struct question *q); /* nobody answered it, after all tries */
    /* A device answered none of its points, or does again. */
    void (*silent)(void *arg, struct str address, bool is_silent);
    void (*heard)(void *arg, struct bytes whole); /* each frame that is an answer */
    /* Bytes that are no frame, or one that answers nothing; rule NULL: it broke none. */
    void (*noise)(void *arg, struct bytes bytes, const char *rule);
    /* Each answer to an order that is to many. */
    void (*met)(void *arg, int64_t tag, const struct question *q, const struct decoded *d);
    /* What came of an order: d where it was answered and not to many, else why not, in words. */
    void (*ended)(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                  const char *why);
    void *arg;
};
struct poll_options {
    const struct codec *codec; /* with `asking` */
    int64_t wait_ms;           /* for an answer to begin; 0: the codec's, else 2,000 */
    int64_t gap_ms;            /* between an answer and the next question; 0: 20 */
    int tries;                 /* 0: 3 */
    struct poll_calls calls;   /* said is needed */
};
struct poll;
#define POLL_POINTS_MAX 10000
#define POLL_BACKOFF_MS INT64_C(3600000) /* a silent device, or a point of its own, is asked at least so often */
NODISCARD enum err poll_create(const struct poll_options *o, struct poll **ret, struct fault *f);
void poll_destroy(struct poll *p); /* NULL is fine */

/* Points are asked again and again; one that is not answered less and less, and so a device none of whose points is:
 * it is silent, and one of them is asked.  Its first answer makes all of them due.  From poll_add on one is asked every
 * so often, the first time as soon as the line is free.  A list of items that is refused is asked in halves until the
 * next plan.  The texts are copied. ERR_INVALID: no such address or item (field address); ERR_LIMIT. */
NODISCARD enum err poll_add(struct poll *p, struct str address, struct str item, int64_t every_ms, struct fault *f);
/* Another plan: what is not added between the two is asked no more, what is goes on where it was. */
void poll_plan_begin(struct poll *p);
void poll_plan_end(struct poll *p);
void poll_now(struct poll *p, struct str address); /* all of its points are due; absent: everybody's */

/* An order is asked once, before any point, or where it can wait behind the other orders and for as long as the points,
 * in turn; the texts are copied, `ended` is called once.  Where its codec wants a proof that it is done, that is read
 * every POLL_PROOF_MS until it is there, also behind one that nobody answered; what the device says meanwhile is
 * `said`, and nothing else is told to it. */
#define POLL_PROOF_MS INT64_C(3000)
struct poll_order {
    struct question q; /* serial and part are the poller's */
    int64_t tag;       /* the caller's */
    int tries;         /* what changes something is said once, unless it is known again: who did it may not be heard */
    int64_t until_ms;  /* not sent by then: POLL_LOST.  A proof has its own time, then POLL_REFUSED; POLL_SILENT
                          where nobody had answered */
    bool can_wait;     /* a search: many questions, most of them to nobody */
    bool is_to_many;   /* several may answer it: it ends when nothing more comes, and is said once */
    int64_t whose;     /* of which device, to the caller: poll_keep() */
    int64_t now_ms;    /* when q.now_s is, which goes on while it waits */
};
#define POLL_ORDERS_MAX  512
#define POLL_PATIENT_MAX 384 /* of them that can wait: commands have room beside a search */
/* ERR_INVALID: it cannot be asked; ERR_LIMIT: so many wait.  `ended` is not called then. */
NODISCARD enum err poll_order(struct poll *p, const struct poll_order *o, struct fault *f);

/* Orders that nobody wants any more end as POLL_LOST, for that reason: one that waits is not said, of one that was said
 * no proof is read, and that which is under way ends with its answer. */
void poll_keep(struct poll *p, bool (*is_wanted)(void *arg, const struct poll_order *o), void *arg, const char *why);

/* Whose answer is waited for; lives until the next call.  Absent: nobody's. */
struct str poll_asked(const struct poll *p);
/* That question, as it was said last; lives so long, too.  Absent where it tells something, or has a password. */
struct bytes poll_said(const struct poll *p);
/* Puts the next question into `out` if the line is free and one is due, and gives up what was waited for too long.
 * Gives when to come again, at the latest. */
int64_t poll_step(struct poll *p, int64_t now_ms, struct buf *out);
void poll_feed(struct poll *p, int64_t now_ms, struct bytes in);
/* The line is gone.  A point's question is asked anew; an order that was sent has ended as POLL_LOST, unless
 * a proof shows whether it is done: that is read once the line is back; nobody is silent for it. */
void poll_lost(struct poll *p);

#endif
