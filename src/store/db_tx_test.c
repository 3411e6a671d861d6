/* Transactions, threads and the pool, on SQLite and on PostgreSQL.  SPDX-License-Identifier: Apache-2.0 */
#include "store/db_test_internal.h"

#include <pthread.h>
#include <string.h>

/* ---- transactions ---- */

struct work {
    struct db *db;
    struct fault f;
    int runs, agains;
    enum err give;
    bool swallow;
};

static enum err put_and_give(void *arg) {
    struct work *w = arg;
    w->runs++;
    TRY(put(w->db, &w->f, 10 + w->runs, NULL));
    return w->give;
}

static enum err nest(void *arg) {
    struct work *w = arg;
    TRY(put(w->db, &w->f, 1, NULL));
    struct work inner = {.db = w->db, .give = w->give};
    enum err e = db_tx(w->db, &w->f, DB_WRITE, &(struct db_unit){.fn = put_and_give, .arg = &inner});
    if (!w->f.kind) w->f = inner.f;
    return w->swallow ? OK : e;
}

static enum err put_twice_and_go_on(void *arg) {
    struct work *w = arg;
    struct fault ignored = {0};
    TRY(put(w->db, &w->f, 1, NULL));
    w->give = put(w->db, &ignored, 1, NULL);
    ignored = (struct fault){0};
    enum err e = put(w->db, &ignored, 2, NULL);
    return e == ERR_CONFLICT ? OK : ERR_INTERNAL;
}

static void transactions(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct work w = {.db = db};
    CHECK(t, !db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = put_and_give, .arg = &w}));
    CHECK(t, w.runs == 1 && count(t, db) == 1 && !db_in_tx(db));
    w = (struct work){.db = db, .give = ERR_STALE, .runs = 1};
    CHECK(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = put_and_give, .arg = &w}) == ERR_STALE);
    CHECK(t, count(t, db) == 1 && !db_in_tx(db));

    CHECK(t, !db_exec(db, &t->fault, "DELETE FROM a", NO_VALS, NULL));
    w = (struct work){.db = db};
    CHECK(t, !db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}) && count(t, db) == 2);
    CHECK(t, !db_exec(db, &t->fault, "DELETE FROM a", NO_VALS, NULL));
    for (int swallow = 0; swallow < 2; swallow++) {
        w = (struct work){.db = db, .give = ERR_STALE, .swallow = swallow};
        CHECK(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}) == ERR_STALE);
        CHECK_SAY(t, count(t, db) == 0, "a failed inner one ends the outer one, swallowed %d", swallow);
    }
    w = (struct work){.db = db};
    CHECK(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = put_twice_and_go_on, .arg = &w}) == ERR_CONFLICT);
    CHECK(t, w.give == ERR_CONFLICT && w.f.kind == ERR_CONFLICT && count(t, db) == 0);
}

static void a_transaction_is_kept_whole_or_not_at_all_even_if_a_failure_is_swallowed(struct t *t) {
    on_both(t, transactions);
}

static enum err write_in_read(void *arg) {
    struct work *w = arg;
    return put(w->db, &w->f, 1, NULL);
}

static void read_only(struct t *t, struct db *db, const char *url) {
    (void)url;
    struct work w = {.db = db};
    CHECK(t, db_tx(db, &w.f, DB_READ, &(struct db_unit){.fn = write_in_read, .arg = &w}) == ERR_INTERNAL);
    CHECK(t, count(t, db) == 0 && !put(db, &t->fault, 1, NULL));
}

static void a_read_transaction_cannot_write(struct t *t) {
    on_both(t, read_only);
}

struct snapshot {
    struct t *t;
    struct db *db, *other;
    struct fault f;
};

static enum err read_twice(void *arg) {
    struct snapshot *s = arg;
    CHECK(s->t, count(s->t, s->db) == 0);
    TRY(put(s->other, &s->f, 1, NULL));
    CHECK(s->t, count(s->t, s->db) == 0 && count(s->t, s->other) == 1);
    return OK;
}

static void one_snapshot(struct t *t, struct db *db, const char *url) {
    struct snapshot s = {.t = t, .db = db, .other = open_url(t, url, 2000)};
    if (!s.other) return;
    CHECK(t, !db_tx(db, &s.f, DB_READ, &(struct db_unit){.fn = read_twice, .arg = &s}));
    CHECK(t, count(t, db) == 1);
    db_close(s.other);
}

