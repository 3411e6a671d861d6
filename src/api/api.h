/* What the outside may ask: rows, events, files, and the routes that modules bring.  Requests arrive on the loop
 * thread, units of work run on workers.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_API_API_H
#define LINLI_API_API_H

#include "base/json.h"
#include "base/log.h"
#include "base/prometheus.h"
#include "kernel/kernel.h"
#include "net/http.h"

#define API_COOKIE        "linli_session" /* the cookie that holds a token */
#define API_ARGS_MAX      4
#define API_BODY_MAX      ((size_t)1024 * 1024)
#define API_UNITS_MAX     1024 /* requests under way; more are answered 503 */
#define API_UNIT_BYTES    ((size_t)16 * 1024 * 1024)
#define API_EVENT_CLIENTS 2000

struct api;
struct api_unit;

/* ---- who asks: contributed by whoever keeps credentials ---- */
struct api_identity {
    bool is_known;   /* false with OK: not a token of mine */
    struct str user; /* log-in name; lives in the ctx's arena, like ctx->actor */
};
struct api_authenticator {
    const char *name;
    /* Fills ctx->actor (kernel: actor_scopes) and *ret, if the token is one of its own and valid. */
    enum err (*identify)(struct ctx *ctx, struct str token, struct api_identity *ret);
    /* Topics with blanks between whose event, about the row of a user, may mean that he is logged out; and
     * "RESOURCE.COLUMN", rows that give a person his roles.  His log-in and rights are read again before his event
     * streams are told that event and what follows.  NULL: none. */
    const char *ends, *roles;
};
extern const struct point authenticators;
/* Fills ctx->actor by who the token is of; not known: nobody. */
NODISCARD enum err api_identify(struct ctx *ctx, struct str token, struct api_identity *ret);

