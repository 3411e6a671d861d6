/* The client on a loop: keep-alive, pieces, timeouts, refusals.  SPDX-License-Identifier: Apache-2.0 */
#include "net/client.h"
#include "net/testing.h"
#include "tests/lib/test.h"

struct fixture {
    struct loop *loop; /* server and client share it: the test's own thread */
    struct http_server *server;
    struct client *client;
    const struct http_request *held;
    struct http_stream *stream;
    int port, asked, answered, good, last_status;
    size_t connections, piece_bytes;
};

static void on_close(void *arg, enum err why) {
    struct fixture *f = arg;
    (void)why;
    f->stream = NULL;
}

static void handle(void *arg, const struct http_request *req) {
    struct fixture *f = arg;
    if (str_is(req->path, "/hold")) {
        f->held = req;
    } else if (str_is(req->path, "/stream")) {
        struct http_stream_calls calls = {.on_close = on_close, .arg = f};
        f->stream = http_stream_begin(req, 200, NULL, 0, &calls);
        for (int i = 0; i < 3; i++)
            if (http_stream_write(f->stream, (struct bytes){(const uint8_t *)"piece", 5})) abort();
        http_stream_end(f->stream);
    } else {
        http_respond(req, &(struct http_answer){.status = 200, .body = req->body});
    }
}

static void start(struct t *t, struct fixture *f, struct client_options options) {
    CHECK(t, !loop_create(&f->loop));
    CHECK(t, !http_server_open(f->loop, &(struct http_options){0}, handle, f, &f->server, &t->fault));
    options.port = http_server_port(f->server);
    options.arg = f;
    CHECK(t, !client_create(f->loop, &options, &f->client));
}

static void stop(struct fixture *f) {
    client_destroy(f->client);
    http_server_close(f->server);
    if (f->held) http_respond(f->held, &(struct http_answer){.status = 200});
    loop_destroy(f->loop);
}

static const struct client_ask echo = {"POST", "/", NULL, 0, {(const uint8_t *)"hello", 5}};

static void again(void *arg, const struct client_reply *reply) {
    struct fixture *f = arg;
    f->answered++;
    f->last_status = reply->status;
    f->good += reply->status == 200 && reply->body.len == 5 && !memcmp(reply->body.ptr, "hello", 5);
    if (http_server_connections(f->server) > f->connections) f->connections = http_server_connections(f->server);
    if (f->answered >= f->asked || client_send(f->client, &echo, again, f)) loop_stop(f->loop);
}

static void one_connection_serves_many_requests(struct t *t) {
    struct fixture f = {.asked = 100};
    start(t, &f, (struct client_options){0});
    CHECK(t, !client_send(f.client, &echo, again, &f));
    CHECK(t, client_is_busy(f.client) && client_send(f.client, &echo, again, &f) == ERR_BUSY);
    loop_run(f.loop);
    CHECK_SAY(t, f.good == 100 && f.connections == 1, "%d over %zu", f.good, f.connections);
    stop(&f);
}

static void on_piece(void *arg, struct bytes piece) {
    struct fixture *f = arg;
    f->piece_bytes += piece.len;
}

static void pieces_arrive_as_they_come(struct t *t) {
    struct fixture f = {.asked = 1};
    start(t, &f, (struct client_options){.on_piece = on_piece});
    CHECK(t, !client_send(f.client, &(struct client_ask){.method = "GET", .target = "/stream"}, again, &f));
    loop_run(f.loop);
    CHECK(t, f.last_status == 200 && f.piece_bytes == 15);
    stop(&f);
}

static void no_answer_in_time_is_status_0(struct t *t) {
    struct fixture f = {.asked = 1};
    start(t, &f, (struct client_options){.timeout_ms = 30});
    CHECK(t, !client_send(f.client, &(struct client_ask){.method = "GET", .target = "/hold"}, again, &f));
    loop_run(f.loop);
    CHECK(t, f.answered == 1 && f.last_status == 0);
    stop(&f);
}

static void answer_over_the_limit_is_status_0(struct t *t) {
    struct fixture f = {.asked = 1};
    start(t, &f, (struct client_options){.body_max = 4});
    CHECK(t, !client_send(f.client, &echo, again, &f));
    loop_run(f.loop);
    CHECK(t, f.answered == 1 && f.last_status == 0);
    stop(&f);
}

static void refused_connection_is_status_0(struct t *t) {
    struct fixture f = {.asked = 1}, g = {0};
    start(t, &f, (struct client_options){0});
    start(t, &g, (struct client_options){0});
    int port = http_server_port(g.server);
    stop(&g);
    client_destroy(f.client);
    CHECK(t, !client_create(f.loop, &(struct client_options){.port = port}, &f.client));
    CHECK(t, !client_send(f.client, &echo, again, &f));
    loop_run(f.loop);
    CHECK(t, f.answered == 1 && f.last_status == 0);
    struct client_reply reply;
    CHECK(t, client_call("127.0.0.1", port, &echo, 1000, &t->arena, &reply) == ERR_UNAVAILABLE);
    stop(&f);
}

static void header_with_a_line_end_is_not_sent(struct t *t) {
    static const struct http_header evil = {{"X", 1}, {"a\r\nY: b", 7}};
    struct fixture f = {.asked = 1};
    start(t, &f, (struct client_options){0});
    struct client_ask ask = {"GET", "/", &evil, 1, {0}};
    CHECK(t, client_send(f.client, &ask, again, &f) != OK && !client_is_busy(f.client));
    stop(&f);
}

TESTS(CASE(one_connection_serves_many_requests), CASE(pieces_arrive_as_they_come), CASE(no_answer_in_time_is_status_0),
      CASE(answer_over_the_limit_is_status_0), CASE(refused_connection_is_status_0),
      CASE(header_with_a_line_end_is_not_sent))
