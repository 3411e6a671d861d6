/* Plays devices that are asked: connections, answers, faults.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/slave.h"

#include "main/simulate/simulate.h"
#include "net/serial.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS    5
#define AGAIN_MS   1000 /* before a connection is tried again */
#define TRIES      3    /* connections in a row on which nothing was asked */
#define JOIN_LATER 3    /* bytes */
#define PIECE_MAX  7    /* bytes of a split answer at a time */
#define OUT_MAX    ((size_t)(SIM_STORM_TIMES + 8) * SLAVE_FRAME_MAX)
#define EPOCH_MS   INT64_C(1767196800000) /* 2026-01-01 in Beijing: meters began to count */
#define HOUR_MS    3600000.0
#define DRIFTED    1e-3 /* of a value, with each SLAVE_DRIFT_MS */
#define MOST       0.2

const char *const slave_fault_names[SLAVE_FAULTS] = {"noise", "split",  "merge", "badsum", "lost",
                                                     "slow",  "replay", "storm", "drift"};

struct wire {
    struct slave *slave;
    struct tcp_conn *conn;
    struct wire *next;
    uint8_t in[2 * SLAVE_FRAME_MAX], out[OUT_MAX]; /* what was heard; what is still to be said */
    size_t in_n, out_at, out_n;
    int64_t due_ms; /* it is said no sooner */
    bool in_pieces;
};
struct slave {
    const struct slave_protocol *p;
    const struct slave_options *o;
    struct slave_line line;
    struct loop *loop;
    struct loop_timer *timer;
    struct wire *wires;
    struct tcp_listener *listener;
    struct tcp_conn *dialled;
    int64_t begun_ms, again_ms;      /* again: when to dial; 0: not now */
    int idle_connections;            /* in a row */
    size_t faulty;                   /* answers that could suffer */
    uint8_t before[SLAVE_FRAME_MAX]; /* the last answer */
    size_t before_n;
    struct slave_figures figures;
    struct fault *fault;
    enum err failed;
    bool ending;
};

/* ---- devices ---- */

int64_t slave_clock_ms(struct slave_device *d, int64_t now_ms) {
    if (d->is_drifting) d->ahead_ms += SLAVE_DRIFT_MS;
    return now_ms + d->ahead_ms;
}

double slave_around(struct slave_device *d, double middle, double wander) {
    double drifted = DRIFTED * (double)(d->ahead_ms / SLAVE_DRIFT_MS);
    return middle * (1 + (drifted < MOST ? drifted : MOST)) +
           wander * ((double)(sim_next(&d->random) % 2001) / 1000 - 1);
}

void slave_switch(struct slave_device *d, bool is_off, int64_t now_ms) {
    if (d->is_off == is_off) return;
    if (is_off)
        d->off_since_ms = now_ms;
    else
        d->off_ms += now_ms - d->off_since_ms;
    d->is_off = is_off;
}

double slave_hours(const struct slave_device *d, int64_t at_ms, int64_t now_ms) {
    int64_t off_ms = d->off_ms + (d->is_off ? now_ms - d->off_since_ms : 0);
    int64_t now = now_ms - EPOCH_MS - off_ms, then = at_ms - EPOCH_MS;
    return (double)(then < now ? then : now) / HOUR_MS;
}

const char *slave_form(const char *forms, size_t nth) {
    size_t n = 1;
    for (const char *c = forms; *c; c++) n += *c == ',';
    for (nth %= n; nth; forms++) nth -= *forms == ',';
    return forms;
}

void slave_devices(struct slave_device *devices, size_t n, int64_t first, uint64_t seed) {
    for (size_t i = 0; i < n; i++)
        devices[i] = (struct slave_device){.number = first + (int64_t)i, .random = seed * 1000003 + i};
}

/* ---- saying ---- */

static void end(struct slave *s) {
    if (s->ending) return;
    s->ending = true;
    for (struct wire *w = s->wires; w; w = w->next) tcp_drop(w->conn);
    if (s->dialled) tcp_drop(s->dialled);
    loop_stop(s->loop);
}

static void give_up(struct slave *s, const char *code, const char *words) {
    if (!s->failed) s->failed = FAIL(s->fault, ERR_UNAVAILABLE, code, "%s", words);
    end(s);
}

static void put(struct wire *w, const void *bytes, size_t n) {
    if (w->out_n + n > sizeof w->out) return; /* nobody listens to so much */
    memcpy(w->out + w->out_n, bytes, n);
    w->out_n += n;
}

static void flush(struct wire *w, int64_t now_ms) {
    while (w->out_at < w->out_n && now_ms >= w->due_ms) {
        size_t n = w->out_n - w->out_at;
        if (w->in_pieces && n > PIECE_MAX) n = 1 + sim_next(&w->slave->line.devices[0].random) % PIECE_MAX;
        if (tcp_write(w->conn, (struct bytes){w->out + w->out_at, n})) return;
        w->out_at += n;
        if (w->in_pieces) break; /* the next piece at the next tick */
    }
    if (w->out_at < w->out_n) return;
    w->out_at = w->out_n = 0;
    w->in_pieces = false;
}

