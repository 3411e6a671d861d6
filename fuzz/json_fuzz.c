/* Fuzzes JSON: what is read is as deep as allowed, says the same when our writer has written it, and what is refused
 * says why.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

static void put(struct jw *j, const json_t *v, int depth);

static void put_members(struct jw *j, json_t *object, int depth) {
    const char *key;
    json_t *value;
    jw_open(j, '{');
    json_object_foreach(object, key, value) {
        jw_key_str(j, str_of(key));
        put(j, value, depth + 1);
    }
    jw_close(j, '}');
}

static void put(struct jw *j, const json_t *v, int depth) {
    must(depth <= JSON_DEPTH_MAX);
    switch (json_typeof(v)) {
    case JSON_OBJECT: put_members(j, (json_t *)(uintptr_t)v, depth); return;
    case JSON_ARRAY:
        jw_open(j, '[');
        for (size_t i = 0; i < json_array_size(v); i++) put(j, json_array_get(v, i), depth + 1);
        jw_close(j, ']');
        return;
    case JSON_STRING:
        must(utf8_is_valid(json_text(v)));
        jw_str(j, json_text(v));
        return;
    case JSON_INTEGER: jw_i64(j, json_integer_value(v)); return;
    case JSON_REAL: jw_f64(j, json_real_value(v)); return;
    case JSON_TRUE:
    case JSON_FALSE: jw_bool(j, json_is_true(v)); return;
    case JSON_NULL: jw_null(j); return;
    }
}

/* Numbers may come back as another kind: 1.0 is written as 1. */
static bool same(const json_t *a, const json_t *b) {
    if (json_is_number(a) && json_is_number(b)) return json_number_value(a) == json_number_value(b);
    if (json_typeof(a) != json_typeof(b)) return false;
    if (json_is_array(a)) {
        bool ok = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; ok && i < json_array_size(a); i++) ok = same(json_array_get(a, i), json_array_get(b, i));
        return ok;
    }
    if (!json_is_object(a)) return json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b);
    const char *key;
    json_t *value;
    bool ok = json_object_size(a) == json_object_size(b);
    json_object_foreach((json_t *)(uintptr_t)a, key, value) {
        const json_t *other = json_object_get(b, key);
        ok = ok && other && same(value, other);
    }
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fault f = {0};
    json_t *v = NULL, *again = NULL;
    struct arena arena;
    struct buf out;
    struct jw j;
    struct str text;
    enum err e = json_read((struct str){(const char *)data, size}, &v, &f);
    must(e ? !v && f.kind == e && f.code[0] : v != NULL);
    if (e) return 0;
    arena_init(&arena, size * 8 + 65536);
    buf_init_arena(&out, &arena, size * 6 + 4096);
    jw_init(&j, &out);
    put(&j, v, 1);
    must(buf_done(&out, &text));
    must(!json_read(text, &again, &f) && same(v, again));
    json_decref(v);
    json_decref(again);
    arena_finish(&arena);
    return 0;
}
