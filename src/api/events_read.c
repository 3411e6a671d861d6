/* The worker's half of the event stream: reads numbered events once, and decides for each client what it is told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/events_internal.h"

#include "kernel/outbox.h"
#include "net/sse.h"

#define PAGE_EVENTS 200
#define OUT_MAX     ((size_t)192 * 1024) /* of one client and round; under the socket's queue */
#define ACTOR_BYTES ((size_t)1024 * 1024)
#define EVENT_TEXT  8192

static bool wants(const struct client *c, struct str topic) {
    for (size_t i = 0; i < c->topics_n; i++)
        if (topic_matches(c->topics[i], topic)) return true;
    return !c->topics_n;
}

static struct str event_text(struct ctx *ctx, const struct numbered_event *e) {
    struct buf b, id;
    char number[24];
    struct str text = {NULL, 0}, number_text = {NULL, 0};
    buf_init_arena(&b, ctx->arena, EVENT_TEXT);
    buf_init(&id, number, sizeof number);
    buf_i64(&id, e->number);
    if (!buf_done(&id, &number_text)) return text;
    sse_event(&b, number_text, e->event.topic, e->event.body);
    (void)!buf_done(&b, &text); /* absent: an event too large to tell is passed over */
    return text;
}

static void serve(struct ctx *ctx, struct client *c, const struct numbered_event *events, const struct str *texts,
                  size_t n, int64_t read_to) {
    ctx->actor = c->actor;
    ctx->rights_cache = NULL;
    buf_init_arena(&c->out, ctx->arena, OUT_MAX);
    for (size_t i = 0; i < n; i++) {
        if (events[i].number <= c->last) continue; /* he was ahead of the others */
        if (!texts[i].ptr || !wants(c, events[i].event.topic) || !event_visible(ctx, &events[i].event)) continue;
        if (c->out.len + texts[i].len >= OUT_MAX) { /* the rest in a round of its own */
            c->job_last = events[i].number - 1;
            return;
        }
        buf_str(&c->out, texts[i]);
    }
    c->job_last = read_to > c->last ? read_to : c->last;
}

struct ending {
    struct str topic;
    bool yes;
};

static enum err look_at_ends(void *arg, const void *row) {
    struct ending *e = arg;
    e->yes |= word_in(((const struct api_authenticator *)row)->ends, e->topic);
    return OK;
}

/* Events that may have ended log-ins: whose streams are to be looked at again? */
static enum err doubt(struct ctx *ctx, struct hub *hub, const struct event *event) {
    struct ending e = {.topic = event->topic};
    TRY(kernel_each(ctx->kernel, &authenticators, look_at_ends, &e));
    for (struct client *c = e.yes ? hub->job : NULL; c; c = c->job_next)
        c->is_doubted |= c->actor.user_id == event->row_id;
    return OK;
}

static enum err read_page(struct ctx *ctx, struct hub *hub) {
    struct numbered_event *events;
    size_t n;
    TRY(events_after(ctx, hub->from, PAGE_EVENTS, &events, &n, &hub->reset));
    if (hub->reset) return events_last(ctx, &hub->read_to);
    hub->read_to = n ? events[n - 1].number : hub->from;
    hub->more = n == PAGE_EVENTS;
    struct str *texts = arena_new(ctx->arena, struct str, n + 1);
    if (!texts) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < n; i++) texts[i] = event_text(ctx, &events[i]);
    for (size_t i = 0; i < n; i++) TRY(doubt(ctx, hub, &events[i].event));
    for (struct client *c = hub->job; c; c = c->job_next) serve(ctx, c, events, texts, n, hub->read_to);
    return OK;
}

/* Is the log-in still good, and what are its roles now? */
static enum err check_clients(struct ctx *ctx, struct hub *hub) {
    for (struct client *c = hub->job; c; c = c->job_next) {
        struct api_identity who;
        arena_take(&hub->api->arenas, &c->new_arena, ACTOR_BYTES);
        ctx->arena = &c->new_arena;
        ctx->actor = (struct actor){0};
        ctx->rights_cache = NULL;
        enum err e = unit_fill_actor(ctx, c->token, &who);
        if (e == ERR_UNAUTHENTICATED || e == ERR_DENIED) {
            e = OK;
            who.is_known = false;
            ctx->fault = (struct fault){0};
        }
        if (e) return e;
        c->is_gone = !who.is_known;
        c->new_actor = ctx->actor;
        c->has_new = who.is_known;
    }
    return OK;
}

void hub_work(void *arg) {
    struct hub *hub = arg;
    const struct api *api = hub->api;
    struct ctx ctx = {.kernel = api->o.kernel, .arena = &hub->arena, .world = api->o.world, .trace = S("events")};
    ctx_begin(&ctx);
    enum err e = db_pool_take(api->o.pool, &ctx.db, &ctx.fault);
    if (!e) e = hub->checks ? check_clients(&ctx, hub) : read_page(&ctx, hub);
    if (e) {
        log_failure(api, ctx.trace, "events_failed", &ctx.fault, ctx.db ? db_detail(ctx.db) : "");
        hub->more = false;
        for (struct client *c = hub->job; c; c = c->job_next) c->job_last = c->last; /* tried again at the next wake */
        hub->read_to = hub->from;
        hub->reset = false;
    }
    if (ctx.db) db_pool_give(api->o.pool, ctx.db);
}
