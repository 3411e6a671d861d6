/* Streams: pieces out, back-pressure, ends.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"
#include "net/http_rows.h"
#include "net/sse.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

#define QUEUE (64 * 1024)
#define PIECE 4096

struct fixture {
    struct test_loop tl;
    struct http_server *server;
    int port;
    struct http_stream *stream;
    enum err last;
    size_t pieces;
    atomic_int opened, closed, why, drained;
};

static void on_close(void *arg, enum err why) {
    struct fixture *f = arg;
    f->stream = NULL;
    atomic_store(&f->why, (int)why);
    atomic_fetch_add(&f->closed, 1);
}

/* /export writes as the reader takes it: 1,000 pieces of 4 KiB through a queue of 64 KiB. */
static void on_drain(void *arg) {
    static const uint8_t piece[PIECE];
    struct fixture *f = arg;
    atomic_fetch_add(&f->drained, 1);
    while (f->stream && f->pieces < 1000 && http_stream_pending(f->stream) + PIECE <= QUEUE / 2) {
        if (http_stream_write(f->stream, (struct bytes){piece, PIECE})) return;
        f->pieces++;
    }
    if (f->stream && f->pieces == 1000) http_stream_end(f->stream);
}

static void handle(void *arg, const struct http_request *req) {
    static const struct http_header type = {{"Content-Type", 12}, {"text/event-stream", 17}};
    struct fixture *f = arg;
    bool is_export = str_is(req->path, "/export"), is_short = str_is(req->path, "/short");
    struct http_stream_calls calls = {is_export ? on_drain : NULL, on_close, f};
    f->stream = http_stream_begin(req, 200, &type, 1, &calls);
    if (is_export) on_drain(f);
    if (is_short) {
        f->last = http_stream_write(f->stream, (struct bytes){(const uint8_t *)"hello", 5});
        http_stream_end(f->stream);
        if (!f->last && http_stream_write(f->stream, (struct bytes){(const uint8_t *)"x", 1}) != ERR_UNAVAILABLE)
            f->last = ERR_INTERNAL;
    }
    atomic_fetch_add(&f->opened, 1);
}

static void start(struct t *t, struct fixture *f) {
    struct http_options options = {.stream_queue = QUEUE, .write_ms = 5000};
    *f = (struct fixture){0};
    CHECK(t, !loop_create(&f->tl.loop));
    CHECK(t, !http_server_open(f->tl.loop, &options, handle, f, &f->server, &t->fault));
    f->port = http_server_port(f->server);
    test_loop_start(&f->tl);
}

static void close_server(void *arg) {
    struct fixture *f = arg;
    http_server_close(f->server);
}

static void wait_for(atomic_int *counter, int n) {
    while (atomic_load(counter) < n) (void)poll(NULL, 0, 1);
}

static int ask(struct fixture *f, struct str request) {
    int fd = peer_dial(f->port), before = atomic_load(&f->opened);
    peer_send(fd, request);
    wait_for(&f->opened, before + 1);
    return fd;
}

