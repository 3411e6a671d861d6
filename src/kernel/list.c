/* Lists: rights, filters, search, order and cursor as one statement.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "kernel/kernel_internal.h"
#include "kernel/row_json.h"
#include "kernel/search.h"

#include <sodium.h>
#include <string.h>

/* Above this many communities one ordered scan beats a merge of them.  PostgreSQL plans each part of a merge anew for
 * every statement, and knows from its statistics where the scan finds enough soon. */
#define MERGE_MOST          200
#define MERGE_MOST_POSTGRES 8

/* ---- cursors: "ID", or "ID.COLUMN.i123", "ID.COLUMN.t<hex>", "ID.COLUMN.n" with the value in the sort column ---- */

struct place {
    bool given;
    int64_t id;
    struct db_val val;
};

/* What a store compares the column with: text or a number; any other value would be its error, not the caller's. */
static bool column_is_text(const struct resource *r, size_t column) {
    enum field_shape shape = field_kinds[list_field(r, column)->kind].shape;
    return shape == SHAPE_TEXT || shape == SHAPE_STATE;
}

static bool read_hex(struct ctx *ctx, struct str hex, struct str *ret) {
    uint8_t *bytes = arena_alloc(ctx->arena, hex.len / 2 + 1, 1, 1);
    size_t n = 0;
    if (!bytes || sodium_hex2bin(bytes, hex.len / 2, hex.ptr, hex.len, NULL, &n, NULL) || n != hex.len / 2)
        return false;
    *ret = (struct str){(const char *)bytes, n};
    return utf8_is_valid(*ret);
}

static enum err cursor_read(struct ctx *ctx, const struct resource *r, const struct list_query *q, struct place *ret) {
    struct str rest = q->cursor, id, column;
    *ret = (struct place){0};
    if (!rest.len) return OK;
    bool ok = str_cut(&rest, '.', &id) && str_to_i64(id, &ret->id) && (q->sort == FILTER_ID) == !rest.ptr;
    if (ok && rest.ptr) {
        ok = str_cut(&rest, '.', &column) && str_is(column, list_field(r, q->sort)->name) && rest.len;
        char kind = ok ? rest.ptr[0] : 0;
        rest = str_from(rest, 1);
        if (kind == 'i' && !column_is_text(r, q->sort)) {
            ret->val.type = DB_I64;
            ok = str_to_i64(rest, &ret->val.i64);
        } else if (kind == 't' && column_is_text(r, q->sort)) {
            ret->val.type = DB_TEXT;
            ok = read_hex(ctx, rest, &ret->val.text);
        } else {
            ok = kind == 'n' && !rest.len;
        }
    }
    if (!ok) return FAIL_FIELD(&ctx->fault, "cursor", "bad_cursor", 0);
    ret->given = true;
    return OK;
}

static struct str cursor_write(struct ctx *ctx, const struct known *kn, const struct list_query *q, const void *row) {
    struct buf b;
    struct str text = {NULL, 0};
    buf_init_arena(&b, ctx->arena, 16384);
    buf_i64(&b, row_of(row)->id);
    if (q->sort != FILTER_ID) {
        const struct field *f = list_field(kn->r, q->sort);
        bool has = q->sort >= kn->r->fields_n || bit_has(row_of(row)->has, q->sort);
        struct db_val v = field_to_val(ctx, kn->r, f, row, has);
        buf_fmt(&b, ".%s.%c", f->name, v.type == DB_I64 ? 'i' : v.type == DB_TEXT ? 't' : 'n');
        if (v.type == DB_I64) buf_i64(&b, v.i64);
        if (v.type == DB_TEXT) buf_hex(&b, (struct bytes){(const uint8_t *)v.text.ptr, v.text.len});
    }
    (void)!buf_done(&b, &text);
    return text;
}

/* ---- the statement ---- */

struct list {
    const struct known *kn;
    const struct list_query *q;
    struct place from;
    struct plan plan; /* who may read */
    struct list_page page;
};

