/* Readings on their way: line protocol with times in ms, and which row of the file each line is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_BATCH_H
#define LINLI_MAIN_INGEST_BATCH_H

#include "base/base.h"

#define BATCH_VALUES_MAX 50000
#define BATCH_BODY_FULL  ((size_t)4 << 20) /* sent at the latest when it is that long */
#define BATCH_BODY_MAX   ((size_t)10 << 20)

/* How far a file is read: everything before `offset`, which is where a row begins. */
struct position {
    int64_t offset, line; /* line: the number of the last one before offset */
    int64_t rows, readings, bad;
    int64_t last_ms; /* struct when */
};
struct batch_line {
    size_t at;   /* in the body */
    int64_t row; /* line of the file */
    int64_t at_ms;
    struct position before; /* that row; set by batch_place */
    uint32_t values;
};
struct batch {
    char *body;
    size_t len, n, values;
    struct batch_line *lines; /* BATCH_VALUES_MAX + CELLS_MAX of them */
    bool overflow;            /* a row did not fit: refuse it */
    struct position upto;     /* once this batch is durable */
};
NODISCARD bool batch_init(struct batch *b);
void batch_finish(struct batch *b);
void batch_clear(struct batch *b);
bool batch_is_full(const struct batch *b, size_t values);

/* A row is begun at a mark; going back to it forgets the row. */
struct batch_mark {
    size_t len, n, values;
};
struct batch_mark batch_mark(const struct batch *b);
void batch_back(struct batch *b, struct batch_mark m);

void batch_bytes(struct batch *b, const void *bytes, size_t n);
void batch_name(struct batch *b, struct str name, const char *ends); /* a backslash before each of `ends` */
/* A line is its body from at on, to which its time and end are put here. */
void batch_end(struct batch *b, size_t at, int64_t row, int64_t at_ms, uint32_t values);
/* The lines put since the mark are of the row behind `before`. */
void batch_place(struct batch *b, struct batch_mark m, const struct position *before);
struct str batch_text(const struct batch *b, size_t line); /* without its end */
void batch_cut(struct batch *b, size_t n);                 /* keeps the first n lines */
/* Keeps the lines that fn says yes to. */
void batch_keep(struct batch *b, bool (*fn)(void *arg, const struct batch_line *l, size_t number), void *arg);

/* Fit to name a metric or a device of readings (what telemetry asks for), and to be written in line protocol. */
const char *name_rule(struct str name, size_t most);

#endif
