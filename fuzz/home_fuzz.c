/* Fuzzes the home conventions side by side with a memory of configs: publishes, each ended by a zero byte.  Codes are
 * fit for devices, values finite, the memory within its bounds, and a config taken back leaves nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

static void must_be_fit(const struct decoded *d) {
    for (size_t i = 0; i < d->readings_n; i++) {
        const struct reading *r = &d->readings[i];
        must(str_is_code(r->device) && r->device.len <= HOME_CODE_MAX && r->metric.len && r->metric.len <= 64);
        must(isfinite(r->value));
    }
    for (size_t i = 0; i < d->events_n; i++)
        must(str_is_code(d->events[i].device) && d->events[i].device.len <= HOME_CODE_MAX && d->events[i].code.len);
    must(!d->sender.ptr || str_is_code(d->sender));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct home_point all[8];
    struct home_points points = {.all = all, .cap = COUNT(all)};
    struct home_speaks speaks;
    struct arena arena;
    struct str rest = {(const char *)data, size}, publish, topic;
    must(!home_speaks_read(S("zigbee2mqtt tasmota esphome homeassistant"), &speaks));
    arena_init(&arena, (size_t)8 << 20);
    while (size && str_cut(&rest, 0, &publish)) {
        struct decoded d;
        struct wire_error e = {NULL, 0};
        arena_reset(&arena);
        if (!str_cut(&publish, '\n', &topic) || !publish.ptr) continue;
        struct bytes payload = {(const uint8_t *)publish.ptr, publish.len};
        enum home_taken taken = home_take(&speaks, &points, topic, payload, &arena, &d, &e);
        must(points.n <= points.cap);
        must(taken != HOME_BAD || (e.rule && e.at <= payload.len));
        if (taken == HOME_OTHER) taken = home_plain(topic, payload, &arena, &d, &e);
        must(taken != HOME_BAD || (e.rule && e.at <= payload.len));
        if (taken == HOME_TAKEN) must_be_fit(&d);
    }
    arena_finish(&arena);
    return 0;
}
