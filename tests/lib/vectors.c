/* Vectors of a protocol's sheet against its codec.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/vectors.h"

#include "main/unread.h"
#include "protocol/frame_json.h"

#include <string.h>

#define TEXT_MAX ((size_t)64 * 1024)

struct bytes vector_bytes(struct t *t, const char *hex) {
    struct bytes b = {NULL, 0};
    CHECK_SAY(t, frame_unhex(&t->arena, str_of(hex), &b), "no hex: %s", hex);
    return b;
}

struct bytes vector_bytes_of(const char *text) {
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static struct str said_of(struct t *t, const struct decoded *d) {
    struct buf b;
    struct str text = S("");
    buf_init_arena(&b, &t->arena, TEXT_MAX);
    for (size_t i = 0; i < d->readings_n; i++) {
        const struct reading *r = &d->readings[i];
        buf_fmt(&b, STR_FMT "=%.10g%s" STR_FMT " ", STR_ARG(r->metric), r->value, r->unit.len ? " " : "",
                STR_ARG(r->unit));
    }
    for (size_t i = 0; i < d->events_n; i++)
        buf_fmt(&b, "%c" STR_FMT " ", d->events[i].is_set ? '!' : '-', STR_ARG(d->events[i].code));
    if (b.len) CHECK(t, buf_done(&b, &text));
    return text;
}

static struct str passes_of(struct t *t, const struct decoded *d) {
    static const char *const kinds[] = {"plate", "card", "code", "face", "keys"};
    struct buf b;
    struct str text = S("");
    buf_init_arena(&b, &t->arena, TEXT_MAX);
    for (size_t i = 0; i < d->passings_n; i++)
        buf_fmt(&b, "%s " STR_FMT " ", kinds[d->passings[i].kind], STR_ARG(d->passings[i].value));
    if (b.len) CHECK(t, buf_done(&b, &text));
    return text;
}

static bool all_of(const struct decoded *d, const char *device) {
    for (size_t i = 0; i < d->readings_n; i++)
        if (!str_is(d->readings[i].device, device)) return false;
    for (size_t i = 0; i < d->events_n; i++)
        if (!str_is(d->events[i].device, device)) return false;
    for (size_t i = 0; i < d->passings_n; i++)
        if (!str_is(d->passings[i].device, device)) return false;
    return true;
}

static void says(struct t *t, const struct codec *codec, const struct vector *v, struct bytes whole) {
    struct decoded d;
    struct wire_error e = {0};
    for (int twice = 0; twice < 2 && codec->decode; twice++) {
        bool ok = codec->decode(whole, &t->arena, &d, &e);
        CHECK_SAY(t, ok, "%s: %s at %zu", v->name, e.rule ? e.rule : "", e.at);
        if (!ok) return;
        struct str said = said_of(t, &d);
        CHECK_SAY(t, str_is(said, v->said ? v->said : ""), "%s: " STR_FMT, v->name, STR_ARG(said));
        struct str passes = passes_of(t, &d);
        CHECK_SAY(t, str_is(passes, v->passes ? v->passes : ""), "%s: " STR_FMT, v->name, STR_ARG(passes));
        CHECK_SAY(t, !v->device || all_of(&d, v->device), "%s: whose?", v->name);
    }
}

static bool holds(struct str text, const char *part) {
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= text.len; i++)
        if (!memcmp(text.ptr + i, part, n)) return true;
    return false;
}

/* What show() wrote is read, or said of the bytes; and what it would not write is found where it is read in vain. */
static void reads_all(struct t *t, const struct codec *codec, const struct vector *v, json_t *o, struct bytes whole) {
    struct str name = S("");
    struct buf again;
    struct wire_error e;
    bool is_vain = unread_find(codec, o, whole, &t->arena, &name);
    CHECK_SAY(t, !is_vain, "%s: " STR_FMT " is not read", v->name, STR_ARG(name));
    CHECK(t, !json_object_set_new(o, "nonsense", json_true()));
    buf_init_arena(&again, &t->arena, TEXT_MAX);
    if (!codec->make(o, &t->arena, &again, &e) || again.len != whole.len) return; /* refused, or written */
    is_vain = unread_find(codec, o, whole, &t->arena, &name);
    CHECK_SAY(t, is_vain && str_is(name, "nonsense"), "%s: nonsense is taken", v->name);
}

