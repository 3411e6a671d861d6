/* Pushes of VZ cameras.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/vz/vz.h"

#include "protocol/alpr.h"
#include "protocol/frame_json.h"
#include "protocol/members.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *member, *name, *device; /* device: which member names it, and */
    const char *rule;                   /* what is broken where it does not; NULL: it need not */
} messages[] = {
    [VZ_PLATE] = {"AlarmInfoPlate", "plate", "serialno", "VZ AlarmInfoPlate: serialno names no device"},
    [VZ_INPUT] = {"AlarmGioIn", "input", "serialno", "VZ AlarmGioIn: serialno names no device"},
    [VZ_SERIAL] = {"SerialData", "serial", "serialno", "VZ SerialData: serialno names no device"},
    [VZ_HEARTBEAT] = {"heartbeat", "heartbeat", "serialno", NULL},
    [VZ_ANSWER] = {"Response_AlarmInfoPlate", "answer", "", NULL},
};
static const char *const colours[] = {"unknown", "blue", "yellow", "white", "black", "green", "yellow_green"};
static const char *const directions[] = {"unknown", "left", "right", "up", "down"}; /* in the picture */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static int64_t number(struct str json, const char *path) {
    int64_t v;
    return member_i64(json, path, &v) && v >= 0 ? v : -1;
}

static bool read_vehicle(struct str body, size_t at, struct arena *a, struct vz_push *p, struct wire_error *reterr) {
    struct str result = member_at(body, "result.PlateResult");
    int64_t s = number(result, "timeStamp.Timeval.sec"), us = number(result, "timeStamp.Timeval.usec");
    p->plate = member_text(result, "license", a);
    if (!p->plate.ptr) return bad(reterr, "VZ AlarmInfoPlate: result.PlateResult.license is missing", at);
    p->colour = number(result, "colorType");
    p->type = number(result, "type");
    p->confidence = number(result, "confidence");
    p->direction = number(result, "direction");
    p->trigger = number(result, "triggerType");
    p->plate_id = number(result, "plateid");
    p->is_offline = number(result, "isoffline") > 0;
    if (s > 0 && s <= UINT32_MAX) p->at_ms = s * 1000 + (us >= 0 && us < 1000000 ? us / 1000 : 0);
    return true;
}

static bool read_input(struct str body, size_t at, struct vz_push *p, struct wire_error *reterr) {
    p->source = number(body, "result.TriggerResult.source");
    p->value = number(body, "result.TriggerResult.value");
    if (p->source < 0 || p->source > 255) return bad(reterr, "VZ AlarmGioIn: source is the number of an input", at);
    return p->value >= 0 && p->value <= 2 ? true : bad(reterr, "VZ AlarmGioIn: value is 0, 1 or 2", at);
}

bool vz_read(struct bytes whole, struct arena *a, struct vz_push *ret, struct wire_error *reterr) {
    struct vz_push p = {.colour = -1, .type = -1, .confidence = -1, .direction = -1, .trigger = -1, .plate_id = -1};
    struct str json = {(const char *)whole.ptr, whole.len}, body = {NULL, 0};
    size_t at = 0, m = 0;
    if (whole.len > VZ_PUSH_MAX) return bad(reterr, "VZ push: " WIRE_LIMIT "at most 1 MiB", VZ_PUSH_MAX);
    if (!members_check(whole, &at)) return bad(reterr, "VZ push: this is no JSON", at);
    for (; m < COUNT(messages) && !body.ptr; m++) body = member_at(json, messages[m].member);
    if (!body.ptr) return bad(reterr, "VZ push: none of AlarmInfoPlate, AlarmGioIn, SerialData, heartbeat is in it", 0);
    p.message = (enum vz_message)(m - 1);
    at = (size_t)(body.ptr - json.ptr);
    p.device = member_text(body, messages[p.message].device, a);
    p.name = member_text(body, "deviceName", a);
    p.info = member_text(body, "info", a);
    bool is_named = alpr_is_device(p.device);
    if (!is_named) p.device = (struct str){NULL, 0};
    if (!is_named && messages[p.message].rule) return bad(reterr, messages[p.message].rule, at);
    if (p.message == VZ_PLATE && !read_vehicle(body, at, a, &p, reterr)) return false;
    if (p.message == VZ_INPUT && !read_input(body, at, &p, reterr)) return false;
    *ret = p;
    return true;
}

