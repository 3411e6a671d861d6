/* How long readings are kept, and as what: classes that the metrics of models name.
 * SPDX-License-Identifier: Apache-2.0 */
#include "platform/things/things.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic int64_t generation = 1;

static const struct field window_fields[] = {
    {CHOICE(struct class_window, minutes, "1 5 10 15 30 60"), .flags = REQUIRED},
    {INT(struct class_window, days), .min = 0, .max = 36500, .unit = "d", .flags = REQUIRED},
};
static const struct line_type window_type = {sizeof(struct class_window), window_fields, COUNT(window_fields)};
static const struct field fields[] = {
    {TEXT(struct reading_class, code), .min = 1, .max = 40, .flags = REQUIRED | FIXED | UNIQUE | SEARCH | COLUMN},
    {TEXT(struct reading_class, name), .max = 60, .flags = REQUIRED | SEARCH | COLUMN},
    {INT(struct reading_class, raw_days), .min = 0, .max = 36500, .unit = "d", .flags = REQUIRED | COLUMN},
    {LINES(struct reading_class, windows, &window_type), .max = CLASS_WINDOWS_MAX},
    {FLAG(struct reading_class, for_all), .flags = COLUMN},
};
static const struct grant grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager dispatcher street committee", READ, COMMUNITY},
};

const struct resource reading_classes = {
    .name = "reading_classes",
    .group = "operations",
    .icon = "model",
    .size = sizeof(struct reading_class),
    .label = "name",
    .flags = INSTALLATION,
    ROWS(fields, fields),
    ROWS(grants, grants),
};

int64_t things_generation(void) {
    return atomic_load(&generation);
}

enum err things_changed(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    (void)e;
    atomic_fetch_add(&generation, 1);
    return OK;
}

static struct {
    pthread_mutex_t lock;
    int64_t ids[THINGS_CHANGED_MAX];
    size_t n;
} changed = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum err things_device_changed(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    pthread_mutex_lock(&changed.lock);
    bool fits = changed.n < THINGS_CHANGED_MAX;
    if (fits) changed.ids[changed.n++] = e->row_id;
    pthread_mutex_unlock(&changed.lock);
    if (!fits) atomic_fetch_add(&generation, 1); /* then all of them are looked at */
    return OK;
}

size_t things_take_changed(int64_t *ids) {
    pthread_mutex_lock(&changed.lock);
    size_t n = changed.n;
    memcpy(ids, changed.ids, n * sizeof *ids);
    changed.n = 0;
    pthread_mutex_unlock(&changed.lock);
    return n;
}

bool things_have_changed(void) {
    pthread_mutex_lock(&changed.lock);
    bool some = changed.n > 0;
    pthread_mutex_unlock(&changed.lock);
    return some;
}
