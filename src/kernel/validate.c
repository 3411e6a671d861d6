/* The rules every field has: presence, bounds, choices, references; and those of dated rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

#include "base/utf8.h"
#include "kernel/file.h"

#include <string.h>

#define NUMBER_MOST INT64_C(9007199254740992) /* 2^53: what a JSON number carries exactly */

struct at {
    struct ctx *ctx;
    const char *prefix;   /* "" or "lines.0." */
    int64_t community_id; /* that references stay in; 0: they may go anywhere */
};

static void wrong(struct at *a, const struct field *f, const char *code, int64_t limit) {
    char name[48];
    struct buf b;
    buf_init(&b, name, sizeof name);
    buf_fmt(&b, "%s%s", a->prefix, f->name);
    (void)FAIL_FIELD(&a->ctx->fault, name, code, limit);
}

static void check_count(struct at *a, const struct field *f, int64_t n) {
    bool is_text = field_kinds[f->kind].shape == SHAPE_TEXT;
    if (n > f->max)
        wrong(a, f, is_text ? "too_long" : "too_many", f->max);
    else if (n < f->min)
        wrong(a, f, is_text ? "too_short" : "too_few", f->min);
}

static void check_text(struct at *a, const struct field *f, struct str text) {
    if (!utf8_is_valid(text)) {
        wrong(a, f, "bad_text", 0);
        return;
    }
    check_count(a, f, (int64_t)utf8_count(text));
    const char *code = f->check && text.len ? f->check(text) : NULL;
    if (code) wrong(a, f, code, 0);
}

static void check_number(struct at *a, const struct field *f, int64_t v) {
    bool open = !f->min && !f->max;
    int64_t most = open ? NUMBER_MOST : f->max, least = open ? -NUMBER_MOST : f->min;
    if (v > most)
        wrong(a, f, "too_large", most);
    else if (v < least)
        wrong(a, f, "too_small", least);
}

static void check_present(struct at *a, const struct field *f, const void *row) {
    const void *at = field_at(f, row);
    const struct geo *g = at;
    switch (field_kinds[f->kind].shape) {
    case SHAPE_I64:
        if (field_is_number(f)) check_number(a, f, *(const int64_t *)at);
        return;
    case SHAPE_TEXT:
        if (f->kind != FIELD_CHOICE)
            check_text(a, f, *(const struct str *)at);
        else if (!word_in(f->choices, *(const struct str *)at))
            wrong(a, f, "bad_choice", 0);
        return;
    case SHAPE_GEO:
        if (g->lat_e7 < -900000000 || g->lat_e7 > 900000000 || g->lon_e7 < -1800000000 || g->lon_e7 > 1800000000)
            wrong(a, f, "out_of_range", 0);
        return;
    case SHAPE_IDS: check_count(a, f, (int64_t)((const struct ids *)at)->n); return;
    case SHAPE_LINES: check_count(a, f, (int64_t)((const struct lines *)at)->n); return;
    case SHAPE_BOOL:
    case SHAPE_STATE: return;
    }
}

static bool is_blank(const struct field *f, const void *row) {
    return f->kind == FIELD_TEXT && !str_trim(*(const struct str *)field_at(f, row)).len;
}

static void check_field(struct at *a, const struct field *f, const void *row, bool has) {
    if (!has || ((f->flags & REQUIRED) && is_blank(f, row))) {
        if (f->flags & REQUIRED) wrong(a, f, "required", 0);
        return;
    }
    check_present(a, f, row);
}

#define LINE_PREFIX 40
static const char *line_prefix(char mem[LINE_PREFIX], const struct field *f, size_t n) {
    struct buf b;
    buf_init(&b, mem, LINE_PREFIX);
    buf_fmt(&b, "%.24s.%zu.", f->name, n);
    return mem;
}

static void check_lines(struct at *a, const struct field *f, const void *row) {
    const struct lines *lines = field_at(f, row);
    for (size_t n = 0; n < lines->n && (int64_t)n < f->max; n++) {
        const void *line = line_at(f, lines, n);
        char prefix[LINE_PREFIX];
        struct at in = {a->ctx, line_prefix(prefix, f, n), 0};
        for (size_t i = 0; i < f->lines->fields_n; i++)
            check_field(&in, &f->lines->fields[i], line, bit_has(line_has(line), i));
    }
}

/* ---- references: the target must be there and not archived; readable, too, unless the program filled it in.  What a
 * person names is of the row's own community or a place; the program knows why it names another's (a street's pass). */

static enum err check_target(struct at *a, const struct field *f, const int64_t *ids, size_t n) {
    struct ctx *ctx = a->ctx;
    const struct known *target = known_named(ctx->kernel, str_of(f->to));
    struct sql q = sql_of(ctx);
    struct plan plan;
    int64_t found = 0;
    bool answered;
    if (!n) return OK;
    sql_put(&q, "SELECT COUNT(*) FROM $ WHERE archived_ms = 0 AND id IN $", PARTS(Q_NAME(target->from), Q_IDS(ids, n)));
    if (a->community_id && target->place != PLACE_IS_ID && !(target->r->flags & INSTALLATION))
        sql_put(&q, " AND community_id = $", PARTS(Q_I64(a->community_id)));
    if (!(f->flags & SYSTEM)) {
        TRY(rights_plan(ctx, target, READ, &plan));
        sql_add(&q, " AND ");
        rights_where(ctx, target, &plan, &q);
    }
    TRY(sql_one_i64(&q, &found, &answered));
    if (found != (int64_t)n) wrong(a, f, "bad_ref", 0);
    return OK;
}

