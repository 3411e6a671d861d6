/* Electricity meters: energies that rise while the relay is closed, what stood there at midnights, a relay that wants a
 * password.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/dlt645/dlt645.h"
#include "base/civil.h"
#include "main/simulate/slave.h"
#include "protocol/meter.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PASSWORD     "\x02\x56\x34\x12" /* of class 02, 123456, as the wire has it */
#define PART_BYTES   16                 /* a longer answer comes in parts; the standard allows more */
#define RELAY_STATUS 0x04000503u        /* run status word 3 */
#define RELAY_OPEN   0x10
#define DAY_MS       INT64_C(86400000)
#define OTHER_ERROR  0x01
#define NO_DATA      0x02
#define NO_RIGHT     0x04
#define TOLD_BYTES   16 /* password, operator, what, until when */
#define VOLTS        220

enum what { ENERGY, NOTHING, VOLTAGE, CURRENT, POWER, FACTOR, FREQUENCY };
/* Items that differ in a number: of the tariff or the phase; 0: all together. */
static const struct family {
    uint32_t di, step; /* of the number; a block has ones there */
    uint8_t from, to, bytes, digits;
    enum what what;
} families[] = {
    {0x00000000, 0x100, 0, 4, 4, 2, ENERGY},  {0x00010000, 0x100, 0, 4, 4, 2, ENERGY},
    {0x00020000, 0x100, 0, 4, 4, 2, NOTHING}, {0x02010000, 0x100, 1, 3, 2, 1, VOLTAGE},
    {0x02020000, 0x100, 1, 3, 3, 3, CURRENT}, {0x02030000, 0x100, 0, 3, 3, 4, POWER},
    {0x02040000, 0x100, 0, 3, 3, 4, NOTHING}, {0x02050000, 0x100, 0, 3, 3, 4, POWER},
    {0x02060000, 0x100, 0, 3, 2, 3, FACTOR},  {0x02800002, 0x100, 0, 0, 2, 2, FREQUENCY},
};
static const struct family families_97[] = {
    {0x9010, 1, 0, 4, 4, 2, ENERGY},  {0x9020, 1, 0, 4, 4, 2, NOTHING}, {0xb610, 1, 1, 3, 2, 0, VOLTAGE},
    {0xb620, 1, 1, 3, 2, 2, CURRENT}, {0xb630, 1, 0, 3, 3, 4, POWER},
};

struct asked {
    struct slave_device *d;
    int64_t now_ms, at_ms; /* at: of energies */
};

/* kW, while it is on */
static double power_of(const struct slave_device *d) {
    return 0.6 + (double)(d->number % 7) * 0.3;
}

/* kWh in whole hundredths: the total is what its tariffs are together. */
static double energy(const struct asked *a, unsigned tariff) {
    static const double share[] = {0.10, 0.35, 0.35, 0.20}; /* peak, high, flat, valley */
    double all = power_of(a->d) * slave_hours(a->d, a->at_ms, a->now_ms), sum = 0;
    for (unsigned k = 0; k < COUNT(share); k++)
        if (!tariff || tariff == k + 1) sum += floor(all * share[k] * 100);
    return sum / 100;
}

static double value(const struct asked *a, enum what what, unsigned k) {
    double power = a->d->is_off ? 0 : power_of(a->d);
    switch (what) {
    case ENERGY: return energy(a, k);
    case VOLTAGE: return slave_around(a->d, VOLTS, 4);
    case CURRENT: return power / 3 * 1000 / VOLTS;
    case POWER: return slave_around(a->d, k ? power / 3 : power, power / 100);
    case FACTOR: return 0.98;
    case FREQUENCY: return slave_around(a->d, 50, 0.03);
    case NOTHING: return 0;
    }
    return 0;
}

static void put_number(struct buf *out, double v, const struct family *f) {
    static const double scale[] = {1, 10, 100, 1000, 10000};
    meter_put_bcd(out, (uint64_t)llround(v * scale[f->digits]), f->bytes);
}

static bool put_of(const struct asked *a, uint32_t di, bool is_97, struct buf *out) {
    const struct family *all = is_97 ? families_97 : families;
    size_t n = is_97 ? COUNT(families_97) : COUNT(families), before = out->len;
    uint32_t block = is_97 ? 0x0f : 0xff00;
    for (size_t i = 0; i < n; i++)
        for (unsigned k = all[i].from; k <= all[i].to; k++)
            if (di == all[i].di + k * all[i].step || (all[i].from < all[i].to && di == (all[i].di | block)))
                put_number(out, value(a, all[i].what, k), &all[i]);
    return out->len > before;
}

static int64_t midnight_ms(int64_t now_ms, uint32_t ago) {
    int64_t local = now_ms + SLAVE_CHINA_S * 1000;
    return local - local % DAY_MS - (int64_t)ago * DAY_MS - SLAVE_CHINA_S * 1000;
}

static void put_when(const struct asked *a, struct buf *out) {
    struct civil c = zone_civil(NULL, a->at_ms + SLAVE_CHINA_S * 1000);
    const int parts[] = {c.minute, c.hour, c.day, c.month, c.year % 100};
    for (size_t i = 0; i < COUNT(parts); i++) meter_put_bcd(out, (uint64_t)parts[i], 1);
}

