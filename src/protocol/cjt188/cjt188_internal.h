/* What the files of the CJ/T 188 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_CJT188_CJT188_INTERNAL_H
#define LINLI_PROTOCOL_CJT188_CJT188_INTERNAL_H

#include "protocol/cjt188/cjt188.h"
#include "protocol/meter.h"

#define CJT188_DATA_AT 11

extern const struct meter_shape cjt188_shape;

bool cjt188_function_of(struct str name, uint8_t *ret);
extern const struct asking cjt188_asking;
bool cjt188_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool cjt188_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
