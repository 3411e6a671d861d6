/* Server-sent events as text (WHATWG HTML, 9.2).  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_SSE_H
#define LINLI_NET_SSE_H

#include "base/base.h"

/* One event; absent id or event leave their line out; data may hold line ends (each line gets its "data:").  A CR, LF
 * or NUL in id or event makes the builder overflow, so buf_done refuses it. */
void sse_event(struct buf *b, struct str id, struct str event, struct str data);

#endif
