/* Controllers of a building, played: points that change and are read, written and watched over BACnet/IP, and a lift.
 * Datagrams and times in, datagrams out.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_SIMULATE_BUILDING_H
#define LINLI_MAIN_SIMULATE_BUILDING_H

#include "net/udp.h"
#include "protocol/bacnet/bacnet.h"

/* The first device is where the datagrams go; the others are behind it, on a network of their own, by their number. */
#define BUILDING_NETWORK  2001
#define BUILDING_SUBS_MAX 256
#define BUILDING_POINTS   8  /* of a device, without the lift */
#define BUILDING_LEVELS   16 /* priorities */

struct building_device {
    double values[BUILDING_POINTS];
    double levels[BUILDING_POINTS][BUILDING_LEVELS]; /* written, NaN: given up */
    int floor, heading /* 1 up, -1 down */, rest;    /* of the lift: changes left before it goes on */
};
struct building_sub { /* somebody who is told of changes; remaining: until_ms 0 is none */
    struct udp_peer to;
    struct bacnet_address net;
    size_t device;
    int64_t object, process, until_ms;
    bool is_confirmed;
    int64_t told; /* what he knows, as building_told() has it */
};
struct building {
    int64_t first; /* instance of the first device */
    size_t n;
    uint64_t random;
    int drifted; /* thousandths by which instruments show too much, every other device's too little */
    struct building_device *devices; /* the caller's, n of them */
    struct building_sub subs[BUILDING_SUBS_MAX];
    uint8_t invoke; /* of the last confirmed notification */
    void (*send)(void *arg, const struct udp_peer *to, struct bytes datagram);
    void *arg;
};
void building_init(struct building *b); /* with first, n, devices, random, send and arg */
/* True: it asked something of a device here. */
bool building_hear(struct building *b, int64_t now_ms, const struct udp_peer *from, struct bytes datagram);
void building_change(struct building *b, int64_t now_ms); /* one point of one device, or its lift */

#define BUILDING_DRIFTED_MAX 200
void building_drift(struct building *b); /* one step more; nobody is told by that alone */

#endif
