/* A camera of a gate that pushes the plates it reads over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/vz/vz.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>

#define UNSURE_OF 20 /* of so many plates one is read badly */

/* One of those asked for; else one that is made up. */
static void put_plate(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    static const char serial[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    struct str rest = str_of(o->plates), one = {NULL, 0};
    size_t n = 1;
    for (size_t i = 0; i < rest.len; i++) n += rest.ptr[i] == ',';
    for (size_t nth = sim_random(d) % n + 1; rest.ptr && nth && str_cut(&rest, ',', &one); nth--) continue;
    if (one.len) {
        buf_str(out, one);
        return;
    }
    buf_cstr(out, "粤");
    buf_char(out, serial[10 + sim_random(d) % 24]);
    for (int i = 0; i < 5; i++) buf_char(out, serial[sim_random(d) % (i < 4 ? 10 : sizeof serial - 1)]);
}

static bool speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char text[64], name[32], body[SIM_FRAME_MAX];
    struct buf plate, device, json;
    buf_init(&plate, text, sizeof text);
    put_plate(o, d, &plate);
    buf_init(&device, name, sizeof name);
    buf_fmt(&device, "linli-%" PRId64, o->first + (int64_t)d->index);
    buf_init(&json, body, sizeof body);
    vz_write(&(struct vz_push){.device = {name, device.len},
                               .name = S("IN-1"),
                               .plate = {text, plate.len},
                               .colour = 1,
                               .type = 1,
                               .confidence = sim_random(d) % UNSURE_OF ? 90 + (int64_t)(sim_random(d) % 10) : 60,
                               .direction = 4,
                               .trigger = 8,
                               .plate_id = d->serial,
                               .at_ms = sim_clock_ms(d, now_ms)},
             &json);
    return !plate.overflow && sim_push(o, d, &json, out);
}

const struct sim_protocol sim_vz = {
    .name = "vz", .port = 8080, .faults = SIM_PUSH_FAULTS, .needs_key = true, .speak = speak, .hear = sim_push_hear};
