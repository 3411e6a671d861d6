/* The readings' store against a naive model: random, late and repeated points, restarts, power cuts, full and damaged
 * disks.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/model_test_internal.h"

#include <stdlib.h>

#define DIR   "readings"
#define BATCH 120

/* ---- the model ---- */

static void batches_and_restarts(struct t *t, int rounds) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct telemetry_point points[BATCH];
    CHECK(t, !model_open(m));
    for (int i = 0; i < rounds && !t->failed; i++) {
        size_t n = model_random(m, points, BATCH);
        CHECK(t, !model_put(m, points, n));
        model_note(m, points, n);
        if (i % 7 == 6) {
            struct model_range r = model_random_range(m);
            CHECK(t, !model_erase(m, r));
            model_note_erased(m, r);
        }
        if (i % 8 == 0) {
            size_t from = test_random(t) % MODEL_SLOTS, to = from + test_random(t) % (MODEL_SLOTS - from + 1);
            model_compare(m, test_random(t) % MODEL_SERIES, from, to, 1 + test_random(t) % 700);
        }
        if (i % 60 == 59) {
            telemetry_close(m->store);
            CHECK(t, !model_open(m));
            model_compare_all(m);
        }
    }
    struct telemetry_stats stats;
    telemetry_stats(m->store, &stats);
    CHECK_SAY(t, stats.chunks >= 10 && stats.damaged == 0, "%d chunks", (int)stats.chunks);
    model_compare_all(m);
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

static void what_is_read_is_what_was_written_last(struct t *t) {
    batches_and_restarts(t, 300);
}

