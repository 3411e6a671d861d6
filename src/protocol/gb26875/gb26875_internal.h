/* What the files of the GB/T 26875.3 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_GB26875_GB26875_INTERNAL_H
#define LINLI_PROTOCOL_GB26875_GB26875_INTERNAL_H

#include "protocol/gb26875/gb26875.h"

bool gb26875_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool gb26875_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