static void a_read_transaction_sees_one_snapshot(struct t *t) {
    on_both(t, one_snapshot);
}

struct rerun {
    struct db *db, *other;
    struct fault f;
    int runs, agains, meddle;
};

/* Another writer changes meanwhile what this one has read: PostgreSQL refuses to serialize the two. */
static enum err add_one(void *arg) {
    struct rerun *r = arg;
    int64_t n = 0;
    bool found;
    r->runs++;
    TRY(db_one_i64(r->db, &r->f, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found));
    if (r->runs <= r->meddle) TRY(db_exec(r->other, &r->f, "UPDATE a SET n = n + 10 WHERE id = 1", NO_VALS, NULL));
    return db_exec(r->db, &r->f, "UPDATE a SET n = $1 WHERE id = 1", VALS(V_I64(n + 1)), NULL);
}

static void count_again(void *arg) {
    ((struct rerun *)arg)->agains++;
}

static void a_serialization_failure_runs_the_work_again_at_most_eight_times(struct t *t) {
    const char *url = test_pg_url(t);
    struct rerun r = {.db = open_url(t, url, 2000), .other = open_url(t, url, 2000), .meddle = 3};
    if (!r.db || !r.other || !make_tables(t, r.db)) return;
    int64_t n = 0;
    bool found;
    CHECK(t, !put(r.db, &t->fault, 1, NULL));
    CHECK(t, !db_tx(r.db, &r.f, DB_WRITE, &(struct db_unit){add_one, count_again, &r}));
    CHECK(t, r.runs == 4 && r.agains == 3 && r.f.kind == OK);
    CHECK(t, !db_one_i64(r.db, &t->fault, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found) && n == 31);
    r.runs = r.agains = 0;
    r.meddle = 1000;
    CHECK(t, db_tx(r.db, &r.f, DB_WRITE, &(struct db_unit){add_one, count_again, &r}) == ERR_BUSY);
    CHECK(t, r.runs == 9 && r.agains == 8 && !strcmp(r.f.code, "store_busy"));
    db_close(r.db);
    db_close(r.other);
}

static enum err hold_and_let_other_write(void *arg) {
    struct rerun *r = arg;
    TRY(put(r->db, &r->f, 5, NULL));
    struct fault f = {0};
    r->runs = (int)put(r->other, &f, 5, NULL);
    return OK;
}

static void waits_for_lock(struct t *t, struct db *db, const char *url) {
    struct rerun r = {.db = db, .other = open_url(t, url, 100)};
    if (!r.other) return;
    CHECK(t, !db_tx(db, &r.f, DB_WRITE, &(struct db_unit){.fn = hold_and_let_other_write, .arg = &r}));
    CHECK_SAY(t, r.runs == (db_kind(db) == DB_SQLITE ? ERR_BUSY : ERR_UNAVAILABLE), "gave up: %s",
              err_name((enum err)r.runs));
    CHECK(t, count(t, db) == 1);
    db_close(r.other);
}

static void a_writer_that_waits_too_long_gives_up(struct t *t) {
    on_both(t, waits_for_lock);
}

/* ---- statements that fail on request ---- */

static void fail_each(struct t *t, struct db *db, const char *url) {
    (void)url;
    for (int64_t n = 1; n <= 4; n++) { /* begin, first row, second row, commit */
        struct work w = {.db = db};
        db_fail_in(db, n);
        CHECK_SAY(t, db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}) == ERR_UNAVAILABLE,
                  "statement %d", (int)n);
        CHECK(t, !strcmp(w.f.code, "store_unavailable") && !db_in_tx(db) && count(t, db) == 0);
    }
    int64_t before = db_statements(db);
    struct work w = {.db = db};
    CHECK(t, !db_tx(db, &w.f, DB_WRITE, &(struct db_unit){.fn = nest, .arg = &w}));
    CHECK(t, db_statements(db) == before + 4);
    db_fail_in(db, 1);
    db_fail_in(db, 0);
    CHECK(t, count(t, db) == 2);
}

static void each_statement_can_be_made_to_fail_and_nothing_is_kept(struct t *t) {
    on_both(t, fail_each);
}

/* ---- threads ---- */

#define THREADS   4
#define ADDS_EACH 25

struct adder {
    struct db_pool *pool;
    struct fault f;
    enum err e;
    struct db *db;
};

