/* Points of a series rolled up into windows of some minutes: what a chart or a bill asks of them, once they are many or
 * gone.  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_ROLLED_INTERNAL_H
#define LINLI_PLATFORM_TELEMETRY_ROLLED_INTERNAL_H

#include "platform/telemetry/chunk_internal.h"

#define ROLLED_MAX 186 /* windows of a chunk: hours of a month of 31 days in four */

static inline int64_t floor_to(int64_t v, int64_t step) {
    int64_t rest = v % step;
    return v - (rest < 0 ? rest + step : rest);
}

/* One window: its values that are no NaN; none of them: there is no row. */
struct rolled {
    int64_t at_ms; /* where it begins, a multiple of its length since 1970 UTC */
    int64_t count, first_off, last_off;
    double min, max, sum, first, last;
    /* Of pairs, a value and the one before it in the same month, where they are not too far apart: how many, the time
     * between them, by how much it rose, what was there before it fell, and twice the area under the straight lines in
     * unit times ms. */
    int64_t pairs, pair_ms;
    double delta, drops, area2;
};

/* All values of a month at one scale, so that sums of decimals are decimals again, without what adding doubles leaves
 * behind. */
struct rolling {
    int64_t step_ms;
    struct rolled *rows; /* room for `cap` */
    size_t n, cap;
    unsigned scale; /* NO_DECIMAL: there were others */
    int64_t before_ms;
    double before;
    bool has_before;
};
/* Points in order of time, slice by slice.  False: no room for one more window. */
bool rolling_add(struct rolling *r, const struct points *p, int64_t gap_ms);
void rolling_end(struct rolling *r);
/* Takes back the pair of the row's first point and the last of the one before, if they are one. */
void rolled_unpair(struct rolled *row, const struct rolled *before, int64_t gap_ms);

/* rows: 1..ROLLED_MAX of one month, times strictly rising.  out: CHUNK_BYTES_MAX.  Gives the length, a multiple of 8.
 */
size_t rolled_encode(uint32_t series, int64_t step_ms, const struct rolled *rows, size_t n, unsigned parts,
                     uint8_t *out);
/* ret: room for h->count rows.  False unless the body is what the head says. */
bool rolled_decode(const struct chunk_head *h, int64_t step_ms, const uint8_t *chunk, struct rolled *ret);

#endif
