/* HJ 212 behind the narrow waist: readings with their flags, and the answers that stations wait for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212_internal.h"

#include "base/utf8.h"

#include <string.h>

#define ITEM_MIN    6 /* bytes of an item that means something: "x-SN=" and what parts it from the next */
#define FACTOR_MAX  40
#define SUFFIX_MAX  12
#define METRIC_MAX  64
#define MISSING_MAX 160              /* bytes of what has no value */
#define SILENT_MS   INT64_C(1800000) /* three times its data of ten minutes, where it sends no others */

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

bool hj212_is_data(int64_t command) {
    return command == HJ212_REALTIME || command == HJ212_MINUTE || command == HJ212_HOUR || command == HJ212_DAY ||
           command == HJ212_STATE || command == HJ212_DAY_STATE;
}

static bool is_setting(int64_t command) {
    return command == HJ212_GET_CLOCK || command == HJ212_GET_INTERVAL || command == HJ212_GET_MINUTES ||
           command == HJ212_KEEP_SAMPLE || (command >= HJ212_GET_SAMPLING && command <= HJ212_GET_INFO) ||
           command == HJ212_STARTED;
}

static bool is_upload(int64_t command) {
    return hj212_is_data(command) || command == HJ212_STARTED;
}

static const char *period_of(int64_t command) {
    return command == HJ212_MINUTE                              ? "_minute"
           : command == HJ212_HOUR                              ? "_hour"
           : command == HJ212_DAY || command == HJ212_DAY_STATE ? "_day"
                                                                : "";
}

/* What a figure is called behind the metric and its period.  NULL: it is the maker's own, and keeps its name. */
static const char *figure_of(struct str suffix) {
    static const struct {
        const char *suffix, *figure;
    } rows[] = {{"Rtd", ""},     {"Avg", "_avg"},  {"Min", "_min"},         {"Max", "_max"},
                {"Cou", "_sum"}, {"RS", "_state"}, {"RT", "_running_time"}, {"Data", ""}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_is(suffix, rows[i].suffix)) return rows[i].figure;
    return NULL;
}

struct out {
    const struct hj212_frame *f;
    struct arena *a;
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n;
    int64_t at_s;
};

/* The metric of a factor, its figure behind it.  False: no reading has such a name. */
static bool put_name(const struct out *o, struct str factor, struct str suffix, struct buf *b) {
    const struct factor *known = factor_of(factor);
    bool is_converted = str_starts(suffix, S("Zs")); /* to standard conditions */
    if (is_converted) suffix = str_from(suffix, 2);
    const char *figure = figure_of(suffix);
    if (!factor.len || factor.len > FACTOR_MAX || !utf8_is_valid(factor) || !utf8_is_typed(factor, false)) return false;
    if (suffix.len > SUFFIX_MAX || !utf8_is_valid(suffix) || !utf8_is_typed(suffix, false)) return false;
    buf_str(b, known ? str_of(known->metric) : factor);
    buf_cstr(b, period_of(o->f->command));
    if (figure) buf_cstr(b, figure);
    if (!figure && suffix.len) buf_fmt(b, "_" STR_FMT, STR_ARG(suffix));
    if (is_converted) buf_cstr(b, "_converted");
    return !b->overflow && b->len <= METRIC_MAX;
}

static bool add(struct out *o, struct str factor, struct str suffix, double value) {
    const struct factor *known = factor_of(factor);
    char mem[METRIC_MAX + 1];
    struct buf name;
    struct str metric;
    buf_init(&name, mem, sizeof mem);
    if (!put_name(o, factor, suffix, &name)) return true;
    if (!arena_str(o->a, (struct str){mem, name.len}, &metric)) return false;
    o->readings[o->readings_n++] = (struct reading){.device = o->f->mn,
                                                    .metric = metric,
                                                    .unit = str_is(suffix, "RT") ? S("h")
                                                            : known              ? str_of(known->unit)
                                                                                 : S(""),
                                                    .value = value,
                                                    .at_s = o->at_s};
    return true;
}

/* Of one factor. */
struct group {
    struct str factor, flag; /* flag absent: it has none */
    size_t first;            /* of its readings */
};

/* Which have a flag and no value, and whether any has a flag. */
struct missing {
    char text[MISSING_MAX];
    struct buf all;
    bool is_flagged;
};

