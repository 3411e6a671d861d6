/* GB 18030, in which devices of the field write Chinese, to UTF-8 and back.  Pure: tables in the program.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_GB18030_H
#define LINLI_BASE_GB18030_H

#include "base/base.h"

/* Both append.  False, with nothing appended: not GB 18030 (not UTF-8), or U+0000 in it. */
bool gb18030_to_utf8(struct bytes in, struct buf *out);
bool gb18030_from_utf8(struct str in, struct buf *out);

#endif