static enum err add_in_tx(void *arg) {
    struct adder *a = arg;
    int64_t n = 0;
    bool found;
    TRY(db_one_i64(a->db, &a->f, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found));
    return db_exec(a->db, &a->f, "UPDATE a SET n = $1 WHERE id = 1", VALS(V_I64(n + 1)), NULL);
}

static void *add_thread(void *arg) {
    struct adder *a = arg;
    for (int done = 0; done < ADDS_EACH;) {
        a->e = db_pool_take(a->pool, &a->db, &a->f);
        if (a->e) break;
        a->e = db_tx(a->db, &a->f, DB_WRITE, &(struct db_unit){.fn = add_in_tx, .arg = a});
        db_pool_give(a->pool, a->db);
        if (!a->e)
            done++;
        else if (a->e != ERR_BUSY) /* eight lost races in a row are possible; the caller tries again */
            break;
    }
    return NULL;
}

static void writers(struct t *t, struct db *db, const char *url) {
    struct db_pool *pool = NULL;
    CHECK(t, !db_pool_open(&(struct db_options){.url = url, .busy_ms = 20000}, THREADS - 1, &pool, &t->fault));
    if (!pool) return;
    CHECK(t, !put(db, &t->fault, 1, NULL));
    struct adder adders[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){.pool = pool};
        CHECK(t, !pthread_create(&threads[i], NULL, add_thread, &adders[i]));
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_SAY(t, !adders[i].e, "thread %zu: %s", i, adders[i].f.text);
    }
    int64_t n = 0;
    bool found;
    CHECK(t, !db_one_i64(db, &t->fault, "SELECT n FROM a WHERE id = 1", NO_VALS, &n, &found));
    CHECK_SAY(t, n == (int64_t)THREADS * ADDS_EACH, "%d of them kept", (int)n);
    db_pool_close(pool);
}

static void writers_in_several_threads_lose_nothing(struct t *t) {
    on_both(t, writers);
}

static void pool_bound(struct t *t, struct db *db, const char *url) {
    (void)db;
    struct db_pool *pool = NULL;
    struct db *taken[3] = {0};
    struct fault f = {0};
    CHECK(t, !db_pool_open(&(struct db_options){.url = url, .busy_ms = 50}, 2, &pool, &t->fault));
    if (!pool) return;
    CHECK(t, !db_pool_take(pool, &taken[0], &t->fault) && !db_pool_take(pool, &taken[1], &t->fault));
    CHECK(t, taken[0] != taken[1]);
    CHECK(t, db_pool_take(pool, &taken[2], &f) == ERR_BUSY && !strcmp(f.code, "store_busy") && !taken[2]);
    db_pool_give(pool, taken[1]);
    CHECK(t, !db_pool_take(pool, &taken[2], &t->fault) && taken[2] == taken[1]);
    db_pool_give(pool, taken[0]);
    db_pool_give(pool, taken[2]);
    db_pool_close(pool);
}

static void a_pool_gives_no_more_than_its_size(struct t *t) {
    on_both(t, pool_bound);
}

static void a_pool_in_memory_is_one_database(struct t *t) {
    struct db_pool *pool = NULL;
    struct db *db = NULL, *none = NULL;
    struct fault f = {0};
    CHECK(t, !db_pool_open(&(struct db_options){.url = "sqlite::memory:", .busy_ms = 10}, 5, &pool, &t->fault));
    CHECK(t, pool && !db_pool_take(pool, &db, &t->fault) && make_tables(t, db) && !put(db, &t->fault, 1, NULL));
    CHECK(t, db_pool_take(pool, &none, &f) == ERR_BUSY);
    db_pool_give(pool, db);
    CHECK(t, !db_pool_take(pool, &db, &t->fault) && count(t, db) == 1);
    db_pool_give(pool, db);
    db_pool_close(pool);
}

TESTS(CASE(a_transaction_is_kept_whole_or_not_at_all_even_if_a_failure_is_swallowed),
      CASE(a_read_transaction_cannot_write), CASE(a_read_transaction_sees_one_snapshot),
      CASE(a_serialization_failure_runs_the_work_again_at_most_eight_times),
      CASE(a_writer_that_waits_too_long_gives_up), CASE(each_statement_can_be_made_to_fail_and_nothing_is_kept),
      CASE(writers_in_several_threads_lose_nothing), CASE(a_pool_gives_no_more_than_its_size),
      CASE(a_pool_in_memory_is_one_database))
