/* What messages of JT/T 808 say: positions, alarms, parameters.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/jt808/jt808_internal.h"

#include "base/civil.h"

#define KEPT 1 /* a batch of what was kept while the terminal was out of reach */

/* Bits of the alarm word of 0200.  Those that the terminal keeps set as long as they hold are levels, the
 * others it sets until it is answered: a person says when they are over. */
static const struct {
    uint8_t bit;
    bool is_level;
    const char *code;
} alarms[] = {{0, false, "sos"},
              {3, false, "danger"},
              {20, false, "area_crossed"},
              {21, false, "route_crossed"},
              {27, false, "illegal_ignition"},
              {28, false, "illegal_move"},
              {1, true, "overspeed"},
              {2, true, "fatigue"},
              {4, true, "gnss_fault"},
              {5, true, "antenna_open"},
              {6, true, "antenna_short"},
              {7, true, "undervoltage"},
              {8, true, "power_cut"},
              {26, true, "stolen"},
              {29, true, "collision"},
              {30, true, "rollover"}};

/* Extras of 0200 that are numbers; makers' own, E0 to FF, are shown and say nothing here. */
static const struct {
    uint8_t id, bytes;
    const char *metric, *unit;
    double divisor;
} extras[] = {{0x01, 4, "mileage", "km", 10},
              {0x02, 2, "fuel", "L", 10},
              {0x03, 2, "recorder_speed", "km/h", 10},
              {0x30, 1, "rssi", "", 1},
              {0x31, 1, "satellites", "", 1}};

const struct jt808_parameter jt808_parameters[] = {
    {0x0001, "heartbeat_interval", "s"}, {0x0027, "sleep_interval", "s"}, {0x0029, "interval", "s"}};
const size_t jt808_parameters_n = COUNT(jt808_parameters);

/* ---- the wire ---- */

int64_t jt808_time_s(const uint8_t time[6]) {
    int32_t v[6];
    for (size_t i = 0; i < 6; i++) {
        if (time[i] >> 4 > 9 || (time[i] & 15) > 9) return 0;
        v[i] = (time[i] >> 4) * 10 + (time[i] & 15);
    }
    if (!v[0] || !civil_is_date(2000 + v[0], v[1], v[2]) || v[3] > 23 || v[4] > 59 || v[5] > 59) return 0;
    return civil_day(2000 + v[0], v[1], v[2]) * 86400 + v[3] * 3600 + v[4] * 60 + v[5];
}

bool jt808_location_of(struct bytes body, struct jt808_location *ret) {
    struct cursor c = cursor_of(body);
    struct jt808_location l = {.alarm = cursor_u32_be(&c), .status = cursor_u32_be(&c)};
    l.latitude = cursor_u32_be(&c);
    l.longitude = cursor_u32_be(&c);
    l.altitude_m = cursor_u16_be(&c);
    l.speed_dkmh = cursor_u16_be(&c);
    l.course_deg = cursor_u16_be(&c);
    for (size_t i = 0; i < sizeof l.time; i++) l.time[i] = cursor_u8(&c);
    l.extras = cursor_bytes(&c, cursor_left(&c));
    if (c.is_broken) return false;
    *ret = l;
    return true;
}

void jt808_put_location(const struct jt808_location *l, struct buf *out) {
    cursor_put_be(out, l->alarm, 4);
    cursor_put_be(out, l->status, 4);
    cursor_put_be(out, l->latitude, 4);
    cursor_put_be(out, l->longitude, 4);
    cursor_put_be(out, l->altitude_m, 2);
    cursor_put_be(out, l->speed_dkmh, 2);
    cursor_put_be(out, l->course_deg, 2);
    buf_add(out, l->time, sizeof l->time);
    buf_add(out, l->extras.ptr, l->extras.len);
}

static bool next(struct cursor *c, size_t id_bytes, size_t length_bytes, uint32_t *ret_id, struct bytes *ret) {
    if (!cursor_left(c)) return false;
    uint32_t id = (uint32_t)cursor_be(c, id_bytes);
    struct bytes value = cursor_bytes(c, (size_t)cursor_be(c, length_bytes));
    if (c->is_broken) return false;
    *ret_id = id;
    *ret = value;
    return true;
}

