/* Starts and tears down the test program's own PostgreSQL.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/pg.h"

#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX       24
#define STARTS_MAX     50 /* after a kill the old processes may take a moment to go */
#define START_EVERY_MS 200

static struct {
    char dir[32]; /* short: a socket's path has at most 107 bytes */
    char bin[128];
    int guard_pipe; /* when its last writer is gone the watchdog tears the cluster down */
    pid_t guard;
    bool durable, tried, running;
    int databases;
} pg = {.guard_pipe = -1};

/* ---- processes ---- */

/* The cluster's owner may not be root, and must not see our environment. */
static void exec_as_owner(const char *program, const char *const *args) {
    char path[256], environment_path[192], home[64];
    snprintf(path, sizeof path, "%s/%s", pg.bin, program);
    snprintf(environment_path, sizeof environment_path, "PATH=%s:/usr/bin:/bin", pg.bin);
    snprintf(home, sizeof home, "HOME=%s", pg.dir);
    const char *argv[ARGS_MAX];
    size_t n = 0;
    if (geteuid() == 0) {
        static const char *const owner[] = {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres",
                                            "--clear-groups"};
        for (size_t i = 0; i < COUNT(owner); i++) argv[n++] = owner[i];
    }
    const char *const clean[] = {"/usr/bin/env", "-i", environment_path, home, "LC_ALL=C", "TZ=UTC", path};
    for (size_t i = 0; i < COUNT(clean); i++) argv[n++] = clean[i];
    for (size_t i = 0; args[i] && n < ARGS_MAX - 1; i++) argv[n++] = args[i];
    argv[n] = NULL;
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static bool run(const char *program, const char *const *args) {
    pid_t pid = fork();
    if (pid < 0) return false;
    if (!pid) {
        char log[64];
        snprintf(log, sizeof log, "%s/tools.log", pg.dir);
        int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (setsid() < 0 || in < 0 || out < 0 || chdir(pg.dir)) _exit(126);
        dup2(in, 0);
        dup2(out, 1);
        dup2(out, 2);
        exec_as_owner(program, args);
    }
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A shell that waits for the end of its input, which comes when this program ends in whatever way. */
static bool start_guard(void) {
    static const char script[] =
        "trap '' HUP INT TERM; cd /; read -r line; p=$(head -n 1 \"$1/data/postmaster.pid\" 2>/dev/null); n=0\n"
        "ours() { [ -n \"$p\" ] && grep -q \"$1\" \"/proc/$p/cmdline\" 2>/dev/null; }\n"
        "while ours \"$1\" && [ $n -lt 100 ]; do\n"
        "  if [ $n = 0 ]; then kill -CONT \"$p\"; kill -QUIT \"$p\"; fi\n"
        "  if [ $n = 60 ]; then kill -KILL \"$p\"; fi\n"
        "  n=$((n + 1)); sleep 0.1\n"
        "done\n"
        "rm -rf \"$1\"\n";
    int ends[2];
    if (pipe(ends)) return false;
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pg.guard = fork();
    if (pg.guard < 0) return false;
    if (!pg.guard) {
        int null = open("/dev/null", O_WRONLY);
        if (setsid() < 0 || null < 0) _exit(126);
        dup2(ends[0], 0);
        dup2(null, 1); /* or who waits for our output to end would wait for the watchdog */
        dup2(null, 2);
        close(ends[0]);
        execl("/bin/sh", "sh", "-c", script, "guard", pg.dir, (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    pg.guard_pipe = ends[1];
    return true;
}

static void end_guard(void) {
    if (pg.guard_pipe < 0) return;
    close(pg.guard_pipe);
    pg.guard_pipe = -1;
    waitpid(pg.guard, NULL, 0);
}

/* ---- the cluster ---- */

static bool write_settings(void) {
    char path[64];
    snprintf(path, sizeof path, "%s/data/postgresql.conf", pg.dir);
    FILE *file = fopen(path, "a");
    if (!file) return false;
    const char *durable = pg.durable ? "on" : "off"; /* a killed server loses nothing either way, a machine would */
    fprintf(file,
            "listen_addresses = ''\nunix_socket_directories = '%s'\nfsync = %s\nfull_page_writes = %s\n"
            "shared_buffers = 32MB\nlog_min_messages = warning\n",
            pg.dir, durable, durable);
    return fclose(file) == 0;
}

static bool find_programs(void) {
    glob_t found = {0};
    bool ok = !glob("/usr/lib/postgresql/*/bin/pg_ctl", 0, NULL, &found) && found.gl_pathc > 0;
    if (ok) {
        const char *last = found.gl_pathv[found.gl_pathc - 1];
        snprintf(pg.bin, sizeof pg.bin, "%.*s", (int)(strlen(last) - strlen("/pg_ctl")), last);
    }
    globfree(&found);
    return ok;
}

static bool own_dir(void) {
    snprintf(pg.dir, sizeof pg.dir, "/tmp/lpg.XXXXXX");
    if (!mkdtemp(pg.dir)) return false;
    if (geteuid() != 0) return true;
    const struct passwd *owner = getpwnam("postgres");
    return owner && !chown(pg.dir, owner->pw_uid, owner->pw_gid);
}

static bool start_server(void) {
    char data[48], log[48];
    snprintf(data, sizeof data, "%s/data", pg.dir);
    snprintf(log, sizeof log, "%s/log", pg.dir);
    return run("pg_ctl", (const char *const[]){"-D", data, "-l", log, "-w", "-s", "start", NULL});
}

static bool create_cluster(void) {
    if (!find_programs() || !own_dir() || !start_guard()) return false;
    atexit(end_guard);
    char data[48];
    snprintf(data, sizeof data, "%s/data", pg.dir);
    if (!run("initdb",
             (const char *const[]){"-D", data, "-A", "trust", "-U", "linli", "--locale=C", "-E", "UTF8", "-N", NULL}))
        return false;
    return write_settings() && start_server();
}

void test_pg_durable(void) {
    pg.durable = true;
}

const char *test_pg_url(struct t *t) {
    if (!pg.tried) {
        pg.tried = true;
        pg.running = create_cluster();
    }
    CHECK_SAY(t, pg.running, "PostgreSQL does not run (its programs said why in %s)", pg.dir);
    if (!pg.running) return NULL;
    char text[160];
    snprintf(text, sizeof text, "postgres://linli@/postgres?host=%s", pg.dir);
    PGconn *conn = PQconnectdb(text);
    snprintf(text, sizeof text, "CREATE DATABASE t%d", ++pg.databases);
    PGresult *res = PQexec(conn, text);
    bool ok = PQresultStatus(res) == PGRES_COMMAND_OK;
    CHECK_SAY(t, ok, "no database: %s", PQerrorMessage(conn));
    PQclear(res);
    PQfinish(conn);
    snprintf(text, sizeof text, "postgres://linli@/t%d?host=%s", pg.databases, pg.dir);
    return ok ? arena_cstr(&t->arena, str_of(text)) : NULL;
}

/* ---- losing it ---- */

bool test_pg_stop(struct t *t) {
    char data[48];
    snprintf(data, sizeof data, "%s/data", pg.dir);
    bool ok =
        pg.running && run("pg_ctl", (const char *const[]){"-D", data, "-m", "immediate", "-w", "-s", "stop", NULL});
    CHECK_SAY(t, ok, "PostgreSQL does not stop");
    if (ok) pg.running = false;
    return ok;
}

bool test_pg_kill9(struct t *t) {
    char path[64], line[32] = "";
    snprintf(path, sizeof path, "%s/data/postmaster.pid", pg.dir);
    FILE *file = fopen(path, "r");
    bool ok = file && fgets(line, sizeof line, file);
    if (file) fclose(file);
    long pid = ok ? strtol(line, NULL, 10) : 0;
    ok = pg.running && pid > 1 && !kill((pid_t)pid, SIGKILL);
    CHECK_SAY(t, ok, "PostgreSQL cannot be killed");
    if (ok) pg.running = false;
    return ok;
}

bool test_pg_start(struct t *t) {
    for (int i = 0; i < STARTS_MAX && !pg.running; i++) {
        if (i) nanosleep(&(struct timespec){.tv_nsec = START_EVERY_MS * 1000000L}, NULL);
        pg.running = start_server();
    }
    CHECK_SAY(t, pg.running, "PostgreSQL does not start again");
    return pg.running;
}
