/* Files of readings into a running server.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_INGEST_H
#define LINLI_MAIN_INGEST_INGEST_H

#include "main/ingest/csv.h"
#include "main/ingest/link.h"

#define INGEST_BATCH 20000 /* readings of a request */

struct ingest_options {
    struct csv_options csv;
    const char *as;        /* csv or line; NULL: by the file */
    const char *state;     /* NULL: the file's name and ".ingest" */
    const char *signature; /* of the options that say what is read and where it goes */
    size_t batch;          /* 0: INGEST_BATCH */
    bool again, skip_bad, dry_run, json, quiet;
    const struct world *world;
    volatile bool *stop;
    struct link_options link;
};
/* One file, or "-": gives the exit code. */
int ingest_file(const struct ingest_options *o, const char *path);

#endif
