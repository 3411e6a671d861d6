/* Catalogues of words.  SPDX-License-Identifier: Apache-2.0 */
#include "base/catalogue.h"

struct catalogue {
    struct names keys;
    struct word *words; /* by number of the key */
};

static struct catalogue *catalogue_new(struct arena *a, size_t most) {
    struct catalogue *w = arena_new(a, struct catalogue, 1);
    struct word *words = arena_new(a, struct word, most + 1);
    if (!w || !words || !names_init(&w->keys, a, most)) return NULL;
    w->words = words;
    return w;
}

static enum err add_line(struct catalogue *w, struct str line, struct fault *f) {
    struct str rest = line, key, zh, en;
    line = str_trim(line);
    if (!line.len || line.ptr[0] == '#') return OK;
    if (!str_cut(&rest, '\t', &key) || !str_cut(&rest, '\t', &zh) || !str_cut(&rest, '\t', &en) || rest.ptr || !key.len)
        return FAIL(f, ERR_INTERNAL, "words", "a line of words is not key TAB zh TAB en: " STR_FMT, STR_ARG(line));
    struct word *word = &w->words[names_put(&w->keys, key)];
    if (word->key.ptr) return FAIL(f, ERR_INTERNAL, "words", "two words for " STR_FMT, STR_ARG(key));
    *word = (struct word){key, zh, str_trim(en)};
    return OK;
}

enum err catalogue_load(struct arena *a, const struct str *texts, size_t n, struct catalogue **ret, struct fault *f) {
    size_t lines = n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < texts[i].len; j++) lines += texts[i].ptr[j] == '\n';
    struct catalogue *w = catalogue_new(a, lines);
    if (!w) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct str rest = texts[i], line;
        while (str_cut(&rest, '\n', &line)) TRY(add_line(w, line, f));
    }
    *ret = w;
    return OK;
}

struct catalogue *catalogue_of(struct arena *a, const struct word *all, size_t n) {
    struct catalogue *w = catalogue_new(a, n);
    for (size_t i = 0; w && i < n; i++) w->words[names_put(&w->keys, all[i].key)] = all[i];
    return w;
}

struct str catalogue_find(const struct catalogue *w, struct str key, struct str language) {
    size_t i = w ? names_find(&w->keys, key) : SIZE_MAX;
    return i == SIZE_MAX ? (struct str){NULL, 0} : str_is(language, "en") ? w->words[i].en : w->words[i].zh;
}
