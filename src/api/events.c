/* The event stream: which of the numbered events each client asked for and may be told, and whether its log-in still
 * stands.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "kernel/outbox.h"
#include "net/sse.h"
#include "net/sse_hub.h"
#include "store/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TOPICS_MAX  16
#define CHECK_MS    45000
#define PAGE_EVENTS 200
#define OUT_MAX     ((size_t)192 * 1024) /* of one client and run; under the socket's queue */
#define ACTOR_BYTES ((size_t)1024 * 1024)
#define RUN_BYTES   ((size_t)64 * 1024 * 1024)
#define EVENT_TEXT  8192

struct client {
    struct sse_client sse; /* first */
    struct arena arena;    /* actor, token, topics */
    struct actor actor;
    struct str token, topics[TOPICS_MAX];
    size_t topics_n;
    bool is_doubted; /* his log-in or roles may be others now: told nothing before they were read again */
    int64_t newest;  /* number of the newest event when it came */
    struct hub *hub;
};

struct hub {
    struct api *api;
    struct sse_hub *sse;
    struct arena arena, scratch; /* of the run under way, of the client being served */
};

static struct client *client_of(struct sse_client *c) {
    return (struct client *)c;
}

/* Copies what the client keeps beside its actor. */
static bool keep_texts(struct client *c, struct arena *a) {
    bool copied = arena_str(a, c->token, &c->token);
    for (size_t i = 0; i < c->topics_n; i++) copied &= arena_str(a, c->topics[i], &c->topics[i]);
    return copied;
}

/* ---- a page of events, on a worker ---- */

static bool wants(const struct client *c, struct str topic) {
    for (size_t i = 0; i < c->topics_n; i++)
        if (topic_matches(c->topics[i], topic)) return true;
    return !c->topics_n;
}

static struct str event_text(struct ctx *ctx, const struct numbered_event *e) {
    char number[24];
    struct buf b;
    struct str text = {NULL, 0};
    snprintf(number, sizeof number, "%" PRId64, e->number);
    buf_init_arena(&b, ctx->arena, EVENT_TEXT);
    sse_event(&b, str_of(number), e->event.topic, e->event.body);
    (void)!buf_done(&b, &text); /* absent: an event too large to tell is passed over */
    return text;
}

/* False: no memory, or the store does not answer; the client is told later, alone. */
static bool serve(struct ctx *ctx, struct hub *hub, struct client *c, const struct numbered_event *events,
                  const struct str *texts, size_t n, int64_t read_to) {
    struct buf out;
    struct str text;
    arena_reset(&hub->scratch);
    ctx->arena = &hub->scratch;
    ctx->actor = c->actor;
    ctx->rights_cache = NULL;
    buf_init_arena(&out, &hub->scratch, OUT_MAX);
    for (size_t i = 0; i < n; i++) {
        if (events[i].number <= c->sse.last) continue; /* he was ahead of the others */
        bool visible;
        if (!texts[i].ptr || !wants(c, events[i].event.topic)) continue;
        if (event_visible(ctx, &events[i].event, &visible)) return false;
        if (!visible) continue;
        if (out.len + texts[i].len >= OUT_MAX) { /* the rest in a run of its own */
            read_to = events[i].number - 1;
            break;
        }
        buf_str(&out, texts[i]);
    }
    if (!buf_done(&out, &text) || !arena_str(&hub->arena, text, &c->sse.text)) return false;
    if (text.len) atomic_fetch_add(&hub->api->counters.events_sent, 1);
    if (read_to > c->sse.last) c->sse.last = read_to;
    return true;
}

/* ---- is the log-in still good, and what are its roles now? ---- */

struct doubt {
    struct ctx *ctx;
    const struct event *event;
    int64_t user_id, person_id; /* whose streams; 0: nobody's */
};

