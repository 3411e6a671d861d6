/* A door's controller that says which cards are held to it: over HTTP, where the answer opens, or over MQTT to topics
 * of its own, where it is told to.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/door/door.h"
#include "main/simulate/talk.h"

#include <inttypes.h>
#include <string.h>

#define LATE_OF 20     /* of so many one was kept while nobody answered */
#define LATE_MS 600000 /* so long */

static bool put_passing(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct str name,
                        struct buf *json) {
    char text[64], id[48];
    struct buf card, serial;
    bool is_late = sim_random(d) % LATE_OF == 0;
    struct str one = sim_one_of(d, o->cards);
    buf_init(&card, text, sizeof text);
    if (one.len)
        buf_str(&card, one);
    else
        buf_fmt(&card, "%010" PRIu64, sim_random(d) % 16777216);
    buf_init(&serial, id, sizeof id);
    buf_fmt(&serial, "%" PRId64 ".%u", at_ms, (unsigned)d->serial);
    door_write(&(struct passing){.device = name,
                                 .kind = PASSING_CARD,
                                 .value = {text, card.len},
                                 .serial = {id, serial.len},
                                 .way = d->index % 2 ? S("out") : S("in"),
                                 .at_ms = is_late ? at_ms - LATE_MS : at_ms,
                                 .is_late = is_late},
               json);
    return !card.overflow;
}

static bool push(const struct sim_options *o, struct sim_device *d, int64_t at_ms, struct buf *json,
                 const char **ret_below) {
    char mem[32];
    struct buf name;
    (void)ret_below;
    buf_init(&name, mem, sizeof mem);
    sim_put_name(o, d, &name);
    return put_passing(o, d, at_ms, (struct str){mem, name.len}, json);
}

/* ---- over MQTT ---- */

/* linli/COMMUNITY/DEVICE, of whatever topic of it the account has. */
static struct str place_of(const struct sim_talk *t) {
    struct str topic = t->o->credentials[t->d->index].topic, rest = topic, level;
    size_t n = 0;
    for (int i = 0; i < 3 && str_cut(&rest, '/', &level); i++) n += level.len + (i > 0);
    return (struct str){topic.ptr, n};
}

static void at(struct sim_talk *t, const char *what) {
    sim_topic(t, STR_FMT "/%s", STR_ARG(place_of(t)), what);
}

static void will(struct sim_talk *t) {
    at(t, "state");
    buf_cstr(&t->payload, "offline");
}

static void born(struct sim_talk *t) {
    at(t, "state");
    sim_publish_text(t, false, "online");
}

static bool filter(const struct sim_talk *t, size_t i, struct buf *out) {
    if (i) return false;
    buf_fmt(out, STR_FMT "/command", STR_ARG(place_of(t)));
    return true;
}

static void say(struct sim_talk *t) {
    struct str rest = place_of(t), name = {NULL, 0};
    while (str_cut(&rest, '/', &name)) continue;
    at(t, "passing");
    t->is_bad |= !put_passing(t->o, t->d, t->at_ms, name, &t->payload);
    sim_publish(t, false);
}

/* Its lock, and the lamps for who may pass and who may not. */
static void told(struct sim_talk *t, struct str topic, struct bytes payload) {
    json_t *v = NULL;
    struct fault f = {0};
    struct jw j;
    (void)topic;
    if (json_read((struct str){(const char *)payload.ptr, payload.len}, &v, &f)) return;
    struct str id = json_text(json_object_get(v, "id"));
    bool knows = word_in("open granted refused", json_text(json_object_get(v, "name")));
    at(t, "reply");
    jw_init(&j, &t->payload);
    if (knows)
        jw_put(&j, "{'id':$,'ok':true}", JV(J_STR(id)));
    else
        jw_put(&j, "{'id':$,'ok':false,'error':'unknown_command'}", JV(J_STR(id)));
    sim_publish(t, false);
    json_decref(v);
}

static const struct sim_convention convention = {
    .will = will, .filter = filter, .born = born, .say = say, .told = told};
const struct sim_protocol sim_door_mqtt = {.name = "door", SIM_TALKS(convention), .needs_account = true};
const struct sim_protocol sim_door = {.name = "door", SIM_PUSHES(push), .with_account = &sim_door_mqtt};
