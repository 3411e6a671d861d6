/* The names of GB/T 26875.3's systems, components and commands, and its descriptions as text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/gb18030.h"
#include "base/utf8.h"
#include "protocol/gb26875/gb26875.h"

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
                                         {11, "gas_detector"},
                                         {12, "gas_detector"},
                                         {13, "gas_detector"},
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
                                         {32, "heat_detector"},
                                         {33, "heat_detector"},
                                         {34, "line_heat_detector"},
                                         {35, "line_heat_detector"},
                                         {36, "line_heat_detector"},
                                         {37, "fibre_heat_detector"},
                                         {40, "smoke_detector"},
                                         {41, "ion_smoke_detector"},
                                         {42, "photoelectric_smoke_detector"},
                                         {43, "beam_smoke_detector"},
                                         {44, "aspirating_smoke_detector"},
                                         {50, "combined_detector"},
                                         {51, "combined_detector"},
                                         {52, "combined_detector"},
                                         {53, "combined_detector"},
                                         {61, "uv_flame_detector"},
                                         {62, "ir_flame_detector"},
                                         {69, "flame_detector"},
                                         {74, "gas_detector"},
                                         {78, "image_detector"},
                                         {79, "sound_detector"},
                                         {81, "gas_extinguishing_controller"},
                                         {82, "electrical_control"},
                                         {83, "graphic_display"},
                                         {84, "module"},
                                         {85, "input_module"},
                                         {86, "output_module"},
                                         {87, "input_output_module"},
                                         {88, "relay_module"},
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
                                         {104, "ventilation"},
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

const char *gb26875_command_name(uint8_t command) {
    static const char *const words[] = {NULL, "control", "send", "confirm", "request", "answer", "deny"};
    return command < COUNT(words) ? words[command] : NULL;
}

/* Bytes of GB 18030 may be UTF-8 by chance, most of all in pairs; they hardly ever are three-byte characters of the
 * Chinese ranges throughout. */
static bool is_chinese_utf8(struct str s) {
    bool any = false;
    int32_t c;
    if (!utf8_is_valid(s)) return false;
    for (size_t at = 0; (c = utf8_next(s, &at)) >= 0;) {
        if (c < 0x80) continue;
        if (!((c >= 0x2000 && c <= 0x206f) || (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xff00 && c <= 0xffef)))
            return false;
        any = true;
    }
    return any;
}

enum gb26875_script gb26875_text(struct bytes text, struct arena *a, struct str *ret) {
    struct buf b;
    size_t n = text.len;
    *ret = (struct str){NULL, 0};
    while (n && !text.ptr[n - 1]) n--;
    struct str as_is = {(const char *)text.ptr, n};
    if (!n) {
        *ret = S("");
        return GB26875_GB18030;
    }
    if (is_chinese_utf8(as_is)) {
        *ret = as_is;
        return GB26875_UTF8;
    }
    buf_init_arena(&b, a, n * 4 + 1);
    if (gb18030_to_utf8((struct bytes){text.ptr, n}, &b) && buf_done(&b, ret)) return GB26875_GB18030;
    *ret = (struct str){NULL, 0};
    return GB26875_BYTES;
}
