/* What the files of the HJ 212 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_HJ212_HJ212_INTERNAL_H
#define LINLI_PROTOCOL_HJ212_HJ212_INTERNAL_H

#include "protocol/hj212/hj212.h"

enum frame hj212_split(struct bytes in, size_t *ret_len);
bool hj212_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool hj212_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
