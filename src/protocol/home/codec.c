/* Frames of the home conventions: topic, a line feed, payload.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/frame_json.h"
#include "protocol/home/home_internal.h"
#include "protocol/mqtt/mqtt.h"

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static bool read_frame(struct bytes whole, struct publish *ret, struct wire_error *reterr) {
    if (!publish_read(whole, ret, reterr)) return false;
    if (!ret->topic.ptr) return bad(reterr, "topic: a line feed stands behind it", whole.len);
    return ret->topic.len <= HOME_TOPIC_MAX || bad(reterr, "topic: " WIRE_LIMIT "at most 256 bytes", HOME_TOPIC_MAX);
}

/* A frame is whole, or none of this convention. */
enum frame home_frame(const struct home_convention *c, struct bytes in, size_t *ret_len) {
    struct publish p;
    struct wire_error ignored;
    struct home_topic t;
    *ret_len = in.len;
    return read_frame(in, &p, &ignored) && c->topic(str_of(c->base), p.topic, &t) ? FRAME_WHOLE : FRAME_SKIP;
}

static bool has_news(const struct home_topic *t) {
    return t->name.ptr && (t->what == HOME_STATE || t->what == HOME_AVAILABILITY || t->what == HOME_CONFIG);
}

bool home_decode(const struct home_convention *c, struct bytes whole, struct arena *a, struct decoded *ret,
                 struct wire_error *reterr) {
    struct publish p;
    struct home_topic t;
    struct home_report r;
    *ret = (struct decoded){0};
    if (!read_frame(whole, &p, reterr)) return false;
    if (!c->topic(str_of(c->base), p.topic, &t)) return bad(reterr, "topic: it is none of this convention", 0);
    if (!has_news(&t)) return true; /* commands, and what is about no device */
    if (!home_report_init(&r, a, reterr, p.payload, p.payload_at) || !home_of(&r, t.name)) return false;
    if (p.payload.len && !c->said(&r, &t)) return false; /* nothing: what was retained is taken back */
    home_report_end(&r, ret);
    return true;
}

/* ---- for tools ---- */

bool home_show(const struct home_convention *c, struct bytes whole, struct arena *a, struct jw *j,
               struct wire_error *reterr) {
    static const char *const whats[] = {[HOME_STATE] = "state",
                                        [HOME_AVAILABILITY] = "availability",
                                        [HOME_COMMAND] = "command",
                                        [HOME_CONFIG] = "config",
                                        [HOME_ELSE] = "other"};
    struct publish p;
    struct home_topic t;
    if (!read_frame(whole, &p, reterr)) return false;
    if (!c->topic(str_of(c->base), p.topic, &t)) return bad(reterr, "topic: it is none of this convention", 0);
    jw_open(j, '{');
    jw_kcstr(j, "what", whats[t.what]);
    if (t.name.ptr) frame_put_bytes(j, a, "name", (struct bytes){(const uint8_t *)t.name.ptr, t.name.len});
    if (t.item.ptr) frame_put_bytes(j, a, "item", (struct bytes){(const uint8_t *)t.item.ptr, t.item.len});
    publish_show(j, a, &p);
    jw_close(j, '}');
    return true;
}

bool home_answers(const struct home_convention *c, const struct question *q, struct bytes whole, struct home_topic *ret,
                  struct bytes *ret_payload) {
    struct str code;
    struct publish p;
    struct wire_error ignored;
    char mem[3 * HOME_TOPIC_MAX + 1];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    struct str base = c->base && q->key.len ? q->key : str_of(c->base);
    if (!read_frame(whole, &p, &ignored) || !c->topic(base, p.topic, ret)) return false;
    *ret_payload = p.payload;
    return ret->name.ptr && ret->what == HOME_STATE && home_code_put(&b, ret->name) && buf_done(&b, &code) &&
           str_eq(code, q->address);
}

/* ---- side by side ---- */

const struct home_convention *const home_conventions[HOME__COUNT] = {
    [HOME_ZIGBEE2MQTT] = &home_zigbee2mqtt,
    [HOME_TASMOTA] = &home_tasmota,
    [HOME_ESPHOME] = &home_esphome,
    [HOME_HOMEASSISTANT] = &home_homeassistant,
};

const char *home_speaks_read(struct str words, struct home_speaks *ret) {
    struct home_speaks s = {0};
    struct str word, name;
    while (str_word(&words, &word)) {
        size_t i = 0;
        (void)str_cut(&word, '=', &name);
        while (i < HOME__COUNT && !str_is(name, home_conventions[i]->name)) i++;
        bool is_sparkplug = str_is(name, "sparkplug");
        if (i == HOME__COUNT && !is_sparkplug) return "no_convention";
        if (is_sparkplug ? s.is_sparkplug : s.is_spoken[i]) return "twice";
        if (word.ptr && (!mqtt_topic_is_name(word) || word.ptr[0] == '/' || word.ptr[word.len - 1] == '/'))
            return "bad_topic";
        if (is_sparkplug) {
            s.is_sparkplug = true;
            s.sparkplug = word.ptr ? word : S("");
            continue;
        }
        s.is_spoken[i] = true;
        s.base[i] = word.ptr ? word : str_of(home_conventions[i]->base);
    }
    *ret = s;
    return NULL;
}
