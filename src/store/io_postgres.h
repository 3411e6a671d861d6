/* The I/O table over a PostgreSQL database: files by name, their bytes in rows.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_IO_POSTGRES_H
#define LINLI_STORE_IO_POSTGRES_H

#include "store/io.h"

/* Every write is a transaction of its own, committed (synchronous_commit on) when it returns: a write that gives an
 * error may or may not be there, and is to be written again.  A lost connection is opened again at the next call.  A
 * removed file is read on by who has it open.  Safe to call from several threads, on one handle too. */
struct io_postgres;
struct io_postgres_options {
    const char *url;  /* postgres://… */
    const char *root; /* names are kept without it, so that the folder may move; a path that is not below is refused */
    int busy_ms;      /* longest wait for a connection or an answer; 0 means 5,000 */
    size_t connections; /* 0: 4 */
    bool owner;         /* makes the tables, and takes away what a crash left of removed files */
};
NODISCARD enum err io_postgres_open(const struct io_postgres_options *options, struct io_postgres **ret,
                                    struct fault *f);
void io_postgres_close(struct io_postgres *p); /* NULL is fine */
struct io io_postgres_io(struct io_postgres *p);
/* Takes all files away. */
NODISCARD enum err io_postgres_forget(struct io_postgres *p, struct fault *f);

#endif
