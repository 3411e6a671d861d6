/* The server over real sockets: framing, order, deadlines, late answers, limits.  SPDX-License-Identifier: Apache-2.0
 */
#include "net/http.h"
#include "net/http_rows.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

#define HELD_MAX 8

struct fixture {
    struct test_loop tl;
    struct http_server *server;
    int port;
    const struct http_request *held[HELD_MAX]; /* loop thread */
    size_t held_n, handled;
    size_t seen; /* what count_* saw on the loop; the test's thread reads it while the loop does not write */
    char *big;
};
#define BIG_LEN (8 * 1024 * 1024)

static void answer_text(const struct http_request *req, int status, struct str text) {
    static const struct http_header type = {{"Content-Type", 12}, {"text/plain", 10}};
    http_respond(
        req, &(struct http_answer){
                 .status = status, .headers = &type, .headers_n = 1, .body = {(const uint8_t *)text.ptr, text.len}});
}

static void *answer_late(void *arg) {
    const struct http_request *req = arg;
    answer_text(req, 200, req->query);
    return NULL;
}

static void handle(void *arg, const struct http_request *req) {
    struct fixture *f = arg;
    f->handled++;
    if (str_is(req->path, "/thread")) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, answer_late, (void *)(uintptr_t)req)) abort();
        pthread_detach(thread);
    } else if (str_is(req->path, "/hold")) {
        if (f->held_n >= HELD_MAX) abort();
        f->held[f->held_n++] = req;
    } else if (str_is(req->path, "/big")) {
        http_respond(req, &(struct http_answer){
                              .status = 200, .body = {(const uint8_t *)f->big, BIG_LEN}, .body_is_static = true});
    } else if (str_is(req->path, "/split")) {
        static const struct http_header evil = {{"X", 1}, {"a\r\nY: b", 7}};
        http_respond(req, &(struct http_answer){.status = 200, .headers = &evil, .headers_n = 1});
    } else if (req->body.len) {
        answer_text(req, 200, (struct str){(const char *)req->body.ptr, req->body.len});
    } else {
        answer_text(req, 200, req->path);
    }
}

static void start(struct t *t, struct fixture *f, struct http_options options) {
    options.world = &t->world;
    *f = (struct fixture){.big = calloc(1, BIG_LEN)};
    CHECK(t, !loop_create(&f->tl.loop));
    CHECK(t, !http_server_open(f->tl.loop, &options, handle, f, &f->server, &t->fault));
    f->port = http_server_port(f->server);
    test_loop_start(&f->tl);
}

static void release(void *arg) {
    struct fixture *f = arg;
    for (size_t i = 0; i < f->held_n; i++) answer_text(f->held[i], 200, S("released"));
    f->held_n = 0;
}

static void close_all(void *arg) {
    struct fixture *f = arg;
    http_server_close(f->server);
    release(f);
}

static void stop(struct fixture *f) {
    test_loop_end(&f->tl, close_all, f);
    free(f->big);
}

static void count_held(void *arg) {
    struct fixture *f = arg;
    f->seen = f->held_n;
}

static void count_handled(void *arg) {
    struct fixture *f = arg;
    f->seen = f->handled;
}

static void count_conns(void *arg) {
    struct fixture *f = arg;
    f->seen = http_server_connections(f->server);
}

/* Until the loop has seen n of what `count` counts. */
static void wait_until(struct fixture *f, loop_fn *count, size_t n) {
    do test_on_loop(f->tl.loop, count, f);
    while (f->seen != n);
}

/* The same in the head and in the body, and something. */
static bool has_trace(const char *got) {
    const char *head = strstr(got, "\r\nX-Request-Id: "), *body = strstr(got, "\"trace\":\"");
    size_t n = head ? strcspn(head + 16, "\r") : 0;
    return body && n >= 8 && !strncmp(head + 16, body + 9, n) && body[9 + n] == '"';
}

static void bad_rows_are_answered_and_closed(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){0});
    for (size_t i = 0; i < COUNT(http_rows); i++) {
        const struct http_row *row = &http_rows[i];
        int fd = peer_dial(f.port), want = row->status ? row->status : 200;
        peer_send(fd, row->bytes);
        if (!row->status) shutdown(fd, SHUT_WR);
        bool ended = peer_read(fd, got, sizeof(got), NULL);
        CHECK_SAY(t, ended && peer_status(got) == want, "%s: %d, not %d", row->why, peer_status(got), want);
        if (row->status) CHECK_SAY(t, strstr(got, "\r\nConnection: close\r\n") && has_trace(got), "%s", row->why);
        close(fd);
    }
    stop(&f);
}

