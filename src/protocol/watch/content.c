/* Contents of frames in brackets: positions with their states and alarms, vital signs.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/watch/watch_internal.h"

/* Fields of a position behind its command.  Behind them stand cells and wireless networks, which place the watch for
 * whoever knows where they are. */
enum {
    DATE,
    TIME,
    VALID,
    LATITUDE,
    NORTH,
    LONGITUDE,
    EAST,
    SPEED,
    COURSE,
    ALTITUDE,
    SATELLITES,
    SIGNAL,
    BATTERY,
    STEPS,
    TUMBLES,
    STATUS
};

static const struct {
    uint8_t field;
    bool wants_fix; /* without one it is a number of no meaning */
    const char *metric, *unit;
    double low, high;
} measured[] = {
    {SPEED, true, "speed", "km/h", 0, 1000},
    {COURSE, true, "course", "deg", 0, 360},
    {ALTITUDE, true, "altitude", "m", -1000, 10000},
    {SATELLITES, false, "satellites", "", 0, 100},
    {SIGNAL, false, "signal", "%", 0, 100},
    {BATTERY, false, "battery", "%", 0, 100},
    {STEPS, false, "steps", "", 0, 1e6},
    {TUMBLES, false, "tumbles", "", 0, 1e6},
};

static const struct watch_value values[] = {
    {"LK", 3, 0, "steps", "", 0, 1e6},
    {"LK", 3, 1, "tumbles", "", 0, 1e6},
    {"LK", 3, 2, "battery", "%", 0, 100},
    {"heart", 1, 0, "heart_rate", "/min", 1, 300},
    {"PULSE", 1, 0, "heart_rate", "/min", 1, 300},
    {"BLOOD", 2, 0, "systolic", "mm[Hg]", 1, 300},
    {"BLOOD", 2, 1, "diastolic", "mm[Hg]", 1, 300},
    {"BLOOD", 3, 2, "heart_rate", "/min", 1, 300},
    {"bphrt", 2, 0, "systolic", "mm[Hg]", 1, 300},
    {"bphrt", 2, 1, "diastolic", "mm[Hg]", 1, 300},
    {"bphrt", 3, 2, "heart_rate", "/min", 1, 300},
    {"oxygen", 2, 1, "spo2", "%", 1, 100},
    {"TEMP", 1, 0, "body_temperature", "Cel", 20, 50},
    {"btemp2", 2, 1, "body_temperature", "Cel", 20, 50},
};

#define BIT(n) (UINT32_C(1) << (n))
enum { SOS };
/* Said once, as long as it is not answered: a person says when it is over.  The two of the fence end each other. */
static const struct {
    const char *code;
    uint32_t set, over;
} alarms[] = {
    [SOS] = {"sos", BIT(16), 0},
    {"fall", BIT(21) | BIT(22), 0}, /* 22: a heart rate beyond its limits, in some firmware */
    {"taken_off", BIT(20), 0},
    {"fence_out", BIT(1) | BIT(18), BIT(2) | BIT(19)},
    {"fence_in", BIT(2) | BIT(19), BIT(1) | BIT(18)},
};
/* Every position tells whether these hold. */
static const struct {
    const char *code;
    uint32_t set;
} states[] = {{"low_battery", BIT(0) | BIT(17)}, {"power_cut", BIT(14)}};

/* Hex digits, up to eight; false: none. */
static bool read_status(struct str s, uint32_t *ret) {
    *ret = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)(s.ptr[i] | 0x20);
        bool is_letter = c >= 'a' && c <= 'f';
        if (!is_letter && (s.ptr[i] < '0' || s.ptr[i] > '9')) return false;
        *ret = *ret << 4 | (uint32_t)(is_letter ? c - 'a' + 10 : s.ptr[i] - '0');
    }
    return s.len && s.len <= 8;
}

static size_t add_alarms(struct watch_said *s, uint32_t status) {
    size_t n = 0;
    for (size_t i = 0; i < COUNT(alarms); i++) {
        bool is_set = status & alarms[i].set;
        if (!is_set && !(status & alarms[i].over)) continue;
        watch_add_event(s, (struct device_event){.code = str_of(alarms[i].code), .is_set = is_set});
        n++;
    }
    return n;
}

