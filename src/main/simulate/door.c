/* A door's controller that pushes the cards which are held to it over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/door/door.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>

#define LATE_OF 20     /* of so many one was kept while nobody answered */
#define LATE_MS 600000 /* so long */

static bool push(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                 const char **ret_below) {
    char text[64], name[32], id[48];
    struct buf card, device, serial;
    bool is_late = sim_random(d) % LATE_OF == 0;
    struct str one = sim_one_of(d, o->cards);
    (void)ret_below;
    buf_init(&card, text, sizeof text);
    if (one.len)
        buf_str(&card, one);
    else
        buf_fmt(&card, "%010" PRIu64, sim_random(d) % 16777216);
    buf_init(&device, name, sizeof name);
    sim_put_name(o, d, &device);
    buf_init(&serial, id, sizeof id);
    buf_fmt(&serial, "%" PRId64 ".%u", at_ms, (unsigned)d->serial);
    door_write(&(struct passing){.device = {name, device.len},
                                 .kind = PASSING_CARD,
                                 .value = {text, card.len},
                                 .serial = {id, serial.len},
                                 .way = d->index % 2 ? S("out") : S("in"),
                                 .at_ms = is_late ? at_ms - LATE_MS : at_ms,
                                 .is_late = is_late},
               json);
    return !card.overflow;
}

const struct sim_protocol sim_door = {.name = "door", SIM_PUSHES(push)};