/* The flag stands behind the values or before them.  N is good, whatever else is told with a value is not. */
static void end_group(struct out *o, const struct group *g, struct missing *m) {
    char mem[METRIC_MAX + 1];
    struct buf name;
    bool good = str_is(g->flag, "N");
    if (!g->flag.ptr) return;
    m->is_flagged = true;
    for (size_t i = g->first; i < o->readings_n && !good; i++) o->readings[i].quality = QUALITY_SUSPECT;
    buf_init(&name, mem, sizeof mem);
    if (g->first < o->readings_n || !put_name(o, g->factor, S(""), &name) || !utf8_is_valid(g->flag)) return;
    size_t before = m->all.len;
    buf_fmt(&m->all, "%s" STR_FMT " " STR_FMT, before ? ", " : "", STR_ARG(((struct str){mem, name.len})),
            STR_ARG(g->flag));
    if (m->all.overflow) m->all.len = before; /* the first of them say enough */
}

/* A flag without a value says why there is none.  It is over with the next packet of its kind in which none is missing;
 * packets of several parts are of as many kinds.  What is of a minute, an hour or a day that is over is no news. */
static bool add_missing(struct out *o, const struct missing *m) {
    const char *period = period_of(o->f->command);
    char mem[40];
    struct buf b;
    struct str text, part;
    if (!m->is_flagged) return true;
    buf_init(&b, mem, sizeof mem);
    if (*period) buf_cstr(&b, period + 1);
    if (o->f->part > 1) buf_fmt(&b, "%s%lld", b.len ? " " : "", (long long)o->f->part);
    if (!arena_str(o->a, (struct str){mem, b.len}, &part) || !arena_str(o->a, (struct str){m->text, m->all.len}, &text))
        return false;
    o->events[o->events_n++] = (struct device_event){.device = o->f->mn,
                                                     .code = S("missing"),
                                                     .text = text,
                                                     .at_s = o->at_s,
                                                     .is_set = m->all.len,
                                                     .is_kept = *period,
                                                     .part = part};
    return true;
}

static void add_setting(struct out *o, const char *code, struct str text, struct str part) {
    if (!utf8_is_valid(text) || !utf8_is_valid(part)) return;
    o->events[o->events_n++] = (struct device_event){
        .device = o->f->mn, .code = str_of(code), .text = text, .at_s = o->at_s, .is_set = true, .part = part};
}

/* Words where a figure should be, as a maker's own flag. */
static void add_words(struct out *o, struct str factor, struct str item) {
    bool has_none = item.ptr[item.len - 1] == '=' || item.ptr[item.len - 1] == '-';
    if (!has_none) add_setting(o, "info", item, factor);
}

static bool add_data(struct out *o) {
    struct str rest = o->f->cp, key, value;
    struct group g = {.first = o->readings_n};
    struct missing m = {.is_flagged = false};
    buf_init(&m.all, m.text, sizeof m.text);
    while (hj212_next(&rest, &key, &value)) {
        struct str suffix = key, factor;
        double v;
        if (str_is(key, "DataTime")) o->at_s = hj212_time_of(value);
        (void)str_cut(&suffix, '-', &factor);
        if (!suffix.len) continue;
        if (!str_eq(factor, g.factor)) {
            end_group(o, &g, &m);
            g = (struct group){.factor = factor, .first = o->readings_n};
        }
        if (str_is(suffix, "Flag"))
            g.flag = value;
        else if (!str_to_f64(value, &v))
            add_words(o, factor, (struct str){suffix.ptr, (size_t)(value.ptr + value.len - suffix.ptr)});
        else if (!add(o, factor, suffix, v))
            return false;
    }
    end_group(o, &g, &m);
    return add_missing(o, &m);
}

