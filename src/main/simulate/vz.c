/* A camera of a gate that pushes over HTTP the plates it reads, some of them late, inputs that close, and that it is
 * alive.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/vz/vz.h"
#include "main/simulate/simulate.h"

#define UNSURE_OF 20     /* of so many plates one is read badly */
#define LATE_OF   20     /* and one was kept while nobody answered, */
#define LATE_MS   600000 /* so long */
#define BESIDE_OF 10     /* of so many pushes one is no plate */

static bool put_vehicle(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct str name,
                        struct buf *json) {
    char text[64];
    struct buf plate;
    bool is_late = sim_random(d) % LATE_OF == 0;
    buf_init(&plate, text, sizeof text);
    sim_put_plate(o, d, &plate);
    vz_write(&(struct vz_push){.device = name,
                               .name = S("IN-1"),
                               .plate = {text, plate.len},
                               .colour = 1,
                               .type = 1,
                               .confidence = sim_random(d) % UNSURE_OF ? 90 + (int64_t)(sim_random(d) % 10) : 60,
                               .direction = 4,
                               .trigger = 8,
                               .plate_id = d->serial,
                               .is_offline = is_late,
                               .at_ms = is_late ? at_ms - LATE_MS : at_ms},
             json);
    return !plate.overflow;
}

static void put_heartbeat(const struct sim_device *d, int64_t at_ms, struct str name, struct buf *json) {
    struct jw j;
    jw_init(&j, json);
    jw_put(&j,
           "{'heartbeat':{'countid':$,'timeStamp':{'Timeval':{'sec':$,'usec':0}},'serialno':$,'deviceName':'IN-1'}}",
           JV(J_I64(d->serial), J_I64(at_ms / 1000), J_STR(name)));
}

/* One of two inputs opens, closes, or closes for a moment. */
static void put_input(struct sim_device *d, struct str name, struct buf *json) {
    struct jw j;
    jw_init(&j, json);
    jw_put(&j, "{'AlarmGioIn':{'deviceName':'IN-1','serialno':$,'result':{'TriggerResult':{'source':$,'value':$}}}}",
           JV(J_STR(name), J_I64(sim_random(d) % 2), J_I64(sim_random(d) % 3)));
}

static bool push(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                 const char **ret_below) {
    char mem[32];
    struct buf b;
    (void)ret_below;
    buf_init(&b, mem, sizeof mem);
    sim_put_name(o, d, &b);
    const struct str name = {mem, b.len};
    if (sim_random(d) % BESIDE_OF) return put_vehicle(o, d, at_ms, name, json);
    if (sim_random(d) % 2)
        put_heartbeat(d, at_ms, name, json);
    else
        put_input(d, name, json);
    return true;
}

const struct sim_protocol sim_vz = {.name = "vz", SIM_PUSHES(push)};
