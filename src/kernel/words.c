/* Words: what the catalogue says, what a community says instead, and what the tables need.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "kernel/kernel_internal.h"

#include <string.h>

#define WORD_KEY_SIZE 192

struct str kernel_word(const struct kernel *k, struct str key, struct str language) {
    return catalogue_find(k->words, key, language);
}

/* ---- the words of a community ---- */

#define OWN_MOST 5000

struct wording {
    struct row row;
    struct str key, zh, en;
};

static const char *check_key(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", s.ptr[i])) return "bad_word_key";
    return NULL;
}

static const struct field fields[] = {
    {TEXT(struct wording, key), .max = 120, .flags = REQUIRED | FIXED | UNIQUE | SEARCH | COLUMN, .check = check_key},
    {TEXT(struct wording, zh), .max = 200, .flags = SEARCH | COLUMN},
    {TEXT(struct wording, en), .max = 200, .flags = SEARCH | COLUMN},
};
static const struct grant grants[] = {{"admin manager", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY}};

/* People may only say otherwise what there is to say. */
static enum err prepare(struct ctx *ctx, void *row, const void *before) {
    struct str key = ((struct wording *)row)->key;
    if (before || ctx->actor.is_system || !key.len || kernel_word(ctx->kernel, key, S("zh")).len) return OK;
    return FAIL_FIELD(&ctx->fault, "key", "unknown_word", 0);
}

const struct resource word_rows = {
    .name = "words",
    .group = "operations",
    .icon = "globe",
    .size = sizeof(struct wording),
    .label = "key",
    ROWS(fields, fields),
    ROWS(grants, grants),
    .prepare = prepare,
};

static const struct sql_shape word_shape =
    SQL_SHAPE(struct word, SQL_MEMBER(struct word, key), SQL_MEMBER(struct word, zh), SQL_MEMBER(struct word, en));

enum err words_use(struct ctx *ctx, int64_t community_id) {
    struct sql q = sql_of(ctx);
    struct sql_all all;
    ctx->words = NULL;
    if (!community_id || !kernel_resource(ctx->kernel, S("words"))) return OK;
    sql_put(&q, "SELECT key, zh, en FROM words WHERE community_id = $ AND archived_ms = 0 ORDER BY id LIMIT $",
            PARTS(Q_I64(community_id), Q_I64(OWN_MOST)));
    TRY(sql_all(&q, &word_shape, &all));
    if (!all.n) return OK;
    ctx->words = catalogue_of(ctx->arena, all.rows, all.n);
    return ctx->words ? OK : FAIL_MEMORY(ctx);
}

struct str word_fmt(const struct ctx *ctx, struct str language, const char *fmt, ...) {
    char mem[WORD_KEY_SIZE];
    struct buf b;
    struct str key, text = {NULL, 0};
    va_list args;
    buf_init(&b, mem, sizeof mem);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    if (!buf_done(&b, &key)) return text;
    text = catalogue_find(ctx->words, key, language);
    return text.len ? text : kernel_word(ctx->kernel, key, language);
}

/* ---- what the tables need ---- */

struct need {
    const struct kernel *k;
    size_t missing;
    struct buf *first;
};

/* The key is the parts that are there, with points between. */
static void need(struct need *n, const char *a, const char *b, struct str c) {
    char mem[WORD_KEY_SIZE];
    struct buf key;
    buf_init(&key, mem, sizeof mem);
    buf_fmt(&key, "%s%s%s%s" STR_FMT, a, b ? "." : "", b ? b : "", c.len ? "." : "", STR_ARG(c));
    struct str text = {mem, key.len};
    if (kernel_word(n->k, text, S("zh")).len && kernel_word(n->k, text, S("en")).len) return;
    if (n->missing++ == 0 && n->first) buf_str(n->first, text);
}

static void need_resource(struct need *n, const struct resource *r) {
    const struct str none = {NULL, 0};
    need(n, r->name, NULL, none);
    if (r->group) need(n, "group", r->group, none);
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        struct str rest = str_of(f->choices), word;
        int64_t number; /* which is its own word */
        need(n, r->name, f->name, none);
        while (str_word(&rest, &word))
            if (!str_to_i64(word, &number)) need(n, r->name, f->name, word);
        for (size_t l = 0; f->lines && l < f->lines->fields_n; l++)
            need(n, r->name, f->name, str_of(f->lines->fields[l].name));
        if (f->group) need(n, r->name, "group", str_of(f->group));
    }
    for (size_t i = 0; i < r->states_n; i++) need(n, r->name, "state", str_of(r->states[i]));
    for (size_t i = 0; i < r->steps_n; i++) need(n, r->name, "step", str_of(r->steps[i].name));
    for (size_t i = 0; i < r->views_n; i++) need(n, r->name, "view", str_of(r->views[i].name));
}

size_t kernel_words_missing(const struct kernel *k, struct buf *ret_first) {
    struct need n = {k, 0, ret_first};
    for (size_t i = 0; i < kernel_resources(k); i++) need_resource(&n, kernel_resource_at(k, i));
    return n.missing;
}
