/* Lines over TCP.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/lines.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_MS    INT64_C(600000)
#define ARENA_CAP  ((size_t)1 << 20)
#define POINTS_MAX 256

struct line {
    struct line_options o;
    struct loop *loop;
    struct tcp_listener *listener;
    struct line_figures figures;
};
struct speaker { /* a connection */
    struct line *line;
    struct tcp_conn *conn; /* NULL once it is gone */
    uint8_t *keep;
    size_t have, cap;
    bool waiting; /* an answer is due */
    int refs;     /* the connection, and the answer under way */
    struct arena arena;
    struct decoded decoded;
    char answer[128];
    size_t answer_n;
    enum err stored;
    struct loop_task task;
};

static void release(struct speaker *s) {
    if (--s->refs) return;
    arena_finish(&s->arena);
    free(s->keep);
    free(s);
}

static void go_on(struct speaker *s);

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

static void events_next(void *arg) {
    struct speaker *s = arg;
    const struct line_options *o = &s->line->o;
    if (s->stored) { /* not durable: not answered, so the device says it again */
        s->answer_n = 0;
        answer(s);
        return;
    }
    int64_t now = o->world->utc_ms(o->world->self), shift = (int64_t)zone_offset_s(o->zone, now) * 1000;
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
    /* Not taken, or no barrier: not answered, so the device says it again. */
    if (!events || feed_events(o->feed, o->community_id, events, n) || feed_barrier(o->feed, answer, s)) {
        s->answer_n = 0;
        answer(s);
    }
}

static void stored(void *arg, enum err e) { /* the writer's thread */
    struct speaker *s = arg;
    s->stored = e;
    loop_post_task(s->line->loop, &s->task);
}

static void put(struct speaker *s) {
    const struct line_options *o = &s->line->o;
    struct telemetry_point points[POINTS_MAX];
    int64_t now = o->world->utc_ms(o->world->self), shift = (int64_t)zone_offset_s(o->zone, now) * 1000;
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
    enum err e = telemetry_put(feed_telemetry(o->feed), &batch, stored, s, NULL, &fault);
    if (!e) return;
    if (e == ERR_INVALID) { /* a clock that is off: the value counts from now */
        for (size_t i = 0; i < n; i++) points[i].at_ms = now;
        e = telemetry_put(feed_telemetry(o->feed), &batch, stored, s, NULL, &fault);
        if (!e) return;
    }
    s->stored = e;
    events_next(s);
}

static void bad_frame(struct line *l, struct bytes whole, const struct wire_error *e) {
    struct buf b;
    l->figures.bad++;
    l->figures.last_rule = e->rule;
    buf_init(&b, l->figures.last_bad, sizeof l->figures.last_bad);
    buf_hex(&b, (struct bytes){whole.ptr, whole.len < 64 ? whole.len : 64});
}

static void take_frame(struct speaker *s, struct bytes whole) {
    struct line *l = s->line;
    struct wire_error e = {0};
    struct buf b;
    arena_reset(&s->arena);
    bool ok = l->o.codec->decode(whole, &s->arena, &s->decoded, &e);
    l->figures.frames += ok;
    if (!ok) bad_frame(l, whole, &e);
    int64_t now = l->o.world->utc_ms(l->o.world->self);
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
        put(s);
    }
}

/* Splits what is kept until an answer is due or more bytes are needed. */
static void go_on(struct speaker *s) {
    while (s->conn && !s->waiting && s->have) {
        size_t len = 0;
        enum frame f = s->line->o.codec->frame((struct bytes){s->keep, s->have}, &len);
        if (f == FRAME_SHORT) return;
        uint8_t whole[2048];
        size_t n = len < sizeof whole ? len : sizeof whole;
        memcpy(whole, s->keep, n);
        memmove(s->keep, s->keep + len, s->have - len);
        s->have -= len;
        if (f == FRAME_SKIP)
            s->line->figures.skipped_bytes += (int64_t)len;
        else
            take_frame(s, (struct bytes){whole, n});
    }
}

/* ---- the connection ---- */

static void on_open(void *arg, struct tcp_conn *conn) {
    struct line *l = arg;
    struct speaker *s = calloc(1, sizeof *s);
    if (s) {
        s->cap = l->o.codec->frame_max * 2 + 65536; /* what one read may bring on top of a frame */
        s->keep = malloc(s->cap);
    }
    if (!s || !s->keep) {
        free(s);
        tcp_close(conn);
        return;
    }
    s->line = l;
    s->conn = conn;
    s->refs = 1;
    s->task = (struct loop_task){.fn = events_next, .arg = s};
    arena_init(&s->arena, ARENA_CAP);
    tcp_set_user(conn, s);
    l->figures.connections++;
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct line *l = arg;
    struct speaker *s = tcp_user(conn);
    if (!s) return;
    while (bytes.len) {
        size_t n = s->cap - s->have < bytes.len ? s->cap - s->have : bytes.len;
        if (!n) { /* cannot be while reads are paused; a line never keeps more than its bound */
            l->figures.skipped_bytes += (int64_t)bytes.len;
            tcp_close(conn);
            return;
        }
        memcpy(s->keep + s->have, bytes.ptr, n);
        s->have += n;
        bytes = (struct bytes){bytes.ptr + n, bytes.len - n};
        go_on(s);
    }
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct line *l = arg;
    struct speaker *s = tcp_user(conn);
    (void)why;
    if (!s) return;
    l->figures.connections--;
    s->conn = NULL;
    release(s);
}

enum err line_open(struct loop *loop, const struct line_options *options, struct line **ret, struct fault *fault) {
    struct line *l = calloc(1, sizeof *l);
    if (!l) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    l->o = *options;
    l->loop = loop;
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
    if (l) tcp_unlisten(l->listener);
    if (l) l->listener = NULL;
}

void line_free(struct line *l) {
    free(l);
}

void line_figures(const struct line *l, struct line_figures *ret) {
    *ret = l->figures;
}
