/* What every module must do, checked from its tables alone.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_CONFORM_H
#define LINLI_TESTS_LIB_CONFORM_H

#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "tests/lib/test.h"

/* A small world the resource can live in: two communities, a place inside each, people in them.  `above` is over both.
 */
struct conform_site {
    int64_t above, community, place, other_community, other_place, person, other_person;
};
struct conform {
    const struct module *const *modules;
    size_t modules_n;
    const char *places, *people; /* names of the resources that REFs mean */
    enum err (*make)(struct ctx *ctx, struct conform_site *ret);
    /* Completes a base row whose own rules ask for more than its required fields; may be NULL. */
    void (*complete)(const struct resource *r, void *row);
    /* A new row that a REF to a resource over a SELECT may name; may be NULL where there is none.  As the system. */
    int64_t (*make_ref)(struct ctx *ctx, const struct conform_site *site, const char *resource);
    const char *roles; /* to try, blank-separated */
    bool sampled;      /* a seeded tenth of the role, step and failure rows instead of all */
};
/* Runs everything for each resource of module `m` (except those over a SELECT and those that are places or people
 * themselves) on the store at `url`.  Returns how many rows were checked. */
size_t conform_module(struct t *t, const struct conform *c, const struct module *m, const char *url);

/* Over HTTP: for each resource of the modules that some role may create, the same Idempotency-Key makes one row and
 * gives one answer, and another body under it is refused. */
size_t conform_keys(struct t *t, const struct conform *c);

#endif
