/* MQTT listener: devices publish readings, events and their state; PUBACK means durable (docs/mqtt.md).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_MQTT_LISTENER_H
#define LINLI_SENSING_MQTT_LISTENER_H

#include "api/api.h"
#include "net/tcp.h"
#include "sensing/feed/feed.h"

struct figures_book; /* sensing/lines/figures.h */

struct mqtt_options {
    const char *bind; /* NULL: 127.0.0.1 */
    int port;         /* 0: a free one */
    bool try_next;
    const struct kernel *kernel; /* this and what follows is kept */
    struct db_pool *pool;
    const struct world *world;
    struct feed *feed;
    /* Loop thread: what came of a command that mqtt_tell let out.  NULL: nobody wants to know. */
    void (*told)(void *arg, int64_t command_id, bool is_done, struct str answer);
    void *told_arg;
};
struct mqtt_listener;
/* Loop thread.  ERR_BUSY: port held. */
NODISCARD enum err mqtt_open(struct loop *loop, const struct mqtt_options *options, struct mqtt_listener **ret,
                             struct fault *fault);
int mqtt_port(const struct mqtt_listener *l);
void mqtt_close(struct mqtt_listener *l); /* loop thread, before feed_stop; NULL is fine */
void mqtt_free(struct mqtt_listener *l);  /* after the loop has run what was left; NULL is fine */
/* Looks at limits of time; the listener's own timer does so four times a second.  Loop thread; for tests. */
void mqtt_tick(struct mqtt_listener *l);

struct mqtt_figures {             /* since the start, but for `connections` and `waiting` */
    int64_t connections, waiting; /* waiting: publishes that are not yet answered */
    int64_t log_ins, refused, wrong_passwords, taken_over;
    int64_t messages, points, events;
    int64_t bad, forbidden, malformed; /* payloads, topics, packets */
    int64_t replies;                   /* answers to commands */
};
void mqtt_figures(struct mqtt_listener *l, struct mqtt_figures *ret); /* any thread */
/* The figures of its lines, with samples of those three and of wrong passwords: of a community, by the log-in, or by
 * the device whose log-in somebody tried.  The book lives as long as the listener. */
struct figures_book *mqtt_line_figures(struct mqtt_listener *l);
/* Tells a device something over its own connection, as struct lines_server wants it: its `command` topic hears
 * {"id","name","args"}, its `reply` {"id","ok","error"?} ends it.  Loop thread. */
struct line_order; /* sensing/lines/line.h */
bool mqtt_tell(void *listener, int64_t community_id, const struct line_order *o, const char **ret_why);
struct api_with mqtt_with(struct mqtt_listener *l); /* its health and its figures for Prometheus */

#endif
