/* Fields as stored: row structs to columns and back, child rows, comparison.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

#include <string.h>

/* Protected values are stored as a key-version byte and bytes; version 0 is plain. */
#define SEAL_PLAIN 0

const struct field_kind_info field_kinds[] = {
    [FIELD_REF] = {"ref", SHAPE_I64, sizeof(int64_t)},
    [FIELD_REFS] = {"refs", SHAPE_IDS, sizeof(struct ids)},
    [FIELD_TEXT] = {"text", SHAPE_TEXT, sizeof(struct str)},
    [FIELD_INT] = {"int", SHAPE_I64, sizeof(int64_t)},
    [FIELD_DECIMAL] = {"decimal", SHAPE_I64, sizeof(int64_t)},
    [FIELD_MONEY] = {"money", SHAPE_I64, sizeof(int64_t)},
    [FIELD_FLAG] = {"flag", SHAPE_BOOL, sizeof(bool)},
    [FIELD_CHOICE] = {"choice", SHAPE_TEXT, sizeof(struct str)},
    [FIELD_STATE] = {"state", SHAPE_STATE, sizeof(int32_t)},
    [FIELD_TIME] = {"time", SHAPE_I64, sizeof(int64_t)},
    [FIELD_DATE] = {"date", SHAPE_I64, sizeof(int64_t)},
    [FIELD_GEO] = {"geo", SHAPE_GEO, sizeof(struct geo)},
    [FIELD_FILE] = {"file", SHAPE_IDS, sizeof(struct ids)},
    [FIELD_JSON] = {"json", SHAPE_TEXT, sizeof(struct str)},
    [FIELD_LINES] = {"lines", SHAPE_LINES, sizeof(struct lines)},
};

const struct field system_fields[SYSTEM_FIELDS] = {
    {INT(struct row, id), .flags = COLUMN},
    {INT(struct row, community_id), .flags = COLUMN},
    {INT(struct row, version)},
    {INT(struct row, created_ms), .flags = COLUMN},
    {INT(struct row, created_by)},
    {INT(struct row, updated_ms), .flags = COLUMN},
    {INT(struct row, archived_ms)},
};

const char *field_class_word(enum field_class class) {
    static const char *const words[] = {[IDENTITY] = "identity",
                                        [CONTACT] = "contact",
                                        [HEALTH] = "health",
                                        [MONETARY] = "monetary",
                                        [SECRET] = "secret"};
    return class ? words[class] : "ordinary";
}

static enum field_shape shape_of(const struct field *f) {
    return field_kinds[f->kind].shape;
}

bool field_is_masked(const struct field *f, uint32_t clear) {
    return f->class != ORDINARY && !(f->class & clear);
}

bool field_is_counted(const struct field *f) {
    return (shape_of(f) == SHAPE_TEXT && f->kind != FIELD_CHOICE) || shape_of(f) >= SHAPE_IDS;
}

bool field_is_number(const struct field *f) {
    return shape_of(f) == SHAPE_I64 && f->kind != FIELD_REF;
}

bool field_is_comparable(const struct field *f) {
    return f->class == ORDINARY && shape_of(f) <= SHAPE_STATE && f->kind != FIELD_JSON;
}

int64_t row_place(const struct known *kn, const void *row) {
    if (kn->place == PLACE_IS_ID) return row_of(row)->id;
    if (kn->place == NO_FIELD || !bit_has(row_of(row)->has, kn->place)) return 0;
    return field_i64(&kn->r->fields[kn->place], row);
}

static int64_t geo_pack(struct geo g) {
    return (int64_t)((uint64_t)((int64_t)g.lat_e7 + 900000000) << 32 | (uint32_t)((int64_t)g.lon_e7 + 1800000000));
}

static struct geo geo_unpack(int64_t v) {
    return (struct geo){(int32_t)((v >> 32) - 900000000), (int32_t)((v & 0xffffffff) - 1800000000)};
}

static struct db_val ids_to_val(struct ctx *ctx, const struct ids *ids) {
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, 64u * 1024);
    buf_ids(&b, ids->ids, ids->n);
    return buf_done(&b, &text) ? V_TEXT(text) : V_NULL;
}

static struct db_val plain_to_val(struct ctx *ctx, const struct resource *r, const struct field *f, const void *row) {
    const void *at = field_at(f, row);
    switch (shape_of(f)) {
    case SHAPE_I64: return V_I64(*(const int64_t *)at);
    case SHAPE_BOOL: return V_I64(*(const bool *)at);
    case SHAPE_TEXT: return V_TEXT(*(const struct str *)at);
    case SHAPE_STATE: return V_TEXT(str_of(r->states[*(const int32_t *)at]));
    case SHAPE_GEO: return V_I64(geo_pack(*(const struct geo *)at));
    case SHAPE_IDS: return ids_to_val(ctx, at);
    case SHAPE_LINES: break;
    }
    return V_NULL;
}

