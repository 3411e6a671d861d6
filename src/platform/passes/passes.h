/* Passes: who may pass where and when, by a plate, a card, a code or a face; and every passage with what was decided.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_PASSES_PASSES_H
#define LINLI_PLATFORM_PASSES_PASSES_H

#include "kernel/kernel.h"
#include "protocol/codec.h"

struct pass {
    struct row row;
    struct str kind;   /* plate, card, code, face */
    struct str value;  /* in its normal form, as struct passing has it */
    struct str holder; /* what people call who has it */
    struct str weekdays /* "12345": Monday to Friday; absent: all */, note;
    int64_t person_id, place_id;   /* place: the gate, or any above it */
    int64_t from_ms, until_ms;     /* absent: at once, for ever */
    int64_t from_hour, until_hour; /* of its days, local; from 22 until 6 is through midnight */
};
struct passage {
    struct row row;
    struct str device, kind, value, direction /* in, out; absent: the device's row does not say */, why;
    struct str serial; /* of the device's message */
    int64_t device_id, place_id, pass_id, at_ms;
    bool granted;
};
extern const struct resource passes, passages;
extern const struct module passes_module;

/* Why somebody may pass or may not. */
enum pass_why {
    PASS_GIVEN,     /* a pass of his opens this place now: the only one that lets in */
    PASS_UNKNOWN,   /* there is no pass of that value */
    PASS_ELSEWHERE, /* there is, for other places */
    PASS_EARLY,     /* not yet */
    PASS_OVER,      /* no more */
    PASS_HOURS,     /* not on this day, or at this hour */
    PASS_UNSURE,    /* the device is less sure of what it read than passes.sure_pct */
    PASS_LATE,      /* it was read more than passes.late_s ago: nobody stands there any more */
    PASS_PAUSED,    /* passes.wrong_codes were wrong at this device within passes.pause_min: no code is looked at */
    PASS_NOWHERE,   /* the device is not known, not in use, or stands nowhere */
    PASS_AGAIN      /* the same message, long after it was decided upon */
};
struct pass_verdict {
    enum pass_why why;
    int64_t pass_id, passage_id; /* 0: none */
    bool is_repeat;              /* the same message, decided the same way: what follows from it has been done */
};
struct str pass_word(enum pass_why why); /* "given"; in what is told to devices */
/* Does a pass of that value open the place now?  Where several passes have it, any that opens wins; else the one that
 * is nearest to it says why not.  Reads only; as the system. */
NODISCARD enum err pass_check(struct ctx *ctx, int64_t community_id, int64_t place_id, const struct passing *p,
                              struct pass_verdict *ret);
/* One who wants through shows n things, any of which suffices: decided, and put down as a passage, in one transaction.
 * Said again within PASS_SAME_MS (the same message, or the same thing at the same device) it is one passage, answered
 * as before.  As the system; n > 0. */
#define PASS_SAME_MS 30000
NODISCARD enum err pass_take(struct ctx *ctx, int64_t community_id, const struct passing *all, size_t n,
                             struct pass_verdict *ret);
/* The same for a device that waits for a command: in the same transaction it is told what its model has of `open` and
 * `granted` where somebody may pass, `refused` where not; a repeat and what is late tell it nothing.  The pass is the
 * right, so nobody confirms these.  They go out within PASS_OPEN_MS or not at all: by then somebody else stands there.
 */
#define PASS_OPEN_MS 10000
NODISCARD enum err pass_at_door(struct ctx *ctx, int64_t community_id, const struct passing *all, size_t n,
                                struct pass_verdict *ret);

#endif
