/* Who may be given a case.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_CASES_WORKERS_H
#define LINLI_PLATFORM_CASES_WORKERS_H

#include "api/api.h"
#include "platform/cases/cases.h"

#define CASE_DESK    "manager dispatcher"
#define CASE_WORKERS "repairer guard grid"

/* Does the person hold a role today that works on this case? */
NODISCARD enum err case_worker(struct ctx *ctx, const struct case_row *c, int64_t person_id, const char *roles,
                               bool *ret);
extern const struct api_route worker_routes[1];

#endif
