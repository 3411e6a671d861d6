/* How often something may be: a token bucket.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_BUCKET_H
#define LINLI_BASE_BUCKET_H

#include "base/base.h"

struct bucket { /* zero is full */
    int64_t at_us, spent_u;
};
/* Once more, where it may be `burst` times at once and `rate` times a second.  now_us: of a clock that never goes back.
 */
static inline bool bucket_take(struct bucket *b, int64_t now_us, int64_t rate, int64_t burst) {
    int64_t one_u = 1000000, most_u = burst * one_u, gone_us = now_us - b->at_us;
    b->spent_u = gone_us > most_u / rate ? 0 : b->spent_u - gone_us * rate;
    if (b->spent_u < 0) b->spent_u = 0;
    b->at_us = now_us;
    if (b->spent_u + one_u > most_u) return false;
    b->spent_u += one_u;
    return true;
}

#endif
