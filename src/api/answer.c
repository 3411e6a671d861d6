/* Answers on their way out: problems, headers, traces, figures, the log line of a failure.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include "net/static.h"

#include <sodium.h>

void problem_fill(struct api_unit *u, const struct fault *f) {
    struct buf b;
    buf_init(&b, u->problem, sizeof u->problem);
    struct str text = problem_text(&b, f, str_of(u->trace));
    u->answer = (struct api_answer){
        .status = problem_status(f), .type = PROBLEM_TYPE, .body = {(const uint8_t *)text.ptr, text.len}};
    u->answer.headers_n = problem_headers(f, str_of(u->target.allow), u->wait, u->answer.headers);
}

/* ---- headers ---- */

static void header_add(struct api_unit *u, size_t *n, const char *name, struct str value) {
    for (size_t i = 0; i < *n; i++)
        if (str_is(u->headers[i].name, name)) return;
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

void hash_text(const struct str *parts, size_t n, char ret[HASH_SIZE]) {
    crypto_generichash_state h;
    uint8_t sum[(HASH_SIZE - 1) / 2];
    crypto_generichash_init(&h, NULL, 0, sizeof sum);
    for (size_t i = 0; i < n; i++)
        if (parts[i].len) crypto_generichash_update(&h, (const uint8_t *)parts[i].ptr, parts[i].len);
    crypto_generichash_final(&h, sum, sizeof sum);
    sodium_bin2hex(ret, HASH_SIZE, sum, sizeof sum);
}

enum err answer_tag(struct ctx *ctx, const struct http_request *req, struct str tag, struct api_answer *a) {
    TRY(answer_header(ctx, a, "ETag", "\"" STR_FMT "\"", STR_ARG(tag)));
    if (http_tag_is_known(req, a->headers[a->headers_n - 1].value)) {
        a->status = 304;
        a->body = (struct bytes){0};
    }
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
    struct api_counters *c = &u->api->counters;
    const struct world *w = u->api->o.world;
    durations_add(&c->took, w->mono_us(w->self) - u->started_us);
    atomic_fetch_add(&c->status[status / 100 % 6], 1);
}

void unit_send(struct api_unit *u) {
    struct api_answer *a = &u->answer;
    if (!a->status) a->status = a->body.len ? 200 : 204;
    size_t n = unit_headers(u, a);
    unit_count(u, a->status);
    http_respond(u->req,
                 &(struct http_answer){a->status, u->headers, n, .body = a->body, .is_stream_head = a->next != NULL});
}

void log_failure(const struct api *api, struct str trace, const char *event, const struct fault *f,
                 const char *detail) {
    if (!api->o.log) return;
    LOG(api->o.log, LOG_ERROR, trace, event, LOG_TEXT("kind", str_of(err_name(f->kind))),
        LOG_TEXT("code", str_of(f->code)), LOG_TEXT("text", str_of(f->text)),
        LOG_TEXT("file", str_of(f->file ? f->file : "")), LOG_NUM("line", f->line),
        LOG_TEXT("detail", str_of(detail ? detail : "")));
}
