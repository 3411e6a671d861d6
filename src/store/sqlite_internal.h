/* SQLite connections, their statement cache and errors.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_SQLITE_INTERNAL_H
#define LINLI_STORE_SQLITE_INTERNAL_H

#include "store/db_internal.h"
#include "store/writer_internal.h"

#include <sqlite3.h>

#define CACHE_SLOTS    128
#define CACHE_TEXT_MAX 16384 /* longer texts are prepared anew each time */

/* A prepared statement, cached by its text; while `busy` it also is an open row set. */
struct stmt {
    sqlite3_stmt *prepared;
    char *text; /* NULL: not in the cache, dies with its use */
    size_t text_len;
    uint64_t hash;
    int64_t used_at;
    uint16_t *arg_of; /* parameter i (from 1) is $arg_of[i - 1] */
    int args_n;
    bool busy, holds_writer, first_row, more;
};

struct lite {
    struct db db;
    sqlite3 *handle;
    struct writer *writer; /* NULL in memory */
    bool holds_writer;     /* for the open transaction */
    bool read_only;        /* the open transaction is DB_READ */
    int64_t tick;
    struct stmt *slots[CACHE_SLOTS];
};

/* Sets the fault for a result code of SQLite. */
NODISCARD enum err lite_fail(struct lite *lite, struct fault *f, int rc);
/* A statement ready to bind, from the cache if it is there and not busy; give it back with lite_put. */
NODISCARD enum err lite_take(struct lite *lite, struct fault *f, const char *sql, struct stmt **ret);
void lite_put(struct stmt *s);
void lite_forget(struct lite *lite); /* finalizes the cache */
int lite_add_functions(sqlite3 *handle);

#endif