static void answer_carries_length_and_date(struct t *t) {
    struct fixture f;
    char got[4096];
    atomic_store(&t->sim.utc_ms, INT64_C(784111777000)); /* RFC 9110, 5.6.7 */
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, GET(""));
    (void)peer_read(fd, got, sizeof(got), "\r\n\r\n/");
    CHECK_SAY(t,
              !strcmp(got, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 1\r\n\r\n/"),
              "%s", got);
    peer_send(fd, S("HEAD /abc" H11 "Connection: close\r\n\r\n"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK(t, strstr(got, "Content-Length: 4\r\n") && strlen(strstr(got, "\r\n\r\n")) == 4);
    close(fd);
    stop(&f);
}

static void pipelined_requests_are_answered_in_order(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("GET /thread?one" H11 "\r\nGET /two" H11 "\r\nPOST /" H11 "Content-Length: 5\r\n\r\nthree"
                    "GET /thread?four" H11 "\r\nGET /five" H11 "Connection: close\r\n\r\nGET /six" H11 "\r\n"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    const char *at = got;
    static const char *const bodies[] = {"\r\n\r\none", "\r\n\r\n/two", "\r\n\r\nthree", "\r\n\r\nfour",
                                         "\r\n\r\n/five"};
    for (size_t i = 0; i < COUNT(bodies) && at; i++) {
        at = strstr(at, bodies[i]);
        CHECK_SAY(t, at != NULL, "%s is not in its place", bodies[i] + 4);
    }
    CHECK(t, !strstr(got, "/six"));
    close(fd);
    stop(&f);
}

static void continue_is_said_before_a_body(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){.body_bytes = 10});
    int fd = peer_dial(f.port);
    peer_send(fd, POST("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    (void)peer_read(fd, got, sizeof(got), "\r\n\r\n");
    CHECK(t, !strcmp(got, "HTTP/1.1 100 Continue\r\n\r\n"));
    peer_send(fd, S("hi"));
    (void)peer_read(fd, got, sizeof(got), "\r\n\r\nhi");
    CHECK(t, peer_status(got) == 200);
    peer_send(fd, POST("Expect: 100-continue\r\nContent-Length: 11\r\n\r\n"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK(t, peer_status(got) == 413);
    close(fd);
    stop(&f);
}

static size_t cap_by_path(void *arg, const struct http_request *req) {
    (void)arg;
    return req->method == METHOD_POST && str_is(req->path, "/large") ? 100 : 4;
}

static void a_refusal_bears_the_caller_s_own_trace(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){.body_bytes = 1});
    int fd = peer_dial(f.port);
    peer_send(fd, POST("X-Request-Id: ask-me-12345\r\nContent-Length: 2\r\n\r\nab"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK_SAY(t, peer_status(got) == 413 && strstr(got, "\"trace\":\"ask-me-12345\"") && has_trace(got), "%s", got);
    close(fd);
    stop(&f);
}

static void body_cap_depends_on_the_request(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){.body_cap = cap_by_path});
    static const struct {
        struct str bytes;
        int status;
    } rows[] = {
        {S("POST /large" H11 "Connection: close\r\nContent-Length: 5\r\n\r\n12345"), 200},
        {S("POST /small" H11 "Connection: close\r\nContent-Length: 4\r\n\r\n1234"), 200},
        {S("POST /small" H11 "Connection: close\r\nContent-Length: 5\r\n\r\n12345"), 413},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = peer_dial(f.port);
        peer_send(fd, rows[i].bytes);
        CHECK(t, peer_read(fd, got, sizeof(got), NULL));
        CHECK_SAY(t, peer_status(got) == rows[i].status, "row %zu: %d", i, peer_status(got));
        close(fd);
    }
    stop(&f);
}

static void deadlines_end_what_does_not_move(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){.header_ms = 60, .body_window_ms = 60, .idle_ms = 60, .write_ms = 60});
    static const struct {
        const char *why;
        struct str bytes;
        int status;
    } rows[] = {
        {"head never ends", S("GET / HTTP/1.1\r\nHost"), 408},
        {"body never ends", POST("Content-Length: 9\r\n\r\nabc"), 408},
        {"says nothing", S(""), 0},
        {"idle after an answer", GET(""), 200},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = peer_dial(f.port);
        peer_send(fd, rows[i].bytes);
        bool ended = peer_read(fd, got, sizeof(got), NULL);
        CHECK_SAY(t, ended && peer_status(got) == rows[i].status, "%s: %d", rows[i].why, peer_status(got));
        close(fd);
    }
    stop(&f);
}

static void reader_that_stalls_is_closed(struct t *t) {
    struct fixture f;
    start(t, &f, (struct http_options){.write_ms = 60});
    int fd = peer_dial(f.port);
    peer_send(fd, S("GET /big" H11 "\r\n"));
    wait_until(&f, count_handled, 1);
    wait_until(&f, count_conns, 0); /* without reading a byte */
    close(fd);
    stop(&f);
}

static void slow_reader_gets_all(struct t *t) {
    struct fixture f;
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("GET /big" H11 "\r\nGET /after" H11 "Connection: close\r\n\r\n"));
    size_t total = 0;
    static char mem[4096];
    char last[7] = "";
    for (ssize_t n; (n = recv(fd, mem, sizeof(mem), 0)) > 0;) {
        total += (size_t)n;
        if (n >= 6) memcpy(last, mem + n - 6, 6);
    }
    CHECK_SAY(t, total > BIG_LEN, "%zu bytes", total);
    CHECK_SAY(t, !strcmp(last, "/after"), "%s", last);
    close(fd);
    stop(&f);
}

