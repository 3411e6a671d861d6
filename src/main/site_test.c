/* An installation on disk: made by those who may, and by nobody else.  SPDX-License-Identifier: Apache-2.0 */
#include "main/site.h"

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

TESTS(CASE(who_only_looks_makes_nothing), CASE(a_database_that_holds_nothing_is_no_installation))
