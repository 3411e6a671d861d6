/* Numbered events to many clients: in order, once, each at its own pace.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http_rows.h"
#include "net/sse.h"
#include "net/sse_hub.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

#define PAGE   10
#define PADDED 3000 /* bytes of an event where it is padded */

struct site;
struct listener {
    struct sse_client sse; /* first */
    bool is_poor;          /* there is no memory for its first page */
};
struct site {
    struct test_loop tl;
    struct http_server *server;
    struct sse_hub *hub;
    _Atomic int64_t newest, first_after; /* number given last; what the first run read after */
    atomic_int reads, refused, gone, checks;
    atomic_bool is_padded, is_over, is_idle, is_unknown; /* is_unknown: checks find nothing out */
    struct arena arena;
};

static void put_event(struct site *s, struct buf *b, int64_t number) {
    static char padding[PADDED + 1];
    char id[24];
    if (!padding[0]) memset(padding, '.', PADDED);
    snprintf(id, sizeof id, "%lld", (long long)number);
    sse_event(b, str_of(id), S("n"), atomic_load(&s->is_padded) ? str_of(padding) : S("x"));
}

static bool on_read(void *arg, struct sse_run *run) {
    struct site *s = arg;
    bool fits = true;
    int64_t newest = atomic_load(&s->newest);
    if (atomic_fetch_add(&s->reads, 1) == 0) atomic_store(&s->first_after, run->after);
    run->read_to = run->after + PAGE < newest ? run->after + PAGE : newest;
    run->more = run->read_to < newest;
    for (struct sse_client *c = run->clients; c; c = c->next_in_run) {
        struct listener *l = (struct listener *)c;
        struct buf b;
        if (l->is_poor) {
            l->is_poor = fits = false;
            continue;
        }
        buf_init_arena(&b, &s->arena, 200000);
        for (int64_t i = c->last + 1; i <= run->read_to; i++) put_event(s, &b, i);
        if (b.len && !buf_done(&b, &c->text)) abort();
        if (run->read_to > c->last) c->last = run->read_to;
    }
    return fits;
}

static bool on_check(void *arg, struct sse_run *run) {
    struct site *s = arg;
    atomic_fetch_add(&s->checks, 1);
    if (atomic_load(&s->is_unknown)) return false;
    for (struct sse_client *c = run->clients; c; c = c->next_in_run) c->is_over = atomic_load(&s->is_over);
    return true;
}

static void on_told(void *arg) {
    arena_reset(&((struct site *)arg)->arena);
}

static void on_gone(void *arg, struct sse_client *c) {
    free(c);
    atomic_fetch_add(&((struct site *)arg)->gone, 1);
}

static void handle(void *arg, const struct http_request *req) {
    struct site *s = arg;
    struct listener *l = calloc(1, sizeof *l);
    l->is_poor = str_is(req->path, "/poor");
    if (sse_hub_begin(s->hub, &l->sse, req, NULL, 0, atomic_load(&s->newest))) return;
    free(l);
    http_respond(req, &(struct http_answer){.status = 503, .close = true});
    atomic_fetch_add(&s->refused, 1);
}

static void start(struct site *s, struct t *t, int64_t newest, int64_t check_ms) {
    *s = (struct site){.newest = newest};
    arena_init(&s->arena, 64u << 20);
    CHECK(t, !loop_create(&s->tl.loop));
    const struct sse_hub_options options = {.loop = s->tl.loop,
                                            .clients_max = 3,
                                            .check_ms = check_ms,
                                            .read = on_read,
                                            .check = on_check,
                                            .told = on_told,
                                            .gone = on_gone,
                                            .arg = s};
    CHECK(t, !sse_hub_create(&options, &s->hub));
    CHECK(t, !http_server_open(s->tl.loop, &(struct http_options){0}, handle, s, &s->server, &t->fault));
    test_loop_start(&s->tl);
}

static void close_all(void *arg) {
    struct site *s = arg;
    http_server_close(s->server);
    sse_hub_close(s->hub);
}
static void look_busy(void *arg) {
    struct site *s = arg;
    atomic_store(&s->is_idle, !sse_hub_is_busy(s->hub));
}

static void end(struct site *s) {
    test_on_loop(s->tl.loop, close_all, s);
    while (!atomic_load(&s->is_idle)) test_on_loop(s->tl.loop, look_busy, s);
    sse_hub_destroy(s->hub);
    test_loop_end(&s->tl, NULL, NULL);
    arena_finish(&s->arena);
}

/* after: as Last-Event-ID; NULL: none. */
static int join(struct site *s, const char *path, const char *after) {
    char ask[200], got[1024];
    int fd = peer_dial(http_server_port(s->server));
    snprintf(ask, sizeof ask, "GET %s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n", path, after ? "Last-Event-ID: " : "",
             after ? after : "", after ? "\r\n" : "");
    peer_send(fd, str_of(ask));
    (void)peer_read(fd, got, sizeof got, "\n:\n\n\r\n");
    return fd;
}

static void tell(struct site *s, int64_t number) {
    atomic_store(&s->newest, number);
    sse_hub_wake(s->hub);
}

/* Reads the numbers after `from` up to `to`; false where one is missing, comes twice or out of order. */
static bool reads_exactly(int fd, int64_t from, int64_t to) {
    static char got[8192];
    char want[40];
    while (from < to) {
        (void)peer_read(fd, got, sizeof got, "\n\n");
        snprintf(want, sizeof want, "id: %lld\n", (long long)++from);
        const char *id = strstr(got, "id: ");
        if (!id || strncmp(id, want, strlen(want)) != 0) return false;
    }
    return true;
}

