/* The I/O table: real and simulated files behave alike, and the simulated disk forgets what a drive may forget.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"
#include "store/io.h"
#include "tests/lib/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SEEDS 200 /* restarts tried where chance decides */

static void join(char *ret, size_t cap, const char *dir, const char *name) {
    snprintf(ret, cap, "%s/%s", dir, name);
}

static bool holds(const struct io *io, const char *path, const char *text) {
    char got[64] = "";
    int64_t file = io->open(io->self, path, IO_READ);
    if (file < 0) return false;
    int64_t n = io->read(io->self, file, got, sizeof got - 1, 0);
    io->close(io->self, file);
    return n == (int64_t)strlen(text) && !memcmp(got, text, strlen(text));
}

static bool put(const struct io *io, const char *path, const char *text, bool sync) {
    int64_t file = io->open(io->self, path, IO_CREATE);
    if (file < 0) return false;
    bool ok = io->write(io->self, file, text, strlen(text), 0) == (int64_t)strlen(text);
    if (sync) ok = !io->sync(io->self, file) && ok;
    return !io->close(io->self, file) && ok;
}

/* ---- both ---- */

struct listing {
    int seen, stop_at;
};

static int count_name(void *arg, const char *name) {
    struct listing *l = arg;
    if (!strchr(name, '/')) l->seen++;
    return l->seen == l->stop_at;
}

static void files(struct t *t, const struct io *io, const char *dir) {
    char a[200], b[200], text[16] = "";
    join(a, sizeof a, dir, "a");
    join(b, sizeof b, dir, "b");
    CHECK(t, !io->make_dir(io->self, dir) && !io->make_dir(io->self, dir));
    CHECK(t, io->open(io->self, a, IO_READ) == -ENOENT && io->open(io->self, a, IO_WRITE) == -ENOENT);
    CHECK(t, io->remove(io->self, a) == -ENOENT && io->rename(io->self, a, b) == -ENOENT);
    int64_t file = io->open(io->self, a, IO_CREATE), again = io->open(io->self, a, IO_READ);
    CHECK(t, file >= 0 && again >= 0 && file != again && io->size(io->self, file) == 0);
    CHECK(t, io->write(io->self, file, "hello", 5, 3) == 5 && io->size(io->self, again) == 8);
    CHECK(t, io->read(io->self, again, text, 4, 0) == 4 && !memcmp(text, "\0\0\0h", 4));
    CHECK(t, io->read(io->self, again, text, 10, 6) == 2 && !memcmp(text, "lo", 2));
    CHECK(t, io->read(io->self, again, text, 10, 8) == 0 && io->read(io->self, again, text, 10, 100) == 0);
    CHECK(t, io->write(io->self, again, "x", 1, 0) == -EBADF);
    CHECK(t, !io->truncate(io->self, file, 4) && io->size(io->self, again) == 4);
    CHECK(t, !io->truncate(io->self, file, 6) && io->read(io->self, again, text, 10, 3) == 3);
    CHECK(t, !memcmp(text, "h\0\0", 3));
    CHECK(t, !io->sync(io->self, file) && !io->close(io->self, file) && !io->close(io->self, again));
    CHECK(t, put(io, a, "first", true) && put(io, b, "second", true));
    CHECK(t, !io->rename(io->self, b, a) && !io->sync_dir(io->self, dir));
    CHECK(t, io->open(io->self, b, IO_READ) == -ENOENT);
    CHECK(t, put(io, b, "b", false));
    struct listing all = {0}, one = {.stop_at = 1};
    CHECK(t, !io->list(io->self, dir, count_name, &all) && all.seen == 2);
    CHECK(t, !io->list(io->self, dir, count_name, &one) && one.seen == 1);
    CHECK(t, !io->remove(io->self, a) && !io->remove(io->self, b));
    CHECK(t, io->size(io->self, 1 << 20) < 0 && io->close(io->self, 1 << 20) == -EBADF);
}

static void real_and_simulated_files_behave_alike(struct t *t) {
    char dir[200];
    join(dir, sizeof dir, test_dir(t), "deep/er");
    struct io real = io_real();
    files(t, &real, dir);
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    files(t, &io, "/deep/er");
    io_sim_destroy(sim);
}

/* ---- the simulated disk ---- */

static void what_was_synced_survives_a_power_cut(struct t *t) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_sim *sim = io_sim_create(seed);
        struct io io = io_sim_io(sim);
        CHECK(t, put(&io, "/d/kept", "kept", true) && !io.sync_dir(io.self, "/d"));
        io_sim_cut_after(sim, 0);
        CHECK(t, !put(&io, "/d/kept", "lost", true) && io.open(io.self, "/d/kept", IO_READ) == -EIO);
        CHECK(t, io.remove(io.self, "/d/kept") == -EIO && io.sync_dir(io.self, "/d") == -EIO);
        io_sim_restart(sim, seed);
        CHECK_SAY(t, holds(&io, "/d/kept", "kept") || holds(&io, "/d/kept", "lost"),
                  "the write under way is there or not");
        io_sim_destroy(sim);
    }
}

