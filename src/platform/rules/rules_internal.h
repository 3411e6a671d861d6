/* A rule as stored.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_RULES_INTERNAL_H
#define LINLI_PLATFORM_RULES_RULES_INTERNAL_H

#include "platform/rules/rules.h"

struct rule {
    struct row row;
    struct str name, kind, model, metric, event_code, severity, message, case_type;
    int64_t device_id, limit_value, clear_value, for_s; /* values with scale 3 */
    bool enabled;
};
int64_t rules_generation(void); /* rises when rules or devices changed */

#endif
