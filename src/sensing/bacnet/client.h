/* A BACnet client without socket and clock: who is there, questions asked again until they are answered, changes
 * subscribed and kept so.  Datagrams and times in, datagrams out.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_BACNET_CLIENT_H
#define LINLI_SENSING_BACNET_CLIENT_H

#include "net/udp.h"
#include "protocol/bacnet/bacnet.h"
#include "sensing/poll/poll.h"

#define BACNET_WAIT_MS     3000 /* for an answer, */
#define BACNET_TRIES       3    /* then it is asked again, so often in all, with the same invoke id */
#define BACNET_LIFETIME_S  300  /* of a subscription; renewed at half of it */
#define BACNET_AGAIN_MS    3600000
#define BACNET_WHO_MS      10000  /* who does not answer is searched for, and again after that, less and less often, */
#define BACNET_WHO_MAX_MS  600000 /* at least so often */
#define BACNET_KEPT_MS     600000 /* so long a device that spoke stays where it was, whoever else says he is it */
#define BACNET_DEVICES_MAX 2000
#define BACNET_AT_ONCE     32 /* questions under way, one a device */
#define BACNET_GAP_MS      20 /* between an answer and the next question to the device */
#define BACNET_ABOUTS_MAX  8  /* of those under way, to devices without a plan */
#define BACNET_THINGS_MAX  64 /* lifts and escalators that are found with a device */

/* What a device says: an answer to a point's question, a change, an event. */
struct bacnet_news {
    struct str address;            /* that was asked; of what comes by itself the device that spoke */
    const struct decoded *decoded; /* lives for the call */
    struct udp_peer from;
    struct bytes reply; /* goes there once it is in the store; empty: none is due.  Lives for the call */
};
/* What a device says of itself; "" where it does not. */
#define BACNET_ABOUT_MAX 60
struct bacnet_about {
    char name[BACNET_ABOUT_MAX + 1], vendor[BACNET_ABOUT_MAX + 1], model[BACNET_ABOUT_MAX + 1];
};
/* What they get lives for the call.  From within them an order may be given, a device be asked now and everybody looked
 * for, nothing else. */
struct bacnet_client_calls {
    void (*send)(void *arg, const struct udp_peer *to, struct bytes datagram); /* to NULL: to everybody */
    /* It says that it is there.  One without a plan is asked what it is before that; its lifts and escalators are found
     * with it, as "1234.lift_2".  about NULL: it was not asked. */
    void (*found)(void *arg, struct str device, const struct udp_peer *from, const struct bacnet_about *about);
    void (*said)(void *arg, const struct bacnet_news *news);
    void (*refused)(void *arg, struct str address, struct str item, const char *why);
    void (*silent)(void *arg, struct str address, bool is_silent); /* for each address of a plan; maybe again */
    /* Each datagram that answers, introduces a device or says news of one; before what it says. */
    void (*heard)(void *arg, const struct udp_peer *from, struct bytes whole);
    /* Bytes that are no datagram of BACnet, or nobody's business; rule NULL: it broke none. */
    void (*noise)(void *arg, const struct udp_peer *from, struct bytes bytes, const struct wire_error *e);
    void (*ended)(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                  const char *why); /* of an order, once */
    void *arg;
};
struct bacnet_client_options {
    const struct udp_peer *bbmd;      /* where what is for everybody is passed on; NULL: this network alone */
    struct bacnet_client_calls calls; /* all are needed */
};
struct bacnet_client;
NODISCARD enum err bacnet_client_create(const struct bacnet_client_options *o, struct bacnet_client **ret,
                                        struct fault *f);
void bacnet_client_destroy(struct bacnet_client *c); /* NULL is fine */

/* A plan: what is not added between the two is asked no more, what is goes on where it was. */
void bacnet_client_plan_begin(struct bacnet_client *c);
void bacnet_client_plan_end(struct bacnet_client *c);
/* The items are read every so often; a device that cannot tell several at once, or not in one datagram, is asked for
 * them one by one.  is_watched: their objects tell their changes instead; what does not, is read like any other, where
 * every_ms is 0 asked again every BACNET_AGAIN_MS whether it does now.  The texts are copied.  ERR_INVALID: no such
 * address or item (field address); ERR_LIMIT: POLL_POINTS_MAX, BACNET_DEVICES_MAX. */
NODISCARD enum err bacnet_client_add(struct bacnet_client *c, struct str address, struct str items, int64_t every_ms,
                                     bool is_watched, struct fault *f);
/* As poll_order(): before any point of its device.  The texts are copied. */
NODISCARD enum err bacnet_client_order(struct bacnet_client *c, const struct poll_order *o, struct fault *f);
/* As poll_keep(); what is under way ends by itself. */
void bacnet_client_keep(struct bacnet_client *c, bool (*is_wanted)(void *arg, const struct poll_order *o), void *arg,
                        const char *why);
/* All of its points are due; of a device's address those of its lifts, too. */
void bacnet_client_now(struct bacnet_client *c, struct str address);
/* Those of these numbers are asked who they are, at the next step; -1, -1: all. */
void bacnet_client_find(struct bacnet_client *c, int64_t low, int64_t high);

/* Sends what is due, and gives up what was waited for too long.  Gives when to come again, at the latest; what came,
 * was ordered or planned since makes it sooner. */
int64_t bacnet_client_step(struct bacnet_client *c, int64_t now_ms);
void bacnet_client_feed(struct bacnet_client *c, int64_t now_ms, const struct udp_peer *from, struct bytes datagram);
size_t bacnet_client_devices(const struct bacnet_client *c); /* that are there */

#endif
