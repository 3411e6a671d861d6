/* Controllers of a building: their points.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/building_internal.h"

#include <math.h>
#include <string.h>

#define FLOORS     18
#define LIFT_RESTS 3   /* changes at a floor */
#define COV_STEP   0.1 /* of a real value */

const struct building_point building_points[BUILDING_POINTS] = {
    {BACNET_ID(0, 1), "送风温度", 62, 18.5, 12, 30, 0.4, false},
    {BACNET_ID(0, 2), "回风湿度", 29, 52, 20, 95, 1.5, false},
    {BACNET_ID(0, 3), "水箱液位", 31, 2.4, 0, 3.5, 0.1, false},
    {BACNET_ID(1, 1), "水阀开度", 98, 40, 0, 100, 0, true},
    {BACNET_ID(2, 1), "温度设定", 62, 24, 16, 30, 0, true},
    {BACNET_ID(3, 1), "水泵运行", -1, 1, 0, 1, 1, false},
    {BACNET_ID(4, 1), "车库照明", -1, 0, 0, 1, 0, true},
    {BACNET_ID(19, 1), "空调模式", -1, 2, 1, 4, 0, true},
};

static uint64_t next_random(struct building *b) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = b->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void building_init(struct building *b) {
    for (size_t d = 0; d < b->n; d++) {
        struct building_device *x = &b->devices[d];
        *x = (struct building_device){.floor = 1 + (int)(next_random(b) % FLOORS), .heading = 1};
        for (size_t i = 0; i < BUILDING_POINTS; i++) {
            x->values[i] = building_points[i].start;
            for (size_t k = 0; k < BUILDING_LEVELS; k++) x->levels[i][k] = NAN;
        }
    }
}

size_t building_point_at(int64_t object) {
    size_t i = 0;
    while (i < BUILDING_POINTS && building_points[i].object != object) i++;
    return i;
}

/* ---- values ---- */

static void put(struct buf *out, enum bacnet_type type, double number) {
    bacnet_put_value(&(struct bacnet_value){.type = type, .number = number, .whole = (int64_t)number}, out);
}

static void put_text(struct buf *out, const char *text) {
    bacnet_put_value(&(struct bacnet_value){.type = BACNET_TEXT, .data = {(const uint8_t *)text, strlen(text)}}, out);
}

static void put_bits(struct buf *out) { /* status: nothing is wrong */
    static const uint8_t none[] = {4, 0};
    bacnet_put_value(&(struct bacnet_value){.type = BACNET_BITS, .data = {none, sizeof none}}, out);
}

static enum bacnet_type type_of(int64_t object) {
    uint32_t type = BACNET_TYPE_OF(object);
    return type <= BACNET_ANALOG_VALUE   ? BACNET_REAL
           : type <= BACNET_BINARY_VALUE ? BACNET_ENUMERATED
                                         : BACNET_UNSIGNED;
}

static void put_object_list(const struct building *b, size_t device, int64_t index, struct buf *out, bool *ret_ok) {
    int64_t all[BUILDING_POINTS + 2] = {BACNET_ID(BACNET_DEVICE, b->first + (int64_t)device),
                                        BACNET_ID(BACNET_LIFT, 1)};
    int64_t n = COUNT(all);
    for (size_t i = 0; i < BUILDING_POINTS; i++) all[i + 2] = building_points[i].object;
    if (!index) put(out, BACNET_UNSIGNED, (double)n);
    for (int64_t i = 1; i <= n; i++)
        if (index < 0 || index == i)
            bacnet_put_value(&(struct bacnet_value){.type = BACNET_OBJECT, .whole = all[i - 1]}, out);
    *ret_ok = index <= n;
}

