/* What linli describe prints beside JSON: the reference for people, and types for TypeScript, from the tables.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/reference.h"

#include "kernel/row_json.h"

#include <ctype.h>
#include <string.h>

/* ---- markdown ---- */

static const struct bit_word {
    uint32_t bit;
    const char *word;
} verb_words[] = {{CREATE, "create"}, {READ, "read"}, {UPDATE, "update"}, {ARCHIVE, "archive"}, {ERASE, "erase"}},
  class_words[] = {{IDENTITY, "identity"}, {CONTACT, "contact"}, {HEALTH, "health"}, {MONETARY, "monetary"}};

static void put_bits(struct buf *b, const struct bit_word *words, size_t n, uint32_t bits) {
    const char *between = "";
    for (size_t i = 0; i < n; i++) {
        if (!(bits & words[i].bit)) continue;
        buf_fmt(b, "%s%s", between, words[i].word);
        between = ", ";
    }
}

static void put_rules(struct buf *b, const struct field *f) {
    static const struct bit_word flags[] = {
        {REQUIRED, "required"}, {UNIQUE, "unique"}, {FIXED, "fixed"}, {SYSTEM, "read-only"}, {SEARCH, "searched"}};
    for (size_t i = 0; i < COUNT(flags); i++)
        if (f->flags & flags[i].bit) buf_fmt(b, "%s; ", flags[i].word);
    if (f->to) buf_fmt(b, "one of %s; ", f->to);
    if (f->choices) buf_fmt(b, "%s; ", f->choices);
    if (field_is_counted(f) || ((f->min || f->max) && field_is_number(f))) {
        struct jw j;
        jw_init(&j, b);
        field_write_bound(&j, f, f->min);
        buf_cstr(b, "..");
        jw_init(&j, b);
        field_write_bound(&j, f, f->max);
        buf_cstr(b, "; ");
    }
    if (f->unit) buf_fmt(b, "%s; ", f->unit);
    if (f->class != ORDINARY) buf_fmt(b, "class %s; ", field_class_word(f->class));
}

static struct str title_of(const struct kernel *k, const char *language, const char *owner, const char *name) {
    struct str word = name ? word_fmt(&(struct ctx){.kernel = k}, str_of(language), "%s.%s", owner, name)
                           : kernel_word(k, str_of(owner), str_of(language));
    return word.len ? word : str_of(name ? name : owner);
}

static void put_field_rows(struct buf *b, const struct kernel *k, const char *owner, const struct field *fields,
                           size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        buf_fmt(b, "| `%s` | %s | " STR_FMT " / " STR_FMT " | ", f->name, field_kinds[f->kind].word,
                STR_ARG(title_of(k, "zh", owner, f->name)), STR_ARG(title_of(k, "en", owner, f->name)));
        put_rules(b, f);
        buf_cstr(b, "|\n");
        if (!f->lines) continue;
        for (size_t c = 0; c < f->lines->fields_n; c++) {
            const struct field *in = &f->lines->fields[c];
            buf_fmt(b, "| `%s.%s` | %s | | ", f->name, in->name, field_kinds[in->kind].word);
            put_rules(b, in);
            buf_cstr(b, "|\n");
        }
    }
}

static void put_flow(struct buf *b, const struct resource *r) {
    if (r->states_n) {
        buf_cstr(b, "\nStates: ");
        for (size_t i = 0; i < r->states_n; i++) buf_fmt(b, "%s`%s`", i ? ", " : "", r->states[i]);
        buf_cstr(b, " (the first is where rows begin).\n");
    }
    if (!r->steps_n) return;
    buf_cstr(b, "\n| step | from | to | who | takes | needs |\n| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < r->steps_n; i++) {
        const struct step *s = &r->steps[i];
        buf_fmt(b, "| `%s` | %s | %s | %s | %s | %s |\n", s->name, s->from == ANY_STATE ? "any" : r->states[s->from],
                s->to == ANY_STATE ? "same" : r->states[s->to], s->roles, s->takes ? s->takes : "",
                s->need ? s->need : "");
    }
}

