/* Wiegand behind the narrow waist, for tools: bits as text, one character each.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/wiegand/wiegand.h"

static bool read_bits(struct bytes whole, struct wiegand *ret, struct wire_error *reterr) {
    uint8_t data[WIEGAND_BITS_MAX / 8] = {0};
    for (size_t i = 0; i < whole.len && i < WIEGAND_BITS_MAX; i++) {
        if (whole.ptr[i] != '0' && whole.ptr[i] != '1') {
            *reterr = (struct wire_error){"Wiegand bits: each is 0 or 1", i};
            return false;
        }
        if (whole.ptr[i] == '1') data[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    return wiegand_read((struct bytes){data, sizeof data}, whole.len, ret, reterr);
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct wiegand w;
    (void)a;
    *ret = (struct decoded){0};
    return read_bits(whole, &w, reterr);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct wiegand w;
    char number[WIEGAND_NUMBER_BYTES];
    if (!read_bits(whole, &w, reterr)) return false;
    wiegand_number(&w, number);
    jw_open(j, '{');
    jw_ki64(j, "bits", (int64_t)w.bits);
    if (w.bits == 26) jw_ki64(j, "facility", w.facility);
    if (w.is_known) jw_ki64(j, "card", w.card);
    jw_kcstr(j, "number", number);
    frame_put_hex(j, a, "data", (struct bytes){w.data, (w.bits + 7) / 8});
    jw_close(j, '}');
    return true;
}

static void make_known(struct frame_in *in, size_t bits, struct wiegand *ret) {
    bool is_short = bits == 26;
    int64_t facility = is_short ? frame_number(in, "facility", 0, UINT8_MAX, -1) : 0;
    int64_t card = frame_number(in, "card", 0, is_short ? UINT16_MAX : UINT32_MAX, -1);
    if (!in->is_bad) wiegand_make(bits, (uint32_t)facility, (uint32_t)card, ret);
}

/* From the bits as they are, or from facility and card. */
static bool make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct wiegand w = {0};
    struct bytes data = frame_bytes(&in, "data");
    size_t bits = (size_t)frame_number(&in, "bits", 1, WIEGAND_BITS_MAX, 26);
    if (!in.is_bad && !data.ptr && bits != 26 && bits != 34)
        frame_bad(&in, "bits", "is neither 26 nor 34, and there is no data_hex");
    if (!in.is_bad && !data.ptr) make_known(&in, bits, &w);
    if (in.is_bad || (data.ptr && !wiegand_read(data, bits, &w, reterr))) return false;
    for (size_t i = 0; i < w.bits; i++) buf_char(out, w.data[i / 8] >> (7 - i % 8) & 1 ? '1' : '0');
    return true;
}

const struct codec wiegand_codec = {
    .name = "wiegand",
    .standard = "Wiegand 26, 34 bits",
    .frame_max = WIEGAND_BITS_MAX,
    .decode = decode,
    .show = show,
    .make = make,
    .is_text = true,
};
