/* A disk in memory that can be full, lose power and come back as a drive may leave it: its operations.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/io_sim_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Counts an operation; true when the power fails during it. */
static bool power_fails(struct io_sim *sim) {
    sim->ops++;
    if (sim->ops_left > 0)
        sim->ops_left--;
    else if (sim->ops_left == 0)
        sim->off = true;
    return sim->off;
}

/* Locks; the sim stays locked only when there is power. */
static bool enter(struct io_sim *sim) {
    pthread_mutex_lock(&sim->mutex);
    if (!sim->off) return true;
    pthread_mutex_unlock(&sim->mutex);
    return false;
}

static int64_t leave(struct io_sim *sim, int64_t result) {
    pthread_mutex_unlock(&sim->mutex);
    return result;
}

static struct handle *handle_of(struct io_sim *sim, int64_t file) {
    struct handle *h = &sim->handles[file % HANDLES_MAX];
    return file > 0 && h->file == file ? h : NULL;
}

static int64_t open_locked(struct io_sim *sim, const char *path, enum io_mode mode) {
    if (!*path || strlen(path) >= PATH_CAP) return -ENAMETOOLONG;
    struct name *name = name_find(sim->seen, path);
    if (!name && mode != IO_CREATE) return -ENOENT;
    struct inode *inode = name ? name->inode : disk_make(sim, path);
    if (!inode) return -ENOMEM;
    for (int i = 0; i < HANDLES_MAX; i++) { /* numbers are never used again, so a handle of before a restart is stale */
        int64_t file = ++sim->files_given;
        struct handle *h = &sim->handles[file % HANDLES_MAX];
        if (h->file) continue;
        *h = (struct handle){inode, file, mode != IO_READ};
        return file;
    }
    return -EMFILE;
}

static int64_t sim_open(void *self, const char *path, enum io_mode mode) {
    struct io_sim *sim = self;
    return enter(sim) ? leave(sim, open_locked(sim, path, mode)) : -EIO;
}

static int64_t sim_read(void *self, int64_t file, void *ret, size_t n, int64_t at) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    const struct handle *h = handle_of(sim, file);
    if (!h || at < 0) return leave(sim, h ? -EINVAL : -EBADF);
    int64_t left = h->inode->seen.size - at;
    if (left < (int64_t)n) n = left > 0 ? (size_t)left : 0;
    if (n) memcpy(ret, h->inode->seen.bytes + at, n);
    return leave(sim, (int64_t)n);
}

static int64_t write_locked(struct io_sim *sim, struct inode *inode, const uint8_t *bytes, int64_t n, int64_t at) {
    int64_t grows = at + n - inode->seen.size;
    if (sim->bytes_left >= 0 && grows > sim->bytes_left) {
        n -= grows - sim->bytes_left;
        grows = sim->bytes_left;
        if (n <= 0) return -ENOSPC;
    }
    if (!disk_write(inode, bytes, n, at)) return -ENOMEM;
    if (sim->bytes_left >= 0 && grows > 0) sim->bytes_left -= grows;
    return n;
}

static int64_t sim_write(void *self, int64_t file, const void *bytes, size_t n, int64_t at) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    const struct handle *h = handle_of(sim, file);
    if (!h || !h->may_write) return leave(sim, -EBADF);
    if (at < 0 || n > INT32_MAX) return leave(sim, -EINVAL);
    if (!n) return leave(sim, 0);
    bool cut = power_fails(sim); /* the write under way may still reach the disk, or a part of it */
    int64_t put = write_locked(sim, h->inode, bytes, (int64_t)n, at);
    return leave(sim, cut ? -EIO : put);
}

static int sim_sync(void *self, int64_t file) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    const struct handle *h = handle_of(sim, file);
    if (!h) return (int)leave(sim, -EBADF);
    if (power_fails(sim)) return (int)leave(sim, -EIO);
    if (sim->sync_fails > 0) {
        sim->sync_fails--;
        disk_forget(h->inode);
        return (int)leave(sim, -EIO);
    }
    return (int)leave(sim, disk_sync(h->inode) ? 0 : -ENOMEM);
}

static int sim_truncate(void *self, int64_t file, int64_t size) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    const struct handle *h = handle_of(sim, file);
    if (!h || !h->may_write || size < 0) return (int)leave(sim, size < 0 ? -EINVAL : -EBADF);
    bool cut = power_fails(sim);
    int64_t freed = h->inode->seen.size - size;
    bool ok = disk_truncate(h->inode, size);
    if (ok && sim->bytes_left >= 0 && freed > 0) sim->bytes_left += freed;
    return (int)leave(sim, cut ? -EIO : ok ? 0 : -ENOMEM);
}

static int64_t sim_size(void *self, int64_t file) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    const struct handle *h = handle_of(sim, file);
    return leave(sim, h ? h->inode->seen.size : -EBADF);
}

