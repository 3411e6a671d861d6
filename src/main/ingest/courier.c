/* The thread that sends while the next batch is made.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/link.h"

#include <pthread.h>
#include <stdlib.h>

struct courier {
    struct link *link;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch *batch; /* handed over, not collected yet */
    bool is_sent, is_over;
    struct link_sent sent;
};

static void *work(void *arg) {
    struct courier *c = arg;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->is_over && (!c->batch || c->is_sent)) pthread_cond_wait(&c->changed, &c->lock);
        if (!c->batch || c->is_sent) break;
        struct batch *b = c->batch;
        struct link_sent sent;
        pthread_mutex_unlock(&c->lock);
        link_send(c->link, b, &sent);
        pthread_mutex_lock(&c->lock);
        c->sent = sent;
        c->is_sent = true;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

enum err courier_start(struct link *l, struct courier **ret) {
    struct courier *c = calloc(1, sizeof *c);
    if (!c) return ERR_INTERNAL;
    c->link = l;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    if (pthread_create(&c->thread, NULL, work, c)) {
        free(c);
        return ERR_INTERNAL;
    }
    *ret = c;
    return OK;
}

void courier_hand(struct courier *c, struct batch *b) {
    pthread_mutex_lock(&c->lock);
    c->batch = b;
    c->is_sent = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

bool courier_wait(struct courier *c, struct link_sent *ret) {
    pthread_mutex_lock(&c->lock);
    bool was_busy = c->batch != NULL;
    while (c->batch && !c->is_sent) pthread_cond_wait(&c->changed, &c->lock);
    if (was_busy) *ret = c->sent;
    c->batch = NULL;
    pthread_mutex_unlock(&c->lock);
    return was_busy;
}

void courier_end(struct courier *c) {
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->is_over = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c);
}