static void put_grants(struct buf *b, const struct resource *r) {
    static const char *const reaches[] = {[OWN] = "own", [PLACE] = "place", [COMMUNITY] = "community"};
    buf_cstr(b, "\n| who | may | where | sees plainly | may reveal |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < r->grants_n; i++) {
        const struct grant *g = &r->grants[i];
        buf_fmt(b, "| %s | ", g->roles);
        put_bits(b, verb_words, COUNT(verb_words), g->verbs);
        buf_fmt(b, " | %s%s%s | ", reaches[g->reach], g->by ? ": " : "", g->by ? g->by : "");
        put_bits(b, class_words, COUNT(class_words), g->clear);
        buf_cstr(b, g->clear ? " | " : "- | ");
        put_bits(b, class_words, COUNT(class_words), g->reveal);
        if (!g->reveal) buf_char(b, '-');
        buf_cstr(b, " |\n");
    }
}

void reference_markdown(const struct kernel *k, struct buf *ret) {
    buf_cstr(ret, "# Resources\n\nDerived from the tables of the modules. Every row also has `id`, `version`, "
                  "`created_ms`, `updated_ms` and `archived_ms`.\n");
    for (size_t i = 0; i < kernel_resources(k); i++) {
        const struct resource *r = kernel_resource_at(k, i);
        buf_fmt(ret, "\n## %s: " STR_FMT " / " STR_FMT "\n\n", r->name, STR_ARG(title_of(k, "zh", r->name, NULL)),
                STR_ARG(title_of(k, "en", r->name, NULL)));
        struct str help = word_fmt(&(struct ctx){.kernel = k}, S("en"), "%s.help", r->name);
        if (help.len) buf_fmt(ret, STR_FMT "\n\n", STR_ARG(help));
        buf_fmt(ret, "`/api/v1/%s`, module %s%s.\n\n", r->name, kernel_module_of(k, r)->name,
                r->select ? ", read-only" : "");
        buf_cstr(ret, "| field | type | words | rules |\n| --- | --- | --- | --- |\n");
        put_field_rows(ret, k, r->name, r->fields, r->fields_n);
        put_flow(ret, r);
        put_grants(ret, r);
    }
}

/* ---- TypeScript ---- */

/* work_orders -> WorkOrders */
static void put_camel(struct buf *b, const char *name) {
    bool up = true;
    for (const char *p = name; *p; p++) {
        if (*p != '_') buf_char(b, up ? (char)toupper((unsigned char)*p) : *p);
        up = *p == '_';
    }
}

static void put_union(struct buf *b, const char *between, struct str word) {
    buf_fmt(b, "%s'" STR_FMT "'", between, STR_ARG(word));
}

/* As given and, where that differs, as sent; a masked number or place comes as text. */
static const struct {
    const char *given, *sent, *masked;
} ts_types[] = {
    [FIELD_REF] = {"string", NULL, NULL},
    [FIELD_REFS] = {"string[]", NULL, NULL},
    [FIELD_TEXT] = {"string", NULL, NULL},
    [FIELD_INT] = {"number", NULL, "number | string"},
    [FIELD_DECIMAL] = {"number", NULL, "number | string"},
    [FIELD_MONEY] = {"number", NULL, "number | string"},
    [FIELD_FLAG] = {"boolean", NULL, NULL},
    [FIELD_TIME] = {"number", NULL, "number | string"},
    [FIELD_DATE] = {"string", NULL, NULL},
    [FIELD_GEO] = {"Geo", NULL, "Geo | string"},
    [FIELD_FILE] = {"FileInfo[]", "string[]", NULL},
    [FIELD_JSON] = {"unknown", NULL, NULL},
    [FIELD_LINES] = {NULL, NULL, NULL},
};

