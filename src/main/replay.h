/* The demo's readings: real measurements, back-filled and then replayed.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_REPLAY_H
#define LINLI_MAIN_REPLAY_H

#include "main/site.h"
#include "sensing/feed/feed.h"

/* Devices of one model play the columns of one data set, each from a row of its own. */
struct replay;
/* Loop thread.  Reads the demo's devices; back-fills history where a device has none yet; then plays one row a second.
 * `fire_port`: of the fire line, where a panel speaks after a minute; 0: none. */
NODISCARD enum err replay_start(struct site *site, struct loop *loop, struct feed *feed, int64_t community_id,
                                int fire_port, struct replay **ret, struct fault *f);
void replay_stop(struct replay *r); /* before feed_stop; NULL is fine */
void replay_free(struct replay *r); /* after the loop; NULL is fine */

#define REPLAY_BANNER_ZH                                                                                                                          \
    "演示数据：读数是公开的真实测量，历史已补齐，现在每秒回放一行（分钟数据快 60 倍，小时数据快 3600 " \
    "倍）；人名都是虚构的。"
#define REPLAY_BANNER_EN                                                                                              \
    "Demo: readings are real public measurements; history is back-filled, and one row is replayed a second (minutes " \
    "60 times, "                                                                                                      \
    "hours 3,600 times as fast); people are made up."

#endif
