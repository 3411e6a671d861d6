/* Items of Modbus as models write them, and the numbers that stand in their registers.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/modbus/modbus_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* whole numbers up to here are exact in a double */

static const struct {
    const char *name;
    uint8_t reads;
} tables[] = {{"coil", MODBUS_READ_COILS},
              {"discrete", MODBUS_READ_DISCRETE},
              {"holding", MODBUS_READ_HOLDING},
              {"input", MODBUS_READ_INPUT}};
static const struct {
    const char *name;
    enum modbus_form form;
    uint8_t words;
} forms[] = {{"u16", MODBUS_UNSIGNED, 1}, {"s16", MODBUS_SIGNED, 1}, {"u32", MODBUS_UNSIGNED, 2},
             {"s32", MODBUS_SIGNED, 2},   {"f32", MODBUS_FLOAT, 2},  {"u64", MODBUS_UNSIGNED, 4},
             {"s64", MODBUS_SIGNED, 4},   {"f64", MODBUS_FLOAT, 4},  {"bcd16", MODBUS_BCD, 1},
             {"bcd32", MODBUS_BCD, 2}};
static const struct {
    const char *name;
    bool words, bytes; /* swapped */
} orders[] = {{"abcd", false, false}, {"cdab", true, false}, {"badc", false, true}, {"dcba", true, true}};

/* Parts of an item that may be there once each. */
enum { FORM = 1, ORDER = 2, SCALE = 4, OFFSET = 8, NONE = 16, MANY = 32 };

/* ---- the text ---- */

static bool read_hex(struct str s, uint64_t *ret) {
    uint64_t v = 0;
    if (!s.len || s.len > 16) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i], low = (char)(c | 0x20);
        int d = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (d < 0) return false;
        v = v << 4 | (unsigned)d;
    }
    *ret = v;
    return true;
}

static bool read_address(struct str s, uint16_t *ret) {
    uint64_t hex = 0;
    int64_t n = -1;
    bool is_hex = str_starts(s, S("0x")), ok = is_hex ? read_hex(str_from(s, 2), &hex) : str_to_i64(s, &n);
    if (is_hex && ok && hex <= UINT16_MAX) n = (int64_t)hex;
    *ret = (uint16_t)n;
    return ok && n >= 0 && n <= UINT16_MAX;
}

/* 217 / 10 is 21.7 exactly, 217 * 0.1 is not: a factor that is a whole part of one divides. */
static bool read_scale(char op, struct str s, struct modbus_item *i) {
    double v;
    if (!str_to_f64(s, &v) || v == 0) return false;
    if (op == '/') {
        i->divisor = v;
        return true;
    }
    double parts = round(1 / v);
    bool is_part = parts >= 2 && fabs(1 / v - parts) < 1e-9 * parts;
    i->factor = is_part ? 1 : v;
    i->divisor = is_part ? parts : 1;
    return true;
}

static bool read_bit(struct str s, struct modbus_item *i) {
    int64_t n;
    if (!str_starts(s, S("bit")) || !str_to_i64(str_from(s, 3), &n) || n < 0 || n > 15) return false;
    i->form = MODBUS_BIT;
    i->bit = (uint8_t)n;
    return true;
}

static bool read_form(struct str s, struct modbus_item *i) {
    for (size_t k = 0; k < COUNT(forms); k++) {
        if (!str_is(s, forms[k].name)) continue;
        i->form = forms[k].form;
        i->words = forms[k].words;
        return true;
    }
    return read_bit(s, i);
}

static bool read_order(struct str s, struct modbus_item *i) {
    for (size_t k = 0; k < COUNT(orders); k++) {
        if (!str_is(s, orders[k].name)) continue;
        i->swaps_words = orders[k].words;
        i->swaps_bytes = orders[k].bytes;
        return true;
    }
    return false;
}

/* Which part it is; 0: none. */
static unsigned read_part(struct str s, struct modbus_item *i) {
    char first = s.len ? s.ptr[0] : 0;
    struct str rest = str_from(s, 1);
    if (first == '*' || first == '/') return read_scale(first, rest, i) ? SCALE : 0;
    if (first == '+' || first == '-') return str_to_f64(first == '+' ? rest : s, &i->offset) ? OFFSET : 0;
    if (first == '!') {
        i->has_none = true;
        return read_hex(rest, &i->none) ? NONE : 0;
    }
    if (str_is(s, "many")) {
        i->many = true;
        return MANY;
    }
    if (read_order(s, i)) return ORDER;
    return read_form(s, i) ? FORM : 0;
}

static bool fits(struct modbus_item *i, unsigned parts) {
    bool is_told = i->reads == MODBUS_READ_COILS || i->reads == MODBUS_READ_HOLDING;
    if (i->address + i->words > UINT16_MAX + 1 || (i->many && (!is_told || i->form == MODBUS_BIT))) return false;
    if (modbus_is_bits(i)) return !(parts & ~(unsigned)MANY);
    if (i->form == MODBUS_BIT) {
        if (i->swaps_bytes) i->bit ^= 8;
        return !(parts & (SCALE | OFFSET | NONE));
    }
    return i->words == 4 || i->none >> 16 * i->words == 0;
}

