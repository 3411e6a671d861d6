/* Fuzzes GB/T 26875.3: any bytes split without standing still; a frame that decodes is shown, made again the same, and
 * answered with a frame that decodes.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;

static void must(bool ok) {
    if (!ok) abort();
}

static void round_trip(struct bytes whole) {
    struct buf text, again;
    struct str json = {NULL, 0};
    struct jw j;
    struct wire_error e;
    struct fault f = {0};
    json_t *o = NULL;
    buf_init_arena(&text, &arena, (size_t)1 << 20);
    jw_init(&j, &text);
    must(gb26875_codec.show(whole, &arena, &j, &e) && buf_done(&text, &json));
    must(!json_read(json, &o, &f));
    buf_init_arena(&again, &arena, GB26875_OVERHEAD + GB26875_DATA_MAX + 1);
    must(gb26875_codec.make(o, &arena, &again, &e));
    json_decref(o);
    must(again.len == whole.len && !memcmp(again.ptr, whole.ptr, whole.len));
}

static void take(struct bytes whole) {
    struct decoded d;
    struct wire_error e = {NULL, 0};
    struct gb26875_frame f;
    char answer[64];
    struct buf b;
    bool ok = gb26875_codec.decode(whole, &arena, &d, &e);
    must(ok || (e.rule && e.at <= whole.len));
    buf_init(&b, answer, sizeof answer);
    gb26875_codec.reply(whole, ok, 1348653515, &b);
    must(!b.overflow && (!b.len || gb26875_decode((struct bytes){(const uint8_t *)answer, b.len}, &f, &e)));
    if (ok) round_trip(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = {data, size};
    arena_init(&arena, (size_t)16 << 20);
    take(rest); /* as a tool does, without splitting */
    while (rest.len) {
        size_t len = 0;
        enum frame what = gb26875_codec.frame(rest, &len);
        if (what == FRAME_SHORT) {
            must(rest.len < GB26875_OVERHEAD + GB26875_DATA_MAX); /* else it would wait for ever */
            break;
        }
        must(len > 0 && len <= rest.len);
        if (what == FRAME_WHOLE) take((struct bytes){rest.ptr, len});
        rest = (struct bytes){rest.ptr + len, rest.len - len};
        arena_reset(&arena);
    }
    arena_finish(&arena);
    return 0;
}
