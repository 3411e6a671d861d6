/* Answers on their way out: problems, headers, traces, figures, the log line of a failure.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "net/static.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- problems (RFC 9457) ---- */

static const struct {
    int status;
    const char *title;
} titles[] = {{400, "Bad request"},        {401, "Not signed in"},     {403, "Not allowed"},   {404, "Not found"},
              {405, "Method not allowed"}, {409, "Conflict"},          {412, "Stale version"}, {413, "Too large"},
              {415, "Unsupported type"},   {429, "Too many attempts"}, {500, "Our fault"},     {503, "Busy"}};

/* Two statuses have no kind of error of their own. */
int problem_status(const struct fault *f) {
    if (!strcmp(f->code, "unsupported_type")) return 415;
    if (!strcmp(f->code, "wrong_method")) return 405;
    return err_http(f->kind);
}

static void put_fields(struct jw *j, const struct fault *f) {
    for (size_t i = 0; i < f->fields_n; i++) {
        const struct field_error *e = &f->fields[i];
        jw_put(j, "{'field':$,'code':$,'args':{", JV(J_CSTR(e->field), J_CSTR(e->code)));
        if (e->limit || !strncmp(e->code, "too_", 4)) jw_ki64(j, "limit", e->limit);
        jw_put(j, "}}", NO_JV);
    }
}

static struct str problem_text(struct buf *b, const struct fault *f, struct str trace) {
    int status = problem_status(f);
    const char *title = "Failed";
    struct jw j;
    struct str text;
    for (size_t i = 0; i < COUNT(titles); i++)
        if (titles[i].status == status) title = titles[i].title;
    jw_init(&j, b);
    jw_put(&j, "{'type':'about:blank','title':$,'status':$,'code':$,'detail':$,'errors':[",
           JV(J_CSTR(title), J_I64(status), J_CSTR(f->code[0] ? f->code : err_name(f->kind)),
              J_CSTR(f->text[0]    ? f->text
                     : f->fields_n ? "the input breaks the rules of its fields"
                                   : title)));
    put_fields(&j, f);
    jw_put(&j, "],'trace':$}", JV(J_STR(trace)));
    return buf_done(b, &text) ? text : S("{\"type\":\"about:blank\",\"title\":\"Failed\",\"status\":500}");
}

void problem_fill(struct api_unit *u, const struct fault *f) {
    struct buf b;
    buf_init(&b, u->problem, sizeof u->problem);
    struct str text = problem_text(&b, f, str_of(u->trace));
    u->answer = (struct api_answer){
        .status = problem_status(f), .type = "application/problem+json", .body = {(const uint8_t *)text.ptr, text.len}};
    if (u->answer.status == 401)
        u->answer.headers[u->answer.headers_n++] = (struct http_header){S("WWW-Authenticate"), S("Bearer")};
    if (u->answer.status == 405 && u->target.allow[0])
        u->answer.headers[u->answer.headers_n++] = (struct http_header){S("Allow"), str_of(u->target.allow)};
    if (err_retry(f->kind)) {
        struct buf wait;
        struct str value;
        buf_init(&wait, u->wait, sizeof u->wait);
        buf_i64(&wait, f->retry_after_s > 0 ? f->retry_after_s : 1);
        if (buf_done(&wait, &value))
            u->answer.headers[u->answer.headers_n++] = (struct http_header){S("Retry-After"), value};
    }
}

/* ---- headers ---- */

static void header_add(struct api_unit *u, size_t *n, const char *name, struct str value) {
    for (size_t i = 0; i < *n; i++)
        if (u->headers[i].name.len == strlen(name) && !strncasecmp(u->headers[i].name.ptr, name, strlen(name))) return;
    if (*n < COUNT(u->headers)) u->headers[(*n)++] = (struct http_header){str_of(name), value};
}

size_t unit_headers(struct api_unit *u, const struct api_answer *a) {
    size_t n = 0;
    for (size_t i = 0; i < a->headers_n && i < COUNT(a->headers); i++) u->headers[n++] = a->headers[i];
    if (a->body.len || a->type) header_add(u, &n, "Content-Type", str_of(a->type ? a->type : "application/json"));
    header_add(u, &n, "Cache-Control", S("no-store"));
    header_add(u, &n, "X-Request-Id", str_of(u->trace));
    for (size_t i = 0; i < STATIC_SECURITY_HEADERS && n < COUNT(u->headers); i++) u->headers[n++] = static_security[i];
    return n;
}

