/* What meters can be asked for: identifiers of DL/T 645 and how their values are written.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/dlt645/dlt645_internal.h"

#include <string.h>

enum sign { NO_SIGN, SIGN /* the highest bit of the last byte */, RELAY /* a bit of the first byte */ };
#define RELAY_BIT 4
struct item {
    uint32_t di;
    uint8_t bytes, digits; /* behind the point */
    enum sign sign;
    const char *metric, *unit;
};

#define TARIFFS(di, bytes, digits, sign, name, unit)                                                                  \
    {(di), bytes, digits, sign, name, unit}, {(di) + 0x100, bytes, digits, sign, name "_t1", unit},                   \
        {(di) + 0x200, bytes, digits, sign, name "_t2", unit}, {(di) + 0x300, bytes, digits, sign, name "_t3", unit}, \
    {                                                                                                                 \
        (di) + 0x400, bytes, digits, sign, name "_t4", unit                                                           \
    }
#define PHASES(di, bytes, digits, sign, name, unit)                                                       \
    {(di), bytes, digits, sign, name "_a", unit}, {(di) + 0x100, bytes, digits, sign, name "_b", unit}, { \
        (di) + 0x200, bytes, digits, sign, name "_c", unit                                                \
    }
#define TOTAL(di, bytes, digits, sign, name, unit) \
    {(di), bytes, digits, sign, name, unit}, PHASES((di) + 0x100, bytes, digits, sign, name, unit)

/* In the order of blocks: a block's values follow each other as its rows do here. */
static const struct item items[] = {
    TARIFFS(0x00000000, 4, 2, SIGN, "energy_net", "kWh"),
    TARIFFS(0x00010000, 4, 2, NO_SIGN, "energy", "kWh"),
    TARIFFS(0x00020000, 4, 2, NO_SIGN, "energy_reverse", "kWh"),
    PHASES(0x02010100, 2, 1, NO_SIGN, "voltage", "V"),
    PHASES(0x02020100, 3, 3, SIGN, "current", "A"),
    TOTAL(0x02030000, 3, 4, SIGN, "power", "kW"),
    TOTAL(0x02040000, 3, 4, SIGN, "reactive_power", "kvar"),
    TOTAL(0x02050000, 3, 4, NO_SIGN, "apparent_power", "kVA"),
    TOTAL(0x02060000, 2, 3, SIGN, "power_factor", ""),
    {0x02800001, 3, 3, NO_SIGN, "current_n", "A"},
    {0x02800002, 2, 2, NO_SIGN, "frequency", "Hz"},
    {DLT645_STATUS_3, 2, 0, RELAY, "relay_open", ""},
};
/* Of the 1997 edition; tariffs and phases count in the last digit. */
static const struct item items_97[] = {
    {0x9010, 4, 2, NO_SIGN, "energy", "kWh"},    {0x9011, 4, 2, NO_SIGN, "energy_t1", "kWh"},
    {0x9012, 4, 2, NO_SIGN, "energy_t2", "kWh"}, {0x9013, 4, 2, NO_SIGN, "energy_t3", "kWh"},
    {0x9014, 4, 2, NO_SIGN, "energy_t4", "kWh"}, {0x9020, 4, 2, NO_SIGN, "energy_reverse", "kWh"},
    {0xb611, 2, 0, NO_SIGN, "voltage_a", "V"},   {0xb612, 2, 0, NO_SIGN, "voltage_b", "V"},
    {0xb613, 2, 0, NO_SIGN, "voltage_c", "V"},   {0xb621, 2, 2, NO_SIGN, "current_a", "A"},
    {0xb622, 2, 2, NO_SIGN, "current_b", "A"},   {0xb623, 2, 2, NO_SIGN, "current_c", "A"},
    {0xb630, 3, 4, NO_SIGN, "power", "kW"},      {0xb631, 3, 4, NO_SIGN, "power_a", "kW"},
    {0xb632, 3, 4, NO_SIGN, "power_b", "kW"},    {0xb633, 3, 4, NO_SIGN, "power_c", "kW"},
};