static void stream_is_chunked_and_the_connection_goes_on(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f);
    int fd = ask(&f, S("GET /short" H11 "\r\n"));
    (void)peer_read(fd, got, sizeof(got), "\r\n0\r\n\r\n");
    CHECK(t, strstr(got, "Transfer-Encoding: chunked\r\n") && !strstr(got, "Content-Length"));
    CHECK_SAY(t, strstr(got, "\r\n\r\n5\r\nhello\r\n0\r\n\r\n") != NULL, "%s", got);
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == OK && f.last == OK);
    peer_send(fd, S("HEAD /short" H11 "Connection: close\r\n\r\n"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK(t, peer_status(got) == 200 && strlen(strstr(got, "\r\n\r\n")) == 4);
    close(fd);
    test_loop_end(&f.tl, close_server, &f);
    CHECK(t, atomic_load(&f.closed) == 2);
}

static void old_client_gets_a_stream_until_close(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f);
    int fd = ask(&f, S("GET /short HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK(t, !strstr(got, "chunked") && strstr(got, "\r\n\r\nhello") && strstr(got, "Connection: close"));
    close(fd);
    test_loop_end(&f.tl, close_server, &f);
}

static void flood(void *arg) {
    static const uint8_t piece[PIECE];
    struct fixture *f = arg;
    for (f->pieces = 0, f->last = OK; !f->last && f->pieces < 100000; f->pieces++)
        f->last = http_stream_write(f->stream, (struct bytes){piece, PIECE});
}

static void reader_too_far_behind_is_dropped(struct t *t) {
    struct fixture f;
    start(t, &f);
    int fd = ask(&f, S("GET /events" H11 "\r\n"));
    test_on_loop(f.tl.loop, flood, &f);
    CHECK_SAY(t, f.last == ERR_LIMIT, "%s after %zu pieces", err_name(f.last), f.pieces);
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == ERR_LIMIT);
    close(fd);
    test_loop_end(&f.tl, close_server, &f);
    CHECK(t, atomic_load(&f.closed) == 1);
}

static void peer_that_leaves_ends_the_stream(struct t *t) {
    struct fixture f;
    start(t, &f);
    int fd = ask(&f, S("GET /events" H11 "\r\n"));
    close(fd);
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == ERR_UNAVAILABLE);
    test_loop_end(&f.tl, close_server, &f);
}

static void export_flows_at_the_readers_pace(struct t *t) {
    struct fixture f;
    static char mem[65536];
    size_t total = 0;
    start(t, &f);
    int fd = ask(&f, S("GET /export" H11 "Connection: close\r\n\r\n"));
    for (ssize_t n; (n = recv(fd, mem, sizeof(mem), 0)) > 0;) total += (size_t)n;
    CHECK_SAY(t, total > 1000 * PIECE, "%zu bytes", total);
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == OK && f.pieces == 1000);
    close(fd);
    test_loop_end(&f.tl, close_server, &f);
}

static void closing_the_server_closes_its_streams(struct t *t) {
    struct fixture f;
    start(t, &f);
    int fd = ask(&f, S("GET /events" H11 "\r\n"));
    test_loop_end(&f.tl, close_server, &f);
    CHECK(t, atomic_load(&f.closed) == 1 && atomic_load(&f.why) == ERR_UNAVAILABLE);
    close(fd);
}

static void events_are_written_as_the_standard_says(struct t *t) {
    static const struct {
        struct str id, event, data;
        const char *want; /* NULL: refused */
    } rows[] = {
        {{"7", 1}, {"cases.new", 9}, {"{}", 2}, "id: 7\nevent: cases.new\ndata: {}\n\n"},
        {{0}, {0}, {"a\nb\r\nc\rd", 8}, "data: a\ndata: b\ndata: c\ndata: d\n\n"},
        {{0}, {"reset", 5}, {"", 0}, "event: reset\ndata: \n\n"},
        {{0}, {0}, {"a\n", 2}, "data: a\ndata: \n\n"},
        {{"1\n2", 3}, {0}, {"a", 1}, NULL},
        {{0}, {"a\rb", 3}, {"a", 1}, NULL},
        {{"1\0", 2}, {0}, {"a", 1}, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[256];
        struct buf b;
        struct str got = {0};
        buf_init(&b, mem, sizeof(mem));
        sse_event(&b, rows[i].id, rows[i].event, rows[i].data);
        bool ok = buf_done(&b, &got);
        CHECK_SAY(t, ok == (rows[i].want != NULL) && (!ok || str_is(got, rows[i].want)), "row %zu: " STR_FMT, i,
                  STR_ARG(got));
    }
}

TESTS(CASE(stream_is_chunked_and_the_connection_goes_on), CASE(old_client_gets_a_stream_until_close),
      CASE(reader_too_far_behind_is_dropped), CASE(peer_that_leaves_ends_the_stream),
      CASE(export_flows_at_the_readers_pace), CASE(closing_the_server_closes_its_streams),
      CASE(events_are_written_as_the_standard_says))