static size_t add_states(struct watch_said *s, uint32_t status) {
    size_t n = 0;
    for (size_t i = 0; i < COUNT(states); i++) {
        if (!(status & states[i].set)) continue;
        watch_add_event(s, (struct device_event){
                               .code = str_of(states[i].code), .part = S("status"), .is_set = true, .is_level = true});
        n++;
    }
    if (!n) watch_add_event(s, (struct device_event){.code = S("normal"), .part = S("status"), .is_level = true});
    return n;
}

/* Degrees with a letter behind them.  Some have a sign as well, and whatever letter: either makes it negative. */
static bool read_degrees(const struct watch_fields *fields, size_t at, double most, char negative, double *ret) {
    double v;
    if (!watch_number(fields->at[at], -most, most, &v)) return false;
    *ret = v > 0 && str_starts(fields->at[at + 1], (struct str){&negative, 1}) ? -v : v;
    return true;
}

static void add_measured(struct watch_said *s, const struct watch_fields *fields) {
    bool has_fix = str_is(fields->at[VALID], "A");
    double v, longitude;
    watch_says_when(s, watch_time_ms(fields->at[DATE], "dmy", fields->at[TIME]), has_fix);
    if (has_fix && read_degrees(fields, LATITUDE, 90, 'S', &v) && read_degrees(fields, LONGITUDE, 180, 'W', &longitude))
        watch_add_position(s, v, longitude);
    for (size_t i = 0; i < COUNT(measured); i++)
        if ((has_fix || !measured[i].wants_fix) &&
            watch_number(fields->at[measured[i].field], measured[i].low, measured[i].high, &v))
            watch_add_reading(s, measured[i].metric, measured[i].unit, v);
}

/* An alarm is one, whatever is wrong with the rest of it.  What a watch kept while it was out of reach says nothing of
 * now: its alarms it repeats until they are answered. */
static bool say_position(struct watch_said *s, const struct watch_frame *f, const struct watch_fields *fields,
                         struct wire_error *reterr) {
    bool is_alarm = str_starts(f->command, S("AL")), is_kept = str_is(f->command, "UD2");
    uint32_t status;
    if (!is_alarm && !str_is(fields->at[VALID], "A") && !str_is(fields->at[VALID], "V")) {
        *reterr = (struct wire_error){"watch position: date, time, then A or V", 0};
        return false;
    }
    add_measured(s, fields);
    if (is_kept) return true;
    bool has_status = read_status(fields->at[STATUS], &status);
    size_t n = has_status ? add_alarms(s, status) + add_states(s, status) : 0;
    if (is_alarm && !n) watch_add_event(s, (struct device_event){.code = S("alarm"), .is_set = true});
    return true;
}

/* SOS, and what is not told apart from one: a fresh position helps whoever goes there. */
bool watch_needs_help(const struct watch_frame *f) {
    struct watch_fields fields;
    uint32_t status;
    watch_cut(f->fields, &fields);
    return f->maker.ptr && str_starts(f->command, S("AL")) &&
           (!read_status(fields.at[STATUS], &status) || status & alarms[SOS].set);
}

bool watch_say(const struct watch_frame *f, struct watch_said *s, struct wire_error *reterr) {
    struct watch_fields fields;
    watch_cut(f->fields, &fields);
    bool is_position = str_starts(f->command, S("UD")) || str_starts(f->command, S("WT"));
    bool is_alarm = str_starts(f->command, S("AL")); /* one without fields, too; a position without them answers */
    if (is_alarm || (is_position && fields.n)) return say_position(s, f, &fields, reterr);
    if (watch_is(f->command, "btemp2") && str_is(fields.at[0], "0")) return true; /* not measured at the skin */
    if (watch_add_values(s, f, &fields, values, COUNT(values))) return true;
    *reterr = (struct wire_error){"watch values: one of them is no number", 0};
    return false;
}
