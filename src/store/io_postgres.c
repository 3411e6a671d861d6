/* Files in rows.  A row holds a block short enough to stand in the table's own page: longer ones are moved out, in
 * pieces of that size, behind one more index.  SPDX-License-Identifier: Apache-2.0 */
#include "store/io_postgres.h"

#include "store/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK       1920
#define BLOCK_SQL   "1920"
#define PIECE       ((size_t)BLOCK * 512) /* of one statement */
#define OPEN_MAX    4096
#define NAME_MAX_   512
#define CONNECTIONS 4

struct handle {
    int64_t id; /* 0: free */
    bool can_write, is_removed;
};
struct io_postgres {
    struct db_pool *pool;
    char root[NAME_MAX_];
    pthread_mutex_t mutex; /* of the handles */
    struct handle handles[OPEN_MAX];
};

/* EXTERNAL: chunks are packed already. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS chunk_files (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT UNIQUE,"
    " size BIGINT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS chunk_blocks (file_id BIGINT NOT NULL, block BIGINT NOT NULL, bytes BYTEA NOT NULL,"
    " PRIMARY KEY (file_id, block));"
    "ALTER TABLE chunk_blocks ALTER COLUMN bytes SET STORAGE EXTERNAL";

#define DURABLE "set_config('synchronous_commit', 'on', true)"

/* Blocks with what is new of each behind zeros: `lead` bytes are before it, `skip` bytes of what is written went to
 * blocks before.  Over an old block: what that has before, zeros to where it is too short, what is new, what it has
 * behind. */
static const char write_sql[] =
    "WITH f AS (UPDATE chunk_files SET size = GREATEST(size, $2 + length($3)) FROM " DURABLE " AS s"
    " WHERE id = $1 RETURNING id),"
    " b AS (SELECT n, CAST(GREATEST($2 - n * " BLOCK_SQL ", 0) AS INTEGER) AS lead,"
    " CAST(GREATEST(n * " BLOCK_SQL " - $2, 0) AS INTEGER) AS skip"
    " FROM generate_series($2 / " BLOCK_SQL ", ($2 + length($3) - 1) / " BLOCK_SQL ") AS n)"
    " INSERT INTO chunk_blocks AS o (file_id, block, bytes)"
    " SELECT f.id, b.n, decode(repeat('00', lead), 'hex') || substring($3 FROM skip + 1 FOR " BLOCK_SQL " - lead)"
    " FROM f, b"
    " ON CONFLICT (file_id, block) DO UPDATE SET bytes = (SELECT substring(o.bytes FROM 1 FOR lead)"
    " || decode(repeat('00', GREATEST(lead - length(o.bytes), 0)), 'hex')"
    " || substring(EXCLUDED.bytes FROM lead + 1)"
    " || substring(o.bytes FROM length(EXCLUDED.bytes) + 1)"
    " FROM (SELECT CAST(GREATEST($2 - o.block * " BLOCK_SQL ", 0) AS INTEGER) AS lead) AS l)";

/* ---- names and handles ---- */

static int errno_of(enum err e) {
    return e == ERR_NOT_FOUND ? -ENOENT : e == ERR_INTERNAL ? -EPROTO : -EIO;
}

/* The name below the root; absent: the path is not below it. */
static struct str name_of(const struct io_postgres *p, const char *path) {
    struct str s = str_of(path), root = str_of(p->root);
    if (!str_starts(s, root)) return (struct str){0};
    s = str_from(s, root.len);
    if (s.len && s.ptr[0] != '/' && root.len) return (struct str){0};
    while (s.len && s.ptr[0] == '/') s = str_from(s, 1);
    return s.len <= NAME_MAX_ ? s : (struct str){0};
}

static bool handle_get(struct io_postgres *p, int64_t file, struct handle *ret) {
    if (file < 0 || file >= OPEN_MAX) return false;
    pthread_mutex_lock(&p->mutex);
    *ret = p->handles[file];
    pthread_mutex_unlock(&p->mutex);
    return ret->id != 0;
}

static int64_t handle_make(struct io_postgres *p, int64_t id, bool can_write) {
    int64_t file = -EMFILE;
    pthread_mutex_lock(&p->mutex);
    for (int64_t i = 0; i < OPEN_MAX && file < 0; i++)
        if (!p->handles[i].id) {
            p->handles[i] = (struct handle){.id = id, .can_write = can_write};
            file = i;
        }
    pthread_mutex_unlock(&p->mutex);
    return file;
}

/* Those of the file that are open are told that its name is gone; false: there are none. */
static bool handles_removed(struct io_postgres *p, int64_t id) {
    bool is_open = false;
    pthread_mutex_lock(&p->mutex);
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (p->handles[i].id == id) p->handles[i].is_removed = is_open = true;
    pthread_mutex_unlock(&p->mutex);
    return is_open;
}

