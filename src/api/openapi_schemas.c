/* JSON Schemas (2020-12) of what goes in and out.  SPDX-License-Identifier: Apache-2.0 */
#include "api/describe_internal.h"

#include "kernel/row_json.h"

#include <string.h>

/* What each kind is in JSON, and what more its schema says.  The others are written by hand below. */
static const struct {
    const char *type, *more;
} schemas[] = {
    [FIELD_REF] = {"string", "'pattern':'^[0-9]{1,19}$'"},
    [FIELD_REFS] = {"array", NULL},
    [FIELD_TEXT] = {"string", NULL},
    [FIELD_INT] = {"integer", "'format':'int64'"},
    [FIELD_DECIMAL] = {"number", NULL},
    [FIELD_MONEY] = {"integer", "'format':'int64'"},
    [FIELD_FLAG] = {"boolean", NULL},
    [FIELD_CHOICE] = {"string", NULL},
    [FIELD_STATE] = {"string", NULL},
    [FIELD_TIME] = {"integer", "'format':'int64'"},
    [FIELD_DATE] = {"string", NULL},
    [FIELD_GEO] = {"object", "'properties':{'lat':{'type':'number','minimum':-90,'maximum':90},'lon':{'type':'number',"
                             "'minimum':-180,'maximum':180}},'required':['lat','lon']"},
    [FIELD_FILE] = {"array", NULL},
    [FIELD_JSON] = {NULL, NULL},
    [FIELD_LINES] = {"array", NULL},
};

static void put_type(struct jw *j, const char *type, const char *also, bool null) {
    if (!also && !null) {
        jw_kcstr(j, "type", type);
        return;
    }
    jw_put(j, "'type':[$", JV(J_CSTR(type)));
    if (also) jw_cstr(j, also);
    jw_cstr_if(j, null, "null");
    jw_close(j, ']');
}

static void put_words(struct jw *j, const struct resource *r, const struct field *f, bool null) {
    struct str rest = str_of(f->choices), word;
    jw_put(j, "'enum':[", NO_JV);
    while (str_word(&rest, &word)) jw_str(j, word);
    for (size_t i = 0; f->kind == FIELD_STATE && i < r->states_n; i++) jw_cstr(j, r->states[i]);
    if (null) jw_null(j);
    jw_close(j, ']');
}

static void put_items(struct jw *j, const struct field *f, bool in) {
    if (in) jw_ki64(j, "maxItems", f->max);
    if (in && f->min) jw_ki64(j, "minItems", f->min);
    if (f->kind != FIELD_LINES) {
        jw_put(j, f->kind == FIELD_FILE && !in ? "'items':{'$ref':'#/components/schemas/File'}" : "'items':" SCHEMA_ID,
               NO_JV);
        return;
    }
    struct resource as = {.name = f->name, .fields = f->lines->fields, .fields_n = f->lines->fields_n};
    jw_key(j, "items");
    schema_object(j, &as, &(struct schema){.fields = ~UINT64_C(0), .in = in, .null = true});
}

/* One value: as it is sent (`in`, with its bounds) or given.  A masked number comes as text. */
static void put_field(struct jw *j, const struct resource *r, const struct field *f, bool in, bool null) {
    const char *type = schemas[f->kind].type, *more = schemas[f->kind].more;
    bool masked = !in && f->class != ORDINARY;
    jw_open(j, '{');
    if (type) put_type(j, type, masked && strcmp(type, "string") ? "string" : NULL, null);
    if (more) jw_put(j, more, NO_JV);
    if (f->kind == FIELD_REF) jw_kcstr(j, "x-ref", f->to);
    if (f->kind == FIELD_DATE && !masked) jw_kcstr(j, "format", "date");
    if (f->kind == FIELD_TEXT && in) jw_ki64(j, "maxLength", f->max);
    if (f->kind == FIELD_TEXT && in && f->min) jw_ki64(j, "minLength", f->min);
    if (f->kind == FIELD_CHOICE || f->kind == FIELD_STATE) put_words(j, r, f, null);
    if (type && !strcmp(type, "array")) put_items(j, f, in);
    if (in && (f->min || f->max) && field_is_number(f) && f->kind != FIELD_DATE) {
        jw_key(j, "minimum");
        field_write_bound(j, f, f->min);
        jw_key(j, "maximum");
        field_write_bound(j, f, f->max);
    }
    if (f->unit) jw_kcstr(j, "x-unit", f->unit);
    if (f->class != ORDINARY) jw_kcstr(j, "x-class", field_class_word(f->class));
    jw_close(j, '}');
}

static void put_fields(struct jw *j, const struct resource *r, const struct schema *s) {
    for (size_t i = 0; i < r->fields_n; i++) {
        if (!(s->fields >> i & 1) || (!s->in && r->fields[i].class == SECRET)) continue;
        jw_key(j, r->fields[i].name);
        put_field(j, r, &r->fields[i], s->in, s->null || !(s->required >> i & 1));
    }
}

void schema_object(struct jw *j, const struct resource *r, const struct schema *s) {
    jw_put(j, "{'type':'object','properties':{", NO_JV);
    put_fields(j, r, s);
    if (s->community && !(r->flags & INSTALLATION)) jw_put(j, "'community_id':" SCHEMA_ID, NO_JV);
    jw_close(j, '}');
    if (s->required & s->fields) {
        jw_put(j, "'required':[", NO_JV);
        for (size_t i = 0; i < r->fields_n; i++)
            if ((s->required & s->fields) >> i & 1) jw_cstr(j, r->fields[i].name);
        jw_close(j, ']');
    }
    jw_put(j, "'additionalProperties':false}", NO_JV);
}

void schema_row(struct jw *j, const struct resource *r) {
    jw_put(j,
           "{'type':'object','properties':{'id':" SCHEMA_ID ",'version':{'type':'integer'},"
           "'created_ms':{'type':'integer','format':'int64'},'updated_ms':{'type':'integer','format':'int64'},"
           "'archived_ms':{'type':['integer','null'],'format':'int64'}",
           NO_JV);
    if (!(r->flags & INSTALLATION)) jw_put(j, "'community_id':" SCHEMA_ID, NO_JV);
    jw_put(j,
           "'_labels':{'type':'object','additionalProperties':{'type':['string','array']}},"
           "'_actions':{'type':'array','items':{'type':'string'}},"
           "'_rights':{'type':'array','items':{'enum':['update','archive','restore','reveal']}},"
           "'_masked':{'type':'array','items':{'type':'string'}}",
           NO_JV);
    put_fields(j, r, &(struct schema){.fields = ~UINT64_C(0), .null = true});
    jw_put(j,
           "},'required':['id','version','created_ms','updated_ms','archived_ms','_labels','_actions','_rights',"
           "'_masked']}",
           NO_JV);
}
