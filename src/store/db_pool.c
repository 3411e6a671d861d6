/* A bounded set of connections that threads take and give back.  SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "store/db.h"
#include "store/db_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct db_pool {
    char *url, *vfs;
    int busy_ms;
    pthread_mutex_t mutex;
    pthread_cond_t given;
    size_t size, opened; /* opened counts those taken, too */
    atomic_bool writes_fail;
    size_t idle_n;
    struct db *idle[];
};

static void pool_free(struct db_pool *p) {
    free(p->url);
    free(p->vfs);
    free(p);
}

static enum err pool_connect(struct db_pool *p, struct db **ret, struct fault *f) {
    TRY(db_open(&(struct db_options){.url = p->url, .vfs = p->vfs, .busy_ms = p->busy_ms}, ret, f));
    (*ret)->writes_fail = &p->writes_fail;
    return OK;
}

bool db_pool_writes_fail(struct db_pool *p) {
    return atomic_load(&p->writes_fail);
}

enum err db_pool_open(const struct db_options *options, size_t size, struct db_pool **ret, struct fault *f) {
    if (!size) return FAIL(f, ERR_INVALID, "bad_pool_size", "a pool holds at least one connection");
    if (!strcmp(options->url, "sqlite::memory:")) size = 1;
    struct db_pool *p = calloc(1, sizeof *p + size * sizeof(struct db *));
    if (!p) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    p->size = size;
    p->busy_ms = options->busy_ms > 0 ? options->busy_ms : DB_BUSY_MS_DEFAULT;
    p->url = strdup(options->url);
    p->vfs = options->vfs ? strdup(options->vfs) : NULL;
    if (!p->url || (options->vfs && !p->vfs)) {
        pool_free(p);
        return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    }
    enum err e = pool_connect(p, &p->idle[0], f);
    if (e) {
        pool_free(p);
        return e;
    }
    p->opened = p->idle_n = 1;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->given, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&p->mutex, NULL);
    *ret = p;
    return OK;
}

void db_pool_close(struct db_pool *p) {
    if (!p) return;
    assert(p->idle_n == p->opened);
    for (size_t i = 0; i < p->idle_n; i++) db_close(p->idle[i]);
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->mutex);
    pool_free(p);
}

/* With the mutex held, which it may drop while a connection is opened. */
static enum err take_locked(struct db_pool *p, struct db **ret, struct fault *f, const struct timespec *end) {
    while (!p->idle_n && p->opened == p->size)
        if (pthread_cond_timedwait(&p->given, &p->mutex, end) && !p->idle_n)
            return FAIL(f, ERR_BUSY, "store_busy", "all connections to the store are in use");
    if (p->idle_n) {
        *ret = p->idle[--p->idle_n];
        return OK;
    }
    p->opened++;
    pthread_mutex_unlock(&p->mutex);
    enum err e = pool_connect(p, ret, f);
    pthread_mutex_lock(&p->mutex);
    if (e) {
        p->opened--;
        pthread_cond_signal(&p->given);
    }
    return e;
}

enum err db_pool_take(struct db_pool *p, struct db **ret, struct fault *f) {
    struct timespec end = clock_deadline(p->busy_ms);
    pthread_mutex_lock(&p->mutex);
    enum err e = take_locked(p, ret, f, &end);
    pthread_mutex_unlock(&p->mutex);
    return e;
}

void db_pool_give(struct db_pool *p, struct db *db) {
    if (!db) return;
    assert(!db_in_tx(db));
    pthread_mutex_lock(&p->mutex);
    assert(p->idle_n < p->opened);
    p->idle[p->idle_n++] = db;
    pthread_cond_signal(&p->given);
    pthread_mutex_unlock(&p->mutex);
}
