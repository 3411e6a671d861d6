/* Places on the earth.  SPDX-License-Identifier: Apache-2.0 */
#include "analytics/geo.h"

#include "tests/lib/test.h"

#include <math.h>

/* By the circle's own arcs: a degree of any great circle is 111,195.08 m of this sphere. */
static void distances_are_those_of_the_sphere(struct t *t) {
    static const struct {
        double a[2], b[2], metres;
    } all[] = {{{0, 0}, {0, 0}, 0},
               {{0, 0}, {1, 0}, 111195.08},
               {{0, 179.5}, {0, -179.5}, 111195.08},
               {{60, 10}, {60, 11}, 55597.01}, /* by the angle between vectors, as all below */
               {{90, 0}, {-90, 123}, 20015114.44},
               {{31.2304, 121.4737}, {39.9042, 116.4074}, 1067311.65}}; /* Shanghai to Beijing */
    for (size_t i = 0; i < COUNT(all); i++) {
        double d = geo_distance_m(all[i].a[0], all[i].a[1], all[i].b[0], all[i].b[1]);
        CHECK_SAY(t, fabs(d - all[i].metres) <= all[i].metres * 1e-7 + 1e-6, "%zu: %.2f", i, d);
    }
}

TESTS(CASE(distances_are_those_of_the_sphere))
