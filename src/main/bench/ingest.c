/* linli bench ingest: readings in line protocol over one connection, each request answered before the next.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/bench.h"
#include "main/bench/child.h"
#include "main/bench/fill.h"
#include "main/bench/pace.h"
#include "main/bench/readings.h"
#include "net/client.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_MS      INT64_C(10000)
#define ASK_MS       10000
#define REPLY_MAX    4096
#define HEAD_MAX     512
#define SETTLED_S    4 /* nothing changes any more */
#define SETTLE_MAX_S 30

struct target {
    char host[64], path[256], token[96];
    int port;
    struct child child; /* of the server; only its number where it is a peer */
    bool is_peer;
};

/* What is sent, made beforehand so that making it costs the server no time. */
struct request {
    char *bytes;
    size_t n, values;
};
struct ingest {
    const struct bench_options *o;
    struct target to;
    struct request *requests;
    size_t n;
    int64_t values;
    struct latencies latencies;
};

/* ---- what is sent ---- */

static enum err put_request(struct ingest *b, struct readings *r, char *lines, size_t values, struct fault *f) {
    struct request *q = &b->requests[b->n];
    size_t len;
    char head[HEAD_MAX], auth[128] = "";
    q->values = readings_put(r, values, lines, &len);
    if (b->to.token[0]) snprintf(auth, sizeof auth, "Authorization: Bearer %s\r\n", b->to.token);
    int n = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nHost: %s:%d\r\n%sContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                     b->to.path, b->to.host, b->to.port, auth, len);
    if (n < 0 || n >= HEAD_MAX) return FAIL(f, ERR_LIMIT, "to", "the address is too long");
    q->bytes = malloc((size_t)n + len);
    if (!q->bytes) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    memcpy(q->bytes, head, (size_t)n);
    memcpy(q->bytes + n, lines, len);
    q->n = (size_t)n + len;
    b->values += (int64_t)q->values;
    b->n++;
    return OK;
}

static enum err put_requests(struct ingest *b, struct fault *f) {
    const struct bench_options *o = b->o;
    struct readings r;
    struct readings_plan plan = {.devices = o->series / READINGS_METRICS,
                                 .steps = o->points / o->series,
                                 .step_ms = STEP_MS,
                                 .fields = (int)o->fields};
    plan.start_ms = bench_utc_s() * 1000 - plan.steps * STEP_MS;
    size_t values = (size_t)(o->batch * o->fields), most = (size_t)o->points / values + 2;
    char *lines = malloc((values / READINGS_METRICS + 1) * READINGS_LINE_MAX);
    b->requests = calloc(most, sizeof *b->requests);
    bool ok = lines && b->requests && latencies_init(&b->latencies, most);
    enum err e = ok ? readings_begin(&r, &plan, f) : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    if (!e) {
        while (!e && b->n < most && r.step < plan.steps) e = put_request(b, &r, lines, values, f);
        readings_end(&r);
    }
    free(lines);
    return e;
}

/* ---- sending ---- */

static int dial(const struct target *to) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && !connect(fd, (const struct sockaddr *)&at, sizeof at)) return fd;
    if (fd >= 0) close(fd);
    return -1;
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

/* Status of the answer, which has no body when all is well; 0: none came. */
static int read_status(int fd, char reply[REPLY_MAX]) {
    size_t n = 0;
    int status = 0;
    while (n < REPLY_MAX - 1) {
        ssize_t got = recv(fd, reply + n, REPLY_MAX - 1 - n, 0);
        if (got <= 0) return 0;
        n += (size_t)got;
        reply[n] = 0;
        const char *end = strstr(reply, "\r\n\r\n");
        if (!end || sscanf(reply, "HTTP/1.%*d %d", &status) != 1) continue;
        if (status / 100 == 2) return status;
        if (end[4]) { /* what it says of what is wrong */
            memmove(reply, end + 4, strlen(end + 4) + 1);
            return status;
        }
    }
    return 0;
}

static enum err send_requests(struct ingest *b, struct fault *f) {
    char reply[REPLY_MAX];
    int fd = dial(&b->to), status = 204;
    if (fd < 0) return FAIL(f, ERR_UNAVAILABLE, "server", "nothing listens on port %d", b->to.port);
    for (size_t i = 0; i < b->n && status / 100 == 2 && !bench_is_stopped; i++) {
        int64_t begin = bench_now_us();
        status = send_all(fd, b->requests[i].bytes, b->requests[i].n) ? read_status(fd, reply) : 0;
        latencies_add(&b->latencies, bench_now_us() - begin);
    }
    close(fd);
    if (bench_is_stopped) return FAIL(f, ERR_UNAVAILABLE, "stopped", "stopped");
    return status / 100 == 2 ? OK : FAIL(f, ERR_INTERNAL, "bench", "the server answered %d: %.300s", status, reply);
}

/* ---- figures ---- */

static enum err read_metrics(const struct target *to, struct arena *a, struct str *ret, struct fault *f) {
    struct client_reply reply = {0};
    char bearer[128];
    snprintf(bearer, sizeof bearer, "Bearer %s", to->token);
    struct http_header header = {S("Authorization"), str_of(bearer)};
    struct client_ask ask = {"GET", "/metrics", &header, 1, {NULL, 0}};
    if (client_call(to->host, to->port, &ask, ASK_MS, a, &reply) || reply.status != 200)
        return FAIL(f, ERR_UNAVAILABLE, "server", "the server shows no figures (%d)", reply.status);
    *ret = (struct str){(const char *)reply.body.ptr, reply.body.len};
    return OK;
}

