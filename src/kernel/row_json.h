/* Rows as JSON: in from clients, out to clients, audit and events.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_ROW_JSON_H
#define LINLI_KERNEL_ROW_JSON_H

#include "base/json.h"
#include "kernel/resource.h"

/* Reads an object into row (zeroed by the caller).  `allowed`: bits of fields that may come; others give field errors
 * unknown_field / read_only / fixed.  *ret_fields: bits that were there (null clears).  Every error of the object is
 * collected, up to FAULT_FIELDS_MAX.  Text lives as long as the arena. */
NODISCARD enum err row_read_json(struct ctx *ctx, const struct resource *r, const json_t *object, uint64_t allowed,
                                 void *row, uint64_t *ret_fields);
/* One field's value from the text of a query or a setting, as stored.  NULL, or the code of the broken rule. */
const char *field_read_text(const struct field *f, const struct resource *r, struct str text, struct db_val *ret);
uint64_t fields_creatable(const struct resource *r); /* bits of fields a client may send on create */
uint64_t fields_patchable(const struct resource *r);
uint64_t fields_of_step(const struct resource *r, const char *step, bool need); /* that it takes, or needs */

/* Writes "field":value for the bits of `fields` into an open object.  Classes outside `clear` are masked. */
void row_write_json(struct jw *j, const struct resource *r, const void *row, uint64_t fields, uint32_t clear);
void field_write_json(struct jw *j, const struct resource *r, const struct field *f, const void *row, bool mask);
void field_write_bound(struct jw *j, const struct field *f, int64_t bound); /* min or max as JSON; null: none */
/* 张三 -> 张*; of CONTACT 13812345678 -> 138****5678, and from 8 characters on half of them; others keep at most the
 * first character. */
void mask_text(struct buf *out, enum field_class class, struct str text);
/* Plain text of a field for labels and CSV: decimals and money with their point, times as RFC 3339 in the zone. */
struct zone;
void field_write_text(struct buf *out, const struct resource *r, const struct field *f, const void *row, bool mask,
                      const struct zone *zone);

#endif
