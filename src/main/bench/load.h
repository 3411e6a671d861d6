/* HTTP requests by the clock, over connections that are kept.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_LOAD_H
#define LINLI_MAIN_BENCH_LOAD_H

#include "main/bench/pace.h"
#include "main/bench/wires.h"

struct load_options {
    int port;
    size_t connections;
    double rate; /* requests a second */
    size_t n;    /* in all */
    /* Bytes of request i; live until the next call. */
    struct bytes (*request)(void *arg, size_t i);
    void *arg;
};
/* What came of it; latencies run from the moment a request was due to the last byte of its answer. */
struct load_result {
    struct latencies latencies; /* of answers with status 2xx */
    size_t answered, failed;    /* failed: another status, or none */
    int64_t bytes;              /* of bodies */
    int last_status;            /* of a failed one */
};

struct load;
NODISCARD enum err load_open(struct wires *ws, const struct load_options *o, struct load **ret, struct fault *f);
void load_begin(struct load *l, int64_t at_us);    /* when the first one is due */
int64_t load_send(struct load *l, int64_t now_us); /* what is due; gives when to come again */
bool load_is_done(const struct load *l);
const struct load_result *load_result(struct load *l);
void load_close(struct load *l); /* before wires_close; NULL is fine */
/* From here to its end, with nothing beside; gives up `patience_us` after the last request was due. */
void load_run(struct load *l, struct wires *ws, int64_t patience_us);

#endif
