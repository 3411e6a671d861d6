/* What the simulated disk remembers: what programs see, what is durable, and the changes in between.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_IO_SIM_INTERNAL_H
#define LINLI_STORE_IO_SIM_INTERNAL_H

#include "store/io.h"

#include <pthread.h>

#define HANDLES_MAX 256
#define PATH_CAP    200

struct content {
    uint8_t *bytes;
    int64_t size, room;
};

/* A write or (bytes NULL) a truncation that no sync has made durable yet. */
struct change {
    struct change *next;
    uint8_t *bytes;
    int64_t at, n;
};

struct inode {
    struct inode *next;
    struct content seen, durable;
    struct change *first, **last;
};

struct name {
    struct name *next;
    struct inode *inode;
    char path[PATH_CAP];
};

/* A file made (from ""), renamed, or removed (to "") whose folder was not synced since. */
struct name_change {
    struct name_change *next;
    struct inode *inode; /* of a file made */
    char from[PATH_CAP], to[PATH_CAP];
};

struct handle {
    struct inode *inode;
    int64_t file; /* number given out; 0 = free slot */
    bool may_write;
};

struct io_sim {
    pthread_mutex_t mutex;
    uint64_t seed;
    struct inode *inodes;
    struct name *seen, *durable;
    struct name_change *first, **last;
    struct handle handles[HANDLES_MAX];
    int64_t files_given, ops, ops_left, bytes_left, sync_fails;
    bool off;
};

/* These give false when out of memory. */
bool disk_write(struct inode *inode, const uint8_t *bytes, int64_t n, int64_t at); /* seen, not durable */
bool disk_truncate(struct inode *inode, int64_t size);
bool disk_sync(struct inode *inode);
void disk_forget(struct inode *inode);                         /* what is not durable stays so */
struct inode *disk_make(struct io_sim *sim, const char *path); /* NULL when out of memory */
bool disk_rename(struct io_sim *sim, const char *from, const char *to, struct inode *made);
bool disk_sync_names(struct io_sim *sim, const char *folder);
bool disk_restart(struct io_sim *sim); /* the power comes back */
void disk_free(struct io_sim *sim);

struct name *name_find(struct name *list, const char *path); /* NULL when there is none */
bool name_put(struct name **list, const char *path, struct inode *inode);
void names_free(struct name **list);
bool name_is_in(const char *path, const char *folder, size_t folder_n);
size_t name_folder_len(const char *path);

#endif