static void put_cursor(const struct list *l, struct sql *q) {
    if (!l->from.given) return;
    struct sql_part column = Q_NAME(list_field(l->kn->r, l->q->sort)->name), than = Q_NAME(l->q->ascending ? ">" : "<"),
                    id = Q_I64(l->from.id), val = Q_VAL(l->from.val);
    if (l->q->sort == FILTER_ID)
        sql_put(q, " AND id $ $", PARTS(than, id));
    else if (l->from.val.type == DB_NULL)
        sql_put(q, " AND $ IS NULL AND id $ $", PARTS(column, than, id));
    else
        sql_put(q, " AND ($ $ $ OR $ IS NULL OR ($ = $ AND id $ $))",
                PARTS(column, than, val, column, column, val, than, id));
}

static void put_filter(const struct known *kn, const struct filter *f, struct sql *q) {
    static const char *const ops[] = {
        [FILTER_IN] = " IN (",
        [FILTER_GTE] = " >= ",
        [FILTER_GT] = " > ",
        [FILTER_LTE] = " <= ",
        [FILTER_LT] = " < ",
        [FILTER_NULL] = " IS NULL",
        [FILTER_NOT_NULL] = " IS NOT NULL",
    };
    sql_put(q, " AND $$", PARTS(Q_NAME(list_field(kn->r, f->field)->name), Q_NAME(ops[f->op])));
    for (size_t i = 0; i < f->vals_n; i++) sql_put(q, i ? ", $" : "$", PARTS(Q_VAL(f->vals[i])));
    if (f->op == FILTER_IN) sql_add(q, ")");
}

/* Everything behind WHERE but the rights. */
static enum err put_conditions(struct ctx *ctx, const struct list *l, struct sql *q) {
    struct sql_part day = Q_I64(l->q->as_of);
    if (!l->q->archived) sql_add(q, " AND archived_ms = 0");
    for (size_t i = 0; i < l->q->filters_n; i++) put_filter(l->kn, &l->q->filters[i], q);
    if (l->q->has_as_of)
        sql_put(q, " AND valid_from <= $ AND (valid_until IS NULL OR valid_until > $)", PARTS(day, day));
    return l->q->search.len ? search_where(ctx, l->kn->r, l->q->search, q) : OK;
}

static void put_order(const struct list *l, struct sql *q, size_t limit) {
    struct sql_part column = Q_NAME(list_field(l->kn->r, l->q->sort)->name),
                    way = Q_NAME(l->q->ascending ? "ASC" : "DESC");
    if (l->q->sort == FILTER_ID)
        sql_put(q, " ORDER BY id $", PARTS(way));
    else
        sql_put(q, " ORDER BY $ $ NULLS LAST, id $", PARTS(column, way, way));
    buf_fmt(&q->text, " LIMIT %zu", limit);
}

/* ---- by the ways in: each gives its own by an index, and the newest of all are among the newest of each ---- */

struct part { /* what a way is asked for */
    const struct list *l;
    size_t skip, most;
    bool in_order; /* by id, the newest or oldest; else any, as for counting */
};

/* Ids by one way.  Communities have no row in common: in order they are one merge, which reads no more rows than it
 * gives. */
static enum err put_way(struct ctx *ctx, const struct part *p, size_t by, struct ids in, struct sql *q) {
    const struct known *kn = p->l->kn;
    size_t step = by == REACH_COMMUNITY && p->in_order ? 1 : in.n;
    for (size_t i = 0; i < in.n; i += step) {
        sql_add(q, i ? " UNION ALL " : "SELECT id FROM (");
        if (by == REACH_PLACE) {
            /* A place may stand below another in two hierarchies, but counts once.  SQLite keeps the order of a CROSS
             * JOIN: from the places to their rows, not from the newest rows to whether they are of these places. */
            sql_put(
                q,
                "SELECT id FROM (SELECT DISTINCT descendant FROM place_closure WHERE ancestor IN $) AS d CROSS JOIN "
                "$ WHERE $ = descendant",
                PARTS(Q_IDS(in.ids, in.n), Q_NAME(kn->r->name), Q_NAME(kn->r->place)));
        } else {
            sql_put(q, "SELECT id FROM $ WHERE ", PARTS(Q_NAME(kn->r->name)));
            rights_put_reach(ctx, kn, by, (struct ids){in.ids + i, step}, q);
        }
        TRY(put_conditions(ctx, p->l, q));
        if (p->in_order) put_cursor(p->l, q);
    }
    if (p->in_order)
        put_order(p->l, q, p->most);
    else
        buf_fmt(&q->text, " LIMIT %zu OFFSET %zu", p->most, p->skip);
    sql_add(q, ") AS w");
    return OK;
}

