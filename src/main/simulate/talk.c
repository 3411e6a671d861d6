/* What gateways that speak over MQTT have in common: packets, log-in, last will, acknowledgements.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/talk.h"

#include "base/json.h"
#include "protocol/mqtt/mqtt.h"

#include <strings.h>

static void put(struct sim_talk *t, const struct mqtt_packet *p) {
    t->is_bad |= !mqtt_encode(p, t->out);
}

void sim_topic(struct sim_talk *t, const char *fmt, ...) {
    va_list args;
    buf_init(&t->topic, t->topic_mem, sizeof t->topic_mem);
    buf_init(&t->payload, t->payload_mem, sizeof t->payload_mem);
    va_start(args, fmt);
    buf_vfmt(&t->topic, fmt, args);
    va_end(args);
}

static struct bytes payload_of(const struct sim_talk *t) {
    return (struct bytes){(const uint8_t *)t->payload.ptr, t->payload.len};
}

void sim_publish(struct sim_talk *t, bool is_kept) {
    const struct mqtt_packet p = {.type = MQTT_PUBLISH,
                                  .level = MQTT_V311,
                                  .qos = t->id != 0,
                                  .id = t->id,
                                  .retain = is_kept,
                                  .topic = {t->topic.ptr, t->topic.len},
                                  .payload = payload_of(t)};
    t->is_bad |= t->topic.overflow || t->payload.overflow;
    put(t, &p);
    t->id = 0;
}

void sim_publish_text(struct sim_talk *t, bool is_kept, const char *payload) {
    buf_cstr(&t->payload, payload);
    sim_publish(t, is_kept);
}

bool sim_switched(struct str word, double *is_on) {
    static const struct {
        const char *word;
        int to; /* 2: the other one */
    } words[] = {{"on", 1}, {"1", 1}, {"true", 1}, {"off", 0}, {"0", 0}, {"false", 0}, {"toggle", 2}, {"2", 2}};
    for (size_t i = 0; i < COUNT(words); i++) {
        struct str one = str_of(words[i].word);
        if (word.len != one.len || strncasecmp(word.ptr, one.ptr, one.len)) continue;
        *is_on = words[i].to == 2 ? *is_on == 0 : words[i].to;
        return true;
    }
    return false;
}

void sim_put_value(struct jw *j, const char *key, int v, int scale) {
    jw_key(j, key);
    if (scale == 1)
        jw_i64(j, v);
    else
        jw_f64(j, (double)v / scale);
}

static struct sim_talk talk_of(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    return (struct sim_talk){.o = o,
                             .d = d,
                             .base = o->topic ? o->topic : d->protocol->convention->base,
                             .at_ms = sim_clock_ms(d, now_ms),
                             .out = out};
}

bool sim_talk_greet(const struct sim_options *o, struct sim_device *d, struct buf *out) {
    const struct sim_convention *c = d->protocol->convention;
    const struct sim_credential *who = &o->credentials[d->index];
    struct sim_talk t = talk_of(o, d, o->world->utc_ms(o->world->self), out);
    char name[64];
    struct buf id;
    buf_init(&id, name, sizeof name);
    buf_fmt(&id, "%s-", d->protocol->name);
    sim_put_name(o, d, &id);
    c->will(&t);
    const struct mqtt_packet p = {
        .type = MQTT_CONNECT,
        .level = MQTT_V311,
        .clean_start = true,
        .keep_alive_s = 0, /* off: a slow pace is no lost device */
        .client_id = {name, id.len},
        .user = who->user,
        .password = {(const uint8_t *)who->password.ptr, who->password.len},
        .has_will = true,
        .will = {.topic = {t.topic.ptr, t.topic.len}, .payload = payload_of(&t), .qos = 1, .retain = c->is_will_kept}};
    put(&t, &p);
    return !t.is_bad && !t.topic.overflow && !t.payload.overflow;
}

static void subscribe(struct sim_talk *t) {
    char filter[SIM_TOPIC_MAX], mem[4 * SIM_TOPIC_MAX];
    struct buf list, one;
    buf_init(&list, mem, sizeof mem);
    buf_init(&one, filter, sizeof filter);
    for (size_t i = 0; t->d->protocol->convention->filter(t, i, &one); i++) {
        struct mqtt_filter f = {.filter = {filter, one.len}, .qos = 1};
        mqtt_filter_put(&list, MQTT_SUBSCRIBE, &f);
        buf_init(&one, filter, sizeof filter);
    }
    const struct mqtt_packet p = {
        .type = MQTT_SUBSCRIBE, .level = MQTT_V311, .id = 1, .list = {(const uint8_t *)mem, list.len}};
    t->is_bad |= list.overflow;
    put(t, &p);
}

bool sim_talk_speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out) {
    const struct sim_convention *c = d->protocol->convention;
    struct sim_talk t = talk_of(o, d, now_ms, out);
    if (!d->serial) d->serial = 1; /* packet identifiers are never 0 (2.3.1) */
    t.id = c->is_never_sure ? 0 : d->serial;
    c->say(&t);
    if (c->is_never_sure) put(&t, &(struct mqtt_packet){.type = MQTT_PINGREQ, .level = MQTT_V311});
    return !t.is_bad;
}

static enum sim_heard heard(const struct mqtt_packet *p) {
    switch (p->type) {
    case MQTT_CONNACK: return p->reason == MQTT_OK ? SIM_ASKED : SIM_REFUSED;
    case MQTT_SUBACK:
        for (size_t i = 0; i < p->list.len; i++)
            if (p->list.ptr[i] > 2) return SIM_REFUSED;
        return SIM_READY;
    case MQTT_PUBLISH: return SIM_ASKED;
    case MQTT_PUBACK: return SIM_CONFIRMED;
    case MQTT_PINGRESP: return SIM_NEXT_CONFIRMED;
    case MQTT_CONNECT:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
    case MQTT_UNSUBACK:
    case MQTT_PINGREQ:
    case MQTT_DISCONNECT:
    case MQTT_AUTH: break;
    }
    return SIM_OTHER;
}

enum sim_heard sim_talk_hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial) {
    struct mqtt_packet p;
    struct mqtt_fault f;
    enum frame what = mqtt_frame(in, SIM_FRAME_MAX, ret_used, &f);
    if (what == FRAME_SHORT) return SIM_NOTHING;
    if (what == FRAME_SKIP || !mqtt_decode((struct bytes){in.ptr, *ret_used}, MQTT_V311, &p, &f)) return SIM_REFUSED;
    *ret_serial = p.id;
    return heard(&p);
}

/* Let in, it subscribes and is born; told something, it says what came of it. */
bool sim_talk_answer(const struct sim_options *o, struct sim_device *d, struct bytes bytes, struct buf *out) {
    const struct sim_convention *c = d->protocol->convention;
    struct sim_talk t = talk_of(o, d, o->world->utc_ms(o->world->self), out);
    struct mqtt_packet p;
    struct mqtt_fault f;
    if (!mqtt_decode(bytes, MQTT_V311, &p, &f)) return false;
    if (p.type == MQTT_CONNACK) {
        subscribe(&t);
        c->born(&t);
    } else {
        if (p.qos) put(&t, &(struct mqtt_packet){.type = MQTT_PUBACK, .level = MQTT_V311, .id = p.id});
        c->told(&t, p.topic, p.payload);
    }
    return !t.is_bad;
}
