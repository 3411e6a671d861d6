/* Long answers in pieces.  SPDX-License-Identifier: Apache-2.0 */
#include "net/pieces.h"

#include <stdlib.h>

#define SLICE_MAX ((size_t)64 * 1024) /* handed to the socket at once */

struct sending {
    struct loop *loop;
    struct http_pieces pieces;
    struct http_stream *http; /* NULL once closed */
    struct str rest;          /* of the piece under way */
    bool more, is_working, is_sending;
};

static void work(void *arg) {
    struct sending *s = arg;
    s->more = s->pieces.next(s->pieces.arg, &s->rest);
}

static void finish(struct sending *s) {
    if (s->http || s->is_working) return;
    s->pieces.done(s->pieces.arg);
    free(s);
}

static void worked(void *arg);

static enum err write_text(struct sending *s, struct str text) {
    return http_stream_write(s->http, (struct bytes){(const uint8_t *)text.ptr, text.len});
}

static void send_on(struct sending *s) {
    if (!s->http || s->is_working || s->is_sending) return;
    s->is_sending = true; /* on_drain may come from within the write */
    while (s->rest.len && !http_stream_pending(s->http)) {
        struct str slice = {s->rest.ptr, s->rest.len < SLICE_MAX ? s->rest.len : SLICE_MAX};
        if (write_text(s, slice)) break; /* on_close follows */
        s->rest = str_from(s->rest, slice.len);
    }
    s->is_sending = false;
    if (s->rest.len || http_stream_pending(s->http)) return;
    if (!s->more) {
        http_stream_end(s->http);
        return;
    }
    s->is_working = !loop_work(s->loop, work, worked, s);
    if (s->is_working) return;
    s->more = false;
    if (!write_text(s, s->pieces.cut)) http_stream_end(s->http);
}

static void worked(void *arg) {
    struct sending *s = arg;
    s->is_working = false;
    if (s->http)
        send_on(s);
    else
        finish(s);
}

static void on_drain(void *arg) {
    send_on(arg);
}

static void on_close(void *arg, enum err why) {
    struct sending *s = arg;
    (void)why;
    s->http = NULL;
    finish(s);
}

enum err http_pieces_begin(struct loop *loop, const struct http_request *req, const struct http_answer *answer,
                           const struct http_pieces *pieces) {
    struct sending *s = calloc(1, sizeof *s);
    if (!s) return ERR_INTERNAL;
    *s = (struct sending){.loop = loop, .pieces = *pieces, .rest = pieces->first, .more = pieces->more};
    s->http = http_stream_begin(req, answer->status, answer->headers, answer->headers_n,
                                &(struct http_stream_calls){.on_drain = on_drain, .on_close = on_close, .arg = s});
    send_on(s);
    return OK;
}
