/* SQLite over the simulated disk: the power fails at every operation, and nothing acknowledged is lost.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"
#include "store/io.h"
#include "tests/lib/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VFS      "power"
#define KEYS     12
#define WORKS    14 /* transactions of a run */
#define WRITES   4  /* rows touched by each */
#define BLOB_MAX 6000
#define RESTARTS 3 /* seeds tried for each operation index */
#define OPS_MAX  5000

/* What transaction `number` does to its j-th row is a function of the seed, so that the state after it can be told. */
static uint64_t mix(uint64_t seed, uint64_t number, uint64_t j) {
    uint64_t z = seed * UINT64_C(0x9e3779b97f4a7c15) + number * UINT64_C(0xbf58476d1ce4e5b9) + j;
    z = (z ^ (z >> 30)) * UINT64_C(0x94d049bb133111eb);
    z = (z ^ (z >> 27)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ (z >> 31);
}

struct run {
    struct t *t;
    uint64_t seed;
    struct io_sim *sim;
    struct db *db;
    struct fault f;
    int64_t number; /* of the transaction under way */
    int64_t acked;  /* transactions whose commit returned OK */
    bool tables_acked;
    int64_t owner[KEYS]; /* the model: which transaction wrote the row last; 0 = no row */
    uint8_t blob[BLOB_MAX];
};

static struct bytes content(struct run *r, int64_t number, uint64_t j) {
    size_t n = mix(r->seed, (uint64_t)number, j + 100) % BLOB_MAX;
    for (size_t i = 0; i < n; i++) r->blob[i] = (uint8_t)(number * 31 + (int64_t)j * 7 + (int64_t)i);
    return (struct bytes){r->blob, n};
}

static int64_t key_of(const struct run *r, int64_t number, uint64_t j) {
    return (int64_t)(mix(r->seed, (uint64_t)number, j) % KEYS);
}

static bool removes(const struct run *r, int64_t number, uint64_t j) {
    return mix(r->seed, (uint64_t)number, j + 200) % 5 == 0;
}

static enum err work(void *arg) {
    struct run *r = arg;
    TRY(db_exec(r->db, &r->f, "INSERT INTO done (number) VALUES ($1)", VALS(V_I64(r->number)), NULL));
    for (uint64_t j = 0; j < WRITES; j++) {
        int64_t key = key_of(r, r->number, j);
        TRY(db_exec(r->db, &r->f, "DELETE FROM kept WHERE id = $1", VALS(V_I64(key)), NULL));
        if (removes(r, r->number, j)) continue;
        TRY(db_exec(r->db, &r->f, "INSERT INTO kept (id, number, j, b) VALUES ($1, $2, $3, $4)",
                    VALS(V_I64(key), V_I64(r->number), V_I64((int64_t)j), V_BLOB(content(r, r->number, j))), NULL));
    }
    return OK;
}

static void model_after(struct run *r, int64_t number) {
    memset(r->owner, 0, sizeof r->owner);
    for (int64_t n = 1; n <= number; n++)
        for (uint64_t j = 0; j < WRITES; j++)
            r->owner[key_of(r, n, j)] = removes(r, n, j) ? 0 : n * WRITES + (int64_t)j;
}

static enum err open_db(struct run *r) {
    struct db_options options = {.url = "sqlite:/disk/power.db", .vfs = VFS, .busy_ms = 50};
    TRY(db_open(&options, &r->db, &r->f));
    return db_exec(r->db, &r->f, "PRAGMA wal_autocheckpoint=7", NO_VALS, NULL); /* often, to cut the power inside one */
}

/* Goes on from what was acknowledged until the work is done or the power fails. */
static void go_on(struct run *r) {
    enum err e = open_db(r);
    if (!e && !r->tables_acked) {
        e = db_script(r->db, &r->f,
                      "CREATE TABLE IF NOT EXISTS done (number INTEGER NOT NULL PRIMARY KEY) STRICT;"
                      "CREATE TABLE IF NOT EXISTS kept (id INTEGER NOT NULL PRIMARY KEY, number INTEGER NOT NULL,"
                      " j INTEGER NOT NULL, b BLOB NOT NULL) STRICT;"
                      "CREATE INDEX IF NOT EXISTS kept_by_number ON kept (number, j);");
        r->tables_acked = !e;
    }
    while (!e && r->acked < WORKS) {
        r->number = r->acked + 1;
        e = db_tx(r->db, &r->f, DB_WRITE, &(struct db_unit){.fn = work, .arg = r});
        if (!e) r->acked = r->number;
    }
    db_close(r->db);
    r->db = NULL;
}

static void check_rows(struct run *r, int64_t number) {
    struct db_rows rows = {0};
    bool more = false;
    int64_t seen = 0, want = 0;
    model_after(r, number);
    for (size_t i = 0; i < KEYS; i++) want += r->owner[i] != 0;
    enum err e = db_query(r->db, &r->f, "SELECT id, number, j, b FROM kept ORDER BY id LIMIT 100", NO_VALS, &rows);
    while (!e && !(e = db_next(&rows, &r->f, &more)) && more) {
        int64_t owner = db_i64(&rows, 1) * WRITES + db_i64(&rows, 2);
        struct bytes got = db_blob(&rows, 3), made = content(r, db_i64(&rows, 1), (uint64_t)db_i64(&rows, 2));
        CHECK(r->t, r->owner[db_i64(&rows, 0)] == owner);
        CHECK(r->t, got.len == made.len && !memcmp(got.ptr, made.ptr, made.len));
        seen++;
    }
    db_done(&rows);
    CHECK(r->t, !e && seen == want);
}

/* After a restart: sound, and exactly the state after the last acknowledged transaction or after the one the power
 * interrupted, which the client was never told about. */
static void check_disk(struct run *r) {
    r->f = (struct fault){0};
    enum err e = open_db(r);
    CHECK_SAY(r->t, !e, "opens again: %s %s", r->f.code, r->db ? db_detail(r->db) : "");
    struct db_rows rows = {0};
    bool more = false, found = false;
    int64_t tables = 0, number = 0;
    if (!e) e = db_query(r->db, &r->f, "PRAGMA integrity_check", NO_VALS, &rows);
    if (!e) e = db_next(&rows, &r->f, &more);
    CHECK_SAY(r->t, !e && more && str_is(db_text(&rows, 0), "ok"), "passes SQLite's own check");
    db_done(&rows);
    if (!e)
        e = db_one_i64(r->db, &r->f,
                       "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('done', 'kept', 'kept_by_number')", NO_VALS,
                       &tables, &found);
    CHECK_SAY(r->t, !e && (tables == 3 || (tables == 0 && !r->tables_acked)), "%d of 3 tables", (int)tables);
    if (!e && tables == 3) {
        e = db_one_i64(r->db, &r->f, "SELECT MAX(number) FROM done", NO_VALS, &number, &found);
        CHECK_SAY(r->t, !e && (number == r->acked || number == r->acked + 1), "acknowledged %d, found %d",
                  (int)r->acked, (int)number);
        check_rows(r, number);
        r->acked = number;
        r->tables_acked = true;
    }
    db_close(r->db);
    r->db = NULL;
}

static bool run_begin(struct t *t, struct run *r, uint64_t seed) {
    *r = (struct run){.t = t, .seed = seed, .sim = io_sim_create(seed)};
    if (!r->sim) return false;
    struct io io = io_sim_io(r->sim);
    return !io_vfs_register(VFS, &io, &t->fault);
}

static void run_end(struct run *r) {
    io_vfs_unregister(VFS);
    io_sim_destroy(r->sim);
}

/* Cuts the power after `ops` operations, and once more while the work goes on after the restart. */
static void cut_at(struct t *t, int64_t ops, uint64_t restart_seed) {
    static struct run r;
    int failed = t->failed;
    CHECK(t, run_begin(t, &r, t->seed));
    io_sim_cut_after(r.sim, ops);
    go_on(&r);
    io_sim_restart(r.sim, restart_seed);
    check_disk(&r);
    io_sim_cut_after(r.sim, (int64_t)(mix(restart_seed, (uint64_t)ops, 300) % 40));
    go_on(&r);
    io_sim_restart(r.sim, restart_seed + 1000);
    check_disk(&r);
    go_on(&r);
    CHECK(t, r.acked == WORKS);
    run_end(&r);
    CHECK_SAY(t, t->failed == failed,
              "the above with the power cut after %" PRId64 " operations, restart seed %" PRIu64, ops, restart_seed);
}

static void whatever_was_acknowledged_survives_a_power_cut_at_any_operation(struct t *t) {
    static struct run r;
    CHECK(t, run_begin(t, &r, t->seed));
    go_on(&r);
    int64_t all = io_sim_ops(r.sim);
    CHECK_SAY(t, r.acked == WORKS && all > 100 && all < OPS_MAX, "%" PRId64 " operations in a run", all);
    run_end(&r);
    for (int64_t ops = 0; ops <= all && t->failed < 10; ops++)
        for (uint64_t i = 0; i < RESTARTS; i++) cut_at(t, ops, t->seed * 7919 + (uint64_t)ops * RESTARTS + i);
}

/* ---- a full disk ---- */

static enum err fill(void *arg) {
    struct run *r = arg;
    memset(r->blob, 7, sizeof r->blob);
    return db_exec(r->db, &r->f, "INSERT INTO fill (b) VALUES ($1)", VALS(V_BLOB(((struct bytes){r->blob, BLOB_MAX}))),
                   NULL);
}

static void on_a_full_disk_writes_are_unavailable_and_reads_go_on(struct t *t) {
    static struct run r;
    CHECK(t, run_begin(t, &r, t->seed));
    struct db *reader = NULL;
    struct db_options options = {.url = "sqlite:/disk/full.db", .vfs = VFS, .busy_ms = 50};
    CHECK(t, !db_open(&options, &r.db, &r.f) && !db_open(&options, &reader, &r.f));
    CHECK(t, !db_script(r.db, &r.f, "CREATE TABLE fill (id INTEGER PRIMARY KEY, b BLOB) STRICT"));
    io_sim_full_after(r.sim, 100000);
    int64_t kept = 0, n = 0;
    bool found = false;
    enum err e = OK;
    while (!e && kept < 1000) {
        e = db_tx(r.db, &r.f, DB_WRITE, &(struct db_unit){.fn = fill, .arg = &r});
        kept += !e;
    }
    CHECK_SAY(t, e == ERR_UNAVAILABLE && kept > 5, "%s after %d: %s", err_name(e), (int)kept, db_detail(r.db));
    CHECK(t, !strcmp(r.f.code, "store_unavailable"));
    CHECK(t, db_tx(r.db, &r.f, DB_WRITE, &(struct db_unit){.fn = fill, .arg = &r}) == ERR_UNAVAILABLE);
    struct db *both[] = {r.db, reader};
    for (size_t i = 0; i < COUNT(both); i++) {
        r.f = (struct fault){0};
        CHECK(t, !db_one_i64(both[i], &r.f, "SELECT COUNT(*) FROM fill", NO_VALS, &n, &found) && n == kept);
    }
    db_close(reader);
    reader = NULL;
    CHECK_SAY(t, !db_open(&options, &reader, &r.f), "a full disk can be opened for reading: %s", r.f.text);
    io_sim_full_after(r.sim, -1);
    CHECK(t, !db_tx(r.db, &r.f, DB_WRITE, &(struct db_unit){.fn = fill, .arg = &r}));
    CHECK(t, reader && !db_one_i64(reader, &r.f, "SELECT COUNT(*) FROM fill", NO_VALS, &n, &found) && n == kept + 1);
    db_close(reader);
    db_close(r.db);
    run_end(&r);
}

static void a_dead_disk_is_unavailable(struct t *t) {
    static struct run r;
    CHECK(t, run_begin(t, &r, t->seed));
    r.acked = WORKS - 1;
    io_sim_cut_after(r.sim, 0);
    CHECK(t, open_db(&r) == ERR_UNAVAILABLE && !strcmp(r.f.code, "store_unavailable"));
    run_end(&r);
}

TESTS(CASE(whatever_was_acknowledged_survives_a_power_cut_at_any_operation),
      CASE(on_a_full_disk_writes_are_unavailable_and_reads_go_on), CASE(a_dead_disk_is_unavailable))
