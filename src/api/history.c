/* What happened to a row: its audit rows, masked like the row itself.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "kernel/row_json.h"
#include "store/sql.h"

#include <string.h>

#define PAGE_DEFAULT 50
#define PAGE_MAX     200

struct history {
    const struct resource *r;
    int64_t id, before;
    size_t limit;
    uint32_t clear;
    struct refs people; /* who did it */
    struct api_text b;
};

/* before and after stand behind a key-version byte; 0 is plain. */
static enum err snapshot(struct ctx *ctx, struct bytes sealed, json_t **ret) {
    *ret = NULL;
    if (!sealed.len) return OK;
    if (sealed.ptr[0] != 0) return FAIL(&ctx->fault, ERR_CORRUPT, "stored", "a row of the trail has an unknown key");
    return json_read((struct str){(const char *)sealed.ptr + 1, sealed.len - 1}, ret, &ctx->fault);
}

static void put_value(struct ctx *ctx, struct jw *j, const struct field *f, const json_t *v, uint32_t clear) {
    struct buf b;
    struct str text;
    if (v && !json_is_null(v) && field_is_masked(f, clear)) {
        buf_init_arena(&b, ctx->arena, 4096);
        if (json_is_string(v) && f->kind == FIELD_TEXT)
            mask_text(&b, f->class, json_text(v));
        else
            buf_cstr(&b, "***");
        jw_str(j, buf_done(&b, &text) ? text : S("***"));
        return;
    }
    jw_json(j, v);
}

static void put_changes(struct ctx *ctx, struct history *h, const json_t *before, const json_t *after, bool hidden) {
    struct jw *j = &h->b.j;
    jw_put(j, "'changes':[", NO_JV);
    for (size_t i = 0; i < h->r->fields_n; i++) {
        const struct field *f = &h->r->fields[i];
        const json_t *from = json_object_get(before, f->name), *to = json_object_get(after, f->name);
        if (f->class == SECRET || (!from && !to)) continue;
        jw_put(j, "{'field':$,'from':", JV(J_CSTR(f->name)));
        put_value(ctx, j, f, hidden ? NULL : from, h->clear);
        jw_key(j, "to");
        put_value(ctx, j, f, hidden ? NULL : to, h->clear);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

/* People are named as references to them are: plainly only to who may see their names.  The program has no person. */
static enum err put_actor(struct ctx *ctx, struct history *h, const struct db_rows *rows) {
    int64_t person = db_i64(rows, 5), who = person ? person : db_i64(rows, 4);
    struct str name = person ? refs_label(&h->people, person) : db_text(rows, 6);
    char *roles = arena_cstr(ctx->arena, db_text(rows, 10));
    if (person && !name.ptr) {
        struct buf b;
        buf_init_arena(&b, ctx->arena, 1024);
        mask_text(&b, IDENTITY, db_text(rows, 6));
        if (!buf_done(&b, &name)) return FAIL_MEMORY(ctx);
    }
    if (!roles) return FAIL_MEMORY(ctx);
    jw_put(&h->b.j, "'actor':{'id':$,'name':$,'roles':", JV(J_IF(who, J_ID(who)), J_STR(name)));
    jw_words(&h->b.j, roles);
    jw_close(&h->b.j, '}');
    return OK;
}

static enum err read_people(struct ctx *ctx, struct history *h) {
    const struct resource *r = kernel_people(ctx->kernel);
    struct refs *c = &h->people;
    struct sql q = sql_new(ctx->db, ctx->arena, &ctx->fault);
    const int64_t *ids;
    sql_put(&q,
            "SELECT DISTINCT person_id FROM (SELECT person_id FROM audit WHERE resource = $ AND row_id = $ AND id < $ "
            "ORDER BY id DESC LIMIT $) AS a ORDER BY person_id",
            PARTS(Q_CSTR(h->r->name), Q_I64(h->id), Q_I64(h->before), Q_I64((int64_t)h->limit)));
    TRY(sql_ids(&q, &ids, &c->n));
    c->ids = (int64_t *)(uintptr_t)ids;
    c->labels = arena_new(ctx->arena, struct str, c->n + 1);
    if (!c->labels) return FAIL_MEMORY(ctx);
    return r ? row_labels(ctx, r, c->ids, c->n, c->labels) : OK;
}

/* What an error leaves half written is thrown away with the answer. */
static enum err put_entry(struct ctx *ctx, struct history *h, const struct db_rows *rows) {
    struct jw *j = &h->b.j;
    json_t *before = NULL, *after = NULL;
    enum err e = snapshot(ctx, db_blob(rows, 7), &before);
    if (!e) e = snapshot(ctx, db_blob(rows, 8), &after);
    jw_put(j, "{'id':$,'at_ms':$", JV(J_ID(db_i64(rows, 0)), J_I64(db_i64(rows, 1))));
    if (!e) e = put_actor(ctx, h, rows);
    jw_put(j, "'verb':$,'step':$", JV(J_STR(db_text(rows, 2)), J_STR(db_text(rows, 3))));
    put_changes(ctx, h, before, after, str_is(db_text(rows, 2), "reveal"));
    jw_put(j, "'reason':$}", JV(J_STR(db_text(rows, 9))));
    json_decref(before);
    json_decref(after);
    return e;
}

static enum err put_page(struct ctx *ctx, struct history *h) {
    struct db_rows rows = {0};
    struct jw *j = &h->b.j;
    int64_t last = 0;
    size_t n = 0;
    bool more = false;
    jw_put(j, "{'items':[", NO_JV);
    enum err e =
        db_query(ctx->db, &ctx->fault,
                 "SELECT id, at_ms, verb, step, user_id, person_id, actor, before, after, reason, roles FROM "
                 "audit WHERE resource = $1 AND row_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
                 VALS(V_TEXT(str_of(h->r->name)), V_I64(h->id), V_I64(h->before), V_I64((int64_t)h->limit + 1)), &rows);
    while ((more = db_more(&rows, &ctx->fault, &e)) && n < h->limit) {
        last = db_i64(&rows, 0);
        e = put_entry(ctx, h, &rows);
        n++;
    }
    db_done(&rows);
    TRY(e);
    jw_put(j, "],'next':$}", JV(J_IF(more, J_ID(last))));
    return OK;
}

enum err rest_history(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    const struct target *at = &call->unit->target;
    struct history h = {.r = at->r, .id = at->id, .before = INT64_MAX, .limit = PAGE_DEFAULT};
    void *row;
    struct str text;
    TRY(api_query(ctx, call, "limit", &text));
    if (text.ptr) TRY(limit_parse(ctx, text, PAGE_MAX, &h.limit));
    TRY(api_query(ctx, call, "cursor", &text));
    if (text.ptr && !str_to_i64(text, &h.before)) return FAIL_FIELD(&ctx->fault, "cursor", "bad_cursor", 0);
    TRY(target_row(ctx, at, &row));
    h.clear = row_clear_classes(ctx, h.r, row);
    TRY(read_people(ctx, &h));
    api_text_open(&h.b, ctx);
    TRY(put_page(ctx, &h));
    return api_text_close(&h.b, ctx, ret);
}
