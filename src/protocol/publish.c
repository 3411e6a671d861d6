/* Topic, line feed, payload.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/publish.h"

#include "base/utf8.h"
#include "protocol/frame_json.h"
#include "protocol/mqtt/mqtt.h"

#include <string.h>

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static bool read_topic(struct bytes whole, struct publish *ret, struct wire_error *reterr) {
    const uint8_t *end = whole.len ? memchr(whole.ptr, '\n', whole.len) : NULL;
    if (!end) return bad(reterr, "topic: a line feed stands behind it", whole.len);
    ret->topic = (struct str){(const char *)whole.ptr, (size_t)(end - whole.ptr)};
    if (ret->topic.len > PUBLISH_TOPIC_MAX)
        return bad(reterr, "topic: " WIRE_LIMIT "at most 512 bytes", PUBLISH_TOPIC_MAX);
    if (!mqtt_topic_is_name(ret->topic) || !utf8_is_valid(ret->topic))
        return bad(reterr, "topic: it is empty, no UTF-8, or has + or #", 0);
    ret->payload_at = ret->topic.len + 1;
    return true;
}

bool publish_read(struct bytes whole, struct publish *ret, struct wire_error *reterr) {
    struct publish p = {.payload_at = 0};
    bool is_body = whole.len && whole.ptr[0] == '{';
    if (!is_body && !read_topic(whole, &p, reterr)) return false;
    p.payload = (struct bytes){whole.ptr + p.payload_at, whole.len - p.payload_at};
    if (p.payload.len > PUBLISH_PAYLOAD_MAX) return bad(reterr, "payload: " WIRE_LIMIT "at most 256 KiB", p.payload_at);
    *ret = p;
    return true;
}

void publish_show(struct jw *j, struct arena *a, const struct publish *p) {
    if (p->topic.ptr) frame_put_bytes(j, a, "topic", (struct bytes){(const uint8_t *)p->topic.ptr, p->topic.len});
    frame_put_bytes(j, a, "payload", p->payload);
}

static void put_topic(struct frame_in *in, struct str topic, struct buf *out) {
    if (!mqtt_topic_is_name(topic) || memchr(topic.ptr, '\n', topic.len) || topic.ptr[0] == '{')
        frame_bad(in, "topic", "is a line of text without + and #, and does not begin with {");
    buf_str(out, topic);
    buf_char(out, '\n');
}

bool publish_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    const json_t *value = json_object_get(frame, "payload");
    bool is_json = value && !json_is_string(value);
    struct str topic = frame_text(&in, "topic");
    struct bytes payload = {NULL, 0};
    if (!is_json) payload = frame_bytes(&in, "payload");
    if (topic.ptr) put_topic(&in, topic, out);
    if (!is_json && !payload.ptr) frame_bad(&in, "payload", "is missing: a text, or JSON");
    if (!topic.ptr && !(is_json ? json_is_object(value) : payload.len && payload.ptr[0] == '{'))
        frame_bad(&in, "payload", "without a topic is a JSON object");
    if (payload.len > PUBLISH_PAYLOAD_MAX) frame_bad(&in, "payload", "has over 256 KiB");
    if (in.is_bad) return false;
    if (payload.len) buf_add(out, payload.ptr, payload.len);
    if (is_json) {
        struct jw j;
        jw_init(&j, out);
        jw_json(&j, value);
    }
    return true;
}