void slave_join(struct buf *out, size_t nth, struct bytes one) {
    size_t at = nth ? JOIN_LATER * (1 + nth % 3) : 0;
    for (size_t i = 0; i < one.len; i++, at++) {
        if (at < out->len)
            out->ptr[at] = (char)((uint8_t)out->ptr[at] & one.ptr[i]);
        else
            buf_char(out, (char)one.ptr[i]);
    }
}

static void put_spoilt(const struct slave_protocol *p, const struct slave_answer *a, struct buf *out) {
    uint8_t copy[SLAVE_FRAME_MAX];
    memcpy(copy, a->frame.ptr, a->frame.len);
    if (p->spoil)
        p->spoil(copy, a->turn);
    else
        copy[a->frame.len - p->sum_at] ^= 1;
    buf_add(out, copy, a->frame.len);
}

void slave_put(const struct slave_protocol *p, const struct slave_answer *a, uint64_t *random, struct buf *out) {
    uint8_t noise[SIM_NOISE_MAX];
    struct bytes again = a->before.len ? a->before : a->frame;
    bool repeats = a->fault == SLAVE_REPLAY, is_blind = p->codec->is_blind;
    if (a->fault == SLAVE_LOST) return;
    if (a->fault == SLAVE_BADSUM) {
        put_spoilt(p, a, out);
        return;
    }
    if (a->fault == SLAVE_NOISE) buf_add(out, noise, sim_noise(random, noise));
    if (a->fault == SLAVE_MERGE) buf_add(out, a->question.ptr, a->question.len);
    if (repeats && !is_blind) buf_add(out, again.ptr, again.len);
    for (int i = a->fault == SLAVE_STORM ? SIM_STORM_TIMES : 1; i > 0; i--) buf_add(out, a->frame.ptr, a->frame.len);
    if (repeats && is_blind) buf_add(out, again.ptr, again.len);
}

static void answer(struct wire *w, struct bytes question, struct bytes frame) {
    struct slave *s = w->slave;
    enum slave_fault fault =
        (enum slave_fault)sim_fault_of(s->o->faults & ~(1u << SLAVE_DRIFT), SLAVE_FAULTS, &s->faulty);
    int64_t now_ms = loop_now_ms(s->loop);
    char mem[OUT_MAX];
    struct buf out;
    struct slave_answer a = {question, frame, {s->before, s->before_n}, fault, 0};
    if (fault < SLAVE_FAULTS) a.turn = s->figures.faults[fault]++;
    buf_init(&out, mem, sizeof mem);
    slave_put(s->p, &a, &s->line.devices[0].random, &out);
    memcpy(s->before, frame.ptr, frame.len);
    s->before_n = frame.len;
    w->due_ms = fault == SLAVE_SLOW ? now_ms + SLAVE_SLOW_MS : now_ms;
    w->in_pieces |= fault == SLAVE_SPLIT;
    put(w, mem, out.len);
    flush(w, now_ms);
}

/* ---- hearing ---- */

static void heard(struct wire *w, struct bytes whole) {
    struct slave *s = w->slave;
    char mem[SLAVE_FRAME_MAX + 1];
    struct buf out;
    buf_init(&out, mem, sizeof mem);
    s->figures.heard++;
    s->idle_connections = 0;
    enum slave_heard what = s->p->hear(&s->line, whole, s->o->world->utc_ms(s->o->world->self), &out);
    if (what == SLAVE_NOT_OURS) {
        s->figures.ignored++;
        return;
    }
    s->figures.answered++;
    s->figures.refused += what == SLAVE_REFUSES;
    s->figures.faults[SLAVE_DRIFT] += s->o->faults >> SLAVE_DRIFT & 1;
    answer(w, whole, (struct bytes){(const uint8_t *)out.ptr, out.len});
}

static bool is_done(const struct slave *s) {
    if (!s->o->count || s->figures.answered < s->o->count) return false;
    for (const struct wire *w = s->wires; w; w = w->next)
        if (w->out_n) return false;
    return true;
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct wire *w = tcp_user(conn);
    (void)arg;
    while (w && bytes.len && !w->slave->ending) {
        size_t room = sizeof w->in - w->in_n, n = bytes.len < room ? bytes.len : room, used = 0;
        enum frame what;
        memcpy(w->in + w->in_n, bytes.ptr, n);
        w->in_n += n;
        bytes = (struct bytes){bytes.ptr + n, bytes.len - n};
        while (w->in_n && (what = w->slave->p->codec->frame((struct bytes){w->in, w->in_n}, &used)) != FRAME_SHORT) {
            if (what == FRAME_WHOLE) heard(w, (struct bytes){w->in, used});
            memmove(w->in, w->in + used, w->in_n - used);
            w->in_n -= used;
        }
        if (w->in_n == sizeof w->in) w->in_n = 0; /* no question is that long */
    }
}

