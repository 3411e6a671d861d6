/* What the files of the JT/T 808 codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_JT808_JT808_INTERNAL_H
#define LINLI_PROTOCOL_JT808_JT808_INTERNAL_H

#include "protocol/cursor.h"
#include "protocol/jt808/jt808.h"

enum frame jt808_split(struct bytes in, size_t *ret_len);
static inline struct bytes jt808_body(const struct jt808_frame *f) {
    return (struct bytes){f->body, f->body_n};
}
/* The body, too, is what its message wants; *reterr's place is the frame's first byte.  Parts of a message are not
 * looked into. */
bool jt808_check(const struct jt808_frame *f, struct bytes body, struct wire_error *reterr);
bool jt808_is_kept(const struct jt808_frame *f); /* a part of a message that is put together */

/* BCD, year first: civil seconds of UTC+8 since 1970; 0: no time, or the year 0 of a clock that was never set. */
int64_t jt808_time_s(const uint8_t time[6]);
/* The next item of a batch, extra of a location, parameter of an answer.  False: no more, or it runs past the end. */
bool jt808_next_item(struct cursor *c, struct bytes *ret);
bool jt808_next_extra(struct cursor *c, uint8_t *ret_id, struct bytes *ret);
bool jt808_next_parameter(struct cursor *c, uint32_t *ret_id, struct bytes *ret);

/* Parameters that are read and set by a word: all are numbers of four bytes. */
struct jt808_parameter {
    uint32_t id;
    const char *item, *unit;
};
extern const struct jt808_parameter jt808_parameters[];
extern const size_t jt808_parameters_n;

/* What the message says, for `device`, which lives as long as the arena. */
bool jt808_say(const struct jt808_frame *f, struct bytes body, struct str device, struct arena *a, struct decoded *ret,
               struct wire_error *reterr);

const char *jt808_message_name(uint16_t message); /* NULL: none of those we know */
bool jt808_message_of(struct str name, uint16_t *ret);
bool jt808_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool jt808_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);
extern const struct asking jt808_asking;
extern const struct joining jt808_joining;

#endif
