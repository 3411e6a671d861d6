/* A lift whose platform pushes records of GB/T 24476: it goes from floor to floor, stands still between two of them now
 * and then, and whoever is inside presses the button.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lift/lift.h"
#include "base/json.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>

#define FLOORS   18
#define FAULT_OF 60 /* floors passed, one of them with a fault */
#define END_OF   6  /* messages while it stands, then it is over */

enum { FLOOR, GOAL, PASSENGER, RUNS }; /* places in sim_device.values */
enum { BEGAN_MS, REPORTED, PRESSED };  /* in .told, of a fault */

static void put_code(const struct sim_options *o, const struct sim_device *d, struct buf *out) {
    buf_fmt(out, "3110440300%010" PRId64, sim_number(o, d) % INT64_C(10000000000));
}

static void put_time(struct buf *out, int64_t at_ms) {
    sim_put_local(out, at_ms);
    buf_cstr(out, "+08:00");
}

static void go(struct sim_device *d) {
    double *v = d->values;
    if (v[FLOOR] == 0) v[FLOOR] = v[GOAL] = 1;
    if (d->in_fault) return;
    if (v[FLOOR] != v[GOAL]) {
        v[FLOOR] += v[FLOOR] < v[GOAL] ? 1 : -1;
    } else { /* somebody calls it, or gets in and goes somewhere */
        v[GOAL] = (double)(1 + sim_random(d) % FLOORS);
        v[PASSENGER] = sim_random(d) % 3 > 0;
        v[RUNS]++;
    }
}

static void put_record(struct sim_device *d, struct str code, struct str at, struct buf *json) {
    const double *v = d->values;
    struct jw j;
    bool stands = v[FLOOR] == v[GOAL], is_stuck = d->in_fault;
    char display[8];
    struct buf b;
    buf_init(&b, display, sizeof display);
    buf_fmt(&b, "%d", (int)v[FLOOR]);
    jw_init(&j, json);
    jw_put(&j,
           "{'regCode':$,'ts':$,'serviceMode':1,'carStatus':$,'carDirection':$,'doorZone':$,'carPosition':$,"
           "'doorClosed':$,'passenger':$,'presentCounterValue':$}",
           JV(J_STR(code), J_STR(at), J_I64(!stands && !is_stuck),
              J_I64(stands || is_stuck   ? 0
                    : v[FLOOR] < v[GOAL] ? 1
                                         : 2),
              J_BOOL(stands), J_CSTR(display), J_BOOL(!stands), J_BOOL(v[PASSENGER] != 0), J_I64((int64_t)v[RUNS])));
}

/* end_ms 0: it lasts. */
static void put_report(const struct sim_device *d, struct str code, const char *what, int64_t begin_ms, int64_t end_ms,
                       struct buf *json) {
    char begin[40], end[40], display[8];
    struct buf b, e, p;
    struct jw j;
    buf_init(&b, begin, sizeof begin);
    put_time(&b, begin_ms);
    buf_init(&e, end, sizeof end);
    put_time(&e, end_ms);
    buf_init(&p, display, sizeof display);
    buf_fmt(&p, "%d", (int)d->values[FLOOR]);
    jw_init(&j, json);
    jw_put(&j, "{'regCode':$,'code':$,'begin':$,'end':$,'serviceMode':1,'carPosition':$,'passenger':$}",
           JV(J_STR(code), J_CSTR(what), J_CSTR(begin), J_IF(end_ms, J_CSTR(end)), J_CSTR(display),
              J_BOOL(d->values[PASSENGER] != 0)));
}

static bool push(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                 const char **ret_below) {
    char id[24], time[40];
    struct buf code, at;
    (void)ret_below;
    buf_init(&code, id, sizeof id);
    put_code(o, d, &code);
    struct str reg = {id, code.len};
    go(d);
    if (!d->in_fault && d->values[FLOOR] != d->values[GOAL] && sim_random(d) % FAULT_OF == 0) {
        d->in_fault = true;
        d->told[BEGAN_MS] = at_ms;
        d->told[PRESSED] = 0;
        put_report(d, reg, "04", at_ms, 0, json); /* it stands outside of a zone */
        return true;
    }
    if (d->in_fault && d->values[PASSENGER] != 0 && !d->told[PRESSED]++) {
        put_report(d, reg, "90", at_ms, 0, json);
        return true;
    }
    if (d->in_fault && sim_random(d) % END_OF == 0) {
        d->in_fault = false;
        put_report(d, reg, "04", d->told[BEGAN_MS], at_ms, json);
        return true;
    }
    buf_init(&at, time, sizeof time);
    put_time(&at, at_ms);
    put_record(d, reg, (struct str){time, at.len}, json);
    return true;
}

/* A platform looks into the answer for its code. */
static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    enum sim_heard what = sim_push_hear(in, ret_used, ret_serial);
    if (what != SIM_CONFIRMED) return what;
    return str_starts(sim_push_body((struct bytes){in.ptr, *ret_used}), S("{\"code\":0,")) ? what : SIM_DENIED;
}

const struct sim_protocol sim_lift = {.name = "lift",
                                      .port = 8080,
                                      .faults = SIM_PUSH_FAULTS,
                                      .needs_key = true,
                                      .push = push,
                                      .speak = sim_push,
                                      .hear = hear};
