/* Files in rows of PostgreSQL: beside a plain buffer, read while written, cut off from the server.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"
#include "store/io_postgres.h"
#include "tests/lib/pg.h"
#include "tests/lib/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "data"
#define PATH ROOT "/telemetry/a"
#define SIZE 20000

static struct io_postgres *open_at(struct t *t, const char *url) {
    struct io_postgres *p = NULL;
    enum err e =
        url ? io_postgres_open(&(struct io_postgres_options){.url = url, .root = ROOT, .busy_ms = 2000, .owner = true},
                               &p, &t->fault)
            : ERR_UNAVAILABLE;
    CHECK_SAY(t, !e, "does not open: %s", t->fault.text);
    return p;
}

static int64_t file_of(struct t *t, const struct io *io, const char *path) {
    int64_t file = io->open(io->self, path, IO_CREATE);
    CHECK_SAY(t, file >= 0, "%s: %d", path, (int)file);
    return file;
}

/* ---- against a buffer ---- */

struct plain {
    uint8_t bytes[SIZE * 2];
    int64_t size;
};

static void write_both(struct t *t, const struct io *io, int64_t file, struct plain *m) {
    uint8_t bytes[SIZE];
    int64_t n = 1 + (int64_t)(test_random(t) % (test_random(t) % 2 ? 300 : 9000)),
            at = (int64_t)(test_random(t) % SIZE);
    for (int64_t i = 0; i < n; i++) bytes[i] = (uint8_t)test_random(t);
    CHECK(t, io->write(io->self, file, bytes, (size_t)n, at) == n);
    memcpy(m->bytes + at, bytes, (size_t)n);
    if (at + n > m->size) m->size = at + n;
}

static void truncate_both(struct t *t, const struct io *io, int64_t file, struct plain *m) {
    int64_t size = (int64_t)(test_random(t) % SIZE);
    if (test_random(t) % 4 == 0) size -= size % 1920;
    CHECK(t, !io->truncate(io->self, file, size));
    if (size < m->size) memset(m->bytes + size, 0, (size_t)(m->size - size));
    m->size = size;
}

static void compare(struct t *t, const struct io *io, int64_t file, const struct plain *m, int64_t at, int64_t n) {
    uint8_t got[SIZE * 2];
    int64_t want = m->size > at ? m->size - at : 0;
    if (want > n) want = n;
    memset(got, 0xa5, sizeof got);
    int64_t is = io->read(io->self, file, got, (size_t)n, at);
    CHECK_SAY(t, is == want && !memcmp(got, m->bytes + at, (size_t)want), "%d bytes at %d of %d: %d", (int)n, (int)at,
              (int)m->size, (int)is);
    CHECK(t, want == n || got[want] == 0xa5);
}

static void a_file_holds_what_was_written_last(struct t *t) {
    struct io_postgres *p = open_at(t, test_pg_url(t));
    if (!p) return;
    struct io io = io_postgres_io(p);
    struct plain *m = calloc(1, sizeof *m);
    int64_t file = file_of(t, &io, PATH);
    for (int i = 0; i < 300 && !t->failed; i++) {
        if (test_random(t) % 6)
            write_both(t, &io, file, m);
        else
            truncate_both(t, &io, file, m);
        CHECK(t, io.size(io.self, file) == m->size);
        compare(t, &io, file, m, (int64_t)(test_random(t) % (SIZE + 100)), 1 + (int64_t)(test_random(t) % SIZE / 2));
        compare(t, &io, file, m, 0, SIZE * 2);
    }
    uint8_t byte;
    CHECK(t, io.read(io.self, file, &byte, 1, INT64_MAX - 1) == 0 && io.read(io.self, file, &byte, 0, 0) == 0);
    CHECK(t, io.read(io.self, file, &byte, 1, -1) == -EINVAL && io.write(io.self, file, &byte, 1, -1) == -EINVAL);
    CHECK(t, !io.close(io.self, file) && io.close(io.self, file) == -EBADF);
    free(m);
    io_postgres_close(p);
}

