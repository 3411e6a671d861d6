/* Zigbee2MQTT: BASE/FRIENDLY_NAME with the device's state as one JSON object, BASE/…/availability, /set, /get, and what
 * the bridge says of itself.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

#include "base/civil.h"

#define BATTERY_MV 1000 /* a voltage from here on is a battery's, in mV; below, the mains', in V */

/* ---- topics ---- */

static bool is_request(struct str level) {
    return str_is(level, "set") || str_is(level, "get");
}

static bool read_topic(struct str base, struct str topic, struct home_topic *ret) {
    struct str rest = topic, before, above;
    if (!home_starts(&rest, base) || !rest.len) return false;
    *ret = (struct home_topic){.what = HOME_STATE, .name = rest};
    struct str last = home_last(rest, &before), second = home_last(before, &above);
    if (home_starts(&rest, S("bridge"))) {
        bool is_state = str_is(rest, "state");
        *ret = (struct home_topic){.what = is_state ? HOME_AVAILABILITY : HOME_ELSE, .item = rest};
        if (is_state) ret->name = base; /* of the bridge itself */
    } else if (before.len && str_is(last, "availability")) {
        *ret = (struct home_topic){HOME_AVAILABILITY, before, {NULL, 0}};
    } else if (before.len && is_request(last)) {
        *ret = (struct home_topic){HOME_COMMAND, before, last};
    } else if (above.len && is_request(second)) { /* of one attribute: NAME/set/state */
        *ret = (struct home_topic){HOME_COMMAND, above, second};
    }
    return true;
}

/* ---- values ---- */

static const struct {
    const char *action, *event;
} actions[] = {{"emergency", "sos"}, {"panic", "sos"}, {"sos", "sos"}};

/* Option last_seen: milliseconds since 1970, or a text of RFC 3339. */
static void take_time(struct home_report *r, const struct json_leaf *leaf) {
    if (leaf->type == JSON_LEAF_TEXT) (void)!civil_read_time(leaf->text, &r->at_ms);
    if (leaf->type == JSON_LEAF_NUMBER && leaf->number > 0 && leaf->number < 1e15) r->at_ms = (int64_t)leaf->number;
}

static bool take_text(struct home_report *r, struct str key, struct str text) {
    double v;
    for (size_t i = 0; str_is(key, "action") && i < COUNT(actions); i++)
        if (str_is(text, actions[i].action)) return home_event(r, actions[i].event, (struct str){NULL, 0}, true);
    bool is_state =
        str_is(key, "state") || str_starts(key, S("state_")) || str_is(key, "lock_state") || str_is(key, "child_lock");
    return !is_state || !home_switched(text, &v) || home_add(r, key, "", v);
}

static bool take_number(struct home_report *r, struct str key, double v, bool is_flag) {
    const struct home_word *w = home_word(key);
    const char *none = "";
    if (is_flag && str_is(key, "contact")) return home_add(r, S("open"), none, !v);
    if (!is_flag && str_is(key, "voltage") && v >= BATTERY_MV) return home_add(r, S("battery_voltage"), "mV", v);
    if (is_flag && w && w->event && !home_event(r, w->event, (struct str){NULL, 0}, v)) return false;
    return home_add(r, w ? home_word_metric(w) : key, w && !is_flag ? w->unit : none, v);
}

static bool take_leaf(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct home_report *r = arg;
    struct str key = leaf->path[0].name;
    (void)in;
    if (leaf->path_n != 1) return true; /* colours, updates, the device's own description */
    if (str_is(key, "last_seen")) {
        take_time(r, leaf);
        return true;
    }
    switch (leaf->type) {
    case JSON_LEAF_NULL: return true;
    case JSON_LEAF_TEXT: return take_text(r, key, leaf->text);
    case JSON_LEAF_FLAG:
    case JSON_LEAF_NUMBER: return take_number(r, key, leaf->number, leaf->type == JSON_LEAF_FLAG);
    }
    return true;
}

static bool said(struct home_report *r, const struct home_topic *t) {
    if (t->what == HOME_AVAILABILITY) return home_available(r, S("online"), S("offline"));
    return home_leaves(r, take_leaf, r);
}

