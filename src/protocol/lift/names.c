/* What a lift's record means: codes, floors, who is shut in.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lift/lift_internal.h"

#include <string.h>

static const struct lift_code codes[] = {
    {"00", LIFT_FAULT, true, "normal", -1},
    {"01", LIFT_FAULT, false, "safety_circuit", -1},
    {"02", LIFT_FAULT, false, "door_close_fault", -1},
    {"03", LIFT_FAULT, false, "door_open_fault", -1},
    {"04", LIFT_FAULT, false, "outside_zone", -1},
    {"05", LIFT_FAULT, false, "unintended_movement", -1},
    {"06", LIFT_FAULT, false, "run_time_limit", -1},
    {"07", LIFT_FAULT, false, "position_lost", -1},
    {"08", LIFT_FAULT, false, "no_restart", -1},
    {"40", LIFT_MODE, true, "normal", LIFT_NORMAL},
    {"41", LIFT_MODE, false, "power_lost", -1},
    {"42", LIFT_MODE, false, "out_of_service", LIFT_OUT_OF_SERVICE},
    {"43", LIFT_MODE, false, "inspection", LIFT_INSPECTION},
    {"44", LIFT_MODE, false, "fire_return", LIFT_FIRE_RETURN},
    {"45", LIFT_MODE, false, "fireman", LIFT_FIREMAN},
    {"46", LIFT_MODE, false, "emergency_power", LIFT_EMERGENCY_POWER},
    {"47", LIFT_MODE, false, "earthquake", LIFT_EARTHQUAKE},
    {"61", LIFT_FAULT, false, "safety_circuit", -1},
    {"62", LIFT_FAULT, false, "overspeed", -1},
    {"63", LIFT_FAULT, false, "reversal", -1},
    {"64", LIFT_FAULT, false, "missing_step", -1},
    {"65", LIFT_FAULT, false, "no_restart", -1},
    {"90", LIFT_ALARM, false, "alarm_button", -1},
    {"09", LIFT_CITY, false, "overtravel_up", -1},
    {"10", LIFT_CITY, false, "overtravel_down", -1},
    {"11", LIFT_CITY, false, LIFT_ENTRAPMENT, -1},
    {"91", LIFT_CITY, false, "bottoming", -1},
    {"92", LIFT_CITY, false, "topping", -1},
    {"93", LIFT_CITY, false, LIFT_ENTRAPMENT, -1},
};

const struct lift_code *lift_code_of(struct str raw) {
    for (size_t i = 0; i < COUNT(codes); i++) {
        bool is_short = raw.len == 1 && codes[i].raw[0] == '0' && raw.ptr[0] == codes[i].raw[1]; /* 4 is 04 */
        if (is_short || str_is(raw, codes[i].raw)) return &codes[i];
    }
    return NULL;
}

const char *lift_part_name(enum lift_part part) {
    static const char *const names[] = {
        [LIFT_FAULT] = "fault", [LIFT_MODE] = "mode", [LIFT_ALARM] = NULL, [LIFT_CITY] = NULL};
    return names[part];
}

bool lift_is_of_work(const struct lift_code *c) {
    if (c->part == LIFT_CITY) return !strcmp(c->code, LIFT_ENTRAPMENT);
    return c->part == LIFT_FAULT && c->raw[0] == '0' && c->raw[1] >= '2' && c->raw[1] <= '7';
}

const struct lift_state lift_unknown = {-1, -1, -1, -1, -1, -1};

int lift_entrapped(const struct lift_state *s) {
    bool is_held = !s->door_zone || s->door_closed == 1, is_free = s->door_zone == 1 && !s->door_closed;
    if (s->passenger < 0) return -1; /* nobody looks, or it is an escalator */
    if (s->mode >= 0 && s->mode != LIFT_NORMAL && s->mode != LIFT_EMERGENCY_POWER) return 0;
    if (s->running == 1 || !s->passenger || is_free) return 0;
    return s->mode >= 0 && !s->running && is_held ? 1 : -1;
}

bool lift_moves_open(const struct lift_state *s) {
    return s->mode == LIFT_NORMAL && s->running == 1 && !s->door_zone && !s->door_closed;
}

bool lift_floor(struct str position, double *ret) {
    bool is_below = position.len > 1 && (position.ptr[0] == 'B' || position.ptr[0] == 'b');
    int64_t n;
    if (is_below) position = str_from(position, 1);
    if (position.len > 1 && (position.ptr[position.len - 1] | 0x20) == 'f') position.len--;
    if (position.len > 4 || !str_to_i64(position, &n) || (is_below && n <= 0)) return false;
    *ret = (double)(is_below ? -n : n);
    return true;
}
