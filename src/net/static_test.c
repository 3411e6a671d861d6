/* Files in memory and the client: coding, caching, security headers, keep-alive.  SPDX-License-Identifier: Apache-2.0
 */
#include "net/client.h"
#include "net/problem.h"
#include "net/static.h"
#include "net/testing.h"
#include "tests/lib/test.h"

struct fixture {
    struct test_loop tl;
    struct http_server *server;
    int port;
};

#define FILE_OF(p, tag, text)                         \
    {                                                 \
        p, tag, {                                     \
            (const uint8_t *)(text), sizeof(text) - 1 \
        }                                             \
    }
static const struct static_file files[] = {
    FILE_OF("index.html", "t1", "<p>plain</p>"),
    FILE_OF("index.html.br", "t2", "BR"),
    FILE_OF("index.html.gz", "t3", "GZ"),
    FILE_OF("assets/app-Bx3k_9Zq.js", "t4", "let a;"),
    FILE_OF("assets/app-Bx3k_9Zq.js.gz", "t5", "gz"),
    FILE_OF("assets/app-settings.js", "t6", "let b;"),
    FILE_OF("logo.svg", "t7", "<svg/>"),
    FILE_OF("data", "t8", "?"),
};

static bool find(void *arg, struct str path, struct static_file *ret) {
    (void)arg;
    for (size_t i = 0; i < COUNT(files); i++)
        if (str_is(path, files[i].path)) return *ret = files[i], true;
    return false;
}

static void handle(void *arg, const struct http_request *req) {
    (void)arg;
    if (!static_respond(req, str_from(req->path, 1), find, NULL))
        http_respond(req, &(struct http_answer){.status = 404});
}

static void start(struct t *t, struct fixture *f) {
    CHECK(t, !loop_create(&f->tl.loop));
    CHECK(t, !http_server_open(f->tl.loop, &(struct http_options){0}, handle, f, &f->server, &t->fault));
    f->port = http_server_port(f->server);
    test_loop_start(&f->tl);
}

static void close_server(void *arg) {
    struct fixture *f = arg;
    http_server_close(f->server);
}

#define WRONG_METHOD                                                                                                  \
    "{\"type\":\"about:blank\",\"title\":\"Method not allowed\",\"status\":405,\"code\":\"wrong_method\",\"detail\":" \
    "\"a page is asked for by GET or HEAD\",\"errors\":[],\"trace\":null}"
#define IMMUTABLE "public, max-age=31536000, immutable"
static const struct {
    const char *why, *method, *target, *accept, *if_none_match;
    int status;
    const char *body, *type, *coding, *etag, *caching;
} rows[] = {
    {"plain", "GET", "/index.html", NULL, NULL, 200, "<p>plain</p>", "text/html; charset=utf-8", NULL, "\"t1\"",
     "no-cache"},
    {"brotli first", "GET", "/index.html", "gzip, deflate, br", NULL, 200, "BR", "text/html; charset=utf-8", "br",
     "\"t2-br\"", "no-cache"},
    {"gzip only", "GET", "/index.html", "gzip", NULL, 200, "GZ", "text/html; charset=utf-8", "gzip", "\"t3-gzip\"",
     "no-cache"},
    {"brotli forbidden", "GET", "/index.html", "br;q=0, GZIP;q=0.5", NULL, 200, "GZ", "text/html; charset=utf-8",
     "gzip", "\"t3-gzip\"", "no-cache"},
    {"anything", "GET", "/index.html", "*", NULL, 200, "BR", "text/html; charset=utf-8", "br", "\"t2-br\"", "no-cache"},
    {"anything but", "GET", "/index.html", "br;q=0.0,*", NULL, 200, "GZ", "text/html; charset=utf-8", "gzip",
     "\"t3-gzip\"", "no-cache"},
    {"unknown coding", "GET", "/index.html", "zstd", NULL, 200, "<p>plain</p>", "text/html; charset=utf-8", NULL,
     "\"t1\"", "no-cache"},
    {"known tag", "GET", "/index.html", "br", "\"t2-br\"", 304, "", NULL, NULL, "\"t2-br\"", "no-cache"},
    {"known weak tag in a list", "GET", "/index.html", NULL, "\"x\", W/\"t1\"", 304, "", NULL, NULL, "\"t1\"",
     "no-cache"},
    {"any tag", "GET", "/logo.svg", NULL, "*", 304, "", NULL, NULL, "\"t7\"", "no-cache"},
    {"tag of another coding", "GET", "/index.html", "gzip", "\"t2-br\"", 200, "GZ", "text/html; charset=utf-8", "gzip",
     "\"t3-gzip\"", "no-cache"},
    {"hashed name", "GET", "/assets/app-Bx3k_9Zq.js", "br", NULL, 200, "let a;", "text/javascript; charset=utf-8", NULL,
     "\"t4\"", IMMUTABLE},
    {"word that is no hash", "GET", "/assets/app-settings.js", "br", NULL, 200, "let b;",
     "text/javascript; charset=utf-8", NULL, "\"t6\"", "no-cache"},
    {"picture", "GET", "/logo.svg", "br", NULL, 200, "<svg/>", "image/svg+xml", NULL, "\"t7\"", "no-cache"},
    {"no ending", "GET", "/data", NULL, NULL, 200, "?", "application/octet-stream", NULL, "\"t8\"", "no-cache"},
    {"head", "HEAD", "/index.html", NULL, NULL, 200, "", "text/html; charset=utf-8", NULL, "\"t1\"", "no-cache"},
    {"post", "POST", "/index.html", NULL, NULL, 405, WRONG_METHOD, PROBLEM_TYPE, NULL, NULL, NULL},
    {"no method of ours", "BREW", "/index.html", NULL, NULL, 405, WRONG_METHOD, PROBLEM_TYPE, NULL, NULL, NULL},
    {"none", "GET", "/none.html", NULL, NULL, 404, "", NULL, NULL, NULL, NULL},
};

