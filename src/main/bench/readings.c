/* Readings to load with.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/readings.h"

#include <stdlib.h>
#include <string.h>

static const struct metric {
    const char *name;
    int64_t start, wander, noise;
    int digits;
    bool counts;
} metrics[READINGS_METRICS] = {{"temperature", 215, 1, 0, 1, false},
                               {"humidity", 480, 3, 0, 1, false},
                               {"power", 12000, 5, 200, 1, false},
                               {"energy", 1234500, 15, 0, 2, true}};

enum err readings_begin(struct readings *r, const struct readings_plan *plan, struct fault *f) {
    size_t series = (size_t)plan->devices * READINGS_METRICS;
    *r = (struct readings){.plan = *plan, .random = 1, .state = calloc(series, sizeof *r->state)};
    if (!r->state) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = 0; i < series; i++) r->state[i] = metrics[i % READINGS_METRICS].start + (int64_t)(i % 97);
    return OK;
}

void readings_end(struct readings *r) {
    free(r->state);
    *r = (struct readings){0};
}

static uint64_t chance(struct readings *r, uint64_t below) { /* xorshift64* (Vigna 2016) */
    r->random ^= r->random >> 12;
    r->random ^= r->random << 25;
    r->random ^= r->random >> 27;
    return (r->random * UINT64_C(2685821657736338717) >> 33) % below;
}

static int64_t next_value(struct readings *r, size_t series) {
    const struct metric *m = &metrics[series % READINGS_METRICS];
    int64_t *at = &r->state[series];
    if (m->counts)
        *at += (int64_t)chance(r, (uint64_t)m->wander + 1);
    else
        *at += (int64_t)chance(r, 2 * (uint64_t)m->wander + 1) - m->wander;
    return m->noise ? *at + (int64_t)chance(r, 2 * (uint64_t)m->noise + 1) - m->noise : *at;
}

static char *put_text(char *at, const char *text) {
    size_t n = strlen(text);
    memcpy(at, text, n);
    return at + n;
}

static char *put_int(char *at, int64_t v, int digits) { /* at least so many */
    char mem[24];
    int n = 0;
    for (; v || n < digits; v /= 10) mem[n++] = (char)('0' + v % 10);
    while (n) *at++ = mem[--n];
    return at;
}

static char *put_value(char *at, const struct metric *m, int64_t v) {
    int64_t one = m->digits == 1 ? 10 : 100;
    at = put_text(put_text(at, m->name), "=");
    if (v < 0) *at++ = '-';
    if (v < 0) v = -v;
    at = put_int(at, v / one, 1);
    *at++ = '.';
    return put_int(at, v % one, m->digits);
}

static char *put_device(struct readings *r, char *at) {
    size_t first = (size_t)r->device * READINGS_METRICS;
    for (int i = 0; i < READINGS_METRICS; i++) {
        bool opens = !i || r->plan.fields == 1, closes = i == READINGS_METRICS - 1 || r->plan.fields == 1;
        if (opens) at = put_int(put_text(at, "meter,device=m"), r->device, 6);
        *at++ = opens ? ' ' : ',';
        at = put_value(at, &metrics[i], next_value(r, first + (size_t)i));
        if (!closes) continue;
        *at++ = ' ';
        at = put_int(at, r->plan.start_ms + r->step * r->plan.step_ms, 1);
        *at++ = '\n';
    }
    return at;
}

size_t readings_put(struct readings *r, size_t values, char *out, size_t *ret_len) {
    char *at = out;
    size_t n = 0;
    for (; n < values && r->step < r->plan.steps; n += READINGS_METRICS) {
        at = put_device(r, at);
        if (++r->device < r->plan.devices) continue;
        r->device = 0;
        r->step++;
    }
    *ret_len = (size_t)(at - out);
    return n;
}
