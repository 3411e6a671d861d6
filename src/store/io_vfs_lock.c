/* Locks and WAL index of the VFS, in memory: one process only.  The levels are those of SQLite's "File Locking And
 * Concurrency" document, the slots those of its "WAL-mode File Format", section 2.3.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "store/io_vfs_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- nodes ---- */

bool vfs_node_open(struct vfs_file *file) {
    struct vfs *vfs = file->vfs;
    pthread_mutex_lock(&vfs->mutex);
    struct vfs_node *node = vfs->nodes;
    while (node && strcmp(node->path, file->path)) node = node->next;
    if (!node && (node = calloc(1, sizeof *node))) {
        memcpy(node->path, file->path, sizeof node->path);
        node->next = vfs->nodes;
        vfs->nodes = node;
    }
    if (node) node->files++;
    file->node = node;
    pthread_mutex_unlock(&vfs->mutex);
    return node;
}

static void regions_free(struct vfs_node *node) {
    for (int i = 0; i < node->regions_n; i++) free(node->regions[i]);
    free(node->regions);
    node->regions = NULL;
    node->regions_n = 0;
}

void vfs_node_close(struct vfs_file *file) {
    struct vfs *vfs = file->vfs;
    struct vfs_node *node = file->node;
    if (!node) return;
    (void)vfs_shm_unmap(&file->base, 0);
    (void)vfs_unlock(&file->base, SQLITE_LOCK_NONE);
    pthread_mutex_lock(&vfs->mutex);
    if (--node->files == 0) {
        struct vfs_node **at = &vfs->nodes;
        while (*at != node) at = &(*at)->next;
        *at = node->next;
        regions_free(node);
        free(node);
    }
    file->node = NULL;
    pthread_mutex_unlock(&vfs->mutex);
}

/* ---- file locks ---- */

static int lock_shared(struct vfs_file *file, struct vfs_node *node) {
    if (node->pending) return SQLITE_BUSY;
    node->readers++;
    file->lock = SQLITE_LOCK_SHARED;
    return SQLITE_OK;
}

static int lock_reserved(struct vfs_file *file, struct vfs_node *node) {
    if (node->writer) return SQLITE_BUSY;
    node->writer = file;
    file->lock = SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

static int lock_exclusive(struct vfs_file *file, struct vfs_node *node) {
    if (node->writer && node->writer != file) return SQLITE_BUSY;
    node->writer = file;
    node->pending = true;
    file->lock = SQLITE_LOCK_PENDING; /* kept while readers remain, so that no new ones come */
    if (node->readers > 1) return SQLITE_BUSY;
    file->lock = SQLITE_LOCK_EXCLUSIVE;
    return SQLITE_OK;
}

int vfs_lock(sqlite3_file *base, int level) {
    struct vfs_file *file = (struct vfs_file *)base;
    if (!file->node || file->lock >= level) return SQLITE_OK;
    int rc = SQLITE_OK;
    pthread_mutex_lock(&file->vfs->mutex);
    if (level == SQLITE_LOCK_SHARED) rc = lock_shared(file, file->node);
    if (level == SQLITE_LOCK_RESERVED) rc = lock_reserved(file, file->node);
    if (level == SQLITE_LOCK_EXCLUSIVE) rc = lock_exclusive(file, file->node);
    pthread_mutex_unlock(&file->vfs->mutex);
    return rc;
}

int vfs_unlock(sqlite3_file *base, int level) {
    struct vfs_file *file = (struct vfs_file *)base;
    struct vfs_node *node = file->node;
    if (!node || file->lock <= level) return SQLITE_OK;
    pthread_mutex_lock(&file->vfs->mutex);
    if (node->writer == file) {
        node->writer = NULL;
        node->pending = false;
    }
    if (level == SQLITE_LOCK_NONE) node->readers--;
    file->lock = level;
    pthread_mutex_unlock(&file->vfs->mutex);
    return SQLITE_OK;
}

int vfs_check_reserved(sqlite3_file *base, int *ret) {
    const struct vfs_file *file = (const struct vfs_file *)base;
    *ret = 0;
    if (!file->node) return SQLITE_OK;
    pthread_mutex_lock(&file->vfs->mutex);
    *ret = file->node->writer != NULL;
    pthread_mutex_unlock(&file->vfs->mutex);
    return SQLITE_OK;
}

/* ---- WAL index ---- */

static int map_locked(struct vfs_node *node, int region, int size, int extend, void volatile **ret) {
    *ret = NULL;
    if (region < node->regions_n) {
        *ret = node->regions[region];
        return SQLITE_OK;
    }
    if (!extend) return SQLITE_OK;
    void **more = realloc(node->regions, ((size_t)region + 1) * sizeof *more);
    if (!more) return SQLITE_IOERR_NOMEM;
    node->regions = more;
    while (node->regions_n <= region) {
        void *memory = calloc(1, (size_t)size);
        if (!memory) return SQLITE_IOERR_NOMEM;
        node->regions[node->regions_n++] = memory;
    }
    *ret = node->regions[region];
    return SQLITE_OK;
}

int vfs_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **ret) {
    struct vfs_file *file = (struct vfs_file *)base;
    if (!file->node) return SQLITE_IOERR_SHMMAP;
    pthread_mutex_lock(&file->vfs->mutex);
    if (!file->uses_shm) file->node->shm_users++;
    file->uses_shm = true;
    int rc = map_locked(file->node, region, size, extend, ret);
    pthread_mutex_unlock(&file->vfs->mutex);
    return rc;
}

