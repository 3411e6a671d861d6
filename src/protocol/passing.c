/* What people show at doors.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/passing.h"

#include "protocol/plate/plate.h"
#include "protocol/wiegand/wiegand.h"

#include <string.h>

static bool put(struct str text, char *ret) {
    if (text.len > PASSING_VALUE_MAX) return false;
    memcpy(ret, text.ptr, text.len);
    ret[text.len] = 0;
    return true;
}

static int digit_of(char c) {
    static const char digits[] = "0123456789ABCDEFabcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* "37:BD88EB80A8": bits, as a reader would have told them. */
static bool read_bits(struct str text, char *ret) {
    struct str bits;
    uint8_t data[WIEGAND_BITS_MAX / 8] = {0};
    char number[WIEGAND_NUMBER_BYTES];
    struct wiegand w;
    struct wire_error ignored;
    int64_t n;
    if (!str_cut(&text, ':', &bits) || !text.ptr || !str_to_i64(bits, &n) || n < 1 || n > WIEGAND_BITS_MAX)
        return false;
    size_t bytes = (size_t)(n + 7) / 8;
    if (text.len != 2 * bytes) return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.ptr[i]);
        if (digit < 0) return false;
        data[i / 2] = (uint8_t)(data[i / 2] << 4 | digit);
    }
    if (!wiegand_read((struct bytes){data, bytes}, (size_t)n, &w, &ignored)) return false;
    wiegand_number(&w, number);
    return put(str_of(number), ret);
}

static bool read_card(struct str text, char *ret) {
    char number[WIEGAND_NUMBER_BYTES];
    if (memchr(text.ptr, ':', text.len)) return read_bits(text, ret);
    return wiegand_typed(text, number) && put(str_of(number), ret);
}

static bool read_code(struct str text, char *ret) {
    if (text.len < PASSING_CODE_MIN || text.len > PASSING_CODE_MAX) return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    return put(text, ret);
}

static bool read_plate(struct str text, char *ret) {
    struct plate p;
    struct wire_error ignored;
    return plate_read(text, &p, &ignored) && p.kind != PLATE_NONE && put(str_of(p.text), ret);
}

bool passing_read(enum passing_kind kind, struct str text, char ret[PASSING_VALUE_SIZE]) {
    if (!text.len) return false;
    switch (kind) {
    case PASSING_PLATE: return read_plate(text, ret);
    case PASSING_CARD: return read_card(text, ret);
    case PASSING_CODE: return read_code(text, ret);
    case PASSING_FACE: return str_is_code(text) && put(text, ret);
    case PASSING_KEYS: break;
    }
    return false;
}
