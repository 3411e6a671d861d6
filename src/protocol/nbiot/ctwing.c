/* CTWing's pushes: an envelope in which messageType says what payload or eventContent are.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/base64.h"
#include "protocol/nbiot/nbiot_internal.h"
#include "protocol/publish.h"

enum field { DEVICE, MESSAGE, TIMESTAMP, EVENT_TYPE, APP_DATA, FIELDS };
static const struct pushed_field fields[FIELDS] = {
    [DEVICE] = PUSHED_TEXT("deviceId"),          [MESSAGE] = PUSHED_TEXT("messageType"),
    [TIMESTAMP] = PUSHED_NUMBER("timestamp"),    [EVENT_TYPE] = PUSHED_NUMBER("eventType"),
    [APP_DATA] = PUSHED_TEXT("payload.APPdata"),
};

struct report {
    struct pushed p;
    struct pushed_value values[FIELDS];
    struct str service; /* serviceId, a number or a text */
    bool is_data;       /* the numbers of payload are wanted, else those of eventContent */
};

/* First the envelope, of which the order is not known; then what it says that there is. */
static bool take(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct report *r = arg;
    bool is_one;
    if (pushed_is(leaf, "serviceId")) r->service = nbiot_name(r->p.a, leaf);
    return pushed_take(fields, FIELDS, r->values, in, leaf, &is_one);
}

static bool take_values(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct report *r = arg;
    size_t profile = pushed_below(leaf, "payload.serviceData"), below = pushed_below(leaf, "payload");
    (void)in;
    if (!r->is_data) {
        below = pushed_below(leaf, "eventContent");
    } else if (profile) {
        below = profile;
    } else if (pushed_is(leaf, "payload.serviceId")) {
        return true;
    }
    return !below || pushed_add_leaf(&r->p, S(""), leaf, below);
}

static bool take_app_data(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    (void)in;
    return pushed_add_leaf(arg, S(""), leaf, 0);
}

/* ---- what reports say ---- */

/* Bytes of a maker's own say nothing here. */
static bool say_app_data(struct report *r) {
    struct str base64 = r->values[APP_DATA].text, text;
    struct buf bytes;
    buf_init_arena(&bytes, r->p.a, base64.len + 1);
    if (!base64_read(base64, &bytes)) return pushed_bad(&r->p, "payload.APPdata: it is no base64", 0);
    text = str_trim((struct str){bytes.ptr ? bytes.ptr : "", bytes.len});
    if (!nbiot_is_json(&r->p, text)) return true;
    if (pushed_object(&r->p, (struct bytes){(const uint8_t *)text.ptr, text.len}, 0, take_app_data, &r->p)) return true;
    r->p.error->at = 0; /* its bytes are not those of the frame */
    return false;
}

static bool say_data(struct report *r, struct bytes whole) {
    r->is_data = true;
    return pushed_object(&r->p, whole, 0, take_values, r) && (!r->values[APP_DATA].has || say_app_data(r));
}

static bool say_event(struct report *r, struct bytes whole) {
    static const char *const severities[] = {"", "information", "warning", "fault"};
    const struct pushed_value *severity = &r->values[EVENT_TYPE];
    struct buf code;
    struct str text = S("event");
    buf_init_arena(&code, r->p.a, PUSHED_NAME_MAX + 1);
    buf_fmt(&code, "event_" STR_FMT, STR_ARG(r->service));
    if (r->service.len && !buf_done(&code, &text)) return pushed_bad(&r->p, "serviceId: it has over 58 bytes", 0);
    if (!pushed_event(&r->p, text, true)) return false;
    for (size_t i = 1; i < COUNT(severities); i++)
        if (severity->has && severity->number == (double)i) r->p.events[r->p.events_n - 1].text = str_of(severities[i]);
    return pushed_object(&r->p, whole, 0, take_values, r);
}

static bool say_online(struct report *r, struct bytes whole) {
    (void)whole;
    if (!r->values[EVENT_TYPE].has) return pushed_bad(&r->p, "eventType: it is missing", 0);
    return pushed_event(&r->p, S("offline"), r->values[EVENT_TYPE].number == 0);
}

/* The platform pauses where it is refused, so what is not understood is taken, and shown. */
static bool say_other(struct report *r, struct str message) {
    if (str_is(message, "commandResponse")) return true;
    if (!pushed_event(&r->p, S("message_unread"), true)) return false;
    struct device_event *e = &r->p.events[r->p.events_n - 1];
    e->text = message;
    e->is_kept = true;
    return true;
}

static const struct {
    const char *message;
    bool (*say)(struct report *r, struct bytes whole);
} messages[] = {{"dataReport", say_data}, {"eventReport", say_event}, {"deviceOnlineOfflineReport", say_online}};

static bool read_report(struct bytes whole, struct arena *a, struct decoded *ret, struct str *ret_what,
                        struct wire_error *reterr) {
    struct report r = {.is_data = false};
    const struct pushed_value *v = r.values;
    pushed_init(&r.p, ret, a, reterr, 0);
    if (!nbiot_is_body(whole, reterr) || !pushed_object(&r.p, whole, 0, take, &r) ||
        !pushed_of(&r.p, v[DEVICE].text, "deviceId: it is missing, or no name of a device"))
        return false;
    if (!v[MESSAGE].has) return pushed_bad(&r.p, "messageType: it is missing", 0);
    if (v[TIMESTAMP].has &&
        !nbiot_time(&r.p, v[TIMESTAMP].number, "timestamp: it is no time in milliseconds", &r.p.at_ms))
        return false;
    size_t i = 0;
    while (i < COUNT(messages) && !str_is(v[MESSAGE].text, messages[i].message)) i++;
    if (!(i < COUNT(messages) ? messages[i].say(&r, whole) : say_other(&r, v[MESSAGE].text))) return false;
    *ret_what = v[MESSAGE].text;
    pushed_end(&r.p);
    return true;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct str what;
    return read_report(whole, a, ret, &what, reterr);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct decoded d;
    struct str what;
    if (!read_report(whole, a, &d, &what, reterr)) return false;
    nbiot_show(whole, what, d.sender, a, j);
    return true;
}

const struct codec ctwing_codec = {
    .name = "ctwing",
    .standard = "China Telecom AEP (CTWing), message push",
    .frame_max = PUBLISH_PAYLOAD_MAX,
    .decode = decode,
    .show = show,
    .make = publish_make,
    .is_text = true,
    .carrier = CARRIER_BODY,
};