static int sim_close(void *self, int64_t file) {
    struct io_sim *sim = self;
    pthread_mutex_lock(&sim->mutex); /* closing needs no power */
    struct handle *h = handle_of(sim, file);
    if (h) *h = (struct handle){0};
    return (int)leave(sim, h ? 0 : -EBADF);
}

static int sim_rename(void *self, const char *from, const char *to) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    if (!*to || strlen(to) >= PATH_CAP || strlen(from) >= PATH_CAP) return (int)leave(sim, -ENAMETOOLONG);
    if (!name_is_in(to, from, name_folder_len(from))) return (int)leave(sim, -EXDEV);
    if (!name_find(sim->seen, from)) return (int)leave(sim, -ENOENT);
    bool cut = power_fails(sim);
    bool ok = !strcmp(from, to) || disk_rename(sim, from, to, NULL);
    return (int)leave(sim, cut ? -EIO : ok ? 0 : -ENOMEM);
}

static int sim_remove(void *self, const char *path) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    const struct name *name = name_find(sim->seen, path);
    if (!name) return (int)leave(sim, -ENOENT);
    int64_t freed = name->inode->seen.size;
    bool cut = power_fails(sim);
    bool ok = disk_rename(sim, path, "", NULL);
    if (ok && sim->bytes_left >= 0) sim->bytes_left += freed;
    return (int)leave(sim, cut ? -EIO : ok ? 0 : -ENOMEM);
}

static int sim_make_dir(void *self, const char *path) { /* folders are the front parts of paths, and always there */
    struct io_sim *sim = self;
    return enter(sim) ? (int)leave(sim, *path ? 0 : -ENOENT) : -EIO;
}

static int sim_sync_dir(void *self, const char *path) {
    struct io_sim *sim = self;
    if (!enter(sim)) return -EIO;
    if (power_fails(sim)) return (int)leave(sim, -EIO);
    return (int)leave(sim, disk_sync_names(sim, path) ? 0 : -ENOMEM);
}

/* The callback may use the disk: the names are copied first. */
static int sim_list(void *self, const char *path, int (*fn)(void *arg, const char *name), void *arg) {
    struct io_sim *sim = self;
    struct name *found = NULL;
    size_t n = strlen(path);
    bool ok = true;
    while (n > 0 && path[n - 1] == '/') n--;
    if (!enter(sim)) return -EIO;
    for (const struct name *at = sim->seen; at && ok; at = at->next)
        if (name_is_in(at->path, path, n)) ok = name_put(&found, at->path, at->inode);
    leave(sim, 0);
    for (const struct name *at = found; at && ok; at = at->next) {
        const char *slash = strrchr(at->path, '/');
        if (fn(arg, slash ? slash + 1 : at->path)) break;
    }
    names_free(&found);
    return ok ? 0 : -ENOMEM;
}

/* ---- control ---- */

struct io_sim *io_sim_create(uint64_t seed) {
    struct io_sim *sim = calloc(1, sizeof *sim);
    if (!sim) return NULL;
    sim->seed = seed;
    sim->last = &sim->first;
    sim->ops_left = sim->bytes_left = -1;
    pthread_mutex_init(&sim->mutex, NULL);
    return sim;
}

void io_sim_restart(struct io_sim *sim, uint64_t seed) {
    pthread_mutex_lock(&sim->mutex);
    sim->seed = seed;
    sim->off = !disk_restart(sim); /* out of memory: a disk that stays dead, which no test takes for success */
    memset(sim->handles, 0, sizeof sim->handles);
    sim->ops_left = -1;
    pthread_mutex_unlock(&sim->mutex);
}

void io_sim_destroy(struct io_sim *sim) {
    if (!sim) return;
    disk_free(sim);
    pthread_mutex_destroy(&sim->mutex);
    free(sim);
}

void io_sim_cut_after(struct io_sim *sim, int64_t ops_left) {
    pthread_mutex_lock(&sim->mutex);
    sim->ops_left = ops_left;
    pthread_mutex_unlock(&sim->mutex);
}

void io_sim_full_after(struct io_sim *sim, int64_t bytes_left) {
    pthread_mutex_lock(&sim->mutex);
    sim->bytes_left = bytes_left;
    pthread_mutex_unlock(&sim->mutex);
}

void io_sim_fail_syncs(struct io_sim *sim, int64_t n) {
    pthread_mutex_lock(&sim->mutex);
    sim->sync_fails = n;
    pthread_mutex_unlock(&sim->mutex);
}

int64_t io_sim_ops(const struct io_sim *sim) {
    return sim->ops;
}

struct io io_sim_io(struct io_sim *sim) {
    return (struct io){
        .self = sim,
        .open = sim_open,
        .read = sim_read,
        .write = sim_write,
        .sync = sim_sync,
        .truncate = sim_truncate,
        .size = sim_size,
        .close = sim_close,
        .rename = sim_rename,
        .remove = sim_remove,
        .make_dir = sim_make_dir,
        .sync_dir = sim_sync_dir,
        .list = sim_list,
    };
}
