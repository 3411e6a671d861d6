/* The Things Stack v3: v3/APPLICATION[@TENANT]/devices/DEVICE_ID/… with an application's message as JSON, and
 * down/push.  Members that are 0, false or empty are left out.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "protocol/lorawan/lorawan_internal.h"

/* ---- topics ---- */

struct topic {
    struct str device_id, what; /* what: "up", "down/ack" … */
};

static bool read_topic(struct str topic, struct topic *ret) {
    struct str version, application, devices;
    bool ok = str_cut(&topic, '/', &version) && str_cut(&topic, '/', &application) && str_cut(&topic, '/', &devices) &&
              str_cut(&topic, '/', &ret->device_id);
    ret->what = topic;
    return ok && str_is(version, "v3") && application.len && str_is(devices, "devices") && ret->device_id.len &&
           topic.len;
}

/* ---- messages ---- */

enum kind { KIND_UP, KIND_JOIN, KIND_LOCATION, KIND_OTHER };

/* What a message is says its one member of these, with and without a topic. */
static const struct {
    const char *member;
    enum kind kind;
} kinds[] = {
    {"uplink_message", KIND_UP},     {"join_accept", KIND_JOIN},        {"location_solved", KIND_LOCATION},
    {"downlink_ack", KIND_OTHER},    {"downlink_nack", KIND_OTHER},     {"downlink_sent", KIND_OTHER},
    {"downlink_failed", KIND_OTHER}, {"downlink_queued", KIND_OTHER},   {"downlink_queue_invalidated", KIND_OTHER},
    {"service_data", KIND_OTHER},    {"uplink_normalized", KIND_OTHER}, /* the same values once more */
};

enum field {
    DEV_EUI,
    DEVICE_ID,
    RECEIVED,
    UPLINK_RECEIVED,
    JOIN_RECEIVED,
    PORT,
    PAYLOAD,
    BATTERY,
    BATTERY_RECEIVED,
    SIMULATED,
    LATITUDE,
    LONGITUDE,
    ALTITUDE,
    FIELDS
};
static const struct pushed_field fields[FIELDS] = {
    [DEV_EUI] = PUSHED_TEXT("end_device_ids.dev_eui"),
    [DEVICE_ID] = PUSHED_TEXT("end_device_ids.device_id"),
    [RECEIVED] = PUSHED_TEXT("received_at"),
    [UPLINK_RECEIVED] = PUSHED_TEXT("uplink_message.received_at"),
    [JOIN_RECEIVED] = PUSHED_TEXT("join_accept.received_at"),
    [PORT] = PUSHED_NUMBER("uplink_message.f_port"),
    [PAYLOAD] = PUSHED_TEXT("uplink_message.frm_payload"),
    [BATTERY] = PUSHED_NUMBER("uplink_message.last_battery_percentage.value"),
    [BATTERY_RECEIVED] = PUSHED_TEXT("uplink_message.last_battery_percentage.received_at"),
    [SIMULATED] = PUSHED_FLAG("simulated"),
    [LATITUDE] = PUSHED_NUMBER("location_solved.location.latitude"),
    [LONGITUDE] = PUSHED_NUMBER("location_solved.location.longitude"),
    [ALTITUDE] = PUSHED_NUMBER("location_solved.location.altitude"),
};
static const struct lorawan_radio_field radio_fields[] = {
    {"uplink_message.rx_metadata.#.rssi", LORAWAN_RSSI},
    {"uplink_message.rx_metadata.#.snr", LORAWAN_SNR},
    {"uplink_message.rx_metadata.#.time", LORAWAN_TIME},
};

struct message {
    struct pushed p;
    struct pushed_value values[FIELDS];
    struct lorawan_radio radio;
    const char *member; /* of kinds[]; NULL: none */
    enum kind kind;
    bool has_object;
};

