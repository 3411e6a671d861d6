/* Wiegand: what card readers put on two wires, bit by bit, as controllers and OSDP hand it on.  Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_WIEGAND_WIEGAND_H
#define LINLI_PROTOCOL_WIEGAND_WIEGAND_H

#include "protocol/codec.h"

/* 26 bits: even parity of the 12 bits that follow, facility (8), card (16), odd parity of the 12 bits before.
 * 34 bits: even parity of 16, card (32), odd parity of 16.  Others exist and differ by maker: they are kept as bits. */
#define WIEGAND_BITS_MAX     256
#define WIEGAND_NUMBER_BYTES 80 /* of a number, and its end */
struct wiegand {
    size_t bits;
    uint8_t data[WIEGAND_BITS_MAX / 8]; /* left-aligned, zeros behind the last bit */
    bool is_known;                      /* of 26 or 34 bits: */
    uint32_t facility, card;            /* facility: 0 where there is none */
};
/* Of bits as OSDP packs them: left-aligned, the first one highest.  False: the rule that is broken, and the bit. */
bool wiegand_read(struct bytes data, size_t bits, struct wiegand *ret, struct wire_error *reterr);
/* With parity.  bits: 26 or 34; facility of 26 only. */
void wiegand_make(size_t bits, uint32_t facility, uint32_t card, struct wiegand *ret);
/* The card as one number, which passes are kept under: "8065495", all bits between the parities in decimal; of a
 * length that is not known "37:BD88EB8080". */
void wiegand_number(const struct wiegand *w, char ret[WIEGAND_NUMBER_BYTES]);
/* The same of a number as people copy it from a card: "0008065495", "123,04567".  False: it is none. */
bool wiegand_typed(struct str text, char ret[WIEGAND_NUMBER_BYTES]);

extern const struct codec wiegand_codec;

#endif
