/* The event stream: one reader of numbered events for all clients, each told only what it may see.  All of the hub's
 * state belongs to the loop thread; one job at a time reads and decides on a worker, over clients that stay put until
 * it is done.  SPDX-License-Identifier: Apache-2.0 */
#include "api/events_internal.h"

#include "kernel/outbox.h"

#include <stdlib.h>

#define BEAT_MS        15000
#define POLL_MS        1000 /* events that another process delivered */
#define CHECK_MS       45000
#define CHECK_AGAIN_MS 5000 /* where the store did not answer */
#define CHECKS_MOST    100
#define JOB_BYTES      ((size_t)64 * 1024 * 1024)

size_t hub_clients(const struct hub *hub) {
    return hub->n;
}

bool hub_is_busy(const struct hub *hub) {
    return hub->is_working || hub->clients || atomic_load(&hub->is_posted);
}

static void client_free(struct client *c) {
    arena_give(&c->hub->api->arenas, &c->arena);
    arena_give(&c->hub->api->arenas, &c->new_arena);
    free(c);
}

static void sweep(struct hub *hub) {
    for (struct client **at = &hub->clients; *at;) {
        struct client *c = *at;
        if (c->http || hub->is_working) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        hub->n--;
        client_free(c);
    }
}

static void on_close(void *arg, enum err why) {
    struct client *c = arg;
    (void)why;
    c->http = NULL;
    sweep(c->hub);
}

static void write_text(struct client *c, struct str text) {
    if (!c->http || !text.len) return;
    if (!http_stream_write(c->http, (struct bytes){(const uint8_t *)text.ptr, text.len})) return;
    /* Too slow or gone: the stream closes itself and on_close follows. */
}

/* Copies what the client keeps beside its actor. */
static bool keep_texts(struct client *c, struct arena *a) {
    bool copied = arena_str(a, c->token, &c->token);
    for (size_t i = 0; i < c->topics_n; i++) copied &= arena_str(a, c->topics[i], &c->topics[i]);
    return copied;
}

/* The new actor replaces the old one. */
static void actor_swap(struct client *c) {
    struct arena old = c->arena;
    c->is_gone |= !keep_texts(c, &c->new_arena);
    c->actor = c->new_actor;
    c->arena = c->new_arena;
    c->new_arena = old;
}

static void check_done(struct hub *hub, struct client *c) {
    int64_t now = loop_now_ms(hub->api->o.loop);
    bool was_asked = c->has_new || c->is_gone;
    if (c->has_new) actor_swap(c);
    c->has_new = false;
    arena_give(&hub->api->arenas, &c->new_arena);
    c->checked_ms = was_asked ? now : now - hub->recheck_ms + CHECK_AGAIN_MS;
    if (c->is_gone && c->http) http_stream_end(c->http);
}

static void read_done(struct hub *hub, struct client *c) {
    struct str text;
    if (c->is_doubted) c->checked_ms = loop_now_ms(hub->api->o.loop) - hub->recheck_ms;
    c->is_doubted = false;
    if (hub->reset) {
        write_text(c, S("event: reset\ndata: {}\n\n"));
        c->last = hub->read_to;
        return;
    }
    if (c->out.len && buf_done(&c->out, &text)) {
        write_text(c, text);
        atomic_fetch_add(&hub->api->counters.events_sent, 1);
    }
    c->out = (struct buf){0};
    c->last = c->job_last;
}

static void go_on(struct hub *hub);

static void done(void *arg) {
    struct hub *hub = arg;
    hub->is_working = false;
    for (struct client *c = hub->job; c; c = c->job_next) {
        if (hub->checks)
            check_done(hub, c);
        else
            read_done(hub, c);
    }
    if (!hub->checks && hub->from == hub->head) {
        hub->head = hub->read_to;
        hub->is_woken |= hub->more;
    }
    hub->job = NULL;
    arena_reset(&hub->arena);
    sweep(hub);
    go_on(hub);
}

static size_t take(struct hub *hub, struct client *c) {
    c->job_next = hub->job;
    hub->job = c;
    return 1;
}

/* Who is served next: those at the head when something happened, else one that is behind, else those to be checked. */
static bool choose(struct hub *hub) {
    struct client *behind = NULL;
    size_t n = 0;
    int64_t now = loop_now_ms(hub->api->o.loop);
    hub->checks = hub->more = hub->reset = false;
    for (struct client *c = hub->clients; c; c = c->next) {
        if (!c->http) continue;
        if (hub->is_woken && c->last >= hub->head) n += take(hub, c);
        /* A catch-up goes at the reader's pace: the next page when the last one has gone. */
        if (c->last < hub->head && !http_stream_pending(c->http)) behind = c;
    }
    hub->from = hub->head;
    if (n) {
        hub->is_woken = false;
        return true;
    }
    if (behind) {
        hub->from = behind->last;
        return take(hub, behind);
    }
    for (struct client *c = hub->clients; c && n < CHECKS_MOST; c = c->next)
        if (c->http && now - c->checked_ms >= hub->recheck_ms) n += take(hub, c);
    return hub->checks = n > 0;
}

