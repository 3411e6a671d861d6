/* Lifts and escalators of BACnet, told like those of GB/T 24476: the same metrics, the same events.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lift/lift.h"
#include "protocol/bacnet/bacnet_internal.h"

enum {
    DOOR_STATUS = 450,
    DOOR_ZONE = 452,
    DRIVE_STATUS = 453,
    CAR_LOAD = 454,
    CAR_MODE = 456,
    MOVING_DIRECTION = 457,
    CAR_POSITION = 458,
    ENERGY_METER = 460,
    ESCALATOR_MODE = 462,
    FAULT_SIGNALS = 463,
    FLOOR_TEXT = 464,
    OPERATION_DIRECTION = 477,
    PASSENGER_ALARM = 478
};

/* What the enumerations of BACnet are there; -1: nothing is known. */
static const int8_t modes[] = {LIFT_MODE_UNKNOWN /* unknown */,
                               LIFT_NORMAL,
                               LIFT_NORMAL /* VIP */,
                               LIFT_NORMAL /* homing */,
                               LIFT_OUT_OF_SERVICE /* parking */,
                               LIFT_NORMAL /* attendant */,
                               LIFT_FIREMAN,
                               LIFT_EMERGENCY_POWER,
                               LIFT_INSPECTION,
                               LIFT_INSPECTION /* recall from the cabinet */,
                               LIFT_EARTHQUAKE,
                               LIFT_FIRE_RETURN,
                               LIFT_OUT_OF_SERVICE,
                               LIFT_MODE_UNKNOWN /* evacuation */};
static const int8_t drives[] = {-1, 0, 1, 1, 1, 1, 1, 1, 1, 1};
static const int8_t directions[] = {-1, 0, 0, 1, 2, -1};
/* unknown, stop, up, down, inspection, out of service; of the standard 0 stop, 1 normal, 2 inspection, 3 unknown */
static const int8_t escalator_modes[] = {3, 0, 1, 1, 2, 0};
/* unknown, stopped, up, up slowly, down, down slowly */
static const int8_t operations[] = {-1, 0, 1, 1, 2, 2};
static const int8_t moves[] = {-1, 0, 1, 1, 1, 1};

static const struct mapping {
    uint16_t type, property;
    const char *metric, *unit;
    const int8_t *values; /* NULL: as it is */
    size_t n;
} mappings[] = {
    {BACNET_LIFT, CAR_MODE, "service_mode", "", modes, COUNT(modes)},
    {BACNET_LIFT, DRIVE_STATUS, "running", "", drives, COUNT(drives)},
    {BACNET_LIFT, MOVING_DIRECTION, "direction", "", directions, COUNT(directions)},
    {BACNET_LIFT, DOOR_ZONE, "door_zone", "", NULL, 0},
    {BACNET_LIFT, CAR_LOAD, "load", "", NULL, 0},
    {BACNET_LIFT, ENERGY_METER, "energy", "kWh", NULL, 0},
    {BACNET_ESCALATOR, ESCALATOR_MODE, "service_mode", "", escalator_modes, COUNT(escalator_modes)},
    {BACNET_ESCALATOR, OPERATION_DIRECTION, "direction", "", operations, COUNT(operations)},
    {BACNET_ESCALATOR, OPERATION_DIRECTION, "running", "", moves, COUNT(moves)},
    {BACNET_ESCALATOR, ENERGY_METER, "energy", "kWh", NULL, 0},
};

/* Codes of GB/T 24476 that mean the same; else a word. */
static const char *const lift_faults[] = {"08",
                                          "08",
                                          "governor_fault",
                                          "shaft_fault",
                                          "supply_fault",
                                          "01",
                                          "02",
                                          "03",
                                          "04",
                                          "button_stuck",
                                          "start_fault",
                                          "08",
                                          "self_test_failed",
                                          "06",
                                          "07",
                                          "drive_hot",
                                          "load_sensor_fault"};
static const char *const escalator_faults[] = {"65", "65",        "mechanical_fault", "62", "supply_fault", "61",
                                               "65", "drive_hot", "comb_plate_fault"};

bool bacnet_is_thing(int64_t object) {
    return BACNET_TYPE_OF(object) == BACNET_LIFT || BACNET_TYPE_OF(object) == BACNET_ESCALATOR;
}

/* ---- readings ---- */

/* -1: not known. */
static int map(const struct mapping *m, const struct bacnet_value *v) {
    if (v->whole < 0 || (size_t)v->whole >= m->n) return -1;
    return m->values[v->whole];
}

/* Of all doors of the car: 1 closed, 0 one is not, -1 not known. */
static int doors(struct bytes values) {
    struct bacnet_value v;
    int closed = -1;
    while (bacnet_next_value(&values, &v)) {
        bool is_door = v.whole != 4 && v.whole != 5; /* unused, none */
        if (v.type != BACNET_ENUMERATED || v.whole == 2) return -1;
        if (is_door && v.whole != 0 && v.whole != 8) return 0; /* closed, locked */
        if (is_door) closed = 1;
    }
    return closed;
}

