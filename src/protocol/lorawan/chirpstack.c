/* ChirpStack, v3 and v4: application/APPLICATION/device/DEVEUI/event/KIND with an event as JSON, and …/command/down.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lorawan/lorawan_internal.h"

/* ---- topics ---- */

struct topic {
    struct str eui, what; /* what: KIND of an event; absent: a command, ours or another client's */
};

static bool read_topic(struct str topic, struct topic *ret) {
    struct str application, device, word, application_id;
    if (!str_cut(&topic, '/', &application) || !str_cut(&topic, '/', &application_id) ||
        !str_cut(&topic, '/', &device) || !str_cut(&topic, '/', &ret->eui) || !str_cut(&topic, '/', &word))
        return false;
    bool is_event = str_is(word, "event");
    ret->what = is_event ? topic : (struct str){NULL, 0};
    return str_is(application, "application") && str_is(device, "device") && topic.len &&
           (is_event || str_is(word, "command")) && !memchr(topic.ptr, '/', topic.len);
}

/* ---- events ---- */

enum kind { KIND_OTHER, KIND_UP, KIND_STATUS, KIND_JOIN, KIND_LOCATION };

/* A body has no topic: what it is say its members, the first of this list that it has. */
static const struct {
    const char *member, *what;
    enum kind kind;
} kinds[] = {
    {"integrationName", "integration", KIND_OTHER},
    {"acknowledged", "ack", KIND_OTHER},
    {"queueItemId", "txack", KIND_OTHER},
    {"gatewayID", "txack", KIND_OTHER}, /* v3 */
    {"level", "log", KIND_OTHER},
    {"error", "error", KIND_OTHER}, /* v3 */
    {"margin", "status", KIND_STATUS},
    {"batteryLevel", "status", KIND_STATUS},
    {"location", "location", KIND_LOCATION},
    {"fCnt", "up", KIND_UP},
    {"fPort", "up", KIND_UP},
    {"data", "up", KIND_UP},
    {"object", "up", KIND_UP},
    {"objectJSON", "up", KIND_UP},
    {"devAddr", "join", KIND_JOIN},
};

enum field {
    DEV_EUI,
    DEV_EUI_V3,
    TIME,
    PUBLISHED_AT,
    PORT,
    DATA,
    OBJECT,
    BATTERY,
    BATTERY_UNKNOWN,
    EXTERNAL_POWER,
    MARGIN,
    LATITUDE,
    LONGITUDE,
    ALTITUDE,
    FIELDS
};
static const struct pushed_field fields[FIELDS] = {
    [DEV_EUI] = PUSHED_TEXT("deviceInfo.devEui"),
    [DEV_EUI_V3] = PUSHED_TEXT("devEUI"),
    [TIME] = PUSHED_TEXT("time"),
    [PUBLISHED_AT] = PUSHED_TEXT("publishedAt"),
    [PORT] = PUSHED_NUMBER("fPort"),
    [DATA] = PUSHED_TEXT("data"),
    [OBJECT] = PUSHED_TEXT("objectJSON"),
    [BATTERY] = PUSHED_NUMBER("batteryLevel"),
    [BATTERY_UNKNOWN] = PUSHED_FLAG("batteryLevelUnavailable"),
    [EXTERNAL_POWER] = PUSHED_FLAG("externalPowerSource"),
    [MARGIN] = PUSHED_NUMBER("margin"),
    [LATITUDE] = PUSHED_NUMBER("location.latitude"),
    [LONGITUDE] = PUSHED_NUMBER("location.longitude"),
    [ALTITUDE] = PUSHED_NUMBER("location.altitude"),
};
static const struct lorawan_radio_field radio_fields[] = {
    {"rxInfo.#.rssi", LORAWAN_RSSI},   {"rxInfo.#.snr", LORAWAN_SNR},   {"rxInfo.#.loRaSNR", LORAWAN_SNR},
    {"rxInfo.#.gwTime", LORAWAN_TIME}, {"rxInfo.#.time", LORAWAN_TIME},
};

struct event {
    struct pushed p;
    struct pushed_value values[FIELDS];
    struct lorawan_radio radio;
    unsigned seen; /* a bit a row of kinds[] */
    bool has_object;
};