static enum err doubt_one(void *arg, const void *row) {
    const struct api_authenticator *a = row;
    struct doubt *d = arg;
    struct str column = str_of(a->roles), of;
    struct sql q = sql_new(d->ctx->db, d->ctx->arena, &d->ctx->fault);
    bool found;
    if (word_in(a->ends, d->event->topic)) d->user_id = d->event->row_id;
    if (!str_cut(&column, '.', &of) || !str_eq(of, d->event->resource)) return OK;
    sql_put(&q, "SELECT $ FROM $ WHERE id = $",
            PARTS(Q_NAME(column.ptr), Q_NAME(kernel_resource(d->ctx->kernel, of)->name), Q_I64(d->event->row_id)));
    return sql_one_i64(&q, &d->person_id, &found);
}

/* Events that may have ended log-ins, or given and taken roles. */
static enum err doubt(struct ctx *ctx, const struct sse_run *run, const struct event *event) {
    struct doubt d = {.ctx = ctx, .event = event};
    TRY(kernel_each(ctx->kernel, &authenticators, doubt_one, &d));
    for (struct sse_client *c = d.user_id || d.person_id ? run->clients : NULL; c; c = c->next_in_run) {
        const struct actor *a = &client_of(c)->actor;
        client_of(c)->is_doubted |=
            (d.user_id && a->user_id == d.user_id) || (d.person_id && a->person_id == d.person_id);
    }
    return OK;
}

static enum err check_client(struct ctx *ctx, struct hub *hub, struct client *c) {
    struct api_identity who;
    struct arena fresh;
    arena_take(&hub->api->arenas, &fresh, ACTOR_BYTES);
    ctx->arena = &fresh;
    ctx->actor = (struct actor){0};
    ctx->rights_cache = NULL;
    enum err e = api_identify(ctx, c->token, &who);
    bool is_refused = e == ERR_UNAUTHENTICATED || e == ERR_DENIED;
    c->sse.is_over = is_refused || (!e && (!who.is_known || !keep_texts(c, &fresh)));
    c->is_doubted = e && !is_refused;
    if (!e && !c->sse.is_over) {
        struct arena old = c->arena;
        c->arena = fresh;
        c->actor = ctx->actor;
        fresh = old;
    }
    arena_give(&hub->api->arenas, &fresh);
    if (!is_refused) return e;
    ctx->fault = (struct fault){0};
    return OK;
}

/* ---- a page ---- */

/* What a client says it saw is not kept any more: it reads everything anew, and goes on from the newest. */
static enum err start_over(struct ctx *ctx, struct sse_run *run) {
    TRY(events_last(ctx, &run->read_to));
    for (struct sse_client *c = run->clients; c; c = c->next_in_run) {
        c->text = S("event: reset\ndata: {}\n\n");
        c->last = run->read_to;
    }
    return OK;
}

static enum err read_page(struct ctx *ctx, struct hub *hub, struct sse_run *run) {
    struct numbered_event *events;
    size_t n;
    bool is_too_old, fits = true;
    TRY(events_after(ctx, run->after, PAGE_EVENTS, &events, &n, &is_too_old));
    if (is_too_old) return start_over(ctx, run);
    struct str *texts = arena_new(ctx->arena, struct str, n + 1);
    if (!texts) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < n; i++) texts[i] = event_text(ctx, &events[i]);
    for (size_t i = 0; i < n; i++) TRY(doubt(ctx, run, &events[i].event));
    if (n) run->read_to = events[n - 1].number;
    run->more = n == PAGE_EVENTS;
    for (struct sse_client *c = run->clients; c; c = c->next_in_run)
        fits &= (!client_of(c)->is_doubted || !check_client(ctx, hub, client_of(c))) &&
                (c->is_over || serve(ctx, hub, client_of(c), events, texts, n, run->read_to));
    return fits ? OK : FAIL_MEMORY(ctx);
}

static enum err check_clients(struct ctx *ctx, struct hub *hub, struct sse_run *run) {
    for (struct sse_client *c = run->clients; c; c = c->next_in_run) TRY(check_client(ctx, hub, client_of(c)));
    return OK;
}

