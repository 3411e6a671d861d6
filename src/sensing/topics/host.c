/* The edge nodes that a host knows.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/topics/host.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MAX (HOST_REBIRTHS_MAX * SPARKPLUG_REBIRTH_MS / HOST_REBIRTHS_MS) /* within SPARKPLUG_REBIRTH_MS */

struct node {
    char name[SPARKPLUG_NAME_MAX + 1]; /* "GROUP/EDGE"; a longer one has no code */
    struct sparkplug_node node;
    struct sparkplug_alias all[HOST_ALIASES];
};
struct place {
    size_t scope;   /* in scopes[] */
    uint64_t name;  /* its hash, so that looking for one reads no node */
    uint64_t heard; /* by turns */
    struct node *node;
};
struct scope {
    int64_t id;
    uint64_t heard;
    size_t nodes_n, asked_n; /* asked_n: ever */
};
struct asked { /* to be born again */
    uint64_t name;
    int64_t at_ms;
};
struct sparkplug_host {
    struct place places[HOST_NODES_MAX];
    struct scope scopes[HOST_SCOPES_MAX];
    struct asked asked[HOST_SCOPES_MAX][ASKED_MAX]; /* by their scopes; the last ones */
    size_t places_n, scopes_n;
    uint64_t turn;
    struct sparkplug_node stranger; /* one without a place, while its frame is read */
};

struct sparkplug_host *sparkplug_host_create(void) {
    return calloc(1, sizeof(struct sparkplug_host));
}

void sparkplug_host_destroy(struct sparkplug_host *h) {
    if (!h) return;
    for (size_t i = 0; i < h->places_n; i++) free(h->places[i].node);
    free(h);
}

/* ---- scopes ---- */

static void forget_nodes(struct sparkplug_host *h, size_t scope) {
    for (size_t i = h->places_n; i-- > 0;) {
        if (h->places[i].scope != scope) continue;
        free(h->places[i].node);
        h->places[i] = h->places[--h->places_n];
    }
}

static size_t scope_of(struct sparkplug_host *h, int64_t id) {
    size_t at = 0;
    for (size_t i = 0; i < h->scopes_n; i++) {
        if (h->scopes[i].id == id) {
            h->scopes[i].heard = ++h->turn;
            return i;
        }
        if (h->scopes[i].heard < h->scopes[at].heard) at = i;
    }
    if (h->scopes_n < HOST_SCOPES_MAX)
        at = h->scopes_n++;
    else
        forget_nodes(h, at);
    memset(h->asked[at], 0, sizeof h->asked[at]);
    h->scopes[at] = (struct scope){.id = id, .heard = ++h->turn};
    return at;
}

/* Whose node gives way: of the scope that has most, which is `own` unless another has more. */
static size_t fullest(const struct sparkplug_host *h, size_t own) {
    size_t at = own;
    for (size_t i = 0; i < h->scopes_n; i++)
        if (h->scopes[i].nodes_n > h->scopes[at].nodes_n) at = i;
    return at;
}

/* ---- places ---- */

/* One that is not born has nothing to lose; then the one unheard longest. */
static bool gives_way(const struct place *p, const struct place *before) {
    bool is_born = p->node->node.is_born[0], was_born = before->node->node.is_born[0];
    return is_born != was_born ? was_born : p->heard < before->heard;
}

/* NULL: out of memory.  The node's name is the caller's to write. */
static struct place *place_for(struct sparkplug_host *h, size_t scope) {
    struct place *p = NULL;
    bool has_room = h->scopes[scope].nodes_n < HOST_SCOPE_NODES;
    if (has_room && h->places_n < HOST_NODES_MAX) {
        struct node *node = malloc(sizeof *node);
        if (!node) return NULL;
        p = &h->places[h->places_n++];
        p->node = node;
    } else {
        size_t from = has_room ? fullest(h, scope) : scope;
        for (size_t i = 0; i < h->places_n; i++)
            if (h->places[i].scope == from && (!p || gives_way(&h->places[i], p))) p = &h->places[i];
        h->scopes[from].nodes_n--;
    }
    h->scopes[scope].nodes_n++;
    memset(p->node, 0, sizeof *p->node);
    p->node->node.all = p->node->all;
    p->node->node.cap = HOST_ALIASES;
    p->scope = scope;
    return p;
}