static bool is_same(struct str got, const char *want) {
    return want ? str_is(got, want) : !got.ptr;
}

static void files_are_answered_row_by_row(struct t *t) {
    struct fixture f;
    start(t, &f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_header headers[2];
        size_t n = 0;
        if (rows[i].accept) headers[n++] = (struct http_header){S("Accept-Encoding"), str_of(rows[i].accept)};
        if (rows[i].if_none_match)
            headers[n++] = (struct http_header){S("If-None-Match"), str_of(rows[i].if_none_match)};
        struct client_ask ask = {rows[i].method, rows[i].target, headers, n, {0}};
        struct client_reply r = {0};
        enum err e = client_call("127.0.0.1", f.port, &ask, PEER_WAIT_MS, &t->arena, &r);
        CHECK_SAY(t, !e && r.status == rows[i].status, "%s: %s %d", rows[i].why, err_name(e), r.status);
        CHECK_SAY(t, str_is((struct str){(const char *)r.body.ptr, r.body.len}, rows[i].body), "%s: body", rows[i].why);
        CHECK_SAY(t, is_same(client_header(&r, "content-type"), rows[i].type), "%s: type", rows[i].why);
        CHECK_SAY(t, is_same(client_header(&r, "content-encoding"), rows[i].coding), "%s: coding", rows[i].why);
        CHECK_SAY(t, is_same(client_header(&r, "etag"), rows[i].etag), "%s: tag", rows[i].why);
        CHECK_SAY(t, is_same(client_header(&r, "cache-control"), rows[i].caching), "%s: caching", rows[i].why);
        bool is_file = r.status == 200 || r.status == 304, is_ours = is_file || r.status == 405;
        CHECK_SAY(t, is_same(client_header(&r, "allow"), r.status == 405 ? "GET, HEAD" : NULL), "%s", rows[i].why);
        CHECK_SAY(t, is_same(client_header(&r, "content-security-policy"), is_ours ? static_csp : NULL), "%s",
                  rows[i].why);
        CHECK_SAY(t, is_same(client_header(&r, "x-content-type-options"), is_ours ? "nosniff" : NULL), "%s",
                  rows[i].why);
        bool varies = is_file && (strstr(rows[i].target, "index") || strstr(rows[i].target, "Bx3k"));
        CHECK_SAY(t, is_same(client_header(&r, "vary"), varies ? "Accept-Encoding" : NULL), "%s: vary", rows[i].why);
    }
    test_loop_end(&f.tl, close_server, &f);
}

TESTS(CASE(files_are_answered_row_by_row))
