/* The loop that runs cases and prints TAP.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ARENA_CAP    (64u << 20)
#define DEPTH_MAX    16
#define MESSAGES_MAX 20 /* a case; more would bury the first */
#define SIM_START_MS INT64_C(1790000000000)
#define SIM_FIRST_ID INT64_C(1000)

static char run_dir[128];

/* Removes a folder and what is in it; does not follow links. */
static void remove_tree(const char *path, int depth) {
    DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        char child[512];
        struct stat st;
        if ((size_t)snprintf(child, sizeof child, "%s/%s", path, e->d_name) >= sizeof child) continue;
        if (!lstat(child, &st) && S_ISDIR(st.st_mode))
            remove_tree(child, depth + 1);
        else
            unlink(child);
    }
    if (d) closedir(d);
    rmdir(path);
}

static void remove_run_dir(void) {
    if (run_dir[0]) remove_tree(run_dir, 0);
}

const char *test_dir(struct t *t) {
    if (run_dir[0]) return run_dir;
    const char *tmp = getenv("TMPDIR");
    snprintf(run_dir, sizeof run_dir, "%.100s/linli-test.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(run_dir)) {
        CHECK_SAY(t, false, "no folder for the test: %s", strerror(errno));
        exit(1);
    }
    atexit(remove_run_dir);
    return run_dir;
}

uint64_t test_random(struct t *t) {
    return world_u64(&t->world);
}

void test_check(struct t *t, bool ok, const char *file, int line, const char *what, ...) {
    if (ok) return;
    if (t->failed++ >= MESSAGES_MAX) return;
    printf("# %s:%d: ", file, line);
    va_list args;
    va_start(args, what);
    vprintf(what, args);
    va_end(args);
    printf("  (seed %" PRIu64 ")\n", t->seed);
    if (t->fault.kind)
        printf("#   fault: %s %s: %s (%s:%d)\n", err_name(t->fault.kind), t->fault.code, t->fault.text, t->fault.file,
               t->fault.line);
    fflush(stdout);
}

static int run_case(const struct test *test, uint64_t seed, size_t number) {
    static struct t t;
    t = (struct t){.name = test->name, .seed = seed};
    t.sim.utc_ms = SIM_START_MS;
    t.sim.next_id = SIM_FIRST_ID;
    t.sim.seed = seed;
    t.world = world_sim(&t.sim);
    arena_init(&t.arena, ARENA_CAP);
    test->run(&t);
    arena_finish(&t.arena);
    printf("%s %zu - %s\n", t.failed ? "not ok" : "ok", number, test->name);
    fflush(stdout);
    return t.failed != 0;
}

int test_main(int argc, char **argv, const struct test *tests, size_t n) {
    const char *only = "";
    uint64_t seed = 1;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        int64_t number = 0;
        if (has_value && !strcmp(argv[i], "--only")) {
            only = argv[++i];
        } else if (has_value && !strcmp(argv[i], "--seed") && str_to_i64(str_of(argv[i + 1]), &number)) {
            seed = (uint64_t)number;
            i++;
        } else {
            fprintf(stderr, "usage: %s [--only PART] [--seed N]\n", argv[0]);
            return 2;
        }
    }
    size_t ran = 0;
    int failed = 0;
    for (size_t i = 0; i < n; i++)
        if (strstr(tests[i].name, only)) failed += run_case(&tests[i], seed, ++ran);
    printf("1..%zu\n# %zu ran, %d failed\n", ran, ran, failed);
    return failed || !ran ? 1 : 0;
}
