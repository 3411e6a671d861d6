/* A vehicle's terminal (2011, 2013 or 2019): registers, authenticates, says where it is, an emergency now and then; it
 * does what it is told.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/jt808/jt808.h"
#include "base/civil.h"
#include "main/simulate/simulate.h"
#include "protocol/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHINA_S   (8 * 3600)
#define NUMBERS   INT64_C(1000000000000) /* of terminals: 12 digits */
#define ALARM_ONE 25                     /* location of so many */
#define BATCH     3                      /* locations in one */
#define LONG_ONE  4 /* batch of so many was kept out of reach: it has LONG of them, and two parts */
#define LONG      30
#define KEPT      1

enum { LATITUDE, LONGITUDE, SPEED, COURSE, MILEAGE };
static const struct {
    int start, low, high, wander;
} ranges[] = {[LATITUDE] = {22543096, 22400000, 22700000, 900}, /* 1e-6 deg */
              [LONGITUDE] = {114057865, 113900000, 114200000, 900},
              [SPEED] = {180, 1, 700, 60}, /* 0.1 km/h */
              [COURSE] = {90, 1, 359, 20}};

static int walk(struct sim_device *d, size_t i) {
    int at = d->values[i] != 0 ? (int)d->values[i] : ranges[i].start;
    at += (int)(sim_random(d) % (2 * (uint64_t)ranges[i].wander + 1)) - ranges[i].wander;
    if (at < ranges[i].low) at = ranges[i].low;
    if (at > ranges[i].high) at = ranges[i].high;
    d->values[i] = at;
    return at;
}

static void put_bcd(uint8_t *to, int v) {
    *to = (uint8_t)(v / 10 % 10 << 4 | v % 10);
}

static void set_time(uint8_t time[6], int64_t s) {
    int32_t year, month, day;
    civil_from_day(s / 86400, &year, &month, &day);
    const int parts[] = {year % 100, month, day, (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60)};
    for (size_t i = 0; i < COUNT(parts); i++) put_bcd(&time[i], parts[i]);
}

/* Faster than 60 km/h is too fast: that alarm stays for as long. */
static void put_location(struct sim_device *d, int64_t now_s, struct buf *out) {
    char mem[32];
    struct buf extras;
    struct jt808_location l = {.status = 1 | JT808_FIXED,
                               .latitude = (uint32_t)walk(d, LATITUDE),
                               .longitude = (uint32_t)walk(d, LONGITUDE),
                               .altitude_m = 30,
                               .speed_dkmh = (uint16_t)walk(d, SPEED),
                               .course_deg = (uint16_t)walk(d, COURSE)};
    if (l.speed_dkmh > 600) l.alarm |= 2;
    if (sim_random(d) % ALARM_ONE == 0) l.alarm |= 1;
    d->values[MILEAGE] += l.speed_dkmh / 36.0; /* m in 10 s */
    set_time(l.time, now_s);
    buf_init(&extras, mem, sizeof mem);
    cursor_put_be(&extras, 0x0104, 2);
    cursor_put_be(&extras, (uint64_t)(d->values[MILEAGE] / 100), 4);
    cursor_put_be(&extras, 0x3001, 2);
    cursor_put_be(&extras, 18 + sim_random(d) % 12, 1);
    cursor_put_be(&extras, 0x3101, 2);
    cursor_put_be(&extras, 6 + sim_random(d) % 8, 1);
    l.extras = (struct bytes){(const uint8_t *)mem, extras.len};
    jt808_put_location(&l, out);
}

static bool is_of_19(const struct sim_options *o, const struct sim_device *d) {
    return str_is(sim_form(o, d), "2019");
}

static void set_terminal(const struct sim_options *o, const struct sim_device *d, struct jt808_frame *f) {
    bool of_19 = is_of_19(o, d);
    snprintf(f->terminal, sizeof f->terminal, "%0*" PRId64, of_19 ? JT808_DIGITS_19 : JT808_DIGITS,
             sim_number(o, d) % NUMBERS);
    f->version = of_19 ? JT808_VERSION_19 : 0;
}

static bool put(const struct sim_options *o, const struct sim_device *d, uint16_t message, uint16_t serial,
                const struct buf *body, struct buf *out) {
    struct jt808_frame f = {.message = message, .serial = serial, .body_n = body->len};
    set_terminal(o, d, &f);
    memcpy(f.body, body->ptr, body->len);
    return !body->overflow && jt808_encode(&f, out) && !out->overflow;
}

/* ---- a message in parts ---- */

