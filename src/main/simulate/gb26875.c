/* A fire panel's transmission device: heartbeats, pressures, fires and faults that come and go, operators.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"
#include "base/gb18030.h"
#include "main/simulate/simulate.h"

#define CHINA_S (8 * 3600) /* panels keep local time */
#define CENTRE  1
#define LOOP    2 /* the detector's address: loop and number */

static struct gb26875_object part_of(struct sim_device *d, int64_t now_s) {
    return (struct gb26875_object){.system = 1,
                                   .system_address = 1,
                                   .component = 40,
                                   .component_address = (uint32_t)(LOOP << 16 | (10 + sim_random(d) % 3)),
                                   .time = gb26875_time_of(now_s)};
}

/* One of the things that a panel says; 0: a heartbeat, which has no data. */
static uint8_t choose(struct sim_device *d, struct gb26875_object *o) {
    switch (sim_random(d) % 10) {
    case 0:
        d->in_fire = !d->in_fire;
        o->state = (uint16_t)(1 | d->in_fire << 1 | d->in_fault << 2);
        return 2;
    case 1:
        d->in_fault = !d->in_fault;
        o->state = (uint16_t)(1 | d->in_fire << 1 | d->in_fault << 2);
        return 2;
    case 2:
        o->state = (uint16_t)(1 | (sim_random(d) % 4 == 0) << 3); /* mains lost, now and then */
        return 21;
    case 3:
        o->state = (uint16_t)(1 << sim_random(d) % 7);
        o->operator_id = (uint8_t)(1 + sim_random(d) % 9);
        return 24;
    case 4:
    case 5:
    case 6:
        o->system = 11; /* hydrants: a pressure of 0.3 to 0.5 MPa */
        o->component = 99;
        o->component_address = 65541;
        o->analogue = 4;
        o->value = (int16_t)(3 + sim_random(d) % 3);
        return 3;
    default: return 0;
    }
}

static bool speak(const struct sim_options *opt, struct sim_device *d, int64_t now_ms, struct buf *out) {
    int64_t now_s = now_ms / 1000 + CHINA_S;
    struct gb26875_object o = part_of(d, now_s);
    uint8_t type = choose(d, &o);
    char text[32], data[64];
    struct buf words, objects;
    buf_init(&words, text, sizeof text); /* 31 bytes fit */
    if (!gb18030_from_utf8(str_of(opt->description), &words) || words.overflow) return false;
    o.text = (struct bytes){(const uint8_t *)text, words.len};
    buf_init(&objects, data, sizeof data);
    if (type) gb26875_put_objects(type, &o, 1, &objects);
    struct gb26875_frame f = {.serial = d->serial,
                              .version = {1, 1},
                              .time = gb26875_time_of(now_s),
                              .source = (uint64_t)opt->first + d->index,
                              .destination = CENTRE,
                              .command = GB26875_SEND,
                              .data = {(const uint8_t *)data, objects.len}};
    gb26875_encode(&f, out);
    return !out->overflow && !objects.overflow;
}

static enum sim_heard hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    struct gb26875_frame f;
    struct wire_error e;
    enum frame what = gb26875_split(in, ret_used);
    if (what == FRAME_SHORT) return SIM_NOTHING;
    if (what == FRAME_SKIP || !gb26875_decode((struct bytes){in.ptr, *ret_used}, &f, &e)) return SIM_OTHER;
    *ret_serial = f.serial;
    return f.command == GB26875_CONFIRM ? SIM_CONFIRMED : f.command == GB26875_DENY ? SIM_DENIED : SIM_OTHER;
}

const struct sim_protocol sim_gb26875 = {
    .name = "gb26875", .port = 26875, .faults = (1u << SIM_FAULTS) - 1, .sum_at = 3, .speak = speak, .hear = hear};
