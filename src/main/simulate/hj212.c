/* A station of dust, air and noise: real time mostly, an hour's figures now and then, instruments that fail; a clock,
 * intervals and history for those who know its password.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>
#include <string.h>

#define CHINA_S     (8 * 3600) /* stations keep local time */
#define PASSWORD    123456
#define DATA_MAX    1024 /* bytes of one packet */
#define HISTORY_MAX 16   /* packets of one answer */

/* Places in sim_device.told. */
enum { INTERVAL, MINUTES, SECRET };

static const struct {
    const char *code;
    int start, low, high, wander; /* in tenths */
} factors[] = {{"a34004", 352, 20, 1500, 15},
               {"a34002", 610, 40, 3000, 25},
               {"a01001", 215, -100, 420, 3},
               {"a01002", 551, 150, 1000, 8},
               {"LA", 523, 350, 900, 20}};

static int next_value(struct sim_device *d, size_t i) {
    int at = d->values[i] != 0 ? (int)d->values[i] : factors[i].start;
    at += (int)(sim_random(d) % (2 * (uint64_t)factors[i].wander + 1)) - factors[i].wander;
    if (at < factors[i].low) at = factors[i].low;
    if (at > factors[i].high) at = factors[i].high;
    d->values[i] = at;
    return at * (1000 + d->drifted) / 1000;
}

static void put_tenths(struct buf *b, int v) {
    buf_fmt(b, "%s%d.%d", v < 0 ? "-" : "", (v < 0 ? -v : v) / 10, (v < 0 ? -v : v) % 10);
}

/* Of one factor in fifty the instrument fails for once: the flag says so. */
static void put_factor(struct buf *b, struct sim_device *d, size_t i, bool is_average) {
    int v = next_value(d, i);
    char flag = sim_random(d) % 50 ? 'N' : "DMBT"[sim_random(d) % 4];
    if (!is_average) {
        buf_fmt(b, ";%s-Rtd=", factors[i].code);
        put_tenths(b, v);
    } else {
        static const char *const suffixes[] = {"Min", "Avg", "Max"};
        for (int k = 0; k < 3; k++) {
            buf_fmt(b, "%c%s-%s=", k ? ',' : ';', factors[i].code, suffixes[k]);
            put_tenths(b, v + (k - 1) * factors[i].wander);
        }
    }
    buf_fmt(b, ",%s-Flag=%c", factors[i].code, flag);
}

/* QN is a time; in its minute, second and millisecond stands the number of the message, which the answer repeats. */
static void put_number(struct buf *b, int64_t s, uint16_t serial) {
    char hour[16];
    struct buf text;
    buf_init(&text, hour, sizeof hour);
    hj212_put_time(&text, s);
    buf_fmt(b, "QN=%.10s%02u%05u;", hour, serial / 60000u, serial % 60000u);
}

static int64_t clock_s(const struct sim_device *d, int64_t now_ms) {
    return now_ms / 1000 + CHINA_S + d->shift_s;
}

static int64_t told(const struct sim_device *d, size_t what, int64_t otherwise) {
    return d->told[what] ? d->told[what] : otherwise;
}

static void put_name(struct buf *b, const struct sim_options *opt, const struct sim_device *d) {
    buf_fmt(b, "MN=440300LINLI%013" PRId64 ";", opt->first + (int64_t)d->index);
}

/* DataTime and factors: what is measured now, or of the period that began then. */
static void put_data(struct buf *b, struct sim_device *d, int64_t at_s, bool is_average) {
    buf_cstr(b, "DataTime=");
    hj212_put_time(b, at_s);
    for (size_t i = 0; i < COUNT(factors); i++) put_factor(b, d, i, is_average);
}

static bool speak(const struct sim_options *opt, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char mem[DATA_MAX];
    struct buf b;
    int64_t now_s = clock_s(d, now_ms);
    bool hour = sim_random(d) % 10 == 0;
    buf_init(&b, mem, sizeof mem);
    put_number(&b, now_s, d->serial);
    buf_fmt(&b, "ST=39;CN=%d;PW=%06" PRId64 ";", hour ? HJ212_HOUR : HJ212_REALTIME, told(d, SECRET, PASSWORD));
    put_name(&b, opt, d);
    buf_cstr(&b, "Flag=5;CP=&&");
    put_data(&b, d, hour ? now_s / 3600 * 3600 - 3600 : now_s, hour);
    buf_cstr(&b, "&&");
    return !b.overflow && hj212_encode((struct str){b.ptr, b.len}, out) && !out->overflow;
}

static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    struct hj212_frame f;
    struct wire_error e;
    int64_t minute, rest;
    enum frame what = hj212_codec.frame(in, ret_used);
    if (what == FRAME_SHORT) return SIM_NOTHING;
    if (what == FRAME_SKIP || !hj212_decode((struct bytes){in.ptr, *ret_used}, &f, &e)) return SIM_OTHER;
    if (f.command < HJ212_REQUEST_ANSWER) return SIM_ASKED;
    if (f.command != HJ212_DATA_ANSWER || f.qn.len != 17) return SIM_OTHER;
    if (!str_to_i64((struct str){f.qn.ptr + 10, 2}, &minute) || !str_to_i64(str_from(f.qn, 12), &rest))
        return SIM_OTHER;
    *ret_serial = (uint16_t)(minute * 60000 + rest);
    return SIM_CONFIRMED;
}

