/* Fields as clients are told about them.  SPDX-License-Identifier: Apache-2.0 */
#include "api/describe_internal.h"

#include "kernel/row_json.h"

#include <stdio.h>

void describe_words_put(struct jw *j, struct ctx *ctx, const char *key, const char *fallback, const char *fmt, ...) {
    char mem[192];
    va_list args;
    va_start(args, fmt);
    vsnprintf(mem, sizeof mem, fmt, args);
    va_end(args);
    struct str zh = word_fmt(ctx, S("zh"), "%s", mem), en = word_fmt(ctx, S("en"), "%s", mem);
    jw_key(j, key);
    jw_put(j, "{'zh':$,'en':$}", JV(J_STR(zh.len ? zh : str_of(fallback)), J_STR(en.len ? en : str_of(fallback))));
}

static void put_options(struct jw *j, struct ctx *ctx, const char *owner, const struct field *f) {
    struct str rest = str_of(f->choices), word;
    jw_put(j, "'options':[", NO_JV);
    while (str_word(&rest, &word)) {
        char fallback[64];
        snprintf(fallback, sizeof fallback, STR_FMT, STR_ARG(word));
        jw_put(j, "{'v':$", JV(J_STR(word)));
        describe_words_put(j, ctx, "t", fallback, "%s.%s." STR_FMT, owner, f->name, STR_ARG(word));
        jw_put(j, "'tone':null}", NO_JV);
    }
    jw_close(j, ']');
}

/* `owner` is the key the field's words stand under: "visits", or "visits.parts" for the fields of lines. */
void field_describe(struct jw *j, struct ctx *ctx, const char *owner, const struct field *f, uint32_t clear) {
    bool wide = (f->kind == FIELD_TEXT && f->max > 200) || f->kind == FIELD_JSON || f->kind == FIELD_LINES ||
                f->kind == FIELD_FILE;
    jw_put(j, "{'name':$,'type':$", JV(J_CSTR(f->name), J_CSTR(field_kinds[f->kind].word)));
    describe_words_put(j, ctx, "title", f->name, "%s.%s", owner, f->name);
    describe_words_put(j, ctx, "help", "", "%s.%s.help", owner, f->name);
    jw_put(j, "'required':$,'readonly':$,'fixed':$,'unique':$,'min':",
           JV(J_BOOL((f->flags & REQUIRED) && !(f->flags & SYSTEM)), J_BOOL(f->flags & SYSTEM),
              J_BOOL(f->flags & FIXED), J_BOOL(f->flags & UNIQUE)));
    field_write_bound(j, f, f->min);
    jw_key(j, "max");
    field_write_bound(j, f, f->max);
    jw_put(j, "'class':$,'mask':$,'unit':$,'scale':$",
           JV(J_IF(f->class != ORDINARY, J_CSTR(field_class_word(f->class))), J_BOOL(field_is_masked(f, clear)),
              J_CSTR(f->unit), f->kind == FIELD_MONEY ? J_I64(2) : J_IF(f->kind == FIELD_DECIMAL, J_I64(f->scale))));
    if (f->kind == FIELD_CHOICE) put_options(j, ctx, owner, f);
    const struct resource *to = f->to ? kernel_resource(ctx->kernel, str_of(f->to)) : NULL;
    if (f->to) jw_put(j, "'ref':{'resource':$,'label':$}", JV(J_CSTR(f->to), J_CSTR(to ? to->label : NULL)));
    if (f->lines) {
        char inner[96];
        snprintf(inner, sizeof inner, "%s.%s", owner, f->name);
        jw_put(j, "'fields':[", NO_JV);
        for (size_t i = 0; i < f->lines->fields_n; i++) field_describe(j, ctx, inner, &f->lines->fields[i], clear);
        jw_close(j, ']');
    }
    jw_put(j, "'list':{'default':$,'sort':$,'filter':$},'form':{'group':$,'span':$,'when':null}}",
           JV(J_BOOL(f->flags & COLUMN), J_BOOL(field_is_comparable(f)), J_BOOL(field_is_comparable(f)),
              J_CSTR(f->group ? f->group : "main"), J_I64(wide ? 2 : 1)));
}