/* What the display shows at that place, where the labels stand beside it; they count from 1. */
static double floor_of(const struct bacnet_said *said, const struct bacnet_point *p, const struct bacnet_value *place) {
    struct bacnet_point labels = bacnet_no_point;
    struct bacnet_value v = {.type = BACNET_NULL};
    double floor = place->number;
    if (!bacnet_point_beside(said->body, p->object, FLOOR_TEXT, &labels) || labels.index >= 0) return floor;
    for (int64_t i = 0; i < place->whole; i++)
        if (!bacnet_next_value(&labels.values, &v)) return floor;
    if (v.type == BACNET_TEXT) (void)lift_floor((struct str){(const char *)v.data.ptr, v.data.len}, &floor);
    return floor;
}

static bool add(struct bacnet_said *said, const char *metric, const char *unit, double value) {
    struct reading *r = bacnet_add_reading(said);
    r->metric = str_of(metric);
    if (*unit) r->unit = str_of(unit);
    r->value = value;
    return true;
}

bool bacnet_thing_reading(struct bacnet_said *said, const struct bacnet_point *p, const struct bacnet_value *v) {
    bool is_known = false;
    if (p->property == DOOR_STATUS && p->index < 0) {
        int closed = doors(p->values);
        return closed < 0 || add(said, "door_closed", "", closed);
    }
    if (v && p->property == CAR_POSITION && p->index < 0) return add(said, "floor", "", floor_of(said, p, v));
    for (size_t i = 0; v && p->index < 0 && i < COUNT(mappings); i++) {
        const struct mapping *m = &mappings[i];
        if (m->type != BACNET_TYPE_OF(p->object) || m->property != p->property) continue;
        is_known = true;
        int mapped = m->values ? map(m, v) : 0;
        if (mapped >= 0) add(said, m->metric, m->unit, m->values ? mapped : v->number);
    }
    return is_known || p->property == PASSENGER_ALARM || p->property == FAULT_SIGNALS;
}

/* ---- events ---- */

static int whole_beside(const struct bacnet_said *said, int64_t object, int64_t property) {
    struct bacnet_value v;
    return bacnet_beside(said->body, object, property, &v) && v.whole >= 0 && v.whole <= INT8_MAX ? (int)v.whole : -1;
}

static int8_t mode_beside(const struct bacnet_said *said, int64_t object) {
    int mode = whole_beside(said, object, CAR_MODE);
    return mode >= 0 && (size_t)mode < COUNT(modes) ? modes[mode] : -1;
}

static struct device_event *add_fault(struct bacnet_said *said, const char *code) {
    struct device_event *e = bacnet_add_event(said);
    e->code = str_of(code);
    e->part = str_of(lift_part_name(LIFT_FAULT));
    return e;
}

/* The list names all that holds. */
static void say_faults(struct bacnet_said *said, const struct bacnet_point *p) {
    bool is_lift = BACNET_TYPE_OF(p->object) == BACNET_LIFT;
    const char *const *words = is_lift ? lift_faults : escalator_faults;
    size_t n = is_lift ? COUNT(lift_faults) : COUNT(escalator_faults), from = said->events_n;
    bool is_work = is_lift && mode_beside(said, p->object) == LIFT_INSPECTION;
    struct bytes rest = p->values;
    struct bacnet_value v;
    while (bacnet_next_value(&rest, &v)) {
        bool is_known = v.type == BACNET_ENUMERATED && v.whole >= 0 && (size_t)v.whole < n;
        const char *word = is_known ? words[v.whole] : "other";
        const struct lift_code *c = lift_code_of(str_of(word));
        if (c && is_work && lift_is_of_work(c)) continue;
        if (c) word = c->code;
        size_t same = from;
        while (same < said->events_n && !str_is(said->events[same].code, word)) same++;
        if (same < said->events_n) continue;
        struct device_event *e = add_fault(said, word);
        e->is_set = e->is_level = true;
    }
    if (said->events_n == from) add_fault(said, "normal")->is_level = true;
}

static void say_motion(struct bacnet_said *said, const struct bacnet_point *p) {
    struct bacnet_point door; /* and the list of faults */
    int drive = whole_beside(said, p->object, DRIVE_STATUS), zone = whole_beside(said, p->object, DOOR_ZONE);
    struct lift_state s = lift_unknown;
    s.mode = mode_beside(said, p->object);
    s.running = drive >= 0 && (size_t)drive < COUNT(drives) ? drives[drive] : -1;
    s.door_zone = (int8_t)zone;
    s.door_closed = bacnet_point_beside(said->body, p->object, DOOR_STATUS, &door) ? (int8_t)doors(door.values) : -1;
    if (!lift_moves_open(&s)) return;
    struct device_event *e = add_fault(said, lift_code_of(S("05"))->code);
    e->is_set = true;
    e->is_level = bacnet_point_beside(said->body, p->object, FAULT_SIGNALS, &door); /* of that list, then */
}

void bacnet_thing_events(struct bacnet_said *said, const struct bacnet_point *p) {
    struct bytes rest = p->values;
    struct bacnet_value v;
    if (!p->values.ptr || p->index >= 0) return;
    if (p->property == FAULT_SIGNALS) say_faults(said, p);
    if (p->property == DRIVE_STATUS && BACNET_TYPE_OF(p->object) == BACNET_LIFT) say_motion(said, p);
    if (p->property != PASSENGER_ALARM || !bacnet_next_value(&rest, &v) || v.type != BACNET_BOOLEAN) return;
    struct device_event *e = bacnet_add_event(said);
    e->code = str_of(lift_code_of(S("90"))->code);
    e->is_set = v.whole;
}
