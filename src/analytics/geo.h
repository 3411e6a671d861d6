/* Places on the earth.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_ANALYTICS_GEO_H
#define LINLI_ANALYTICS_GEO_H

/* Metres between two places in degrees, north and east positive: the haversine formula on a sphere of IUGG's mean
 * radius (6,371,008.8 m), within 0.6 % of the ellipsoid. */
double geo_distance_m(double latitude, double longitude, double latitude_2, double longitude_2);

#endif
