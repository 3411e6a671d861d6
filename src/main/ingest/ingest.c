/* One file on its way into a server.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/ingest.h"

#include "base/json.h"
#include "main/cmd.h"
#include "main/ingest/source.h"
#include "main/ingest/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_STOPPED   130
#define BAD_SHOWN      20
#define DRY_ROWS       5
#define LOOK_EVERY     256              /* rows between looks at the clock */
#define PIPE_US        INT64_C(1000000) /* what comes through a pipe waits no longer for more */
#define TERMINAL_US    INT64_C(200000)
#define PLAIN_US       INT64_C(10000000)
#define ARENA_MAX      ((size_t)16 << 20)
#define SHOWN_LINE_MAX 160

struct run {
    const struct ingest_options *o;
    const char *path;
    struct source *s;
    struct state state;
    bool has_state, is_terminal, is_drawn;
    bool is_waiting; /* the courier's */
    struct link *link;
    struct courier *courier;
    struct batch batches[2], *fill;
    struct position begun;   /* where this run began */
    struct position durable; /* what the state says */
    int64_t dropped_rows, dropped_values;
    _Atomic int64_t bad_shown;
    int64_t begin_us, drawn_us, handed_us;
    int64_t least_ms, most_ms; /* dry run */
    struct arena arena;
    struct fault fault;
};

/* ---- words for people, on stderr ---- */

static int64_t now_us(const struct run *r) {
    return r->o->world->mono_us(r->o->world->self);
}

static void undraw(struct run *r) {
    if (r->is_drawn) fprintf(stderr, "\r\033[K");
    r->is_drawn = false;
}

static void say_bad(void *arg, int64_t row, const char *rule) {
    struct run *r = arg;
    int64_t n = atomic_fetch_add(&r->bad_shown, 1);
    if (n < BAD_SHOWN)
        fprintf(stderr, "%s%s:%lld: %s\n", r->is_terminal ? "\r\033[K" : "", r->path, (long long)row, rule);
    if (n == BAD_SHOWN) fprintf(stderr, "%s: more bad rows follow; they are counted only\n", r->path);
}

static void say_waits(void *arg, const char *why) {
    struct run *r = arg;
    if (why && !r->is_waiting && !r->o->quiet)
        fprintf(stderr, "%s%s; waiting\n", r->is_terminal ? "\r\033[K" : "", why);
    r->is_waiting = why != NULL;
}

static void draw(struct run *r) {
    const struct position *at = &r->s->here;
    int64_t now = now_us(r), size = r->s->size;
    if (r->o->quiet || now - r->drawn_us < (r->is_terminal ? TERMINAL_US : PLAIN_US)) return;
    r->drawn_us = now;
    double s = (double)(now - r->begin_us) / 1e6, bytes = (double)(at->offset - r->begun.offset);
    char left[64] = "";
    if (size > at->offset && bytes > 0)
        snprintf(left, sizeof left, " of %.1f, %.0f s left", (double)size / 1e6,
                 (double)(size - at->offset) / bytes * s);
    fprintf(stderr, "%s%s: %lld rows, %.0f a second; %.1f MB%s%s", r->is_terminal ? "\r" : "", r->path,
            (long long)at->rows, (double)(at->rows - r->begun.rows) / s, (double)at->offset / 1e6, left,
            r->is_terminal ? "\033[K" : "\n");
    r->is_drawn = r->is_terminal;
}

static int problem(struct run *r, const struct fault *f) {
    undraw(r);
    fprintf(stderr, "linli ingest: %s: %s\n", r->path, f->text[0] ? f->text : err_name(f->kind));
    return EXIT_PROBLEM;
}

/* ---- the state ---- */

static void hash_of(const struct run *r, char ret[65]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[32];
    const char *text = r->o->signature;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text, strlen(text), NULL, 0);
    for (size_t i = 0; i < sizeof hash; i++) {
        ret[2 * i] = digits[hash[i] >> 4];
        ret[2 * i + 1] = digits[hash[i] & 15];
    }
    ret[64] = 0;
}

