/* Members of a frame's JSON that its codec does not read.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_UNREAD_H
#define LINLI_MAIN_UNREAD_H

#include "protocol/codec.h"

/* The first member of `frame`, from which make() made `made`, that could be anything and the bytes were the same, as
 * "item" or "objects.0.state".  One that show() puts beside the bytes, as it is, is none: that is what decode said.
 * False: there is none. */
bool unread_find(const struct codec *codec, const json_t *frame, struct bytes made, struct arena *a, struct str *ret);

#endif
