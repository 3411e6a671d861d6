/* Application data of GB/T 26875.3: types, objects, names.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"

#include <string.h>

/* Size of an object without its time, by type; 0xff: the size stands in the object. (clause 8.3, table of types) */
struct layout {
    uint8_t type, size, count_max;
    bool has_time;
};
#define VARIES 0xff
static const struct layout layouts[] = {
    {1, 4, 102, true},     {2, 40, 22, true},      {3, 10, 63, true}, {4, 4, 102, true},   {5, 4, 1, false},
    {6, VARIES, 3, false}, {7, 38, 26, false},     {8, 0, 1, true},   {21, 1, 1, true},    {24, 2, 127, true},
    {25, 2, 1, false},     {26, VARIES, 1, false}, {28, 0, 1, true},  {61, 2, 255, false}, {62, 7, 255, false},
    {63, 7, 255, false},   {64, 2, 1, true},       {65, 2, 1, false}, {66, 2, 255, false}, {67, 7, 255, false},
    {68, 1, 1, false},     {81, 1, 1, false},      {84, 1, 1, true},  {85, 1, 1, false},   {86, 1, 1, false},
    {88, 1, 1, false},     {89, 1, 1, false},      {90, 0, 1, true},  {91, 1, 1, false},
};

static const struct layout *layout_of(uint8_t type) {
    for (size_t i = 0; i < COUNT(layouts); i++)
        if (layouts[i].type == type) return &layouts[i];
    return NULL;
}

static void read_object(const struct layout *l, const uint8_t *p, size_t size, struct gb26875_object *o) {
    uint8_t at[40] = {0};
    memcpy(at, p, size < sizeof at ? size : sizeof at);
    *o = (struct gb26875_object){.type = l->type};
    switch (l->type) {
    case 21: o->state = at[0]; return;
    case 24:
        o->state = at[0];
        o->operator_id = at[1];
        return;
    case 91:
    case 84: o->state = at[0]; return;
    default: break;
    }
    if (l->type == 8 || (l->type >= 25 && l->type != 61 && l->type < 61) || l->type >= 81) return;
    o->system = at[0];
    o->system_address = at[1];
    switch (l->type) {
    case 1: o->state = (uint16_t)(at[2] | at[3] << 8); return;
    case 2:
    case 7:
        o->component = at[2];
        o->component_address = (uint32_t)at[3] | (uint32_t)at[4] << 8 | (uint32_t)at[5] << 16 | (uint32_t)at[6] << 24;
        if (l->type == 2) o->state = (uint16_t)(at[7] | at[8] << 8);
        o->text = l->type == 2 ? (struct bytes){p + 9, 31} : (struct bytes){p + 7, 31};
        return;
    case 3:
        o->component = at[2];
        o->component_address = (uint32_t)at[3] | (uint32_t)at[4] << 8 | (uint32_t)at[5] << 16 | (uint32_t)at[6] << 24;
        o->analogue = at[7];
        o->value = (int16_t)(uint16_t)(at[8] | at[9] << 8);
        return;
    case 4:
        o->state = at[2];
        o->operator_id = at[3];
        return;
    default: return;
    }
}