static bool take(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct event *e = arg;
    size_t below = pushed_below(leaf, "object");
    bool is_one;
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (leaf->path_n && leaf->path[0].name.ptr && str_is(leaf->path[0].name, kinds[i].member)) e->seen |= 1u << i;
    e->has_object |= below > 0;
    if (below) return pushed_add_leaf(&e->p, S(""), leaf, below);
    lorawan_radio_take(&e->radio, radio_fields, COUNT(radio_fields), leaf);
    return pushed_take(fields, FIELDS, e->values, in, leaf, &is_one);
}

static size_t kind_of(const struct event *e, struct str what) {
    size_t i = 0;
    while (i < COUNT(kinds) && (what.ptr ? !str_is(what, kinds[i].what) : !(e->seen >> i & 1))) i++;
    return i;
}

/* ---- what events say ---- */

static bool take_object(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    (void)in;
    return pushed_add_leaf(arg, S(""), leaf, 0);
}

static bool say_up(struct event *e) {
    const struct pushed_value *v = e->values;
    struct str object = v[OBJECT].text;
    if (object.len && object.ptr[0] == '{' && !e->has_object) {
        struct bytes json = {(const uint8_t *)object.ptr, object.len};
        e->has_object = true;
        if (!pushed_object(&e->p, json, 0, take_object, &e->p)) {
            e->p.error->at = e->p.at; /* its bytes are not those of the frame */
            return false;
        }
    }
    bool is_data = !e->has_object && v[DATA].has && v[PORT].number > 0;
    if (is_data && !lorawan_payload(&e->p, v[DATA].text, "data: it is no base64")) return false;
    return lorawan_radio_put(&e->radio, &e->p);
}

static bool say_status(struct event *e) {
    const struct pushed_value *v = e->values;
    bool is_mains = v[EXTERNAL_POWER].number > 0, has_level = v[BATTERY].has && v[BATTERY_UNKNOWN].number == 0;
    if (v[EXTERNAL_POWER].has && !pushed_add(&e->p, S("external_power"), "", is_mains)) return false;
    if (has_level && !is_mains && !pushed_add(&e->p, S("battery"), "%", v[BATTERY].number)) return false;
    return !v[MARGIN].has || pushed_add(&e->p, S("link_margin"), "dB", v[MARGIN].number);
}

static bool say(struct event *e, enum kind kind) {
    if (kind != KIND_UP) e->p.readings_n = 0; /* an integration's object is none of the device's */
    switch (kind) {
    case KIND_UP: return say_up(e);
    case KIND_STATUS: return say_status(e);
    case KIND_JOIN: return pushed_event(&e->p, S("join"), true);
    case KIND_LOCATION: return lorawan_place(&e->p, &e->values[LATITUDE]);
    case KIND_OTHER: break;
    }
    return true;
}

static bool set_device(struct event *e, struct str topic_eui) {
    const struct pushed_value *v = e->values;
    char eui[LORAWAN_EUI + 1], named[LORAWAN_EUI + 1];
    struct str device;
    if (!lorawan_eui(v[DEV_EUI].has ? v[DEV_EUI].text : v[DEV_EUI_V3].text, eui))
        return pushed_bad(&e->p, "devEui: it is missing, or no EUI of eight bytes", 0);
    if (topic_eui.ptr && (!lorawan_eui(topic_eui, named) || strcmp(named, eui) != 0))
        return pushed_bad(&e->p, "devEui: the topic names another", 0);
    return arena_str(e->p.a, str_of(eui), &device) ? pushed_of(&e->p, device, "devEui")
                                                   : pushed_bad(&e->p, "out of memory", 0);
}

static bool set_time(struct event *e) {
    const struct pushed_value *v = e->values;
    struct str gateway = e->radio.best.time, server = v[TIME].has ? v[TIME].text : v[PUBLISHED_AT].text;
    struct str time = gateway.ptr ? gateway : server;
    return !time.ptr || pushed_time(&e->p, time, "time: it is no time of RFC 3339");
}

/* Publish and topic of a frame that is ChirpStack's. */
static bool read_frame(struct bytes whole, struct publish *ret, struct topic *ret_topic, struct wire_error *reterr) {
    *ret_topic = (struct topic){.what = {NULL, 0}};
    if (!publish_read(whole, ret, reterr)) return false;
    if (!ret->topic.ptr || read_topic(ret->topic, ret_topic)) return true;
    *reterr = (struct wire_error){"topic: it is none of ChirpStack", 0};
    return false;
}