/* What chance did over many seeds, as bits. */
enum { WHOLE = 1, NOTHING = 2, FRONT = 4, BACK = 8, OTHER = 16 };

static int fate_of(const struct io *io, const uint8_t *old, const uint8_t *new, size_t n) {
    uint8_t got[4096] = {0};
    int64_t file = io->open(io->self, "/d/x", IO_READ);
    if (file < 0 || io->read(io->self, file, got, n, 0) != (int64_t)n) return OTHER;
    io->close(io->self, file);
    if (!memcmp(got, new, n)) return WHOLE;
    if (!memcmp(got, old, n)) return NOTHING;
    size_t edge = 0;
    while (edge < n && (got[edge] == old[edge]) == (got[0] == old[0])) edge++;
    if (edge % 512) return OTHER;
    const uint8_t *front = got[0] == new[0] ? new : old, *back = front == new ? old : new;
    return !memcmp(got, front, edge) && !memcmp(got + edge, back + edge, n - edge) ? (front == new ? FRONT : BACK)
                                                                                   : OTHER;
}

static void an_unsynced_write_is_kept_dropped_or_torn_at_a_sector(struct t *t) {
    static uint8_t old[4096], new[4096];
    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    int fates = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_sim *sim = io_sim_create(seed);
        struct io io = io_sim_io(sim);
        int64_t file = io.open(io.self, "/d/x", IO_CREATE);
        CHECK(t, io.write(io.self, file, old, sizeof old, 0) == sizeof old && !io.sync(io.self, file));
        CHECK(t, !io.sync_dir(io.self, "/d") && io.write(io.self, file, new, sizeof new, 0) == sizeof new);
        io_sim_restart(sim, seed);
        CHECK_SAY(t, io.size(io.self, file) == -EBADF, "a handle of before the cut is stale");
        fates |= fate_of(&io, old, new, sizeof old);
        io_sim_destroy(sim);
    }
    CHECK_SAY(t, fates == (WHOLE | NOTHING | FRONT | BACK), "fates seen: %d", fates);
}

static void a_name_whose_folder_was_not_synced_may_be_gone(struct t *t) {
    int made = 0, gone = 0, renamed = 0, removed = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_sim *sim = io_sim_create(seed);
        struct io io = io_sim_io(sim);
        CHECK(t, put(&io, "/d/old", "1", true) && put(&io, "/d/gone", "2", true) && !io.sync_dir(io.self, "/d"));
        CHECK(t, put(&io, "/d/new", "3", true) && !io.rename(io.self, "/d/old", "/d/moved"));
        CHECK(t, !io.remove(io.self, "/d/gone"));
        io_sim_restart(sim, seed);
        bool is_new = holds(&io, "/d/new", "3");
        CHECK_SAY(t, is_new || io.open(io.self, "/d/new", IO_READ) == -ENOENT, "whole or not there");
        CHECK_SAY(t, holds(&io, "/d/old", "1") != holds(&io, "/d/moved", "1"), "under one name, the old or the new");
        made += is_new;
        gone += !is_new;
        renamed += holds(&io, "/d/moved", "1");
        removed += !holds(&io, "/d/gone", "2");
        io_sim_destroy(sim);
    }
    CHECK(t, made > 0 && gone > 0 && renamed > 0 && renamed < SEEDS && removed > 0 && removed < SEEDS);
}

static void the_same_seed_gives_the_same_disk(struct t *t) {
    char got[2][64] = {{0}};
    for (int i = 0; i < 2; i++) {
        struct io_sim *sim = io_sim_create(1);
        struct io io = io_sim_io(sim);
        for (char c = 'a'; c < 'k'; c++) {
            char path[] = "/d/x", text[] = {c, 0};
            path[3] = c;
            CHECK(t, put(&io, path, text, false));
        }
        io_sim_restart(sim, 42);
        for (char c = 'a'; c < 'k'; c++) {
            char path[] = "/d/x", text[] = {c, 0};
            path[3] = c;
            got[i][c - 'a'] = holds(&io, path, text) ? c : '-';
        }
        io_sim_destroy(sim);
    }
    CHECK_SAY(t, !strcmp(got[0], got[1]), "%s, then %s", got[0], got[1]);
}

