/* Our own small form of somebody who stands before a door, for controllers over HTTP and MQTT (docs/lines.md):
 *   {"device":"D-1","card":"0008065495","way":"in","id":"m-17","at":"2026-11-24T10:42:00+08:00"}
 * One of card, pin, plate and face_ref says who.  Over MQTT the topic names the device and the member is left out.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_DOOR_DOOR_H
#define LINLI_PROTOCOL_DOOR_DOOR_H

#include "protocol/codec.h"

#define DOOR_FORM_MAX ((size_t)2048) /* bytes */
#define DOOR_ID_MAX   60             /* of an id */

/* Members: "device" 1 to 64 bytes, "id" as above, both without blanks and / + #; "card", "pin", "plate" and "face_ref"
 * as passing_read() reads them; "way" in or out; "at" UTC, whole milliseconds since 1970 or RFC 3339; "late" true: the
 * device kept it while nobody answered; "sure" 1 to 100 %.  Others are passed over.  device: of whom the topic speaks,
 * absent: the form names it; where both do they must agree.  *ret has one passing, its texts in the arena. */
bool door_read(struct bytes whole, struct str device, struct arena *a, struct decoded *ret, struct wire_error *reterr);
/* The same as a device writes it; value as passings have it. */
void door_write(const struct passing *p, struct buf *out);

extern const struct codec door_codec; /* of bodies; its answer {"open":true,"why":"given"} */

#endif
