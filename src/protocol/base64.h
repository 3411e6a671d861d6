/* Bytes as base64 in fields of JSON (RFC 4648, 4: padded, nothing else between).  SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINLI_PROTOCOL_BASE64_H
#define LINLI_PROTOCOL_BASE64_H

#include "base/base.h"

bool base64_read(struct str text, struct buf *out); /* appends the bytes; false: it is none, or they do not fit */
void base64_put(struct buf *out, struct bytes bytes);

#endif
