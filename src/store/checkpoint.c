/* The thread that empties the write-ahead log.  SPDX-License-Identifier: Apache-2.0 */
#include "store/checkpoint_internal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* While others keep writing, a log is never empty and so never begins again.  From this length on the writers wait
 * while the last few pages are moved. */
#define RESTART_FRAMES 4000
#define WRITER_MS      5000

struct checkpointer {
    char *path;
    struct writer *writer;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool is_running, is_broken, is_wanted, is_closing;
};

/* Pages that are still in the log; failure (a full disk, a reader in the way) leaves them there for the next time. */
static int move_pages(sqlite3 *handle) {
    int in_log = 0, moved = 0;
    (void)sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
    return in_log;
}

static void checkpoint(struct checkpointer *c, sqlite3 *handle) {
    if (move_pages(handle) < RESTART_FRAMES || !writer_take(c->writer, WRITER_MS)) return;
    (void)move_pages(handle);
    writer_give(c->writer);
}

static void *work(void *arg) {
    struct checkpointer *c = arg;
    sqlite3 *handle = NULL;
    int rc = sqlite3_open_v2(c->path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (!rc) rc = sqlite3_exec(handle, "PRAGMA synchronous=FULL; PRAGMA cache_size=-256", NULL, NULL, NULL);
    pthread_mutex_lock(&c->mutex);
    c->is_broken = rc != SQLITE_OK;
    while (!c->is_broken && !c->is_closing) {
        if (!c->is_wanted) {
            pthread_cond_wait(&c->wake, &c->mutex);
            continue;
        }
        c->is_wanted = false;
        pthread_mutex_unlock(&c->mutex);
        checkpoint(c, handle);
        pthread_mutex_lock(&c->mutex);
    }
    pthread_mutex_unlock(&c->mutex);
    sqlite3_close(handle);
    return NULL;
}

struct checkpointer *checkpointer_open(const char *path, struct writer *writer) {
    struct checkpointer *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->path = strdup(path);
    c->writer = writer;
    if (!c->path || pthread_mutex_init(&c->mutex, NULL) || pthread_cond_init(&c->wake, NULL)) {
        free(c->path);
        free(c);
        return NULL;
    }
    return c;
}

bool checkpointer_tell(struct checkpointer *c, int frames) {
    if (frames < CHECKPOINT_FRAMES) return true;
    pthread_mutex_lock(&c->mutex);
    if (!c->is_running && !c->is_broken) {
        c->is_running = !pthread_create(&c->thread, NULL, work, c);
        c->is_broken = !c->is_running;
    }
    bool ok = !c->is_broken;
    c->is_wanted = ok;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->mutex);
    return ok;
}

void checkpointer_close(struct checkpointer *c) {
    if (!c) return;
    pthread_mutex_lock(&c->mutex);
    c->is_closing = true;
    bool is_running = c->is_running;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->mutex);
    if (is_running) pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->mutex);
    free(c->path);
    free(c);
}