int64_t hj212_data_time(const struct hj212_frame *f) {
    struct str rest = f->cp, key, value;
    while (hj212_next(&rest, &key, &value))
        if (str_is(key, "DataTime")) return hj212_time_of(value);
    return 0;
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

/* A time alone holds nothing. */
static bool holds_something(struct str cp) {
    struct str key, value;
    while (hj212_next(&cp, &key, &value))
        if (!str_is(key, "DataTime")) return true;
    return false;
}

bool hj212_mean(const struct hj212_frame *all, size_t n, int64_t at_s, struct arena *a, struct decoded *ret) {
    struct out o = {.a = a, .at_s = at_s};
    size_t most = 1;
    bool is_strange = false;
    for (size_t i = 0; i < n; i++) most += all[i].cp.len / ITEM_MIN + 2;
    o.readings = arena_new(a, struct reading, most);
    o.events = arena_new(a, struct device_event, most);
    if (!o.readings || !o.events) return false;
    for (size_t i = 0; i < n; i++) {
        size_t said = o.readings_n + o.events_n;
        o.f = &all[i];
        if (all[i].part <= 1) o.at_s = 0; /* further parts go on with the time of the one before */
        if (hj212_is_data(all[i].command) && !add_data(&o)) return false;
        if (is_setting(all[i].command)) add_settings(&o);
        is_strange |= is_upload(all[i].command) && said == o.readings_n + o.events_n && holds_something(all[i].cp);
    }
    *ret = (struct decoded){n ? all[0].mn : (struct str){NULL, 0}, o.readings, o.readings_n, o.events, o.events_n};
    if (is_strange) ret->strange = "HJ 212 CP: nothing in it is a figure or a flag";
    return true;
}

/* QN of an upload is the station's own time (of an answer it is ours); some only count with it, and the time of what is
 * measured now is later, then. */
int64_t hj212_clock(const struct hj212_frame *f, const struct decoded *d) {
    int64_t sent_s = hj212_time_of(f->qn);
    if (!is_upload(f->command)) return 0;
    bool is_now = f->command == HJ212_REALTIME && d->readings_n;
    return is_now && d->readings[0].at_s > sent_s ? d->readings[0].at_s : sent_s;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct hj212_frame f;
    *ret = (struct decoded){0};
    if (!hj212_read(whole, &f, reterr)) {
        ret->sender = f.mn;
        return false;
    }
    if (hj212_mean(&f, 1, 0, a, ret)) {
        ret->clock_s = hj212_clock(&f, ret);
        return true;
    }
    *reterr = (struct wire_error){"out of memory", 0};
    return false;
}

/* ---- answers ---- */

static void put_field(struct buf *b, const char *key, struct str value) {
    if (value.ptr) buf_fmt(b, "%s=" STR_FMT ";", key, STR_ARG(value));
}

static void put_answer(const struct hj212_frame *f, struct buf *out) {
    char mem[512];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    put_field(&b, "QN", f->qn);
    buf_fmt(&b, "ST=91;CN=%d;", f->command == HJ212_CLOCK_NOTICE ? HJ212_NOTICE_ANSWER : HJ212_DATA_ANSWER);
    put_field(&b, "PW", f->pw);
    put_field(&b, "MN", f->mn);
    buf_fmt(&b, "Flag=%d;CP=&&&&", (int)(f->flag & ~(HJ212_ANSWER_WANTED | HJ212_PARTS)));
    if (!b.overflow) (void)hj212_encode((struct str){b.ptr, b.len}, out);
}

/* The station, or the instrument PolId of it, asks for the time: 1012 sets its clock.  Its own answers to that say
 * nothing that is waited for. */
static void put_clock(const struct hj212_frame *f, int64_t now_s, struct buf *out) {
    struct str rest = f->cp, key, value;
    char mem[512];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    buf_cstr(&b, "QN=");
    hj212_put_time(&b, now_s);
    buf_cstr(&b, "000;");
    put_field(&b, "ST", f->st.ptr ? f->st : S("91"));
    buf_fmt(&b, "CN=%d;", HJ212_SET_CLOCK);
    put_field(&b, "PW", f->pw);
    put_field(&b, "MN", f->mn);
    int64_t version = f->flag < 0 ? 0 : f->flag & ~(HJ212_ANSWER_WANTED | HJ212_PARTS);
    buf_fmt(&b, "Flag=%d;CP=&&", (int)(version | HJ212_ANSWER_WANTED));
    while (hj212_next(&rest, &key, &value))
        if (str_is(key, "PolId") && str_is_code(value) && !memchr(value.ptr, '&', value.len))
            put_field(&b, "PolId", value);
    buf_cstr(&b, "SystemTime=");
    hj212_put_time(&b, now_s);
    buf_cstr(&b, "&&");
    if (!b.overflow) (void)hj212_encode((struct str){b.ptr, b.len}, out);
}

/* 9014 for data, 9013 for a notice, where one is wanted.  A wrong packet gets none: it comes again. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    struct hj212_frame f;
    struct wire_error ignored;
    if (!ok || !hj212_decode(whole, &f, &ignored)) return;
    bool is_notice = f.command == HJ212_CLOCK_NOTICE, is_wanted = f.flag > 0 && f.flag & HJ212_ANSWER_WANTED;
    if (is_wanted && (is_upload(f.command) || is_notice)) put_answer(&f, out);
    if (is_notice) put_clock(&f, now_s, out);
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
    .follow = hj212_follow,
    .decode = decode,
    .reply = reply,
    .show = hj212_show,
    .make = hj212_make,
    .joining = &hj212_joining,
    .asking = &hj212_asking,
    .silent_after_ms = SILENT_MS,
    .is_text = true,
    .prove = prove,
};