static bool read_event(struct bytes whole, struct arena *a, struct decoded *ret, const char **ret_what,
                       struct wire_error *reterr) {
    struct publish pub;
    struct topic t;
    struct event e = {.seen = 0};
    *ret = (struct decoded){0};
    *ret_what = "command";
    if (!read_frame(whole, &pub, &t, reterr)) return false;
    if (pub.topic.ptr && !t.what.ptr) return true;
    pushed_init(&e.p, ret, a, reterr, pub.payload_at);
    if (!pushed_object(&e.p, pub.payload, 0, take, &e)) return false;
    lorawan_radio_end(&e.radio);
    size_t i = kind_of(&e, t.what);
    *ret_what = i < COUNT(kinds) ? kinds[i].what : "other";
    if (!set_device(&e, t.eui) || !set_time(&e) || !say(&e, i < COUNT(kinds) ? kinds[i].kind : KIND_OTHER))
        return false;
    pushed_end(&e.p);
    return true;
}

/* ---- the narrow waist ---- */

static enum frame split(struct bytes in, size_t *ret_len) {
    struct publish pub;
    struct topic t;
    struct wire_error ignored;
    *ret_len = in.len;
    return read_frame(in, &pub, &t, &ignored) ? FRAME_WHOLE : FRAME_SKIP;
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    const char *what;
    return read_event(whole, a, ret, &what, reterr);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct decoded d;
    const char *what;
    return read_event(whole, a, &d, &what, reterr) && lorawan_show(whole, what, d.sender, a, j);
}

/* ---- questions ---- */

static bool ask(const struct question *q, struct buf *out) {
    char eui[LORAWAN_EUI + 1];
    struct jw j;
    int64_t port;
    if (!lorawan_eui(q->address, eui) || !lorawan_port(q->item, &port) || !lorawan_key_is_right(q)) return false;
    buf_fmt(out, "application/" STR_FMT "/device/%s/command/down\n", STR_ARG(q->key), eui);
    jw_init(&j, out);
    jw_open(&j, '{');
    jw_kcstr(&j, "devEui", eui);
    jw_kbool(&j, "confirmed", true);
    jw_ki64(&j, "fPort", port);
    bool ok = lorawan_put_value(&j, q->value, "data", "object");
    jw_close(&j, '}');
    return ok;
}

/* The event "ack", which says of a confirmed downlink whether the device acknowledged it. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    static const struct pushed_field wanted[] = {PUSHED_TEXT("deviceInfo.devEui"), PUSHED_TEXT("devEUI"),
                                                 PUSHED_FLAG("acknowledged")};
    struct pushed_value v[COUNT(wanted)] = {{.has = false}};
    char eui[LORAWAN_EUI + 1], asked[LORAWAN_EUI + 1];
    struct publish pub;
    struct topic t;
    struct wire_error ignored;
    (void)data;
    if (!read_frame(whole, &pub, &t, &ignored) || (pub.topic.ptr && !str_is(t.what, "ack")) ||
        !lorawan_fields(pub.payload, wanted, COUNT(wanted), v) || !v[2].has ||
        !lorawan_eui(v[0].has ? v[0].text : v[1].text, eui) || !lorawan_eui(q->address, asked) ||
        strcmp(eui, asked) != 0)
        return ANSWER_OTHER;
    *ret_why = "the device did not acknowledge it";
    return v[2].number > 0 ? ANSWER_WHOLE : ANSWER_REFUSED;
}

/* The application's id. */
static bool key_of(struct str topic, struct str *ret) {
    struct str application;
    return str_cut(&topic, '/', &application) && str_is(application, "application") && str_cut(&topic, '/', ret);
}

static const struct asking asking = {.ask = ask, .answers = answers, .read = lorawan_understand, .key = key_of};

const struct codec chirpstack_codec = {
    .name = "chirpstack",
    .standard = "ChirpStack v3 and v4, integration events",
    .frame_max = PUBLISH_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = show,
    .make = publish_make,
    .asking = &asking,
    .is_text = true,
    .carrier = CARRIER_TOPIC,
};
