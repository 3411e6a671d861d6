/* Frames of CARRIER_TOPIC: a topic, a line feed, a payload; or, where one has it, the payload alone, a JSON object as
 * an HTTP request brings it.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_PUBLISH_H
#define LINLI_PROTOCOL_PUBLISH_H

#include "protocol/codec.h"

#define PUBLISH_TOPIC_MAX   512                 /* bytes */
#define PUBLISH_PAYLOAD_MAX ((size_t)256 << 10) /* as the MQTT listener takes it */
#define PUBLISH_FRAME_MAX   (PUBLISH_TOPIC_MAX + 1 + PUBLISH_PAYLOAD_MAX)

struct publish {
    struct str topic; /* absent: the frame begins with {, it is the payload */
    struct bytes payload;
    size_t payload_at; /* in the frame */
};
bool publish_read(struct bytes whole, struct publish *ret, struct wire_error *reterr);
/* Members of the frame as JSON, "topic" where there is one and "payload" ("payload_hex"), and back.  A payload may be
 * given as JSON, too. */
void publish_show(struct jw *j, struct arena *a, const struct publish *p);
bool publish_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

#endif
