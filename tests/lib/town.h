/* A street with two estates over every module of the program: for tests of what the modules do with one another.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_TOWN_H
#define LINLI_TESTS_LIB_TOWN_H

#include "kernel/rows.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "tests/lib/test.h"

struct town {
    struct t *t;
    struct db_pool *pool;
    struct kernel *kernel;
    struct ctx ctx; /* the system's, until town_as() */
    /* street > estate (keeps records) > building > unit; street > other_estate (keeps records) > other_building */
    int64_t street, estate, building, unit, other_estate, other_building;
};

/* On SQLite in the case's folder, Asia/Shanghai, with a type of case `repair`: 30 min, 2 h, 24 h. */
void town_open(struct town *w, struct t *t);
void town_close(struct town *w);
/* Runs a case again with every town in a fresh PostgreSQL database. */
void town_on_postgres(struct t *t, void (*run)(struct t *t));
/* As the system, whoever acts. */
int64_t town_place(struct town *w, const char *name, const char *kind, int64_t parent_id);
int64_t town_person(struct town *w, const char *name, const char *role, int64_t place_id); /* 0: the installation */
int64_t town_member(struct town *w, int64_t person_id, const char *role, int64_t place_id);
/* Who acts from now on, by his memberships of now; 0: the system. */
void town_as(struct town *w, int64_t person_id);
/* Time goes on, then due timers run and events are delivered. */
void town_pass(struct town *w, int64_t ms);
/* Did it fail by this code, of the fault or of a field?  Clears the fault. */
bool town_refused(struct town *w, enum err e, const char *code);
int64_t town_count(struct town *w, const char *sql); /* first column of the first row */

#endif
