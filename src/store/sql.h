/* The kernel's statement builder: text and values together, so that $n never goes astray.  Only table and column names
 * from the tables of constants enter the text.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_SQL_H
#define LINLI_KERNEL_SQL_H

#include "kernel/resource.h"

#define SQL_TEXT_MAX (256u * 1024u)
#define SQL_VALS_MAX 2048

struct sql {
    struct buf text;
    struct db_val *vals;
    size_t n, cap;
    struct arena *arena;
    bool failed; /* out of memory or over a bound; asked once, by sql_query and sql_exec */
};
void sql_init(struct sql *q, struct arena *a);
void sql_add(struct sql *q, const char *text);
void sql_fmt(struct sql *q, const char *fmt, ...) PRINTF(2, 3);
void sql_val(struct sql *q, struct db_val v);                    /* appends $n */
void sql_i64(struct sql *q, int64_t v);                          /* appends CAST($n AS BIGINT) */
void sql_with(struct sql *q, const char *text, struct db_val v); /* text, then the value as sql_i64 or sql_val does */
void sql_list(struct sql *q, const int64_t *ids, size_t n);      /* appends ($1,$2,…), padded; (NULL) when empty */
void sql_from(struct sql *q, const struct resource *r);          /* appends FROM the resource's rows WHERE */
NODISCARD enum err sql_query(struct ctx *ctx, struct sql *q, struct db_rows *ret);
/* As db_one_i64(). */
NODISCARD enum err sql_one_i64(struct ctx *ctx, struct sql *q, int64_t *ret, bool *ret_found);
/* The first column of every row. */
NODISCARD enum err sql_ids(struct ctx *ctx, const char *text, const struct db_val *vals, size_t n, struct ids *ret);
NODISCARD enum err sql_exec(struct ctx *ctx, struct sql *q, int64_t *ret_changed);

#endif
