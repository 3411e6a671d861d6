/* What needs doing now, in one answer.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_CASES_TODAY_H
#define LINLI_PLATFORM_CASES_TODAY_H

#include "api/api.h"

extern const struct api_route today_routes[1];

#endif
