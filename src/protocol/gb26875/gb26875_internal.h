/* What the files of the GB/T 26875.3 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_GB26875_GB26875_INTERNAL_H
#define LINLI_PROTOCOL_GB26875_GB26875_INTERNAL_H

#include "protocol/gb26875/gb26875.h"

#define GB26875_DATA_AT 27 /* of the data in the frame */

/* What stands before the data, of at least GB26875_DATA_AT bytes, whatever is wrong with them. */
void gb26875_head(struct bytes in, struct gb26875_frame *ret);
/* gb26875_decode(), but *ret is read where the sum is right, even if the command is none. */
bool gb26875_read(struct bytes b, struct gb26875_frame *ret, struct wire_error *reterr);
struct gb26875_time gb26875_time_from(const uint8_t *wire); /* 6 bytes */
void gb26875_put_time(struct gb26875_time t, struct buf *out);
bool gb26875_time_read(struct str text, struct gb26875_time *ret); /* "2026-11-24T10:42:00", of this century */

extern const struct asking gb26875_asking;

bool gb26875_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool gb26875_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
