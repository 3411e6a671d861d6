/* What the files of the lines share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_LINES_INTERNAL_H
#define LINLI_SENSING_LINES_LINES_INTERNAL_H

#include "net/runner.h"
#include "sensing/lines/figures.h"
#include "sensing/lines/line.h"
#include "sensing/lines/lines.h"

#define LINES_SERVERS_MAX 4

/* A row as the loop thread knows it. */
struct line_spec {
    int64_t id, community_id;
    const struct zone *zone;
    char name[LINE_NAME_MAX * 4 + 1], kind[24], bind[46], address[LINE_ADDRESS_MAX], problem[LINE_PROBLEM_MAX];
    int port;
    int32_t state; /* as the row says; address and problem too */
    bool enabled, has_port;
};
struct line_entry {
    struct line_spec spec;
    struct line *line;       /* NULL: does not listen */
    struct figures *figures; /* live as long as the server: they are asked for by workers */
    int start_port;          /* what the row said when the server started; -1: it was not there */
    int32_t state;           /* as it is */
    char address[LINE_ADDRESS_MAX], problem[LINE_PROBLEM_MAX];
    bool is_seen;
};
struct line_set {
    struct lines_options o;
    struct line_entry entries[LINES_MAX];
    size_t entries_n;
    struct lines_server servers[LINES_SERVERS_MAX];
    size_t servers_n;
    pthread_mutex_t lock; /* over what workers read: entries_n, ids, figures, kinds, states, servers */
    struct runner runner;
    bool closing, started, has_servers;
    /* Between the loop thread and the worker; whoever works owns them. */
    int64_t loaded_generation;
    struct line_spec loaded[LINES_MAX];
    size_t loaded_n;
    bool has_loaded;
    enum err failed;
};

int64_t line_rows_generation(void);                          /* rises when rows changed */
enum err line_set_read(struct line_set *l, struct ctx *ctx); /* rows to l->loaded */
enum err line_set_tell(struct line_set *l, struct ctx *ctx); /* what the entries are, where rows say otherwise */

#endif
