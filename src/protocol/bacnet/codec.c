/* BACnet behind the narrow waist: readings of what was read and of changes, events with their states, answers that
 * devices wait for.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#include "base/civil.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>

#define METRIC_MAX 64   /* bytes of a name that the store takes */
#define NEVER      0xff /* in dates and times: not said */

/* Bits of status_flags, in its first byte. */
enum { IS_FAULTY = 0x40, IS_OVERRIDDEN = 0x20, IS_OUT_OF_SERVICE = 0x10 };

static bool no_memory(struct wire_error *e) {
    *e = (struct wire_error){"out of memory", 0};
    return false;
}

bool bacnet_read_all(const struct bacnet_frame *f, struct arena *a, struct bacnet_body *ret, bool *ret_known,
                     struct wire_error *reterr) {
    struct bacnet_point *points = arena_new(a, struct bacnet_point, BACNET_POINTS_MAX);
    return points ? bacnet_read_body(f, points, BACNET_POINTS_MAX, ret, ret_known, reterr) : no_memory(reterr);
}

bool bacnet_open(struct bytes whole, struct arena *a, struct bacnet_frame *ret, struct bacnet_body *ret_body,
                 bool *ret_known, struct wire_error *reterr) {
    if (!bacnet_decode(whole, ret, reterr)) return false;
    if (bacnet_read_all(ret, a, ret_body, ret_known, reterr)) return true;
    reterr->at += ret->data.ptr ? (size_t)(ret->data.ptr - whole.ptr) : 0;
    return false;
}

/* A copy of what was built, in the arena. */
static bool keep(const struct buf *b, struct arena *a, struct str *ret) {
    return arena_str(a, (struct str){b->ptr, b->len}, ret);
}

bool bacnet_name_device(int64_t device, struct arena *a, struct str *ret, struct wire_error *reterr) {
    char mem[16];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    buf_i64(&b, BACNET_NUMBER_OF(device));
    return keep(&b, a, ret) || no_memory(reterr);
}

/* ---- readings ---- */

bool bacnet_point_beside(const struct bacnet_body *body, int64_t object, int64_t property, struct bacnet_point *ret) {
    for (size_t i = 0; i < body->points_n; i++) {
        if (body->points[i].object != object || body->points[i].property != property) continue;
        *ret = body->points[i];
        return ret->values.ptr;
    }
    return false;
}

bool bacnet_beside(const struct bacnet_body *body, int64_t object, int64_t property, struct bacnet_value *ret) {
    struct bacnet_point p;
    return bacnet_point_beside(body, object, property, &p) && bacnet_next_value(&p.values, ret);
}

static struct str unit_of(const struct bacnet_body *body, const struct bacnet_point *p, const struct bacnet_value *v) {
    struct bacnet_value unit;
    const char *word = NULL;
    bool may = v->type == BACNET_REAL || v->type == BACNET_DOUBLE;
    if (may && bacnet_beside(body, p->object, BACNET_UNITS, &unit) && unit.type == BACNET_ENUMERATED)
        word = bacnet_word(&bacnet_units, unit.whole);
    return word ? str_of(word) : S("");
}

static enum quality quality_of(const struct bacnet_body *body, const struct bacnet_point *p) {
    struct bacnet_value flags;
    if (!bacnet_beside(body, p->object, BACNET_STATUS_FLAGS, &flags) || flags.type != BACNET_BITS || flags.data.len < 2)
        return QUALITY_GOOD;
    return flags.data.ptr[1] & (IS_FAULTY | IS_OVERRIDDEN | IS_OUT_OF_SERVICE) ? QUALITY_SUSPECT : QUALITY_GOOD;
}

/* A single number, which no other property explains. */
static bool is_measured(const struct bacnet_point *p, struct bacnet_value *ret) {
    struct bytes rest = p->values;
    if (!rest.ptr || p->property == BACNET_UNITS || !bacnet_next_value(&rest, ret) || rest.len) return false;
    switch (ret->type) {
    case BACNET_BOOLEAN:
    case BACNET_UNSIGNED:
    case BACNET_SIGNED:
    case BACNET_ENUMERATED: return true;
    case BACNET_REAL:
    case BACNET_DOUBLE: return isfinite(ret->number);
    case BACNET_NULL:
    case BACNET_OCTETS:
    case BACNET_TEXT:
    case BACNET_BITS:
    case BACNET_DATE:
    case BACNET_CLOCK:
    case BACNET_OBJECT:
    case BACNET_CONSTRUCTED: break;
    }
    return false;
}

