/* What the files of the DL/T 645 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_DLT645_DLT645_INTERNAL_H
#define LINLI_PROTOCOL_DLT645_DLT645_INTERNAL_H

#include "protocol/dlt645/dlt645.h"
#include "protocol/meter.h"

extern const struct meter_shape dlt645_shape;

bool dlt645_function_of(struct str name, uint8_t *ret);
/* Bytes of the identifier in front of the data: 4, 2 or 0. */
size_t dlt645_item_bytes(uint8_t control);
/* What the 1997 edition calls an item of 2007, or a block of them.  False: it has nothing of it. */
bool dlt645_item_97(uint32_t di, uint16_t *ret);
extern const struct asking dlt645_asking;
/* Those of now that are there, of ret->sender; at_s: when that was, 0: the frame does not say. */
bool dlt645_readings(const struct dlt645_value *values, size_t n, int64_t at_s, struct arena *a, struct decoded *ret,
                     struct wire_error *reterr);
bool dlt645_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool dlt645_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
