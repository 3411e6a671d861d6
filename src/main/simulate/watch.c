/* Bracelets of makers in brackets (ZJ with serials, others without) and of IW: alive, where they are, vital signs, an
 * alarm now and then; those in brackets do what they are told.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch.h"
#include "base/civil.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>

#define NUMBERS    INT64_C(10000000000000) /* of devices: what an IMEI has room for behind 86 */
#define NUMBERS_10 INT64_C(10000000000)    /* what ten digits have */
#define ALARM_ONE  25                      /* message of so many */

enum { LATITUDE, LONGITUDE, BATTERY, STEPS, HEART, SYSTOLIC, DIASTOLIC, OXYGEN, TEMPERATURE };
static const struct {
    int start, low, high, wander;
} ranges[] = {[LATITUDE] = {22543096, 22500000, 22600000, 60}, /* 1e-6 deg */
              [LONGITUDE] = {114057865, 114000000, 114100000, 60},
              [BATTERY] = {90, 5, 100, 1},
              [STEPS] = {0, 0, 100000, 0},
              [HEART] = {72, 48, 150, 4},
              [SYSTOLIC] = {124, 95, 185, 4},
              [DIASTOLIC] = {79, 55, 115, 3},
              [OXYGEN] = {97, 88, 100, 1},
              [TEMPERATURE] = {3640, 3560, 3890, 6}}; /* 0.01 Cel */

static int walk(struct sim_device *d, size_t i) {
    int at = d->values[i] != 0 ? (int)d->values[i] : ranges[i].start;
    at += (int)(sim_random(d) % (2 * (uint64_t)ranges[i].wander + 1)) - ranges[i].wander;
    if (i == STEPS) at += (int)(sim_random(d) % 40);
    if (at < ranges[i].low) at = ranges[i].low;
    if (at > ranges[i].high) at = ranges[i].high;
    d->values[i] = at;
    return at;
}

static bool is_iw(const struct sim_options *o, const struct sim_device *d) {
    return str_is(sim_form(o, d), "IW");
}

static bool is_numbered(const struct sim_options *o, const struct sim_device *d) {
    return str_is(sim_form(o, d), "ZJ");
}

static void put_imei(const struct sim_options *o, const struct sim_device *d, struct buf *b) {
    buf_fmt(b, "86%013" PRId64, sim_number(o, d) % NUMBERS);
}

/* ZJ: a serial and an IMEI; the others: ten digits. */
static void put(const struct sim_options *o, const struct sim_device *d, struct str serial, struct str content,
                struct buf *out) {
    char id[24];
    struct buf b;
    bool has_serial = is_numbered(o, d);
    buf_init(&b, id, sizeof id);
    if (has_serial)
        put_imei(o, d, &b);
    else
        buf_fmt(&b, "%010" PRId64, sim_number(o, d) % NUMBERS_10);
    watch_encode(&(struct watch_frame){.maker = sim_form(o, d),
                                       .id = {id, b.len},
                                       .serial = has_serial ? serial : (struct str){NULL, 0},
                                       .content = content},
                 out);
}

/* One in ten positions is without a fix, as inside a house. */
static void put_position(struct sim_device *d, const char *command, uint32_t status, int64_t now_ms, struct buf *b) {
    int32_t year, month, day;
    int64_t s = sim_clock_ms(d, now_ms) / 1000;
    int latitude = walk(d, LATITUDE), longitude = walk(d, LONGITUDE);
    bool has_fix = sim_random(d) % 10;
    civil_from_day(s / 86400, &year, &month, &day);
    if (walk(d, BATTERY) < 20) status |= 1;
    buf_fmt(b, "%s,%02d%02d%02d,%02d%02d%02d,%c,%d.%06d,N,%d.%06d,E,0.%d,%d.0,0.0,%d,%d,%d,%d,0,%08" PRIX32, command,
            (int)day, (int)month, (int)(year % 100), (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60),
            has_fix ? 'A' : 'V', latitude / 1000000, latitude % 1000000, longitude / 1000000, longitude % 1000000,
            (int)(sim_random(d) % 10), (int)(sim_random(d) % 360), has_fix ? 8 : 0, 60 + (int)(sim_random(d) % 40),
            (int)d->values[BATTERY], walk(d, STEPS), status);
    buf_cstr(b, ",1,255,460,0,9340,3663,35");
}

