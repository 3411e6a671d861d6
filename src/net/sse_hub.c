/* Who is told next, by whom and how far.  SPDX-License-Identifier: Apache-2.0 */
#include "net/sse_hub.h"

#include "net/runner.h"

#include <stdlib.h>

#define POLL_MS        1000 /* events that nobody woke us for */
#define BEAT_MS        15000
#define CHECK_AGAIN_MS 5000
#define CHECKS_MAX     100 /* clients checked in one run */

enum turn { TURN_NEWS, TURN_BEHIND, TURN_CHECK, TURN__COUNT };
struct sse_hub {
    struct sse_hub_options o;
    struct runner runner;
    struct sse_client *clients;
    _Atomic size_t n;
    atomic_bool has_news;
    bool is_closed;
    int64_t head; /* number up to which those who are up to date were told */
    int64_t beat_ms;
    enum turn turn; /* of the run under way, else the last one */
    struct sse_run run;
    bool is_whole; /* the run did all it should */
};

/* Where the client is too slow or gone, the stream closes itself and on_close follows. */
static void write_text(struct sse_client *c, struct str text) {
    if (c->http && text.len) (void)!http_stream_write(c->http, (struct bytes){(const uint8_t *)text.ptr, text.len});
}

static void sweep(struct sse_hub *hub) {
    if (runner_is_working(&hub->runner)) return;
    for (struct sse_client **at = &hub->clients; *at;) {
        struct sse_client *c = *at;
        if (c->http) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        hub->n--;
        hub->o.gone(hub->o.arg, c);
    }
}

static void on_close(void *arg, enum err why) {
    struct sse_client *c = arg;
    (void)why;
    c->http = NULL;
    sweep(c->hub);
}

static void on_drain(void *arg) {
    runner_wake(&((struct sse_client *)arg)->hub->runner);
}

/* ---- a run ---- */

static bool is_due(const struct sse_hub *hub, const struct sse_client *c, int64_t now) {
    if (!c->http) return false;
    if (hub->turn == TURN_NEWS) return atomic_load(&hub->has_news) && c->last >= hub->head;
    if (hub->turn == TURN_BEHIND) return c->last < hub->head && !http_stream_pending(c->http);
    return now >= c->check_ms;
}

static void take_due(struct sse_hub *hub) {
    static const size_t most[] = {[TURN_NEWS] = SIZE_MAX, [TURN_BEHIND] = 1, [TURN_CHECK] = CHECKS_MAX};
    int64_t now = loop_now_ms(hub->o.loop);
    size_t n = 0;
    hub->run.clients = NULL;
    for (struct sse_client *c = hub->clients; c && n < most[hub->turn]; c = c->next) {
        if (!is_due(hub, c, now)) continue;
        c->next_in_run = hub->run.clients;
        hub->run.clients = c;
        n++;
    }
}

/* By turns, so that nobody waits for ever: news for all who are up to date, a page for one who is behind, checks. */
static bool begin(void *arg) {
    struct sse_hub *hub = arg;
    hub->run = (struct sse_run){0};
    for (int i = 0; i < TURN__COUNT && !hub->run.clients; i++) {
        hub->turn = (hub->turn + 1) % TURN__COUNT;
        take_due(hub);
    }
    if (!hub->run.clients) return false;
    if (hub->turn == TURN_NEWS) atomic_store(&hub->has_news, false);
    hub->run.after = hub->run.read_to = hub->turn == TURN_BEHIND ? hub->run.clients->last : hub->head;
    return true;
}

static void work(void *arg) {
    struct sse_hub *hub = arg;
    hub->is_whole = (hub->turn == TURN_CHECK ? hub->o.check : hub->o.read)(hub->o.arg, &hub->run);
}

static bool done(void *arg) {
    struct sse_hub *hub = arg;
    int64_t now = loop_now_ms(hub->o.loop);
    for (struct sse_client *c = hub->run.clients; c; c = c->next_in_run) {
        write_text(c, c->text);
        c->text = (struct str){NULL, 0};
        if (hub->turn == TURN_CHECK) c->check_ms = now + (hub->is_whole ? hub->o.check_ms : CHECK_AGAIN_MS);
        if (c->is_over && c->http) http_stream_end(c->http);
    }
    if (hub->turn == TURN_NEWS) {
        hub->head = hub->run.read_to;
        if (hub->run.more) atomic_store(&hub->has_news, true);
    }
    hub->o.told(hub->o.arg);
    sweep(hub);
    return hub->is_whole; /* begin() sees whether anybody is left; after a failure the next tick goes on */
}

void sse_hub_wake(struct sse_hub *hub) {
    atomic_store(&hub->has_news, true);
    runner_wake(&hub->runner);
}

static bool tick(void *arg) {
    struct sse_hub *hub = arg;
    int64_t now = loop_now_ms(hub->o.loop);
    bool beats = now - hub->beat_ms >= BEAT_MS;
    if (beats) hub->beat_ms = now;
    for (struct sse_client *c = beats ? hub->clients : NULL; c; c = c->next) write_text(c, S(":\n\n"));
    atomic_store(&hub->has_news, true);
    return hub->n > 0;
}

/* ---- a new client ---- */

bool sse_hub_begin(struct sse_hub *hub, struct sse_client *c, const struct http_request *req,
                   const struct http_header *headers, size_t headers_n, int64_t newest) {
    struct str after = http_header_get(req, "last-event-id");
    if (hub->is_closed || hub->n >= hub->o.clients_max) return false;
    bool is_given = !after.len || (str_to_i64(after, &c->last) && c->last >= 0 && c->last <= newest);
    if (!after.len) c->last = newest;
    if (!is_given) c->last = -1;
    if (!hub->n) hub->head = newest;
    c->hub = hub;
    c->check_ms = loop_now_ms(hub->o.loop) + hub->o.check_ms;
    c->http = http_stream_begin(req, 200, headers, headers_n,
                                &(struct http_stream_calls){.on_drain = on_drain, .on_close = on_close, .arg = c});
    c->next = hub->clients;
    hub->clients = c;
    hub->n++;
    if (req->method == METHOD_HEAD)
        http_stream_end(c->http);
    else
        write_text(c, S("retry: 2000\n:\n\n"));
    sse_hub_wake(hub);
    return true;
}

size_t sse_hub_clients(const struct sse_hub *hub) {
    return hub->n;
}

/* ---- life ---- */

enum err sse_hub_create(const struct sse_hub_options *options, struct sse_hub **ret) {
    struct sse_hub *hub = calloc(1, sizeof *hub);
    if (!hub) return ERR_INTERNAL;
    hub->o = *options;
    hub->beat_ms = loop_now_ms(options->loop);
    enum err e =
        runner_start(&hub->runner, options->loop, POLL_MS, &(struct runner_calls){tick, begin, work, done, hub});
    if (e) {
        free(hub);
        return e;
    }
    *ret = hub;
    return OK;
}

void sse_hub_close(struct sse_hub *hub) {
    hub->is_closed = true;
    runner_stop(&hub->runner);
    for (struct sse_client *c = hub->clients; c; c = c->next)
        if (c->http) http_stream_end(c->http);
}

bool sse_hub_is_busy(const struct sse_hub *hub) {
    return hub->clients || runner_is_busy(&hub->runner);
}

void sse_hub_destroy(struct sse_hub *hub) {
    free(hub);
}
