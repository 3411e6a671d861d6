/* The demo's readings: real measurements, back-filled and then replayed by devices over MQTT and a fire line.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_REPLAY_H
#define LINLI_MAIN_DEMO_REPLAY_H

#include "main/site.h"
#include "sensing/feed/feed.h"

/* Devices of one model play the columns of one data set, each from a row of its own; a row a second, from where the
 * last run stopped.  What a device says travels as it would from the field: its own connection, its own password. */
struct replay;
struct replay_options {
    struct site *site;
    struct loop *loop;
    struct feed *feed;
    int64_t community_id;
    const char *address;       /* of our listeners, as given to them; NULL: loopback */
    int mqtt_port, lines_port; /* 0: there is none, and nothing is replayed there */
};
/* Loop thread.  Reads the demo's devices, makes their passwords where there are none, back-fills history where a device
 * has none yet, then plays. */
NODISCARD enum err replay_start(const struct replay_options *options, struct replay **ret, struct fault *f);
void replay_stop(struct replay *r); /* loop thread, before the listeners close; NULL is fine */
void replay_free(struct replay *r); /* after the loop; NULL is fine */

#endif