static void a_write_longer_than_a_statement_takes_is_whole(struct t *t) {
    enum { N = 3000001 };
    struct io_postgres *p = open_at(t, test_pg_url(t));
    if (!p) return;
    struct io io = io_postgres_io(p);
    uint8_t *bytes = malloc(N), *got = malloc(N);
    for (size_t i = 0; i < N; i++) bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    int64_t file = file_of(t, &io, PATH);
    CHECK(t, io.write(io.self, file, bytes, N, 777) == N && io.read(io.self, file, got, N, 777) == N);
    CHECK(t, !memcmp(bytes, got, N));
    free(bytes);
    free(got);
    io_postgres_close(p);
}

/* ---- names ---- */

static int add_name(void *arg, const char *name) {
    size_t n = strlen(arg);
    snprintf((char *)arg + n, 200 - n, "%s ", name);
    return 0;
}

static int stop_at_once(void *arg, const char *name) {
    (void)name;
    return ++*(int *)arg;
}

static int64_t rows_of(struct t *t, const char *url, const char *sql) {
    struct db *db = NULL;
    int64_t n = -1;
    bool found;
    CHECK(t, !db_open(&(struct db_options){.url = url}, &db, &t->fault) &&
                 !db_one_i64(db, &t->fault, sql, NO_VALS, &n, &found));
    db_close(db);
    return n;
}

static void names_are_those_of_a_folder(struct t *t) {
    const char *url = test_pg_url(t);
    struct io_postgres *p = open_at(t, url);
    if (!p) return;
    struct io io = io_postgres_io(p);
    char names[200] = "", byte = 'x';
    CHECK(t, io.open(io.self, PATH, IO_READ) == -ENOENT && io.open(io.self, PATH, IO_WRITE) == -ENOENT);
    CHECK(t,
          io.open(io.self, "elsewhere/a", IO_CREATE) == -EINVAL && io.open(io.self, ROOT "2/a", IO_CREATE) == -EINVAL);
    CHECK(t, !io.make_dir(io.self, ROOT "/telemetry") && !io.sync_dir(io.self, ROOT "/telemetry"));
    CHECK(t, io.sync_dir(io.self, "elsewhere") == -EINVAL);
    int64_t a = file_of(t, &io, PATH), b = file_of(t, &io, ROOT "/telemetry/b"), c = file_of(t, &io, ROOT "/other/c");
    CHECK(t, io.write(io.self, a, "aa", 2, 0) == 2 && io.write(io.self, b, "b", 1, 0) == 1);
    CHECK(t, !io.list(io.self, ROOT "/telemetry", add_name, names));
    CHECK_SAY(t, !strcmp(names, "a b "), "%s", names);
    int calls = 0;
    CHECK(t, !io.list(io.self, ROOT "/telemetry", stop_at_once, &calls) && calls == 1);
    int64_t only = io.open(io.self, PATH, IO_READ);
    CHECK(t, io.write(io.self, only, "z", 1, 0) == -EBADF && io.truncate(io.self, only, 0) == -EBADF);
    CHECK(t, !io.rename(io.self, PATH, ROOT "/telemetry/b") && io.rename(io.self, PATH, ROOT "/x") == -ENOENT);
    CHECK_SAY(t, io.read(io.self, b, &byte, 1, 0) == 1 && byte == 'b', "what was replaced is read by who has it open");
    CHECK(t, !io.close(io.self, b) && (b = io.open(io.self, ROOT "/telemetry/b", IO_READ)) >= 0);
    CHECK(t, io.size(io.self, b) == 2 && !io.remove(io.self, ROOT "/telemetry/b"));
    CHECK(t,
          io.remove(io.self, ROOT "/telemetry/b") == -ENOENT && io.read(io.self, a, &byte, 1, 1) == 1 && byte == 'a');
    CHECK(t, rows_of(t, url, "SELECT COUNT(*) FROM chunk_blocks") == 1);
    CHECK(t, !io.close(io.self, b) && !io.close(io.self, only) && io.size(io.self, a) == 2 && !io.close(io.self, a) &&
                 !io.close(io.self, c));
    CHECK_SAY(t, !rows_of(t, url, "SELECT COUNT(*) FROM chunk_blocks"), "the last who closes it takes its bytes away");
    io_postgres_close(p);
}

