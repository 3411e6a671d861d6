/* The table of I/O functions under the stores, so that a test can own the disk: full, slow, torn, or cut from power.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_IO_H
#define LINLI_STORE_IO_H

#include "base/err.h"

enum io_mode { IO_READ = 0, IO_WRITE = 1, IO_CREATE = 3 /* write, made if missing */ };

/* Every call gives a negative errno on failure; a handle is >= 0.  Reads and writes may be short only at the end of the
 * file or the disk.  Safe to call from several threads on different handles. */
struct io {
    void *self;
    int64_t (*open)(void *self, const char *path, enum io_mode mode);
    int64_t (*read)(void *self, int64_t file, void *ret, size_t n, int64_t at);
    int64_t (*write)(void *self, int64_t file, const void *bytes, size_t n, int64_t at);
    int (*sync)(void *self, int64_t file); /* data and size are durable when it returns 0 */
    int (*truncate)(void *self, int64_t file, int64_t size);
    int64_t (*size)(void *self, int64_t file);
    int (*close)(void *self, int64_t file);
    int (*rename)(void *self, const char *from, const char *to); /* within one folder; durable after sync_dir */
    int (*remove)(void *self, const char *path);
    int (*make_dir)(void *self, const char *path); /* parents too; fine if it exists */
    int (*sync_dir)(void *self, const char *path);
    /* Calls fn for each file of the folder, no order; stops early when fn gives non-zero. */
    int (*list)(void *self, const char *path, int (*fn)(void *arg, const char *name), void *arg);
};

struct io io_real(void);

/* A disk in memory that remembers what was synced.  After `ops_left` operations (writes, syncs, truncates, renames,
 * removes) the power is cut: that operation and all later ones fail with -EIO.  io_sim_restart() then gives the disk as
 * a drive may leave it: synced data whole; each unsynced write kept, dropped or torn at a 512-byte edge, by `seed`; a
 * file or name whose folder was not synced may be gone. */
struct io_sim;
struct io_sim *io_sim_create(uint64_t seed);
void io_sim_destroy(struct io_sim *sim);
struct io io_sim_io(struct io_sim *sim);
void io_sim_cut_after(struct io_sim *sim, int64_t ops_left); /* -1: never */
void io_sim_restart(struct io_sim *sim, uint64_t seed);
void io_sim_full_after(struct io_sim *sim, int64_t bytes_left); /* -1: never; then writes give -ENOSPC */
/* The next n syncs of files fail, and what they were to make durable never is, though programs go on seeing it: a
 * kernel counts such pages as written. */
void io_sim_fail_syncs(struct io_sim *sim, int64_t n);
int64_t io_sim_ops(const struct io_sim *sim);

/* Registers a SQLite VFS of that name over an I/O table (single process: locks and WAL index live in memory).  */
NODISCARD enum err io_vfs_register(const char *name, const struct io *io, struct fault *f);
void io_vfs_unregister(const char *name);

#endif
