/* Members of a JSON text, found in place: for payloads of which a few are wanted.  Pure, without allocation but for
 * texts.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_MEMBERS_H
#define LINLI_PROTOCOL_MEMBERS_H

#include "base/base.h"

#define MEMBERS_DEPTH_MAX 32

/* One strict JSON value (RFC 8259) in UTF-8 without U+0000, and blanks around it.  False: the byte where it is none. */
bool members_check(struct bytes json, size_t *ret_at);

/* Of checked text only.  A path names members from the outside in, "result.PlateResult"; where one stands twice the
 * first counts.  "": the value itself. */
struct str member_at(struct str json, const char *path);                    /* JSON text; absent: none, or null */
struct str member_text(struct str json, const char *path, struct arena *a); /* absent: no text, or no memory */
bool member_put(struct str json, const char *path, struct buf *out);        /* appends a text; false: there is none */
bool member_i64(struct str json, const char *path, int64_t *ret);           /* false: no whole number */

#endif
