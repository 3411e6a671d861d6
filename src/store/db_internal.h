/* What a store's driver gives to db.c.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_DB_INTERNAL_H
#define LINLI_STORE_DB_INTERNAL_H

#include "store/db.h"

#include <stdatomic.h>

#define DB_BUSY_MS_DEFAULT 5000

/* Every call that fails sets the fault (never SQL or paths in it), leaves the store's own words in db->detail, and sets
 * db->may_rerun when only a new run of the whole transaction can help. */
struct db_driver {
    enum db_kind kind;
    enum err (*open)(const struct db_options *options, struct db **ret, struct fault *f); /* allocates its own db */
    void (*close)(struct db *db);                                                         /* frees it */
    enum err (*exec)(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                     int64_t *ret_changed); /* ret_changed is never NULL */
    enum err (*script)(struct db *db, struct fault *f, const char *sql);
    enum err (*query)(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                      void **ret_impl);
    enum err (*next)(struct db *db, void *impl, struct fault *f, bool *ret_more);
    size_t (*cols)(const void *impl);
    struct db_val (*col)(const void *impl, size_t col); /* col < cols(impl), on a row */
    void (*done)(struct db *db, void *impl);
    enum err (*begin)(struct db *db, struct fault *f, enum db_mode mode);
    enum err (*commit)(struct db *db, struct fault *f); /* on failure db.c calls rollback */
    void (*rollback)(struct db *db);                    /* leaves no transaction open, whatever happened */
    const char *columns_sql;                            /* $1 table -> name, type */
};

/* The head of each driver's connection. */
struct db {
    const struct db_driver *driver;
    int busy_ms;
    int64_t statements, fail_in;
    unsigned depth;           /* of nested db_tx calls */
    enum err tx_failed;       /* why the open transaction can no longer commit */
    bool may_rerun;           /* serialization failure or deadlock */
    atomic_bool *writes_fail; /* the pool's; NULL outside of one */
    char detail[256];
};

extern const struct db_driver db_driver_sqlite, db_driver_postgres;

void db_detail_set(struct db *db, const char *fmt, ...) PRINTF(2, 3);
int64_t db_mono_ms(void);

/* An argument as it is bound: absent slices and NaN are NULL. */
bool db_val_is_null(const struct db_val *v);

#endif
