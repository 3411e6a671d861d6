/* GB/T 26875.3 behind the narrow waist: readings, events, answers.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/civil.h"
#include "protocol/gb26875/gb26875_internal.h"

#define FRAME_MAX (GB26875_OVERHEAD + GB26875_DATA_MAX)
#define SILENT_MS INT64_C(90000) /* three of the heartbeats that makers agreed on, one every 30 s at most */

/* Bits of a state that are events.  Bit 0 is none: 1 normal, 0 test, and many devices leave it 0 whatever they report.
 * A state tells all that holds, so 0 of bit 11 (automatic) is said by what is not named. */
struct bit {
    uint8_t bit;
    const char *code;
};
static const struct bit state_bits[] = {{1, "fire_alarm"},  {2, "fault"},       {3, "disabled"},
                                        {4, "supervisory"}, {5, "started"},     {6, "feedback"},
                                        {7, "delayed"},     {8, "mains_fault"}, {9, "battery_fault"},
                                        {10, "bus_fault"},  {11, "manual"},     {12, "configuration_changed"},
                                        {13, "reset"}};
static const struct bit component_bits[] = {{1, "fire_alarm"}, {2, "fault"},    {3, "disabled"}, {4, "supervisory"},
                                            {5, "started"},    {6, "feedback"}, {7, "delayed"},  {8, "power_fault"}};
static const struct bit device_bits[] = {{1, "fire_alarm"},    {2, "fault"},         {3, "mains_fault"},
                                         {4, "battery_fault"}, {5, "channel_fault"}, {6, "line_fault"}};
static const struct bit system_operation_bits[] = {{0, "reset"},         {1, "silenced"},  {2, "manual_alarm"},
                                                   {3, "alarm_cleared"}, {4, "self_test"}, {5, "confirmed"},
                                                   {6, "test"}};
static const struct bit device_operation_bits[] = {{0, "reset"},         {1, "silenced"},  {2, "manual_alarm"},
                                                   {3, "alarm_cleared"}, {4, "self_test"}, {5, "duty_answer"},
                                                   {6, "test"}};

/* Units of analogue kinds and into how many parts they are divided (clause 8.2.1.3): 7 / 10 is 0.7 exactly, 7 * 0.1 is
 * not. */
static const struct {
    uint8_t kind;
    const char *metric, *unit;
    double parts;
} analogues[] = {{1, "count", "", 1},        {2, "height", "m", 100},        {3, "temperature", "Cel", 10},
                 {4, "pressure", "MPa", 10}, {5, "pressure", "kPa", 10},     {6, "gas", "%LEL", 10},
                 {7, "time", "s", 1},        {8, "voltage", "V", 10},        {9, "current", "A", 10},
                 {10, "flow", "L/s", 10},    {11, "air_flow", "m3/min", 10}, {12, "wind_speed", "m/s", 1}};

struct out {
    struct arena *a;
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n, events_cap;
    struct str device;
};

static struct str text_of(struct out *o, const char *fmt, ...) PRINTF(2, 3);
static struct str text_of(struct out *o, const char *fmt, ...) {
    struct buf b;
    struct str s = {NULL, 0};
    va_list args;
    buf_init_arena(&b, o->a, 256);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    (void)!buf_done(&b, &s);
    return s;
}

/* Some devices write event times in BCD: what is no plain time, or far from the frame's own, is tried that way. */
static int64_t when(const struct gb26875_frame *f, const struct gb26875_object *o) {
    int64_t sent = 0, at = 0, bcd = 0;
    bool has_sent = gb26875_time_s(f->time, &sent);
    if (!o->has_time) return has_sent ? sent : 0;
    const struct gb26875_time *t = &o->time;
    uint8_t raw[6] = {t->second, t->minute, t->hour, t->day, t->month, t->year}, v[6];
    bool is_bcd = true;
    for (int i = 0; i < 6; i++) {
        is_bcd &= (raw[i] & 15) < 10 && raw[i] >> 4 < 10;
        v[i] = (uint8_t)((raw[i] >> 4) * 10 + (raw[i] & 15));
    }
    bool plain = gb26875_time_s(*t, &at);
    is_bcd = is_bcd && gb26875_time_s((struct gb26875_time){v[0], v[1], v[2], v[3], v[4], v[5]}, &bcd);
    int64_t off = plain && has_sent ? (at > sent ? at - sent : sent - at) : INT64_MAX;
    int64_t off_bcd = is_bcd && has_sent ? (bcd > sent ? bcd - sent : sent - bcd) : INT64_MAX;
    if (is_bcd && off_bcd < off && off > 86400) return bcd;
    return plain ? at : is_bcd ? bcd : has_sent ? sent : 0;
}

