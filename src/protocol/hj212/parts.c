/* Uploads of HJ 212 that come in several packets: only the first has the time of all, which the connection keeps for
 * the others.  Each packet is kept and answered by itself, so that nothing waits in memory that was answered.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212_internal.h"

#include <string.h>

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static bool is_of_several(const struct hj212_frame *f) {
    return hj212_is_data(f->command) && f->parts > 1 && f->part > 0 && f->qn.len <= HJ212_QN_MAX;
}

static bool is_part(struct bytes whole) {
    struct hj212_frame f;
    struct wire_error ignored;
    return hj212_decode(whole, &f, &ignored) && is_of_several(&f);
}

static bool is_of(const struct hj212_underway *u, const struct hj212_frame *f) {
    return u->command == f->command && str_is(f->mn, u->mn) && str_is(f->qn.ptr ? f->qn : S(""), u->qn);
}

/* A free place is the oldest. */
static struct hj212_underway *place_for(struct hj212_times *t, const struct hj212_frame *f, int64_t now_ms) {
    struct hj212_underway *u = &t->all[0];
    for (size_t i = 0; i < HJ212_UNDERWAY; i++) {
        if (t->all[i].command && now_ms - t->all[i].heard_ms >= HJ212_PARTS_MS) t->all[i] = (struct hj212_underway){0};
        if (is_of(&t->all[i], f)) return &t->all[i];
        if (t->all[i].heard_ms < u->heard_ms) u = &t->all[i];
    }
    return u;
}

static void begin(struct hj212_underway *u, const struct hj212_frame *f) {
    *u = (struct hj212_underway){.command = f->command};
    memcpy(u->mn, f->mn.ptr, f->mn.len);
    if (f->qn.len) memcpy(u->qn, f->qn.ptr, f->qn.len);
}

bool hj212_hear(struct hj212_times *t, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                struct wire_error *reterr) {
    struct hj212_frame f;
    *ret = (struct decoded){0};
    if (!hj212_decode(whole, &f, reterr)) return false;
    struct hj212_underway *u = place_for(t, &f, now_ms);
    int64_t at_s = hj212_data_time(&f);
    if (is_of_several(&f)) {
        bool is_here = is_of(u, &f);
        if (!is_here && !at_s && f.part > 1) {
            ret->sender = f.mn;
            return bad(reterr, "HJ 212 PNO: the part with the time did not come", 0);
        }
        if (!is_here) begin(u, &f);
        if (at_s) u->at_s = at_s;
        u->heard_ms = now_ms;
        at_s = u->at_s;
    }
    if (!hj212_mean(&f, 1, at_s, a, ret)) return bad(reterr, "out of memory", 0);
    ret->clock_s = hj212_clock(&f, ret);
    return true;
}

static bool join(void *kept, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                 struct wire_error *reterr) {
    return hj212_hear(kept, whole, now_ms, a, ret, reterr);
}

const struct joining hj212_joining = {.bytes = sizeof(struct hj212_times), .is_part = is_part, .join = join};
