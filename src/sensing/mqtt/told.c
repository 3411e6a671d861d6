/* What devices behind gateways are told: published to the connection of the gateway that subscribed to it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a gateway listens to ---- */

static char *find_filter(const struct mqtt_gateway *g, struct str filter) {
    if (!g->filters_n) return NULL; /* they are nowhere then */
    for (char *f = g->filters; f < g->filters + g->filters_n; f += strlen(f) + 1)
        if (str_is(filter, f)) return f;
    return NULL;
}

bool mqtt_gateway_listens(struct mqtt_gateway *g, struct str filter) {
    if (find_filter(g, filter)) return true;
    if (g->filters_n + filter.len + 1 > FILTERS_BYTES_MAX) return false;
    char *grown = realloc(g->filters, g->filters_n + filter.len + 1);
    if (!grown) return false;
    g->filters = grown;
    memcpy(grown + g->filters_n, filter.ptr, filter.len);
    grown[g->filters_n + filter.len] = 0;
    g->filters_n += filter.len + 1;
    return true;
}

bool mqtt_gateway_listens_no_more(struct mqtt_gateway *g, struct str filter) {
    char *f = g ? find_filter(g, filter) : NULL;
    if (!f) return false;
    size_t n = filter.len + 1, before = (size_t)(f - g->filters);
    memmove(f, f + n, g->filters_n - before - n);
    g->filters_n -= n;
    return true;
}

static bool hears(const struct mqtt_conn *c, struct str topic) {
    const struct mqtt_gateway *g = c->gateway;
    if (!g->filters_n) return false;
    for (const char *f = g->filters; f < g->filters + g->filters_n; f += strlen(f) + 1)
        if (mqtt_topic_matches(str_of(f), topic)) return true;
    return false;
}

/* ---- whose voice a device has ---- */

struct teller_voice mqtt_gateway_voice(struct mqtt_conn *c) {
    return (struct teller_voice){.community_id = c->community_id,
                                 .speaks = &c->gateway->speaks,
                                 .points = mqtt_gateway_points(c),
                                 .gateway = {c->device, c->device_n},
                                 .at = c};
}

static bool is_open_gateway(const struct mqtt_conn *c) {
    return c->tcp && c->state == CONN_OPEN && c->gateway;
}

static bool is_behind(const struct mqtt_conn *c, struct str device) {
    struct str self = {c->device, c->device_n}, rest = str_from(device, c->device_n);
    return str_starts(device, self) && (!rest.len || rest.ptr[0] == ':');
}

static bool voice(void *arg, int64_t community_id, struct str device, struct teller_voice *ret) {
    struct mqtt_listener *l = arg;
    for (struct mqtt_conn *c = l->conns; c; c = c->next) {
        if (!is_open_gateway(c) || c->community_id != community_id || !is_behind(c, device)) continue;
        *ret = mqtt_gateway_voice(c);
        return true;
    }
    return false;
}

/* To the first connection of the gateway that listens there. */
bool mqtt_gateway_out(struct mqtt_conn *of, struct str topic, struct bytes payload) {
    for (struct mqtt_conn *c = of->l->buckets[(uint64_t)of->device_id % BUCKETS]; c; c = c->same_bucket) {
        if (c->device_id != of->device_id || !is_open_gateway(c) || !hears(c, topic)) continue;
        const struct mqtt_packet p = {.type = MQTT_PUBLISH, .level = c->level, .topic = topic, .payload = payload};
        if (mqtt_conn_send(c, &p)) return true;
    }
    return false;
}

static bool out(void *arg, const struct teller_voice *v, struct str topic, struct bytes payload) {
    (void)arg;
    return mqtt_gateway_out(v->at, topic, payload);
}

static void told(void *arg, int64_t command_id, bool is_done, struct str answer) {
    struct mqtt_listener *l = arg;
    if (l->o.told) l->o.told(l->o.told_arg, command_id, is_done, answer);
}

struct teller *mqtt_teller_create(struct mqtt_listener *l) {
    return teller_create(&(struct teller_options){
        .world = l->o.world, .feed = l->o.feed, .voice = voice, .out = out, .told = told, .arg = l});
}

bool mqtt_is_behind_gateway(struct mqtt_listener *l, int64_t community_id, struct str device) {
    struct teller_voice ignored;
    return memchr(device.ptr, ':', device.len) || teller_knows(l->teller, community_id, device) ||
           voice(l, community_id, device, &ignored);
}