bool jt808_next_item(struct cursor *c, struct bytes *ret) {
    uint32_t none;
    return next(c, 0, 2, &none, ret);
}

bool jt808_next_extra(struct cursor *c, uint8_t *ret_id, struct bytes *ret) {
    uint32_t id;
    if (!next(c, 1, 1, &id, ret)) return false;
    *ret_id = (uint8_t)id;
    return true;
}

bool jt808_next_parameter(struct cursor *c, uint32_t *ret_id, struct bytes *ret) {
    return next(c, 4, 1, ret_id, ret);
}

static bool is_batch_right(struct cursor c) {
    uint16_t n = cursor_u16_be(&c);
    struct bytes item;
    (void)cursor_u8(&c);
    for (; n; n--)
        if (!jt808_next_item(&c, &item) || item.len < JT808_LOCATION_BYTES) return false;
    return !c.is_broken && !cursor_left(&c);
}

static bool are_parameters_right(struct cursor c, bool has_serial) {
    uint32_t id;
    struct bytes value;
    if (has_serial) (void)cursor_u16_be(&c);
    for (uint8_t n = cursor_u8(&c); n; n--)
        if (!jt808_next_parameter(&c, &id, &value)) return false;
    return !c.is_broken && !cursor_left(&c);
}

bool jt808_check(const struct jt808_frame *f, struct bytes body, struct wire_error *reterr) {
    struct cursor c = cursor_of(body);
    const char *rule = NULL;
    if (f->attributes & 0x1c00) rule = "JT/T 808 attributes: the body is encrypted";
    if (!rule && f->parts) return true;
    switch (rule ? 0 : f->message) {
    case JT808_ANSWER:
    case JT808_CENTRE_ANSWER:
        if (body.len != 5) rule = "JT/T 808 0001, 8001: serial, message, result";
        break;
    case JT808_REGISTER:
        if (body.len < 25) rule = "JT/T 808 0100: province, city, maker, model, terminal, colour, plate";
        break;
    case JT808_REGISTERED:
        if (body.len < 3) rule = "JT/T 808 8100: serial, result, code";
        break;
    case JT808_LOCATION:
        if (body.len < JT808_LOCATION_BYTES) rule = "JT/T 808 0200: 28 bytes at least";
        break;
    case JT808_LOCATION_ANSWER:
        if (body.len < 2 + JT808_LOCATION_BYTES) rule = "JT/T 808 0201: serial and 28 bytes at least";
        break;
    case JT808_BATCH:
        if (!is_batch_right(c)) rule = "JT/T 808 0704: count, kind, and so many locations with their lengths";
        break;
    case JT808_PARAMETERS:
    case JT808_SET_PARAMETERS:
        if (!are_parameters_right(c, f->message == JT808_PARAMETERS))
            rule = "JT/T 808 0104, 8103: count, and so many parameters with their lengths";
        break;
    default: break;
    }
    if (rule) *reterr = (struct wire_error){rule, 0};
    return !rule;
}

/* ---- what it says ---- */

struct out { /* without readings and events: what there are is counted */
    struct str device;
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n;
    int64_t at_s;
};

static void add(struct out *o, const char *metric, const char *unit, double value) {
    if (o->readings)
        o->readings[o->readings_n] = (struct reading){
            .device = o->device, .metric = str_of(metric), .unit = str_of(unit), .value = value, .at_s = o->at_s};
    o->readings_n++;
}

static void add_event(struct out *o, const char *code, bool is_set, bool is_level) {
    if (o->events)
        o->events[o->events_n] = (struct device_event){.device = o->device,
                                                       .code = str_of(code),
                                                       .at_s = o->at_s,
                                                       .is_set = is_set,
                                                       .part = is_level ? S("status") : (struct str){NULL, 0},
                                                       .is_level = is_level};
    o->events_n++;
}

