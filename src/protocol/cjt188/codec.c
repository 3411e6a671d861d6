/* CJ/T 188 behind the narrow waist: readings and states of replies.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cjt188/cjt188_internal.h"

#include <string.h>

#define EVENTS_MAX 2

static enum frame split(struct bytes in, size_t *ret_len) {
    return meter_split(&cjt188_shape, in, ret_len);
}

struct out {
    struct decoded *ret;
    struct reading *readings;
    struct device_event *events;
};

static void add_reading(struct out *o, const char *metric, const char *unit, double value) {
    o->readings[o->ret->readings_n++] =
        (struct reading){.device = o->ret->sender, .metric = str_of(metric), .unit = str_of(unit), .value = value};
}

static void add_event(struct out *o, const char *code, bool is_set) {
    o->events[o->ret->events_n++] = (struct device_event){
        .device = o->ret->sender, .code = str_of(code), .part = S("status"), .is_set = is_set, .is_level = true};
}

/* All that the status names holds together; what it does not name is over. */
static void add_status(struct out *o, const struct cjt188_body *b) {
    enum cjt188_valve valve = b->status[0] & 3;
    bool is_low = b->status[0] & 4, is_stuck = valve == CJT188_VALVE_FAULT;
    if (valve == CJT188_VALVE_OPEN || valve == CJT188_VALVE_CLOSED) add_reading(o, "valve", "", valve ? 0 : 1);
    if (is_low) add_event(o, "low_battery", true);
    if (is_stuck) add_event(o, "valve_fault", true);
    if (!is_low && !is_stuck) add_event(o, "normal", false);
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct cjt188_frame f;
    struct cjt188_body b;
    *ret = (struct decoded){0};
    if (!cjt188_decode(whole, &f, reterr) || !cjt188_body(&f, &b, reterr)) return false;
    if (!(f.control & CJT188_REPLY) || strchr(f.address, 'A')) return true; /* what the master says is no news */
    struct out o = {ret, arena_new(a, struct reading, CJT188_VALUES_MAX + 1),
                    arena_new(a, struct device_event, EVENTS_MAX)};
    if (!o.readings || !o.events || !arena_str(a, str_of(f.address), &ret->sender)) {
        *reterr = (struct wire_error){"out of memory", 0};
        return false;
    }
    ret->readings = o.readings;
    ret->events = o.events;
    for (size_t i = 0; i < b.values_n; i++)
        if (!b.values[i].is_missing) add_reading(&o, b.values[i].metric, b.values[i].unit, b.values[i].value);
    if (b.has_status) add_status(&o, &b);
    if (b.has_clock) ret->clock_s = b.clock_s;
    return true;
}

const struct codec cjt188_codec = {
    .name = "cjt188",
    .standard = "CJ/T 188-2004, CJ/T 188-2018",
    .frame_max = CJT188_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = cjt188_show,
    .make = cjt188_make,
    .asking = &cjt188_asking,
    .is_polled = true,
};
