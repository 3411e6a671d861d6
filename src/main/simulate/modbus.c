/* A small controller with a power meter in it, over both wires of Modbus.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/modbus/modbus.h"
#include "main/simulate/slave.h"

#include <math.h>
#include <string.h>

/* input 0     voltage, u16, a tenth of a volt       input 4, 5  energy, u32, Wh, rises unless coil 0 cuts it
 * input 1     current, u16, a hundredth of an amp   input 6     temperature, s16, a tenth of a degree
 * input 2, 3  power, f32, W                         input 7     coils 0 to 15 as bits
 * holding 0 to 99     what was written there, 0 at first
 * holding 100 to 107  the input registers once more; they cannot be written
 * coil 0 to 15        outputs; discrete 0 to 15 show them */
#define INPUTS 8
#define COPIES 100 /* of them, among the holding registers */
#define COILS  16
#define VOLTS  220
#define WATTS  1500

struct asked {
    struct slave_device *d;
    const struct modbus_frame *q;
    int64_t now_ms;
    struct modbus_frame *f;       /* the answer */
    uint8_t data[MODBUS_PDU_MAX]; /* its data */
    uint16_t inputs[INPUTS];
};

static void measure(struct asked *a) {
    struct slave_device *d = a->d;
    double watts = d->is_off ? 0 : slave_around(d, WATTS, 30);
    uint32_t wh = (uint32_t)(WATTS * slave_hours(d, a->now_ms, a->now_ms));
    float power = (float)watts;
    uint32_t bits;
    memcpy(&bits, &power, sizeof bits);
    const uint16_t now[INPUTS] = {(uint16_t)slave_around(d, VOLTS * 10, 40),
                                  (uint16_t)(watts * 100 / VOLTS),
                                  (uint16_t)(bits >> 16),
                                  (uint16_t)bits,
                                  (uint16_t)(wh >> 16),
                                  (uint16_t)wh,
                                  (uint16_t)(int16_t)slave_around(d, 215, 5),
                                  d->coils};
    memcpy(a->inputs, now, sizeof now);
}

/* ---- what there is; 0: done, else an exception ---- */

static bool are_there(uint32_t address, uint32_t count, uint32_t all) {
    return address + count <= all;
}

static uint8_t read_bits(struct asked *a) {
    const struct modbus_frame *q = a->q;
    if (!are_there(q->address, q->count, COILS)) return MODBUS_ILLEGAL_ADDRESS;
    for (unsigned i = 0; i < q->count; i++) a->data[i / 8] |= (uint8_t)((a->d->coils >> (q->address + i) & 1) << i % 8);
    a->f->data = (struct bytes){a->data, (q->count + 7u) / 8};
    return 0;
}

static uint8_t read_registers(struct asked *a) {
    const struct modbus_frame *q = a->q;
    bool are_inputs = q->function == MODBUS_READ_INPUT;
    measure(a);
    for (uint32_t i = 0, at = q->address; i < q->count; i++, at++) {
        bool is_copy = !are_inputs && at >= COPIES && at < COPIES + INPUTS;
        if (!is_copy && at >= (are_inputs ? INPUTS : SLAVE_WORDS)) return MODBUS_ILLEGAL_ADDRESS;
        uint16_t v = is_copy ? a->inputs[at - COPIES] : are_inputs ? a->inputs[at] : a->d->words[at];
        a->data[2 * i] = (uint8_t)(v >> 8);
        a->data[2 * i + 1] = (uint8_t)v;
    }
    a->f->data = (struct bytes){a->data, 2u * q->count};
    return 0;
}

static uint8_t write_coils(struct asked *a, uint32_t address, uint32_t count, struct bytes bits) {
    if (!are_there(address, count, COILS)) return MODBUS_ILLEGAL_ADDRESS;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t bit = (uint16_t)(1u << (address + i));
        a->d->coils = (uint16_t)(bits.ptr[i / 8] >> i % 8 & 1 ? a->d->coils | bit : a->d->coils & ~bit);
    }
    slave_switch(a->d, a->d->coils & 1, a->now_ms);
    return 0;
}

static uint8_t write_registers(struct asked *a, uint32_t address, struct bytes registers) {
    if (!are_there(address, (uint32_t)registers.len / 2, SLAVE_WORDS)) return MODBUS_ILLEGAL_ADDRESS;
    for (size_t i = 0; i < registers.len / 2; i++)
        a->d->words[address + i] = (uint16_t)(registers.ptr[2 * i] << 8 | registers.ptr[2 * i + 1]);
    return 0;
}

static uint8_t mask_register(struct asked *a) {
    const struct modbus_frame *q = a->q;
    if (!are_there(q->address, 1, SLAVE_WORDS)) return MODBUS_ILLEGAL_ADDRESS;
    uint16_t *word = &a->d->words[q->address];
    *word = (uint16_t)((*word & q->and_mask) | (q->or_mask & ~q->and_mask)); /* 6.16 */
    return 0;
}

