/* What people show at doors, read from how they write it.  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_PASSING_H
#define LINLI_PROTOCOL_PASSING_H

#include "protocol/codec.h"

#define PASSING_VALUE_MAX  64 /* bytes of any of them */
#define PASSING_VALUE_SIZE (PASSING_VALUE_MAX + 1)

/* In the normal form of struct passing: a plate of GA 36; a card as it is printed ("0008065495", "123,04567") or as
 * bits
 * ("37:bd88eb80a8"); a code of 4 to 16 digits; what a device calls a face, without blanks and / + #.  False: it is none
 * of that kind; pieces of a code (PASSING_KEYS) have no form. */
bool passing_read(enum passing_kind kind, struct str text, char ret[PASSING_VALUE_SIZE]);

#endif