static bool put_device(const struct building *b, size_t device, const struct bacnet_point *p, struct buf *out) {
    bool ok = true;
    switch (p->property) {
    case BACNET_OBJECT_LIST: put_object_list(b, device, p->index, out, &ok); return ok;
    case 62: put(out, BACNET_UNSIGNED, BACNET_APDU_MAX); return true;
    case 70: put_text(out, "linli simulate"); return true;
    case 98: put(out, BACNET_UNSIGNED, 1); return true;
    case 107: put(out, BACNET_ENUMERATED, 3); return true;
    case 112: put(out, BACNET_ENUMERATED, 0); return true;
    case 120: put(out, BACNET_UNSIGNED, BUILDING_VENDOR); return true;
    default: return false;
    }
}

static bool put_lift(const struct building_device *d, int64_t property, struct buf *out) {
    bool rests = d->rest;
    switch (property) {
    case 450: put(out, BACNET_ENUMERATED, rests ? 1 : 0); return true;
    case 452: put(out, BACNET_BOOLEAN, rests); return true;
    case 453: put(out, BACNET_ENUMERATED, rests ? 1 : 5); return true;
    case 456: put(out, BACNET_ENUMERATED, 1); return true;
    case 457: put(out, BACNET_ENUMERATED, rests ? 2 : d->heading > 0 ? 3 : 4); return true;
    case 458: put(out, BACNET_UNSIGNED, d->floor); return true;
    case 463: return true; /* no fault */
    case 478: put(out, BACNET_BOOLEAN, 0); return true;
    default: return false;
    }
}

static bool put_levels(const struct building_device *d, size_t i, int64_t index, struct buf *out) {
    if (!index) put(out, BACNET_UNSIGNED, BUILDING_LEVELS);
    for (int64_t k = 1; k <= BUILDING_LEVELS; k++) {
        double v = d->levels[i][k - 1];
        if (index < 0 || index == k) put(out, isnan(v) ? BACNET_NULL : type_of(building_points[i].object), v);
    }
    return index <= BUILDING_LEVELS;
}

void building_drift(struct building *b) {
    if (b->drifted < BUILDING_DRIFTED_MAX) b->drifted++;
}

/* What is measured drifts; what is set stands as it is. */
static double shown(const struct building *b, size_t device, size_t i) {
    const struct building_point *x = &building_points[i];
    double v = b->devices[device].values[i];
    bool drifts = !x->is_written && type_of(x->object) == BACNET_REAL;
    return drifts ? v * (1 + (device % 2 ? -1 : 1) * b->drifted / 1000.0) : v;
}

static bool put_point(const struct building *b, size_t device, size_t i, const struct bacnet_point *p,
                      struct buf *out) {
    const struct building_point *x = &building_points[i];
    const struct building_device *d = &b->devices[device];
    switch (p->property) {
    case BACNET_PRESENT_VALUE: put(out, type_of(x->object), shown(b, device, i)); return true;
    case BACNET_OUT_OF_SERVICE: put(out, BACNET_BOOLEAN, 0); return true;
    case BACNET_EVENT_STATE: put(out, BACNET_ENUMERATED, 0); return true;
    case BACNET_UNITS:
        if (x->unit >= 0) put(out, BACNET_ENUMERATED, x->unit);
        return x->unit >= 0;
    case BACNET_PRIORITY_ARRAY: return x->is_written && put_levels(d, i, p->index, out);
    case BACNET_RELINQUISH_DEFAULT:
        if (x->is_written) put(out, type_of(x->object), x->start);
        return x->is_written;
    default: return false;
    }
}

bool building_has(const struct building *b, size_t device, int64_t object) {
    return object == BACNET_ID(BACNET_DEVICE, b->first + (int64_t)device) || object == BACNET_ID(BACNET_LIFT, 1) ||
           building_point_at(object) < BUILDING_POINTS;
}

