/* What the api's own files share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_API_API_INTERNAL_H
#define LINLI_API_API_INTERNAL_H

#include "api/api.h"
#include "kernel/rows.h"
#include "net/http_ask.h"
#include "net/problem.h"

#include <stdatomic.h>

#define ROUTES_MAX     256
#define ANSWER_MAX     ((size_t)12 * 1024 * 1024) /* bytes of one answer */
#define API_FILE_BYTES ((size_t)20 * 1024 * 1024)

struct bound_route {
    const struct api_route *route;
    const struct rest_route *rest; /* NULL: made by hand */
    void *arg;
};
struct hub;
struct pump;
struct api {
    struct api_options o;
    struct bound_route routes[ROUTES_MAX];
    size_t routes_n;
    struct api_counters counters;
    struct arena_pool arenas;
    struct hub *hub;
    struct pump *pump;
};

/* What every resource answers to, in a transaction, and what OpenAPI says of it. */
enum rest_names { REST_ROWS, REST_ROW, REST_STEP, REST_FILE }; /* by its address */
struct rest_route {
    enum rest_names names;
    struct api_route route; /* {resource} and {step} stand for names, {step} in `operation`, too */
    struct {
        const char *id, *takes;            /* takes: parameters of the address and headers */
        const char *body, *status, *gives; /* schemas, the resource's or with a capital shared ones; NULL: no JSON */
        bool archives;                     /* not where rows are never archived */
    } operation;
};
extern const struct rest_route rest_routes[];
extern const size_t rest_routes_n;

/* Where a request goes. */
struct target {
    const struct bound_route *bound;
    const struct resource *r; /* these four of a resource's own routes */
    int64_t id, file_id;
    const char *step;
    struct str args[API_ARGS_MAX];
    char allow[64]; /* methods the path knows, when none fits */
};
/* False: nothing there, or (allow set) not with this method. */
bool target_find(const struct api *api, const struct http_request *req, struct target *ret);
const char *step_named(const struct resource *r, struct str name); /* NULL: none */
/* The row that the address names. */
NODISCARD enum err target_row(struct ctx *ctx, const struct target *t, void **ret);
NODISCARD enum err routes_collect(struct api *api, struct fault *f);

/* One request. */
struct api_unit {
    struct api *api;
    const struct http_request *req;
    struct target target;
    struct api_call call;
    struct ctx ctx;
    struct arena arena;
    struct api_answer answer;
    char trace[65], wait[24], problem[8192]; /* these three even where the arena is full */
    int64_t started_us;
    json_t *json;
    struct loop_task task;
    struct str first; /* of a stream: its first piece, in `piece` */
    bool more;
    struct arena piece;
    _Atomic int holds; /* the worker, and whoever answers later */
    struct http_header headers[16];
};

/* ---- answers ---- */
void problem_fill(struct api_unit *u, const struct fault *f); /* u->answer becomes the problem */
void unit_send(struct api_unit *u);                           /* with u->answer; does not free */
void unit_release(struct api_unit *u);                        /* one hold less; the last one sends and frees */
void unit_free(struct api_unit *u);
void unit_count(struct api_unit *u, int status);
size_t unit_headers(struct api_unit *u, const struct api_answer *a); /* fills u->headers */
/* Worker: the next piece of u->answer into u->piece.  Loop thread: begins the stream; takes the unit. */
NODISCARD enum err stream_next(struct api_unit *u, struct ctx *ctx);
void stream_begin(void *unit);
void stream_join(void *unit);
void log_failure(const struct api *api, struct str trace, const char *event, const struct fault *f, const char *detail);

NODISCARD enum err answer_header(struct ctx *ctx, struct api_answer *a, const char *name, const char *fmt, ...)
    PRINTF(4, 5);

#define HASH_SIZE 65                                                    /* in hex, and its end */
void hash_text(const struct str *parts, size_t n, char ret[HASH_SIZE]); /* of the parts one behind the other */
/* ETag for what may be kept by its reader alone; status 304 where he has it. */
NODISCARD enum err answer_tag(struct ctx *ctx, const struct http_request *req, struct str tag, struct api_answer *a);

/* ---- rest ---- */
/* Calls the unit's route in a transaction, a write with an Idempotency-Key only once. */
NODISCARD enum err once(struct ctx *ctx, const struct api_unit *u, struct api_answer *ret);
NODISCARD enum err list_parse(struct ctx *ctx, const struct resource *r, struct str query, struct list_query *ret,
                              bool *ret_csv);
NODISCARD enum err limit_parse(struct ctx *ctx, struct str value, int64_t max, size_t *ret);
NODISCARD enum err csv_answer(struct ctx *ctx, const struct resource *r, const struct list_query *q,
                              struct api_answer *ret);
NODISCARD enum err rest_history(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
/* Rows with everything a client needs; `many`: rows of a list, without their LINES. */
NODISCARD enum err rows_write(struct ctx *ctx, const struct resource *r, const void *rows, size_t n, bool many,
                              struct jw *j);
/* What one REF, REFS or FILE field of a page of rows refers to, sorted by id. */
struct refs {
    int64_t *ids;
    size_t n;
    struct str *labels; /* NULL for files */
    struct file_info *files;
};
NODISCARD enum err refs_read(struct ctx *ctx, const struct resource *r, const void *rows, size_t n, size_t field,
                             struct refs *ret);
struct str refs_label(const struct refs *c, int64_t id); /* absent where there is none to be seen */
NODISCARD enum err files_upload(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
NODISCARD enum err rest_file(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);

NODISCARD enum err openapi_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
NODISCARD enum err describe_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);

/* ---- events, pump ---- */
NODISCARD enum err hub_create(struct api *api, struct hub **ret);
void hub_destroy(struct hub *hub);
bool hub_is_busy(const struct hub *hub);
void hub_close(struct hub *hub); /* ends the streams */
size_t hub_clients(const struct hub *hub);
/* Worker: reads where the stream begins.  Loop: begins it; takes the unit. */
NODISCARD enum err hub_prepare(struct ctx *ctx, const struct api_call *call, struct api_answer *ret);
void pump_close(struct pump *pump);
bool pump_is_busy(const struct pump *pump);
void pump_destroy(struct pump *pump);

#endif
