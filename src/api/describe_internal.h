/* What describe, OpenAPI, types and the reference share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_API_DESCRIBE_INTERNAL_H
#define LINLI_API_DESCRIBE_INTERNAL_H

#include "api/api_internal.h"

/* "key":{"zh":…,"en":…} of the catalogue's entry; where there is none, `fallback` stands in ("" for help). */
void describe_words_put(struct jw *j, struct ctx *ctx, const char *key, const char *fallback, const char *fmt, ...)
    PRINTF(5, 6);
void field_describe(struct jw *j, struct ctx *ctx, const char *owner, const struct field *f, uint32_t clear);

#endif