static uint16_t parts_of(const struct sim_device *d) {
    return (uint16_t)((d->kept_n + JT808_BODY_MAX - 1) / JT808_BODY_MAX);
}

static bool put_part(const struct sim_options *o, const struct sim_device *d, uint16_t part, struct buf *out) {
    size_t from = (size_t)(part - 1) * JT808_BODY_MAX;
    if (!part || part > parts_of(d)) return true; /* there is none */
    struct jt808_frame f = {.message = JT808_BATCH,
                            .serial = (uint16_t)(d->kept_serial + part - 1),
                            .parts = parts_of(d),
                            .part = part,
                            .body_n = d->kept_n - from < JT808_BODY_MAX ? d->kept_n - from : JT808_BODY_MAX};
    set_terminal(o, d, &f);
    memcpy(f.body, d->kept + from, f.body_n);
    return jt808_encode(&f, out) && !out->overflow;
}

/* On a line that loses things the last part is left out every other time, until it is asked for.  The serial of the
 * message is that of its last part, which is answered last. */
static bool put_parts(const struct sim_options *o, struct sim_device *d, const struct buf *body, struct buf *out) {
    bool ok = !body->overflow && body->len <= sizeof d->kept, loses = o->faults >> SIM_LOST & 1;
    if (!ok) return false;
    memcpy(d->kept, body->ptr, body->len);
    d->kept_n = body->len;
    d->kept_serial = d->serial;
    uint16_t parts = parts_of(d);
    d->is_left_out = loses && sim_random(d) % 2;
    d->serial = (uint16_t)(d->serial + parts - 1);
    for (uint16_t part = 1; ok && part <= parts - d->is_left_out; part++) ok = put_part(o, d, part, out);
    return ok;
}

/* 8003: serial of the first part, how many (2019: two bytes), which. */
static bool say_again(const struct sim_options *o, struct sim_device *d, const struct jt808_frame *f, struct buf *out) {
    struct cursor c = cursor_of((struct bytes){f->body, f->body_n});
    bool ok = cursor_u16_be(&c) == d->kept_serial && d->kept_n;
    uint64_t n = cursor_be(&c, is_of_19(o, d) ? 2 : 1);
    if (ok) d->is_left_out = false;
    for (; ok && n && !c.is_broken; n--) ok = put_part(o, d, cursor_u16_be(&c), out);
    return true;
}

static void put_batch(struct sim_device *d, int64_t now_s, int n, struct buf *b) {
    cursor_put_be(b, (uint64_t)n, 2);
    cursor_put_be(b, n == LONG ? KEPT : 0, 1);
    while (n-- > 0) {
        char one[64];
        struct buf l;
        buf_init(&l, one, sizeof one);
        put_location(d, now_s - n * 10, &l);
        cursor_put_be(b, l.len, 2);
        buf_add(b, one, l.len);
    }
}

static bool speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char mem[SIM_KEPT_MAX + 1];
    struct buf b;
    int64_t now_s = sim_clock_ms(d, now_ms) / 1000 + CHINA_S;
    uint64_t what = sim_random(d) % 10;
    buf_init(&b, mem, sizeof mem);
    if (what < 2) return put(o, d, JT808_HEARTBEAT, d->serial, &b, out);
    if (what < 9) {
        put_location(d, now_s, &b);
        return put(o, d, JT808_LOCATION, d->serial, &b, out);
    }
    bool is_long = sim_random(d) % LONG_ONE == 0 && !d->is_left_out; /* one is kept */
    put_batch(d, now_s, is_long ? LONG : BATCH, &b);
    return is_long ? put_parts(o, d, &b, out) : put(o, d, JT808_BATCH, d->serial, &b, out);
}

/* A field of so many bytes, zeros behind the text. */
static void put_field(struct buf *b, size_t bytes, const char *text) {
    size_t n = strlen(text);
    buf_add(b, text, n < bytes ? n : bytes);
    for (; n < bytes; n++) buf_char(b, 0);
}

/* Registration: province, city, maker, model, terminal, colour, plate in GBK. */
static bool greet(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    char mem[128], number[16];
    struct buf b;
    bool of_19 = is_of_19(o, d), of_11 = str_is(sim_form(o, d), "2011");
    snprintf(number, sizeof number, "%07u", (unsigned)d->index);
    buf_init(&b, mem, sizeof mem);
    cursor_put_be(&b, 44, 2);
    cursor_put_be(&b, 300, 2);
    put_field(&b, of_19 ? 11 : 5, "LINLI");
    put_field(&b, of_19 ? 30 : of_11 ? 8 : 20, "SIMULATE");
    put_field(&b, of_19 ? 30 : 7, number);
    buf_fmt(&b, "\x02\xd4\xc1%c%05u", 'B', (unsigned)d->index);
    return put(o, d, JT808_REGISTER, 0, &b, out);
}

