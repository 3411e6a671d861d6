/* DL/T 645 behind the narrow waist: readings of replies.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/dlt645/dlt645_internal.h"

#include <string.h>

static enum frame split(struct bytes in, size_t *ret_len) {
    return meter_split(&dlt645_shape, in, ret_len);
}

bool dlt645_readings(const struct dlt645_value *values, size_t n, int64_t at_s, struct arena *a, struct decoded *ret,
                     struct wire_error *reterr) {
    struct reading *readings = arena_new(a, struct reading, n + 1);
    if (!readings) {
        *reterr = (struct wire_error){"out of memory", 0};
        return false;
    }
    ret->readings = readings;
    for (size_t i = 0; i < n; i++) {
        if (values[i].is_missing || values[i].period) continue;
        readings[ret->readings_n++] = (struct reading){.device = ret->sender,
                                                       .metric = str_of(values[i].metric),
                                                       .unit = str_of(values[i].unit),
                                                       .value = values[i].value,
                                                       .at_s = at_s};
    }
    return true;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct dlt645_frame f;
    struct dlt645_value values[DLT645_VALUES_MAX];
    size_t rest;
    *ret = (struct decoded){0};
    if (!dlt645_decode(whole, &f, reterr)) return false;
    if (!(f.control & DLT645_REPLY) || strchr(f.address, 'A')) return true; /* what the master says is no news */
    size_t n = dlt645_reply_values(&f, values, &rest);
    if (arena_str(a, str_of(f.address), &ret->sender)) return dlt645_readings(values, n, 0, a, ret, reterr);
    *reterr = (struct wire_error){"out of memory", 0};
    return false;
}

const struct codec dlt645_codec = {
    .name = "dlt645",
    .standard = "DL/T 645-2007, DL/T 645-1997",
    .frame_max = DLT645_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = dlt645_show,
    .make = dlt645_make,
    .asking = &dlt645_asking,
    .is_polled = true,
};
