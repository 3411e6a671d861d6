/* Lines: where devices reach this server.  The rows of TCP kinds open and close listeners while the server
 * runs; kinds that others serve (mqtt, http) are shown beside them.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_LINES_H
#define LINLI_SENSING_LINES_LINES_H

#include "api/api.h"
#include "platform/telemetry/telemetry_http.h"
#include "platform/things/things.h"
#include "sensing/feed/feed.h"

struct figures_book; /* sensing/lines/figures.h */

extern const struct module lines_module;

/* Loop thread, all but the routes' handlers. */
struct line_set;
struct lines_options { /* everything is kept */
    const struct kernel *kernel;
    struct db_pool *pool;
    struct loop *loop;
    const struct world *world;
    const struct log *log;
    struct feed *feed;
    const char *bind; /* for rows without an address of their own; NULL: loopback */
    int first_port; /* -1: each row's own; else the rows' ports at start give way to this one and those that follow, 0:
                       to free ones */
};
#define LINES_MAX 64 /* rows that are looked after; further ones stay closed */
/* Opens what the rows say.  A row that cannot listen is no error: its state says why. */
NODISCARD enum err lines_open(const struct lines_options *options, struct line_set **ret, struct fault *f);
void lines_stop(struct line_set *l); /* before feed_stop; NULL is fine */
void lines_free(struct line_set *l); /* after the loop has run what was left; NULL is fine */

/* Somebody else serves the lines of a kind: where, and how they go (NULL: nothing is told). */
struct line_order; /* sensing/lines/line.h */
struct lines_server {
    const char *kind;
    char address[64];
    struct figures_book *figures; /* outlives the lines; NULL: it counts nothing */
    /* Tells a device of such a line something, see line_tell; NULL: nobody can be told.  Loop thread. */
    bool (*tell)(void *arg, int64_t community_id, const struct line_order *o, const char **ret_why);
    void *arg;
};
void lines_served(struct line_set *l, const struct lines_server *by);
/* What came of an order that lines_server.tell let out. */
void lines_told(struct line_set *l, int64_t command_id, bool is_done, struct str answer);
/* The figures of lines over HTTP, told of every request with readings: for telemetry_http_tell(). */
struct figures_book *line_posts_create(void); /* figures_book_destroy() frees it; NULL: out of memory */
void line_post(void *book, const struct telemetry_post *p);
/* Calls fn for every line that listens by itself, in the order of the rows. */
void lines_each(struct line_set *l,
                void (*fn)(void *arg, const char *kind, const char *address, int port, int64_t community_id),
                void *arg);
/* GET /api/v1/lines/{id}/figures, readiness, metrics. */
struct api_with lines_with(struct line_set *l);

/* A row, for demos and tests. */
NODISCARD enum err line_row_put(struct ctx *ctx, int64_t community_id, struct str name, const char *kind, int64_t port);

#endif
