/* A node of ESPHome: a climate, a door's contact, and a relay that is switched; each value is a text of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/talk.h"

static const struct entity {
    const char *component, *object;
    int scale; /* 0: ON and OFF */
    struct sim_range range;
} entities[] = {{"switch", "relay", 0, {0, 0, 0, 0}},
                {"binary_sensor", "door", 0, {0, 0, 0, 0}},
                {"sensor", "temperature", 10, {215, -100, 420, 3}},
                {"sensor", "humidity", 10, {470, 150, 990, 5}}};
enum { RELAY, DOOR };
#define OPENS_OF 4 /* of so many words of the door one is another */

static void say_entity(struct sim_talk *t, size_t i) {
    const struct entity *e = &entities[i];
    sim_topic(t, "%s", "");
    sim_put_name(t->o, t->d, &t->topic);
    buf_fmt(&t->topic, "/%s/%s/state", e->component, e->object);
    if (!e->scale)
        buf_cstr(&t->payload, t->d->values[i] != 0 ? "ON" : "OFF");
    else
        buf_fmt(&t->payload, "%.1f", (double)sim_walk(t->d, i, &e->range) / e->scale);
    sim_publish(t, true);
}

static void say(struct sim_talk *t) {
    size_t i = sim_random(t->d) % COUNT(entities);
    if (i == DOOR && sim_random(t->d) % OPENS_OF == 0) t->d->values[DOOR] = t->d->values[DOOR] == 0;
    say_entity(t, i);
}

static void status(struct sim_talk *t) {
    sim_topic(t, "%s", "");
    sim_put_name(t->o, t->d, &t->topic);
    buf_cstr(&t->topic, "/status");
}

static void will(struct sim_talk *t) {
    status(t);
    buf_cstr(&t->payload, "offline");
}

static void born(struct sim_talk *t) {
    status(t);
    sim_publish_text(t, true, "online");
    for (size_t i = 0; i < COUNT(entities); i++) say_entity(t, i);
}

static bool filter(const struct sim_talk *t, size_t i, struct buf *out) {
    if (i) return false;
    sim_put_name(t->o, t->d, out);
    buf_fmt(out, "/%s/%s/command", entities[RELAY].component, entities[RELAY].object);
    return true;
}

static void told(struct sim_talk *t, struct str topic, struct bytes payload) {
    (void)topic;
    if (sim_switched((struct str){(const char *)payload.ptr, payload.len}, &t->d->values[RELAY])) say_entity(t, RELAY);
}

static const struct sim_convention convention = {
    .is_will_kept = true, .will = will, .filter = filter, .born = born, .say = say, .told = told};
const struct sim_protocol sim_esphome = {.name = "esphome", SIM_TALKS(convention)};
