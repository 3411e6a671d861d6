/* How each kind of batch becomes durable: readings in their log, events as alarms, states as the device's row.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "base/utf8.h"
#include "platform/things/things.h"

#define CLOCK_MS       60000 /* less than what the store of readings allows, so that it agrees */
#define EVENT_TEXT_MAX 199   /* bytes of an event's data that stand in its alarm */

/* ---- readings ---- */

/* A clock that is off: what it says counts from now, as on the lines; refused, it would be lost. */
static int64_t clock_of(bool has_at, int64_t at_ms, int64_t now) {
    bool is_off = at_ms < now - TELEMETRY_RETENTION_MS + CLOCK_MS || at_ms > now + TELEMETRY_FUTURE_MS - CLOCK_MS;
    return has_at && !is_off ? at_ms : now;
}

bool mqtt_points_add(struct mqtt_conn *c, const struct mqtt_packet *p, size_t publish, struct payload_fault *reterr) {
    struct mqtt_listener *l = c->l;
    size_t n;
    int64_t now = now_ms(l);
    if (!payload_readings(p->payload, &l->names, l->values, COUNT(l->values), &n, reterr)) return false;
    for (size_t i = 0; i < n; i++) {
        const struct payload_value *v = &l->values[i];
        l->point_of[l->points_n] = (uint16_t)publish;
        l->points[l->points_n++] = (struct telemetry_point){.device = str_of(c->device),
                                                            .metric = v->metric,
                                                            .at_ms = clock_of(v->has_at, v->at_ms, now),
                                                            .value = v->value};
    }
    return true;
}

/* The next packet kept, for publish *at or a later one; false at the end.  It was read before, so it can be. */
static bool next_kept(const struct mqtt_batch *b, struct bytes *rest, size_t *at, struct mqtt_packet *ret) {
    struct mqtt_fault ignored;
    size_t len;
    while (*at < b->publishes_n && !b->publishes[*at].is_raw) ++*at;
    if (*at == b->publishes_n || mqtt_frame(*rest, PACKET_BYTES_MAX, &len, &ignored) != FRAME_WHOLE) return false;
    bool ok = mqtt_decode((struct bytes){rest->ptr, len}, b->c->level, ret, &ignored);
    *rest = (struct bytes){rest->ptr + len, rest->len - len};
    return ok;
}

static void gather_again(struct mqtt_batch *b) {
    struct bytes rest = {b->raw, b->raw_n};
    struct mqtt_packet p;
    struct payload_fault ignored;
    b->c->l->points_n = b->c->l->names.len = 0;
    for (size_t i = 0; next_kept(b, &rest, &i, &p); i++)
        if (!b->publishes[i].reason) (void)!mqtt_points_add(b->c, &p, i, &ignored);
}

static void landed(void *arg) {
    struct mqtt_batch *b = arg;
    struct mqtt_listener *l = b->c->l;
    if (b->result && !l->is_closing) {
        mqtt_batch_stick(b);
        return;
    }
    mqtt_batch_done(b);
    if (l->stuck && !l->is_closing) mqtt_batches_retry(l, 2); /* there is room again */
}

static void stored(void *arg, enum err e) { /* the writer's thread */
    struct mqtt_batch *b = arg;
    b->result = e;
    loop_post_task(b->c->l->loop, &b->task);
}

/* The store refuses a publish for good: a device with too many metrics.  The others of the batch go on. */
static void refuse_publish(struct mqtt_batch *b, size_t publish, const struct fault *f) {
    struct mqtt_listener *l = b->c->l;
    size_t kept = 0;
    for (size_t i = 0; i < l->points_n; i++) {
        if (l->point_of[i] == publish) continue;
        l->points[kept] = l->points[i];
        l->point_of[kept++] = l->point_of[i];
    }
    l->points_n = kept;
    b->publishes[publish].reason = f->kind == ERR_TOO_MANY ? MQTT_QUOTA : MQTT_BAD_PAYLOAD;
    mqtt_sample(l, b->c, &l->figures.bad, S("telemetry"), (struct bytes){NULL, 0},
                f->kind == ERR_TOO_MANY ? "too many metrics of one device, or too many unknown devices"
                                        : "the store of readings refuses it",
                NO_OFFSET);
}

