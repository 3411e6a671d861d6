/* Bits of card readers.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/wiegand/wiegand.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct shape { size_t bits, facility_bits, card_bits; } shapes[] = {{26, 8, 16}, {34, 0, 32}};

static const struct shape *shape_of(size_t bits) {
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (shapes[i].bits == bits) return &shapes[i];
    return NULL;
}

static bool bit_at(const uint8_t *data, size_t i) {
    return data[i / 8] >> (7 - i % 8) & 1;
}

static void put_bit(uint8_t *data, size_t i, bool bit) {
    if (bit) data[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static uint32_t number_at(const uint8_t *data, size_t from, size_t n) {
    uint32_t v = 0;
    for (size_t i = from; i < from + n; i++) v = v << 1 | bit_at(data, i);
    return v;
}

static bool is_odd(const uint8_t *data, size_t from, size_t n) {
    bool odd = false;
    for (size_t i = from; i < from + n; i++) odd ^= bit_at(data, i);
    return odd;
}

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

bool wiegand_read(struct bytes data, size_t bits, struct wiegand *ret, struct wire_error *reterr) {
    struct wiegand w = {.bits = bits};
    const struct shape *s = shape_of(bits);
    if (!bits || bits > WIEGAND_BITS_MAX) return bad(reterr, "Wiegand length: a card has 1 to 256 bits", 0);
    if (data.len < (bits + 7) / 8)
        return bad(reterr, "Wiegand length: there are fewer bits than it says", 8 * data.len);
    for (size_t i = 0; i < bits; i++) put_bit(w.data, i, bit_at(data.ptr, i));
    if (s) {
        size_t half = bits / 2;
        if (is_odd(w.data, 0, half)) return bad(reterr, "Wiegand parity: the first half is even", 0);
        if (!is_odd(w.data, half, half)) return bad(reterr, "Wiegand parity: the second half is odd", bits - 1);
        w.is_known = true;
        w.facility = number_at(w.data, 1, s->facility_bits);
        w.card = number_at(w.data, 1 + s->facility_bits, s->card_bits);
    }
    *ret = w;
    return true;
}

void wiegand_make(size_t bits, uint32_t facility, uint32_t card, struct wiegand *ret) {
    const struct shape *s = shape_of(bits);
    *ret = (struct wiegand){.bits = bits, .is_known = true, .facility = facility, .card = card};
    for (size_t i = 0; i < s->facility_bits; i++) put_bit(ret->data, 1 + i, facility >> (s->facility_bits - 1 - i) & 1);
    for (size_t i = 0; i < s->card_bits; i++)
        put_bit(ret->data, 1 + s->facility_bits + i, card >> (s->card_bits - 1 - i) & 1);
    put_bit(ret->data, 0, is_odd(ret->data, 0, bits / 2));
    put_bit(ret->data, bits - 1, !is_odd(ret->data, bits / 2, bits / 2));
}

void wiegand_number(const struct wiegand *w, char ret[WIEGAND_NUMBER_BYTES]) {
    struct buf b;
    buf_init(&b, ret, WIEGAND_NUMBER_BYTES);
    if (w->is_known) {
        buf_i64(&b, w->bits == 26 ? (int64_t)w->facility << 16 | w->card : w->card);
        return;
    }
    buf_fmt(&b, "%zu:", w->bits);
    buf_hex(&b, (struct bytes){w->data, (w->bits + 7) / 8});
}

bool wiegand_typed(struct str text, char ret[WIEGAND_NUMBER_BYTES]) {
    struct str facility, card = str_trim(text);
    int64_t high = 0, low = 0;
    bool has_facility = str_cut(&card, ',', &facility) && card.ptr;
    if (!has_facility) card = facility;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '-' || text.ptr[i] == '+') return false;
    if (has_facility && (!str_to_i64(facility, &high) || high > 255)) return false;
    if (!str_to_i64(card, &low) || low > (has_facility ? UINT16_MAX : (int64_t)UINT32_MAX)) return false;
    snprintf(ret, WIEGAND_NUMBER_BYTES, "%" PRId64, high << 16 | low);
    return true;
}
