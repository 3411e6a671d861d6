/* A live tail: readings of devices as they become durable, over server-sent events.  SPDX-License-Identifier:
 * Apache-2.0
 */
#include "platform/telemetry/http_internal.h"

#include "kernel/rows.h"
#include "net/sse.h"
#include "net/sse_hub.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX  200
#define DEVICES_MAX  50
#define SERIES_MAX   1000 /* of a client */
#define RING         32768
#define PAGE         4096
#define OUT_MAX      ((size_t)160 * 1024) /* of one client and run; under the socket's queue */
#define POINT_MAX    512
#define CHECK_MS     10000
#define CLIENT_BYTES ((size_t)4 << 20)
#define RUN_BYTES    ((size_t)64 << 20)

struct followed {
    uint32_t number;
    struct str device, metric;
};
struct client {
    struct sse_client sse; /* first */
    struct arena arena;    /* what is pointed to */
    struct tail *tail;
    const struct api_options *api;
    int64_t community_id;
    struct str token, devices[DEVICES_MAX], metric; /* metric absent: all of theirs */
    size_t devices_n;
    struct followed *series; /* by number */
    size_t series_n;
};

/* Readings that anybody follows, the newest RING of them: number `base` + 1 is the first ever, `made` how many. */
struct tail {
    struct telemetry *telemetry;
    const struct api_options *api;
    struct sse_hub *hub;
    pthread_mutex_t lock; /* over the next five */
    struct telemetry_stored *ring;
    uint64_t made;
    int64_t base;
    uint16_t *followers; /* of each series */
    size_t followers_n;
    _Atomic size_t clients;
    struct arena arena; /* of the run under way */
    struct telemetry_stored page[PAGE];
};

static struct client *client_of(struct sse_client *c) {
    return (struct client *)c;
}

/* ---- from the writer ---- */

/* A reading that nobody follows costs a look; while there is no client, a batch does. */
static void on_stored(void *arg, const struct telemetry_stored *points, size_t n) {
    struct tail *tail = arg;
    uint64_t before;
    if (!atomic_load_explicit(&tail->clients, memory_order_relaxed)) return;
    pthread_mutex_lock(&tail->lock);
    before = tail->made;
    for (size_t i = 0; i < n; i++)
        if (points[i].series < tail->followers_n && tail->followers[points[i].series])
            tail->ring[tail->made++ % RING] = points[i];
    bool some = tail->made > before;
    pthread_mutex_unlock(&tail->lock);
    if (some) sse_hub_wake(tail->hub);
}

/* Under the lock.  One follower more (1) or less (-1) of each; false: out of memory, and nothing is changed. */
static bool follow(struct tail *tail, const struct client *c, int more) {
    size_t need = c->series_n ? c->series[c->series_n - 1].number + (size_t)1 : 0;
    if (need > tail->followers_n) {
        uint16_t *grown = realloc(tail->followers, need * 2 * sizeof *grown);
        if (!grown) return false;
        memset(grown + tail->followers_n, 0, (need * 2 - tail->followers_n) * sizeof *grown);
        tail->followers = grown;
        tail->followers_n = need * 2;
    }
    for (size_t i = 0; i < c->series_n; i++)
        tail->followers[c->series[i].number] = (uint16_t)(tail->followers[c->series[i].number] + more);
    return true;
}

/* ---- who may be told what ---- */

static int by_number(const void *a, const void *b) {
    const struct followed *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static enum err add_device(struct ctx *ctx, struct client *c, struct str code) {
    struct device d = {0};
    struct telemetry_series *all;
    bool has_row;
    size_t n = 0;
    TRY(http_may_read(ctx, c->community_id, code, &d, &has_row));
    if (!has_row) d.row.community_id = c->community_id;
    TRY(telemetry_latest(c->tail->telemetry, c->community_id, &code, 1, c->metric, ctx->arena, &all, &n, &ctx->fault));
    for (size_t i = 0; i < n; i++) {
        bool sees;
        TRY(http_sees(ctx, &d, &all[i], &sees));
        if (!sees) continue;
        if (c->series_n == SERIES_MAX) return FAIL_FIELD(&ctx->fault, "device", "too_many", SERIES_MAX);
        c->series[c->series_n++] = (struct followed){all[i].number, all[i].device, all[i].metric};
    }
    return OK;
}

/* Everything in ctx->arena. */
static enum err find_series(struct ctx *ctx, struct client *c) {
    c->series = arena_new(ctx->arena, struct followed, SERIES_MAX);
    c->series_n = 0;
    if (!c->series || !arena_str(ctx->arena, c->token, &c->token) || !arena_str(ctx->arena, c->metric, &c->metric))
        return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < c->devices_n; i++) {
        if (!arena_str(ctx->arena, c->devices[i], &c->devices[i])) return FAIL_MEMORY(ctx);
        TRY(add_device(ctx, c, c->devices[i]));
    }
    qsort(c->series, c->series_n, sizeof *c->series, by_number);
    return OK;
}