static void what_a_crash_left_of_a_removed_file_goes_with_the_next_opening(struct t *t) {
    const char *url = test_pg_url(t);
    struct io_postgres *p = open_at(t, url);
    if (!p) return;
    struct io io = io_postgres_io(p);
    int64_t file = file_of(t, &io, PATH);
    CHECK(t, io.write(io.self, file, "a", 1, 0) == 1 && !io.remove(io.self, PATH));
    io_postgres_close(p);
    CHECK(t, rows_of(t, url, "SELECT COUNT(*) FROM chunk_blocks") == 1);
    p = open_at(t, url);
    CHECK(t, rows_of(t, url, "SELECT COUNT(*) FROM chunk_blocks") == 0);
    io = io_postgres_io(p);
    file = file_of(t, &io, PATH);
    CHECK(t, io.write(io.self, file, "a", 1, 0) == 1);
    CHECK(t, !io_postgres_forget(p, &t->fault) && io.open(io.self, PATH, IO_READ) == -ENOENT);
    io_postgres_close(p);
}

/* ---- several threads ---- */

struct reading {
    const struct io *io;
    int64_t file;
    atomic_int written; /* so many records are there */
    atomic_int wrong, reads;
};

#define RECORD  700
#define RECORDS 150

/* A record is all of one byte: one that is read in part written would show another. */
static void *read_on(void *arg) {
    struct reading *r = arg;
    uint8_t got[RECORD * 3];
    for (int n = 0; (n = atomic_load(&r->written)) < RECORDS;) {
        if (!n) continue;
        int at = n - 1;
        int64_t is = r->io->read(r->io->self, r->file, got, sizeof got, (int64_t)at * RECORD);
        bool ok = is >= RECORD && is % RECORD == 0;
        for (int64_t i = 0; i < is && ok; i++) ok = got[i] == (uint8_t)(at + i / RECORD + 1);
        atomic_fetch_add(&r->wrong, !ok);
        atomic_fetch_add(&r->reads, 1);
    }
    return NULL;
}

static void readers_beside_a_writer_see_whole_writes(struct t *t) {
    struct io_postgres *p = open_at(t, test_pg_url(t));
    if (!p) return;
    struct io io = io_postgres_io(p);
    struct reading r = {.io = &io, .file = file_of(t, &io, PATH)};
    pthread_t threads[6];
    uint8_t record[RECORD];
    for (size_t i = 0; i < COUNT(threads); i++) CHECK(t, !pthread_create(&threads[i], NULL, read_on, &r));
    for (int i = 0; i < RECORDS; i++) {
        memset(record, i + 1, sizeof record);
        CHECK(t, io.write(io.self, r.file, record, RECORD, (int64_t)i * RECORD) == RECORD);
        atomic_store(&r.written, i + 1);
    }
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    CHECK_SAY(t, !r.wrong && r.reads, "%d of %d reads are wrong", r.wrong, r.reads);
    io_postgres_close(p);
}

/* ---- the server is gone ---- */

static void terminate_all(struct t *t, const char *url) {
    (void)rows_of(
        t, url,
        "SELECT COUNT(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()");
}

static void a_write_that_was_taken_outlives_its_connection(struct t *t) {
    const char *url = test_pg_url(t);
    struct io_postgres *p = open_at(t, url);
    if (!p) return;
    struct io io = io_postgres_io(p);
    char got[8] = "";
    int64_t file = file_of(t, &io, PATH);
    CHECK(t, io.write(io.self, file, "before", 6, 0) == 6);
    terminate_all(t, url);
    CHECK(t, !io.sync(io.self, file) && io.read(io.self, file, got, 6, 0) == 6 && !strcmp(got, "before"));
    terminate_all(t, url);
    int64_t put = io.write(io.self, file, "behind", 6, 3);
    if (put != 6) CHECK(t, put < 0 && io.write(io.self, file, "behind", 6, 3) == 6);
    CHECK(t, io.read(io.self, file, got, 8, 1) == 8 && !memcmp(got, "efbehind", 8));
    io_postgres_close(p);
}

