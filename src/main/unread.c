/* Members that are not read are found by saying something else in them: no codec has to list what it knows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/unread.h"

#include <string.h>

#define WIRE_MAX  ((size_t)4 << 20)
#define LOOKS_MAX ((size_t)16 << 20) /* bytes to make: what is longer nobody wrote by hand */
#define LOOK_MIN  1000
#define PATH_MAX  200

struct looking {
    const struct codec *codec;
    json_t *frame; /* a copy, whose members are changed one at a time */
    struct bytes made;
    struct arena scratch;
    size_t looked;
    char path_mem[PATH_MAX];
    struct buf path;
};

static bool makes_the_same(struct looking *l) {
    struct buf wire;
    struct wire_error ignored;
    arena_reset(&l->scratch);
    buf_init_arena(&wire, &l->scratch, l->made.len + 1); /* longer is not the same */
    return l->codec->make(l->frame, &l->scratch, &wire, &ignored) && !wire.overflow && wire.len == l->made.len &&
           !memcmp(wire.ptr, l->made.ptr, wire.len);
}

/* Nothing that a codec reads can be all of these. */
static bool is_read(struct looking *l, json_t *object, const char *key) {
    json_t *kept = json_incref(json_object_get(object, key));
    json_t *others[] = {json_object(), json_string("?"), json_integer(-70007), json_true()};
    bool changes = false;
    for (size_t i = 0; i < COUNT(others); i++) {
        if (!changes && !json_equal(others[i], kept) && !json_object_set(object, key, others[i]))
            changes = !makes_the_same(l);
        json_decref(others[i]);
    }
    (void)json_object_set_new(object, key, kept);
    l->looked += l->made.len + LOOK_MIN;
    return changes;
}

static bool has_unread(struct looking *l, json_t *v, const json_t *shown);

static bool has_unread_at(struct looking *l, json_t *v, const json_t *shown, struct str name) {
    size_t before = l->path.len;
    if (before) buf_char(&l->path, '.');
    buf_str(&l->path, name);
    if (has_unread(l, v, shown)) return true;
    l->path.len = before;
    return false;
}

/* All members of an object before those within them, which a codec may take as they are. */
static bool has_unread(struct looking *l, json_t *v, const json_t *shown) {
    char mem[24];
    const char *key;
    json_t *part;
    size_t i;
    json_object_foreach(v, key, part) {
        if (l->looked >= LOOKS_MAX) return false;
        if (json_equal(part, json_object_get(shown, key)) || is_read(l, v, key)) continue;
        if (l->path.len) buf_char(&l->path, '.');
        buf_cstr(&l->path, key);
        return true;
    }
    json_object_foreach(v, key, part) if (has_unread_at(l, part, json_object_get(shown, key), str_of(key))) return true;
    json_array_foreach(v, i, part) {
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        buf_fmt(&b, "%zu", i);
        if (has_unread_at(l, part, json_array_get(shown, i), (struct str){mem, b.len})) return true;
    }
    return false;
}

static json_t *shown_of(const struct codec *codec, struct bytes made, struct arena *a) {
    struct buf b;
    struct jw j;
    struct str text;
    struct wire_error ignored;
    struct fault f;
    json_t *v = NULL;
    buf_init_arena(&b, a, 8 * WIRE_MAX);
    jw_init(&j, &b);
    bool ok = codec->show && codec->show(made, a, &j, &ignored) && buf_done(&b, &text);
    return ok && !json_read(text, &v, &f) ? v : NULL;
}

bool unread_find(const struct codec *codec, const json_t *frame, struct bytes made, struct arena *a, struct str *ret) {
    struct looking l = {.codec = codec, .frame = json_deep_copy(frame), .made = made};
    json_t *shown = shown_of(codec, made, a);
    buf_init(&l.path, l.path_mem, sizeof l.path_mem);
    arena_init(&l.scratch, 4 * WIRE_MAX);
    bool is_found = l.frame && has_unread(&l, l.frame, shown);
    arena_finish(&l.scratch);
    json_decref(l.frame);
    json_decref(shown);
    return is_found && arena_str(a, (struct str){l.path_mem, l.path.len}, ret);
}
