/* DL/T 645 as a master: questions, and what answers them.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/dlt645/dlt645_internal.h"

#include <string.h>

/* Eight hex digits are an identifier of 2007, four one of 1997. */
static bool read_item(struct str item, uint32_t *ret, size_t *ret_bytes) {
    *ret = 0;
    *ret_bytes = item.len / 2;
    if (item.len != 8 && item.len != 4) return false;
    for (size_t i = 0; i < item.len; i++) {
        char c = item.ptr[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return false;
        *ret = *ret << 4 | (uint32_t)digit;
    }
    return true;
}

static uint8_t function_for(const struct question *q, size_t bytes) {
    if (!q->item.len) return DLT645_ADDRESS;
    if (bytes == 2) return q->part ? DLT645_97_FOLLOWING : DLT645_97_READ;
    return q->part ? DLT645_FOLLOWING : DLT645_READ;
}

static bool ask(const struct question *q, struct buf *out) {
    struct dlt645_frame f = {.wake = METER_WAKE_MAX};
    uint32_t di = 0;
    size_t bytes = 0;
    if (q->address.len != sizeof f.address - 1 || (q->item.len && !read_item(q->item, &di, &bytes))) return false;
    memcpy(f.address, q->address.ptr, q->address.len);
    f.control = function_for(q, bytes);
    for (; f.data_n < bytes; f.data_n++) f.data[f.data_n] = (uint8_t)(di >> 8 * f.data_n);
    if (q->part) f.data[f.data_n++] = q->part;
    return dlt645_encode(&f, out);
}

static const char *why(uint8_t bits) {
    for (int i = 1; i < 8; i++)
        if (bits >> i & 1 && dlt645_error_word(i)) return dlt645_error_word(i);
    return dlt645_error_word(0);
}

static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct dlt645_frame f;
    struct wire_error ignored;
    uint32_t di = 0, asked = 0;
    size_t bytes = 0;
    if (!dlt645_decode(whole, &f, &ignored) || !(f.control & DLT645_REPLY) || !meter_is_asked(q->address, f.address) ||
        (q->item.len && !read_item(q->item, &asked, &bytes)) || (f.control & 0x1f) != function_for(q, bytes))
        return ANSWER_OTHER;
    if (f.control & DLT645_REFUSED) {
        *ret_why = why(f.data[0]);
        return ANSWER_REFUSED;
    }
    if (bytes && (!dlt645_item(&f, &di) || di != asked)) return ANSWER_OTHER;
    size_t end = f.data_n;
    if (q->part && (end == bytes || f.data[--end] != q->part)) return ANSWER_OTHER; /* the number of another part */
    buf_add(data, f.data + bytes, end - bytes);
    return f.control & DLT645_MORE ? ANSWER_PART : ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct dlt645_value values[DLT645_VALUES_MAX];
    uint32_t di = 0;
    size_t bytes = 0, rest = 0, n = 0;
    *ret = (struct decoded){.sender = q->address};
    if (q->item.len && !read_item(q->item, &di, &bytes)) {
        *reterr = (struct wire_error){"DL/T 645 DI: it has eight or four hex digits", 0};
        return false;
    }
    if (bytes) n = dlt645_values(di, bytes == 2, data, values, &rest);
    return dlt645_readings(values, n, a, ret, reterr);
}

const struct asking dlt645_asking = {ask, answers, understand};
