/* UDP: datagrams both ways, whole; who said them; limits; ends.  SPDX-License-Identifier: Apache-2.0 */
#include "net/testing.h"
#include "net/udp.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

struct fixture {
    struct test_loop tl;
    struct udp *udp, *all;
    int port;
    bool closes; /* at the first datagram */
    enum err last;
    struct udp_peer to;
    struct bytes what;
    struct fault fault;
    atomic_int heard;
    atomic_size_t bytes;
};

/* Echoes. */
static void on_datagram(void *arg, const struct udp_peer *from, struct bytes bytes) {
    struct fixture *f = arg;
    if (strcmp(from->host, "127.0.0.1") || from->port < 1) abort();
    if (f->closes)
        udp_close(f->udp);
    else
        f->last = udp_send(f->udp, from, bytes);
    atomic_fetch_add(&f->bytes, bytes.len);
    atomic_fetch_add(&f->heard, 1);
}

static void start(struct t *t, struct fixture *f, struct udp_options options) {
    *f = (struct fixture){.last = OK};
    struct udp_calls calls = {on_datagram, f};
    CHECK(t, !loop_create(&f->tl.loop));
    CHECK(t, !udp_open(f->tl.loop, &options, &calls, &f->udp, &t->fault));
    f->port = udp_port(f->udp);
    test_loop_start(&f->tl);
}

static void close_it(void *arg) {
    struct fixture *f = arg;
    udp_close(f->udp);
}

static void stop(struct fixture *f) {
    test_loop_end(&f->tl, f->closes ? NULL : close_it, f);
}

static int peer_open_at(uint32_t ip4, int *ret_port) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip4)};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) || getsockname(fd, (struct sockaddr *)&addr, &len)) abort();
    *ret_port = ntohs(addr.sin_port);
    return fd;
}

static int peer_open(int *ret_port) {
    return peer_open_at(INADDR_LOOPBACK, ret_port);
}

static void say(int fd, int port, const void *bytes, size_t n) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (sendto(fd, bytes, n, 0, (struct sockaddr *)&to, sizeof to) != (ssize_t)n) abort();
}

static ssize_t hear(int fd, void *mem, size_t size) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, PEER_WAIT_MS) == 1 ? recv(fd, mem, size, 0) : -1;
}

static void wait_for(atomic_int *counter, int n) {
    while (atomic_load(counter) < n) (void)poll(NULL, 0, 1);
}

static void a_datagram_comes_whole_and_goes_back(struct t *t) {
    static const size_t sizes[] = {0, 1, 1400, 9000, UDP_DATAGRAM_MAX};
    static char sent[UDP_DATAGRAM_MAX], got[UDP_DATAGRAM_MAX + 1];
    struct fixture f;
    int port, fd = peer_open(&port);
    for (size_t i = 0; i < sizeof sent; i++) sent[i] = (char)(i * 31);
    start(t, &f, (struct udp_options){0});
    for (size_t i = 0; i < COUNT(sizes); i++) {
        say(fd, f.port, sent, sizes[i]);
        ssize_t n = hear(fd, got, sizeof got);
        CHECK_SAY(t, n == (ssize_t)sizes[i] && !memcmp(got, sent, sizes[i]), "%zu bytes: %zd", sizes[i], n);
    }
    stop(&f);
    CHECK(t, atomic_load(&f.heard) == (int)COUNT(sizes) && !f.last);
    close(fd);
}

static void two_peers_are_told_apart(struct t *t) {
    struct fixture f;
    char got[8];
    int port, a = peer_open(&port), b = peer_open(&port);
    start(t, &f, (struct udp_options){0});
    say(a, f.port, "a", 1);
    say(b, f.port, "bb", 2);
    CHECK(t, hear(b, got, sizeof got) == 2 && got[0] == 'b');
    CHECK(t, hear(a, got, sizeof got) == 1 && got[0] == 'a');
    stop(&f);
    close(a), close(b);
}

static void send_it(void *arg) {
    struct fixture *f = arg;
    f->last = udp_send(f->udp, &f->to, f->what);
}

static enum err send_to(struct fixture *f, const char *host, int port, size_t n) {
    static const uint8_t zeros[UDP_DATAGRAM_MAX + 1];
    f->to = (struct udp_peer){.port = port};
    snprintf(f->to.host, sizeof f->to.host, "%s", host);
    f->what = (struct bytes){zeros, n};
    test_on_loop(f->tl.loop, send_it, f);
    return f->last;
}

static void what_cannot_be_sent_is_said(struct t *t) {
    struct fixture f;
    int port, fd = peer_open(&port);
    start(t, &f, (struct udp_options){0});
    CHECK(t, send_to(&f, "127.0.0.1", port, UDP_DATAGRAM_MAX + 1) == ERR_INVALID);
    CHECK(t, send_to(&f, "localhost", port, 1) == ERR_INVALID);
    CHECK(t, send_to(&f, "127.0.0.1", 0, 1) == ERR_INVALID);
    CHECK(t, send_to(&f, "127.0.0.1", 65536, 1) == ERR_INVALID);
    CHECK(t, send_to(&f, "::1", port, 1) == ERR_UNAVAILABLE);             /* the socket has the other family */
    CHECK(t, send_to(&f, "127.255.255.255", port, 1) == ERR_UNAVAILABLE); /* not unless it may say things to all */
    CHECK(t, send_to(&f, "127.0.0.1", port, 1) == OK);
    CHECK(t, send_to(&f, "127.0.0.1", port, UDP_DATAGRAM_MAX) == OK);
    stop(&f);
    start(t, &f, (struct udp_options){.may_broadcast = true});
    CHECK(t, send_to(&f, "127.255.255.255", port, 1) == OK);
    stop(&f);
    close(fd);
}

