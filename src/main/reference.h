/* The tables of this program as a reference for people and as types for TypeScript.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_MAIN_REFERENCE_H
#define LINLI_MAIN_REFERENCE_H

#include "kernel/kernel.h"

void reference_markdown(const struct kernel *k, struct buf *ret);
void reference_types(const struct kernel *k, struct buf *ret);

#endif
