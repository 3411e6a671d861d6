/* Commands over MQTT: published to the device that listens for its own, ended by its reply.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "base/json.h"
#include "base/utf8.h"
#include "sensing/lines/line.h"

#include <inttypes.h>
#include <string.h>

#define COMMAND_MAX 1024 /* bytes of a command, as JSON */
#define REPLY_MAX   4096
#define ANSWER_US   INT64_C(30000000)

static struct mqtt_conn *listens(struct mqtt_listener *l, int64_t community_id, struct str device) {
    for (struct mqtt_conn *c = l->conns; c; c = c->next)
        if (c->tcp && c->state == CONN_OPEN && c->is_subscribed && c->community_id == community_id &&
            str_is(device, c->device))
            return c;
    return NULL;
}

/* {"id":"…","name":"…","args":{…}}: a value that is no object itself is its member "value". */
static bool put_command(const struct line_order *o, struct arena *a, struct str *ret) {
    struct fault ignored = {0};
    struct buf b;
    struct jw j;
    json_t *args = NULL;
    char id[24];
    bool is_object = o->value.len && o->value.ptr[0] == '{' && !json_read(o->value, &args, &ignored);
    json_decref(args);
    snprintf(id, sizeof id, "%" PRId64, o->command_id);
    buf_init_arena(&b, a, COMMAND_MAX);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kcstr(&j, "id", id);
    jw_kstr(&j, "name", o->item);
    jw_key(&j, "args");
    if (is_object) {
        jw_raw(&j, o->value);
    } else {
        jw_open(&j, '{');
        if (o->value.ptr) jw_kstr(&j, "value", o->value);
        jw_close(&j, '}');
    }
    jw_close(&j, '}');
    return buf_done(&b, ret);
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
    struct str payload;
    char topic[2 * CODE_MAX + 32];
    *ret_why = !c ? "it is not connected, or does not listen for commands" : "too many commands are unanswered";
    if (!c || !told || !o->command_id) return false;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    snprintf(topic, sizeof topic, "%.*scommand", (int)c->topic_n, c->topic);
    bool ok = put_command(o, &arena, &payload) &&
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
    struct fault ignored = {0};
    json_t *v = NULL;
    int64_t id;
    if (payload.len > REPLY_MAX || json_read((struct str){(const char *)payload.ptr, payload.len}, &v, &ignored))
        return;
    struct str text = json_text(json_object_get(v, "id"));
    for (size_t i = 0; str_to_i64(text, &id) && id && i < COUNT(l->told); i++) {
        if (l->told[i].id != id || l->told[i].device_id != c->device_id) continue;
        bool is_done = json_is_true(json_object_get(v, "ok"));
        struct str error = json_text(json_object_get(v, "error"));
        end(l, &l->told[i], is_done, is_done || error.len ? error : S("refused"));
    }
    json_decref(v);
}

void mqtt_commands_tick(struct mqtt_listener *l) {
    for (size_t i = 0; i < COUNT(l->told); i++)
        if (l->told[i].id && now_us(l) >= l->told[i].until_us) end(l, &l->told[i], false, S("no answer"));
}
