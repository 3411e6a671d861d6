/* How each kind of batch becomes durable: readings in their log (round.c), events as alarms, states as the device's
 * row. SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "base/utf8.h"
#include "platform/things/things.h"

#define EVENT_TEXT_MAX 199 /* bytes of an event's data that stand in its alarm */

/* ---- what is kept ---- */

int64_t mqtt_clock(bool has_at, int64_t at_ms, int64_t now) {
    bool is_off = at_ms < now - (TELEMETRY_RAW_DAYS * INT64_C(86400000)) + MQTT_CLOCK_MS ||
                  at_ms > now + TELEMETRY_FUTURE_MS - MQTT_CLOCK_MS;
    return has_at && !is_off ? at_ms : now;
}

bool mqtt_kept_next(const struct mqtt_batch *b, struct bytes *rest, size_t *at, struct mqtt_packet *ret) {
    struct mqtt_fault ignored;
    size_t len;
    while (*at < b->publishes_n && !b->publishes[*at].is_raw) ++*at;
    if (*at == b->publishes_n || mqtt_frame(*rest, PACKET_BYTES_MAX, &len, &ignored) != FRAME_WHOLE) return false;
    bool ok = mqtt_decode((struct bytes){rest->ptr, len}, b->c->level, ret, &ignored);
    *rest = (struct bytes){rest->ptr + len, rest->len - len};
    return ok;
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
                                      .at_ms = mqtt_clock(e.has_at, e.at_ms, now),
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
    mqtt_round_put(b->c->l); /* its names are written over */
    for (size_t i = 0; mqtt_kept_next(b, &rest, &i, &p); i++) {
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
    case BATCH_READINGS: (b->is_begun ? mqtt_round_again : mqtt_round_add)(b); return;
    case BATCH_EVENTS: tell_events(b); return;
    case BATCH_REPORT: mqtt_report_begin(b); return;
    case BATCH_STATE:
        if (b->is_begun || !is_first_state(b)) return;
        b->is_begun = !loop_work(l->loop, state_work, state_done, b);
        if (!b->is_begun) mqtt_batch_stick(b);
        return;
    }
}