static enum err begin_state(struct run *r) {
    bool found = false;
    struct position to;
    r->begun = r->durable = r->s->safe;
    bool is_stdin = !strcmp(r->path, "-");
    if (r->o->state && !r->s->is_file)
        return FAIL(&r->fault, ERR_INVALID, "state", "a pipe has no place to go on from: leave --state out");
    r->has_state = r->s->is_file && (!is_stdin || r->o->state);
    if (!r->has_state) return OK;
    r->state.file_fd = r->s->fd;
    int n = r->o->state ? snprintf(r->state.path, sizeof r->state.path, "%s", r->o->state)
                        : snprintf(r->state.path, sizeof r->state.path, "%s.ingest", r->path);
    if (n < 0 || (size_t)n >= sizeof r->state.path)
        return FAIL(&r->fault, ERR_INVALID, "state", "its name is too long");
    hash_of(r, r->state.what);
    if (!r->o->again) TRY(state_load(&r->state, &to, &found, &r->fault));
    if (found) {
        TRY(source_seek(r->s, &to, &r->fault));
        r->begun = r->durable = to;
        if (!r->o->quiet)
            fprintf(stderr, "%s: goes on behind line %lld, up to which all is stored\n", r->path, (long long)to.line);
    }
    return state_save(&r->state, &r->durable, &r->fault);
}

/* ---- sending ---- */

/* What became of the batch before; true: go on. */
static bool collect(struct run *r, int *ret_code) {
    struct link_sent sent;
    if (!courier_wait(r->courier, &sent)) return true;
    if (sent.what == LINK_FAILED) {
        *ret_code = problem(r, &sent.fault);
        return false;
    }
    if (sent.what == LINK_STOPPED) {
        *ret_code = EXIT_STOPPED;
        return false;
    }
    r->dropped_rows += sent.dropped_rows;
    r->dropped_values += sent.dropped_values;
    r->durable = sent.upto;
    r->durable.bad += r->dropped_rows;
    r->durable.readings -= r->dropped_values;
    if (r->has_state && state_save(&r->state, &r->durable, &r->fault)) {
        *ret_code = problem(r, &r->fault);
        return false;
    }
    if (sent.what == LINK_STORED) return true;
    *ret_code = EXIT_PROBLEM; /* a bad row, which was said */
    return false;
}

static bool hand_over(struct run *r, const struct position *upto, int *ret_code) {
    if (!collect(r, ret_code)) return false;
    r->fill->upto = *upto;
    r->handed_us = now_us(r);
    courier_hand(r->courier, r->fill);
    r->fill = r->fill == r->batches ? r->batches + 1 : r->batches;
    batch_clear(r->fill);
    return true;
}

/* Rows into batches, batches to the server; a code that is not fine ends it. */
static int send_rows(struct run *r) {
    int code = EXIT_FINE;
    size_t most = r->o->batch ? r->o->batch : INGEST_BATCH;
    for (size_t n = 1; !*r->o->stop; n++) {
        struct position before = r->s->safe;
        enum source_step step = source_next(r->s, r->fill);
        if (step == SOURCE_FAILED) {
            (void)!FAIL(&r->fault, ERR_UNAVAILABLE, "file", "it cannot be read: %s", strerror(errno));
            return problem(r, &r->fault);
        }
        if (step == SOURCE_BAD) say_bad(r, before.line + 1, r->s->rule);
        bool is_over = step == SOURCE_END || (step == SOURCE_BAD && !r->o->skip_bad);
        if (n % LOOK_EVERY == 0) draw(r);
        bool is_due = r->fill->n && !r->s->is_file && now_us(r) - r->handed_us >= PIPE_US;
        if (!is_over && !batch_is_full(r->fill, most) && !is_due) continue;
        const struct position *upto = step == SOURCE_BAD && is_over ? &before : &r->s->safe;
        if (!hand_over(r, upto, &code)) return code;
        if (!is_over) continue;
        if (!collect(r, &code)) return code;
        return step == SOURCE_BAD ? EXIT_PROBLEM : EXIT_FINE;
    }
    return collect(r, &code) ? EXIT_STOPPED : code;
}

/* ---- the end ---- */

static void say_doubled(const struct run *r) {
    if (r->s->csv.when.doubled && !r->o->quiet)
        fprintf(stderr,
                "%s: %lld rows are at times that the clocks of the zone show twice; the order of the rows said which\n",
                r->path, (long long)r->s->csv.when.doubled);
}

