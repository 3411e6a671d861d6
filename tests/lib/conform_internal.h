/* What the conformance test's own files share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_CONFORM_INTERNAL_H
#define LINLI_TESTS_LIB_CONFORM_INTERNAL_H

#include "tests/lib/conform.h"

enum size { SMALLEST, LARGEST, TOO_SMALL, TOO_LARGE };

struct run {
    struct t *t;
    const struct conform *c;
    const struct resource *r;
    struct kernel *k;
    struct db *db;
    struct ctx ctx;
    struct arena keep; /* what outlives one row of the test */
    struct conform_site site;
    size_t rows;
    int64_t serial; /* makes unique text */
};

struct counts {
    int64_t audit, events, rows;
};
void conform_fresh(struct run *u); /* a unit of work as the system */
/* Every required field at a modest value, times in order around now. */
void conform_base_row(struct run *u, const struct resource *r, void *row);
struct counts conform_count(struct run *u);
/* So many changes and rows since `before`, each change with exactly one audit row and one event. */
void conform_check_left(struct run *u, struct counts before, int64_t changes, int64_t rows, const char *what);
bool conform_skips(struct run *u); /* counts a row of the test; true: not this one, where a sample is taken */
/* One field's value as JSON; in the test's arena. */
struct str conform_told(struct run *u, const struct field *f, const void *row, bool mask);

/* ---- conform_rights.c ---- */
struct who {
    const char *role;
    int64_t place_id;
    int64_t person_id;
};
void conform_become(struct run *u, const struct who *w);
/* May he, by the grants' words alone?  The row stands at site.place and belongs to site.person. */
bool conform_may(struct run *u, const struct who *w, uint32_t verb, uint32_t *ret_clear, uint32_t *ret_reveal);
void conform_all_rights(struct run *u, int64_t id);

#endif
