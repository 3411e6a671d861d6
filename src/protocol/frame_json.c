/* Frames as JSON.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"

#include "base/civil.h"
#include "base/utf8.h"

#include <string.h>

#define KEY_MAX  64
#define RULE_MAX 160

static const char *with_hex(const char *key, char *mem, size_t size) {
    struct buf b;
    buf_init(&b, mem, size);
    buf_fmt(&b, "%s_hex", key);
    return mem;
}

void frame_put_hex(struct jw *j, struct arena *a, const char *key, struct bytes b) {
    struct buf hex;
    struct str text = {NULL, 0};
    char name[KEY_MAX];
    buf_init_arena(&hex, a, b.len * 2 + 1);
    buf_hex(&hex, b);
    if (!b.len) text = S("");
    if (b.len && !buf_done(&hex, &text)) j->out->overflow = true;
    jw_kstr(j, with_hex(key, name, sizeof name), text);
}

void frame_put_bytes(struct jw *j, struct arena *a, const char *key, struct bytes b) {
    struct str text = {b.len ? (const char *)b.ptr : "", b.len};
    if (utf8_is_valid(text))
        jw_kstr(j, key, text);
    else
        frame_put_hex(j, a, key, b);
}

void frame_put_time(struct jw *j, const char *key, int64_t s) {
    char text[40];
    struct buf b;
    buf_init(&b, text, sizeof text);
    civil_put_time(&b, NULL, s * 1000);
    jw_kstr(j, key, (struct str){text, 19});
}

void frame_bad(struct frame_in *in, const char *key, const char *what) {
    struct buf b;
    struct str rule;
    if (in->is_bad) return;
    in->is_bad = true;
    buf_init_arena(&b, in->arena, RULE_MAX);
    buf_fmt(&b, "%.60s: %s", key, what);
    *in->error = (struct wire_error){buf_done(&b, &rule) ? rule.ptr : "out of memory", 0};
}

int64_t frame_number(struct frame_in *in, const char *key, int64_t min, int64_t max, int64_t otherwise) {
    const json_t *v = json_object_get(in->object, key);
    if (!v && otherwise >= min) return otherwise;
    if (!v) {
        frame_bad(in, key, "is missing");
        return min;
    }
    int64_t n = json_integer_value(v);
    if (json_is_integer(v) && n >= min && n <= max) return n;
    frame_bad(in, key, "is no whole number in its range");
    return min;
}

bool frame_flag(struct frame_in *in, const char *key) {
    const json_t *v = json_object_get(in->object, key);
    if (v && !json_is_boolean(v)) frame_bad(in, key, "is neither true nor false");
    return json_is_true(v);
}

struct str frame_text(struct frame_in *in, const char *key) {
    const json_t *v = json_object_get(in->object, key);
    if (v && !json_is_string(v)) frame_bad(in, key, "is no text");
    return json_text(v);
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool frame_unhex(struct arena *a, struct str hex, struct bytes *ret) {
    uint8_t *out = arena_alloc(a, hex.len / 2 + 1, 1, 1);
    size_t n = 0;
    int high = -1;
    if (!out) return false;
    for (size_t i = 0; i < hex.len; i++) {
        if (hex.ptr[i] && strchr(" \t\r\n", hex.ptr[i])) continue;
        int d = digit(hex.ptr[i]);
        if (d < 0) return false;
        if (high < 0) {
            high = d;
            continue;
        }
        out[n++] = (uint8_t)(high << 4 | d);
        high = -1;
    }
    *ret = (struct bytes){out, n};
    return high < 0;
}

struct bytes frame_bytes(struct frame_in *in, const char *key) {
    struct bytes b = {NULL, 0};
    char name[KEY_MAX];
    struct str text = frame_text(in, key), hex = frame_text(in, with_hex(key, name, sizeof name));
    if (hex.ptr && !frame_unhex(in->arena, hex, &b)) frame_bad(in, name, "is no hex");
    if (!hex.ptr && text.ptr) b = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return b;
}

struct frame_in frame_of(struct frame_in *in, const json_t *object) {
    return (struct frame_in){.object = object, .arena = in->arena, .error = in->error, .is_bad = in->is_bad};
}

void frame_merge(struct frame_in *in, const struct frame_in *part) {
    in->is_bad = part->is_bad;
}
