/* The context of one unit of work: who acts, when, over which store.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_CTX_H
#define LINLI_KERNEL_CTX_H

#include "base/clock.h"
#include "base/err.h"
#include "store/db.h"

struct kernel;    /* kernel/kernel.h */
struct catalogue; /* base/catalogue.h */

/* One place where the actor has roles.  A place at or above communities reaches those communities whole; one below
 * reaches the places under it, in whichever hierarchy it stands. */
struct scope {
    uint64_t roles;             /* bits of kernel_role() */
    int64_t place_id;           /* 0: the installation, reaches everything */
    const int64_t *communities; /* whole communities reached; empty for a place below one */
    size_t communities_n;
    int64_t within; /* community of a place below one, else 0 */
};

/* What the words "own" of a relation may mean. */
enum own_set { OWN_ME, OWN_UNITS, OWN_HOUSEHOLD, OWN_ORGANISATION, OWN__COUNT };

struct actor {
    int64_t user_id, person_id;
    bool is_system; /* the program itself: rights do not bind it, states and rules do */
    uint64_t roles; /* of all scopes together */
    const struct scope *scopes;
    size_t scopes_n;
    struct {
        const int64_t *ids;
        size_t n;
    } own[OWN__COUNT];
    struct str name;     /* for the audit */
    struct str language; /* "zh" or "en" */
};

struct ctx {
    const struct kernel *kernel;
    struct db *db;
    struct arena *arena; /* dies with this unit of work */
    const struct world *world;
    int64_t now_ms; /* read once at the start: one unit of work happens at one time */
    struct actor actor;
    struct fault fault;
    struct str trace;              /* correlation id, in every log line, audit row and event */
    struct str reason;             /* why, where the caller said so; kept in the audit */
    void *rights_cache;            /* the kernel's own, per unit of work */
    const struct catalogue *words; /* the kernel's own: set by words_use() */
    struct str purpose;            /* stated purpose of a read of protected data (door for later) */
};

/* Starts a unit of work: reads the clock, clears the fault, leaves actor and trace. */
void ctx_begin(struct ctx *ctx);
/* Out of arena memory. */
#define FAIL_MEMORY(ctx) FAIL(&(ctx)->fault, ERR_LIMIT, "too_much", "this needs more memory than one request may use")

/* Runs fn as one write transaction (joins an outer one).  Arena use of a failed try is not given back. */
NODISCARD enum err ctx_write(struct ctx *ctx, enum err (*fn)(struct ctx *ctx, void *arg), void *arg);
NODISCARD enum err ctx_read(struct ctx *ctx, enum err (*fn)(struct ctx *ctx, void *arg), void *arg);

#endif
