/* Words: catalogue look-up and what the tables need of it.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/words_internal.h"

#include "kernel/kernel_internal.h"

struct word {
    struct str key, zh, en;
};
struct words {
    struct word *slots;
    size_t size;
};

static struct word *slot_of(const struct words *w, struct str key) {
    size_t at = str_hash(key) % w->size;
    while (w->slots[at].key.ptr && !str_eq(w->slots[at].key, key)) at = (at + 1) % w->size;
    return &w->slots[at];
}

static enum err add_line(struct words *w, struct str line, struct fault *f) {
    struct str rest = line, key, zh, en;
    line = str_trim(line);
    if (!line.len || line.ptr[0] == '#') return OK;
    if (!str_cut(&rest, '\t', &key) || !str_cut(&rest, '\t', &zh) || !str_cut(&rest, '\t', &en) || rest.ptr || !key.len)
        return FAIL(f, ERR_INTERNAL, "words", "a line of words is not key TAB zh TAB en: " STR_FMT, STR_ARG(line));
    struct word *slot = slot_of(w, key);
    if (slot->key.ptr) return FAIL(f, ERR_INTERNAL, "words", "two words for " STR_FMT, STR_ARG(key));
    *slot = (struct word){key, zh, str_trim(en)};
    return OK;
}

enum err words_load(struct arena *a, const struct str *texts, size_t n, void **ret, struct fault *f) {
    size_t lines = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < texts[i].len; j++) lines += texts[i].ptr[j] == '\n';
    struct words *w = arena_new(a, struct words, 1);
    if (!w) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    w->size = (lines + n) * 2 + 1;
    w->slots = arena_new(a, struct word, w->size);
    if (!w->slots) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct str rest = texts[i], line;
        while (str_cut(&rest, '\n', &line)) TRY(add_line(w, line, f));
    }
    *ret = w;
    return OK;
}

struct str kernel_word(const struct kernel *k, struct str key, struct str language) {
    const struct words *w = k->words;
    if (!w) return (struct str){NULL, 0};
    const struct word *slot = slot_of(w, key);
    return str_is(language, "en") ? slot->en : slot->zh;
}

struct str kernel_word_fmt(const struct kernel *k, struct str language, const char *fmt, ...) {
    char mem[192];
    struct buf b;
    struct str key;
    va_list args;
    buf_init(&b, mem, sizeof mem);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    return buf_done(&b, &key) ? kernel_word(k, key, language) : (struct str){NULL, 0};
}

/* ---- what the tables need ---- */

struct need {
    const struct kernel *k;
    size_t missing;
    struct buf *first;
};

static void need(struct need *n, const char *fmt, ...) PRINTF(2, 3);
static void need(struct need *n, const char *fmt, ...) {
    char mem[192];
    struct buf b;
    va_list args;
    buf_init(&b, mem, sizeof mem);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    struct str key = {mem, b.len};
    if (kernel_word(n->k, key, S("zh")).len && kernel_word(n->k, key, S("en")).len) return;
    if (n->missing++ == 0 && n->first) buf_str(n->first, key);
}

static void need_field(struct need *n, const char *owner, const struct field *f) {
    struct str rest = str_of(f->choices), part;
    need(n, "%s.%s", owner, f->name);
    while (str_word(&rest, &part)) need(n, "%s.%s." STR_FMT, owner, f->name, STR_ARG(part));
    for (size_t i = 0; f->lines && i < f->lines->fields_n; i++)
        need(n, "%s.%s.%s", owner, f->name, f->lines->fields[i].name);
}

static void need_resource(struct need *n, const struct resource *r) {
    need(n, "%s", r->name);
    if (r->group) need(n, "group.%s", r->group);
    for (size_t i = 0; i < r->fields_n; i++) {
        need_field(n, r->name, &r->fields[i]);
        if (r->fields[i].group) need(n, "%s.group.%s", r->name, r->fields[i].group);
    }
    for (size_t i = 0; i < r->states_n; i++) need(n, "%s.state.%s", r->name, r->states[i]);
    for (size_t i = 0; i < r->steps_n; i++) need(n, "%s.step.%s", r->name, r->steps[i].name);
    for (size_t i = 0; i < r->views_n; i++) need(n, "%s.view.%s", r->name, r->views[i].name);
}

size_t kernel_words_missing(const struct kernel *k, struct buf *ret_first) {
    struct need n = {k, 0, ret_first};
    for (size_t i = 0; i < kernel_resources(k); i++) need_resource(&n, kernel_resource_at(k, i));
    return n.missing;
}
