/* Fuzzes what a connection keeps of messages in parts: frames, each behind two bytes of length and one by which the
 * clock goes on.  With the top bit of the length set they are what a frame is made of, so that its check is right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/jt808/jt808.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 3

static void must(bool ok) {
    if (!ok) abort();
}

/* Pieces are of what is under way, each part once, and as many as it has. */
static void is_sound(const struct jt808_parts *p) {
    size_t have[JT808_UNDERWAY] = {0};
    for (size_t i = 0; i < JT808_PIECES; i++) {
        const struct jt808_piece *x = &p->pieces[i];
        if (!x->part) continue;
        must(x->of < JT808_UNDERWAY && x->n <= JT808_BODY_MAX && x->part <= p->all[x->of].parts);
        have[x->of]++;
        for (size_t k = 0; k < i; k++) must(p->pieces[k].of != x->of || p->pieces[k].part != x->part);
    }
    for (size_t i = 0; i < JT808_UNDERWAY; i++)
        if (p->all[i].parts) must(have[i] == p->all[i].have && p->all[i].have <= p->all[i].parts);
}

/* Message, serial, parts, part, body; terminals are two. */
static struct bytes make(struct bytes in, struct arena *a) {
    static const uint16_t messages[] = {JT808_BATCH, JT808_LOCATION, JT808_PARAMETERS, 0x0801};
    struct jt808_frame f = {0};
    struct buf b;
    if (in.len < 4) return in;
    f.message = messages[in.ptr[0] & 3];
    const char *terminal = in.ptr[0] & 4 ? "00000866496077582164" : "013800138000";
    memcpy(f.terminal, terminal, strlen(terminal) + 1);
    f.serial = in.ptr[1];
    f.parts = in.ptr[2];
    f.part = in.ptr[3];
    f.body_n = in.len - 4 < JT808_BODY_MAX ? in.len - 4 : JT808_BODY_MAX;
    memcpy(f.body, in.ptr + 4, f.body_n);
    buf_init_arena(&b, a, JT808_FRAME_MAX + 1);
    must(jt808_encode(&f, &b) && !b.overflow);
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static void hear(struct jt808_parts *p, struct bytes whole, int64_t now_ms, struct arena *a) {
    char mem[2048];
    struct decoded d;
    struct wire_error e = {NULL, 0};
    struct buf b;
    bool ok = jt808_hear(p, whole, now_ms, a, &d, &e);
    must(ok || (e.rule && e.at <= whole.len));
    must(!ok || ((!d.readings_n || d.readings) && (!d.events_n || d.events)));
    for (size_t i = 0; ok && i < d.readings_n; i++) must(d.readings[i].device.len && d.readings[i].metric.len);
    is_sound(p);
    buf_init(&b, mem, sizeof mem);
    e.rule = NULL;
    must(jt808_missing(p, now_ms, &b, &e) == !e.rule && !b.overflow);
    for (size_t at = 0, n; at < b.len; at += n)
        must(jt808_codec.frame((struct bytes){(const uint8_t *)mem + at, b.len - at}, &n) == FRAME_WHOLE);
    is_sound(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct jt808_parts parts;
    struct arena arena;
    int64_t now_ms = 1;
    memset(&parts, 0, sizeof parts);
    arena_init(&arena, (size_t)16 << 20);
    while (size >= HEAD) {
        size_t len = (size_t)(data[0] & 0x7f) << 8 | data[1];
        bool is_made = data[0] & 0x80;
        now_ms += (int64_t)data[2] * 200;
        data += HEAD;
        size -= HEAD;
        if (len > size) len = size;
        struct bytes in = {data, len};
        hear(&parts, is_made ? make(in, &arena) : in, now_ms, &arena);
        arena_reset(&arena);
        data += len;
        size -= len;
    }
    arena_finish(&arena);
    return 0;
}