static bool take(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct message *m = arg;
    size_t below = pushed_below(leaf, "uplink_message.decoded_payload");
    bool is_one;
    for (size_t i = 0; i < COUNT(kinds) && !m->member; i++)
        if (pushed_below(leaf, kinds[i].member)) {
            m->member = kinds[i].member;
            m->kind = kinds[i].kind;
        }
    m->has_object |= below > 0;
    if (below) return pushed_add_leaf(&m->p, S(""), leaf, below);
    lorawan_radio_take(&m->radio, radio_fields, COUNT(radio_fields), leaf);
    return pushed_take(fields, FIELDS, m->values, in, leaf, &is_one);
}

/* ---- what messages say ---- */

/* Each uplink repeats when the device told its battery last, at a time of its own.  No value is 0 %. */
static bool say_battery(struct message *m) {
    const struct pushed_value *v = m->values;
    int64_t at_ms;
    if (!v[BATTERY_RECEIVED].has || pushed_find(&m->p, S("battery"))) return true;
    if (!civil_read_time(v[BATTERY_RECEIVED].text, &at_ms))
        return pushed_bad(&m->p, "last_battery_percentage.received_at: it is no time of RFC 3339", 0);
    if (!pushed_add(&m->p, S("battery"), "%", v[BATTERY].number)) return false;
    m->p.readings[m->p.readings_n - 1].at_ms = at_ms;
    return true;
}

static bool say_up(struct message *m) {
    const struct pushed_value *v = m->values;
    bool is_data = !m->has_object && v[PAYLOAD].has && v[PORT].number > 0;
    return (!is_data || lorawan_payload(&m->p, v[PAYLOAD].text, "frm_payload: it is no base64")) &&
           lorawan_radio_put(&m->radio, &m->p) && say_battery(m);
}

static bool say(struct message *m) {
    switch (m->kind) {
    case KIND_UP: return say_up(m);
    case KIND_JOIN: return pushed_event(&m->p, S("join"), true);
    case KIND_LOCATION: return lorawan_place(&m->p, &m->values[LATITUDE]);
    case KIND_OTHER: break;
    }
    return true;
}

static bool set_device(struct message *m, struct str topic_id) {
    const struct pushed_value *v = m->values;
    char eui[LORAWAN_EUI + 1];
    struct str device;
    if (topic_id.ptr && !str_eq(topic_id, v[DEVICE_ID].text))
        return pushed_bad(&m->p, "device_id: the topic names another", 0);
    if (!v[DEV_EUI].has) return pushed_of(&m->p, v[DEVICE_ID].text, "device_id: it is missing, or no name of a device");
    if (!lorawan_eui(v[DEV_EUI].text, eui)) return pushed_bad(&m->p, "dev_eui: it is no EUI of eight bytes", 0);
    return arena_str(m->p.a, str_of(eui), &device) ? pushed_of(&m->p, device, "dev_eui")
                                                   : pushed_bad(&m->p, "out of memory", 0);
}

static bool set_time(struct message *m) {
    const struct pushed_value *v = m->values;
    struct str time = m->radio.best.time;
    for (enum field i = UPLINK_RECEIVED; !time.ptr && i <= JOIN_RECEIVED; i++) time = v[i].text;
    if (!time.ptr) time = v[RECEIVED].text;
    return !time.ptr || pushed_time(&m->p, time, "received_at: it is no time of RFC 3339");
}

/* Publish and topic of a frame that is The Things Stack's. */
static bool read_frame(struct bytes whole, struct publish *ret, struct topic *ret_topic, struct wire_error *reterr) {
    *ret_topic = (struct topic){.what = {NULL, 0}};
    if (!publish_read(whole, ret, reterr)) return false;
    if (!ret->topic.ptr || read_topic(ret->topic, ret_topic)) return true;
    *reterr = (struct wire_error){"topic: it is none of The Things Stack v3", 0};
    return false;
}

/* Commands: ours, or another client's. */
static bool is_command(const struct topic *t) {
    return str_is(t->what, "down/push") || str_is(t->what, "down/replace");
}

