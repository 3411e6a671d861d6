/* Lifts behind the narrow waist: readings of records, events of reports, the answer.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/lift/lift_internal.h"

#define READINGS_MAX 10

static bool no_memory(struct wire_error *e) {
    *e = (struct wire_error){"out of memory", 0};
    return false;
}

static void add(struct decoded *d, struct reading *all, const struct lift_record *r, const char *metric,
                const char *unit, double value) {
    all[d->readings_n++] = (struct reading){
        .device = r->device, .metric = str_of(metric), .unit = str_of(unit), .value = value, .at_ms = r->at_ms};
}

static bool say_readings(const struct lift_record *r, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    const struct lift_state *s = &r->state;
    const struct {
        const char *metric;
        int value;
    } states[] = {{"service_mode", s->mode},       {"running", s->running},         {"direction", s->direction},
                  {"door_zone", s->door_zone},     {"door_closed", s->door_closed}, {"passenger", s->passenger},
                  {"entrapped", lift_entrapped(s)}};
    struct reading *all = arena_new(a, struct reading, READINGS_MAX);
    if (!all) return no_memory(reterr);
    for (size_t i = 0; i < COUNT(states); i++)
        if (states[i].value >= 0) add(ret, all, r, states[i].metric, "", states[i].value);
    if (r->has_floor) add(ret, all, r, "floor", "", r->floor);
    if (r->running_h >= 0) add(ret, all, r, "working_time", "h", (double)r->running_h);
    if (r->runs >= 0) add(ret, all, r, "runs", "", (double)r->runs);
    ret->readings = all;
    return true;
}

/* One that nobody here has a word for stays apart from any other such. */
static struct device_event event_of(const struct lift_record *r, const struct lift_code *c) {
    struct device_event e = {.device = r->device, .at_ms = r->at_ms, .is_set = !r->is_over};
    e.code = c ? str_of(c->code) : S("other");
    e.part = c ? str_of(lift_part_name((enum lift_part)c->part)) : r->code;
    if (!c) e.text = r->code;
    if (c && c->is_end) e.is_level = true;
    if (c && c->is_end) e.is_set = false;
    return e;
}

static bool say_event(const struct lift_record *r, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    const struct lift_code *c = lift_code_of(r->code);
    struct device_event *e = arena_new(a, struct device_event, 1);
    if (!e) return no_memory(reterr);
    *e = event_of(r, c);
    ret->events = e;
    bool is_of_work = c && lift_is_of_work(c) && r->state.mode == LIFT_INSPECTION && e->is_set;
    ret->events_n = is_of_work ? 0 : 1;
    return true;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct lift_record r;
    *ret = (struct decoded){0};
    if (!lift_read(whole, a, &r, reterr)) return false;
    ret->sender = r.device;
    if (r.code.ptr) return say_event(&r, a, ret, reterr);
    if (!say_readings(&r, a, ret, reterr)) return false;
    if (!lift_moves_open(&r.state)) return true;
    r.code = S("05"); /* nobody has reported it yet, and it must not wait */
    return say_event(&r, a, ret, reterr);
}

static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    (void)whole;
    (void)now_s;
    buf_cstr(out, ok ? "{\"code\":0,\"message\":\"ok\"}" : "{\"code\":1,\"message\":\"refused\"}");
}

const struct codec lift_codec = {
    .name = "lift",
    .standard = "GB/T 24476-2017, items as JSON over HTTP",
    .frame_max = LIFT_RECORD_MAX,
    .decode = decode,
    .reply = reply,
    .show = lift_show,
    .make = lift_make,
    .is_text = true,
    .carrier = CARRIER_BODY,
};
