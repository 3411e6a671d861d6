/* HTTP requests by the clock.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/load.h"

#include "main/bench/bench.h"
#include "net/client_parse.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)16 * 1024 * 1024)
#define AGAIN_US 1000 /* all connections are busy: an answer wakes us, not the clock */

struct asker { /* a connection with at most one request under way */
    struct load *load;
    struct wire *wire;
    struct client_parse *parse;
    struct asker *next_idle;
    size_t i;
};
struct load {
    struct load_options o;
    struct pace pace;
    struct load_result result;
    struct asker *askers, *idle, **idle_end; /* the one that rested longest is taken: none rests until it is closed */
};

static void rest(struct load *l, struct asker *a) {
    a->next_idle = NULL;
    *l->idle_end = a;
    l->idle_end = &a->next_idle;
}

static void on_piece(void *arg, struct bytes piece) {
    ((struct load *)arg)->result.bytes += (int64_t)piece.len;
}

static void settle(struct asker *a, int status) {
    struct load *l = a->load;
    int64_t took = bench_now_us() - pace_due_us(&l->pace, a->i);
    client_parse_destroy(a->parse);
    a->parse = NULL;
    if (status / 100 == 2) {
        l->result.answered++;
        latencies_add(&l->result.latencies, took);
    } else {
        l->result.failed++;
        l->result.last_status = status;
    }
    if (a->wire->fd < 0) return; /* one connection less */
    rest(l, a);
}

static void on_bytes(void *arg, struct bytes bytes) {
    struct asker *a = arg;
    if (!a->parse) return;
    enum client_parse_event event = bytes.len ? client_parse_feed(a->parse, bytes) : client_parse_end(a->parse);
    if (event == CLIENT_DONE) settle(a, a->parse->reply.status);
    if (event == CLIENT_BAD) settle(a, 0);
}

static void ask(struct load *l, struct asker *a, size_t i) {
    a->i = i;
    a->parse = client_parse_create(false, BODY_MAX);
    if (!a->parse) {
        settle(a, 0);
        return;
    }
    a->parse->on_piece = on_piece;
    a->parse->arg = l;
    if (!wire_send(a->wire, l->o.request(l->o.arg, i)) && a->parse) settle(a, 0);
}

enum err load_open(struct wires *ws, const struct load_options *o, struct load **ret, struct fault *f) {
    struct load *l = calloc(1, sizeof *l);
    enum err e = OK;
    if (!l) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    l->o = *o;
    l->idle_end = &l->idle;
    l->pace = (struct pace){.rate = o->rate, .n = o->n};
    l->askers = calloc(o->connections, sizeof *l->askers);
    if (!l->askers || !latencies_init(&l->result.latencies, o->n)) e = FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    for (size_t i = 0; !e && i < o->connections; i++) {
        struct asker *a = &l->askers[i];
        a->load = l;
        rest(l, a);
        e = wire_open(ws, o->port, on_bytes, a, &a->wire, f);
    }
    if (e)
        load_close(l);
    else
        *ret = l;
    return e;
}

void load_begin(struct load *l, int64_t at_us) {
    l->pace.begin_us = at_us;
}

int64_t load_send(struct load *l, int64_t now_us) {
    size_t i;
    while (l->idle && pace_take(&l->pace, now_us, &i)) {
        struct asker *a = l->idle;
        l->idle = a->next_idle;
        if (!l->idle) l->idle_end = &l->idle;
        ask(l, a, i);
    }
    if (l->pace.taken == l->pace.n) return INT64_MAX;
    int64_t due = pace_due_us(&l->pace, l->pace.taken);
    return l->idle ? due : now_us + AGAIN_US;
}

bool load_is_done(const struct load *l) {
    return l->result.answered + l->result.failed == l->pace.n;
}

const struct load_result *load_result(struct load *l) {
    return &l->result;
}

void load_close(struct load *l) {
    if (!l) return;
    for (size_t i = 0; l->askers && i < l->o.connections; i++) client_parse_destroy(l->askers[i].parse);
    latencies_free(&l->result.latencies);
    free(l->askers);
    free(l);
}

void load_run(struct load *l, struct wires *ws, int64_t patience_us) {
    load_begin(l, bench_now_us());
    int64_t end = pace_due_us(&l->pace, l->pace.n) + patience_us;
    while (!load_is_done(l) && !bench_is_stopped && bench_now_us() < end) {
        int64_t next = load_send(l, bench_now_us());
        wires_wait(ws, next < end ? next : end);
    }
    l->result.failed = l->pace.n - l->result.answered; /* what has no answer by now */
}