static void add_alarms(struct out *o, uint32_t word, bool wants_levels) {
    bool any = false;
    for (size_t i = 0; i < COUNT(alarms); i++) {
        if (!(word >> alarms[i].bit & 1) || (alarms[i].is_level && !wants_levels)) continue;
        add_event(o, alarms[i].code, true, alarms[i].is_level);
        any |= alarms[i].is_level;
    }
    if (wants_levels && !any) add_event(o, "normal", false, true); /* none of them holds: all are over */
}

/* One number of an id: a second one of the same is left out, as is one of another length. */
static void add_extras(struct out *o, struct bytes all) {
    struct cursor c = cursor_of(all);
    uint32_t had = 0;
    uint8_t id;
    struct bytes value;
    while (jt808_next_extra(&c, &id, &value)) {
        for (size_t i = 0; i < COUNT(extras); i++) {
            if (extras[i].id != id || extras[i].bytes != value.len || had >> i & 1) continue;
            struct cursor v = cursor_of(value);
            add(o, extras[i].metric, extras[i].unit, (double)cursor_be(&v, value.len) / extras[i].divisor);
            had |= 1u << i;
        }
    }
}

/* What receiver or clock get wrong silences no alarm: there is no position then, and when it comes counts. */
static void add_location(struct out *o, struct bytes body, bool wants_levels) {
    struct jt808_location l;
    if (!jt808_location_of(body, &l)) return;
    o->at_s = jt808_time_s(l.time);
    if (l.status & JT808_FIXED && l.latitude <= 90000000 && l.longitude <= 180000000) {
        add(o, "latitude", "deg", l.latitude / (l.status & JT808_SOUTH ? -1e6 : 1e6));
        add(o, "longitude", "deg", l.longitude / (l.status & JT808_WEST ? -1e6 : 1e6));
        add(o, "altitude", "m", (int16_t)l.altitude_m); /* below the sea, in two's complement */
        add(o, "speed", "km/h", l.speed_dkmh / 10.0);
        add(o, "course", "deg", l.course_deg);
    }
    add(o, "ignition", "", l.status & 1);
    add_extras(o, l.extras);
    add_alarms(o, l.alarm, wants_levels);
}

/* All alarms of a batch, but the levels of its last location only: the earlier ones are over, and what was kept says
 * nothing of now. */
static void add_batch(struct out *o, struct cursor c) {
    struct bytes item;
    uint16_t n = cursor_u16_be(&c);
    bool is_kept = cursor_u8(&c) == KEPT;
    while (n-- && jt808_next_item(&c, &item)) add_location(o, item, !n && !is_kept);
}

static void add_parameters(struct out *o, struct cursor c) {
    struct bytes value;
    uint32_t id;
    (void)cursor_u16_be(&c);
    (void)cursor_u8(&c);
    while (jt808_next_parameter(&c, &id, &value)) {
        struct cursor v = cursor_of(value);
        for (size_t i = 0; i < jt808_parameters_n && value.len == 4; i++)
            if (jt808_parameters[i].id == id)
                add(o, jt808_parameters[i].item, jt808_parameters[i].unit, (double)cursor_be(&v, 4));
    }
}

static void say(struct out *o, uint16_t message, struct bytes body) {
    struct cursor c = cursor_of(body);
    if (message == JT808_LOCATION) add_location(o, body, true);
    if (message == JT808_LOCATION_ANSWER) add_location(o, (struct bytes){body.ptr + 2, body.len - 2}, true);
    if (message == JT808_BATCH) add_batch(o, c);
    if (message == JT808_PARAMETERS) add_parameters(o, c);
}

bool jt808_say(const struct jt808_frame *f, struct bytes body, struct str device, struct arena *a, struct decoded *ret,
               struct wire_error *reterr) {
    struct out o = {.device = device};
    if (!f->parts) say(&o, f->message, body); /* counts */
    o.readings = arena_new(a, struct reading, o.readings_n + 1);
    o.events = arena_new(a, struct device_event, o.events_n + 1);
    if (!o.readings || !o.events) {
        *reterr = (struct wire_error){"out of memory", 0};
        return false;
    }
    o.readings_n = o.events_n = 0;
    if (!f->parts) say(&o, f->message, body);
    *ret = (struct decoded){device, o.readings, o.readings_n, o.events, o.events_n};
    return true;
}
