/* What the conformance test's own files share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_CONFORM_INTERNAL_H
#define LINLI_TESTS_LIB_CONFORM_INTERNAL_H

#include "tests/lib/conform.h"

enum size { SMALLEST, LARGEST, TOO_SMALL, TOO_LARGE };

#define RELATIONS_MOST 8 /* of a resource */
#define LISTS_MOST     5

/* What somebody may do something to: a row where it stands, or one about to be made there. */
struct subject {
    int64_t id; /* 0: about to be made */
    int64_t community, place;
    int64_t whose[RELATIONS_MOST]; /* by relation: whom or what its column says; 0: nobody */
};
/* A list and what it holds of the subject and the other row, as the system is given them, in order. */
struct listing {
    const char *how;
    struct list_query q;
    size_t pages; /* that are turned */
    int64_t ids[2];
    size_t n;
};

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
    int64_t serial;         /* makes unique text */
    int64_t since;          /* an id of when this row of the test began: what it leaves has later ones */
    struct subject subject; /* the row that is tried */
    struct subject other;   /* another, that other people read */
    struct listing lists[LISTS_MOST];
    size_t lists_n;
    uint64_t met;  /* bits of the rules that refused something */
    char why[160]; /* what the last one over HTTP was told */
};

struct counts {
    int64_t audit, events, rows;
};
void conform_fresh(struct run *u); /* a unit of work as the system */
struct counts conform_count(struct run *u);
/* So many changes and rows since `before`, each change with exactly one audit row and one event. */
void conform_check_left(struct run *u, struct counts before, int64_t changes, int64_t rows, const char *what);
bool conform_skips(struct run *u); /* counts a row of the test; true: not this one, where a sample is taken */
/* Does a rule that stands at "resource.on" say such codes, each blank-separated one of them? */
bool conform_rule_says(struct run *u, const char *on, struct str codes);
bool conform_refused(struct run *u, const char *on); /* was it such a rule that left the fault? */
void conform_check_rules(struct run *u);             /* each that stands at u->r has refused something */

/* ---- conform_values.c ---- */
void *conform_row(const struct resource *r); /* zeroed; free() it */
/* Sets a field to a value of that size; false: the field has no such value. */
bool conform_set(struct run *u, const struct field *f, void *row, enum size size);
struct lines conform_lines(struct run *u, const struct field *f, int64_t n, enum size size);
/* Every required field at a modest value, times in order around now; what says where it stands, at the site's place. */
void conform_base_row(struct run *u, const struct resource *r, void *row);
void conform_complete(struct run *u, const struct resource *r, void *row, const char *tried);
/* Makes such a row as the system, and what places it where another table does. */
int64_t conform_make(struct run *u, const struct resource *r);
int64_t conform_ref_row(struct run *u, const char *resource); /* the test's own, of a resource over a SELECT */
int64_t conform_own_row(struct run *u);                       /* of u->r, as the new subject */
/* One with something in every protected field. */
int64_t conform_full_row(struct run *u);
/* The new subject stands in the other community. */
void conform_row_elsewhere(struct run *u);
/* A relation over a column that a row may be without, and that a base row is without. */
bool conform_is_open(const struct run *u, size_t relation);
void conform_give(struct run *u, size_t relation, int64_t person_id); /* the subject is his by an open relation */
void conform_give_all(struct run *u);                                 /* to site.person, by every open one */
/* Whom the columns of the relations name. */
void conform_whose(struct run *u, const void *row, struct subject *ret);
/* What the step needs, at its largest. */
uint64_t conform_step_input(struct run *u, const struct step *s, void *row);
void conform_force_state(struct run *u, int64_t id, int32_t state);
/* One field's value as JSON; in the test's arena. */
struct str conform_told(struct run *u, const struct field *f, const void *row, bool mask);
bool conform_lists(struct run *u, int64_t id); /* as the actor */

/* ---- conform_rights.c ---- */
struct who {
    const char *role;
    int64_t place_id;
    int64_t person_id, unit_id; /* 0: he has no unit */
};
void conform_become(struct run *u, const struct who *w);
/* May he, by the grants' words alone? */
bool conform_may(struct run *u, const struct who *w, uint32_t verb, const struct subject *s, uint32_t *ret_clear,
                 uint32_t *ret_reveal);
bool conform_reads(struct run *u, const struct who *w); /* the subject */
/* Whose the subject is: itself where it is a person. */
int64_t conform_owner(const struct run *u);
void conform_all_rights(struct run *u);

/* ---- conform_lists.c ---- */
/* Asks every kind of list for the subject and the other row as the system. */
void conform_lists_open(struct run *u);
/* The actor is given those of them that the grants allow, in the same order and counted. */
void conform_check_lists(struct run *u, const struct who *w);
/* The field that lists of this resource are sorted by; NULL: none can be. */
const struct field *conform_sort_field(const struct run *u);

/* ---- conform_fail.c ---- */
void conform_all_failures(struct run *u);

#endif