static void each_is_told_what_comes_after_the_number_it_names(struct t *t) {
    static const struct {
        const char *after;
        int64_t from;
    } rows[] = {{NULL, 95}, {"95", 95}, {"94", 94}, {"20", 20}, {"0", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        start(&s, t, 95, 60000);
        int fd = join(&s, "/", rows[i].after), other = join(&s, "/", NULL);
        tell(&s, 96);
        tell(&s, 130);
        CHECK_SAY(t, reads_exactly(fd, rows[i].from, 130), "after %lld", (long long)rows[i].from);
        CHECK(t, reads_exactly(other, 95, 130));
        tell(&s, 131);
        CHECK(t, reads_exactly(fd, 130, 131) && reads_exactly(other, 130, 131));
        close(fd);
        close(other);
        end(&s);
    }
}

static void a_number_never_given_is_older_than_everything(struct t *t) {
    static const char *const ids[] = {"96", "-5", "zebra", "99999999999999999999999"};
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct site s;
        start(&s, t, 95, 60000);
        int fd = join(&s, "/", ids[i]);
        while (!atomic_load(&s.reads)) (void)poll(NULL, 0, 1);
        CHECK_SAY(t, atomic_load(&s.first_after) == -1, "%s", ids[i]);
        close(fd);
        end(&s);
    }
}

static void one_that_does_not_read_waits_for_nobody_and_nobody_for_it(struct t *t) {
    struct site s;
    const int64_t many = 10000; /* 30 MB: more than sockets hold */
    start(&s, t, many, 60000);
    atomic_store(&s.is_padded, true);
    int slow = join(&s, "/", "0"), fast = join(&s, "/", NULL);
    for (int64_t n = many + 1; n <= many + 50; n++) {
        tell(&s, n);
        CHECK(t, reads_exactly(fast, n - 1, n));
    }
    CHECK_SAY(t, atomic_load(&s.reads) < many / PAGE, "%d pages", atomic_load(&s.reads));
    CHECK(t, atomic_load(&s.gone) == 0); /* and it is not cut off: what it has not read is not written either */
    atomic_store(&s.is_padded, false);
    close(fast);
    struct linger now = {1, 0};
    setsockopt(slow, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(slow);
    end(&s);
    CHECK(t, atomic_load(&s.gone) == 2);
}

static void one_there_is_no_memory_for_is_told_later(struct t *t) {
    struct site s;
    start(&s, t, 5, 60000);
    int poor = join(&s, "/poor", NULL), other = join(&s, "/", NULL);
    tell(&s, 8);
    CHECK(t, reads_exactly(other, 5, 8) && reads_exactly(poor, 5, 8));
    close(poor);
    close(other);
    end(&s);
}

static void a_check_ends_streams_but_only_where_it_knows(struct t *t) {
    struct site s;
    char got[1024];
    start(&s, t, 5, 1);
    atomic_store(&s.is_unknown, true);
    atomic_store(&s.is_over, true);
    int fd = join(&s, "/", NULL);
    while (!atomic_load(&s.checks)) (void)poll(NULL, 0, 1);
    tell(&s, 6);
    CHECK(t, reads_exactly(fd, 5, 6));
    atomic_store(&s.is_unknown, false);
    int second = join(&s, "/", NULL);
    (void)peer_read(second, got, sizeof got, "0\r\n\r\n");
    CHECK_SAY(t, strstr(got, "0\r\n\r\n") != NULL, "%s", got);
    tell(&s, 7);
    CHECK(t, reads_exactly(fd, 6, 7)); /* the first one is not asked again at once */
    close(fd);
    close(second);
    end(&s);
}

static void too_many_are_refused(struct t *t) {
    struct site s;
    int fds[4];
    start(&s, t, 5, 60000);
    for (size_t i = 0; i < COUNT(fds); i++) fds[i] = join(&s, "/", NULL);
    CHECK(t, sse_hub_clients(s.hub) == 3 && atomic_load(&s.refused) == 1);
    close(fds[0]);
    while (!atomic_load(&s.gone)) (void)poll(NULL, 0, 1);
    int again = join(&s, "/", NULL);
    tell(&s, 6);
    CHECK(t, reads_exactly(again, 5, 6));
    for (size_t i = 1; i < COUNT(fds); i++) close(fds[i]);
    close(again);
    end(&s);
}

static void a_head_is_the_headers_of_a_stream_and_no_stream(struct t *t) {
    struct site s;
    char got[1024];
    start(&s, t, 5, 60000);
    int fd = peer_dial(http_server_port(s.server));
    for (int i = 0; i < 4; i++) { /* one more than streams may be open, on one connection */
        peer_send(fd, S("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"));
        (void)peer_read(fd, got, sizeof got, "\r\n\r\n");
        CHECK_SAY(t, peer_status(got) == 200 && !strstr(got, "Content-Length"), "%s", got);
        while (atomic_load(&s.gone) <= i) (void)poll(NULL, 0, 1);
    }
    shutdown(fd, SHUT_WR);
    CHECK_SAY(t, peer_read(fd, got, sizeof got, NULL) && !*got, "%s", got);
    CHECK(t, !sse_hub_clients(s.hub) && !atomic_load(&s.refused));
    close(fd);
    end(&s);
}

TESTS(CASE(each_is_told_what_comes_after_the_number_it_names), CASE(a_number_never_given_is_older_than_everything),
      CASE(one_that_does_not_read_waits_for_nobody_and_nobody_for_it), CASE(one_there_is_no_memory_for_is_told_later),
      CASE(a_check_ends_streams_but_only_where_it_knows), CASE(too_many_are_refused),
      CASE(a_head_is_the_headers_of_a_stream_and_no_stream))
