/* One line over TCP.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_MS    INT64_C(600000)
#define ARENA_CAP  ((size_t)1 << 20)
#define POINTS_MAX 256
#define READ_MAX   65536 /* what one read may bring on top of a frame */
#define KEEP_FIRST 2048
#define RUN_MAX    4096 /* bytes that are no frame become a sample at the latest then */

struct line {
    struct line_options o;
    struct loop *loop;
    struct tcp_listener *listener;
    char name[LINE_NAME_MAX + 1];
    struct speaker *speakers;
    int refs; /* the listener, and every speaker */
};
struct speaker { /* a connection */
    struct line *line;
    struct tcp_conn *conn; /* NULL once it is gone */
    struct speaker *next, *prev;
    char peer[46];
    uint8_t *keep;
    size_t have, cap;
    int64_t heard_us;               /* when bytes came last */
    uint8_t run[FIGURES_BAD_BYTES]; /* bytes in a row that are no frame: the first of them */
    size_t run_n;                   /* and how many there are */
    bool waiting;                   /* an answer is due */
    int refs;                       /* the connection, and the answer under way */
    struct arena arena;
    struct decoded decoded;
    char answer[256];
    size_t answer_n;
    enum err stored;
    struct loop_task task;
};

static void line_release(struct line *l) {
    if (!--l->refs) free(l);
}

static void release(struct speaker *s) {
    if (--s->refs) return;
    line_release(s->line);
    arena_finish(&s->arena);
    free(s->keep);
    free(s);
}

static void go_on(struct speaker *s);

static int64_t now_of(const struct line *l) {
    return l->o.world->utc_ms(l->o.world->self);
}

static struct sample sample_of(const struct speaker *s, size_t len, const struct wire_error *e) {
    struct sample x = {.at_ms = now_of(s->line), .offset = e ? e->at : 0, .len = len};
    if (e) utf8_copy(x.rule, sizeof x.rule, str_of(e->rule));
    memcpy(x.peer, s->peer, sizeof x.peer);
    return x;
}

/* ---- a frame's way: readings durable, then events as alarms, then the answer ---- */

static void answer(void *arg) {
    struct speaker *s = arg;
    s->waiting = false;
    if (s->conn) {
        if (s->answer_n && tcp_write(s->conn, (struct bytes){(const uint8_t *)s->answer, s->answer_n})) s->answer_n = 0;
        tcp_resume(s->conn);
        go_on(s);
    }
    release(s);
}

/* What it said is not in the store: not answered, so the device says it again. */
static void not_stored(struct speaker *s) {
    FIGURES_ADD(s->line->o.figures, unanswered, 1);
    s->answer_n = 0;
    answer(s);
}

static void events_next(void *arg) {
    struct speaker *s = arg;
    const struct line_options *o = &s->line->o;
    if (s->stored) {
        not_stored(s);
        return;
    }
    int64_t now = now_of(s->line), shift = (int64_t)zone_offset_s(o->zone, now) * 1000;
    size_t n = s->decoded.events_n;
    if (!n) {
        answer(s);
        return;
    }
    struct rules_event *events = arena_new(&s->arena, struct rules_event, n);
    for (size_t i = 0; events && i < n; i++) {
        const struct device_event *e = &s->decoded.events[i];
        events[i] = (struct rules_event){.device = e->device,
                                         .code = e->code,
                                         .text = e->text,
                                         .part = e->part,
                                         .at_ms = e->at_s ? e->at_s * 1000 - shift : now,
                                         .is_set = e->is_set,
                                         .is_level = e->is_level};
    }
    if (!events || feed_events(o->feed, o->community_id, events, n) || feed_barrier(o->feed, answer, s)) not_stored(s);
}

static void stored(void *arg, enum err e) { /* the writer's thread */
    struct speaker *s = arg;
    s->stored = e;
    loop_post_task(s->line->loop, &s->task);
}

/* A clock that is off: the value counts from now. */
static bool has_bad_time(const struct fault *f) {
    return f->kind == ERR_INVALID && f->fields_n && !strcmp(f->fields[0].field, "ts");
}

