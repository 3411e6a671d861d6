/* DDL of the kernel's own tables; {I} {T} {B} {S} {W} become each store's words.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINLI_KERNEL_TABLES_INTERNAL_H
#define LINLI_KERNEL_TABLES_INTERNAL_H

extern const char kernel_tables[];

#endif