static bool read_message(struct bytes whole, struct arena *a, struct decoded *ret, const char **ret_what,
                         struct wire_error *reterr) {
    struct publish pub;
    struct topic t;
    struct message m = {.kind = KIND_OTHER};
    *ret = (struct decoded){0};
    *ret_what = "command";
    if (!read_frame(whole, &pub, &t, reterr)) return false;
    if (is_command(&t)) return true;
    pushed_init(&m.p, ret, a, reterr, pub.payload_at);
    if (!pushed_object(&m.p, pub.payload, 0, take, &m)) return false;
    lorawan_radio_end(&m.radio);
    *ret_what = m.member ? m.member : "other";
    if (!set_device(&m, t.device_id) || !set_time(&m) || !say(&m)) return false;
    for (size_t i = 0; i < m.p.readings_n && m.values[SIMULATED].number > 0; i++)
        m.p.readings[i].quality = QUALITY_SUSPECT;
    pushed_end(&m.p);
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
    return read_message(whole, a, ret, &what, reterr);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct decoded d;
    const char *what;
    return read_message(whole, a, &d, &what, reterr) && lorawan_show(whole, what, d.sender, a, j);
}

/* ---- questions ---- */

static bool ask(const struct question *q, struct buf *out) {
    struct jw j;
    int64_t port;
    if (!q->address.len || !lorawan_port(q->item, &port) || !lorawan_key_is_right(q)) return false;
    buf_fmt(out, "v3/" STR_FMT "/down/push\n", STR_ARG(q->key));
    jw_init(&j, out);
    jw_put(&j, "{'downlinks':[{'f_port':$", JV(J_I64(port)));
    bool ok = lorawan_put_value(&j, q->value, "frm_payload", "decoded_payload");
    jw_put(&j, "'confirmed':true,'priority':'NORMAL'}]}", NO_JV);
    return ok;
}

/* downlink_ack, _nack and _failed of the port that was asked; ports are never 0, so they are never left out. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    enum { EUI, ID, ACK, NACK, FAILED, WANTED };
    static const struct pushed_field wanted[WANTED] = {
        [EUI] = PUSHED_TEXT("end_device_ids.dev_eui"),
        [ID] = PUSHED_TEXT("end_device_ids.device_id"),
        [ACK] = PUSHED_NUMBER("downlink_ack.f_port"),
        [NACK] = PUSHED_NUMBER("downlink_nack.f_port"),
        [FAILED] = PUSHED_NUMBER("downlink_failed.downlink.f_port"),
    };
    struct pushed_value v[WANTED] = {{.has = false}};
    char eui[LORAWAN_EUI + 1], asked[LORAWAN_EUI + 1];
    struct publish pub;
    struct topic t;
    struct wire_error ignored;
    int64_t port;
    (void)data;
    if (!q->address.len || !lorawan_port(q->item, &port) || !read_frame(whole, &pub, &t, &ignored) ||
        !lorawan_fields(pub.payload, wanted, WANTED, v))
        return ANSWER_OTHER;
    bool is_device = v[EUI].has ? lorawan_eui(v[EUI].text, eui) && lorawan_eui(q->address, asked) && !strcmp(eui, asked)
                                : str_eq(v[ID].text, q->address);
    for (int i = ACK; is_device && i < WANTED; i++) {
        if (!v[i].has || v[i].number != (double)port) continue;
        *ret_why = i == NACK ? "the device did not acknowledge it" : "the network server could not send it";
        return i == ACK ? ANSWER_WHOLE : ANSWER_REFUSED;
    }
    return ANSWER_OTHER;
}

/* APPLICATION@TENANT/devices/DEVICE_ID */
static bool key_of(struct str topic, struct str *ret) {
    struct topic t;
    if (!read_topic(topic, &t)) return false;
    *ret = str_from(topic, 3);
    ret->len = (size_t)(t.device_id.ptr - ret->ptr) + t.device_id.len;
    return true;
}

static const struct asking asking = {.ask = ask, .answers = answers, .read = lorawan_understand, .key = key_of};

const struct codec ttn_codec = {
    .name = "ttn",
    .standard = "The Things Stack v3, application messages",
    .frame_max = PUBLISH_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = show,
    .make = publish_make,
    .asking = &asking,
    .is_text = true,
    .carrier = CARRIER_TOPIC,
};
