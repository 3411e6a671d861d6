/* Activities of partners.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_APPS_SERVICES_ACTIVITIES_ACTIVITIES_H
#define LINLI_APPS_SERVICES_ACTIVITIES_ACTIVITIES_H

#include "kernel/module.h"

extern const struct module activities_module;

#endif