/* ---- what it is asked and told ---- */

enum { DONE = 1, WRONG_CONDITION = 3, NO_DATA = 100 };                             /* ExeRtn */
enum { ACCEPTED = 1, WRONG_PASSWORD = 3, WRONG_STATION = 4, NO_SUCH_COMMAND = 8 }; /* QnRtn */
struct asked {
    const struct sim_options *o;
    struct sim_device *d;
    struct hj212_frame f;
    int64_t now_s;
    struct buf *out;
    bool is_bad; /* an answer did not fit */
};

static struct str item_of(const struct asked *x, const char *key) {
    struct str rest = x->f.cp, k, value;
    while (hj212_next(&rest, &k, &value))
        if (str_is(k, key)) return value;
    return (struct str){NULL, 0};
}

static bool number_of(const struct asked *x, const char *key, int64_t *ret) {
    return str_to_i64(item_of(x, key), ret) && *ret > 0 && *ret < 1000000;
}

/* One packet with the number of the question; parts 0: it is the only one. */
static void say(struct asked *x, int cn, size_t part, size_t parts, const struct buf *cp) {
    char mem[2 * DATA_MAX];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    if (x->f.qn.ptr) buf_fmt(&b, "QN=" STR_FMT ";", STR_ARG(x->f.qn));
    buf_fmt(&b, "ST=%d;CN=%d;PW=%06" PRId64 ";", cn < HJ212_REQUEST_ANSWER ? 39 : 91, cn, told(x->d, SECRET, PASSWORD));
    put_name(&b, x->o, x->d);
    buf_fmt(&b, "Flag=%d;", HJ212_VERSION_2017 | (parts ? HJ212_PARTS : 0));
    if (parts) buf_fmt(&b, "PNUM=%zu;PNO=%zu;", parts, part);
    buf_fmt(&b, "CP=&&" STR_FMT "&&", STR_ARG(((struct str){cp->ptr, cp->len})));
    x->is_bad |= cp->overflow || b.overflow || !hj212_encode((struct str){mem, b.len}, x->out);
}

static void say_text(struct asked *x, int cn, const char *fmt, ...) PRINTF(3, 4);
static void say_text(struct asked *x, int cn, const char *fmt, ...) {
    char mem[DATA_MAX];
    struct buf cp;
    va_list args;
    buf_init(&cp, mem, sizeof mem);
    va_start(args, fmt);
    buf_vfmt(&cp, fmt, args);
    va_end(args);
    say(x, cn, 0, 0, &cp);
}

static void say_data(struct asked *x, int64_t at_s, size_t part, size_t parts) {
    char mem[DATA_MAX];
    struct buf cp;
    buf_init(&cp, mem, sizeof mem);
    if (x->f.command == HJ212_STATE || x->f.command == HJ212_DAY_STATE) {
        buf_cstr(&cp, "DataTime=");
        hj212_put_time(&cp, at_s);
        buf_cstr(&cp, x->f.command == HJ212_STATE ? ";SB1-RS=1" : ";SB1-RT=23.50");
    } else {
        put_data(&cp, x->d, at_s, x->f.command != HJ212_REALTIME);
    }
    say(x, (int)x->f.command, part, parts, &cp);
}

/* The periods that began from when to when, and are over; the first ones where there are more. */
static int say_history(struct asked *x, int64_t period_s) {
    int64_t from_s = hj212_time_of(item_of(x, "BeginTime")), to_s = hj212_time_of(item_of(x, "EndTime"));
    if (!from_s || !to_s) return WRONG_CONDITION;
    from_s = (from_s + period_s - 1) / period_s * period_s;
    if (to_s > x->now_s - period_s) to_s = x->now_s - period_s;
    if (to_s < from_s) return NO_DATA;
    size_t n = (size_t)((to_s - from_s) / period_s) + 1;
    if (n > HISTORY_MAX) n = HISTORY_MAX;
    for (size_t i = 0; i < n; i++) say_data(x, from_s + (int64_t)i * period_s, i + 1, n);
    return DONE;
}

static int set_clock(struct asked *x) {
    int64_t s = hj212_time_of(item_of(x, "SystemTime"));
    if (!s) return WRONG_CONDITION;
    x->d->shift_s += s - x->now_s;
    return DONE;
}

static int set_told(struct asked *x, size_t what, const char *key) {
    int64_t n;
    if (!number_of(x, key, &n)) return WRONG_CONDITION;
    x->d->told[what] = n;
    return DONE;
}

