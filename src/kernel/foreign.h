/* Identity from outside: (source, foreign id) names one row here.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_FOREIGN_H
#define LINLI_KERNEL_FOREIGN_H

#include "kernel/kernel.h"

struct foreign {
    struct str source, id; /* unique together, a resource */
    struct str version;    /* as the source says it */
    bool is_authority;     /* the source owns the row: here it is read-only */
};
NODISCARD enum err foreign_put(struct ctx *ctx, const struct resource *r, int64_t row_id,
                               const struct foreign *foreign);
NODISCARD enum err foreign_find(struct ctx *ctx, const struct resource *r, struct str source, struct str id,
                                int64_t *ret_row_id, bool *ret_found);
/* OK when the row may be changed here; ERR_DENIED (code mirrored) when its source owns it. */
NODISCARD enum err foreign_check(struct ctx *ctx, const struct resource *r, int64_t row_id);

#endif