static void a_stopped_server_keeps_what_was_taken_and_refuses_the_rest(struct t *t) {
    const char *url = test_pg_url(t);
    struct io_postgres *p = open_at(t, url);
    if (!p) return;
    struct io io = io_postgres_io(p);
    char got[8] = "";
    int64_t file = file_of(t, &io, PATH);
    CHECK(t, io.write(io.self, file, "before", 6, 0) == 6 && test_pg_stop(t));
    CHECK(t, io.write(io.self, file, "during", 6, 0) < 0 && io.read(io.self, file, got, 6, 0) < 0);
    CHECK(t, io.size(io.self, file) < 0 && io.truncate(io.self, file, 1) < 0 && io.remove(io.self, PATH) < 0);
    CHECK(t, io.open(io.self, PATH, IO_CREATE) < 0 && io.rename(io.self, PATH, ROOT "/x") < 0);
    CHECK(t, io.list(io.self, ROOT "/telemetry", add_name, got) < 0 && !got[0]);
    CHECK(t, test_pg_start(t) && io.read(io.self, file, got, 6, 0) == 6 && !strcmp(got, "before"));
    CHECK(t, io.write(io.self, file, "after!", 6, 0) == 6 && io.size(io.self, file) == 6);
    io_postgres_close(p);
}

/* Connections are cut all the time: each write that is taken is there, each that is not is written again. */
struct cutting {
    struct t *t;
    const char *url;
    atomic_bool over;
};

static void *cut_on(void *arg) {
    struct cutting *c = arg;
    while (!atomic_load(&c->over)) terminate_all(c->t, c->url);
    return NULL;
}

static void nothing_taken_is_lost_while_connections_are_cut(struct t *t) {
    struct cutting c = {.t = t, .url = test_pg_url(t)};
    struct io_postgres *p = open_at(t, c.url);
    if (!p) return;
    struct io io = io_postgres_io(p);
    pthread_t thread;
    uint8_t record[RECORD], got[RECORD];
    int64_t file = file_of(t, &io, PATH);
    int refused = 0, taken = 0;
    CHECK(t, !pthread_create(&thread, NULL, cut_on, &c));
    for (int i = 0; i < 20000 && (taken < 60 || refused < 5); i++) {
        memset(record, taken + 1, sizeof record);
        int64_t put = io.write(io.self, file, record, RECORD, (int64_t)taken % 200 * RECORD);
        taken += put == RECORD;
        refused += put < 0;
        CHECK(t, put == RECORD || put < 0);
    }
    atomic_store(&c.over, true);
    pthread_join(thread, NULL);
    CHECK_SAY(t, refused >= 5 && taken >= 60, "%d taken, %d refused", taken, refused);
    for (int i = taken > 200 ? taken - 200 : 0; i < taken && !t->failed; i++) {
        int64_t is = -1;
        for (int again = 0; again < 5 && is < 0; again++)
            is = io.read(io.self, file, got, RECORD, (int64_t)i % 200 * RECORD);
        memset(record, i + 1, sizeof record);
        bool is_last = i % 200 == taken % 200; /* a refused one may be there */
        CHECK_SAY(t, is_last || (is == RECORD && !memcmp(got, record, RECORD)), "record %d of %d", i, taken);
    }
    io_postgres_close(p);
}

TESTS(CASE(a_file_holds_what_was_written_last), CASE(a_write_longer_than_a_statement_takes_is_whole),
      CASE(names_are_those_of_a_folder), CASE(what_a_crash_left_of_a_removed_file_goes_with_the_next_opening),
      CASE(readers_beside_a_writer_see_whole_writes), CASE(a_write_that_was_taken_outlives_its_connection),
      CASE(a_stopped_server_keeps_what_was_taken_and_refuses_the_rest),
      CASE(nothing_taken_is_lost_while_connections_are_cut))
