/* Pages of lists, and cursors that nobody made; both stores.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/kernel_site.h"

#include <stdio.h>
#include <string.h>

static struct list_query sorted_by(struct kernel_site *s, const char *sort) {
    struct list_query q = {.limit = 2};
    CHECK(s->t, !list_sort(&s->ctx, &test_samples, &q, str_of(sort)));
    return q;
}

/* Every order gives each row once, page by page. */
static void pages_join_whatever_they_are_sorted_by(struct t *t) {
    static const char *const sorts[] = {"id",     "-id",  "title",  "-title",     "state",   "size",
                                        "due_ms", "-day", "urgent", "updated_ms", "-amount", "community_id"};
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        kernel_site_open(&s, t, store);
        static const char *const titles[] = {"漏水 a", "漏水 b", "z.z", "ßß", "b.", "a\"b", "zz"};
        for (size_t i = 0; i < COUNT(titles); i++)
            (void)kernel_site_sample(&s, str_of(titles[i]), i % 3 ? s.ctx.now_ms + (int64_t)(i / 2) * 1000 : 0);
        for (size_t i = 0; i < COUNT(sorts); i++) {
            struct list_query q = sorted_by(&s, sorts[i]);
            struct list_page page = {0};
            int64_t seen[16];
            size_t n = 0;
            do {
                CHECK_SAY(t, !row_list(&s.ctx, &test_samples, &q, &page), "%s: %s", sorts[i], s.ctx.fault.text);
                for (size_t r = 0; r < page.n && n < COUNT(seen); r++) {
                    int64_t id = ((const struct sample *)page.rows)[r].row.id;
                    for (size_t k = 0; k < n; k++) CHECK_SAY(t, seen[k] != id, "%s: a row twice", sorts[i]);
                    seen[n++] = id;
                }
                q.cursor = page.next;
            } while (page.next.ptr && n < COUNT(seen));
            CHECK_SAY(t, n == COUNT(titles), "store %zu, %s: %zu rows", store, sorts[i], n);
        }
        kernel_site_close(&s);
    }
}

/* All of them are refused before a store sees them. */
static void cursors_that_nobody_made_are_refused(struct t *t) {
    static const struct {
        const char *sort, *cursor;
    } rows[] = {{"id", "x"},
                {"id", "5."},
                {"id", "5.id.i1"},
                {"title", "5"},
                {"title", "5.tFF"},
                {"title", "5.title.tFFFE"},
                {"title", "5.title.t00"},
                {"title", "5.title.i7"},
                {"title", "5.title.t4"},
                {"title", "5.title.tzz"},
                {"title", "5.title."},
                {"title", "5.title.nn"},
                {"due_ms", "5.due_ms.t41"},
                {"due_ms", "5.due_ms.i"},
                {"due_ms", "5.title.t41"},
                {"due_ms", "5.due_ms.i1x"},
                {"state", "5.state.i1"},
                {"size", "5.size.i1"},
                {"due_ms", "5.due_ms.i99999999999999999999"}};
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        kernel_site_open(&s, t, store);
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct list_query q = sorted_by(&s, rows[i].sort);
            struct list_page page;
            s.ctx.fault = (struct fault){0};
            q.cursor = str_of(rows[i].cursor);
            enum err e = row_list(&s.ctx, &test_samples, &q, &page);
            CHECK_SAY(t, e == ERR_INVALID && !strcmp(s.ctx.fault.fields[0].code, "bad_cursor"), "store %zu: %s %s: %s",
                      store, rows[i].sort, rows[i].cursor, err_name(e));
        }
        kernel_site_close(&s);
    }
}

static void a_bad_filter_is_named_as_it_was_written(struct t *t) {
    static const struct {
        const char *name, *value, *field;
    } rows[] = {{"nonsense", "1", "f.nonsense"},  {"state", "nowhere", "f.state"}, {"due_ms.gte", "x", "f.due_ms"},
                {"due_ms.near", "1", "f.due_ms"}, {"phone", "1", "f.phone"},       {"id", "x", "f.id"}};
    struct kernel_site s;
    kernel_site_open(&s, t, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct list_query q = {.limit = 2};
        s.ctx.fault = (struct fault){0};
        enum err e = list_filter(&s.ctx, &test_samples, &q, str_of(rows[i].name), str_of(rows[i].value));
        CHECK_SAY(t, e == ERR_INVALID && !strcmp(s.ctx.fault.fields[0].field, rows[i].field), "%s: %s, %s",
                  rows[i].name, err_name(e), s.ctx.fault.fields[0].field);
    }
    kernel_site_close(&s);
}

TESTS(CASE(pages_join_whatever_they_are_sorted_by), CASE(cursors_that_nobody_made_are_refused),
      CASE(a_bad_filter_is_named_as_it_was_written))
