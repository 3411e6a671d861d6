/* linli bench api: the newest cases of a street, an estate and a grid.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "main/bench/child.h"
#include "main/bench/fill.h"
#include "main/bench/load.h"
#include "net/client.h"

#include "main/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TARGET      "/api/v1/cases?limit=50&sort=-created_ms"
#define PAGE        50
#define PATIENCE_US INT64_C(10000000)
#define WARM_S      1 /* asked, not counted: connections open, caches fill */

static const struct scope_kind { /* one log-in for each way to see cases: figures by name */
    const char *user, *p50, *p99, *max;
} scopes[] = {{"street", "street_p50_ms", "street_p99_ms", "street_max_ms"},
              {"estate", "estate_p50_ms", "estate_p99_ms", "estate_max_ms"},
              {"grid", "grid_p50_ms", "grid_p99_ms", "grid_max_ms"}};

struct totals {
    double p50, p99, max, cpu_s, seconds;
    size_t answered, failed;
    int64_t bytes;
};

static struct bytes request(void *arg, size_t i) {
    (void)i;
    return *(struct bytes *)arg;
}

static struct bytes request_text(const char *token, char *mem, size_t size) {
    int n =
        snprintf(mem, size, "GET " TARGET " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", token);
    return (struct bytes){(const uint8_t *)mem, (size_t)n};
}

/* What is measured must be what was meant: a full page, of that many rows. */
static enum err look(const struct child *c, const char *token, const char *user, size_t least, struct fault *f) {
    char bearer[128];
    struct arena arena;
    struct client_reply reply = {0};
    json_t *json = NULL;
    struct fault ignored = {0};
    snprintf(bearer, sizeof bearer, "Bearer %s", token);
    struct http_header header = {S("Authorization"), str_of(bearer)};
    arena_init(&arena, (size_t)4 << 20);
    enum err e = client_call("127.0.0.1", c->port, &(struct client_ask){"GET", TARGET, &header, 1, {NULL, 0}}, 10000,
                             &arena, &reply);
    if (!e) e = json_read((struct str){(const char *)reply.body.ptr, reply.body.len}, &json, &ignored);
    size_t n = e ? 0 : json_array_size(json_object_get(json, "items"));
    json_decref(json);
    arena_finish(&arena);
    if (n >= least) return OK;
    return FAIL(f, ERR_INTERNAL, "bench", "%s sees %zu cases on a page, not %zu (%d)", user, n, least, reply.status);
}

static enum err run_load(const struct bench_options *o, const struct child *c, struct bytes text, int64_t seconds,
                         struct wires *ws, struct load **ret, struct fault *f) {
    struct load_options l = {.port = c->port,
                             .connections = (size_t)o->connections,
                             .rate = (double)o->rate,
                             .n = (size_t)(o->rate * seconds),
                             .request = request,
                             .arg = &text};
    TRY(load_open(ws, &l, ret, f));
    load_run(*ret, ws, PATIENCE_US);
    return bench_is_stopped ? FAIL(f, ERR_UNAVAILABLE, "stopped", "stopped") : OK;
}

static void count(const struct scope_kind *s, struct load *l, struct figures *ret, struct totals *t) {
    struct latencies got = load_result(l)->latencies;
    double p50 = (double)latencies_percentile(&got, 50) / 1000, p99 = (double)latencies_percentile(&got, 99) / 1000,
           max = (double)latencies_percentile(&got, 100) / 1000;
    figure_put(ret, s->p50, p50, 2, "ms");
    figure_put(ret, s->p99, p99, 2, "ms");
    figure_put(ret, s->max, max, 2, "ms");
    if (p50 > t->p50) t->p50 = p50;
    if (p99 > t->p99) t->p99 = p99;
    if (max > t->max) t->max = max;
    t->answered += load_result(l)->answered;
    t->failed += load_result(l)->failed;
    t->bytes += load_result(l)->bytes;
}

