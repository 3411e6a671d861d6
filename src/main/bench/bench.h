/* Benches: what they are told, what they measure.  Each starts a server of its own over temporary data.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_BENCH_H
#define LINLI_MAIN_BENCH_BENCH_H

#include "base/err.h"

#include <signal.h>

#define FIGURES_MAX 48

/* What one was told; 0: the bench's own default, which is what its floors are for. */
struct bench_options {
    const char *data;                      /* folder to make the temporary data in */
    const char *db;                        /* records elsewhere: postgres://… */
    const char *chunks;                    /* sealed readings: "files" or "store"; NULL: as serve does */
    int64_t cases, estates;                /* api */
    int64_t connections;                   /* api, mqtt */
    int64_t rate, seconds;                 /* requests or alarms a second, and for how long */
    int64_t rules, queries;                /* alarm: those that never fire; a second, beside */
    int64_t readings;                      /* alarm: a second, beside; -1: its default */
    int64_t series, points, fields, batch; /* batch: in lines a request; mqtt: unanswered a connection */
    const char *file;                      /* ingest: line protocol to send instead of what is made up */
    const char *to;     /* not a server of its own but another here: PORT/path; mqtt: PORT; ingest: "-", print it */
    int64_t pid;        /* ingest: of that one, whose processor time is measured */
    int64_t serve_port; /* api, year: -1, or leave the filled server up there and measure nothing */
};

struct figure {
    const char *name, *unit;
    double value;
    int digits; /* behind the point */
};
struct figures {
    struct figure list[FIGURES_MAX];
    size_t n;
};
void figure_put(struct figures *f, const char *name, double value, int digits, const char *unit); /* names are kept */

/* Gives figures or a fault for a person. */
struct bench {
    const char *name, *what;
    enum err (*run)(const struct bench_options *options, struct figures *ret, struct fault *f);
};
extern const struct bench bench_api, bench_alarm, bench_ingest, bench_query, bench_year, bench_mqtt, bench_codec;

/* Set by SIGINT and SIGTERM: a bench ends soon and cleans up. */
extern volatile sig_atomic_t bench_is_stopped;
int64_t bench_now_us(void); /* never goes back */
int64_t bench_utc_s(void);
void bench_password(char ret[33]); /* of log-ins that live as long as the bench */
/* A folder of its own under options->data, TMPDIR or /var/tmp (which, unlike /tmp, is a disk), and its end. */
NODISCARD enum err bench_dir_make(const struct bench_options *o, char ret[512], struct fault *f);
void bench_dir_remove(const char *dir);

#endif