static void put_ts_type(struct buf *b, const struct resource *r, const struct field *f, bool in) {
    struct str rest = str_of(f->choices), word;
    const char *between = "";
    if (f->kind == FIELD_CHOICE) {
        for (; str_word(&rest, &word); between = " | ") put_union(b, between, word);
    } else if (f->kind == FIELD_STATE) {
        for (size_t i = 0; i < r->states_n; i++) put_union(b, i ? " | " : "", str_of(r->states[i]));
    } else if (f->kind == FIELD_LINES) {
        put_camel(b, r->name);
        put_camel(b, f->name);
        buf_cstr(b, "Line[]");
    } else if (in && ts_types[f->kind].sent) {
        buf_cstr(b, ts_types[f->kind].sent);
    } else {
        bool masked = !in && f->class != ORDINARY && ts_types[f->kind].masked;
        buf_cstr(b, masked ? ts_types[f->kind].masked : ts_types[f->kind].given);
    }
}

static void put_members(struct buf *b, const struct resource *r, uint64_t fields, bool in, bool all) {
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        if (!(fields >> i & 1) || f->class == SECRET) continue;
        /* Lists leave lines out; rows give everything else, null where it is absent. */
        bool optional = in ? all || !(f->flags & REQUIRED) : f->kind == FIELD_LINES;
        buf_fmt(b, "  %s%s: ", f->name, optional ? "?" : "");
        put_ts_type(b, r, f, in);
        bool never_null = f->kind == FIELD_LINES || f->kind == FIELD_JSON || ((f->flags & REQUIRED) && !all) ||
                          (!in && (f->kind == FIELD_FILE || f->kind == FIELD_REFS));
        buf_cstr(b, never_null ? ";\n" : " | null;\n");
    }
}

static void put_interface(struct buf *b, const struct resource *r, const char *suffix, const char *base) {
    buf_cstr(b, "export interface ");
    put_camel(b, r->name);
    buf_fmt(b, "%s%s%s {\n", suffix, base ? " extends " : "", base ? base : "");
}

static void put_types(struct buf *b, const struct resource *r) {
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        if (!f->lines) continue;
        struct resource as = {.name = r->name, .fields = f->lines->fields, .fields_n = f->lines->fields_n};
        buf_cstr(b, "export interface ");
        put_camel(b, r->name);
        put_camel(b, f->name);
        buf_cstr(b, "Line {\n");
        put_members(b, &as, ~UINT64_C(0), true, false);
        buf_cstr(b, "}\n\n");
    }
    put_interface(b, r, "Row", "RowBase");
    put_members(b, r, ~UINT64_C(0), false, false);
    buf_cstr(b, "}\n\n");
    if (r->select) return;
    put_interface(b, r, "Create", NULL);
    put_members(b, r, fields_creatable(r), true, false);
    if (!(r->flags & INSTALLATION)) buf_cstr(b, "  community_id?: string;\n");
    buf_cstr(b, "}\n\n");
    put_interface(b, r, "Patch", NULL);
    put_members(b, r, fields_patchable(r), true, true);
    buf_cstr(b, "}\n\n");
}

void reference_types(const struct kernel *k, struct buf *ret) {
    buf_cstr(ret,
             "// Made by `linli describe --types`; do not edit.\n\n"
             "export interface Geo {\n  lat: number;\n  lon: number;\n}\n\n"
             "export interface FileInfo {\n  id: string;\n  name: string;\n  type: string;\n  size_bytes: number;\n"
             "  at_ms: number;\n}\n\n"
             "export interface RowBase {\n  id: string;\n  version: number;\n  created_ms: number;\n"
             "  updated_ms: number;\n  archived_ms: number | null;\n  community_id?: string;\n"
             "  _labels: Record<string, string | (string | null)[]>;\n  _actions: string[];\n"
             "  _rights: ('update' | 'archive' | 'restore' | 'reveal')[];\n  _masked: string[];\n}\n\n");
    for (size_t i = 0; i < kernel_resources(k); i++) put_types(ret, kernel_resource_at(k, i));
    buf_cstr(ret, "export interface Rows {\n");
    for (size_t i = 0; i < kernel_resources(k); i++) {
        buf_fmt(ret, "  %s: ", kernel_resource_at(k, i)->name);
        put_camel(ret, kernel_resource_at(k, i)->name);
        buf_cstr(ret, "Row;\n");
    }
    buf_cstr(ret, "}\n");
}
