/* How the devices of a line do.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/heard.h"

#include "analytics/geo.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOOKED_AT 64

struct heard {
    pthread_mutex_t lock;
    struct heard_device **devices; /* in order of code */
    size_t n, cap, next, looked;   /* looked: where room was looked for last */
};

struct heard *heard_create(void) {
    struct heard *h = calloc(1, sizeof *h);
    if (h) pthread_mutex_init(&h->lock, NULL);
    return h;
}

void heard_destroy(struct heard *h) {
    if (!h) return;
    pthread_mutex_destroy(&h->lock);
    for (size_t i = 0; i < h->n; i++) free(h->devices[i]);
    free(h->devices);
    free(h);
}

static size_t place_of(const struct heard *h, struct str code, bool *ret_found) {
    size_t low = 0, high = h->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (str_cmp(code, str_of(h->devices[mid]->code)) > 0)
            low = mid + 1;
        else
            high = mid;
    }
    *ret_found = low < h->n && str_is(code, h->devices[low]->code);
    return low;
}

/* Who makes up names says little under each. */
static bool is_worth_less(const struct heard_device *a, const struct heard_device *b) {
    return a->frames != b->frames ? a->frames < b->frames : a->last_ms < b->last_ms;
}

/* Of some that stand together, so that names without end cost little each. */
static void make_room(struct heard *h) {
    size_t least = h->looked++ * LOOKED_AT % h->n;
    for (size_t k = 1, first = least; k < LOOKED_AT; k++) {
        size_t i = (first + k) % h->n;
        if (is_worth_less(h->devices[i], h->devices[least])) least = i;
    }
    free(h->devices[least]);
    memmove(&h->devices[least], &h->devices[least + 1], (--h->n - least) * sizeof(struct heard_device *));
}

/* NULL: out of memory, or no name. */
static struct heard_device *device_of(struct heard *h, struct str code) {
    bool found;
    size_t at = place_of(h, code, &found);
    if (found) return h->devices[at];
    if (!code.len || code.len > TELEMETRY_DEVICE_MAX) return NULL;
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 16;
        struct heard_device **grown = realloc(h->devices, cap * sizeof(struct heard_device *));
        if (!grown) return NULL;
        h->devices = grown;
        h->cap = cap;
    }
    struct heard_device *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    if (h->n == HEARD_MAX) make_room(h);
    at = place_of(h, code, &found);
    memmove(&h->devices[at + 1], &h->devices[at], (h->n - at) * sizeof(struct heard_device *));
    memcpy(d->code, code.ptr, code.len);
    h->devices[at] = d;
    h->n++;
    return d;
}

static void take_frame(struct heard_device *d, struct str peer, uint64_t conn, int64_t now_ms) {
    bool is_moved = peer.len && d->peer[0] && !str_is(peer, d->peer);
    bool is_back = conn && conn == d->conn_before;
    if (is_moved || is_back) {
        d->swaps = now_ms - d->last_ms < HEARD_SWAP_MS ? d->swaps + 1 : 0;
        d->swap_ms = now_ms;
    }
    if (peer.len) utf8_copy(d->peer, sizeof d->peer, peer);
    if (conn != d->conn) {
        d->conn_before = d->conn;
        d->conn = conn;
    }
    d->frames++;
    d->last_ms = now_ms;
}

void heard_frame(struct heard *h, struct str code, struct str peer, uint64_t conn, int64_t now_ms) {
    pthread_mutex_lock(&h->lock);
    struct heard_device *d = device_of(h, code);
    if (d) take_frame(d, peer, conn, now_ms);
    pthread_mutex_unlock(&h->lock);
}

void heard_note(struct heard *h, struct str code, enum heard_how how, struct str text, int64_t now_ms) {
    pthread_mutex_lock(&h->lock);
    struct heard_device *d = device_of(h, code);
    if (d && how == HEARD_FRAME) take_frame(d, text, 0, now_ms);
    if (d && how == HEARD_REFUSED) utf8_copy(d->why, sizeof d->why, text);
    if (d) {
        d->refusals += how == HEARD_REFUSED;
        d->silences += how == HEARD_SILENT;
        d->garbled += how == HEARD_GARBLED;
    }
    pthread_mutex_unlock(&h->lock);
}

void heard_clock(struct heard *h, struct str code, int64_t skew_ms, int64_t now_ms) {
    pthread_mutex_lock(&h->lock);
    struct heard_device *d = device_of(h, code);
    if (d && (!d->skew_at_ms || skew_ms >= d->skew_ms || now_ms - d->skew_at_ms > HEARD_CLOCK_MS)) {
        d->skew_ms = skew_ms;
        d->skew_at_ms = now_ms;
    }
    pthread_mutex_unlock(&h->lock);
}

#define NOISE_M      1000 /* of a fix by cells */
#define FASTEST_M_MS (200 / 3600.0)

static bool is_reached(const struct heard_place *from, const struct heard_place *to) {
    int64_t took_ms = to->at_ms > from->at_ms ? to->at_ms - from->at_ms : from->at_ms - to->at_ms;
    double m = geo_distance_m(from->latitude, from->longitude, to->latitude, to->longitude);
    return from->at_ms && m <= NOISE_M + FASTEST_M_MS * (double)took_ms;
}

bool heard_place(struct heard *h, struct str code, const struct heard_place *place) {
    pthread_mutex_lock(&h->lock);
    struct heard_device *d = device_of(h, code);
    bool is_again = d && d->doubtful.at_ms == place->at_ms; /* said twice it is no likelier */
    bool ok = !d || !d->place.at_ms || is_reached(&d->place, place) || (!is_again && is_reached(&d->doubtful, place));
    if (d && ok) d->place = *place;
    if (d) d->doubtful = ok ? (struct heard_place){0} : *place;
    pthread_mutex_unlock(&h->lock);
    return ok;
}

void heard_midnight(struct heard *h, struct str code, int64_t midnight_ms) {
    pthread_mutex_lock(&h->lock);
    struct heard_device *d = device_of(h, code);
    if (d) d->midnight_ms = midnight_ms;
    pthread_mutex_unlock(&h->lock);
}

bool heard_knows(struct heard *h, struct str code) {
    bool found;
    pthread_mutex_lock(&h->lock);
    (void)place_of(h, code, &found);
    pthread_mutex_unlock(&h->lock);
    return found;
}

bool heard_get(struct heard *h, struct str code, struct heard_device *ret) {
    bool found;
    pthread_mutex_lock(&h->lock);
    size_t at = place_of(h, code, &found);
    if (found) *ret = *h->devices[at];
    pthread_mutex_unlock(&h->lock);
    return found;
}

size_t heard_next(struct heard *h, struct heard_device *ret, size_t cap) {
    pthread_mutex_lock(&h->lock);
    size_t n = h->n < cap ? h->n : cap;
    for (size_t i = 0; i < n; i++) ret[i] = *h->devices[h->next++ % h->n];
    if (n) h->next %= h->n;
    pthread_mutex_unlock(&h->lock);
    return n;
}
