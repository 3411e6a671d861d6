/* linli simulate bacnet: controllers of a building on a UDP socket, until they are stopped.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "main/simulate/building.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAM_FAULTS (1u << SIM_LOST | 1u << SIM_REPLAY | 1u << SIM_BADSUM | 1u << SIM_NOISE)
#define BVLC_LENGTH_AT  2
#define STORM_EVERY     20 /* changes */

struct host {
    struct building building;
    const struct sim_options *o;
    struct sim_figures *figures;
    struct loop *loop;
    struct loop_timer *timer;
    struct udp *udp;
    int64_t begun_ms, datagrams, changes;
    size_t faulty; /* datagrams that suffered */
};

static void say(struct host *h, const struct udp_peer *to, struct bytes datagram) {
    h->figures->sent++;
    h->figures->confirmed += !udp_send(h->udp, to, datagram);
}

static void say_damaged(struct host *h, const struct udp_peer *to, struct bytes datagram) {
    uint8_t copy[BACNET_FRAME_MAX];
    if (datagram.len < BVLC_LENGTH_AT + 2 || datagram.len > sizeof copy) return;
    memcpy(copy, datagram.ptr, datagram.len);
    copy[BVLC_LENGTH_AT + 1] ^= 1;
    say(h, to, (struct bytes){copy, datagram.len});
}

static void say_noise(struct host *h, const struct udp_peer *to) {
    uint8_t noise[SIM_NOISE_MAX];
    say(h, to, (struct bytes){noise, sim_noise(&h->building.random, noise)});
}

/* Every other datagram suffers, each in its turn: it is lost, said twice, longer than it says, or noise comes first. */
static void send_out(void *arg, const struct udp_peer *to, struct bytes datagram) {
    struct host *h = arg;
    enum sim_fault fault = SIM_FAULTS;
    if (h->datagrams++ % 2 == 0)
        fault = (enum sim_fault)sim_fault_of(h->o->faults & DATAGRAM_FAULTS, SIM_FAULTS, &h->faulty);
    if (fault < SIM_FAULTS) h->figures->faults[fault]++;
    if (fault == SIM_LOST) return;
    if (fault == SIM_BADSUM) {
        say_damaged(h, to, datagram);
        return;
    }
    if (fault == SIM_NOISE) say_noise(h, to);
    say(h, to, datagram);
    if (fault == SIM_REPLAY) say(h, to, datagram);
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

static bool goes_wrong(struct host *h, enum sim_fault fault) {
    bool is_asked_for = h->o->faults >> fault & 1;
    h->figures->faults[fault] += is_asked_for;
    return is_asked_for;
}

/* A point at a time; in a storm SIM_STORM_TIMES of them, and whoever watches them is told of each. */
static void change(void *arg) {
    struct host *h = arg;
    int64_t now_ms = loop_now_ms(h->loop);
    if (goes_wrong(h, SIM_DRIFT)) building_drift(&h->building);
    int n = h->changes++ % STORM_EVERY == 0 && goes_wrong(h, SIM_STORM) ? SIM_STORM_TIMES : 1;
    while (n-- > 0) building_change(&h->building, now_ms);
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
    .name = "bacnet", .port = BACNET_PORT, .faults = DATAGRAM_FAULTS | 1u << SIM_STORM | 1u << SIM_DRIFT, .run = run};
