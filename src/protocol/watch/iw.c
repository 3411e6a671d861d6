/* Contents of IW frames: positions glued together, alarms, vital signs.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch_internal.h"

#include <string.h>

#define IMEI_DIGITS 15

static const struct watch_value values[] = {
    {"AP49", 1, 0, "heart_rate", "/min", 1, 300},
    {"AP50", 1, 0, "body_temperature", "Cel", 20, 50},
    {"AP50", 2, 1, "battery", "%", 1, 100},
    {"APHT", 3, 0, "heart_rate", "/min", 1, 300},
    {"APHT", 3, 1, "systolic", "mm[Hg]", 1, 300},
    {"APHT", 3, 2, "diastolic", "mm[Hg]", 1, 300},
    {"APHP", 3, 0, "heart_rate", "/min", 1, 300},
    {"APHP", 3, 1, "systolic", "mm[Hg]", 1, 300},
    {"APHP", 3, 2, "diastolic", "mm[Hg]", 1, 300},
    {"APHP", 4, 3, "spo2", "%", 1, 100},
    {"APHP", 5, 4, "blood_glucose", "mg/dL", 1, 1000},
    {"APHP", 6, 5, "body_temperature", "Cel", 20, 50},
    {"AP03", 3, 1, "steps", "", 0, 1e6},
    {"AP03", 3, 2, "tumbles", "", 0, 1e6},
};

/* Behind latitude, longitude, mobile country, network, area and cell of an alarm. */
#define ALARM_FIELD 5
static const struct {
    const char *code, *event;
} alarms[] = {{"01", "sos"}, {"02", "low_battery"}, {"03", "taken_off"}, {"06", "fall"}};

/* What is glued together is taken off the front, n characters at a time; what is not there is absent. */
static struct str take(struct str *rest, size_t n) {
    struct str got = {rest->ptr, n};
    if (!rest->ptr || n > rest->len) {
        *rest = (struct str){NULL, 0};
        return *rest;
    }
    *rest = str_from(*rest, n);
    return got;
}

/* dddmm.mmmm and a letter. */
static bool take_degrees(struct str *rest, size_t digits, const char *letters, double most, double *ret) {
    double degrees, minutes;
    struct str whole = take(rest, digits);
    size_t n = 0;
    while (n < rest->len && !strchr(letters, rest->ptr[n])) n++;
    struct str part = take(rest, n), letter = take(rest, 1);
    if (!watch_number(whole, 0, most, &degrees) || !watch_number(part, 0, 60, &minutes) || !letter.len) return false;
    degrees += minutes / 60;
    *ret = letter.ptr[0] == letters[1] ? -degrees : degrees;
    return degrees <= most;
}

/* GSM, satellites and battery, three digits each; then makers differ. */
static void add_status(struct watch_said *s, struct str rest) {
    static const struct {
        const char *metric, *unit;
        double high;
    } parts[] = {{"signal", "%", 100}, {"satellites", "", 100}, {"battery", "%", 100}};
    for (size_t i = 0; i < COUNT(parts); i++) {
        double v;
        if (watch_number(take(&rest, 3), 0, parts[i].high, &v)) watch_add_reading(s, parts[i].metric, parts[i].unit, v);
    }
}

/* 080524 A 2232.9806N 11404.9355E 000.1 061830 323.87 06000908000102: date as year, month, day. */
static bool say_position(struct watch_said *s, struct str rest) {
    struct str date = take(&rest, 6), valid = take(&rest, 1);
    double latitude, longitude, speed, course;
    bool has_fix = str_is(valid, "A");
    if (!has_fix && !str_is(valid, "V")) return false;
    if (!take_degrees(&rest, 2, "NS", 90, &latitude) || !take_degrees(&rest, 3, "EW", 180, &longitude)) return false;
    struct str km_h = take(&rest, 5), time = take(&rest, 6), towards = take(&rest, 6);
    if (!towards.ptr) return false;
    watch_says_when(s, watch_time_ms(date, "ymd", time), has_fix);
    if (has_fix) {
        watch_add_position(s, latitude, longitude);
        if (watch_number(km_h, 0, 1000, &speed)) watch_add_reading(s, "speed", "km/h", speed);
        if (watch_number(towards, 0, 360, &course)) watch_add_reading(s, "course", "deg", course);
    }
    add_status(s, rest);
    return true;
}

static void add_alarm(struct watch_said *s, struct str code) {
    const char *event = "alarm"; /* one that no table has */
    if (str_is(code, "00")) return;
    for (size_t i = 0; i < COUNT(alarms); i++)
        if (str_is(code, alarms[i].code)) event = alarms[i].event;
    watch_add_event(s, (struct device_event){.code = str_of(event), .is_set = true});
}

static bool say_log_in(const struct watch_frame *f, struct watch_said *s) {
    struct str imei = f->fields;
    size_t n = 0;
    while (n < imei.len && imei.ptr[n] >= '0' && imei.ptr[n] <= '9') n++;
    s->device = (struct str){imei.ptr, n};
    return n == IMEI_DIGITS && (n == imei.len || imei.ptr[n] == ',');
}

bool watch_say_iw(const struct watch_frame *f, struct watch_said *s, struct wire_error *reterr) {
    struct watch_fields fields;
    bool is_alarm = str_is(f->command, "AP10"), ok = true;
    const char *rule = "watch values: one of them is no number";
    watch_cut(f->fields, &fields);
    if (str_is(f->command, "AP00")) {
        rule = "watch IWAP00: an IMEI of 15 digits";
        ok = say_log_in(f, s);
    } else if (str_is(f->command, "AP01") || is_alarm) {
        rule = "watch IWAP01: date, A or V, latitude, longitude, speed, time, course";
        ok = say_position(s, fields.at[0]) || is_alarm; /* an alarm is one, whatever is wrong with its place */
        if (is_alarm) add_alarm(s, fields.at[ALARM_FIELD]);
    } else {
        if (str_is(f->command, "AP03")) add_status(s, fields.at[0]);
        ok = watch_add_values(s, f, &fields, values, COUNT(values));
    }
    if (!ok) *reterr = (struct wire_error){rule, 0};
    return ok;
}
