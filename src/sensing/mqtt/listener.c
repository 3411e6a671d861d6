/* The MQTT listener: opening, limits of time, closing.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include <stdlib.h>

#define TICK_MS 250

static void on_open(void *arg, struct tcp_conn *tcp) {
    struct mqtt_listener *l = arg;
    struct mqtt_conn *c = calloc(1, sizeof *c);
    if (!c) {
        tcp_close(tcp);
        return;
    }
    c->l = l;
    c->tcp = tcp;
    c->refs = 1;
    c->level = MQTT_V311;
    c->last = &c->first;
    c->heard_us = now_us(l);
    c->until_us = c->heard_us + LOGIN_US;
    c->next = l->conns;
    if (c->next) c->next->prev = c;
    l->conns = c;
    tcp_set_user(tcp, c);
    FIGURE(l, connections, 1);
    c->line = figures_of(l->lines, 0);
    FIGURES_ADD(c->line, connections, 1);
    FIGURES_ADD(c->line, connections_total, 1);
}

static void on_bytes(void *arg, struct tcp_conn *tcp, struct bytes bytes) {
    struct mqtt_conn *c = tcp_user(tcp);
    (void)arg;
    if (!c) return;
    FIGURES_ADD(mqtt_line(c), bytes, (int64_t)bytes.len);
    mqtt_conn_bytes(c, bytes);
}

static void on_close(void *arg, struct tcp_conn *tcp, enum err why) {
    struct mqtt_listener *l = arg;
    struct mqtt_conn *c = tcp_user(tcp);
    (void)why;
    if (!c) return;
    FIGURE(l, connections, -1);
    FIGURES_ADD(mqtt_line(c), connections, -1);
    mqtt_conn_gone(c);
}

/* ---- time ---- */

static void look(struct mqtt_conn *c, int64_t now) {
    if (c->state == CONN_NEW && now >= c->until_us) mqtt_conn_end(c, MQTT_KEEP_ALIVE_TIMEOUT);
    if (c->state == CONN_REFUSED && now >= c->until_us) mqtt_login_refuse(c, c->refusal);
    bool silent = c->keep_alive_us && !c->is_paused && now - c->heard_us >= c->keep_alive_us;
    if (c->state == CONN_OPEN && silent) mqtt_conn_end(c, MQTT_KEEP_ALIVE_TIMEOUT);
    if (c->state == CONN_OPEN && c->is_paused) mqtt_conn_go_on(c);
}

void mqtt_tick(struct mqtt_listener *l) {
    int64_t now = now_us(l);
    if (l->stuck && now >= l->retry_us) mqtt_batches_retry(l, SIZE_MAX);
    mqtt_logins_go_on(l);
    mqtt_watch(l, now);
    mqtt_commands_tick(l);
    struct mqtt_conn *next = l->conns;
    if (next) next->refs++;
    while (next) { /* looking may end this one and others; the next one is held */
        struct mqtt_conn *c = next;
        next = c->next;
        if (next) next->refs++;
        if (c->tcp) look(c, now);
        mqtt_conn_drop(c);
    }
}

static void tick(void *arg) {
    mqtt_tick(arg);
}

static void round_over(void *arg) {
    mqtt_round_put(arg);
}

/* ---- life ---- */

enum err mqtt_open(struct loop *loop, const struct mqtt_options *options, struct mqtt_listener **ret,
                   struct fault *fault) {
    struct mqtt_listener *l = calloc(1, sizeof *l);
    if (!l) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    l->o = *options;
    l->loop = loop;
    l->stuck_last = &l->stuck;
    l->waiting_last = &l->waiting;
    buf_init(&l->names, l->names_mem, sizeof l->names_mem);
    pthread_mutex_init(&l->lock, NULL);
    l->lines = figures_book_create(FIGURES_NO_UNANSWERED); /* what finds no store waits, and is tried again */
    l->teller = mqtt_teller_create(l);
    l->host = sparkplug_host_create();
    l->since_ms = now_ms(l);
    if (!l->lines || !l->teller || !l->host) {
        mqtt_free(l);
        return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    }
    struct tcp_calls calls = {on_open, on_bytes, NULL, on_close, l};
    struct tcp_options tcp = {.bind = options->bind,
                              .port = options->port,
                              .try_next = options->try_next,
                              .connections_max = CONNECTIONS_MAX};
    enum err e = tcp_listen(loop, &tcp, &calls, &l->tcp, fault);
    if (!e && (loop_timer_create(loop, tick, l, &l->timer) || loop_soon_create(loop, round_over, l, &l->soon)))
        e = FAIL(fault, ERR_INTERNAL, "loop", "no timer");
    if (e) {
        mqtt_close(l);
        mqtt_free(l);
        return e;
    }
    loop_timer_start(l->timer, TICK_MS, TICK_MS);
    *ret = l;
    return OK;
}

int mqtt_port(const struct mqtt_listener *l) {
    return tcp_port(l->tcp);
}

void mqtt_close(struct mqtt_listener *l) {
    if (!l || l->is_closing) return;
    mqtt_sparkplug_die(l);
    l->is_closing = true; /* no will: the devices did not leave */
    for (struct mqtt_conn *c = l->conns, *next; c; c = next) {
        next = c->next;
        mqtt_conn_end(c, MQTT_SHUTTING_DOWN);
    }
    mqtt_round_put(l);
    loop_soon_destroy(l->soon);
    l->soon = NULL;
    loop_timer_destroy(l->timer);
    l->timer = NULL;
    tcp_unlisten(l->tcp);
    l->tcp = NULL;
}

void mqtt_free(struct mqtt_listener *l) {
    if (!l) return;
    while (l->conns) { /* batches and log-ins that waited for the feed, which stopped first */
        struct mqtt_conn *c = l->conns;
        l->conns = c->next;
        mqtt_batches_of_free(c);
        mqtt_gateway_destroy(c->gateway);
        free(c->login);
        free(c->keep);
        free(c);
    }
    mqtt_batches_free(l);
    for (size_t i = 0; i < MEMORIES; i++) free(l->memories[i]);
    pthread_mutex_destroy(&l->lock);
    figures_book_destroy(l->lines);
    teller_destroy(l->teller);
    sparkplug_host_destroy(l->host);
    free(l);
}