/* ---- runs, on a worker ---- */

/* Gives how many were copied, SIZE_MAX where some after `after` are gone; *ret_newest the newest number. */
static size_t copy_page(struct tail *tail, int64_t after, int64_t *ret_newest) {
    size_t n = SIZE_MAX;
    pthread_mutex_lock(&tail->lock);
    uint64_t oldest = tail->made > RING ? tail->made - RING : 0;
    *ret_newest = tail->base + (int64_t)tail->made;
    if (after >= tail->base + (int64_t)oldest && after <= *ret_newest) {
        uint64_t first = (uint64_t)(after - tail->base);
        n = tail->made - first < PAGE ? (size_t)(tail->made - first) : PAGE;
        for (size_t i = 0; i < n; i++) tail->page[i] = tail->ring[(first + i) % RING];
    }
    pthread_mutex_unlock(&tail->lock);
    return n;
}

static void put_point(struct jw *j, const struct followed *s, const struct telemetry_stored *p) {
    jw_open(j, '{');
    jw_kstr(j, "device", s->device);
    jw_kstr(j, "metric", s->metric);
    jw_ki64(j, "at_ms", p->at_ms);
    jw_key(j, "value");
    jw_f64(j, p->value);
    jw_ki64(j, "quality", p->quality);
    jw_close(j, '}');
}

/* The client's part of the page, and how far that is. */
static bool serve(struct tail *tail, struct client *c, size_t n, int64_t after) {
    struct buf data, out;
    struct jw j;
    struct str text;
    char number[24];
    size_t i = 0, points = 0;
    buf_init_arena(&data, &tail->arena, OUT_MAX + POINT_MAX);
    jw_init(&j, &data);
    jw_open(&j, '[');
    for (; i < n && data.len < OUT_MAX - POINT_MAX; i++) {
        const struct followed key = {.number = tail->page[i].series}, *s = NULL;
        if (after + (int64_t)i + 1 > c->sse.last) s = bsearch(&key, c->series, c->series_n, sizeof key, by_number);
        if (s) put_point(&j, s, &tail->page[i]);
        points += s != NULL;
    }
    jw_close(&j, ']');
    if (!buf_done(&data, &text)) return false;
    if (after + (int64_t)i > c->sse.last) c->sse.last = after + (int64_t)i;
    if (!points) return true;
    snprintf(number, sizeof number, "%" PRId64, c->sse.last);
    buf_init_arena(&out, &tail->arena, OUT_MAX + 2 * POINT_MAX);
    sse_event(&out, str_of(number), S("readings"), text);
    return buf_done(&out, &c->sse.text);
}

/* The client reads anew what came meanwhile, and goes on from the newest. */
static void tell_missed(struct sse_run *run) {
    for (struct sse_client *c = run->clients; c; c = c->next_in_run) {
        c->text = S("event: missed\ndata: {}\n\n");
        c->last = run->read_to;
    }
}

static bool on_read(void *arg, struct sse_run *run) {
    struct tail *tail = arg;
    int64_t newest;
    bool fits = true;
    size_t n = copy_page(tail, run->after, &newest);
    if (n == SIZE_MAX) {
        run->read_to = newest;
        tell_missed(run);
        return true;
    }
    run->read_to = run->after + (int64_t)n;
    run->more = run->read_to < newest;
    for (struct sse_client *c = run->clients; c; c = c->next_in_run) fits &= serve(tail, client_of(c), n, run->after);
    return fits;
}

/* The log-in, the rights, and series that are new, are looked at again.  The store does not answer: later. */
static enum err check(struct ctx *ctx, struct tail *tail, struct client *c) {
    struct client now = *c;
    struct arena fresh;
    struct api_identity who;
    arena_init(&fresh, CLIENT_BYTES);
    ctx->arena = &fresh;
    ctx->actor = (struct actor){0};
    ctx->rights_cache = NULL;
    enum err e = api_identify(ctx, c->token, &who);
    if (!e && who.is_known) e = find_series(ctx, &now);
    c->sse.is_over = (!e && !who.is_known) || e == ERR_UNAUTHENTICATED || e == ERR_DENIED || e == ERR_NOT_FOUND ||
                     e == ERR_INVALID; /* it may follow no more, or not so much: coming again tells it why */
    if (!e && !c->sse.is_over) {
        pthread_mutex_lock(&tail->lock);
        if (follow(tail, &now, 1)) {
            (void)follow(tail, c, -1);
            now.arena = fresh;
            fresh = c->arena;
            *c = now;
        }
        pthread_mutex_unlock(&tail->lock);
    }
    arena_finish(&fresh);
    return c->sse.is_over ? OK : e;
}