static bool name_owner(struct str device, int64_t object, struct arena *a, struct str *ret) {
    char mem[64];
    struct buf b;
    *ret = device;
    if (!bacnet_is_thing(object)) return true;
    buf_init(&b, mem, sizeof mem);
    if (device.len) buf_fmt(&b, STR_FMT ".", STR_ARG(device));
    bacnet_put_object(object, &b);
    return keep(&b, a, ret);
}

struct reading *bacnet_add_reading(struct bacnet_said *said) {
    struct reading *r = &said->readings[said->readings_n++];
    *r = (struct reading){.device = said->device, .unit = said->unit, .quality = said->quality};
    return r;
}

struct device_event *bacnet_add_event(struct bacnet_said *said) {
    struct device_event *e = &said->events[said->events_n++];
    *e = (struct device_event){.device = said->device};
    return e;
}

static bool say_point(struct bacnet_said *said, const struct bacnet_point *p, struct arena *a) {
    struct bacnet_value v;
    char mem[METRIC_MAX + 1];
    struct buf name;
    bool is_thing = bacnet_is_thing(p->object), is_one = is_measured(p, &v);
    said->unit = is_one ? unit_of(said->body, p, &v) : S("");
    said->quality = quality_of(said->body, p);
    if (is_thing) bacnet_thing_events(said, p);
    if ((is_thing && bacnet_thing_reading(said, p, is_one ? &v : NULL)) || !is_one) return true;
    buf_init(&name, mem, sizeof mem);
    if (is_thing)
        bacnet_put_property(p, &name);
    else
        bacnet_put_item(p, &name);
    if (name.overflow) return true; /* a name that no reading can have */
    struct reading *r = bacnet_add_reading(said);
    r->value = v.number;
    return keep(&name, a, &r->metric);
}

bool bacnet_readings(int64_t device, const struct bacnet_body *body, struct arena *a, struct decoded *ret,
                     struct wire_error *reterr) {
    const struct bacnet_point *points = body->points_n ? body->points : &body->point;
    size_t n = body->points_n ? body->points_n : 1, values = 0;
    struct bacnet_said said = {.body = body};
    for (size_t i = 0; i < n; i++) values += points[i].values.len;
    said.readings = arena_new(a, struct reading, 2 * n);
    said.events = arena_new(a, struct device_event, n + values);
    if (!said.readings || !said.events) return no_memory(reterr);
    if (device >= 0 && !bacnet_name_device(device, a, &ret->sender, reterr)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!points[i].values.ptr) continue;
        if (!name_owner(ret->sender, points[i].object, a, &said.device) || !say_point(&said, &points[i], a))
            return no_memory(reterr);
    }
    ret->readings = said.readings;
    ret->readings_n = said.readings_n;
    ret->events = said.events;
    ret->events_n = said.events_n;
    return true;
}

/* ---- events ---- */

/* Date and time of the device, if the stamp has both (clause 21, BACnetTimeStamp). */
static int64_t time_of(struct bytes stamp) {
    struct cursor c = cursor_of(stamp);
    struct bytes inside = bacnet_next_is(&c, 2) ? bacnet_take_inside(&c, 2) : (struct bytes){NULL, 0};
    struct bacnet_value date, clock;
    if (!inside.ptr || !bacnet_next_value(&inside, &date) || date.type != BACNET_DATE ||
        !bacnet_next_value(&inside, &clock) || clock.type != BACNET_CLOCK)
        return 0;
    const uint8_t *d = date.data.ptr, *t = clock.data.ptr;
    if (d[0] == NEVER || !civil_is_date(1900 + d[0], d[1], d[2]) || t[0] > 23 || t[1] > 59 || t[2] > 59) return 0;
    return civil_day(1900 + d[0], d[1], d[2]) * 86400 + t[0] * 3600 + t[1] * 60 + t[2];
}

