/* Water meters: a volume that rises while the valve is open, a valve that can be told.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/cjt188/cjt188.h"
#include "base/civil.h"
#include "main/simulate/slave.h"
#include "protocol/meter.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLD_WATER 0x10
#define ANY_TYPE   0xaa
#define CUBIC_M    0x2c
#define ADDRESS    0x810a
#define CLOSED     1    /* in the status */
#define VALVE_MS   4000 /* that it takes from one end to the other */

/* Where it is told to go; it is there VALVE_MS later. */
static void tell_valve(struct slave_device *d, bool closes, int64_t now_ms) {
    d->moves = closes != d->is_off;
    d->moved_ms = now_ms + VALVE_MS;
}

static void move_valve(struct slave_device *d, int64_t now_ms) {
    if (!d->moves || now_ms < d->moved_ms) return;
    d->moves = false;
    slave_switch(d, !d->is_off, d->moved_ms);
}

/* m3/h, while it is open */
static double flow_of(const struct slave_device *d) {
    return 0.02 + (double)(d->number % 5) * 0.01;
}

static void put_volume(struct buf *b, double m3) {
    meter_put_bcd(b, (uint64_t)floor(m3 * 100), 4);
    buf_char(b, CUBIC_M);
}

static void put_status(struct buf *b, const struct slave_device *d) {
    buf_char(b, d->is_off ? CLOSED : 0);
    buf_char(b, 0);
}

/* Second first, the century last. */
static void put_clock(struct buf *b, int64_t now_ms) {
    struct civil c = zone_civil(NULL, now_ms + SLAVE_CHINA_S * 1000);
    const int parts[] = {c.second, c.minute, c.hour, c.day, c.month, c.year % 100, c.year / 100};
    for (size_t i = 0; i < COUNT(parts); i++) meter_put_bcd(b, (uint64_t)parts[i], 1);
}

static void put_metering(struct buf *b, const struct slave_device *d, int64_t now_ms) {
    int64_t local = now_ms / 1000 + SLAVE_CHINA_S;
    struct civil c = zone_civil(NULL, local * 1000);
    int64_t month_ms = (civil_day(c.year, c.month, 1) * 86400 - SLAVE_CHINA_S) * 1000;
    double settled = flow_of(d) * slave_hours(d, month_ms, now_ms);
    put_volume(b, flow_of(d) * slave_hours(d, now_ms, now_ms));
    put_volume(b, settled > 0 ? settled : 0);
    put_clock(b, now_ms);
    put_status(b, d);
}

/* The data behind identifier and serial number.  False: it refuses. */
static bool answer(struct slave_device *d, const struct cjt188_frame *q, const struct cjt188_body *body, int64_t now_ms,
                   struct buf *data) {
    uint8_t told = body->rest.len == 1 ? body->rest.ptr[0] : 0;
    switch (q->control) {
    case CJT188_READ:
        if (body->item != CJT188_METERING) return false;
        put_metering(data, d, now_ms);
        return true;
    case CJT188_ADDRESS: return body->item == ADDRESS; /* its head says it */
    case CJT188_WRITE:
        if (body->item != CJT188_VALVE || (told != CJT188_OPEN && told != CJT188_CLOSE)) return false;
        tell_valve(d, told == CJT188_CLOSE, now_ms - d->ahead_ms); /* it moves, whatever its clock says */
        put_status(data, d);
        return true;
    default: return false;
    }
}

static bool put_answer(struct slave_device *d, const struct cjt188_frame *q, const struct cjt188_body *body,
                       const char *address, int64_t now_ms, bool *ret_refuses, struct buf *out) {
    char mem[CJT188_DATA_MAX + 1];
    struct buf data;
    int64_t clock_ms = slave_clock_ms(d, now_ms);
    struct cjt188_frame f = {.type = COLD_WATER, .control = q->control | CJT188_REPLY, .wake = 2};
    memcpy(f.address, address, sizeof f.address);
    buf_init(&data, mem, sizeof mem);
    buf_add(&data, q->data.ptr, 3); /* identifier, in the order of the question, and serial number */
    *ret_refuses = !answer(d, q, body, clock_ms, &data);
    if (*ret_refuses) {
        f.control |= CJT188_REFUSED;
        data.len = 0;
        buf_char(&data, (char)body->serial);
        put_status(&data, d);
    }
    f.data = (struct bytes){(const uint8_t *)data.ptr, data.len};
    return cjt188_encode(&f, out);
}

static enum slave_heard hear(struct slave_line *line, struct bytes whole, int64_t now_ms, struct buf *out) {
    struct cjt188_frame q;
    struct cjt188_body body;
    struct wire_error e;
    enum slave_heard heard = SLAVE_NOT_OURS;
    if (!cjt188_decode(whole, &q, &e) || !cjt188_body(&q, &body, &e) || q.control & CJT188_REPLY || !body.has_item ||
        (q.type != COLD_WATER && q.type != ANY_TYPE))
        return SLAVE_NOT_OURS;
    for (size_t i = 0, n = 0; i < line->devices_n; i++) {
        char address[15], mem[CJT188_FRAME_MAX];
        bool refuses;
        struct buf one;
        snprintf(address, sizeof address, "%014" PRId64, line->devices[i].number);
        if (!meter_is_asked(str_of(q.address), address)) continue;
        buf_init(&one, mem, sizeof mem);
        move_valve(&line->devices[i], now_ms);
        if (!put_answer(&line->devices[i], &q, &body, address, now_ms, &refuses, &one)) continue;
        heard = refuses ? SLAVE_REFUSES : SLAVE_ANSWERS;
        slave_join(out, n++, (struct bytes){(const uint8_t *)mem, one.len});
    }
    return heard;
}

const struct slave_protocol slave_cjt188 = {.name = "cjt188",
                                            .codec = &cjt188_codec,
                                            .faults = (1u << SLAVE_FAULTS) - 1,
                                            .sum_at = 2,
                                            .first = 889,
                                            .last = INT64_C(99999999999999),
                                            .baud = 2400,
                                            .is_even = true,
                                            .hear = hear};
