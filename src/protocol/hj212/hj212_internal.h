/* What the files of the HJ 212 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_HJ212_HJ212_INTERNAL_H
#define LINLI_PROTOCOL_HJ212_HJ212_INTERNAL_H

#include "protocol/hj212/hj212.h"

enum frame hj212_split(struct bytes in, size_t *ret_len);
/* What packets of one station say, one after the other.  False: out of memory. */
bool hj212_mean(const struct hj212_frame *all, size_t n, struct arena *a, struct decoded *ret);

extern const struct asking hj212_asking;

bool hj212_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool hj212_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
