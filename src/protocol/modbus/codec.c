/* Modbus behind the narrow waist, over its two wires: what values mean is known with their question only.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/modbus/modbus_internal.h"

static bool decode(enum modbus_wire wire, struct bytes whole, struct arena *a, struct decoded *ret,
                   struct wire_error *reterr) {
    struct modbus_frame f;
    struct buf b;
    *ret = (struct decoded){0};
    if (!modbus_decode(wire, MODBUS_EITHER, whole, &f, reterr)) return false;
    if (f.from != MODBUS_DEVICE) return true; /* what the master says is no news */
    buf_init_arena(&b, a, 4);
    buf_i64(&b, f.unit);
    if (buf_done(&b, &ret->sender)) return true;
    *reterr = (struct wire_error){"out of memory", 0};
    return false;
}

static bool decode_tcp(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    return decode(MODBUS_TCP, whole, a, ret, reterr);
}
static bool decode_rtu(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    return decode(MODBUS_RTU, whole, a, ret, reterr);
}

const struct codec modbus_codec = {
    .name = "modbus",
    .standard = "Modbus TCP: Application Protocol V1.1b3, Messaging on TCP/IP V1.0b",
    .frame_max = MODBUS_TCP_MAX,
    .frame = modbus_split_tcp,
    .decode = decode_tcp,
    .show = modbus_show_tcp,
    .make = modbus_make_tcp,
    .asking = &modbus_tcp_asking,
    .is_polled = true,
    .is_local = true,
};
const struct codec modbus_rtu_codec = {
    .name = "modbus_rtu",
    .standard = "Modbus RTU: Application Protocol V1.1b3, Serial Line V1.02",
    .frame_max = MODBUS_RTU_MAX,
    .frame = modbus_split_rtu,
    .decode = decode_rtu,
    .show = modbus_show_rtu,
    .make = modbus_make_rtu,
    .asking = &modbus_rtu_asking,
    .is_polled = true,
    .is_local = true,
    .is_blind = true,
};
