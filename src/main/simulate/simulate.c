/* Plays devices: connections, pace, retries, faults.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"

#include "net/tcp.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS     5
#define AGAIN_MS    1000 /* before a connection is tried again, and what was denied is said again */
#define AWAITED_MAX (2 + SIM_STORM_TIMES)
#define TIMES_MAX   1000000 /* answers whose time is kept */
#define PIECE_MAX   7       /* bytes of a split message at a time, of long ones more */
#define PIECES      64
#define OUT_MAX     (4 * SIM_FRAME_MAX)

const char *const sim_fault_names[SIM_FAULTS] = {"noise",  "split", "merge",  "badsum", "lost",
                                                 "replay", "storm", "absent", "drift"};

enum player_state { AWAY, CONNECTING, GREETING, IDLE, WAITING };
struct message {
    uint8_t bytes[SIM_FRAME_MAX];
    size_t n;
    uint16_t serial;
};
struct player {
    struct sim *sim;
    struct sim_device device;
    struct tcp_conn *conn;
    enum player_state state;
    struct message messages[2]; /* two when merged */
    size_t messages_n;
    uint16_t awaited[AWAITED_MAX];
    size_t awaited_n;
    int denials; /* that a broken copy will bring */
    int tries, refusals;
    int64_t until_ms, sent_us;
    uint8_t out[OUT_MAX], in[2 * SIM_FRAME_MAX]; /* what is still to be sent, piece by piece; what was heard */
    size_t out_at, out_n, in_n;
};
struct sim {
    const struct sim_protocol *p;
    const struct sim_options *o;
    struct loop *loop;
    struct loop_timer *timer;
    struct player *players;
    size_t turn, faulty; /* whose turn it is, and how many messages suffered */
    int64_t begun_ms;
    uint32_t *times_us;
    size_t times_n;
    struct sim_figures figures;
    struct fault *fault;
    enum err failed;
    bool ending;
};

static int64_t mono_us(const struct sim *s) {
    return s->o->world->mono_us(s->o->world->self);
}

static void end(struct sim *s) {
    if (s->ending) return;
    s->ending = true;
    for (size_t i = 0; i < s->o->devices; i++)
        if (s->players[i].conn) tcp_drop(s->players[i].conn);
    loop_stop(s->loop);
}

static void give_up(struct sim *s, enum err e, const char *code, const char *words) {
    if (!s->failed) s->failed = FAIL(s->fault, e, code, "%s", words);
    end(s);
}

/* ---- saying ---- */

static void put(struct player *p, const uint8_t *bytes, size_t n) {
    if (p->out_n + n > sizeof p->out) return; /* cannot be: four frames at most */
    memcpy(p->out + p->out_n, bytes, n);
    p->out_n += n;
}

static void put_damaged(struct player *p, enum sim_fault fault, const struct message *m) {
    uint8_t copy[SIM_FRAME_MAX];
    size_t n = m->n;
    memcpy(copy, m->bytes, n);
    if (fault == SIM_BADSUM) {
        copy[n - p->sim->p->sum_at] ^= 1;
        p->denials++;
    } else {
        size_t lost = 1 + sim_random(&p->device) % (n - 1), at = sim_random(&p->device) % (n - lost + 1);
        memmove(copy + at, copy + at + lost, n - at - lost);
        n -= lost;
    }
    put(p, copy, n);
}

static void put_noise(struct player *p) {
    uint8_t noise[SIM_NOISE_MAX];
    put(p, noise, sim_noise(&p->device.random, noise));
}

static bool make_message(struct player *p) {
    struct sim *s = p->sim;
    struct message *m = &p->messages[p->messages_n];
    struct buf b;
    char mem[SIM_FRAME_MAX + 1];
    p->device.serial++;
    buf_init(&b, mem, sizeof mem);
    if (s->o->faults >> SIM_DRIFT & 1) {
        sim_drift(&p->device);
        s->figures.faults[SIM_DRIFT]++;
    }
    if (!s->p->speak(s->o, &p->device, s->o->world->utc_ms(s->o->world->self), &b)) return false;
    memcpy(m->bytes, b.ptr, b.len);
    m->n = b.len;
    m->serial = p->device.serial;
    p->messages_n++;
    s->figures.sent++;
    return true;
}

