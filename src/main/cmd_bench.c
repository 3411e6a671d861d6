/* linli bench: measures this program on this machine.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "main/bench/bench.h"
#include "main/bench/readings.h"
#include "main/cmd.h"
#include "main/site.h"

#include <stdio.h>
#include <string.h>

static const struct bench *const benches[] = {
    &bench_api, &bench_alarm, &bench_ingest, &bench_query, &bench_year, &bench_mqtt, &bench_codec,
};

/* What a figure must stay below, or above.  They are for the default load. */
static const struct floor {
    const char *bench, *figure;
    bool below;
    double floor;
} floors[] = {
    {"api", "p99_ms", true, 10},
    {"api", "failed", true, 1},
    {"alarm", "p99_ms", true, 50},
    {"query", "thousand_points_p99_ms", true, 1},
    {"year", "rolled_up", false, 0},
    {"year", "device_hour_p99_ms", true, 100}, /* what follows at once, to the eye */
    {"year", "device_day_p99_ms", true, 100},
    {"year", "device_week_p99_ms", true, 100},
    {"year", "device_month_p99_ms", true, 100},
    {"year", "device_year_p99_ms", true, 100},
    {"year", "estate_hour_ms", true, 1000},
    {"year", "estate_day_ms", true, 1000},
    {"year", "estate_week_ms", true, 1000},
    {"year", "estate_month_ms", true, 1000},
    {"year", "estate_year_ms", true, 1000},
    {"alarm", "of_readings_p99_ms", true, 50},
    {"alarm", "lost", true, 1},
    {"alarm", "unanswered", true, 1},
    {"alarm", "points_per_s", false, 900},
};

static const struct floor *floor_of(const struct bench *b, const struct figure *g) {
    for (size_t i = 0; i < COUNT(floors); i++)
        if (!strcmp(floors[i].bench, b->name) && !strcmp(floors[i].figure, g->name)) return &floors[i];
    return NULL;
}

static bool is_met(const struct floor *l, double value) {
    return l->below ? value < l->floor : value > l->floor;
}

static bool show(const struct bench *b, const struct figures *f, bool gate) {
    bool met = true;
    for (size_t i = 0; i < f->n; i++) {
        const struct figure *g = &f->list[i];
        const struct floor *l = gate ? floor_of(b, g) : NULL;
        printf("%-28s %12.*f %-6s", g->name, g->digits, g->value, g->unit);
        if (l) printf(" %s %g: %s", l->below ? "below" : "above", l->floor, is_met(l, g->value) ? "ok" : "MISSED");
        printf("\n");
        met &= !l || is_met(l, g->value);
    }
    return met;
}

static bool show_json(const struct bench *b, const struct figures *f, bool gate) {
    char mem[8192];
    struct buf out;
    struct jw j;
    struct str text;
    bool met = true;
    buf_init(&out, mem, sizeof mem);
    jw_init(&j, &out);
    jw_open(&j, '{');
    jw_kcstr(&j, "bench", b->name);
    for (size_t i = 0; i < f->n; i++) {
        const struct figure *g = &f->list[i];
        const struct floor *l = gate ? floor_of(b, g) : NULL;
        jw_key(&j, g->name);
        jw_f64(&j, g->value);
        met &= !l || is_met(l, g->value);
    }
    if (gate) jw_kbool(&j, "ok", met);
    jw_close(&j, '}');
    if (buf_done(&out, &text)) printf(STR_FMT "\n", STR_ARG(text));
    return met;
}

static void stop(int signal) {
    (void)signal;
    bench_is_stopped = 1;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *ret) {
    return !text || (str_to_i64(str_of(text), ret) && *ret >= least && *ret <= most);
}

