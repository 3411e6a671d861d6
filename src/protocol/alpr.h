/* What cameras that read number plates have in common: a vehicle as events, readings and who wants through.  Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_ALPR_H
#define LINLI_PROTOCOL_ALPR_H

#include "protocol/codec.h"

struct sighting {
    struct str device, plate; /* plate: as the camera writes it; several of a vehicle are joined with | */
    struct str serial;        /* of the message; absent: it has none */
    int64_t at_s, at_ms;      /* as struct passing has them; 0: the camera does not say */
    int64_t sure_pct;         /* -1: it does not say */
    bool is_late;
};
/* Event plate_seen, or plate_unread where no plate is one of GA 36; reading confidence; a passing for each plate.  The
 * plate itself stands in the passings only.  *ret is set as a whole; false: no memory. */
bool alpr_say(const struct sighting *s, struct arena *a, struct decoded *ret, struct wire_error *reterr);
bool alpr_has_plate(struct str plates); /* one at least that is of GA 36 */
/* A name that devices go by here: not empty, at most 64 bytes, fit for addresses. */
bool alpr_is_device(struct str name);

#endif
