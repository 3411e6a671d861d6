/* A bridge of Zigbee2MQTT with a plug, a door's contact, a smoke detector and a thermometer; the plug is switched.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "main/simulate/talk.h"

enum what { NUMBER, FLAG /* true in one of `scale` */, SWITCH };
static const struct attribute {
    int device;
    const char *key;
    enum what what;
    int scale;
    struct sim_range range;
} attributes[] = {{0, "state", SWITCH, 1, {0, 0, 0, 0}},
                  {0, "power", NUMBER, 10, {520, 5, 22000, 40}},
                  {0, "voltage", NUMBER, 1, {228, 210, 240, 1}},
                  {0, "linkquality", NUMBER, 1, {120, 20, 255, 6}},
                  {1, "contact", FLAG, 6, {0, 0, 0, 0}},
                  {1, "battery", NUMBER, 1, {97, 5, 100, 1}},
                  {1, "voltage", NUMBER, 1, {3005, 2400, 3100, 2}},
                  {1, "linkquality", NUMBER, 1, {102, 20, 255, 6}},
                  {2, "smoke", FLAG, 60, {0, 0, 0, 0}},
                  {2, "battery_low", FLAG, 80, {0, 0, 0, 0}},
                  {2, "linkquality", NUMBER, 1, {60, 20, 255, 6}},
                  {3, "temperature", NUMBER, 100, {2150, -1000, 4200, 12}},
                  {3, "humidity", NUMBER, 100, {4700, 1500, 9900, 30}},
                  {3, "battery", NUMBER, 1, {91, 5, 100, 1}},
                  {3, "linkquality", NUMBER, 1, {88, 20, 255, 6}}};
static const char *const devices[] = {"plug", "door", "smoke", "th"};
enum { PLUG, STATE = 0, POWER = 1 };

static void put_attribute(struct sim_talk *t, struct jw *j, size_t i) {
    const struct attribute *a = &attributes[i];
    struct sim_device *d = t->d;
    switch (a->what) {
    case SWITCH: jw_kcstr(j, a->key, d->values[i] != 0 ? "ON" : "OFF"); return;
    case FLAG:
        d->values[i] = sim_random(d) % (uint64_t)a->scale == 0;
        jw_kbool(j, a->key, d->values[i] != 0);
        return;
    case NUMBER: sim_put_value(j, a->key, i == POWER && !d->values[STATE] ? 0 : sim_walk(d, i, &a->range), a->scale);
    }
}

static void name_topic(struct sim_talk *t, int device, const char *below) {
    sim_topic(t, "%s/", t->base);
    sim_put_name(t->o, t->d, &t->topic);
    buf_fmt(&t->topic, "-%s%s", devices[device], below);
}

static void say_state(struct sim_talk *t, int device) {
    struct jw j;
    name_topic(t, device, "");
    jw_init(&j, &t->payload);
    jw_open(&j, '{');
    for (size_t i = 0; i < COUNT(attributes); i++)
        if (attributes[i].device == device) put_attribute(t, &j, i);
    jw_close(&j, '}');
    sim_publish(t, false);
}

static void say(struct sim_talk *t) {
    say_state(t, (int)(sim_random(t->d) % COUNT(devices)));
}

static void will(struct sim_talk *t) {
    sim_topic(t, "%s/bridge/state", t->base);
    buf_cstr(&t->payload, "{\"state\":\"offline\"}");
}

static void born(struct sim_talk *t) {
    static const char online[] = "{\"state\":\"online\"}";
    sim_topic(t, "%s/bridge/state", t->base);
    sim_publish_text(t, true, online);
    for (int i = 0; i < (int)COUNT(devices); i++) {
        name_topic(t, i, "/availability");
        sim_publish_text(t, true, online);
    }
}

static bool filter(const struct sim_talk *t, size_t i, struct buf *out) {
    static const char *const requests[] = {"set", "get"};
    if (i >= COUNT(requests)) return false;
    buf_fmt(out, "%s/", t->base);
    sim_put_name(t->o, t->d, out);
    buf_fmt(out, "-%s/%s", devices[PLUG], requests[i]);
    return true;
}

/* {"state":"ON"}; a key that the plug has not changes nothing, and is not answered. */
static void told(struct sim_talk *t, struct str topic, struct bytes payload) {
    json_t *v = NULL;
    struct fault f = {0};
    bool is_get = topic.len > 4 && str_is(str_from(topic, topic.len - 4), "/get");
    if (json_read((struct str){(const char *)payload.ptr, payload.len}, &v, &f)) return;
    struct str state = json_text(json_object_get(v, "state"));
    bool is_there = is_get ? state.ptr != NULL : state.len && sim_switched(state, &t->d->values[STATE]);
    json_decref(v);
    if (is_there) say_state(t, PLUG);
}

static const struct sim_convention convention = {.base = "zigbee2mqtt",
                                                 .is_will_kept = true,
                                                 .will = will,
                                                 .filter = filter,
                                                 .born = born,
                                                 .say = say,
                                                 .told = told};
const struct sim_protocol sim_zigbee2mqtt = {.name = "zigbee2mqtt", SIM_TALKS(convention)};