/* Who is born, and was not known, gets a place.  NULL: it has none. */
static struct node *node_of(struct sparkplug_host *h, size_t scope, enum sparkplug_what what, struct str name) {
    uint64_t hash = str_hash(name);
    struct place *p = NULL;
    for (size_t i = 0; i < h->places_n && !p; i++)
        if (h->places[i].scope == scope && h->places[i].name == hash && str_is(name, h->places[i].node->name))
            p = &h->places[i];
    if (!p && what == SPARKPLUG_NBIRTH) {
        p = place_for(h, scope);
        if (!p) return NULL;
        p->name = hash;
        memcpy(p->node->name, name.ptr, name.len);
    }
    if (!p) return NULL;
    p->heard = ++h->turn;
    return p->node;
}

/* ---- rebirths ---- */

static bool is_within(int64_t at_ms, int64_t now_ms, int64_t most_ms) {
    return now_ms >= at_ms && now_ms - at_ms < most_ms; /* a clock that was put back holds nobody up */
}

/* A node that has a place keeps by itself when it was asked. */
static bool may_ask(struct sparkplug_host *h, size_t scope, struct str name, bool is_stranger, int64_t now_ms) {
    struct scope *s = &h->scopes[scope];
    struct asked *all = h->asked[scope];
    uint64_t hash = str_hash(name);
    if (is_within(all[(s->asked_n + ASKED_MAX - HOST_REBIRTHS_MAX) % ASKED_MAX].at_ms, now_ms, HOST_REBIRTHS_MS))
        return false;
    for (size_t i = 0; i < ASKED_MAX && is_stranger; i++)
        if (all[i].name == hash && is_within(all[i].at_ms, now_ms, SPARKPLUG_REBIRTH_MS)) return false;
    all[s->asked_n++ % ASKED_MAX] = (struct asked){hash, now_ms};
    return true;
}

/* ---- a message ---- */

static bool is_of_node(enum sparkplug_what what) {
    return what != SPARKPLUG_STATE && what != SPARKPLUG_NCMD && what != SPARKPLUG_DCMD;
}

static bool hear(struct sparkplug_host *h, int64_t scope_id, const struct sparkplug_topic *t, struct bytes whole,
                 int64_t now_ms, struct arena *a, struct decoded *ret, struct host_lost *ret_lost,
                 struct wire_error *reterr) {
    char mem[SPARKPLUG_NAME_MAX + 1];
    struct buf b;
    struct str name;
    bool wants_birth;
    buf_init(&b, mem, sizeof mem);
    buf_fmt(&b, STR_FMT "/" STR_FMT, STR_ARG(t->group), STR_ARG(t->edge));
    if (!is_of_node(t->what) || !buf_done(&b, &name)) return sparkplug_codec.decode(whole, a, ret, reterr);
    size_t scope = scope_of(h, scope_id);
    struct node *known = node_of(h, scope, t->what, name);
    struct sparkplug_node *n = known ? &known->node : &h->stranger;
    if (!known) h->stranger = (struct sparkplug_node){.cap = 0};
    if (!sparkplug_hear(n, whole, now_ms, a, ret, &wants_birth, reterr)) return false;
    ret_lost->rule = n->unknown;
    if (!wants_birth) return true;
    if (may_ask(h, scope, name, !known, now_ms))
        sparkplug_rebirth(t, now_ms, &ret_lost->rebirth);
    else
        n->asked_ms = 0; /* with its next word */
    return true;
}

bool sparkplug_host_hear(struct sparkplug_host *h, int64_t scope, struct str topic, struct bytes payload,
                         int64_t now_ms, struct arena *a, struct decoded *ret, struct host_lost *ret_lost,
                         struct wire_error *reterr) {
    struct sparkplug_topic t;
    size_t before = topic.len + 1;
    ret_lost->rule = NULL;
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
    if (hear(h, scope, &t, (struct bytes){whole, before + payload.len}, now_ms, a, ret, ret_lost, reterr)) return true;
    reterr->at = reterr->at > before ? reterr->at - before : 0;
    return false;
}
