/* Search finds what people type, and gives away nothing protected; both stores.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/search.h"

#include "tests/lib/kernel_site.h"
#include "tests/lib/pg.h"

#include <string.h>

static void expect(struct kernel_site *s, const struct resource *r, const char *query, size_t n) {
    struct list_query q = {.sort = FILTER_ID, .limit = 100, .search = str_of(query)};
    struct list_page page = {0};
    CHECK_SAY(s->t, !row_list(&s->ctx, r, &q, &page), "%s: %s", query, s->ctx.fault.text);
    CHECK_SAY(s->t, page.n == n, "%s: %zu, not %zu", query, page.n, n);
}

static void words_are_found_wherever_they_stand(struct t *t) {
    static const struct {
        const char *query;
        size_t n;
    } rows[] = {{"漏水", 2},       {"地下室漏水", 1}, {"漏", 2},   {"水", 2},        {"地", 1},        {"漏水 地下", 1},
                {"地下  漏水", 1}, {"漏地", 0},       {"pump", 1}, {"PUMP ROOM", 1}, {"room pump", 1}, {"p", 1},
                {"m", 0},          {"ump", 1},        {"电梯", 0}, {"三号楼", 1},    {"室", 1},        {"，", 3}};
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        kernel_site_open(&s, t, store);
        (void)kernel_site_sample(&s, S("地下室漏水了"), 0);
        (void)kernel_site_sample(&s, S("三号楼，漏水"), 0);
        (void)kernel_site_sample(&s, S("Pump in the room"), 0);
        for (size_t i = 0; i < COUNT(rows); i++) expect(&s, &test_samples, rows[i].query, rows[i].n);
        kernel_site_close(&s);
    }
}

static void protected_values_are_found_whole_or_by_their_end_and_stand_nowhere_plain(struct t *t) {
    static const struct {
        const char *query;
        size_t n;
    } rows[] = {{"11010519491231002x", 1}, {"002X", 1}, {"110105", 0}, {"1949", 0}, {"11", 0},
                {"13812345678", 1},        {"5678", 1}, {"138", 0},    {"1", 0},    {"11010519491231002", 0}};
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        struct folk f = {0};
        kernel_site_open(&s, t, store);
        SET(&test_folk, &f, passport, S("11010519491231002X"));
        CHECK(t, !row_update(&s.ctx, &test_folk, s.estate.anna, 0, &f, f.row.has, NULL));
        for (size_t i = 0; i < COUNT(rows); i++) expect(&s, &test_folk, rows[i].query, rows[i].n);
        expect(&s, &test_folk, "安娜", 1); /* names are plain */
        CHECK(t, kernel_site_count(&s, "SELECT COUNT(*) FROM search_docs WHERE strpos(text, '1949') > 0") == 0);
        CHECK(t,
              kernel_site_count(&s, "SELECT COUNT(*) FROM search_terms WHERE strpos(term, '2x') > 0 AND strpos(term, "
                                    "'#') = 0") == 0);
        kernel_site_close(&s);
    }
}

static void an_installation_that_holds_nothing_yet_is_searched(struct t *t) {
    for (size_t store = 0; store < KERNEL_SITE_STORES; store++) {
        struct kernel_site s;
        struct db_options empty = {.url = store ? test_pg_url(t) : "sqlite::memory:"};
        kernel_site_open(&s, t, store);
        struct db *full = s.ctx.db;
        CHECK(t, !db_open(&empty, &s.ctx.db, &t->fault) && !kernel_install(s.kernel, s.ctx.db, &t->world, &t->fault));
        expect(&s, &test_areas, "house", 0);
        db_close(s.ctx.db);
        s.ctx.db = full;
        kernel_site_close(&s);
    }
}

TESTS(CASE(words_are_found_wherever_they_stand),
      CASE(protected_values_are_found_whole_or_by_their_end_and_stand_nowhere_plain),
      CASE(an_installation_that_holds_nothing_yet_is_searched))
