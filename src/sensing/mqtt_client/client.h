/* A line to a broker that an estate has already: subscribed there through libmosquitto, what comes is decoded and made
 * durable.  A publish of QoS 1 is acknowledged once it is in the store.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_MQTT_CLIENT_CLIENT_H
#define LINLI_SENSING_MQTT_CLIENT_CLIENT_H

#include "base/civil.h"
#include "sensing/feed/feed.h"
#include "sensing/lines/figures.h"
#include "sensing/lines/heard.h"

struct mqtt_client_options {
    int64_t line_id;           /* the session's name at the broker comes of it */
    const char *name;          /* what people call the line; texts are copied */
    const char *host;          /* a name or a numeric address */
    int port;                  /* 0: see mqtt_client_port() */
    bool tls;                  /* by the certificates that the system trusts */
    const char *user, *secret; /* empty: none */
    const char *topics;        /* as home_topics_read() has them */
    int64_t community_id;      /* whose devices speak there */
    const char *community;     /* its code */
    const struct zone *zone;   /* of their clocks; NULL: UTC */
    const struct world *world;
    struct feed *feed;
    struct figures *figures;                                                      /* outlives the client */
    struct heard *heard;                                                          /* so does this */
    void (*told)(void *arg, int64_t command_id, bool is_done, struct str answer); /* what came of an order */
    void *told_arg;
};
#define MQTT_CLIENT_POINTS 4096 /* entities that Home Assistant's discovery describes */
struct mqtt_client;
int mqtt_client_port(int port, bool tls);
/* Opens at once, and again by itself, later and later, up to a minute.  Loop thread, all of it. */
NODISCARD enum err mqtt_client_open(struct loop *loop, const struct mqtt_client_options *options,
                                    struct mqtt_client **ret, struct fault *f);
bool mqtt_client_is_open(struct mqtt_client *c, struct str *ret_why); /* why not; good until the next call */
void mqtt_client_tick(struct mqtt_client *c);                         /* every 100 ms or so: another try of the store */
/* As line_tell() has it; who is not there is told once it is, while the order's time lasts. */
struct line_order; /* sensing/lines/line.h */
bool mqtt_client_tell(struct mqtt_client *c, const struct line_order *o, const char **ret_why);
/* Before feed_stop; what is not in the store is not acknowledged.  The memory goes when the loop has run what was left.
 * NULL is fine. */
void mqtt_client_close(struct mqtt_client *c);

#endif
