/* Everything this program is made of.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_MODULES_H
#define LINLI_MAIN_MODULES_H

#include "api/api.h"
#include "platform/telemetry/telemetry_http.h"

extern const struct module *const modules[];
extern const size_t modules_n;

/* The routes of engines that run; NULL: for describing only. */
struct api_with modules_with(struct telemetry_http *readings);

#endif
