/* Readings sent as fast as they are answered.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/sending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_MAX 512

static enum err put_request(struct sending *s, const struct target *to, const char *lines, size_t len,
                            struct fault *f) {
    char head[HEAD_MAX];
    size_t n = target_head(to, "POST", to->write, "text/plain", len, head, sizeof head);
    struct request *q = &s->requests[s->n];
    if (!n) return FAIL(f, ERR_LIMIT, "to", "the address is too long");
    q->bytes = malloc(n + len);
    if (!q->bytes) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    memcpy(q->bytes, head, n);
    memcpy(q->bytes + n, lines, len);
    q->n = n + len;
    s->n++;
    return OK;
}

static enum err put_requests(struct sending *s, const struct target *to, struct readings *r, size_t values, size_t most,
                             char *lines, struct fault *f) {
    while (r->step < r->plan.steps && s->n < most) {
        size_t len;
        s->values += (int64_t)readings_put(r, values, lines, &len);
        TRY(put_request(s, to, lines, len, f));
    }
    return OK;
}

enum err sending_make(struct sending *s, const struct target *to, struct readings *from, int64_t lines_n, size_t most,
                      struct fault *f) {
    size_t values = (size_t)(lines_n * from->plan.fields);
    size_t all = (size_t)(from->plan.devices * (from->plan.steps - from->step)) * READINGS_METRICS / values + 2;
    if (most > all) most = all;
    char *lines = malloc((values / READINGS_METRICS + 1) * READINGS_LINE_MAX);
    *s = (struct sending){.requests = calloc(most, sizeof *s->requests)};
    bool ok = lines && s->requests && latencies_init(&s->latencies, most);
    enum err e =
        ok ? put_requests(s, to, from, values, most, lines, f) : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    free(lines);
    return e;
}

enum err sending_make_all(struct sending *s, const struct target *to, const struct readings_plan *plan, int64_t lines,
                          struct fault *f) {
    struct readings r;
    TRY(readings_begin(&r, plan, f));
    enum err e = sending_make(s, to, &r, lines, SIZE_MAX, f);
    readings_end(&r);
    return e;
}

/* Values of a line: the "=" behind the first blank that no backslash precedes. */
static int64_t count_values(struct str line) {
    int64_t n = 0;
    bool fields = false;
    for (size_t i = 0; i < line.len; i++) {
        fields |= line.ptr[i] == ' ' && (!i || line.ptr[i - 1] != '\\');
        n += fields && line.ptr[i] == '=';
    }
    return n;
}

static enum err cut_requests(struct sending *s, const struct target *to, struct str text, int64_t lines, size_t most,
                             struct fault *f) {
    while (text.ptr && s->n < most) {
        const char *begin = text.ptr;
        struct str line = {begin, 0};
        for (int64_t i = 0; i < lines && str_cut(&text, '\n', &line); i++) s->values += count_values(line);
        TRY(put_request(s, to, begin, (size_t)(line.ptr + line.len - begin), f));
    }
    return OK;
}

enum err sending_read(struct sending *s, const struct target *to, const char *path, int64_t lines, struct fault *f) {
    FILE *in = fopen(path, "r");
    struct str text = {NULL, 0};
    *s = (struct sending){0};
    if (!in || fseek(in, 0, SEEK_END)) return FAIL(f, ERR_UNAVAILABLE, "file", "%s cannot be read", path);
    long size = ftell(in);
    rewind(in);
    char *mem = size > 0 ? malloc((size_t)size) : NULL;
    bool ok = mem && fread(mem, 1, (size_t)size, in) == (size_t)size;
    fclose(in);
    if (ok) text = (struct str){mem, (size_t)size};
    size_t most = ok ? (size_t)size / 8 / (size_t)lines + 2 : 0;
    s->requests = calloc(most + 1, sizeof *s->requests);
    ok = ok && s->requests && latencies_init(&s->latencies, most);
    enum err e =
        ok ? cut_requests(s, to, text, lines, most, f) : FAIL(f, ERR_UNAVAILABLE, "file", "%s cannot be read", path);
    free(mem);
    return e;
}

enum err sending_run(struct sending *s, const struct target *to, struct fault *f) {
    struct target_answer answer = {.status = 204};
    int fd = target_dial(to);
    if (fd < 0) return FAIL(f, ERR_UNAVAILABLE, "server", "nothing listens on port %d", to->port);
    for (size_t i = 0; i < s->n && answer.status / 100 == 2 && !bench_is_stopped; i++) {
        int64_t begin = bench_now_us();
        target_ask(fd, s->requests[i].bytes, s->requests[i].n, &answer);
        latencies_add(&s->latencies, bench_now_us() - begin);
    }
    close(fd);
    if (bench_is_stopped) return FAIL(f, ERR_UNAVAILABLE, "stopped", "stopped");
    return answer.status / 100 == 2
               ? OK
               : FAIL(f, ERR_INTERNAL, "bench", "the server answered %d: %s", answer.status, answer.say);
}

void sending_free(struct sending *s) {
    for (size_t i = 0; i < s->n; i++) free(s->requests[i].bytes);
    free(s->requests);
    latencies_free(&s->latencies);
    *s = (struct sending){0};
}
