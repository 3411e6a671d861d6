/* Everything this program is made of.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_MODULES_H
#define LINLI_MAIN_MODULES_H

#include "api/api.h"
#include "platform/telemetry/telemetry_http.h"
#include "sensing/feed/feed.h"
#include "sensing/lines/lines.h"
#include "sensing/mqtt/listener.h"

extern const struct module *const modules[];
extern const size_t modules_n;

/* The routes of engines that run; members are NULL for describing only. */
struct running {
    struct telemetry_http *readings;
    struct line_set *lines;
    struct mqtt_listener *mqtt;
    struct feed *feed;
};
#define MODULES_WITH 6
void modules_with(const struct running *r, struct api_with ret[MODULES_WITH]);

#endif
