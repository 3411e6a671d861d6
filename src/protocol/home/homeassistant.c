/* Home Assistant's discovery as a convention, and all conventions side by side.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"
#include "protocol/mqtt/mqtt.h"

/* PREFIX/COMPONENT/[NODE/]OBJECT/config; PREFIX/status is Home Assistant's own birth and will. */
static bool read_topic(struct str prefix, struct str topic, struct home_topic *ret) {
    struct str rest = topic, component, before, above;
    if (!home_starts(&rest, prefix)) return false;
    *ret = (struct home_topic){.what = HOME_ELSE, .item = rest};
    if (str_is(rest, "status")) return true;
    struct str last = home_last(rest, &before), middle = before;
    if (!str_is(last, "config") || !str_cut(&middle, '/', &component) || !component.len || !middle.len) return false;
    struct str object = home_last(middle, &above);
    *ret = (struct home_topic){HOME_CONFIG, object, component};
    return object.len > 0;
}

/* Without a memory a config tells its device. */
static bool said(struct home_report *r, const struct home_topic *t) {
    return home_config(r, t, NULL, NULL);
}

const struct home_convention home_homeassistant = {HOME_HOMEASSISTANT, "homeassistant", "homeassistant", read_topic,
                                                   said};

/* ---- side by side ---- */

static enum home_taken end(struct home_report *r, bool ok, struct decoded *ret) {
    if (!ok) return HOME_BAD;
    home_report_end(r, ret);
    return HOME_TAKEN;
}

/* What one of the conventions with topics of their own says. */
static enum home_taken take_plain(const struct home_speaks *s, size_t i, struct str topic, struct home_report *r,
                                  struct decoded *ret) {
    const struct home_convention *c = home_conventions[i];
    struct home_topic t;
    if (!s->is_spoken[i] || !c->topic(s->base[i], topic, &t)) return HOME_OTHER;
    bool has_news = t.name.ptr && (t.what == HOME_STATE || t.what == HOME_AVAILABILITY);
    if (!has_news) return end(r, true, ret);
    return end(r, home_of(r, t.name) && (!r->payload.len || c->said(r, &t)), ret);
}

static enum home_taken take_described(const struct home_speaks *s, struct home_points *points, struct str topic,
                                      struct home_report *r, struct decoded *ret) {
    struct home_topic t;
    if (!s->is_spoken[HOME_HOMEASSISTANT] || !points) return HOME_OTHER;
    if (read_topic(s->base[HOME_HOMEASSISTANT], topic, &t))
        return end(r, t.what != HOME_CONFIG || home_points_learn(points, s, topic, &t, r), ret);
    if (!home_points_know(points, topic)) return HOME_OTHER;
    return end(r, !r->payload.len || home_points_said(points, topic, r), ret);
}

enum home_taken home_take(const struct home_speaks *speaks, struct home_points *points, struct str topic,
                          struct bytes payload, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct home_report r;
    *ret = (struct decoded){0};
    if (!home_report_init(&r, a, reterr, payload, 0)) return HOME_BAD;
    enum home_taken taken = take_plain(speaks, HOME_ZIGBEE2MQTT, topic, &r, ret);
    if (taken == HOME_OTHER) taken = take_plain(speaks, HOME_TASMOTA, topic, &r, ret);
    if (taken == HOME_OTHER) taken = take_described(speaks, points, topic, &r, ret);
    if (taken == HOME_OTHER) taken = take_plain(speaks, HOME_ESPHOME, topic, &r, ret);
    return taken;
}

const struct codec *const home_codecs[HOME__COUNT] = {
    [HOME_ZIGBEE2MQTT] = &zigbee2mqtt_codec, [HOME_TASMOTA] = &tasmota_codec, [HOME_ESPHOME] = &esphome_codec};

const struct codec *home_codec_of(const struct home_speaks *s, struct str topic, struct str *ret_key) {
    struct home_topic t;
    *ret_key = S("");
    for (size_t i = 0; i < HOME__COUNT; i++) {
        const struct codec *codec = home_codecs[i];
        if (!codec || !s->is_spoken[i] || !home_conventions[i]->topic(s->base[i], topic, &t)) continue;
        if (i == HOME_ZIGBEE2MQTT)
            *ret_key = s->base[i];
        else if (codec->asking->key && !codec->asking->key(topic, ret_key))
            *ret_key = S("");
        return codec;
    }
    return NULL;
}

/* Below a base; of Tasmota and ESPHome the commands of the one device, or of any where any may speak; what discovery
 * describes has topics of the estate's own choice.  It hears there what its own devices are told, and nothing else. */
bool home_may_hear(const struct home_speaks *s, struct str filter) {
    struct str rest = filter, first, below = filter;
    for (size_t i = 0; i < HOME__COUNT; i++, below = filter)
        if (s->is_spoken[i] && i != HOME_TASMOTA && s->base[i].ptr && home_starts(&below, s->base[i])) return true;
    if (!str_cut(&rest, '/', &first) || !rest.ptr || str_is(first, "linli")) return false;
    if (s->is_spoken[HOME_TASMOTA] && str_is(first, "cmnd")) return true;
    if (s->is_sparkplug && str_is(first, "spBv1.0")) return true;
    bool is_open = first.len && first.ptr[0] != '$' && first.ptr[0] != '+' && first.ptr[0] != '#';
    if (s->is_spoken[HOME_HOMEASSISTANT] && is_open) return true;
    return s->is_spoken[HOME_ESPHOME] && (!s->base[HOME_ESPHOME].ptr || str_is(first, "esphome"));
}

/* ---- the narrow waist ---- */

static enum frame split(struct bytes in, size_t *ret_len) {
    return home_frame(&home_homeassistant, in, ret_len);
}
static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    return home_decode(&home_homeassistant, whole, a, ret, reterr);
}
static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return home_show(&home_homeassistant, whole, a, j, reterr);
}

const struct codec homeassistant_codec = {
    .name = "homeassistant",
    .standard = "Home Assistant MQTT discovery",
    .frame_max = HOME_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = show,
    .make = publish_make,
    .is_text = true,
    .carrier = CARRIER_TOPIC,
};
