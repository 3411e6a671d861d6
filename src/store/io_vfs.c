/* A SQLite VFS over an I/O table: files and names.  SPDX-License-Identifier: Apache-2.0 */
#include "store/io_vfs_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct vfs *vfs_of(sqlite3_vfs *base) {
    return (struct vfs *)base;
}

/* The folder of a path, for sync_dir. */
static int sync_folder(const struct vfs *vfs, const char *path) {
    char folder[VFS_PATH_CAP];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    memcpy(folder, path, n);
    if (slash && !n) folder[n++] = '/';
    if (!slash) folder[n++] = '.';
    folder[n] = 0;
    return vfs->io.sync_dir(vfs->io.self, folder);
}

/* ---- files ---- */

static int file_close(sqlite3_file *base) {
    struct vfs_file *file = (struct vfs_file *)base;
    const struct io *io = &file->vfs->io;
    vfs_node_close(file);
    int rc = io->close(io->self, file->handle);
    if (file->remove_on_close) (void)io->remove(io->self, file->path);
    return rc ? SQLITE_IOERR_CLOSE : SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *ret, int n, sqlite3_int64 at) {
    struct vfs_file *file = (struct vfs_file *)base;
    int64_t got = file->vfs->io.read(file->vfs->io.self, file->handle, ret, (size_t)n, at);
    if (got < 0) return SQLITE_IOERR_READ;
    if (got == n) return SQLITE_OK;
    memset((char *)ret + got, 0, (size_t)(n - got));
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int n, sqlite3_int64 at) {
    struct vfs_file *file = (struct vfs_file *)base;
    int64_t put = file->vfs->io.write(file->vfs->io.self, file->handle, bytes, (size_t)n, at);
    if (put == n) return SQLITE_OK;
    return put >= 0 || put == -ENOSPC || put == -EDQUOT ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    struct vfs_file *file = (struct vfs_file *)base;
    return file->vfs->io.truncate(file->vfs->io.self, file->handle, size) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags) {
    (void)flags;
    struct vfs_file *file = (struct vfs_file *)base;
    int rc = file->vfs->io.sync(file->vfs->io.self, file->handle);
    if (rc) return rc == -ENOSPC || rc == -EDQUOT ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
    if (!file->sync_folder) return SQLITE_OK;
    if (sync_folder(file->vfs, file->path)) return SQLITE_IOERR_DIR_FSYNC;
    file->sync_folder = false; /* the name of a new file is durable, once */
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret) {
    struct vfs_file *file = (struct vfs_file *)base;
    int64_t size = file->vfs->io.size(file->vfs->io.self, file->handle);
    if (size < 0) return SQLITE_IOERR_FSTAT;
    *ret = size;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg) {
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base) {
    (void)base;
    return 4096;
}

static int file_traits(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite assumes of any drive by default */
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = vfs_shm_map,
    .xShmLock = vfs_shm_lock,
    .xShmBarrier = vfs_shm_barrier,
    .xShmUnmap = vfs_shm_unmap,
};

/* ---- names ---- */

static int64_t open_handle(const struct io *io, const char *path, int flags, bool *ret_made) {
    *ret_made = false;
    if (flags & SQLITE_OPEN_READONLY) return io->open(io->self, path, IO_READ);
    int64_t handle = io->open(io->self, path, IO_WRITE);
    if (handle >= 0 && (flags & SQLITE_OPEN_EXCLUSIVE)) {
        (void)io->close(io->self, handle);
        return -EEXIST;
    }
    if (handle != -ENOENT || !(flags & SQLITE_OPEN_CREATE)) return handle;
    *ret_made = true;
    return io->open(io->self, path, IO_CREATE);
}

static int names_open(sqlite3_vfs *base, const char *path, sqlite3_file *ret, int flags, int *ret_flags) {
    struct vfs *vfs = vfs_of(base);
    struct vfs_file *file = (struct vfs_file *)ret;
    *file = (struct vfs_file){.vfs = vfs};
    /* Files without a name are temporary ones, and those we keep in memory (PRAGMA temp_store). */
    if (!path || strlen(path) >= sizeof file->path) return SQLITE_CANTOPEN;
    memcpy(file->path, path, strlen(path));
    file->remove_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
    file->handle = open_handle(&vfs->io, path, flags, &file->sync_folder);
    if (file->handle < 0) return file->handle == -ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN;
    if ((flags & SQLITE_OPEN_MAIN_DB) && !vfs_node_open(file)) {
        (void)vfs->io.close(vfs->io.self, file->handle);
        return SQLITE_NOMEM;
    }
    if (ret_flags) *ret_flags = flags;
    file->base.pMethods = &file_methods; /* set: SQLite will close it */
    return SQLITE_OK;
}