/* ---- statements ---- */

static int run(struct io_postgres *p, const char *sql, const struct db_val *args, size_t args_n, int64_t *ret_changed) {
    struct db *db;
    struct fault f = {0};
    enum err e = db_pool_take(p->pool, &db, &f);
    if (e) return errno_of(e);
    e = db_exec(db, &f, sql, args, args_n, ret_changed);
    db_pool_give(p->pool, db);
    return e ? errno_of(e) : 0;
}

static int ask(struct io_postgres *p, const char *sql, const struct db_val *args, size_t args_n, int64_t *ret) {
    struct db *db;
    struct fault f = {0};
    bool found = false;
    enum err e = db_pool_take(p->pool, &db, &f);
    if (e) return errno_of(e);
    e = db_one_i64(db, &f, sql, args, args_n, ret, &found);
    db_pool_give(p->pool, db);
    return e ? errno_of(e) : found ? 0 : -ENOENT;
}

static int delete_file(struct io_postgres *p, int64_t id) {
    return run(p,
               "WITH gone AS (DELETE FROM chunk_files WHERE id = $1 AND name IS NULL RETURNING id)"
               " DELETE FROM chunk_blocks WHERE file_id IN (SELECT id FROM gone)",
               VALS(V_I64(id)), NULL);
}

/* ---- files ---- */

static int64_t postgres_open(void *self, const char *path, enum io_mode mode) {
    struct io_postgres *p = self;
    struct str name = name_of(p, path);
    int64_t id = 0;
    if (!name.len) return -EINVAL;
    int rc = ask(p, "SELECT id FROM chunk_files WHERE name = $1", VALS(V_TEXT(name)), &id);
    if (rc == -ENOENT && mode == IO_CREATE)
        rc = ask(p,
                 "INSERT INTO chunk_files (name, size) SELECT $1, 0 FROM " DURABLE
                 " ON CONFLICT (name) DO UPDATE SET name = EXCLUDED.name RETURNING id",
                 VALS(V_TEXT(name)), &id);
    return rc ? rc : handle_make(p, id, mode != IO_READ);
}

/* Copies what a block has of the range. */
static void take_block(uint8_t *ret, int64_t at, int64_t n, int64_t block, struct bytes bytes) {
    int64_t start = block * BLOCK, end = start + (int64_t)bytes.len;
    int64_t from = start > at ? start : at, to = end < at + n ? end : at + n;
    if (from < to) memcpy(ret + (from - at), bytes.ptr + (from - start), (size_t)(to - from));
}

static enum err read_rows(struct db *db, int64_t id, uint8_t *ret, int64_t n, int64_t at, int64_t *ret_n) {
    struct db_rows rows = {0};
    struct fault f = {0};
    int64_t last = (at + n - 1) / BLOCK;
    enum err e = db_query(db, &f,
                          "SELECT f.size, b.block, b.bytes FROM chunk_files f LEFT JOIN chunk_blocks b ON"
                          " b.file_id = f.id AND b.block BETWEEN $2 AND $3 WHERE f.id = $1",
                          VALS(V_I64(id), V_I64(at / BLOCK), V_I64(last)), &rows);
    *ret_n = -1;
    while (db_more(&rows, &f, &e)) {
        int64_t size = db_i64(&rows, 0), there = size > at ? size - at : 0;
        if (*ret_n < 0) {
            *ret_n = there < n ? there : n;
            memset(ret, 0, (size_t)*ret_n); /* what nobody wrote */
        }
        if (db_col(&rows, 2).type == DB_BLOB) take_block(ret, at, *ret_n, db_i64(&rows, 1), db_blob(&rows, 2));
    }
    db_done(&rows);
    return e ? e : *ret_n < 0 ? ERR_NOT_FOUND : OK;
}

/* A connection that was lost while nobody used it is noticed by the first who does: he asks again. */
static int64_t postgres_read(void *self, int64_t file, void *ret, size_t n, int64_t at) {
    struct io_postgres *p = self;
    struct handle h;
    struct db *db;
    struct fault f = {0};
    int64_t got = 0;
    if (!handle_get(p, file, &h)) return -EBADF;
    if (at < 0 || n > INT32_MAX || at > INT64_MAX - (int64_t)n) return -EINVAL;
    if (!n) return 0;
    enum err e = db_pool_take(p->pool, &db, &f);
    if (e) return errno_of(e);
    e = read_rows(db, h.id, ret, (int64_t)n, at, &got);
    if (e == ERR_UNAVAILABLE) e = read_rows(db, h.id, ret, (int64_t)n, at, &got);
    db_pool_give(p->pool, db);
    return e ? errno_of(e) : got;
}

