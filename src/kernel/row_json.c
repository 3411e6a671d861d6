/* Rows as JSON and text, and back.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/row_json.h"

#include "base/civil.h"
#include "base/utf8.h"
#include "kernel/kernel_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ONE_LINE_MAX 200 /* characters; a text field that takes more takes several lines */

static uint64_t fields_without(const struct resource *r, uint32_t flags) {
    uint64_t bits = 0;
    for (size_t i = 0; i < r->fields_n; i++)
        if (!(r->fields[i].flags & flags)) bits |= UINT64_C(1) << i;
    return bits;
}

uint64_t fields_creatable(const struct resource *r) {
    return fields_without(r, SYSTEM);
}

uint64_t fields_patchable(const struct resource *r) {
    return fields_without(r, SYSTEM | FIXED);
}

uint64_t fields_of_step(const struct resource *r, const char *step, bool need) {
    uint64_t bits = 0;
    for (size_t i = 0; i < r->steps_n; i++)
        for (size_t f = 0; !strcmp(r->steps[i].name, step) && f < r->fields_n; f++)
            if (word_in(need ? r->steps[i].need : r->steps[i].takes, str_of(r->fields[f].name)))
                bits |= UINT64_C(1) << f;
    return bits;
}

/* ---- in: each reader gives NULL or the code of the broken rule ---- */

static const char *read_id(const json_t *v, int64_t *ret) {
    if (json_is_object(v)) v = json_object_get(v, "id"); /* a file as it was given back */
    if (json_is_integer(v)) {
        *ret = json_integer_value(v);
        return *ret > 0 ? NULL : "bad_ref";
    }
    if (!json_is_string(v)) return "bad_type";
    return str_to_i64(json_text(v), ret) && *ret > 0 ? NULL : "bad_ref";
}

static const char *read_ids(struct ctx *ctx, const json_t *v, const struct field *f, struct ids *ret) {
    if (!json_is_array(v)) return "bad_type";
    size_t n = json_array_size(v);
    if ((int64_t)n > f->max) return "too_many";
    int64_t *ids = arena_new(ctx->arena, int64_t, n + 1);
    if (!ids) return "too_large";
    for (size_t i = 0; i < n; i++) {
        const char *code = read_id(json_array_get(v, i), &ids[i]);
        if (code) return code;
        if (ids_have(ids, i, ids[i])) return "duplicate";
    }
    *ret = (struct ids){ids, n};
    return NULL;
}

static const char *read_geo(const json_t *v, struct geo *ret) {
    const json_t *lat = json_object_get(v, "lat"), *lon = json_object_get(v, "lon");
    if (!json_is_number(lat) || !json_is_number(lon)) return "bad_type";
    double y = json_number_value(lat), x = json_number_value(lon);
    if (!(y >= -90 && y <= 90 && x >= -180 && x <= 180)) return "out_of_range";
    *ret = (struct geo){(int32_t)lround(y * 1e7), (int32_t)lround(x * 1e7)};
    return NULL;
}

/* Whether people could type it is asked here, of what clients send: what devices say is kept as it is. */
static const char *read_text(struct ctx *ctx, const json_t *v, const struct field *f, struct str *ret) {
    if (!json_is_string(v)) return "bad_type";
    if (!utf8_is_typed(json_text(v), f->max > ONE_LINE_MAX)) return "bad_text";
    return arena_str(ctx->arena, json_text(v), ret) ? NULL : "too_large";
}

static const char *read_json(struct ctx *ctx, const json_t *v, struct str *ret) {
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    bool ok = text && arena_str(ctx->arena, str_of(text), ret);
    free(text);
    return ok ? NULL : "too_large";
}

static const char *read_int(const json_t *v, int64_t *ret) {
    if (!json_is_integer(v)) return "bad_type";
    *ret = json_integer_value(v);
    return NULL;
}

static const char *read_lines(struct ctx *ctx, const json_t *v, const struct field *f, struct lines *ret);

static const char *read_value(struct ctx *ctx, const json_t *v, const struct field *f, void *row) {
    void *at = (char *)row + f->at;
    switch (f->kind) {
    case FIELD_REF: return read_id(v, at);
    case FIELD_REFS:
    case FIELD_FILE: return read_ids(ctx, v, f, at);
    case FIELD_TEXT:
    case FIELD_CHOICE: return read_text(ctx, v, f, at);
    case FIELD_MONEY:
    case FIELD_INT: return read_int(v, at);
    case FIELD_DECIMAL: return json_to_decimal(v, f->scale, at);
    case FIELD_FLAG:
        if (!json_is_boolean(v)) return "bad_type";
        *(bool *)at = json_is_true(v);
        return NULL;
    case FIELD_TIME:
        if (!json_is_string(v)) return read_int(v, at);
        return civil_read_time(json_text(v), at) ? NULL : "bad_type";
    case FIELD_DATE: return json_is_string(v) && civil_read_date(json_text(v), at) ? NULL : "bad_type";
    case FIELD_GEO: return read_geo(v, at);
    case FIELD_JSON: return read_json(ctx, v, at);
    case FIELD_LINES: return read_lines(ctx, v, f, at);
    case FIELD_STATE: return "read_only";
    }
    return "bad_type";
}

