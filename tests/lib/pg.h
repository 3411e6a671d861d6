/* A PostgreSQL of the test program's own: one cluster, started when first asked for, gone when the program ends,
 * however it ends.  It listens on a Unix socket in its own folder only.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_PG_H
#define LINLI_TESTS_LIB_PG_H

#include "tests/lib/test.h"

/* Address of a fresh, empty database (UTF-8, collation C); valid until the case ends.  NULL, and a failed check, when
 * there is no PostgreSQL. */
const char *test_pg_url(struct t *t);

/* For tests of a lost server.  Stopping cuts connections off at once (immediate mode); kill9 is the real kill. Starting
 * waits until the server takes connections; after a kill it has recovered by then. */
bool test_pg_stop(struct t *t);
bool test_pg_kill9(struct t *t);
bool test_pg_start(struct t *t);

/* Say so before the first address is asked for: fsync, synchronous_commit and full_page_writes on, as crash tests need.
 */
void test_pg_durable(void);

#endif