void vz_write(const struct vz_push *p, struct buf *out) {
    struct jw j;
    jw_init(&j, out);
    jw_put(&j,
           "{'AlarmInfoPlate':{'channel':0,'deviceName':$,'ipaddr':'192.0.2.1','serialno':$,'result':{'PlateResult':{",
           JV(J_STR(p->name.ptr ? p->name : S("")), J_STR(p->device)));
    jw_kstr(&j, "license", p->plate);
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"colorType", p->colour},
                   {"type", p->type},
                   {"confidence", p->confidence},
                   {"direction", p->direction},
                   {"triggerType", p->trigger},
                   {"plateid", p->plate_id},
                   {"isoffline", p->is_offline ? 1 : -1}};
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (numbers[i].value >= 0) jw_ki64(&j, numbers[i].key, numbers[i].value);
    if (p->at_ms)
        jw_put(&j, "'timeStamp':{'Timeval':{'sec':$,'usec':$}}",
               JV(J_I64(p->at_ms / 1000), J_I64(p->at_ms % 1000 * 1000)));
    jw_put(&j, "}}}}", NO_JV);
}

/* ---- what it says ---- */

static bool say_vehicle(const struct vz_push *p, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct sighting s = {
        .device = p->device, .plate = p->plate, .at_ms = p->at_ms, .sure_pct = p->confidence, .is_late = p->is_offline};
    struct buf serial;
    buf_init_arena(&serial, a, 64);
    if (p->plate_id >= 0) buf_fmt(&serial, "%" PRId64 ".%" PRId64, p->plate_id, p->at_ms);
    if (p->plate_id >= 0 && !buf_done(&serial, &s.serial)) return bad(reterr, "out of memory", 0);
    return alpr_say(&s, a, ret, reterr);
}

/* A contact that closes for a moment has said both. */
static bool say_input(const struct vz_push *p, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct device_event *events = arena_new(a, struct device_event, 2);
    char part[24];
    struct str number;
    snprintf(part, sizeof part, "%" PRId64, p->source);
    if (!events || !arena_str(a, str_of(part), &number)) return bad(reterr, "out of memory", 0);
    events[0] = (struct device_event){.device = p->device, .code = S("input"), .part = number, .is_set = p->value};
    events[1] = events[0];
    events[1].is_set = false;
    *ret = (struct decoded){.sender = p->device, .events = events, .events_n = p->value == 2 ? 2 : 1};
    return true;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct vz_push p;
    *ret = (struct decoded){0};
    if (!vz_read(whole, a, &p, reterr)) return false;
    ret->sender = p.device;
    switch (p.message) {
    case VZ_PLATE: return say_vehicle(&p, a, ret, reterr);
    case VZ_INPUT: return say_input(&p, a, ret, reterr);
    case VZ_SERIAL:
    case VZ_HEARTBEAT:
    case VZ_ANSWER: break;
    }
    return true;
}

