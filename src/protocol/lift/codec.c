/* Lifts behind the narrow waist: readings of records, events of reports, the answer.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/lift/lift_internal.h"

#define READINGS_MAX 10
#define EVENTS_MAX   3
#define SERVICE_MODE "service_mode"

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
    } states[] = {{SERVICE_MODE, s->mode},         {"running", s->running},         {"direction", s->direction},
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

static bool add_event(const struct lift_record *r, const struct lift_code *c, struct str code, struct decoded *ret,
                      struct device_event *all) {
    struct device_event e = {.device = r->device, .code = code, .at_ms = r->at_ms, .is_set = !r->is_over};
    bool is_standard = c && c->part != LIFT_CITY, is_of_work = c && lift_is_of_work(c);
    if (!code.ptr) return false;
    e.part = is_standard ? str_of(lift_part_name((enum lift_part)c->part)) : r->code;
    if (!is_standard) e.text = r->code; /* each such code stays apart from any other */
    if (c && c->is_end) e.is_level = true;
    if (c && c->is_end) e.is_set = false;
    if (is_of_work && e.is_set && r->state.mode == LIFT_INSPECTION) return true;
    if (is_of_work && r->state.mode < 0) { /* its records say in which mode it is */
        e.unless_metric = SERVICE_MODE;
        e.unless_value = LIFT_INSPECTION;
    }
    all[ret->events_n++] = e;
    return true;
}

static struct str own_code(const struct lift_record *r, struct arena *a) {
    struct buf b;
    struct str code = {NULL, 0};
    buf_init_arena(&b, a, 24);
    buf_fmt(&b, "code_" STR_FMT, STR_ARG(r->code));
    (void)!buf_done(&b, &code);
    return code;
}

/* A report of a mode is as good as a record that says it; its end, as one that it is over. */
static bool say_mode(const struct lift_record *r, const struct lift_code *c, struct arena *a, struct decoded *ret) {
    struct reading *x = arena_new(a, struct reading, 1);
    if (!x) return false;
    if (c && c->mode >= 0) add(ret, x, r, SERVICE_MODE, "", r->is_over ? LIFT_NORMAL : c->mode);
    ret->readings = x;
    return true;
}

static bool say_event(const struct lift_record *r, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    const struct lift_code *c = lift_code_of(r->code);
    struct device_event *all = arena_new(a, struct device_event, EVENTS_MAX);
    bool is_standard = c && c->part != LIFT_CITY, ok = all;
    ret->events = all;
    if (ok && c) ok = add_event(r, c, str_of(c->code), ret, all);
    if (ok && !is_standard) ok = add_event(r, c, own_code(r, a), ret, all);
    if (ok && !is_standard && !(c && lift_is_of_work(c))) ok = add_event(r, c, S("other"), ret, all);
    return ok || no_memory(reterr);
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct lift_record r;
    *ret = (struct decoded){0};
    if (!lift_read(whole, a, &r, reterr)) return false;
    ret->sender = r.device;
    if (r.code.ptr)
        return say_mode(&r, lift_code_of(r.code), a, ret) ? say_event(&r, a, ret, reterr) : no_memory(reterr);
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
