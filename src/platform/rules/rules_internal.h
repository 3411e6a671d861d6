/* What the rules' own files share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_RULES_RULES_INTERNAL_H
#define LINLI_PLATFORM_RULES_RULES_INTERNAL_H

#include "platform/rules/rules.h"

int64_t rules_generation(void); /* rises when rules or devices changed */

#endif