/* Ids by every way, one or several times. */
static enum err put_ways(struct ctx *ctx, const struct part *p, struct sql *q) {
    const struct known *kn = p->l->kn;
    const char *between = "";
    for (size_t by = 0; by < REACH_OWN + kn->r->relations_n; by++) {
        struct ids in = plan_ids(ctx, kn, &p->l->plan, by);
        if (!in.n) continue;
        sql_add(q, between);
        TRY(put_way(ctx, p, by, in, q));
        between = " UNION ALL ";
    }
    if (!*between) sql_put(q, "SELECT id FROM $ WHERE 1 = 0", PARTS(Q_NAME(kn->r->name)));
    return OK;
}

/* Not for what other rows or a search decide. */
static bool has_ways(const struct ctx *ctx, const struct list *l) {
    const struct resource *r = l->kn->r;
    size_t most = db_kind(ctx->db) == DB_POSTGRES ? MERGE_MOST_POSTGRES : MERGE_MOST;
    return !l->plan.everywhere && !r->select && !r->member && !l->q->search.len && l->kn->place != PLACE_IS_ID &&
           l->plan.reach[REACH_COMMUNITY].n <= most;
}

static enum err put_statement(struct ctx *ctx, const struct list *l, struct sql *q) {
    sql_put(q, "SELECT $ FROM $ WHERE ", PARTS(Q_NAME(l->kn->columns), Q_NAME(l->kn->from)));
    if (has_ways(ctx, l) && l->q->sort == FILTER_ID) { /* the order that their indexes share */
        sql_add(q, "id IN (");
        TRY(put_ways(ctx, &(struct part){l, 0, l->q->limit + 1, true}, q));
        sql_add(q, ")");
    } else {
        rights_where(ctx, l->kn, &l->plan, q);
        TRY(put_conditions(ctx, l, q));
        put_cursor(l, q);
    }
    put_order(l, q, l->q->limit + 1);
    return OK;
}

static enum err fetch_page(struct ctx *ctx, struct list *l) {
    struct sql q = sql_of(ctx);
    size_t size = l->kn->r->size, n = 0;
    char *mem = NULL;
    TRY(put_statement(ctx, l, &q));
    TRY(rows_load(ctx, l->kn, &q, l->kn->stored, &mem, &n));
    bool has_more = n > l->q->limit;
    if (has_more) n = l->q->limit;
    l->page.rows = mem;
    l->page.n = n;
    rights_expect(ctx, l->kn, mem, n);
    if (has_more) {
        l->page.next = cursor_write(ctx, l->kn, l->q, mem + (n - 1) * size);
        if (!l->page.next.ptr) return FAIL_MEMORY(ctx);
    }
    return OK;
}

static enum err put_count(struct ctx *ctx, const struct list *l, struct sql *q) {
    bool several = has_ways(ctx, l) && l->plan.reaches_n > 1; /* one gives a row once, several may give it again */
    sql_add(q, several ? "SELECT COUNT(*) FROM (SELECT DISTINCT id FROM (" : "SELECT COUNT(*) FROM (");
    if (has_ways(ctx, l)) {
        TRY(put_ways(ctx, &(struct part){l, 0, LIST_LIMIT_MAX + 1, false}, q));
    } else {
        sql_put(q, "SELECT id FROM $ WHERE ", PARTS(Q_NAME(l->kn->from)));
        rights_where(ctx, l->kn, &l->plan, q);
        TRY(put_conditions(ctx, l, q));
    }
    if (several) sql_add(q, ") AS w");
    if (several || !has_ways(ctx, l)) buf_fmt(&q->text, " LIMIT %d", LIST_LIMIT_MAX + 1);
    sql_add(q, ") AS n");
    return OK;
}

