/* Everything this program is made of.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_MODULES_H
#define LINLI_MAIN_MODULES_H

#include "kernel/module.h"

extern const struct module *const modules[];
extern const size_t modules_n;

#endif
