/* Frames of GB/T 26875.3 as JSON and back, for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "base/gb18030.h"
#include "protocol/frame_json.h"
#include "protocol/gb26875/gb26875_internal.h"

#include <string.h>

#define ADDRESS_MAX ((INT64_C(1) << 48) - 1)
#define OBJECTS_MAX 255
#define TEXT_MAX    255

/* ---- show ---- */

static void put_time(struct jw *j, struct arena *a, struct gb26875_time t) {
    int64_t s;
    if (gb26875_time_s(t, &s))
        frame_put_time(j, "time", s);
    else
        frame_put_hex(j, a, "time", (struct bytes){(uint8_t[]){t.second, t.minute, t.hour, t.day, t.month, t.year}, 6});
}

/* is_filled: zeros behind the text only fill its place. */
static void put_text(struct jw *j, struct arena *a, struct bytes text, bool is_filled) {
    struct str s;
    char again[4 * TEXT_MAX];
    struct buf b;
    enum gb26875_script script = gb26875_text(text, a, &s);
    buf_init(&b, again, sizeof again);
    size_t n = text.len;
    while (n && !text.ptr[n - 1]) n--;
    bool comes_back =
        script == GB26875_GB18030 && gb18030_from_utf8(s, &b) && b.len == n && !memcmp(again, text.ptr, n);
    if (!is_filled && n < text.len)
        frame_put_hex(j, a, "text", text);
    else if (comes_back)
        jw_kstr(j, "text", s);
    else if (script == GB26875_UTF8)
        jw_kstr(j, "text_utf8", s);
    else
        frame_put_hex(j, a, "text", text);
}

static void put_object(struct jw *j, struct arena *a, const struct gb26875_object *o) {
    jw_open(j, '{');
    for (const struct gb26875_part *const *part = gb26875_parts(o->type); *part; part++) {
        const void *at = (const char *)o + (*part)->at;
        const char *key = (*part)->key;
        switch ((*part)->form) {
        case GB26875_U8: jw_ki64(j, key, *(const uint8_t *)at); break;
        case GB26875_STATE8:
        case GB26875_U16: jw_ki64(j, key, *(const uint16_t *)at); break;
        case GB26875_I16: jw_ki64(j, key, *(const int16_t *)at); break;
        case GB26875_U32: jw_ki64(j, key, *(const uint32_t *)at); break;
        case GB26875_TEXT31: put_text(j, a, o->text, true); break;
        case GB26875_TEXT_L: put_text(j, a, o->text, false); break;
        case GB26875_TIME: put_time(j, a, o->time); break;
        }
    }
    jw_close(j, '}');
}

bool gb26875_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct gb26875_frame f;
    const struct gb26875_object *all;
    struct bytes rest;
    size_t n;
    if (!gb26875_decode(whole, &f, reterr) || !gb26875_objects(&f, a, &all, &n, &rest, reterr)) return false;
    jw_open(j, '{');
    jw_ki64(j, "serial", f.serial);
    jw_key(j, "version");
    jw_open(j, '[');
    jw_i64(j, f.version[0]);
    jw_i64(j, f.version[1]);
    jw_close(j, ']');
    put_time(j, a, f.time);
    jw_ki64(j, "source", (int64_t)f.source);
    jw_ki64(j, "destination", (int64_t)f.destination);
    if (gb26875_command_name(f.command))
        jw_kcstr(j, "command", gb26875_command_name(f.command));
    else
        jw_ki64(j, "command", f.command);
    if (n) {
        jw_ki64(j, "type", all[0].type);
        jw_key(j, "objects");
        jw_open(j, '[');
        for (size_t i = 0; i < n; i++) put_object(j, a, &all[i]);
        jw_close(j, ']');
    }
    if (rest.len) frame_put_hex(j, a, n ? "rest" : "data", rest);
    jw_close(j, '}');
    return true;
}

/* ---- make ---- */

bool gb26875_time_read(struct str text, struct gb26875_time *ret) {
    char mem[24];
    struct buf b;
    int64_t ms;
    if (text.len != 19 || text.ptr[0] != '2' || text.ptr[1] != '0') return false;
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, STR_FMT "Z", STR_ARG(text));
    if (!civil_read_time((struct str){mem, b.len}, &ms)) return false;
    *ret = gb26875_time_of(ms / 1000);
    return true;
}

static struct gb26875_time make_time(struct frame_in *in) {
    struct gb26875_time t = {0};
    struct str text = frame_text(in, "time");
    struct bytes raw = frame_bytes(in, "time");
    if (text.ptr && !gb26875_time_read(text, &t))
        frame_bad(in, "time", "is not like 2026-11-24T10:42:00, of this century's first hundred years");
    if (!text.ptr && raw.len != 6) frame_bad(in, "time", "is missing");
    return !text.ptr && raw.len == 6 ? gb26875_time_from(raw.ptr) : t;
}