static int run(int argc, char **argv) {
    const char *rest[1] = {0}, *numbers[14] = {0};
    size_t rest_n = 0, at = 0;
    bool json = false, gate = false;
    struct bench_options o = {.readings = -1, .serve_port = -1};
    const struct {
        const char *name;
        int64_t least, most, *to;
    } counts[] = {{"cases", 1, 10000000, &o.cases},
                  {"estates", 1, 1000, &o.estates},
                  {"rate", 1, 100000, &o.rate},
                  {"seconds", 1, 3600, &o.seconds},
                  {"connections", 1, 256, &o.connections},
                  {"readings", 0, 100000, &o.readings},
                  {"series", READINGS_METRICS, 10000000, &o.series},
                  {"points", 1, 1000000000, &o.points},
                  {"fields", 1, READINGS_METRICS, &o.fields},
                  {"batch", 1, 100000, &o.batch},
                  {"rules", 0, 10000, &o.rules},
                  {"queries", 0, 10000, &o.queries},
                  {"pid", 1, INT32_MAX, &o.pid},
                  {"serve", 0, 65535, &o.serve_port}};
    struct option options[COUNT(counts) + 7] = {
        {"json", NULL, &json},       {"gate", NULL, &gate}, {"data", &o.data, NULL}, {"db", &o.db, NULL},
        {"chunks", &o.chunks, NULL}, {"to", &o.to, NULL},   {"file", &o.file, NULL}};
    for (size_t i = 0; i < COUNT(counts); i++) options[7 + i] = (struct option){counts[i].name, &numbers[i], NULL};
    int bad = options_read(argc, argv, options, COUNT(options), rest, &rest_n, COUNT(rest));
    if (bad) return usage_error(&cmd_bench, "%s is not understood", argv[bad]);
    for (size_t i = 0; i < COUNT(counts); i++)
        if (!read_number(numbers[i], counts[i].least, counts[i].most, counts[i].to))
            return usage_error(&cmd_bench, "--%s is a number from %lld to %lld", counts[i].name,
                               (long long)counts[i].least, (long long)counts[i].most);
    while (rest_n && at < COUNT(benches) && strcmp(benches[at]->name, rest[0])) at++;
    if (!rest_n || at == COUNT(benches))
        return usage_error(&cmd_bench, "say which bench: api, alarm, ingest, query, year, mqtt or codec");
    struct figures figures = {0};
    struct fault f = {0};
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (benches[at]->run(&o, &figures, &f)) {
        site_say("bench", &f);
        return EXIT_PROBLEM;
    }
    if (o.serve_port >= 0) return EXIT_FINE;
    return (json ? show_json : show)(benches[at], &figures, gate) ? EXIT_FINE : EXIT_PROBLEM;
}

const struct command cmd_bench = {
    .name = "bench",
    .summary = "measures this program on this machine, over temporary data",
    .usage =
        "linli bench api [--cases 100000] [--estates 60] [--rate 1000] [--seconds 10] [--connections 64]\n"
        "linli bench alarm [--rate 50] [--seconds 10] [--readings 1000] [--series 400] [--rules 0] [--queries 0]\n"
        "linli bench ingest [--series 10000] [--points 10000000] [--fields 1|4] [--batch 10000] [--file F]\n"
        "linli bench query [--series 100]\n"
        "linli bench year [--series 200]\n"
        "linli bench mqtt [--connections 50] [--batch 100] [--seconds 10] [--to PORT --pid N]\n"
        "linli bench codec\n\n"
        "  --json        figures as one object\n"
        "  --gate        exit 1 when a figure misses its floor\n"
        "  --data DIR    where to make the temporary folder [TMPDIR, or /var/tmp]\n"
        "  --db URL      records in this (empty) database: postgres://…\n"
        "  --chunks W    sealed readings in files, or in the store of --db\n"
        "  --serve PORT  api, year: fills, serves there and prints how to get in, for other load tools and for you\n\n"
        "ingest sends readings in line protocol, batch lines a request (--to - prints them); query asks for a month "
        "of\n"
        "them; year looks at a year of one-minute readings of so many devices as the console does.  With\n"
        "--to PORT/path --pid N both speak to another server here: victoria-metrics, or what else takes line "
        "protocol.\n"
        "mqtt publishes 100 bytes of JSON with QoS 1, batch of them unanswered a connection; --to publishes to a "
        "broker here.\n"
        "api asks for the newest 50 cases as a street, an estate and a grid see them.  alarm plays fire frames over\n"
        "TCP beside readings over HTTP, and waits for the event of the case.  Requests leave by the clock; each is\n"
        "timed from when it was due.\n",
    .run = run,
};