static void go_on(struct hub *hub) {
    if (hub->is_working || hub->is_closed || !choose(hub)) return;
    hub->is_working = true;
    if (!loop_work(hub->api->o.loop, hub_work, done, hub)) return;
    hub->is_working = false; /* the timer comes again */
    hub->is_woken = true;
    hub->job = NULL;
}

static void on_drain(void *arg) {
    const struct client *c = arg;
    if (c->last < c->hub->head) go_on(c->hub);
}

static void on_wake(void *arg) {
    struct hub *hub = arg;
    atomic_store(&hub->is_posted, false);
    hub->is_woken = true;
    go_on(hub);
}

void api_events_wake(struct api *api) {
    if (!atomic_exchange(&api->hub->is_posted, true)) loop_post_task(api->o.loop, &api->hub->wake);
}

static void on_timer(void *arg) {
    struct hub *hub = arg;
    int64_t now = loop_now_ms(hub->api->o.loop);
    if (now - hub->beat_ms >= BEAT_MS) {
        hub->beat_ms = now;
        for (struct client *c = hub->clients; c; c = c->next) write_text(c, S(":\n\n"));
    }
    if (hub->n) hub->is_woken = true;
    go_on(hub);
}

/* ---- a new client ---- */

static enum err topics_read(struct ctx *ctx, struct str text, struct client *c) {
    struct str part;
    while (str_cut(&text, ',', &part)) {
        part = str_trim(part);
        if (!part.len) continue;
        if (c->topics_n == TOPICS_MAX) return FAIL_FIELD(&ctx->fault, "topics", "too_many", TOPICS_MAX);
        c->topics[c->topics_n++] = part;
    }
    return OK;
}

enum err hub_prepare(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct client c = {.actor = ctx->actor, .token = call->token};
    struct str topics, after = http_header_get(call->req, "last-event-id");
    TRY(api_query(ctx, call, "topics", &topics));
    TRY(topics_read(ctx, topics, &c));
    TRY(events_last(ctx, &c.last));
    c.job_last = c.last; /* where the stream of now begins */
    /* An id that is none of ours cannot be resumed from: -1 is older than everything kept. */
    if (after.len && (!str_to_i64(after, &c.last) || c.last < 0)) c.last = -1;
    struct client *kept = malloc(sizeof *kept);
    if (!kept) return FAIL_MEMORY(ctx);
    *kept = c;
    ret->state = kept;
    ret->type = "text/event-stream";
    return OK;
}

static void refuse(struct api_unit *u) {
    u->ctx.fault = (struct fault){.kind = ERR_BUSY, .code = "busy", .text = "too many event streams are open"};
    problem_fill(u, &u->ctx.fault);
    unit_release(u);
}

void hub_begin(void *arg) {
    struct api_unit *u = arg;
    struct hub *hub = u->api->hub;
    struct client *c = u->answer.state;
    c->hub = hub;
    c->arena = u->arena; /* holds the actor and what else the worker read */
    u->arena = (struct arena){0};
    if (hub->is_closed || hub->n >= API_EVENT_CLIENTS || u->req->method == METHOD_HEAD || !keep_texts(c, &c->arena)) {
        client_free(c);
        refuse(u);
        return;
    }
    if (!hub->n) hub->head = c->job_last;
    if (c->last > c->job_last) c->last = -1; /* a number we never gave */
    c->checked_ms = loop_now_ms(hub->api->o.loop);
    u->answer.status = 200;
    size_t n = unit_headers(u, &u->answer);
    unit_count(u, 200);
    c->http = http_stream_begin(u->req, 200, u->headers, n,
                                &(struct http_stream_calls){.on_drain = on_drain, .on_close = on_close, .arg = c});
    c->next = hub->clients;
    hub->clients = c;
    hub->n++;
    unit_free(u);
    write_text(c, S("retry: 2000\n:\n\n"));
    hub->is_woken = true;
    go_on(hub);
}

/* ---- life ---- */

enum err hub_create(struct api *api, struct hub **ret) {
    struct hub *hub = calloc(1, sizeof *hub);
    if (!hub) return ERR_INTERNAL;
    hub->api = api;
    hub->recheck_ms = api->o.recheck_ms > 0 ? api->o.recheck_ms : CHECK_MS;
    hub->wake = (struct loop_task){.fn = on_wake, .arg = hub};
    arena_init(&hub->arena, JOB_BYTES);
    enum err e = loop_timer_create(api->o.loop, on_timer, hub, &hub->timer);
    if (e) {
        free(hub);
        return e;
    }
    hub->beat_ms = loop_now_ms(api->o.loop);
    loop_timer_start(hub->timer, POLL_MS, POLL_MS);
    *ret = hub;
    return OK;
}

void hub_close(struct hub *hub) {
    hub->is_closed = true;
    loop_timer_stop(hub->timer);
    for (struct client *c = hub->clients; c; c = c->next)
        if (c->http) http_stream_end(c->http);
}

void hub_destroy(struct hub *hub) {
    if (!hub) return;
    loop_timer_destroy(hub->timer);
    arena_finish(&hub->arena);
    free(hub);
}
