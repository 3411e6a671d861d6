/* What describe, OpenAPI, types and the reference share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_API_DESCRIBE_INTERNAL_H
#define LINLI_API_DESCRIBE_INTERNAL_H

#include "api/api_internal.h"

/* "key":{"zh":…,"en":…} of the catalogue's entry; where there is none, `fallback` stands in ("" for help). */
void describe_words_put(struct jw *j, struct ctx *ctx, const char *key, const char *fallback, const char *fmt, ...)
    PRINTF(5, 6);
void field_describe(struct jw *j, struct ctx *ctx, const char *owner, const struct field *f, uint32_t clear);

#define SCHEMA_ID "{'$ref':'#/components/schemas/Id'}"

/* An object of some fields. */
struct schema {
    uint64_t fields, required;
    bool in;        /* as it is sent, with its bounds; else as it is given */
    bool null;      /* each may be null (PATCH clears); else only those not required */
    bool community; /* says whose it is, where its sender reaches several */
};
void schema_object(struct jw *j, const struct resource *r, const struct schema *s);
void schema_row(struct jw *j, const struct resource *r);

#endif