/* `like` says what, when, and whether the bits are levels: reported at a change, all that hold together. */
static void add_bits(struct out *o, const struct bit *bits, size_t n, uint16_t state, struct device_event like) {
    bool any = false;
    like.device = o->device;
    for (size_t i = 0; i < n && o->events_n < o->events_cap; i++) {
        if (!(state >> bits[i].bit & 1)) continue;
        like.code = str_of(bits[i].code);
        like.is_set = true;
        o->events[o->events_n++] = like;
        any = true;
    }
    if (any || !like.is_level || o->events_n == o->events_cap) return;
    like.code = S("normal"); /* none of them set: all is over */
    like.is_set = false;
    o->events[o->events_n++] = like;
}

/* The description as text; what is no text is kept exactly, as hex. */
static struct str describe(struct out *o, struct bytes text) {
    struct str s;
    struct buf b;
    if (gb26875_text(text, o->a, &s) != GB26875_BYTES) return str_trim(s);
    buf_init_arena(&b, o->a, 2 * text.len + 1);
    buf_hex(&b, text);
    (void)!buf_done(&b, &s);
    return s;
}

static struct device_event of_system(struct out *o, const struct gb26875_object *x) {
    return (struct device_event){
        .text = text_of(o, "%s %u.%u", gb26875_system_name(x->system), x->system, x->system_address),
        .part = text_of(o, "%u.%u", x->system, x->system_address)};
}

static struct device_event of_component(struct out *o, const struct gb26875_object *x) {
    struct str words = describe(o, x->text);
    return (struct device_event){.text = text_of(o, "%s %u.%u.%u.%u%s" STR_FMT, gb26875_component_name(x->component),
                                                 x->system, x->system_address, x->component, x->component_address,
                                                 words.len ? " " : "", STR_ARG(words)),
                                 .part = text_of(o, "%u.%u.%u", x->system, x->system_address, x->component_address)};
}

/* Analogues of a maker's own kind keep its number, and are as they came. */
static void add_reading(struct out *o, const struct gb26875_object *x, int64_t at) {
    struct reading *r = &o->readings[o->readings_n++];
    *r = (struct reading){.device = o->device, .unit = S(""), .value = x->value, .at_s = at};
    for (size_t i = 0; i < COUNT(analogues); i++) {
        if (analogues[i].kind != x->analogue) continue;
        r->metric = text_of(o, "%s.%u.%u", analogues[i].metric, x->component, x->component_address);
        r->unit = str_of(analogues[i].unit);
        r->value = x->value / analogues[i].parts;
    }
    if (!r->metric.ptr) r->metric = text_of(o, "analogue_%u.%u.%u", x->analogue, x->component, x->component_address);
}

/* What is only told: a version, a configuration, a clock. */
static void add_told(struct out *o, const char *code, struct device_event like) {
    if (o->events_n == o->events_cap) return;
    like.device = o->device;
    like.code = str_of(code);
    like.is_set = true;
    o->events[o->events_n++] = like;
}

static struct str clock_of(struct out *o, struct gb26875_time t) {
    char mem[40];
    struct buf b;
    int64_t s;
    if (!gb26875_time_s(t, &s)) return S("none");
    buf_init(&b, mem, sizeof mem);
    civil_put_time(&b, NULL, s * 1000);
    return text_of(o, "%.19s", mem);
}

