/* Moves SQLite's write-ahead log into the database on a thread of its own: otherwise whichever commit finds the log
 * long enough does it, and its caller waits for a thousand pages and two syncs.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_CHECKPOINT_INTERNAL_H
#define LINLI_STORE_CHECKPOINT_INTERNAL_H

#include "store/writer_internal.h"

#define CHECKPOINT_FRAMES 1000 /* pages in the log from which on it is worth it: SQLite's own number */

struct checkpointer;

/* For one database file; `writer` is its queue of writers.  NULL: no memory. */
struct checkpointer *checkpointer_open(const char *path, struct writer *writer);
void checkpointer_close(struct checkpointer *c); /* NULL is fine */
/* After a commit that left so many pages in the log; any thread.  The thread starts when it is first needed; false: it
 * does not, so the caller has to do it. */
bool checkpointer_tell(struct checkpointer *c, int frames);

#endif