static void sum_up(struct run *r, int code) {
    const struct position *now = code ? &r->durable : &r->s->here;
    int64_t rows = now->rows - r->begun.rows, bad = now->bad - r->begun.bad + (code ? 0 : r->dropped_rows);
    int64_t readings = now->readings - r->begun.readings - (code ? 0 : r->dropped_values);
    double s = (double)(now_us(r) - r->begin_us) / 1e6;
    char mem[2048];
    struct buf b;
    struct jw j;
    struct str text;
    undraw(r);
    if (r->o->json) {
        buf_init(&b, mem, sizeof mem);
        jw_init(&j, &b);
        jw_put(
            &j, "{'file':$,'rows':$,'readings':$,'bad':$,'line':$,'done':$,'seconds':$}",
            JV(J_CSTR(r->path), J_I64(rows), J_I64(readings), J_I64(bad), J_I64(now->line), J_BOOL(!code), J_F64(s)));
        if (buf_done(&b, &text)) printf(STR_FMT "\n", STR_ARG(text));
    } else {
        printf("%s: %lld rows, %lld readings stored, %lld bad rows left out; %.1f s, %.0f readings a second\n", r->path,
               (long long)rows, (long long)readings, (long long)bad, s, s > 0 ? (double)readings / s : 0);
    }
    say_doubled(r);
    if (!code || !r->has_state) return;
    fprintf(stderr, "%s: all before line %lld is stored; the same command goes on there%s\n", r->path,
            (long long)r->durable.line + 1,
            code == EXIT_PROBLEM && atomic_load(&r->bad_shown) ? ", with --skip-bad past bad rows" : "");
}

/* ---- dry run ---- */

static void show_mapping(const struct run *r) {
    static const char *const units[] = {"s", "ms", "us", "ns"};
    const struct csv *c = &r->s->csv;
    size_t out = 0;
    if (!r->s->is_csv) {
        printf("%s: line protocol\n", r->path);
        return;
    }
    printf("%s: CSV, %s, separator %s, %s\n", r->path, c->is_gb ? "GB 18030" : "UTF-8",
           c->separator == '\t'  ? "tab"
           : c->separator == ';' ? ";"
                                 : ",",
           c->is_long ? "a row a reading" : "a column a metric");
    printf("time:   ");
    for (size_t i = 0; i < c->times_n; i++)
        printf("%s" STR_FMT, i ? " + " : "", STR_ARG(c->columns[c->time_at[i]].name));
    const char *unit = "";
    for (size_t i = 0, ns = 1000000000; i < COUNT(units); i++, ns /= 1000)
        if (c->when.tick_ns == (int64_t)ns) unit = units[i];
    printf(" (%s)\n", c->when.kind == WHEN_CIVIL ? "iso" : c->when.kind == WHEN_NUMBER ? unit : c->when.pattern);
    printf("device: %s" STR_FMT "\n", c->device.ptr ? "=" : "",
           STR_ARG(c->device.ptr ? c->device : c->columns[c->device_at].name));
    if (c->is_long)
        printf("metric: %s" STR_FMT "\nvalue:  " STR_FMT "\n", c->metric.ptr ? "=" : "",
               STR_ARG(c->metric.ptr ? c->metric : c->columns[c->metric_at].name),
               STR_ARG(c->columns[c->value_at].name));
    for (size_t i = 0; i < c->columns_n; i++) {
        const struct csv_column *k = &c->columns[i];
        out += k->role == CSV_OUT;
        if (k->role == CSV_VALUE && !c->is_long)
            printf("value:  " STR_FMT "%s" STR_FMT "\n", STR_ARG(k->name), str_eq(k->name, k->metric) ? "" : " as ",
                   STR_ARG(str_eq(k->name, k->metric) ? S("") : k->metric));
    }
    for (size_t i = 0; out && i < c->columns_n; i++)
        if (c->columns[i].role == CSV_OUT)
            printf("left out: #%zu " STR_FMT "%s%s\n", i + 1, STR_ARG(c->columns[i].name),
                   c->columns[i].why_out ? ": " : "", c->columns[i].why_out ? c->columns[i].why_out : "");
}

static void put_when(const struct run *r, int64_t at_ms, char ret[40]) {
    struct buf b;
    buf_init(&b, ret, 40);
    civil_put_time(&b, r->o->csv.zone, at_ms);
}

