/* Places on the earth.  SPDX-License-Identifier: Apache-2.0 */
#include "analytics/geo.h"

#include <math.h>

#define RADIUS_M 6371008.8
#define RADIANS  0.017453292519943295 /* of a degree */

double geo_distance_m(double latitude, double longitude, double latitude_2, double longitude_2) {
    double north = sin((latitude_2 - latitude) * RADIANS / 2), east = sin((longitude_2 - longitude) * RADIANS / 2);
    double h = north * north + cos(latitude * RADIANS) * cos(latitude_2 * RADIANS) * east * east;
    return 2 * RADIUS_M * asin(sqrt(fmin(h, 1)));
}
