/* The tables of GB 18030, made at build time.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_GB18030_INTERNAL_H
#define LINLI_BASE_GB18030_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

struct gb18030_range { /* four-byte codes in order: `len` characters from `code` on */
    uint16_t from, code, len;
};
extern const uint16_t gb18030_pairs[126 * 190]; /* by lead and trail byte; 0: none */
extern const uint16_t gb18030_order[];          /* places in it that have a code, rising by code */
extern const size_t gb18030_order_n;
extern const struct gb18030_range gb18030_ranges[];
extern const size_t gb18030_ranges_n;

#endif
