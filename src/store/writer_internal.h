/* First come, first served among the threads of this process that want to write one SQLite file: SQLite's own busy
 * handler polls, so a thread may starve.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_WRITER_INTERNAL_H
#define LINLI_STORE_WRITER_INTERNAL_H

#include "base/base.h"

struct writer; /* one a database file, shared by its connections */

struct writer *writer_open(const char *vfs, const char *path); /* NULL when out of memory */
void writer_close(struct writer *w);                           /* NULL is fine */
struct checkpointer *writer_checkpointer(struct writer *w);    /* NULL: the file is on a VFS of a test, or no memory */
NODISCARD bool writer_take(struct writer *w, int wait_ms);     /* false when it took too long */
void writer_give(struct writer *w);

#endif
