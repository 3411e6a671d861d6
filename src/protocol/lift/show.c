/* Records of lifts for tools.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/lift/lift_internal.h"

static const char *const modes[] = {"out_of_service", "normal",          "inspection", "fire_return",
                                    "fireman",        "emergency_power", "earthquake", "unknown"};
static const char *const escalator_modes[] = {"out_of_service", "normal", "inspection", "unknown"};
static const char *const directions[] = {"none", "up", "down"};

static void put_flag(struct jw *j, const char *key, int v) {
    if (v >= 0) jw_kbool(j, key, v);
}

bool lift_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct lift_record r;
    if (!lift_read(whole, a, &r, reterr)) return false;
    const struct lift_code *c = r.code.ptr ? lift_code_of(r.code) : NULL;
    jw_open(j, '{');
    jw_kcstr(j, "record", r.code.ptr ? "report" : "state");
    jw_kstr(j, "device", r.device);
    if (r.code.ptr) {
        jw_kcstr(j, "event", c ? c->code : "other");
        jw_kbool(j, "over", r.is_over || (c && c->is_end));
    }
    if (r.is_escalator && r.state.mode >= 0 && r.state.mode < (int)COUNT(escalator_modes))
        jw_kcstr(j, "mode", escalator_modes[r.state.mode]);
    else if (r.state.mode >= 0)
        jw_kcstr(j, "mode", modes[r.state.mode]);
    put_flag(j, "running", r.state.running);
    if (r.state.direction >= 0) jw_kcstr(j, "direction", directions[r.state.direction]);
    put_flag(j, "door_zone", r.state.door_zone);
    put_flag(j, "door_closed", r.state.door_closed);
    put_flag(j, "passenger", r.state.passenger);
    frame_put_bytes(j, a, "text", whole);
    jw_close(j, '}');
    return true;
}

/* As it came; or the members of a record, which are written in the order they have here. */
bool lift_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    static const char *const members[] = {"regCode",
                                          "code",
                                          "begin",
                                          "end",
                                          "ts",
                                          "serviceMode",
                                          "carStatus",
                                          "carDirection",
                                          "operationStatus",
                                          "operationDirection",
                                          "doorZone",
                                          "carPosition",
                                          "doorClosed",
                                          "passenger",
                                          "totalRunningTime",
                                          "presentCounterValue"};
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct str text = frame_text(&in, "text");
    struct lift_record r;
    struct jw j;
    size_t from = out->len;
    if (in.is_bad) return false;
    if (text.ptr) {
        buf_str(out, text);
    } else {
        jw_init(&j, out);
        jw_open(&j, '{');
        for (size_t i = 0; i < COUNT(members); i++) {
            const json_t *v = json_object_get(frame, members[i]);
            if (!v) continue;
            jw_key(&j, members[i]);
            jw_json(&j, v);
        }
        jw_close(&j, '}');
    }
    if (out->overflow) {
        *reterr = (struct wire_error){"lift record: " WIRE_LIMIT "at most 64 KiB", LIFT_RECORD_MAX};
        return false;
    }
    return lift_read((struct bytes){(const uint8_t *)out->ptr + from, out->len - from}, a, &r, reterr);
}
