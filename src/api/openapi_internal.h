/* Schemas that the OpenAPI document is made of.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_API_OPENAPI_INTERNAL_H
#define LINLI_API_OPENAPI_INTERNAL_H

#include "api/describe_internal.h"

/* One value: as it is sent (`in`, with its bounds) or given; null: it may be null. */
void schema_field(struct jw *j, const struct resource *r, const struct field *f, bool in, bool null);
/* An object of the fields; null: each may be null (PATCH clears). */
void schema_input(struct jw *j, const struct resource *r, uint64_t fields, uint64_t required, bool null);
void schema_row(struct jw *j, const struct resource *r);

#endif
