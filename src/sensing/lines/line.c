/* One line: how connections come to be, by listening, dialling or opening a serial port, and whose they are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line_internal.h"

#include "base/utf8.h"
#include "net/address.h"
#include "net/serial.h"

#include <stdio.h>
#include <stdlib.h>

#define IDLE_MS       INT64_C(600000)
#define AGAIN_MS      INT64_C(1000)
#define AGAIN_MOST_MS INT64_C(60000)

void line_release(struct line *l) {
    if (--l->refs) return;
    line_plan_free(l->plan);
    free(l);
}

int64_t line_now_ms(const struct line *l) {
    return l->o.world->utc_ms(l->o.world->self);
}

struct sample line_sample(const struct line *l, const char *peer, size_t len, const struct wire_error *e) {
    struct sample x = {.at_ms = line_now_ms(l), .offset = e ? e->at : 0, .len = len};
    if (e) utf8_copy(x.rule, sizeof x.rule, str_of(e->rule));
    utf8_copy(x.peer, sizeof x.peer, str_of(peer));
    return x;
}

/* ---- connections ---- */

static bool is_sender(const struct line *l, struct tcp_conn *conn) {
    bool may = l->o.reach != LINE_LISTEN || !l->senders[0] || address_list_has(str_of(l->senders), tcp_peer(conn));
    struct sample x = line_sample(l, tcp_peer(conn).ptr, 0, &(struct wire_error){LINE_NOT_A_SENDER, NO_OFFSET});
    if (!may) figures_bad(l->o.figures, &x, (struct bytes){NULL, 0}, false);
    return may;
}

static void on_open(void *arg, struct tcp_conn *conn) {
    struct line *l = arg;
    if (l->o.reach == LINE_LISTEN) l->refs++; /* the connection's; one that we make has it already */
    FIGURES_ADD(l->o.figures, connections, 1);
    FIGURES_ADD(l->o.figures, connections_total, 1);
    if (!is_sender(l, conn)) {
        tcp_drop(conn);
        return;
    }
    l->is_open = true;
    l->fails = 0;
    l->problem[0] = 0;
    if (l->o.codec->is_polled)
        bus_open(l->bus, conn);
    else
        speaker_open(l, conn);
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct line *l = arg;
    FIGURES_ADD(l->o.figures, bytes, (int64_t)bytes.len);
    if (!l->o.codec->is_polled)
        speaker_bytes(conn, bytes);
    else if (l->bus)
        bus_bytes(l->bus, conn, bytes);
}

/* Longer and longer, up to a minute. */
static void again_later(struct line *l) {
    int64_t pause_ms = AGAIN_MS << (l->fails < 6 ? l->fails : 6);
    l->fails++;
    l->again_us = l->o.world->mono_us(l->o.world->self) + (pause_ms < AGAIN_MOST_MS ? pause_ms : AGAIN_MOST_MS) * 1000;
}

static void lost(struct line *l) {
    l->conn = NULL;
    if (l->is_closing) return;
    if (l->o.reach == LINE_DIAL)
        snprintf(l->problem, sizeof l->problem, l->is_open ? "%s port %d hung up" : "nobody answers at %s port %d",
                 l->host, l->o.port);
    else
        snprintf(l->problem, sizeof l->problem, "%s is gone; is the adapter plugged in?", l->serial);
    l->is_open = false;
    again_later(l);
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct line *l = arg;
    (void)why;
    if (l->o.reach == LINE_LISTEN || l->is_open) FIGURES_ADD(l->o.figures, connections, -1);
    if (l->o.codec->is_polled)
        bus_gone(l->bus, conn);
    else
        speaker_gone(conn);
    if (l->o.reach != LINE_LISTEN) lost(l);
    line_release(l);
}

static enum err connect_it(struct line *l, struct fault *f) {
    const struct tcp_calls calls = {on_open, on_bytes, NULL, on_close, l};
    const struct line_serial *s = &l->o.serial;
    const struct serial_options serial = {.path = l->serial,
                                          .baud = s->baud,
                                          .parity = s->parity == 'E'   ? SERIAL_EVEN
                                                    : s->parity == 'O' ? SERIAL_ODD
                                                                       : SERIAL_NONE,
                                          .stop_bits = s->stop_bits};
    l->again_us = 0;
    l->refs++; /* the connection's */
    enum err e =
        l->o.reach == LINE_DIAL
            ? tcp_connect(l->loop, &(struct tcp_options){.bind = l->host, .port = l->o.port}, &calls, &l->conn, f)
            : serial_open(l->loop, &serial, &calls, &l->conn, f);
    if (e) l->refs--;
    return e;
}

