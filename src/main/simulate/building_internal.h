/* What the files of the building share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_SIMULATE_BUILDING_INTERNAL_H
#define LINLI_MAIN_SIMULATE_BUILDING_INTERNAL_H

#include "main/simulate/building.h"

#define BUILDING_VENDOR 999 /* for no maker's product */

struct building_point {
    int64_t object;
    const char *name;
    int unit; /* of BACnet; -1: none */
    double start, low, high, wander;
    bool is_written;
};
extern const struct building_point building_points[BUILDING_POINTS];
size_t building_point_at(int64_t object); /* BUILDING_POINTS: none of these */

bool building_has(const struct building *b, size_t device, int64_t object);
/* Appends the values of a property of an object that is there.  False: it has no such property, or member of it. */
bool building_read(const struct building *b, size_t device, const struct bacnet_point *p, struct buf *out);
int building_write(struct building *b, size_t device, const struct bacnet_point *p); /* 0, or the code of the error */
/* Another number where somebody who watches the object is to be told. */
int64_t building_told(const struct building *b, size_t device, int64_t object);
void building_tell(struct building *b, int64_t now_ms); /* those who do not know yet */

#endif
