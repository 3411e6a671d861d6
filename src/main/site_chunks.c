/* Where sealed readings are.  SPDX-License-Identifier: Apache-2.0 */
#include "main/site.h"
#include "store/io_postgres.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ID_HEX 32

/* A folder whose chunks are in the store says so in a file, and the store says whose chunks it has: the log of another
 * folder knows none of them and would take them away. */
struct claim {
    char path[640], own[ID_HEX + 1], theirs[ID_HEX + 1]; /* "": nobody said so */
};

static int find_chunks(void *arg, const char *name) {
    struct str end = S(".chunks"), s = str_of(name);
    *(bool *)arg |= s.len > end.len && str_eq(str_from(s, s.len - end.len), end);
    return *(bool *)arg;
}

static enum err has_files(struct site *s, bool *ret, struct fault *f) {
    char dir[640];
    snprintf(dir, sizeof dir, "%s/" SITE_READINGS, s->dir);
    int rc = s->io.list(s->io.self, dir, find_chunks, ret);
    return !rc || rc == -ENOENT ? OK : FAIL(f, ERR_UNAVAILABLE, "data_folder", "the readings' folder cannot be read");
}

static bool id_read(const struct io *io, const char *path, char ret[ID_HEX + 1]) {
    int64_t file = io->open(io->self, path, IO_READ);
    if (file == -ENOENT) return true;
    if (file < 0) return false;
    int64_t n = io->read(io->self, file, ret, ID_HEX, 0);
    ret[n > 0 ? n : 0] = 0;
    return !io->close(io->self, file) && n >= 0;
}

static bool id_write(const struct io *io, const char *path, const char *dir, const char *id) {
    int64_t file = io->open(io->self, path, IO_CREATE);
    if (file < 0) return false;
    bool ok = io->write(io->self, file, id, ID_HEX, 0) == ID_HEX && !io->sync(io->self, file);
    return !io->close(io->self, file) && ok && !io->sync_dir(io->self, dir);
}

static void id_make(struct site *s, char ret[ID_HEX + 1]) {
    uint8_t bytes[ID_HEX / 2];
    s->world.random(s->world.self, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static bool is_postgres(const struct site *s) {
    return str_starts(str_of(s->db_url), S("postgres"));
}

/* Half of them here and half there would be half of a history. */
static enum err decide(struct site *s, const struct site_chunks_options *o, const struct claim *c, bool *ret_rows,
                       struct fault *f) {
    bool files = false;
    bool wants_rows = o->where && !strcmp(o->where, "store"), wants_files = o->where && !strcmp(o->where, "files");
    if (o->where && !wants_rows && !wants_files)
        return FAIL(f, ERR_INVALID, "chunks_where", "--chunks is files or store, not %.40s", o->where);
    if ((wants_rows || c->own[0]) && !is_postgres(s))
        return FAIL(f, ERR_INVALID, "chunks_where", "sealed readings in the store need --db postgres://…");
    if (wants_files && c->own[0] && !o->fresh)
        return FAIL(f, ERR_CONFLICT, "chunks_elsewhere", "sealed readings are in the store: serve with --chunks=store");
    TRY(has_files(s, &files, f));
    if (files && wants_rows)
        return FAIL(f, ERR_CONFLICT, "chunks_elsewhere",
                    "sealed readings are in files of the data folder: serve with --chunks=files");
    *ret_rows = wants_rows || (c->own[0] && !wants_files);
    return OK;
}

static enum err claim_store(struct site *s, struct claim *c, const struct io *rows, bool owner, struct fault *f) {
    char path[640];
    snprintf(path, sizeof path, "%s/owner", s->dir);
    if (!id_read(rows, path, c->theirs))
        return FAIL(f, ERR_UNAVAILABLE, "store_unavailable", "the store's sealed readings cannot be read");
    if (c->theirs[0] && strcmp(c->theirs, c->own) != 0)
        return FAIL(f, ERR_CONFLICT, "chunks_elsewhere",
                    "the store has sealed readings of another data folder; take that one, or another database");
    if (c->theirs[0] || !owner) return OK;
    if (!c->own[0]) {
        id_make(s, c->own);
        if (!id_write(&s->io, c->path, s->dir, c->own))
            return FAIL(f, ERR_UNAVAILABLE, "disk_full", "the data folder cannot be written");
    }
    return id_write(rows, path, s->dir, c->own)
               ? OK
               : FAIL(f, ERR_UNAVAILABLE, "store_unavailable", "the store's sealed readings cannot be written");
}

static enum err open_rows(struct site *s, const struct site_chunks_options *o, struct claim *c, struct site_chunks *ret,
                          struct fault *f) {
    TRY(io_postgres_open(&(struct io_postgres_options){.url = s->db_url, .root = s->dir, .owner = o->owner}, &ret->rows,
                         f));
    ret->io = io_postgres_io(ret->rows);
    TRY(claim_store(s, c, &ret->io, o->owner, f));
    if (!o->fresh) return OK;
    TRY(io_postgres_forget(ret->rows, f));
    c->theirs[0] = 0;
    return claim_store(s, c, &ret->io, o->owner, f);
}

/* A fresh start in files: what was in the store goes, and with it the word that it is there. */
static enum err leave_store(struct site *s, const struct site_chunks_options *o, struct claim *c,
                            struct site_chunks *ret, struct fault *f) {
    enum err e = open_rows(s, o, c, ret, f);
    if (!e) e = io_postgres_forget(ret->rows, f);
    site_chunks_close(ret);
    ret->io = s->io;
    if (!e && s->io.remove(s->io.self, c->path))
        return FAIL(f, ERR_UNAVAILABLE, "data_folder", "the data folder cannot be written");
    return e;
}

enum err site_chunks_open(struct site *s, const struct site_chunks_options *options, struct site_chunks *ret,
                          struct fault *f) {
    struct claim c = {0};
    bool rows = false;
    *ret = (struct site_chunks){.io = s->io};
    snprintf(c.path, sizeof c.path, "%s/chunks-in-store", s->dir);
    if (!id_read(&s->io, c.path, c.own))
        return FAIL(f, ERR_UNAVAILABLE, "data_folder", "the data folder cannot be read");
    TRY(decide(s, options, &c, &rows, f));
    enum err e = rows ? open_rows(s, options, &c, ret, f) : c.own[0] ? leave_store(s, options, &c, ret, f) : OK;
    if (e) site_chunks_close(ret);
    return e;
}

void site_chunks_close(struct site_chunks *c) {
    io_postgres_close(c->rows);
    c->rows = NULL;
}
