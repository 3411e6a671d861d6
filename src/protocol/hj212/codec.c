/* HJ 212 behind the narrow waist: readings with their flags, and the answers that stations wait for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212_internal.h"

#include "base/utf8.h"

#include <string.h>

#define ITEM_MIN   6 /* bytes of an item that means something: "x-SN=" and what parts it from the next */
#define FACTOR_MAX 40
#define SILENT_MS  INT64_C(1800000) /* three times its data of ten minutes, where it sends no others */

/* Factors of 2017 (Appendix B) and, behind them, of 2005.  A station's concentrations are in the unit of its makers, as
 * a rule the one here: the model of the device says otherwise. */
static const struct factor {
    const char *code, *metric, *unit;
} factors[] = {
    {"a34004", "pm25", "ug/m3"},
    {"a34002", "pm10", "ug/m3"},
    {"a34001", "tsp", "ug/m3"},
    {"a34005", "pm1", "ug/m3"},
    {"a01001", "temperature", "Cel"},
    {"a01002", "humidity", "%"},
    {"a01006", "pressure", "kPa"},
    {"a01007", "wind_speed", "m/s"},
    {"a01008", "wind_direction", "deg"},
    {"a21026", "so2", "ug/m3"},
    {"a21004", "no2", "ug/m3"},
    {"a21003", "no", "ug/m3"},
    {"a21002", "nox", "ug/m3"},
    {"a21005", "co", "mg/m3"},
    {"a05024", "o3", "ug/m3"},
    {"a24088", "nmhc", "mg/m3"},
    {"LA", "noise", "dB(A)"},
    {"Leq", "noise_leq", "dB(A)"},
    {"L10", "noise_l10", "dB(A)"},
    {"L50", "noise_l50", "dB(A)"},
    {"L90", "noise_l90", "dB(A)"},
    {"Ld", "noise_day", "dB(A)"},
    {"Ln", "noise_night", "dB(A)"},
    {"w01001", "ph", ""},
    {"w01010", "water_temperature", "Cel"},
    {"w01014", "conductivity", "uS/cm"},
    {"w01003", "turbidity", "NTU"},
    {"w01009", "dissolved_oxygen", "mg/L"},
    {"w01018", "cod", "mg/L"},
    {"w21003", "ammonia_nitrogen", "mg/L"},
    {"w21011", "total_phosphorus", "mg/L"},
    {"w21001", "total_nitrogen", "mg/L"},
    {"107", "tsp", "mg/m3"},
    {"B03", "noise", "dB(A)"},
    {"011", "cod", "mg/L"},
    {"060", "ammonia_nitrogen", "mg/L"},
    {"B01", "flow", "L/s"},
};

/* NULL: a maker's own. */
static const struct factor *factor_of(struct str code) {
    for (size_t i = 0; i < COUNT(factors); i++)
        if (str_is(code, factors[i].code)) return &factors[i];
    return NULL;
}

/* What a station answers beside data, or tells of itself: its text is an event. */
static const struct {
    const char *key, *code;
} settings[] = {
    {"SystemTime", "clock"},
    {"RtdInterval", "realtime_interval"},
    {"MinInterval", "minute_interval"},
    {"CstartTime", "sampling_start"},
    {"CTime", "sampling_interval"},
    {"Stime", "sampling_time"},
    {"VaseNo", "bottle"},
    {"RestartTime", "restarted"},
};

/* ---- what packets say ---- */

/* What is behind the metric's name: nothing for what is measured now, else period and figure. */
static const char *ending_of(int64_t command, struct str suffix) {
    static const struct {
        const char *suffix, *minute, *hour, *day;
    } rows[] = {{"Avg", "_minute_avg", "_hour_avg", "_day_avg"},
                {"Min", "_minute_min", "_hour_min", "_day_min"},
                {"Max", "_minute_max", "_hour_max", "_day_max"},
                {"Cou", "_minute_sum", "_hour_sum", "_day_sum"}};
    if (str_is(suffix, "Rtd")) return "";
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!str_is(suffix, rows[i].suffix)) continue;
        return command == HJ212_MINUTE ? rows[i].minute
               : command == HJ212_HOUR ? rows[i].hour
               : command == HJ212_DAY  ? rows[i].day
                                       : NULL;
    }
    return NULL;
}

