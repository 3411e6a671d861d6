/* TCP lines: echo, back-pressure, limits, ends.  SPDX-License-Identifier: Apache-2.0 */
#include "net/tcp.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

struct fixture {
    struct test_loop tl;
    struct tcp_listener *listener;
    struct tcp_conn *conn; /* the last one opened; loop thread */
    int port;
    bool is_quiet; /* does not echo */
    enum err last;
    atomic_int opened, closed, why;
    atomic_size_t got;
};

static void on_open(void *arg, struct tcp_conn *conn) {
    struct fixture *f = arg;
    f->conn = conn;
    tcp_set_user(conn, f);
    atomic_fetch_add(&f->opened, 1);
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct fixture *f = arg;
    atomic_fetch_add(&f->got, bytes.len);
    if (tcp_user(conn) != f || !str_starts(tcp_peer(conn), S("127.0.0."))) abort();
    if (!f->is_quiet) f->last = tcp_write(conn, bytes);
    if (memchr(bytes.ptr, '!', bytes.len)) tcp_close(conn);
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct fixture *f = arg;
    if (f->conn == conn) f->conn = NULL;
    atomic_store(&f->why, (int)why);
    atomic_fetch_add(&f->closed, 1);
}

static void start(struct t *t, struct fixture *f, struct tcp_options options) {
    *f = (struct fixture){0};
    struct tcp_calls calls = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close, .arg = f};
    CHECK(t, !loop_create(&f->tl.loop));
    CHECK(t, !tcp_listen(f->tl.loop, &options, &calls, &f->listener, &t->fault));
    f->port = tcp_port(f->listener);
    test_loop_start(&f->tl);
}

static void unlisten(void *arg) {
    struct fixture *f = arg;
    tcp_unlisten(f->listener);
}

static void stop(struct fixture *f) {
    test_loop_end(&f->tl, unlisten, f);
}

static void wait_for(atomic_int *counter, int n) {
    while (atomic_load(counter) < n) (void)poll(NULL, 0, 1);
}

static void bytes_go_both_ways_and_last_words_arrive(struct t *t) {
    struct fixture f;
    char got[64];
    start(t, &f, (struct tcp_options){0});
    int fd = peer_dial(f.port);
    peer_send(fd, S("abc"));
    (void)peer_read(fd, got, sizeof(got), "abc");
    peer_send(fd, S("bye!"));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    CHECK_SAY(t, !strcmp(got, "bye!"), "%s", got);
    close(fd);
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == OK);
    stop(&f);
}

static void peer_that_leaves_is_told(struct t *t) {
    struct fixture f;
    start(t, &f, (struct tcp_options){0});
    close(peer_dial(f.port));
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == ERR_UNAVAILABLE);
    stop(&f);
}

static void silent_peer_is_closed(struct t *t) {
    struct fixture f;
    char got[8];
    start(t, &f, (struct tcp_options){.idle_ms = 40});
    int fd = peer_dial(f.port);
    CHECK(t, peer_read(fd, got, sizeof(got), NULL));
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == ERR_UNAVAILABLE);
    close(fd);
    stop(&f);
}

static void flood(void *arg) {
    static const uint8_t piece[4096];
    struct fixture *f = arg;
    f->last = OK;
    for (size_t i = 0; i < 100000 && !f->last; i++) f->last = tcp_write(f->conn, (struct bytes){piece, sizeof(piece)});
}

static void write_queue_is_bounded(struct t *t) {
    struct fixture f;
    start(t, &f, (struct tcp_options){.write_queue = 65536});
    int fd = peer_dial(f.port);
    wait_for(&f.opened, 1);
    test_on_loop(f.tl.loop, flood, &f);
    CHECK(t, f.last == ERR_LIMIT);
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == ERR_LIMIT);
    close(fd);
    stop(&f);
}

static void pause_reading(void *arg) {
    struct fixture *f = arg;
    tcp_pause(f->conn);
}
static void resume_reading(void *arg) {
    struct fixture *f = arg;
    tcp_resume(f->conn);
}

static void paused_reading_is_felt_by_the_peer(struct t *t) {
    struct fixture f;
    static const char zeros[65536];
    start(t, &f, (struct tcp_options){0});
    f.is_quiet = true;
    int fd = peer_dial(f.port);
    wait_for(&f.opened, 1);
    test_on_loop(f.tl.loop, pause_reading, &f);
    size_t sent = 0;
    for (ssize_t n; (n = send(fd, zeros, sizeof(zeros), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;) sent += (size_t)n;
    CHECK(t, errno == EAGAIN);
    CHECK(t, atomic_load(&f.got) == 0);
    test_on_loop(f.tl.loop, resume_reading, &f);
    while (atomic_load(&f.got) < sent) (void)poll(NULL, 0, 1);
    CHECK(t, atomic_load(&f.got) == sent);
    close(fd);
    stop(&f);
}

static void connections_are_limited(struct t *t) {
    struct fixture f;
    char got[8];
    start(t, &f, (struct tcp_options){.connections_max = 1});
    int a = peer_dial(f.port);
    wait_for(&f.opened, 1);
    int b = peer_dial(f.port);
    CHECK(t, peer_read(b, got, sizeof(got), NULL));
    stop(&f);
    CHECK(t, atomic_load(&f.opened) == 1 && atomic_load(&f.closed) == 1);
    CHECK(t, atomic_load(&f.why) == OK);
    close(a), close(b);
}

static int dial_from(const char *address, int port) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, address, &from.sin_addr);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) || connect(fd, (struct sockaddr *)&to, sizeof to))
        abort();
    return fd;
}

