/* What the files of Sparkplug share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_SPARKPLUG_SPARKPLUG_INTERNAL_H
#define LINLI_PROTOCOL_SPARKPLUG_SPARKPLUG_INTERNAL_H

#include "protocol/publish.h"
#include "protocol/sparkplug/sparkplug.h"

#define BIT(field) (UINT32_C(1) << (field))

struct sparkplug_frame {
    struct publish publish;
    struct sparkplug_topic topic;
    struct sparkplug_payload payload; /* of a STATE: none */
};
bool sparkplug_frame_read(struct bytes whole, struct arena *a, struct sparkplug_frame *ret, struct wire_error *reterr);
static inline bool sparkplug_is_of_node(enum sparkplug_what what) {
    return what < SPARKPLUG_DBIRTH;
}

/* Writes a device's code; false: it has over 64 bytes. */
bool sparkplug_code_put(struct buf *b, const struct sparkplug_topic *t);
/* The code back into what topics have, in memory of 3 * 64 bytes. */
bool sparkplug_code_read(struct str code, struct buf *mem, struct sparkplug_topic *ret);
/* What a reading of the metric is called; false: none can be. */
bool sparkplug_metric_name(struct str name, char ret[SPARKPLUG_NAME_MAX + 1]);

/* A value as its type has it.  NULL, and *ret_is false where it is no number; else the rule that it breaks. */
const char *sparkplug_number(const struct sparkplug_metric *m, uint64_t type, double *ret, bool *ret_is);
/* The first metric of that name in a right payload; false: there is none. */
bool sparkplug_find(struct bytes payload, struct str name, struct sparkplug_metric *ret);
bool sparkplug_is_stale(struct bytes properties); /* property Quality: not good (6.4.10) */
bool sparkplug_bd_seq(const struct sparkplug_payload *p, uint64_t *ret);

/* Names what has but an alias, or gives a known metric its type; false: it says nothing.  *ret_name is absent where the
 * metric's own name is, or is none of a reading. */
typedef bool sparkplug_name_fn(void *arg, const struct sparkplug_metric *m, struct str *ret_name, uint64_t *ret_type);
/* What a frame says by itself; fn NULL: aliases are not known. */
bool sparkplug_said(const struct sparkplug_frame *f, sparkplug_name_fn *fn, void *arg, struct arena *a,
                    struct decoded *ret, struct wire_error *reterr);
const char *sparkplug_word(enum sparkplug_what what); /* "NBIRTH" */

bool sparkplug_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool sparkplug_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);
extern const struct asking sparkplug_asking;

#endif