static enum err measure(const struct bench_options *o, const struct child *c, size_t at, const char *token,
                        struct figures *ret, struct totals *t, struct fault *f) {
    static struct wires ws; /* large */
    struct load *l = NULL;
    char mem[512];
    struct bytes text = request_text(token, mem, sizeof mem);
    TRY(look(c, token, scopes[at].user, (size_t)(o->cases / o->estates / 4 < PAGE ? 1 : PAGE), f));
    fprintf(stderr, "measuring: %s\n", scopes[at].user);
    enum err e = run_load(o, c, text, WARM_S, &ws, &l, f);
    load_close(l);
    wires_close(&ws);
    if (e) return e;
    l = NULL;
    int64_t begin = bench_now_us();
    double cpu = child_cpu_s(c);
    e = run_load(o, c, text, o->seconds, &ws, &l, f);
    if (!e) {
        t->cpu_s += child_cpu_s(c) - cpu;
        t->seconds += (double)(bench_now_us() - begin) / 1e6;
        count(&scopes[at], l, ret, t);
    }
    load_close(l);
    wires_close(&ws);
    return e;
}

static enum err measure_all(const struct bench_options *o, const struct child *c, const char *password,
                            struct figures *ret, struct fault *f) {
    struct totals t = {0};
    for (size_t i = 0; i < COUNT(scopes); i++) {
        char token[96];
        TRY(child_log_in(c, scopes[i].user, password, token, f));
        TRY(measure(o, c, i, token, ret, &t, f));
    }
    size_t n = t.answered ? t.answered : 1;
    figure_put(ret, "p50_ms", t.p50, 2, "ms"); /* of the worst scope each */
    figure_put(ret, "p99_ms", t.p99, 2, "ms");
    figure_put(ret, "max_ms", t.max, 2, "ms");
    figure_put(ret, "requests_per_s", (double)t.answered / t.seconds, 0, "/s");
    figure_put(ret, "failed", (double)t.failed, 0, "count");
    figure_put(ret, "answer_bytes", (double)t.bytes / (double)n, 0, "B");
    figure_put(ret, "server_cpu_us", t.cpu_s * 1e6 / (double)n, 0, "us");
    return OK;
}

/* Leaves it up until it is told to stop. */
static enum err serve(const struct child *c, const char *password, struct fault *f) {
    printf("ready http://127.0.0.1:%d\n", c->port);
    for (size_t i = 0; i < COUNT(scopes); i++) {
        char token[96];
        TRY(child_log_in(c, scopes[i].user, password, token, f));
        printf("token %s %s\n", scopes[i].user, token);
    }
    printf("try GET " TARGET "\n");
    fflush(stdout);
    while (!bench_is_stopped) sleep(1);
    return OK;
}

static enum err run_in(const struct bench_options *o, const char *dir, struct figures *ret, struct fault *f) {
    char password[33];
    struct child c = {.out = -1};
    bench_password(password);
    struct fill_plan plan = {.estates = o->estates, .cases = o->cases, .password = password};
    int64_t begin = bench_now_us();
    TRY(fill_site(dir, o->db, &plan, f));
    figure_put(ret, "cases", (double)o->cases, 0, "count");
    figure_put(ret, "estates", (double)o->estates, 0, "count");
    figure_put(ret, "fill_s", (double)(bench_now_us() - begin) / 1e6, 1, "s");
    enum err e = child_start(dir, o, o->serve_port < 0 ? 0 : (int)o->serve_port, &c, f);
    if (!e) e = o->serve_port < 0 ? measure_all(o, &c, password, ret, f) : serve(&c, password, f);
    child_stop(&c);
    return e;
}

static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    struct bench_options o = *options;
    char dir[512];
    if (!o.cases) o.cases = 100000;
    if (!o.estates) o.estates = 60;
    if (!o.rate) o.rate = 1000;
    if (!o.seconds) o.seconds = 10;
    if (!o.connections) o.connections = 64;
    if (o.connections > WIRES_MAX) return FAIL(f, ERR_LIMIT, "connections", "at most %d connections", WIRES_MAX);
    TRY(bench_dir_make(&o, dir, f));
    enum err e = run_in(&o, dir, ret, f);
    bench_dir_remove(dir);
    return e;
}

const struct bench bench_api = {"api", "newest 50 of 100,000 cases in 60 estates, 1,000 requests/s, by scope", run};