bool building_read(const struct building *b, size_t device, const struct bacnet_point *p, struct buf *out) {
    size_t i = building_point_at(p->object);
    bool is_lift = BACNET_TYPE_OF(p->object) == BACNET_LIFT, is_device = BACNET_TYPE_OF(p->object) == BACNET_DEVICE;
    bool is_array = p->property == BACNET_OBJECT_LIST || p->property == BACNET_PRIORITY_ARRAY;
    if (p->index >= 0 && !is_array) return false;
    switch (p->property) {
    case BACNET_OBJECT_IDENTIFIER:
        bacnet_put_value(&(struct bacnet_value){.type = BACNET_OBJECT, .whole = p->object}, out);
        return true;
    case BACNET_OBJECT_NAME:
        put_text(out, is_lift ? "一号梯" : is_device ? "楼控" : building_points[i].name);
        return true;
    case 79: put(out, BACNET_ENUMERATED, BACNET_TYPE_OF(p->object)); return true;
    case BACNET_STATUS_FLAGS:
        if (!is_device) put_bits(out);
        return !is_device;
    default: break;
    }
    if (is_device) return put_device(b, device, p, out);
    return is_lift ? put_lift(&b->devices[device], p->property, out) : put_point(b, device, i, p, out);
}

/* ---- writing ---- */

static double number_of(const struct bacnet_value *v) {
    return v->type == BACNET_NULL ? (double)NAN : v->number;
}

int building_write(struct building *b, size_t device, const struct bacnet_point *p) {
    size_t i = building_point_at(p->object);
    struct bytes rest = p->values;
    struct bacnet_value v;
    struct building_device *d = &b->devices[device];
    int64_t level = p->priority < 0 ? BUILDING_LEVELS : p->priority;
    if (i == BUILDING_POINTS || p->property != BACNET_PRESENT_VALUE || !building_points[i].is_written)
        return BACNET_WRITE_DENIED;
    const struct building_point *x = &building_points[i];
    bool ok = level >= 1 && level <= BUILDING_LEVELS && bacnet_next_value(&rest, &v) && !rest.len &&
              (v.type == BACNET_NULL || (v.type == type_of(x->object) && v.number >= x->low && v.number <= x->high));
    if (!ok) return BACNET_BAD_VALUE;
    d->levels[i][level - 1] = number_of(&v);
    d->values[i] = x->start;
    for (size_t k = BUILDING_LEVELS; k-- > 0;)
        if (!isnan(d->levels[i][k])) d->values[i] = d->levels[i][k];
    return 0;
}

/* ---- change ---- */

/* A lift rests at a floor, goes on by one, turns at both ends. */
static void move_lift(struct building *b, struct building_device *d) {
    if (d->rest) {
        d->rest--;
        return;
    }
    if (d->floor + d->heading < 1 || d->floor + d->heading > FLOORS) d->heading = -d->heading;
    d->floor += d->heading;
    if (next_random(b) % 4 == 0) d->rest = LIFT_RESTS;
}

void building_change(struct building *b, int64_t now_ms) {
    struct building_device *d = &b->devices[next_random(b) % b->n];
    size_t i = next_random(b) % (BUILDING_POINTS + 2);
    if (i >= BUILDING_POINTS) {
        move_lift(b, d);
    } else if (building_points[i].wander > 0) {
        const struct building_point *x = &building_points[i];
        double by = ((double)(next_random(b) % 2001) / 1000 - 1) * x->wander, v = d->values[i] + by;
        if (type_of(x->object) != BACNET_REAL) v = next_random(b) % 8 ? d->values[i] : 1 - d->values[i];
        d->values[i] = v < x->low ? x->low : v > x->high ? x->high : v;
    }
    building_tell(b, now_ms);
}

int64_t building_told(const struct building *b, size_t device, int64_t object) {
    const struct building_device *d = &b->devices[device];
    size_t i = building_point_at(object);
    if (i == BUILDING_POINTS) return d->floor * 100 + d->rest;
    return llround(shown(b, device, i) / (type_of(object) == BACNET_REAL ? COV_STEP : 1));
}