static void put_readings(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    for (int refused = 0; l->points_n; refused++) {
        struct fault f = {0};
        size_t bad = 0;
        struct telemetry_batch points = {b->c->community_id, l->points, l->points_n};
        b->task = (struct loop_task){.fn = landed, .arg = b};
        enum err e = telemetry_put(feed_telemetry(l->o.feed), &points, stored, b, &bad, &f);
        if (!e) {
            FIGURE(l, points, (int64_t)l->points_n);
            return;
        }
        if (e != ERR_TOO_MANY && e != ERR_INVALID) {
            mqtt_batch_stick(b);
            return;
        }
        if (refused == BATCH_REFUSALS) {
            mqtt_conn_end(b->c, MQTT_QUOTA);
            break;
        }
        refuse_publish(b, l->point_of[bad], &f);
    }
    mqtt_batch_done(b);
}

/* ---- events ---- */

static enum err tell_event(struct mqtt_conn *c, const struct mqtt_packet *p) {
    struct mqtt_listener *l = c->l;
    struct payload_event e;
    struct payload_fault ignored;
    char text[EVENT_TEXT_MAX + 1];
    l->names.len = 0;
    if (!payload_event(p->payload, &l->names, &e, &ignored)) return OK;
    utf8_copy(text, sizeof text, e.data);
    for (char *s = text; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f) *s = ' '; /* line breaks between JSON's words */
    int64_t now = now_ms(l);
    const struct rules_event event = {.device = str_of(c->device),
                                      .code = e.code,
                                      .text = str_of(text),
                                      .part = e.part,
                                      .at_ms = clock_of(e.has_at, e.at_ms, now),
                                      .is_set = !e.is_over};
    return feed_events(l->o.feed, c->community_id, &event, 1);
}

static void told(void *arg) {
    struct mqtt_batch *b = arg;
    if (!b->c->l->is_closing) mqtt_batch_done(b);
}

static void tell_events(struct mqtt_batch *b) {
    struct bytes rest = {b->raw, b->raw_n};
    struct mqtt_packet p;
    for (size_t i = 0; next_kept(b, &rest, &i, &p); i++) {
        if (i < b->told_n) continue;
        if (tell_event(b->c, &p)) {
            mqtt_batch_stick(b);
            return;
        }
        b->told_n = i + 1;
        FIGURE(b->c->l, events, 1);
    }
    if (feed_barrier(b->c->l->o.feed, told, b)) mqtt_batch_stick(b);
}

/* ---- state ---- */

static void state_work(void *arg) { /* a worker */
    struct mqtt_batch *b = arg;
    const struct mqtt_options *o = &b->c->l->o;
    struct arena arena;
    struct ctx ctx = {.kernel = o->kernel, .arena = &arena, .world = o->world, .actor = actor_system()};
    b->result = db_pool_take(o->pool, &ctx.db, &ctx.fault);
    if (b->result) return;
    arena_init(&arena, (size_t)1 << 20);
    ctx_begin(&ctx);
    b->result = device_step(&ctx, b->c->device_id, b->online ? "hear" : "lose");
    arena_finish(&arena);
    db_pool_give(o->pool, ctx.db);
}

static void state_done(void *arg) {
    struct mqtt_batch *b = arg;
    struct mqtt_conn *c = b->c, *other;
    bool again = b->result == ERR_BUSY || b->result == ERR_UNAVAILABLE;
    b->is_begun = false;
    if (again && !c->l->is_closing) {
        mqtt_batch_stick(b);
        return;
    }
    c->refs++;
    bool is_will = b->is_will;
    mqtt_batch_done(b);
    /* The device came back while its will was on the way. */
    if (is_will && !c->l->is_closing && (other = mqtt_conn_other(c, false))) mqtt_batch_state(other, true, false);
    for (struct mqtt_batch *x = c->first; x; x = x->next)
        if (x->kind == BATCH_STATE && !x->is_done) {
            mqtt_batch_begin(x);
            break;
        }
    mqtt_conn_drop(c);
}

/* One after the other, or a worker could overtake another. */
static bool is_first_state(const struct mqtt_batch *b) {
    for (const struct mqtt_batch *x = b->c->first; x && x != b; x = x->next)
        if (x->kind == BATCH_STATE && !x->is_done) return false;
    return true;
}

/* ---- all kinds ---- */

void mqtt_batch_begin(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    switch (b->kind) {
    case BATCH_PLAIN: mqtt_batch_done(b); return;
    case BATCH_READINGS:
        if (b->is_begun) gather_again(b);
        b->is_begun = true;
        put_readings(b);
        return;
    case BATCH_EVENTS: tell_events(b); return;
    case BATCH_STATE:
        if (b->is_begun || !is_first_state(b)) return;
        b->is_begun = !loop_work(l->loop, state_work, state_done, b);
        if (!b->is_begun) mqtt_batch_stick(b);
        return;
    }
}
