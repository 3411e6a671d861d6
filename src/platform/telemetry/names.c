/* The dictionary: devices of communities, series of devices, their numbers for ever.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>

bool name_ok(struct str s, size_t max) {
    if (!s.len || s.len > max || !utf8_is_valid(s)) return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f) return false;
    return true;
}

/* ---- devices ---- */

struct device_key {
    int64_t community_id;
    struct str code;
};

static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t z = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);
    return z ^ (z >> 29);
}

static uint64_t device_key_hash(int64_t community_id, struct str code) {
    return mix(str_hash(code), mix((uint64_t)community_id, 1));
}

static uint64_t device_hash(const void *owner, uint32_t id) {
    const struct device *d = device_at(owner, id);
    return device_key_hash(d->community_id, d->code);
}

static bool device_is(const void *owner, uint32_t id, const void *key) {
    const struct device *d = device_at(owner, id);
    const struct device_key *k = key;
    return d->community_id == k->community_id && str_eq(d->code, k->code);
}

uint32_t device_find(const struct telemetry *t, int64_t community_id, struct str code) {
    struct device_key key = {community_id, code};
    return idmap_find(&t->device_map, device_key_hash(community_id, code), device_is, t, &key);
}

/* Made when it is not there.  NULL: out of memory. */
static struct community *community_at(struct telemetry *t, int64_t id) {
    for (size_t i = 0; i < t->communities_n; i++)
        if (t->communities[i].id == id) return &t->communities[i];
    if (t->communities_n == t->communities_cap) {
        size_t cap = t->communities_cap ? t->communities_cap * 2 : 16;
        struct community *grown = realloc(t->communities, cap * sizeof *grown);
        if (!grown) return NULL;
        t->communities = grown;
        t->communities_cap = cap;
    }
    t->communities[t->communities_n] = (struct community){.id = id};
    return &t->communities[t->communities_n++];
}

struct unknown names_unknown(const struct telemetry *t, int64_t community_id) {
    for (size_t i = 0; i < t->communities_n; i++)
        if (t->communities[i].id == community_id) return t->communities[i].unknown;
    return (struct unknown){0};
}

/* So many more, or fewer, of a community that was made with its first device. */
static void count_unknown(struct telemetry *t, int64_t community_id, int devices, int64_t series) {
    struct community *c = community_at(t, community_id);
    struct unknown *const both[] = {c ? &c->unknown : NULL, &t->unknown};
    for (size_t i = 0; c && i < COUNT(both); i++) {
        both[i]->devices = (uint32_t)(both[i]->devices + devices);
        both[i]->series = (uint32_t)(both[i]->series + series);
    }
}

void device_dirty(struct telemetry *t, uint32_t id) {
    struct device *d = device_at(t, id);
    if (!d->is_dirty) d->is_dirty = ids32_add(&t->dirty_devices, id);
}

uint32_t device_add(struct telemetry *t, int64_t community_id, struct str code) {
    struct str copy;
    if (!community_at(t, community_id) || !text_copy(code, &copy)) return NONE;
    struct device *d = pages_add(&t->devices, sizeof *d);
    if (!d) {
        text_free(copy);
        return NONE;
    }
    uint32_t id = t->devices.n - 1;
    *d = (struct device){.community_id = community_id, .code = copy, .first_series = NONE, .guess = NONE};
    device_dirty(t, id);
    if (!d->is_dirty || !idmap_add(&t->device_map, id, device_hash, t)) {
        if (d->is_dirty) t->dirty_devices.n--;
        text_free(copy);
        t->devices.n--;
        return NONE;
    }
    count_unknown(t, community_id, 1, 0);
    return id;
}

bool device_rename(struct telemetry *t, uint32_t id, struct str code) {
    struct device *d = device_at(t, id);
    struct str before = d->code;
    if (!text_copy(code, &d->code)) {
        d->code = before;
        return false;
    }
    if (!idmap_rebuild(&t->device_map, t->devices.n, device_hash, t)) {
        text_free(d->code);
        d->code = before;
        return false;
    }
    text_free(before);
    return true;
}

void device_set_known(struct telemetry *t, uint32_t id, bool known) {
    struct device *d = device_at(t, id);
    if (d->is_known == known) return;
    d->is_known = known;
    count_unknown(t, d->community_id, known ? -1 : 1, known ? -(int64_t)d->series_n : (int64_t)d->series_n);
}

/* ---- series ---- */

struct series_key {
    uint32_t device, metric;
};

static uint64_t series_key_hash(uint32_t device, uint32_t metric) {
    return mix(device, mix(metric, 2));
}

static uint64_t series_hash(const void *owner, uint32_t id) {
    const struct series *s = series_at(owner, id);
    return series_key_hash(s->device, s->metric);
}

