/* Alarms: what a rule raised, until it is over.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_ALARMS_H
#define LINLI_PLATFORM_RULES_ALARMS_H

#include "kernel/kernel.h"

enum alarm_state { ALARM_ACTIVE, ALARM_ACKNOWLEDGED, ALARM_ENDED };

struct alarm {
    struct row row;
    struct str title, severity, metric, value, detail, part, case_type;
    int64_t device_id, place_id, rule_id, since_ms, ended_ms, repeats;
    int64_t calm_ms; /* when its cause was over; absent: it lasts, also where somebody ended the alarm by hand */
    int32_t state;
};
extern const struct resource alarms;

struct alarm_raise {
    int64_t rule_id, device_id, at_ms;
    struct str title, severity, metric, value, detail, case_type; /* absent where there is none */
    struct str part; /* of the device, "1.1.131082"; empty: the device itself */
};
#define ALARM_PART_MAX 60 /* code points and bytes */
/* One alarm a rule, device and part at a time: while one is not ended, raising again counts it (repeats) and changes
 * nothing else.  Marks the device.  In one transaction; as the system. */
NODISCARD enum err alarm_raise(struct ctx *ctx, const struct alarm_raise *raise, int64_t *ret_alarm_id);
/* The cause is over since at_ms: ends that alarm where one is open, and notes it on one that was ended by hand. */
NODISCARD enum err alarm_clear(struct ctx *ctx, int64_t rule_id, int64_t device_id, struct str part, int64_t at_ms);

#endif
