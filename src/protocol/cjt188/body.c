/* What is inside the data of CJ/T 188: metering data of water, gas and heat meters, status.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/cjt188/cjt188_internal.h"

#include "protocol/cursor.h"

#include <string.h>

/* Units as the wire has them, and what of ours one of them is: so many of ours, or one of so many parts.  7 / 10 is 0.7
 * exactly, 7 * 0.1 is not. */
static const struct unit {
    uint8_t code;
    const char *name;
    double times, parts;
} units[] = {
    {0x02, "kWh", 1, 1000}, {0x05, "kWh", 1, 1},   {0x08, "kWh", 1000, 1},  {0x0a, "kWh", 100000, 1},
    {0x01, "GJ", 1, 1e9},   {0x0b, "GJ", 1, 1e6},  {0x0e, "GJ", 1, 1000},   {0x11, "GJ", 1, 1},
    {0x13, "GJ", 100, 1},   {0x14, "kW", 1, 1000}, {0x17, "kW", 1, 1},      {0x1a, "kW", 1000, 1},
    {0x29, "m3", 1, 1000},  {0x2c, "m3", 1, 1},    {0x32, "m3/h", 1, 1000}, {0x35, "m3/h", 1, 1},
};

struct part {
    const char *metric;
    uint8_t bytes, digits; /* behind the point */
    const char *unit;      /* NULL: a byte behind the digits says it */
};
static const struct part volumes[] = {{"volume", 4, 2, NULL}, {"volume_settlement", 4, 2, NULL}};
static const struct part heats[] = {{"heat_settlement", 4, 2, NULL},
                                    {"heat", 4, 2, NULL},
                                    {"power", 4, 2, NULL},
                                    {"flow", 4, 4, NULL},
                                    {"volume", 4, 2, NULL},
                                    {"supply_temperature", 3, 2, "Cel"},
                                    {"return_temperature", 3, 2, "Cel"},
                                    {"working_time", 3, 0, "h"}};

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static const struct unit *unit_of(uint8_t code) {
    for (size_t i = 0; i < COUNT(units); i++)
        if (units[i].code == code) return &units[i];
    return NULL;
}

static bool read_part(struct cursor *c, const struct part *p, struct cjt188_value *ret) {
    static const double scale[] = {1, 10, 100, 1000, 10000};
    struct bytes digits = cursor_bytes(c, p->bytes);
    const struct unit fixed = {0, p->unit, 1, 1}, *unit = p->unit ? &fixed : unit_of(cursor_u8(c));
    uint64_t v = 0;
    if (!unit || c->is_broken) return false;
    *ret = (struct cjt188_value){.metric = p->metric, .unit = unit->name, .is_missing = !meter_bcd(digits, &v)};
    if (!ret->is_missing) ret->value = (double)v * unit->times / (scale[p->digits] * unit->parts);
    return true;
}

/* Volumes or heats, then the meter's own clock and its status. */
static bool read_metering(const struct cjt188_frame *f, size_t wake, struct cursor *c, struct cjt188_body *ret,
                          struct wire_error *reterr) {
    bool is_heat = f->type >> 4 == 2;
    const struct part *parts = is_heat ? heats : volumes;
    size_t n = is_heat ? COUNT(heats) : COUNT(volumes), at = wake + CJT188_DATA_AT;
    for (size_t i = 0; i < n; i++) {
        size_t here = c->at;
        if (!read_part(c, &parts[i], &ret->values[i]))
            return bad(reterr, "CJ/T 188 901F: a value is cut short, or has a unit that is none", at + here);
        ret->values_n++;
    }
    struct bytes clock = cursor_bytes(c, 7), status = cursor_bytes(c, 2);
    if (c->is_broken) return bad(reterr, "CJ/T 188 901F: clock and status are missing", at + c->at);
    ret->has_clock = clock.ptr[6] == 0x20 && meter_time(clock, &ret->clock_s);
    ret->has_status = true;
    memcpy(ret->status, status.ptr, sizeof ret->status);
    return true;
}

static void read_status(struct cursor *c, struct cjt188_body *ret) {
    struct bytes status = cursor_bytes(c, cursor_left(c) < 2 ? cursor_left(c) : 2);
    ret->has_status = status.len > 0;
    if (status.len) memcpy(ret->status, status.ptr, status.len);
}

/* The identifiers there are begin with 81, 90, A0 or D1: the byte that does is the high one. */
static bool is_high(uint8_t b) {
    return b == 0x81 || b == 0x90 || b == 0xa0 || b == 0xd1;
}

bool cjt188_body(const struct cjt188_frame *f, struct cjt188_body *ret, struct wire_error *reterr) {
    struct cursor c = cursor_of(f->data);
    uint8_t function = f->control & 0x3f;
    bool is_reply = f->control & CJT188_REPLY, ok = true;
    *ret = (struct cjt188_body){0};
    if (f->control & CJT188_REFUSED) {
        ret->has_serial = f->data.len > 0;
        ret->serial = cursor_u8(&c);
        read_status(&c, ret);
    } else if (f->data.len >= 3 && function < CJT188_OWN) {
        uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
        ret->is_low_first = !is_high(first) && is_high(second);
        ret->item = ret->is_low_first ? (uint16_t)(second << 8 | first) : (uint16_t)(first << 8 | second);
        ret->has_item = ret->has_serial = true;
        ret->serial = cursor_u8(&c);
        if (is_reply && function == CJT188_READ && ret->item == CJT188_METERING)
            ok = read_metering(f, f->wake, &c, ret, reterr);
        else if (is_reply && function == CJT188_WRITE && ret->item == CJT188_VALVE)
            read_status(&c, ret);
    }
    ret->rest = ok ? cursor_bytes(&c, cursor_left(&c)) : (struct bytes){NULL, 0};
    return ok;
}
