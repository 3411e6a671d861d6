/* Statements made of parts, text and values together, so that $n never goes astray; and rows as structs.  Only names
 * that stand in the program enter the text.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_SQL_H
#define LINLI_STORE_SQL_H

#include "store/db.h"

#define SQL_TEXT_MAX (256u * 1024u)
#define SQL_VALS_MAX 2048

struct sql {
    struct db *db;
    struct arena *arena; /* text, values and what is read live there */
    struct fault *fault;
    struct buf text;
    struct db_val *vals;
    size_t n, cap;
    bool failed; /* out of memory or over a bound; asked once, when it runs */
};
struct sql sql_new(struct db *db, struct arena *a, struct fault *f);

/* What stands for one $ of a text: a name or more text as it is | a value | ids as "(1, 2)". */
struct sql_part {
    enum { SQL_NAME, SQL_VAL, SQL_IDS } kind;
    const char *name;
    struct db_val val;
    const int64_t *ids;
    size_t n;
};
#define Q_NAME(x)   ((struct sql_part){.kind = SQL_NAME, .name = (x)})
#define Q_VAL(x)    ((struct sql_part){.kind = SQL_VAL, .val = (x)})
#define Q_I64(x)    Q_VAL(V_I64(x))
#define Q_TEXT(x)   Q_VAL(V_TEXT(x))
#define Q_CSTR(x)   Q_TEXT(str_of(x))
#define Q_IDS(p, m) ((struct sql_part){.kind = SQL_IDS, .ids = (p), .n = (m)})
#define PARTS(...) \
    (const struct sql_part[]){__VA_ARGS__}, sizeof((const struct sql_part[]){__VA_ARGS__}) / sizeof(struct sql_part)
/* sql_put(&q, "SELECT id FROM $ WHERE place_id = $", PARTS(Q_NAME(table), Q_I64(place))) */
void sql_put(struct sql *q, const char *text, const struct sql_part *parts, size_t n);
void sql_add(struct sql *q, const char *text); /* without parts */

NODISCARD enum err sql_query(struct sql *q, struct db_rows *ret);
NODISCARD enum err sql_exec(struct sql *q, int64_t *ret_changed);
NODISCARD enum err sql_one_i64(struct sql *q, int64_t *ret, bool *ret_found); /* as db_one_i64() */
/* First column of the first row, in the arena; *ret_found false when there is no row or it is NULL. */
NODISCARD enum err sql_one(struct sql *q, struct db_val *ret, bool *ret_found);

/* Every row as a struct, its columns in the order of the members; NULL is 0 or the absent slice. */
struct sql_member {
    size_t at;
    enum db_type type;
};
struct sql_shape {
    size_t size;
    const struct sql_member *members;
    size_t n;
};
#define SQL_MEMBER(T, m) \
    { offsetof(T, m), _Generic(((T *)0)->m, int64_t : DB_I64, struct str : DB_TEXT) }
/* At file scope: static const struct sql_shape word_shape = SQL_SHAPE(struct word, SQL_MEMBER(struct word, key), …); */
#define SQL_SHAPE(T, ...)                                                                \
    {                                                                                    \
        sizeof(T), (const struct sql_member[]){__VA_ARGS__},                             \
            sizeof((const struct sql_member[]){__VA_ARGS__}) / sizeof(struct sql_member) \
    }
struct sql_all {
    void *rows;
    size_t n;
};
NODISCARD enum err sql_all(struct sql *q, const struct sql_shape *shape, struct sql_all *ret);
NODISCARD enum err sql_ids(struct sql *q, const int64_t **ret, size_t *ret_n); /* the first column of every row */

#endif