struct db_val field_to_val(struct ctx *ctx, const struct resource *r, const struct field *f, const void *row,
                           bool present) {
    if (!present) return V_NULL;
    struct db_val v = plain_to_val(ctx, r, f, row);
    if (!is_stored_sealed(f) || v.type == DB_NULL) return v;
    struct buf b;
    buf_init_arena(&b, ctx->arena, 4u * 1024 * 1024);
    buf_char(&b, SEAL_PLAIN);
    if (v.type == DB_TEXT)
        buf_str(&b, v.text);
    else
        buf_i64(&b, v.i64);
    return b.overflow ? V_NULL : V_BLOB(((struct bytes){(const uint8_t *)b.ptr, b.len}));
}

static enum err ids_from_text(struct ctx *ctx, struct str text, struct ids *ret) {
    int64_t *ids = arena_new(ctx->arena, int64_t, text.len / 2 + 1);
    if (!ids) return FAIL_MEMORY(ctx);
    *ret = (struct ids){ids, 0};
    if (str_to_ids(text, ids, &ret->n)) return OK;
    return FAIL(&ctx->fault, ERR_CORRUPT, "stored", "a stored list of ids is damaged");
}

static enum err text_in(struct ctx *ctx, struct str text, struct str *ret) {
    if (!arena_str(ctx->arena, text.ptr ? text : S(""), ret)) return FAIL_MEMORY(ctx);
    return OK;
}

static enum err state_from_text(struct ctx *ctx, const struct resource *r, struct str text, int32_t *ret) {
    for (size_t i = 0; i < r->states_n; i++)
        if (str_is(text, r->states[i])) {
            *ret = (int32_t)i;
            return OK;
        }
    return FAIL(&ctx->fault, ERR_CORRUPT, "stored", "%s: the stored state is not one of ours", r->name);
}

static enum err val_into(struct ctx *ctx, const struct resource *r, const struct field *f, struct db_val v, void *row) {
    void *at = (char *)row + f->at;
    struct str text = v.type == DB_TEXT ? v.text : (struct str){NULL, 0};
    int64_t number = v.type == DB_I64 ? v.i64 : 0;
    if (is_stored_sealed(f)) {
        if (v.type != DB_BLOB || !v.blob.len || v.blob.ptr[0] != SEAL_PLAIN)
            return FAIL(&ctx->fault, ERR_CORRUPT, "stored", "%s.%s: sealed with an unknown key", r->name, f->name);
        text = (struct str){(const char *)v.blob.ptr + 1, v.blob.len - 1};
        if (shape_of(f) != SHAPE_TEXT && !str_to_i64(text, &number))
            return FAIL(&ctx->fault, ERR_CORRUPT, "stored", "%s.%s: the stored value is damaged", r->name, f->name);
    }
    switch (shape_of(f)) {
    case SHAPE_I64: *(int64_t *)at = number; return OK;
    case SHAPE_BOOL: *(bool *)at = number != 0; return OK;
    case SHAPE_TEXT: return text_in(ctx, text, at);
    case SHAPE_STATE: return state_from_text(ctx, r, text, at);
    case SHAPE_GEO: *(struct geo *)at = geo_unpack(number); return OK;
    case SHAPE_IDS: return ids_from_text(ctx, text, at);
    case SHAPE_LINES: break;
    }
    return OK;
}

/* Columns from `col` on into the members of these fields. */
static enum err load_fields(struct ctx *ctx, const struct resource *r, const struct db_rows *rows, size_t col,
                            uint64_t fields, void *row, uint64_t *has) {
    for (size_t i = 0; i < r->fields_n; i++) {
        if (!bit_has(fields, i)) continue;
        struct db_val v = db_col(rows, col++);
        if (v.type == DB_NULL) continue;
        *has |= UINT64_C(1) << i;
        TRY(val_into(ctx, r, &r->fields[i], v, row));
    }
    return OK;
}

