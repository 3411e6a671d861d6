/* A station of dust, air and noise: real time mostly, an hour's figures now and then, instruments that fail.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212.h"
#include "base/civil.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>
#include <string.h>

#define CHINA_S (8 * 3600) /* stations keep local time */

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
    return at;
}

static void put_tenths(struct buf *b, int v) {
    buf_fmt(b, "%s%d.%d", v < 0 ? "-" : "", (v < 0 ? -v : v) / 10, (v < 0 ? -v : v) % 10);
}

/* Of one factor in fifty the instrument fails for once: the flag says so. */
static void put_factor(struct buf *b, struct sim_device *d, size_t i, bool hour) {
    int v = next_value(d, i);
    char flag = sim_random(d) % 50 ? 'N' : "DMBT"[sim_random(d) % 4];
    if (!hour) {
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

static void put_time(struct buf *b, int64_t s) {
    int32_t y, m, day;
    civil_from_day(s / 86400, &y, &m, &day);
    buf_fmt(b, "%04d%02d%02d%02d%02d%02d", (int)y, (int)m, (int)day, (int)(s / 3600 % 24), (int)(s / 60 % 60),
            (int)(s % 60));
}

/* QN is a time; in its minute, second and millisecond stands the number of the message, which the answer repeats. */
static void put_number(struct buf *b, int64_t s, uint16_t serial) {
    char hour[16];
    struct buf text;
    buf_init(&text, hour, sizeof hour);
    put_time(&text, s);
    buf_fmt(b, "QN=%.10s%02u%05u;", hour, serial / 60000u, serial % 60000u);
}

static bool speak(const struct sim_options *opt, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char mem[SIM_FRAME_MAX];
    struct buf b;
    int64_t now_s = now_ms / 1000 + CHINA_S;
    bool hour = sim_random(d) % 10 == 0;
    buf_init(&b, mem, sizeof mem);
    put_number(&b, now_s, d->serial);
    buf_fmt(&b, "ST=39;CN=%d;PW=123456;MN=440300LINLI%013" PRId64 ";Flag=5;CP=&&DataTime=",
            hour ? HJ212_HOUR : HJ212_REALTIME, opt->first + (int64_t)d->index);
    put_time(&b, hour ? now_s / 3600 * 3600 - 3600 : now_s);
    for (size_t i = 0; i < COUNT(factors); i++) put_factor(&b, d, i, hour);
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
    if (f.command != HJ212_DATA_ANSWER || f.qn.len != 17) return SIM_OTHER;
    if (!str_to_i64((struct str){f.qn.ptr + 10, 2}, &minute) || !str_to_i64(str_from(f.qn, 12), &rest))
        return SIM_OTHER;
    *ret_serial = (uint16_t)(minute * 60000 + rest);
    return SIM_CONFIRMED;
}

const struct sim_protocol sim_hj212 = {
    .name = "hj212", .port = 21200, .faults = (1u << SIM_FAULTS) - 1, .sum_at = 3, .speak = speak, .hear = hear};
