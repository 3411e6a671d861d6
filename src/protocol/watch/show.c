/* Frames of watches as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/watch/watch_internal.h"

static struct bytes bytes_of(struct str s) {
    return (struct bytes){(const uint8_t *)s.ptr, s.len};
}

bool watch_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct watch_frame f;
    struct decoded ignored;
    if (!watch_decode(whole, &f, reterr) || !watch_codec.decode(whole, a, &ignored, reterr)) return false;
    jw_open(j, '{');
    if (f.maker.ptr) {
        jw_kstr(j, "maker", f.maker);
        jw_kstr(j, "id", f.id);
        if (f.serial.ptr) jw_kstr(j, "serial", f.serial);
        jw_kstr(j, "length", f.length);
    }
    jw_kstr(j, "command", f.command);
    frame_put_bytes(j, a, "content", bytes_of(f.content));
    jw_close(j, '}');
    return true;
}

/* "item", its "value" and the "maker": what the watch is told. */
static bool make_question(struct frame_in *in, struct str id, struct str maker, struct buf *out) {
    struct question q = {.address = id,
                         .item = frame_text(in, "item"),
                         .value = frame_text(in, "value"),
                         .key = maker,
                         .serial = (uint8_t)frame_number(in, "serial", 0, 255, 0)};
    if (!in->is_bad && !watch_asking.ask(&q, out))
        frame_bad(in, "item", "is none that a watch with this id is told, or not with this value");
    return !in->is_bad;
}

/* What is made is decoded, so that the rules stand in one place. */
bool watch_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct str maker = frame_text(&in, "maker"), id = frame_text(&in, "id");
    struct decoded ignored;
    size_t from = out->len;
    if (json_object_get(frame, "item")) return make_question(&in, id, maker, out);
    struct bytes content = frame_bytes(&in, "content");
    struct watch_frame f = {.maker = maker.ptr || !id.ptr ? maker : S("3G"),
                            .id = id,
                            .serial = frame_text(&in, "serial"),
                            .length = frame_text(&in, "length"),
                            .content = {(const char *)content.ptr, content.len}};
    if (!in.is_bad && !content.ptr) frame_bad(&in, "content", "is missing: a command, and its fields behind commas");
    if (in.is_bad) return false;
    watch_encode(&f, out);
    struct bytes made = {(const uint8_t *)out->ptr + from, out->len - from};
    if (out->overflow) frame_bad(&in, "content", "has over 65536 bytes");
    return !in.is_bad && watch_codec.decode(made, a, &ignored, reterr);
}