static struct bytes make_text(struct frame_in *in, size_t most) {
    struct str text = frame_text(in, "text"), utf8 = frame_text(in, "text_utf8");
    struct bytes b = {(const uint8_t *)utf8.ptr, utf8.len};
    struct buf wire;
    struct str s;
    if (text.len) {
        buf_init_arena(&wire, in->arena, 4 * text.len + 1);
        if (!gb18030_from_utf8(text, &wire) || !buf_done(&wire, &s)) {
            frame_bad(in, "text", "has a character that GB 18030 has not");
            return b;
        }
        b = (struct bytes){(const uint8_t *)s.ptr, s.len};
    } else if (!utf8.ptr && !text.ptr) {
        b = frame_bytes(in, "text");
    }
    if (b.len > most) frame_bad(in, "text", "is too long");
    return b;
}

static void make_part(struct frame_in *in, const struct gb26875_part *part, struct gb26875_object *o) {
    void *at = (char *)o + part->at;
    switch (part->form) {
    case GB26875_U8: *(uint8_t *)at = (uint8_t)frame_number(in, part->key, 0, UINT8_MAX, 0); return;
    case GB26875_STATE8: *(uint16_t *)at = (uint16_t)frame_number(in, part->key, 0, UINT8_MAX, 0); return;
    case GB26875_U16: *(uint16_t *)at = (uint16_t)frame_number(in, part->key, 0, UINT16_MAX, 0); return;
    case GB26875_I16: *(int16_t *)at = (int16_t)frame_number(in, part->key, INT16_MIN, INT16_MAX, 0); return;
    case GB26875_U32: *(uint32_t *)at = (uint32_t)frame_number(in, part->key, 0, UINT32_MAX, 0); return;
    case GB26875_TEXT31: o->text = make_text(in, 31); return;
    case GB26875_TEXT_L: o->text = make_text(in, TEXT_MAX); return;
    case GB26875_TIME: o->time = make_time(in); return;
    }
}

static void make_objects(struct frame_in *in, struct buf *data) {
    const json_t *list = json_object_get(in->object, "objects"), *one;
    uint8_t type = (uint8_t)frame_number(in, "type", 1, 127, 0);
    size_t n = json_array_size(list), i;
    struct gb26875_object *all = arena_new(in->arena, struct gb26875_object, n + 1);
    if (!json_is_array(list) || !n || n > OBJECTS_MAX) frame_bad(in, "objects", "is no list of 1 to 255");
    if (!gb26875_parts(type)) frame_bad(in, "type", "is none of the standard's");
    if (in->is_bad || !all) {
        frame_bad(in, "objects", "are too many");
        return;
    }
    json_array_foreach(list, i, one) {
        struct frame_in part_in = frame_of(in, one);
        for (const struct gb26875_part *const *part = gb26875_parts(type); *part; part++)
            make_part(&part_in, *part, &all[i]);
        frame_merge(in, &part_in);
    }
    gb26875_put_objects(type, all, n, data);
    struct bytes rest = frame_bytes(in, "rest");
    buf_add(data, rest.ptr, rest.len);
}

static uint8_t make_command(struct frame_in *in) {
    const json_t *v = json_object_get(in->object, "command");
    if (json_is_integer(v)) return (uint8_t)frame_number(in, "command", 0, 255, 0);
    for (uint8_t c = GB26875_CONTROL; c <= GB26875_DENY; c++)
        if (str_is(json_text(v), gb26875_command_name(c))) return c;
    frame_bad(in, "command", "is none: control send confirm request answer deny, or a number");
    return 0;
}

static uint8_t version_of(struct frame_in *in, size_t i) {
    const json_t *list = json_object_get(in->object, "version"), *v = json_array_get(list, i);
    int64_t n = json_integer_value(v);
    if (!list) return 1;
    if (!json_is_integer(v) || n < 0 || n > 255) frame_bad(in, "version", "is no pair of bytes");
    return (uint8_t)n;
}

/* What is made is decoded, so that the rules stand in one place. */
bool gb26875_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    char mem[GB26875_DATA_MAX + 1];
    struct buf data;
    struct gb26875_frame f = {0}, again;
    const struct gb26875_object *all;
    struct bytes rest, raw;
    size_t from = out->len, n;
    buf_init(&data, mem, sizeof mem);
    if (!json_is_object(frame)) frame_bad(&in, "the frame", "is no JSON object");
    f.command = make_command(&in);
    raw = frame_bytes(&in, "data");
    if (json_object_get(frame, "type"))
        make_objects(&in, &data);
    else
        buf_add(&data, raw.ptr, raw.len);
    if (data.overflow) frame_bad(&in, "objects", "are longer than 1024 bytes");
    f.serial = (uint16_t)frame_number(&in, "serial", 0, UINT16_MAX, 0);
    f.version[0] = version_of(&in, 0);
    f.version[1] = version_of(&in, 1);
    f.time = make_time(&in);
    f.source = (uint64_t)frame_number(&in, "source", 0, ADDRESS_MAX, 0);
    f.destination = (uint64_t)frame_number(&in, "destination", 0, ADDRESS_MAX, 0);
    f.data = (struct bytes){(const uint8_t *)mem, data.len};
    if (in.is_bad) return false;
    gb26875_encode(&f, out);
    struct bytes made = {(const uint8_t *)out->ptr + from, out->len - from};
    return !out->overflow && gb26875_decode(made, &again, reterr) &&
           gb26875_objects(&again, a, &all, &n, &rest, reterr);
}