static int names_delete(sqlite3_vfs *base, const char *path, int durable) {
    const struct vfs *vfs = vfs_of(base);
    int rc = vfs->io.remove(vfs->io.self, path);
    if (rc) return rc == -ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    return durable && sync_folder(vfs, path) ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

/* An empty file counts as none, as in SQLite's own VFS: an empty journal is no journal. */
static int names_access(sqlite3_vfs *base, const char *path, int flags, int *ret) {
    const struct io *io = &vfs_of(base)->io;
    int64_t handle = io->open(io->self, path, flags == SQLITE_ACCESS_READWRITE ? IO_WRITE : IO_READ);
    *ret = 0;
    if (handle == -ENOENT || handle == -EACCES) return SQLITE_OK;
    if (handle < 0) return SQLITE_IOERR_ACCESS;
    int64_t size = io->size(io->self, handle);
    (void)io->close(io->self, handle);
    if (size < 0) return SQLITE_IOERR_ACCESS;
    *ret = flags != SQLITE_ACCESS_EXISTS || size > 0;
    return SQLITE_OK;
}

static int names_full(sqlite3_vfs *base, const char *path, int n, char *ret) {
    (void)base;
    size_t len = strlen(path);
    if (len >= (size_t)n) return SQLITE_CANTOPEN;
    memcpy(ret, path, len + 1);
    return SQLITE_OK;
}

/* ---- chance and time: the system's ---- */

static sqlite3_vfs *system_vfs(sqlite3_vfs *base) {
    return base->pAppData;
}

static int names_random(sqlite3_vfs *base, int n, char *ret) {
    return system_vfs(base)->xRandomness(system_vfs(base), n, ret);
}

static int names_sleep(sqlite3_vfs *base, int us) {
    return system_vfs(base)->xSleep(system_vfs(base), us);
}

static int names_time(sqlite3_vfs *base, double *ret) {
    return system_vfs(base)->xCurrentTime(system_vfs(base), ret);
}

static int names_time_ms(sqlite3_vfs *base, sqlite3_int64 *ret) {
    return system_vfs(base)->xCurrentTimeInt64(system_vfs(base), ret);
}

static int names_last_error(sqlite3_vfs *base, int n, char *ret) {
    (void)base;
    if (n > 0) *ret = 0;
    return 0;
}

/* ---- registering ---- */

enum err io_vfs_register(const char *name, const struct io *io, struct fault *f) {
    if (sqlite3_initialize() || sqlite3_vfs_find(name))
        return FAIL(f, ERR_CONFLICT, "not_unique", "there is a VFS of that name already");
    size_t n = strlen(name) + 1;
    struct vfs *vfs = calloc(1, sizeof *vfs + n);
    if (!vfs) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    memcpy(vfs->name, name, n);
    vfs->io = *io;
    pthread_mutex_init(&vfs->mutex, NULL);
    vfs->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct vfs_file),
        .mxPathname = VFS_PATH_CAP - 16, /* room for "-journal" */
        .zName = vfs->name,
        .pAppData = sqlite3_vfs_find(NULL),
        .xOpen = names_open,
        .xDelete = names_delete,
        .xAccess = names_access,
        .xFullPathname = names_full,
        .xRandomness = names_random,
        .xSleep = names_sleep,
        .xCurrentTime = names_time,
        .xGetLastError = names_last_error,
        .xCurrentTimeInt64 = names_time_ms,
    };
    if (sqlite3_vfs_register(&vfs->base, 0)) {
        pthread_mutex_destroy(&vfs->mutex);
        free(vfs);
        return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    }
    return OK;
}

void io_vfs_unregister(const char *name) {
    sqlite3_vfs *base = sqlite3_vfs_find(name);
    if (!base || base->xOpen != names_open) return;
    struct vfs *vfs = vfs_of(base);
    sqlite3_vfs_unregister(base);
    pthread_mutex_destroy(&vfs->mutex);
    free(vfs);
}
