/* Rows of a file, whatever its format, into batches.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_SOURCE_H
#define LINLI_MAIN_INGEST_SOURCE_H

#include "main/ingest/csv.h"
#include "protocol/lineproto/lineproto.h"

#define SOURCE_ROW_MAX ((size_t)1 << 20)

struct source {
    int fd;
    bool is_file, is_end, is_csv;
    int64_t size;         /* of a file */
    char *mem;            /* SOURCE_ROW_MAX * 4 */
    size_t at, n;         /* what is not read yet */
    struct position here; /* everything before is read */
    struct position safe; /* the same, but before a last row that has no end yet: it may still grow */
    struct csv csv;
    struct cells cells;
    struct lineproto_line line;
    int64_t tick_ns, shift_ms; /* line protocol */
    const struct world *world;
    struct arena *arena;
    struct arena scratch;
    char rule[200]; /* SOURCE_BAD */
};
/* fd becomes the source's.  as: csv, line, or NULL. */
NODISCARD enum err source_open(struct source *s, int fd, const char *name, const char *as, const struct csv_options *o,
                               const struct world *world, struct arena *arena, struct fault *f);
void source_close(struct source *s);
NODISCARD enum err source_seek(struct source *s, const struct position *to, struct fault *f);

enum source_step {
    SOURCE_ROW,
    SOURCE_BAD,  /* the row at line s->here.line (what is said of it: s->rule) is passed by */
    SOURCE_IDLE, /* nothing came for a second */
    SOURCE_END,
    SOURCE_FAILED
};
/* Puts the next row into the batch. */
enum source_step source_next(struct source *s, struct batch *b);

#endif
