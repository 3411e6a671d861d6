/* How far a file is in, kept beside it so that a run that was ended goes on.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_INGEST_STATE_H
#define LINLI_MAIN_INGEST_STATE_H

#include "base/err.h"
#include "main/ingest/batch.h"

struct state {
    char path[1024];
    char what[65]; /* hash of how the file is understood and where it goes */
    int file_fd;
};
/* The bytes around the place that is kept must be those of the file, or it is another one: ERR_CONFLICT.  *ret_found
 * false: there is none, or one that says nothing. */
NODISCARD enum err state_load(const struct state *s, struct position *ret, bool *ret_found, struct fault *f);
/* Replaces it at once.  It may be older than what is durable, never newer: a row sent again is the same reading. */
NODISCARD enum err state_save(const struct state *s, const struct position *r, struct fault *f);

#endif
