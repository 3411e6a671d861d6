/* Frames of DL/T 645: checking and building.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/dlt645/dlt645_internal.h"

#define HIDE          0x33
#define ADDRESS_BYTES 6

const struct meter_shape dlt645_shape = {
    .head = 10,
    .length_at = 9,
    .mark_at = 7,
    .data_max = DLT645_DATA_MAX,
    .start = "DL/T 645 start: up to four FE, then 68",
    .mark = "DL/T 645 start: a second 68 follows the address",
    .length = "DL/T 645 L: at most 200 bytes of data",
    .fits = "DL/T 645 L: the length does not fit the frame",
    .sum = "DL/T 645 CS: the sum is wrong",
    .end = "DL/T 645 end: it is 16",
};

static const struct {
    uint8_t code;
    const char *name;
} functions[] = {
    {DLT645_97_READ, "read_97"},
    {DLT645_97_FOLLOWING, "following_97"},
    {DLT645_SECURITY, "security"},
    {DLT645_97_WRITE, "write_97"},
    {DLT645_TIME, "time"},
    {DLT645_97_WRITE_ADDRESS, "write_address_97"},
    {DLT645_97_RATE, "rate_97"},
    {DLT645_97_PASSWORD, "password_97"},
    {DLT645_97_CLEAR_DEMAND, "clear_demand_97"},
    {DLT645_READ, "read"},
    {DLT645_FOLLOWING, "following"},
    {DLT645_ADDRESS, "address"},
    {DLT645_WRITE, "write"},
    {DLT645_WRITE_ADDRESS, "write_address"},
    {DLT645_FREEZE, "freeze"},
    {DLT645_RATE, "rate"},
    {DLT645_PASSWORD, "password"},
    {DLT645_CLEAR_DEMAND, "clear_demand"},
    {DLT645_CLEAR_METER, "clear_meter"},
    {DLT645_CLEAR_EVENTS, "clear_events"},
    {DLT645_SWITCH, "switch"},
    {DLT645_TERMINAL, "terminal"},
};

const char *dlt645_function_name(uint8_t function) {
    for (size_t i = 0; i < COUNT(functions); i++)
        if (functions[i].code == function) return functions[i].name;
    return NULL;
}

bool dlt645_function_of(struct str name, uint8_t *ret) {
    for (size_t i = 0; i < COUNT(functions); i++) {
        if (!str_is(name, functions[i].name)) continue;
        *ret = functions[i].code;
        return true;
    }
    return false;
}

const char *dlt645_error_word(int bit) {
    static const char *const words[8] = {"other",          "no_data",        "wrong_password",  "rate_fixed",
                                         "too_many_zones", "too_many_slots", "too_many_tariffs"};
    return bit >= 0 && bit < 8 ? words[bit] : NULL;
}

/* ---- frames ---- */

bool dlt645_decode(struct bytes whole, struct dlt645_frame *ret, struct wire_error *reterr) {
    struct meter_parts p;
    if (!meter_open(&dlt645_shape, whole, &p, reterr)) return false;
    struct dlt645_frame f = {.control = p.head.ptr[8], .wake = (uint8_t)p.wake, .data_n = p.data.len};
    if (!meter_address((struct bytes){p.head.ptr + 1, ADDRESS_BYTES}, f.address)) {
        *reterr = (struct wire_error){"DL/T 645 A0..A5: an address is decimal digits, or AA", p.wake + 1};
        return false;
    }
    if (!dlt645_function_name(f.control & 0x1f)) {
        *reterr = (struct wire_error){"DL/T 645 C: there is no such function", p.wake + 8};
        return false;
    }
    for (size_t i = 0; i < f.data_n; i++) f.data[i] = (uint8_t)(p.data.ptr[i] - HIDE);
    if (f.control & DLT645_REFUSED && f.data_n != 1) {
        *reterr = (struct wire_error){"DL/T 645 L: a refusal has one byte of data", p.wake + 9};
        return false;
    }
    *ret = f;
    return true;
}

bool dlt645_encode(const struct dlt645_frame *f, struct buf *out) {
    uint8_t address[ADDRESS_BYTES];
    if (f->data_n > DLT645_DATA_MAX || f->wake > METER_WAKE_MAX ||
        !meter_address_of(f->address, address, sizeof address))
        return false;
    for (int i = 0; i < f->wake; i++) buf_char(out, (char)0xfe);
    size_t from = out->len;
    buf_char(out, 0x68);
    buf_add(out, address, sizeof address);
    buf_char(out, 0x68);
    buf_char(out, (char)f->control);
    buf_char(out, (char)(uint8_t)f->data_n);
    for (size_t i = 0; i < f->data_n; i++) buf_char(out, (char)(uint8_t)(f->data[i] + HIDE));
    meter_close(out, from);
    return true;
}
