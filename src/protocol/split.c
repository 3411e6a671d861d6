/* Frames in a stream.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/split.h"

static struct bytes from(struct bytes in, size_t n) {
    return (struct bytes){in.ptr + n, in.len - n};
}

static size_t next_start(const struct split *s, struct bytes in, size_t at) {
    return at + s->start(from(in, at));
}

static enum frame look(const struct split *s, struct bytes in, size_t end, struct followed *st, size_t *ret_len) {
    if (end <= in.len) st->summed += end;
    return s->look(s->arg, in, ret_len);
}

/* Where the first right frame is that begins before `before`; `before` or behind it: nowhere.  What was there as a
 * whole the last time was wrong then. */
static size_t right_inside(const struct split *s, struct bytes in, size_t before, struct followed *st) {
    size_t waits = in.len, at = next_start(s, in, st->inside ? st->inside : 1), ignored;
    for (; at < before; at = next_start(s, in, at + 1)) {
        size_t end = s->end ? s->end(from(in, at)) : 0;
        bool is_wrong = end && at + end <= st->seen;
        enum frame what = is_wrong ? FRAME_SKIP : look(s, from(in, at), end, st, &ignored);
        if (what == FRAME_WHOLE) break;
        if (what == FRAME_SHORT && at < waits) waits = at;
    }
    st->inside = waits;
    return at;
}

static enum frame first_of(const struct split *s, struct bytes in, struct followed *st, size_t *ret_len) {
    size_t n = 0;
    *ret_len = s->start(in);
    if (*ret_len) return FRAME_SKIP;
    if (!in.len) return FRAME_SHORT;
    enum frame what = look(s, in, s->end ? s->end(in) : 0, st, &n);
    if (what == FRAME_SKIP) *ret_len = next_start(s, in, 1);
    if (what == FRAME_WHOLE) *ret_len = n;
    if (what != FRAME_SHORT) return what;
    size_t before = n ? n : in.len, at = right_inside(s, in, before, st);
    *ret_len = at < before ? at : n;
    return at < before ? FRAME_SKIP : n ? FRAME_WHOLE : FRAME_SHORT;
}

enum frame split_next(const struct split *s, struct bytes in, struct followed *followed, size_t *ret_len) {
    struct followed unknown = {0}, *st = followed ? followed : &unknown;
    enum frame what = first_of(s, in, st, ret_len);
    if (what == FRAME_SHORT) {
        st->seen = in.len;
    } else {
        st->seen = st->seen > *ret_len ? st->seen - *ret_len : 0;
        st->inside = 0;
    }
    return what;
}
