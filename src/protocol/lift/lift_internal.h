/* What the files of the lift codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_LIFT_LIFT_INTERNAL_H
#define LINLI_PROTOCOL_LIFT_LIFT_INTERNAL_H

#include "protocol/lift/lift.h"

#define LIFT_ENTRAPMENT "entrapment"

bool lift_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool lift_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