static void comes_back(struct t *t, const struct codec *codec, const struct vector *v, struct bytes whole) {
    struct buf text, again;
    struct str json = {NULL, 0};
    struct jw j;
    struct wire_error e = {0};
    struct fault f = {0};
    json_t *o = NULL;
    buf_init_arena(&text, &t->arena, TEXT_MAX);
    jw_init(&j, &text);
    bool ok =
        codec->show && codec->show(whole, &t->arena, &j, &e) && buf_done(&text, &json) && !json_read(json, &o, &f);
    CHECK_SAY(t, ok, "%s: not shown: %s", v->name, e.rule ? e.rule : f.text);
    if (!ok) return;
    bool has = !v->json || holds(json, v->json);
    CHECK_SAY(t, has, "%s: " STR_FMT, v->name, STR_ARG(json));
    buf_init_arena(&again, &t->arena, TEXT_MAX);
    ok = codec->make && codec->make(o, &t->arena, &again, &e);
    CHECK_SAY(t, ok, "%s: not made: %s", v->name, e.rule ? e.rule : "");
    CHECK_SAY(t, ok && again.len == whole.len && !memcmp(again.ptr, whole.ptr, whole.len), "%s: made otherwise",
              v->name);
    if (ok) reads_all(t, codec, v, o, whole);
    json_decref(o);
}

/* How many frames a stream holds, the last one's place and length; and whether bytes are waited for at its end. */
static size_t split_all(struct t *t, const struct codec *codec, struct bytes in, struct bytes *ret_last,
                        bool *ret_waits) {
    size_t n = 0;
    *ret_waits = false;
    while (in.len) {
        size_t len = 0;
        enum frame what = codec->frame(in, &len);
        if (what == FRAME_SHORT) {
            *ret_waits = true;
            break;
        }
        CHECK(t, len > 0 && len <= in.len);
        if (!len || len > in.len) break;
        if (what == FRAME_WHOLE) {
            *ret_last = (struct bytes){in.ptr, len};
            n++;
        }
        in = (struct bytes){in.ptr + len, in.len - len};
    }
    return n;
}

static struct bytes joined(struct t *t, struct bytes a, struct bytes b) {
    uint8_t *all = arena_alloc(&t->arena, a.len + b.len + 1, 1, 1);
    CHECK(t, all);
    if (a.len) memcpy(all, a.ptr, a.len);
    if (b.len) memcpy(all + a.len, b.ptr, b.len);
    return (struct bytes){all, a.len + b.len};
}

static bool is_same(struct bytes a, struct bytes b) {
    return a.len == b.len && !memcmp(a.ptr, b.ptr, a.len);
}

static void is_found(struct t *t, const struct codec *codec, const struct vector *v, struct bytes whole) {
    struct bytes last = {NULL, 0};
    bool waits;
    CHECK_SAY(t, split_all(t, codec, whole, &last, &waits) == 1 && is_same(last, whole), "%s: not split", v->name);
    for (size_t n = 1; n < whole.len; n++) {
        size_t got = split_all(t, codec, (struct bytes){whole.ptr, n}, &last, &waits);
        CHECK_SAY(t, !got && waits, "%s: %zu bytes of it are enough", v->name, n);
    }
    struct bytes twice = joined(t, whole, whole), noisy = joined(t, vector_bytes(t, "00 7F 31 0A"), twice);
    CHECK_SAY(t, split_all(t, codec, noisy, &last, &waits) == 2 && is_same(last, whole), "%s: not found behind others",
              v->name);
    /* One that lost a byte holds up nothing behind it. */
    struct bytes torn = joined(t, (struct bytes){whole.ptr, whole.len - 1}, whole);
    CHECK_SAY(t, split_all(t, codec, torn, &last, &waits) >= 1 && is_same(last, whole),
              "%s: not found behind a torn one", v->name);
}

static void is_refused(struct t *t, const struct codec *codec, const struct vector *v, struct bytes whole) {
    struct decoded d;
    struct wire_error e = {0};
    bool ok = codec->decode(whole, &t->arena, &d, &e);
    CHECK_SAY(t, !ok && e.rule && !strncmp(e.rule, v->rule, strlen(v->rule)) && e.at == v->at, "%s: %s at %zu", v->name,
              e.rule ? e.rule : "taken", e.at);
}

void vectors_check(struct t *t, const struct codec *codec, const struct vector *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct bytes whole = rows[i].text ? vector_bytes_of(rows[i].text) : vector_bytes(t, rows[i].hex);
        if (rows[i].rule) {
            is_refused(t, codec, &rows[i], whole);
            continue;
        }
        says(t, codec, &rows[i], whole);
        comes_back(t, codec, &rows[i], whole);
        if (codec->frame && codec->carrier == CARRIER_STREAM) is_found(t, codec, &rows[i], whole);
    }
}
