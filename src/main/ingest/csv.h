/* What the columns of a CSV file mean, and its rows as readings.  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_CSV_H
#define LINLI_MAIN_INGEST_CSV_H

#include "base/err.h"
#include "main/ingest/batch.h"
#include "main/ingest/cells.h"
#include "main/ingest/when.h"

#define CSV_TIMES_MAX 4    /* columns that a time is made of */
#define CSV_SAMPLE    100  /* rows that guesses look at */
#define CSV_SCRATCH   1024 /* bytes of a name or time */

struct csv_options {       /* NULL: guess */
    const char *time;      /* COL, or COL+COL: joined by a blank */
    const char *device;    /* COL or =NAME */
    const char *metric;    /* COL or =NAME: the file is long, a row a reading */
    const char *value;     /* long: COL.  Wide: COL[=METRIC],… */
    const char *format;    /* when_format */
    const char *separator; /* , ; or tab */
    const char *encoding;  /* utf-8 or gb18030 */
    const char *header;    /* names of the columns, for files that begin with their first row */
    const char *empty;     /* words that are no reading, with commas between */
    const struct zone *zone;
    int32_t offset_s;
    int64_t shift_ms;
};
struct csv_column {
    struct str name;
    enum { CSV_OUT, CSV_TIME, CSV_DEVICE, CSV_METRIC, CSV_VALUE } role;
    struct str metric;   /* CSV_VALUE in a wide file */
    const char *why_out; /* static text */
};
struct csv {
    struct when when;
    char separator;
    bool is_gb, is_long;
    struct str device, metric; /* absent: they have a column */
    struct str empty;
    struct csv_column *columns;
    size_t columns_n;
    size_t time_at[CSV_TIMES_MAX], times_n, device_at, metric_at, value_at;
    char rule[200]; /* of the row refused last */
    char scratch[CSV_SCRATCH], other[CSV_SCRATCH];
    struct arena *arena;
};
/* Looks at the beginning of a file, its first row at least (is_whole: all there is).  What is kept lives in the arena.
 * *ret_begin: where the first row with readings begins, and the number of lines before it.  ERR_INVALID: what cannot be
 * guessed or is said wrongly, and the option that helps. */
NODISCARD enum err csv_begin(struct csv *c, const struct csv_options *o, struct str sample, bool is_whole,
                             struct arena *arena, struct position *ret_begin, struct fault *f);
/* Puts the row's readings; false: nothing is put, c->rule says why. */
bool csv_row(struct csv *c, const struct cells *row, int64_t line, struct batch *b);

#endif
