/* What the files of the Modbus codecs share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_MODBUS_MODBUS_INTERNAL_H
#define LINLI_PROTOCOL_MODBUS_MODBUS_INTERNAL_H

#include "protocol/modbus/modbus.h"

/* ---- pdu.c */
struct modbus_shape {
    uint8_t function;
    const char *name;
    /* Bytes of a question and of an answer, and where one says how many more there are; 0: nowhere. */
    uint8_t asks, asks_more_at, answers, answers_more_at;
    uint16_t count_max;          /* of bits or registers that are read, else of those that are written */
    const char *length, *counts; /* rules */
};
const struct modbus_shape *modbus_shape(uint8_t function); /* NULL: unknown */
bool modbus_function_of(struct str name, uint8_t *ret);
/* Bytes of a PDU that begins so; 0: more of it is needed to tell; over MODBUS_PDU_MAX: it is none. */
size_t modbus_pdu_len(const struct modbus_shape *s, enum modbus_from from, struct bytes pdu);
/* Offsets of errors are the PDU's. */
bool modbus_pdu_decode(enum modbus_from from, struct bytes pdu, struct modbus_frame *ret, struct wire_error *reterr);
bool modbus_pdu_encode(const struct modbus_frame *f, struct buf *out);
/* The next object of an identification; false: there is none, or it is cut short. */
bool modbus_object(struct bytes *rest, uint8_t *ret_id, struct bytes *ret_value);

/* ---- frame.c */
enum frame modbus_split_rtu(struct bytes in, size_t *ret_len);
enum frame modbus_split_tcp(struct bytes in, size_t *ret_len);

/* ---- item.c */
struct modbus_item {
    uint8_t reads;           /* function that reads its table */
    uint16_t address, words; /* words: registers, of coils and discretes bits */
    enum modbus_form { MODBUS_UNSIGNED, MODBUS_SIGNED, MODBUS_FLOAT, MODBUS_BCD, MODBUS_BIT } form;
    uint8_t bit;
    bool swaps_words, swaps_bytes, has_none, many;
    uint64_t none;
    double factor, divisor, offset;
};
bool modbus_item_read(struct str text, struct modbus_item *ret);
/* From its registers as on the wire.  False: no value stands there. */
bool modbus_item_value(const struct modbus_item *i, const uint8_t *registers, double *ret);
/* The registers that say it.  False: it is no such value, or none that the form can hold. */
bool modbus_item_registers(const struct modbus_item *i, struct str value, uint8_t *registers);
bool modbus_is_bits(const struct modbus_item *i); /* coils and discretes */
bool modbus_switch_of(struct str value, bool *ret);

extern const struct asking modbus_tcp_asking, modbus_rtu_asking;
bool modbus_show_rtu(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool modbus_show_tcp(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool modbus_make_rtu(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);
bool modbus_make_tcp(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
