/* Rows as clients get them: fields, labels of what they refer to, files, and what may be done with them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "kernel/file.h"
#include "kernel/row_json.h"

#include <string.h>

struct page {
    const struct resource *r;
    const char *rows;
    size_t n;
    bool many, spans;
    struct refs *columns; /* one a field; empty for the others */
};

static const struct row *row_at(const struct page *p, size_t i) {
    return (const struct row *)(const void *)(p->rows + i * p->r->size);
}

static bool has(const void *row, size_t field) {
    return ((const struct row *)row)->has >> field & 1;
}

/* What a REF, REFS or FILE field refers to; nothing where it is absent. */
static struct ids ids_at(const struct page *p, size_t field, const void *row) {
    const struct field *f = &p->r->fields[field];
    const void *at = (const char *)row + f->at;
    if (!has(row, field)) return (struct ids){0};
    return f->kind == FIELD_REF ? (struct ids){at, 1} : *(const struct ids *)at;
}

struct str refs_label(const struct refs *c, int64_t id) {
    size_t at = c->labels ? ids_find(c->ids, c->n, id) : SIZE_MAX;
    return at == SIZE_MAX ? (struct str){NULL, 0} : c->labels[at];
}

static enum err gather(struct ctx *ctx, const struct page *p, size_t field, struct refs *c) {
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) n += ids_at(p, field, row_at(p, i)).n;
    c->ids = arena_new(ctx->arena, int64_t, n + 1);
    if (!c->ids) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < p->n; i++) {
        struct ids ids = ids_at(p, field, row_at(p, i));
        for (size_t k = 0; k < ids.n; k++) c->ids[c->n++] = ids.ids[k];
    }
    c->n = ids_unique(c->ids, c->n);
    return OK;
}

enum err refs_read(struct ctx *ctx, const struct resource *r, const void *rows, size_t n, size_t field,
                   struct refs *ret) {
    const struct field *f = &r->fields[field];
    *ret = (struct refs){0};
    TRY(gather(ctx, &(struct page){.r = r, .rows = rows, .n = n}, field, ret));
    if (!ret->n) return OK;
    if (f->kind == FIELD_FILE) {
        ret->files = arena_new(ctx->arena, struct file_info, ret->n);
        return ret->files ? file_infos(ctx, ret->ids, ret->n, ret->files) : FAIL_MEMORY(ctx);
    }
    ret->labels = arena_new(ctx->arena, struct str, ret->n);
    if (!ret->labels) return FAIL_MEMORY(ctx);
    for (size_t at = 0; at < ret->n; at += LIST_LIMIT_MAX) {
        size_t some = ret->n - at < LIST_LIMIT_MAX ? ret->n - at : LIST_LIMIT_MAX;
        TRY(row_labels(ctx, kernel_resource(ctx->kernel, str_of(f->to)), ret->ids + at, some, ret->labels + at));
    }
    return OK;
}

static void put_files(struct jw *j, const struct refs *c, struct ids ids) {
    jw_open(j, '[');
    for (size_t i = 0; i < ids.n; i++) {
        size_t at = ids_find(c->ids, c->n, ids.ids[i]);
        if (at == SIZE_MAX) continue;
        const struct file_info *f = &c->files[at];
        jw_put(j, "{'id':$,'name':$,'type':$,'size_bytes':$,'at_ms':$}",
               JV(J_ID(f->id), J_STR(f->name), J_STR(f->type), J_I64(f->size_bytes), J_I64(f->at_ms)));
    }
    jw_close(j, ']');
}

static void put_fields(struct jw *j, const struct page *p, const void *row, uint32_t clear) {
    for (size_t i = 0; i < p->r->fields_n; i++) {
        const struct field *f = &p->r->fields[i];
        if (f->class == SECRET || (p->many && f->kind == FIELD_LINES)) continue;
        jw_key(j, f->name);
        if (f->kind == FIELD_FILE)
            put_files(j, &p->columns[i], ids_at(p, i, row));
        else if (has(row, i))
            field_write_json(j, p->r, f, row, field_is_masked(f, clear));
        else
            jw_put(j, f->kind == FIELD_LINES || f->kind == FIELD_REFS ? "[]" : "null", NO_JV);
    }
}

