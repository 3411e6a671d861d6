/* A device as one in the field would be: MQTT 5.0 over a socket of its own, QoS 1, kept until it is acknowledged.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_PLAY_DEVICE_H
#define LINLI_MAIN_DEMO_PLAY_DEVICE_H

#include "base/clock.h"
#include "net/loop.h"

#define PLAY_IN_FLIGHT   8   /* messages kept; past it the device must wait */
#define PLAY_PAYLOAD_MAX 224 /* bytes of one */
#define PLAY_ANSWER_MS   20000
#define PLAY_PAUSE_MS    1000 /* after the first lost connection, doubling to: */
#define PLAY_PAUSE_MOST  60000

struct play_device;
struct play_device_options { /* everything is copied but loop and world, which are kept */
    struct loop *loop;
    const struct world *world;
    const char *address; /* numeric */
    int port;
    struct str community, code, user, password;
    int64_t pause_ms; /* 0: PLAY_PAUSE_MS */
};
struct play_device *
play_device_create(const struct play_device_options *options); /* NULL: out of memory, or too long */
void play_device_close(struct play_device *d); /* says goodbye; loop thread, before the loop ends; NULL is fine */
void play_device_free(struct play_device *d);  /* after the loop; NULL is fine */

/* All on the loop thread.  Connects when it is time, gives up a connection that does not answer. */
void play_device_tick(struct play_device *d);
bool play_device_can_put(const struct play_device *d);
void play_device_put(struct play_device *d, struct str payload); /* only when it can; at most PLAY_PAYLOAD_MAX bytes */

struct play_figures {
    int64_t acknowledged, refused; /* messages */
    bool is_open;
};
struct play_figures play_device_figures(const struct play_device *d);

#endif
