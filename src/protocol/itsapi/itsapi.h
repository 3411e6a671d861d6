/* ITSAPI: cameras of lanes that push pictures as JSON, to TollgateInfo, KeepAlive and DeviceInfo.  Any 200 takes them;
 * the barrier is not opened by the answer, but by a command.  After public receivers.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_PROTOCOL_ITSAPI_ITSAPI_H
#define LINLI_PROTOCOL_ITSAPI_ITSAPI_H

#include "protocol/codec.h"

#define ITSAPI_PUSH_MAX ((size_t)1 << 20) /* bytes; the pictures in it are base64 */

struct itsapi_push { /* texts live in the arena it was read with */
    bool is_vehicle; /* else a sign of life, or what the device is; of one that is empty no device is known */
    struct str device, plate, colour, direction /* Obverse: towards the camera */;
    int64_t confidence;  /* -1: missing */
    int64_t at_s, at_ms; /* AccurateTime: local civil seconds since 1970, or UTC where it has an offset; 0: missing */
};
bool itsapi_read(struct bytes whole, struct arena *a, struct itsapi_push *ret, struct wire_error *reterr);

extern const struct codec itsapi_codec;

#endif
