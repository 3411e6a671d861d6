/* The edge nodes that a host knows.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/topics/host.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 200 /* "GROUP/EDGE" */

struct node {
    int64_t scope, heard_ms;
    char name[NAME_MAX_BYTES + 1];
    struct sparkplug_node node;
    struct sparkplug_alias all[HOST_ALIASES];
};
struct sparkplug_host {
    struct node *nodes[HOST_NODES_MAX];
    size_t nodes_n;
    int64_t since_ms; /* when rebirths began to be counted */
    int rebirths;
};

struct sparkplug_host *sparkplug_host_create(void) {
    return calloc(1, sizeof(struct sparkplug_host));
}

void sparkplug_host_destroy(struct sparkplug_host *h) {
    if (!h) return;
    for (size_t i = 0; i < h->nodes_n; i++) free(h->nodes[i]);
    free(h);
}

/* NULL: there is no room, or it is called by too long a name. */
static struct node *node_of(struct sparkplug_host *h, int64_t scope, const struct sparkplug_topic *t, int64_t now_ms) {
    char mem[NAME_MAX_BYTES + 1];
    struct buf b;
    struct str name;
    struct node **at = NULL;
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, STR_FMT "/" STR_FMT, STR_ARG(t->group), STR_ARG(t->edge));
    if (!buf_done(&b, &name)) return NULL;
    for (size_t i = 0; i < h->nodes_n; i++) {
        if (h->nodes[i]->scope == scope && str_is(name, h->nodes[i]->name)) return h->nodes[i];
        bool is_older = !at || h->nodes[i]->heard_ms < (*at)->heard_ms;
        if (now_ms - h->nodes[i]->heard_ms > HOST_STALE_MS && is_older) at = &h->nodes[i];
    }
    if (h->nodes_n < HOST_NODES_MAX) {
        at = &h->nodes[h->nodes_n];
        *at = malloc(sizeof **at);
        if (!*at) return NULL;
        h->nodes_n++;
    }
    if (!at) return NULL;
    memset(*at, 0, sizeof **at);
    (*at)->scope = scope;
    memcpy((*at)->name, mem, sizeof mem);
    (*at)->node.all = (*at)->all;
    (*at)->node.cap = HOST_ALIASES;
    return *at;
}

static bool may_ask(struct sparkplug_host *h, int64_t now_ms) {
    if (now_ms < h->since_ms || now_ms - h->since_ms >= HOST_REBIRTHS_MS) {
        h->since_ms = now_ms;
        h->rebirths = 0;
    }
    return h->rebirths++ < HOST_REBIRTHS_MAX;
}

static bool hear(struct sparkplug_host *h, int64_t scope, const struct sparkplug_topic *t, struct bytes whole,
                 int64_t now_ms, struct arena *a, struct decoded *ret, struct buf *rebirth, struct wire_error *reterr) {
    bool wants_birth;
    struct node *n = t->what == SPARKPLUG_STATE ? NULL : node_of(h, scope, t, now_ms);
    if (!n) return sparkplug_codec.decode(whole, a, ret, reterr);
    n->heard_ms = now_ms;
    if (!sparkplug_hear(&n->node, whole, now_ms, a, ret, &wants_birth, reterr)) return false;
    if (wants_birth && may_ask(h, now_ms)) sparkplug_rebirth(t, now_ms, rebirth);
    return true;
}

bool sparkplug_host_hear(struct sparkplug_host *h, int64_t scope, struct str topic, struct bytes payload,
                         int64_t now_ms, struct arena *a, struct decoded *ret, struct buf *rebirth,
                         struct wire_error *reterr) {
    struct sparkplug_topic t;
    size_t before = topic.len + 1;
    if (!sparkplug_topic(topic, &t)) {
        *reterr = (struct wire_error){"topic: it is none of Sparkplug B", 0};
        return false;
    }
    uint8_t *whole = arena_alloc(a, before + payload.len, 1, 1);
    if (!whole) {
        *reterr = (struct wire_error){"out of memory", 0};
        return false;
    }
    memcpy(whole, topic.ptr, topic.len);
    whole[topic.len] = '\n';
    if (payload.len) memcpy(whole + before, payload.ptr, payload.len);
    if (hear(h, scope, &t, (struct bytes){whole, before + payload.len}, now_ms, a, ret, rebirth, reterr)) return true;
    reterr->at = reterr->at > before ? reterr->at - before : 0;
    return false;
}
