/* Questions over one kept connection.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/asking.h"

#include <string.h>
#include <unistd.h>

enum err asking_begin(struct asking *a, const struct target *to, size_t most, struct fault *f) {
    *a = (struct asking){.to = to, .fd = target_dial(to)};
    bool ok = a->fd >= 0 && latencies_init(&a->latencies, most);
    return ok ? OK : FAIL(f, ERR_UNAVAILABLE, "server", "no connection");
}

enum err asking_get(struct asking *a, const char *path, struct fault *f) {
    char head[1024];
    size_t n = target_head(a->to, "GET", path, NULL, 0, head, sizeof head);
    int64_t begin = bench_now_us();
    target_ask(a->fd, head, n, &a->last);
    latencies_add(&a->latencies, bench_now_us() - begin);
    a->bytes = (int64_t)a->last.body_len;
    if (a->last.status == 200 && a->last.body_len && !strstr(a->last.say, ":[]")) return OK;
    return FAIL(f, ERR_INTERNAL, "bench", "%s answered %d: %s", path, a->last.status, a->last.say);
}

double asking_ms(struct asking *a, double percent) {
    return (double)latencies_percentile(&a->latencies, percent) / 1000;
}

void asking_end(struct asking *a) {
    if (a->fd >= 0) close(a->fd);
    latencies_free(&a->latencies);
}
