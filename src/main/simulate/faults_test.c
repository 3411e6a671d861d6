/* Which faults a protocol takes, and what is said of others.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"
#include "main/simulate/slave.h"
#include "tests/lib/test.h"

#include <string.h>

static void a_fault_that_is_refused_is_named_with_why_and_those_that_are_taken(struct t *t) {
    static const struct {
        const struct sim_protocol *sim;
        const struct slave_protocol *slave; /* instead */
        const char *list, *why;             /* NULL: taken */
        uint32_t faults;
    } rows[] = {
        {&sim_hj212, NULL, NULL, NULL, 0},
        {&sim_hj212, NULL, "noise, drift", NULL, 1u << SIM_NOISE | 1u << SIM_DRIFT},
        {&sim_hj212, NULL, "noise,thunder",
         "--faults: thunder: there is no such fault; there are noise, split, merge, badsum, lost, replay, storm, drift",
         0},
        {&sim_hj212, NULL, "absent",
         "--faults: absent: only a panel of gb26875 has a guard who may be absent; there are noise, split, merge, "
         "badsum, lost, replay, storm, drift",
         0},
        {&sim_bacnet, NULL, "lost,split",
         "--faults: split: over datagrams nothing is split; there are noise, badsum, lost, replay, storm, drift", 0},
        {&sim_lift, NULL, "noise",
         "--faults: noise: HTTP and MQTT leave no room for noise; there are split, merge, replay, storm, drift", 0},
        {&sim_zigbee2mqtt, NULL, "badsum",
         "--faults: badsum: what HTTP and MQTT carry has no sum; there are split, merge, replay, storm, drift", 0},
        {&sim_onenet, NULL, "badsum", NULL, 1u << SIM_BADSUM},
        {NULL, &slave_osdp, "slow,drift",
         "--faults: drift: a reader has no clock and no instrument; there are noise, split, merge, badsum, lost, slow, "
         "replay, storm",
         0},
        {NULL, &slave_dlt645, "drift", NULL, 1u << SLAVE_DRIFT},
        {NULL, &slave_dlt645, "absent",
         "--faults: absent: there is no such fault; there are noise, split, merge, badsum, lost, slow, replay, storm, "
         "drift",
         0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char why[SIM_WHY_MAX] = "";
        uint32_t faults = 0;
        bool ok = rows[i].sim ? sim_faults_read(rows[i].sim, rows[i].list, &faults, why)
                              : slave_faults_read(rows[i].slave, rows[i].list, &faults, why);
        CHECK_SAY(t, ok == !rows[i].why && faults == rows[i].faults && !strcmp(why, ok ? "" : rows[i].why),
                  "row %zu: %s", i, why);
    }
}

/* Whatever a protocol does not take it has a reason for, and the whole of it fits. */
static void no_reason_is_missing(struct t *t) {
    static const struct sim_protocol *const all[] = {&sim_bacnet, &sim_door,   &sim_esphome, &sim_gb26875,
                                                     &sim_mqtt,   &sim_onenet, &sim_vz,      &sim_watch};
    for (size_t i = 0; i < COUNT(all); i++)
        for (int k = 0; k < SIM_FAULTS; k++) {
            char why[SIM_WHY_MAX] = "";
            uint32_t faults = 0;
            if (all[i]->faults >> k & 1) continue;
            CHECK(t, !sim_faults_read(all[i], sim_fault_names[k], &faults, why) && !strstr(why, "null"));
            CHECK_SAY(t, strlen(why) < SIM_WHY_MAX - 1 && strstr(why, "there are "), "%s", why);
        }
}

TESTS(CASE(a_fault_that_is_refused_is_named_with_why_and_those_that_are_taken), CASE(no_reason_is_missing))