static bool say_event(const struct bacnet_body *b, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct device_event *e = arena_new(a, struct device_event, 1);
    const char *word = bacnet_word(&bacnet_states, b->to_state);
    char mem[64];
    struct buf text;
    if (!e || !bacnet_name_device(b->device, a, &ret->sender, reterr)) return no_memory(reterr);
    if (b->notify_type > 1) return true; /* somebody acknowledged it: what holds is as before */
    *e = (struct device_event){.device = ret->sender,
                               .code = str_of(word),
                               .at_s = time_of(b->stamp),
                               .is_set = b->to_state,
                               .is_level = true};
    if (b->text.len > 1 && !b->text.ptr[0]) e->text = (struct str){(const char *)b->text.ptr + 1, b->text.len - 1};
    if (!utf8_is_valid(e->text)) e->text = (struct str){NULL, 0};
    buf_init(&text, mem, sizeof mem);
    bacnet_put_object(b->point.object, &text);
    if (!keep(&text, a, &e->part)) return no_memory(reterr);
    buf_init(&text, mem, sizeof mem);
    buf_fmt(&text, "state_%" PRId64, b->to_state);
    if (!word && !keep(&text, a, &e->code)) return no_memory(reterr);
    ret->events = e;
    ret->events_n = 1;
    return true;
}

/* ---- datagrams ---- */

static bool is_change(const struct bacnet_frame *f) {
    return f->kind == BACNET_UNCONFIRMED ? f->service == BACNET_COV
                                         : f->kind == BACNET_CONFIRMED && f->service == BACNET_COV_CONFIRMED;
}

static bool is_event(const struct bacnet_frame *f) {
    return f->kind == BACNET_UNCONFIRMED ? f->service == BACNET_EVENT
                                         : f->kind == BACNET_CONFIRMED && f->service == BACNET_EVENT_CONFIRMED;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct bacnet_frame f;
    struct bacnet_body body;
    bool is_known;
    *ret = (struct decoded){0};
    if (!bacnet_open(whole, a, &f, &body, &is_known, reterr)) return false;
    if (!is_known) return true;
    if (is_event(&f)) return say_event(&body, a, ret, reterr);
    if (is_change(&f) || f.kind == BACNET_COMPLEX_ACK) return bacnet_readings(body.device, &body, a, ret, reterr);
    bool is_introduction = f.kind == BACNET_UNCONFIRMED && body.device >= 0;
    return !is_introduction || bacnet_name_device(body.device, a, &ret->sender, reterr);
}

/* Changes and events that want it are acknowledged; segments cannot be put together here, and nothing is served.  No
 * answer to what was said to all. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    struct bacnet_frame f, back;
    struct wire_error ignored;
    (void)now_s;
    if (!bacnet_decode(whole, &f, &ignored) || f.function != BACNET_UNICAST || f.is_network ||
        (f.to.net && !f.to.mac_n))
        return;
    bool is_request = f.kind == BACNET_CONFIRMED, is_part = f.flags & BACNET_SEGMENTED;
    if (is_part && (is_request || f.kind == BACNET_COMPLEX_ACK)) {
        back = bacnet_answer(&f, BACNET_ABORT, BACNET_NO_SEGMENTS);
        back.flags = is_request ? BACNET_SERVER : 0;
    } else if (!is_request) {
        return;
    } else if (!ok) {
        back = bacnet_answer(&f, BACNET_REJECT, BACNET_INVALID_TAG);
    } else if (is_change(&f) || is_event(&f)) {
        back = bacnet_answer(&f, BACNET_SIMPLE_ACK, f.service);
    } else {
        back = bacnet_answer(&f, BACNET_REJECT, BACNET_UNRECOGNIZED_SERVICE);
    }
    (void)bacnet_encode(&back, out);
}

static enum frame split(struct bytes in, size_t *ret_len) { /* a datagram is one frame */
    *ret_len = in.len;
    return in.len <= BACNET_FRAME_MAX ? FRAME_WHOLE : FRAME_SKIP;
}

const struct codec bacnet_codec = {
    .name = "bacnet",
    .standard = "ANSI/ASHRAE 135-2020, ISO 16484-5, over IP",
    .frame_max = BACNET_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .reply = reply,
    .show = bacnet_show,
    .make = bacnet_make,
    .asking = &bacnet_asking,
    .carrier = CARRIER_DATAGRAM,
    .is_local = true,
};