static uint8_t identify(struct asked *a) {
    static const char *const said[] = {"Linli", "simulated", LINLI_VERSION};
    const struct modbus_frame *q = a->q;
    bool is_one = q->code == 4;
    size_t n = 0;
    if (q->code > 1 && !is_one) return MODBUS_ILLEGAL_VALUE; /* nothing but the basic ones */
    if (q->object >= COUNT(said)) return MODBUS_ILLEGAL_ADDRESS;
    for (size_t i = q->object; i < COUNT(said) && (!is_one || i == q->object); i++) {
        a->data[n++] = (uint8_t)i;
        a->data[n++] = (uint8_t)strlen(said[i]);
        memcpy(a->data + n, said[i], strlen(said[i]));
        n += strlen(said[i]);
        a->f->objects_n++;
    }
    a->f->conformity = 0x81; /* basic, single ones too */
    a->f->data = (struct bytes){a->data, n};
    return 0;
}

static uint8_t answer(struct asked *a) {
    const struct modbus_frame *q = a->q;
    const uint8_t on = q->value == MODBUS_COIL_ON, word[] = {(uint8_t)(q->value >> 8), (uint8_t)q->value};
    switch ((enum modbus_function)q->function) {
    case MODBUS_READ_COILS:
    case MODBUS_READ_DISCRETE: return read_bits(a);
    case MODBUS_READ_HOLDING:
    case MODBUS_READ_INPUT: return read_registers(a);
    case MODBUS_WRITE_COIL: return write_coils(a, q->address, 1, (struct bytes){&on, 1});
    case MODBUS_WRITE_REGISTER: return write_registers(a, q->address, (struct bytes){word, 2});
    case MODBUS_WRITE_COILS: return write_coils(a, q->address, q->count, q->data);
    case MODBUS_WRITE_REGISTERS: return write_registers(a, q->address, q->data);
    case MODBUS_MASK_REGISTER: return mask_register(a);
    case MODBUS_READ_WRITE: {
        uint8_t exception = write_registers(a, q->write_address, q->data); /* first of all, 6.17 */
        return exception ? exception : read_registers(a);
    }
    case MODBUS_IDENTIFY: return identify(a);
    }
    return MODBUS_ILLEGAL_FUNCTION;
}

static enum slave_heard hear(enum modbus_wire wire, struct slave_line *line, struct bytes whole, int64_t now_ms,
                             struct buf *out) {
    struct modbus_frame q, f;
    struct wire_error e;
    if (!modbus_decode(wire, MODBUS_MASTER, whole, &q, &e) || q.exception) return SLAVE_NOT_OURS;
    int64_t index = q.unit - line->devices[0].number;
    if (index < 0 || index >= (int64_t)line->devices_n) return SLAVE_NOT_OURS;
    f = q;
    f.from = MODBUS_DEVICE;
    f.data = (struct bytes){NULL, 0};
    struct asked a = {
        .d = &line->devices[index], .q = &q, .now_ms = slave_clock_ms(&line->devices[index], now_ms), .f = &f};
    f.exception = answer(&a);
    if (!modbus_encode(wire, &f, out)) return SLAVE_NOT_OURS;
    return f.exception ? SLAVE_REFUSES : SLAVE_ANSWERS;
}

static enum slave_heard hear_tcp(struct slave_line *line, struct bytes whole, int64_t now_ms, struct buf *out) {
    return hear(MODBUS_TCP, line, whole, now_ms, out);
}
static enum slave_heard hear_rtu(struct slave_line *line, struct bytes whole, int64_t now_ms, struct buf *out) {
    return hear(MODBUS_RTU, line, whole, now_ms, out);
}

/* MBAP has no sum: the answer is to another question, or longer than it is. */
static void spoil(uint8_t *frame, int64_t turn) {
    frame[turn % 2 ? 5 : 1] ^= 1;
}

const struct slave_protocol slave_modbus = {.name = "modbus",
                                            .codec = &modbus_codec,
                                            .faults = (1u << SLAVE_FAULTS) - 1,
                                            .spoil = spoil,
                                            .first = 1,
                                            .last = MODBUS_UNITS,
                                            .baud = 9600,
                                            .hear = hear_tcp};
const struct slave_protocol slave_modbus_rtu = {.name = "modbus_rtu",
                                                .codec = &modbus_rtu_codec,
                                                .faults = (1u << SLAVE_FAULTS) - 1,
                                                .sum_at = 1,
                                                .first = 1,
                                                .last = MODBUS_UNITS,
                                                .baud = 9600,
                                                .hear = hear_rtu};
