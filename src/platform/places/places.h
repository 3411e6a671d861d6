/* Places: dated parents in named hierarchies; they scope rights.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_PLACES_PLACES_H
#define LINLI_PLATFORM_PLACES_PLACES_H

#include "kernel/module.h"

/* Two hierarchies: "property" (estate > building > unit > floor > room) and "administrative" (street > community > grid
 * > building).  A place that keeps records (an estate, a community, a street for its own rows) is a tenant. */
struct place {
    struct row row;
    int64_t parent_id, admin_parent_id; /* today's, as first set; moves are rows of place_parents */
    struct str name, code, kind, zone, address;
    struct str shape;        /* GeoJSON geometry: platform/places/shape.h */
    struct str shape_source; /* whose it is and under which licence: shown wherever it is drawn */
    struct geo at;
    bool keeps_records;
};
extern const struct resource places;
extern const struct module places_module;

#endif
