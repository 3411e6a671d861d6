/* Fuzzes items of Modbus and what is written to them: whatever can be asked is a frame, and what such a frame is
 * answered with is understood.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/modbus/modbus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

static const struct {
    const struct codec *codec;
    enum modbus_wire wire;
} wires[] = {{&modbus_codec, MODBUS_TCP}, {&modbus_rtu_codec, MODBUS_RTU}};

/* Answers as a device would, with the bytes that are left. */
static void answer(size_t w, const struct question *q, const struct modbus_frame *asked, struct bytes rest,
                   struct arena *arena) {
    struct modbus_frame f = *asked;
    struct buf out, data;
    struct decoded d;
    struct wire_error e;
    const char *why;
    uint8_t registers[MODBUS_PDU_MAX] = {0};
    bool is_bits = asked->function <= MODBUS_READ_DISCRETE;
    size_t n = asked->function > MODBUS_READ_INPUT ? 0 : is_bits ? (asked->count + 7u) / 8 : 2u * asked->count;
    if (rest.len) memcpy(registers, rest.ptr, rest.len < n ? rest.len : n);
    if (f.from == MODBUS_MASTER) f.from = MODBUS_DEVICE;
    f.data = (struct bytes){registers, n};
    buf_init_arena(&out, arena, MODBUS_TCP_MAX + 1);
    buf_init_arena(&data, arena, MODBUS_TCP_MAX + 1);
    must(modbus_encode(wires[w].wire, &f, &out));
    const struct asking *a = wires[w].codec->asking;
    struct bytes whole = {(const uint8_t *)out.ptr, out.len};
    enum answer what = a->answers(q, whole, &data, &why);
    must(what == ANSWER_WHOLE || (what == ANSWER_OTHER && is_bits)); /* such may look like an echo */
    if (what == ANSWER_OTHER) return;
    must(a->read(q, (struct bytes){(const uint8_t *)(data.ptr ? data.ptr : ""), data.len}, arena, &d, &e));
    for (size_t i = 0; i < d.readings_n; i++) must(isfinite(d.readings[i].value) && d.readings[i].metric.len);
}

/* ITEMS \n VALUE \n BYTES; no value: it is read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = {(const char *)data, size}, items = {NULL, 0}, value = {NULL, 0};
    struct arena arena;
    if (!size || !str_cut(&rest, '\n', &items)) return 0;
    if (str_cut(&rest, '\n', &value) && !value.len) value.ptr = NULL;
    arena_init(&arena, (size_t)4 << 20);
    for (size_t w = 0; w < COUNT(wires); w++) {
        struct question q = {.address = S("17"), .item = items, .value = value, .serial = 5};
        struct modbus_frame f;
        struct wire_error e;
        struct buf out;
        buf_init_arena(&out, &arena, MODBUS_TCP_MAX + 1);
        if (!wires[w].codec->asking->ask(&q, &out)) continue;
        struct bytes whole = {(const uint8_t *)out.ptr, out.len};
        must(modbus_decode(wires[w].wire, MODBUS_MASTER, whole, &f, &e));
        answer(w, &q, &f, (struct bytes){(const uint8_t *)rest.ptr, rest.len}, &arena);
    }
    arena_finish(&arena);
    return 0;
}
