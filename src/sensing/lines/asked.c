/* How devices answer.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/asked.h"

#include "base/utf8.h"

#include <pthread.h>
#include <stdlib.h>

struct asked {
    pthread_mutex_t lock;
    struct asked_device *devices; /* in order of id */
    size_t n, cap, next;
};

struct asked *asked_create(void) {
    struct asked *a = calloc(1, sizeof *a);
    if (a) pthread_mutex_init(&a->lock, NULL);
    return a;
}

void asked_destroy(struct asked *a) {
    if (!a) return;
    pthread_mutex_destroy(&a->lock);
    free(a->devices);
    free(a);
}

static size_t place_of(const struct asked *a, int64_t id) {
    size_t low = 0, high = a->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (a->devices[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct asked_device *device_of(struct asked *a, int64_t id) {
    size_t at = place_of(a, id);
    if (at < a->n && a->devices[at].id == id) return &a->devices[at];
    if (a->n == ASKED_MAX) return NULL;
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 16;
        struct asked_device *grown = realloc(a->devices, cap * sizeof *grown);
        if (!grown) return NULL;
        a->devices = grown;
        a->cap = cap;
    }
    for (size_t i = a->n; i > at; i--) a->devices[i] = a->devices[i - 1];
    a->devices[at] = (struct asked_device){.id = id};
    a->n++;
    return &a->devices[at];
}

void asked_note(struct asked *a, int64_t device_id, enum asked_how how, const char *why, int64_t now_ms) {
    pthread_mutex_lock(&a->lock);
    struct asked_device *d = device_of(a, device_id);
    if (d) {
        d->answers += how == ASKED_ANSWERED;
        d->refusals += how == ASKED_REFUSED;
        d->silences += how == ASKED_SILENT;
        if (how != ASKED_SILENT) d->last_ms = now_ms;
        if (how == ASKED_REFUSED) utf8_copy(d->why, sizeof d->why, str_of(why));
    }
    pthread_mutex_unlock(&a->lock);
}

void asked_midnight(struct asked *a, int64_t device_id, int64_t midnight_ms) {
    pthread_mutex_lock(&a->lock);
    struct asked_device *d = device_of(a, device_id);
    if (d) d->midnight_ms = midnight_ms;
    pthread_mutex_unlock(&a->lock);
}

size_t asked_next(struct asked *a, int64_t *ids, size_t cap) {
    pthread_mutex_lock(&a->lock);
    size_t n = a->n < cap ? a->n : cap;
    for (size_t i = 0; i < n; i++) ids[i] = a->devices[a->next++ % a->n].id;
    if (n) a->next %= a->n;
    pthread_mutex_unlock(&a->lock);
    return n;
}

bool asked_get(struct asked *a, int64_t device_id, struct asked_device *ret) {
    pthread_mutex_lock(&a->lock);
    size_t at = place_of(a, device_id);
    bool found = at < a->n && a->devices[at].id == device_id;
    if (found) *ret = a->devices[at];
    pthread_mutex_unlock(&a->lock);
    return found;
}
