/* What benches share: time, a folder, figures.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/bench.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t bench_is_stopped;

int64_t bench_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t bench_utc_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

void bench_password(char ret[33]) {
    uint8_t random[16];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(ret, 33, random, sizeof random);
}

void figure_put(struct figures *f, const char *name, double value, int digits, const char *unit) {
    if (f->n < FIGURES_MAX) f->list[f->n++] = (struct figure){name, unit, value, digits};
}

enum err bench_dir_make(const struct bench_options *o, char ret[512], struct fault *f) {
    const char *under = o->data ? o->data : getenv("TMPDIR");
    int n = snprintf(ret, 512, "%s/linli-bench.XXXXXX", under ? under : "/var/tmp");
    if (n < 0 || n >= 512 || !mkdtemp(ret))
        return FAIL(f, ERR_UNAVAILABLE, "data_folder", "no temporary folder can be made; --data DIR says where");
    return OK;
}

void bench_dir_remove(const char *dir) {
    char path[1024];
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_type == DT_DIR)
            bench_dir_remove(path);
        else
            (void)!remove(path);
    }
    if (d) closedir(d);
    (void)!rmdir(dir);
}