static int64_t postgres_write(void *self, int64_t file, const void *bytes, size_t n, int64_t at) {
    struct io_postgres *p = self;
    struct handle h;
    if (!handle_get(p, file, &h) || !h.can_write) return -EBADF;
    if (at < 0 || n > INT32_MAX || at > INT64_MAX - (int64_t)n) return -EINVAL;
    for (size_t done = 0; done < n;) {
        size_t some = n - done < PIECE ? n - done : PIECE;
        struct bytes piece = {(const uint8_t *)bytes + done, some};
        int64_t changed = 0;
        int rc = run(p, write_sql, VALS(V_I64(h.id), V_I64(at + (int64_t)done), V_BLOB(piece)), &changed);
        if (rc || !changed) return rc ? rc : -EIO;
        done += some;
    }
    return (int64_t)n;
}

/* What was written is committed. */
static int postgres_sync(void *self, int64_t file) {
    struct handle h;
    return handle_get(self, file, &h) ? 0 : -EBADF;
}

static int postgres_truncate(void *self, int64_t file, int64_t size) {
    struct io_postgres *p = self;
    struct handle h;
    int64_t changed = 0;
    if (!handle_get(p, file, &h) || !h.can_write) return -EBADF;
    if (size < 0) return -EINVAL;
    /* One statement, all of it or nothing; a row is changed by one part of it only. */
    int rc = run(p,
                 "WITH gone AS (DELETE FROM chunk_blocks WHERE file_id = $1 AND block * " BLOCK_SQL " >= $2),"
                 " cut AS (UPDATE chunk_blocks SET bytes = substring(bytes FROM 1 FOR CAST($2 % " BLOCK_SQL
                 " AS INTEGER)) WHERE file_id = $1 AND block = $2 / " BLOCK_SQL " AND $2 % " BLOCK_SQL " > 0)"
                 " UPDATE chunk_files SET size = $2 FROM " DURABLE " AS s WHERE id = $1",
                 VALS(V_I64(h.id), V_I64(size)), &changed);
    return rc ? rc : changed ? 0 : -EIO;
}

static int64_t postgres_size(void *self, int64_t file) {
    struct io_postgres *p = self;
    struct handle h;
    int64_t size = 0;
    if (!handle_get(p, file, &h)) return -EBADF;
    int rc = ask(p, "SELECT size FROM chunk_files WHERE id = $1", VALS(V_I64(h.id)), &size);
    return rc ? rc : size;
}

static int postgres_close(void *self, int64_t file) {
    struct io_postgres *p = self;
    struct handle h;
    bool is_last = true;
    if (!handle_get(p, file, &h)) return -EBADF;
    pthread_mutex_lock(&p->mutex);
    p->handles[file] = (struct handle){0};
    for (size_t i = 0; i < OPEN_MAX; i++) is_last = is_last && p->handles[i].id != h.id;
    pthread_mutex_unlock(&p->mutex);
    if (h.is_removed && is_last) (void)delete_file(p, h.id); /* else the next opening does */
    return 0;
}

/* ---- names ---- */

static int postgres_remove(void *self, const char *path) {
    struct io_postgres *p = self;
    struct str name = name_of(p, path);
    int64_t id = 0;
    if (!name.len) return -EINVAL;
    int rc = ask(p, "UPDATE chunk_files SET name = NULL FROM " DURABLE " AS s WHERE name = $1 RETURNING id",
                 VALS(V_TEXT(name)), &id);
    if (!rc && !handles_removed(p, id)) (void)delete_file(p, id);
    return rc;
}

struct renaming {
    struct db *db;
    struct fault *f;
    struct str from, to;
    int64_t replaced; /* 0: there was none of that name */
};

static enum err do_rename(void *arg) {
    struct renaming *r = arg;
    int64_t id = 0, changed = 0;
    bool found = false;
    r->replaced = 0;
    TRY(db_one_i64(r->db, r->f, "SELECT id FROM chunk_files, " DURABLE " AS s WHERE name = $1", VALS(V_TEXT(r->from)),
                   &id, &found));
    if (!found) return ERR_NOT_FOUND;
    TRY(db_one_i64(r->db, r->f, "UPDATE chunk_files SET name = NULL WHERE name = $1 AND id <> $2 RETURNING id",
                   VALS(V_TEXT(r->to), V_I64(id)), &r->replaced, &found));
    return db_exec(r->db, r->f, "UPDATE chunk_files SET name = $1 WHERE id = $2", VALS(V_TEXT(r->to), V_I64(id)),
                   &changed);
}

static int postgres_rename(void *self, const char *from, const char *to) {
    struct io_postgres *p = self;
    struct fault f = {0};
    struct renaming r = {.f = &f, .from = name_of(p, from), .to = name_of(p, to)};
    if (!r.from.len || !r.to.len) return -EINVAL;
    enum err e = db_pool_take(p->pool, &r.db, &f);
    if (e) return errno_of(e);
    e = db_tx(r.db, &f, DB_WRITE, &(struct db_unit){.fn = do_rename, .arg = &r});
    db_pool_give(p->pool, r.db);
    if (!e && r.replaced && !handles_removed(p, r.replaced)) (void)delete_file(p, r.replaced);
    return e ? errno_of(e) : 0;
}