enum err answer_header(struct ctx *ctx, struct api_answer *a, const char *name, const char *fmt, ...) {
    struct buf b;
    va_list args;
    if (a->headers_n == COUNT(a->headers))
        return FAIL(&ctx->fault, ERR_INTERNAL, "headers", "an answer has too many headers");
    buf_init_arena(&b, ctx->arena, 2048);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    struct http_header *h = &a->headers[a->headers_n];
    if (!buf_done(&b, &h->value)) return FAIL_MEMORY(ctx);
    h->name = str_of(name);
    a->headers_n++;
    return OK;
}

enum err answer_tag(struct ctx *ctx, const struct http_request *req, struct str tag, struct api_answer *a) {
    TRY(answer_header(ctx, a, "ETag", "\"" STR_FMT "\"", STR_ARG(tag)));
    if (http_tag_is_known(req, a->headers[a->headers_n - 1].value)) a->status = 304;
    return answer_header(ctx, a, "Cache-Control", "private, no-cache");
}

void api_text_open(struct api_text *b, struct ctx *ctx) {
    buf_init_arena(&b->buf, ctx->arena, ANSWER_MAX);
    jw_init(&b->j, &b->buf);
}

enum err api_text_close(struct api_text *b, struct ctx *ctx, struct api_answer *ret) {
    struct str text;
    if (!buf_done(&b->buf, &text)) return FAIL_MEMORY(ctx);
    ret->body = (struct bytes){(const uint8_t *)text.ptr, text.len};
    return OK;
}

/* ---- sending and counting ---- */

void unit_count(struct api_unit *u, int status) {
    struct counters *c = &u->api->counters;
    const struct world *w = u->api->o.world;
    durations_add(&c->took, w->mono_us(w->self) - u->started_us);
    atomic_fetch_add(&c->status[status / 100 % 6], 1);
}

void api_put_figures(const struct api_call *call, struct buf *ret) {
    const struct api *api = call->unit->api;
    const struct counters *c = &api->counters;
    const struct figure figures[] = {
        {"http_under_way", "gauge", atomic_load(&c->under_way), "Requests under way."},
        {"event_clients", "gauge", (int64_t)hub_clients(api->hub), "Open event streams."},
        {"event_writes_total", "counter", atomic_load(&c->events_sent), "Pieces written to event streams."},
        {"events_delivered_total", "counter", atomic_load(&c->events_delivered), "Events delivered by this process."},
        {"timers_total", "counter", atomic_load(&c->timers_run), "Timers of rows run."},
        {"jobs_total", "counter", atomic_load(&c->jobs_run), "Jobs run."},
        {"store_statements_total", "counter", db_statements(call->unit->ctx.db),
         "Statements of this connection to the store."},
    };
    buf_cstr(ret, "# HELP linli_http_requests_total Answers by class of status.\n"
                  "# TYPE linli_http_requests_total counter\n");
    for (int i = 2; i < 6; i++)
        buf_fmt(ret, "linli_http_requests_total{status=\"%dxx\"} %lld\n", i, (long long)atomic_load(&c->status[i]));
    prometheus_durations(ret, "linli_http_seconds", "Time from the whole request to its answer.", &c->took);
    prometheus_figures(ret, "linli_", figures, COUNT(figures));
}

void unit_send(struct api_unit *u) {
    struct api_answer *a = &u->answer;
    if (!a->status) a->status = a->body.len ? 200 : 204;
    size_t n = unit_headers(u, a);
    unit_count(u, a->status);
    http_respond(u->req,
                 &(struct http_answer){.status = a->status, .headers = u->headers, .headers_n = n, .body = a->body});
}

void log_failure(const struct api *api, struct str trace, const char *event, const struct fault *f,
                 const char *detail) {
    if (!api->o.log) return;
    LOG(api->o.log, LOG_ERROR, trace, event, LOG_TEXT("kind", str_of(err_name(f->kind))),
        LOG_TEXT("code", str_of(f->code)), LOG_TEXT("text", str_of(f->text)),
        LOG_TEXT("file", str_of(f->file ? f->file : "")), LOG_NUM("line", f->line),
        LOG_TEXT("detail", str_of(detail ? detail : "")));
}

/* ---- traces ---- */

/* The caller's own, or a new one. */
void trace_make(const struct api *api, const struct http_request *req, char ret[65]) {
    struct str given = http_trace_get(req);
    uint8_t random[16];
    struct buf b;
    buf_init(&b, ret, 65);
    buf_str(&b, given);
    api->o.world->random(api->o.world->self, random, sizeof random);
    for (size_t i = 0; i < sizeof random && !given.len; i++) buf_fmt(&b, "%02x", random[i]);
}
