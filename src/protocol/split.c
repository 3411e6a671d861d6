/* Frames in a stream.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/split.h"

static struct bytes from(struct bytes in, size_t n) {
    return (struct bytes){in.ptr + n, in.len - n};
}

static size_t next_start(const struct split *s, struct bytes in, size_t at) {
    return at + 1 + s->start(from(in, at + 1));
}

enum frame split_next(const struct split *s, struct bytes in, size_t *ret_len) {
    size_t n = 0, ignored;
    *ret_len = s->start(in);
    if (*ret_len) return FRAME_SKIP;
    if (!in.len) return FRAME_SHORT;
    enum frame what = s->look(s->arg, in, &n);
    if (what == FRAME_WHOLE) {
        *ret_len = n;
        return FRAME_WHOLE;
    }
    size_t at = next_start(s, in, 0), end = n ? n : in.len;
    if (what == FRAME_SHORT) {
        while (at < end && s->look(s->arg, from(in, at), &ignored) != FRAME_WHOLE) at = next_start(s, in, at);
        if (at >= end) {
            *ret_len = n;
            return n ? FRAME_WHOLE : FRAME_SHORT;
        }
    }
    *ret_len = at;
    return FRAME_SKIP;
}
