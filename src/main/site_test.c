/* An installation on disk: made by those who may, and by nobody else.  SPDX-License-Identifier: Apache-2.0 */
#include "main/site.h"

#include "main/modules.h"
#include "tests/lib/pg.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err open_there(struct t *t, const struct site_options *o) {
    struct site s;
    t->fault = (struct fault){0};
    enum err e = site_open(&s, o, &t->fault);
    site_close(&s);
    return e;
}

static bool is_missing(struct t *t, const struct site_options *o) {
    return open_there(t, o) == ERR_NOT_FOUND && !strcmp(t->fault.code, "no_installation");
}

static void who_only_looks_makes_nothing(struct t *t) {
    char dir[300], inside[330];
    struct stat st;
    snprintf(dir, sizeof dir, "%s/looked-at", test_dir(t));
    snprintf(inside, sizeof inside, "%s/linli.db", dir);
    const struct site_options look = {.data = dir, .must_exist = true};
    CHECK(t, is_missing(t, &look) && access(dir, F_OK) < 0);
    CHECK(t, !mkdir(dir, 0755));
    CHECK(t, is_missing(t, &look) && access(inside, F_OK) < 0);
    CHECK(t, !stat(dir, &st) && (st.st_mode & 0777) == 0755); /* a folder of somebody else's stays as it is */
    fclose(fopen(inside, "w"));
    CHECK(t, is_missing(t, &look));
    CHECK(t, !open_there(t, &(struct site_options){.data = dir}));
    CHECK_SAY(t, !open_there(t, &look), "%s", t->fault.text);
}

static void a_database_that_holds_nothing_is_no_installation(struct t *t) {
    const char *url = test_pg_url(t);
    char dir[300];
    struct db *db = NULL;
    char columns[256];
    struct buf b;
    snprintf(dir, sizeof dir, "%s/beside", test_dir(t));
    const struct site_options look = {.data = dir, .db = url, .must_exist = true};
    CHECK(t, is_missing(t, &look) && access(dir, F_OK) < 0);
    buf_init(&b, columns, sizeof columns);
    CHECK(t, !db_open(&(struct db_options){.url = url}, &db, &t->fault) && !db_columns(db, &t->fault, "users", &b));
    CHECK(t, !b.len);
    db_close(db);
    CHECK(t, !open_there(t, &(struct site_options){.data = dir, .db = url}));
    CHECK_SAY(t, !open_there(t, &look), "%s", t->fault.text);
}

/* ---- words ---- */

#define HEADINGS_MOST 66

static struct str heading(const struct kernel *k, const char *resource, const char *field, const char *language) {
    char key[96];
    snprintf(key, sizeof key, "%s.%s", resource, field);
    return kernel_word(k, str_of(key), str_of(language));
}

static void check_headings(struct t *t, const struct kernel *k, const struct resource *r, const char *language) {
    struct str all[HEADINGS_MOST] = {heading(k, "row", "id", language), heading(k, "row", "created_ms", language)};
    size_t n = 2;
    for (size_t i = 0; i < r->fields_n && n < COUNT(all); i++)
        if (r->fields[i].class != SECRET && r->fields[i].kind != FIELD_LINES)
            all[n++] = heading(k, r->name, r->fields[i].name, language);
    for (size_t i = 0; i < n; i++)
        for (size_t other = 0; other < i; other++)
            CHECK_SAY(t, !all[i].len || !str_eq(all[i], all[other]), "%s: two columns of its CSV are " STR_FMT, r->name,
                      STR_ARG(all[i]));
}

static void no_export_has_two_equal_headings(struct t *t) {
    struct kernel *k = NULL;
    CHECK(t, !site_kernel(&k, &(struct kernel_options){0}, &t->fault));
    for (size_t m = 0; m < modules_n; m++)
        for (size_t i = 0; i < modules[m]->resources_n; i++) {
            const struct resource *r = kernel_resource(k, str_of(modules[m]->resources[i]->name));
            check_headings(t, k, r, "zh");
            check_headings(t, k, r, "en");
        }
    kernel_destroy(k);
}

TESTS(CASE(no_export_has_two_equal_headings), CASE(who_only_looks_makes_nothing),
      CASE(a_database_that_holds_nothing_is_no_installation))
