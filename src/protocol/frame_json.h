/* Frames as JSON, for codecs' show() and make().  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_FRAME_JSON_H
#define LINLI_PROTOCOL_FRAME_JSON_H

#include "protocol/codec.h"

/* "key": the bytes as text where they are UTF-8 without U+0000, else "key_hex". */
void frame_put_bytes(struct jw *j, struct arena *a, const char *key, struct bytes b);
void frame_put_hex(struct jw *j, struct arena *a, const char *key, struct bytes b);

void frame_put_time(struct jw *j, const char *key, int64_t s); /* civil seconds since 1970: "2026-11-24T10:42:00" */

/* Reads members of an object.  The first that is wrong is told and sets `is_bad`, which stays: check once, at the end.
 */
struct frame_in {
    const json_t *object;
    struct arena *arena;
    struct wire_error *error;
    bool is_bad;
};
void frame_bad(struct frame_in *in, const char *key, const char *what); /* "KEY: WHAT" */
/* A whole number from min to max; absent: `otherwise`, and when that is below min it is required. */
int64_t frame_number(struct frame_in *in, const char *key, int64_t min, int64_t max, int64_t otherwise);
bool frame_flag(struct frame_in *in, const char *key);                /* absent: false */
struct str frame_text(struct frame_in *in, const char *key);          /* absent stays absent */
struct bytes frame_bytes(struct frame_in *in, const char *key);       /* "key" or "key_hex"; absent: ptr NULL */
bool frame_unhex(struct arena *a, struct str hex, struct bytes *ret); /* blanks are skipped; false: no hex */
struct frame_in frame_of(struct frame_in *in, const json_t *object);  /* a part: tell with frame_merge */
void frame_merge(struct frame_in *in, const struct frame_in *part);

#endif
