/* PostgreSQL connections: every wait has an end, and a lost server is an error, not a hang.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_PG_INTERNAL_H
#define LINLI_STORE_PG_INTERNAL_H

#include "store/db_internal.h"

#include <libpq-fe.h>

struct pg {
    struct db db;
    char *url;
    PGconn *conn; /* NULL: lost, opened again at the next use outside a transaction */
    bool read_only;
};

/* What to send: text alone (may hold several statements), or one statement with values. */
struct pg_request {
    const char *sql;
    const struct db_val *args;
    size_t args_n;
    bool plain;
    int wait_ms;
};

/* Makes sure there is a live connection; reconnects unless a transaction was lost with the old one. */
NODISCARD enum err pg_connect(struct pg *pg, struct fault *f);
void pg_lose(struct pg *pg);
/* Sends, waits and gives the last result (caller PQclear()s); a failed statement is a fault. */
NODISCARD enum err pg_run(struct pg *pg, struct fault *f, const struct pg_request *request, PGresult **ret);

#endif