enum err rows_load(struct ctx *ctx, const struct known *kn, struct sql *q, uint64_t fields, char **ret, size_t *ret_n) {
    struct db_rows rows = {0};
    size_t size = kn->r->size, n = 0, cap = 0;
    char *mem = NULL;
    enum err e = sql_query(q, &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        mem = arena_grow(ctx->arena, mem, n, &cap, size);
        struct row *row = mem ? (void *)(mem + n++ * size) : NULL;
        for (size_t i = 0; row && i < SYSTEM_FIELDS; i++)
            *(int64_t *)(void *)((char *)row + system_fields[i].at) = db_i64(&rows, i);
        e = row ? load_fields(ctx, kn->r, &rows, SYSTEM_FIELDS, fields & kn->stored, row, &row->has) : FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    *ret = mem;
    *ret_n = n;
    return e;
}

/* ---- child rows ---- */

static enum err lines_load_one(struct ctx *ctx, const struct known *kn, size_t field, void *row) {
    const struct field *f = &kn->r->fields[field];
    const struct line_type *t = f->lines;
    struct lines *out = (struct lines *)((char *)row + f->at);
    struct resource as = {.name = f->name, .fields = t->fields, .fields_n = t->fields_n, .size = t->size};
    struct sql q = sql_of(ctx);
    struct db_rows rows = {0};
    char *mem = arena_alloc(ctx->arena, (size_t)f->max + 1, t->size, _Alignof(max_align_t));
    if (!mem) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < t->fields_n; i++) sql_put(&q, i ? ", $" : "SELECT $", PARTS(Q_NAME(t->fields[i].name)));
    sql_put(&q, " FROM $_$ WHERE row_id = $ ORDER BY pos LIMIT $",
            PARTS(Q_NAME(kn->r->name), Q_NAME(f->name), Q_I64(row_of(row)->id), Q_I64(f->max)));
    enum err e = sql_query(&q, &rows);
    size_t n = 0;
    while (db_more(&rows, &ctx->fault, &e)) {
        void *line = mem + n++ * t->size;
        e = load_fields(ctx, &as, &rows, 0, ~UINT64_C(0), line, line);
    }
    db_done(&rows);
    if (e) return e;
    *out = (struct lines){mem, n};
    if (n) ((struct row *)row)->has |= UINT64_C(1) << field;
    return OK;
}

enum err lines_load(struct ctx *ctx, const struct known *kn, void *row) {
    for (size_t i = 0; i < kn->r->fields_n; i++)
        if (kn->r->fields[i].kind == FIELD_LINES) TRY(lines_load_one(ctx, kn, i, row));
    return OK;
}

static enum err lines_save_one(struct ctx *ctx, const struct known *kn, const struct field *f, const void *row,
                               bool has) {
    const struct line_type *t = f->lines;
    const struct lines *lines = (const struct lines *)field_at(f, row);
    struct resource as = {.name = f->name, .fields = t->fields, .fields_n = t->fields_n, .size = t->size};
    struct sql_part table = Q_NAME(kn->r->name), lines_of = Q_NAME(f->name), id = Q_I64(row_of(row)->id);
    struct sql q = sql_of(ctx);
    sql_put(&q, "DELETE FROM $_$ WHERE row_id = $", PARTS(table, lines_of, id));
    TRY(sql_exec(&q, NULL));
    for (size_t n = 0; has && n < lines->n; n++) {
        const void *line = line_at(f, lines, n);
        q = sql_of(ctx);
        sql_put(&q, "INSERT INTO $_$ (row_id, pos", PARTS(table, lines_of));
        for (size_t i = 0; i < t->fields_n; i++) sql_put(&q, ", $", PARTS(Q_NAME(t->fields[i].name)));
        sql_put(&q, ") VALUES ($, $", PARTS(id, Q_I64((int64_t)n)));
        for (size_t i = 0; i < t->fields_n; i++)
            sql_put(&q, ", $", PARTS(Q_VAL(field_to_val(ctx, &as, &t->fields[i], line, bit_has(line_has(line), i)))));
        sql_add(&q, ")");
        TRY(sql_exec(&q, NULL));
    }
    return OK;
}

enum err lines_save(struct ctx *ctx, const struct known *kn, const void *row, uint64_t fields) {
    for (size_t i = 0; i < kn->r->fields_n; i++)
        if (kn->r->fields[i].kind == FIELD_LINES && bit_has(fields, i))
            TRY(lines_save_one(ctx, kn, &kn->r->fields[i], row, bit_has(row_of(row)->has, i)));
    return OK;
}

/* ---- comparison ---- */

static bool lines_same(const struct field *f, const struct lines *a, const struct lines *b) {
    if (a->n != b->n) return false;
    for (size_t n = 0; n < a->n; n++)
        for (size_t i = 0; i < f->lines->fields_n; i++) {
            const void *x = line_at(f, a, n), *y = line_at(f, b, n);
            if (!field_same(&f->lines->fields[i], x, bit_has(line_has(x), i), y, bit_has(line_has(y), i))) return false;
        }
    return true;
}

bool field_same(const struct field *f, const void *a, bool a_has, const void *b, bool b_has) {
    if (a_has != b_has) return false;
    if (!a_has) return true;
    const void *x = field_at(f, a), *y = field_at(f, b);
    switch (shape_of(f)) {
    case SHAPE_I64: return *(const int64_t *)x == *(const int64_t *)y;
    case SHAPE_BOOL: return *(const bool *)x == *(const bool *)y;
    case SHAPE_TEXT: return str_eq(*(const struct str *)x, *(const struct str *)y);
    case SHAPE_STATE: return *(const int32_t *)x == *(const int32_t *)y;
    case SHAPE_GEO: return !memcmp(x, y, sizeof(struct geo));
    case SHAPE_IDS: {
        const struct ids *p = x, *q = y;
        return p->n == q->n && (!p->n || !memcmp(p->ids, q->ids, p->n * sizeof *p->ids));
    }
    case SHAPE_LINES: return lines_same(f, x, y);
    }
    return false;
}