/* What stands there, as the wire has it. */
static bool put_item(struct asked *a, uint32_t di, bool is_97, struct buf *out) {
    uint32_t nth = di - DLT645_MIDNIGHT, nth_time = di - DLT645_FROZEN;
    bool is_time = nth_time >= 1 && nth_time <= DLT645_MIDNIGHTS;
    a->at_ms = a->now_ms;
    if (!is_97 && di == RELAY_STATUS) {
        buf_char(out, a->d->is_off ? RELAY_OPEN : 0);
        buf_char(out, 0);
        return true;
    }
    if (!is_97 && (is_time || (nth >= 1 && nth <= DLT645_MIDNIGHTS))) {
        a->at_ms = midnight_ms(a->now_ms, (is_time ? nth_time : nth) - 1);
        if (slave_hours(a->d, a->at_ms, a->now_ms) < 0) return false;
        if (is_time) put_when(a, out);
        return is_time || put_of(a, 0x0001ff00, false, out);
    }
    return put_of(a, di, is_97, out);
}

static uint8_t answer_reading(struct asked *a, const struct dlt645_frame *q, struct dlt645_frame *ret) {
    char mem[DLT645_DATA_MAX + 1];
    struct buf all;
    uint32_t di = 0;
    uint8_t function = q->control & 0x1f;
    bool is_97 = function == DLT645_97_READ || function == DLT645_97_FOLLOWING;
    bool follows = function == DLT645_FOLLOWING || function == DLT645_97_FOLLOWING;
    size_t item = is_97 ? 2 : 4, part = follows && q->data_n > item ? q->data[item] : 0, at = part * PART_BYTES;
    buf_init(&all, mem, sizeof mem);
    if (!dlt645_item(q, &di) || !put_item(a, di, is_97, &all) || at >= all.len) return NO_DATA;
    size_t n = all.len - at;
    if (n > PART_BYTES) {
        n = PART_BYTES;
        ret->control |= DLT645_MORE;
    }
    memcpy(ret->data, q->data, item);
    memcpy(ret->data + item, all.ptr + at, n);
    ret->data_n = item + n;
    if (follows) ret->data[ret->data_n++] = (uint8_t)part;
    return 0;
}

/* Obeyed with the right password, before its time is over. */
static uint8_t obey(struct asked *a, const struct dlt645_frame *q) {
    int64_t until_s;
    if (q->data_n != TOLD_BYTES) return OTHER_ERROR;
    if (memcmp(q->data, PASSWORD, sizeof PASSWORD - 1) != 0) return NO_RIGHT;
    if (!meter_time((struct bytes){q->data + 10, 6}, &until_s) || until_s < a->now_ms / 1000 + SLAVE_CHINA_S)
        return OTHER_ERROR;
    switch (q->data[8]) {
    case 0x1a: slave_switch(a->d, true, a->now_ms); return 0;
    case 0x1b: /* somebody presses the button at once */
    case 0x1c: slave_switch(a->d, false, a->now_ms); return 0;
    case 0x2a: /* alarm, protection: nothing that can be seen */
    case 0x2b:
    case 0x3a:
    case 0x3b: return 0;
    default: return OTHER_ERROR;
    }
}

static uint8_t answer(struct asked *a, const struct dlt645_frame *q, struct dlt645_frame *ret) {
    switch (q->control & 0x1f) {
    case DLT645_READ:
    case DLT645_FOLLOWING:
    case DLT645_97_READ:
    case DLT645_97_FOLLOWING: return answer_reading(a, q, ret);
    case DLT645_ADDRESS: ret->data_n = meter_address_of(ret->address, ret->data, 6) ? 6 : 0; return 0;
    case DLT645_SWITCH: return obey(a, q);
    default: return OTHER_ERROR;
    }
}

/* Each edition has functions of its own. */
static bool is_known(const struct slave_device *d, uint8_t function) {
    bool is_97 = function == DLT645_97_READ || function == DLT645_97_FOLLOWING;
    return d->is_of_1997 == is_97;
}

static enum slave_heard hear_one(struct slave_device *d, const struct dlt645_frame *q, int64_t now_ms,
                                 struct buf *out) {
    struct asked a = {.d = d};
    struct dlt645_frame f = {.control = q->control | DLT645_REPLY, .wake = (uint8_t)(d->number % 3)};
    snprintf(f.address, sizeof f.address, "%012" PRId64, d->number);
    if (!meter_is_asked(str_of(q->address), f.address) || !is_known(d, q->control & 0x1f)) return SLAVE_NOT_OURS;
    a.now_ms = slave_clock_ms(d, now_ms);
    uint8_t refused = answer(&a, q, &f);
    if (refused) {
        f.control |= DLT645_REFUSED;
        f.data[0] = refused;
        f.data_n = 1;
    }
    if (!dlt645_encode(&f, out)) return SLAVE_NOT_OURS;
    return refused ? SLAVE_REFUSES : SLAVE_ANSWERS;
}

static enum slave_heard hear(struct slave_line *line, struct bytes whole, int64_t now_ms, struct buf *out) {
    struct dlt645_frame q;
    struct wire_error e;
    enum slave_heard heard = SLAVE_NOT_OURS;
    if (!dlt645_decode(whole, &q, &e) || q.control & DLT645_REPLY || (q.control & 0x1f) == DLT645_TIME)
        return SLAVE_NOT_OURS;
    for (size_t i = 0, n = 0; i < line->devices_n; i++) {
        char mem[DLT645_FRAME_MAX];
        struct buf one;
        buf_init(&one, mem, sizeof mem);
        enum slave_heard how = hear_one(&line->devices[i], &q, now_ms, &one);
        if (how == SLAVE_NOT_OURS) continue;
        heard = how;
        slave_join(out, n++, (struct bytes){(const uint8_t *)mem, one.len});
    }
    return heard;
}

const struct slave_protocol slave_dlt645 = {.name = "dlt645",
                                            .codec = &dlt645_codec,
                                            .faults = (1u << SLAVE_FAULTS) - 1,
                                            .sum_at = 2,
                                            .first = 889,
                                            .last = INT64_C(999999999999),
                                            .baud = 2400,
                                            .is_even = true,
                                            .hear = hear};