/* ---- the runs ---- */

static bool run_with(struct hub *hub, struct sse_run *run,
                     enum err (*fn)(struct ctx *ctx, struct hub *hub, struct sse_run *run)) {
    const struct api *api = hub->api;
    struct ctx ctx = {.kernel = api->o.kernel, .arena = &hub->arena, .world = api->o.world, .trace = S("events")};
    ctx_begin(&ctx);
    enum err e = db_pool_take(api->o.pool, &ctx.db, &ctx.fault);
    if (!e) e = fn(&ctx, hub, run);
    if (e) log_failure(api, ctx.trace, "events_failed", &ctx.fault, ctx.db ? db_detail(ctx.db) : "");
    if (ctx.db) db_pool_give(api->o.pool, ctx.db);
    return !e;
}

static bool on_read(void *arg, struct sse_run *run) {
    return run_with(arg, run, read_page);
}

static bool on_check(void *arg, struct sse_run *run) {
    return run_with(arg, run, check_clients);
}

static void on_told(void *arg) {
    struct hub *hub = arg;
    arena_reset(&hub->arena);
    arena_reset(&hub->scratch);
}

static void on_gone(void *arg, struct sse_client *c) {
    struct hub *hub = arg;
    arena_give(&hub->api->arenas, &client_of(c)->arena);
    free(client_of(c));
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

/* The arena holds the actor and what else the worker read. */
static bool join(void *state, const struct http_request *req, const struct http_header *headers, size_t headers_n,
                 struct arena *arena) {
    struct client *c = malloc(sizeof *c);
    if (!c) return false;
    *c = *(struct client *)state;
    if (sse_hub_begin(c->hub->sse, &c->sse, req, headers, headers_n, c->newest)) {
        c->arena = *arena;
        *arena = (struct arena){0};
        return true;
    }
    free(c);
    return false;
}

enum err hub_prepare(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct client c = {.actor = ctx->actor, .token = call->token, .hub = call->unit->api->hub};
    struct str topics;
    TRY(api_query(ctx, call, "topics", &topics));
    TRY(topics_read(ctx, topics, &c));
    TRY(events_last(ctx, &c.newest));
    struct client *kept = keep_texts(&c, ctx->arena) ? arena_new(ctx->arena, struct client, 1) : NULL;
    if (!kept) return FAIL_MEMORY(ctx);
    *kept = c;
    *ret = (struct api_answer){.state = kept, .type = "text/event-stream", .join = join};
    return OK;
}

/* ---- life ---- */

enum err hub_create(struct api *api, struct hub **ret) {
    struct hub *hub = calloc(1, sizeof *hub);
    if (!hub) return ERR_INTERNAL;
    hub->api = api;
    arena_init(&hub->arena, RUN_BYTES);
    arena_init(&hub->scratch, RUN_BYTES);
    const struct sse_hub_options options = {.loop = api->o.loop,
                                            .clients_max = API_EVENT_CLIENTS,
                                            .check_ms = api->o.recheck_ms > 0 ? api->o.recheck_ms : CHECK_MS,
                                            .read = on_read,
                                            .check = on_check,
                                            .told = on_told,
                                            .gone = on_gone,
                                            .arg = hub};
    enum err e = sse_hub_create(&options, &hub->sse);
    if (e) {
        free(hub);
        return e;
    }
    *ret = hub;
    return OK;
}

void api_events_wake(struct api *api) {
    sse_hub_wake(api->hub->sse);
}

size_t hub_clients(const struct hub *hub) {
    return sse_hub_clients(hub->sse);
}

bool hub_is_busy(const struct hub *hub) {
    return sse_hub_is_busy(hub->sse);
}

void hub_close(struct hub *hub) {
    sse_hub_close(hub->sse);
}

void hub_destroy(struct hub *hub) {
    if (!hub) return;
    sse_hub_destroy(hub->sse);
    arena_finish(&hub->arena);
    arena_finish(&hub->scratch);
    free(hub);
}