static size_t awaits(const struct player *p, uint16_t serial) {
    size_t n = 0;
    for (size_t i = 0; i < p->awaited_n; i++) n += p->awaited[i] == serial;
    return n;
}

/* However often it was said: what was left out of it is, once. */
static void await(struct player *p, uint16_t serial) {
    if (p->device.is_left_out && awaits(p, serial)) return;
    if (p->awaited_n < AWAITED_MAX) p->awaited[p->awaited_n++] = serial;
}

static void flush(struct player *p, bool split) {
    while (p->out_at < p->out_n && p->conn) {
        size_t n = p->out_n - p->out_at;
        size_t most = p->out_n / PIECES > PIECE_MAX ? p->out_n / PIECES : PIECE_MAX;
        if (split && n > most) n = 1 + sim_random(&p->device) % most;
        if (tcp_write(p->conn, (struct bytes){p->out + p->out_at, n})) return;
        p->out_at += n;
        p->sent_us = mono_us(p->sim);
        if (split) return; /* the next piece at the next tick */
    }
}

static void wait_for_answers(struct player *p) {
    p->state = WAITING;
    p->until_ms = loop_now_ms(p->sim->loop) + SIM_WAIT_MS;
}

/* As fast as the line takes it, and no answer is waited for in between. */
static void storm(struct player *p, const struct message *m) {
    for (int i = 1; i < SIM_STORM_TIMES && p->conn; i++) {
        if (tcp_write(p->conn, (struct bytes){m->bytes, m->n})) return;
        await(p, m->serial);
    }
}

static void speak(struct player *p) {
    struct sim *s = p->sim;
    enum sim_fault fault = (enum sim_fault)sim_fault_of(s->o->faults & SIM_WIRE_FAULTS, SIM_FAULTS, &s->faulty);
    p->out_at = p->out_n = p->messages_n = p->awaited_n = 0;
    p->tries = 1;
    p->denials = 0;
    bool ok = make_message(p);
    if (ok && fault == SIM_MERGE && s->figures.sent < s->o->count) ok = make_message(p);
    if (!ok) {
        give_up(s, ERR_INVALID, "message", "what a device would say does not fit a message");
        return;
    }
    const struct message *m = &p->messages[0];
    if (fault < SIM_FAULTS) s->figures.faults[fault]++;
    if (fault == SIM_NOISE) put_noise(p);
    if (fault == SIM_LOST || fault == SIM_BADSUM) put_damaged(p, fault, m);
    for (size_t i = 0; i < p->messages_n; i++) {
        put(p, p->messages[i].bytes, p->messages[i].n);
        await(p, p->messages[i].serial);
    }
    if (fault == SIM_REPLAY) {
        put(p, m->bytes, m->n);
        await(p, m->serial);
    }
    wait_for_answers(p);
    flush(p, fault == SIM_SPLIT);
    if (fault == SIM_STORM) storm(p, m);
}

static void say_again(struct player *p) {
    struct sim *s = p->sim;
    if (p->tries++ >= SIM_TRIES) {
        s->figures.unanswered += (int64_t)p->messages_n;
        p->state = IDLE;
        return;
    }
    s->figures.repeated++;
    p->out_at = p->out_n = p->awaited_n = 0;
    for (size_t i = 0; i < p->messages_n; i++) {
        put(p, p->messages[i].bytes, p->messages[i].n);
        await(p, p->messages[i].serial);
    }
    wait_for_answers(p);
    flush(p, false);
}

/* ---- the conversation's pace ---- */

static bool may_speak(const struct sim *s) {
    int64_t allowed = s->o->rate ? 1 + (loop_now_ms(s->loop) - s->begun_ms) * s->o->rate / 1000 : s->o->count;
    return s->figures.sent < s->o->count && s->figures.sent < allowed;
}

