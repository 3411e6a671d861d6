/* What a host knows of an edge node: who is born, which metric an alias is, whether a message was lost
 * (3.0.0, 5.8, 6.4). SPDX-License-Identifier: Apache-2.0 */
#include "protocol/sparkplug/sparkplug_internal.h"

#include <string.h>

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

/* ---- aliases: an open table; what is forgotten keeps its place until the next birth of the node ---- */

/* The alias's place, else one where it can be put; NULL: neither. */
static struct sparkplug_alias *place_of(struct sparkplug_node *n, uint64_t alias) {
    struct sparkplug_alias *old = NULL;
    size_t from = n->cap ? (size_t)(alias * UINT64_C(0x9e3779b97f4a7c15) >> 32) % n->cap : 0;
    for (size_t i = 0; i < n->cap; i++) {
        struct sparkplug_alias *x = &n->all[(from + i) % n->cap];
        if (x->state == SPARKPLUG_NO_ALIAS) return old ? old : x;
        if (x->state == SPARKPLUG_ALIAS && x->alias == alias) return x;
        if (x->state == SPARKPLUG_OLD_ALIAS && !old) old = x;
    }
    return old;
}

static const struct sparkplug_alias *find(struct sparkplug_node *n, uint64_t alias, size_t device) {
    const struct sparkplug_alias *x = place_of(n, alias);
    return x && x->state == SPARKPLUG_ALIAS && x->device == device ? x : NULL;
}

static void forget(struct sparkplug_node *n, size_t device) {
    for (size_t i = 0; i < n->cap; i++)
        if (n->all[i].state == SPARKPLUG_ALIAS && n->all[i].device == device) n->all[i].state = SPARKPLUG_OLD_ALIAS;
}

static bool learn(struct sparkplug_node *n, const struct sparkplug_frame *f, size_t device, struct wire_error *reterr) {
    for (size_t i = 0; i < f->payload.metrics_n; i++) {
        const struct sparkplug_metric *m = &f->payload.metrics[i];
        if (!(m->has & BIT(METRIC_ALIAS))) continue;
        struct sparkplug_alias *x = place_of(n, m->alias);
        if (!x) {
            n->is_full = true;
            continue;
        }
        if (x->state == SPARKPLUG_ALIAS)
            return bad(reterr, "alias: it is that of another metric of the edge node", f->publish.payload_at);
        *x = (struct sparkplug_alias){.alias = m->alias,
                                      .state = SPARKPLUG_ALIAS,
                                      .device = (uint16_t)device,
                                      .type = m->type <= UINT8_MAX ? (uint8_t)m->type : 0};
        if (!sparkplug_metric_name(m->name, x->name)) x->name[0] = 0;
    }
    return true;
}

/* ---- one frame ---- */

struct hearing {
    struct sparkplug_node *n;
    const struct sparkplug_frame *f;
    size_t device;
    bool is_lost;
};

/* A value that would be a reading, had it a name. */
static void miss(struct hearing *h, const struct sparkplug_metric *m) {
    if (!(m->has & BIT(METRIC_ALIAS)) || m->is_null || m->is_transient || !m->value) return;
    h->n->unknown = h->n->is_full && !h->is_lost ? "alias: " WIRE_LIMIT "too many of one edge node"
                                                 : "alias: nobody knows it before its edge node is born again";
}

static bool name_it(void *arg, const struct sparkplug_metric *m, struct str *ret_name, uint64_t *ret_type) {
    struct hearing *h = arg;
    bool has_alias = m->has & BIT(METRIC_ALIAS);
    const struct sparkplug_alias *x = has_alias && !h->is_lost ? find(h->n, m->alias, h->device) : NULL;
    if (m->name.len) {
        if (!*ret_type && x) *ret_type = x->type;
        return true;
    }
    if (!x) {
        h->is_lost |= has_alias && !h->n->is_full;
        miss(h, m);
        return false;
    }
    if (!*ret_type) *ret_type = x->type;
    *ret_name = str_of(x->name);
    return x->name[0];
}

/* 0: the node; SIZE_MAX: none that was ever born. */
static size_t device_of(const struct sparkplug_node *n, const struct sparkplug_topic *t) {
    char code[2 * SPARKPLUG_NAME_MAX];
    struct buf b;
    if (!t->device.ptr) return 0;
    buf_init(&b, code, sizeof code);
    if (!sparkplug_code_put(&b, t)) return SIZE_MAX;
    for (size_t i = 0; i < n->devices_n; i++)
        if (str_is((struct str){code, b.len}, n->devices[i])) return i + 1;
    return SIZE_MAX;
}

static bool add_device(struct hearing *h, struct wire_error *reterr) {
    struct sparkplug_node *n = h->n;
    struct buf b;
    if (h->device != SIZE_MAX) return true;
    if (n->devices_n == SPARKPLUG_DEVICES_MAX)
        return bad(reterr, "topic: " WIRE_LIMIT "an edge node has at most 128 devices", 0);
    buf_init(&b, n->devices[n->devices_n], sizeof n->devices[0]);
    if (!sparkplug_code_put(&b, &h->f->topic))
        return bad(reterr, "topic: group, edge node and device have over 64 bytes", 0);
    n->is_born[++n->devices_n] = false;
    h->device = n->devices_n;
    return true;
}