static void the_latest_point_is_the_one_with_the_highest_time(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    CHECK(t, !model_open(m));
    struct str device = S("pump-1");
    for (int again = 0; again < 2; again++) {
        struct telemetry_point p[] = {model_point(m, 0, 10, 1.5), model_point(m, 0, 4, 9), model_point(m, 0, 10, 2.5)};
        if (!again) CHECK(t, !model_put(m, p, COUNT(p)));
        struct telemetry_series *got = NULL;
        size_t n = 0;
        CHECK(t, !telemetry_latest(m->store, COMMUNITY, &device, 1, (struct str){0}, &t->arena, &got, &n, &t->fault));
        CHECK(t, n == 1 && got[0].has_latest && got[0].latest.at_ms == model_at(m, 10) && got[0].latest.value == 2.5);
        telemetry_close(m->store);
        CHECK(t, !model_open(m));
    }
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* ---- power ---- */

#define ERASE_EACH 8 /* so many batches an erasure stands for one */

/* A fixed run of batches; stops at the first failure.  *ret_done: how many were acknowledged. */
static void run_batches(struct model *m, int batches, int *ret_done) {
    struct telemetry_point points[BATCH];
    *ret_done = 0;
    m->edge = 0;
    m->random = m->t->seed;
    if (model_open(m)) return;
    for (int i = 0; i < batches; i++) {
        if (i % ERASE_EACH == ERASE_EACH - 1) {
            if (model_erase(m, model_random_range(m))) break;
        } else {
            size_t n = model_random(m, points, BATCH);
            if (model_put(m, points, n)) break;
        }
        ++*ret_done;
    }
}

/* What the model holds after so many batches of the same run. */
static void note_batches(struct model *m, int batches) {
    struct telemetry_point points[BATCH];
    memset(m->is_there, 0, sizeof m->is_there);
    m->edge = 0;
    m->random = m->t->seed;
    for (int i = 0; i < batches; i++) {
        if (i % ERASE_EACH == ERASE_EACH - 1)
            model_note_erased(m, model_random_range(m));
        else
            model_note(m, points, model_random(m, points, BATCH));
    }
}

/* After a cut: exactly the acknowledged batches and erasures, or those and the whole one that was under way. */
static void check_after_cut(struct model *m, int done) {
    note_batches(m, done);
    if (model_all_same(m)) return;
    note_batches(m, done + 1);
    model_compare_all(m);
}

#define POWER_BATCHES 90

static void no_power_cut_loses_what_was_acknowledged_or_leaves_half_a_batch(struct t *t) {
    int64_t ops = 0, cuts = 0;
    for (int64_t cut = -1; (cut < 0 || cut < ops) && !t->failed; cut++) {
        struct io_sim *sim = io_sim_create(t->seed);
        struct io io = io_sim_io(sim);
        struct model *m = model_make(t, &io, DIR);
        int done = 0;
        io_sim_cut_after(sim, cut);
        run_batches(m, POWER_BATCHES, &done);
        if (cut < 0) {
            struct telemetry_stats stats;
            telemetry_stats(m->store, &stats);
            ops = io_sim_ops(sim);
            CHECK(t, done == POWER_BATCHES && stats.chunks > 4 && stats.log_bytes < m->options.log_bytes_max * 4);
        }
        telemetry_close(m->store);
        for (uint64_t seed = 1; seed <= 2 && cut >= 0 && !t->failed; seed++) { /* cut again while it recovers */
            io_sim_restart(sim, seed + (uint64_t)cut * 7);
            if (seed == 1) io_sim_cut_after(sim, cut % 5);
            enum err e = model_open(m);
            if (seed == 2) {
                CHECK_SAY(t, !e, "cut %d: does not open", (int)cut);
                if (!e) check_after_cut(m, done);
                CHECK_SAY(t, !t->failed, "cut %d of %d after %d batches", (int)cut, (int)ops, done);
            }
            telemetry_close(m->store);
        }
        cuts += cut >= 0;
        io_sim_destroy(sim);
        arena_reset(&t->arena);
    }
    CHECK(t, cuts == ops);
}

/* ---- full disk ---- */

static void a_full_disk_refuses_and_takes_more_when_it_has_room_again(struct t *t) {
    for (int64_t room = 0; room < 10000 && !t->failed; room += 333) {
        struct io_sim *sim = io_sim_create(t->seed);
        struct io io = io_sim_io(sim);
        struct model *m = model_make(t, &io, DIR);
        struct telemetry_point points[BATCH];
        int refused = 0;
        CHECK(t, !model_open(m));
        io_sim_full_after(sim, room);
        for (int i = 0; i < 120; i++) {
            if (i == 80) io_sim_full_after(sim, -1);
            size_t n = model_random(m, points, BATCH);
            enum err e = model_put(m, points, n);
            CHECK_SAY(t, !e || (e == ERR_UNAVAILABLE && i < 80), "batch %d with %d bytes: %s", i, (int)room,
                      err_name(e));
            refused += e != OK;
            if (!e) model_note(m, points, n);
        }
        CHECK(t, refused > 0);
        model_compare_all(m);
        telemetry_close(m->store);
        CHECK(t, !model_open(m));
        model_compare_all(m);
        telemetry_close(m->store);
        io_sim_destroy(sim);
        arena_reset(&t->arena);
    }
}

/* ---- damage ---- */

struct found {
    char path[64];
    int n;
};

static int find_chunks(void *arg, const char *name) {
    struct found *f = arg;
    if (!strstr(name, ".chunks")) return 0;
    snprintf(f->path, sizeof f->path, DIR "/%s", name);
    f->n++;
    return 0;
}

static int find_log(void *arg, const char *name) {
    struct found *f = arg;
    if (strstr(name, ".log")) snprintf(f->path, sizeof f->path, DIR "/%s", name);
    return 0;
}

static void flip(struct t *t, const struct io *io, const char *path, int64_t at) {
    uint8_t byte = 0;
    int64_t file = io->open(io->self, path, IO_WRITE);
    CHECK(t, io->read(io->self, file, &byte, 1, at) == 1);
    byte ^= 0x10;
    CHECK(t, io->write(io->self, file, &byte, 1, at) == 1 && !io->sync(io->self, file) && !io->close(io->self, file));
}

/* One series, 4,000 points a minute apart, in chunks of one month. */
static void fill_chunks(struct t *t, struct model *m) {
    enum { N = 4000 };
    struct telemetry_point *p = arena_new(&t->arena, struct telemetry_point, N);
    int64_t from = INT64_C(1788220800000); /* 2026-09-01T00:00Z */
    for (int i = 0; i < N; i++) {
        p[i] = model_point(m, 0, 0, (double)(i % 17));
        p[i].at_ms = from + INT64_C(60000) * i;
        p[i].quality = 0;
    }
    CHECK(t, !model_put(m, p, N) && !model_put(m, p, 1));
    struct telemetry_stats stats;
    telemetry_stats(m->store, &stats);
    CHECK(t, stats.chunks == 4 && stats.head_points <= 1);
}

static void a_restart_brings_back_exactly_what_was_sealed_and_what_was_not(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct telemetry_stats before, after;
    struct str device = S("pump-1");
    CHECK(t, !model_open(m));
    fill_chunks(t, m);
    struct telemetry_point p = model_point(m, 0, 0, 555);
    p.at_ms = INT64_C(1788220800000) + INT64_C(60000) * 3999; /* the last point of the last chunk, again */
    CHECK(t, !model_put(m, &p, 1));
    telemetry_stats(m->store, &before);
    telemetry_close(m->store);
    CHECK(t, !model_open(m));
    telemetry_stats(m->store, &after);
    CHECK(t, after.chunks == before.chunks && after.head_points == before.head_points &&
                 after.chunk_bytes == before.chunk_bytes && after.series == before.series);
    struct telemetry_series *got = NULL;
    size_t n = 0;
    CHECK(t, !telemetry_latest(m->store, COMMUNITY, &device, 1, S("temp"), &t->arena, &got, &n, &t->fault));
    CHECK(t, n == 1 && got[0].latest.value == 555);
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* Chunks that were synced before the log could tell of them: their points are still in the log, once. */
static void chunks_that_the_log_does_not_tell_of_count_for_nothing(struct t *t) {
    int seen = 0;
    for (int64_t cut = 10; cut < 70 && !t->failed; cut++) {
        struct io_sim *sim = io_sim_create(t->seed);
        struct io io = io_sim_io(sim);
        struct model *m = model_make(t, &io, DIR);
        struct telemetry_stats stats;
        struct telemetry_point p[BATCH];
        int done = 0;
        m->options.log_bytes_max = 5 * 1024; /* full at the 8th batch or so */
        CHECK(t, !model_open(m));
        io_sim_cut_after(sim, cut);
        for (; done * BATCH < 2900; done++) {
            for (size_t k = 0; k < BATCH; k++) p[k] = model_point(m, 0, (size_t)done * BATCH + k, (double)k);
            if (model_put(m, p, BATCH)) break;
        }
        telemetry_close(m->store);
        io_sim_restart(sim, (uint64_t)cut);
        CHECK(t, !model_open(m));
        telemetry_stats(m->store, &stats);
        struct telemetry_points got = {0};
        CHECK(t, !telemetry_range(m->store, model_number(m, 0), 0, INT64_MAX, TELEMETRY_POINTS_MAX, &t->arena, &got,
                                  &t->fault));
        CHECK_SAY(t, (int64_t)got.n == stats.head_points + stats.chunk_points,
                  "cut %d: %d points, %d in the head, %d in %d chunks", (int)cut, (int)got.n, (int)stats.head_points,
                  (int)stats.chunk_points, (int)stats.chunks);
        seen += stats.chunks > 0;
        telemetry_close(m->store);
        io_sim_destroy(sim);
        arena_reset(&t->arena);
    }
    CHECK(t, seen > 0);
}

static void check_damaged_chunk(struct t *t, int64_t at, size_t lost) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct found found = {0};
    CHECK(t, !model_open(m));
    fill_chunks(t, m);
    telemetry_close(m->store);
    CHECK(t, !io.list(io.self, DIR, find_chunks, &found) && found.n == 1);
    flip(t, &io, found.path, at);
    CHECK(t, !model_open(m));
    struct telemetry_points p = {0};
    CHECK(t,
          !telemetry_range(m->store, model_number(m, 0), 0, INT64_MAX, TELEMETRY_POINTS_MAX, &t->arena, &p, &t->fault));
    CHECK_SAY(t, p.n == 4000 - lost, "%zu points with byte %d damaged", p.n, (int)at);
    for (size_t i = 1; i < p.n; i++) CHECK(t, p.at_ms[i] > p.at_ms[i - 1]);
    struct telemetry_stats stats;
    telemetry_stats(m->store, &stats);
    CHECK_SAY(t, (stats.damaged > 0) == (lost > 0), "%d damaged", (int)stats.damaged);
    telemetry_close(m->store);
    io_sim_destroy(sim);
    arena_reset(&t->arena);
}

static void a_damaged_chunk_is_reported_and_its_neighbours_are_read(struct t *t) {
    check_damaged_chunk(t, 20, 999);    /* head of the first; its first point is in the log again */
    check_damaged_chunk(t, 150, 999);   /* body of the first */
    check_damaged_chunk(t, 1000, 1000); /* of one behind it */
}

/* Of all logs, the spare one among them: bytes that are no zeros. */
struct logs {
    struct model *m;
    const struct io *io;
    int n;
    int64_t written;
};

static int look_into_log(void *arg, const char *name) {
    struct logs *l = arg;
    char path[64];
    if (strncmp(name, "hot-", 4) != 0) return 0;
    l->n++;
    snprintf(path, sizeof path, DIR "/%s", name);
    int64_t file = l->io->open(l->io->self, path, IO_READ), size = l->io->size(l->io->self, file);
    uint8_t *bytes = arena_new(&l->m->t->arena, uint8_t, (size_t)size + 1);
    if (l->io->read(l->io->self, file, bytes, (size_t)size, 0) == size)
        for (int64_t i = 0; i < size; i++) l->written += bytes[i] != 0;
    return l->io->close(l->io->self, file);
}

/* Nothing of what was erased can be read off the disk, and nothing of it comes back. */
static void what_is_erased_is_gone_from_the_disk(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct found found = {0};
    struct telemetry_stats stats;
    CHECK(t, !model_open(m));
    fill_chunks(t, m);
    uint32_t number = model_number(m, 0);
    int64_t from = INT64_C(1788220800000), middle = from + INT64_C(60000) * 1500;
    struct logs before = {.m = m, .io = &io}, after = before;
    CHECK(t, !io.list(io.self, DIR, look_into_log, &before) && before.written > 8192);
    CHECK(t, !telemetry_erase(m->store, number, middle, INT64_MAX, &t->fault));
    CHECK(t, !io.list(io.self, DIR, look_into_log, &after) && after.n == 1); /* at once, while the program goes on */
    CHECK_SAY(t, after.written < 2048, "%d bytes are written", (int)after.written);
    for (int again = 0; again < 2; again++) {
        struct telemetry_points p = {0};
        CHECK(t, !telemetry_range(m->store, number, 0, INT64_MAX, TELEMETRY_POINTS_MAX, &t->arena, &p, &t->fault));
        CHECK_SAY(t, p.n == 1500 && p.at_ms[1499] == middle - 60000 && !p.damaged, "%zu points left", p.n);
        telemetry_stats(m->store, &stats);
        CHECK_SAY(t, stats.chunks == 2 && stats.damaged == 0, "%d chunks, %d damaged", (int)stats.chunks,
                  (int)stats.damaged);
        telemetry_close(m->store);
        CHECK(t, !model_open(m));
    }
    CHECK(t, !io.list(io.self, DIR, find_chunks, &found) && found.n == 1);
    int64_t file = io.open(io.self, found.path, IO_READ), size = io.size(io.self, file);
    uint8_t *bytes = arena_new(&t->arena, uint8_t, (size_t)size);
    CHECK(t, io.read(io.self, file, bytes, (size_t)size, 0) == size && !io.close(io.self, file));
    int whole = 0, past = 0;
    for (int64_t at = 0; at + 8 <= size; at += 8) {
        whole += !memcmp(bytes + at, "LCH2", 4);
        past += !memcmp(bytes + at, "LCHX", 4);
    }
    CHECK_SAY(t, whole == 2 && past == 3, "%d chunks, %d past ones", whole, past);
    CHECK(t, telemetry_erase(m->store, 999, 0, 1, &t->fault) == ERR_NOT_FOUND);
    telemetry_close(m->store);
    io_sim_destroy(sim);
}

/* Bit rot in the middle of the log: what stands behind it counts, and opening says so. */
static void a_damaged_group_of_the_log_takes_nothing_else_with_it(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct found found = {0};
    struct telemetry_stats stats;
    CHECK(t, !model_open(m));
    for (size_t i = 0; i < 50; i++) {
        struct telemetry_point p = model_point(m, i % MODEL_SERIES, i, (double)i);
        CHECK(t, !model_put(m, &p, 1));
        if (i != 20) model_note(m, &p, 1);
    }
    telemetry_stats(m->store, &stats);
    telemetry_close(m->store);
    CHECK(t, !io.list(io.self, DIR, find_log, &found));
    flip(t, &io, found.path,
         stats.log_bytes - 29 * 48 - 20); /* the group of point 20: 29 groups of 48 bytes follow it */
    for (int again = 0; again < 2; again++) {
        CHECK(t, !model_open(m));
        telemetry_stats(m->store, &stats);
        CHECK_SAY(t, stats.damaged == !again, "%d damaged at opening %d", (int)stats.damaged, again);
        model_compare_all(m);
        struct telemetry_point p = model_point(m, 0, 100 + (size_t)again, 5);
        CHECK(t, !model_put(m, &p, 1)); /* the log is begun anew, whole */
        model_note(m, &p, 1);
        telemetry_close(m->store);
    }
    io_sim_destroy(sim);
}

static void a_log_that_is_gone_is_no_empty_store(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    struct model *m = model_make(t, &io, DIR);
    struct found found = {0};
    CHECK(t, !model_open(m));
    fill_chunks(t, m);
    telemetry_close(m->store);
    CHECK(t, !io.list(io.self, DIR, find_log, &found) && !io.remove(io.self, found.path));
    CHECK(t, model_open(m) == ERR_CORRUPT && !strcmp(t->fault.code, "log_missing"));
    io_sim_destroy(sim);
}

/* A device gets another code under which something came already: whatever moment the power goes, all of both is there
 * once it is said again. */
static void no_power_cut_parts_a_device_from_its_history(struct t *t) {
    int64_t ops = 0;
    for (int64_t cut = -1; (cut < 0 || cut < ops) && !t->failed; cut++) {
        struct io_sim *sim = io_sim_create(t->seed);
        struct io io = io_sim_io(sim);
        struct model *m = model_make(t, &io, DIR);
        struct fault f = {0};
        CHECK(t, !model_open(m));
        for (size_t slot = 0; slot < 700; slot++) {
            struct telemetry_point p = model_point(m, slot % 2, slot, (double)slot);
            if (slot > 600) p.device = S("pump-9"); /* the new one spoke before it was known */
            CHECK(t, !model_put(m, &p, 1));
        }
        int64_t before = io_sim_ops(sim);
        io_sim_cut_after(sim, cut < 0 ? -1 : cut);
        (void)!telemetry_device_follow(m->store, COMMUNITY, S("pump-1"), S("pump-9"), &f);
        if (cut < 0) ops = io_sim_ops(sim) - before;
        telemetry_close(m->store);
        io_sim_restart(sim, (uint64_t)cut + 5);
        f = (struct fault){0};
        CHECK_SAY(t, !model_open(m) && !telemetry_device_follow(m->store, COMMUNITY, S("pump-1"), S("pump-9"), &f),
                  "cut %d: %s", (int)cut, f.text);
        struct str code = S("pump-9");
        struct telemetry_series *all = NULL;
        size_t n = 0, points = 0;
        CHECK(t, !telemetry_latest(m->store, COMMUNITY, &code, 1, (struct str){NULL, 0}, &t->arena, &all, &n, &f));
        for (size_t i = 0; i < n; i++) {
            struct telemetry_points p = {0};
            CHECK(t, !telemetry_range(m->store, all[i].number, 0, INT64_MAX, 10000, &t->arena, &p, &f));
            points += p.n;
        }
        CHECK_SAY(t, n == 2 && points == 700, "cut %d of %d: %zu points of %zu series", (int)cut, (int)ops, points, n);
        telemetry_close(m->store);
        io_sim_destroy(sim);
        arena_reset(&t->arena);
    }
    CHECK(t, ops > 3);
}

TESTS(CASE(no_power_cut_parts_a_device_from_its_history), CASE(what_is_read_is_what_was_written_last),
      CASE(the_latest_point_is_the_one_with_the_highest_time),
      CASE(no_power_cut_loses_what_was_acknowledged_or_leaves_half_a_batch),
      CASE(a_full_disk_refuses_and_takes_more_when_it_has_room_again),
      CASE(a_restart_brings_back_exactly_what_was_sealed_and_what_was_not),
      CASE(chunks_that_the_log_does_not_tell_of_count_for_nothing),
      CASE(a_damaged_chunk_is_reported_and_its_neighbours_are_read), CASE(what_is_erased_is_gone_from_the_disk),
      CASE(a_damaged_group_of_the_log_takes_nothing_else_with_it), CASE(a_log_that_is_gone_is_no_empty_store))
