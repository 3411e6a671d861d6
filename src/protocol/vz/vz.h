/* Cameras of gates of the VZ family and their like: JSON that they push over HTTP, the answer's body opening the
 * barrier.  After public notes of makers; tables of types differ between them.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_VZ_VZ_H
#define LINLI_PROTOCOL_VZ_VZ_H

#include "protocol/codec.h"

#define VZ_PUSH_MAX ((size_t)1 << 20) /* bytes; the pictures in it are base64 */

enum vz_message {
    VZ_PLATE,     /* AlarmInfoPlate: a vehicle */
    VZ_INPUT,     /* AlarmGioIn: an input changed */
    VZ_SERIAL,    /* SerialData: bytes of a board behind the camera */
    VZ_HEARTBEAT, /* heartbeat */
    VZ_ANSWER     /* Response_AlarmInfoPlate: ours */
};
struct vz_push { /* texts live in the arena it was read with; numbers are -1 where they are missing */
    enum vz_message message;
    struct str device, name; /* serialno, deviceName */
    struct str plate;        /* license: several are joined with | */
    int64_t colour, type, confidence, direction, trigger, plate_id;
    int64_t at_ms;         /* UTC; 0: missing */
    bool is_offline;       /* was kept by the camera while nobody answered */
    int64_t source, value; /* of an input: its number; 0 open, 1 closed, 2 closed for a moment */
    struct str info;       /* of an answer: "ok" opens */
};
bool vz_read(struct bytes whole, struct arena *a, struct vz_push *ret, struct wire_error *reterr);
/* A vehicle as a camera pushes it. */
void vz_write(const struct vz_push *p, struct buf *out);

extern const struct codec vz_codec;

#endif
