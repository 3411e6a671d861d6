/* The kernel: everything the modules declare, resolved and checked once at start.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINLI_KERNEL_KERNEL_H
#define LINLI_KERNEL_KERNEL_H

#include "base/civil.h"
#include "kernel/module.h"
#include "store/io.h"

struct kernel_options {
    const struct module *const *modules;
    size_t modules_n;
    const struct str *words; /* texts of catalogues: key TAB zh TAB en, a line each */
    size_t words_n;
    const struct io *io;   /* for the file store */
    const char *files_dir; /* NULL: no file store */
    /* Zone data by name, as TZif bytes; false when unknown.  NULL: every zone is UTC. */
    bool (*zone_data)(void *arg, const char *name, struct bytes *ret);
    void *zone_arg;
    /* Called after commit, from the committing thread, when events wait; must be quick.  NULL: nobody is woken. */
    void (*wake)(void *arg);
    void *wake_arg;
};

/* Checks every table: names unique and well formed, references resolve, text has a bound, every state reachable, every
 * step possible for somebody who can read the row, relations and dues name fields, secrets not settable …  The first
 * finding is the fault: "visits.name: text needs a max".  Keeps the options' modules and words (constants). */
NODISCARD enum err kernel_create(const struct kernel_options *options, struct kernel **ret, struct fault *f);
void kernel_destroy(struct kernel *k); /* NULL is fine */
const struct kernel_options *kernel_options(const struct kernel *k);

const struct resource *kernel_resource(const struct kernel *k, struct str name); /* NULL when there is none */
size_t kernel_resources(const struct kernel *k);
const struct resource *kernel_resource_at(const struct kernel *k, size_t i); /* in order of the modules */
/* Whose rows are those who act, as each is himself by his own id; NULL: none. */
const struct resource *kernel_people(const struct kernel *k);
const struct module *kernel_module_of(const struct kernel *k, const struct resource *r);

/* Roles: words become bits, at most 64.  Bit 0 is "timer". */
uint64_t kernel_role(const struct kernel *k, struct str word); /* 0 when unknown */
uint64_t kernel_roles(const struct kernel *k, const char *words);
const char *kernel_role_name(const struct kernel *k, size_t bit); /* NULL past the last */

/* Calls fn with each contributed row of a point, in order of modules; stops at the first error. */
NODISCARD enum err kernel_each(const struct kernel *k, const struct point *point,
                               enum err (*fn)(void *arg, const void *row), void *arg);

/* Words: the catalogue's text of a key in "zh" or "en"; the absent slice when there is none. */
struct str kernel_word(const struct kernel *k, struct str key, struct str language);
/* The words of a community, `words` rows that win over the catalogue: used by word_fmt() for the rest of this unit of
 * work.  0: none. */
NODISCARD enum err words_use(struct ctx *ctx, int64_t community_id);
struct str word_fmt(const struct ctx *ctx, struct str language, const char *fmt, ...) PRINTF(3, 4);
/* Keys the tables need and no catalogue has: number of them, the first one in `ret_first`. */
size_t kernel_words_missing(const struct kernel *k, struct buf *ret_first);

/* Tables.  Fresh store: everything is made.  Else upgrade steps are run; a store newer than the program is refused. */
NODISCARD enum err kernel_install(const struct kernel *k, struct db *db, const struct world *world, struct fault *f);

/* Zone of a community, cached for the kernel's life.  NULL (UTC) when it has none. */
const struct zone *kernel_zone(struct ctx *ctx, int64_t community_id);
/* The day it is there now, as DATE fields count: days since 1970-01-01.  0: where the installation's first community
 * is. */
int64_t kernel_day(struct ctx *ctx, int64_t community_id);

/* ---- places as the kernel knows them: the closure of today, maintained by whoever owns places ---- */
/* Fills actor.scopes from memberships {role word, place}; the arena is the ctx's. */
struct membership {
    struct str role;
    int64_t place_id; /* 0: the installation */
};
NODISCARD enum err actor_scopes(struct ctx *ctx, const struct membership *memberships, size_t n);
/* Does the actor hold one of the roles in that community, or above it? */
bool actor_reaches(const struct actor *a, int64_t community_id, uint64_t roles);
struct actor actor_system(void);
/* The community the actor reaches when it is one only, or the only one there is; 0 when there are several. */
NODISCARD enum err actor_community(struct ctx *ctx, int64_t *ret);
bool actor_spans_communities(const struct actor *a); /* may he reach more than one? */
/* The community that a place is in or is; 0 when above or unknown. */
NODISCARD enum err place_community(struct ctx *ctx, int64_t place_id, int64_t *ret_community_id);
NODISCARD enum err community_put(struct ctx *ctx, int64_t id, struct str code, struct str name, struct str zone);
/* Replaces what stands above `place_id` in one hierarchy: ancestors nearest first; the place itself is added. */
NODISCARD enum err closure_put(struct ctx *ctx, struct str hierarchy, int64_t place_id, const int64_t *ancestors,
                               size_t n);

#endif
