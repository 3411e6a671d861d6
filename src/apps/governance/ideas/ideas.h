/* Ideas of residents.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_APPS_GOVERNANCE_IDEAS_IDEAS_H
#define LINLI_APPS_GOVERNANCE_IDEAS_IDEAS_H

#include "kernel/module.h"

extern const struct module ideas_module;

#endif
