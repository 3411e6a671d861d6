/* Fuzzes what a connection keeps of uploads of HJ 212 in several packets: packets, each behind two bytes of length and
 * one by which the clock goes on.  With the top bit of the length set they are the data of a packet, so that its sum is
 * right.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/hj212/hj212.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 3

static void must(bool ok) {
    if (!ok) abort();
}

static struct bytes make(struct bytes data, struct arena *a) {
    struct buf b;
    buf_init_arena(&b, a, HJ212_FRAME_MAX + 1);
    if (!hj212_encode((struct str){(const char *)data.ptr, data.len}, &b)) return data;
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

/* What is said is what decode() says of it, but for the time. */
static void hear(struct hj212_times *times, struct bytes whole, int64_t now_ms, struct arena *a) {
    struct decoded d, alone;
    struct wire_error e = {NULL, 0};
    bool ok = hj212_hear(times, whole, now_ms, a, &d, &e);
    must(ok || (e.rule && e.at <= whole.len));
    if (!ok) return;
    must(hj212_codec.decode(whole, a, &alone, &e));
    must(d.readings_n == alone.readings_n && d.events_n == alone.events_n && !d.strange == !alone.strange);
    for (size_t i = 0; i < d.readings_n; i++) {
        must(d.readings[i].metric.len && str_eq(d.readings[i].metric, alone.readings[i].metric));
        must(!alone.readings[i].at_s || d.readings[i].at_s == alone.readings[i].at_s ||
             hj212_codec.joining->is_part(whole));
    }
    for (size_t i = 0; i < HJ212_UNDERWAY; i++)
        must(memchr(times->all[i].mn, 0, sizeof times->all[i].mn) &&
             memchr(times->all[i].qn, 0, sizeof times->all[i].qn) && times->all[i].heard_ms <= now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct hj212_times times;
    struct arena arena;
    int64_t now_ms = 1;
    memset(&times, 0, sizeof times);
    arena_init(&arena, (size_t)16 << 20);
    while (size >= HEAD) {
        size_t len = (size_t)(data[0] & 0x7f) << 8 | data[1];
        bool is_made = data[0] & 0x80;
        now_ms += (int64_t)data[2] * 200;
        data += HEAD;
        size -= HEAD;
        if (len > size) len = size;
        struct bytes in = {data, len};
        hear(&times, is_made ? make(in, &arena) : in, now_ms, &arena);
        arena_reset(&arena);
        data += len;
        size -= len;
    }
    arena_finish(&arena);
    return 0;
}