static void put_vital(struct sim_device *d, struct buf *b) {
    int temperature;
    switch (sim_random(d) % 4) {
    case 0: buf_fmt(b, "heart,%d", walk(d, HEART)); return;
    case 1: buf_fmt(b, "bphrt,%d,%d,%d,,,,", walk(d, SYSTOLIC), walk(d, DIASTOLIC), walk(d, HEART)); return;
    case 2: buf_fmt(b, "oxygen,0,%d", walk(d, OXYGEN)); return;
    default:
        temperature = walk(d, TEMPERATURE);
        buf_fmt(b, "btemp2,1,%d.%02d", temperature / 100, temperature % 100);
        return;
    }
}

static struct str serial_of(uint16_t serial, char *mem, size_t size) {
    struct buf b;
    buf_init(&b, mem, size);
    buf_fmt(&b, "%04X", serial);
    return (struct str){mem, b.len};
}

/* ---- IW: no frame but the log-in says whose it is, and each is answered under its number ---- */

/* ddmm.mmmm of 1e-6 degrees, as many digits of degrees. */
static void put_degrees(struct buf *b, int digits, int v, char letter) {
    int minutes = (int)((int64_t)(v % 1000000) * 60 / 100); /* 1e-4 */
    buf_fmt(b, "%0*d%02d.%04d%c", digits, v / 1000000, minutes / 10000, minutes % 10000, letter);
}

static void put_iw_status(struct sim_device *d, bool has_fix, struct buf *b) {
    buf_fmt(b, "%03d%03d%03d00102", 60 + (int)(sim_random(d) % 40), has_fix ? 8 : 0, walk(d, BATTERY));
}

static void put_iw_position(struct sim_device *d, const char *command, int64_t now_ms, struct buf *b) {
    int32_t year, month, day;
    int64_t s = sim_clock_ms(d, now_ms) / 1000;
    bool has_fix = sim_random(d) % 10;
    civil_from_day(s / 86400, &year, &month, &day);
    buf_fmt(b, "%s%02d%02d%02d%c", command, (int)(year % 100), (int)month, (int)day, has_fix ? 'A' : 'V');
    put_degrees(b, 2, walk(d, LATITUDE), 'N');
    put_degrees(b, 3, walk(d, LONGITUDE), 'E');
    buf_fmt(b, "000.%d%02d%02d%02d%03d.00", (int)(sim_random(d) % 10), (int)(s / 3600 % 24), (int)(s / 60 % 60),
            (int)(s % 60), (int)(sim_random(d) % 360));
    put_iw_status(d, has_fix, b);
    buf_cstr(b, ",460,0,9520,3671");
}

static void put_iw_vital(struct sim_device *d, struct buf *b) {
    int temperature = walk(d, TEMPERATURE);
    switch (sim_random(d) % 4) {
    case 0: buf_fmt(b, "AP49,%d", walk(d, HEART)); return;
    case 1: buf_fmt(b, "APHT,%d,%d,%d", walk(d, HEART), walk(d, SYSTOLIC), walk(d, DIASTOLIC)); return;
    case 2:
        buf_fmt(b, "APHP,%d,%d,%d,%d,,%d.%02d,,,,,,,", walk(d, HEART), walk(d, SYSTOLIC), walk(d, DIASTOLIC),
                walk(d, OXYGEN), temperature / 100, temperature % 100);
        return;
    default: buf_fmt(b, "AP50,%d.%02d,%d", temperature / 100, temperature % 100, walk(d, BATTERY)); return;
    }
}

static bool speak_iw(struct sim_device *d, int64_t now_ms, struct buf *out) {
    static const char *const alarms[] = {"01", "01", "06", "03", "02"}; /* SOS twice as often */
    char mem[256];
    struct buf b;
    uint64_t what = sim_random(d) % 10;
    buf_init(&b, mem, sizeof mem);
    if (sim_random(d) % ALARM_ONE == 0) {
        put_iw_position(d, "AP10", now_ms, &b);
        buf_fmt(&b, ",%s,zh-cn,00,", alarms[sim_random(d) % COUNT(alarms)]);
    } else if (what < 4) {
        put_iw_vital(d, &b);
    } else if (what < 8) {
        put_iw_position(d, "AP01", now_ms, &b);
        buf_cstr(&b, ",Home|74-DE|97");
    } else {
        buf_cstr(&b, "AP03,");
        put_iw_status(d, true, &b);
        buf_fmt(&b, ",%d,0", walk(d, STEPS));
    }
    watch_encode(&(struct watch_frame){.content = {mem, b.len}}, out);
    return !b.overflow && !out->overflow;
}

