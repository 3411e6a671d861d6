/* A gateway: a device whose row says what it speaks beside its own topics.  What it tells of others is stored under its
 * own name, "GATEWAY:NAME", so that it can speak for nobody else's.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define REPORT_BYTES ((size_t)8 << 20) /* at most, of what one publish says */
#define REBIRTH_MAX  (HOME_TOPIC_MAX + 256)

/* ---- life ---- */

bool mqtt_gateway_create(struct mqtt_conn *c, const char *words, const struct zone *zone) {
    struct mqtt_listener *l = c->l;
    size_t n = strlen(words) + 1;
    struct mqtt_gateway *g = calloc(1, sizeof *g + n);
    if (!g) return false;
    memcpy(g->words, words, n);
    if (home_speaks_read(str_of(g->words), &g->speaks)) { /* checked with the row: of another version, then */
        free(g);
        return true;
    }
    g->site = (struct intake_site){l->loop, l->o.feed, l->o.world, zone, c->community_id, "mqtt"};
    c->gateway = g;
    return true;
}

void mqtt_gateway_destroy(struct mqtt_gateway *g) {
    if (!g) return;
    free(g->will);
    free(g->filters);
    free(g);
}

void mqtt_report_destroy(struct mqtt_report *r) {
    if (!r) return;
    arena_finish(&r->arena);
    free(r);
}

/* ---- what Home Assistant's discovery told: of a device, through all its connections ---- */

static struct home_points *points_of(struct mqtt_conn *c) {
    struct mqtt_memory **free_one = NULL, **oldest = c->l->memories;
    for (size_t i = 0; i < MEMORIES; i++) {
        struct mqtt_memory **m = &c->l->memories[i];
        if (!*m) {
            if (!free_one) free_one = m;
            continue;
        }
        if (!*oldest || (*m)->used_us < (*oldest)->used_us) oldest = m;
        if ((*m)->device_id != c->device_id) continue;
        (*m)->used_us = now_us(c->l);
        return &(*m)->points;
    }
    if (free_one) {
        *free_one = malloc(sizeof **free_one);
        oldest = free_one;
    }
    struct mqtt_memory *m = *oldest;
    if (!m) return NULL; /* out of memory: nothing is learnt */
    m->device_id = c->device_id;
    m->used_us = now_us(c->l);
    m->points = (struct home_points){.all = m->all, .cap = COUNT(m->all)};
    return &m->points;
}

struct home_points *mqtt_gateway_points(struct mqtt_conn *c) {
    return c->gateway->speaks.is_spoken[HOME_HOMEASSISTANT] ? points_of(c) : NULL;
}

/* ---- whose it is ---- */

/* The gateway itself, where the name is its own code; else one of its devices. */
static bool own_code(struct mqtt_conn *c, struct arena *a, struct str *code) {
    struct str self = {c->device, c->device_n};
    struct buf b;
    if (!code->len) return true;
    if (str_eq(*code, self)) {
        *code = self;
        return true;
    }
    buf_init_arena(&b, a, CODE_MAX + 1);
    buf_fmt(&b, STR_FMT ":" STR_FMT, STR_ARG(self), STR_ARG(*code));
    return buf_done(&b, code);
}

static bool own_all(struct mqtt_conn *c, struct mqtt_report *r, const struct decoded *d) {
    struct reading *readings = arena_new(&r->arena, struct reading, d->readings_n + 1);
    struct device_event *events = arena_new(&r->arena, struct device_event, d->events_n + 1);
    if (!readings || !events) return false;
    r->decoded = *d;
    if (!own_code(c, &r->arena, &r->decoded.sender)) return false;
    for (size_t i = 0; i < d->readings_n; i++) {
        readings[i] = d->readings[i];
        if (!own_code(c, &r->arena, &readings[i].device)) return false;
    }
    for (size_t i = 0; i < d->events_n; i++) {
        events[i] = d->events[i];
        if (!own_code(c, &r->arena, &events[i].device)) return false;
    }
    r->decoded.readings = readings;
    r->decoded.events = events;
    return true;
}

/* ---- into the store ---- */

static void stored(void *arg, bool is_stored) {
    struct mqtt_batch *b = arg;
    struct mqtt_listener *l = b->c->l;
    const char *refused = b->report->intake.refused;
    b->is_begun = false;
    if (l->is_closing) return;
    if (!is_stored) {
        mqtt_batch_stick(b);
        return;
    }
    if (!refused) FIGURE(l, points, (int64_t)b->report->decoded.readings_n);
    FIGURE(l, events, (int64_t)b->report->decoded.events_n);
    if (refused) {
        b->publishes[0].reason = MQTT_QUOTA;
        mqtt_sample(l, b->c, &l->figures.bad, b->report->decoded.sender, (struct bytes){NULL, 0}, refused, NO_OFFSET);
    }
    mqtt_batch_done(b);
}

/* Once more with the same time, where readings were stored and events were not. */
void mqtt_report_begin(struct mqtt_batch *b) {
    struct mqtt_report *r = b->report;
    if (b->is_begun) return;
    b->is_begun = true;
    r->intake = (struct intake){.site = &r->site, .done = stored, .arg = b};
    intake_take(&r->intake, &r->decoded, &r->arena, r->at_ms);
}

