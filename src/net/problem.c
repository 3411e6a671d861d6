/* Problems and their traces.  SPDX-License-Identifier: Apache-2.0 */
#include "net/problem.h"

#include "base/json.h"

#include <string.h>

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

struct str problem_text(struct buf *b, const struct fault *f, struct str trace) {
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

size_t problem_headers(const struct fault *f, struct str allow, char wait[24],
                       struct http_header ret[PROBLEM_HEADERS]) {
    int status = problem_status(f);
    size_t n = 0;
    if (status == 401) ret[n++] = (struct http_header){S("WWW-Authenticate"), S("Bearer")};
    if (status == 405 && allow.len) ret[n++] = (struct http_header){S("Allow"), allow};
    if (err_retry(f->kind)) {
        struct buf b;
        buf_init(&b, wait, 24);
        buf_i64(&b, f->retry_after_s > 0 ? f->retry_after_s : 1);
        ret[n++] = (struct http_header){S("Retry-After"), {wait, b.len}};
    }
    return n;
}

void problem_trace(const struct http_request *req, const struct world *world, char ret[65]) {
    struct str given = http_trace_get(req);
    uint8_t random[16];
    struct buf b;
    buf_init(&b, ret, 65);
    buf_str(&b, given);
    world->random(world->self, random, sizeof random);
    for (size_t i = 0; i < sizeof random && !given.len; i++) buf_fmt(&b, "%02x", random[i]);
}
