/* Modbus, RTU and TCP, both directions: pumps, fans, lights, chillers, power meters, gateways.  The master asks, a
 * device answers, half duplex.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_MODBUS_MODBUS_H
#define LINLI_PROTOCOL_MODBUS_MODBUS_H

#include "protocol/codec.h"

/* Clauses are those of MODBUS Application Protocol Specification V1.1b3; "serial" is MODBUS over Serial Line V1.02,
 * "TCP" is MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
 *
 * RTU, on serial lines and through gateways that pass bytes on (serial 2.5.1):
 * 0      unit, 1..247; 0: all, who do not answer
 * 1..    PDU: function, then what belongs to it
 * -2     CRC-16 of all before it, low byte first
 *
 * TCP (TCP 3.1.3):
 * 0..1   transaction, which the answer repeats
 * 2..3   protocol, 0
 * 4..5   bytes that follow, 3..254
 * 6      unit; 255 or 0 for a device that is no gateway
 * 7..    PDU
 *
 * All numbers are big-endian but the CRC. */
#define MODBUS_PDU_MAX 253
#define MODBUS_RTU_MAX (1 + MODBUS_PDU_MAX + 2)
#define MODBUS_TCP_MAX (7 + MODBUS_PDU_MAX)
#define MODBUS_UNITS   247

#define MODBUS_BITS_MAX      2000 /* that are read at once, 6.1 */
#define MODBUS_REGISTERS_MAX 125  /* 6.3 */

enum modbus_function {
    MODBUS_READ_COILS = 0x01,
    MODBUS_READ_DISCRETE = 0x02,
    MODBUS_READ_HOLDING = 0x03,
    MODBUS_READ_INPUT = 0x04,
    MODBUS_WRITE_COIL = 0x05,
    MODBUS_WRITE_REGISTER = 0x06,
    MODBUS_WRITE_COILS = 0x0f,
    MODBUS_WRITE_REGISTERS = 0x10,
    MODBUS_MASK_REGISTER = 0x16,
    MODBUS_READ_WRITE = 0x17,
    MODBUS_IDENTIFY = 0x2b /* with MEI type 0E */
};
#define MODBUS_REFUSED 0x80 /* in the function of an exception */
#define MODBUS_COIL_ON 0xff00

enum modbus_exception { /* clause 7 */
                        MODBUS_ILLEGAL_FUNCTION = 0x01,
                        MODBUS_ILLEGAL_ADDRESS = 0x02,
                        MODBUS_ILLEGAL_VALUE = 0x03,
                        MODBUS_DEVICE_FAILURE = 0x04,
                        MODBUS_ACKNOWLEDGE = 0x05,
                        MODBUS_BUSY = 0x06,
                        MODBUS_MEMORY_PARITY = 0x08,
                        MODBUS_GATEWAY_PATH = 0x0a,
                        MODBUS_GATEWAY_SILENT = 0x0b
};

struct modbus_frame {
    uint16_t transaction; /* TCP */
    uint8_t unit, function;
    /* Questions and answers of the functions 05, 06 and 16 are the same bytes. */
    enum modbus_from { MODBUS_EITHER, MODBUS_MASTER, MODBUS_DEVICE } from;
    uint8_t exception;                   /* of a device; 0: none, and what follows counts */
    uint16_t address, count;             /* of bits or registers */
    uint16_t value;                      /* 05, 06 */
    uint16_t and_mask, or_mask;          /* 16 */
    uint16_t write_address, write_count; /* 17: what is written before it is read */
    struct bytes data;                   /* registers, bits, or objects of an identification, as on the wire */
    uint8_t code, object;                /* 2B: 1 basic, 2 regular, 3 extended, 4 that object; the first object */
    uint8_t conformity, next, objects_n; /* 2B of a device */
    bool more;
};
enum modbus_wire { MODBUS_RTU, MODBUS_TCP };
/* from: who said it; MODBUS_EITHER: nobody knows.  Then three bytes of bits that were read, and a few of function 17,
 * may be a question as well: they are taken for an answer, those of 17 for a question. */
bool modbus_decode(enum modbus_wire wire, enum modbus_from from, struct bytes whole, struct modbus_frame *ret,
                   struct wire_error *reterr);
/* False: there is no such function, or its data do not fit; nothing is written then. */
bool modbus_encode(enum modbus_wire wire, const struct modbus_frame *f, struct buf *out);

const char *modbus_function_name(uint8_t function);   /* "read_holding"; NULL: unknown */
const char *modbus_exception_word(uint8_t exception); /* "illegal_address"; NULL: unknown */

/* ---- items, as models of devices name them ----
 *
 *     TABLE:ADDRESS[:FORM][:ORDER][:*FACTOR or :/DIVISOR][:+OFFSET or :-OFFSET][:!NONE][:many]
 *
 *     coil:5                    a bit that is read and written
 *     discrete:7                a bit that is read
 *     holding:100               a register that is read and written
 *     input:3:s32:cdab          two registers that are read, signed, the low word first
 *     holding:10:u16:*0.1       a tenth of what stands there; :/10 says the same
 *     holding:20:s16:/10:-40    and 40 less
 *     input:8:s16:!8000         8000 (hex) means that there is no value
 *     holding:12:bit3           one bit of a register
 *
 * ADDRESS counts from 0, as the wire does, decimal or 0x and hex.  Manuals that count from 1 or write 40001 mean
 * holding:0 by it; 30001 is input:0, 10001 is discrete:0, 00001 is coil:0.
 * FORM: u16, which is meant where there is none, s16, u32, s32, f32, u64, s64, f64, bcd16, bcd32, bit0 … bit15.
 * ORDER of bytes: abcd, high first, which is meant where there is none; cdab, low word first; badc, the bytes of each
 * word swapped; dcba, both.
 * A value is (what stands there) * FACTOR + OFFSET.  A number that is none (NaN, BCD above 9, NONE) is no reading.
 * Told a value, a device is written to: a coil 1, 0, on or off (05), a register a number (06; 10 where it has more than
 * one, or with "many"; 16 for a bit), which must be one that the form can hold exactly: 21.55 is none for u16 and *0.1.
 * Several items with blanks between are asked for at once where they are of one table, fit one answer and are near to
 * each other (MODBUS_GAP_MAX).  A reading's metric is its item, as it was written. */
#define MODBUS_GAP_MAX 16 /* registers that nobody wants between two that somebody does; as many times 16 bits */

/* What a gateway answers for a device that does not (0A, 0B) is no answer of the device; who is busy (05, 06) has not
 * answered yet.  Over RTU an answer does not say what was asked, only how much of it. */
extern const struct codec modbus_codec;     /* TCP */
extern const struct codec modbus_rtu_codec; /* RTU */

#endif
