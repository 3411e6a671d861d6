/* A camera of a gate that pushes the plates it reads over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/vz/vz.h"
#include "main/simulate/simulate.h"

#define UNSURE_OF 20 /* of so many plates one is read badly */

static bool push(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                 const char **ret_below) {
    char text[64], name[32];
    struct buf plate, device;
    (void)ret_below;
    buf_init(&plate, text, sizeof text);
    sim_put_plate(o, d, &plate);
    buf_init(&device, name, sizeof name);
    sim_put_name(o, d, &device);
    vz_write(&(struct vz_push){.device = {name, device.len},
                               .name = S("IN-1"),
                               .plate = {text, plate.len},
                               .colour = 1,
                               .type = 1,
                               .confidence = sim_random(d) % UNSURE_OF ? 90 + (int64_t)(sim_random(d) % 10) : 60,
                               .direction = 4,
                               .trigger = 8,
                               .plate_id = d->serial,
                               .at_ms = at_ms},
             json);
    return !plate.overflow;
}

const struct sim_protocol sim_vz = {.name = "vz", SIM_PUSHES(push)};
