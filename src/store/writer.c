/* The queue of writers in front of a SQLite file.  SPDX-License-Identifier: Apache-2.0 */
#include "store/writer_internal.h"

#include "base/clock.h"
#include "store/checkpoint_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct waiter {
    struct waiter *next;
    pthread_cond_t granted_cond;
    bool granted;
};

struct writer {
    struct writer *next;
    char *vfs, *path;
    size_t connections;
    pthread_mutex_t mutex;
    bool held;
    struct waiter *first, *last;
    struct checkpointer *checkpointer;
};

/* The files open in this process.  A lock that several connections share has to live outside all of them. */
static pthread_mutex_t writers_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct writer *writers;

static struct writer *writer_new(const char *vfs, const char *path) {
    struct writer *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->vfs = strdup(vfs);
    w->path = strdup(path);
    if (!w->vfs || !w->path || pthread_mutex_init(&w->mutex, NULL)) {
        free(w->vfs);
        free(w->path);
        free(w);
        return NULL;
    }
    if (!*vfs) w->checkpointer = checkpointer_open(path, w); /* a simulated disk repeats itself, so no threads there */
    w->next = writers;
    writers = w;
    return w;
}

struct checkpointer *writer_checkpointer(struct writer *w) {
    return w->checkpointer;
}

struct writer *writer_open(const char *vfs, const char *path) {
    if (!vfs) vfs = "";
    pthread_mutex_lock(&writers_mutex);
    struct writer *w = writers;
    while (w && (strcmp(w->path, path) || strcmp(w->vfs, vfs))) w = w->next;
    if (!w) w = writer_new(vfs, path);
    if (w) w->connections++;
    pthread_mutex_unlock(&writers_mutex);
    return w;
}

void writer_close(struct writer *w) {
    if (!w) return;
    pthread_mutex_lock(&writers_mutex);
    if (--w->connections == 0) {
        struct writer **at = &writers;
        while (*at != w) at = &(*at)->next;
        *at = w->next;
        checkpointer_close(w->checkpointer);
        pthread_mutex_destroy(&w->mutex);
        free(w->vfs);
        free(w->path);
        free(w);
    }
    pthread_mutex_unlock(&writers_mutex);
}

static void leave_queue(struct writer *w, const struct waiter *me) {
    struct waiter *before = NULL;
    for (struct waiter *at = w->first; at != me; at = at->next) before = at;
    if (before)
        before->next = me->next;
    else
        w->first = me->next;
    if (w->last == me) w->last = before;
}

static bool wait_turn(struct writer *w, int wait_ms) {
    struct timespec end = clock_deadline(wait_ms);
    struct waiter me = {0};
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&me.granted_cond, &attr);
    pthread_condattr_destroy(&attr);
    if (w->last)
        w->last->next = &me;
    else
        w->first = &me;
    w->last = &me;
    while (!me.granted && !pthread_cond_timedwait(&me.granted_cond, &w->mutex, &end)) {
    }
    if (!me.granted) leave_queue(w, &me);
    pthread_cond_destroy(&me.granted_cond);
    return me.granted;
}

bool writer_take(struct writer *w, int wait_ms) {
    pthread_mutex_lock(&w->mutex);
    bool taken = true;
    if (w->held)
        taken = wait_turn(w, wait_ms);
    else
        w->held = true;
    pthread_mutex_unlock(&w->mutex);
    return taken;
}

void writer_give(struct writer *w) {
    pthread_mutex_lock(&w->mutex);
    struct waiter *next = w->first;
    if (next) { /* handed over: `held` stays true, so nobody can jump the queue */
        w->first = next->next;
        if (!w->first) w->last = NULL;
        next->granted = true;
        pthread_cond_signal(&next->granted_cond);
    } else {
        w->held = false;
    }
    pthread_mutex_unlock(&w->mutex);
}
