/* Shapes of places: GeoJSON geometries (RFC 7946, 3.1).  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_PLACES_SHAPE_H
#define LINLI_PLATFORM_PLACES_SHAPE_H

#include "base/base.h"

/* A Point, LineString, MultiLineString, Polygon or MultiPolygon with nothing beside "type" and "coordinates"; longitude
 * before latitude (3.1.1), lines of two positions or more, rings closed and of four or more (3.1.6).  NULL, or the code
 * of the broken rule: a field's check. */
const char *shape_check(struct str geometry);

#endif