/* A REF has a label, a REFS an array of them in its order; what may not be seen is left out or null. */
static void put_labels(struct jw *j, const struct page *p, const void *row) {
    jw_put(j, "'_labels':{", NO_JV);
    for (size_t i = 0; i < p->r->fields_n; i++) {
        const struct field *f = &p->r->fields[i];
        const struct refs *c = &p->columns[i];
        if (!c->labels || !has(row, i)) continue;
        struct ids ids = ids_at(p, i, row);
        if (f->kind == FIELD_REF) {
            struct str label = refs_label(c, ids.ids[0]);
            if (label.ptr) jw_kstr(j, f->name, label);
            continue;
        }
        jw_key(j, f->name);
        jw_open(j, '[');
        for (size_t k = 0; k < ids.n; k++) jw_str(j, refs_label(c, ids.ids[k]));
        jw_close(j, ']');
    }
    jw_close(j, '}');
}

static void put_rights(struct ctx *ctx, struct jw *j, const struct page *p, const void *row, uint32_t clear) {
    const struct resource *r = p->r;
    uint64_t steps = row_steps(ctx, r, row);
    uint32_t verbs = r->select ? 0 : row_verbs(ctx, r, row), may_reveal = row_reveal_classes(ctx, r, row);
    bool archived = ((const struct row *)row)->archived_ms != 0,
         archives = (verbs & ARCHIVE) && !(r->flags & NO_ARCHIVE);
    bool reveals = false;
    for (size_t i = 0; i < r->fields_n; i++)
        reveals |= has(row, i) && field_is_masked(&r->fields[i], clear) && (r->fields[i].class & may_reveal & ~SECRET);
    jw_put(j, "'_actions':[", NO_JV);
    for (size_t i = 0; i < r->steps_n; i++) {
        bool told = false;
        for (size_t k = 0; k < i; k++) told |= (steps >> k & 1) && !strcmp(r->steps[k].name, r->steps[i].name);
        jw_cstr_if(j, (steps >> i & 1) && !told, r->steps[i].name);
    }
    jw_put(j, "],'_rights':[", NO_JV);
    jw_cstr_if(j, (verbs & UPDATE) && !archived, "update");
    jw_cstr_if(j, archives && !archived, "archive");
    jw_cstr_if(j, archives && archived, "restore");
    jw_cstr_if(j, reveals, "reveal");
    jw_put(j, "],'_masked':[", NO_JV);
    for (size_t i = 0; i < r->fields_n; i++)
        jw_cstr_if(j, has(row, i) && field_is_masked(&r->fields[i], clear) && r->fields[i].class != SECRET,
                   r->fields[i].name);
    jw_close(j, ']');
}

static void put_row(struct ctx *ctx, struct jw *j, const struct page *p, const struct row *row) {
    uint32_t clear = row_clear_classes(ctx, p->r, row);
    jw_put(j, "{'id':$,'version':$,'created_ms':$,'updated_ms':$,'archived_ms':$",
           JV(J_ID(row->id), J_I64(row->version), J_I64(row->created_ms), J_I64(row->updated_ms),
              J_IF(row->archived_ms, J_I64(row->archived_ms))));
    if (p->spans && !(p->r->flags & INSTALLATION)) jw_kid(j, "community_id", row->community_id);
    put_fields(j, p, row, clear);
    put_labels(j, p, row);
    put_rights(ctx, j, p, row, clear);
    jw_close(j, '}');
}

enum err rows_write(struct ctx *ctx, const struct resource *r, const void *rows, size_t n, bool many, struct jw *j) {
    struct page p = {.r = r,
                     .rows = rows,
                     .n = n,
                     .many = many,
                     .spans = actor_spans_communities(&ctx->actor),
                     .columns = arena_new(ctx->arena, struct refs, r->fields_n)};
    if (!p.columns) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].kind == FIELD_REF || field_kinds[r->fields[i].kind].shape == SHAPE_IDS)
            TRY(refs_read(ctx, r, rows, n, i, &p.columns[i]));
    for (size_t i = 0; i < n; i++) put_row(ctx, j, &p, row_at(&p, i));
    return OK;
}
