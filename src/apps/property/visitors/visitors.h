/* Visitors of an estate.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_APPS_PROPERTY_VISITORS_VISITORS_H
#define LINLI_APPS_PROPERTY_VISITORS_VISITORS_H

#include "kernel/module.h"

extern const struct module visitors_module;

#endif