static int shm_take(struct vfs_file *file, unsigned mask, bool exclusive) {
    int *readers = file->node->shm_readers;
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        if (!(mask >> i & 1)) continue;
        bool mine = file->shm_shared >> i & 1;
        if (exclusive ? readers[i] != 0 : readers[i] < 0 && !mine) return SQLITE_BUSY;
    }
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        if (!(mask >> i & 1) || (!exclusive && (file->shm_shared >> i & 1))) continue;
        readers[i] = exclusive ? -1 : readers[i] + 1;
    }
    if (exclusive)
        file->shm_exclusive |= mask;
    else
        file->shm_shared |= mask;
    return SQLITE_OK;
}

static void shm_give(struct vfs_file *file, unsigned mask) {
    int *readers = file->node->shm_readers;
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        unsigned bit = 1u << i;
        if ((mask & file->shm_exclusive) & bit) readers[i] = 0;
        if ((mask & file->shm_shared) & bit) readers[i]--;
    }
    file->shm_exclusive &= ~mask;
    file->shm_shared &= ~mask;
}

int vfs_shm_lock(sqlite3_file *base, int offset, int n, int flags) {
    struct vfs_file *file = (struct vfs_file *)base;
    unsigned mask = ((1u << n) - 1) << offset;
    int rc = SQLITE_OK;
    pthread_mutex_lock(&file->vfs->mutex);
    if (flags & SQLITE_SHM_UNLOCK)
        shm_give(file, mask);
    else
        rc = shm_take(file, mask, flags & SQLITE_SHM_EXCLUSIVE);
    pthread_mutex_unlock(&file->vfs->mutex);
    return rc;
}

void vfs_shm_barrier(sqlite3_file *base) {
    struct vfs_file *file = (struct vfs_file *)base;
    __sync_synchronize();
    pthread_mutex_lock(&file->vfs->mutex);
    pthread_mutex_unlock(&file->vfs->mutex);
}

int vfs_shm_unmap(sqlite3_file *base, int remove) {
    (void)remove; /* it is memory: gone with its last user either way, and SQLite rebuilds it from the log */
    struct vfs_file *file = (struct vfs_file *)base;
    if (!file->uses_shm) return SQLITE_OK;
    pthread_mutex_lock(&file->vfs->mutex);
    shm_give(file, file->shm_exclusive | file->shm_shared);
    file->uses_shm = false;
    if (--file->node->shm_users == 0) regions_free(file->node);
    pthread_mutex_unlock(&file->vfs->mutex);
    return SQLITE_OK;
}
