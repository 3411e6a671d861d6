/* Serial ports on a pair of pseudo terminals: bytes as they are, who may not open one and why.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/serial.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <pty.h>
#include <stdatomic.h>

struct site {
    struct test_loop tl;
    struct serial_options o;
    struct tcp_conn *conn;
    char path[64];
    int master; /* of the pseudo terminal */
    enum err err;
    struct fault fault;
    atomic_int opened, closed;
};

static void on_open(void *arg, struct tcp_conn *conn) {
    struct site *s = arg;
    s->conn = conn;
    atomic_fetch_add(&s->opened, 1);
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct site *s = arg;
    if (!str_is(tcp_peer(conn), s->path) || tcp_write(conn, bytes)) abort();
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct site *s = arg;
    (void)conn;
    (void)why;
    s->conn = NULL;
    atomic_fetch_add(&s->closed, 1);
}

static void open_it(void *arg) {
    struct site *s = arg;
    struct tcp_conn *conn = NULL;
    const struct tcp_calls calls = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close, .arg = s};
    s->fault = (struct fault){0};
    s->err = serial_open(s->tl.loop, &s->o, &calls, &conn, &s->fault);
}

static void close_it(void *arg) {
    struct site *s = arg;
    if (s->conn) tcp_drop(s->conn);
}

static void start(struct t *t, struct site *s) {
    *s = (struct site){0};
    int slave = -1;
    CHECK(t, !openpty(&s->master, &slave, s->path, NULL, NULL));
    close(slave);
    s->o = (struct serial_options){.path = s->path, .baud = 2400, .parity = SERIAL_EVEN, .stop_bits = 1};
    CHECK(t, !loop_create(&s->tl.loop));
    test_loop_start(&s->tl);
}

static void stop(struct site *s) {
    test_loop_end(&s->tl, close_it, s);
    close(s->master);
}

static void bytes_come_and_go_as_they_are(struct t *t) {
    static const uint8_t sent[] = {0x68, 0x00, 0x03, 0x0d, 0x0a, 0x11, 0x13, 0x1a, 0x7f, 0xff, 0x16};
    struct site s;
    uint8_t heard[sizeof sent];
    size_t have = 0;
    start(t, &s);
    test_on_loop(s.tl.loop, open_it, &s);
    CHECK_SAY(t, !s.err && atomic_load(&s.opened) == 1, "%s", s.fault.text);
    CHECK(t, write(s.master, sent, sizeof sent) == (ssize_t)sizeof sent);
    while (!s.err && have < sizeof sent) {
        struct pollfd p = {.fd = s.master, .events = POLLIN};
        ssize_t n = poll(&p, 1, PEER_WAIT_MS) == 1 ? read(s.master, heard + have, sizeof heard - have) : 0;
        if (n <= 0) break;
        have += (size_t)n;
    }
    CHECK(t, have == sizeof sent && !memcmp(heard, sent, sizeof sent));
    test_on_loop(s.tl.loop, close_it, &s);
    stop(&s);
    CHECK(t, atomic_load(&s.closed) == 1);
}

static void a_port_that_cannot_be_opened_says_why(struct t *t) {
    struct site s;
    start(t, &s);
    s.o.path = "/dev/no-such-port";
    test_on_loop(s.tl.loop, open_it, &s);
    CHECK(t, s.err == ERR_NOT_FOUND && strstr(s.fault.text, "/dev/no-such-port"));
    s.o.path = "/dev/null";
    test_on_loop(s.tl.loop, open_it, &s);
    CHECK(t, s.err == ERR_UNAVAILABLE && !strcmp(s.fault.code, "no_serial"));
    s.o = (struct serial_options){.path = s.path, .baud = 2401};
    test_on_loop(s.tl.loop, open_it, &s);
    CHECK(t, s.err == ERR_INVALID && !strcmp(s.fault.code, "baud"));
    CHECK(t, !atomic_load(&s.opened) && !atomic_load(&s.closed));
    stop(&s);
}

static void an_adapter_that_is_pulled_out_ends_the_connection(struct t *t) {
    struct site s;
    start(t, &s);
    test_on_loop(s.tl.loop, open_it, &s);
    CHECK(t, !s.err);
    close(s.master);
    for (int i = 0; i < PEER_WAIT_MS && !atomic_load(&s.closed); i++) (void)poll(NULL, 0, 1);
    CHECK(t, atomic_load(&s.closed) == 1);
    s.master = -1;
    stop(&s);
}

TESTS(CASE(bytes_come_and_go_as_they_are), CASE(a_port_that_cannot_be_opened_says_why),
      CASE(an_adapter_that_is_pulled_out_ends_the_connection))