/* Rows of an item, or of a block of items: the byte (1997: the digit) that counts is all ones there. */
#define ROW    0xff00u
#define ROW_97 0x0fu
static bool is_of(uint32_t asked, uint32_t row, bool is_97) {
    uint32_t counts = is_97 ? ROW_97 : ROW;
    if (asked == row) return true;
    return (asked & counts) == counts && (asked & ~counts) == (row & ~counts);
}

/* Of a block the first row that 1997 has says which block it is there. */
bool dlt645_item_97(uint32_t di, uint16_t *ret) {
    for (size_t i = 0; i < COUNT(items); i++) {
        if (!is_of(di, items[i].di, false)) continue;
        for (size_t k = 0; k < COUNT(items_97); k++) {
            if (strcmp(items[i].metric, items_97[k].metric) != 0) continue;
            *ret = (uint16_t)(items_97[k].di | (di == items[i].di ? 0 : ROW_97));
            return true;
        }
    }
    return false;
}

size_t dlt645_item_bytes(uint8_t control) {
    if (control & DLT645_REFUSED) return 0;
    switch (control & 0x1f) {
    case DLT645_READ:
    case DLT645_FOLLOWING: return 4;
    case DLT645_WRITE: return control & DLT645_REPLY ? 0 : 4;
    case DLT645_97_READ:
    case DLT645_97_FOLLOWING: return 2;
    case DLT645_97_WRITE: return control & DLT645_REPLY ? 0 : 2;
    default: return 0;
    }
}

bool dlt645_item(const struct dlt645_frame *f, uint32_t *ret_di) {
    size_t n = dlt645_item_bytes(f->control);
    if (!n || f->data_n < n) return false;
    *ret_di = 0;
    for (size_t i = n; i-- > 0;) *ret_di = *ret_di << 8 | f->data[i];
    return true;
}

static struct dlt645_value value_of(const struct item *x, const uint8_t *wire) {
    static const double scale[] = {1, 10, 100, 1000, 10000};
    struct dlt645_value v = {.metric = x->metric, .unit = x->unit, .is_missing = true};
    if (x->sign == RELAY) {
        v.value = wire[0] >> RELAY_BIT & 1;
        v.is_missing = false;
        return v;
    }
    uint8_t bytes[4];
    uint64_t digits;
    memcpy(bytes, wire, x->bytes);
    bool below = x->sign == SIGN && bytes[x->bytes - 1] & 0x80;
    if (below) bytes[x->bytes - 1] &= 0x7f;
    if (!meter_bcd((struct bytes){bytes, x->bytes}, &digits)) return v;
    v.value = (double)digits / scale[x->digits];
    if (below) v.value = -v.value;
    v.is_missing = false;
    return v;
}

size_t dlt645_values(uint32_t di, bool is_97, struct bytes data, struct dlt645_value ret[DLT645_VALUES_MAX],
                     size_t *ret_rest) {
    const struct item *all = is_97 ? items_97 : items;
    size_t all_n = is_97 ? COUNT(items_97) : COUNT(items), n = 0, at = 0;
    if (!is_97 && (di & 0xffffff00) == DLT645_MIDNIGHT && (uint8_t)di - 1u < DLT645_MIDNIGHTS) di = 0x0001ff00;
    uint8_t period = !is_97 && di >> 24 == 0 ? (uint8_t)di : 0; /* of energies only */
    bool is_known = period <= 12;
    for (size_t i = 0; is_known && i < all_n && n < DLT645_VALUES_MAX; i++) {
        if (!is_of(di - period, all[i].di, is_97)) continue;
        if (data.len - at < all[i].bytes) break;
        ret[n] = value_of(&all[i], data.ptr + at);
        ret[n++].period = period;
        at += all[i].bytes;
    }
    *ret_rest = data.len - at;
    return n;
}

size_t dlt645_reply_values(const struct dlt645_frame *f, struct dlt645_value ret[DLT645_VALUES_MAX], size_t *ret_rest) {
    size_t at = dlt645_item_bytes(f->control);
    uint8_t function = f->control & 0x1f;
    uint32_t di;
    *ret_rest = 0;
    if (!(f->control & DLT645_REPLY) || f->control & DLT645_MORE || !dlt645_item(f, &di)) return 0;
    if (function != DLT645_READ && function != DLT645_97_READ) return 0;
    return dlt645_values(di, at == 2, (struct bytes){f->data + at, f->data_n - at}, ret, ret_rest);
}