/* What is due to a question is said whatever the pace. */
static bool owes(const struct sim *s, const struct player *p) {
    return p->device.owes_ms && s->o->world->utc_ms(s->o->world->self) >= p->device.owes_ms;
}

static void pump(struct sim *s) {
    bool busy = false;
    for (size_t i = 0; i < s->o->devices && !s->ending; i++)
        if (s->players[i].state == IDLE && owes(s, &s->players[i])) speak(&s->players[i]);
    for (size_t i = 0; i < s->o->devices && !s->ending && may_speak(s); i++) {
        struct player *p = &s->players[s->turn++ % s->o->devices];
        if (p->state == IDLE) speak(p);
    }
    for (size_t i = 0; i < s->o->devices; i++) busy |= s->players[i].state != IDLE || s->players[i].device.owes_ms;
    if (s->figures.sent >= s->o->count && !busy) end(s);
}

static void forget(struct player *p, uint16_t serial) {
    for (size_t i = 0; i < p->awaited_n; i++) {
        if (p->awaited[i] != serial) continue;
        p->awaited[i] = p->awaited[--p->awaited_n];
        break;
    }
}

static void answered(struct player *p, uint16_t serial) {
    struct sim *s = p->sim;
    p->refusals = 0;
    forget(p, serial);
    if (p->awaited_n || p->state != WAITING) return;
    int64_t took = mono_us(s) - p->sent_us;
    s->figures.confirmed += (int64_t)p->messages_n;
    if (s->times_n < TIMES_MAX) s->times_us[s->times_n++] = took < 0 ? 0 : (uint32_t)took;
    p->state = IDLE;
}

static void denied(struct player *p, uint16_t serial) {
    p->sim->figures.denied++;
    if (awaits(p, serial) > 1)
        forget(p, serial); /* of a storm too much of it; the rest is still to be answered */
    else if (p->denials > 0)
        p->denials--;
    else if (p->state == WAITING)
        p->until_ms = loop_now_ms(p->sim->loop) + AGAIN_MS; /* a denial counts like a time-out */
}

static void heard(struct player *p, enum sim_heard what, uint16_t serial) {
    switch (what) {
    case SIM_READY:
        if (p->state == GREETING) p->state = IDLE;
        if (p->messages_n && p->awaited_n) say_again(p); /* what was not answered before the line broke */
        return;
    case SIM_CONFIRMED: answered(p, serial); return;
    case SIM_NEXT_CONFIRMED:
        if (p->awaited_n) answered(p, p->awaited[0]);
        return;
    case SIM_DENIED: denied(p, serial); return;
    case SIM_REFUSED:
        give_up(p->sim, ERR_UNAVAILABLE, "refused", "the server refuses the account, or answers what is no answer");
        return;
    case SIM_ASKED: /* answered before */
    case SIM_NOTHING:
    case SIM_OTHER: return;
    }
}

/* A message that goes out in pieces goes first. */
static void answer(struct player *p, struct bytes what) {
    const struct sim *s = p->sim;
    char mem[SIM_ANSWER_MAX];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    bool ok = s->p->answer(s->o, &p->device, what, &b) && !b.overflow;
    if (ok && b.len) flush(p, false);
    if (!ok || (b.len && tcp_write(p->conn, (struct bytes){(const uint8_t *)mem, b.len}))) tcp_drop(p->conn);
}

/* ---- connections ---- */

