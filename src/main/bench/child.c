/* The server under load.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/child.h"

#include "base/json.h"
#include "main/bench/bench.h"
#include "net/client.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_US INT64_C(60000000)
#define ASK_MS   10000

static void exec_server(const char *dir, const struct bench_options *o, int http_port, int out) {
    char port[16], log[600];
    snprintf(port, sizeof port, "%d", http_port);
    snprintf(log, sizeof log, "%s/log", dir);
    int in = open("/dev/null", O_RDONLY), err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a bench that is killed leaves no server behind */
    if (in < 0 || err < 0) _exit(126);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    const char *argv[] = {"linli",  "serve", "--port", port, "--mqtt", "0",  "--lines", "0",
                          "--data", dir,     NULL,     NULL, NULL,     NULL, NULL};
    size_t n = COUNT(argv) - 5;
    if (o->db) argv[n++] = "--db", argv[n++] = o->db;
    if (o->chunks) argv[n++] = "--chunks", argv[n++] = o->chunks;
    execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* "ready http://127.0.0.1:8080", "listen gb26875 127.0.0.1:26875" */
static bool take_line(struct child *c, const char *line) {
    const char *colon = strrchr(line, ':');
    int64_t number = 0;
    if (!colon || !str_to_i64(str_of(colon + 1), &number)) return false;
    int port = (int)number;
    if (!strncmp(line, "listen gb26875 ", 15)) c->fire_port = port;
    if (!strncmp(line, "listen mqtt ", 12)) c->mqtt_port = port;
    if (strncmp(line, "ready ", 6)) return false;
    c->port = port;
    return true;
}

static bool wait_ready(struct child *c) {
    char text[4096];
    size_t n = 0;
    int64_t until = bench_now_us() + START_US;
    while (!bench_is_stopped && bench_now_us() < until && n < sizeof text - 1) {
        struct pollfd p = {.fd = c->out, .events = POLLIN};
        if (poll(&p, 1, 100) <= 0) continue;
        ssize_t got = read(c->out, text + n, sizeof text - 1 - n);
        if (got <= 0) return false;
        text[n += (size_t)got] = 0;
        for (char *end; (end = strchr(text, '\n'));) {
            *end = 0;
            if (take_line(c, text)) return true;
            n -= (size_t)(end + 1 - text);
            memmove(text, end + 1, n + 1);
        }
    }
    return false;
}

/* Of what it wrote on its standard error. */
static void last_line(const char *dir, char *ret, size_t cap) {
    char path[600], line[1024];
    snprintf(path, sizeof path, "%s/log", dir);
    FILE *in = fopen(path, "r");
    ret[0] = 0;
    while (in && fgets(line, sizeof line, in)) snprintf(ret, cap, "%.*s", (int)strcspn(line, "\n"), line);
    if (in) fclose(in);
}

enum err child_start(const char *dir, const struct bench_options *o, int http_port, struct child *ret,
                     struct fault *f) {
    int ends[2];
    struct child c = {.out = -1};
    if (pipe(ends)) return FAIL(f, ERR_INTERNAL, "pipe", "no pipe for the server's output");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    c.pid = fork();
    if (!c.pid) exec_server(dir, o, http_port, ends[1]);
    close(ends[1]);
    c.out = ends[0];
    *ret = c;
    if (c.pid < 0) return FAIL(f, ERR_INTERNAL, "fork", "no process for the server");
    if (wait_ready(ret)) return OK;
    child_stop(ret);
    char last[160];
    last_line(dir, last, sizeof last);
    return FAIL(f, ERR_UNAVAILABLE, "server", "the server does not get ready: %s", last);
}

void child_stop(struct child *c) {
    if (c->pid > 0) {
        kill(c->pid, SIGTERM);
        waitpid(c->pid, NULL, 0);
        close(c->out);
    }
    *c = (struct child){.out = -1};
}

/* proc(5): utime and stime are fields 14 and 15, counted behind the name in brackets. */
double child_cpu_s(const struct child *c) {
    char path[64], text[1024];
    unsigned long long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)c->pid);
    FILE *in = fopen(path, "r");
    size_t n = in ? fread(text, 1, sizeof text - 1, in) : 0;
    if (in) fclose(in);
    text[n] = 0;
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* proc(5): statm counts pages; the second is what is resident. */
double child_memory_mb(const struct child *c) {
    char path[64];
    long long size = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)c->pid);
    FILE *in = fopen(path, "r");
    bool ok = in && fscanf(in, "%lld %lld", &size, &resident) == 2;
    if (in) fclose(in);
    return ok ? (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6 : 0;
}

enum err child_log_in(const struct child *c, const char *user, const char *password, char ret[96], struct fault *f) {
    char body[256];
    struct arena arena;
    struct client_reply reply = {0};
    struct http_header type = {S("Content-Type"), S("application/json")};
    json_t *json = NULL;
    struct fault ignored = {0};
    int n = snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    struct client_ask ask = {"POST", "/api/v1/login", &type, 1, {(const uint8_t *)body, (size_t)n}};
    arena_init(&arena, (size_t)1 << 20);
    enum err e = client_call("127.0.0.1", c->port, &ask, ASK_MS, &arena, &reply);
    if (!e) e = json_read((struct str){(const char *)reply.body.ptr, reply.body.len}, &json, &ignored);
    const char *token = e ? NULL : json_string_value(json_object_get(json, "token"));
    if (token) snprintf(ret, 96, "%s", token);
    json_decref(json);
    arena_finish(&arena);
    return token ? OK : FAIL(f, ERR_UNAVAILABLE, "server", "the server does not let %s in (%d)", user, reply.status);
}