/* Folders are parts of names. */
static int postgres_dir(void *self, const char *path) {
    return name_of(self, path).ptr ? 0 : -EINVAL;
}

/* Names are taken before fn is called: it may call back. */
static int postgres_list(void *self, const char *path, int (*fn)(void *arg, const char *name), void *arg) {
    struct io_postgres *p = self;
    struct str folder = name_of(p, path);
    struct db *db;
    struct db_rows rows = {0};
    struct fault f = {0};
    struct arena a;
    char front[NAME_MAX_ + 2] = "";
    if (!folder.ptr) return -EINVAL;
    while (folder.len && folder.ptr[folder.len - 1] == '/') folder.len--;
    if (folder.len) snprintf(front, sizeof front, STR_FMT "/", STR_ARG(folder));
    enum err e = db_pool_take(p->pool, &db, &f);
    if (e) return errno_of(e);
    arena_init(&a, (size_t)16 << 20);
    e = db_query(db, &f,
                 "SELECT substring(name FROM length($1) + 1) AS file FROM chunk_files WHERE starts_with(name, $1)"
                 " AND strpos(substring(name FROM length($1) + 1), '/') = 0 ORDER BY file",
                 VALS(V_TEXT(str_of(front))), &rows);
    const char **names = arena_new(&a, const char *, OPEN_MAX);
    if (!names && !e) e = ERR_INTERNAL;
    size_t n = 0;
    while (names && n < OPEN_MAX && db_more(&rows, &f, &e)) {
        names[n] = arena_cstr(&a, db_text(&rows, 0));
        if (!names[n++]) e = ERR_INTERNAL;
    }
    db_done(&rows);
    db_pool_give(p->pool, db);
    for (size_t i = 0; i < n && !e; i++)
        if (fn(arg, names[i])) break;
    arena_finish(&a);
    return e ? errno_of(e) : 0;
}

struct io io_postgres_io(struct io_postgres *p) {
    return (struct io){
        .self = p,
        .open = postgres_open,
        .read = postgres_read,
        .write = postgres_write,
        .sync = postgres_sync,
        .truncate = postgres_truncate,
        .size = postgres_size,
        .close = postgres_close,
        .rename = postgres_rename,
        .remove = postgres_remove,
        .make_dir = postgres_dir,
        .sync_dir = postgres_dir,
        .list = postgres_list,
    };
}

/* ---- life ---- */

static enum err sweep(struct db *db, struct fault *f, const char *which) {
    char sql[256];
    snprintf(sql, sizeof sql,
             "WITH gone AS (DELETE FROM chunk_files WHERE %s RETURNING id)"
             " DELETE FROM chunk_blocks WHERE file_id IN (SELECT id FROM gone)",
             which);
    return db_exec(db, f, sql, NO_VALS, NULL);
}

static enum err with_db(struct io_postgres *p, struct fault *f, enum err (*fn)(struct db *db, struct fault *f)) {
    struct db *db;
    TRY(db_pool_take(p->pool, &db, f));
    enum err e = fn(db, f);
    db_pool_give(p->pool, db);
    return e;
}

static enum err make(struct db *db, struct fault *f) {
    TRY(db_script(db, f, tables));
    return sweep(db, f, "name IS NULL");
}

static enum err forget(struct db *db, struct fault *f) {
    return sweep(db, f, "TRUE");
}

enum err io_postgres_forget(struct io_postgres *p, struct fault *f) {
    return with_db(p, f, forget);
}

enum err io_postgres_open(const struct io_postgres_options *options, struct io_postgres **ret, struct fault *f) {
    struct io_postgres *p = calloc(1, sizeof *p);
    if (!p) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    pthread_mutex_init(&p->mutex, NULL);
    size_t n = strlen(options->root);
    while (n && options->root[n - 1] == '/') n--;
    enum err e = n < sizeof p->root ? OK : FAIL(f, ERR_LIMIT, "path_too_long", "the folder's name is too long");
    if (!e) memcpy(p->root, options->root, n);
    if (!e)
        e = db_pool_open(&(struct db_options){.url = options->url, .busy_ms = options->busy_ms},
                         options->connections ? options->connections : CONNECTIONS, &p->pool, f);
    if (!e && options->owner) e = with_db(p, f, make);
    if (e)
        io_postgres_close(p);
    else
        *ret = p;
    return e;
}

void io_postgres_close(struct io_postgres *p) {
    if (!p) return;
    db_pool_close(p->pool);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
