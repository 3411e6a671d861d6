/* What simulated devices have in common: chance, a clock, instruments, names.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>

#define DRIFTED_MAX 200 /* thousandths */
#define CHINA_MS    INT64_C(28800000)

uint64_t sim_next(uint64_t *random) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_random(struct sim_device *d) {
    return sim_next(&d->random);
}

int sim_fault_of(uint32_t faults, int none, size_t *turn) {
    size_t n = 0, nth;
    for (int i = 0; i < none; i++) n += faults >> i & 1;
    if (!n) return none;
    nth = (*turn)++ % n;
    for (int i = 0; i < none; i++)
        if (faults >> i & 1 && !nth--) return i;
    return none;
}

size_t sim_noise(uint64_t *random, uint8_t ret[SIM_NOISE_MAX]) {
    size_t n = 1 + sim_next(random) % SIM_NOISE_MAX;
    for (size_t i = 0; i < n; i++) ret[i] = (uint8_t)sim_next(random);
    return n;
}

int64_t sim_clock_ms(const struct sim_device *d, int64_t now_ms) {
    return now_ms + d->shift_s * 1000;
}

void sim_drift(struct sim_device *d) {
    int way = d->index % 2 ? -1 : 1;
    d->shift_s += way * (int64_t)(1 + sim_random(d) % SIM_DRIFT_S);
    if (d->drifted * way < DRIFTED_MAX) d->drifted += way;
}

int sim_walk(struct sim_device *d, size_t i, const struct sim_range *r) {
    int at = d->values[i] != 0 ? (int)d->values[i] : r->start;
    at += (int)(sim_random(d) % (2 * (uint64_t)r->wander + 1)) - r->wander;
    if (at < r->low) at = r->low;
    if (at > r->high) at = r->high;
    d->values[i] = at;
    return at * (1000 + d->drifted) / 1000;
}

struct str sim_one_of(struct sim_device *d, const char *list) {
    struct str rest = str_of(list), one = {NULL, 0};
    size_t n = 1;
    for (size_t i = 0; i < rest.len; i++) n += rest.ptr[i] == ',';
    for (size_t nth = sim_random(d) % n + 1; rest.ptr && nth && str_cut(&rest, ',', &one); nth--) continue;
    return one;
}

struct str sim_form(const struct sim_options *o, const struct sim_device *d) {
    struct str all = str_of(o->forms ? o->forms : d->protocol->forms), rest = all, one = {NULL, 0};
    size_t n = 0;
    while (str_cut(&rest, ',', &one)) n++;
    rest = all;
    for (size_t nth = n ? d->index % n + 1 : 0; nth && str_cut(&rest, ',', &one); nth--) continue;
    return one;
}

void sim_put_plate(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    static const char serial[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    struct str one = sim_one_of(d, o->plates);
    if (one.len) {
        buf_str(out, one);
        return;
    }
    buf_cstr(out, "粤");
    buf_char(out, serial[10 + sim_random(d) % 24]);
    for (int i = 0; i < 5; i++) buf_char(out, serial[sim_random(d) % (i < 4 ? 10 : sizeof serial - 1)]);
}

int64_t sim_number(const struct sim_options *o, const struct sim_device *d) {
    return o->first + (int64_t)d->index;
}

void sim_put_name(const struct sim_options *o, const struct sim_device *d, struct buf *out) {
    buf_fmt(out, "linli-%" PRId64, sim_number(o, d));
}

void sim_put_local(struct buf *out, int64_t at_ms) {
    struct civil c = zone_civil(NULL, at_ms + CHINA_MS);
    buf_fmt(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)c.year, (int)c.month, (int)c.day, (int)c.hour, (int)c.minute,
            (int)c.second);
}
