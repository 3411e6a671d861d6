/* Stores that are not there, not ours, or lost on the way.  SPDX-License-Identifier: Apache-2.0 */
#include "store/db_test_internal.h"

#include <string.h>

/* ---- a store that is not there ---- */

static void an_address_that_leads_nowhere_is_an_error(struct t *t) {
    static const struct {
        const char *url;
        enum err want;
    } rows[] = {
        {"", ERR_INVALID},
        {"mysql://x", ERR_INVALID},
        {"sqlite:", ERR_INVALID},
        {"sqlite:/nonexistent/folder/x.db", ERR_UNAVAILABLE},
        {"postgres://nobody@/x?host=/nonexistent", ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = {0};
        struct db *db = NULL;
        CHECK_SAY(t, db_open(&(struct db_options){.url = rows[i].url, .busy_ms = 300}, &db, &f) == rows[i].want && !db,
                  "%s", rows[i].url);
        CHECK(t, !strstr(f.text, "nonexistent"));
    }
    db_close(NULL);
}

static void a_file_that_is_no_database_is_damage(struct t *t) {
    char path[256], url[300];
    snprintf(path, sizeof path, "%s/noise.db", test_dir(t));
    snprintf(url, sizeof url, "sqlite:%s", path);
    FILE *file = fopen(path, "w");
    for (int i = 0; file && i < 4096; i++) fputc('x', file);
    if (file) fclose(file);
    struct db *db = NULL;
    struct fault f = {0};
    CHECK(t, db_open(&(struct db_options){.url = url}, &db, &f) == ERR_CORRUPT && !strcmp(f.code, "store_corrupt"));
}

static void a_database_that_does_not_sort_by_bytes_is_refused(struct t *t) {
    const char *url = test_pg_url(t);
    struct db *db = open_url(t, url, 5000), *wrong = NULL;
    if (!db) return;
    CHECK(t, !db_exec(db, &t->fault, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'", NO_VALS, NULL));
    db_close(db);
    char other[256];
    const char *query = strchr(url, '?');
    snprintf(other, sizeof other, "postgres://linli@/latin%s", query ? query : "");
    struct fault f = {0};
    CHECK(t, db_open(&(struct db_options){.url = other}, &wrong, &f) == ERR_INVALID);
    CHECK(t, !strcmp(f.code, "bad_store_encoding"));
}

struct losing {
    struct t *t;
    struct db *db;
    struct fault f;
    bool kill;
};

static enum err lose_inside(void *arg) {
    struct losing *l = arg;
    TRY(put(l->db, &l->f, 2, NULL));
    if (!(l->kill ? test_pg_kill9(l->t) : test_pg_stop(l->t)) || !test_pg_start(l->t)) return ERR_INTERNAL;
    struct fault f = {0};
    CHECK(l->t, put(l->db, &f, 3, NULL) == ERR_UNAVAILABLE);
    f = (struct fault){0};
    CHECK_SAY(l->t, put(l->db, &f, 4, NULL) == ERR_UNAVAILABLE, "a transaction does not go on with another connection");
    return OK;
}

static void a_lost_server_is_unavailable_and_is_found_again_when_it_is_back(struct t *t) {
    const char *url = test_pg_url(t);
    struct db *db = open_url(t, url, 2000);
    if (!db || !make_tables(t, db)) return;
    struct fault f = {0};
    CHECK(t, !put(db, &t->fault, 1, NULL) && test_pg_stop(t));
    for (int i = 0; i < 2; i++) {
        f = (struct fault){0};
        CHECK(t, put(db, &f, 2, NULL) == ERR_UNAVAILABLE && !strcmp(f.code, "store_unavailable"));
    }
    struct db *none = NULL;
    f = (struct fault){0};
    CHECK(t, db_open(&(struct db_options){.url = url}, &none, &f) == ERR_UNAVAILABLE);
    CHECK(t, test_pg_start(t) && count(t, db) == 1);
    for (int kill = 0; kill < 2; kill++) {
        struct losing l = {.t = t, .db = db, .kill = kill};
        CHECK(t, db_tx(db, &l.f, DB_WRITE, &(struct db_unit){.fn = lose_inside, .arg = &l}) == ERR_UNAVAILABLE);
        CHECK_SAY(t, count(t, db) == 1, "nothing of the lost transaction is there");
    }
    CHECK(t, !put(db, &t->fault, 2, NULL) && count(t, db) == 2);
    db_close(db);
}

static void a_server_that_does_not_answer_is_given_up(struct t *t) {
    struct db *db = open_url(t, test_pg_url(t), 200);
    if (!db) return;
    struct fault f = {0};
    CHECK(t, db_exec(db, &f, "SELECT pg_sleep(30)", NO_VALS, NULL) == ERR_UNAVAILABLE);
    CHECK_SAY(t, !db_exec(db, &t->fault, "SELECT 1", NO_VALS, NULL), "and the next use has a new connection");
    db_close(db);
}

TESTS(CASE(an_address_that_leads_nowhere_is_an_error), CASE(a_file_that_is_no_database_is_damage),
      CASE(a_database_that_does_not_sort_by_bytes_is_refused),
      CASE(a_lost_server_is_unavailable_and_is_found_again_when_it_is_back),
      CASE(a_server_that_does_not_answer_is_given_up))
