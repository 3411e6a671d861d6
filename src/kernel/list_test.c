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

/* By id each way in gives its own, by title one condition holds them all: the same rows, each once, and as many. */
static size_t walk(struct kernel_site *s, const char *sort, int64_t *ret_total, int64_t *ret_sum) {
    struct list_query q = sorted_by(s, sort);
    struct list_page page = {0};
    size_t n = 0;
    *ret_sum = 0;
    q.want_total = true;
    do {
        CHECK_SAY(s->t, !row_list(&s->ctx, &test_samples, &q, &page), "%s: %s", sort, s->ctx.fault.text);
        if (!n) *ret_total = page.total;
        for (size_t r = 0; r < page.n; r++) *ret_sum += ((const struct sample *)page.rows)[r].row.id % 1000003;
        n += page.n;
        q.cursor = page.next;
    } while (page.next.ptr && n < 100);
    return n;
}

static void put_samples(struct kernel_site *s) {
    const int64_t areas[] = {s->estate.flat, s->estate.house, s->estate.other_house, s->estate.south_house};
    const int64_t owners[] = {s->estate.anna, s->estate.ben, 0};
    for (size_t i = 0; i < 24; i++) {
        struct sample row = {0};
        ctx_begin(&s->ctx);
        SET(&test_samples, &row, title, S("ways"));
        SET(&test_samples, &row, area_id, areas[i % COUNT(areas)]);
        if (owners[i % COUNT(owners)]) SET(&test_samples, &row, owner_id, owners[i % COUNT(owners)]);
        CHECK_SAY(s->t, !row_create(&s->ctx, &test_samples, &row), "%s", s->ctx.fault.text);
    }
}

static void every_way_in_lists_what_the_rights_say(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        kernel_site_open(&s, t, store);
        put_samples(&s);
        const struct {
            const char *role;
            int64_t place, person;
            size_t least;
        } rows[] = {{"manager", s.estate.town, s.estate.ben, 24},  {"manager", s.estate.north, s.estate.ben, 18},
                    {"manager", s.estate.house, s.estate.ben, 12}, {"worker", s.estate.house, s.estate.ben, 1},
                    {"worker", s.estate.town, s.estate.ben, 1},    {"resident", s.estate.flat, s.estate.anna, 1},
                    {"chief", s.estate.south, s.estate.ben, 6}};
        for (size_t i = 0; i < COUNT(rows); i++) {
            int64_t totals[3] = {-2, -2, -2}, sums[3];
            ctx_begin(&s.ctx);
            CHECK(t, !test_actor(&s.ctx, rows[i].role, rows[i].place, rows[i].person, 0));
            size_t n = walk(&s, "title", &totals[0], &sums[0]), newest = walk(&s, "-id", &totals[1], &sums[1]),
                   oldest = walk(&s, "id", &totals[2], &sums[2]);
            CHECK_SAY(t, n == newest && n == oldest && n >= rows[i].least, "store %zu, row %zu: %zu, %zu, %zu", store,
                      i, n, newest, oldest);
            CHECK_SAY(t, sums[0] == sums[1] && sums[0] == sums[2], "store %zu, row %zu: other rows", store, i);
            CHECK_SAY(t, totals[1] == (int64_t)n && totals[2] == totals[1], "store %zu, row %zu: %lld in all", store, i,
                      (long long)totals[1]);
        }
        kernel_site_close(&s);
    }
}

TESTS(CASE(every_way_in_lists_what_the_rights_say), CASE(pages_join_whatever_they_are_sorted_by),
      CASE(cursors_that_nobody_made_are_refused), CASE(a_bad_filter_is_named_as_it_was_written))