static void answer_after_the_peer_left_is_harmless(struct t *t) {
    struct fixture f;
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("POST /hold" H11 "Content-Length: 3\r\n\r\nabc"));
    wait_until(&f, count_held, 1);
    struct linger reset = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    wait_until(&f, count_conns, 0);
    CHECK(t, http_peer_left(f.held[0], &t->world));
    test_on_loop(f.tl.loop, release, &f);
    stop(&f);
}

/* Work for who may still read goes on; a second later it is taken for somebody who does not. */
static void a_peer_that_ended_its_side_has_left_a_second_later(struct t *t) {
    struct fixture f;
    bool left = false;
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("GET /hold" H11 "\r\n"));
    wait_until(&f, count_held, 1);
    world_sim_advance(&t->sim, 5000);
    CHECK(t, !http_peer_left(f.held[0], &t->world));
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 1000 && !atomic_load(f.held[0]->left_us); i++) usleep(5000);
    CHECK(t, !http_peer_left(f.held[0], &t->world));
    world_sim_advance(&t->sim, 1000);
    left = http_peer_left(f.held[0], &t->world);
    test_on_loop(f.tl.loop, release, &f);
    CHECK(t, left);
    close(fd);
    stop(&f);
}

static void half_closed_peer_still_gets_its_answer(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("GET /hold" H11 "\r\n"));
    shutdown(fd, SHUT_WR);
    wait_until(&f, count_held, 1);
    test_on_loop(f.tl.loop, release, &f);
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK(t, strstr(got, "released") != NULL);
    close(fd);
    stop(&f);
}

static void requests_outlive_the_server(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("GET /hold" H11 "\r\n"));
    wait_until(&f, count_held, 1);
    stop(&f); /* closes first, answers then */
    CHECK(t, peer_read(fd, got, sizeof(got), NULL) && !got[0]);
    close(fd);
}

static void connections_over_the_limit_are_closed(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){.connections_max = 2});
    int a = peer_dial(f.port), b = peer_dial(f.port);
    wait_until(&f, count_conns, 2);
    int c = peer_dial(f.port);
    CHECK(t, peer_read(c, got, sizeof(got), NULL) && !got[0]);
    close(a);
    wait_until(&f, count_conns, 1);
    int d = peer_dial(f.port);
    peer_send(d, GET("Connection: close\r\n"));
    CHECK(t, peer_read(d, got, sizeof(got), NULL) && peer_status(got) == 200);
    close(b), close(c), close(d);
    stop(&f);
}

static void header_injection_becomes_500(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f, (struct http_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("GET /split" H11 "\r\n"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK(t, peer_status(got) == 500 && !strstr(got, "Y: b"));
    close(fd);
    stop(&f);
}

static void held_port_moves_on_only_when_asked(struct t *t) {
    struct fixture f, g;
    struct http_server *server;
    start(t, &f, (struct http_options){0});
    struct fault fault = {0};
    struct loop *loop;
    CHECK(t, !loop_create(&loop));
    struct http_options options = {.port = f.port};
    CHECK(t, http_server_open(loop, &options, handle, &g, &server, &fault) == ERR_BUSY);
    options.try_next = true;
    CHECK(t, !http_server_open(loop, &options, handle, &g, &server, &fault));
    CHECK(t, http_server_port(server) > f.port && http_server_port(server) <= f.port + 100);
    http_server_close(server);
    fault = (struct fault){0};
    options = (struct http_options){.bind = "nowhere"};
    CHECK(t, http_server_open(loop, &options, handle, &g, &server, &fault) == ERR_INVALID);
    loop_destroy(loop);
    stop(&f);
}

TESTS(CASE(bad_rows_are_answered_and_closed), CASE(answer_carries_length_and_date),
      CASE(pipelined_requests_are_answered_in_order), CASE(continue_is_said_before_a_body),
      CASE(a_refusal_bears_the_caller_s_own_trace), CASE(body_cap_depends_on_the_request),
      CASE(deadlines_end_what_does_not_move), CASE(reader_that_stalls_is_closed), CASE(slow_reader_gets_all),
      CASE(answer_after_the_peer_left_is_harmless), CASE(a_peer_that_ended_its_side_has_left_a_second_later),
      CASE(half_closed_peer_still_gets_its_answer), CASE(requests_outlive_the_server),
      CASE(connections_over_the_limit_are_closed), CASE(header_injection_becomes_500),
      CASE(held_port_moves_on_only_when_asked))
