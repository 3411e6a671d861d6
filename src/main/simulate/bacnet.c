/* linli simulate bacnet: controllers of a building on a UDP socket, until they are stopped.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "main/simulate/building.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host {
    struct building building;
    const struct sim_options *o;
    struct sim_figures *figures;
    struct loop *loop;
    struct loop_timer *timer;
    struct udp *udp;
    int64_t begun_ms;
};

static void say(struct host *h, const struct udp_peer *to, struct bytes datagram) {
    h->figures->sent++;
    h->figures->confirmed += !udp_send(h->udp, to, datagram);
}

/* Of those asked for, what goes wrong with each datagram in its turn: it is lost, or said twice. */
static void send_out(void *arg, const struct udp_peer *to, struct bytes datagram) {
    struct host *h = arg;
    bool may_lose = h->o->faults >> SIM_LOST & 1, may_repeat = h->o->faults >> SIM_REPLAY & 1;
    int64_t turn = (h->figures->sent + h->figures->faults[SIM_LOST]) % 4;
    if (may_lose && turn == 0) {
        h->figures->faults[SIM_LOST]++;
        return;
    }
    say(h, to, datagram);
    if (!may_repeat || turn != 2) return;
    h->figures->faults[SIM_REPLAY]++;
    say(h, to, datagram);
}

static void stop(void *arg) {
    struct host *h = arg;
    loop_stop(h->loop);
}

static void on_datagram(void *arg, const struct udp_peer *from, struct bytes bytes) {
    struct host *h = arg;
    h->figures->asked += building_hear(&h->building, loop_now_ms(h->loop), from, bytes);
    if (h->figures->asked >= h->o->count) stop(h);
}

static void change(void *arg) {
    struct host *h = arg;
    building_change(&h->building, loop_now_ms(h->loop));
}

static enum err open(struct host *h, struct fault *f) {
    const struct udp_options o = {.bind = h->o->host, .port = h->o->port, .may_broadcast = true};
    const struct udp_calls calls = {on_datagram, h};
    int64_t every_ms = h->o->rate ? 1000 / h->o->rate : 0;
    if (loop_create(&h->loop)) return FAIL(f, ERR_INTERNAL, "loop", "the event loop does not start");
    TRY(udp_open(h->loop, &o, &calls, &h->udp, f));
    if (loop_timer_create(h->loop, change, h, &h->timer) || loop_on_stop_signal(h->loop, stop, h))
        return FAIL(f, ERR_INTERNAL, "loop", "no timer or no signals");
    if (every_ms < 1) every_ms = 1;
    if (h->o->rate) loop_timer_start(h->timer, every_ms, every_ms);
    return OK;
}

static enum err play(struct host *h, struct fault *f) {
    enum err e = open(h, f);
    if (!e) {
        printf("listen bacnet %s:%d\n", h->o->host, udp_port(h->udp));
        fflush(stdout);
        h->begun_ms = loop_now_ms(h->loop);
        loop_run(h->loop);
        h->figures->took_ms = loop_now_ms(h->loop) - h->begun_ms;
    }
    udp_close(h->udp);
    loop_timer_destroy(h->timer);
    loop_destroy(h->loop);
    return e;
}

static enum err run(const struct sim_options *o, struct sim_figures *ret, struct fault *f) {
    struct host *h = calloc(1, sizeof *h);
    struct building_device *devices = calloc(o->devices, sizeof *devices);
    enum err e = ERR_INTERNAL;
    *ret = (struct sim_figures){0};
    if (h && devices) {
        *h = (struct host){.o = o, .figures = ret};
        h->building.first = o->first;
        h->building.n = o->devices;
        h->building.random = o->seed;
        h->building.devices = devices;
        h->building.send = send_out;
        h->building.arg = h;
        building_init(&h->building);
        e = play(h, f);
    } else {
        e = FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    }
    free(devices);
    free(h);
    return e;
}

const struct sim_protocol sim_bacnet = {
    .name = "bacnet", .port = BACNET_PORT, .faults = 1u << SIM_LOST | 1u << SIM_REPLAY, .run = run};
