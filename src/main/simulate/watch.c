/* A bracelet of maker ZJ: alive, where it is, vital signs, an alarm now and then; it does what it is told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch.h"
#include "base/civil.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>

#define NUMBERS   INT64_C(10000000000000) /* of devices: what an IMEI has room for behind 86 */
#define ALARM_ONE 25                      /* message of so many */

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

static void put(const struct sim_options *o, const struct sim_device *d, struct str serial, struct str content,
                struct buf *out) {
    char id[24];
    struct buf b;
    buf_init(&b, id, sizeof id);
    buf_fmt(&b, "86%013" PRId64, (o->first + (int64_t)d->index) % NUMBERS);
    watch_encode(&(struct watch_frame){.maker = S("ZJ"), .id = {id, b.len}, .serial = serial, .content = content}, out);
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

/* A position is not answered: what says that the watch is alive goes behind it, and is. */
static bool speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
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

static bool greet(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    put(o, d, S("0000"), S("INIT"), out);
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
    if (str_is(f.content, "INIT,1")) return SIM_READY;
    if (!f.fields.ptr && word_in("LK AL heart bphrt oxygen btemp2", f.command))
        return read_serial(f.serial, ret_serial) ? SIM_CONFIRMED : SIM_OTHER;
    return f.maker.ptr ? SIM_ASKED : SIM_OTHER;
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
                                       .port = 21800,
                                       .faults = SIM_WIRE_FAULTS | 1u << SIM_DRIFT,
                                       .sum_at = 1,
                                       .greet = greet,
                                       .speak = speak,
                                       .hear = hear,
                                       .answer = answer};