/* Everybody who was alive is offline. */
static bool all_die(struct sparkplug_node *n, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct device_event *events = arena_new(a, struct device_event, n->devices_n + 1);
    if (!events) return bad(reterr, "out of memory", 0);
    events[0] = ret->events[0];
    for (size_t i = 0; i < n->devices_n; i++) {
        if (!n->is_born[i + 1]) continue;
        events[ret->events_n] = events[0];
        if (!arena_str(a, str_of(n->devices[i]), &events[ret->events_n++].device))
            return bad(reterr, "out of memory", 0);
    }
    ret->events = events;
    memset(n->is_born, 0, sizeof n->is_born);
    return true;
}

static bool is_out_of_turn(const struct hearing *h) {
    const struct sparkplug_node *n = h->n;
    bool is_data = h->f->topic.what == SPARKPLUG_DDATA;
    return !n->is_born[0] || h->f->payload.seq != (uint8_t)(n->seq + 1) ||
           (is_data && (h->device == SIZE_MAX || !n->is_born[h->device]));
}

static bool be_born(struct hearing *h, struct wire_error *reterr) {
    struct sparkplug_node *n = h->n;
    bool is_node = !h->device;
    n->is_born[0] = false; /* unless all is right */
    if (is_node) {
        for (size_t i = 0; i < n->cap; i++) n->all[i].state = SPARKPLUG_NO_ALIAS;
        memset(n->is_born, 0, sizeof n->is_born);
        n->is_full = false;
        n->asked_ms = 0;
        n->has_bd_seq = sparkplug_bd_seq(&h->f->payload, &n->bd_seq);
    } else {
        forget(n, h->device);
    }
    if (!learn(n, h->f, h->device, reterr)) return false;
    n->is_born[0] = n->is_born[h->device] = true;
    return true;
}

static bool ask_rebirth(struct sparkplug_node *n, int64_t now_ms) {
    n->is_born[0] = false;
    if (n->asked_ms && now_ms >= n->asked_ms && now_ms - n->asked_ms < SPARKPLUG_REBIRTH_MS) return false;
    n->asked_ms = now_ms;
    return true;
}

static bool die(struct hearing *h, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    uint64_t bd_seq = 0;
    bool has = sparkplug_bd_seq(&h->f->payload, &bd_seq);
    if (h->n->is_born[0] && h->n->has_bd_seq && has && bd_seq != h->n->bd_seq) return true; /* of an earlier session */
    return sparkplug_said(h->f, NULL, NULL, a, ret, reterr) && all_die(h->n, a, ret, reterr);
}

bool sparkplug_hear(struct sparkplug_node *n, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                    bool *ret_wants_birth, struct wire_error *reterr) {
    struct sparkplug_frame f;
    struct hearing h = {.n = n, .f = &f};
    *ret = (struct decoded){0};
    *ret_wants_birth = false;
    n->unknown = NULL;
    if (!sparkplug_frame_read(whole, a, &f, reterr)) return false;
    enum sparkplug_what what = f.topic.what;
    if (what == SPARKPLUG_NCMD || what == SPARKPLUG_DCMD || what == SPARKPLUG_STATE) return true;
    h.device = device_of(n, &f.topic);
    if (what == SPARKPLUG_NDEATH) return die(&h, a, ret, reterr);
    if (!(f.payload.has & BIT(SPARKPLUG_SEQ))) return bad(reterr, "seq: it is missing", f.publish.payload_at);
    bool is_birth = what == SPARKPLUG_NBIRTH || what == SPARKPLUG_DBIRTH;
    h.is_lost = what != SPARKPLUG_NBIRTH && is_out_of_turn(&h);
    if (is_birth && !h.is_lost && (!add_device(&h, reterr) || !be_born(&h, reterr))) return false;
    if (!sparkplug_said(&f, name_it, &h, a, ret, reterr)) {
        if (is_birth) n->is_born[0] = false;
        return false;
    }
    n->seq = (uint8_t)f.payload.seq;
    if (what == SPARKPLUG_DDEATH && h.device != SIZE_MAX) n->is_born[h.device] = false;
    if (h.is_lost) *ret_wants_birth = ask_rebirth(n, now_ms);
    return true;
}

void sparkplug_rebirth(const struct sparkplug_topic *t, int64_t now_ms, struct buf *out) {
    struct sparkplug_metric m = {.has =
                                     BIT(METRIC_NAME) | BIT(METRIC_TIMESTAMP) | BIT(METRIC_TYPE) | BIT(METRIC_BOOLEAN),
                                 .name = S("Node Control/Rebirth"),
                                 .timestamp = (uint64_t)now_ms,
                                 .type = SPARKPLUG_BOOLEAN,
                                 .value = METRIC_BOOLEAN,
                                 .integer = 1};
    struct sparkplug_payload p = {
        .has = BIT(SPARKPLUG_TIMESTAMP), .timestamp = (uint64_t)now_ms, .metrics = &m, .metrics_n = 1};
    buf_fmt(out, "spBv1.0/" STR_FMT "/NCMD/" STR_FMT "\n", STR_ARG(t->group), STR_ARG(t->edge));
    sparkplug_put(&p, out);
}

void sparkplug_state(struct str host, bool is_online, int64_t at_ms, struct buf *out) {
    struct jw j;
    buf_fmt(out, "spBv1.0/STATE/" STR_FMT "\n", STR_ARG(host));
    jw_init(&j, out);
    jw_open(&j, '{');
    jw_kbool(&j, "online", is_online);
    jw_ki64(&j, "timestamp", at_ms);
    jw_close(&j, '}');
}