static void put(struct speaker *s) {
    const struct line_options *o = &s->line->o;
    struct telemetry_point points[POINTS_MAX];
    int64_t now = now_of(s->line), shift = (int64_t)zone_offset_s(o->zone, now) * 1000;
    size_t n = 0;
    for (; n < s->decoded.readings_n && n < POINTS_MAX; n++) {
        const struct reading *r = &s->decoded.readings[n];
        points[n] = (struct telemetry_point){.device = r->device,
                                             .metric = r->metric,
                                             .unit = r->unit,
                                             .value = r->value,
                                             .at_ms = r->at_s ? r->at_s * 1000 - shift : now,
                                             .quality = (uint8_t)r->quality};
    }
    struct fault fault = {0};
    struct telemetry_batch batch = {o->community_id, points, n};
    s->stored = OK;
    if (!n) {
        events_next(s);
        return;
    }
    size_t bad = 0;
    enum err e = telemetry_put(feed_telemetry(o->feed), &batch, stored, s, &bad, &fault);
    for (size_t tries = 0; tries < n && has_bad_time(&fault) && bad < n; tries++) {
        points[bad].at_ms = now - (int64_t)(n - 1 - bad); /* two of one metric stay two, in their order */
        fault = (struct fault){0};
        e = telemetry_put(feed_telemetry(o->feed), &batch, stored, s, &bad, &fault);
    }
    if (!e) return;
    s->stored = e;
    events_next(s);
}

/* ---- what is no frame ---- */

static void run_end(struct speaker *s) {
    struct line *l = s->line;
    struct decoded d;
    struct wire_error e = {"these bytes are no frame", 0};
    size_t kept = s->run_n < sizeof s->run ? s->run_n : sizeof s->run;
    if (!s->run_n) return;
    if (l->o.codec->decode && l->o.codec->decode((struct bytes){s->run, kept}, &s->arena, &d, &e))
        e = (struct wire_error){"these bytes are no frame", 0};
    struct sample x = sample_of(s, s->run_n, &e);
    figures_bad(l->o.figures, &x, (struct bytes){s->run, kept}, true);
    s->run_n = 0;
}

static void run_add(struct speaker *s, struct bytes skipped) {
    if (s->run_n < sizeof s->run) {
        size_t room = sizeof s->run - s->run_n;
        memcpy(s->run + s->run_n, skipped.ptr, skipped.len < room ? skipped.len : room);
    }
    s->run_n += skipped.len;
    if (s->run_n >= RUN_MAX) run_end(s);
}

void line_tick(struct line *l) {
    int64_t now_us = l->o.world->mono_us(l->o.world->self);
    for (struct speaker *s = l->speakers; s; s = s->next) {
        if (s->waiting || now_us - s->heard_us < LINE_PARTIAL_MS * INT64_C(1000)) continue;
        if (s->have) run_add(s, (struct bytes){s->keep, s->have});
        s->have = 0;
        run_end(s);
    }
}

/* ---- splitting ---- */

static void put_known(struct speaker *s) {
    const struct line_options *o = &s->line->o;
    if (s->decoded.sender.len) feed_heard(o->feed, o->community_id, s->decoded.sender, s->line->name);
    for (size_t i = 0; i < s->decoded.readings_n; i++)
        if (!str_eq(s->decoded.readings[i].device, s->decoded.sender))
            feed_heard(o->feed, o->community_id, s->decoded.readings[i].device, s->line->name);
    put(s);
}

/* `whole` lives in the speaker's arena until the answer. */
static void take_frame(struct speaker *s, struct bytes whole) {
    struct line *l = s->line;
    struct wire_error e = {0};
    struct buf b;
    int64_t now = now_of(l);
    bool ok = l->o.codec->decode(whole, &s->arena, &s->decoded, &e);
    struct sample x = sample_of(s, whole.len, ok ? NULL : &e);
    if (ok)
        figures_good(l->o.figures, &x, whole);
    else
        figures_bad(l->o.figures, &x, whole, false);
    buf_init(&b, s->answer, sizeof s->answer);
    if (l->o.codec->reply) l->o.codec->reply(whole, ok, now / 1000 + zone_offset_s(l->o.zone, now), &b);
    s->answer_n = b.overflow ? 0 : b.len;
    s->waiting = true;
    s->refs++;
    tcp_pause(s->conn);
    if (!ok) {
        s->decoded = (struct decoded){0};
        answer(s);
    } else {
        put_known(s);
    }
}

