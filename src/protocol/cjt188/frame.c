/* Frames of CJ/T 188: checking and building.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cjt188/cjt188_internal.h"

#include <string.h>

#define ADDRESS_BYTES 7

const struct meter_shape cjt188_shape = {
    .head = CJT188_DATA_AT,
    .length_at = 10,
    .data_max = CJT188_DATA_MAX,
    .start = "CJ/T 188 start: up to four FE, then 68",
    .length = "CJ/T 188 L: at most 100 bytes of data",
    .fits = "CJ/T 188 L: the length does not fit the frame",
    .sum = "CJ/T 188 CS: the sum is wrong",
    .end = "CJ/T 188 end: it is 16",
};

static const struct {
    uint8_t code;
    const char *name;
} functions[] = {{CJT188_READ, "read"},
                 {CJT188_ADDRESS, "address"},
                 {CJT188_WRITE, "write"},
                 {CJT188_KEY_VERSION, "key_version"},
                 {CJT188_WRITE_ADDRESS, "write_address"},
                 {CJT188_SYNC, "sync"}},
  media[] = {{0x10, "cold_water"},       {0x11, "hot_water"}, {0x12, "drinking_water"},
             {0x13, "reclaimed_water"},  {0x20, "heat"},      {0x21, "cooling"},
             {0x22, "heat_and_cooling"}, {0x30, "gas"},       {0xaa, "any"}};

const char *cjt188_function_name(uint8_t function) {
    for (size_t i = 0; i < COUNT(functions); i++)
        if (functions[i].code == function) return functions[i].name;
    return NULL;
}

bool cjt188_function_of(struct str name, uint8_t *ret) {
    for (size_t i = 0; i < COUNT(functions); i++) {
        if (!str_is(name, functions[i].name)) continue;
        *ret = functions[i].code;
        return true;
    }
    return false;
}

const char *cjt188_medium_name(uint8_t type) {
    for (size_t i = 0; i < COUNT(media); i++)
        if (media[i].code == type) return media[i].name;
    return NULL;
}

bool cjt188_decode(struct bytes whole, struct cjt188_frame *ret, struct wire_error *reterr) {
    struct meter_parts p;
    if (!meter_open(&cjt188_shape, whole, &p, reterr)) return false;
    struct cjt188_frame f = {.type = p.head.ptr[1], .control = p.head.ptr[9], .wake = (uint8_t)p.wake, .data = p.data};
    uint8_t function = f.control & 0x3f;
    if (!meter_address((struct bytes){p.head.ptr + 2, ADDRESS_BYTES}, f.address)) {
        *reterr = (struct wire_error){"CJ/T 188 A0..A6: an address is decimal digits, or AA", p.wake + 2};
        return false;
    }
    if (!cjt188_function_name(function) && function < CJT188_OWN) {
        *reterr = (struct wire_error){"CJ/T 188 C: there is no such function", p.wake + 9};
        return false;
    }
    *ret = f;
    return true;
}

bool cjt188_encode(const struct cjt188_frame *f, struct buf *out) {
    uint8_t address[ADDRESS_BYTES];
    if (f->data.len > CJT188_DATA_MAX || f->wake > METER_WAKE_MAX ||
        !meter_address_of(f->address, address, sizeof address))
        return false;
    for (int i = 0; i < f->wake; i++) buf_char(out, (char)0xfe);
    size_t from = out->len;
    buf_char(out, 0x68);
    buf_char(out, (char)f->type);
    buf_add(out, address, sizeof address);
    buf_char(out, (char)f->control);
    buf_char(out, (char)(uint8_t)f->data.len);
    buf_add(out, f->data.ptr, f->data.len);
    meter_close(out, from);
    return true;
}
