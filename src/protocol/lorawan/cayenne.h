/* Cayenne LPP: what sensors measured in a few bytes, channel by channel (types are IPSO objects less 3200, and those
 * that its libraries added).  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_LORAWAN_CAYENNE_H
#define LINLI_PROTOCOL_LORAWAN_CAYENNE_H

#include "base/base.h"

#define CAYENNE_VALUES_MAX 128 /* of 255 bytes, the longest LoRaWAN payload: 85 of one, 69 of three, each */

struct cayenne_value {
    uint8_t channel;
    const char *name, *unit;
    double value;
};
/* A payload is Cayenne LPP as a whole, or not at all: false where a type is unknown, or the bytes end elsewhere than
 * its last value does. */
bool cayenne_read(struct bytes payload, struct cayenne_value ret[CAYENNE_VALUES_MAX], size_t *ret_n);

#endif
