/* Commands over MQTT: published to the device that listens for its own, ended by its reply.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "sensing/lines/line.h"
#include "sensing/topics/order.h"

#include <stdio.h>

#define REPLY_BYTES ((size_t)1 << 16)
#define ANSWER_US   INT64_C(30000000)
#define AGAIN_US    INT64_C(1000000)

static struct mqtt_conn *listens(struct mqtt_listener *l, int64_t community_id, struct str device) {
    for (struct mqtt_conn *c = l->conns; c; c = c->next)
        if (c->tcp && c->state == CONN_OPEN && c->is_subscribed && c->community_id == community_id &&
            str_is(device, c->device))
            return c;
    return NULL;
}

static struct mqtt_told *free_place(struct mqtt_listener *l) {
    for (size_t i = 0; i < COUNT(l->told); i++)
        if (!l->told[i].id) return &l->told[i];
    return NULL;
}

bool mqtt_tell(void *listener, int64_t community_id, const struct line_order *o, const char **ret_why) {
    struct mqtt_listener *l = listener;
    struct mqtt_conn *c = listens(l, community_id, o->device);
    struct mqtt_told *told = free_place(l);
    if (!c && mqtt_is_behind_gateway(l, community_id, o->device))
        return teller_tell(l->teller, community_id, o, ret_why);
    struct str payload;
    char topic[2 * CODE_MAX + 32];
    *ret_why = !c ? "it is not connected, or does not listen for commands" : "too many commands are unanswered";
    if (!c || !told || !o->command_id) return false;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    snprintf(topic, sizeof topic, "%.*scommand", (int)c->topic_n, c->topic);
    bool ok = order_put(o, &arena, &payload) &&
              mqtt_conn_send(c, &(struct mqtt_packet){.type = MQTT_PUBLISH,
                                                      .level = c->level,
                                                      .topic = str_of(topic),
                                                      .payload = {(const uint8_t *)payload.ptr, payload.len}});
    arena_finish(&arena);
    *ret_why = "the command is too long, or the connection broke";
    if (ok) *told = (struct mqtt_told){o->command_id, c->device_id, now_us(l) + ANSWER_US};
    return ok;
}

static void end(struct mqtt_listener *l, struct mqtt_told *t, bool is_done, struct str answer) {
    int64_t id = t->id;
    t->id = 0;
    if (l->o.told) l->o.told(l->o.told_arg, id, is_done, answer);
}

/* What answers nothing that this device was told changes nothing. */
void mqtt_replied(struct mqtt_conn *c, struct bytes payload) {
    struct mqtt_listener *l = c->l;
    struct order_reply r;
    struct arena arena;
    arena_init(&arena, REPLY_BYTES);
    bool is_reply = order_reply_read(payload, &arena, &r);
    for (size_t i = 0; is_reply && i < COUNT(l->told); i++)
        if (l->told[i].id == r.id && l->told[i].device_id == c->device_id) end(l, &l->told[i], r.is_done, r.answer);
    arena_finish(&arena);
}

void mqtt_commands_tick(struct mqtt_listener *l) {
    int64_t now = now_us(l);
    for (size_t i = 0; i < COUNT(l->told); i++)
        if (l->told[i].id && now >= l->told[i].until_us) end(l, &l->told[i], false, S("no answer"));
    if (now < l->tell_us) return;
    l->tell_us = now + AGAIN_US;
    teller_tick(l->teller);
}
