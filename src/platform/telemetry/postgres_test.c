/* Readings whose chunks are rows of PostgreSQL, against the model: restarts, connections cut, the server killed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/model_test_internal.h"

#include "store/io_postgres.h"
#include "tests/lib/pg.h"

#define DIR   "readings"
#define BATCH 120

static struct io_postgres *open_rows(struct t *t, const char *url) {
    struct io_postgres *p = NULL;
    CHECK(t, url && !io_postgres_open(
                        &(struct io_postgres_options){.url = url, .root = DIR, .busy_ms = 2000, .owner = true}, &p,
                        &t->fault));
    return p;
}

static int is_chunks(void *arg, const char *name) {
    *(int *)arg += strstr(name, ".chunks") != NULL;
    return 0;
}

static void count_files(struct t *t, const struct io *io, int *ret) {
    CHECK(t, !io->list(io->self, DIR, is_chunks, ret));
}

/* `kill`: the server is stopped or killed now and then; what is refused then was not stored. */
static void run_model(struct t *t, bool kill) {
    if (kill) test_pg_durable();
    const char *url = test_pg_url(t);
    struct io_postgres *rows = open_rows(t, url);
    if (!rows) return;
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim), chunk_io = io_postgres_io(rows);
    struct model *m = model_make(t, &io, DIR);
    struct telemetry_point points[BATCH];
    struct telemetry_stats stats;
    int files = 0;
    m->options.chunk_io = &chunk_io;
    CHECK(t, !model_open(m));
    for (int i = 0; i < 240 && !t->failed; i++) {
        size_t n = model_random(m, points, BATCH);
        bool is_gone = kill && i % 40 == 20;
        if (is_gone) CHECK(t, i % 80 == 20 ? test_pg_stop(t) : test_pg_kill9(t));
        for (int some = 0; some < (is_gone ? 12 : 1); some++) { /* enough to fill the log */
            enum err e = model_put(m, points, n);
            CHECK(t, !e || is_gone);
            if (!e) model_note(m, points, n);
            if (is_gone) n = model_random(m, points, BATCH);
        }
        if (is_gone) {
            CHECK(t, test_pg_start(t));
            model_compare_all(m);
        }
        if (i % 7 == 6) {
            struct model_range r = model_random_range(m);
            CHECK(t, !model_erase(m, r));
            model_note_erased(m, r);
        }
        if (i % 60 == 59) {
            telemetry_close(m->store);
            io_postgres_close(rows);
            rows = open_rows(t, url);
            chunk_io = io_postgres_io(rows);
            CHECK(t, !model_open(m));
            model_compare_all(m);
        }
    }
    telemetry_stats(m->store, &stats);
    CHECK_SAY(t, stats.chunks >= 10 && !stats.damaged, "%d chunks, %d damaged", (int)stats.chunks, (int)stats.damaged);
    count_files(t, &chunk_io, &files);
    CHECK_SAY(t, files > 0, "the chunks are rows");
    files = 0;
    count_files(t, &io, &files);
    CHECK_SAY(t, !files, "and no files");
    model_compare_all(m);
    telemetry_close(m->store);
    io_postgres_close(rows);
    io_sim_destroy(sim);
}

static void chunks_in_rows_are_as_chunks_in_files(struct t *t) {
    run_model(t, false);
}

static void a_killed_server_takes_no_reading_along(struct t *t) {
    run_model(t, true);
}

TESTS(CASE(chunks_in_rows_are_as_chunks_in_files), CASE(a_killed_server_takes_no_reading_along))
