/* A camera of a lane: plates, now and then a sign of life, to the addresses of ITSAPI.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/json.h"
#include "main/simulate/simulate.h"

#define ALIVE_OF 5 /* of so many one is a sign of life */

static bool push(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                 const char **ret_below) {
    char text[64], name[32], time[32];
    struct buf plate, device, at;
    struct jw j;
    buf_init(&device, name, sizeof name);
    sim_put_name(o, d, &device);
    jw_init(&j, json);
    if (sim_random(d) % ALIVE_OF == 0) {
        *ret_below = "/NotificationInfo/KeepAlive";
        jw_put(&j, "{'DeviceID':$}", JV(J_CSTR(name)));
        return true;
    }
    *ret_below = "/NotificationInfo/TollgateInfo";
    buf_init(&plate, text, sizeof text);
    sim_put_plate(o, d, &plate);
    buf_init(&at, time, sizeof time);
    sim_put_local(&at, at_ms);
    jw_put(&j,
           "{'Picture':{'Plate':{'PlateNumber':$,'PlateColor':'Blue','Confidence':$},'SnapInfo':{'DeviceID':$,"
           "'Direction':$,'AccurateTime':$},'NormalPic':{'PicName':'n.jpg','Content':''}}}",
           JV(J_CSTR(text), J_I64(85 + (int64_t)(sim_random(d) % 15)), J_CSTR(name),
              J_CSTR(d->index % 2 ? "Reverse" : "Obverse"), J_CSTR(time)));
    return !plate.overflow;
}

const struct sim_protocol sim_itsapi = {.name = "itsapi", SIM_PUSHES(push)};
