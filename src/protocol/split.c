/* Frames in a stream.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/split.h"

static struct bytes from(struct bytes in, size_t n) {
    return (struct bytes){in.ptr + n, in.len - n};
}

static size_t next_start(const struct split *s, struct bytes in, size_t at) {
    return at + 1 + s->start(from(in, at + 1));
}

enum frame split_next(const struct split *s, struct bytes in, size_t *ret_len) {
    size_t n = 0;
    *ret_len = s->start(in);
    if (*ret_len) return FRAME_SKIP;
    enum frame what = s->look(s->arg, in, &n);
    if (what == FRAME_WHOLE) {
        *ret_len = n;
    } else if (what == FRAME_SKIP) {
        *ret_len = next_start(s, in, 0);
    } else {
        size_t at = next_start(s, in, 0);
        while (at < in.len && s->look(s->arg, from(in, at), &n) != FRAME_WHOLE) at = next_start(s, in, at);
        *ret_len = at < in.len ? at : 0;
        if (at < in.len) what = FRAME_SKIP;
    }
    return what;
}
