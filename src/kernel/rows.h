/* What can be done with rows.  Every change is one transaction: right, rule, row, audit, event, timers, search.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_ROWS_H
#define LINLI_KERNEL_ROWS_H

#include "kernel/resource.h"

/* All obey ctx->actor.  A row out of the actor's READ scope is ERR_NOT_FOUND (its existence is not told); a readable
 * one without the right to the verb is ERR_DENIED.  `version` 0 = whatever it is; else ERR_STALE when it differs. Rows
 * live in ctx->arena; ret rows point to memory of r->size bytes. */

/* Zeroed, in the arena; NULL: out of memory. */
void *row_new(struct ctx *ctx, const struct resource *r);
/* row: values with `has` bits.  Completed on success (id, version, …). */
NODISCARD enum err row_create(struct ctx *ctx, const struct resource *r, void *row);
NODISCARD enum err row_get(struct ctx *ctx, const struct resource *r, int64_t id, void *ret_row);
/* Fields of `fields` (bits) are taken from patch: present ones set, absent ones cleared.  ret_row may be NULL. */
NODISCARD enum err row_update(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version, const void *patch,
                              uint64_t fields, void *ret_row);
/* input: fields the step takes (bits), NULL when none. */
NODISCARD enum err row_act(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version, const char *step,
                           const void *input, uint64_t fields, void *ret_row);
NODISCARD enum err row_archive(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version);
NODISCARD enum err row_restore(struct ctx *ctx, const struct resource *r, int64_t id, int64_t version, void *ret_row);
/* Clear values of protected fields; needs a grant's `reveal`, ctx->reason, and leaves an audit row of verb "reveal". */
NODISCARD enum err row_reveal(struct ctx *ctx, const struct resource *r, int64_t id, uint64_t fields, void *ret_row);
/* What was done to something that belongs to the row, such as its readings: an audit row of that verb, with
 * ctx->reason. The caller has asked whether the actor may. */
NODISCARD enum err row_note(struct ctx *ctx, const struct resource *r, int64_t id, const char *verb);

/* ---- what the actor may see and do ---------------------------------------------------------------------------- */
uint32_t row_clear_classes(struct ctx *ctx, const struct resource *r, const void *row); /* classes shown plainly */
uint32_t row_reveal_classes(struct ctx *ctx, const struct resource *r, const void *row);
uint32_t row_verbs(struct ctx *ctx, const struct resource *r, const void *row); /* enum verb bits */
uint64_t row_steps(struct ctx *ctx, const struct resource *r,
                   const void *row); /* bits of steps[] that state and role allow */
/* May the actor do `verb` to rows of r placed there, by a PLACE or COMMUNITY grant?  (OWN grants need the row.) */
bool place_allows(struct ctx *ctx, const struct resource *r, enum verb verb, int64_t community_id, int64_t place_id);
bool own_grants(struct ctx *ctx, const struct resource *r, enum verb verb); /* has the actor any OWN grant for it? */
uint32_t resource_verbs(struct ctx *ctx, const struct resource *r);         /* verbs possible on some row */

/* ---- lists ------------------------------------------------------------------------------------------------------ */
enum filter_op { FILTER_IN, FILTER_GTE, FILTER_GT, FILTER_LTE, FILTER_LT, FILTER_NULL, FILTER_NOT_NULL };
struct filter {
    size_t field; /* index, or one of: */
    enum filter_op op;
    const struct db_val *vals; /* as stored */
    size_t vals_n;             /* FILTER_IN: at most 100 */
};
#define FILTER_SYSTEM(i) (SIZE_MAX - 1 - (i)) /* members of struct row, in their order */
#define FILTER_ID        FILTER_SYSTEM(0)
#define FILTER_COMMUNITY FILTER_SYSTEM(1)
#define FILTER_CREATED   FILTER_SYSTEM(3)
#define FILTER_UPDATED   FILTER_SYSTEM(5)
#define LIST_LIMIT_MAX   1000
struct list_query {
    struct filter filters[16];
    size_t filters_n;
    size_t sort; /* field index or FILTER_*; 0-initialised queries must say FILTER_ID for "newest first" */
    bool ascending;
    size_t limit;      /* 1..LIST_LIMIT_MAX */
    struct str cursor; /* as given back; absent: from the start */
    struct str search; /* q= */
    bool archived;     /* archived rows too */
    bool want_total;   /* counted up to LIST_LIMIT_MAX */
    int64_t as_of;     /* dated rows: day, with has_as_of */
    bool has_as_of;
};
struct list_page {
    void *rows; /* n * r->size */
    size_t n;
    struct str next; /* absent at the end */
    int64_t total;   /* -1: not counted or more than LIST_LIMIT_MAX */
};
NODISCARD enum err row_list(struct ctx *ctx, const struct resource *r, const struct list_query *q,
                            struct list_page *ret);
/* Adds "field=a,b", "field.gte=x" to the query; field errors in the fault. */
NODISCARD enum err list_filter(struct ctx *ctx, const struct resource *r, struct list_query *q, struct str name,
                               struct str value);
NODISCARD enum err list_sort(struct ctx *ctx, const struct resource *r, struct list_query *q, struct str sort);
/* Labels of rows by id as this actor may see them, in one query.  A row he cannot read gives its label masked when the
 * label is a protected field (维修 陈**), else nothing. */
NODISCARD enum err row_labels(struct ctx *ctx, const struct resource *r, const int64_t *ids, size_t n, struct str *ret);

#endif
