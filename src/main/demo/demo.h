/* The demo estate.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_DEMO_H
#define LINLI_MAIN_DEMO_DEMO_H

#include "main/site.h"

/* Makes the estate if the store is empty, and prints the accounts. */
NODISCARD enum err demo_prepare(struct ctx *ctx, struct site *site, void *arg);

/* ---- its parts, each in the caller's transaction as the system ---- */

struct demo_spot {
    int64_t id;
    struct str name; /* in the unit's arena */
};
struct demo_spots {
    struct demo_spot *at;
    size_t n;
};
#define DEMO_ACCOUNTS 15
struct demo_account {
    struct str login, name;
    int64_t person_id;
};
struct demo_estate {
    struct demo_account accounts[DEMO_ACCOUNTS];
    int64_t street, estate, grid, fire_room;
    struct demo_spots units, rooms, lifts, others; /* lifts: machine rooms; others: gates, greens, public spaces */
};
/* Places with the outlines of demo/estate; units, rooms and what is in the houses are made up. */
NODISCARD enum err demo_places(struct ctx *ctx, struct demo_estate *ret);
/* Kinds of cases, models, rules; devices in the units, rooms and lifts of e, about 200, and the fire panel. */
NODISCARD enum err demo_things(struct ctx *ctx, const struct demo_estate *e);

/* What people did in the last two weeks: cases, visits, ideas, activities, alarms. */
NODISCARD enum err demo_story(struct ctx *ctx, const struct demo_estate *e);

#endif
