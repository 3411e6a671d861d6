/* Owns the text form of server-sent events.  SPDX-License-Identifier: Apache-2.0 */
#include "net/sse.h"

#include <string.h>

static bool is_one_line(struct str s) {
    return !s.len || (!memchr(s.ptr, '\n', s.len) && !memchr(s.ptr, '\r', s.len) && !memchr(s.ptr, 0, s.len));
}

static void line(struct buf *b, const char *field, struct str text) {
    buf_cstr(b, field);
    buf_str(b, text);
    buf_char(b, '\n');
}

void sse_event(struct buf *b, struct str id, struct str event, struct str data) {
    if (!is_one_line(id) || !is_one_line(event)) {
        b->overflow = true;
        return;
    }
    if (id.ptr) line(b, "id: ", id);
    if (event.ptr) line(b, "event: ", event);
    /* A lone CR ends a line for the client too, so each kind of line end starts a new data line. */
    size_t from = 0;
    for (size_t i = 0; i <= data.len; i++) {
        bool is_end = i == data.len || data.ptr[i] == '\n' || data.ptr[i] == '\r';
        if (!is_end) continue;
        line(b, "data: ", (struct str){data.ptr ? data.ptr + from : NULL, i - from});
        if (i + 1 < data.len && data.ptr[i] == '\r' && data.ptr[i + 1] == '\n') i++;
        from = i + 1;
    }
    buf_char(b, '\n');
}
