/* Lines: what devices of one kind say over TCP, decoded, made durable, answered.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINLI_SENSING_LINES_LINES_H
#define LINLI_SENSING_LINES_LINES_H

#include "net/tcp.h"
#include "protocol/codec.h"
#include "sensing/feed/feed.h"

struct line_options {
    const struct codec *codec;
    const char *name; /* "gb26875" */
    const char *bind;
    int port;
    bool try_next;
    int64_t community_id;    /* whose devices speak here */
    const struct zone *zone; /* of their clocks; NULL: UTC */
    const struct world *world;
    struct feed *feed;
};
struct line;
/* A frame is answered only when what it says is in the store.  Bad frames are counted and the last one kept; at most a
 * frame's length is buffered a connection; while an answer is due the connection is not read on. */
NODISCARD enum err line_open(struct loop *loop, const struct line_options *options, struct line **ret,
                             struct fault *fault);
int line_port(const struct line *line);
void line_close(struct line *line); /* loop thread, before feed_stop; NULL is fine */
void line_free(struct line *line);  /* after the loop has run what was left; NULL is fine */

struct line_figures {
    int64_t frames, bad, skipped_bytes, connections;
    char last_bad[130]; /* hex of the first 64 bytes */
    const char *last_rule;
};
void line_figures(const struct line *line, struct line_figures *ret);

#endif
