/* Rows of CSV (RFC 4180) out of bytes that come in pieces.  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_CELLS_H
#define LINLI_MAIN_INGEST_CELLS_H

#include "base/base.h"

#define CELLS_MAX 1024 /* of a row */

struct cell {
    struct str text; /* as it stands in the file; of a quoted one what is between the quotes */
    bool has_pairs;  /* "" in it stands for " */
};
struct cells {
    struct cell cell[CELLS_MAX];
    size_t n;         /* 0: an empty line */
    size_t bytes;     /* of the row, the end of its line included */
    size_t lines;     /* that it takes: quoted cells may hold line ends */
    bool is_ended;    /* by a line end, not by the end of the text */
    const char *rule; /* CELLS_BAD: the one that was broken; static text */
};
enum cells_result {
    CELLS_ROW,
    CELLS_MORE, /* the row goes on behind the text */
    CELLS_BAD   /* bytes and lines are those of its first line, so that the next one may be tried */
};
/* The first row of the text.  is_last: nothing follows the text. */
enum cells_result cells_read(struct str text, bool is_last, char separator, struct cells *ret);
void cells_first_line(struct str text, struct cells *c); /* makes it end with the first line of the text */

#endif
