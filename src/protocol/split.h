/* Frames in a stream, for codecs whose frames have a length and a sum.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_SPLIT_H
#define LINLI_PROTOCOL_SPLIT_H

#include "protocol/codec.h"

struct split {
    size_t (*start)(struct bytes in); /* where a frame may begin at the earliest; in.len: nowhere */
    /* What begins at the first byte: FRAME_WHOLE, right and of *ret_len bytes; FRAME_SHORT, it may become one, or it
     * has its *ret_len bytes but is wrong, and its protocol answers such a frame; FRAME_SKIP, none. */
    enum frame (*look)(const void *arg, struct bytes in, size_t *ret_len);
    const void *arg;
    /* How many bytes look() wants to say whether that is right; 0: its head is not there, or says nothing.  NULL: none
     * says it. */
    size_t (*end)(struct bytes in);
};
/* Bytes may have been lost: a right frame inside of one that is still waited for, or is wrong, wins, so that nothing
 * behind it is held up.  followed NULL: what was seen before is not known. */
enum frame split_next(const struct split *s, struct bytes in, struct followed *followed, size_t *ret_len);

#endif