/* ---- a publish ---- */

void mqtt_report_bad(struct mqtt_conn *c, const struct mqtt_packet *p, const struct wire_error *e) {
    mqtt_sample(c->l, c, &c->l->figures.bad, p->topic, p->payload, e->rule, e->at);
    struct mqtt_batch *b = mqtt_batch_for(c, BATCH_PLAIN);
    if (!b) {
        mqtt_conn_end(c, MQTT_UNSPECIFIED);
        return;
    }
    b->publishes[b->publishes_n++] = (struct publish){.id = p->qos ? p->id : 0, .reason = MQTT_BAD_PAYLOAD};
    if (p->qos) c->in_flight++;
}

/* One publish a batch: several devices may be in it, each of them for good or not at all. */
void mqtt_report_add(struct mqtt_conn *c, const struct mqtt_packet *p, struct mqtt_report *r, bool is_will) {
    mqtt_batch_flush(c);
    struct mqtt_batch *b = mqtt_batch_for(c, BATCH_REPORT);
    if (!b) {
        mqtt_report_destroy(r);
        mqtt_conn_end(c, MQTT_UNSPECIFIED); /* out of memory; not answered, so it comes again */
        return;
    }
    b->report = r;
    b->is_will = is_will;
    b->raw_n = r->arena.used; /* counts against what a connection may have under way */
    b->publishes[b->publishes_n++] = (struct publish){.id = p->qos ? p->id : 0, .reason = r->reason};
    if (p->qos) c->in_flight++;
    mqtt_batch_flush(c);
}

/* Lost by an edge node that does not listen: with its next word it is asked again. */
static void ask_rebirth(struct mqtt_conn *c, const struct buf *frame) {
    struct str payload = {frame->ptr, frame->len}, topic;
    (void)str_cut(&payload, '\n', &topic);
    if (frame->len) (void)mqtt_gateway_out(c, topic, (struct bytes){(const uint8_t *)payload.ptr, payload.len});
}

/* What its devices say.  Values that nobody can name are lost though the store takes the rest: so it is answered. */
static void take(struct mqtt_conn *c, const struct mqtt_packet *p, struct mqtt_report *r, struct bytes copy,
                 const char *lost, bool is_will) {
    struct teller_voice voice = mqtt_gateway_voice(c);
    if (lost)
        mqtt_bad_report(c, p->topic, p->payload, &r->decoded, lost);
    else
        mqtt_heard_report(c, p->topic, p->payload, &r->decoded);
    teller_heard(c->l->teller, &voice, p->topic, copy, &r->decoded, false);
    r->at_ms = now_ms(c->l);
    r->reason = lost ? MQTT_NOT_TAKEN : 0;
    r->site = c->gateway->site;
    mqtt_report_add(c, p, r, is_will);
}

bool mqtt_gateway_take(struct mqtt_conn *c, const struct mqtt_packet *p, bool is_will) {
    struct mqtt_gateway *g = c->gateway;
    struct mqtt_report *r = g ? calloc(1, sizeof *r) : NULL;
    struct decoded d = {0};
    struct wire_error e = {"out of memory", NO_OFFSET};
    if (!r) return false;
    arena_init(&r->arena, REPORT_BYTES);
    uint8_t *payload = arena_alloc(&r->arena, p->payload.len + 1, 1, 1);
    if (payload && p->payload.len) memcpy(payload, p->payload.ptr, p->payload.len);
    struct bytes copy = {payload, p->payload.len}; /* what is decoded slices it */
    char mem[REBIRTH_MAX];
    struct host_lost lost = {.rule = NULL};
    buf_init(&lost.rebirth, mem, sizeof mem);
    enum home_taken taken = HOME_BAD;
    if (payload) taken = mqtt_sparkplug_take(c, p->topic, copy, &r->arena, &d, &lost, &e);
    if (taken == HOME_OTHER) taken = home_take(&g->speaks, mqtt_gateway_points(c), p->topic, copy, &r->arena, &d, &e);
    if (taken == HOME_TAKEN && !own_all(c, r, &d)) {
        taken = HOME_BAD;
        e = (struct wire_error){"name: of the device; with its gateway's it has over 64 bytes", NO_OFFSET};
    }
    if (taken == HOME_TAKEN) {
        take(c, p, r, copy, lost.rule, is_will);
        if (!is_will) ask_rebirth(c, &lost.rebirth);
        return true;
    }
    mqtt_report_destroy(r);
    if (taken == HOME_BAD) mqtt_report_bad(c, p, &e);
    return taken == HOME_BAD;
}

/* ---- its last will ---- */