bool modbus_item_read(struct str text, struct modbus_item *ret) {
    struct modbus_item i = {.words = 1, .factor = 1, .divisor = 1};
    struct str table = {NULL, 0}, address = {NULL, 0}, part;
    unsigned parts = 0;
    if (!str_cut(&text, ':', &table) || !str_cut(&text, ':', &address) || !read_address(address, &i.address))
        return false;
    for (size_t k = 0; k < COUNT(tables); k++)
        if (str_is(table, tables[k].name)) i.reads = tables[k].reads;
    while (i.reads && str_cut(&text, ':', &part)) {
        unsigned one = read_part(part, &i);
        if (!one || parts & one) return false;
        parts |= one;
    }
    if (!i.reads || !fits(&i, parts)) return false;
    *ret = i;
    return true;
}

bool modbus_is_bits(const struct modbus_item *i) {
    return i->reads == MODBUS_READ_COILS || i->reads == MODBUS_READ_DISCRETE;
}

/* ---- numbers ---- */

/* Where the n-th byte of the number, high first, stands in the registers. */
static size_t place(const struct modbus_item *i, size_t n) {
    size_t word = n / 2;
    if (i->swaps_words) word = i->words - 1u - word;
    return word * 2 + (n % 2 ^ i->swaps_bytes);
}

/* The shortest of the decimals that are this float: 220.1, not 220.10000610351562. */
static double as_written(float x) {
    int power = x != 0 ? 6 - (int)floor(log10(fabs((double)x))) : 0;
    if (power < 0 || power >= F64_POWERS) return (double)x;
    double v = round((double)x * f64_powers[power]) / f64_powers[power];
    return (float)v == x ? v : (double)x;
}

static bool float_of(uint64_t raw, uint16_t words, double *ret) {
    uint32_t half = (uint32_t)raw;
    float single;
    memcpy(&single, &half, sizeof single);
    if (words == 2 && isfinite(single)) *ret = as_written(single);
    if (words == 4) memcpy(ret, &raw, sizeof *ret);
    return words == 2 ? isfinite(single) : isfinite(*ret);
}

static bool bcd_of(uint64_t raw, double *ret) {
    double v = 0, ten = 1;
    for (; raw; raw >>= 4, ten *= 10) {
        if ((raw & 15) > 9) return false;
        v += (double)(raw & 15) * ten;
    }
    *ret = v;
    return true;
}

bool modbus_item_value(const struct modbus_item *i, const uint8_t *registers, double *ret) {
    uint64_t raw = 0;
    double v = 0;
    for (size_t n = 0; n < 2u * i->words; n++) raw = raw << 8 | registers[place(i, n)];
    if (i->has_none && raw == i->none) return false;
    uint64_t sign = UINT64_C(1) << (16 * i->words - 1);
    switch (i->form) {
    case MODBUS_BIT: *ret = (double)((registers[0] << 8 | registers[1]) >> i->bit & 1); return true;
    case MODBUS_UNSIGNED: v = (double)raw; break;
    case MODBUS_SIGNED: v = (double)(int64_t)((raw ^ sign) - sign); break;
    case MODBUS_FLOAT:
        if (!float_of(raw, i->words, &v)) return false;
        break;
    case MODBUS_BCD:
        if (!bcd_of(raw, &v)) return false;
        break;
    }
    v = v * i->factor / i->divisor + i->offset;
    if (isfinite(v)) *ret = v;
    return isfinite(v);
}

/* ---- the other way ---- */

bool modbus_switch_of(struct str value, bool *ret) {
    *ret = str_is(value, "1") || str_is(value, "on");
    return *ret || str_is(value, "0") || str_is(value, "off");
}

/* What is nearly whole was whole before it was divided. */
static bool whole_of(double v, double low, double high, double *ret) {
    double whole = round(v);
    *ret = whole;
    return fabs(v - whole) <= 1e-6 + fabs(whole) * 1e-12 && whole >= low && whole <= high;
}

static bool raw_of(const struct modbus_item *i, double v, uint64_t *ret) {
    int bits = 16 * i->words;
    double whole, top = bits == 64 ? EXACT_MAX : ldexp(1, bits);
    uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    *ret = 0;
    switch (i->form) {
    case MODBUS_BIT: return false;
    case MODBUS_UNSIGNED:
        if (!whole_of(v, 0, top - 1, &whole)) return false;
        *ret = (uint64_t)whole;
        return true;
    case MODBUS_SIGNED:
        if (!whole_of(v, -top / 2, top / 2 - 1, &whole)) return false;
        *ret = (uint64_t)(int64_t)whole & mask;
        return true;
    case MODBUS_BCD:
        if (!whole_of(v, 0, f64_powers[4 * i->words] - 1, &whole)) return false;
        for (uint64_t rest = (uint64_t)whole, at = 0; rest; rest /= 10, at += 4) *ret |= rest % 10 << at;
        return true;
    case MODBUS_FLOAT:
        if (bits == 64) {
            memcpy(ret, &v, sizeof v);
            return isfinite(v);
        }
        if (fabs(v) > (double)FLT_MAX) return false;
        float single = (float)v;
        uint32_t half;
        memcpy(&half, &single, sizeof half);
        *ret = half;
        return true;
    }
    return false;
}

bool modbus_item_registers(const struct modbus_item *i, struct str value, uint8_t *registers) {
    double v;
    uint64_t raw;
    if (!str_to_f64(value, &v) || !raw_of(i, (v - i->offset) * i->divisor / i->factor, &raw)) return false;
    if (i->has_none && raw == i->none) return false;
    for (size_t n = 2u * i->words; n-- > 0; raw >>= 8) registers[place(i, n)] = (uint8_t)raw;
    return true;
}