/* What cannot be now is tried again. */
static void try_to_connect(struct line *l) {
    struct fault f = {0};
    if (!connect_it(l, &f)) return;
    utf8_copy(l->problem, sizeof l->problem, str_of(f.text));
    again_later(l);
}

/* ---- life ---- */

enum err line_open(struct loop *loop, const struct line_options *options, struct line **ret, struct fault *fault) {
    struct line *l = calloc(1, sizeof *l);
    if (!l) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    l->o = *options;
    l->loop = loop;
    l->refs = 1;
    utf8_copy(l->name, sizeof l->name, str_of(options->name));
    utf8_copy(l->host, sizeof l->host, str_of(options->host));
    utf8_copy(l->serial, sizeof l->serial, str_of(options->serial.path));
    utf8_copy(l->greeting, sizeof l->greeting, str_of(options->greeting));
    utf8_copy(l->senders, sizeof l->senders, str_of(options->senders));
    l->site = (struct intake_site){loop,    options->feed, options->world, options->zone, options->community_id,
                                   l->name, options->heard};
    const struct tcp_calls calls = {on_open, on_bytes, NULL, on_close, l};
    const struct tcp_options tcp = {.bind = options->bind, .port = options->port, .idle_ms = IDLE_MS};
    bool is_datagrams = options->codec->carrier == CARRIER_DATAGRAM;
    enum err e = is_datagrams                ? controllers_open(l, &l->controllers, fault)
                 : options->codec->is_polled ? bus_create(l, &l->bus, fault)
                                             : OK;
    if (!e && !is_datagrams && options->reach == LINE_LISTEN) e = tcp_listen(loop, &tcp, &calls, &l->listener, fault);
    if (e) {
        bus_destroy(l->bus);
        free(l);
        return e;
    }
    l->is_open = is_datagrams || options->reach == LINE_LISTEN;
    if (!l->is_open) try_to_connect(l);
    *ret = l;
    return OK;
}

int line_port(const struct line *l) {
    return l->controllers ? controllers_port(l->controllers) : l->listener ? tcp_port(l->listener) : 0;
}

bool line_is_open(const struct line *l, struct str *ret_why) {
    *ret_why = str_of(l->problem);
    return l->is_open;
}

void line_tick(struct line *l) {
    int64_t now_us = l->o.world->mono_us(l->o.world->self);
    if (l->again_us && now_us >= l->again_us) try_to_connect(l);
    if (l->controllers)
        controllers_tick(l->controllers);
    else if (l->bus)
        bus_tick(l->bus);
    else
        speakers_tick(l);
}

void line_close(struct line *l) {
    if (!l) return;
    l->is_closing = true;
    bus_end_orders(l->bus, LINE_IS_CLOSED);
    controllers_end_orders(l->controllers, LINE_IS_CLOSED);
    l->o.told = NULL; /* who asked is going, too */
    l->o.silent = NULL;
    tcp_unlisten(l->listener);
    l->listener = NULL;
    if (l->conn) tcp_drop(l->conn);
    bus_destroy(l->bus);
    l->bus = NULL;
    controllers_close(l->controllers);
    l->controllers = NULL;
    line_release(l);
}

/* ---- devices that are asked ---- */

void line_plan_free(struct line_plan *p) {
    if (!p) return;
    arena_finish(&p->arena);
    free(p);
}

void line_plan(struct line *l, struct line_plan *plan) {
    if (l->controllers) {
        controllers_plan(l->controllers, plan);
    } else if (l->bus) {
        bus_plan(l->bus, plan);
    } else {
        presence_plan(l, plan);
    }
}

bool line_find(struct line *l) {
    return l->controllers ? controllers_find(l->controllers) : l->bus && bus_find(l->bus);
}

bool line_tell(struct line *l, const struct line_order *o, const char **ret_why) {
    *ret_why = "devices of this kind cannot be told anything";
    if (!l->o.codec->asking) return false;
    if (l->controllers) return controllers_tell(l->controllers, o, ret_why);
    return l->bus ? bus_tell(l->bus, o, ret_why) : speakers_tell(l, o, ret_why);
}
