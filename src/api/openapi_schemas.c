/* JSON Schemas (2020-12) of what goes in and out.  SPDX-License-Identifier: Apache-2.0 */
#include "api/openapi_internal.h"

#include <string.h>

static void raw(struct jw *j, const char *key, const char *json) {
    jw_key(j, key);
    jw_raw(j, str_of(json));
}

static void put_type(struct jw *j, const char *type, const char *also, bool null) {
    jw_key(j, "type");
    if (!also && !null) {
        jw_cstr(j, type);
        return;
    }
    jw_open(j, '[');
    jw_cstr(j, type);
    if (also) jw_cstr(j, also);
    if (null) jw_cstr(j, "null");
    jw_close(j, ']');
}

static void put_words(struct jw *j, const struct resource *r, const struct field *f, bool null) {
    struct str rest = str_of(f->choices), part;
    jw_key(j, "enum");
    jw_open(j, '[');
    while (str_cut(&rest, ' ', &part))
        if (part.len) jw_str(j, part);
    for (size_t i = 0; f->kind == FIELD_STATE && i < r->states_n; i++) jw_cstr(j, r->states[i]);
    if (null) jw_null(j);
    jw_close(j, ']');
}

static void put_array(struct jw *j, const struct field *f, bool in, bool null) {
    put_type(j, "array", NULL, null);
    if (in) jw_ki64(j, "maxItems", f->max);
    if (in && f->min) jw_ki64(j, "minItems", f->min);
    jw_key(j, "items");
    if (f->kind == FIELD_FILE && !in) {
        jw_raw(j, S("{\"$ref\":\"#/components/schemas/File\"}"));
    } else if (f->kind != FIELD_LINES) {
        jw_raw(j, S("{\"$ref\":\"#/components/schemas/Id\"}"));
    } else {
        struct resource as = {.fields = f->lines->fields, .fields_n = f->lines->fields_n};
        jw_open(j, '{');
        put_type(j, "object", NULL, false);
        jw_key(j, "properties");
        jw_open(j, '{');
        for (size_t i = 0; i < as.fields_n; i++) {
            jw_key(j, as.fields[i].name);
            schema_field(j, &as, &as.fields[i], in, true);
        }
        jw_close(j, '}');
        jw_kbool(j, "additionalProperties", false);
        jw_close(j, '}');
    }
}

/* A masked number comes as text. */
void schema_field(struct jw *j, const struct resource *r, const struct field *f, bool in, bool null) {
    const char *masked = !in && f->class != ORDINARY ? "string" : NULL;
    bool bounded = in && (f->min || f->max);
    jw_open(j, '{');
    switch (f->kind) {
    case FIELD_REF:
        put_type(j, "string", NULL, null);
        jw_kcstr(j, "pattern", "^[0-9]{1,19}$");
        jw_kcstr(j, "x-ref", f->to);
        break;
    case FIELD_TEXT:
        put_type(j, "string", NULL, null);
        if (in) jw_ki64(j, "maxLength", f->max);
        if (in && f->min) jw_ki64(j, "minLength", f->min);
        break;
    case FIELD_INT:
    case FIELD_MONEY:
    case FIELD_TIME:
        put_type(j, "integer", masked, null);
        jw_kcstr(j, "format", "int64");
        break;
    case FIELD_DECIMAL: put_type(j, "number", masked, null); break;
    case FIELD_FLAG: put_type(j, "boolean", NULL, null); break;
    case FIELD_CHOICE:
    case FIELD_STATE:
        put_type(j, "string", NULL, null);
        put_words(j, r, f, null);
        break;
    case FIELD_DATE:
        put_type(j, "string", NULL, null);
        if (!masked) jw_kcstr(j, "format", "date");
        break;
    case FIELD_GEO:
        put_type(j, "object", masked, null);
        raw(j, "properties",
            "{\"lat\":{\"type\":\"number\",\"minimum\":-90,\"maximum\":90},"
            "\"lon\":{\"type\":\"number\",\"minimum\":-180,\"maximum\":180}}");
        raw(j, "required", "[\"lat\",\"lon\"]");
        break;
    case FIELD_REFS:
    case FIELD_FILE:
    case FIELD_LINES: put_array(j, f, in, null); break;
    case FIELD_JSON: break;
    }
    if (bounded && field_is_number(f) && f->kind != FIELD_DATE) {
        jw_key(j, "minimum");
        field_put_bound(j, f, f->min);
        jw_key(j, "maximum");
        field_put_bound(j, f, f->max);
    }
    if (f->unit) jw_kcstr(j, "x-unit", f->unit);
    if (f->class != ORDINARY) jw_kcstr(j, "x-class", field_class_word(f->class));
    jw_close(j, '}');
}

void schema_input(struct jw *j, const struct resource *r, uint64_t fields, uint64_t required, bool null) {
    bool any = false;
    jw_open(j, '{');
    put_type(j, "object", NULL, false);
    jw_key(j, "properties");
    jw_open(j, '{');
    for (size_t i = 0; i < r->fields_n; i++) {
        if (!(fields >> i & 1)) continue;
        jw_key(j, r->fields[i].name);
        schema_field(j, r, &r->fields[i], true, null || !(required >> i & 1));
    }
    if (!null && required && !(r->flags & INSTALLATION))
        raw(j, "community_id", "{\"$ref\":\"#/components/schemas/Id\"}");
    jw_close(j, '}');
    for (size_t i = 0; i < r->fields_n; i++) any |= (required & fields) >> i & 1;
    if (any) {
        jw_key(j, "required");
        jw_open(j, '[');
        for (size_t i = 0; i < r->fields_n; i++)
            if ((required & fields) >> i & 1) jw_cstr(j, r->fields[i].name);
        jw_close(j, ']');
    }
    jw_kbool(j, "additionalProperties", false);
    jw_close(j, '}');
}

static void put_system(struct jw *j, const struct resource *r) {
    raw(j, "id", "{\"$ref\":\"#/components/schemas/Id\"}");
    raw(j, "version", "{\"type\":\"integer\"}");
    raw(j, "created_ms", "{\"type\":\"integer\",\"format\":\"int64\"}");
    raw(j, "updated_ms", "{\"type\":\"integer\",\"format\":\"int64\"}");
    raw(j, "archived_ms", "{\"type\":[\"integer\",\"null\"],\"format\":\"int64\"}");
    if (!(r->flags & INSTALLATION)) raw(j, "community_id", "{\"$ref\":\"#/components/schemas/Id\"}");
    raw(j, "_labels", "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"array\"]}}");
    raw(j, "_actions", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
    raw(j, "_rights", "{\"type\":\"array\",\"items\":{\"enum\":[\"update\",\"archive\",\"restore\",\"reveal\"]}}");
    raw(j, "_masked", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
}

void schema_row(struct jw *j, const struct resource *r) {
    jw_open(j, '{');
    put_type(j, "object", NULL, false);
    jw_key(j, "properties");
    jw_open(j, '{');
    put_system(j, r);
    for (size_t i = 0; i < r->fields_n; i++) {
        if (r->fields[i].class == SECRET) continue;
        jw_key(j, r->fields[i].name);
        schema_field(j, r, &r->fields[i], false, true);
    }
    jw_close(j, '}');
    raw(j, "required",
        "[\"id\",\"version\",\"created_ms\",\"updated_ms\",\"archived_ms\",\"_labels\",\"_actions\",\"_rights\","
        "\"_masked\"]");
    jw_close(j, '}');
}