static double metric(struct str text, const char *name) {
    struct str line;
    while (str_cut(&text, '\n', &line)) {
        double v;
        if (str_starts(line, str_of(name)) && str_to_f64(str_trim(str_from(line, strlen(name))), &v)) return v;
    }
    return 0;
}

struct disk {
    double points, chunks, log; /* sealed; bytes */
};

static enum err read_disk(struct ingest *b, struct disk *ret, struct fault *f) {
    struct arena a;
    struct str text = {0};
    arena_init(&a, (size_t)1 << 20);
    enum err e = read_metrics(&b->to, &a, &text, f);
    *ret = (struct disk){metric(text, "linli_telemetry_chunk_points "), metric(text, "linli_telemetry_chunk_bytes "),
                         metric(text, "linli_telemetry_log_bytes ")};
    arena_finish(&a);
    return e;
}

/* Bytes once the store has come to rest. */
static enum err put_disk(struct ingest *b, struct figures *ret, struct fault *f) {
    struct disk now, before = {-1, -1, -1};
    int same = 0;
    for (int i = 0; i < SETTLE_MAX_S && same < SETTLED_S && !bench_is_stopped; i++) {
        TRY(read_disk(b, &now, f));
        same = memcmp(&now, &before, sizeof now) ? 0 : same + 1;
        before = now;
        sleep(1);
    }
    figure_put(ret, "sealed", now.points / (double)b->values * 100, 1, "%");
    figure_put(ret, "sealed_bytes_per_point", now.points > 0 ? now.chunks / now.points : 0, 3, "B");
    figure_put(ret, "bytes_per_point", (now.chunks + now.log) / (double)b->values, 3, "B");
    return OK;
}

static enum err measure(struct ingest *b, struct figures *ret, struct fault *f) {
    TRY(put_requests(b, f));
    double cpu = child_cpu_s(&b->to.child);
    int64_t begin = bench_now_us();
    TRY(send_requests(b, f));
    double seconds = (double)(bench_now_us() - begin) / 1e6, values = (double)b->values;
    figure_put(ret, "values", values, 0, "count");
    figure_put(ret, "values_per_s", values / seconds, 0, "/s");
    figure_put(ret, "server_cpu_ns", (child_cpu_s(&b->to.child) - cpu) * 1e9 / values, 0, "ns");
    figure_put(ret, "p50_ms", (double)latencies_percentile(&b->latencies, 50) / 1000, 2, "ms");
    figure_put(ret, "p99_ms", (double)latencies_percentile(&b->latencies, 99) / 1000, 2, "ms");
    return b->to.is_peer ? OK : put_disk(b, ret, f);
}

/* ---- whom it is sent to ---- */

static enum err ours(struct ingest *b, const char *dir, struct fault *f) {
    char password[33];
    struct fill_plan plan = {.estates = 1, .cases = 1, .password = password};
    bench_password(password);
    TRY(fill_site(dir, b->o->db, &plan, f));
    TRY(child_start(dir, b->o->db, 0, &b->to.child, f));
    b->to.port = b->to.child.port;
    snprintf(b->to.host, sizeof b->to.host, "127.0.0.1");
    snprintf(b->to.path, sizeof b->to.path, "/api/v1/ingest/line?precision=ms&community=" FILL_FIRST_ESTATE);
    return child_log_in(&b->to.child, "admin", password, b->to.token, f);
}

/* "PORT/path" on this machine. */
static enum err theirs(struct ingest *b, struct fault *f) {
    const char *slash = strchr(b->o->to, '/');
    int64_t port;
    if (!slash || !str_to_i64((struct str){b->o->to, (size_t)(slash - b->o->to)}, &port) || port < 1 || port > 65535 ||
        strlen(slash) >= sizeof b->to.path)
        return FAIL(f, ERR_INVALID, "to", "--to is PORT/path, such as 8428/write?precision=ms");
    b->to.is_peer = true;
    b->to.port = (int)port;
    b->to.child = (struct child){.pid = (pid_t)b->o->pid, .out = -1};
    snprintf(b->to.host, sizeof b->to.host, "127.0.0.1");
    snprintf(b->to.path, sizeof b->to.path, "%s", slash);
    return OK;
}

static enum err run_in(struct ingest *b, const char *dir, struct figures *ret, struct fault *f) {
    enum err e = b->o->to ? theirs(b, f) : ours(b, dir, f);
    if (!e) e = measure(b, ret, f);
    if (!b->to.is_peer) child_stop(&b->to.child);
    for (size_t i = 0; i < b->n; i++) free(b->requests[i].bytes);
    free(b->requests);
    latencies_free(&b->latencies);
    return e;
}

static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    struct bench_options o = *options;
    struct ingest b = {.o = &o, .to.child.out = -1};
    char dir[512];
    if (!o.series) o.series = 10000;
    if (!o.points) o.points = 10000000;
    if (!o.fields) o.fields = 1;
    if (!o.batch) o.batch = 10000;
    if (o.fields != 1 && o.fields != READINGS_METRICS)
        return FAIL(f, ERR_INVALID, "fields", "--fields is 1 or %d", READINGS_METRICS);
    TRY(bench_dir_make(&o, dir, f));
    enum err e = run_in(&b, dir, ret, f);
    bench_dir_remove(dir);
    return e;
}

const struct bench bench_ingest = {"ingest", "line protocol over one connection, durable before each answer", run};
