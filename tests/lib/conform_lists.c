/* Lists in every way that they are asked for: what each is given, against a plain reading of the grants.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/conform_internal.h"

#include "kernel/row_json.h"

#include <stdlib.h>
#include <string.h>

#define NEWEST      8 /* rows that hold the two: others that they needed may be as new */
#define SEARCH_MOST 200
#define PAIR(u) \
    { (u)->other.id, (u)->subject.id }

const struct field *conform_sort_field(const struct run *u) {
    const struct field *found = NULL;
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        if (!field_is_comparable(f)) continue;
        if (!found || (f->flags & REQUIRED)) found = f;
        if (found->flags & REQUIRED) break;
    }
    return found;
}

/* The subject's value as a query says it. */
static struct str said(struct run *u, const struct field *f, const void *row) {
    struct str text = conform_told(u, f, row, false);
    if (text.len > 1 && text.ptr[0] == '"') text = (struct str){text.ptr + 1, text.len - 2};
    return str_of(arena_cstr(&u->keep, text));
}

static bool is_listed_by(const struct field *f, const char *kinds) {
    return f->class == ORDINARY && word_in(kinds, str_of(field_kinds[f->kind].word));
}

/* Of the two only, together. */
static struct listing *add(struct run *u, const char *how, size_t pages) {
    const int64_t pair[] = PAIR(u);
    struct listing *l = &u->lists[u->lists_n++];
    struct db_val *vals = arena_new(&u->keep, struct db_val, COUNT(pair));
    for (size_t i = 0; i < COUNT(pair); i++) vals[i] = V_I64(pair[i]);
    *l = (struct listing){.how = how, .pages = pages, .q = {.sort = FILTER_ID, .limit = COUNT(pair)}};
    l->q.filters[l->q.filters_n++] = (struct filter){FILTER_ID, FILTER_IN, vals, COUNT(pair)};
    return l;
}

/* What it holds of the two, in order, over its pages. */
static enum err turn(struct run *u, const struct listing *l, int64_t ret[2], size_t *ret_n, int64_t *ret_total) {
    const int64_t pair[] = PAIR(u);
    struct list_query q = l->q;
    *ret_n = 0;
    *ret_total = 0;
    for (size_t page = 0; page < l->pages; page++) {
        struct list_page p = {0};
        TRY(row_list(&u->ctx, u->r, &q, &p));
        if (!page) *ret_total = p.total;
        for (size_t i = 0; i < p.n; i++) {
            int64_t id = ((const struct row *)(const void *)((const char *)p.rows + i * u->r->size))->id;
            if ((id == pair[0] || id == pair[1]) && *ret_n < 2) ret[(*ret_n)++] = id;
        }
        if (!p.next.ptr) break;
        q.cursor = p.next;
        q.want_total = false;
    }
    return OK;
}

/* By a value of the subject, and by a text of his that is searched. */
static void add_by_values(struct run *u, const void *row) {
    bool filtered = false, searched = false;
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        if (!(((const struct row *)row)->has >> i & 1)) continue;
        if (!filtered && is_listed_by(f, "ref choice state flag text")) {
            struct arena *kept = u->ctx.arena;
            struct listing *l = add(u, "filtered", 1);
            u->ctx.arena = &u->keep; /* the filter is used for long */
            filtered = !list_filter(&u->ctx, u->r, &l->q, str_of(f->name), said(u, f, row));
            u->ctx.arena = kept;
            CHECK_SAY(u->t, filtered, "%s: filtered by %s", u->r->name, f->name);
        }
        if (searched || !(f->flags & SEARCH)) continue;
        struct str q = said(u, f, row);
        if (q.len < 2 || q.len > SEARCH_MOST) continue;
        add(u, "searched", 1)->q.search = q;
        searched = true;
    }
}

void conform_lists_open(struct run *u) {
    const struct field *sort = conform_sort_field(u);
    void *row = conform_row(u->r);
    u->lists_n = 0;
    conform_fresh(u);
    CHECK(u->t, !row_get(&u->ctx, u->r, u->subject.id, row));
    struct listing *newest = add(u, "the newest", 1), *counted = add(u, "counted", 3);
    newest->q.limit = NEWEST;
    newest->q.filters_n = 0;
    counted->q.limit = 1; /* what ends on its first page is not counted */
    counted->q.want_total = true;
    if (sort) {
        struct listing *l = add(u, "sorted", 3); /* turned page by page */
        l->q.limit = 1;
        CHECK(u->t, !list_sort(&u->ctx, u->r, &l->q, str_of(sort->name)));
    }
    add_by_values(u, row);
    for (size_t i = 0; i < u->lists_n; i++) {
        struct listing *l = &u->lists[i];
        int64_t total;
        bool holds = false;
        enum err e = turn(u, l, l->ids, &l->n, &total);
        for (size_t n = 0; n < l->n; n++) holds |= l->ids[n] == u->subject.id;
        CHECK_SAY(u->t, !e && holds && (!l->q.want_total || total == (int64_t)l->n),
                  "%s: the list of %s, as the system: %zu of %lld: %s", u->r->name, l->how, l->n, (long long)total,
                  u->ctx.fault.text);
    }
    free(row);
}

void conform_check_lists(struct run *u, const struct who *w) {
    bool may[2] = {conform_may(u, w, READ, &u->other, NULL, NULL), conform_reads(u, w)};
    for (size_t i = 0; i < u->lists_n; i++) {
        const struct listing *l = &u->lists[i];
        int64_t want[2], got[2], total;
        size_t want_n = 0, n;
        for (size_t k = 0; k < l->n; k++)
            if (may[l->ids[k] == u->subject.id]) want[want_n++] = l->ids[k];
        enum err e = turn(u, l, got, &n, &total);
        bool right = e == ERR_DENIED ? !want_n : !e && n == want_n && !memcmp(got, want, n * sizeof *got);
        CHECK_SAY(u->t, right && (e || !l->q.want_total || total == (int64_t)want_n),
                  "%s: the list of %s as %s at %lld holds %zu of %lld, expected %zu (%s %s)", u->r->name, l->how,
                  w->role, (long long)w->place_id, n, (long long)total, want_n, err_name(e), u->ctx.fault.text);
        u->ctx.fault = (struct fault){0};
        u->rows++;
    }
}