static const char *read_line(struct ctx *ctx, const json_t *v, const struct line_type *t, void *line) {
    const char *key;
    json_t *item;
    if (!json_is_object(v)) return "bad_type";
    json_object_foreach((json_t *)(uintptr_t)v, key, item) {
        struct resource as = {.fields = t->fields, .fields_n = t->fields_n};
        size_t i = field_index(&as, key);
        if (i == NO_FIELD) return "unknown_field";
        if (json_is_null(item)) continue;
        const char *code = read_value(ctx, item, &t->fields[i], line);
        if (code) return code;
        *(uint64_t *)line |= UINT64_C(1) << i;
    }
    return NULL;
}

static const char *read_lines(struct ctx *ctx, const json_t *v, const struct field *f, struct lines *ret) {
    if (!json_is_array(v)) return "bad_type";
    size_t n = json_array_size(v);
    if ((int64_t)n > f->max) return "too_many";
    char *mem = arena_alloc(ctx->arena, n + 1, f->lines->size, _Alignof(max_align_t));
    if (!mem) return "too_large";
    for (size_t i = 0; i < n; i++) {
        const char *code = read_line(ctx, json_array_get(v, i), f->lines, mem + i * f->lines->size);
        if (code) return code;
    }
    *ret = (struct lines){mem, n};
    return NULL;
}

enum err row_read_json(struct ctx *ctx, const struct resource *r, const json_t *object, uint64_t allowed, void *row,
                       uint64_t *ret_fields) {
    const char *key;
    json_t *value;
    uint64_t fields = 0;
    if (!json_is_object(object)) return FAIL(&ctx->fault, ERR_INVALID, "bad_type", "the body must be a JSON object");
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        size_t i = field_index(r, key);
        const char *code = NULL;
        if (i == NO_FIELD)
            code = "unknown_field";
        else if (!bit_has(allowed, i))
            code = r->fields[i].flags & SYSTEM ? "read_only" : "fixed";
        else if (!json_is_null(value))
            code = read_value(ctx, value, &r->fields[i], row);
        if (code) {
            (void)FAIL_FIELD(&ctx->fault, key, code, i == NO_FIELD ? 0 : r->fields[i].max);
            continue;
        }
        fields |= UINT64_C(1) << i;
        if (!json_is_null(value)) ((struct row *)row)->has |= UINT64_C(1) << i;
    }
    if (ctx->fault.kind) return ctx->fault.kind;
    *ret_fields = fields;
    return OK;
}

const char *field_read_text(const struct field *f, const struct resource *r, struct str text, struct db_val *ret) {
    bool ok = false;
    int64_t v = 0;
    *ret = V_TEXT(text);
    switch (f->kind) {
    case FIELD_TEXT: return NULL;
    case FIELD_CHOICE: return word_in(f->choices, text) ? NULL : "bad_choice";
    case FIELD_STATE:
        for (size_t i = 0; i < r->states_n; i++) ok |= str_is(text, r->states[i]);
        return ok ? NULL : "bad_choice";
    case FIELD_FLAG:
        v = str_is(text, "true");
        ok = v || str_is(text, "false");
        break;
    case FIELD_DECIMAL: ok = !str_to_decimal(text, f->scale, &v); break;
    case FIELD_DATE: ok = civil_read_date(text, &v); break;
    case FIELD_TIME: ok = str_to_i64(text, &v) || civil_read_time(text, &v); break;
    case FIELD_REF:
    case FIELD_INT:
    case FIELD_MONEY: ok = str_to_i64(text, &v); break;
    case FIELD_REFS:
    case FIELD_GEO:
    case FIELD_FILE:
    case FIELD_JSON:
    case FIELD_LINES: return "not_filterable";
    }
    *ret = V_I64(v);
    return ok ? NULL : "bad_type";
}

/* ---- out ---- */

void mask_text(struct buf *out, enum field_class class, struct str text) {
    size_t count = utf8_count(text);
    if (class == CONTACT && count >= 8) { /* 138****5678; of what is shorter than a mobile number no more than half */
        size_t head = count >= 11 ? 3 : 2, tail = count >= 11 ? 4 : count / 2 - head;
        buf_str(out, utf8_head(text, head));
        buf_cstr(out, "****");
        buf_str(out, utf8_tail(text, tail));
        return;
    }
    if (count > 1) buf_str(out, utf8_head(text, 1));
    size_t stars = count > 2 ? 2 : 1;
    for (size_t i = 0; i < stars; i++) buf_char(out, '*');
}

static void put_ids(struct jw *j, const struct ids *ids) {
    jw_open(j, '[');
    for (size_t i = 0; i < ids->n; i++) jw_id(j, ids->ids[i]);
    jw_close(j, ']');
}