/* ---- routes made by hand ---- */
struct api_call {
    const struct http_request *req;
    struct str args[API_ARGS_MAX]; /* what the {…} of the pattern held, in order */
    struct str user, token;        /* of the caller; absent on public routes without credentials */
    void *arg;                     /* of the api_with that brought the route; NULL for contributed ones */
    struct api_unit *unit;         /* for the functions below */
};
struct api_answer {
    int status;       /* 0: 200, or 204 without a body */
    const char *type; /* of the body; NULL: application/json */
    struct bytes body;
    struct http_header headers[6]; /* beside the ones every answer carries */
    size_t headers_n;
    bool later;   /* set by api_defer */
    bool is_once; /* not kept for an Idempotency-Key: a repetition acts and is logged anew */
    /* Instead of body: called on a worker until *ret_more is false, each time with a fresh ctx (same actor) whose arena
     * lasts for the piece; what it adds to `ret` (at most 4 MiB) is streamed.  `state` lives in the call's arena. */
    enum err (*next)(struct ctx *ctx, void *state, struct buf *ret, bool *ret_more);
    /* Instead of body: joins a hub, on the loop's thread; may take the arena, which holds `state`, and leave zero. */
    bool (*join)(void *state, const struct http_request *req, const struct http_header *headers, size_t headers_n,
                 struct arena *arena); /* false: no room, 503 */
    void *state;
};
enum api_route_flag {
    API_PUBLIC = 1 << 0,  /* no log-in needed; with credentials the actor is filled all the same */
    API_DEFERS = 1 << 1,  /* may answer later; Idempotency-Key is then its own business */
    API_NO_STORE = 1 << 2 /* needs no connection to the store: ctx->db is NULL (then API_PUBLIC too) */
};
struct api_route {
    const char *method;  /* "GET" */
    const char *pattern; /* "/api/v1/things/{id}/commands" */
    uint32_t flags;
    size_t body_max; /* 0: API_BODY_MAX */
    /* On a worker, with a connection in ctx->db and ctx->arena living until the answer is sent.  With an
     * Idempotency-Key it runs inside one write transaction. */
    enum err (*handle)(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
    const char *about; /* a sentence for OpenAPI */
};
extern const struct point routes;

/* The body as JSON, parsed once; freed with the unit.  415 (code unsupported_type) unless it is application/json. */
NODISCARD enum err api_body(struct ctx *ctx, const struct api_call *call, json_t **ret);
/* A body under way: text, JSON through `j`. */
struct api_text {
    struct buf buf;
    struct jw j;
};
void api_text_open(struct api_text *b, struct ctx *ctx);
NODISCARD enum err api_text_close(struct api_text *b, struct ctx *ctx, struct api_answer *ret);
/* The row and its ETag, as the resource's own addresses answer. */
NODISCARD enum err api_row(struct ctx *ctx, const struct resource *r, const void *row, struct api_answer *ret);
/* Query parameter, decoded; absent when it is not there; a broken one is a field error. */
NODISCARD enum err api_query(struct ctx *ctx, const struct api_call *call, const char *name, struct str *ret);
/* Lets a handler of an API_DEFERS route return before its answer is known: the request and arena (which from now on is
 * the caller's alone) live until api_finish, which is called exactly once, from any thread, even from within the
 * handler.  ctx and its connection end with the handler. */
struct api_unit *api_defer(const struct api_call *call, struct api_answer *ret);
/* fault NULL: answer (copied, its slices live until here); else problem+json. */
void api_finish(struct api_unit *unit, const struct api_answer *answer, const struct fault *fault);

/* ---- what runs (an engine), bound to its routes when the api is made ---- */
struct api_with {
    const struct api_route *routes;
    size_t routes_n;
    const char *name;
    bool (*is_ready)(void *arg, struct buf *ret_why); /* NULL: always */
    void (*put_figures)(void *arg, struct buf *ret);  /* Prometheus text, whole lines; NULL: none */
    void *arg;
};
extern const struct api_with api_own; /* descriptions, events, files: the api's own */

struct api_options { /* everything is kept */
    const struct kernel *kernel;
    struct db_pool *pool;
    struct loop *loop;
    const struct world *world;
    const struct log *log; /* NULL: silent */
    const char *version;
    int64_t recheck_ms; /* how often the log-in behind an event stream is looked at again; 0: 45 s */
    const struct api_with *with;
    size_t with_n;
};
/* What runs, for whoever watches it. */
struct api_counters {
    _Atomic int64_t status[6]; /* by hundred */
    struct durations took;
    _Atomic int64_t under_way;
    _Atomic int64_t events_sent, events_delivered, timers_run, jobs_run;
};
struct api_running {
    const struct api_options *options;
    const struct api_counters *counters;
    size_t event_clients;
};
struct api_running api_running(const struct api_call *call);
/* Loop thread.  ERR_INTERNAL: a bad pattern, two routes alike, no memory. */
NODISCARD enum err api_create(const struct api_options *options, struct api **ret, struct fault *f);
/* Loop thread, after http_server_close.  Ends event streams and the pump; waits (running the loop) for units under way.
 * Deferred answers must have been finished.  NULL is fine. */
void api_destroy(struct api *api);

bool api_owns(const struct api *api, struct str path);          /* is the path the api's to answer? */
size_t api_body_cap(void *api, const struct http_request *req); /* http_options.body_cap */
void api_handle(void *api, const struct http_request *req);     /* http_handler */
void api_wake(void *api);                                       /* kernel_options.wake; any thread */
NODISCARD enum err api_start(struct api *api);                  /* delivery, timers, jobs; loop thread */
/* The same two without a loop that runs, on the caller's thread.  `told` gets the one answer before the return, with
 * slices that live as long as the call; streams and routes that answer later are refused.  False: nothing was due. */
void api_handle_now(struct api *api, const struct http_request *req,
                    void (*told)(void *arg, const struct api_answer *answer), void *arg);
bool api_run_now(struct api *api);
void api_events_wake(struct api *api); /* events were delivered; any thread */

/* ---- what `linli describe` prints ---- */
NODISCARD enum err describe_json(struct ctx *ctx, struct str user, const char *version, struct buf *ret);
/* The resources, the routes contributed and those of `with`. */
NODISCARD enum err describe_openapi(const struct kernel *k, const char *version, const struct api_with *with,
                                    size_t with_n, struct buf *ret, struct fault *f);

#endif
