/* Requests with readings, told to the figures of the lines over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/lines_internal.h"

#include "base/utf8.h"

struct figures_book *line_posts_create(void) {
    return figures_book_create(FIGURES_NO_CONNECTIONS); /* requests come over any */
}

void line_post(void *book, const struct telemetry_post *p) {
    struct figures *f = figures_of(book, p->community_id);
    struct sample x = {.at_ms = p->at_ms, .offset = NO_OFFSET, .number = p->number, .len = p->part.len};
    struct bytes part = {(const uint8_t *)p->part.ptr, p->part.len};
    utf8_copy(x.peer, sizeof x.peer, p->peer);
    utf8_copy(x.about, sizeof x.about, p->user);
    utf8_copy(x.rule, sizeof x.rule, p->rule);
    FIGURES_ADD(f, bytes, (int64_t)p->bytes);
    switch (p->outcome) {
    case POST_TAKEN: figures_good(f, &x, part); return;
    case POST_REFUSED: figures_bad(f, &x, part, false); return;
    case POST_NOT_STORED: FIGURES_ADD(f, unanswered, 1); return;
    }
}
