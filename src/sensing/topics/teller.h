/* Devices that speak by publishes, through a gateway or a broker: each is told in the convention in which it spoke
 * last, once it is there, and a publish of its own says that it did so.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_TOPICS_TELLER_H
#define LINLI_SENSING_TOPICS_TELLER_H

#include "protocol/home/home.h"
#include "sensing/lines/line.h"

#define TELLER_ORDERS_MAX  256   /* not answered yet */
#define TELLER_DEVICES_MAX 10000 /* of further ones nobody remembers how they spoke */
#define TELLER_KEY_MAX     128

/* Through which devices speak, and are told. */
struct teller_voice {
    int64_t community_id;
    const struct home_speaks *speaks;
    const struct home_points *points; /* what discovery described; NULL: nothing */
    struct str gateway;               /* its code: its devices are itself and "GATEWAY:NAME"; empty: as they say */
    struct str community;             /* code of "linli/COMMUNITY/DEVICE/"; empty: nobody speaks there */
    bool is_broker;                   /* network servers of LoRaWAN speak there, too */
    void *at;                         /* the owner's */
};
struct teller_options {
    const struct world *world;
    struct feed *feed; /* knows who is in use */
    /* The voice of the device; false: it is not connected. */
    bool (*voice)(void *arg, int64_t community_id, struct str device, struct teller_voice *ret);
    bool (*out)(void *arg, const struct teller_voice *v, struct str topic, struct bytes payload); /* false: not now */
    /* What came of an order.  One that no publish answers comes to no end here, nor does one whose time is over. */
    void (*told)(void *arg, int64_t command_id, bool is_done, struct str answer);
    void *arg;
};
/* One thread, all of it. */
struct teller;
struct teller *teller_create(const struct teller_options *o); /* NULL: out of memory */
void teller_destroy(struct teller *t);                        /* NULL is fine; nothing is told of what waits */
/* False: *ret_why, and told() is not called.  Else it went out, or waits until its device is there and is known. */
bool teller_tell(struct teller *t, int64_t community_id, const struct line_order *o, const char **ret_why);
bool teller_knows(struct teller *t, int64_t community_id, struct str device); /* how it spoke */
/* Through the voice came what `d` says, its devices by their codes.  is_kept: by the broker, so it answers nothing. */
void teller_heard(struct teller *t, const struct teller_voice *v, struct str topic, struct bytes payload,
                  const struct decoded *d, bool is_kept);
/* Some time after each change of what is connected: what waits is tried once more. */
void teller_tick(struct teller *t);

#endif