static void add_object(struct out *o, const struct gb26875_frame *f, const struct gb26875_object *x) {
    bool is_clock = x->type == 8 || x->type == 28; /* its time is what it tells, not when */
    struct device_event like = {.text = S("device")};
    if (x->type == 2 || x->type == 7)
        like = of_component(o, x);
    else if (x->type < 21)
        like = of_system(o, x);
    like.at_s = is_clock ? when(f, &(struct gb26875_object){0}) : when(f, x);
    like.is_level = x->type == 1 || x->type == 2 || x->type == 21;
    switch (x->type) {
    case 1: add_bits(o, state_bits, COUNT(state_bits), x->state, like); return;
    case 2: add_bits(o, component_bits, COUNT(component_bits), x->state, like); return;
    case 3: add_reading(o, x, like.at_s); return;
    case 4:
        like.text = text_of(o, "operator %u", x->operator_id);
        add_bits(o, system_operation_bits, COUNT(system_operation_bits), x->state, like);
        return;
    case 21: add_bits(o, device_bits, COUNT(device_bits), x->state, like); return;
    case 24:
        like.text = text_of(o, "operator %u", x->operator_id);
        add_bits(o, device_operation_bits, COUNT(device_operation_bits), x->state, like);
        return;
    case 5:
    case 25:
        like.text = text_of(o, "%u.%u", x->major, x->minor);
        add_told(o, "version", like);
        return;
    case 6:
    case 26:
        like.text = describe(o, x->text);
        add_told(o, "configuration", like);
        return;
    case 7: add_told(o, "configuration", like); return;
    case 8:
    case 28:
        like.text = clock_of(o, x->time);
        add_told(o, "clock", like);
        return;
    default: return;
    }
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct gb26875_frame f = {.data = {NULL, 0}};
    const struct gb26875_object *all;
    struct bytes rest;
    struct out o = {.a = a};
    size_t n;
    bool ok = gb26875_read(whole, &f, reterr);
    *ret = (struct decoded){0};
    if (f.data.ptr) o.device = text_of(&o, "%llu", (unsigned long long)f.source);
    ret->sender = o.device;
    if (!ok || !gb26875_objects(&f, a, &all, &n, &rest, reterr)) return false;
    o.events_cap = n * COUNT(state_bits) + 1;
    o.readings = arena_new(a, struct reading, n + 1);
    o.events = arena_new(a, struct device_event, o.events_cap);
    if (!o.readings || !o.events || !o.device.ptr) {
        *reterr = (struct wire_error){"out of memory", 0};
        return false;
    }
    if (f.command == GB26875_SEND || f.command == GB26875_ANSWER)
        for (size_t i = 0; i < n; i++) add_object(&o, &f, &all[i]);
    *ret = (struct decoded){o.device, o.readings, o.readings_n, o.events, o.events_n};
    if (!gb26875_time_s(f.time, &ret->clock_s)) ret->clock_s = 0;
    return true;
}

/* Confirms what was sent, denies what was damaged (clauses 6.3, 6.5); nothing else is answered.  Makers' own commands
 * are heartbeats, if anything, and confirmed. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    struct gb26875_frame f, back;
    struct wire_error e;
    if (whole.len < GB26875_DATA_AT) return;
    if (gb26875_decode(whole, &f, &e)) {
        if (f.command != GB26875_SEND && f.command < GB26875_OWN) return;
    } else {
        gb26875_head(whole, &f);
        ok = false;
    }
    back = (struct gb26875_frame){.serial = f.serial,
                                  .version = {f.version[0], f.version[1]},
                                  .time = gb26875_time_of(now_s),
                                  .source = f.destination,
                                  .destination = f.source,
                                  .command = ok ? GB26875_CONFIRM : GB26875_DENY};
    gb26875_encode(&back, out);
}

const struct codec gb26875_codec = {.name = "gb26875",
                                    .standard = "GB/T 26875.3-2011",
                                    .frame_max = FRAME_MAX,
                                    .frame = gb26875_split,
                                    .follow = gb26875_follow,
                                    .decode = decode,
                                    .reply = reply,
                                    .show = gb26875_show,
                                    .make = gb26875_make,
                                    .asking = &gb26875_asking,
                                    .silent_after_ms = SILENT_MS};