static bool is_data(int64_t command) {
    return command == HJ212_REALTIME || command == HJ212_MINUTE || command == HJ212_HOUR || command == HJ212_DAY;
}

static bool is_setting(int64_t command) {
    return command == HJ212_GET_CLOCK || command == HJ212_GET_INTERVAL || command == HJ212_GET_MINUTES ||
           command == HJ212_KEEP_SAMPLE || (command >= HJ212_GET_SAMPLING && command <= HJ212_GET_INFO) ||
           command == HJ212_STARTED;
}

static bool is_upload(int64_t command) {
    return is_data(command) || command == HJ212_STATE || command == HJ212_DAY_STATE || command == HJ212_STARTED;
}

struct out {
    const struct hj212_frame *f;
    struct arena *a;
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n;
    int64_t at_s;
};

static bool add(struct out *o, struct str factor, struct str suffix, double value) {
    const char *ending = ending_of(o->f->command, suffix);
    const struct factor *known = factor_of(factor);
    struct buf name;
    struct str metric;
    if (!ending || !factor.len || factor.len > FACTOR_MAX || !utf8_is_valid(factor) || !utf8_is_typed(factor, false))
        return true; /* no reading has such a name */
    buf_init_arena(&name, o->a, 64);
    buf_str(&name, known ? str_of(known->metric) : factor);
    buf_cstr(&name, ending);
    if (!buf_done(&name, &metric)) return false;
    o->readings[o->readings_n++] = (struct reading){.device = o->f->mn,
                                                    .metric = metric,
                                                    .unit = known ? str_of(known->unit) : S(""),
                                                    .value = value,
                                                    .at_s = o->at_s};
    return true;
}

/* The flag of a factor stands behind its values: N is good, whatever else is told with the value is not. */
static void flag(struct out *o, size_t first, struct str value) {
    bool good = str_is(value, "N");
    for (size_t i = first; i < o->readings_n && !good; i++) o->readings[i].quality = QUALITY_SUSPECT;
}

static bool add_data(struct out *o) {
    struct str rest = o->f->cp, key, value, last = {NULL, 0};
    size_t first = o->readings_n;
    while (hj212_next(&rest, &key, &value)) {
        struct str suffix = key, factor;
        double v;
        if (str_is(key, "DataTime")) o->at_s = hj212_time_of(value);
        (void)str_cut(&suffix, '-', &factor);
        if (!suffix.ptr) continue;
        if (!last.ptr || !str_eq(factor, last)) first = o->readings_n;
        last = factor;
        if (str_is(suffix, "Flag"))
            flag(o, first, value);
        else if (str_to_f64(value, &v) && !add(o, factor, suffix, v))
            return false;
    }
    return true;
}

static void add_setting(struct out *o, const char *code, struct str text, struct str part) {
    if (!utf8_is_valid(text) || !utf8_is_valid(part)) return;
    o->events[o->events_n++] = (struct device_event){
        .device = o->f->mn, .code = str_of(code), .text = text, .at_s = o->at_s, .is_set = true, .part = part};
}

/* PolId says of which instrument; absent: of the station. */
static void add_settings(struct out *o) {
    struct str rest = o->f->cp, key, value, part = {NULL, 0};
    while (hj212_next(&rest, &key, &value)) {
        struct str suffix = key, factor;
        if (str_is(key, "DataTime")) o->at_s = hj212_time_of(value);
        if (str_is(key, "PolId")) part = value;
        for (size_t i = 0; i < COUNT(settings); i++)
            if (str_is(key, settings[i].key)) add_setting(o, settings[i].code, value, part);
        (void)str_cut(&suffix, '-', &factor);
        if (str_is(suffix, "SN")) add_setting(o, "serial_number", value, factor);
        if (str_is(suffix, "Info")) add_setting(o, "info", value, factor);
    }
}