static void operations_are_counted_and_the_cut_comes_in_time(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    int64_t file = io.open(io.self, "/d/x", IO_CREATE);
    CHECK(t, io_sim_ops(sim) == 0);
    io_sim_cut_after(sim, 5);
    CHECK(t, io.write(io.self, file, "x", 1, 0) == 1 && !io.sync(io.self, file) && !io.truncate(io.self, file, 0));
    CHECK(t, !io.rename(io.self, "/d/x", "/d/y") && !io.remove(io.self, "/d/y") && io_sim_ops(sim) == 5);
    CHECK(t, io.sync_dir(io.self, "/d") == -EIO && io.size(io.self, file) == -EIO);
    CHECK(t, io.read(io.self, file, &(char){0}, 1, 0) == -EIO && !io.close(io.self, file));
    io_sim_destroy(sim);
}

static void a_full_disk_writes_what_fits_then_refuses(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    int64_t file = io.open(io.self, "/d/x", IO_CREATE);
    io_sim_full_after(sim, 10);
    CHECK(t, io.write(io.self, file, "12345678", 8, 0) == 8);
    CHECK_SAY(t, io.write(io.self, file, "abcdefgh", 8, 0) == 8, "writing over needs no room");
    CHECK(t, io.write(io.self, file, "90abc", 5, 8) == 2 && io.write(io.self, file, "x", 1, 10) == -ENOSPC);
    CHECK(t, io.read(io.self, file, &(char){0}, 1, 9) == 1 && !io.sync(io.self, file));
    CHECK(t, !io.truncate(io.self, file, 9) && io.write(io.self, file, "xy", 2, 9) == 1);
    io_sim_full_after(sim, -1);
    CHECK(t, io.write(io.self, file, "xy", 2, 10) == 2);
    io_sim_destroy(sim);
}

/* ---- SQLite over it ---- */

static void what_a_failed_sync_was_to_keep_is_seen_until_the_power_fails(struct t *t) {
    struct io_sim *sim = io_sim_create(t->seed);
    struct io io = io_sim_io(sim);
    char got[8] = "";
    int64_t file = io.open(io.self, "/d/x", IO_CREATE);
    CHECK(t, !io.sync_dir(io.self, "/d") && io.write(io.self, file, "lost", 4, 0) == 4);
    io_sim_fail_syncs(sim, 1);
    CHECK(t, io.sync(io.self, file) == -EIO && io.read(io.self, file, got, 4, 0) == 4 && !memcmp(got, "lost", 4));
    CHECK(t, io.write(io.self, file, "kept", 4, 4) == 4 && !io.sync(io.self, file));
    io_sim_restart(sim, t->seed);
    file = io.open(io.self, "/d/x", IO_READ);
    CHECK(t, io.read(io.self, file, got, 8, 0) == 8 && !memcmp(got, "\0\0\0\0kept", 8));
    io_sim_destroy(sim);
}

static void the_vfs_works_over_real_files_too(struct t *t) {
    struct io real = io_real();
    char url[200];
    struct db *one = NULL, *two = NULL;
    int64_t n = 0;
    bool found = false;
    snprintf(url, sizeof url, "sqlite:%s/vfs.db", test_dir(t));
    CHECK(t, !io_vfs_register("over-real", &real, &t->fault));
    struct fault f = {0};
    CHECK(t, io_vfs_register("over-real", &real, &f) == ERR_CONFLICT);
    struct db_options ours = {.url = url, .vfs = "over-real"}, system = {.url = url};
    CHECK(t, !db_open(&ours, &one, &t->fault) && !db_open(&ours, &two, &t->fault));
    CHECK(t, one && !db_script(one, &t->fault,
                               "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT; INSERT INTO a VALUES (7)"));
    CHECK(t, two && !db_one_i64(two, &t->fault, "SELECT id FROM a", NO_VALS, &n, &found) && n == 7);
    db_close(one);
    db_close(two);
    n = 0;
    CHECK(t,
          !db_open(&system, &one, &t->fault) && !db_one_i64(one, &t->fault, "SELECT id FROM a", NO_VALS, &n, &found));
    CHECK(t, n == 7);
    db_close(one);
    io_vfs_unregister("over-real");
    CHECK(t, db_open(&ours, &one, &f) != OK);
}

TESTS(CASE(real_and_simulated_files_behave_alike), CASE(what_was_synced_survives_a_power_cut),
      CASE(an_unsynced_write_is_kept_dropped_or_torn_at_a_sector), CASE(a_name_whose_folder_was_not_synced_may_be_gone),
      CASE(the_same_seed_gives_the_same_disk), CASE(operations_are_counted_and_the_cut_comes_in_time),
      CASE(a_full_disk_writes_what_fits_then_refuses),
      CASE(what_a_failed_sync_was_to_keep_is_seen_until_the_power_fails), CASE(the_vfs_works_over_real_files_too))