/* Kept as the packet that it becomes. */
bool mqtt_gateway_will(struct mqtt_conn *c, struct str topic, struct bytes payload) {
    struct mqtt_gateway *g = c->gateway;
    struct home_speaks *s = g ? &g->speaks : NULL;
    struct arena arena;
    struct decoded d;
    struct wire_error e;
    struct buf b;
    if (!s) return false;
    arena_init(&arena, REPORT_BYTES);
    bool ok = home_take(s, NULL, topic, payload, &arena, &d, &e) == HOME_TAKEN || s->is_spoken[HOME_HOMEASSISTANT] ||
              mqtt_sparkplug_is_death(s, topic);
    buf_init_arena(&b, &arena, topic.len + payload.len + 64);
    struct mqtt_packet p = {.type = MQTT_PUBLISH, .level = c->level, .topic = topic, .payload = payload};
    ok = ok && mqtt_topic_is_name(topic) && !str_starts(topic, S("linli/")) && mqtt_encode(&p, &b);
    g->will = ok ? malloc(b.len) : NULL;
    if (g->will) {
        memcpy(g->will, b.ptr, b.len);
        g->will_n = b.len;
    }
    arena_finish(&arena);
    return g->will != NULL;
}

void mqtt_gateway_left(struct mqtt_conn *c) {
    struct mqtt_gateway *g = c->gateway;
    struct mqtt_packet p;
    struct mqtt_fault f;
    if (!g || !g->will || c->l->is_closing) return;
    if (mqtt_decode((struct bytes){g->will, g->will_n}, c->level, &p, &f)) (void)mqtt_gateway_take(c, &p, true);
    mqtt_batch_state(c, false, true);
}

void mqtt_gateway_forgets_will(struct mqtt_conn *c) {
    if (!c->gateway) return;
    free(c->gateway->will);
    c->gateway->will = NULL;
}

/* ---- what it hears ---- */

bool mqtt_gateway_may_hear(struct mqtt_conn *c, struct str filter) {
    struct mqtt_gateway *g = c->gateway;
    if (!g || !home_may_hear(&g->speaks, filter) || !mqtt_gateway_listens(g, filter)) return false;
    char mem[HOME_TOPIC_MAX + 8];
    struct buf b;
    struct str birth;
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, STR_FMT "/status", STR_ARG(g->speaks.base[HOME_HOMEASSISTANT]));
    if (g->speaks.is_spoken[HOME_HOMEASSISTANT] && buf_done(&b, &birth) && mqtt_topic_matches(filter, birth))
        g->wants_birth = true;
    if (mqtt_sparkplug_wants_state(&g->speaks, filter)) g->wants_state = g->hears_state = true;
    return true;
}

/* Home Assistant's birth: who hears it says its configs again, so that nothing is lost where we began anew.  And that
 * of Sparkplug's host. */
void mqtt_gateway_subscribed(struct mqtt_conn *c) {
    struct mqtt_gateway *g = c->gateway;
    char mem[HOME_TOPIC_MAX + 8];
    struct buf b;
    if (g && g->wants_state) mqtt_sparkplug_say_online(c);
    if (g) g->wants_state = false;
    if (!g || !g->wants_birth) return;
    g->wants_birth = false;
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, STR_FMT "/status", STR_ARG(g->speaks.base[HOME_HOMEASSISTANT]));
    struct mqtt_packet p = {
        .type = MQTT_PUBLISH, .level = c->level, .topic = {b.ptr, b.len}, .payload = {(const uint8_t *)"online", 6}};
    (void)!mqtt_conn_send(c, &p);
}

/* ---- what is too large ---- */

/* What a bridge says of all its devices at once may be; it would come again for ever, so it is acknowledged. */
bool mqtt_gateway_passes(struct mqtt_conn *c, struct bytes rest) {
    struct mqtt_gateway *g = c->gateway;
    struct mqtt_fault ignored;
    size_t len, at = 1;
    uint8_t first = rest.ptr[0];
    int qos = first >> 1 & 3;
    if (!g || first >> 4 != MQTT_PUBLISH || qos == 2) return false;
    if (mqtt_frame(rest, MQTT_PACKET_MAX, &len, &ignored) == FRAME_SKIP) return false;
    while (rest.ptr[at++] & 0x80) continue;
    if (rest.len < at + 2) return true; /* its topic and id are waited for */
    size_t topic = (size_t)(rest.ptr[at] << 8 | rest.ptr[at + 1]);
    at += 2;
    if (rest.len < at + topic + 2) return true;
    g->passed_id = qos ? (uint16_t)(rest.ptr[at + topic] << 8 | rest.ptr[at + topic + 1]) : 0;
    c->passes = len;
    struct str name = {(const char *)rest.ptr + at, topic};
    if (!utf8_is_valid(name)) name = S("");
    mqtt_sample(c->l, c, &c->l->figures.bad, name, (struct bytes){NULL, 0},
                WIRE_LIMIT "at most 256 KiB; it is passed over", NO_OFFSET);
    return true;
}

void mqtt_gateway_passed(struct mqtt_conn *c) {
    struct mqtt_batch *b = c->gateway->passed_id ? mqtt_batch_for(c, BATCH_PLAIN) : NULL;
    if (!b) return;
    b->publishes[b->publishes_n++] = (struct publish){.id = c->gateway->passed_id, .reason = MQTT_QUOTA};
    c->in_flight++;
}
