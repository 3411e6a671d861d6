/* A SQLite VFS over an I/O table: what its two files share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_IO_VFS_INTERNAL_H
#define LINLI_STORE_IO_VFS_INTERNAL_H

#include "store/io.h"

#include <pthread.h>
#include <sqlite3.h>

#define VFS_PATH_CAP 512

struct vfs_file;

/* A database file that connections of this process have open: its locks and its WAL index. */
struct vfs_node {
    struct vfs_node *next;
    size_t files;
    int readers;             /* SHARED or more */
    struct vfs_file *writer; /* RESERVED or more */
    bool pending;            /* the writer waits for the readers to go */
    size_t shm_users;
    void **regions;
    int regions_n, region_size;
    int shm_readers[SQLITE_SHM_NLOCK]; /* -1: held exclusively */
    char path[VFS_PATH_CAP];
};

struct vfs {
    sqlite3_vfs base;
    struct io io;
    pthread_mutex_t mutex; /* of the nodes */
    struct vfs_node *nodes;
    char name[];
};

struct vfs_file {
    sqlite3_file base;
    struct vfs *vfs;
    struct vfs_node *node; /* of databases; NULL for journals */
    int64_t handle;
    int lock;
    bool sync_folder, remove_on_close, uses_shm;
    unsigned shm_shared, shm_exclusive; /* bit a slot */
    char path[VFS_PATH_CAP];
};

bool vfs_node_open(struct vfs_file *file);
void vfs_node_close(struct vfs_file *file);

/* The locking and shared-memory half of sqlite3_io_methods. */
int vfs_lock(sqlite3_file *file, int level);
int vfs_unlock(sqlite3_file *file, int level);
int vfs_check_reserved(sqlite3_file *file, int *ret);
int vfs_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret);
int vfs_shm_lock(sqlite3_file *file, int offset, int n, int flags);
void vfs_shm_barrier(sqlite3_file *file);
int vfs_shm_unmap(sqlite3_file *file, int remove);

#endif