static void send_it_to_all(void *arg) {
    struct fixture *f = arg;
    f->last = udp_send_all(f->udp, f->to.port, f->what);
}

static void what_is_for_everybody_goes_to_all_on_the_network_of_its_address(struct t *t) {
    struct fixture f;
    char got[8];
    int port, fd = peer_open_at(0x7fffffff, &port); /* hears what is for all */
    start(t, &f, (struct udp_options){.may_broadcast = true});
    f.to.port = port;
    f.what = (struct bytes){(const uint8_t *)"all", 3};
    test_on_loop(f.tl.loop, send_it_to_all, &f);
    CHECK(t, f.last == OK && hear(fd, got, sizeof got) == 3);
    stop(&f);
    start(t, &f, (struct udp_options){0});
    f.to.port = port;
    test_on_loop(f.tl.loop, send_it_to_all, &f);
    CHECK(t, f.last == ERR_UNAVAILABLE); /* not unless it may */
    stop(&f);
    close(fd);
}

static void hear_all(void *arg) {
    struct fixture *f = arg;
    f->last = udp_open_all(f->udp, &(struct udp_calls){on_datagram, f}, &f->all, &f->fault);
}

static void close_both(void *arg) {
    struct fixture *f = arg;
    udp_close(f->all);
    udp_close(f->udp);
}

static void what_is_said_to_everybody_is_heard_by_one_with_an_address(struct t *t) {
    static const struct {
        const char *bind;
        bool is_another;
    } all[] = {{"127.0.0.1", true}, {"0.0.0.0", false}, {"::1", false}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct fixture f;
        int port, on = 1, fd = peer_open(&port);
        start(t, &f, (struct udp_options){.bind = all[i].bind});
        test_on_loop(f.tl.loop, hear_all, &f);
        CHECK_SAY(t, f.last == OK && !!f.all == all[i].is_another, "row %zu: %s", i, f.fault.text);
        if (f.all) {
            struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f.port)};
            to.sin_addr.s_addr = htonl(0x7fffffff);
            int other = socket(AF_INET, SOCK_DGRAM, 0); /* of another program on this machine, which shares it */
            CHECK(t, !setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) &&
                         !bind(other, (const struct sockaddr *)&to, sizeof to));
            CHECK(t, !setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on));
            CHECK(t, sendto(fd, "all", 3, 0, (struct sockaddr *)&to, sizeof to) == 3);
            wait_for(&f.heard, 1);
            say(fd, f.port, "one", 3);
            wait_for(&f.heard, 2);
            close(other);
        }
        test_loop_end(&f.tl, close_both, &f);
        close(fd);
    }
}

static void a_held_port_is_told_or_stepped_over(struct t *t) {
    struct fixture f;
    struct udp *other = NULL;
    struct udp_calls calls = {on_datagram, NULL};
    struct loop *loop;
    start(t, &f, (struct udp_options){0});
    CHECK(t, !loop_create(&loop));
    CHECK(t, udp_open(loop, &(struct udp_options){.port = f.port}, &calls, &other, &t->fault) == ERR_BUSY && !other);
    CHECK(t, !strcmp(t->fault.code, "port_held"));
    t->fault = (struct fault){0};
    CHECK(t, udp_open(loop, &(struct udp_options){.bind = "here"}, &calls, &other, &t->fault) == ERR_INVALID && !other);
    CHECK(t, !strcmp(t->fault.code, "address"));
    t->fault = (struct fault){0};
    CHECK(t, !udp_open(loop, &(struct udp_options){.port = f.port, .try_next = true}, &calls, &other, &t->fault));
    CHECK(t, other && udp_port(other) > f.port && udp_port(other) <= f.port + 100);
    udp_close(other);
    loop_destroy(loop);
    udp_close(NULL);
    stop(&f);
}

static void nothing_is_heard_once_it_is_closed(struct t *t) {
    struct fixture f;
    int port, fd = peer_open(&port);
    start(t, &f, (struct udp_options){0});
    f.closes = true;
    say(fd, f.port, "1", 1);
    say(fd, f.port, "2", 1);
    wait_for(&f.heard, 1);
    stop(&f);
    CHECK(t, atomic_load(&f.heard) == 1);
    close(fd);
}

TESTS(CASE(a_datagram_comes_whole_and_goes_back), CASE(two_peers_are_told_apart), CASE(what_cannot_be_sent_is_said),
      CASE(what_is_for_everybody_goes_to_all_on_the_network_of_its_address),
      CASE(what_is_said_to_everybody_is_heard_by_one_with_an_address), CASE(a_held_port_is_told_or_stepped_over),
      CASE(nothing_is_heard_once_it_is_closed))
