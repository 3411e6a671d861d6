/* What the kernel's own files share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_KERNEL_INTERNAL_H
#define LINLI_KERNEL_KERNEL_INTERNAL_H

#include "base/catalogue.h"
#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "store/sql.h"

#include <pthread.h>

#define ROLES_MAX     64
#define RESOURCES_MAX 1024

/* A resource with everything that can be worked out at start. */
struct known {
    const struct resource *r;
    const struct module *module;
    uint64_t *grant_roles, *step_roles;
    uint64_t *grant_own; /* bits of the relations that an OWN grant names */
    const char *from;    /* what stands behind FROM: the table, or the SELECT instead of one */
    size_t place, label; /* field indexes or NO_FIELD; place PLACE_IS_ID when rows are places themselves */
    uint64_t stored;     /* bits of fields that are columns (all but LINES) */
    uint64_t search_bits;
    const char *member_table, *member_column; /* NULL: rows of no other table place it */
    char *columns;                            /* "id, community_id, …" in the order row_load() reads */
    uint64_t label_fields;                    /* what a label and the right to see it need */
    char *label_columns;
};
#define PLACE_IS_ID (SIZE_MAX - 1)

struct zone_entry {
    struct zone_entry *next;
    int64_t community_id;
    struct zone *zone;
};

/* Communities that a place reaches, as of a state of the places (the counter "places"). */
#define REACHED_SLOTS 256
struct reached {
    int64_t as_of;
    struct scope scope; /* without roles; its communities are malloc()ed */
};

struct kernel {
    struct kernel_options options;
    struct arena arena; /* everything resolved lives here */
    struct known *known;
    size_t known_n;
    struct names by_name; /* numbers in known */
    const char *roles[ROLES_MAX];
    size_t roles_n;
    struct catalogue *words;
    pthread_mutex_t lock;
    struct zone_entry *zones; /* under lock, as what follows */
    struct reached reached[REACHED_SLOTS];
};

const struct known *known_of(const struct kernel *k, const struct resource *r);
const struct known *known_named(const struct kernel *k, struct str name);
NODISCARD enum err kernel_check(const struct kernel *k, struct fault *f);

extern const char kernel_tables[]; /* DDL of what every store has; {I} {T} {B} {R} {S} {W} as in modules */
extern const struct resource setting_rows, word_rows;
/* `settings` with the names that the modules register as choices; NULL: no memory. */
const struct resource *setting_names(struct kernel *k);

/* Numbers that rise in the store: "events" as they are delivered, "places" whenever one comes to stand elsewhere. */
NODISCARD enum err counter_next(struct ctx *ctx, const char *name, int64_t *ret);
NODISCARD enum err counter_now(struct ctx *ctx, const char *name, int64_t *ret); /* 0: it never rose */

/* ---- rights ---- */
/* All ways in to the rows that the actor may do `verb` to: every row, or those of these communities, at these places or
 * below, of these relations.  REACH_OWN + i stands for relation i. */
enum { REACH_COMMUNITY, REACH_PLACE, REACH_OWN };
struct plan {
    bool everywhere;
    struct id_set {
        int64_t *ids;
        size_t n, cap;
    } reach[REACH_OWN];
    uint64_t own;     /* bits of relations */
    size_t reaches_n; /* how many of all these give rows */
};
NODISCARD enum err rights_plan(struct ctx *ctx, const struct known *kn, enum verb verb, struct plan *ret);
struct ids plan_ids(const struct ctx *ctx, const struct known *kn, const struct plan *plan, size_t by); /* n 0: none */
/* Conditions over the resource's own columns: of one of these, and of all. */
void rights_put_reach(struct ctx *ctx, const struct known *kn, size_t by, struct ids in, struct sql *q);
void rights_where(struct ctx *ctx, const struct known *kn, const struct plan *plan, struct sql *q);
void rights_put_in_force(struct ctx *ctx, struct sql *q); /* condition: membership `m` is in force today */
/* The communities that a scope reaches whole, or the one that it is in; gives how many. */
size_t scope_communities(const struct scope *s, const int64_t **ret);
bool rights_under(struct ctx *ctx, int64_t above, int64_t place);
struct belonging { /* one row of a member table */
    int64_t id, community_id, place_id;
};
/* Where the row of a `member` resource belongs, and others beside it; read unless it was expected. */
size_t rights_belongings(struct ctx *ctx, const struct known *kn, int64_t id, const struct belonging **ret);
/* Rights of all these rows are asked for next: reads what they depend on at one go. */
void rights_expect(struct ctx *ctx, const struct known *kn, const void *rows, size_t n);
bool rights_row(struct ctx *ctx, const struct known *kn, enum verb verb, const void *row);
bool rights_step(struct ctx *ctx, const struct known *kn, const void *row, size_t step);

/* ---- rows and columns ---- */
/* The members of struct row are the first columns of every table, in this order; lists ask for those with COLUMN. */
#define SYSTEM_FIELDS 7
extern const struct field system_fields[SYSTEM_FIELDS];
const struct field *list_field(const struct resource *r, size_t index); /* or of FILTER_ID and its like */
int64_t row_place(const struct known *kn, const void *row);             /* 0 when unplaced */
struct db_val field_to_val(struct ctx *ctx, const struct resource *r, const struct field *f, const void *row,
                           bool present);
/* Every row of a statement that gives kn->columns (fields: kn->stored) or kn->label_columns (kn->label_fields). */
NODISCARD enum err rows_load(struct ctx *ctx, const struct known *kn, struct sql *q, uint64_t fields, char **ret,
                             size_t *ret_n);
NODISCARD enum err lines_load(struct ctx *ctx, const struct known *kn, void *row);
NODISCARD enum err lines_save(struct ctx *ctx, const struct known *kn, const void *row, uint64_t fields);
bool field_same(const struct field *f, const void *a, bool a_has, const void *b, bool b_has);
bool is_stored_sealed(const struct field *f); /* kept as key-version byte and bytes */
/* Field rules alone, without those of fields that the module fills in: for an answer that names every bad field. */
void row_check_given(struct ctx *ctx, const struct known *kn, const void *row);
/* Does the dated row meet none of its key?  What comes back from the archive is asked, too. */
NODISCARD enum err row_check_dated(struct ctx *ctx, const struct known *kn, const void *row);
NODISCARD enum err row_check(struct ctx *ctx, const struct known *kn, void *row, const void *before);

/* ---- trail ---- */
struct change {
    const char *verb, *step;    /* step NULL unless verb is "act" */
    const void *before, *after; /* either may be NULL */
    uint64_t fields;            /* bits that changed */
    bool mask;                  /* keep protected values out (a reveal tells that, not what) */
};
NODISCARD enum err audit_write(struct ctx *ctx, const struct known *kn, int64_t id, int64_t community_id,
                               const struct change *change);

static inline bool bit_has(uint64_t bits, size_t i) {
    return bits >> i & 1;
}
static inline const struct row *row_of(const void *row) {
    return row;
}
static inline const void *field_at(const struct field *f, const void *row) {
    return (const char *)row + f->at;
}
static inline int64_t field_i64(const struct field *f, const void *row) {
    return *(const int64_t *)field_at(f, row);
}
static inline const void *line_at(const struct field *f, const struct lines *lines, size_t n) {
    return (const char *)lines->rows + n * f->lines->size;
}
static inline uint64_t line_has(const void *line) {
    return *(const uint64_t *)line;
}
static inline struct sql sql_of(struct ctx *ctx) {
    return sql_new(ctx->db, ctx->arena, &ctx->fault);
}

#endif
