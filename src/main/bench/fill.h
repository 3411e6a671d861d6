/* A street full of estates to measure against.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_FILL_H
#define LINLI_MAIN_BENCH_FILL_H

#include "main/site.h"

#define FILL_PANEL_FIRST  100000     /* address of the first fire panel, and its code */
#define FILL_SMOKE        "smoke"    /* a panel's metric: above 50 it is a fire */
#define FILL_FIRST_ESTATE "estate-1" /* code of the first estate */
#define FILL_SENSOR       "S-"       /* codes of sensors are this and 1, 2, … */

struct fill_key { /* MQTT credentials of a device */
    char user[32], password[48];
};

/* One street, `estates` estates with buildings, rooms, people and devices, and grids that each take in a building or
 * two of several estates; `cases` reported over the last 60 days, the newest of them in every state; `panels` fire
 * panels and `sensors` of the air in the control room of the first estate, with the demo's rules over them. */
struct fill_plan {
    int64_t estates, cases, panels, sensors;
    int64_t rules;         /* of the meters, one a meter and metric after the other; none ever fires */
    int64_t meters;        /* devices "m000000" and on in the first estate, whose readings readings.h makes */
    struct fill_key *keys; /* one a panel, then one a sensor, to be filled; NULL: they get none */
    const char *password;  /* of the log-ins "admin", "street", "estate" and "grid": one of each scope */
};
/* Makes the installation in dir; tells on stderr how far it is. */
NODISCARD enum err fill_site(const char *dir, const char *db, const struct fill_plan *plan, struct fault *f);

#endif
