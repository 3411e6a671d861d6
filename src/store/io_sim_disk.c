/* The simulated disk's memory, and what is left of it after a power cut.  SPDX-License-Identifier: Apache-2.0 */
#include "store/io_sim_internal.h"

#include <stdlib.h>
#include <string.h>

#define SECTOR 512

static uint64_t sim_random(struct io_sim *sim) { /* splitmix64 */
    uint64_t z = sim->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- contents ---- */

static bool content_resize(struct content *c, int64_t size) {
    if (size > c->room) {
        int64_t room = size > c->room * 2 ? size : c->room * 2;
        uint8_t *bytes = realloc(c->bytes, (size_t)room);
        if (!bytes) return false;
        c->bytes = bytes;
        c->room = room;
    }
    if (size > c->size) memset(c->bytes + c->size, 0, (size_t)(size - c->size));
    c->size = size;
    return true;
}

static bool content_put(struct content *c, const uint8_t *bytes, int64_t n, int64_t at) {
    if (n <= 0) return true;
    if (at + n > c->size && !content_resize(c, at + n)) return false;
    memcpy(c->bytes + at, bytes, (size_t)n);
    return true;
}

static void changes_clear(struct inode *inode) {
    for (struct change *c = inode->first; c;) {
        struct change *next = c->next;
        free(c->bytes);
        free(c);
        c = next;
    }
    inode->first = NULL;
    inode->last = &inode->first;
}

static bool change_add(struct inode *inode, const uint8_t *bytes, int64_t n, int64_t at) {
    struct change *c = calloc(1, sizeof *c);
    if (!c) return false;
    *c = (struct change){.at = at, .n = n};
    if (bytes) {
        c->bytes = malloc((size_t)n);
        if (!c->bytes) {
            free(c);
            return false;
        }
        memcpy(c->bytes, bytes, (size_t)n);
    }
    *inode->last = c;
    inode->last = &c->next;
    return true;
}

bool disk_sync(struct inode *inode) {
    bool ok = true;
    for (const struct change *c = inode->first; c && ok; c = c->next)
        ok = c->bytes ? content_put(&inode->durable, c->bytes, c->n, c->at) : content_resize(&inode->durable, c->at);
    if (ok) changes_clear(inode);
    return ok;
}

void disk_forget(struct inode *inode) {
    changes_clear(inode);
}

bool disk_write(struct inode *inode, const uint8_t *bytes, int64_t n, int64_t at) {
    return content_put(&inode->seen, bytes, n, at) && change_add(inode, bytes, n, at);
}

bool disk_truncate(struct inode *inode, int64_t size) {
    return content_resize(&inode->seen, size) && change_add(inode, NULL, 0, size);
}

static void inode_free(struct inode *inode) {
    changes_clear(inode);
    free(inode->seen.bytes);
    free(inode->durable.bytes);
    free(inode);
}

/* ---- names ---- */

struct name *name_find(struct name *list, const char *path) {
    while (list && strcmp(list->path, path)) list = list->next;
    return list;
}

static void name_drop(struct name **list, const char *path) {
    for (struct name **at = list; *at; at = &(*at)->next)
        if (!strcmp((*at)->path, path)) {
            struct name *gone = *at;
            *at = gone->next;
            free(gone);
            return;
        }
}

bool name_put(struct name **list, const char *path, struct inode *inode) {
    struct name *n = name_find(*list, path);
    if (!n) {
        n = calloc(1, sizeof *n);
        if (!n) return false;
        memcpy(n->path, path, strlen(path));
        n->next = *list;
        *list = n;
    }
    n->inode = inode;
    return true;
}

void names_free(struct name **list) {
    for (struct name *n = *list; n;) {
        struct name *next = n->next;
        free(n);
        n = next;
    }
    *list = NULL;
}

static bool name_apply(struct name **list, const char *from, const char *to, struct inode *made) {
    const struct name *source = *from ? name_find(*list, from) : NULL;
    if (*from && !source) return true; /* its making was lost, so there is nothing to move */
    struct inode *inode = source ? source->inode : made;
    if (*to && !name_put(list, to, inode)) return false;
    if (*from) name_drop(list, from);
    return true;
}

bool disk_rename(struct io_sim *sim, const char *from, const char *to, struct inode *made) {
    struct name_change *c = calloc(1, sizeof *c);
    if (!c || !name_apply(&sim->seen, from, to, made)) {
        free(c);
        return false;
    }
    c->inode = made;
    memcpy(c->from, from, strlen(from));
    memcpy(c->to, to, strlen(to));
    *sim->last = c;
    sim->last = &c->next;
    return true;
}

size_t name_folder_len(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

bool name_is_in(const char *path, const char *folder, size_t n) {
    return name_folder_len(path) == n && !strncmp(path, folder, n);
}

/* Takes the changes of a folder off the list and makes those durable that `keep` says; folder NULL: all folders. */
static bool names_settle(struct io_sim *sim, const char *folder, bool at_random) {
    size_t n = folder ? strlen(folder) : 0;
    while (n > 0 && folder[n - 1] == '/') n--;
    struct name_change **at = &sim->first;
    bool ok = true;
    while (*at) {
        struct name_change *c = *at;
        if (folder && !name_is_in(*c->to ? c->to : c->from, folder, n)) {
            at = &c->next;
            continue;
        }
        if (!at_random || sim_random(sim) & 1) ok = ok && name_apply(&sim->durable, c->from, c->to, c->inode);
        *at = c->next;
        free(c);
    }
    sim->last = at;
    return ok;
}

struct inode *disk_make(struct io_sim *sim, const char *path) {
    struct inode *inode = calloc(1, sizeof *inode);
    if (!inode) return NULL;
    inode->last = &inode->first;
    inode->next = sim->inodes;
    sim->inodes = inode;
    return disk_rename(sim, "", path, inode) ? inode : NULL;
}

bool disk_sync_names(struct io_sim *sim, const char *folder) {
    return names_settle(sim, folder, false);
}

/* ---- the power comes back ---- */

/* One unsynced change as the drive left it: whole, not at all, or only the part before or after a sector's edge. */
static bool change_survive(struct io_sim *sim, struct content *disk, const struct change *c) {
    uint64_t fate = sim_random(sim) % 4;
    if (fate == 0) return true;
    if (!c->bytes) return content_resize(disk, c->at);
    int64_t edges = (c->at + c->n - 1) / SECTOR - c->at / SECTOR;
    if (fate != 1 || edges == 0) return content_put(disk, c->bytes, c->n, c->at);
    int64_t edge = (c->at / SECTOR + 1 + (int64_t)(sim_random(sim) % (uint64_t)edges)) * SECTOR;
    if (sim_random(sim) & 1) return content_put(disk, c->bytes, edge - c->at, c->at);
    return content_put(disk, c->bytes + (edge - c->at), c->at + c->n - edge, edge);
}

static void inodes_sweep(struct io_sim *sim) {
    for (struct inode **at = &sim->inodes; *at;) {
        struct inode *inode = *at;
        const struct name *name = sim->durable;
        while (name && name->inode != inode) name = name->next;
        if (name) {
            at = &inode->next;
            continue;
        }
        *at = inode->next;
        inode_free(inode);
    }
}

bool disk_restart(struct io_sim *sim) {
    bool ok = names_settle(sim, NULL, true);
    inodes_sweep(sim);
    for (struct inode *inode = sim->inodes; inode; inode = inode->next) {
        for (const struct change *c = inode->first; c && ok; c = c->next) ok = change_survive(sim, &inode->durable, c);
        changes_clear(inode);
        ok = ok && content_resize(&inode->seen, inode->durable.size);
        if (ok && inode->seen.size) memcpy(inode->seen.bytes, inode->durable.bytes, (size_t)inode->seen.size);
    }
    names_free(&sim->seen);
    for (const struct name *n = sim->durable; n && ok; n = n->next) ok = name_put(&sim->seen, n->path, n->inode);
    return ok;
}

void disk_free(struct io_sim *sim) {
    (void)names_settle(sim, NULL, false);
    names_free(&sim->seen);
    names_free(&sim->durable);
    inodes_sweep(sim);
}
