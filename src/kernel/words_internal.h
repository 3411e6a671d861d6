/* Catalogues of words, parsed once, and the kernel's own resources.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_WORDS_INTERNAL_H
#define LINLI_KERNEL_WORDS_INTERNAL_H

#include "kernel/kernel_internal.h"

/* A line: key TAB zh TAB en; '#' begins a comment line.  A key said twice is a fault.  The texts are kept. */
NODISCARD enum err words_load(struct arena *a, const struct str *texts, size_t n, void **ret, struct fault *f);

extern const struct resource setting_rows, word_rows;
/* `settings` with the names that the modules register as choices; NULL: no memory. */
const struct resource *setting_names(struct kernel *k);

#endif
