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
/* Where a module's own rule refuses what its tables allow, and with which codes ("until_ms.not_after wrong_state").
 * `on` is "visits.from_ms.largest" (a value), "visits.enter" (a step), or the resource with create, update, archive,
 * restore (a role's try), or create_own and so on (by whom the row is about).  A refusal that no rule names fails the
 * test; so does a rule that never refused, where nothing is sampled. */
struct conform_rule {
    const char *on, *says;
};
struct conform {
    const struct module *const *modules;
    size_t modules_n;
    const struct str *words; /* catalogues */
    size_t words_n;
    const char *places, *people; /* names of the resources that REFs mean */
    enum err (*make)(struct ctx *ctx, struct conform_site *ret);
    /* Makes a row one that the module's own rules accept, where they ask for more than its fields' bounds: sets other
     * fields than `tried` (NULL: none), whose value is at its smallest or largest and stays.  May be NULL. */
    void (*complete)(struct ctx *ctx, const struct resource *r, void *row, const char *tried);
    /* A new row of a resource over a SELECT, by way of those below it: at site.place and site.person's.  May be NULL
     * where there is no such resource.  As the system. */
    int64_t (*make_ref)(struct ctx *ctx, const struct conform_site *site, const char *resource);
    const struct conform_rule *rules;
    size_t rules_n;    /* at most 64 */
    const char *roles; /* to try, blank-separated */
    bool sampled;      /* a seeded tenth of the role, step and failure rows instead of all */
};
/* Runs everything for each resource of module `m` on the store at `url`: each field at its smallest, largest, too large
 * and absent; each role at each place, as owner by each relation, as neighbour and as a stranger, for every verb, with
 * what is masked, and for lists of every kind; each step from each state; versions; each statement and allocation of
 * every change, step, reveal and read failed in turn;
 * one audit row and one event a change.  Places and people are rows of their own then, below the site's place.  A
 * resource over a SELECT has no more than its reads, and refuses every change by name.  Returns how many rows were
 * checked. */
size_t conform_module(struct t *t, const struct conform *c, const struct module *m, const char *url);

/* Over HTTP: for each resource of the modules that some role may create, the same Idempotency-Key makes one row and
 * gives one answer, and another body under it is refused.  One over a SELECT refuses every method that changes.  Each
 * role's sorted export holds the rows that it may read, and a row's history shows no value of a class that the role may
 * not see; whose name stands there is no matter of this. */
size_t conform_keys(struct t *t, const struct conform *c);

#endif
