/* What the files of the MQTT client share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_MQTT_CLIENT_CLIENT_INTERNAL_H
#define LINLI_SENSING_MQTT_CLIENT_CLIENT_INTERNAL_H

#include "platform/things/things.h"
#include "protocol/home/home.h"
#include "sensing/mqtt_client/client.h"

#define HOST_MAX    100
#define TEXT_MAX    1024
#define FILTERS_MAX 4096 /* bytes */

/* ---- caller.c: a thread that calls the broker, and keeps calling ---- */

struct arrival { /* slices, until caller_done() */
    struct str topic;
    struct bytes payload;
    bool is_retained; /* kept by the broker: state, and no news */
};
struct caller;
struct caller_options { /* copied */
    const char *id, *host, *user, *secret;
    const char *filters; /* one behind the other, each with its zero byte */
    size_t filters_n;    /* bytes */
    int port;
    bool tls;
    const char
        *sparkplug; /* as which host of Sparkplug B we are there: its state is said, and is our will; NULL: none */
    int64_t now_ms; /* UTC */
    struct loop *loop;
    /* Loop thread: a publish that is not acknowledged, and the next one not read, until caller_done(). */
    void (*heard)(void *arg, const struct arrival *p);
    void *arg;
};
NODISCARD enum err caller_start(const struct caller_options *o, struct caller **ret, struct fault *f);
void caller_done(struct caller *x); /* it is in the store, or can never be */
bool caller_is_open(struct caller *x, char *ret_problem, size_t size);
void caller_subscribe(struct caller *x, struct str topic); /* one more, until the call ends */
/* With QoS 1.  False: it is not open, or CALLER_UNSENT_MAX are not acknowledged yet. */
#define CALLER_UNSENT_MAX 64
bool caller_publish(struct caller *x, struct str topic, struct bytes payload);
void caller_say_state(struct caller *x); /* once more: somebody says that we are dead */
/* heard() is not called any more; what is not done is not acknowledged.  The thread ends by itself, and the memory goes
 * with it. */
void caller_stop(struct caller *x);

/* ---- said.c: what a publish says, by the shape of its topic; pure ---- */

struct said_site {
    struct home_speaks speaks;
    struct home_points *points;
    struct str community; /* code; what other communities' devices say is not for this line */
    const struct zone *zone;
    int64_t now_ms;
};
/* False: *reterr, its byte counted in the payload. */
bool said_read(const struct said_site *s, const struct arrival *p, struct arena *a, struct decoded *ret,
               struct wire_error *reterr);

#endif
