/* A thermostat that Home Assistant's discovery describes: configs, availability, one state, a switch that is told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "main/simulate/talk.h"

enum { RELAY, TEMPERATURE, HUMIDITY };
static const struct entity {
    const char *component, *object, *name, *device_class, *unit, *template;
    struct sim_range range;
} entities[] = {
    [RELAY] = {"switch", "relay", "Relay", NULL, NULL, "{{ value_json.relay }}", {0, 0, 0, 0}},
    [TEMPERATURE] = {"sensor", "t", "Temperature", "temperature", "°C", "{{ value_json.t }}", {215, -100, 420, 3}},
    [HUMIDITY] = {"sensor", "h", "Humidity", "humidity", "%", "{{ value_json.h }}", {470, 150, 990, 5}}};

static void at(struct sim_talk *t, const char *what) {
    sim_topic(t, "%s", "estate/");
    sim_put_name(t->o, t->d, &t->topic);
    buf_cstr(&t->topic, what);
}

static void say_config(struct sim_talk *t, size_t i) {
    const struct entity *e = &entities[i];
    char name[32], unique[48], base[64];
    struct buf b;
    struct jw j;
    buf_init(&b, name, sizeof name);
    sim_put_name(t->o, t->d, &b);
    buf_init(&b, unique, sizeof unique);
    buf_fmt(&b, "%s_%s", name, e->object);
    buf_init(&b, base, sizeof base);
    buf_fmt(&b, "estate/%s", name);
    sim_topic(t, "%s/%s/%s/%s/config", t->base, e->component, name, e->object);
    jw_init(&j, &t->payload);
    jw_put(&j,
           "{'~':$,'name':$,'unique_id':$,'state_topic':'~','value_template':$,'availability_topic':'~/status',"
           "'payload_available':'online','payload_not_available':'offline','device':{'identifiers':[$],'name':$,"
           "'manufacturer':'Linli','model':'simulated'},'origin':{'name':'linli simulate'}",
           JV(J_CSTR(base), J_CSTR(e->name), J_CSTR(unique), J_CSTR(e->template), J_CSTR(name), J_CSTR(name)));
    if (e->device_class) jw_kcstr(&j, "device_class", e->device_class);
    if (e->unit) jw_kcstr(&j, "unit_of_measurement", e->unit);
    if (i == RELAY) jw_kcstr(&j, "command_topic", "~/relay/set");
    jw_close(&j, '}');
    sim_publish(t, true);
}

static void say(struct sim_talk *t) {
    struct jw j;
    at(t, "");
    jw_init(&j, &t->payload);
    jw_open(&j, '{');
    jw_kcstr(&j, entities[RELAY].object, t->d->values[RELAY] != 0 ? "ON" : "OFF");
    for (size_t i = TEMPERATURE; i <= HUMIDITY; i++)
        sim_put_value(&j, entities[i].object, sim_walk(t->d, i, &entities[i].range), 10);
    jw_close(&j, '}');
    sim_publish(t, false);
}

static void will(struct sim_talk *t) {
    at(t, "/status");
    buf_cstr(&t->payload, "offline");
}

static void born(struct sim_talk *t) {
    for (size_t i = 0; i < COUNT(entities); i++) say_config(t, i);
    at(t, "/status");
    sim_publish_text(t, true, "online");
}

static bool filter(const struct sim_talk *t, size_t i, struct buf *out) {
    if (i > 1) return false;
    if (i) {
        buf_fmt(out, "%s/status", t->base);
    } else {
        buf_cstr(out, "estate/");
        sim_put_name(t->o, t->d, out);
        buf_cstr(out, "/relay/set");
    }
    return true;
}

/* As Home Assistant comes it hears the configs again. */
static void told(struct sim_talk *t, struct str topic, struct bytes payload) {
    struct str word = {(const char *)payload.ptr, payload.len};
    if (!str_starts(topic, S("estate/"))) {
        if (str_is(word, "online")) born(t);
    } else if (sim_switched(word, &t->d->values[RELAY])) {
        say(t);
    }
}

static const struct sim_convention convention = {.base = "homeassistant",
                                                 .is_will_kept = true,
                                                 .will = will,
                                                 .filter = filter,
                                                 .born = born,
                                                 .say = say,
                                                 .told = told};
const struct sim_protocol sim_homeassistant = {.name = "homeassistant", SIM_TALKS(convention)};