bool gb26875_objects(const struct gb26875_frame *f, struct arena *a, const struct gb26875_object **ret, size_t *ret_n,
                     struct wire_error *reterr) {
    const uint8_t *p = f->data.ptr;
    size_t left = f->data.len, count = left >= 2 ? p[1] : 0;
    *ret = NULL;
    *ret_n = 0;
    if (!left) return true; /* the heartbeat that makers agreed on */
    const struct layout *l = left >= 2 ? layout_of(p[0]) : NULL;
    if (left < 2 || (!l && p[0] < 128)) {
        *reterr = (struct wire_error){"8.3: no such type of data", 27};
        return false;
    }
    if (!l) return true; /* the maker's own */
    if (count > l->count_max || !count) {
        *reterr = (struct wire_error){"8.3: more objects than the type allows", 28};
        return false;
    }
    struct gb26875_object *all = arena_new(a, struct gb26875_object, count);
    if (!all) {
        *reterr = (struct wire_error){"out of memory", 28};
        return false;
    }
    p += 2;
    left -= 2;
    for (size_t i = 0; i < count; i++) {
        size_t head = l->type == 6 ? 3 : l->type == 26 ? 1 : 0;
        size_t size = l->size == VARIES ? (left >= head ? head + p[head - 1] : SIZE_MAX / 2) : l->size;
        if (size + (l->has_time ? 6u : 0u) > left) {
            *reterr = (struct wire_error){"8.3: the data end inside an object", (size_t)(p - f->data.ptr) + 27};
            return false;
        }
        read_object(l, p, size, &all[i]);
        if (l->has_time) {
            const uint8_t *t = p + size;
            all[i].time = (struct gb26875_time){t[0], t[1], t[2], t[3], t[4], t[5]};
            all[i].has_time = true;
            size += 6;
        }
        p += size;
        left -= size;
    }
    *ret = all;
    *ret_n = count; /* bytes behind the last object are allowed */
    return true;
}

/* ---- names ---- */

struct name {
    uint8_t code;
    const char *name;
};
static const struct name systems[] = {{0, "general"},           {1, "fire_alarm"},          {10, "linkage"},
                                      {11, "hydrant"},          {12, "sprinkler"},          {13, "gas_extinguishing"},
                                      {14, "water_spray_pump"}, {15, "water_spray_vessel"}, {16, "foam"},
                                      {17, "dry_powder"},       {18, "smoke_control"},      {19, "fire_door"},
                                      {20, "fire_lift"},        {21, "broadcast"},          {22, "emergency_light"},
                                      {23, "fire_power"},       {24, "fire_telephone"}};
static const struct name components[] = {{1, "alarm_controller"},
                                         {10, "gas_detector"},
                                         {16, "electrical_fire_monitor"},
                                         {17, "residual_current_detector"},
                                         {18, "temperature_detector"},
                                         {21, "loop"},
                                         {22, "repeater_panel"},
                                         {23, "manual_call_point"},
                                         {24, "hydrant_button"},
                                         {25, "detector"},
                                         {30, "heat_detector"},
                                         {31, "heat_detector"},
                                         {40, "smoke_detector"},
                                         {41, "ion_smoke_detector"},
                                         {42, "photoelectric_smoke_detector"},
                                         {43, "beam_smoke_detector"},
                                         {44, "aspirating_smoke_detector"},
                                         {50, "combined_detector"},
                                         {61, "uv_flame_detector"},
                                         {62, "ir_flame_detector"},
                                         {69, "flame_detector"},
                                         {74, "gas_detector"},
                                         {78, "image_detector"},
                                         {81, "gas_extinguishing_controller"},
                                         {84, "module"},
                                         {85, "input_module"},
                                         {86, "output_module"},
                                         {91, "fire_pump"},
                                         {92, "water_tank"},
                                         {95, "sprinkler_pump"},
                                         {96, "flow_switch"},
                                         {97, "signal_valve"},
                                         {98, "alarm_valve"},
                                         {99, "pressure_switch"},
                                         {101, "valve_actuator"},
                                         {102, "fire_door"},
                                         {103, "fire_valve"},
                                         {105, "foam_pump"},
                                         {106, "solenoid_valve"},
                                         {111, "smoke_fan"},
                                         {113, "smoke_damper"},
                                         {114, "supply_outlet"},
                                         {115, "smoke_outlet"},
                                         {116, "smoke_curtain"},
                                         {117, "shutter_controller"},
                                         {118, "door_monitor"},
                                         {121, "alarm_sounder"}};

static const char *find(const struct name *names, size_t n, uint8_t code, const char *otherwise) {
    for (size_t i = 0; i < n; i++)
        if (names[i].code == code) return names[i].name;
    return otherwise;
}

const char *gb26875_component_name(uint8_t component) {
    return find(components, COUNT(components), component, "component");
}

const char *gb26875_system_name(uint8_t system) {
    return find(systems, COUNT(systems), system, "system");
}
