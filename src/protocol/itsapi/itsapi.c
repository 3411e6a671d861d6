/* Pushes of ITSAPI cameras.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/itsapi/itsapi.h"

#include "base/civil.h"
#include "protocol/alpr.h"
#include "protocol/frame_json.h"
#include "protocol/members.h"

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

/* "2026-11-24T10:42:00.250", a blank for the T; local where no offset stands behind it. */
static void read_time(struct str text, struct itsapi_push *p) {
    char mem[40];
    struct buf b;
    int64_t ms = 0;
    buf_init(&b, mem, sizeof mem);
    buf_str(&b, text);
    if (b.len > 10 && mem[10] == ' ') mem[10] = 'T';
    if (b.overflow) return;
    if (civil_read_time((struct str){mem, b.len}, &p->at_ms)) return;
    buf_char(&b, 'Z');
    if (!b.overflow && civil_read_time((struct str){mem, b.len}, &ms)) p->at_s = ms / 1000;
}

/* What some send to KeepAlive. */
static bool is_empty(struct str json) {
    json = str_trim(json);
    return !json.len || (json.len > 1 && json.ptr[0] == '{' && json.ptr[json.len - 1] == '}' &&
                         !str_trim((struct str){json.ptr + 1, json.len - 2}).len);
}

bool itsapi_read(struct bytes whole, struct arena *a, struct itsapi_push *ret, struct wire_error *reterr) {
    struct itsapi_push p = {.confidence = -1};
    struct str json = {(const char *)whole.ptr, whole.len};
    size_t at = 0;
    if (whole.len > ITSAPI_PUSH_MAX) return bad(reterr, "ITSAPI push: " WIRE_LIMIT "at most 1 MiB", ITSAPI_PUSH_MAX);
    if (is_empty(json)) {
        *ret = p;
        return true;
    }
    if (!members_check(whole, &at)) return bad(reterr, "ITSAPI push: this is no JSON", at);
    struct str picture = member_at(json, "Picture");
    p.is_vehicle = picture.ptr;
    at = picture.ptr ? (size_t)(picture.ptr - json.ptr) : 0;
    p.device = member_text(picture.ptr ? picture : json, picture.ptr ? "SnapInfo.DeviceID" : "DeviceID", a);
    if (!alpr_is_device(p.device))
        return bad(reterr,
                   picture.ptr ? "ITSAPI SnapInfo: DeviceID names no device"
                               : "ITSAPI push: neither Picture nor DeviceID",
                   at);
    if (p.is_vehicle) {
        p.plate = member_text(picture, "Plate.PlateNumber", a);
        p.colour = member_text(picture, "Plate.PlateColor", a);
        p.direction = member_text(picture, "SnapInfo.Direction", a);
        read_time(member_text(picture, "SnapInfo.AccurateTime", a), &p);
        if (!member_i64(picture, "Plate.Confidence", &p.confidence) || p.confidence < 0) p.confidence = -1;
        if (!p.plate.ptr) return bad(reterr, "ITSAPI Plate: PlateNumber is missing", at);
    }
    *ret = p;
    return true;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct itsapi_push p;
    *ret = (struct decoded){0};
    if (!itsapi_read(whole, a, &p, reterr)) return false;
    ret->sender = p.device;
    if (!p.is_vehicle) return true;
    struct sighting s = {
        .device = p.device, .plate = p.plate, .at_s = p.at_s, .at_ms = p.at_ms, .sure_pct = p.confidence};
    return alpr_say(&s, a, ret, reterr);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct itsapi_push p;
    if (!itsapi_read(whole, a, &p, reterr)) return false;
    jw_open(j, '{');
    jw_kcstr(j, "message", p.is_vehicle ? "plate" : "alive");
    if (p.device.ptr) jw_kstr(j, "device", p.device);
    if (p.is_vehicle) {
        jw_kstr(j, "plate", p.plate);
        if (p.colour.ptr) jw_kstr(j, "colour", p.colour);
        if (p.direction.ptr) jw_kstr(j, "direction", p.direction);
        if (p.at_s) frame_put_time(j, "time", p.at_s);
        if (p.at_ms) jw_ki64(j, "at_ms", p.at_ms);
        if (p.confidence >= 0) jw_ki64(j, "confidence", p.confidence);
    }
    frame_put_bytes(j, a, "text", whole);
    jw_close(j, '}');
    return true;
}

/* As it came, or a vehicle from what it needs. */
static bool make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct str text = frame_text(&in, "text"), plate = frame_text(&in, "plate"), device = frame_text(&in, "device");
    struct itsapi_push ignored;
    struct jw j;
    if (text.ptr) {
        buf_str(out, text);
        return !in.is_bad && itsapi_read((struct bytes){(const uint8_t *)text.ptr, text.len}, a, &ignored, reterr);
    }
    if (!plate.ptr) frame_bad(&in, "plate", "is missing");
    if (!alpr_is_device(device)) frame_bad(&in, "device", "is missing or no name of a device");
    if (in.is_bad) return false;
    jw_init(&j, out);
    jw_put(&j, "{'Picture':{'Plate':{'PlateNumber':$},'SnapInfo':{'DeviceID':$}}}", JV(J_STR(plate), J_STR(device)));
    return true;
}

const struct codec itsapi_codec = {
    .name = "itsapi",
    .standard = "ITSAPI over HTTP",
    .frame_max = ITSAPI_PUSH_MAX,
    .decode = decode,
    .show = show,
    .make = make,
    .is_text = true,
    .carrier = CARRIER_BODY,
};