/* Whoever takes all connections shuts out himself: others still find room. */
static void one_address_does_not_shut_out_another(struct t *t) {
    struct fixture f;
    int greedy[4], fd;
    char mem[8];
    start(t, &f, (struct tcp_options){.connections_max = 4});
    for (size_t i = 0; i < COUNT(greedy); i++) greedy[i] = dial_from("127.0.0.3", f.port);
    wait_for(&f.opened, 4);
    fd = dial_from("127.0.0.3", f.port); /* one more of his own is closed at once */
    CHECK(t, peer_read(fd, mem, sizeof mem, NULL));
    close(fd);
    fd = dial_from("127.0.0.1", f.port);
    wait_for(&f.opened, 5);
    CHECK(t, peer_read(greedy[3], mem, sizeof mem, NULL)); /* his newest gave way */
    wait_for(&f.closed, 1);
    CHECK(t, atomic_load(&f.why) == ERR_LIMIT);
    peer_send(fd, S("x"));
    CHECK(t, !peer_read(fd, mem, sizeof mem, "x"));
    close(fd);
    for (size_t i = 0; i < COUNT(greedy); i++) close(greedy[i]);
    stop(&f);
}

/* ---- connecting ---- */

struct caller {
    struct fixture f;
    struct tcp_conn *conn;
    int port;
    enum err begun, written;
    struct fault fault;
    atomic_int opened, closed, why;
    atomic_size_t got;
};

static void caller_open(void *arg, struct tcp_conn *conn) {
    struct caller *c = arg;
    c->written = tcp_write(conn, (struct bytes){(const uint8_t *)"hello!", 6});
    atomic_fetch_add(&c->opened, 1);
}
static void caller_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    (void)conn;
    atomic_fetch_add(&((struct caller *)arg)->got, bytes.len);
}
static void caller_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct caller *c = arg;
    if (c->conn == conn) c->conn = NULL;
    atomic_store(&c->why, (int)why);
    atomic_fetch_add(&c->closed, 1);
}
static void call_out(void *arg) {
    struct caller *c = arg;
    struct tcp_calls calls = {.on_open = caller_open, .on_bytes = caller_bytes, .on_close = caller_close, .arg = c};
    c->begun = tcp_connect(c->f.tl.loop, &(struct tcp_options){.port = c->port}, &calls, &c->conn, &c->fault);
    c->written = c->begun ? OK : tcp_write(c->conn, (struct bytes){(const uint8_t *)"early", 5});
}
static void call_and_drop(void *arg) {
    struct caller *c = arg;
    call_out(c);
    tcp_drop(c->conn);
}

static void a_connection_made_speaks_and_is_told_of_the_end(struct t *t) {
    struct caller c = {0};
    start(t, &c.f, (struct tcp_options){0});
    c.port = c.f.port;
    test_on_loop(c.f.tl.loop, call_out, &c);
    CHECK(t, !c.begun);
    wait_for(&c.closed, 1); /* the other side echoes and closes at the exclamation mark */
    CHECK(t, atomic_load(&c.opened) == 1 && atomic_load(&c.got) == 6 && !c.written);
    CHECK(t, atomic_load(&c.why) == ERR_UNAVAILABLE);
    stop(&c.f);
}

static void a_refused_connection_is_told_once(struct t *t) {
    struct caller c = {0};
    start(t, &c.f, (struct tcp_options){0});
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, not listening: nobody is there */
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    CHECK(t, !bind(fd, (struct sockaddr *)&addr, len) && !getsockname(fd, (struct sockaddr *)&addr, &len));
    c.port = ntohs(addr.sin_port);
    test_on_loop(c.f.tl.loop, call_out, &c);
    CHECK(t, c.begun || c.written == ERR_UNAVAILABLE); /* nothing can be written before the peer is there */
    wait_for(&c.closed, 1);
    CHECK(t, atomic_load(&c.opened) == 0 && atomic_load(&c.why) == ERR_UNAVAILABLE);
    close(fd);
    c.port = 0;
    test_on_loop(c.f.tl.loop, call_out, &c);
    CHECK(t, c.begun == ERR_INVALID && !strcmp(c.fault.code, "address"));
    stop(&c.f);
    CHECK(t, atomic_load(&c.closed) == 1);
}

static void a_call_may_be_dropped_before_it_is_taken(struct t *t) {
    struct caller c = {0};
    start(t, &c.f, (struct tcp_options){0});
    c.port = c.f.port;
    test_on_loop(c.f.tl.loop, call_and_drop, &c);
    wait_for(&c.closed, 1);
    CHECK(t, atomic_load(&c.opened) == 0 && atomic_load(&c.why) == OK);
    stop(&c.f);
}

TESTS(CASE(bytes_go_both_ways_and_last_words_arrive), CASE(peer_that_leaves_is_told), CASE(silent_peer_is_closed),
      CASE(write_queue_is_bounded), CASE(paused_reading_is_felt_by_the_peer), CASE(connections_are_limited),
      CASE(one_address_does_not_shut_out_another), CASE(a_connection_made_speaks_and_is_told_of_the_end),
      CASE(a_refused_connection_is_told_once), CASE(a_call_may_be_dropped_before_it_is_taken))
