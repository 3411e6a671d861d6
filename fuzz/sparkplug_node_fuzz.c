/* Fuzzes what a host knows of an edge node: frames, each behind two bytes of length and one by which the clock goes on.
 * What is refused names a rule and a byte of the frame; what is asked for is not asked for again at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/sparkplug/sparkplug.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP  16
#define HEAD 3

static void must(bool ok) {
    if (!ok) abort();
}

static void hear(struct sparkplug_node *n, struct bytes whole, int64_t now_ms, struct arena *a) {
    struct decoded d;
    struct wire_error e = {NULL, 0};
    int64_t asked_ms = n->asked_ms;
    bool wants_birth;
    bool ok = sparkplug_hear(n, whole, now_ms, a, &d, &wants_birth, &e);
    must(ok || (e.rule && e.at <= whole.len && !wants_birth));
    must(n->devices_n <= SPARKPLUG_DEVICES_MAX);
    if (!ok) return;
    must((!d.readings_n || d.readings) && (!d.events_n || d.events) && d.events_n <= n->devices_n + 1);
    for (size_t i = 0; i < d.readings_n; i++)
        must(d.readings[i].metric.len && d.readings[i].metric.len <= SPARKPLUG_NAME_MAX &&
             d.readings[i].device.len <= SPARKPLUG_NAME_MAX);
    must(!wants_birth || !asked_ms || now_ms < asked_ms || now_ms - asked_ms >= SPARKPLUG_REBIRTH_MS);
    must(!wants_birth || (!n->is_born[0] && n->asked_ms == now_ms));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sparkplug_node node;
    struct sparkplug_alias all[CAP];
    struct arena arena;
    int64_t now_ms = 1;
    memset(all, 0, sizeof all);
    memset(&node, 0, sizeof node);
    node.all = all;
    node.cap = CAP;
    arena_init(&arena, (size_t)16 << 20);
    while (size >= HEAD) {
        size_t len = (size_t)data[0] << 8 | data[1];
        now_ms += (int64_t)data[2] * 1000;
        data += HEAD;
        size -= HEAD;
        if (len > size) len = size;
        hear(&node, (struct bytes){data, len}, now_ms, &arena);
        arena_reset(&arena);
        data += len;
        size -= len;
    }
    arena_finish(&arena);
    return 0;
}