static bool on_check(void *arg, struct sse_run *run) {
    struct tail *tail = arg;
    struct ctx ctx = {
        .kernel = tail->api->kernel, .arena = &tail->arena, .world = tail->api->world, .trace = S("tail")};
    ctx_begin(&ctx);
    enum err e = db_pool_take(tail->api->pool, &ctx.db, &ctx.fault);
    bool has_store = !e;
    for (struct sse_client *c = run->clients; c && has_store; c = c->next_in_run) {
        enum err one = check(&ctx, tail, client_of(c)); /* whatever comes of it, the others are looked at */
        if (one) e = one;
        ctx.fault = (struct fault){0};
    }
    if (ctx.db) db_pool_give(tail->api->pool, ctx.db);
    return !e;
}

static void on_told(void *arg) {
    arena_reset(&((struct tail *)arg)->arena);
}

static void on_gone(void *arg, struct sse_client *sse) {
    struct tail *tail = arg;
    struct client *c = client_of(sse);
    pthread_mutex_lock(&tail->lock);
    (void)follow(tail, c, -1);
    pthread_mutex_unlock(&tail->lock);
    atomic_fetch_sub(&tail->clients, 1);
    arena_finish(&c->arena);
    free(c);
}

/* ---- the first client brings the hub ---- */

static bool open_hub(struct tail *tail, const struct api_options *api) {
    const struct sse_hub_options o = {.loop = api->loop,
                                      .clients_max = CLIENTS_MAX,
                                      .check_ms = api->recheck_ms > 0 ? api->recheck_ms : CHECK_MS,
                                      .read = on_read,
                                      .check = on_check,
                                      .told = on_told,
                                      .gone = on_gone,
                                      .arg = tail};
    if (tail->hub) return true;
    tail->api = api;
    tail->ring = malloc(RING * sizeof *tail->ring);
    if (!tail->ring || sse_hub_create(&o, &tail->hub)) return false;
    tail->base = api->world->utc_ms(api->world->self) << 16; /* above all numbers of the run before */
    arena_init(&tail->arena, RUN_BYTES);
    telemetry_tap(tail->telemetry, on_stored, tail);
    return true;
}

/* Who comes again may have missed what nobody followed meanwhile. */
static bool join(void *state, const struct http_request *req, const struct http_header *headers, size_t headers_n,
                 struct arena *arena) {
    struct client *c = malloc(sizeof *c);
    struct tail *tail = ((struct client *)state)->tail;
    if (!c || !open_hub(tail, ((struct client *)state)->api)) {
        free(c);
        return false;
    }
    *c = *(struct client *)state;
    pthread_mutex_lock(&tail->lock);
    bool ok = follow(tail, c, 1);
    int64_t newest = tail->base + (int64_t)tail->made;
    pthread_mutex_unlock(&tail->lock);
    if (ok && sse_hub_begin(tail->hub, &c->sse, req, headers, headers_n, newest)) {
        if (http_header_get(req, "last-event-id").len) c->sse.last = -1;
        atomic_fetch_add(&tail->clients, 1);
        c->arena = *arena;
        *arena = (struct arena){0};
        return true;
    }
    pthread_mutex_lock(&tail->lock);
    if (ok) (void)follow(tail, c, -1);
    pthread_mutex_unlock(&tail->lock);
    free(c);
    return false;
}

enum err http_tail(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct telemetry_http *h = call->arg;
    struct client *c = arena_new(ctx->arena, struct client, 1);
    struct str names;
    if (!c) return FAIL_MEMORY(ctx);
    c->tail = h->tail;
    c->api = api_running(call).options;
    c->token = call->token;
    TRY(http_need(ctx, call, "device", &names));
    TRY(api_query(ctx, call, "metric", &c->metric));
    TRY(http_community(ctx, call, &c->community_id));
    for (struct str code; str_cut(&names, ',', &code);) {
        if (c->devices_n == DEVICES_MAX) return FAIL_FIELD(&ctx->fault, "device", "too_many", DEVICES_MAX);
        c->devices[c->devices_n++] = code;
    }
    TRY(find_series(ctx, c));
    *ret = (struct api_answer){.state = c, .type = "text/event-stream", .join = join};
    return OK;
}

/* ---- life ---- */

struct tail *tail_create(struct telemetry *t) {
    struct tail *tail = calloc(1, sizeof *tail);
    if (!tail) return NULL;
    tail->telemetry = t;
    pthread_mutex_init(&tail->lock, NULL);
    return tail;
}

static bool is_busy(void *arg) {
    return sse_hub_is_busy(((struct tail *)arg)->hub);
}

void tail_stop(struct tail *tail) {
    if (!tail->hub) return;
    telemetry_tap(tail->telemetry, NULL, NULL);
    sse_hub_close(tail->hub);
    loop_turn_while(tail->api->loop, is_busy, tail);
}

void tail_destroy(struct tail *tail) {
    if (!tail) return;
    if (tail->hub) arena_finish(&tail->arena);
    sse_hub_destroy(tail->hub);
    pthread_mutex_destroy(&tail->lock);
    free(tail->followers);
    free(tail->ring);
    free(tail);
}