static void show_row(const struct run *r) {
    char when[40], shown[SHOWN_LINE_MAX + 1];
    for (size_t i = 0; i < r->fill->n; i++) {
        struct str text = batch_text(r->fill, i);
        size_t time = text.len, n = 0, at = 0;
        while (time && text.ptr[time - 1] != ' ') time--;
        for (; at + 1 < time && n < SHOWN_LINE_MAX; at++)
            if (text.ptr[at] != '\\') shown[n++] = text.ptr[at];
        shown[n] = 0;
        put_when(r, r->fill->lines[i].at_ms, when);
        printf("line %lld: %s  %s%s\n", (long long)r->fill->lines[i].row, when, shown, at + 1 < time ? "…" : "");
    }
}

/* The first rows as they are understood, and what is bad in the whole file; nothing is sent. */
static int dry_run(struct run *r) {
    char from[40], to[40];
    int64_t shown = 0;
    show_mapping(r);
    for (size_t n = 1; !*r->o->stop; n++) {
        int64_t line = r->s->here.line + 1;
        enum source_step step = source_next(r->s, r->fill);
        if (step == SOURCE_END) break;
        if (step == SOURCE_FAILED) return EXIT_PROBLEM;
        if (step == SOURCE_BAD) say_bad(r, line, r->s->rule);
        if (r->fill->n && shown++ < DRY_ROWS) show_row(r);
        for (size_t i = 0; i < r->fill->n; i++) {
            if (r->fill->lines[i].at_ms < r->least_ms) r->least_ms = r->fill->lines[i].at_ms;
            if (r->fill->lines[i].at_ms > r->most_ms) r->most_ms = r->fill->lines[i].at_ms;
        }
        batch_clear(r->fill);
    }
    const struct position *at = &r->s->here;
    printf("%lld rows, %lld readings, %lld bad rows", (long long)at->rows, (long long)at->readings, (long long)at->bad);
    put_when(r, r->least_ms, from);
    put_when(r, r->most_ms, to);
    printf(at->readings ? "; from %s to %s\n" : "\n", from, to);
    say_doubled(r);
    return at->bad ? EXIT_PROBLEM : EXIT_FINE;
}

/* ---- one file ---- */

static enum err open_link(struct run *r) {
    struct link_options o = r->o->link;
    o.skip_bad = r->o->skip_bad;
    o.world = r->o->world;
    o.stop = r->o->stop;
    o.bad = say_bad;
    o.waits = say_waits;
    o.arg = r;
    TRY(link_open(&o, &r->link, &r->fault));
    if (!link_is_local(r->link) && !r->o->quiet)
        fprintf(stderr, "%s: the way to the server is not encrypted; an SSH tunnel makes it so\n", r->path);
    return courier_start(r->link, &r->courier);
}

static enum err open_file(struct run *r) {
    int fd = strcmp(r->path, "-") != 0 ? open(r->path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (fd < 0) return FAIL(&r->fault, ERR_NOT_FOUND, "file", "it cannot be opened: %s", strerror(errno));
    if (!batch_init(&r->batches[0]) || !batch_init(&r->batches[1]))
        return FAIL(&r->fault, ERR_LIMIT, "no_memory", "out of memory");
    r->fill = r->batches;
    return source_open(r->s, fd, r->path, r->o->as, &r->o->csv, r->o->world, &r->arena, &r->fault);
}

static int go(struct run *r) {
    enum err e = open_file(r);
    if (!e && r->o->dry_run) return dry_run(r);
    if (!e) e = open_link(r);
    if (!e) e = begin_state(r);
    if (e) return problem(r, &r->fault);
    r->begin_us = r->drawn_us = r->handed_us = now_us(r);
    int code = send_rows(r);
    courier_end(r->courier);
    r->courier = NULL;
    sum_up(r, code);
    return code;
}

int ingest_file(const struct ingest_options *o, const char *path) {
    struct run *r = calloc(1, sizeof *r);
    struct source *s = calloc(1, sizeof *s);
    int code = EXIT_PROBLEM;
    if (r && s) {
        *r = (struct run){.o = o, .path = path, .s = s, .least_ms = INT64_MAX, .most_ms = INT64_MIN};
        s->fd = -1;
        r->is_terminal = isatty(STDERR_FILENO);
        arena_init(&r->arena, ARENA_MAX);
        code = go(r);
        courier_end(r->courier);
        link_close(r->link);
        source_close(s);
        batch_finish(&r->batches[0]);
        batch_finish(&r->batches[1]);
        arena_finish(&r->arena);
    }
    free(s);
    free(r);
    return code;
}