/* The value of each field in `fields`, null where it is absent. */
static void put_members(struct jw *j, const struct resource *r, const void *row, uint64_t has, uint64_t fields,
                        uint32_t clear) {
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        if (!bit_has(fields, i) || f->class == SECRET) continue;
        jw_key(j, f->name);
        if (bit_has(has, i))
            field_write_json(j, r, f, row, field_is_masked(f, clear));
        else
            jw_null(j);
    }
}

static void put_lines(struct jw *j, const struct field *f, const struct lines *lines) {
    struct resource as = {.fields = f->lines->fields, .fields_n = f->lines->fields_n};
    jw_open(j, '[');
    for (size_t n = 0; n < lines->n; n++) {
        const void *line = line_at(f, lines, n);
        jw_open(j, '{');
        put_members(j, &as, line, line_has(line), ~UINT64_C(0), ~UINT32_C(0));
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

/* Every value as text; `plain`: numbers as programs take them (cents, milliseconds), not as people read them. */
static void put_text(struct buf *b, const struct resource *r, const struct field *f, const void *at, bool plain,
                     const struct zone *zone) {
    const struct geo *g = at;
    struct jw j;
    jw_init(&j, b);
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_JSON: buf_str(b, *(const struct str *)at); return;
    case FIELD_STATE: buf_cstr(b, r->states[*(const int32_t *)at]); return;
    case FIELD_FLAG: buf_cstr(b, *(const bool *)at ? "true" : "false"); return;
    case FIELD_DECIMAL: buf_decimal(b, *(const int64_t *)at, f->scale); return;
    case FIELD_DATE: civil_put_date(b, *(const int64_t *)at); return;
    case FIELD_MONEY: buf_decimal(b, *(const int64_t *)at, plain ? 0 : 2); return;
    case FIELD_TIME:
        if (!plain) {
            civil_put_time(b, zone, *(const int64_t *)at);
            return;
        }
        break;
    case FIELD_REF:
    case FIELD_INT: break;
    case FIELD_GEO:
        buf_cstr(b, "{\"lat\":");
        buf_decimal(b, g->lat_e7, 7);
        buf_cstr(b, ",\"lon\":");
        buf_decimal(b, g->lon_e7, 7);
        buf_char(b, '}');
        return;
    case FIELD_REFS:
    case FIELD_FILE: put_ids(&j, at); return;
    case FIELD_LINES: put_lines(&j, f, at); return;
    }
    buf_i64(b, *(const int64_t *)at);
}

void field_write_text(struct buf *out, const struct resource *r, const struct field *f, const void *row, bool mask,
                      const struct zone *zone) {
    const void *at = field_at(f, row);
    if (!mask)
        put_text(out, r, f, at, false, zone);
    else if (f->kind == FIELD_TEXT)
        mask_text(out, f->class, *(const struct str *)at);
    else
        buf_cstr(out, "***");
}

/* Text, ids, words of choices and states, and days stand in quotes. */
void field_write_json(struct jw *j, const struct resource *r, const struct field *f, const void *row, bool mask) {
    const void *at = field_at(f, row);
    enum field_shape shape = field_kinds[f->kind].shape;
    char mem[256];
    struct buf b;
    struct str text;
    buf_init(&b, mem, sizeof mem);
    if (mask) {
        field_write_text(&b, r, f, row, true, NULL);
        jw_str(j, buf_done(&b, &text) ? text : S("***"));
    } else if (f->kind == FIELD_JSON) {
        jw_raw(j, *(const struct str *)at);
    } else if (shape == SHAPE_TEXT) {
        jw_str(j, *(const struct str *)at);
    } else if (shape == SHAPE_LINES) {
        put_lines(j, f, at);
    } else if (shape == SHAPE_IDS) {
        put_ids(j, at);
    } else {
        put_text(&b, r, f, at, true, NULL);
        text = (struct str){mem, b.len};
        if (f->kind == FIELD_REF || f->kind == FIELD_STATE || f->kind == FIELD_DATE)
            jw_str(j, text);
        else
            jw_raw(j, text);
    }
}

void row_write_json(struct jw *j, const struct resource *r, const void *row, uint64_t fields, uint32_t clear) {
    put_members(j, r, row, row_of(row)->has, fields, clear);
}

void field_write_bound(struct jw *j, const struct field *f, int64_t bound) {
    double scaled = (double)bound;
    for (int i = 0; i < f->scale; i++) scaled /= 10;
    if (!field_is_counted(f) && (!field_is_number(f) || (!f->min && !f->max)))
        jw_null(j);
    else if (f->kind == FIELD_DECIMAL)
        jw_f64(j, scaled);
    else if (f->kind == FIELD_DATE)
        field_write_json(j, NULL, &(struct field){.kind = FIELD_DATE}, &bound, false);
    else
        jw_i64(j, bound);
}
