/* Cases: one life cycle for everything that must be dealt with.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_CASES_CASES_H
#define LINLI_PLATFORM_CASES_CASES_H

#include "kernel/kernel.h"

enum case_state {
    CASE_NEW,
    CASE_ACCEPTED,
    CASE_ASSIGNED,
    CASE_ONSITE,
    CASE_DONE,
    CASE_VERIFIED,
    CASE_CLOSED,
    CASE_CANCELLED
};

struct case_row {
    struct row row;
    struct str number, title, text, type, source, priority, result, note, reason, late;
    int64_t place_id, device_id, alarm_id, reporter_id, assignee_id, onsite_by_id, done_by_id;
    int64_t reported_ms, accept_due_ms, onsite_due_ms, close_due_ms, accepted_ms, onsite_ms, done_ms, verified_ms,
        closed_ms;
    struct ids photos;
    int32_t state;
};
struct case_type {
    struct row row;
    struct str code, name, priority;
    int64_t accept_s, onsite_s, close_s; /* limits, all from the report */
};
extern const struct resource cases, case_types;
extern const struct module cases_module;

#endif
