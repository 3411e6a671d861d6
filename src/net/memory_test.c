/* Memory that runs out in the loop, at each allocation in turn: whoever asks gets a whole answer, an error or a closed
 * connection; the server lives on and nothing leaks.  The linker hands this program's malloc, calloc and realloc to the
 * functions below (CMakeLists.txt).  SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"
#include "net/sse.h"
#include "net/static.h"
#include "net/tcp.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

#define MOST 100 /* allocations of one walk */

/* ---- the failing allocator ---- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static _Thread_local bool is_loop; /* only there */
static atomic_long left = -1;      /* good ones before the one that fails; -1: none does */

static bool fails(void) {
    if (!is_loop || atomic_load(&left) < 0) return false;
    return atomic_fetch_sub(&left, 1) == 0;
}
void *__wrap_malloc(size_t n) {
    return fails() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    return fails() ? NULL : __real_realloc(p, n);
}

static void mark_loop(void *arg) {
    (void)arg;
    is_loop = true;
}

/* ---- a server of every kind of answer, and an echo ---- */

struct fixture {
    struct test_loop tl;
    struct http_server *server;
    struct tcp_listener *echo;
};

static bool find(void *arg, struct str path, struct static_file *ret) {
    (void)arg;
    *ret = (struct static_file){"page.html", "t1", {(const uint8_t *)"<p>page", 7}};
    return str_is(path, "page.html");
}

static void on_stream_close(void *arg, enum err why) {
    (void)arg;
    (void)why;
}

static void stream(const struct http_request *req) {
    struct http_stream_calls calls = {.on_close = on_stream_close};
    struct http_stream *s = http_stream_begin(req, 200, NULL, 0, &calls);
    for (int i = 0; i < 3; i++) {
        char mem[64];
        struct buf b;
        struct str text;
        buf_init(&b, mem, sizeof mem);
        sse_event(&b, S("7"), S("tick"), S("now"));
        if (!buf_done(&b, &text) || http_stream_write(s, (struct bytes){(const uint8_t *)text.ptr, text.len})) break;
    }
    http_stream_end(s);
}

static void handle(void *arg, const struct http_request *req) {
    (void)arg;
    struct str body = req->body.len ? (struct str){(const char *)req->body.ptr, req->body.len} : req->path;
    static const struct http_header type = {{"Content-Type", 12}, {"text/plain", 10}};
    if (str_is(req->path, "/stream"))
        stream(req);
    else if (!str_is(req->path, "/page") || !static_respond(req, S("page.html"), find, NULL))
        http_respond(
            req, &(struct http_answer){
                     .status = 200, .headers = &type, .headers_n = 1, .body = {(const uint8_t *)body.ptr, body.len}});
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    (void)arg;
    (void)!tcp_write(conn, bytes);
    if (memchr(bytes.ptr, '!', bytes.len)) tcp_close(conn);
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    (void)arg;
    (void)conn;
    (void)why;
}

static void start(struct t *t, struct fixture *f) {
    struct tcp_calls calls = {.on_bytes = on_bytes, .on_close = on_close};
    struct http_options options = {.world = &t->world};
    *f = (struct fixture){0};
    CHECK(t, !loop_create(&f->tl.loop) &&
                 !http_server_open(f->tl.loop, &options, handle, NULL, &f->server, &t->fault) &&
                 !tcp_listen(f->tl.loop, &(struct tcp_options){0}, &calls, &f->echo, &t->fault));
    test_loop_start(&f->tl);
    test_on_loop(f->tl.loop, mark_loop, NULL);
}

static void close_all(void *arg) {
    struct fixture *f = arg;
    http_server_close(f->server);
    tcp_unlisten(f->echo);
}

/* ---- walks ---- */

#define END "Host: a\r\nConnection: close\r\n\r\n"
struct walk {
    const char *why;
    struct str bytes;
    const char *whole; /* how a whole answer ends */
    bool is_echo;
};
static const struct walk walks[] = {
    {"a request", S("GET /x HTTP/1.1\r\n" END), "\r\n\r\n/x", false},
    {"many headers", S("GET /x HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\n" END), "\r\n\r\n/x", false},
    {"a body of a length", S("POST /x HTTP/1.1\r\nContent-Length: 5\r\n" END "hello"), "\r\n\r\nhello", false},
    {"a body in chunks", S("POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
     "\r\n\r\nhello", false},
    {"two requests at once", S("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\n" END), "\r\n\r\n/b", false},
    {"a page", S("GET /page HTTP/1.1\r\n" END), "\r\n\r\n<p>page", false},
    {"a stream", S("GET /stream HTTP/1.1\r\n" END), "\r\n0\r\n\r\n", false},
    {"bytes of a line", S("abc!"), "abc!", true},
};

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), e = strlen(end);
    return n >= e && !strcmp(text + n - e, end);
}

static void walk(struct fixture *f, const struct walk *w, char got[4096]) {
    int fd = peer_dial(w->is_echo ? tcp_port(f->echo) : http_server_port(f->server));
    peer_send(fd, w->bytes);
    (void)peer_read(fd, got, 4096, NULL);
    close(fd);
}

/* A 200 with a length is whole or was cut by a close that its length tells; errors are the server's own. */
static bool is_fair(const struct walk *w, const char *got) {
    const char *last = NULL;
    if (!*got || ends_with(got, w->whole)) return true;
    if (w->is_echo) return false; /* whole or not at all */
    for (const char *at = got; (at = strstr(at, "HTTP/1.1 ")); at++) last = at;
    int status = last ? peer_status(last) : 0;
    return status == 500 || status == 503 || (status == 200 && strstr(w->bytes.ptr, "/a HTTP")) ||
           (status == 200 && strstr(last, "chunked"));
}

static void memory_that_runs_out_costs_an_answer_and_no_more(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f);
    for (size_t i = 0; i < COUNT(walks); i++) {
        long n = 0;
        for (bool hit = true; hit && n < MOST; n++) {
            atomic_store(&left, n);
            walk(&f, &walks[i], got);
            hit = atomic_exchange(&left, -1) < 0;
            CHECK_SAY(t, is_fair(&walks[i], got), "%s, allocation %ld fails: %s", walks[i].why, n, got);
            walk(&f, &walks[i], got);
            CHECK_SAY(t, ends_with(got, walks[i].whole), "%s, after allocation %ld failed: %s", walks[i].why, n, got);
        }
        CHECK_SAY(t, n > 1 && n < MOST, "%s needs memory, %ld times", walks[i].why, n - 1);
    }
    test_loop_end(&f.tl, close_all, &f);
}

TESTS(CASE(memory_that_runs_out_costs_an_answer_and_no_more))