bool hj212_mean(const struct hj212_frame *all, size_t n, struct arena *a, struct decoded *ret) {
    struct out o = {.a = a};
    size_t readings = 1, events = 1;
    for (size_t i = 0; i < n; i++) {
        if (is_data(all[i].command)) readings += all[i].cp.len / ITEM_MIN + 1;
        if (is_setting(all[i].command)) events += all[i].cp.len / ITEM_MIN + 1;
    }
    o.readings = arena_new(a, struct reading, readings);
    o.events = arena_new(a, struct device_event, events);
    if (!o.readings || !o.events) return false;
    for (size_t i = 0; i < n; i++) {
        o.f = &all[i];
        if (all[i].part <= 1) o.at_s = 0; /* further parts go on with the time of the one before */
        if (is_data(all[i].command) && !add_data(&o)) return false;
        if (is_setting(all[i].command)) add_settings(&o);
    }
    *ret = (struct decoded){n ? all[0].mn : (struct str){NULL, 0}, o.readings, o.readings_n, o.events, o.events_n};
    return true;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct hj212_frame f;
    *ret = (struct decoded){0};
    if (!hj212_decode(whole, &f, reterr)) return false;
    if (hj212_mean(&f, 1, a, ret)) {
        if (is_upload(f.command)) ret->clock_s = hj212_time_of(f.qn); /* else it is ours */
        return true;
    }
    *reterr = (struct wire_error){"out of memory", 0};
    return false;
}

/* ---- answers ---- */

static void put_field(struct buf *b, const char *key, struct str value) {
    if (value.ptr) buf_fmt(b, "%s=" STR_FMT ";", key, STR_ARG(value));
}

/* 9014 for data, 9013 for a notice, where one is wanted.  A wrong packet gets none: it comes again. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    struct hj212_frame f;
    struct wire_error ignored;
    char mem[512];
    struct buf b;
    (void)now_s;
    if (!ok || !hj212_decode(whole, &f, &ignored) || f.flag < 0 || !(f.flag & HJ212_ANSWER_WANTED)) return;
    if (!is_upload(f.command) && f.command != HJ212_CLOCK_NOTICE) return;
    buf_init(&b, mem, sizeof mem);
    put_field(&b, "QN", f.qn);
    buf_fmt(&b, "ST=91;CN=%d;", f.command == HJ212_CLOCK_NOTICE ? HJ212_NOTICE_ANSWER : HJ212_DATA_ANSWER);
    put_field(&b, "PW", f.pw);
    put_field(&b, "MN", f.mn);
    buf_fmt(&b, "Flag=%d;CP=&&&&", (int)(f.flag & ~(HJ212_ANSWER_WANTED | HJ212_PARTS)));
    if (!b.overflow) (void)hj212_encode((struct str){b.ptr, b.len}, out);
}

/* Heartbeats of some dialects, and answers of some stations, come without PW. */
static enum claim prove(struct bytes whole, struct str password, struct wire_error *reterr) {
    struct hj212_frame f;
    if (!hj212_decode(whole, &f, reterr)) return CLAIM_WRONG;
    if (str_eq(f.pw, password)) return CLAIM_PROVEN;
    bool is_kept = is_upload(f.command) || is_setting(f.command) || f.command == HJ212_CLOCK_NOTICE;
    if (!f.pw.ptr && !is_kept) return CLAIM_OPEN;
    *reterr = (struct wire_error){"HJ 212 PW: it is not the password of its station",
                                  (size_t)((f.pw.ptr ? f.pw.ptr : f.data.ptr) - (const char *)whole.ptr)};
    return CLAIM_WRONG;
}

const struct codec hj212_codec = {
    .name = "hj212",
    .standard = "HJ 212-2017, HJ/T 212-2005",
    .frame_max = HJ212_FRAME_MAX,
    .frame = hj212_split,
    .decode = decode,
    .reply = reply,
    .show = hj212_show,
    .make = hj212_make,
    .asking = &hj212_asking,
    .silent_after_ms = SILENT_MS,
    .is_text = true,
    .prove = prove,
};
