/* Lists as CSV (RFC 4180) for spreadsheets: titles in the caller's language, masked as on screen, streamed by pages.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "base/civil.h"
#include "kernel/row_json.h"

#include <string.h>

#define ROWS_MOST 100000
#define PAGE_ROWS 500

struct csv {
    const struct resource *r;
    struct list_query q;
    char cursor[2048];
    size_t done;
    bool begun;
};

static bool is_column(const struct field *f) {
    return f->class != SECRET && f->kind != FIELD_LINES;
}

static void put_title(struct ctx *ctx, struct buf *b, const char *name, const char *key) {
    struct str title = word_fmt(ctx, ctx->actor.language, "%s.%s", key, name);
    buf_csv(b, title.len ? title : str_of(name), true);
}

static void put_head(struct ctx *ctx, struct buf *b, const struct csv *c) {
    buf_cstr(b, "\xef\xbb\xbf");
    put_title(ctx, b, "id", "row");
    for (size_t i = 0; i < c->r->fields_n; i++) {
        if (!is_column(&c->r->fields[i])) continue;
        buf_char(b, ',');
        put_title(ctx, b, c->r->fields[i].name, c->r->name);
    }
    buf_char(b, ',');
    put_title(ctx, b, "created_ms", "row");
    buf_cstr(b, "\r\n");
}

/* A word of a choice or state in the caller's language. */
static struct str word_of(struct ctx *ctx, const struct csv *c, const struct field *f, struct str v) {
    const char *of = f->kind == FIELD_STATE ? "state" : f->name;
    struct str word = word_fmt(ctx, ctx->actor.language, "%s.%s." STR_FMT, c->r->name, of, STR_ARG(v));
    return word.len ? word : v;
}

static enum err put_cell(struct ctx *ctx, struct buf *b, const struct csv *c, size_t i, const void *row,
                         const struct refs *refs, uint32_t clear) {
    const struct field *f = &c->r->fields[i];
    struct buf cell;
    struct str text = {0};
    if (!(((const struct row *)row)->has >> i & 1)) return OK;
    if (f->kind == FIELD_REF) text = refs_label(refs, *(const int64_t *)(const void *)((const char *)row + f->at));
    if (text.ptr) {
        buf_csv(b, text, true);
        return OK;
    }
    buf_init_arena(&cell, ctx->arena, 64u * 1024);
    field_write_text(&cell, c->r, f, row, field_is_masked(f, clear),
                     kernel_zone(ctx, ((const struct row *)row)->community_id));
    if (!buf_done(&cell, &text)) return FAIL_MEMORY(ctx);
    if (f->kind == FIELD_CHOICE || f->kind == FIELD_STATE) text = word_of(ctx, c, f, text);
    enum field_shape shape = field_kinds[f->kind].shape;
    buf_csv(b, text, shape == SHAPE_TEXT || shape == SHAPE_STATE);
    return OK;
}

static enum err put_page(struct ctx *ctx, struct buf *b, const struct csv *c, const struct list_page *page) {
    size_t fields = c->r->fields_n;
    struct refs *refs = arena_new(ctx->arena, struct refs, fields);
    if (!refs) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < fields; i++)
        if (c->r->fields[i].kind == FIELD_REF) TRY(refs_read(ctx, c->r, page->rows, page->n, i, &refs[i]));
    for (size_t n = 0; n < page->n; n++) {
        const void *row = (const char *)page->rows + n * c->r->size;
        const struct row *h = row;
        uint32_t clear = row_clear_classes(ctx, c->r, row);
        buf_i64(b, h->id);
        for (size_t i = 0; i < fields; i++) {
            if (!is_column(&c->r->fields[i])) continue;
            buf_char(b, ',');
            TRY(put_cell(ctx, b, c, i, row, &refs[i], clear));
        }
        buf_char(b, ',');
        civil_put_time(b, kernel_zone(ctx, h->community_id), h->created_ms);
        buf_cstr(b, "\r\n");
    }
    return OK;
}

static enum err next(struct ctx *ctx, void *state, struct buf *ret, bool *ret_more) {
    struct csv *c = state;
    struct list_page page;
    struct buf kept;
    int64_t community;
    TRY(actor_community(ctx, &community));
    TRY(words_use(ctx, community));
    TRY(row_list(ctx, c->r, &c->q, &page));
    if (!c->begun) put_head(ctx, ret, c);
    c->begun = true;
    TRY(put_page(ctx, ret, c, &page));
    c->done += page.n;
    *ret_more = page.next.ptr != NULL;
    if (*ret_more && c->done >= ROWS_MOST) {
        struct str note = kernel_word(ctx->kernel, S("csv.cut"), ctx->actor.language);
        buf_csv(ret, note.len ? note : S("# cut here: an export holds at most 100000 rows"), true);
        buf_cstr(ret, "\r\n");
        *ret_more = false;
    }
    if (!*ret_more) return OK;
    buf_init(&kept, c->cursor, sizeof c->cursor);
    buf_str(&kept, page.next);
    if (!buf_done(&kept, &c->q.cursor)) return FAIL_MEMORY(ctx);
    return OK;
}

enum err csv_answer(struct ctx *ctx, const struct resource *r, const struct list_query *q, struct api_answer *ret) {
    struct csv *c = arena_new(ctx->arena, struct csv, 1);
    if (!c) return FAIL_MEMORY(ctx);
    *c = (struct csv){.r = r, .q = *q};
    c->q.limit = PAGE_ROWS;
    c->q.want_total = false;
    ret->type = "text/csv; charset=utf-8";
    ret->next = next;
    ret->state = c;
    return answer_header(ctx, ret, "Content-Disposition", "attachment; filename=\"%s.csv\"", r->name);
}