/* ---- in brackets ---- */

/* A position is not answered: what says that the watch is alive goes behind it, and is. */
static bool speak_brackets(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    static const uint32_t alarms[] = {1u << 16, 1u << 16, 1u << 21, 1u << 20, 1u << 17}; /* SOS twice as often */
    char digits[8], mem[SIM_FRAME_MAX];
    struct str serial = serial_of(d->serial, digits, sizeof digits);
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    uint64_t what = sim_random(d) % 10;
    if (sim_random(d) % ALARM_ONE == 0) {
        put_position(d, "AL", alarms[sim_random(d) % COUNT(alarms)], now_ms, &b);
    } else if (what < 4) {
        put_vital(d, &b);
    } else {
        if (what < 8) {
            put_position(d, "UD", 0, now_ms, &b);
            put(o, d, serial, (struct str){mem, b.len}, out);
            buf_init(&b, mem, sizeof mem);
        }
        buf_fmt(&b, "LK,%d,0,%d", walk(d, STEPS), walk(d, BATTERY));
    }
    put(o, d, serial, (struct str){mem, b.len}, out);
    return !b.overflow && !out->overflow;
}

static bool speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    return is_iw(o, d) ? speak_iw(d, now_ms, out) : speak_brackets(o, d, now_ms, out);
}

static bool greet(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    if (is_iw(o, d)) {
        buf_cstr(out, "IWAP00");
        put_imei(o, d, out);
        buf_char(out, '#');
    } else {
        put(o, d, S("0000"), S("INIT"), out);
    }
    return !out->overflow;
}

static bool read_serial(struct str digits, uint16_t *ret) {
    unsigned v = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        v = v << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    *ret = (uint16_t)v;
    return digits.len;
}

static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    struct watch_frame f;
    struct wire_error e;
    enum frame what = watch_codec.frame(in, ret_used);
    if (what == FRAME_SHORT) return SIM_NOTHING;
    if (what == FRAME_SKIP || !watch_decode((struct bytes){in.ptr, *ret_used}, &f, &e)) return SIM_OTHER;
    if (str_is(f.content, "INIT,1") || str_is(f.command, "BP00")) return SIM_READY;
    if (!f.maker.ptr) return f.fields.ptr ? SIM_OTHER : SIM_NEXT_CONFIRMED;
    if (f.fields.ptr || !word_in("LK AL heart bphrt oxygen btemp2", f.command)) return SIM_ASKED;
    return read_serial(f.serial, ret_serial) ? SIM_CONFIRMED : SIM_NEXT_CONFIRMED;
}

/* Repeats the command; where it is, it says as well. */
static bool answer(const struct sim_options *o, struct sim_device *d, struct bytes heard, struct buf *out) {
    char digits[8], mem[256];
    struct watch_frame f;
    struct wire_error e;
    struct buf b;
    if (!watch_decode(heard, &f, &e)) return false;
    put(o, d, f.serial.ptr ? f.serial : serial_of(d->serial, digits, sizeof digits), f.command, out);
    if (!str_is(f.command, "CR")) return !out->overflow;
    buf_init(&b, mem, sizeof mem);
    put_position(d, "UD", 0, o->world->utc_ms(o->world->self), &b);
    put(o, d, S("0000"), (struct str){mem, b.len}, out);
    return !b.overflow && !out->overflow;
}

/* There is no sum: what SIM_BADSUM breaks is the end of the frame. */
const struct sim_protocol sim_watch = {.name = "watch",
                                       .forms = "ZJ,3G,IW,SG,CS",
                                       .port = 21800,
                                       .faults = SIM_WIRE_FAULTS | 1u << SIM_DRIFT,
                                       .sum_at = 1,
                                       .greet = greet,
                                       .speak = speak,
                                       .hear = hear,
                                       .answer = answer};
