/* Fuzzes the codec named by CODEC as lines and tools use it: any bytes split without standing still or waiting for
 * ever; what a stream's frame says is the same twice; a bad frame names a rule and a byte of it; an answer is a frame
 * that decodes, if not the body of an HTTP answer; what is shown is made again the same.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHOWN_MAX ((size_t)4 << 20)
#define NOW_S     INT64_C(1348653515) /* 2012-09-26T09:58:35 */

static struct arena arena;
static const struct codec *codec;

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
    buf_init_arena(&text, &arena, SHOWN_MAX);
    jw_init(&j, &text);
    must(codec->show(whole, &arena, &j, &e) && buf_done(&text, &json));
    must(!json_read(json, &o, &f));
    if (codec->make) {
        buf_init_arena(&again, &arena, codec->frame_max + 1);
        must(codec->make(o, &arena, &again, &e));
        must(again.len == whole.len && !memcmp(again.ptr, whole.ptr, whole.len));
    }
    json_decref(o);
}

static void answer(struct bytes whole, bool ok) {
    struct buf b;
    struct decoded d;
    struct wire_error e;
    buf_init_arena(&b, &arena, codec->frame_max + 1);
    codec->reply(whole, ok, NOW_S, &b);
    must(!b.overflow && (!b.len || codec->carrier == CARRIER_BODY ||
                         codec->decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &arena, &d, &e)));
}

/* Anybody may answer these; what an answer holds is understood, or breaks a rule. */
static void ask_for(struct bytes whole) {
    static const struct {
        const char *address, *item;
    } asked[] = {{"AAAAAAAAAAAA", ""},
                 {"AAAAAAAAAAAA", "00010000"},
                 {"AAAAAAAAAAAA", "0201FF00"},
                 {"AAAAAAAAAAAA", "901F"},
                 {"AAAAAAAAAAAAAA", ""},
                 {"AAAAAAAAAAAAAA", "901F"},
                 {"AAAAAAAAAAAAAA", "901F<"},
                 {"8800000015", "locate"},
                 {"8800000015", "find"},
                 {"043048325465", "locate"},
                 {"043048325465", "restart"},
                 {"043048325465", "interval"},
                 {"0", "poll"},
                 {"101", "poll"},
                 {"101", "id"},
                 {"1", ""},
                 {"1", "input:0"},
                 {"1", "holding:0:f32 holding:3:bcd16:!8000:/10"},
                 {"1", "coil:0 coil:20"},
                 {"1234", ""},
                 {"1234", "ai_1"},
                 {"1234", "ai_1 ai_1_units"},
                 {"1234.lift_1", "car_mode"}};
    for (size_t i = 0; i < COUNT(asked); i++) {
        for (uint8_t part = 0; part < 2; part++) {
            struct question q = {.address = str_of(asked[i].address), .item = str_of(asked[i].item), .part = part};
            struct decoded d;
            struct wire_error e = {NULL, 0};
            const char *why = NULL;
            struct buf data;
            buf_init_arena(&data, &arena, codec->frame_max + 1);
            enum answer answer = codec->asking->answers(&q, whole, &data, &why);
            must(!data.overflow && (answer != ANSWER_REFUSED || why));
            if (answer != ANSWER_WHOLE) continue;
            struct bytes all = {(const uint8_t *)(data.ptr ? data.ptr : ""), data.len};
            must(codec->asking->read(&q, all, &arena, &d, &e) || e.rule);
        }
    }
}

static void take(struct bytes whole) {
    struct decoded d, again;
    struct wire_error e = {NULL, 0};
    bool ok = codec->decode(whole, &arena, &d, &e);
    must(ok || (e.rule && e.at <= whole.len));
    must(codec->decode(whole, &arena, &again, &e) == ok);
    must(!ok || (again.readings_n == d.readings_n && again.events_n == d.events_n));
    must(!ok || ((!d.readings_n || d.readings) && (!d.events_n || d.events) && (!d.passings_n || d.passings)));
    if (codec->reply) answer(whole, ok);
    if (codec->asking) ask_for(whole);
    if (ok && codec->show) round_trip(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = {data, size};
    codec = codec_find(S(CODEC));
    must(codec);
    arena_init(&arena, (size_t)16 << 20);
    if (size <= codec->frame_max) take(rest); /* as a tool does, without splitting */
    while (codec->frame && rest.len) {
        size_t len = 0;
        enum frame what = codec->frame(rest, &len);
        arena_reset(&arena);
        if (what == FRAME_SHORT) {
            must(rest.len < codec->frame_max); /* else it would wait for ever */
            break;
        }
        must(len > 0 && len <= rest.len && (what == FRAME_SKIP || len <= codec->frame_max));
        if (what == FRAME_WHOLE) take((struct bytes){rest.ptr, len});
        rest = (struct bytes){rest.ptr + len, rest.len - len};
    }
    arena_finish(&arena);
    return 0;
}
