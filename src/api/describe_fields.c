/* Fields as clients are told about them.  SPDX-License-Identifier: Apache-2.0 */
#include "api/describe_internal.h"

#include "base/civil.h"

#include <string.h>

void describe_words_put(struct jw *j, const struct kernel *k, const char *key, const char *fallback, const char *fmt,
                        ...) {
    char mem[192];
    struct buf b;
    struct str name = {mem, 0};
    va_list args;
    buf_init(&b, mem, sizeof mem);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    name.len = b.len;
    struct str zh = kernel_word(k, name, S("zh")), en = kernel_word(k, name, S("en"));
    jw_key(j, key);
    jw_open(j, '{');
    jw_kstr(j, "zh", zh.len ? zh : str_of(fallback));
    jw_kstr(j, "en", en.len ? en : str_of(fallback));
    jw_close(j, '}');
}

const char *field_type_word(const struct field *f) {
    static const char *const words[] = {
        [FIELD_REF] = "ref",         [FIELD_REFS] = "refs",   [FIELD_TEXT] = "text",  [FIELD_INT] = "int",
        [FIELD_DECIMAL] = "decimal", [FIELD_MONEY] = "money", [FIELD_FLAG] = "flag",  [FIELD_CHOICE] = "choice",
        [FIELD_STATE] = "state",     [FIELD_TIME] = "time",   [FIELD_DATE] = "date",  [FIELD_GEO] = "geo",
        [FIELD_FILE] = "file",       [FIELD_JSON] = "json",   [FIELD_LINES] = "lines"};
    return words[f->kind];
}

const char *field_class_word(enum field_class class) {
    switch (class) {
    case ORDINARY: return "ordinary";
    case IDENTITY: return "identity";
    case CONTACT: return "contact";
    case HEALTH: return "health";
    case MONETARY: return "monetary";
    case SECRET: return "secret";
    }
    return "ordinary";
}

/* As list_filter() and list_sort() of the kernel decide. */
bool field_can_filter(const struct field *f) {
    return f->class == ORDINARY && f->kind != FIELD_LINES && f->kind != FIELD_JSON && f->kind != FIELD_REFS &&
           f->kind != FIELD_FILE && f->kind != FIELD_GEO;
}

bool field_can_sort(const struct field *f) {
    return field_can_filter(f);
}

bool field_is_counted(const struct field *f) {
    return f->kind == FIELD_TEXT || f->kind == FIELD_JSON || f->kind == FIELD_REFS || f->kind == FIELD_FILE ||
           f->kind == FIELD_LINES;
}

bool field_is_number(const struct field *f) {
    return f->kind == FIELD_INT || f->kind == FIELD_DECIMAL || f->kind == FIELD_MONEY || f->kind == FIELD_TIME ||
           f->kind == FIELD_DATE;
}

void field_put_bound(struct jw *j, const struct field *f, int64_t bound) {
    char mem[32];
    struct buf b;
    struct str text;
    if (!field_is_counted(f) && (!field_is_number(f) || (!f->min && !f->max))) {
        jw_null(j);
        return;
    }
    buf_init(&b, mem, sizeof mem);
    if (f->kind == FIELD_DATE) {
        civil_put_date(&b, bound);
        if (buf_done(&b, &text)) jw_str(j, text);
    } else if (f->kind == FIELD_DECIMAL) {
        double scaled = (double)bound;
        for (int i = 0; i < f->scale; i++) scaled /= 10;
        jw_f64(j, scaled);
    } else {
        jw_i64(j, bound);
    }
}

static void put_options(struct jw *j, const struct kernel *k, const char *owner, const struct field *f) {
    struct str rest = str_of(f->choices), part;
    jw_key(j, "options");
    jw_open(j, '[');
    while (str_cut(&rest, ' ', &part)) {
        char fallback[64];
        struct buf b;
        if (!part.len) continue;
        buf_init(&b, fallback, sizeof fallback);
        buf_str(&b, part);
        jw_open(j, '{');
        jw_kstr(j, "v", part);
        describe_words_put(j, k, "t", fallback, "%s.%s." STR_FMT, owner, f->name, STR_ARG(part));
        jw_key(j, "tone");
        jw_null(j);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_ref(struct jw *j, const struct kernel *k, const struct field *f) {
    const struct resource *to = kernel_resource(k, str_of(f->to));
    jw_key(j, "ref");
    jw_open(j, '{');
    jw_kcstr(j, "resource", f->to);
    jw_kstr(j, "label", str_of(to ? to->label : NULL));
    jw_close(j, '}');
}

/* `owner` is the key the field's words stand under: "visits", or "visits.parts" for the fields of lines. */
void field_describe(struct jw *j, const struct kernel *k, const char *owner, const struct field *f, uint32_t clear) {
    bool wide = (f->kind == FIELD_TEXT && f->max > 200) || f->kind == FIELD_JSON || f->kind == FIELD_LINES ||
                f->kind == FIELD_FILE;
    jw_open(j, '{');
    jw_kcstr(j, "name", f->name);
    jw_kcstr(j, "type", field_type_word(f));
    describe_words_put(j, k, "title", f->name, "%s.%s", owner, f->name);
    describe_words_put(j, k, "help", "", "%s.%s.help", owner, f->name);
    jw_kbool(j, "required", (f->flags & REQUIRED) && !(f->flags & SYSTEM));
    jw_kbool(j, "readonly", f->flags & SYSTEM);
    jw_kbool(j, "fixed", f->flags & FIXED);
    jw_kbool(j, "unique", f->flags & UNIQUE);
    jw_key(j, "min");
    field_put_bound(j, f, f->min);
    jw_key(j, "max");
    field_put_bound(j, f, f->max);
    jw_kstr(j, "class", f->class == ORDINARY ? (struct str){NULL, 0} : str_of(field_class_word(f->class)));
    jw_kbool(j, "mask", f->class != ORDINARY && !(f->class & clear));
    jw_kstr(j, "unit", str_of(f->unit));
    jw_key(j, "scale");
    if (f->kind == FIELD_DECIMAL || f->kind == FIELD_MONEY)
        jw_i64(j, f->kind == FIELD_MONEY ? 2 : f->scale);
    else
        jw_null(j);
    if (f->kind == FIELD_CHOICE) put_options(j, k, owner, f);
    if (f->to) put_ref(j, k, f);
    if (f->lines) {
        char inner[96];
        struct buf b;
        buf_init(&b, inner, sizeof inner);
        buf_fmt(&b, "%s.%s", owner, f->name);
        jw_key(j, "fields");
        jw_open(j, '[');
        for (size_t i = 0; i < f->lines->fields_n; i++) field_describe(j, k, inner, &f->lines->fields[i], clear);
        jw_close(j, ']');
    }
    jw_key(j, "list");
    jw_open(j, '{');
    jw_kbool(j, "default", f->flags & COLUMN);
    jw_kbool(j, "sort", field_can_sort(f));
    jw_kbool(j, "filter", field_can_filter(f));
    jw_close(j, '}');
    jw_key(j, "form");
    jw_open(j, '{');
    jw_kcstr(j, "group", f->group ? f->group : "main");
    jw_ki64(j, "span", wide ? 2 : 1);
    jw_key(j, "when");
    jw_null(j);
    jw_close(j, '}');
    jw_close(j, '}');
}