/* Is there one behind the last that would be counted?  Passing over rows is much quicker than counting them. */
static enum err is_beyond(struct ctx *ctx, const struct list *l, bool *ret) {
    struct sql q = sql_of(ctx);
    int64_t id;
    *ret = false;
    if (!has_ways(ctx, l)) return OK;
    TRY(put_ways(ctx, &(struct part){l, LIST_LIMIT_MAX, 1, false}, &q));
    return sql_one_i64(&q, &id, ret);
}

static enum err count(struct ctx *ctx, struct list *l) {
    struct sql q = sql_of(ctx);
    int64_t n = 0;
    bool found;
    TRY(is_beyond(ctx, l, &found));
    if (found) return OK;
    TRY(put_count(ctx, l, &q));
    TRY(sql_one_i64(&q, &n, &found));
    l->page.total = n > LIST_LIMIT_MAX ? -1 : n;
    return OK;
}

static enum err list(struct ctx *ctx, void *arg) {
    struct list *l = arg;
    l->page = (struct list_page){.total = -1};
    TRY(rights_plan(ctx, l->kn, READ, &l->plan));
    TRY(fetch_page(ctx, l));
    if (!l->q->want_total) return OK;
    if (!l->from.given && !l->page.next.ptr) {
        l->page.total = (int64_t)l->page.n;
        return OK;
    }
    return count(ctx, l);
}

enum err row_list(struct ctx *ctx, const struct resource *r, const struct list_query *q, struct list_page *ret) {
    struct list l = {.kn = known_of(ctx->kernel, r), .q = q};
    if (!(resource_verbs(ctx, r) & READ))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "you may not read %s", r->name);
    if (!q->limit || q->limit > LIST_LIMIT_MAX) return FAIL_FIELD(&ctx->fault, "limit", "too_large", LIST_LIMIT_MAX);
    if (q->has_as_of && !r->dated) return FAIL_FIELD(&ctx->fault, "as_of", "not_filterable", 0);
    TRY(cursor_read(ctx, r, q, &l.from));
    TRY(ctx_read(ctx, list, &l));
    *ret = l.page;
    return OK;
}

/* ---- labels ---- */

static enum err label(struct ctx *ctx, const struct known *kn, const void *row, struct str *ret) {
    const struct resource *r = kn->r;
    const struct field *f = &r->fields[kn->label];
    struct buf b;
    bool readable = rights_row(ctx, kn, READ, row);
    if (!bit_has(row_of(row)->has, kn->label) || (!readable && f->class == ORDINARY)) return OK;
    bool mask = f->class != ORDINARY && (!readable || !(row_clear_classes(ctx, r, row) & f->class));
    buf_init_arena(&b, ctx->arena, 1024);
    field_write_text(&b, r, f, row, mask, NULL);
    return buf_done(&b, ret) ? OK : FAIL_MEMORY(ctx);
}

enum err row_labels(struct ctx *ctx, const struct resource *r, const int64_t *ids, size_t n, struct str *ret) {
    const struct known *kn = known_of(ctx->kernel, r);
    struct sql q = sql_of(ctx);
    char *mem = NULL;
    size_t found = 0;
    for (size_t i = 0; i < n; i++) ret[i] = (struct str){NULL, 0};
    if (kn->label == NO_FIELD || !n) return OK;
    sql_put(&q, "SELECT $ FROM $ WHERE id IN $", PARTS(Q_NAME(kn->label_columns), Q_NAME(kn->from), Q_IDS(ids, n)));
    TRY(rows_load(ctx, kn, &q, kn->label_fields, &mem, &found));
    rights_expect(ctx, kn, mem, found);
    for (size_t at = 0; at < found; at++) {
        const void *row = mem + at * r->size;
        struct str text = {NULL, 0};
        TRY(label(ctx, kn, row, &text));
        for (size_t i = 0; i < n; i++)
            if (ids[i] == row_of(row)->id) ret[i] = text;
    }
    return OK;
}