static bool lines_name(const struct field *f, const struct lines *lines, size_t i, int64_t id) {
    for (size_t n = 0; lines && n < lines->n; n++) {
        const void *line = line_at(f, lines, n);
        if (bit_has(line_has(line), i) && field_i64(&f->lines->fields[i], line) == id) return true;
    }
    return false;
}

/* What no line named before. */
static enum err check_line_refs(struct at *of, const struct field *f, const struct lines *lines,
                                const struct lines *before) {
    for (size_t n = 0; n < lines->n; n++)
        for (size_t i = 0; i < f->lines->fields_n; i++) {
            const struct field *ref = &f->lines->fields[i];
            const void *line = line_at(f, lines, n);
            char prefix[LINE_PREFIX];
            struct at a = {of->ctx, line_prefix(prefix, f, n), of->community_id};
            if (ref->kind != FIELD_REF || !bit_has(line_has(line), i)) continue;
            if (!lines_name(f, before, i, field_i64(ref, line))) TRY(check_target(&a, ref, field_at(ref, line), 1));
        }
    return OK;
}

static enum err check_refs(struct ctx *ctx, const struct known *kn, const void *row, const void *before) {
    struct at a = {ctx, "", ctx->actor.is_system ? 0 : row_of(row)->community_id};
    for (size_t i = 0; i < kn->r->fields_n; i++) {
        const struct field *f = &kn->r->fields[i];
        bool has = bit_has(row_of(row)->has, i);
        if (!has || (before && field_same(f, row, has, before, bit_has(row_of(before)->has, i)))) continue;
        const void *at = field_at(f, row);
        const void *was = before && bit_has(row_of(before)->has, i) ? field_at(f, before) : NULL;
        bool may_attach = true;
        if (f->kind == FIELD_REF) TRY(check_target(&a, f, at, 1));
        if (f->kind == FIELD_REFS) TRY(check_target(&a, f, ((const struct ids *)at)->ids, ((const struct ids *)at)->n));
        if (f->kind == FIELD_FILE) TRY(file_check_attach(ctx, at, was ? was : &(struct ids){0}, &may_attach));
        if (f->kind == FIELD_LINES) TRY(check_line_refs(&a, f, at, was));
        if (!may_attach) wrong(&a, f, "bad_ref", 0);
    }
    return OK;
}

/* ---- dated rows: [valid_from, valid_until) of one key never overlap ---- */

enum err row_check_dated(struct ctx *ctx, const struct known *kn, const void *row) {
    const struct resource *r = kn->r;
    size_t from = field_index(r, "valid_from"), until = field_index(r, "valid_until");
    bool has_until = bit_has(row_of(row)->has, until);
    if (!bit_has(row_of(row)->has, from)) return FAIL_FIELD(&ctx->fault, "valid_from", "required", 0);
    int64_t a = field_i64(&r->fields[from], row), b = field_i64(&r->fields[until], row);
    if (has_until && b <= a) return FAIL_FIELD(&ctx->fault, "valid_until", "not_after", 0);
    struct sql q = sql_of(ctx);
    sql_put(&q,
            "SELECT id FROM $ WHERE archived_ms = 0 AND community_id = $ AND id <> $ AND (valid_until IS NULL OR "
            "valid_until > $)",
            PARTS(Q_NAME(r->name), Q_I64(row_of(row)->community_id), Q_I64(row_of(row)->id), Q_I64(a)));
    if (has_until) sql_put(&q, " AND valid_from < $", PARTS(Q_I64(b)));
    struct str rest = str_of(r->dated), part;
    while (str_word(&rest, &part)) {
        size_t i = field_index_str(r, part);
        struct sql_part name = Q_NAME(r->fields[i].name);
        if (bit_has(row_of(row)->has, i))
            sql_put(&q, " AND $ = $", PARTS(name, Q_VAL(field_to_val(ctx, r, &r->fields[i], row, true))));
        else
            sql_put(&q, " AND $ IS NULL", PARTS(name));
    }
    sql_add(&q, " LIMIT 1");
    int64_t other;
    bool overlaps;
    TRY(sql_one_i64(&q, &other, &overlaps));
    return overlaps ? FAIL_FIELD(&ctx->fault, "valid_from", "overlaps", 0) : OK;
}

void row_check_given(struct ctx *ctx, const struct known *kn, const void *row) {
    struct at a = {ctx, "", 0};
    for (size_t i = 0; i < kn->r->fields_n; i++)
        if (!(kn->r->fields[i].flags & SYSTEM)) check_field(&a, &kn->r->fields[i], row, bit_has(row_of(row)->has, i));
}

enum err row_check(struct ctx *ctx, const struct known *kn, void *row, const void *before) {
    struct at a = {ctx, "", 0};
    const struct resource *r = kn->r;
    for (size_t i = 0; i < r->fields_n; i++) {
        bool has = bit_has(row_of(row)->has, i);
        check_field(&a, &r->fields[i], row, has);
        if (has && r->fields[i].kind == FIELD_LINES) check_lines(&a, &r->fields[i], row);
    }
    if (ctx->fault.kind) return ctx->fault.kind;
    TRY(check_refs(ctx, kn, row, before));
    if (ctx->fault.kind) return ctx->fault.kind;
    if (r->dated) TRY(row_check_dated(ctx, kn, row));
    return r->validate ? r->validate(ctx, row) : OK;
}