static void forget(struct speaker *s, size_t n) {
    memmove(s->keep, s->keep + n, s->have - n);
    s->have -= n;
}

/* Splits what is kept until an answer is due or more bytes are needed. */
static void go_on(struct speaker *s) {
    while (s->conn && !s->waiting && s->have) {
        size_t len = 0;
        enum frame f = s->line->o.codec->frame((struct bytes){s->keep, s->have}, &len);
        if (f == FRAME_SHORT) return;
        if (f == FRAME_SKIP) {
            run_add(s, (struct bytes){s->keep, len});
            forget(s, len);
            continue;
        }
        run_end(s);
        arena_reset(&s->arena);
        uint8_t *whole = arena_alloc(&s->arena, len, 1, 1);
        if (!whole) { /* no memory for a frame: the device says it again */
            tcp_close(s->conn);
            return;
        }
        memcpy(whole, s->keep, len);
        forget(s, len);
        take_frame(s, (struct bytes){whole, len});
    }
}

/* ---- the connection ---- */

static void on_open(void *arg, struct tcp_conn *conn) {
    struct line *l = arg;
    struct speaker *s = calloc(1, sizeof *s);
    if (!s) {
        tcp_close(conn);
        return;
    }
    *s = (struct speaker){.line = l, .conn = conn, .refs = 1, .next = l->speakers};
    s->task = (struct loop_task){.fn = events_next, .arg = s};
    struct buf peer;
    buf_init(&peer, s->peer, sizeof s->peer);
    buf_str(&peer, tcp_peer(conn));
    if (s->next) s->next->prev = s;
    l->speakers = s;
    l->refs++;
    arena_init(&s->arena, ARENA_CAP);
    tcp_set_user(conn, s);
    FIGURES_ADD(l->o.figures, connections, 1);
    FIGURES_ADD(l->o.figures, connections_total, 1);
}

/* Room for `more` bytes; a line keeps at most two frames and what one read brings. */
static bool make_room(struct speaker *s, size_t more) {
    size_t need = s->have + more, cap = s->cap ? s->cap : KEEP_FIRST;
    if (need > s->line->o.codec->frame_max * 2 + READ_MAX) return false;
    while (cap < need) cap *= 2;
    uint8_t *grown = cap == s->cap ? s->keep : realloc(s->keep, cap);
    if (!grown) return false;
    s->keep = grown;
    s->cap = cap;
    return true;
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct line *l = arg;
    struct speaker *s = tcp_user(conn);
    if (!s) return;
    FIGURES_ADD(l->o.figures, bytes, (int64_t)bytes.len);
    s->heard_us = l->o.world->mono_us(l->o.world->self);
    if (!make_room(s, bytes.len)) { /* cannot be while reads are paused, but for want of memory */
        tcp_close(conn);
        return;
    }
    memcpy(s->keep + s->have, bytes.ptr, bytes.len);
    s->have += bytes.len;
    go_on(s);
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct line *l = arg;
    struct speaker *s = tcp_user(conn);
    (void)why;
    if (!s) return;
    FIGURES_ADD(l->o.figures, connections, -1);
    if (s->have && !s->waiting) run_add(s, (struct bytes){s->keep, s->have});
    run_end(s);
    s->conn = NULL;
    if (s->prev)
        s->prev->next = s->next;
    else
        l->speakers = s->next;
    if (s->next) s->next->prev = s->prev;
    release(s);
}

enum err line_open(struct loop *loop, const struct line_options *options, struct line **ret, struct fault *fault) {
    struct line *l = calloc(1, sizeof *l);
    if (!l) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    l->o = *options;
    l->loop = loop;
    l->refs = 1;
    utf8_copy(l->name, sizeof l->name, str_of(options->name));
    struct tcp_calls calls = {on_open, on_bytes, NULL, on_close, l};
    struct tcp_options tcp = {
        .bind = options->bind, .port = options->port, .try_next = options->try_next, .idle_ms = IDLE_MS};
    enum err e = tcp_listen(loop, &tcp, &calls, &l->listener, fault);
    if (e) {
        free(l);
        return e;
    }
    *ret = l;
    return OK;
}

int line_port(const struct line *l) {
    return tcp_port(l->listener);
}

void line_close(struct line *l) {
    if (!l) return;
    tcp_unlisten(l->listener);
    l->listener = NULL;
    line_release(l);
}
