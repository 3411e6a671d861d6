/* Who is logged in may lose the right to be: a device retired, a password made anew.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "platform/things/things.h"

#include <stdlib.h>

#define WATCH_US INT64_C(30000000)

struct watched {
    struct mqtt_conn *c;
    int64_t device_id;
    uint64_t key_tag;
    bool is_over;
};
struct watch {
    struct mqtt_listener *l;
    size_t n;
    struct watched rows[];
};

static void work(void *arg) { /* a worker */
    struct watch *w = arg;
    const struct mqtt_options *o = &w->l->o;
    struct arena arena;
    struct ctx ctx = {.kernel = o->kernel, .arena = &arena, .world = o->world, .actor = actor_system()};
    if (db_pool_take(o->pool, &ctx.db, &ctx.fault)) return;
    arena_init(&arena, (size_t)1 << 20);
    ctx_begin(&ctx);
    for (size_t i = 0; i < w->n; i++) {
        uint64_t tag = 0;
        if (device_key_tag(&ctx, w->rows[i].device_id, &tag)) break; /* nobody is sent away because the store is */
        w->rows[i].is_over = tag != w->rows[i].key_tag;
    }
    arena_finish(&arena);
    db_pool_give(o->pool, ctx.db);
}

static void worked(void *arg) {
    struct watch *w = arg;
    w->l->is_watching = false;
    for (size_t i = 0; i < w->n; i++) {
        if (w->rows[i].is_over) mqtt_conn_end(w->rows[i].c, MQTT_NOT_AUTHORIZED);
        mqtt_conn_drop(w->rows[i].c);
    }
    free(w);
}

void mqtt_watch(struct mqtt_listener *l, int64_t now) {
    if (l->is_watching || now < l->watch_us) return;
    l->watch_us = now + WATCH_US;
    size_t n = 0;
    for (const struct mqtt_conn *c = l->conns; c; c = c->next) n += c->state == CONN_OPEN;
    struct watch *w = n ? malloc(sizeof *w + n * sizeof w->rows[0]) : NULL;
    if (!w) return;
    *w = (struct watch){.l = l};
    for (struct mqtt_conn *c = l->conns; c; c = c->next) {
        if (c->state != CONN_OPEN) continue;
        c->refs++;
        w->rows[w->n++] = (struct watched){c, c->device_id, c->key_tag, false};
    }
    l->is_watching = true;
    if (loop_work(l->loop, work, worked, w)) worked(w); /* the next time */
}