/* A vehicle is answered: "ok" lets the camera's relay open, anything else does not; either way it is not said again,
 * and one that is said again all the same is not opened for again.  Nothing opens for one without a plate, and nothing
 * but a vehicle is answered: "ok" to a heartbeat would open, too. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    struct str json = {(const char *)whole.ptr, whole.len};
    char plates[256];
    struct buf text;
    size_t at;
    (void)now_s;
    if (whole.len > VZ_PUSH_MAX || !members_check(whole, &at) || !member_at(json, "AlarmInfoPlate").ptr) return;
    buf_init(&text, plates, sizeof plates);
    ok = ok && member_put(json, "AlarmInfoPlate.result.PlateResult.license", &text) && !text.overflow &&
         alpr_has_plate((struct str){plates, text.len});
    buf_fmt(out,
            "{\"Response_AlarmInfoPlate\":{\"info\":\"%s\",\"channelNum\":0,\"content\":\"retransfer_stop\",\"is_pay\":"
            "\"%s\"}}",
            ok ? "ok" : "no", ok ? "true" : "false");
}

/* ---- for tools ---- */

static void put_word(struct jw *j, const char *key, int64_t n, const char *const *words, size_t words_n) {
    if (n < 0) return;
    if ((uint64_t)n < words_n)
        jw_kcstr(j, key, words[n]);
    else
        jw_ki64(j, key, n);
}

static void put_vehicle(struct jw *j, const struct vz_push *p) {
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        {"type", p->type}, {"confidence", p->confidence}, {"trigger", p->trigger}, {"plate_id", p->plate_id}};
    jw_kstr(j, "plate", p->plate);
    put_word(j, "colour", p->colour, colours, COUNT(colours));
    put_word(j, "direction", p->direction, directions, COUNT(directions));
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (numbers[i].value >= 0) jw_ki64(j, numbers[i].key, numbers[i].value);
    if (p->at_ms) jw_ki64(j, "at_ms", p->at_ms);
    jw_kbool(j, "offline", p->is_offline);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct vz_push p;
    if (!vz_read(whole, a, &p, reterr)) return false;
    jw_open(j, '{');
    jw_kcstr(j, "message", messages[p.message].name);
    if (p.device.ptr) jw_kstr(j, "device", p.device);
    if (p.name.len) jw_kstr(j, "name", p.name);
    if (p.message == VZ_PLATE) put_vehicle(j, &p);
    if (p.message == VZ_INPUT) {
        jw_ki64(j, "source", p.source);
        jw_ki64(j, "value", p.value);
    }
    if (p.message == VZ_ANSWER) jw_kbool(j, "opens", str_is(p.info, "ok"));
    frame_put_bytes(j, a, "text", whole);
    jw_close(j, '}');
    return true;
}

/* As it came, or a vehicle from what it needs. */
static bool make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct str text = frame_text(&in, "text");
    struct vz_push p = {.device = frame_text(&in, "device"),
                        .name = frame_text(&in, "name"),
                        .plate = frame_text(&in, "plate"),
                        .colour = -1,
                        .type = -1,
                        .direction = -1,
                        .trigger = -1};
    if (text.ptr) {
        buf_str(out, text);
        return !in.is_bad && vz_read((struct bytes){(const uint8_t *)text.ptr, text.len}, a, &p, reterr);
    }
    bool has_confidence = json_object_get(frame, "confidence"), has_id = json_object_get(frame, "plate_id");
    p.confidence = has_confidence ? frame_number(&in, "confidence", 0, 100, -1) : -1;
    p.plate_id = has_id ? frame_number(&in, "plate_id", 0, UINT32_MAX, -1) : -1;
    p.at_ms = frame_number(&in, "at_ms", 0, (int64_t)UINT32_MAX * 1000, 0);
    p.is_offline = frame_flag(&in, "offline");
    if (!p.plate.ptr) frame_bad(&in, "plate", "is missing");
    if (!alpr_is_device(p.device)) frame_bad(&in, "device", "is missing or no name of a device");
    if (!in.is_bad) vz_write(&p, out);
    return !in.is_bad;
}

const struct codec vz_codec = {
    .name = "vz",
    .standard = "VZ AlarmInfoPlate over HTTP",
    .frame_max = VZ_PUSH_MAX,
    .decode = decode,
    .reply = reply,
    .show = show,
    .make = make,
    .is_text = true,
    .carrier = CARRIER_BODY,
};
