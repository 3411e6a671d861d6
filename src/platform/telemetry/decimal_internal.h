/* Doubles as whole numbers over a power of ten, which is what sensors mean.  Pure.  SPDX-License-Identifier: Apache-2.0
 */
#ifndef LINLI_PLATFORM_TELEMETRY_DECIMAL_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_DECIMAL_INTERNAL_H

#include "platform/telemetry/ints_internal.h"

#define SCALE_MAX  12
#define NO_DECIMAL (SCALE_MAX + 1)

static inline double decimal_value(int64_t m, unsigned scale) {
    return (double)m / f64_powers[scale];
}

/* The whole number that the value is at a scale; false unless dividing gives the same bits again (-0, NaN, infinities
 * and what needs more than 53 bits do not). */
static inline bool decimal_at(double v, unsigned scale, int64_t *ret) {
    double x = v * f64_powers[scale];
    if (!(x < 9007199254740992.0 && x > -9007199254740992.0)) return false;
    *ret = (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
    return bits_of(decimal_value(*ret, scale)) == bits_of(v);
}

/* The same at `scale`, or the first one above it that does; gives NO_DECIMAL where none does. */
static inline unsigned decimal_find(double v, unsigned scale, int64_t *ret) {
    for (; scale <= SCALE_MAX; scale++)
        if (decimal_at(v, scale, ret)) return scale;
    return NO_DECIMAL;
}

/* All of them at one scale, the least from *scale on that fits; false: there is none. */
static inline bool decimals_find(const double *v, size_t n, int64_t *ret, unsigned *scale) {
    for (size_t i = 0; i < n;) {
        unsigned fits = decimal_find(v[i], *scale, &ret[i]);
        if (fits == NO_DECIMAL) return false;
        i = fits > *scale && i ? 0 : i + 1; /* a new scale is for those before it, too */
        *scale = fits;
    }
    return true;
}

#endif
