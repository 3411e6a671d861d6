/* A door's controller that pushes the cards which are held to it over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/door/door.h"
#include "main/simulate/simulate.h"

#include <inttypes.h>

#define LATE_OF 20     /* of so many one was kept while nobody answered */
#define LATE_MS 600000 /* so long */

/* One of those asked for; else one that is made up. */
static void put_card(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    struct str rest = str_of(o->cards), one = {NULL, 0};
    size_t n = 1;
    for (size_t i = 0; i < rest.len; i++) n += rest.ptr[i] == ',';
    for (size_t nth = sim_random(d) % n + 1; rest.ptr && nth && str_cut(&rest, ',', &one); nth--) continue;
    if (one.len)
        buf_str(out, one);
    else
        buf_fmt(out, "%010" PRIu64, sim_random(d) % 16777216);
}

static bool speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    char text[64], name[32], id[48], body[SIM_FRAME_MAX];
    int64_t at_ms = sim_clock_ms(d, now_ms);
    struct buf card, device, serial, json;
    bool is_late = sim_random(d) % LATE_OF == 0;
    buf_init(&card, text, sizeof text);
    put_card(o, d, &card);
    buf_init(&device, name, sizeof name);
    buf_fmt(&device, "linli-%" PRId64, o->first + (int64_t)d->index);
    buf_init(&serial, id, sizeof id);
    buf_fmt(&serial, "%" PRId64 ".%u", now_ms, (unsigned)d->serial);
    buf_init(&json, body, sizeof body);
    door_write(&(struct passing){.device = {name, device.len},
                                 .kind = PASSING_CARD,
                                 .value = {text, card.len},
                                 .serial = {id, serial.len},
                                 .way = d->index % 2 ? S("out") : S("in"),
                                 .at_ms = is_late ? at_ms - LATE_MS : at_ms,
                                 .is_late = is_late},
               &json);
    return !card.overflow && sim_push(o, d, &json, out);
}

const struct sim_protocol sim_door = {
    .name = "door", .port = 8080, .faults = SIM_PUSH_FAULTS, .needs_key = true, .speak = speak, .hear = sim_push_hear};
