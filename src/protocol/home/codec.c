/* Frames of the home conventions: topic, a line feed, payload.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "protocol/frame_json.h"
#include "protocol/home/home_internal.h"
#include "protocol/mqtt/mqtt.h"

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

bool home_split(struct bytes whole, struct str *ret_topic, struct bytes *ret_payload, struct wire_error *reterr) {
    const uint8_t *end = whole.len ? memchr(whole.ptr, '\n', whole.len) : NULL;
    if (!end) return bad(reterr, "topic: a line feed stands behind it", 0);
    *ret_topic = (struct str){(const char *)whole.ptr, (size_t)(end - whole.ptr)};
    *ret_payload = (struct bytes){end + 1, whole.len - ret_topic->len - 1};
    if (ret_topic->len > HOME_TOPIC_MAX) return bad(reterr, "topic: it has over 256 bytes", 0);
    if (!mqtt_topic_is_name(*ret_topic) || !utf8_is_valid(*ret_topic))
        return bad(reterr, "topic: it is empty, no UTF-8, or has + or #", 0);
    return ret_payload->len <= HOME_PAYLOAD_MAX || bad(reterr, "payload: it has over 256 KiB", 0);
}

/* A frame is whole, or none of this convention. */
enum frame home_frame(const struct home_convention *c, struct bytes in, size_t *ret_len) {
    struct str topic;
    struct bytes payload;
    struct wire_error ignored;
    struct home_topic t;
    *ret_len = in.len;
    return home_split(in, &topic, &payload, &ignored) && c->topic(str_of(c->base), topic, &t) ? FRAME_WHOLE
                                                                                              : FRAME_SKIP;
}

static bool has_news(const struct home_topic *t) {
    return t->name.ptr && (t->what == HOME_STATE || t->what == HOME_AVAILABILITY || t->what == HOME_CONFIG);
}

bool home_decode(const struct home_convention *c, struct bytes whole, struct arena *a, struct decoded *ret,
                 struct wire_error *reterr) {
    struct str topic;
    struct bytes payload;
    struct home_topic t;
    struct home_report r;
    *ret = (struct decoded){0};
    if (!home_split(whole, &topic, &payload, reterr)) return false;
    if (!c->topic(str_of(c->base), topic, &t)) return bad(reterr, "topic: it is none of this convention", 0);
    if (!has_news(&t)) return true; /* commands, and what is about no device */
    if (!home_report_init(&r, a, reterr, payload, topic.len + 1) || !home_of(&r, t.name)) return false;
    if (payload.len && !c->said(&r, &t)) return false; /* nothing: what was retained is taken back */
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
    struct str topic;
    struct bytes payload;
    struct home_topic t;
    if (!home_split(whole, &topic, &payload, reterr)) return false;
    if (!c->topic(str_of(c->base), topic, &t)) return bad(reterr, "topic: it is none of this convention", 0);
    jw_open(j, '{');
    frame_put_bytes(j, a, "topic", (struct bytes){(const uint8_t *)topic.ptr, topic.len});
    jw_kcstr(j, "what", whats[t.what]);
    if (t.name.ptr) frame_put_bytes(j, a, "name", (struct bytes){(const uint8_t *)t.name.ptr, t.name.len});
    if (t.item.ptr) frame_put_bytes(j, a, "item", (struct bytes){(const uint8_t *)t.item.ptr, t.item.len});
    frame_put_bytes(j, a, "payload", payload);
    jw_close(j, '}');
    return true;
}

/* A payload may be given as JSON, too. */
bool home_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    const json_t *value = json_object_get(frame, "payload");
    bool is_json = value && !json_is_string(value);
    struct bytes topic = frame_bytes(&in, "topic"), payload = {NULL, 0};
    if (!is_json) payload = frame_bytes(&in, "payload");
    if (!topic.ptr) frame_bad(&in, "topic", "is missing");
    if (topic.ptr && (!topic.len || memchr(topic.ptr, '\n', topic.len))) frame_bad(&in, "topic", "is a line of text");
    if (!is_json && !payload.ptr) frame_bad(&in, "payload", "is missing: a text, or JSON");
    if (in.is_bad) return false;
    buf_add(out, topic.ptr, topic.len);
    buf_char(out, '\n');
    if (payload.len) buf_add(out, payload.ptr, payload.len);
    if (is_json) {
        struct jw j;
        jw_init(&j, out);
        jw_json(&j, value);
    }
    return true;
}

bool home_answers(const struct home_convention *c, const struct question *q, struct bytes whole, struct home_topic *ret,
                  struct bytes *ret_payload) {
    struct str topic, code;
    struct wire_error ignored;
    char mem[3 * HOME_TOPIC_MAX + 1];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    return home_split(whole, &topic, ret_payload, &ignored) && c->topic(str_of(c->base), topic, ret) && ret->name.ptr &&
           ret->what == HOME_STATE && home_code_put(&b, ret->name) && buf_done(&b, &code) && str_eq(code, q->address);
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
        if (i == HOME__COUNT) return "no_convention";
        if (s.is_spoken[i]) return "twice";
        if (word.ptr && (!mqtt_topic_is_name(word) || word.ptr[0] == '/' || word.ptr[word.len - 1] == '/'))
            return "bad_topic";
        s.is_spoken[i] = true;
        s.base[i] = word.ptr ? word : str_of(home_conventions[i]->base);
    }
    *ret = s;
    return NULL;
}
