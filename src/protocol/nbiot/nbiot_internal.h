/* What the platforms of NB-IoT have in common.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_NBIOT_NBIOT_INTERNAL_H
#define LINLI_PROTOCOL_NBIOT_NBIOT_INTERNAL_H

#include "protocol/nbiot/nbiot.h"
#include "protocol/pushed.h"

bool nbiot_is_body(struct bytes whole, struct wire_error *reterr); /* a JSON object is all there can be */
/* Milliseconds since 1970 UTC.  False: told. */
bool nbiot_time(struct pushed *p, double ms, const char *rule, int64_t *ret);
bool nbiot_is_json(struct pushed *p, struct str text); /* a JSON object */
/* A whole number as text, or the text.  Absent: neither, or no memory. */
struct str nbiot_name(struct arena *a, const struct json_leaf *leaf);
/* A frame that decodes, for tools. */
void nbiot_show(struct bytes whole, struct str what, struct str device, struct arena *a, struct jw *j);

#endif