static void on_open(void *arg, struct tcp_conn *conn) {
    struct player *p = arg;
    struct sim *s = p->sim;
    char mem[SIM_FRAME_MAX];
    struct buf b;
    p->in_n = 0;
    s->figures.connections++;
    p->state = s->p->greet ? GREETING : IDLE;
    p->until_ms = loop_now_ms(s->loop) + SIM_WAIT_MS;
    if (s->p->greet) {
        buf_init(&b, mem, sizeof mem);
        if (!s->p->greet(s->o, &p->device, &b) || tcp_write(conn, (struct bytes){(const uint8_t *)mem, b.len}))
            tcp_drop(conn);
    } else if (p->messages_n && p->awaited_n) {
        say_again(p);
    }
    pump(s);
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct player *p = arg;
    (void)conn;
    while (bytes.len && !p->sim->ending) {
        size_t n = sizeof p->in - p->in_n < bytes.len ? sizeof p->in - p->in_n : bytes.len, used = 0;
        uint16_t serial = 0;
        enum sim_heard what;
        memcpy(p->in + p->in_n, bytes.ptr, n);
        p->in_n += n;
        bytes = (struct bytes){bytes.ptr + n, bytes.len - n};
        while (p->in_n && (what = p->sim->p->hear((struct bytes){p->in, p->in_n}, &used, &serial)) != SIM_NOTHING) {
            if (what == SIM_ASKED && p->conn) answer(p, (struct bytes){p->in, used});
            memmove(p->in, p->in + used, p->in_n - used);
            p->in_n -= used;
            heard(p, what, serial);
        }
        if (p->in_n == sizeof p->in) p->in_n = 0; /* no answer is that long */
    }
    if (!p->sim->ending) pump(p->sim);
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct player *p = arg;
    (void)conn;
    (void)why;
    p->conn = NULL;
    p->state = AWAY;
    p->until_ms = loop_now_ms(p->sim->loop) + AGAIN_MS;
    if (!p->sim->ending && ++p->refusals >= SIM_TRIES)
        give_up(p->sim, ERR_UNAVAILABLE, "nobody", "nobody answers there, or whoever does hangs up");
}

static void dial(struct player *p) {
    struct sim *s = p->sim;
    struct tcp_calls calls = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close, .arg = p};
    p->state = CONNECTING;
    enum err e =
        tcp_connect(s->loop, &(struct tcp_options){.bind = s->o->host, .port = s->o->port}, &calls, &p->conn, s->fault);
    if (!e) return;
    s->failed = e;
    end(s);
}

static void tick(void *arg) {
    struct sim *s = arg;
    int64_t now = loop_now_ms(s->loop);
    for (size_t i = 0; i < s->o->devices && !s->ending; i++) {
        struct player *p = &s->players[i];
        if (p->state == WAITING && p->out_at < p->out_n) flush(p, true);
        if (p->state == WAITING && now >= p->until_ms) say_again(p);
        if (p->state == GREETING && now >= p->until_ms) tcp_drop(p->conn);
        if (p->state == AWAY && now >= p->until_ms) dial(p);
    }
    if (!s->ending) pump(s);
}

/* ---- the whole ---- */

static enum err play(struct sim *s) {
    if (loop_create(&s->loop)) return FAIL(s->fault, ERR_INTERNAL, "loop", "the event loop does not start");
    if (loop_timer_create(s->loop, tick, s, &s->timer)) return FAIL(s->fault, ERR_INTERNAL, "loop", "no timer");
    loop_timer_start(s->timer, TICK_MS, TICK_MS);
    s->begun_ms = loop_now_ms(s->loop);
    for (size_t i = 0; i < s->o->devices; i++) {
        struct player *p = &s->players[i];
        p->sim = s;
        p->device = (struct sim_device){.protocol = s->p, .index = i, .random = s->o->seed * 1000003 + i};
    }
    for (size_t i = 0; i < s->o->devices && !s->failed; i++) dial(&s->players[i]);
    loop_run(s->loop);
    s->figures.took_ms = loop_now_ms(s->loop) - s->begun_ms;
    sim_sum_up(&s->figures, s->times_us, s->times_n);
    return s->failed;
}

enum err sim_run(const struct sim_protocol *p, const struct sim_options *o, struct sim_figures *ret, struct fault *f) {
    struct sim s = {.p = p, .o = o, .fault = f};
    s.players = calloc(o->devices, sizeof *s.players);
    s.times_us = calloc(TIMES_MAX, sizeof *s.times_us);
    enum err e = s.players && s.times_us ? play(&s) : FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    loop_timer_destroy(s.timer);
    loop_destroy(s.loop);
    free(s.players);
    free(s.times_us);
    *ret = s.figures;
    return e;
}