static bool series_is(const void *owner, uint32_t id, const void *key) {
    const struct series *s = series_at(owner, id);
    const struct series_key *k = key;
    return s->device == k->device && s->metric == k->metric;
}

/* The one after the series found last, else by hash. */
uint32_t series_find(const struct telemetry *t, uint32_t device, struct str metric) {
    struct device *d = device_at(t, device);
    uint32_t guess = atomic_load_explicit(&d->guess, memory_order_relaxed);
    if (guess != NONE) guess = series_at(t, guess)->next;
    if (guess == NONE) guess = d->first_series;
    if (guess == NONE) return NONE;
    if (!str_eq(t->words.text[series_at(t, guess)->metric], metric)) {
        struct series_key key = {device, words_find(&t->words, metric)};
        if (key.metric == NONE) return NONE;
        guess = idmap_find(&t->series_map, series_key_hash(key.device, key.metric), series_is, t, &key);
    }
    if (guess != NONE) atomic_store_explicit(&d->guess, guess, memory_order_relaxed);
    return guess;
}

void series_dirty(struct telemetry *t, uint32_t id) {
    struct series *s = series_at(t, id);
    if (!s->is_dirty) s->is_dirty = ids32_add(&t->dirty_series, id);
}

uint32_t series_add(struct telemetry *t, uint32_t device, struct str metric) {
    uint32_t word = words_put(&t->words, metric);
    struct series *s = word != NONE ? pages_add(&t->series, sizeof *s) : NULL;
    if (!s) return NONE;
    uint32_t id = t->series.n - 1;
    struct device *d = device_at(t, device);
    *s = (struct series){.device = device, .metric = word, .unit = NONE, .next = NONE};
    series_dirty(t, id);
    if (!s->is_dirty || !idmap_add(&t->series_map, id, series_hash, t)) {
        if (s->is_dirty) t->dirty_series.n--;
        t->series.n--;
        return NONE;
    }
    if (d->first_series == NONE)
        d->first_series = id;
    else
        series_at(t, d->last_series)->next = id;
    d->last_series = id;
    d->series_n++;
    if (!d->is_known) count_unknown(t, d->community_id, 0, 1);
    return id;
}

/* A unit that finds no memory stays as it was: it is a label, no reading is lost for it. */
void series_set_unit(struct telemetry *t, uint32_t id, struct str unit) {
    struct series *s = series_at(t, id);
    uint32_t word = words_put(&t->words, unit);
    if (word == NONE || word == s->unit) return;
    s->unit = word;
    series_dirty(t, id);
}

/* ---- taking back, ending ---- */

static void unlink_last(struct telemetry *t, struct device *d, uint32_t id) {
    uint32_t before = NONE;
    for (uint32_t at = d->first_series; at != id; at = series_at(t, at)->next) before = at;
    if (before == NONE)
        d->first_series = NONE;
    else
        series_at(t, before)->next = NONE;
    d->last_series = before;
    d->guess = NONE;
    d->series_n--;
    if (!d->is_known) count_unknown(t, d->community_id, 0, -1);
}

static void drop_from(struct ids32 *all, uint32_t first) {
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        if (all->id[i] < first) all->id[n++] = all->id[i];
    all->n = n;
}

void names_rollback(struct telemetry *t, const struct names_mark *mark) {
    while (t->series.n > mark->series_n) {
        uint32_t id = t->series.n - 1;
        struct series *s = series_at(t, id);
        struct device *d = device_at(t, s->device);
        idmap_drop_last(&t->series_map, id, series_hash(t, id));
        unlink_last(t, d, id);
        t->series.n--;
    }
    while (t->devices.n > mark->devices_n) {
        uint32_t id = t->devices.n - 1;
        struct device *d = device_at(t, id);
        idmap_drop_last(&t->device_map, id, device_hash(t, id));
        device_set_known(t, id, true);
        text_free(d->code);
        t->devices.n--;
    }
    drop_from(&t->dirty_series, mark->series_n);
    drop_from(&t->dirty_devices, mark->devices_n);
    words_drop_to(&t->words, mark->words_n);
}

void names_finish(struct telemetry *t) {
    for (uint32_t i = 0; i < t->devices.n; i++) text_free(device_at(t, i)->code);
    for (uint32_t i = 0; i < t->series.n; i++) {
        struct series *s = series_at(t, i);
        free(s->refs);
    }
    pages_finish(&t->devices);
    pages_finish(&t->series);
    idmap_finish(&t->device_map);
    idmap_finish(&t->series_map);
    words_finish(&t->words);
    free(t->communities);
    free(t->dirty_devices.id);
    free(t->dirty_series.id);
    free(t->due.id);
}
