/* Whom readings are sent to and asked of.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/target.h"

#include "main/bench/fill.h"
#include "net/client.h"
#include "net/client_parse.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK_MS    10000
#define BODY_MAX  ((size_t)256 << 20)
#define SETTLED_S 4

/* ---- ours or theirs ---- */

static enum err open_ours(struct target *t, const struct bench_options *o, const char *dir, int64_t meters,
                          struct fault *f) {
    struct fill_plan plan = {.estates = 1, .cases = 1, .meters = meters, .password = t->password};
    bench_password(t->password);
    TRY(fill_site(dir, o->db, &plan, f));
    TRY(child_start(dir, o, o->serve_port < 0 ? 0 : (int)o->serve_port, &t->child, f));
    t->port = t->child.port;
    snprintf(t->write, sizeof t->write, "/api/v1/ingest/line?precision=ms&community=" FILL_FIRST_ESTATE);
    return child_log_in(&t->child, "admin", t->password, t->token, f);
}

static enum err open_theirs(struct target *t, const struct bench_options *o, struct fault *f) {
    const char *slash = strchr(o->to, '/');
    int64_t port;
    if (!slash || !str_to_i64((struct str){o->to, (size_t)(slash - o->to)}, &port) || port < 1 || port > 65535 ||
        strlen(slash) >= sizeof t->write)
        return FAIL(f, ERR_INVALID, "to", "--to is PORT/path, such as 8428/write?precision=ms");
    t->is_peer = true;
    t->port = (int)port;
    t->child = (struct child){.pid = (pid_t)o->pid, .out = -1};
    snprintf(t->write, sizeof t->write, "%s", slash);
    return OK;
}

enum err target_open(struct target *t, const struct bench_options *o, const char *dir, int64_t meters,
                     struct fault *f) {
    *t = (struct target){.child.out = -1};
    return o->to ? open_theirs(t, o, f) : open_ours(t, o, dir, meters, f);
}

void target_close(struct target *t) {
    if (!t->is_peer) child_stop(&t->child);
}

enum err target_restart(struct target *t, const struct bench_options *o, const char *dir, double *ret_ms,
                        struct fault *f) {
    child_stop(&t->child);
    int64_t begin = bench_now_us();
    TRY(child_start(dir, o, t->port, &t->child, f));
    *ret_ms = (double)(bench_now_us() - begin) / 1000;
    return OK;
}

double target_cpu_s(const struct target *t) {
    return t->child.pid ? child_cpu_s(&t->child) : 0;
}

enum err target_metric(const struct target *t, const char *const *names, size_t n, double *ret, struct fault *f) {
    struct arena a;
    struct client_reply reply = {0};
    char bearer[128];
    snprintf(bearer, sizeof bearer, "Bearer %s", t->token);
    struct http_header header = {S("Authorization"), str_of(bearer)};
    struct client_ask ask = {"GET", "/metrics", &header, 1, {NULL, 0}};
    arena_init(&a, (size_t)1 << 20);
    enum err e = client_call("127.0.0.1", t->port, &ask, ASK_MS, &a, &reply);
    struct str rest = {(const char *)reply.body.ptr, reply.body.len}, line, name;
    for (size_t i = 0; i < n; i++) ret[i] = 0;
    while (!e && str_cut(&rest, '\n', &line)) {
        str_cut(&line, ' ', &name);
        for (size_t i = 0; i < n; i++)
            if (str_is(name, names[i])) (void)!str_to_f64(str_trim(line), &ret[i]);
    }
    arena_finish(&a);
    return !e && reply.status == 200
               ? OK
               : FAIL(f, ERR_UNAVAILABLE, "server", "the server shows no figures (%d)", reply.status);
}

enum err target_settle(const struct target *t, int most_s, struct fault *f) {
    static const char *const names[] = {"linli_telemetry_chunk_points", "linli_telemetry_chunk_bytes",
                                        "linli_telemetry_log_bytes"};
    double now[COUNT(names)] = {0}, before[COUNT(names)] = {-1};
    int same = 0;
    for (int i = 0; i < most_s && same < SETTLED_S && !bench_is_stopped; i++) {
        TRY(target_metric(t, names, COUNT(names), now, f));
        same = memcmp(now, before, sizeof now) ? 0 : same + 1;
        memcpy(before, now, sizeof before);
        sleep(1);
    }
    return OK;
}

/* ---- one kept connection ---- */

int target_dial(const struct target *t) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && !connect(fd, (const struct sockaddr *)&at, sizeof at)) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

size_t target_head(const struct target *t, const char *method, const char *path, const char *type, size_t body_len,
                   char *out, size_t cap) {
    struct buf b;
    struct str text = {NULL, 0};
    buf_init(&b, out, cap);
    buf_fmt(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", method, path, t->port);
    if (t->token[0]) buf_fmt(&b, "Authorization: Bearer %s\r\n", t->token);
    if (type) buf_fmt(&b, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, body_len);
    buf_cstr(&b, "\r\n");
    return buf_done(&b, &text) ? text.len : 0;
}

static bool send_all(int fd, const char *bytes, size_t n) {
    while (n) {
        ssize_t put = send(fd, bytes, n, MSG_NOSIGNAL);
        if (put <= 0) return false;
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

void target_ask(int fd, const char *bytes, size_t n, struct target_answer *ret) {
    static uint8_t block[256 * 1024];
    struct client_parse *p = client_parse_create(false, BODY_MAX);
    enum client_parse_event event = CLIENT_MORE;
    *ret = (struct target_answer){0};
    bool ok = p && send_all(fd, bytes, n);
    while (ok && event == CLIENT_MORE) {
        ssize_t got = recv(fd, block, sizeof block, 0);
        ok = got > 0;
        if (ok) event = client_parse_feed(p, (struct bytes){block, (size_t)got});
    }
    if (ok && event == CLIENT_DONE) {
        struct str body = {(const char *)p->reply.body.ptr, p->reply.body.len};
        *ret = (struct target_answer){.status = p->reply.status, .body_len = body.len};
        if (body.len >= sizeof ret->say) body.len = sizeof ret->say - 1;
        snprintf(ret->say, sizeof ret->say, STR_FMT, STR_ARG(body));
    }
    client_parse_destroy(p);
}
