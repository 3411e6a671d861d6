/* One line: what devices of one kind say over TCP, decoded, made durable, answered.  SPDX-License-Identifier:
 * Apache-2.0
 */
#ifndef LINLI_SENSING_LINES_LINE_H
#define LINLI_SENSING_LINES_LINE_H

#include "net/tcp.h"
#include "platform/things/things.h"
#include "protocol/codec.h"
#include "sensing/feed/feed.h"
#include "sensing/lines/figures.h"

struct line_options {
    const struct codec *codec;
    const char *name; /* what people call it; copied */
    const char *bind;
    int port;
    bool try_next;
    int64_t community_id;    /* whose devices speak here */
    const struct zone *zone; /* of their clocks; NULL: UTC */
    const struct world *world;
    struct feed *feed;
    struct figures *figures; /* outlives the line */
};
struct line;
/* A frame is answered only when what it says is in the store; while an answer is due the connection is not read on.
 * What is no frame is counted and kept as a sample.  Loop thread, all of it. */
NODISCARD enum err line_open(struct loop *loop, const struct line_options *options, struct line **ret,
                             struct fault *fault);
int line_port(const struct line *line);
/* Call every second or so: a frame that began and was not gone on with for LINE_PARTIAL_MS is given up. */
#define LINE_PARTIAL_MS 10000
void line_tick(struct line *line);
/* Closes the listener and its connections, before feed_stop; the memory goes when the loop has run what was left.  NULL
 * is fine. */
void line_close(struct line *line);

#endif