/* Of an instrument: what CP says of it. */
static int say_instrument(struct asked *x) {
    struct str factor = item_of(x, "PolId"), info = item_of(x, "InfoId");
    int cn = (int)x->f.command;
    if (!factor.len || factor.len > 20 || info.len > 20) return WRONG_CONDITION;
    switch (cn) {
    case HJ212_GET_SAMPLING: say_text(x, cn, "PolId=" STR_FMT ";CstartTime=080000;CTime=2", STR_ARG(factor)); break;
    case 3018: say_text(x, cn, "PolId=" STR_FMT ";Stime=30", STR_ARG(factor)); break;
    case 3019: say_text(x, cn, "PolId=" STR_FMT ";" STR_FMT "-SN=2026001", STR_ARG(factor), STR_ARG(factor)); break;
    case HJ212_GET_INFO:
        if (!info.len) return WRONG_CONDITION;
        say_text(x, cn, "PolId=" STR_FMT ";" STR_FMT "-Info=1", STR_ARG(factor), STR_ARG(info));
        break;
    default: break; /* 3011 calibrate, 3012 sample …: done */
    }
    return DONE;
}

/* ExeRtn; 0: there is no such command. */
static int obey(struct asked *x) {
    const struct sim_device *d = x->d;
    char mem[16];
    struct buf time;
    buf_init(&time, mem, sizeof mem);
    hj212_put_time(&time, x->now_s);
    switch (x->f.command) {
    case 1000: return DONE;
    case HJ212_GET_CLOCK: say_text(x, HJ212_GET_CLOCK, "SystemTime=%s", mem); return DONE;
    case HJ212_SET_CLOCK: return set_clock(x);
    case HJ212_GET_INTERVAL:
        say_text(x, HJ212_GET_INTERVAL, "RtdInterval=%" PRId64, told(d, INTERVAL, 30));
        return DONE;
    case HJ212_SET_INTERVAL: return set_told(x, INTERVAL, "RtdInterval");
    case HJ212_GET_MINUTES: say_text(x, HJ212_GET_MINUTES, "MinInterval=%" PRId64, told(d, MINUTES, 10)); return DONE;
    case HJ212_SET_MINUTES: return set_told(x, MINUTES, "MinInterval");
    case HJ212_SET_PASSWORD: return set_told(x, SECRET, "NewPW");
    case HJ212_REALTIME:
    case HJ212_STATE: say_data(x, x->now_s, 0, 0); return DONE;
    case HJ212_DAY:
    case HJ212_DAY_STATE: return say_history(x, 86400);
    case HJ212_HOUR: return say_history(x, 3600);
    case HJ212_MINUTE: return say_history(x, 60 * told(d, MINUTES, 10));
    case HJ212_KEEP_SAMPLE: say_text(x, HJ212_KEEP_SAMPLE, "DataTime=%s;VaseNo=1", mem); return DONE;
    default: return x->f.command >= 3011 && x->f.command <= 3021 ? say_instrument(x) : 0;
    }
}

static bool is_own(const struct asked *x) {
    char mem[64];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    put_name(&b, x->o, x->d);
    return str_eq(x->f.mn, (struct str){mem + 3, b.len - 4}); /* without MN= and ; */
}

static bool answer(const struct sim_options *opt, struct sim_device *d, struct bytes heard, struct buf *out) {
    struct asked x = {.o = opt, .d = d, .now_s = clock_s(d, opt->world->utc_ms(opt->world->self)), .out = out};
    struct wire_error e;
    char mem[SIM_ANSWER_MAX];
    struct buf data;
    int64_t secret;
    if (!hj212_decode(heard, &x.f, &e)) return false;
    bool is_wanted = x.f.flag > 0 && x.f.flag & HJ212_ANSWER_WANTED;
    bool is_let = str_to_i64(x.f.pw, &secret) && secret == told(d, SECRET, PASSWORD);
    buf_init(&data, mem, sizeof mem);
    x.out = &data; /* data go behind the answer to the request, which says whether there are any */
    int result = is_own(&x) && is_let ? obey(&x) : 0;
    x.out = out;
    if (x.f.command == 2012 || x.f.command == 2022) { /* notices */
        if (is_wanted) say_text(&x, HJ212_NOTICE_ANSWER, "%s", "");
        return !x.is_bad;
    }
    int request = !is_own(&x) ? WRONG_STATION : !is_let ? WRONG_PASSWORD : result ? ACCEPTED : NO_SUCH_COMMAND;
    if (is_wanted) say_text(&x, HJ212_REQUEST_ANSWER, "QnRtn=%d", request);
    buf_add(out, data.ptr, data.len);
    if (is_wanted && result) say_text(&x, HJ212_RESULT, "ExeRtn=%d", result);
    return !x.is_bad && !data.overflow && !out->overflow;
}

const struct sim_protocol sim_hj212 = {.name = "hj212",
                                       .port = 21200,
                                       .faults = SIM_WIRE_FAULTS | 1u << SIM_DRIFT,
                                       .sum_at = 3,
                                       .speak = speak,
                                       .hear = hear,
                                       .answer = answer};