/* The code that came with the registration; 2019 says its length, an IMEI and the software, too. */
static bool authenticate(const struct sim_options *o, const struct sim_device *d, const struct jt808_frame *f,
                         struct buf *b, struct buf *out) {
    bool of_19 = is_of_19(o, d);
    size_t n = f->body_n - 3; /* behind serial and result */
    if (of_19) cursor_put_be(b, n, 1);
    buf_add(b, f->body + 3, n);
    if (of_19) buf_fmt(b, "86%013" PRId64, sim_number(o, d));
    if (of_19) put_field(b, 20, LINLI_VERSION);
    return put(o, d, JT808_AUTHENTICATE, 0, b, out);
}

static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    struct jt808_frame f;
    struct wire_error e;
    enum frame what = jt808_codec.frame(in, ret_used);
    if (what == FRAME_SHORT) return SIM_NOTHING;
    if (what == FRAME_SKIP || !jt808_decode((struct bytes){in.ptr, *ret_used}, &f, &e)) return SIM_OTHER;
    struct cursor c = cursor_of((struct bytes){f.body, f.body_n});
    uint16_t serial = cursor_u16_be(&c);
    if (f.message == JT808_REGISTERED) return cursor_u8(&c) == JT808_OK && !c.is_broken ? SIM_ASKED : SIM_REFUSED;
    if (f.message != JT808_CENTRE_ANSWER) return SIM_ASKED;
    bool of_log_in = cursor_u16_be(&c) == JT808_AUTHENTICATE;
    uint8_t result = cursor_u8(&c);
    bool ok = !c.is_broken && (result == JT808_OK || result == JT808_ALARM_CONFIRMED);
    *ret_serial = serial;
    return of_log_in ? (ok ? SIM_READY : SIM_REFUSED) : ok ? SIM_CONFIRMED : SIM_DENIED;
}

static void put_parameters(struct buf *b) {
    static const struct { uint32_t id, value; } all[] = {{0x0001, 60}, {0x0027, 300}, {0x0029, 10}};
    cursor_put_be(b, COUNT(all), 1);
    for (size_t i = 0; i < COUNT(all); i++) {
        cursor_put_be(b, all[i].id, 4);
        cursor_put_be(b, 4, 1);
        cursor_put_be(b, all[i].value, 4);
    }
}

/* The code of the registration comes back as authentication; what is asked for is said, what is told confirmed. */
static bool answer(const struct sim_options *o, struct sim_device *d, struct bytes heard, struct buf *out) {
    char mem[JT808_BODY_MAX + 1];
    struct jt808_frame f;
    struct wire_error e;
    struct buf b;
    if (!jt808_decode(heard, &f, &e)) return false;
    buf_init(&b, mem, sizeof mem);
    if (f.message == JT808_REGISTERED) return authenticate(o, d, &f, &b, out);
    if (f.message == JT808_RESEND) return say_again(o, d, &f, out);
    cursor_put_be(&b, f.serial, 2);
    switch (f.message) {
    case JT808_GET_PARAMETERS: put_parameters(&b); return put(o, d, JT808_PARAMETERS, 0, &b, out);
    case JT808_LOCATE:
        put_location(d, sim_clock_ms(d, o->world->utc_ms(o->world->self)) / 1000 + CHINA_S, &b);
        return put(o, d, JT808_LOCATION_ANSWER, 0, &b, out);
    default: break;
    }
    bool is_known = f.message == JT808_SET_PARAMETERS || f.message == JT808_CONTROL || f.message == JT808_TEXT;
    cursor_put_be(&b, f.message, 2);
    cursor_put_be(&b, is_known ? JT808_OK : JT808_UNSUPPORTED, 1);
    return put(o, d, JT808_ANSWER, 0, &b, out);
}

const struct sim_protocol sim_jt808 = {.name = "jt808",
                                       .forms = "2013,2019,2011",
                                       .port = 21900,
                                       .faults = SIM_WIRE_FAULTS | 1u << SIM_DRIFT,
                                       .sum_at = 2,
                                       .greet = greet,
                                       .speak = speak,
                                       .hear = hear,
                                       .answer = answer};
