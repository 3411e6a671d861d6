/* Words of the home conventions: what their values are called here, in which unit, which of them raise events.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

/* Units are those that the projects give without being told otherwise. */
static const struct home_word words[] = {
    {"temperature", "Temperature", NULL, "Cel", NULL},
    {"local_temperature", NULL, NULL, "Cel", NULL},
    {"device_temperature", NULL, NULL, "Cel", NULL},
    {"soil_temperature", NULL, NULL, "Cel", NULL},
    {"dew_point", "DewPoint", NULL, "Cel", NULL},
    {"humidity", "Humidity", NULL, "%", NULL},
    {"soil_moisture", NULL, NULL, "%", NULL},
    {"pressure", "Pressure", NULL, "hPa", NULL},
    {"atmospheric_pressure", NULL, "pressure", "hPa", NULL},
    {"illuminance", "Illuminance", NULL, "lx", NULL},
    {"illuminance_lux", NULL, NULL, "lx", NULL},
    {"co2", "CarbonDioxide", NULL, "ppm", NULL},
    {"carbon_dioxide", NULL, "co2", "ppm", NULL},
    {"eco2", "eCO2", NULL, "ppm", NULL},
    {"pm1", "PM1", NULL, "ug/m3", NULL},
    {"pm25", "PM2.5", NULL, "ug/m3", NULL},
    {"pm10", "PM10", NULL, "ug/m3", NULL},
    {"power", "Power", NULL, "W", NULL},
    {"apparent_power", "ApparentPower", NULL, "VA", NULL},
    {"reactive_power", "ReactivePower", NULL, "var", NULL},
    {"power_factor", "Factor", NULL, "", NULL},
    {"energy", "Total", NULL, "kWh", NULL},
    {"energy_today", "Today", NULL, "kWh", NULL},
    {"energy_yesterday", "Yesterday", NULL, "kWh", NULL},
    {"produced_energy", "ExportActive", "energy_reverse", "kWh", NULL},
    {"voltage", "Voltage", NULL, "V", NULL},
    {"current", "Current", NULL, "A", NULL},
    {"frequency", "Frequency", NULL, "Hz", NULL},
    {"ac_frequency", NULL, "frequency", "Hz", NULL},
    {"battery", "BatteryPercentage", NULL, "%", NULL},
    {"position", NULL, NULL, "%", NULL},
    {"smoke", NULL, NULL, "", "smoke"},
    {"gas", NULL, NULL, "", "gas"},
    {"carbon_monoxide", NULL, NULL, "", "carbon_monoxide"},
    {"water_leak", NULL, NULL, "", "water_leak"},
    {"tamper", NULL, NULL, "", "tamper"},
    {"battery_low", NULL, "low_battery", "", "low_battery"},
};

const struct home_word *home_word(struct str name) {
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_is(name, words[i].name)) return &words[i];
    return NULL;
}

const struct home_word *home_word_tasmota(struct str name) {
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].tasmota && str_is(name, words[i].tasmota)) return &words[i];
    return NULL;
}

struct str home_word_metric(const struct home_word *w) {
    return str_of(w->metric ? w->metric : w->name);
}

/* ---- letters ---- */

static char low(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool home_same(struct str a, struct str b) {
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (low(a.ptr[i]) != low(b.ptr[i])) return false;
    return a.len == b.len;
}

bool home_is(struct str text, const char *word) {
    return home_same(text, str_of(word));
}

bool home_is_move(struct str value) {
    return home_is(value, "toggle") || home_is(value, "stop");
}

bool home_is_value(struct str told, struct str said) {
    double a, b;
    return home_same(told, said) || (str_to_f64(told, &a) && str_to_f64(said, &b) && a == b);
}

bool home_switched(struct str text, double *ret) {
    static const struct {
        const char *word;
        int value;
    } all[] = {{"on", 1},     {"off", 0},  {"open", 1},     {"closed", 0}, {"close", 0},
               {"locked", 1}, {"lock", 1}, {"unlocked", 0}, {"unlock", 0}};
    for (size_t i = 0; i < COUNT(all); i++) {
        if (!home_is(text, all[i].word)) continue;
        *ret = all[i].value;
        return true;
    }
    return false;
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_plain(char c) {
    return (low(c) >= 'a' && low(c) <= 'z') || (c >= '0' && c <= '9');
}

/* A capital begins a word behind a small letter, and before one: "CarbonDioxide", "UVIndex". */
static bool begins_word(struct str s, size_t i) {
    if (!i || !is_upper(s.ptr[i]) || !is_plain(s.ptr[i - 1])) return false;
    bool small_follows =
        i + 1 < s.len && is_plain(s.ptr[i + 1]) && low(s.ptr[i + 1]) == s.ptr[i + 1] && s.ptr[i + 1] > '9';
    return !is_upper(s.ptr[i - 1]) ? s.ptr[i - 1] > '9' : small_follows;
}

bool home_snake(struct arena *a, struct str name, struct str *ret) {
    struct buf b;
    bool parts = false;
    buf_init_arena(&b, a, 2 * name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        if (!is_plain(name.ptr[i])) {
            parts = true;
            continue;
        }
        if (b.len && (parts || begins_word(name, i))) buf_char(&b, '_');
        buf_char(&b, low(name.ptr[i]));
        parts = false;
    }
    *ret = name;
    return !b.len || buf_done(&b, ret);
}