const struct home_convention home_zigbee2mqtt = {HOME_ZIGBEE2MQTT, "zigbee2mqtt", "zigbee2mqtt", read_topic, said};

/* ---- questions: an item is a key of the state; values are JSON where they can be, else text; the key is the base ----
 */

static bool is_json(struct str value) {
    char mem[256];
    struct buf texts;
    buf_init(&texts, mem, sizeof mem);
    struct json_in in = json_in_of((struct bytes){(const uint8_t *)value.ptr, value.len}, &texts);
    return json_in_leaves(&in, NULL, NULL) && json_in_end(&in);
}

static bool ask(const struct question *q, struct buf *out) {
    struct jw j;
    if (!q->address.len || !q->item.len) return false;
    buf_str(out, q->key.len ? q->key : str_of(home_zigbee2mqtt.base));
    buf_char(out, '/');
    home_name_put(out, q->address);
    buf_cstr(out, q->value.ptr ? "/set\n" : "/get\n");
    jw_init(&j, out);
    jw_open(&j, '{');
    jw_key_str(&j, q->item);
    if (q->value.ptr && is_json(q->value))
        jw_raw(&j, q->value);
    else
        jw_str(&j, q->value.ptr ? q->value : S(""));
    jw_close(&j, '}');
    return true;
}

/* What states never repeat: parameters of an effect, and objects that are instructions. */
static bool tells(const struct question *q) {
    bool is_object = q->value.len && (q->value.ptr[0] == '{' || q->value.ptr[0] == '[');
    return !is_object && !word_in("warning squawk identify effect", q->item);
}

struct sought {
    const struct question *q;
    bool is_there;
};

static bool seek(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct sought *s = arg;
    double v;
    (void)in;
    if (leaf->path_n != 1 || !str_eq(leaf->path[0].name, s->q->item)) return true;
    bool is_value = !s->q->value.ptr || home_is_move(s->q->value) ||
                    (leaf->type == JSON_LEAF_TEXT && home_same(leaf->text, s->q->value)) ||
                    (leaf->type == JSON_LEAF_NUMBER && str_to_f64(s->q->value, &v) && v == leaf->number) ||
                    (leaf->type == JSON_LEAF_FLAG && str_is(s->q->value, leaf->number ? "true" : "false"));
    s->is_there |= is_value;
    return true;
}

/* A state that has the item; told to become a value, one that has the value. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct home_topic t;
    struct bytes payload;
    char mem[1024];
    struct buf texts;
    struct sought s = {q, false};
    (void)ret_why;
    buf_init(&texts, mem, sizeof mem);
    if (!home_answers(&home_zigbee2mqtt, q, whole, &t, &payload)) return ANSWER_OTHER;
    struct json_in in = json_in_of(payload, &texts);
    if (!json_in_leaves(&in, seek, &s) || !json_in_end(&in) || !s.is_there) return ANSWER_OTHER;
    buf_add(data, payload.ptr, payload.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct home_report r;
    *ret = (struct decoded){0};
    if (!home_report_init(&r, a, reterr, data, 0)) return false;
    r.device = q->address;
    if (!home_leaves(&r, take_leaf, &r)) return false;
    home_report_end(&r, ret);
    return true;
}

static const struct asking asking = {.ask = ask, .answers = answers, .read = understand, .tells = tells};

/* ---- the narrow waist ---- */

static enum frame split(struct bytes in, size_t *ret_len) {
    return home_frame(&home_zigbee2mqtt, in, ret_len);
}
static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    return home_decode(&home_zigbee2mqtt, whole, a, ret, reterr);
}
static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return home_show(&home_zigbee2mqtt, whole, a, j, reterr);
}

const struct codec zigbee2mqtt_codec = {
    .name = "zigbee2mqtt",
    .standard = "Zigbee2MQTT topics",
    .frame_max = HOME_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = show,
    .make = publish_make,
    .asking = &asking,
    .is_text = true,
    .carrier = CARRIER_TOPIC,
};
