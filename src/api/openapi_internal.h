/* Schemas that the OpenAPI document is made of.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_API_OPENAPI_INTERNAL_H
#define LINLI_API_OPENAPI_INTERNAL_H

#include "api/describe_internal.h"

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
