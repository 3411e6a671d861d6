/* A kernel with its own test module and estate, on a store of its own.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_KERNEL_SITE_H
#define LINLI_TESTS_LIB_KERNEL_SITE_H

#include "tests/lib/test.h"
#include "tests/lib/test_module.h"

struct kernel_site {
    struct t *t;
    struct db_pool *pool;
    struct kernel *kernel;
    struct ctx ctx; /* as the system until test_actor() */
    struct test_estate estate;
};
/* On SQLite and on PostgreSQL: the same rows are asked of both. */
#define KERNEL_SITE_STORES 2
void kernel_site_open(struct kernel_site *s, struct t *t, size_t store);
void kernel_site_close(struct kernel_site *s);

/* What a worker of another process would be: a context over a connection of its own. */
void kernel_site_other(struct kernel_site *s, struct ctx *ret);
void kernel_site_other_done(struct kernel_site *s, struct ctx *ctx);

/* The clock moves on, and the context begins anew, as the system. */
void kernel_site_later(struct kernel_site *s, int64_t ms);
/* As the system, whoever the actor is. */
int64_t kernel_site_count(struct kernel_site *s, const char *sql);
/* A sample in the flat, made by the system; due_ms 0: none. */
int64_t kernel_site_sample(struct kernel_site *s, struct str title, int64_t due_ms);

#endif