/* ---- connections ---- */

static void on_open(void *arg, struct tcp_conn *conn) {
    struct slave *s = arg;
    struct wire *w = calloc(1, sizeof *w);
    if (!w) {
        tcp_drop(conn);
        return;
    }
    *w = (struct wire){.slave = s, .conn = conn, .next = s->wires};
    s->wires = w;
    tcp_set_user(conn, w);
    s->figures.connections++;
    if (s->o->reach != SLAVE_DIAL || !s->o->greeting) return;
    put(w, s->o->greeting, strlen(s->o->greeting));
    flush(w, loop_now_ms(s->loop));
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct slave *s = arg;
    (void)why;
    for (struct wire **at = &s->wires; *at; at = &(*at)->next) {
        struct wire *w = *at;
        if (w->conn != conn) continue;
        *at = w->next;
        free(w);
        break;
    }
    if (s->dialled == conn) s->dialled = NULL;
    if (s->ending || s->o->reach == SLAVE_LISTEN) return;
    if (s->o->reach == SLAVE_SERIAL) {
        give_up(s, "gone", "the serial port is gone");
    } else if (++s->idle_connections >= TRIES) {
        give_up(s, "nobody", "nobody answers there, or whoever does hangs up");
    } else {
        s->again_ms = loop_now_ms(s->loop) + AGAIN_MS;
    }
}

static void reach(struct slave *s) {
    const struct slave_options *o = s->o;
    const struct tcp_calls calls = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close, .arg = s};
    const struct serial_options serial = {
        .path = o->serial, .baud = o->baud, .parity = s->p->is_even ? SERIAL_EVEN : SERIAL_NONE, .stop_bits = 1};
    enum err e = OK;
    s->again_ms = 0;
    switch (o->reach) {
    case SLAVE_DIAL:
        e = tcp_connect(s->loop, &(struct tcp_options){.bind = o->host, .port = o->port}, &calls, &s->dialled,
                        s->fault);
        break;
    case SLAVE_LISTEN:
        e = tcp_listen(s->loop, &(struct tcp_options){.port = o->port}, &calls, &s->listener, s->fault);
        if (!e && o->listens) o->listens(tcp_port(s->listener));
        break;
    case SLAVE_SERIAL: e = serial_open(s->loop, &serial, &calls, &s->dialled, s->fault); break;
    }
    if (!e) return;
    s->failed = e;
    end(s);
}

static void tick(void *arg) {
    struct slave *s = arg;
    int64_t now_ms = loop_now_ms(s->loop);
    for (struct wire *w = s->wires; w; w = w->next) flush(w, now_ms);
    if (s->again_ms && now_ms >= s->again_ms) reach(s);
    if (is_done(s)) end(s);
}

static void on_signal(void *arg) {
    end(arg);
}

/* ---- the whole ---- */

static enum err play(struct slave *s) {
    if (loop_create(&s->loop) || loop_timer_create(s->loop, tick, s, &s->timer) ||
        loop_on_stop_signal(s->loop, on_signal, s))
        return FAIL(s->fault, ERR_INTERNAL, "loop", "the event loop does not start");
    loop_timer_start(s->timer, TICK_MS, TICK_MS);
    s->begun_ms = loop_now_ms(s->loop);
    reach(s);
    if (!s->ending) loop_run(s->loop);
    s->figures.took_ms = loop_now_ms(s->loop) - s->begun_ms;
    return s->failed;
}

enum err slave_run(const struct slave_protocol *p, const struct slave_options *o, struct slave_figures *ret,
                   struct fault *f) {
    struct slave s = {.p = p, .o = o, .fault = f};
    s.line = (struct slave_line){calloc(o->devices, sizeof *s.line.devices), o->devices, o->cards};
    if (s.line.devices) slave_devices(s.line.devices, o->devices, o->first, o->seed);
    for (size_t i = 0; s.line.devices && i < o->devices; i++)
        s.line.devices[i].is_drifting = o->faults >> SLAVE_DRIFT & 1;
    for (size_t i = 0; s.line.devices && o->forms && i < o->devices; i++)
        s.line.devices[i].is_of_1997 = !strncmp(slave_form(o->forms, i), "1997", 4);
    enum err e = s.line.devices ? play(&s) : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    s.ending = true;
    tcp_unlisten(s.listener);
    loop_timer_destroy(s.timer);
    loop_destroy(s.loop);
    free(s.line.devices);
    *ret = s.figures;
    return e;
}
